//! Why a candidate is not called, and when planning again could give more.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::types::{CampaignView, Candidate, PlannedCall, Snapshot, TrunkView, Waiting, Why};
use super::{LEAD_MS, TICK_AHEAD_MS, pace};
use crate::domain::bar::Bar;
use crate::domain::breaker::{Heed, LineLeave};
use crate::domain::campaign::CampaignState;
use crate::domain::ids::{CampaignId, ContactId, TrunkId, ZoneClassId};
use crate::domain::instant::UtcMs;
use crate::domain::number::Number;

/// One reason for each candidate without a call, and the instant to plan again.
pub(super) fn explain(snapshot: &Snapshot, calls: &[PlannedCall]) -> (Vec<Waiting>, Option<UtcMs>) {
    let outcome = Outcome::new(snapshot, calls);
    let mut waiting = Vec::new();
    let mut wake_at = None;
    for campaign in &snapshot.campaigns {
        let limits = Limits::new(campaign, &outcome);
        let left: Vec<&Candidate> = campaign.candidates.iter().filter(|c| !outcome.has_call(campaign, c)).collect();
        let whys = left.iter().map(|c| (c.contact, limits.why(c, &outcome)));
        waiting.extend(whys.map(|(contact, why)| Waiting { campaign: campaign.id, contact, why }));
        wake_at = earliest(wake_at, limits.wake_at(campaign, &left, &outcome));
    }
    (waiting, wake_at)
}

/// What a plan used, and where it ended.
struct Outcome<'a> {
    snapshot: &'a Snapshot,
    planned: BTreeSet<(CampaignId, ContactId)>,
    calls: &'a [PlannedCall],
    /// Looked at only when somebody waits.
    numbers: OnceCell<HashSet<&'a Number>>,
    by_campaign: BTreeMap<CampaignId, u32>,
    by_trunk: BTreeMap<TrunkId, u32>,
    /// Those that have a call that their breakers bind.
    tried: BTreeSet<TrunkId>,
    trunks: BTreeMap<TrunkId, &'a TrunkView>,
    /// The server's cap, if no channel is left.
    full_server: Option<u32>,
    files_left: bool,
    /// The last slot that could be planned. What is false there stands in the way until the horizon.
    last_slot: UtcMs,
    /// The first slot that is left to the next plan.
    next_slot: UtcMs,
}

impl<'a> Outcome<'a> {
    fn new(snapshot: &'a Snapshot, calls: &'a [PlannedCall]) -> Self {
        let mut by_campaign = BTreeMap::new();
        let mut by_trunk = BTreeMap::new();
        for call in calls {
            *by_campaign.entry(call.campaign).or_default() += 1;
            *by_trunk.entry(call.trunk).or_default() += 1;
        }
        let exempt: BTreeSet<CampaignId> =
            snapshot.campaigns.iter().filter(|view| view.heed == Heed::Exempt).map(|view| view.id).collect();
        let bound = calls.iter().filter(|call| !exempt.contains(&call.campaign));
        let earliest = snapshot.now.plus_ms(LEAD_MS);
        Self {
            snapshot,
            planned: calls.iter().map(|call| (call.campaign, call.contact)).collect(),
            calls,
            numbers: OnceCell::new(),
            by_campaign,
            by_trunk,
            tried: bound.map(|call| call.trunk).collect(),
            trunks: snapshot.trunks.iter().map(|trunk| (trunk.id, trunk)).collect(),
            full_server: snapshot.channels.filter(|cap| snapshot.open as usize + calls.len() >= *cap as usize),
            files_left: calls.len() < snapshot.files_free as usize,
            last_slot: pace::slot_before(snapshot.calls_one_time, snapshot.horizon).max(earliest),
            next_slot: pace::slot_from(snapshot.calls_one_time, snapshot.horizon.max(earliest)),
        }
    }

    fn has_call(&self, campaign: &CampaignView, candidate: &Candidate) -> bool {
        self.planned.contains(&(campaign.id, candidate.contact))
    }

    fn in_use(&self, number: &Number) -> bool {
        let numbers = || self.calls.iter().map(|call| &call.number).chain(&self.snapshot.busy).collect();
        self.numbers.get_or_init(numbers).contains(number)
    }

