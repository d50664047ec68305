//! The contacts of a campaign that still wait, as many alike as one.
//!
//! Who was never called is told from others by little, so a list of millions is a few groups; only who waits for a
//! retry is kept alone.

use std::cmp::Reverse;
use std::collections::{BTreeSet, VecDeque};

use super::Group;
use crate::domain::cause::Cause;
use crate::domain::contact::Priority;
use crate::domain::ids::{CampaignId, ContactId, TrunkId};
use crate::domain::instant::UtcMs;
use crate::domain::line::{Line, LineState};
use crate::domain::number::Number;
use crate::domain::plan::Candidate;
use crate::domain::retry::ContactTally;

/// A contact by itself.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub priority: Priority,
    pub expires_at: Option<UtcMs>,
    pub tally: ContactTally,
    /// Its numbers, of which the one at `calling` is called next.
    pub lines: Vec<Line>,
    pub calling: usize,
    /// The trunk that failed its last call.
    pub failed_trunk: Option<TrunkId>,
    /// Causes of the campaign's table that came for it.
    pub causes: Vec<Cause>,
    /// Its last dials, newest first; only kept where a cap counts them.
    pub dials: Vec<UtcMs>,
}

/// All that wait.
#[derive(Debug)]
pub(super) struct People {
    /// Tells their numbers from those of other campaigns.
    campaign: CampaignId,
    all: Vec<Person>,
    vacant: Vec<usize>,
    /// Never called, highest priorities first.
    fresh: VecDeque<Group>,
    /// Those of `fresh` that were shown to a plan.
    staged: VecDeque<usize>,
    /// Their time has come.
    due: BTreeSet<(Reverse<Priority>, UtcMs, usize)>,
    /// It has not.
    later: BTreeSet<(UtcMs, usize)>,
    expires_next: Option<UtcMs>,
}

impl People {
    pub(super) fn new(campaign: CampaignId, groups: &[Group]) -> Self {
        let mut fresh: Vec<Group> =
            groups.iter().filter(|group| group.due_at.is_none() && group.count > 0).cloned().collect();
        fresh.sort_by_key(|group| Reverse(group.priority));
        let mut people = Self {
            campaign,
            all: Vec::new(),
            vacant: Vec::new(),
            fresh: fresh.into(),
            staged: VecDeque::new(),
            due: BTreeSet::new(),
            later: BTreeSet::new(),
            expires_next: groups.iter().filter_map(|group| group.expires_at).min(),
        };
        for group in groups {
            let Some(due_at) = group.due_at else { continue };
            for _ in 0..group.count {
                let person = people.enter(group);
                people.wait(person, due_at);
            }
        }
        people
    }

    /// Somebody who is in a call.
    pub(super) fn enter(&mut self, group: &Group) -> usize {
        let place = self.vacant.pop().unwrap_or(self.all.len());
        let person = Person {
            priority: group.priority,
            expires_at: group.expires_at,
            tally: group.tally,
            lines: lines(self.campaign, place, group.numbers),
            calling: 0,
            failed_trunk: None,
            causes: Vec::new(),
            dials: Vec::new(),
        };
        match self.all.get_mut(place) {
            Some(vacant) => *vacant = person,
            None => self.all.push(person),
        }
        place
    }

    pub(super) fn person(&mut self, place: usize) -> &mut Person {
        &mut self.all[place]
    }

    /// Has somebody wait until `due_at`.
    pub(super) fn wait(&mut self, place: usize, due_at: UtcMs) {
        let expires_at = self.all[place].expires_at;
        self.expires_next = [self.expires_next, expires_at].into_iter().flatten().min();
        self.later.insert((due_at, place));
    }

    /// Somebody is done with.
    pub(super) fn leave(&mut self, place: usize) {
        self.vacant.push(place);
    }

    /// Somebody is being called.
    pub(super) fn take(&mut self, place: usize, due_at: Option<UtcMs>) {
        match due_at {
            None => self.staged.retain(|staged| *staged != place),
            Some(at) => {
                self.due.remove(&(Reverse(self.all[place].priority), at, place));
                self.later.remove(&(at, place));
            }
        }
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> u64 {
        let alone = self.staged.len() + self.due.len() + self.later.len();
        self.fresh.iter().map(|group| group.count).sum::<u64>() + alone as u64
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fresh.is_empty() && self.staged.is_empty() && self.due.is_empty() && self.later.is_empty()
    }

    /// The earliest due time at or after `horizon`.
    pub(super) fn next_due(&self, horizon: UtcMs) -> Option<UtcMs> {
        self.later.range((horizon, 0)..).next().map(|(at, _)| *at)
    }

    /// Takes those out who expire by `now`; says how many.
    pub(super) fn expire(&mut self, now: UtcMs) -> u64 {
        if self.expires_next.is_none_or(|at| at > now) {
            return 0;
        }
        let before = self.waiting();
        let good = |at: Option<UtcMs>| at.is_none_or(|at| at > now);
        self.fresh.retain(|group| good(group.expires_at));
        self.staged.retain(|place| good(self.all[*place].expires_at));
        self.due.retain(|(.., place)| good(self.all[*place].expires_at));
        self.later.retain(|(_, place)| good(self.all[*place].expires_at));
        let alone = self.staged.iter().chain(self.due.iter().map(|(.., p)| p)).chain(self.later.iter().map(|(_, p)| p));
        let alone = alone.filter_map(|place| self.all[*place].expires_at);
        self.expires_next = self.fresh.iter().filter_map(|group| group.expires_at).chain(alone).min();
        before - self.waiting()
    }

    /// Who could be called before `horizon`: `room` of those that are due, of those that will be, and of fresh ones.
    pub(super) fn candidates(&mut self, room: usize, now: UtcMs, horizon: UtcMs) -> Vec<Candidate> {
        while let Some((at, place)) = self.later.first().copied().filter(|(at, _)| *at <= now) {
            self.later.pop_first();
            self.due.insert((Reverse(self.all[place].priority), at, place));
        }
        while self.staged.len() < room {
            let Some(group) = self.fresh.front_mut() else { break };
            group.count -= 1;
            let one = group.clone();
            if one.count == 0 {
                self.fresh.pop_front();
            }
            let place = self.enter(&one);
            self.staged.push_back(place);
        }
        let due = self.due.iter().take(room).map(|(_, at, place)| (Some(*at), *place));
        let soon =
            self.later.iter().take_while(|(at, _)| *at < horizon).take(room).map(|(at, place)| (Some(*at), *place));
        let fresh = self.staged.iter().take(room).map(|place| (None, *place));
        due.chain(soon).chain(fresh).map(|(due_at, place)| self.candidate(place, due_at)).collect()
    }

    fn candidate(&self, place: usize, due_at: Option<UtcMs>) -> Candidate {
        let person = &self.all[place];
        Candidate {
            contact: ContactId(place as i64),
            number: person.lines[person.calling].number.clone(),
            due_at,
            priority: person.priority,
            expires_at: person.expires_at,
            failed_trunk: person.failed_trunk,
        }
    }
}

/// Numbers that nobody else has.
fn lines(campaign: CampaignId, place: usize, numbers: u32) -> Vec<Line> {
    let line = |n: u32| {
        let text = format!("+1{:05}{place:08}{n}", campaign.0 % 100_000);
        let number = Number::from_canonical(&text)?;
        Some(Line { place: n, number, kind: None, state: LineState::Callable, strikes: 0 })
    };
    (1..=numbers.clamp(1, 9)).filter_map(line).collect()
}
