//! The candidates of one campaign in the order in which they are called.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet, VecDeque};

use super::types::{CampaignView, Candidate, Snapshot};
use crate::domain::instant::UtcMs;
use crate::domain::number::Number;

/// Due retries before fresh numbers, each as ordered in the snapshot. Every candidate is moved a
/// bounded number of times, however many slots ask.
#[derive(Debug)]
pub(super) struct Queue<'a> {
    /// Retries by their due time.
    later: VecDeque<(UtcMs, usize)>,
    /// Retries that are due, by their place in the snapshot.
    due: BinaryHeap<Reverse<usize>>,
    fresh: VecDeque<usize>,
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

impl<'a> Queue<'a> {
    /// Of all candidates but those that are barred.
    pub(super) fn new(campaign: &'a CampaignView, snapshot: &'a Snapshot) -> Self {
        let (candidates, barred) = (&campaign.candidates, &snapshot.barred);
        let callable = |c: &Candidate| barred.is_empty() || !barred.contains_key(&(campaign.id, c.contact));
        let places = || candidates.iter().enumerate().filter(|(_, c)| callable(c));
        let mut later: Vec<_> = places().filter_map(|(i, c)| Some((c.due_at?, i))).collect();
        later.sort_unstable();
        let fresh = places().filter(|(_, c)| c.due_at.is_none()).map(|(i, _)| i).collect();
        Self { later: later.into(), due: BinaryHeap::new(), fresh, candidates }
    }

    /// The next to call at `at`. Numbers in use are dropped: they do not become free within a plan.
    pub(super) fn head(&mut self, at: UtcMs, in_use: &HashSet<&Number>) -> Head<'a> {
        let come = self.later.iter().take_while(|(due_at, _)| *due_at <= at).count();
        self.due.extend(self.later.drain(..come).map(|(_, place)| Reverse(place)));
        while let Some(place) = self.first() {
            let candidate = &self.candidates[place];
            if !in_use.contains(&candidate.number) {
                return Head::Ready(candidate);
            }
            self.pop();
        }
        self.later.front().map_or(Head::Empty, |(due_at, _)| Head::From(*due_at))
    }

    /// Takes out what [`Self::head`] showed as ready.
    pub(super) fn pop(&mut self) {
        if self.due.pop().is_none() {
            self.fresh.pop_front();
        }
    }

    fn first(&self) -> Option<usize> {
        self.due.peek().map(|Reverse(place)| *place).or_else(|| self.fresh.front().copied())
    }
}
