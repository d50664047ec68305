//! The daemon's engine in a world of its own: real ledger, real claims, a clock that jumps.

mod asterisk;
mod bars;
mod channels;
mod clock;
mod crash;
mod evidence;
mod faults;
mod folder;
mod forecast;
mod lines;
mod outcomes;
mod people;
mod rounds;
mod timing;
mod traffic;
mod world;
mod zones;

use campanile::daemon::engine::EngineLimits;
use campanile::domain::calendar::Window;
use campanile::domain::campaign::CampaignState::{Completed, Paused, Running, Stopped};
use campanile::domain::disposition::Disposition::{Answered, Busy, NotDialled, Rejected};
use campanile::domain::retry::FailReason;
use campanile::ledger::{contacts, trunks};

use asterisk::{ANSWERS, BUSY, Callee, Fate, RINGS_OUT};
use world::{LIMITS, NOON, World, number};

#[test]
fn a_campaign_dials_evenly_on_the_grid_i6() {
    let mut w = World::new();
    let spring = w.running("spring", 1..=25);
    w.pass_until_done(1);
    let wanted: Vec<i64> = (1..=25).map(|i| i * 6_000).collect();
    assert_eq!(w.dials_ms(), wanted, "ten a minute: every six seconds, over the ticks");
    assert_eq!(w.counts(spring).reached, 25);
    assert_eq!(w.state(spring), Completed);
}

#[test]
fn a_campaign_of_few_channels_has_its_turn_beside_one_that_plans_every_slot() {
    let mut w = World::with(EngineLimits { calls_one_time: 60, ..LIMITS });
    let large = w.running("large", 1..=1000);
    let agents = w.running_with("agents", 2001..=2100, |c| c.channels = Some(2));
    w.pass_s(300);
    // A call takes 7 s, and a slot that is given up lies 3 s ahead: two channels make 12 calls a minute.
    let (large, agents) = (w.counts(large).reached, w.counts(agents).reached);
    assert!(agents >= 45, "{agents} calls beside {large} in five minutes");
    assert!(large + agents >= 275, "hardly a slot is lost: {large} + {agents}");
}

#[test]
fn a_retry_that_is_not_due_yet_holds_no_channel() {
    let mut w = World::new();
    (1..=3).for_each(|n| w.fate(n, &[BUSY, ANSWERS]));
    let spring = w.running_with("spring", 1..=12, |c| {
        c.channels = Some(2);
        (c.retry.max_retries, c.retry.retry_time_s) = (1, 50);
    });
    w.pass_s(75);
    let wanted: Vec<i64> = (1..=12).map(|i| i * 6_000).collect();
    assert_eq!(w.dials_ms(), wanted, "while three wait for their retry the others are called");
    w.pass_until_done(1);
    assert_eq!((w.counts(spring).reached, w.dialled.len()), (12, 15));
}

#[test]
fn two_campaigns_share_the_slots_in_fair_turn() {
    let mut w = World::new();
    let spring = w.running("spring", 1..=5);
    let autumn = w.running("autumn", 11..=15);
    w.pass_until_done(1);
    let whose: Vec<bool> = w.dialled.iter().map(|d| d.number < number(10)).collect();
    assert_eq!(whose, [true, false].repeat(5));
    assert_eq!((w.counts(spring).reached, w.counts(autumn).reached), (5, 5));
}

#[test]
fn a_campaign_that_is_started_later_has_its_turn_at_once() {
    let mut w = World::new();
    w.running("spring", 1..=40);
    w.pass_s(5);
    let started_at = w.now;
    let autumn = w.running("autumn", 101..=105);
    w.pass_until_done(2);
    let later: Vec<_> = w.dialled.iter().filter(|d| d.at > started_at.plus_ms(4_500)).collect();
    let whose: Vec<bool> = later[..10].iter().map(|d| d.number < number(100)).collect();
    assert!(whose.windows(2).all(|pair| pair[0] != pair[1]), "in turn from then on: {whose:?}");
    assert_eq!((w.counts(autumn).reached, w.dialled.len()), (5, 45), "each once (I1)");
}

#[test]
fn channels_hold_and_a_call_that_ends_makes_room_at_once_i5() {
    let mut w = World::new();
    let long = Fate::of(Callee::Answers { after_ms: 1_000, talks_ms: 19_000 });
    (1..=6).for_each(|n| w.fate(n, &[long]));
    let spring = w.running_with("spring", 1..=6, |c| c.channels = Some(2));
    w.pass_until_done(1);
    assert_eq!(w.dials_ms(), [6_000, 12_000, 30_000, 36_000, 54_000, 60_000], "two at a time, at the next slots");
    assert_eq!(w.counts(spring).reached, 6);
}

