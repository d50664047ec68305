//! Asterisk, the gate and the disk when they do not do their part.

use campanile::daemon::event::Event;
use campanile::daemon::port::Place;
use campanile::domain::campaign::CampaignState::{Completed, Running, Stopped};
use campanile::domain::disposition::Disposition::{Indeterminate, NotDialled, TrunkFailure};

use campanile::wake::Change;

use super::asterisk::{BUSY, Callee, Fate, Gate, Pulse};
use super::folder::Health;
use super::world::World;

#[test]
fn while_asterisk_takes_nothing_no_further_call_is_planned() {
    let mut w = World::new();
    w.asterisk.pulse = Pulse::Asleep;
    let spring = w.running("spring", 1..=40);
    w.pass_s(60);
    let planned = w.names().len();
    assert!((9..=20).contains(&planned), "{planned}");
    w.pass_s(3_600);
    assert_eq!((w.names().len(), w.dialled.len()), (planned, 0), "an hour later");
    w.asterisk_starts();
    w.pass_s(5);
    assert_eq!(w.dialled.len(), 0, "what is an hour late is not dialled late");
    assert!(w.ends(spring).iter().flatten().all(|end| *end == NotDialled));
    w.pass_until_done(1);
    assert_eq!((w.dialled.len(), w.counts(spring).reached, w.names().len()), (40, 40, 0), "then each once");
}

#[test]
fn a_gate_that_is_not_asked_rests_the_planning_and_costs_nobody_a_retry() {
    let mut w = World::new();
    w.asterisk.gate = Gate::Down;
    let spring = w.running("spring", 1..=20);
    w.pass_s(600);
    assert_eq!(w.dialled.len(), 0, "fails closed");
    let tried = w.rows(spring).len();
    // A minute's worth at first; then one call after 2, 4, 8, 16, 30, 30 … s, each with its grace and its slot.
    assert!((20..=35).contains(&tried), "planning rests between tries: {tried} attempts in ten minutes");
    assert!(w.last_detail(spring).contains("without asking the gate"), "{}", w.last_detail(spring));
    w.asterisk.gate = Gate::Answers;
    w.pass_until_done(1);
    assert_eq!((w.dialled.len(), w.counts(spring).reached, w.names().len()), (20, 20, 0));
}

#[test]
fn a_file_that_was_begun_and_never_asks_does_not_keep_the_others_from_being_called() {
    let mut w = World::new();
    let spring = w.running("spring", 1..=40);
    w.pass_ms(500);
    // Its thread died with an Asterisk that was restarted under the same process number, say.
    let stuck = w.names()[0];
    w.spool.0.borrow_mut().files.get_mut(&stuck).unwrap().place = Place::Begun;
    w.pass_s(300);
    assert!(w.dialled.len() >= 35, "{}", w.dialled.len());
    assert_eq!(w.counts(spring).in_progress, 1, "its own number is held");
    w.spool.0.borrow_mut().files.get_mut(&stuck).unwrap().place = Place::BegunByTheDead;
    w.pass_until_done(1);
    assert_eq!((w.counts(spring).reached, w.dialled.len()), (40, 40));
}

/// Of a campaign with one channel nothing is planned ahead: when its call fails, only a look of ours goes on.
fn ms_from_the_gates_return_to_the_next_dial(down_ms: i64, word: Option<Event>) -> i64 {
    let mut w = World::new();
    let spring = w.running_with("spring", 1..=40, |c| c.channels = Some(1));
    w.pass_s(30);
    let before = w.dialled.len();
    assert!(before >= 3, "{before}");
    w.asterisk.gate = Gate::Down;
    w.pass_ms(down_ms);
    w.asterisk.gate = Gate::Answers;
    let back_at = w.now;
    word.into_iter().for_each(|word| w.hear(word));
    w.pass_s(100);
    let after = w.dialled[before..].first().expect("calling goes on").at.since_ms(back_at);
    w.pass_until_done(1);
    assert_eq!((w.counts(spring).reached, w.dialled.len()), (40, 40), "each was called once");
    after
}

#[test]
fn a_gate_that_is_back_is_asked_at_once() {
    // A slot is 6 s, and an attempt that was not asked about is given up after 5 s.
    for down_ms in [8_000, 60_000, 600_000] {
        let told = ms_from_the_gates_return_to_the_next_dial(down_ms, Some(Event::Changed(Change::Gate)));
        assert!(told <= 12_000, "down for {down_ms} ms, and told of the return: {told} ms");
    }
    // Where that word is lost, the next trial finds it out.
    let untold = [8_000, 60_000, 600_000].map(|down_ms| ms_from_the_gates_return_to_the_next_dial(down_ms, None));
    assert!(untold[0] <= 15_000 && untold.iter().all(|ms| *ms <= 45_000), "{untold:?}");
}

#[test]
fn a_call_that_a_dead_asterisk_had_is_swept_and_never_dialled_again_i1() {
    let mut w = World::new();
    let long = Fate::of(Callee::Answers { after_ms: 1_000, talks_ms: 600_000 });
    w.fate(1, &[long]);
    let spring = w.running("spring", 1..=2);
    // The first is in its call, the second was begun and not claimed.
    w.pass_ms(11_500);
    let begun = w.names();
    w.asterisk_dies();
    w.pass_s(2);
    w.asterisk_starts();
    w.pass_s(50);
    assert_eq!((begun.len(), w.names().iter().any(|name| begun.contains(name))), (2, false), "both are swept");
    assert_eq!(w.ends(spring)[0], Some(campanile::domain::disposition::Disposition::Answered), "it was seen answered");
    assert_eq!(w.ends(spring)[1], Some(NotDialled));
    w.pass_until_done(1);
    assert_eq!(w.dials_to(1).len(), 1);
    assert_eq!((w.dials_to(2).len(), w.counts(spring).reached), (1, 2));
}

