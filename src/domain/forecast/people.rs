//! The contacts of a campaign that still wait, as many alike as one.
//!
//! Who was never called is told from others by little, so a list of millions is a few groups; only who waits for a
//! retry is kept alone.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::Group;
use super::shelf::{Place, Shelf};
use crate::domain::calendar::Calendar;
use crate::domain::cause::Cause;
use crate::domain::contact::Priority;
use crate::domain::ids::{CampaignId, ContactId, TrunkId, ZoneClassId};
use crate::domain::instant::UtcMs;
use crate::domain::line::{Line, LineState};
use crate::domain::number::Number;
use crate::domain::plan::Candidate;
use crate::domain::retry::ContactTally;

/// A contact by itself.
#[derive(Debug, Clone)]
pub(super) struct Person {
    /// How many came before: places are used again.
    came: u64,
    pub priority: Priority,
    pub expires_at: Option<UtcMs>,
    pub zones: ZoneClassId,
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
    came: u64,
    vacant: Vec<Place>,
    /// By their zones: who sleeps takes nobody's place.
    shelves: BTreeMap<ZoneClassId, Shelf>,
    expires_next: Option<UtcMs>,
}

impl People {
    pub(super) fn new(campaign: CampaignId, groups: &[Group]) -> Self {
        let mut people = Self {
            campaign,
            all: Vec::new(),
            came: 0,
            vacant: Vec::new(),
            shelves: BTreeMap::new(),
            expires_next: groups.iter().filter_map(|group| group.expires_at).min(),
        };
        let mut sorted: Vec<&Group> = groups.iter().filter(|group| group.count > 0).collect();
        sorted.sort_by_key(|group| Reverse(group.priority));
        for group in sorted {
            let Some(due_at) = group.due_at else {
                people.shelves.entry(group.zones).or_default().fresh.push_back(group.clone());
                continue;
            };
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
        self.came += 1;
        let person = Person {
            came: self.came,
            priority: group.priority,
            expires_at: group.expires_at,
            zones: group.zones,
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
    pub(super) fn wait(&mut self, place: Place, due_at: UtcMs) {
        let Person { came, expires_at, zones, .. } = self.all[place];
        self.expires_next = [self.expires_next, expires_at].into_iter().flatten().min();
        self.shelves.entry(zones).or_default().wait((came, place), due_at);
    }

    /// Somebody is done with.
    pub(super) fn leave(&mut self, place: Place) {
        self.vacant.push(place);
    }

    /// Somebody is being called.
    pub(super) fn take(&mut self, place: Place, due_at: Option<UtcMs>) {
        let Person { came, priority, zones, .. } = self.all[place];
        self.shelves.entry(zones).or_default().take((came, place), priority, due_at);
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> u64 {
        self.shelves.values().map(Shelf::waiting).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.shelves.values().all(Shelf::is_empty)
    }

    /// The zones of those that wait.
    pub(super) fn zones(&self) -> impl Iterator<Item = ZoneClassId> + '_ {
        self.shelves.iter().filter(|(_, shelf)| !shelf.is_empty()).map(|(zones, _)| *zones)
    }

    /// When the first of those may be called that are no candidates: they are due later, or their zones open later.
    pub(super) fn next_due(
        &self,
        now: UtcMs,
        horizon: UtcMs,
        hours: &BTreeMap<ZoneClassId, Calendar>,
    ) -> Option<UtcMs> {
        let next = |(zones, shelf): (&ZoneClassId, &Shelf)| {
            let Some(hours) = hours.get(zones) else { return shelf.next_due(horizon) };
            let from = if is_open(hours, now, horizon) { shelf.next_due(horizon) } else { shelf.first_due(now) };
            hours.next_opening(from?)
        };
        self.shelves.iter().filter_map(next).min()
    }

    /// Takes those out who expire by `now`; says how many.
    pub(super) fn expire(&mut self, now: UtcMs) -> u64 {
        if self.expires_next.is_none_or(|at| at > now) {
            return 0;
        }
        let before = self.waiting();
        let good = |at: Option<UtcMs>| at.is_none_or(|at| at > now);
        let all = &self.all;
        for shelf in self.shelves.values_mut() {
            shelf.retain(|group| good(group.expires_at), |place| good(all[place].expires_at));
        }
        let groups = self.shelves.values().flat_map(|shelf| &shelf.fresh).filter_map(|group| group.expires_at);
        let alone = self.shelves.values().flat_map(Shelf::alone).filter_map(|place| all[place].expires_at);
        self.expires_next = groups.chain(alone).min();
        before - self.waiting()
    }

    /// Who could be called before `horizon`, of each of the zones that are open by then: `room` of those that may be
    /// called now, and of those that will be due.
    pub(super) fn candidates(
        &mut self,
        room: usize,
        (now, horizon): (UtcMs, UtcMs),
        hours: &BTreeMap<ZoneClassId, Calendar>,
    ) -> Vec<Candidate> {
        let open = |zones: &ZoneClassId| hours.get(zones).is_none_or(|hours| is_open(hours, now, horizon));
        let zones: Vec<ZoneClassId> = self.zones().filter(open).collect();
        zones.into_iter().flat_map(|zones| self.of_zones(zones, room, now, horizon)).collect()
    }

    fn of_zones(&mut self, zones: ZoneClassId, room: usize, now: UtcMs, horizon: UtcMs) -> Vec<Candidate> {
        let mut shelf = self.shelves.remove(&zones).unwrap_or_default();
        shelf.ripen(now, |place| self.all[place].priority);
        while shelf.staged.len() < room {
            let Some(group) = shelf.fresh.front_mut() else { break };
            group.count -= 1;
            let one = group.clone();
            if one.count == 0 {
                shelf.fresh.pop_front();
            }
            shelf.staged.push_back(self.enter(&one));
        }
        let first = shelf.first(room, horizon, |place| self.all[place].priority);
        self.shelves.insert(zones, shelf);
        first.into_iter().map(|(due_at, place)| self.candidate(place, due_at)).collect()
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
            zones: person.zones,
        }
    }
}

/// Whether hours are open at some time before `horizon`.
fn is_open(hours: &Calendar, now: UtcMs, horizon: UtcMs) -> bool {
    hours.next_opening(now).is_some_and(|opens_at| opens_at < horizon)
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
