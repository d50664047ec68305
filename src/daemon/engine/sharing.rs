//! Sharing what is planned already with a campaign that was just started, and with one that comes too late for a slot.

use std::collections::{BTreeMap, BTreeSet};

use log::{debug, info};

use super::{Engine, EngineError};
use crate::daemon::port::{Entropy, SpoolPort};
use crate::domain::breaker::LineLeave;
use crate::domain::ids::{CampaignId, ContactId};
use crate::domain::instant::UtcMs;
use crate::domain::plan::{CampaignView, Candidate, Plan, SHARED_AFTER_MS, Snapshot, TrunkView, Why};
use crate::ledger::attempts::OpenAttempt;
use crate::ledger::{Db, Result as LedgerResult, attempts, campaigns, contacts};

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
    let now = snapshot.now;
    let due: BTreeSet<_> =
        candidates(snapshot).filter(|c| c.due_at.is_none_or(|at| at <= now)).map(|c| c.contact).collect();
    let mut calls: BTreeMap<CampaignId, usize> = BTreeMap::new();
    let no_slot = plan.waiting.iter().filter(|w| matches!(w.why, Why::NoSlot { .. }) && due.contains(&w.contact));
    no_slot.for_each(|w| *calls.entry(w.campaign).or_default() += 1);
    let got: BTreeSet<CampaignId> = plan.calls.iter().map(|call| call.campaign).collect();
    calls.into_iter().filter(|(id, _)| !got.contains(id)).map(|(campaign, calls)| Starved { campaign, calls }).collect()
}

/// Of those that are planned ahead, which are to make room for `starved`: the next of the campaign that has most, as
/// long as it has more than the other. What has a higher priority stays; what has a lower one has given way already.
fn makes_room(ahead: &[OpenAttempt], starved: Starved, turns: usize, priorities: &Priorities) -> Vec<OpenAttempt> {
    let priority = |id: CampaignId| priorities.get(&id).copied().unwrap_or_default();
    let mut of: BTreeMap<CampaignId, Vec<&OpenAttempt>> = BTreeMap::new();
    let equal = ahead.iter().filter(|attempt| priority(attempt.campaign) <= priority(starved.campaign));
    equal.for_each(|attempt| of.entry(attempt.campaign).or_default().push(attempt));
    let own = of.get(&starved.campaign).map_or(0, Vec::len);
    let Some(fullest) = of.values_mut().max_by_key(|attempts| attempts.len()) else { return Vec::new() };
    fullest.sort_by_key(|attempt| (attempt.planned_at, attempt.id));
    let more = fullest.len().saturating_sub(own + 1) / 2;
    fullest.iter().take(starved.calls.min(turns).min(more)).map(|attempt| (*attempt).clone()).collect()
}

/// The priority of each campaign that runs.
type Priorities = BTreeMap<CampaignId, u32>;

/// Whether calls may give way in this plan: no more often than every [`TURN_MS_MIN`], because each time files are
/// withdrawn and everything is planned anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Giving {
    Now,
    NotYet,
}

