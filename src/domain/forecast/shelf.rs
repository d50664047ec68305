//! Those of a campaign that wait and are in the same zones.

use std::cmp::Reverse;
use std::collections::{BTreeSet, VecDeque};

use super::Group;
use crate::domain::contact::Priority;
use crate::domain::instant::UtcMs;

/// A place in the list of all people.
pub(super) type Place = usize;

#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// Never called, highest priorities first.
    pub fresh: VecDeque<Group>,
    /// Those of `fresh` that were shown to a plan.
    pub staged: VecDeque<Place>,
    /// Their time has come.
    due: BTreeSet<(Reverse<Priority>, UtcMs, Place)>,
    /// It has not.
    later: BTreeSet<(UtcMs, Place)>,
}

impl Shelf {
    pub(super) fn wait(&mut self, place: Place, due_at: UtcMs) {
        self.later.insert((due_at, place));
    }

    /// Somebody is being called.
    pub(super) fn take(&mut self, place: Place, priority: Priority, due_at: Option<UtcMs>) {
        match due_at {
            None => self.staged.retain(|staged| *staged != place),
            Some(at) => {
                self.due.remove(&(Reverse(priority), at, place));
                self.later.remove(&(at, place));
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
        let at_once = !(self.fresh.is_empty() && self.staged.is_empty() && self.due.is_empty());
        if at_once { Some(now) } else { self.next_due(now) }
    }

    /// The earliest due time at or after `horizon`.
    pub(super) fn next_due(&self, horizon: UtcMs) -> Option<UtcMs> {
        self.later.range((horizon, 0)..).next().map(|(at, _)| *at)
    }

    /// Has those wait no longer whose time has come.
    pub(super) fn ripen(&mut self, now: UtcMs, priority: impl Fn(Place) -> Priority) {
        while let Some((at, place)) = self.later.first().copied().filter(|(at, _)| *at <= now) {
            self.later.pop_first();
            self.due.insert((Reverse(priority(place)), at, place));
        }
    }

    /// `room` of those that are due, of those that will be before `horizon`, and of fresh ones.
    pub(super) fn first(&self, room: usize, horizon: UtcMs) -> impl Iterator<Item = (Option<UtcMs>, Place)> + '_ {
        let due = self.due.iter().take(room).map(|(_, at, place)| (Some(*at), *place));
        let soon = self.later.iter().take_while(move |(at, _)| *at < horizon).take(room);
        let fresh = self.staged.iter().take(room).map(|place| (None, *place));
        due.chain(soon.map(|(at, place)| (Some(*at), *place))).chain(fresh)
    }

    /// Keeps those whose end is `good`.
    pub(super) fn retain(&mut self, of_group: impl Fn(&Group) -> bool, of_place: impl Fn(Place) -> bool) {
        self.fresh.retain(of_group);
        self.staged.retain(|place| of_place(*place));
        self.due.retain(|(.., place)| of_place(*place));
        self.later.retain(|(_, place)| of_place(*place));
    }

    /// Whoever was looked at by itself.
    pub(super) fn alone(&self) -> impl Iterator<Item = Place> + '_ {
        let due = self.due.iter().map(|(.., place)| *place);
        self.staged.iter().copied().chain(due).chain(self.later.iter().map(|(_, place)| *place))
    }
}
