//! A second opinion on a plan, before it is carried out.
//!
//! It shares the types and [`LEAD_MS`](super::LEAD_MS) with the planner, and no code: rules are stated
//! over the finished plan, where the planner builds it slot by slot. A plan with a breach is not
//! executed.

use std::collections::{BTreeMap, HashSet};

use super::types::{CampaignView, Candidate, Plan, PlannedCall, Snapshot, TrunkView};
use crate::domain::campaign::CampaignState;
use crate::domain::ids::{CampaignId, ContactId, TrunkId};
use crate::domain::instant::UtcMs;
use crate::domain::number::Number;

mod campaigns;
mod lines;
mod order;
mod reasons;

/// What is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// A start between two slots (I6).
    #[error("the start {0} is not on the grid")]
    OffGrid(UtcMs),
    /// A start before now or at or after the horizon.
    #[error("the start {0} is in the past or not before the horizon")]
    OutsideSpan(UtcMs),
    /// A start that is not later than the one before it.
    #[error("the start {0} is not later than the one before it")]
    NotAscending(UtcMs),
    /// A start too near to one that was planned earlier (I5).
    #[error("the start {start_at} is too near to {taken}, which is taken")]
    Crowded {
        /// The start.
        start_at: UtcMs,
        /// What it is too near to.
        taken: UtcMs,
    },
    /// A call to a number that is on a do-not-call list, or was called too often (I4).
    #[error("contact {contact} of campaign {campaign} is called though its number may not be")]
    Barred {
        /// Of which campaign.
        campaign: CampaignId,
        /// Who.
        contact: ContactId,
    },
    /// A call of a contact that is not a candidate, or with a number or trunk that it does not have.
    #[error("contact {contact} of campaign {campaign} is not a candidate with this number and trunk")]
    NotACandidate {
        /// Of which campaign.
        campaign: CampaignId,
        /// Which.
        contact: ContactId,
    },
    /// A call of a campaign that does not run (I4).
    #[error("campaign {0} does not run")]
    NotRunning(CampaignId),
    /// A start outside the campaign's window (I4).
    #[error("the window of campaign {campaign} is closed at {start_at}")]
    WindowClosed {
        /// The campaign.
        campaign: CampaignId,
        /// The start.
        start_at: UtcMs,
    },
    /// A start outside the hours in which the contact may be called where it is (I4).
    #[error("the legal hours of contact {contact} are closed at {start_at}")]
    LegalHours {
        /// The contact.
        contact: ContactId,
        /// The start.
        start_at: UtcMs,
    },
    /// A start before the contact's due time.
    #[error("contact {contact} is not due at {start_at}")]
    NotDue {
        /// The contact.
        contact: ContactId,
        /// The start.
        start_at: UtcMs,
    },
    /// A start at or after the contact's expiry (I4).
    #[error("contact {contact} has expired at {start_at}")]
    Expired {
        /// The contact.
        contact: ContactId,
        /// The start.
        start_at: UtcMs,
    },
    /// A call that took the slot of one that comes before it: of a higher priority, or due where this one is fresh.
    #[error("contact {contact} is called at {start_at} before one that comes first")]
    OutOfTurn {
        /// Who was called.
        contact: ContactId,
        /// When.
        start_at: UtcMs,
    },
    /// More calls than the campaign's channels (I5).
    #[error("campaign {0} would have more calls than channels")]
    CampaignChannels(CampaignId),
    /// More calls than the trunk's channels, or a trunk that nobody knows (I5).
    #[error("trunk {0} would have more calls than channels")]
    TrunkChannels(TrunkId),
    /// More calls than the server's channels (I5).
    #[error("{planned} calls beside {open} that are open, for {cap} channels of the server")]
    ServerChannels {
        /// Calls.
        planned: usize,
        /// Open attempts.
        open: u32,
        /// The cap.
        cap: u32,
    },
    /// A call over a trunk whose breaker lets none through, or not yet, or one only.
    #[error("trunk {0} would have a call that its breaker does not let through")]
    TrunkBreaker(TrunkId),
    /// A call over a trunk though one that comes before it could have taken it.
    #[error("contact {contact} is called over trunk {trunk} though {before} comes first and could take the call")]
    NotFirstTrunk {
        /// Who is called.
        contact: ContactId,
        /// Over which trunk.
        trunk: TrunkId,
        /// Which trunk comes first.
        before: TrunkId,
    },
    /// Two starts of a trunk nearer than its rate allows (I5).
    #[error("trunk {trunk} would start too soon at {start_at}")]
    TrunkRate {
        /// The trunk.
        trunk: TrunkId,
        /// The later of the two starts.
        start_at: UtcMs,
    },
    /// Two starts of a campaign nearer than its delay, or more than a batch without its pause (I5).
    #[error("campaign {campaign} would start too soon at {start_at}")]
    CampaignPace {
        /// The campaign.
        campaign: CampaignId,
        /// The later of the two starts.
        start_at: UtcMs,
    },
    /// Calls that are made up for a test line, over a real one.
    #[error("campaign {0} would make its made-up calls over a real line")]
    RealLine(CampaignId),
    /// More calls than the campaign is to make.
    #[error("campaign {0} would make more calls than it is to make")]
    CallsMade(CampaignId),
    /// A call of a campaign at a slot that one of a higher priority waits for.
    #[error("campaign {campaign} would have the slot {start_at}, for which {before} waits, whose priority is higher")]
    OutOfPriority {
        /// The campaign with the call.
        campaign: CampaignId,
        /// Its start.
        start_at: UtcMs,
        /// The campaign that waits.
        before: CampaignId,
    },
    /// A number that has an open attempt or a second call in the plan (I2).
    #[error("the number of contact {0} would have two calls at a time")]
    NumberTwice(ContactId),
    /// More calls than files may lie in the spool.
    #[error("{planned} calls for {free} files")]
    Files {
        /// Calls.
        planned: usize,
        /// Files that may be added.
        free: u32,
    },
    /// A candidate that is neither called nor waiting, or more than once (I3).
    #[error("contact {contact} of campaign {campaign} has {outcomes} outcomes instead of one")]
    Outcomes {
        /// Of which campaign.
        campaign: CampaignId,
        /// Which.
        contact: ContactId,
        /// How often it is in the plan.
        outcomes: usize,
    },
    /// Somebody waits who is not a candidate.
    #[error("contact {contact} of campaign {campaign} waits and is no candidate")]
    StrangerWaits {
        /// Of which campaign.
        campaign: CampaignId,
        /// Which.
        contact: ContactId,
    },
    /// The reason for which a contact waits is plainly false (I9).
    #[error("contact {contact} of campaign {campaign} waits for a reason that does not hold")]
    FalseReason {
        /// Of which campaign.
        campaign: CampaignId,
        /// Which.
        contact: ContactId,
    },
    /// A wake-up that is not in the future.
    #[error("the wake-up {0} has passed")]
    WakePassed(UtcMs),
}