/// Those of a lower priority that were planned ahead and now hold a slot, a channel or a file that a call of a higher
/// one could have: they are to be withdrawn, and what the plan gave the higher one behind them is taken out of it,
/// for the next plan to give it their slots.
pub(super) fn give_way(db: &Db, snapshot: &Snapshot, plan: &mut Plan) -> LedgerResult<Vec<OpenAttempt>> {
    let views: BTreeMap<CampaignId, &CampaignView> = snapshot.campaigns.iter().map(|view| (view.id, view)).collect();
    let lowest = snapshot.campaigns.iter().map(|view| view.priority).min();
    if snapshot.campaigns.iter().all(|view| Some(view.priority) == lowest) {
        return Ok(Vec::new());
    }
    let mut ahead = attempts::planned_after(db, snapshot.now.plus_ms(SHARED_AFTER_MS))?;
    ahead.sort_by_key(|attempt| (attempt.planned_at, attempt.id));
    let due_at: BTreeMap<_, _> = candidates(snapshot).map(|candidate| (candidate.contact, candidate.due_at)).collect();
    let is_due =
        |contact: &ContactId, at: UtcMs| due_at.get(contact).is_some_and(|due| due.is_none_or(|due| due <= at));
    let mut way = Way { snapshot, views, ahead, given: Vec::new() };
    plan.calls.retain(|call| {
        let earlier =
            |attempt: &OpenAttempt| attempt.planned_at < call.start_at && is_due(&call.contact, attempt.planned_at);
        !way.gives(call.campaign, |way, view, attempt| earlier(attempt) && way.slot_serves(view, attempt))
    });
    for waiting in plan.waiting.iter().filter(|waiting| is_due(&waiting.contact, snapshot.now)) {
        match waiting.why {
            Why::NoSlot { .. } | Why::ServerChannels { .. } | Why::SpoolFull => {
                way.gives(waiting.campaign, Way::slot_serves)
            }
            Why::TrunkChannels { .. } => {
                way.gives(waiting.campaign, |way, view, at| way.shares_trunk(view, at) && way.slot_serves(view, at))
            }
            _ => false,
        };
    }
    Ok(way.given)
}

fn candidates(snapshot: &Snapshot) -> impl Iterator<Item = &Candidate> {
    snapshot.campaigns.iter().flat_map(|view| &view.candidates)
}

/// What is planned ahead, and what of it gives way.
struct Way<'a> {
    snapshot: &'a Snapshot,
    views: BTreeMap<CampaignId, &'a CampaignView>,
    /// By their slots.
    ahead: Vec<OpenAttempt>,
    given: Vec<OpenAttempt>,
}

impl Way<'_> {
    /// Takes the first that has a lower priority than `campaign` and that would serve it, if there is one.
    fn gives(&mut self, campaign: CampaignId, serves: impl Fn(&Self, &CampaignView, &OpenAttempt) -> bool) -> bool {
        let Some(view) = self.views.get(&campaign) else { return false };
        let lower = |attempt: &OpenAttempt| {
            let theirs = self.views.get(&attempt.campaign);
            theirs.is_some_and(|other| other.priority < view.priority) && serves(self, view, attempt)
        };
        let Some(place) = self.ahead.iter().position(lower) else { return false };
        self.given.push(self.ahead.remove(place));
        true
    }

    /// Whether a campaign could use the slot of an attempt. Only then: what gives way for nothing does so again and
    /// again.
    fn slot_serves(&self, view: &CampaignView, attempt: &OpenAttempt) -> bool {
        let at_any_rate = self.trunks_of(view).any(|trunk| trunk.starts_per_second.is_none());
        let fits_trunk = at_any_rate || self.shares_trunk(view, attempt);
        fits_trunk && view.rhythm.is_free() && view.calendar.contains(attempt.planned_at)
    }

    fn shares_trunk(&self, view: &CampaignView, attempt: &OpenAttempt) -> bool {
        self.trunks_of(view).any(|trunk| trunk.id == attempt.trunk)
    }

    /// Those of a campaign's trunks that take calls. A trial is not worth that others give way.
    fn trunks_of(&self, view: &CampaignView) -> impl Iterator<Item = &TrunkView> {
        let takes =
            |trunk: &&TrunkView| view.heed.leave(trunk.leave) == LineLeave::All && view.trunks.contains(&trunk.id);
        self.snapshot.trunks.iter().filter(takes)
    }
}

impl<S: SpoolPort, E: Entropy> Engine<S, E> {
    /// Whether calls may give way now. A clock that was set back begins anew.
    pub(super) fn giving(&self, now: UtcMs) -> Giving {
        let recently = self.gave_way_at.is_some_and(|at| (0..TURN_MS_MIN).contains(&now.since_ms(at)));
        if recently { Giving::NotYet } else { Giving::Now }
    }

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