    fn full_campaign(&self, campaign: &CampaignView) -> Option<u32> {
        let planned = self.by_campaign.get(&campaign.id).copied().unwrap_or_default();
        campaign.channels.filter(|cap| campaign.open.saturating_add(planned) >= *cap)
    }

    fn calls_made(&self, campaign: &CampaignView) -> bool {
        let planned = self.by_campaign.get(&campaign.id).copied().unwrap_or_default();
        campaign.calls_left.is_some_and(|left| planned >= left)
    }

    /// When the campaign's next call may start, if that is behind the last slot.
    fn next_of_rhythm(&self, campaign: &CampaignView) -> Option<UtcMs> {
        if campaign.rhythm.is_free() {
            return None;
        }
        let planned = self.calls.iter().filter(|call| call.campaign == campaign.id);
        let beat = planned.fold(campaign.beat, |beat, call| campaign.rhythm.after(beat, call.start_at));
        campaign.rhythm.earliest(beat).filter(|next_at| *next_at > self.last_slot)
    }

    /// Whether one of a campaign's trunks is a line that its calls may not go over.
    fn over_a_real_line(&self, campaign: &CampaignView) -> bool {
        let lines = campaign.trunks.iter().filter_map(|trunk| self.trunks.get(trunk)).map(|trunk| trunk.line);
        lines.into_iter().any(|line| !campaign.nature.may_go_over(line))
    }

    /// Why none of a campaign's trunks takes a further call before the horizon: the first that is full says so, unless
    /// all breakers are open.
    fn no_trunk(&self, campaign: &CampaignView) -> Option<Why> {
        let shut: Vec<Why> = campaign.trunks.iter().map_while(|trunk| self.shut_trunk(*trunk, campaign.heed)).collect();
        if shut.len() < campaign.trunks.len() {
            return None;
        }
        let full = shut.iter().find(|why| matches!(why, Why::TrunkChannels { .. }));
        let trials =
            shut.iter().filter_map(|why| if let Why::TrunkBreaker { trial_at } = why { *trial_at } else { None });
        full.cloned().or(Some(Why::TrunkBreaker { trial_at: trials.min() }))
    }

    /// Why a trunk takes no further call of those to which breakers are `heed`. One that is not in the snapshot has no channel.
    fn shut_trunk(&self, trunk: TrunkId, heed: Heed) -> Option<Why> {
        let Some(view) = self.trunks.get(&trunk) else { return Some(Why::TrunkChannels { cap: 0 }) };
        let planned = self.by_trunk.get(&trunk).copied().unwrap_or_default();
        match heed.leave(view.leave) {
            LineLeave::Nothing => return Some(Why::TrunkBreaker { trial_at: None }),
            LineLeave::OneCall { .. } if self.tried.contains(&trunk) => {
                return Some(Why::TrunkBreaker { trial_at: None });
            }
            LineLeave::OneCall { from } if from > self.last_slot => {
                return Some(Why::TrunkBreaker { trial_at: Some(from) });
            }
            LineLeave::OneCall { .. } | LineLeave::All => {}
        }
        let full = view.channels.filter(|cap| view.open.saturating_add(planned) >= *cap);
        full.map(|cap| Why::TrunkChannels { cap })
    }
}

/// What holds for all of a campaign's candidates after the plan.
struct Limits {
    campaign: CampaignId,
    state: CampaignState,
    /// `Some` while the window is closed at the last slot: when it opens, if ever.
    closed: Option<Option<UtcMs>>,
    /// The zones whose legal hours are closed at the last slot: when they open, if ever.
    legal: BTreeMap<ZoneClassId, Option<UtcMs>>,
    /// The first of: a real line, calls, channels of the campaign, channels and breakers of its trunks, channels of the
    /// server, files, pace, slots.
    exhausted: Why,
}

