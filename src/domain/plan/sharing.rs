//! Sharing what is planned already: which calls are taken back for a campaign that was just started, for one of a
//! higher priority, and for one that comes too late for a slot.
//!
//! The planner gives out what is free; here is what is not. The daemon withdraws files by it and the forecast its own
//! calls, and the plan that follows shares the slots out anew.

use std::collections::{BTreeMap, BTreeSet};

use super::{CampaignView, Candidate, Plan, Snapshot, TrunkView, Waiting, Why};
use crate::domain::breaker::LineLeave;
use crate::domain::campaign::Campaign;
use crate::domain::ids::{AttemptId, CampaignId, ContactId, TrunkId};
use crate::domain::instant::UtcMs;

/// The least time between two looks for slots of others, in milliseconds: each withdraws files and plans anew.
const TURN_MS_MIN: i64 = 250;

/// A call that is planned, and later than [`SHARED_AFTER_MS`](super::SHARED_AFTER_MS) from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ahead {
    /// Which.
    pub attempt: AttemptId,
    /// For whom.
    pub campaign: CampaignId,
    /// Over which line.
    pub trunk: TrunkId,
    /// Its slot.
    pub planned_at: UtcMs,
}

/// A campaign with free channels and numbers to call now, for which no slot is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Starved {
    /// Which.
    pub campaign: CampaignId,
    /// How many calls it could have begun.
    pub calls: usize,
}

/// Those of another campaign that make room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// For whom.
    pub starved: CampaignId,
    /// Which are to be taken back.
    pub attempts: Vec<AttemptId>,
}

/// The priority of each campaign that runs.
pub type Priorities = BTreeMap<CampaignId, u32>;

/// Whether calls may give way in this plan: no more often than every [`TURN_MS_MIN`], because each time files are
/// withdrawn and everything is planned anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Giving {
    /// They may.
    Now,
    /// Some just did.
    NotYet,
}

/// What is remembered of it from one plan to the next.
#[derive(Debug, Clone, Default)]
pub struct Sharing {
    /// The campaigns that ran when last looked at; `None` before the first look.
    known_running: Option<BTreeSet<CampaignId>>,
    /// When calls of others last made room for a campaign.
    shared_at: BTreeMap<CampaignId, UtcMs>,
    /// When calls last gave way to a higher priority.
    gave_way_at: Option<UtcMs>,
}