#[test]
fn a_number_is_called_again_at_its_retry_time_and_at_most_max_retries_times() {
    let mut w = World::new();
    w.fate(1, &[BUSY]);
    w.fate(2, &[RINGS_OUT, ANSWERS]);
    let spring = w.running_with("spring", 1..=2, |c| (c.retry.max_retries, c.retry.retry_time_s) = (2, 300));
    w.pass_until_done(2);
    let first: Vec<i64> = w.dials_to(1).windows(2).map(|pair| pair[1].since_ms(pair[0])).collect();
    assert_eq!(first, [306_000, 306_000], "the first slot after 300 s; and no fourth call");
    assert_eq!(w.dials_to(2).len(), 2, "answered: done");
    assert!(w.dials_to(2)[1].since_ms(w.dials_to(2)[0]) >= 330_000, "the pause counts from the end of the ringing");
    let counts = w.counts(spring);
    assert_eq!((counts.reached, counts.failed, counts.total()), (1, 1, 2));
    let failed = w.ledger.read(|db| contacts::find(db, spring, &number(1))).unwrap().unwrap().failed;
    assert_eq!(failed, Some(FailReason::RetriesUsedUp));
}

#[test]
fn a_retry_that_was_planned_ahead_and_withdrawn_is_not_called_early() {
    let mut w = World::with(EngineLimits { cron_interval: 60, ..LIMITS });
    w.fate(1, &[BUSY, ANSWERS]);
    w.running_with("spring", 1..=1, |c| (c.retry.max_retries, c.retry.retry_time_s) = (1, 300));
    w.pass_s(60);
    w.running("autumn", 11..=15);
    w.pass_until_done(1);
    let dials = w.dials_to(1);
    assert_eq!(dials.len(), 2);
    assert!(dials[1].since_ms(dials[0]) >= 300_000, "{dials:?}");
}

#[test]
fn nobody_is_called_outside_the_window_nor_so_late_that_it_rings_behind_it_i4() {
    let mut w = World::with(EngineLimits { cron_interval: 60, ..LIMITS });
    (1..=30).for_each(|n| w.fate(n, &[BUSY, ANSWERS]));
    let spring = w.running_with("spring", 1..=30, |c| {
        c.calendar.window = Window::parse("12:01", "12:02:35").unwrap();
        (c.retry.max_retries, c.retry.retry_time_s) = (1, 60);
    });
    w.pass_until_done(24 * 8);
    let day_ms = 86_400_000;
    assert!(w.dials_ms().iter().all(|ms| (60_000..120_000).contains(&(ms % day_ms))), "{:?}", w.dials_ms());
    assert_eq!(w.dialled.len(), 60, "thirty first calls and thirty retries, ten a day");
    assert_eq!(w.dials_ms()[59] / day_ms, 5, "the sixth day");
    assert_eq!(w.counts(spring).reached, 30);
}

#[test]
fn the_first_slot_of_a_window_is_used() {
    let mut w = World::new();
    w.running_with("spring", 1..=1, |c| c.calendar.window = Window::parse("13:00", "14:00").unwrap());
    w.pass_until_done(2);
    assert_eq!(w.dials_ms(), [3_600_000]);
}

#[test]
fn a_number_in_two_campaigns_is_called_by_one_after_the_other_i2() {
    let mut w = World::new();
    let long = Fate::of(Callee::Answers { after_ms: 1_000, talks_ms: 60_000 });
    w.fate(1, &[long]);
    let both = [w.running("spring", 1..=1), w.running("autumn", 1..=1)];
    w.pass_until_done(1);
    let dials = w.dials_to(1);
    assert_eq!(dials.len(), 2);
    assert!(dials[1].since_ms(dials[0]) >= 61_000, "the second campaign waited for the first");
    both.into_iter().for_each(|campaign| assert_eq!(w.counts(campaign).reached, 1));
}

#[test]
fn a_stop_withdraws_what_asterisk_has_not_begun_and_lets_calls_end_i4() {
    let mut w = World::new();
    let long = Fate::of(Callee::Answers { after_ms: 1_000, talks_ms: 60_000 });
    (1..=9).for_each(|n| w.fate(n, &[long]));
    let spring = w.running("spring", 1..=9);
    w.pass_ms(13_000);
    assert_eq!((w.dialled.len(), w.names().len()), (2, 9));
    w.set(spring, Stopped);
    w.pass_ms(100);
    assert_eq!(w.names().len(), 2, "only the two calls are left");
    w.pass_s(600);
    assert_eq!((w.dialled.len(), w.names().len()), (2, 0));
    let counts = w.counts(spring);
    assert_eq!((counts.reached, counts.waiting, counts.in_progress, counts.total()), (2, 7, 0, 9));
    w.set(spring, Running);
    w.pass_until_done(1);
    assert_eq!((w.dialled.len(), w.counts(spring).reached), (9, 9), "started again, each of the rest is called once");
}

