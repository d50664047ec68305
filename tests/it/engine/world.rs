//! A world with the real engine, a real ledger and a clock of its own: it stands still until it is told
//! to go on, jumps from one happening to the next, and holds the sums after every step (I3).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use campanile::daemon::engine::{Engine, EngineLimits};
use campanile::daemon::event::Event;
use campanile::domain::attempt::{AttemptState, Order};
use campanile::domain::calendar::{Calendar, Window, Zone};
use campanile::domain::campaign::{Campaign, CampaignState, ContactRules, Finish, Pacing, RetryRules};
use campanile::domain::disposition::Disposition;
use campanile::domain::evidence::{Evidence, Fact};
use campanile::domain::ids::{AttemptId, CampaignId, TrunkId, UserId};
use campanile::domain::instant::UtcMs;
use campanile::domain::number::Number;
use campanile::domain::outcome::OutcomeRules;
use campanile::domain::plan::{TICK_AHEAD_MS, pace};
use campanile::domain::round::RoundRules;
use campanile::domain::trunk::{ShortNumbers, TrunkLine};
use campanile::domain::user::Role;
use campanile::domain::zoning::{LegalRules, LegalSwitch};
use campanile::ledger::contacts::Counts;
use campanile::ledger::views::{AttemptRow, attempts_page};
use campanile::ledger::{Db, Ledger, Result as LedgerResult, attempts, campaigns, contacts, evidence, trunks, users};
use campanile::spool::SpoolName;
use campanile::wake::Change;

use super::asterisk::{Asterisk, Fate, Happening};
use super::folder::{File, Killed, Moment, Seeded, SimSpool};

/// 2026-03-01T12:00:00Z, a Sunday.
pub const NOON: UtcMs = UtcMs(1_772_366_400_000);

/// More steps than this without the clock moving is an engine that spins.
const STEPS_AT_ONE_INSTANT_MAX: u32 = 20;

pub const LIMITS: EngineLimits = EngineLimits {
    calls_one_time: 10,
    cron_interval: 1,
    spool_files_max: 1000,
    archive_keep_days: 0,
    frequency: None,
    legal: LegalRules::NONE,
};

/// A call that reached the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialled {
    pub attempt: AttemptId,
    pub number: Number,
    pub trunk: TrunkId,
    pub at: UtcMs,
}

/// Whether the engine hears of what happens in the spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    Hears,
    /// Events get lost.
    Deaf,
}

pub struct World {
    pub now: UtcMs,
    pub limits: EngineLimits,
    pub spool: SimSpool,
    /// The ledger as commands and the FastAGI server open it.
    pub ledger: Ledger,
    pub asterisk: Asterisk,
    pub watch: Watch,
    pub dialled: Vec<Dialled>,
    pub up: HashMap<Number, AttemptId>,
    pub deaths: u32,
    /// What steps failed with.
    pub failures: Vec<String>,
    engine: Option<Engine<SimSpool, Seeded>>,
    seed: u64,
    path: PathBuf,
    pub trunk: TrunkId,
    pub owner: UserId,
    fates: HashMap<Number, Vec<Fate>>,
    agenda: BTreeMap<(UtcMs, u64), Happening>,
    happenings: u64,
    known: BTreeSet<SpoolName>,
    inbox: Vec<Event>,
    wake_at: Option<UtcMs>,
    next_tick: UtcMs,
    steps_here: u32,
    _dir: tempfile::TempDir,
}

pub fn number(n: u32) -> Number {
    Number::from_canonical(&format!("+44163296{n:04}")).unwrap()
}

impl World {
    pub fn new() -> Self {
        Self::with(LIMITS)
    }