impl Sharing {
    /// Takes in which campaigns run now. Those that did not when last looked at, and whose hours are open: once for each
    /// start, and none of those that ran at the first look.
    pub fn newcomers<'c>(
        &mut self,
        running: impl Iterator<Item = &'c Campaign> + Clone,
        now: UtcMs,
    ) -> Vec<CampaignId> {
        let ids: BTreeSet<CampaignId> = running.clone().map(|campaign| campaign.id).collect();
        let Some(known) = self.known_running.replace(ids) else { return Vec::new() };
        let new = running.filter(|campaign| !known.contains(&campaign.id) && campaign.calendar.contains(now));
        new.map(|campaign| campaign.id).collect()
    }

    /// Whether no campaign ran when last looked at.
    #[must_use]
    pub fn nobody_runs(&self) -> bool {
        self.known_running.as_ref().is_some_and(BTreeSet::is_empty)
    }

    /// Whether there is more than one campaign to share anything.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.running() > 1
    }

    fn running(&self) -> usize {
        self.known_running.as_ref().map_or(1, BTreeSet::len)
    }

    /// Whether calls may give way now. A clock that was set back begins anew.
    #[must_use]
    pub fn giving(&self, now: UtcMs) -> Giving {
        let recently = self.gave_way_at.is_some_and(|at| (0..TURN_MS_MIN).contains(&now.since_ms(at)));
        if recently { Giving::NotYet } else { Giving::Now }
    }

    /// Notes that calls give way now.
    pub fn note_given_way(&mut self, now: UtcMs) {
        self.gave_way_at = Some(now);
    }

    /// Gives campaigns their fair turn that may not plan ahead: each of their calls that ends frees a channel, and by
    /// then the others have taken every slot of the interval. Calls of the fullest campaign are taken back, no more
    /// than there are turns of this one; the plan that follows gives their slots to whoever was served least
    /// recently. `calls_one_time` is the server's rate.
    pub fn make_room(
        &mut self,
        starved: &[Starved],
        mut ahead: Vec<Ahead>,
        (calls_one_time, priorities): (u32, &Priorities),
        now: UtcMs,
    ) -> Vec<Room> {
        let running = i64::try_from(self.running()).unwrap_or(i64::MAX);
        let turn_ms = (running.saturating_mul(60_000) / i64::from(calls_one_time.max(1))).max(TURN_MS_MIN);
        let mut rooms = Vec::new();
        for one in starved {
            let since_ms = self.shared_at.get(&one.campaign).map_or(turn_ms, |at| now.since_ms(*at));
            // A clock that was set back begins anew.
            let turns = if since_ms < 0 { 1 } else { usize::try_from(since_ms / turn_ms).unwrap_or_default() };
            if turns == 0 {
                continue;
            }
            let attempts = makes_room(&ahead, *one, turns, priorities);
            if !attempts.is_empty() {
                self.shared_at.insert(one.campaign, now);
                // Nobody makes room twice.
                ahead.retain(|call| !attempts.contains(&call.attempt));
                rooms.push(Room { starved: one.campaign, attempts });
            }
        }
        rooms
    }
}

/// Campaigns that a cap keeps from planning ahead, while others have planned the interval full.
#[must_use]
pub fn starved(snapshot: &Snapshot, plan: &Plan) -> Vec<Starved> {
    let now = snapshot.now;
    let is_due = |(_, candidate): &(_, &Candidate)| candidate.due_at.is_none_or(|at| at <= now);
    let due: BTreeSet<_> = candidates(snapshot).filter(is_due).map(|(id, candidate)| (id, candidate.contact)).collect();
    let mut calls: BTreeMap<CampaignId, usize> = BTreeMap::new();
    let waits = |w: &&Waiting| matches!(w.why, Why::NoSlot { .. }) && due.contains(&(w.campaign, w.contact));
    let no_slot = plan.waiting.iter().filter(waits);
    no_slot.for_each(|w| *calls.entry(w.campaign).or_default() += 1);
    let got: BTreeSet<CampaignId> = plan.calls.iter().map(|call| call.campaign).collect();
    calls.into_iter().filter(|(id, _)| !got.contains(id)).map(|(campaign, calls)| Starved { campaign, calls }).collect()
}

/// Of those that are planned ahead, which are to make room for `starved`: the next of the campaign that has most, as
/// long as it has more than the other. What has a higher priority stays; what has a lower one has given way already.
fn makes_room(ahead: &[Ahead], starved: Starved, turns: usize, priorities: &Priorities) -> Vec<AttemptId> {
    let priority = |id: CampaignId| priorities.get(&id).copied().unwrap_or_default();
    let mut of: BTreeMap<CampaignId, Vec<&Ahead>> = BTreeMap::new();
    let equal = ahead.iter().filter(|call| priority(call.campaign) <= priority(starved.campaign));
    equal.for_each(|call| of.entry(call.campaign).or_default().push(call));
    let own = of.get(&starved.campaign).map_or(0, Vec::len);
    let Some(fullest) = of.values_mut().max_by_key(|calls| calls.len()) else { return Vec::new() };
    fullest.sort_by_key(|call| (call.planned_at, call.attempt));
    let more = fullest.len().saturating_sub(own + 1) / 2;
    fullest.iter().take(starved.calls.min(turns).min(more)).map(|call| call.attempt).collect()
}

