//! What holds for a campaign as a whole: its own pace, the number of its calls, its priority.

use std::collections::BTreeMap;

use super::{Breach, Case};
use crate::domain::breaker::{Heed, LineLeave};
use crate::domain::ids::{CampaignId, TrunkId, ZoneClassId};
use crate::domain::instant::UtcMs;
use crate::domain::plan::types::{CampaignView, Candidate, PlannedCall, Why};
use crate::domain::traffic::Nature;
use crate::domain::trunk::TrunkLine;

/// Behind all that can be planned.
pub(super) const END: UtcMs = UtcMs(i64::MAX);

impl Case<'_> {
    pub(super) fn calls_of(&self, id: CampaignId) -> impl Iterator<Item = &PlannedCall> {
        self.plan.calls.iter().filter(move |call| call.campaign == id)
    }

    pub(super) fn campaign_pace(&self, view: &CampaignView) -> Vec<Breach> {
        let planned = self.calls_of(view.id).count();
        let too_many = view.calls_left.is_some_and(|left| planned as u64 > u64::from(left));
        let mut breaches: Vec<Breach> = too_many.then_some(Breach::CallsMade(view.id)).into_iter().collect();
        breaches.extend((planned > 0 && self.is_over_a_real_line(view)).then_some(Breach::RealLine(view.id)));
        if view.rhythm.is_free() {
            return breaches;
        }
        let breach = |start: &Started| {
            let crowded = view.rhythm.batch.is_some_and(|batch| start.place > u64::from(batch.calls));
            let too_soon = start.gap_ms < i64::from(view.rhythm.delay_ms) || crowded;
            too_soon.then_some(Breach::CampaignPace { campaign: view.id, start_at: start.at })
        };
        breaches.extend(self.started(view, END).iter().filter_map(breach));
        breaches
    }

    /// Whether calls that are made up would reach people.
    pub(super) fn is_over_a_real_line(&self, view: &CampaignView) -> bool {
        let is_real = |id| self.trunks.get(id).is_some_and(|trunk| trunk.line == TrunkLine::Real);
        view.nature == Nature::MadeUp && view.trunks.iter().any(is_real)
    }

    /// The planned calls of a campaign before an instant, counted from the batch that was under way.
    fn started(&self, view: &CampaignView, until: UtcMs) -> Vec<Started> {
        let (mut before, mut place) = (view.beat.last_start_at, u64::from(view.beat.in_batch));
        let count = |call: &PlannedCall| {
            let at = call.start_at;
            let gap_ms = before.map_or(i64::MAX, |before| at.since_ms(before));
            place = if gap_ms < pause_ms(view) { place + 1 } else { 1 };
            before = Some(at);
            Started { at, gap_ms, place }
        };
        self.calls_of(view.id).filter(|call| call.start_at < until).map(count).collect()
    }

    /// When the next call of a campaign could start behind those that are planned before `until`; `None` for at any time.
    pub(super) fn next_by_pace(&self, view: &CampaignView, until: UtcMs) -> Option<UtcMs> {
        let planned = self.started(view, until).last().map(|last| (last.at, last.place));
        let before = view.beat.last_start_at.map(|at| (at, u64::from(view.beat.in_batch)));
        let (last, place) = planned.or(before)?;
        let full = view.rhythm.batch.is_some_and(|batch| place >= u64::from(batch.calls));
        let gap_ms = if full { pause_ms(view) } else { 0 }.max(i64::from(view.rhythm.delay_ms));
        (!view.rhythm.is_free()).then(|| last.plus_ms(gap_ms))
    }

    /// Calls at a slot for which somebody of a higher priority waits, over a trunk that it has too and with nothing else in the way.
    pub(super) fn priorities(&self) -> Vec<Breach> {
        let lowest = self.campaigns.values().map(|view| view.priority).min();
        let above = self.campaigns.values().filter(|view| Some(view.priority) > lowest && view.rhythm.is_free());
        above.filter_map(|view| self.out_of_turn(view)).collect()
    }

    fn out_of_turn(&self, view: &CampaignView) -> Option<Breach> {
        let no_slot = self.plan.waiting.iter().filter(|w| w.campaign == view.id && matches!(w.why, Why::NoSlot { .. }));
        let mut first: BTreeMap<ZoneClassId, &Candidate> = BTreeMap::new();
        for who in no_slot.filter_map(|w| self.candidates.get(&(w.campaign, w.contact))) {
            first
                .entry(who.zones)
                .and_modify(|first| *first = if who.due_at < first.due_at { who } else { first })
                .or_insert(who);
        }
        let could =
            |who: &Candidate, at: UtcMs| who.due_at.is_none_or(|due| due <= at) && view.calendar_of(who).contains(at);
        let lower = |call: &&PlannedCall| {
            let theirs = self.campaigns.get(&call.campaign);
            let below = theirs.is_some_and(|other| other.priority < view.priority);
            let could_too = theirs.is_some_and(|other| self.is_open_to(view, other, call.trunk));
            below && could_too && first.values().any(|who| could(who, call.start_at))
        };
        let call = self.plan.calls.iter().find(lower)?;
        Some(Breach::OutOfPriority { campaign: call.campaign, start_at: call.start_at, before: view.id })
    }

    /// Whether a campaign may use a trunk as this other one did: it has it, and no breaker binds it alone.
    fn is_open_to(&self, view: &CampaignView, other: &CampaignView, trunk: TrunkId) -> bool {
        let all_pass = self.trunks.get(&trunk).is_some_and(|trunk| trunk.leave == LineLeave::All);
        view.trunks.contains(&trunk) && (all_pass || view.heed == Heed::Exempt || other.heed == Heed::Bound)
    }
}

/// A planned start within its campaign's pace.
struct Started {
    at: UtcMs,
    /// Since the start before it.
    gap_ms: i64,
    /// Its place in its batch, from 1.
    place: u64,
}

/// 0 without batches: then each call is one of its own.
fn pause_ms(view: &CampaignView) -> i64 {
    view.rhythm.batch.map_or(0, |batch| i64::from(batch.pause_s) * 1000)
}