    pub fn with(limits: EngineLimits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("campanile.db");
        let mut ledger = Ledger::open(&path).unwrap();
        let gateway = trunks::NewTrunk {
            name: "gw".parse().unwrap(),
            template: "PJSIP/{number}@gw".parse().unwrap(),
            channels: None,
            starts_per_second: None,
            account: None,
            short_numbers: ShortNumbers::Refused,
            breaker: None,
            line: TrunkLine::Real,
        };
        let people =
            |db: &Db| Ok((users::add(db, &"ann".parse()?, Role::User, NOON)?, trunks::add(db, &gateway, NOON)?));
        let (owner, trunk) = ledger.write(|db| people(db)).unwrap();
        let mut world = Self {
            now: NOON,
            limits,
            spool: SimSpool::default(),
            ledger,
            asterisk: Asterisk::default(),
            watch: Watch::Hears,
            dialled: Vec::new(),
            up: HashMap::new(),
            deaths: 0,
            failures: Vec::new(),
            engine: None,
            seed: 1,
            path,
            trunk,
            owner,
            fates: HashMap::new(),
            agenda: BTreeMap::new(),
            happenings: 0,
            known: BTreeSet::new(),
            inbox: Vec::new(),
            wake_at: None,
            next_tick: NOON,
            steps_here: 0,
            _dir: dir,
        };
        world.next_tick = pace::interval_end(NOON, world.limits.cron_interval).plus_ms(-TICK_AHEAD_MS);
        world.serve();
        world
    }

    /// Starts the daemon (anew); it looks at everything when the clock goes on.
    pub fn serve(&mut self) {
        self.seed += 1;
        let ledger = Ledger::open(&self.path).unwrap();
        self.engine = Some(Engine::new(ledger, self.spool.clone(), Seeded(self.seed), self.limits.clone()));
        self.inbox.clear();
        self.wake_at = Some(self.now);
    }

    /// Ends the daemon until it is started again.
    pub fn leave_daemon_down(&mut self) {
        self.engine = None;
    }

    pub fn kill_around(&mut self, effect: u32, moment: Moment) {
        let mut folder = self.spool.0.borrow_mut();
        folder.kill = Some((folder.effects + effect, moment));
    }

    // What an operator does.

    pub fn campaign(&mut self, name: &str, with: impl FnOnce(&mut Campaign)) -> CampaignId {
        let mut campaign = Campaign {
            id: CampaignId(0),
            name: name.parse().unwrap(),
            owner: self.owner,
            trunk: self.trunk,
            further_trunks: Vec::new(),
            state: CampaignState::Stopped,
            calendar: Calendar::daily(Window::ALWAYS, Zone::UTC),
            calendar_id: None,
            pacing: Pacing::default(),
            finish: Finish::default(),
            variables: Default::default(),
            traffic: Default::default(),
            retry: RetryRules { max_retries: 0, retry_time_s: 300, wait_time_s: 30 },
            outcome: OutcomeRules::default(),
            channels: None,
            caller_number: None,
            caller_name: None,
            actions: None,
            contacts: ContactRules::default(),
            legal_hours: LegalSwitch::default(),
            rounds: RoundRules::default(),
            line_check: None,
        };
        with(&mut campaign);
        self.ledger.write(|db| campaigns::add(db, &campaign, NOON)).unwrap()
    }

    pub fn import(&mut self, campaign: CampaignId, numbers: RangeInclusive<u32>) {
        self.command(|db| numbers.clone().try_for_each(|n| contacts::import(db, campaign, &number(n)).map(|_| ())));
    }

    pub fn set(&mut self, campaign: CampaignId, state: CampaignState) {
        self.command(|db| campaigns::set_state(db, campaign, state));
    }

    /// A started campaign of these numbers, without retries.
    pub fn running(&mut self, name: &str, numbers: RangeInclusive<u32>) -> CampaignId {
        self.running_with(name, numbers, |_| {})
    }

    pub fn running_with(
        &mut self,
        name: &str,
        numbers: RangeInclusive<u32>,
        with: impl FnOnce(&mut Campaign),
    ) -> CampaignId {
        let campaign = self.campaign(name, with);
        self.import(campaign, numbers);
        self.set(campaign, CampaignState::Running);
        campaign
    }

    /// A command: one transaction, and a wake-up.
    pub fn command<T>(&mut self, verbs: impl FnOnce(&Db) -> LedgerResult<T>) -> T {
        let value = self.ledger.write(|db| verbs(db)).unwrap();
        self.hear(Event::Changed(Change::Command));
        value
    }

    // What the world is to be like.

    /// How calls to this number end: the first to the first call, the last to all that follow.
    pub fn fate(&mut self, n: u32, fates: &[Fate]) {
        self.fates.insert(number(n), fates.to_vec());
    }

