//! `kill -9` of the daemon around every effect on the spool: nothing is lost, nothing is done twice.

use campanile::domain::campaign::CampaignState::{Completed, Running, Stopped};
use campanile::domain::disposition::Disposition::{Indeterminate, NotDialled};

use super::asterisk::{ANSWERS, BUSY, Comes, Fate, RINGS_OUT};
use super::folder::Moment::{After, Before};
use super::world::World;

/// A campaign with answers, retries, lost reports and a stop in the middle.
fn campaign_with_a_death(kill: Option<(u32, super::folder::Moment)>) -> u32 {
    let mut w = World::new();
    w.fate(1, &[BUSY, ANSWERS]);
    w.fate(2, &[Fate { report: Comes::Never, ..ANSWERS }]);
    w.fate(3, &[Fate { archive: Comes::AfterMs(30_000), ..ANSWERS }]);
    if let Some((effect, moment)) = kill {
        w.kill_around(effect, moment);
    }
    let spring = w.running_with("spring", 1..=6, |c| (c.retry.max_retries, c.retry.retry_time_s) = (1, 60));
    w.pass_ms(20_500);
    w.set(spring, Stopped);
    w.pass_s(40);
    w.set(spring, Running);
    w.pass_until_done(1);
    let counts = w.counts(spring);
    assert_eq!((counts.reached, counts.total()), (6, 6), "{kill:?}");
    assert_eq!((w.state(spring), w.names().len()), (Completed, 0), "{kill:?}");
    assert_eq!(w.dialled.len(), 7, "one busy number is called again, nobody else: {kill:?}");
    assert_eq!(w.deaths, u32::from(kill.is_some()), "{kill:?}");
    assert!(w.failures.is_empty(), "{kill:?}: {:?}", w.failures);
    w.spool.0.borrow().effects
}

#[test]
fn a_daemon_killed_around_any_effect_loses_nothing_and_dials_nobody_twice_i1_i3() {
    let effects = campaign_with_a_death(None);
    assert!(effects >= 20, "{effects} effects are too few to show anything");
    for effect in 0..effects {
        campaign_with_a_death(Some((effect, Before)));
        campaign_with_a_death(Some((effect, After)));
    }
}

#[test]
fn an_intent_without_a_file_is_closed_and_its_number_is_called_later_i3() {
    let mut w = World::new();
    w.kill_around(0, Before);
    let spring = w.running("spring", 1..=1);
    w.pass_s(1);
    assert_eq!((w.deaths, w.ends(spring)), (1, vec![Some(NotDialled)]));
    assert!(w.last_detail(spring).contains("the daemon ended between"), "{}", w.last_detail(spring));
    w.pass_until_done(1);
    assert_eq!((w.dialled.len(), w.counts(spring).reached), (1, 1));
}

#[test]
fn a_file_without_its_mark_is_dialled_as_planned_i1() {
    let mut w = World::new();
    w.kill_around(0, After);
    let spring = w.running("spring", 1..=1);
    w.pass_until_done(1);
    assert_eq!((w.deaths, w.dials_ms()), (1, vec![6_000]));
    assert_eq!(w.counts(spring).reached, 1);
}

#[test]
fn a_daemon_that_slept_through_everything_finds_what_happened_i3() {
    let mut w = World::new();
    w.fate(2, &[BUSY]);
    let spring = w.running("spring", 1..=9);
    w.pass_ms(1_000);
    w.leave_daemon_down();
    w.pass_s(3_600);
    assert_eq!(w.dialled.len(), 9, "the spool and the gate need no daemon");
    assert_eq!(w.counts(spring).in_progress, 9);
    w.serve();
    w.pass_s(60);
    let counts = w.counts(spring);
    assert_eq!((counts.reached, counts.failed, w.state(spring), w.names().len()), (8, 1, Completed, 0));
}

#[test]
fn a_daemon_that_dies_over_a_sweep_knows_of_it_afterwards_i3() {
    for moment in [Before, After] {
        let mut w = World::new();
        w.fate(1, &[RINGS_OUT]);
        let spring = w.running("spring", 1..=1);
        w.pass_ms(8_000);
        assert_eq!(w.dialled.len(), 1, "it rings");
        w.asterisk_dies();
        w.asterisk_starts();
        w.kill_around(0, moment);
        w.pass_s(60);
        assert_eq!(w.deaths, 1, "at the sweep");
        assert_eq!(w.ends(spring), [Some(Indeterminate)], "{moment:?}: not after ten minutes only");
    }
}
