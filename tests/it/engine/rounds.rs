//! Rounds: the whole list once again; and what leaves a list, or a campaign.

use campanile::domain::campaign::CampaignState::{Completed, Paused, Running, Stopped};
use campanile::domain::campaign::{Campaign, ContactState, Finish, RetryRules};
use campanile::domain::evidence::Fact;
use campanile::domain::ids::ContactId;
use campanile::domain::instant::UtcMs;
use campanile::domain::round::{AfterPickup, NextRound, RoundRules, WhenDone};
use campanile::ledger::{campaigns, contacts, dnc, rounds};

use super::asterisk::{ANSWERS, BUSY};
use super::people::contact;
use super::world::{NOON, World, number};

fn every(repeat_s: u32, rounds_max: Option<u32>) -> impl FnOnce(&mut Campaign) {
    move |c| c.rounds = RoundRules { repeat_s: Some(repeat_s), rounds_max, ..c.rounds }
}

fn s_after_noon(at: UtcMs) -> i64 {
    at.since_ms(NOON) / 1000
}

#[test]
fn the_whole_list_is_called_once_again_when_a_round_is_over() {
    let mut w = World::new();
    w.fate(1, &[BUSY, BUSY, ANSWERS]);
    let spring = w.running_with("spring", 1..=3, |c| {
        every(600, Some(3))(c);
        c.retry = RetryRules { max_retries: 1, retry_time_s: 60, wait_time_s: 30 };
    });
    w.pass_until_done(2);
    assert_eq!(w.state(spring), Completed);
    // Busy twice in the first round, then reached in each: everybody has all retries anew.
    let dials: Vec<usize> = (1..=3).map(|n| w.dials_to(n).len()).collect();
    assert_eq!(dials, [4, 3, 3]);
    assert_eq!((w.counts(spring).reached, w.counts(spring).total()), (3, 3));
    let of_the_third: Vec<i64> = w.dials_to(3).into_iter().map(s_after_noon).collect();
    let of_the_first: Vec<i64> = w.dials_to(1).into_iter().map(s_after_noon).collect();
    assert!(of_the_third[1] - of_the_first[1] >= 600, "600 s after the last call of the round: {of_the_first:?}");
    assert!(of_the_third[2] - of_the_third[1] >= 600, "{of_the_third:?}");
}

#[test]
fn a_round_is_over_only_when_nobody_waits_and_says_when_the_next_begins() {
    let mut w = World::new();
    w.fate(1, &[BUSY]);
    let spring = w.running_with("spring", 1..=2, |c| {
        every(600, None)(c);
        c.retry = RetryRules { max_retries: 1, retry_time_s: 300, wait_time_s: 30 };
    });
    w.pass_s(200);
    let next = |w: &mut World| {
        let now = w.now;
        w.ledger.read(|db| rounds::next(db, &campaigns::get(db, spring)?.unwrap(), now)).unwrap()
    };
    assert_eq!(next(&mut w), NextRound::AfterThis { repeat_s: 600 });
    w.pass_s(200);
    let NextRound::At(at) = next(&mut w) else { panic!("{:?}", next(&mut w)) };
    assert!((900..1_000).contains(&s_after_noon(at)), "{at}");
    assert_eq!(w.dialled.len(), 3);
    w.pass_s(1_000);
    assert!(w.dials_to(2)[1] >= at && w.dials_to(2)[1].since_ms(at) < 12_000, "{:?} {at}", w.dials_to(2));
}

#[test]
fn a_pause_between_rounds_outlives_the_daemon_and_a_pause_of_the_campaign() {
    let mut w = World::new();
    let spring = w.running_with("spring", 1..=2, every(600, None));
    w.pass_s(120);
    assert_eq!(w.dialled.len(), 2);
    w.leave_daemon_down();
    w.pass_s(60);
    w.serve();
    w.set(spring, Paused);
    w.pass_s(120);
    w.command(|db| campaigns::start(db, &campaigns::get(db, spring)?.unwrap(), NOON));
    w.pass_s(240);
    assert_eq!(w.dialled.len(), 2, "600 s are not over");
    w.pass_s(180);
    assert_eq!(w.dialled.len(), 4);
}