    pub fn fate_of(&mut self, number: &Number) -> Fate {
        match self.fates.get_mut(number) {
            None => Fate::default(),
            Some(fates) if fates.len() > 1 => fates.remove(0),
            Some(fates) => fates[0],
        }
    }

    pub fn hear(&mut self, event: Event) {
        let event = match (self.watch, event) {
            (Watch::Deaf, Event::Archived(_) | Event::Rescan) => return,
            (_, event) => event,
        };
        self.inbox.push(event);
        self.wake_at = Some(self.now);
    }

    pub fn later(&mut self, at: UtcMs, happening: Happening) {
        self.happenings += 1;
        self.agenda.insert((at.max(self.now), self.happenings), happening);
    }

    pub fn append(&mut self, attempt: AttemptId, fact: Fact) {
        let now = self.now;
        self.ledger.write(|db| evidence::append(db, attempt, &Evidence { at: now, fact })).unwrap();
        self.hear(Event::Changed(Change::Evidence));
    }

    pub fn order(&mut self, file: SpoolName) -> Order {
        let ticket = self.file(file).ticket;
        self.ledger.read(|db| attempts::order(db, &ticket)).unwrap().unwrap()
    }

    pub fn file(&self, file: SpoolName) -> File {
        self.spool.0.borrow().files[&file].clone()
    }

    /// The only file in the spool.
    pub fn the_file(&self) -> SpoolName {
        let names = self.names();
        assert_eq!(names.len(), 1, "{names:?}");
        names[0]
    }

    pub fn names(&self) -> Vec<SpoolName> {
        self.spool.0.borrow().files.keys().copied().collect()
    }

    // The clock.

    pub fn pass_s(&mut self, seconds: i64) {
        self.pass_ms(seconds * 1000);
    }

    /// Lets time pass, with everything that happens meanwhile.
    pub fn pass_ms(&mut self, ms: i64) {
        let end = self.now.plus_ms(ms);
        self.run_due();
        loop {
            let agreed = [self.agenda.keys().next().map(|(at, _)| *at), self.wake_at, Some(self.next_tick)];
            let next = agreed.into_iter().flatten().min().unwrap_or(end).max(self.now);
            if next > end {
                self.now = end;
                return;
            }
            self.move_to(next);
            self.run_due();
        }
    }

    /// Lets time pass until nothing is open and nobody is called any more, at most `hours`.
    pub fn pass_until_done(&mut self, hours: i64) {
        let end = self.now.plus_s(hours * 3600);
        while self.now < end && !self.ledger.read(|db| Ok(campaigns::running(db)?.is_empty())).unwrap() {
            self.pass_s(30);
        }
        // The archive of the last call, and what belongs to it.
        self.pass_s(60);
        assert!(self.now < end.plus_s(120), "not done after {hours} h");
    }

    /// The wall clock shows less than it did; the daemon's loop finds out, and cron's tick begins anew.
    pub fn set_back(&mut self, hours: i64) {
        self.now = self.now.plus_s(-hours * 3600);
        self.next_tick = pace::interval_end(self.now, self.limits.cron_interval).plus_ms(-TICK_AHEAD_MS);
        self.wake_at = Some(self.now);
        self.run_due();
    }

    fn move_to(&mut self, next: UtcMs) {
        if next > self.now {
            self.steps_here = 0;
        }
        self.now = next;
    }

    fn run_due(&mut self) {
        while let Some(entry) = self.agenda.first_entry() {
            if entry.key().0 > self.now {
                break;
            }
            let happening = entry.remove();
            self.happen(happening);
        }
        if self.next_tick <= self.now {
            self.next_tick = self.next_tick.plus_s(60 * i64::from(self.limits.cron_interval));
            self.hear(Event::Tick);
        }
        if self.engine.is_none() {
            self.wake_at = None;
            self.notice_files();
        }
        while self.wake_at.is_some_and(|at| at <= self.now) {
            self.step();
        }
    }

