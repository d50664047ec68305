//! Whether each call goes over the trunk that it should.

use std::collections::{BTreeMap, HashMap};

use super::{Breach, Case};
use crate::domain::breaker::{Heed, LineLeave};
use crate::domain::ids::TrunkId;
use crate::domain::instant::UtcMs;
use crate::domain::plan::types::{CampaignView, Candidate, TrunkView};

/// What the calls before this one have used of a trunk.
#[derive(Default, Clone, Copy)]
struct Used {
    calls: u64,
    /// Those of them that its breaker binds.
    bound: u64,
    last: Option<UtcMs>,
}

/// The calls of a plan over a trunk.
#[derive(Default, Clone, Copy)]
pub(super) struct Planned {
    pub(super) calls: u64,
    /// Those of them that its breaker binds.
    pub(super) bound: u64,
}

/// Why a trunk takes no call behind a finished plan.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shut {
    Full { cap: u32 },
    Breaker { trial_at: Option<UtcMs> },
}

impl Case<'_> {
    /// Goes through the calls as they start, and asks of each whether a trunk before its own could have taken it.
    pub(super) fn choice_of_trunks(&self) -> Vec<Breach> {
        let mut used: HashMap<TrunkId, Used> = HashMap::new();
        let mut breaches = Vec::new();
        for call in &self.plan.calls {
            let at = call.start_at;
            let of = |id: &TrunkId| used.get(id).copied().unwrap_or_default();
            let heed = self.campaigns.get(&call.campaign).map_or(Heed::Bound, |view| view.heed);
            let bound = heed == Heed::Bound;
            if let Some(trunk) = self.trunks.get(&call.trunk).filter(|_| bound) {
                breaches.extend(breaks(trunk, of(&call.trunk), at).then_some(Breach::TrunkBreaker(call.trunk)));
            }
            let of_campaign = self.campaigns.get(&call.campaign).filter(|view| view.trunks.contains(&call.trunk));
            if let Some((view, who)) = of_campaign.zip(self.candidates.get(&(call.campaign, call.contact))) {
                let before = in_order(view, who).take_while(|id| *id != call.trunk);
                let could = |id: &TrunkId| self.trunks.get(id).is_some_and(|trunk| takes(trunk, heed, of(id), at));
                let passed_over = before.filter(could).take(1);
                let (contact, trunk) = (call.contact, call.trunk);
                breaches.extend(passed_over.map(|before| Breach::NotFirstTrunk { contact, trunk, before }));
            }
            let entry = used.entry(call.trunk).or_default();
            *entry = Used { calls: entry.calls + 1, bound: entry.bound + u64::from(bound), last: Some(at) };
        }
        breaches
    }

    /// Why a trunk takes no call of a campaign any more up to `last`, with the calls that are planned over each. One that
    /// is not in the snapshot has no channel.
    pub(super) fn shut(
        &self,
        (id, heed): (TrunkId, Heed),
        planned: &BTreeMap<TrunkId, Planned>,
        last: UtcMs,
    ) -> Option<Shut> {
        let Planned { calls: planned, bound } = planned.get(&id).copied().unwrap_or_default();
        let Some(trunk) = self.trunks.get(&id) else { return Some(Shut::Full { cap: 0 }) };
        match (heed, trunk.leave) {
            (Heed::Bound, LineLeave::Nothing) => Some(Shut::Breaker { trial_at: None }),
            (Heed::Bound, LineLeave::OneCall { from }) if bound > 0 || from > last => {
                Some(Shut::Breaker { trial_at: (bound == 0).then_some(from) })
            }
            _ => {
                let cap = trunk.channels.filter(|cap| planned + u64::from(trunk.open) >= u64::from(*cap))?;
                Some(Shut::Full { cap })
            }
        }
    }
}

/// The trunks of a campaign for one of its contacts: from behind the one that failed it, around.
fn in_order(view: &CampaignView, who: &Candidate) -> impl Iterator<Item = TrunkId> {
    let failed = view.trunks.iter().position(|id| Some(*id) == who.failed_trunk);
    let count = view.trunks.len();
    let first = failed.map_or(0, |place| place + 1);
    (first..first + count).map(move |place| view.trunks[place % count])
}

fn takes(trunk: &TrunkView, heed: Heed, used: Used, at: UtcMs) -> bool {
    let full = trunk.channels.is_some_and(|cap| u64::from(trunk.open) + used.calls >= u64::from(cap));
    let broken = heed == Heed::Bound && breaks(trunk, used, at);
    !full && !broken && !is_too_soon(trunk, used, at)
}

fn breaks(trunk: &TrunkView, used: Used, at: UtcMs) -> bool {
    match trunk.leave {
        LineLeave::All => false,
        LineLeave::OneCall { from } => at < from || used.bound > 0,
        LineLeave::Nothing => true,
    }
}

fn is_too_soon(trunk: &TrunkView, used: Used, at: UtcMs) -> bool {
    let Some(per_second) = trunk.starts_per_second else { return false };
    let gap_ms = (999 + i64::from(per_second.max(1))) / i64::from(per_second.max(1));
    let near = |start: UtcMs| at.since_ms(start).abs() < gap_ms;
    let first = trunk.taken.partition_point(|start| at.since_ms(*start) >= gap_ms);
    trunk.taken.get(first).copied().is_some_and(near) || used.last.is_some_and(near)
}
