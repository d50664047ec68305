//! One planning wake of the real engine, with 10 thousand, 1 million and 10 million waiting numbers.
//!
//! The ledgers are made by the real import, in random order, and kept in `target/bench` (`SIZES` names other sizes).
//! A second table has contacts in 21 zones, of which one sleeps, with priorities, expiries and two numbers each, in a
//! campaign that works by a calendar of ten years of holidays, beside do-not-call lists of as many numbers (`RICH_SIZES`).
//! A wake plans 1,000 calls, in plans of some hundred, each with a commit of its own. What a plan takes before its
//! commit is told apart by what the engine says of each plan in its log, right before it, and by the first file that it
//! asks for, right behind it. The spool is one of memory; what files cost is `publish`'s. Between two wakes another connection closes the calls, as in life, where the FastAGI server
//! writes all the time: what the engine's connection has cached is void.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use campanile::daemon::engine::{Engine, EngineLimits};
use campanile::daemon::event::Event;
use campanile::daemon::port::{Archived, Entropy, Found, Place, PortError, Publication, SpoolPort, Withdrawal};
use campanile::daemon::{LEDGER_CACHE_KIB, SystemEntropy};
use campanile::domain::campaign::{CampaignState, ContactState};
use campanile::domain::disposition::{Conclusion, Disposition};
use campanile::domain::instant::UtcMs;
use campanile::domain::plan::TICK_AHEAD_MS;
use campanile::domain::zoning::LegalRules;
use campanile::ledger::{Db, Ledger, Result, attempts, campaigns, contacts, settle};
use campanile::spool::SpoolName;
use campanile_bench::machine::{CAMPAIGN, Machine, done, scratch};
use campanile_bench::{Cost, Goal, median, processor_time, shown, table, wall_clock};

const CALLS: u32 = 1_000;
/// Wakes of each size; the first few only warm up.
const WAKES: usize = 24;
const WARM_UP: usize = 4;
const WORK_MS_MAX: f64 = 10.0;

/// A cron tick: a little before the minute, so that none of its slots is missed.
const FROM: UtcMs = UtcMs(1_800_000_000_000 - TICK_AHEAD_MS);

/// What the engine's world notes.
#[derive(Default)]
struct Seen {
    files: BTreeSet<SpoolName>,
    first_file: Option<Moment>,
}

/// By the clock on the wall, and in processor time of this process.
#[derive(Debug, Clone, Copy)]
struct Moment {
    wall: Instant,
    processor: Duration,
}

impl Moment {
    fn now() -> Self {
        Self { wall: wall_clock(), processor: processor_time() }
    }

    fn since(self, earlier: Self) -> Cost {
        Cost { wall: self.wall - earlier.wall, processor: self.processor.saturating_sub(earlier.processor) }
    }
}

#[derive(Clone, Default)]
struct World(Rc<RefCell<Seen>>);

impl Entropy for World {
    fn fill(&mut self, bytes: &mut [u8]) -> std::result::Result<(), PortError> {
        SystemEntropy.fill(bytes)
    }
}

/// Hears when the intents of the first plan of a wake are written, and how many they are.
struct Log;

thread_local! {
    static FIRST_PLAN: Cell<Option<(Moment, u32)>> = const { Cell::new(None) };
}

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        if record.level() == log::Level::Debug && FIRST_PLAN.get().is_none() {
            let now = Moment::now();
            let told = record.args().to_string();
            let calls = told.strip_prefix("planned ").and_then(|rest| rest.split(' ').next()?.parse().ok());
            FIRST_PLAN.set(calls.map(|calls| (now, calls)));
        }
    }

    fn flush(&self) {}
}

impl SpoolPort for World {
    fn publish(&mut self, call: &Publication) -> std::result::Result<(), PortError> {
        let mut seen = self.0.borrow_mut();
        seen.first_file.get_or_insert_with(Moment::now);
        seen.files.insert(call.file);
        Ok(())
    }

    fn withdraw(&mut self, _: SpoolName) -> std::result::Result<Withdrawal, PortError> {
        Ok(Withdrawal::Gone)
    }

    fn sweep(&mut self, _: SpoolName) -> std::result::Result<Withdrawal, PortError> {
        Ok(Withdrawal::Gone)
    }

    fn scan(&mut self) -> std::result::Result<Vec<Found>, PortError> {
        let files = &self.0.borrow().files;
        Ok(files.iter().map(|file| Found { file: *file, place: Place::Waiting }).collect())
    }

    fn archived(&mut self, _: SpoolName) -> std::result::Result<Archived, PortError> {
        Ok(Archived::NotThere)
    }

    fn remove_archived(&mut self, _: SpoolName) -> std::result::Result<(), PortError> {
        Ok(())
    }

    fn expire_archived(&mut self, _: UtcMs) -> std::result::Result<(), PortError> {
        Ok(())
    }
}