#[test]
fn a_pause_between_the_beginning_of_a_file_and_its_claim_is_kept_by_the_gate_i4() {
    let mut w = World::new();
    let spring = w.running("spring", 1..=1);
    w.pass_ms(5_500);
    assert_eq!(w.file(w.the_file()).place, campanile::daemon::port::Place::Begun);
    w.set(spring, Paused);
    w.pass_s(60);
    assert_eq!((w.dials_ms(), w.ends(spring)), (vec![], vec![Some(NotDialled)]));
    assert_eq!(w.last_detail(spring), "the campaign is paused");
    assert_eq!((w.counts(spring).waiting, w.names().len()), (1, 0));
}

#[test]
fn a_campaign_without_numbers_is_completed_and_one_that_got_more_goes_on() {
    let mut w = World::new();
    let spring = w.running("spring", 1..=1);
    w.pass_until_done(1);
    w.import(spring, 2..=3);
    w.set(spring, Running);
    assert_eq!(w.state(spring), Running);
    w.pass_until_done(1);
    assert_eq!((w.state(spring), w.counts(spring).reached), (Completed, 3));
}

#[test]
fn deleting_numbers_in_mid_campaign_loses_none_that_is_in_a_call_i3() {
    let mut w = World::new();
    let spring = w.running("spring", 1..=30);
    w.pass_ms(20_000);
    let deleted = w.command(|db| contacts::delete_all(db, spring));
    assert_eq!(deleted.deleted + deleted.kept_in_progress, 30);
    w.pass_until_done(1);
    let counts = w.counts(spring);
    assert_eq!((counts.total(), counts.reached), (deleted.kept_in_progress, deleted.kept_in_progress));
}

#[test]
fn the_spool_never_holds_more_files_than_it_may() {
    let mut w = World::with(EngineLimits { calls_one_time: 600, spool_files_max: 5, ..LIMITS });
    let spring = w.running("spring", 1..=40);
    for _ in 0..120 {
        w.pass_ms(500);
        assert!(w.names().len() <= 5);
    }
    w.pass_until_done(1);
    assert_eq!(w.counts(spring).reached, 40);
}

#[test]
fn a_trunks_rate_and_channels_hold_over_campaigns_i5() {
    let mut w = World::with(EngineLimits { calls_one_time: 600, ..LIMITS });
    let slow = trunks::NewTrunk {
        name: "slow".parse().unwrap(),
        template: "PJSIP/{number}@slow".parse().unwrap(),
        channels: Some(3),
        starts_per_second: Some(1),
        account: None,
        short_numbers: campanile::domain::trunk::ShortNumbers::Refused,
        breaker: None,
        line: campanile::domain::trunk::TrunkLine::Real,
    };
    let slow = w.command(|db| trunks::add(db, &slow, NOON));
    w.running_with("spring", 1..=10, |c| c.trunk = slow);
    w.running_with("autumn", 11..=20, |c| c.trunk = slow);
    w.pass_until_done(1);
    let dials = w.dials_ms();
    assert_eq!(dials.len(), 20);
    assert!(dials.windows(2).all(|pair| pair[1] - pair[0] >= 980), "{dials:?}");
    assert!(dials.windows(4).all(|four| four[3] - four[0] >= 7_000), "a call takes seven seconds: {dials:?}");
}

#[test]
fn the_outcome_of_a_call_stands_in_its_row() {
    let mut w = World::new();
    w.fate(2, &[BUSY]);
    w.fate(3, &[Fate::of(Callee::Rejects)]);
    let spring = w.running("spring", 1..=3);
    w.pass_until_done(1);
    let rows = w.rows(spring);
    assert_eq!((rows[0].disposition, rows[0].talk_ms, rows[0].ring_ms), (Some(Answered), Some(5_000), Some(2_000)));
    assert_eq!(rows[0].answered_at, rows[0].dialled_at.map(|at| at.plus_ms(2_000)));
    assert_eq!((rows[1].disposition, rows[1].cause, rows[1].sip_code), (Some(Busy), Some(17), Some(486)));
    assert_eq!(rows[1].dialled_at, Some(NOON.plus_ms(12_000)));
    assert_eq!((rows[2].disposition, rows[2].cause), (Some(Rejected), Some(21)));
}

#[test]
fn an_archived_file_stays_as_many_days_as_it_is_to_be_kept() {
    let mut w = World::with(EngineLimits { archive_keep_days: 2, cron_interval: 60, ..LIMITS });
    w.running("spring", 1..=3);
    w.pass_until_done(2);
    assert_eq!(w.names().len(), 3);
    w.pass_s(86_400);
    assert_eq!(w.names().len(), 3, "a day later");
    w.pass_s(2 * 86_400);
    assert_eq!(w.names().len(), 0, "three days later");
}
