//! The world: a clock that jumps from one happening to the next, and all that runs in it.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::rc::Rc;

use campanile::callfile::{DEFAULT_TEMPLATE, Template};
use campanile::daemon::engine::{Engine, EngineLimits};
use campanile::daemon::event::Event;
use campanile::domain::bar::FrequencyCap;
use campanile::domain::instant::UtcMs;
use campanile::domain::plan::{TICK_AHEAD_MS, pace};
use campanile::domain::zoning::LegalRules;
use campanile::ledger::{Db, Ledger, Result as LedgerResult};
use campanile::spool::Acquaintance;
use campanile::wake::Change;

use crate::agi::{Fastagi, Heard};
use crate::asterisk::{Asterisk, CallStep};
use crate::chance::Chance;
use crate::disk::{self, ProcessId};
use crate::folders::{Folders, Killed, Port};
use crate::lines::Lines;
use crate::lulls::Lulls;
use crate::operators::Operators;
use crate::plagues::{Plague, Plagues};
use crate::record::Record;

/// More steps than this without the clock moving is an engine that spins.
const STEPS_AT_ONE_INSTANT_MAX: u32 = 60;
/// How much of the past is shown when a seed fails.
const TRACE_LINES: usize = 60;
/// How often the daemon's loop looks at the ledger's change counter.
const BACKSTOP_MS: i64 = 1_000;
/// The ledger, on the simulated disk.
const LEDGER: &str = "/simulated/campanile.db";
/// How often the file system writes its folders to the disk.
const DISK_MS: i64 = 5_000;

#[derive(Debug, Clone)]
pub enum Happening {
    Call {
        call: u64,
        life: u32,
        step: CallStep,
    },
    Talk {
        talk: u64,
        life: u32,
        heard: Heard,
    },
    AsteriskStarts,
    AsteriskLooks {
        life: u32,
    },
    FastagiStarts,
    DaemonStarts,
    Backstop,
    Disk,
    /// Somebody who overheard a ticket shows it at the gate.
    Overheard(String),
    Plague(Plague),
    PlagueEnds(Plague),
    Operator,
}

pub struct World {
    pub chance: Chance,
    pub mono_ms: i64,
    /// What the wall clock shows at the beginning, plus all its steps.
    pub wall_offset_ms: i64,
    /// Counts the steps of the clock.
    pub epoch: u32,
    pub limits: EngineLimits,
    pub lulls: Lulls,
    /// As commands have it, and whoever looks on.
    pub ledger: Ledger,
    commands: ProcessId,
    processes: ProcessId,
    pub folders: Rc<RefCell<Folders>>,
    pub asterisk: Asterisk,
    pub fastagi: Fastagi,
    pub operators: Operators,
    pub lines: Lines,
    pub plagues: Plagues,
    pub record: Record,
    pub engine: Option<Engine<Port, Chance>>,
    pub daemon: ProcessId,
    pub inbox: Vec<Event>,
    wake_at: Option<UtcMs>,
    seen: Option<i64>,
    next_tick: UtcMs,
    agenda: BTreeMap<(i64, u64), Happening>,
    pub happenings: u64,
    pub steps: u64,
    pub failed_steps: u32,
    steps_here: (i64, u32),
    trace: VecDeque<String>,
    /// Of all trace lines: two runs of one seed have the same.
    pub hash: u64,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let wall_offset_ms = beginning(&mut chance).0;
        let lulls = Lulls::draw(&mut chance, UtcMs(wall_offset_ms));
        let limits = EngineLimits {
            calls_one_time: *chance.one_of(&[10, 60, 300]),
            cron_interval: *chance.one_of(&[1, 1, 5]),
            // Drawn apart, so that the seeds of before draw what they drew.
            channels_max: *Chance::new(!seed).one_of(&[None, None, Some(3)]),
            spool_files_max: *chance.one_of(&[1000, 1000, 7]),
            archive_keep_days: *chance.one_of(&[0, 0, 0, 1]),
            frequency: *chance.one_of(&[None, None, FrequencyCap::of(2, 1)]),
            legal: if chance.per_mille(600) { lulls.rules() } else { LegalRules::NONE },
        };
        let mut world = Self {
            mono_ms: 0,
            wall_offset_ms,
            lulls,
            epoch: 0,
            limits,
            ledger: open_ledger(1).unwrap(),
            commands: 1,
            processes: 2,
            folders: Rc::default(),
            asterisk: Asterisk::new(&mut chance),
            fastagi: Fastagi::new(2, open_ledger(2).unwrap()),
            operators: Operators::default(),
            lines: Lines::default(),
            plagues: Plagues::draw(&mut chance),
            record: Record::default(),
            engine: None,
            daemon: 0,
            inbox: Vec::new(),
            wake_at: None,
            seen: None,
            next_tick: UtcMs(0),
            agenda: BTreeMap::new(),
            happenings: 0,
            steps: 0,
            failed_steps: 0,
            steps_here: (0, 0),
            trace: VecDeque::new(),
            hash: 0xcbf2_9ce4_8422_2325,
            chance,
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        self.set_up();
        self.next_tick = self.tick_after(self.now());
        self.start_asterisk();
        self.serve();
        self.after(DISK_MS, Happening::Disk);
        self.after(1_000, Happening::Operator);
        self.begin_plagues();
    }

