//! Whether the reasons for waiting hold (I9). Several may be true at a time: only what is plainly
//! false is a breach.

use std::collections::{BTreeMap, HashSet};

use super::campaigns::END;
use super::lines::{Planned, Shut};
use super::{Breach, Case};
use crate::domain::bar::Bar;
use crate::domain::breaker::Heed;
use crate::domain::campaign::CampaignState;
use crate::domain::ids::{CampaignId, TrunkId, ZoneClassId};
use crate::domain::instant::UtcMs;
use crate::domain::number::Number;
use crate::domain::plan::LEAD_MS;
use crate::domain::plan::types::{CampaignView, Candidate, TrunkView, Why};

/// What the judgement of all reasons needs, counted once.
struct Seen<'a> {
    in_use: HashSet<&'a Number>,
    by_campaign: BTreeMap<CampaignId, u64>,
    by_trunk: BTreeMap<TrunkId, Planned>,
    /// Slots that could have been planned over a trunk and were not, ascending.
    unused: BTreeMap<TrunkId, Vec<UtcMs>>,
    last_slot: Option<UtcMs>,
}

impl Case<'_> {
    pub(super) fn reasons(&self) -> Vec<Breach> {
        if self.plan.waiting.is_empty() {
            return Vec::new();
        }
        let seen = self.seen();
        let mut unused_by: BTreeMap<(CampaignId, ZoneClassId), Option<UtcMs>> = BTreeMap::new();
        let mut breaches = Vec::new();
        for waiting in &self.plan.waiting {
            let (campaign, contact) = (waiting.campaign, waiting.contact);
            let view = self.campaigns.get(&campaign);
            let (Some(view), Some(candidate)) = (view, self.candidates.get(&(campaign, contact))) else { continue };
            let no_slot = matches!(waiting.why, Why::NoSlot { .. });
            let mut last_unused = || {
                let of_these_zones = unused_by.entry((campaign, candidate.zones));
                *of_these_zones.or_insert_with(|| self.last_unused(view, candidate, &seen))
            };
            let unused = if no_slot { last_unused() } else { None };
            let holds = self.holds(&waiting.why, view, candidate, &seen, unused);
            breaches.extend((!holds).then_some(Breach::FalseReason { campaign, contact }));
        }
        breaches
    }

    fn seen(&self) -> Seen<'_> {
        let (calls, slots) = (&self.plan.calls, self.slots());
        let mut by_campaign: BTreeMap<CampaignId, u64> = BTreeMap::new();
        let mut by_trunk: BTreeMap<TrunkId, Planned> = BTreeMap::new();
        for call in calls {
            *by_campaign.entry(call.campaign).or_default() += 1;
            let bound = self.campaigns.get(&call.campaign).is_none_or(|view| view.heed == Heed::Bound);
            let over = by_trunk.entry(call.trunk).or_default();
            *over = Planned { calls: over.calls + 1, bound: over.bound + u64::from(bound) };
        }
        let used: HashSet<UtcMs> = calls.iter().map(|call| call.start_at).collect();
        let free = |slot: &UtcMs| !used.contains(slot) && self.crowding(*slot).is_none();
        let unused: Vec<UtcMs> = slots.iter().copied().filter(free).collect();
        Seen {
            in_use: calls.iter().map(|call| &call.number).chain(&self.snapshot.busy).collect(),
            by_campaign,
            by_trunk,
            unused: self.snapshot.trunks.iter().map(|trunk| (trunk.id, self.rested(trunk, &unused))).collect(),
            last_slot: slots.last().copied(),
        }
    }

    /// Those of `slots` that are far enough from every start of the trunk.
    fn rested(&self, trunk: &TrunkView, slots: &[UtcMs]) -> Vec<UtcMs> {
        let Some(per_second) = trunk.starts_per_second else { return slots.to_vec() };
        let gap_ms = (999 + i64::from(per_second.max(1))) / i64::from(per_second.max(1));
        let planned = self.plan.calls.iter().filter(|call| call.trunk == trunk.id).map(|call| call.start_at);
        let mut starts: Vec<UtcMs> = trunk.taken.iter().copied().chain(planned).collect();
        starts.sort_unstable();
        let rests = |slot: &UtcMs| {
            let first = starts.partition_point(|start| slot.since_ms(*start) >= gap_ms);
            starts.get(first).is_none_or(|start| start.since_ms(*slot) >= gap_ms)
        };
        slots.iter().copied().filter(rests).collect()
    }

    /// The grid between now and the horizon, counted out minute by minute.
    fn slots(&self) -> Vec<UtcMs> {
        let rate = i64::from(self.snapshot.calls_one_time.clamp(1, 60_000));
        let (from, until) = (self.snapshot.now.plus_ms(LEAD_MS), self.snapshot.horizon);
        let mut slots = Vec::new();
        let mut minute = from.0 - from.0.rem_euclid(60_000);
        while minute < until.0 {
            let instants = (0..rate).map(|i| UtcMs(minute + i * 60_000 / rate));
            slots.extend(instants.filter(|slot| (from..until).contains(slot)));
            minute += 60_000;
        }
        slots
    }

    fn holds(&self, why: &Why, view: &CampaignView, who: &Candidate, seen: &Seen, unused: Option<UtcMs>) -> bool {
        let snapshot = self.snapshot;
        let last = self.last(seen);
        match *why {
            Why::NotRunning(state) => state == view.state && state != CampaignState::Running,
            Why::DoNotCall { until } => {
                let bar = snapshot.barred.get(&(view.id, who.contact));
                matches!(bar, Some(Bar::DoNotCall(listed)) if listed.until == until)
            }
            Why::CallsUsedUp(why) => snapshot.barred.get(&(view.id, who.contact)) == Some(&Bar::CallsUsedUp(why)),
            Why::FrequencyCap { until } => {
                snapshot.barred.get(&(view.id, who.contact)) == Some(&Bar::FrequencyCap { until })
            }
            Why::WindowClosed { opens_at } => {
                let opens_open = opens_at.is_none_or(|at| at > last && view.calendar.contains(at));
                !view.calendar.contains(last) && opens_open
            }
            Why::LegalHours { opens_at } => {
                let hours = view.hours.get(&who.zones).filter(|hours| !hours.contains(last));
                hours.is_some_and(|hours| opens_at.is_none_or(|at| at > last && hours.contains(at)))
            }
            Why::Cooling { until } => who.due_at == Some(until) && until > last,
            Why::Expired { at } => who.expires_at == Some(at) && at <= last,
            Why::NumberBusy => seen.in_use.contains(&who.number),
            Why::CampaignChannels { cap } => view.channels == Some(cap) && campaign_live(view, seen) >= u64::from(cap),
            Why::TrunkChannels { cap } => {
                self.all_shut(view, seen).is_some_and(|shut| shut.contains(&Shut::Full { cap }))
            }
            Why::TrunkBreaker { trial_at } => self.all_shut(view, seen).is_some_and(|shut| {
                let trials =
                    shut.iter().map(|shut| if let Shut::Breaker { trial_at } = shut { *trial_at } else { None });
                shut.iter().all(|shut| matches!(shut, Shut::Breaker { .. })) && trials.flatten().min() == trial_at
            }),
            Why::ServerChannels { cap } => {
                let up = self.plan.calls.len() as u64 + u64::from(snapshot.open);
                snapshot.channels == Some(cap) && up >= u64::from(cap)
            }
            Why::RealLine => self.is_over_a_real_line(view),
            Why::CallsMade => view.calls_left.is_some_and(|left| self.calls_of(view.id).count() >= left as usize),
            Why::CampaignPace { next_at } => next_at > last && self.next_by_pace(view, END) == Some(next_at),
            Why::SpoolFull => self.plan.calls.len() as u64 >= u64::from(snapshot.files_free),
            Why::NoSlot { next_at } => {
                let beyond = next_at >= snapshot.horizon && self.is_slot(next_at);
                let in_time = |slot: UtcMs| who.due_at.is_none_or(|due_at| due_at <= slot);
                beyond && !unused.is_some_and(in_time)
            }
        }
    }

    /// The last unused slot at which this campaign could have called contacts of the zones of `who`.
    fn last_unused(&self, view: &CampaignView, who: &Candidate, seen: &Seen) -> Option<UtcMs> {
        let free = view.rhythm.is_free();
        let in_pace = |slot: &UtcMs| free || self.next_by_pace(view, *slot).is_none_or(|next_at| next_at <= *slot);
        let takes = |id: &&TrunkId| self.shut((**id, view.heed), &seen.by_trunk, self.last(seen)).is_none();
        let calendar = view.calendar_of(who);
        let last_over = |id: &TrunkId| {
            let unused = seen.unused.get(id)?.iter().rev().copied();
            let trial_at = self.trunks.get(id)?.leave.trial_at().filter(|_| view.heed == Heed::Bound);
            let tried = unused.take_while(|slot| trial_at.is_none_or(|from| from <= *slot));
            tried.filter(in_pace).find(|slot| calendar.contains(*slot))
        };
        view.trunks.iter().filter(takes).filter_map(last_over).max()
    }

    /// Why each of the campaign's trunks takes no call any more; `None` when one does.
    fn all_shut(&self, view: &CampaignView, seen: &Seen) -> Option<Vec<Shut>> {
        view.trunks.iter().map(|id| self.shut((*id, view.heed), &seen.by_trunk, self.last(seen))).collect()
    }

    fn last(&self, seen: &Seen) -> UtcMs {
        seen.last_slot.unwrap_or(self.snapshot.now.plus_ms(LEAD_MS))
    }
}

fn campaign_live(view: &CampaignView, seen: &Seen) -> u64 {
    seen.by_campaign.get(&view.id).copied().unwrap_or_default() + u64::from(view.open)
}
