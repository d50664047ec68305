//! One run of a forecast.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::chance::Chance;
use super::dialer::{Call, Dialer};
use super::series::Series;
use super::{Scene, TrunkRules};
use crate::domain::breaker::LineLeave;
use crate::domain::campaign::CampaignState;
use crate::domain::ids::{AttemptId, TrunkId};
use crate::domain::instant::UtcMs;
use crate::domain::plan::sharing::{self, Ahead, Giving, Priorities, Sharing, Starved};
use crate::domain::plan::{Plan, PlannedCall, SHARED_AFTER_MS, Snapshot, TICK_AHEAD_MS, TrunkView, Why, pace, plan};
use crate::domain::retry::FailReason;
use crate::domain::stored::worded_enum;

/// The most calls of one plan, as the daemon has it.
const CALLS_PER_PLAN: u32 = 250;

/// How long a planned instant that is past still keeps others at a distance.
const TAKEN_MS: i64 = 60_000;

worded_enum! {
    /// Why contacts are left when nothing more is called.
    pub enum Left {
        /// The campaign has made all the calls that it was to make.
        CallsMade = "calls_made",
        /// Its hours do not open any more.
        HoursOver = "hours_over",
        /// The forecast goes no further.
        NotByThen = "not_by_then",
        /// There is no channel to call them on.
        NoChannel = "no_channel",
    }
}

/// How a run went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Course {
    /// When the last call ended; `None` when there was none.
    pub ended_at: Option<UtcMs>,
    /// Calls that were made.
    pub calls: u64,
    /// Contacts that were reached.
    pub reached: u64,
    /// Contacts that are called no more, by the reason.
    pub failed_by: BTreeMap<FailReason, u64>,
    /// Contacts that expired.
    pub expired: u64,
    /// Contacts that still wait.
    pub left: u64,
    /// Why they do.
    pub left_by: Option<Left>,
    /// Channels over time.
    pub series: Series,
}

impl Course {
    /// Contacts that are called no more.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed_by.values().sum()
    }
}

/// Goes from the scene to the end of its target, with the luck of `seed`.
#[must_use]
pub fn run(scene: &Scene, seed: u64) -> Course {
    Run::new(scene, seed).until_the_end()
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    Ends { call: usize },
    Begins { call: usize },
}

struct Run<'a> {
    scene: &'a Scene,
    now: UtcMs,
    chance: Chance,
    dialers: Vec<Dialer<'a>>,
    agenda: BTreeSet<(UtcMs, Happening)>,
    calls: Vec<Call>,
    vacant: Vec<usize>,
    /// Slots of calls that are not past by more than a minute, ascending, with their trunks.
    taken: Vec<(UtcMs, TrunkId)>,
    open: u32,
    open_over: BTreeMap<TrunkId, u32>,
    sharing: Sharing,
    /// Whether a call that ends may let another begin.
    capped: bool,
}

impl<'a> Run<'a> {
    fn new(scene: &'a Scene, seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let dialers = scene.campaigns.iter().map(|standing| Dialer::new(standing, scene.now, &mut chance)).collect();
        let mut run = Self {
            scene,
            now: scene.now,
            chance,
            dialers,
            agenda: BTreeSet::new(),
            calls: Vec::new(),
            vacant: Vec::new(),
            taken: Vec::new(),
            open: 0,
            open_over: BTreeMap::new(),
            sharing: Sharing::default(),
            capped: false,
        };
        run.take_up_open_calls();
        run.start_target();
        run
    }

    /// Calls that are up end as if they had just begun to ring, or were just answered: nobody knows how far they are.
    fn take_up_open_calls(&mut self) {
        let scene = self.scene;
        for (dialer, standing) in scene.campaigns.iter().enumerate() {
            for call in &standing.open {
                let person = self.dialers[dialer].people.enter(&call.group);
                self.enter_call(dialer, (person, call.trunk), (call.start_at, None));
            }
        }
        self.taken.sort_unstable();
    }

    /// A campaign that does not run yet is a newcomer to the others.
    fn start_target(&mut self) {
        let all = self.scene.campaigns.iter().map(|standing| &standing.campaign);
        self.sharing.newcomers(all.clone().filter(|campaign| campaign.state == CampaignState::Running), self.now);
        let newcomers = self.sharing.newcomers(all, self.now);
        let waits = |dialer: &Dialer| newcomers.contains(&dialer.id()) && dialer.people.waiting() > 0;
        if self.dialers.iter().any(waits) {
            let all = self.ahead().into_iter().map(|call| call.attempt).collect();
            self.withdraw(all);
        }
    }

