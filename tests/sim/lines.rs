//! Trunks: each with its breaker, some of them dark for a while, and what their breakers let through.

use std::collections::{BTreeMap, BTreeSet};

use campanile::domain::breaker::{Breaker, BreakerRules};
use campanile::domain::ids::{AttemptId, TrunkId};
use campanile::domain::instant::UtcMs;
use campanile::ledger::{attempts, breakers};

use crate::world::World;

#[derive(Debug, Default)]
pub struct Lines {
    /// Those that carry no call.
    dark: BTreeSet<TrunkId>,
    /// The last trial of each, and since when the breaker was open then.
    trials: BTreeMap<TrunkId, (UtcMs, AttemptId)>,
}

impl Lines {
    pub fn is_dark(&self, trunk: TrunkId) -> bool {
        self.dark.contains(&trunk)
    }

    pub fn all_are_well(&mut self) {
        self.dark.clear();
    }
}

impl World {
    pub fn draw_breaker(&mut self) -> Option<BreakerRules> {
        let rules = |calls_min, rest_s| BreakerRules { failures_percent: 50, window_s: 60, calls_min, rest_s };
        *self.chance.one_of(&[None, Some(rules(2, 20)), Some(rules(2, 20)), Some(rules(3, 60))])
    }

    /// Some of the trunks, in some order, and each once.
    pub fn draw_trunks(&mut self) -> (TrunkId, Vec<TrunkId>) {
        let mut trunks: Vec<TrunkId> = self.operators.trunks.keys().copied().collect();
        let first = self.chance.below(trunks.len() as i64) as usize;
        let first = trunks.remove(first);
        (first, if self.chance.per_mille(500) { trunks } else { Vec::new() })
    }

    pub fn a_trunk_goes_dark(&mut self) {
        let trunks: Vec<TrunkId> = self.operators.trunks.keys().copied().collect();
        let trunk = *self.chance.one_of(&trunks);
        self.lines.dark.insert(trunk);
        self.say(|_| format!("trunk {trunk} carries no call"));
    }

    /// I13: over a trunk whose breaker is open only a trial is claimed, after the rest, and one at a time.
    pub fn check_breaker(&mut self, attempt: AttemptId, trunk: TrunkId, start_at: UtcMs) {
        let standing = self.ledger.read(|db| breakers::of(db, trunk)).unwrap();
        let Some((rules, Breaker::Open { since, trial })) = standing.map(|s| (s.rules, s.breaker)) else { return };
        assert_eq!(
            trial,
            Some(attempt),
            "I13: attempt {attempt} is no trial, and the breaker of trunk {trunk} is open"
        );
        let rested = start_at >= since.plus_s(i64::from(rules.rest_s)) || since > self.now();
        assert!(rested, "I13: attempt {attempt} is claimed for {start_at}, and trunk {trunk} rests since {since}");
        let before = self.lines.trials.insert(trunk, (since, attempt));
        let Some((_, before)) = before.filter(|(then, _)| *then == since) else { return };
        let other = self.ledger.read(|db| attempts::open_one(db, before)).unwrap();
        assert!(other.is_none(), "I13: attempt {attempt} tries trunk {trunk} beside attempt {before}");
    }
}