    /// What the wall clock shows.
    pub fn now(&self) -> UtcMs {
        UtcMs(self.wall_offset_ms + self.mono_ms)
    }

    fn mono_of(&self, wall: UtcMs) -> i64 {
        wall.0 - self.wall_offset_ms
    }

    fn tick_after(&self, at: UtcMs) -> UtcMs {
        pace::interval_end(at, self.limits.cron_interval).plus_ms(-TICK_AHEAD_MS)
    }

    pub fn step_clock(&mut self, ms: i64) {
        self.wall_offset_ms += ms;
        self.epoch += 1;
        self.next_tick = self.tick_after(self.now());
        self.show_asterisk();
        self.say(|w| format!("the clock steps by {ms} ms to {}", w.now()));
    }

    pub fn after(&mut self, ms: i64, happening: Happening) {
        self.happenings += 1;
        self.agenda.insert((self.mono_ms + ms.max(0), self.happenings), happening);
    }

    pub fn say(&mut self, line: impl FnOnce(&Self) -> String) {
        let line = format!("{:>9} {}", self.mono_ms, line(self));
        for byte in line.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
        if self.trace.len() == TRACE_LINES {
            self.trace.pop_front();
        }
        self.trace.push_back(line);
    }

    pub fn trace(&self) -> String {
        self.trace.iter().map(|line| format!("{line}\n")).collect()
    }

    /// A command: one transaction, and a wake-up. `None` when the ledger refused, as it may.
    pub fn command<T>(&mut self, verbs: impl FnOnce(&Db) -> LedgerResult<T>) -> Option<T> {
        if self.operators.in_doubt {
            self.believe_the_ledger();
        }
        let synced = || disk::with(|disk| disk.syncs);
        let before = synced();
        match self.ledger.write(|db| verbs(db)) {
            Ok(done) => {
                // One that changes nothing syncs nothing.
                self.operators.in_doubt &= synced() == before;
                self.wake(Change::Command);
                Some(done)
            }
            Err(error) => {
                // It has not happened; but its pages may be in the log, for a recovery to find.
                self.operators.in_doubt = true;
                self.say(|_| format!("operator: refused: {error}"));
                None
            }
        }
    }

    /// A wake-up that may get lost.
    pub fn wake(&mut self, change: Change) {
        if !self.plagues.loses_wake_ups || self.chance.per_mille(700) {
            self.hear(Event::Changed(change));
        } else {
            let ms = self.chance.between(0, BACKSTOP_MS);
            self.after(ms, Happening::Backstop);
        }
    }

    /// A process that was never there before.
    pub fn new_process(&mut self) -> ProcessId {
        self.processes += 1;
        self.processes
    }

    /// Nobody has the ledger open any more: whoever opens it next recovers it from its log (I8).
    pub fn recover_ledger(&mut self) {
        disk::with(|disk| {
            disk.kill(self.commands);
            // Whoever held the lock is dead, too.
            disk.locked = false;
        });
        self.commands = self.new_process();
        self.ledger = open_ledger(self.commands).expect("what was committed can be opened");
        self.check_acknowledged();
    }

    pub fn hear(&mut self, event: Event) {
        if self.engine.is_some() {
            self.inbox.push(event);
        }
    }

    // The daemon.

    pub fn serve(&mut self) {
        let template = Template::parse(DEFAULT_TEMPLATE.as_bytes()).unwrap();
        self.daemon = self.new_process();
        let port =
            Port { folders: Rc::clone(&self.folders), template, process: self.daemon, known: Acquaintance::default() };
        let ledger = match open_ledger(self.daemon) {
            Ok(ledger) => ledger,
            Err(error) => {
                self.say(|_| format!("the daemon cannot start: {error}"));
                return self.after(1_000, Happening::DaemonStarts);
            }
        };
        self.engine = Some(Engine::new(ledger, port, self.chance.fork(), self.limits.clone()));
        self.inbox.clear();
        self.wake_at = Some(self.now());
        self.say(|_| "the daemon starts".to_owned());
    }

    pub fn kill_daemon(&mut self) {
        disk::with(|disk| disk.kill(self.daemon));
        self.engine = None;
        self.folders.borrow_mut().kill = None;
        self.say(|_| "the daemon is killed".to_owned());
    }

