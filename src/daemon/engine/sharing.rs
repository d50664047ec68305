//! Sharing what is planned already with a campaign that was just started, and with one that comes too late for a slot.

use std::collections::{BTreeMap, BTreeSet};

use log::{debug, info};

use super::{Engine, EngineError};
use crate::daemon::port::{Entropy, SpoolPort};
use crate::domain::ids::CampaignId;
use crate::domain::instant::UtcMs;
use crate::domain::plan::{Plan, SHARED_AFTER_MS, Snapshot, Why};
use crate::ledger::attempts::OpenAttempt;
use crate::ledger::{attempts, campaigns, contacts};

/// The least time between two looks for slots of others, in milliseconds: each withdraws files and plans anew.
const TURN_MS_MIN: i64 = 250;

/// A campaign with free channels and numbers to call now, for which no slot is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Starved {
    campaign: CampaignId,
    /// How many calls it could have begun.
    calls: usize,
}

/// Campaigns that a cap keeps from planning ahead, while others have planned the interval full.
pub(super) fn starved(snapshot: &Snapshot, plan: &Plan) -> Vec<Starved> {
    let due: BTreeSet<_> = snapshot
        .campaigns
        .iter()
        .flat_map(|c| c.candidates.iter().filter(|k| k.due_at.is_none_or(|at| at <= snapshot.now)))
        .map(|candidate| candidate.contact)
        .collect();
    let mut calls: BTreeMap<CampaignId, usize> = BTreeMap::new();
    let no_slot = plan.waiting.iter().filter(|w| matches!(w.why, Why::NoSlot { .. }) && due.contains(&w.contact));
    no_slot.for_each(|w| *calls.entry(w.campaign).or_default() += 1);
    let got: BTreeSet<CampaignId> = plan.calls.iter().map(|call| call.campaign).collect();
    calls.into_iter().filter(|(id, _)| !got.contains(id)).map(|(campaign, calls)| Starved { campaign, calls }).collect()
}

/// Of those that are planned ahead, which are to make room for `starved`: of campaigns with a lower priority as many as
/// it can use, the next ones first; else the next of the campaign of its own priority that has most, as long as it has
/// more than the other. What has a higher priority stays.
fn makes_room(ahead: &[OpenAttempt], starved: Starved, turns: usize, priorities: &Priorities) -> Vec<OpenAttempt> {
    let priority = |id: CampaignId| priorities.get(&id).copied().unwrap_or_default();
    let own = priority(starved.campaign);
    let mut lower: Vec<&OpenAttempt> = ahead.iter().filter(|attempt| priority(attempt.campaign) < own).collect();
    if !lower.is_empty() {
        lower.sort_by_key(|attempt| (attempt.planned_at, attempt.id));
        return lower.into_iter().take(starved.calls).cloned().collect();
    }
    let mut of: BTreeMap<CampaignId, Vec<&OpenAttempt>> = BTreeMap::new();
    let equal = ahead.iter().filter(|attempt| priority(attempt.campaign) == own);
    equal.for_each(|attempt| of.entry(attempt.campaign).or_default().push(attempt));
    let own = of.get(&starved.campaign).map_or(0, Vec::len);
    let Some(fullest) = of.values_mut().max_by_key(|attempts| attempts.len()) else { return Vec::new() };
    fullest.sort_by_key(|attempt| (attempt.planned_at, attempt.id));
    let more = fullest.len().saturating_sub(own + 1) / 2;
    fullest.iter().take(starved.calls.min(turns).min(more)).map(|attempt| (*attempt).clone()).collect()
}

/// The priority of each campaign that runs.
type Priorities = BTreeMap<CampaignId, u32>;

impl<S: SpoolPort, E: Entropy> Engine<S, E> {
    /// Gives a campaign that was just started its fair turn at once. The slots of the interval, and a
    /// trunk's channels, may all be planned for others; what is not about to begin is withdrawn, and the
    /// plan that follows shares it out anew. Once for each start, and never for campaigns that ran when
    /// this daemon began.
    pub(super) fn share_with_newcomers(&mut self, now: UtcMs) -> Result<(), EngineError> {
        let running = self.ledger.read(|db| campaigns::running(db))?;
        let ids: BTreeSet<CampaignId> = running.iter().map(|c| c.id).collect();
        let known = self.known_running.replace(ids);
        let Some(known) = known else { return Ok(()) };
        let newcomers = running.iter().filter(|c| !known.contains(&c.id) && c.calendar.contains(now));
        let newcomers: Vec<CampaignId> = newcomers.map(|c| c.id).collect();
        let waits = |id: &CampaignId| self.ledger.read(|db| contacts::any_waiting(db, *id));
        if !newcomers.iter().map(waits).collect::<Result<Vec<_>, _>>()?.contains(&true) {
            return Ok(());
        }
        let shared = self.ledger.read(|db| attempts::planned_after(db, now.plus_ms(SHARED_AFTER_MS)))?;
        if !shared.is_empty() {
            info!("a campaign was started: {} planned call(s) are planned anew to share the slots", shared.len());
        }
        self.withdraw(shared, now)
    }

    /// Gives campaigns their fair turn that may not plan ahead: each of their calls that ends frees a channel, and by
    /// then the others have taken every slot of the interval. Files of the fullest campaign are withdrawn, no more
    /// than there are turns of this one; the plan that follows gives their slots to whoever was served least
    /// recently. Returns when to plan again.
    pub(super) fn share_with_the_starved(
        &mut self,
        starved: &[Starved],
        now: UtcMs,
    ) -> Result<Option<UtcMs>, EngineError> {
        let running = i64::try_from(self.known_running.as_ref().map_or(1, |running| running.len())).unwrap_or(i64::MAX);
        let turn_ms = (running.saturating_mul(60_000) / i64::from(self.limits.calls_one_time.max(1))).max(TURN_MS_MIN);
        if starved.is_empty() || running < 2 {
            return Ok(None);
        }
        let mut ahead = self.ledger.read(|db| attempts::planned_after(db, now.plus_ms(SHARED_AFTER_MS)))?;
        let running = self.ledger.read(|db| campaigns::running(db))?;
        let priorities: Priorities = running.iter().map(|c| (c.id, c.pacing.priority)).collect();
        let mut making_room = Vec::new();
        for one in starved {
            let since_ms = self.shared_at.get(&one.campaign).map_or(turn_ms, |at| now.since_ms(*at));
            // A clock that was set back begins anew.
            let turns = if since_ms < 0 { 1 } else { usize::try_from(since_ms / turn_ms).unwrap_or_default() };
            if turns == 0 {
                continue;
            }
            let room = makes_room(&ahead, *one, turns, &priorities);
            if !room.is_empty() {
                debug!("campaign {}: {} planned call(s) of another make room", one.campaign, room.len());
                self.shared_at.insert(one.campaign, now);
                // Nobody makes room twice.
                ahead.retain(|attempt| room.iter().all(|taken| taken.id != attempt.id));
                making_room.extend(room);
            }
        }
        if making_room.is_empty() {
            return Ok(None);
        }
        self.withdraw(making_room, now)?;
        Ok(Some(now))
    }
}
