//! Calls as traffic: what is made up for a call is drawn with its plan, and is what happens.

use campanile::domain::campaign::Campaign;
use campanile::domain::campaign::CampaignState::{Completed, Running};
use campanile::domain::disposition::Disposition::{Answered, Cancelled, NotDialled};
use campanile::domain::ids::CampaignId;
use campanile::domain::traffic::Draw;
use campanile::domain::trunk::TrunkLine;
use campanile::ledger::details::Details;
use campanile::ledger::newcomers::NewContact;
use campanile::ledger::trunks;

use super::asterisk::{Callee, Fate, RINGS_OUT};
use super::folder::Moment::{After, Before};
use super::people::contact;
use super::world::World;

/// Picks up after two seconds and never hangs up.
const STAYS: Fate = Fate::of(Callee::Answers { after_ms: 2_000, talks_ms: 3_600_000 });

/// Refuses to hang up, or to pick up.
fn world(fate: Fate) -> World {
    let mut w = World::new();
    w.line(TrunkLine::Test);
    (1..=20).for_each(|n| w.fate(n, &[fate]));
    w
}

impl World {
    fn line(&mut self, line: TrunkLine) {
        let trunk = self.trunk;
        self.command(|db| trunks::set_line(db, trunk, line));
    }

    fn draws(&mut self, campaign: CampaignId) -> Vec<Draw> {
        self.rows(campaign).into_iter().map(|row| row.draw).collect()
    }
}

fn lasting(rule: &str) -> impl Fn(&mut Campaign) {
    move |c| c.traffic.duration = Some(rule.parse().unwrap())
}

fn cancelling(percent: &str) -> impl Fn(&mut Campaign) {
    move |c| {
        c.traffic.cancel = percent.parse().unwrap();
        (c.retry.max_retries, c.retry.retry_time_s) = (2, 60);
    }
}

#[test]
fn cancelled_calls_ring_as_long_as_was_drawn_and_are_never_made_again() {
    let mut w = world(RINGS_OUT);
    let spring = w.running_with("spring", 1..=20, cancelling("100%"));
    w.pass_until_done(1);
    assert_eq!(w.ends(spring), [Some(Cancelled); 20]);
    let counts = w.counts(spring);
    assert_eq!((w.dialled.len(), counts.reached, w.state(spring)), (20, 20, Completed));
    let rows = w.rows(spring);
    for row in &rows {
        let cancel_s = row.draw.cancel_after_s.unwrap();
        assert!((1..30).contains(&cancel_s), "within the wait time: {cancel_s}");
        let rang_ms = row.ended_at.unwrap().since_ms(row.dialled_at.unwrap());
        assert!((rang_ms - i64::from(cancel_s) * 1000).abs() <= 2, "{rang_ms} ms, and {cancel_s} s were drawn");
    }
    let seconds: std::collections::BTreeSet<_> = rows.iter().map(|row| row.draw.cancel_after_s).collect();
    assert!(seconds.len() > 5, "at random: {seconds:?}");
}

#[test]
fn a_share_of_the_calls_is_cancelled_and_none_at_nought_percent() {
    let mut w = world(RINGS_OUT);
    let spring = w.running_with("spring", 1..=20, |c| {
        cancelling("50%")(c);
        c.retry.max_retries = 0;
    });
    w.pass_until_done(1);
    let cancelled = w.ends(spring).into_iter().filter(|end| *end == Some(Cancelled)).count();
    let drawn = w.draws(spring).into_iter().filter(|draw| draw.cancel_after_s.is_some()).count();
    assert!(cancelled == drawn && (4..=16).contains(&cancelled), "{cancelled} of 20, {drawn} drawn");

    let mut w = world(STAYS);
    w.line(TrunkLine::Real);
    let spring = w.running_with("spring", 1..=3, |c| {
        cancelling("0%")(c);
        c.channels = Some(3);
    });
    w.pass_s(60);
    assert_eq!((w.dialled.len(), w.draws(spring)), (3, vec![Draw::default(); 3]), "also over a real line");
}

#[test]
fn who_answers_before_the_cancel_is_answered() {
    let mut w = world(Fate::of(Callee::Answers { after_ms: 500, talks_ms: 4_000 }));
    let spring = w.running_with("spring", 1..=5, cancelling("100%"));
    w.pass_until_done(1);
    assert_eq!(w.ends(spring), [Some(Answered); 5]);
}

#[test]
fn calls_last_as_long_as_was_drawn() {
    let mut w = world(STAYS);
    let spring = w.running_with("spring", 1..=20, lasting("3s-9s"));
    w.pass_until_done(1);
    let rows = w.rows(spring);
    let planned: Vec<i64> = rows.iter().map(|row| i64::from(row.draw.talk_ms.unwrap())).collect();
    let talked: Vec<i64> = rows.iter().filter_map(|row| row.talk_ms).collect();
    assert_eq!(talked, planned);
    assert!(planned.iter().all(|ms| (3_000..=9_000).contains(ms)), "{planned:?}");
    let distinct: std::collections::BTreeSet<_> = planned.iter().collect();
    assert!(distinct.len() > 10, "{planned:?}");
}

#[test]
fn a_contacts_own_duration_goes_before_bounds_and_behind_a_gaussian() {
    let own = |n| NewContact { details: Details { duration_ms: Some(1_234), ..Details::default() }, ..contact(&[n]) };
    let talked = |rule: &str| {
        let mut w = world(STAYS);
        let spring = w.campaign("spring", lasting(rule));
        w.bring(spring, &[own(1), contact(&[2])]);
        w.set(spring, Running);
        w.pass_until_done(1);
        w.rows(spring).into_iter().map(|row| row.talk_ms.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(talked("5s"), [1_234, 5_000]);
    assert_eq!(talked("gauss:5s,1s,5s-5s"), [5_000, 5_000]);
}

#[test]
fn a_draw_is_what_happens_wherever_the_daemon_dies() {
    for (effect, moment) in (0..6).flat_map(|effect| [(effect, Before), (effect, After)]) {
        let mut w = world(STAYS);
        w.kill_around(effect, moment);
        let spring = w.running_with("spring", 1..=3, lasting("3s-9s"));
        w.pass_s(2);
        let planned = w.draws(spring);
        w.pass_until_done(1);
        let rows = w.rows(spring);
        assert_eq!(rows.iter().take(planned.len()).map(|row| row.draw).collect::<Vec<_>>(), planned, "drawn once");
        for row in rows.iter().filter(|row| row.disposition == Some(Answered)) {
            assert_eq!(row.talk_ms, row.draw.talk_ms.map(i64::from));
        }
        assert_eq!((w.deaths, w.counts(spring).reached), (1, 3), "{effect} {moment:?}");
    }
}

#[test]
fn made_up_calls_wait_while_their_trunk_is_a_real_line_also_those_that_were_planned() {
    let mut w = world(RINGS_OUT);
    let spring = w.running_with("spring", 1..=3, cancelling("100%"));
    w.pass_s(2);
    assert_eq!(w.names().len(), 3, "all are planned");
    w.line(TrunkLine::Real);
    w.pass_s(1_200);
    assert_eq!((w.dialled.len(), w.ends(spring)), (0, vec![Some(NotDialled); 3]));
    assert!(w.last_detail(spring).contains("no test line"), "{}", w.last_detail(spring));
    assert_eq!((w.state(spring), w.counts(spring).waiting), (Running, 3), "none is planned again");
    w.line(TrunkLine::Test);
    w.pass_until_done(1);
    assert_eq!((w.dialled.len(), w.counts(spring).reached), (3, 3));
}
