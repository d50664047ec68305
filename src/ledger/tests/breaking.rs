//! Breakers of trunks at the gate, and over a restart.

use super::*;
use crate::domain::breaker::Breaker;

/// One failed call opens it, for a second.
const TOUCHY: BreakerRules = BreakerRules { failures_percent: 50, window_s: 60, calls_min: 1, rest_s: 1 };
const RESTED: UtcMs = UtcMs(NOON.0 + 1_000);

fn touchy() -> World {
    World::new(trunks::NewTrunk { breaker: Some(TOUCHY), ..trunk(None, None) })
}

impl World {
    /// An attempt ends so, as the engine closes it.
    fn ends(&mut self, id: AttemptId, disposition: Disposition, now: UtcMs) -> Option<breakers::Turned> {
        let call = Conclusion { dialled_at: Some(now), ..Conclusion::bare(disposition, now) };
        let end = |db: &Db| {
            let attempt = attempts::open_one(db, id)?.unwrap();
            settle::close(db, id, &call, now)?;
            breakers::count(db, &attempt, &call, now)
        };
        self.ledger.write(|db| end(db)).unwrap()
    }

    /// A campaign that is one of a check of lines.
    fn check(&mut self, name: &str) -> CampaignId {
        let id = self.campaign(name);
        let owner = self.owner;
        self.ledger
            .write(|db| {
                let line_check = Some(line_checks::add(db, &name.parse()?, owner, NOON)?);
                campaigns::update(db, &Campaign { line_check, ..campaigns::get(db, id)?.unwrap() })
            })
            .unwrap();
        id
    }

    fn leave(&mut self, now: UtcMs) -> LineLeave {
        let trunk = self.trunk;
        self.ledger.read(|db| breakers::leave(db, trunk, now)).unwrap()
    }
}

#[test]
fn an_open_breaker_lets_one_trial_through_at_a_time_over_all_campaigns_i5() {
    let mut w = touchy();
    let (spring, autumn) = (w.campaign("spring"), w.campaign("autumn"));
    let of_spring = w.intents(spring, 1..=3).unwrap();
    let of_autumn = w.intents(autumn, 4..=4).unwrap();
    w.claim(of_spring[0], FAST, NOON).unwrap();
    assert!(w.ends(of_spring[0], Disposition::TrunkFailure, NOON).is_some(), "it opens");
    let open = Refusal::TrunkBreaker { trial_at: Some(RESTED) };
    assert_eq!(w.claim(of_autumn[0], FAST, NOON), Err(open));
    let trial = w.intents(autumn, 5..=5).unwrap()[0];
    assert!(w.claim(trial, FAST, RESTED).is_ok());
    assert_eq!(w.claim(of_spring[1], FAST, RESTED), Err(Refusal::TrunkBreaker { trial_at: None }));
    assert!(w.ends(trial, Disposition::Busy, RESTED).is_some(), "it closes");
    assert!(w.claim(of_spring[2], FAST, RESTED).is_ok());
}

#[test]
fn a_trial_that_fails_begins_another_rest_and_one_that_says_nothing_does_not() {
    let mut w = touchy();
    let spring = w.campaign("spring");
    let calls = w.intents(spring, 1..=4).unwrap();
    w.claim(calls[0], FAST, NOON).unwrap();
    w.ends(calls[0], Disposition::TrunkFailure, NOON);
    w.claim(calls[1], FAST, RESTED).unwrap();
    assert_eq!(w.leave(RESTED), LineLeave::Nothing);
    w.ends(calls[1], Disposition::NotDialled, RESTED);
    assert_eq!(w.leave(RESTED), LineLeave::OneCall { from: RESTED });
    w.claim(calls[2], FAST, RESTED).unwrap();
    w.ends(calls[2], Disposition::TrunkFailure, RESTED);
    assert_eq!(w.leave(RESTED), LineLeave::OneCall { from: RESTED.plus_s(1) });
}

