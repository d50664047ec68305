//! The candidates of one campaign in the order in which they are called.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashSet, VecDeque};

use super::hours::{Hours, NEVER, Stance};
use super::types::{CampaignView, Candidate, Snapshot};
use crate::domain::contact::Priority;
use crate::domain::ids::ZoneClassId;
use crate::domain::instant::UtcMs;
use crate::domain::number::Number;

/// Higher priorities first, and in each due retries before fresh numbers, each as ordered in the snapshot. Every
/// candidate is moved a bounded number of times, however many slots ask.
#[derive(Debug)]
pub(super) struct Queue<'a> {
    /// One for the contacts of all zones, or one for each set of zones that has legal hours.
    lanes: Vec<Lane<'a>>,
    /// That of the candidate that was shown.
    shown: Option<usize>,
    candidates: &'a [Candidate],
}

/// Candidates that may be called at the same instants.
#[derive(Debug)]
struct Lane<'a> {
    /// `None` where only the campaign's calendar counts.
    hours: Option<Hours<'a>>,
    /// Retries by their due time.
    later: VecDeque<(UtcMs, usize)>,
    /// Retries that are due, by their priority and their place in the snapshot.
    due: BinaryHeap<(Priority, Reverse<usize>)>,
    /// By their priority and their place in the snapshot.
    fresh: VecDeque<(Priority, usize)>,
}

/// What a queue has at some instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head<'a> {
    /// One that may be called.
    Ready(&'a Candidate),
    /// None before this instant.
    From(UtcMs),
    /// None any more.
    Empty,
}

/// Who is the next to call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    Due(usize),
    Fresh(usize),
}

/// Of two candidates the greater one is called first: by priority, then retries, then by the place.
type Rank = (Priority, bool, Reverse<usize>);

/// What a lane has at some instant.
enum LaneHead {
    Ready(Rank),
    From(UtcMs),
    Empty,
}

impl<'a> Queue<'a> {
    /// Of all candidates but those that are barred.
    pub(super) fn new(campaign: &'a CampaignView, snapshot: &'a Snapshot) -> Self {
        let (candidates, barred) = (&campaign.candidates, &snapshot.barred);
        let callable = |c: &Candidate| barred.is_empty() || !barred.contains_key(&(campaign.id, c.contact));
        let mut places: BTreeMap<Option<ZoneClassId>, Vec<usize>> = BTreeMap::new();
        for (place, candidate) in candidates.iter().enumerate().filter(|(_, c)| callable(c)) {
            let zones = Some(candidate.zones).filter(|zones| campaign.hours.contains_key(zones));
            places.entry(zones).or_default().push(place);
        }
        let lanes = places.into_iter().map(|(zones, places)| {
            let hours = zones.and_then(|zones| campaign.hours.get(&zones));
            Lane::new(hours.map(|hours| Hours::new(hours, snapshot.horizon)), &places, candidates)
        });
        Self { lanes: lanes.collect(), shown: None, candidates }
    }

    /// The next to call at `at`. Numbers in use and contacts that have expired are dropped: neither becomes callable
    /// within a plan.
    pub(super) fn head(&mut self, at: UtcMs, in_use: &HashSet<&Number>) -> Head<'a> {
        let (mut best, mut from): (Option<(Rank, usize)>, Option<UtcMs>) = (None, None);
        for (place, lane) in self.lanes.iter_mut().enumerate() {
            match lane.head(at, in_use, self.candidates) {
                LaneHead::Ready(rank) => best = best.max(Some((rank, place))),
                LaneHead::From(later) => from = Some(from.map_or(later, |from| from.min(later))),
                LaneHead::Empty => {}
            }
        }
        self.shown = best.map(|(_, lane)| lane);
        match (best, from) {
            (Some(((.., Reverse(place)), _)), _) => Head::Ready(&self.candidates[place]),
            (None, Some(from)) => Head::From(from),
            (None, None) => Head::Empty,
        }
    }

    /// Takes out what [`Self::head`] showed as ready.
    pub(super) fn pop(&mut self) {
        if let Some(lane) = self.shown.take() {
            self.lanes[lane].pop();
        }
    }
}

impl<'a> Lane<'a> {
    fn new(hours: Option<Hours<'a>>, places: &[usize], candidates: &[Candidate]) -> Self {
        let mut later: Vec<_> = places.iter().filter_map(|i| Some((candidates[*i].due_at?, *i))).collect();
        later.sort_unstable();
        let fresh = places.iter().filter(|i| candidates[**i].due_at.is_none());
        let mut fresh: Vec<_> = fresh.map(|i| (candidates[*i].priority, *i)).collect();
        fresh.sort_unstable_by_key(|(priority, place)| (Reverse(*priority), *place));
        Self { hours, later: later.into(), due: BinaryHeap::new(), fresh: fresh.into() }
    }

    fn head(&mut self, at: UtcMs, in_use: &HashSet<&Number>, candidates: &[Candidate]) -> LaneHead {
        if self.later.is_empty() && self.due.is_empty() && self.fresh.is_empty() {
            return LaneHead::Empty;
        }
        match self.hours.as_mut().map(|hours| hours.stance_at(at)) {
            Some(Stance::Closed(NEVER)) => return LaneHead::Empty,
            Some(Stance::Closed(opens_at)) => return LaneHead::From(opens_at),
            Some(Stance::Open(_)) | None => {}
        }
        let come = self.later.iter().take_while(|(due_at, _)| *due_at <= at).count();
        let ranked = |(_, place): (UtcMs, usize)| (candidates[place].priority, Reverse(place));
        self.due.extend(self.later.drain(..come).map(ranked));
        while let Some(first @ (First::Due(place) | First::Fresh(place))) = self.first() {
            let candidate = &candidates[place];
            let expired = candidate.expires_at.is_some_and(|expires_at| expires_at <= at);
            if !expired && !in_use.contains(&candidate.number) {
                return LaneHead::Ready((candidate.priority, matches!(first, First::Due(_)), Reverse(place)));
            }
            self.pop();
        }
        self.later.front().map_or(LaneHead::Empty, |(due_at, _)| LaneHead::From(*due_at))
    }

    fn pop(&mut self) {
        match self.first() {
            Some(First::Due(_)) => drop(self.due.pop()),
            Some(First::Fresh(_)) => drop(self.fresh.pop_front()),
            None => {}
        }
    }

    fn first(&self) -> Option<First> {
        match (self.due.peek(), self.fresh.front()) {
            (Some((due, Reverse(place))), fresh) if fresh.is_none_or(|(fresh, _)| due >= fresh) => {
                Some(First::Due(*place))
            }
            (_, Some((_, place))) => Some(First::Fresh(*place)),
            (_, None) => None,
        }
    }
}