    /// One step of the engine; a killed daemon is started again at once.
    pub fn step(&mut self) {
        self.steps_here += 1;
        assert!(self.steps_here <= STEPS_AT_ONE_INSTANT_MAX, "the engine spins at {}", self.now);
        let events = std::mem::take(&mut self.inbox);
        let mut engine = self.engine.take().unwrap();
        match catch_unwind(AssertUnwindSafe(|| engine.step(self.now, &events))) {
            Err(death) => {
                assert!(death.downcast_ref::<Killed>().is_some(), "the engine panicked");
                drop(engine);
                self.deaths += 1;
                self.serve();
            }
            Ok(stepped) => {
                self.engine = Some(engine);
                let failed = stepped.map(|wake_at| self.wake_at = wake_at);
                if let Err(error) = failed {
                    self.failures.push(error.to_string());
                    self.wake_at = Some(self.now.plus_s(1));
                }
            }
        }
        self.notice_files();
        self.check();
    }

    fn notice_files(&mut self) {
        let new: Vec<_> = self.names().into_iter().filter(|name| !self.known.contains(name)).collect();
        for name in new {
            self.known.insert(name);
            self.later(self.file(name).start_at.asterisk_begins(), Happening::Due(name));
        }
    }

    /// What holds at every instant.
    fn check(&mut self) {
        let all = self.ledger.read(|db| campaigns::all(db)).unwrap();
        let mut numbers = BTreeSet::new();
        for campaign in all {
            let counts = self.counts(campaign.id);
            let rows = self.rows(campaign.id);
            let open: Vec<_> = rows.iter().filter(|row| row.state != AttemptState::Closed).collect();
            assert!(counts.in_progress <= open.len() as u64, "I3: a contact in progress has an open attempt");
            assert!(open.iter().all(|row| numbers.insert(row.number.to_string())), "I2: two open attempts");
            let closed = rows.len() - open.len();
            let ends = rows.iter().filter(|row| row.disposition.is_some()).count();
            assert_eq!(closed, ends, "I3: a closed attempt has one disposition");
            let live = open.iter().filter(|row| row.state == AttemptState::Claimed).count();
            assert!(campaign.channels.is_none_or(|cap| live <= cap as usize), "I5: channels");
        }
    }

    // What is to be seen.

    pub fn counts(&mut self, campaign: CampaignId) -> Counts {
        self.ledger.read(|db| contacts::counts(db, campaign)).unwrap()
    }

    pub fn rows(&mut self, campaign: CampaignId) -> Vec<AttemptRow> {
        self.ledger.read(|db| attempts_page(db, campaign, AttemptId(0), u32::MAX)).unwrap()
    }

    pub fn state(&mut self, campaign: CampaignId) -> CampaignState {
        self.ledger.read(|db| campaigns::get(db, campaign)).unwrap().unwrap().state
    }

    /// How the attempts of a campaign ended, in the order of planning; `None` for an open one.
    pub fn ends(&mut self, campaign: CampaignId) -> Vec<Option<Disposition>> {
        self.rows(campaign).into_iter().map(|row| row.disposition).collect()
    }

    pub fn facts(&mut self, attempt: AttemptId) -> Vec<Fact> {
        self.ledger.read(|db| evidence::of(db, attempt)).unwrap().into_iter().map(|e| e.fact).collect()
    }

    /// Why the last attempt of a campaign ended as it did.
    pub fn last_detail(&mut self, campaign: CampaignId) -> String {
        self.rows(campaign).pop().and_then(|row| row.detail).unwrap_or_default()
    }

    /// When calls were dialled, in milliseconds from noon.
    pub fn dials_ms(&self) -> Vec<i64> {
        self.dialled.iter().map(|d| d.at.since_ms(NOON)).collect()
    }

    pub fn dials_to(&self, n: u32) -> Vec<UtcMs> {
        self.dialled.iter().filter(|d| d.number == number(n)).map(|d| d.at).collect()
    }
}

/// When Asterisk begins a file.
trait Begins {
    fn asterisk_begins(self) -> UtcMs;
}

impl Begins for UtcMs {
    /// Its mtime, which counts in whole seconds: a second before the second of the start.
    fn asterisk_begins(self) -> UtcMs {
        UtcMs((self.0.div_euclid(1000) - 1) * 1000)
    }
}