/// Whether the campaigns differ in their priorities: else none gives way.
#[must_use]
pub fn has_priorities(snapshot: &Snapshot) -> bool {
    let lowest = snapshot.campaigns.iter().map(|view| view.priority).min();
    snapshot.campaigns.iter().any(|view| Some(view.priority) != lowest)
}

/// Those of a lower priority that were planned ahead and now hold a slot, a channel or a file that a call of a higher
/// one could have: they are to be taken back, and what the plan gave the higher one behind them is taken out of it,
/// for the next plan to give it their slots.
#[must_use]
pub fn give_way(snapshot: &Snapshot, plan: &mut Plan, mut ahead: Vec<Ahead>) -> Vec<AttemptId> {
    ahead.sort_by_key(|call| (call.planned_at, call.attempt));
    let views = snapshot.campaigns.iter().map(|view| (view.id, view)).collect();
    let due_at: BTreeMap<_, _> = candidates(snapshot).map(|(id, one)| ((id, one.contact), one.due_at)).collect();
    let is_due =
        |of: (CampaignId, ContactId), at: UtcMs| due_at.get(&of).is_some_and(|due| due.is_none_or(|due| due <= at));
    let mut way = Way { snapshot, views, ahead, given: Vec::new() };
    plan.calls.retain(|call| {
        let earlier =
            |other: &Ahead| other.planned_at < call.start_at && is_due((call.campaign, call.contact), other.planned_at);
        !way.gives(call.campaign, |way, view, other| earlier(other) && way.slot_serves(view, other))
    });
    for waiting in plan.waiting.iter().filter(|waiting| is_due((waiting.campaign, waiting.contact), snapshot.now)) {
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
    way.given
}

fn candidates(snapshot: &Snapshot) -> impl Iterator<Item = (CampaignId, &Candidate)> {
    snapshot.campaigns.iter().flat_map(|view| view.candidates.iter().map(|candidate| (view.id, candidate)))
}

/// What is planned ahead, and what of it gives way.
struct Way<'a> {
    snapshot: &'a Snapshot,
    views: BTreeMap<CampaignId, &'a CampaignView>,
    /// By their slots.
    ahead: Vec<Ahead>,
    given: Vec<AttemptId>,
}