    fn step(&mut self) {
        let (now, events) = (self.now(), std::mem::take(&mut self.inbox));
        let Some(engine) = &mut self.engine else { return };
        self.steps += 1;
        let stepped = catch_unwind(AssertUnwindSafe(|| engine.step(now, &events)));
        self.seen = engine.ledger().changes_by_others().ok();
        self.refuse_to_spin();
        match stepped {
            Ok(_) if disk::with(|disk| disk.is_dead(self.daemon)) => self.daemon_is_dead(),
            Ok(Ok(wake_at)) => {
                self.wake_at = wake_at;
                self.failed_steps = 0;
            }
            Ok(Err(error)) => {
                self.failed_steps += 1;
                self.say(|_| format!("a step failed: {error}"));
                self.wake_at = Some(now.plus_ms(1_000));
            }
            Err(death) if death.is::<Killed>() => self.daemon_is_dead(),
            Err(bug) => resume_unwind(bug),
        }
        self.say(|w| format!("a step for {events:?}; next {:?}", w.wake_at.map(|t| t.since_ms(w.now()))));
        self.asterisk_hears();
        self.check_ledger();
    }

    fn daemon_is_dead(&mut self) {
        self.kill_daemon();
        let down_ms = self.chance.between(0, 40_000);
        self.after(down_ms, Happening::DaemonStarts);
    }

    fn refuse_to_spin(&mut self) {
        let (at, steps) = self.steps_here;
        self.steps_here = if at == self.mono_ms { (at, steps + 1) } else { (self.mono_ms, 1) };
        assert!(self.steps_here.1 <= STEPS_AT_ONE_INSTANT_MAX, "the engine spins at {}", self.now());
    }

    /// The loop's backstop: a commit of somebody else whose wake-up got lost.
    fn backstop(&mut self) {
        let changes = self.engine.as_ref().and_then(|engine| engine.ledger().changes_by_others().ok());
        if self.inbox.is_empty() && changes != self.seen {
            self.hear(Event::Changed(Change::Command));
        }
        self.seen = changes;
    }

    // Time.

    /// Goes on to the next thing that happens, and lets it happen.
    pub fn turn(&mut self) {
        if !self.inbox.is_empty() {
            return self.step();
        }
        let agenda = self.agenda.keys().next().map_or(i64::MAX, |(at, _)| *at);
        let wake = self.engine.as_ref().and(self.wake_at).map_or(i64::MAX, |at| self.mono_of(at));
        let tick = self.mono_of(self.next_tick);
        let file =
            self.asterisk.next_due_s().map_or(i64::MAX, |s| self.mono_of(UtcMs(s * 1000 + self.asterisk.phase_ms)));
        let timer = self.fastagi.next_timer().map_or(i64::MAX, |at| self.mono_of(at));
        let next = agenda.min(wake).min(tick).min(file).min(timer);
        self.mono_ms = self.mono_ms.max(next);
        if next == agenda {
            let Some((_, happening)) = self.agenda.pop_first() else { return };
            self.happen(happening);
        } else if next == timer {
            self.ring_timers();
        } else if next == file {
            self.begin_due_files();
        } else if next == tick {
            self.next_tick = self.tick_after(self.now().plus_ms(1));
            self.hear(Event::Tick);
        } else {
            self.step();
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Call { call, life, step } if life == self.asterisk.life => self.call_goes_on(call, step),
            Happening::Talk { talk, life, heard } if life == self.fastagi.life => self.talk_goes_on(talk, heard),
            Happening::AsteriskLooks { life } if life == self.asterisk.life => self.read_spool(),
            Happening::Call { .. } | Happening::Talk { .. } | Happening::AsteriskLooks { .. } => {}
            Happening::AsteriskStarts => self.start_asterisk(),
            Happening::FastagiStarts => self.start_fastagi(),
            Happening::DaemonStarts if self.engine.is_none() => self.serve(),
            Happening::DaemonStarts => {}
            Happening::Backstop => self.backstop(),
            Happening::Disk => {
                self.folders.borrow_mut().reach_disk();
                if !self.plagues.over {
                    self.after(DISK_MS, Happening::Disk);
                }
            }
            Happening::Overheard(ticket) => self.show_ticket(&ticket),
            Happening::Plague(plague) => self.strike(plague),
            Happening::PlagueEnds(plague) => self.relieve(plague),
            Happening::Operator => self.operate(),
        }
    }
}

/// The ledger as this process has it open.
pub fn open_ledger(process: ProcessId) -> LedgerResult<Ledger> {
    disk::with(|disk| disk.enter(process));
    Ledger::open(Path::new(LEDGER))
}

/// Any instant of a year; often one before the clocks change.
fn beginning(chance: &mut Chance) -> UtcMs {
    let spring_forward = 1_774_745_400_000; // 2026-03-29T00:50:00Z
    let fall_back = 1_792_889_400_000; // 2026-10-25T00:50:00Z
    match chance.below(4) {
        0 => UtcMs(spring_forward + chance.below(600_000)),
        1 => UtcMs(fall_back + chance.below(600_000)),
        _ => UtcMs(1_767_225_600_000 + chance.below(365 * 86_400_000)),
    }
}
