//! The daemon `campanile serve`: wake-ups in, one serial engine, effects out.
//!
//! ```text
//! cron tick · wake-up socket · spool watch · signals ──▶ one channel ──▶ engine thread: step, step, step
//! ```
//!
//! Nothing here decides anything: the [`engine`] looks at the ledger and the spool whatever woke it, so
//! a lost or doubled wake-up costs at most a second (the ledger's change counter is the backstop).

pub mod engine;
pub mod event;
pub mod lock;
pub mod port;
mod pulse;
mod real;
mod reload;
mod shell;

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use log::{error, info};

use self::engine::{Engine, EngineError, EngineLimits};
use self::event::Event;
use self::lock::{LockError, ServeLock};
use self::real::RealSpool;
pub use self::real::{SystemEntropy, load_template};
use self::reload::{Cron, Reload};
use self::shell::ShellError;
use crate::domain::instant::{SET_BACK_MS, UtcMs};
use crate::domain::plan::LEAD_MS;
use crate::ledger::{Ledger, LedgerError};
use crate::settings::{Loaded, Problems, Settings};
use crate::wake::Change;

/// The longest sleep of the loop: then the ledger's change counter is looked at.
const SLEEP_MS_MAX: i64 = 1_000;

/// SQLite's page cache of the engine's connection, in KiB: what a plan of some hundred calls writes stays in it until
/// the commit. The default of 2 MiB is written out and read again meanwhile.
pub const LEDGER_CACHE_KIB: u32 = 16 * 1024;

/// How long a failed step is left alone before the next.
const FAILED_STEP_PAUSE_MS: i64 = 1_000;

/// How long events are gathered before a step, so that one step and its commits serve many.
const GATHER_MS: i64 = 10;

/// The same while all that came is news of calls. Nothing waits for these but a channel's next call, and that is
/// planned further ahead than this.
const GATHER_NEWS_MS: i64 = 100;

const _: () = assert!(GATHER_NEWS_MS < LEAD_MS);