/// Judges a plan for this snapshot; empty when nothing is wrong.
#[must_use]
pub fn check(snapshot: &Snapshot, plan: &Plan) -> Vec<Breach> {
    let case = Case::new(snapshot, plan);
    let mut breaches = Vec::new();
    breaches.extend(case.starts());
    breaches.extend(case.calls());
    breaches.extend(case.order());
    breaches.extend(case.channels());
    breaches.extend(case.server_channels());
    breaches.extend(case.choice_of_trunks());
    breaches.extend(snapshot.trunks.iter().flat_map(|trunk| case.trunk_rate(trunk)));
    breaches.extend(snapshot.campaigns.iter().flat_map(|campaign| case.campaign_pace(campaign)));
    breaches.extend(case.priorities());
    breaches.extend(case.numbers());
    breaches.extend(case.outcomes());
    breaches.extend(case.reasons());
    let files = Breach::Files { planned: plan.calls.len(), free: snapshot.files_free };
    breaches.extend((plan.calls.len() as u64 > u64::from(snapshot.files_free)).then_some(files));
    breaches.extend(plan.wake_at.filter(|at| *at <= snapshot.now).map(Breach::WakePassed));
    breaches
}

type Key = (CampaignId, ContactId);

/// A snapshot and a plan, indexed.
struct Case<'a> {
    snapshot: &'a Snapshot,
    plan: &'a Plan,
    campaigns: BTreeMap<CampaignId, &'a CampaignView>,
    trunks: BTreeMap<TrunkId, &'a TrunkView>,
    candidates: BTreeMap<Key, &'a Candidate>,
    /// Milliseconds between two slots, rounded down.
    spacing_ms: i64,
}