/// Where the time of a wake went.
#[derive(Debug, Clone, Copy)]
struct Wake {
    /// Before the commits, if all plans take what the first one took.
    work: Cost,
    /// The commit of the first plan.
    commit: Duration,
    whole: Cost,
}

/// A ledger with so many numbers, and an engine at work on it.
struct Size {
    numbers: u64,
    file: PathBuf,
    others: Ledger,
    engine: Engine<World, World>,
    world: World,
    now: UtcMs,
    /// Numbers that wait.
    left: u64,
    wakes: Vec<Wake>,
}

/// What contacts have beside a number.
#[derive(Debug, Clone, Copy)]
enum Contacts {
    Plain,
    Rich,
}

/// One contact in five is where it is night for all wakes.
const ASLEEP: u64 = 5;
const LEGAL_HOURS: &str = "00:00-24:00 | JP 03:00-03:01";
const ZONES: &str = "Europe/Berlin Europe/London Europe/Paris Europe/Madrid Europe/Rome Europe/Vienna Europe/Zurich \
    Europe/Warsaw Europe/Prague Europe/Budapest Europe/Athens Europe/Helsinki Europe/Stockholm Europe/Oslo \
    Europe/Dublin Europe/Lisbon Europe/Brussels Europe/Amsterdam Europe/Copenhagen Europe/Sofia";