impl Way<'_> {
    /// Takes the first that has a lower priority than `campaign` and that would serve it, if there is one.
    fn gives(&mut self, campaign: CampaignId, serves: impl Fn(&Self, &CampaignView, &Ahead) -> bool) -> bool {
        let Some(view) = self.views.get(&campaign) else { return false };
        let lower = |call: &Ahead| {
            let theirs = self.views.get(&call.campaign);
            theirs.is_some_and(|other| other.priority < view.priority) && serves(self, view, call)
        };
        let Some(place) = self.ahead.iter().position(lower) else { return false };
        self.given.push(self.ahead.remove(place).attempt);
        true
    }

    /// Whether a campaign could use the slot of a call. Only then: what gives way for nothing does so again and again.
    fn slot_serves(&self, view: &CampaignView, call: &Ahead) -> bool {
        let at_any_rate = self.trunks_of(view).any(|trunk| trunk.starts_per_second.is_none());
        let fits_trunk = at_any_rate || self.shares_trunk(view, call);
        fits_trunk && view.rhythm.is_free() && view.calendar.contains(call.planned_at)
    }

    fn shares_trunk(&self, view: &CampaignView, call: &Ahead) -> bool {
        self.trunks_of(view).any(|trunk| trunk.id == call.trunk)
    }

    /// Those of a campaign's trunks that take calls. A trial is not worth that others give way.
    fn trunks_of(&self, view: &CampaignView) -> impl Iterator<Item = &TrunkView> {
        let takes =
            |trunk: &&TrunkView| view.heed.leave(trunk.leave) == LineLeave::All && view.trunks.contains(&trunk.id);
        self.snapshot.trunks.iter().filter(takes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plan::plan;
    use crate::domain::plan::sample::{at, campaign, minute, window};

    const FIRST: CampaignId = CampaignId(1);
    const SECOND: CampaignId = CampaignId(2);

    /// Every slot of the minute is planned for the first campaign.
    fn all_taken(with: impl FnOnce(&mut Snapshot)) -> (Snapshot, Vec<Ahead>) {
        let mut snapshot = minute(vec![campaign(1, 0), campaign(2, 3)]);
        snapshot.taken = (0..10).map(|n| at("2026-03-01T08:00:00Z").plus_s(n * 6)).collect();
        with(&mut snapshot);
        let ahead = |(id, at): (i64, &UtcMs)| Ahead {
            attempt: AttemptId(id),
            campaign: FIRST,
            trunk: TrunkId(1),
            planned_at: *at,
        };
        let ahead = (1..).zip(&snapshot.taken).map(ahead).collect();
        (snapshot, ahead)
    }

    fn room_at(sharing: &mut Sharing, seconds: i64) -> Vec<AttemptId> {
        let (snapshot, ahead) = all_taken(|_| {});
        let starved = starved(&snapshot, &plan(&snapshot));
        assert_eq!(starved, [Starved { campaign: SECOND, calls: 3 }]);
        let now = snapshot.now.plus_s(seconds);
        let rooms = sharing.make_room(&starved, ahead, (10, &Priorities::new()), now);
        rooms.into_iter().flat_map(|room| room.attempts).collect()
    }

    #[test]
    fn whoever_comes_too_late_for_a_slot_has_one_for_each_of_its_turns() {
        let mut sharing = Sharing { known_running: Some([FIRST, SECOND].into()), ..Sharing::default() };
        assert_eq!(room_at(&mut sharing, 0), [AttemptId(1)]);
        assert_eq!(room_at(&mut sharing, 11), [], "of two campaigns and ten calls a minute a turn comes every 12 s");
        assert_eq!(room_at(&mut sharing, 24), [AttemptId(1), AttemptId(2)]);
        assert_eq!(room_at(&mut sharing, -60), [AttemptId(1)], "the clock was set back");
    }

    #[test]
    fn a_higher_priority_makes_no_room() {
        let (snapshot, ahead) = all_taken(|_| {});
        let starved = starved(&snapshot, &plan(&snapshot));
        let rooms = |first, second| {
            let priorities = Priorities::from([(FIRST, first), (SECOND, second)]);
            Sharing::default().make_room(&starved, ahead.clone(), (10, &priorities), snapshot.now).len()
        };
        assert_eq!((rooms(1, 0), rooms(1, 1), rooms(0, 1)), (0, 1, 1));
    }

    #[test]
    fn a_lower_priority_gives_way_where_its_slot_serves_the_higher_one() {
        let given = |with: fn(&mut CampaignView)| {
            let (snapshot, ahead) = all_taken(|snapshot| {
                snapshot.campaigns[1].priority = 1;
                with(&mut snapshot.campaigns[1]);
            });
            give_way(&snapshot, &mut plan(&snapshot), ahead)
        };
        assert_eq!(given(|_| {}), [1, 2, 3].map(AttemptId));
        assert_eq!(given(|second| second.rhythm.delay_ms = 1), [], "it may be at no slot of these");
        assert_eq!(given(|second| second.calendar = window("09:00", "10:00")), []);
        let (equal, _) = all_taken(|_| {});
        assert!(!has_priorities(&equal));
    }

    #[test]
    fn calls_give_way_four_times_a_second_at_the_most() {
        let now = at("2026-03-01T08:00:00Z");
        let mut sharing = Sharing::default();
        assert_eq!(sharing.giving(now), Giving::Now);
        sharing.note_given_way(now);
        let after = [0, 249, 250, -1].map(|ms| sharing.giving(now.plus_ms(ms)));
        assert_eq!(after, [Giving::NotYet, Giving::NotYet, Giving::Now, Giving::Now]);
    }
}
