//! The candidates of one campaign in the order in which they are called.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet, VecDeque};

use super::types::{CampaignView, Candidate, Snapshot};
use crate::domain::contact::Priority;
use crate::domain::instant::UtcMs;
use crate::domain::number::Number;

/// Higher priorities first, and in each due retries before fresh numbers, each as ordered in the snapshot. Every
/// candidate is moved a bounded number of times, however many slots ask.
#[derive(Debug)]
pub(super) struct Queue<'a> {
    /// Retries by their due time.
    later: VecDeque<(UtcMs, usize)>,
    /// Retries that are due, by their priority and their place in the snapshot.
    due: BinaryHeap<(Priority, Reverse<usize>)>,
    /// By their priority and their place in the snapshot.
    fresh: VecDeque<(Priority, usize)>,
    candidates: &'a [Candidate],
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

impl<'a> Queue<'a> {
    /// Of all candidates but those that are barred.
    pub(super) fn new(campaign: &'a CampaignView, snapshot: &'a Snapshot) -> Self {
        let (candidates, barred) = (&campaign.candidates, &snapshot.barred);
        let callable = |c: &Candidate| barred.is_empty() || !barred.contains_key(&(campaign.id, c.contact));
        let places = || candidates.iter().enumerate().filter(|(_, c)| callable(c));
        let mut later: Vec<_> = places().filter_map(|(i, c)| Some((c.due_at?, i))).collect();
        later.sort_unstable();
        let mut fresh: Vec<_> = places().filter(|(_, c)| c.due_at.is_none()).map(|(i, c)| (c.priority, i)).collect();
        fresh.sort_unstable_by_key(|(priority, place)| (Reverse(*priority), *place));
        Self { later: later.into(), due: BinaryHeap::new(), fresh: fresh.into(), candidates }
    }

    /// The next to call at `at`. Numbers in use and contacts that have expired are dropped: neither becomes callable
    /// within a plan.
    pub(super) fn head(&mut self, at: UtcMs, in_use: &HashSet<&Number>) -> Head<'a> {
        let come = self.later.iter().take_while(|(due_at, _)| *due_at <= at).count();
        let ranked = |(_, place): (UtcMs, usize)| (self.candidates[place].priority, Reverse(place));
        self.due.extend(self.later.drain(..come).map(ranked));
        while let Some(First::Due(place) | First::Fresh(place)) = self.first() {
            let candidate = &self.candidates[place];
            let expired = candidate.expires_at.is_some_and(|expires_at| expires_at <= at);
            if !expired && !in_use.contains(&candidate.number) {
                return Head::Ready(candidate);
            }
            self.pop();
        }
        self.later.front().map_or(Head::Empty, |(due_at, _)| Head::From(*due_at))
    }

    /// Takes out what [`Self::head`] showed as ready.
    pub(super) fn pop(&mut self) {
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