    fn until_the_end(mut self) -> Course {
        let mut plan_at = Some(self.now);
        loop {
            if plan_at.is_some_and(|at| at <= self.now) {
                plan_at = self.plan_all();
            }
            self.complete();
            if self.target().done {
                break;
            }
            let next = self.agenda.first().map(|(at, _)| *at);
            let Some(at) = [next, plan_at].into_iter().flatten().min().filter(|at| *at < self.scene.until) else {
                break;
            };
            self.now = self.now.max(at);
            if self.happen() {
                plan_at = Some(self.now);
            }
        }
        self.result()
    }

    fn target(&self) -> &Dialer<'a> {
        let target = self.dialers.iter().find(|dialer| dialer.id() == self.scene.target);
        target.unwrap_or(&self.dialers[0])
    }

    fn result(mut self) -> Course {
        let place = self.dialers.iter().position(|dialer| dialer.id() == self.scene.target).unwrap_or(0);
        // Whoever was not called by now expires in the end.
        let expired = self.dialers[place].people.expire(self.scene.until);
        self.dialers[place].course.expired += expired;
        let target = &self.dialers[place];
        let waiting = target.people.waiting();
        // Nothing more happens before the horizon.
        let never = || target.never_opens(self.horizon());
        let why = match () {
            () if waiting == 0 => None,
            () if target.calls_left == Some(0) => Some(Left::CallsMade),
            () if target.is_over(self.now) || never() => Some(Left::HoursOver),
            () if target.has_no_channel(&self.scene.trunks) => Some(Left::NoChannel),
            () => Some(Left::NotByThen),
        };
        let mut course = self.dialers.swap_remove(place).course;
        // Whoever is in a call at the very end of the forecast waits, too.
        let up = self.calls.iter().enumerate().filter(|(at, call)| call.dialer == place && !self.vacant.contains(at));
        course.left = waiting + up.count() as u64;
        course.left_by = if course.left > 0 { why.or(Some(Left::NotByThen)) } else { None };
        course
    }

    /// What happens by now. Whether there may be more to plan.
    fn happen(&mut self) -> bool {
        let mut more = false;
        while let Some((at, happening)) = self.agenda.first().copied().filter(|(at, _)| *at <= self.now) {
            self.agenda.pop_first();
            match happening {
                Happening::Begins { call } => self.dialers[self.calls[call].dialer].begin(at),
                Happening::Ends { call } => more |= self.end(call),
            }
        }
        more
    }

    /// Plans all there is, and says when to look again.
    fn plan_all(&mut self) -> Option<UtcMs> {
        loop {
            for dialer in &mut self.dialers {
                dialer.course.expired += dialer.people.expire(self.now);
            }
            let running = self.dialers.iter().filter(|dialer| dialer.runs()).map(|dialer| &dialer.standing.campaign);
            self.sharing.newcomers(running, self.now);
            let snapshot = self.snapshot();
            let mut plan = plan(&snapshot);
            let given = self.give_way(&snapshot, &mut plan);
            let starved = sharing::starved(&snapshot, &plan);
            let full = plan.calls.len() >= CALLS_PER_PLAN as usize;
            let Plan { calls, waiting, wake_at } = plan;
            let for_a_tick = waiting.iter().any(|one| matches!(one.why, Why::NoSlot { .. } | Why::CampaignPace { .. }));
            let idle = calls.is_empty() && self.open == 0 && !for_a_tick;
            self.carry_out(calls, &snapshot);
            if !given.is_empty() {
                self.sharing.note_given_way(self.now);
                self.withdraw(given);
                continue;
            }
            if full || self.make_room(&starved, &snapshot) {
                continue;
            }
            let tick = snapshot.horizon.plus_ms(-TICK_AHEAD_MS).max(self.now.plus_ms(1));
            // Where nothing is up and nothing could be planned, the ticks before `wake_at` bring nothing either.
            return if idle { wake_at } else { [wake_at, Some(tick)].into_iter().flatten().min() };
        }
    }

    /// Whether a look may find that calls of one campaign are to be taken back for another. The daemon looks whenever
    /// a call ends; a run of many calls need not.
    fn may_take_back(&self) -> bool {
        let from = self.now.plus_ms(SHARED_AFTER_MS + 1);
        let runs: Vec<_> = self.dialers.iter().filter(|dialer| !dialer.done).collect();
        let ahead: Vec<_> = runs.iter().map(|dialer| (dialer.priority(), dialer.planned_from(from))).collect();
        let waits = |place: &usize| !runs[*place].people.is_empty();
        (0..runs.len()).filter(waits).any(|place| {
            let (priority, own) = ahead[place];
            let full = |(other, calls): &(u32, usize)| match other.cmp(&priority) {
                Ordering::Less => *calls > 0,
                // The fewest of which one makes room.
                Ordering::Equal => *calls > own + 2,
                Ordering::Greater => false,
            };
            ahead.iter().any(full)
        })
    }

    /// What gives way to a higher priority, as the daemon has it.
    fn give_way(&self, snapshot: &Snapshot, plan: &mut Plan) -> Vec<AttemptId> {
        if !sharing::has_priorities(snapshot) || self.sharing.giving(self.now) == Giving::NotYet {
            return Vec::new();
        }
        sharing::give_way(snapshot, plan, self.ahead())
    }

    /// Has calls of others taken back for campaigns that may not plan ahead. Whether there were some.
    fn make_room(&mut self, starved: &[Starved], snapshot: &Snapshot) -> bool {
        if starved.is_empty() || !self.sharing.is_shared() {
            return false;
        }
        let priorities: Priorities = snapshot.campaigns.iter().map(|view| (view.id, view.priority)).collect();
        let server = (snapshot.calls_one_time, &priorities);
        let rooms = self.sharing.make_room(starved, self.ahead(), server, self.now);
        let attempts: Vec<AttemptId> = rooms.into_iter().flat_map(|room| room.attempts).collect();
        let some = !attempts.is_empty();
        self.withdraw(attempts);
        some
    }

    /// Calls that are planned and not about to begin.
    fn ahead(&self) -> Vec<Ahead> {
        let from = self.now.plus_ms(SHARED_AFTER_MS + 1);
        let later = self.agenda.range((from, Happening::Ends { call: 0 })..);
        let planned = later.filter_map(|(planned_at, happening)| match happening {
            Happening::Begins { call } => Some((*call, *planned_at)),
            Happening::Ends { .. } => None,
        });
        let ahead = planned.map(|(place, planned_at)| {
            let Call { dialer, trunk, .. } = self.calls[place];
            Ahead { attempt: AttemptId(place as i64), campaign: self.dialers[dialer].id(), trunk, planned_at }
        });
        ahead.collect()
    }

    fn withdraw(&mut self, attempts: Vec<AttemptId>) {
        for attempt in attempts {
            let place = usize::try_from(attempt.0).unwrap_or(usize::MAX);
            let call = self.calls[place];
            self.agenda.remove(&(call.start_at, Happening::Begins { call: place }));
            self.agenda.remove(&(call.ends_at, Happening::Ends { call: place }));
            if let Ok(at) = self.taken.binary_search(&(call.start_at, call.trunk)) {
                self.taken.remove(at);
            }
            self.close(place);
            self.dialers[call.dialer].withdraw(call, self.now);
        }
    }

    /// How far is planned.
    fn horizon(&self) -> UtcMs {
        pace::interval_end(self.now, self.scene.server.cron_interval_min)
    }

    fn snapshot(&mut self) -> Snapshot {
        let (now, horizon, server) = (self.now, self.horizon(), self.scene.server);
        let since = now.plus_ms(-TAKEN_MS);
        self.taken.retain(|(at, _)| *at > since);
        let ahead = self.taken.iter().filter(|(at, _)| *at > now).count();
        let slots = horizon.since_ms(now).max(0) * i64::from(server.calls_one_time) / 60_000 + 1;
        let slots = u32::try_from(slots).unwrap_or(u32::MAX).saturating_sub(u32::try_from(ahead).unwrap_or(u32::MAX));
        let files_free = server.spool_files_max.saturating_sub(self.open);
        let channels_free = server.channels_max.map_or(u32::MAX, |cap| cap.saturating_sub(self.open));
        self.capped = files_free.min(channels_free) <= slots;
        let files_free = files_free.min(CALLS_PER_PLAN);
        let trunks: Vec<TrunkView> = self.scene.trunks.iter().map(|trunk| self.trunk_view(trunk)).collect();
        let room = slots.min(files_free).min(channels_free);
        let mut order: Vec<usize> = (0..self.dialers.len()).filter(|at| !self.dialers[*at].done).collect();
        order.sort_by_key(|at| (self.dialers[*at].served_at, self.dialers[*at].id()));
        let mut campaigns = Vec::with_capacity(order.len());
        for at in order {
            let dialer = &mut self.dialers[at];
            let free = dialer.channels_free(&trunks);
            self.capped |= free <= slots;
            campaigns.push(dialer.view(room.min(free), now, horizon));
        }
        Snapshot {
            now,
            horizon,
            calls_one_time: server.calls_one_time,
            files_free,
            channels: server.channels_max,
            open: self.open,
            taken: self.taken.iter().map(|(at, _)| *at).collect(),
            trunks,
            campaigns,
            busy: HashSet::new(),
            barred: BTreeMap::new(),
        }
    }

    fn trunk_view(&self, trunk: &TrunkRules) -> TrunkView {
        let mine = self.taken.iter().filter(|(_, id)| *id == trunk.id && trunk.starts_per_second.is_some());
        TrunkView {
            id: trunk.id,
            channels: trunk.channels,
            starts_per_second: trunk.starts_per_second,
            open: self.open_over.get(&trunk.id).copied().unwrap_or(0),
            taken: mine.map(|(at, _)| *at).collect(),
            line: trunk.line,
            leave: LineLeave::All,
        }
    }

    fn carry_out(&mut self, calls: Vec<PlannedCall>, snapshot: &Snapshot) {
        for PlannedCall { campaign, contact, trunk, start_at, .. } in calls {
            let Some(place) = self.dialers.iter().position(|dialer| dialer.id() == campaign) else { continue };
            let person = usize::try_from(contact.0).unwrap_or(usize::MAX);
            let views = snapshot.campaigns.iter().filter(|view| view.id == campaign);
            let due_at = views.flat_map(|view| &view.candidates).find(|one| one.contact == contact);
            let due_at = due_at.and_then(|one| one.due_at);
            self.dialers[place].take(person, due_at, start_at);
            self.enter_call(place, (person, trunk), (start_at, due_at));
        }
        self.taken.sort_unstable();
    }

    fn enter_call(
        &mut self,
        dialer: usize,
        (person, trunk): (usize, TrunkId),
        (start_at, due_at): (UtcMs, Option<UtcMs>),
    ) {
        let one = &mut self.dialers[dialer];
        let wait_time_ms = i64::from(one.standing.campaign.retry.wait_time_s) * 1000;
        let ending = one.dice.throw(&mut self.chance, wait_time_ms);
        one.open += 1;
        self.open += 1;
        *self.open_over.entry(trunk).or_default() += 1;
        let ends_at = start_at.max(self.now).plus_ms(ending.lasts_ms().max(1));
        let call = Call { dialer, person, trunk, start_at, due_at, ending, ends_at };
        let place = self.vacant.pop().unwrap_or(self.calls.len());
        match self.calls.get_mut(place) {
            Some(vacant) => *vacant = call,
            None => self.calls.push(call),
        }
        if start_at > self.now {
            one.plan(start_at);
            self.agenda.insert((start_at, Happening::Begins { call: place }));
        } else {
            one.course.series.carry();
        }
        self.taken.push((start_at, trunk));
        self.agenda.insert((ends_at, Happening::Ends { call: place }));
    }

    /// A call is over. Whether there may be more to plan.
    fn end(&mut self, place: usize) -> bool {
        let call = self.calls[place];
        self.close(place);
        let horizon = self.horizon();
        let due_at = self.dialers[call.dialer].settle(call, self.scene.server.frequency);
        self.capped || due_at.is_some_and(|due_at| due_at < horizon) || self.may_take_back()
    }

    fn close(&mut self, place: usize) {
        let trunk = self.calls[place].trunk;
        self.vacant.push(place);
        self.open -= 1;
        self.open_over.entry(trunk).and_modify(|open| *open -= 1);
    }

    /// Campaigns that have nothing left to call, or whose end has come.
    fn complete(&mut self) {
        for dialer in self.dialers.iter_mut().filter(|dialer| !dialer.done && dialer.open == 0) {
            dialer.done = dialer.people.is_empty() || dialer.is_over(self.now);
        }
    }
}