impl Limits {
    fn new(campaign: &CampaignView, outcome: &Outcome) -> Self {
        let last = outcome.last_slot;
        let closed = !campaign.calendar.contains(last);
        let legal = campaign.hours.iter().filter(|(_, hours)| !hours.contains(last));
        let exhausted = if outcome.over_a_real_line(campaign) {
            Why::RealLine
        } else if outcome.calls_made(campaign) {
            Why::CallsMade
        } else if let Some(cap) = outcome.full_campaign(campaign) {
            Why::CampaignChannels { cap }
        } else if let Some(why) = outcome.no_trunk(campaign) {
            why
        } else if let Some(cap) = outcome.full_server {
            Why::ServerChannels { cap }
        } else if !outcome.files_left {
            Why::SpoolFull
        } else if let Some(next_at) = outcome.next_of_rhythm(campaign) {
            Why::CampaignPace { next_at }
        } else {
            Why::NoSlot { next_at: outcome.next_slot }
        };
        Self {
            campaign: campaign.id,
            state: campaign.state,
            closed: closed.then(|| campaign.calendar.next_opening(last)),
            legal: legal.map(|(zones, hours)| (*zones, hours.next_opening(last))).collect(),
            exhausted,
        }
    }

    /// The most telling reason: what an operator decided, then what lasts longest.
    fn why(&self, candidate: &Candidate, outcome: &Outcome) -> Why {
        if self.state != CampaignState::Running {
            return Why::NotRunning(self.state);
        }
        match outcome.snapshot.barred.get(&(self.campaign, candidate.contact)) {
            Some(Bar::DoNotCall(listed)) => return Why::DoNotCall { until: listed.until },
            Some(Bar::FrequencyCap { until }) => return Why::FrequencyCap { until: *until },
            Some(Bar::CallsUsedUp(why)) => return Why::CallsUsedUp(*why),
            None => {}
        }
        if let Some(opens_at) = self.closed {
            return Why::WindowClosed { opens_at };
        }
        if let Some(opens_at) = self.legal.get(&candidate.zones) {
            return Why::LegalHours { opens_at: *opens_at };
        }
        if let Some(until) = candidate.due_at.filter(|due_at| *due_at > outcome.last_slot) {
            return Why::Cooling { until };
        }
        if let Some(at) = candidate.expires_at.filter(|expires_at| *expires_at <= outcome.last_slot) {
            return Why::Expired { at };
        }
        if outcome.in_use(&candidate.number) {
            return Why::NumberBusy;
        }
        self.exhausted.clone()
    }

    /// When time alone could give this campaign a call. A full cap or spool waits for a call to close,
    /// and the want of a slot for the next tick.
    fn wake_at(&self, campaign: &CampaignView, left: &[&Candidate], outcome: &Outcome) -> Option<UtcMs> {
        let waits_for_time = matches!(self.exhausted, Why::NoSlot { .. } | Why::CampaignPace { .. });
        if self.state != CampaignState::Running || !waits_for_time {
            return None;
        }
        let last = outcome.last_slot;
        let later = left.iter().filter_map(|c| self.comes_at(campaign, c, last));
        let held = later.filter(|at| self.closed.is_some() || *at > last).min();
        let now = outcome.snapshot.now;
        let unseen = campaign.next_due.filter(|due_at| *due_at > now);
        let due_at = earliest(held, unseen)?;
        let in_pace_at = match self.exhausted {
            Why::CampaignPace { next_at } => due_at.max(next_at),
            _ => due_at,
        };
        let callable_at = campaign.calendar.next_opening(in_pace_at)?;
        // Ahead of the instant like a tick, so that a slot at that very instant can be planned.
        let ahead = callable_at.plus_ms(-TICK_AHEAD_MS);
        [ahead, callable_at].into_iter().find(|at| *at > now)
    }

    /// When a candidate is due, at `last` at the earliest, and its legal hours are open.
    fn comes_at(&self, campaign: &CampaignView, candidate: &Candidate, last: UtcMs) -> Option<UtcMs> {
        let due_at = candidate.due_at.map_or(last, |due_at| due_at.max(last));
        match self.legal.get(&candidate.zones) {
            None => Some(due_at),
            Some(opens_at) if due_at == last => *opens_at,
            Some(_) => campaign.calendar_of(candidate).next_opening(due_at),
        }
    }
}

fn earliest(a: Option<UtcMs>, b: Option<UtcMs>) -> Option<UtcMs> {
    [a, b].into_iter().flatten().min()
}