/// Gives contacts and campaign all that a plan looks at. No number on the lists is one of theirs.
fn enrich(db: &Db) -> Result<()> {
    db.execute("INSERT INTO zone_classes (id, zones) VALUES (1000, 'Asia/Tokyo')", [])?;
    for (id, zone) in (1001..).zip(ZONES.split(' ')) {
        db.execute("INSERT INTO zone_classes (id, zones) VALUES (?1, ?2)", (id, zone))?;
    }
    let zone_class = format!("CASE WHEN id % {ASLEEP} = 0 THEN 1000 ELSE 1001 + id / {ASLEEP} % 20 END");
    let holidays: Vec<String> = (2026..2036)
        .flat_map(|year| (1..=15).map(move |day| format!("{year}-11-{day:02}")))
        .map(|day| format!(r#"{{"name":"off","first":"{day}","last":"{day}","repeats":"once"}}"#))
        .collect();
    db.execute_batch(&format!(
        "UPDATE contacts SET priority = id % 7 - 3, expires_at = 1900000000000 + id, zone_class = {zone_class};
         INSERT INTO contact_lines (contact, place, number, state) SELECT id, 1, number, 'callable' FROM contacts;
         INSERT INTO contact_lines (contact, place, number, kind, state)
             SELECT id, 2, number || '0', 'work', 'callable' FROM contacts;
         INSERT INTO dnc_entries (kind, pattern, list, source, added_at)
             SELECT 'number', '+999' || id, (SELECT id FROM dnc_lists WHERE name = 'opt-out'), 'bench', 0 FROM contacts;
         INSERT INTO calendars (name, owner, time_zone, hours, holidays, created_at)
             SELECT 'bench', id, 'Europe/Berlin', 'Mon-Sun 00:00-24:00', '[{}]', 0 FROM users LIMIT 1;
         UPDATE campaigns SET calendar = (SELECT id FROM calendars WHERE name = 'bench');",
        holidays.join(",")
    ))?;
    Ok(())
}

impl Size {
    fn new(numbers: u64, of: Contacts) -> Self {
        let made = Machine::with_waiting(numbers).ledger();
        // The ledger that was made stays as it is for the next run.
        let file = scratch().join(format!("plan-{numbers}-{of:?}.db"));
        // A log of an aborted run would be taken for the copy's own.
        remove(&file);
        done(&file, std::fs::copy(made, &file));
        let mut others = done(&file, Ledger::open(&file));
        let started = others.write(|db| {
            let campaign = campaigns::find(db, CAMPAIGN)?.map(|c| c.id);
            campaign.map_or(Ok(()), |id| campaigns::set_state(db, id, CampaignState::Running))
        });
        done(&file, started);
        if let Contacts::Rich = of {
            done(&file, others.write(|db| enrich(db)));
        }
        let (legal, left) = match of {
            Contacts::Plain => (LegalRules::NONE, numbers),
            Contacts::Rich => {
                (LEGAL_HOURS.parse().unwrap_or_else(|e| panic!("{LEGAL_HOURS}: {e}")), numbers - numbers / ASLEEP)
            }
        };
        let world = World::default();
        let limits = EngineLimits {
            calls_one_time: CALLS,
            cron_interval: 1,
            channels_max: None,
            spool_files_max: CALLS,
            archive_keep_days: 0,
            frequency: None,
            legal,
        };
        let ledger = done(&file, Ledger::open(&file));
        done(&file, ledger.set_cache_kib(LEDGER_CACHE_KIB));
        let engine = Engine::new(ledger, world.clone(), world.clone(), limits);
        Self { numbers, file, others, engine, world, now: FROM, left, wakes: Vec::new() }
    }

    fn wake(&mut self) {
        *self.world.0.borrow_mut() = Seen::default();
        FIRST_PLAN.set(None);
        self.now = self.now.plus_ms(60_000);
        let begun = Moment::now();
        let stepped = self.engine.step(self.now, &[Event::Tick]);
        let ended = Moment::now();
        done(&self.file, stepped);
        let seen = self.world.0.borrow();
        assert_eq!(seen.files.len(), CALLS as usize, "{} numbers: a wake plans all of the calls", self.numbers);
        let (Some((written, calls)), Some(first_file)) = (FIRST_PLAN.get(), seen.first_file) else {
            panic!("the engine's log tells of each plan before its commit");
        };
        let (first, plans) = (written.since(begun), CALLS / calls);
        self.wakes.push(Wake {
            work: Cost { wall: first.wall * plans, processor: first.processor * plans },
            commit: first_file.since(written).wall,
            whole: ended.since(begun),
        });
        let now = self.now.plus_ms(59_000);
        done(&self.file, self.others.write(|db| close_all(db, now)));
        self.left -= u64::from(CALLS);
        if self.left < 2 * u64::from(CALLS) {
            let again = |db: &_| campaigns::find(db, CAMPAIGN)?.map_or(Ok(0), |c| contacts::redial_failed(db, c.id));
            self.left += done(&self.file, self.others.write(|db| again(db)));
        }
    }

    fn middle(&self, of: impl Fn(&Wake) -> Duration) -> Duration {
        median(self.wakes.iter().skip(WARM_UP).map(of).collect())
    }
}

impl Drop for Size {
    fn drop(&mut self) {
        remove(&self.file);
    }
}

fn remove(ledger: &Path) {
    for ending in ["", "-wal", "-shm"] {
        let _absent = std::fs::remove_file(format!("{}{ending}", ledger.display()));
    }
}

/// Every open call was busy, and is not called again before the list is through.
fn close_all(db: &Db, now: UtcMs) -> Result<()> {
    let disposition = Disposition::Busy;
    let conclusion = Conclusion {
        disposition,
        learned: None,
        not_dialled: None,
        detail: None,
        cause: Some(17),
        sip_code: None,
        dialled_at: Some(now),
        answered_at: None,
        ended_at: now,
        ring_ms: Some(0),
        talk_ms: None,
    };
    for attempt in attempts::open(db)? {
        settle::close(db, attempt.id, &conclusion, now)?;
        if let Some(contact) = attempt.contact {
            let tally = contacts::get(db, contact)?.map(|c| c.tally).unwrap_or_default();
            contacts::settle(db, contact, ContactState::Failed, None, tally, disposition)?;
        }
    }
    Ok(())
}

fn sizes(variable: &str, default: &str) -> Vec<u64> {
    let named = std::env::var(variable).unwrap_or_else(|_| default.to_owned());
    let sizes = named.split(',').filter(|n| !n.is_empty());
    sizes.map(|n| n.parse().unwrap_or_else(|e| panic!("{variable}: {n}: {e}"))).collect()
}

pub fn run() {
    if log::set_logger(&Log).is_ok() {
        log::set_max_level(log::LevelFilter::Debug);
    }
    measure("A wake that plans", Contacts::Plain, &sizes("SIZES", "10000,1000000,10000000"));
    let rich =
        "With calendar, legal hours in 21 zones, priorities, expiries, two numbers each and lists: a wake that plans";
    measure(rich, Contacts::Rich, &sizes("RICH_SIZES", "10000,1000000"));
}

fn measure(what: &str, of: Contacts, sizes: &[u64]) {
    let mut sizes: Vec<Size> = sizes.iter().map(|numbers| Size::new(*numbers, of)).collect();
    if sizes.is_empty() {
        return;
    }
    // In turn, so that what else the machine does is shared.
    for _ in 0..WAKES {
        sizes.iter_mut().for_each(Size::wake);
    }
    let floor = sizes[0].middle(|w| w.work.wall);
    let row = |size: &Size| {
        let work = size.middle(|w| w.work.wall);
        let ratio = Goal::AtMost(1.3).cells(work.as_secs_f64() / floor.as_secs_f64());
        let in_time = Goal::AtMost(WORK_MS_MAX).cells(work.as_secs_f64() * 1e3);
        let parts = [
            work,
            size.middle(|w| w.work.processor),
            size.middle(|w| w.commit),
            size.middle(|w| w.whole.wall),
            size.middle(|w| w.whole.processor),
        ];
        let figures = [size.numbers.to_string()].into_iter().chain(parts.map(shown));
        figures.chain(ratio).chain(in_time.into_iter().skip(1)).collect()
    };
    let rows: Vec<_> = sizes.iter().map(row).collect();
    let head = [
        "waiting",
        "before the commits",
        "its processor time",
        "one commit",
        "the whole wake",
        "its processor time",
        "ratio to the smallest",
        "goal",
        "",
        "goal before the commit, ms",
        "",
    ];
    table(&format!("{what} {CALLS} calls"), &head, &rows);
}