#[test]
fn a_round_begins_when_the_clock_was_set_back_too() {
    let mut w = World::new();
    w.running_with("spring", 1..=2, every(600, None));
    w.pass_s(120);
    w.set_back(5);
    w.pass_s(660);
    assert_eq!(w.dialled.len(), 4);
}

#[test]
fn starting_a_campaign_that_is_through_its_rounds_calls_the_list_again_from_the_first_round() {
    let mut w = World::new();
    let spring = w.running_with("spring", 1..=2, every(60, Some(2)));
    w.pass_until_done(1);
    assert_eq!((w.dialled.len(), w.state(spring)), (4, Completed));
    let now = w.now;
    w.command(|db| campaigns::start(db, &campaigns::get(db, spring)?.unwrap(), now));
    assert_eq!(w.ledger.read(|db| rounds::of(db, spring)).unwrap().number, 1);
    w.pass_s(30);
    assert_eq!(w.dialled.len(), 6, "at once");
    w.pass_until_done(1);
    assert_eq!((w.dialled.len(), w.state(spring)), (8, Completed));
}

#[test]
fn a_round_of_nobody_completes_no_campaign_that_has_a_call() {
    let mut w = World::new();
    w.fate(1, &[BUSY]);
    let spring = w.running_with("spring", 1..=2, |c| {
        every(60, None)(c);
        c.outcome.max_dials = Some(1);
    });
    while w.dialled.len() < 2 {
        w.pass_s(1);
    }
    w.set(spring, Stopped);
    let now = w.now;
    w.command(|db| campaigns::start(db, &campaigns::get(db, spring)?.unwrap(), now));
    w.step();
    assert_eq!((w.counts(spring).in_progress, w.counts(spring).failed, w.state(spring)), (1, 1, Running));
    w.pass_until_done(1);
    assert_eq!((w.dialled.len(), w.state(spring)), (2, Completed));
}

#[test]
fn finish_rules_end_a_campaign_whatever_rounds_it_has() {
    let mut w = World::new();
    let by_calls = w.running_with("spring", 1..=2, |c| {
        every(60, None)(c);
        c.finish = Finish::AfterCalls(5);
    });
    let by_end = w.running_with("summer", 11..=12, |c| {
        every(60, None)(c);
        c.calendar.schedule.ends_at = Some(NOON.plus_s(400));
    });
    w.pass_until_done(2);
    assert_eq!((w.rows(by_calls).len(), w.state(by_calls), w.state(by_end)), (5, Completed, Completed));
    let last = w.rows(by_end).pop().unwrap().planned_at;
    assert!(w.rows(by_end).len() >= 4 && s_after_noon(last) < 400);
}

#[test]
fn the_absolute_cap_and_do_not_call_lists_hold_over_all_rounds() {
    let mut w = World::new();
    w.fate(2, &[BUSY]);
    let spring = w.running_with("spring", 1..=3, |c| {
        every(60, None)(c);
        c.outcome.max_dials = Some(3);
    });
    w.pass_s(30);
    w.do_not_call_number(3, None);
    w.pass_until_done(1);
    let dials: Vec<usize> = (1..=3).map(|n| w.dials_to(n).len()).collect();
    assert_eq!((dials, w.state(spring)), (vec![3, 3, 1], Completed), "and a round of nobody completes it");
    assert_eq!((w.counts(spring).excluded, w.counts(spring).total()), (1, 3));
}