#[test]
fn a_check_of_lines_is_admitted_over_an_open_breaker_and_says_nothing_of_it() {
    let mut w = touchy();
    let (spring, check) = (w.campaign("spring"), w.check("carriers"));
    let [before, over, beside, after] = w.intents(check, 1..=4).unwrap()[..] else { panic!("four calls") };
    let [opens, trial] = w.intents(spring, 5..=6).unwrap()[..] else { panic!("two calls") };
    w.claim(before, FAST, NOON).unwrap();
    assert_eq!(w.ends(before, Disposition::TrunkFailure, NOON), None, "it opens nothing");
    w.claim(opens, FAST, NOON).unwrap();
    w.ends(opens, Disposition::TrunkFailure, NOON);
    let open = LineLeave::OneCall { from: RESTED };
    assert!(w.claim(over, FAST, NOON).is_ok());
    assert_eq!(w.leave(NOON), open, "it is no trial");
    assert_eq!(w.ends(over, Disposition::Busy, NOON), None, "it closes nothing");
    let trunk = w.trunk;
    let to_plan = w.ledger.read(|db| breakers::leave_to_plan(db, trunk, RESTED)).unwrap();
    assert_eq!(to_plan, LineLeave::Nothing, "the call of spring may be the trial");
    assert_eq!(w.ledger.read(|db| breakers::to_withdraw(db, NOON)).unwrap().len(), 1, "only that of spring");
    assert!(w.claim(trial, FAST, RESTED).is_ok());
    assert!(w.claim(beside, FAST, RESTED).is_ok(), "beside the trial");
    assert_eq!(w.ends(beside, Disposition::TrunkFailure, RESTED), None);
    assert_eq!(w.leave(RESTED), LineLeave::Nothing, "the trial goes on");
    assert!(w.ends(trial, Disposition::Busy, RESTED).is_some(), "it closes");
    w.claim(after, FAST, RESTED).unwrap();
    assert_eq!(w.ends(after, Disposition::TrunkFailure, RESTED), None);
    assert_eq!(w.leave(RESTED), LineLeave::All);
}

#[test]
fn a_breaker_stays_as_it_is_over_a_restart_i8() {
    let mut w = touchy();
    let spring = w.campaign("spring");
    let calls = w.intents(spring, 1..=2).unwrap();
    w.claim(calls[0], FAST, NOON).unwrap();
    w.ends(calls[0], Disposition::TrunkFailure, NOON);
    w.claim(calls[1], FAST, RESTED).unwrap();
    w.ledger = Ledger::open(&w.path).unwrap();
    let trunk = w.trunk;
    let standing = w.ledger.read(|db| breakers::of(db, trunk)).unwrap().unwrap();
    assert_eq!(standing.breaker, Breaker::Open { since: NOON, trial: Some(calls[1]) });
}

#[test]
fn the_window_slides_and_its_rows_do_not_grow_with_the_calls() {
    let mut w = World::new(trunks::NewTrunk {
        breaker: Some(BreakerRules { failures_percent: 90, calls_min: 5, ..TOUCHY }),
        ..trunk(None, None)
    });
    let spring = w.campaign("spring");
    let calls = w.intents(spring, 1..=40).unwrap();
    for (i, call) in (0..).zip(&calls) {
        let end = if i % 2 == 0 { Disposition::TrunkFailure } else { Disposition::NoAnswer };
        assert_eq!(w.ends(*call, end, NOON.plus_s(i * 5)), None);
    }
    let (trunk, end) = (w.trunk, NOON.plus_s(39 * 5));
    let rules = w.ledger.read(|db| Ok(trunks::get(db, trunk)?.breaker.unwrap())).unwrap();
    let share = w.ledger.read(|db| breakers::share(db, trunk, rules, end)).unwrap();
    assert_eq!((share.calls, share.failures), (13, 6), "those of the last minute, and of a step of it more");
    let rows = "SELECT count(*) FROM breaker_spans";
    let rows: u32 = w.ledger.read(|db| Ok(db.query_row(rows, [], |row| row.get(0))?)).unwrap();
    assert!(rows <= 12, "{rows}");
    let later = w.ledger.read(|db| breakers::share(db, trunk, rules, end.plus_s(120))).unwrap();
    assert_eq!(later.calls, 0);
}

#[test]
fn a_breaker_with_other_settings_begins_closed() {
    let mut w = touchy();
    let spring = w.campaign("spring");
    let call = w.intents(spring, 1..=1).unwrap()[0];
    w.claim(call, FAST, NOON).unwrap();
    w.ends(call, Disposition::TrunkFailure, NOON);
    let id = w.trunk;
    let set = |db: &Db, channels, breaker| {
        let trunk = trunks::get(db, id)?;
        trunks::update(db, &crate::domain::trunk::Trunk { channels, breaker, ..trunk })
    };
    w.ledger.write(|db| set(db, Some(7), Some(TOUCHY))).unwrap();
    assert_ne!(w.leave(NOON), LineLeave::All, "its channels are no matter of the breaker");
    w.ledger.write(|db| set(db, None, Some(BreakerRules { rest_s: 2, ..TOUCHY }))).unwrap();
    assert_eq!(w.leave(NOON), LineLeave::All);
}
