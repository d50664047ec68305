//! Those of a campaign that wait and are in the same zones.

use std::cmp::Reverse;
use std::collections::{BTreeSet, VecDeque};

use super::Group;
use crate::domain::contact::Priority;
use crate::domain::instant::UtcMs;

/// A place in the list of all people.
pub(super) type Place = usize;

/// How many came before somebody, and their place: of those that are due at the same instant the first is called first.
pub(super) type Turn = (u64, Place);

#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// Never called, highest priorities first.
    pub fresh: VecDeque<Group>,
    /// Those of `fresh` that were shown to a plan.
    pub staged: VecDeque<Place>,
    /// Their time has come.
    due: BTreeSet<(Reverse<Priority>, UtcMs, Turn)>,
    /// It has not.
    later: BTreeSet<(UtcMs, Turn)>,
}

impl Shelf {
    pub(super) fn wait(&mut self, turn: Turn, due_at: UtcMs) {
        self.later.insert((due_at, turn));
    }

    /// Somebody is being called.
    pub(super) fn take(&mut self, turn: Turn, priority: Priority, due_at: Option<UtcMs>) {
        match due_at {
            None => self.staged.retain(|staged| *staged != turn.1),
            Some(at) => {
                self.due.remove(&(Reverse(priority), at, turn));
                self.later.remove(&(at, turn));
            }
        }
    }

    pub(super) fn waiting(&self) -> u64 {
        let alone = self.staged.len() + self.due.len() + self.later.len();
        self.fresh.iter().map(|group| group.count).sum::<u64>() + alone as u64
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fresh.is_empty() && self.staged.is_empty() && self.due.is_empty() && self.later.is_empty()
    }

    /// When the first of them may be called as far as retry times go.
    pub(super) fn first_due(&self, now: UtcMs) -> Option<UtcMs> {
        // While they sleep nobody ripens: some that are due are among the later ones.
        let overdue = self.later.first().is_some_and(|(at, _)| *at <= now);
        let at_once = overdue || !(self.fresh.is_empty() && self.staged.is_empty() && self.due.is_empty());
        if at_once { Some(now) } else { self.next_due(now) }
    }

    /// The earliest due time at or after `horizon`.
    pub(super) fn next_due(&self, horizon: UtcMs) -> Option<UtcMs> {
        self.later.range((horizon, (0, 0))..).next().map(|(at, _)| *at)
    }

    /// Has those wait no longer whose time has come.
    pub(super) fn ripen(&mut self, now: UtcMs, priority: impl Fn(Place) -> Priority) {
        while let Some((at, turn)) = self.later.first().copied().filter(|(at, _)| *at <= now) {
            self.later.pop_first();
            self.due.insert((Reverse(priority(turn.1)), at, turn));
        }
    }

    /// `room` of those that may be called now, higher priorities first and in each those that are due, and `room` of
    /// those that will be due before `horizon`: as the ledger shows them to the planner.
    pub(super) fn first(
        &self,
        room: usize,
        horizon: UtcMs,
        priority: impl Fn(Place) -> Priority,
    ) -> Vec<(Option<UtcMs>, Place)> {
        let due = self.due.iter().take(room).map(|(rank, at, (_, place))| (*rank, Some(*at), *place));
        let fresh = self.staged.iter().take(room).map(|place| (Reverse(priority(*place)), None, *place));
        let mut ready: Vec<_> = due.chain(fresh).collect();
        ready.sort_by_key(|(rank, ..)| *rank);
        let ready = ready.into_iter().take(room).map(|(_, at, place)| (at, place));
        let soon = self.later.iter().take_while(|(at, _)| *at < horizon).take(room);
        ready.chain(soon.map(|(at, (_, place))| (Some(*at), *place))).collect()
    }

    /// Keeps those whose end is `good`.
    pub(super) fn retain(&mut self, of_group: impl Fn(&Group) -> bool, of_place: impl Fn(Place) -> bool) {
        self.fresh.retain(of_group);
        self.staged.retain(|place| of_place(*place));
        self.due.retain(|(.., (_, place))| of_place(*place));
        self.later.retain(|(_, (_, place))| of_place(*place));
    }

    /// Whoever was looked at by itself.
    pub(super) fn alone(&self) -> impl Iterator<Item = Place> + '_ {
        let due = self.due.iter().map(|(.., (_, place))| *place);
        self.staged.iter().copied().chain(due).chain(self.later.iter().map(|(_, (_, place))| *place))
    }
}
