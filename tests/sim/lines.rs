//! Trunks: each with its breaker, some of them dark for a while, and what their breakers let through.

use std::collections::{BTreeMap, BTreeSet};

use campanile::domain::breaker::{Breaker, BreakerRules};
use campanile::domain::ids::{AttemptId, CampaignId, TrunkId};
use campanile::domain::instant::UtcMs;
use campanile::ledger::{attempts, breakers};

use crate::world::World;

#[derive(Debug, Default)]
pub struct Lines {
    /// Those that carry no call.
    dark: BTreeSet<TrunkId>,
    /// The last trial of each, and since when the breaker was open then.
    trials: BTreeMap<TrunkId, (UtcMs, AttemptId)>,
    /// Each breaker as it was looked at last: whether it was open, and since when.
    turned: BTreeMap<TrunkId, (bool, UtcMs)>,
    /// Campaigns that were removed by then, with what came of their calls.
    removed: usize,
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

    pub fn has_breakers(&mut self) -> bool {
        let trunks: Vec<TrunkId> = self.operators.trunks.keys().copied().collect();
        let standings =
            self.ledger.read(|db| trunks.iter().map(|id| breakers::of(db, *id)).collect::<Result<Vec<_>, _>>());
        standings.unwrap().iter().any(Option::is_some)
    }

    /// I13: breakers open and close by what comes of other calls than those of line checks.
    pub fn check_turns(&mut self) {
        let removed = self.operators.maybe_removed.len();
        let all_are_there = std::mem::replace(&mut self.lines.removed, removed) == removed;
        let trunks: Vec<TrunkId> = self.operators.trunks.keys().copied().collect();
        for trunk in trunks {
            let standing = self.ledger.read(|db| breakers::of(db, trunk)).unwrap();
            let turned = match standing.map(|standing| standing.breaker) {
                None | Some(Breaker::Closed { since: None }) => continue,
                Some(Breaker::Closed { since: Some(since) }) => (false, since),
                Some(Breaker::Open { since, .. }) => (true, since),
            };
            if self.lines.turned.insert(trunk, turned) == Some(turned) || !all_are_there {
                continue;
            }
            let by = match turned.0 {
                // One that is carried may be the one that makes the calls enough for their share to count.
                true => "a.closed_at = ?2 AND a.dialled_at IS NOT NULL",
                false => "a.start_at IS NOT NULL AND (a.closed_at IS NULL OR a.closed_at >= ?2)",
            };
            let sql = format!(
                "SELECT EXISTS (SELECT 1 FROM attempts a JOIN campaigns c ON c.id = a.campaign
                WHERE a.trunk = ?1 AND c.line_check IS NULL AND {by})"
            );
            let bound = [trunk.0, turned.1.0];
            let by_others = self.ledger.read(|db| Ok(db.query_row(&sql, bound, |row| row.get::<_, bool>(0))?));
            assert!(by_others.unwrap(), "I13: the breaker of trunk {trunk} turned by a line check: {turned:?}");
        }
    }

    /// I13: over a trunk whose breaker is open only a trial is claimed, after the rest, and one at a time; or the call of
    /// a line check, which is no trial.
    pub fn check_breaker(&mut self, (attempt, campaign): (AttemptId, CampaignId), trunk: TrunkId, start_at: UtcMs) {
        let standing = self.ledger.read(|db| breakers::of(db, trunk)).unwrap();
        let Some((rules, Breaker::Open { since, trial })) = standing.map(|s| (s.rules, s.breaker)) else { return };
        if self.operators.told[&campaign].campaign.line_check.is_some() {
            assert_ne!(trial, Some(attempt), "I13: a line check tries trunk {trunk}");
            return;
        }
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