#[test]
fn who_opted_out_is_called_by_no_other_number_in_a_further_round_i12() {
    let mut w = World::new();
    let spring = w.campaign("spring", every(600, Some(3)));
    w.bring(spring, &[contact(&[1, 11]), contact(&[2, 12])]);
    w.set(spring, Running);
    while w.dials_to(1).is_empty() {
        w.pass_s(1);
    }
    let attempt = w.rows(spring)[0].id;
    w.append(attempt, Fact::OptedOut { list: None });
    w.command(|db| dnc::opt_out(db, attempt, None, NOON));
    w.pass_until_done(2);
    let dials = [1, 11, 2, 12].map(|n| w.dials_to(n).len());
    assert_eq!((dials, w.state(spring)), ([1, 0, 3, 0], Completed));
    assert_eq!((w.counts(spring).excluded, w.counts(spring).reached, w.counts(spring).total()), (1, 1, 2));
}

#[test]
fn a_long_list_begins_its_round_in_parts_and_survives_a_death_between_them() {
    let mut w = World::new();
    let spring = w.campaign("spring", every(60, Some(2)));
    w.import(spring, 1..=4_500);
    // All were called: nobody wants to wait for so many calls.
    w.command(|db| {
        for contact in contacts::page(db, spring, None, ContactId(0), u32::MAX)? {
            contacts::end_waiting(db, contact.id, ContactState::Reached)?;
        }
        Ok(())
    });
    let now = w.now;
    w.command(|db| campaigns::start(db, &campaigns::get(db, spring)?.unwrap(), now));
    w.step();
    let first = w.counts(spring);
    assert_eq!((first.waiting + first.in_progress, first.reached), (2_000, 2_500));
    w.serve();
    w.step();
    let second = w.counts(spring);
    assert_eq!((second.waiting + second.in_progress, second.reached), (4_000, 500));
    w.pass_s(10);
    assert_eq!(w.counts(spring).total(), 4_500);
    let called = w.dialled.len() as u64;
    let last = w.counts(spring);
    assert!(last.reached <= called && last.waiting >= 4_400, "everybody once: {last:?}");
}

#[test]
fn whoever_picked_up_leaves_the_list_and_the_report_keeps_the_calls() {
    let mut w = World::new();
    w.fate(2, &[BUSY, ANSWERS]);
    let spring = w.running_with("spring", 1..=3, |c| {
        every(300, Some(3))(c);
        c.rounds.after_pickup = AfterPickup::Delete;
    });
    w.pass_s(120);
    assert_eq!((w.counts(spring).total(), w.dialled.len()), (1, 3), "I3: two were reached and are gone");
    w.pass_until_done(1);
    let dials: Vec<usize> = (1..=3).map(|n| w.dials_to(n).len()).collect();
    assert_eq!((dials, w.counts(spring).total()), (vec![1, 2, 1], 0));
    assert_eq!((w.rows(spring).len(), w.state(spring)), (4, Completed));
    assert_eq!(w.ledger.read(|db| rounds::picked_up(db, spring)).unwrap(), 3);
    assert!(w.ledger.read(|db| contacts::find(db, spring, &number(1))).unwrap().is_none());
}

#[test]
fn a_campaign_that_is_done_is_removed_and_its_report_stays_and_its_name_is_free() {
    let mut w = World::new();
    let spring = w.running_with("spring", 1..=700, |c| {
        c.rounds.when_done = WhenDone::Remove;
        c.finish = Finish::AfterCalls(2);
    });
    w.pass_until_done(1);
    let removed = w.ledger.read(|db| campaigns::get(db, spring)).unwrap().unwrap();
    assert_eq!((removed.name.as_str(), removed.state), ("spring-removed-1", Completed));
    assert_eq!((w.rows(spring).len(), w.counts(spring).total()), (2, 0), "the report, and no number");
    assert!(w.ledger.read(|db| campaigns::all(db)).unwrap().is_empty());
    let again = w.running_with("spring", 1..=1, |_| {});
    w.pass_until_done(1);
    assert_eq!((w.counts(again).reached, w.state(again)), (1, Completed));
}
