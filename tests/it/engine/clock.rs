//! A wall clock that is set back by hours: nothing waits out the difference.

use campanile::domain::disposition::Disposition::NotDialled;
use campanile::domain::why::RestWhy;
use campanile::ledger::rest;

use super::asterisk::Gate;
use super::folder::Health;
use super::world::World;

const HOURS: i64 = 3;

#[test]
fn a_rest_of_planning_is_not_lengthened_by_a_clock_set_back() {
    let mut w = World::new();
    w.spool.0.borrow_mut().health = Health::Full;
    let spring = w.running("spring", 1..=3);
    w.pass_s(5);
    w.set_back(HOURS);
    let (until, why) = w.ledger.read(|db| rest::until(db, w.now)).unwrap().unwrap();
    assert!(why == RestWhy::Spool && until.since_ms(w.now) <= 30_000, "`why` says what is so: {until}");
    w.spool.0.borrow_mut().health = Health::Fine;
    w.pass_s(120);
    assert_eq!((w.dialled.len(), w.counts(spring).reached), (3, 3));
    assert_eq!(w.ledger.read(|db| rest::until(db, w.now)).unwrap(), None);
}

#[test]
fn calls_that_were_planned_for_hours_from_now_are_planned_anew() {
    let mut w = World::new();
    let spring = w.running("spring", 1..=5);
    w.pass_ms(100);
    assert_eq!(w.names().len(), 5);
    w.set_back(HOURS);
    w.pass_s(120);
    assert_eq!((w.dialled.len(), w.counts(spring).reached), (5, 5));
}

#[test]
fn the_same_when_the_clock_was_set_back_while_the_daemon_was_down() {
    let mut w = World::new();
    let spring = w.running("spring", 1..=5);
    w.pass_ms(100);
    w.leave_daemon_down();
    w.set_back(HOURS);
    w.serve();
    w.pass_s(120);
    assert_eq!((w.dialled.len(), w.counts(spring).reached), (5, 5));
}

#[test]
fn a_grace_that_began_in_the_future_begins_again_and_ends() {
    let mut w = World::new();
    w.asterisk.gate = Gate::Down;
    let spring = w.running("spring", 1..=1);
    let archived = |w: &mut World| {
        let row = w.rows(spring).pop();
        row.is_some_and(|row| w.facts(row.id).iter().any(|fact| format!("{fact:?}").contains("Archived")))
    };
    while !archived(&mut w) {
        w.pass_ms(100);
    }
    assert_eq!(w.ends(spring), [None], "a report may still come");
    w.set_back(HOURS);
    w.pass_s(3);
    assert_eq!(w.ends(spring), [None], "it may still");
    w.pass_s(5);
    assert_eq!(w.ends(spring)[0], Some(NotDialled));
}

#[test]
fn a_clock_set_back_in_mid_campaign_dials_nobody_twice_i1_i3() {
    let mut w = World::new();
    let spring = w.running("spring", 1..=30);
    for _ in 0..4 {
        w.pass_s(17);
        w.set_back(1);
    }
    w.pass_until_done(6);
    assert_eq!((w.dialled.len(), w.counts(spring).reached, w.names().len()), (30, 30, 0));
}