#[test]
fn a_call_that_rang_when_asterisk_died_may_have_rung_and_waits_long() {
    let mut w = World::new();
    w.fate(1, &[super::RINGS_OUT, super::ANSWERS]);
    let spring = w.running_with("spring", 1..=1, |c| (c.retry.max_retries, c.retry.retry_time_s) = (1, 30));
    w.pass_ms(8_000);
    w.asterisk_dies();
    w.asterisk_starts();
    w.pass_s(60);
    assert_eq!(w.ends(spring), [Some(Indeterminate)]);
    w.pass_until_done(1);
    let dials = w.dials_to(1);
    assert!(dials.len() == 2 && dials[1].since_ms(dials[0]) >= 600_000, "{dials:?}");
}

#[test]
fn a_full_disk_costs_no_attempt() {
    let mut w = World::new();
    w.spool.0.borrow_mut().health = Health::Full;
    let spring = w.running("spring", 1..=200);
    w.pass_s(300);
    assert_eq!((w.rows(spring).len(), w.failures.len()), (0, 0));
    w.spool.0.borrow_mut().health = Health::Fine;
    w.pass_s(40);
    assert!(!w.rows(spring).is_empty(), "it goes on as soon as there is room");
    w.pass_until_done(2);
    assert_eq!((w.dialled.len(), w.counts(spring).reached), (200, 200));
}

#[test]
fn a_disk_that_fills_up_is_tried_again_without_burning_the_list() {
    let mut w = World::new();
    w.spool.0.borrow_mut().health = Health::NearlyFull;
    let spring = w.running("spring", 1..=200);
    w.pass_s(120);
    let tried = w.rows(spring);
    assert!(tried.len() <= 60, "{} attempts in two minutes of a full disk", tried.len());
    assert!(tried.iter().all(|row| row.disposition == Some(NotDialled)), "and none is left open");
    assert!(w.last_detail(spring).contains("no space left"), "{}", w.last_detail(spring));
    w.spool.0.borrow_mut().health = Health::Fine;
    w.pass_until_done(2);
    assert_eq!((w.dialled.len(), w.counts(spring).reached), (200, 200));
}

#[test]
fn files_that_cannot_be_removed_do_not_stop_the_campaign() {
    let mut w = World::new();
    w.spool.0.borrow_mut().health = Health::Sticky;
    let spring = w.running("spring", 1..=15);
    w.pass_until_done(1);
    assert_eq!((w.counts(spring).reached, w.dialled.len(), w.names().len()), (15, 15, 15));
    assert_eq!((w.state(spring), w.failures.len()), (Completed, 0));
    w.spool.0.borrow_mut().health = Health::Fine;
    w.pass_s(120);
    assert_eq!(w.names().len(), 0, "removed once that is possible");
}

#[test]
fn a_dead_asterisks_file_that_cannot_be_swept_does_not_stop_the_others() {
    let mut w = World::new();
    let spring = w.running("spring", 1..=3);
    w.pass_ms(7_000);
    w.asterisk_dies();
    w.spool.0.borrow_mut().health = Health::Sticky;
    w.asterisk_starts();
    w.pass_s(120);
    assert_eq!((w.dialled.len(), w.failures.len()), (3, 0));
    w.spool.0.borrow_mut().health = Health::Fine;
    w.pass_until_done(1);
    assert_eq!((w.names().len(), w.counts(spring).in_progress), (0, 0));
}

#[test]
fn archived_files_that_cannot_be_read_do_not_stop_the_campaign() {
    let mut w = World::new();
    w.spool.0.borrow_mut().health = Health::Opaque;
    let spring = w.running("spring", 1..=15);
    w.pass_until_done(1);
    assert_eq!((w.counts(spring).reached, w.state(spring), w.failures.len()), (15, Completed, 0));
}

#[test]
fn a_stop_with_files_that_cannot_be_withdrawn_is_kept_by_the_gate_i4() {
    let mut w = World::new();
    let spring = w.running("spring", 1..=5);
    w.pass_ms(3_000);
    w.spool.0.borrow_mut().health = Health::Sticky;
    w.set(spring, Stopped);
    w.pass_s(60);
    assert_eq!((w.dialled.len(), w.counts(spring).waiting), (0, 5));
    w.spool.0.borrow_mut().health = Health::Fine;
    w.set(spring, Running);
    w.pass_until_done(1);
    assert_eq!(w.counts(spring).reached, 5);
}

#[test]
fn failures_of_the_trunk_are_not_charged_but_end_some_day() {
    let mut w = World::new();
    w.fate(1, &[Fate::of(Callee::TrunkFails)]);
    w.fate(2, &[Fate::of(Callee::NoSuchNumber)]);
    w.fate(3, &[BUSY]);
    let spring = w.running_with("spring", 1..=3, |c| (c.retry.max_retries, c.retry.retry_time_s) = (1, 60));
    w.pass_until_done(2);
    assert_eq!((w.dials_to(1).len(), w.dials_to(2).len(), w.dials_to(3).len()), (5, 2, 2));
    assert!(w.ends(spring).contains(&Some(TrunkFailure)));
    assert_eq!(w.counts(spring).failed, 3);
}

#[test]
fn a_step_without_news_does_nothing_and_agrees_on_a_later_one() {
    let mut w = World::new();
    let spring = w.running("spring", 1..=3);
    w.pass_ms(1_000);
    let done = |w: &mut World| {
        let rows = w.rows(spring).len();
        let folder = w.spool.0.borrow();
        (folder.scans, folder.effects, rows)
    };
    let before = done(&mut w);
    for _ in 0..5 {
        w.step();
    }
    assert_eq!(done(&mut w), before);
}