/// Why the daemon could not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// Another one runs, or the state folder is unusable.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The spool or its template.
    #[error(transparent)]
    Spool(#[from] real::SetUpError),
    /// Cron, socket, signals.
    #[error(transparent)]
    Shell(#[from] ShellError),
}

/// Runs until SIGTERM or SIGINT; on SIGHUP `read` gives the settings anew.
///
/// # Errors
/// What keeps the daemon from starting; once it runs, a failed step is logged and tried again.
pub fn run(settings: &Settings, read: &dyn Fn() -> Result<Loaded, Problems>) -> Result<(), DaemonError> {
    let _lock = ServeLock::take(&settings.serve_lock())?;
    let ledger = Ledger::open(&settings.ledger())?;
    ledger.set_cache_kib(LEDGER_CACHE_KIB)?;
    let (events, inbox) = channel();
    let spool = RealSpool::open(settings)?;
    let watch = spool.watch(events.clone())?;
    let limits = EngineLimits::of(settings);
    let (calls, interval) = (limits.calls_one_time, limits.cron_interval);
    let mut engine = Engine::new(ledger, spool, SystemEntropy, limits);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(ShellError::Signals)?;
    let cron = Cron::start(runtime.handle().clone(), settings.cron_interval, events.clone())?;
    let mut reload = Reload::new(settings, read, cron);
    let wake = {
        let _inside = runtime.enter();
        shell::bind_wake(&settings.serve_wake())?
    };
    let listening = runtime.spawn(shell::listen(wake, events));
    info!("campanile serve runs: {calls} calls a minute, interval {interval} min");
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    let ended = turn(&mut engine, &inbox, &mut reload);
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    listening.abort();
    drop((watch, reload));
    runtime.shutdown_background();
    ended
}

/// The loop: gather events, step, sleep until the next instant or event. Ends by itself only when no later
/// step could do better.
fn turn(
    engine: &mut Engine<RealSpool, SystemEntropy>,
    inbox: &Receiver<Event>,
    reload: &mut Reload<'_>,
) -> Result<(), DaemonError> {
    let mut events = Vec::new();
    let mut seen = engine.ledger().changes_by_others().ok();
    let mut trouble = Trouble::default();
    loop {
        let now = crate::clock::now();
        let stepped = match engine.step(now, &events) {
            Err(EngineError::Ledger(error)) if error.is_damaged() => {
                error!("ending: {error}; {}", error.mend());
                return Err(error.into());
            }
            stepped => stepped,
        };
        trouble.note(stepped.as_ref().err());
        let wake_at = stepped.unwrap_or_else(|_| Some(now.plus_ms(FAILED_STEP_PAUSE_MS)));
        events = wait(engine, inbox, wake_at, &mut seen);
        if events.contains(&Event::Stop) {
            return Ok(());
        }
        if was_set_back(now) {
            reload.tick_anew();
        }
        if events.contains(&Event::Reload) {
            reload.apply(engine);
        }
    }
}

/// Failed steps are tried again each second, and told once: a log that fills up is a fault of its own.
#[derive(Default)]
struct Trouble(Option<String>);

impl Trouble {
    fn note(&mut self, error: Option<&EngineError>) {
        let told = error.map(|error| match error {
            EngineError::Ledger(error) => format!("{error}; {}", error.mend()),
            error => error.to_string(),
        });
        if told == self.0 {
            return;
        }
        match &told {
            Some(problem) => error!("this step failed and is tried again each second: {problem}"),
            None => info!("the trouble is over, and all goes on"),
        }
        self.0 = told;
    }
}

/// Sleeps until an event, `wake_at`, another Asterisk, or a commit of somebody else whose wake-up got lost.
fn wait(
    engine: &mut Engine<RealSpool, SystemEntropy>,
    inbox: &Receiver<Event>,
    wake_at: Option<UtcMs>,
    seen: &mut Option<i64>,
) -> Vec<Event> {
    let began_at = crate::clock::now();
    loop {
        let mut events = gather(inbox, wake_at);
        let changes = engine.ledger().changes_by_others().ok();
        if events.is_empty() && changes != *seen {
            events.push(Event::Changed(Change::Command));
        }
        *seen = changes;
        if engine.spool_mut().another_asterisk_runs() {
            info!("Asterisk was started: what it or its forerunner left in the spool is looked at");
            events.push(Event::Rescan);
        }
        let now = crate::clock::now();
        if !events.is_empty() || wake_at.is_some_and(|t| t <= now) || was_set_back(began_at) {
            return events;
        }
    }
}

/// Waits for an event, at most until `wake_at` or for [`SLEEP_MS_MAX`]; then takes those that follow
/// within [`GATHER_MS`], or [`GATHER_NEWS_MS`], and before `wake_at`.
fn gather(inbox: &Receiver<Event>, wake_at: Option<UtcMs>) -> Vec<Event> {
    let left = wake_at.map_or(SLEEP_MS_MAX, |t| t.since_ms(crate::clock::now()).clamp(0, SLEEP_MS_MAX));
    let mut events = match inbox.recv_timeout(millis(left)) {
        Ok(first) => vec![first],
        Err(RecvTimeoutError::Timeout) => return Vec::new(),
        Err(RecvTimeoutError::Disconnected) => return vec![Event::Stop],
    };
    let began = crate::clock::now();
    let news = began.plus_ms(GATHER_NEWS_MS);
    let mut end = wake_at.map_or(news, |at| at.max(began).min(news));
    loop {
        if !events.last().is_some_and(Event::is_news) {
            end = end.min(crate::clock::now().plus_ms(GATHER_MS));
        }
        let left = end.since_ms(crate::clock::now());
        match inbox.recv_timeout(millis(left.clamp(0, GATHER_NEWS_MS))) {
            Ok(event) => events.push(event),
            Err(_) => return events,
        }
        // Also when the clock was set back meanwhile.
        if !(1..=GATHER_NEWS_MS).contains(&left) {
            return events;
        }
    }
}

/// Whether the clock shows less than it did.
fn was_set_back(seen: UtcMs) -> bool {
    seen.since_ms(crate::clock::now()) >= SET_BACK_MS
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or_default())
}