impl<'a> Case<'a> {
    fn new(snapshot: &'a Snapshot, plan: &'a Plan) -> Self {
        let campaigns = &snapshot.campaigns;
        let candidates = campaigns.iter().flat_map(|c| c.candidates.iter().map(|k| ((c.id, k.contact), k)));
        Self {
            snapshot,
            plan,
            campaigns: campaigns.iter().map(|c| (c.id, c)).collect(),
            trunks: snapshot.trunks.iter().map(|t| (t.id, t)).collect(),
            candidates: candidates.collect(),
            spacing_ms: 60_000 / i64::from(snapshot.calls_one_time.clamp(1, 60_000)),
        }
    }

    fn starts(&self) -> Vec<Breach> {
        let starts: Vec<UtcMs> = self.plan.calls.iter().map(|call| call.start_at).collect();
        let span = self.snapshot.now..self.snapshot.horizon;
        let mut breaches: Vec<Breach> = Vec::new();
        for start in &starts {
            breaches.extend((!self.is_slot(*start)).then_some(Breach::OffGrid(*start)));
            breaches.extend((!span.contains(start)).then_some(Breach::OutsideSpan(*start)));
            breaches.extend(self.crowding(*start).map(|taken| Breach::Crowded { start_at: *start, taken }));
        }
        let backward = starts.windows(2).filter(|pair| pair[0] >= pair[1]);
        breaches.extend(backward.map(|pair| Breach::NotAscending(pair[1])));
        breaches
    }

    /// A slot is an instant x for which some i has x <= 60000 i / rate < x + 1.
    fn is_slot(&self, at: UtcMs) -> bool {
        let rate = i64::from(self.snapshot.calls_one_time.clamp(1, 60_000));
        let scaled = at.0.rem_euclid(60_000) * rate;
        (-scaled).rem_euclid(60_000) < rate
    }

    /// A taken instant within a spacing of `at`, less the millisecond that rounding may cost.
    fn crowding(&self, at: UtcMs) -> Option<UtcMs> {
        let near = (self.spacing_ms - 2).max(0);
        let taken = &self.snapshot.taken;
        let first = taken.partition_point(|t| *t < at.plus_ms(-near));
        taken.get(first).copied().filter(|t| *t <= at.plus_ms(near))
    }

    fn calls(&self) -> Vec<Breach> {
        self.plan.calls.iter().flat_map(|call| self.call(call)).collect()
    }

    fn call(&self, call: &PlannedCall) -> Vec<Breach> {
        let &PlannedCall { campaign, contact, start_at, .. } = call;
        let view = self.campaigns.get(&campaign).filter(|view| view.trunks.contains(&call.trunk));
        let candidate = self.candidates.get(&(campaign, contact)).filter(|c| c.number == call.number);
        let (Some(view), Some(candidate)) = (view, candidate) else {
            return vec![Breach::NotACandidate { campaign, contact }];
        };
        let stopped = view.state != CampaignState::Running;
        let closed = !view.calendar.contains(start_at);
        let unlawful = outside_legal_hours(view, candidate, start_at);
        let early = candidate.due_at.is_some_and(|due_at| due_at > start_at);
        let barred = self.snapshot.barred.contains_key(&(campaign, contact));
        let expired = candidate.expires_at.is_some_and(|expires_at| expires_at <= start_at);
        let found = [
            barred.then_some(Breach::Barred { campaign, contact }),
            stopped.then_some(Breach::NotRunning(campaign)),
            closed.then_some(Breach::WindowClosed { campaign, start_at }),
            unlawful.then_some(Breach::LegalHours { contact, start_at }),
            early.then_some(Breach::NotDue { contact, start_at }),
            expired.then_some(Breach::Expired { contact, start_at }),
        ];
        found.into_iter().flatten().collect()
    }

    fn channels(&self) -> Vec<Breach> {
        let mut campaigns: BTreeMap<CampaignId, u64> = BTreeMap::new();
        let mut trunks: BTreeMap<TrunkId, u64> = BTreeMap::new();
        for call in &self.plan.calls {
            *campaigns.entry(call.campaign).or_default() += 1;
            *trunks.entry(call.trunk).or_default() += 1;
        }
        let campaigns = campaigns.into_iter().filter(|(id, planned)| self.overfills_campaign(*id, *planned));
        let trunks = trunks.into_iter().filter(|(id, planned)| self.overfills_trunk(*id, *planned));
        let of_campaigns = campaigns.map(|(id, _)| Breach::CampaignChannels(id));
        of_campaigns.chain(trunks.map(|(id, _)| Breach::TrunkChannels(id))).collect()
    }

    /// Whatever is open already may be more than a cap that somebody has lowered.
    fn server_channels(&self) -> Option<Breach> {
        let (planned, open) = (self.plan.calls.len(), self.snapshot.open);
        let cap = self.snapshot.channels.filter(|_| planned > 0)?;
        (planned as u64 + u64::from(open) > u64::from(cap)).then_some(Breach::ServerChannels { planned, open, cap })
    }

    fn overfills_campaign(&self, id: CampaignId, planned: u64) -> bool {
        let Some(view) = self.campaigns.get(&id) else { return false };
        view.channels.is_some_and(|cap| u64::from(view.open) + planned > u64::from(cap))
    }

    fn overfills_trunk(&self, id: TrunkId, planned: u64) -> bool {
        let Some(view) = self.trunks.get(&id) else { return true };
        view.channels.is_some_and(|cap| u64::from(view.open) + planned > u64::from(cap))
    }

    /// Neighbours in time of which one is planned must keep the distance; what was taken before is as it is.
    fn trunk_rate(&self, trunk: &TrunkView) -> Vec<Breach> {
        let Some(per_second) = trunk.starts_per_second else { return Vec::new() };
        let gap_ms = (999 + i64::from(per_second.max(1))) / i64::from(per_second.max(1));
        let planned = self.plan.calls.iter().filter(|call| call.trunk == trunk.id).map(|call| (call.start_at, true));
        let mut starts: Vec<(UtcMs, bool)> = trunk.taken.iter().map(|at| (*at, false)).chain(planned).collect();
        starts.sort_unstable();
        let too_near = starts.windows(2).filter(|p| (p[0].1 || p[1].1) && p[1].0.since_ms(p[0].0) < gap_ms);
        too_near.map(|pair| Breach::TrunkRate { trunk: trunk.id, start_at: pair[1].0 }).collect()
    }

    fn numbers(&self) -> Vec<Breach> {
        let mut used: HashSet<&Number> = HashSet::with_capacity(self.snapshot.busy.len() + self.plan.calls.len());
        used.extend(&self.snapshot.busy);
        let twice = self.plan.calls.iter().filter(|call| !used.insert(&call.number));
        twice.map(|call| Breach::NumberTwice(call.contact)).collect()
    }

    fn outcomes(&self) -> Vec<Breach> {
        // In order, so that the first breach, which an operator reads, is the same one each time.
        let mut outcomes: BTreeMap<Key, usize> = self.candidates.keys().map(|key| (*key, 0)).collect();
        let mut breaches = Vec::new();
        let called = self.plan.calls.iter().map(|call| (call.campaign, call.contact));
        for key in called.chain(self.plan.waiting.iter().map(|w| (w.campaign, w.contact))) {
            outcomes.entry(key).and_modify(|n| *n += 1);
        }
        let strangers = self.plan.waiting.iter().filter(|w| !self.candidates.contains_key(&(w.campaign, w.contact)));
        breaches.extend(strangers.map(|w| Breach::StrangerWaits { campaign: w.campaign, contact: w.contact }));
        let wrong = outcomes.into_iter().filter(|(_, n)| *n != 1);
        breaches.extend(wrong.map(|((campaign, contact), n)| Breach::Outcomes { campaign, contact, outcomes: n }));
        breaches
    }
}

/// By what the clock of each zone shows at the start, and when a call may still ring.
fn outside_legal_hours(view: &CampaignView, candidate: &Candidate, start_at: UtcMs) -> bool {
    let Some(hours) = view.hours.get(&candidate.zones) else { return false };
    let (begins, rings) = (start_at, start_at.plus_ms(hours.reserve_ms));
    let clocks = || hours.legal.iter().flat_map(|legal| legal.clocks());
    clocks().any(|(zone, week)| [begins, rings].into_iter().any(|at| !week.is_open_at(zone.on_the_wall(at))))
}

#[cfg(test)]
mod tests;
