//! Logging, through log4rs: the daemons write where `log4rs.yaml` says, the verbs of the command line
//! write to stderr and only when asked with `-v`.

mod gathered;
mod line;

use std::fmt::Display;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use log::LevelFilter;
use log4rs::Handle;
use log4rs::append::console::{ConsoleAppender, Target};
use log4rs::config::{Appender, Config, Deserializers, Root};

use gathered::GatheredFileKind;
use line::{Line, LineKind};

use crate::domain::instant::UtcMs;

pub use gathered::{gather, let_go};

/// How soon a changed configuration is read again.
const REFRESH: Duration = Duration::from_secs(30);

/// How often it is told that lines are lost.
const TELL_EVERY_MS: i64 = 600_000;

/// The name of the fallback.
const STDERR: &str = "stderr";

/// Where a daemon logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sink {
    /// As the file says.
    Configured,
    /// To stderr, because of this; under systemd that is the journal.
    Stderr(String),
}

/// Starts a daemon's logging. Never fails: a dialer whose log cannot be written still knows what it did,
/// because the ledger does, so it goes on, logs to stderr and says why.
pub fn start(file: &Path) -> Sink {
    let sink = examine(file);
    let begun = match &sink {
        Sink::Configured => as_configured(file),
        Sink::Stderr(_) => to_stderr(LevelFilter::Info),
    };
    match (sink, begun) {
        (Sink::Stderr(why), Ok(())) => {
            log::warn!("logging to stderr: {why}");
            Sink::Stderr(why)
        }
        // Only a second call comes here; the first one's logger stays.
        (_, Err(why)) => Sink::Stderr(why),
        (Sink::Configured, Ok(())) => Sink::Configured,
    }
}

/// Starts logging for a verb of the command line: nothing without `-v`.
///
/// `verbosity` counts the `-v`: 0 none, 1 info, 2 debug, more trace.
pub fn start_verb(verbosity: u8) {
    let level = match verbosity {
        0 => return,
        1 => LevelFilter::Info,
        2 => LevelFilter::Debug,
        _ => LevelFilter::Trace,
    };
    // A logger that is already there, as in a test, may stay.
    let _ = to_stderr(level);
}

/// Whether log4rs can log as `file` says, without doing so yet. What is wrong with a part of it log4rs
/// itself tells on stderr.
#[must_use]
pub fn examine(file: &Path) -> Sink {
    let name = file.display();
    match log4rs::config::load_config_file(file, kinds()) {
        Err(error) => Sink::Stderr(format!("{name} cannot be used: {error}; mend it or set log_config")),
        Ok(config) if config.appenders().is_empty() => {
            Sink::Stderr(format!("{name} names no file that this user may write; make its folder writable"))
        }
        Ok(_) => Sink::Configured,
    }
}

fn as_configured(file: &Path) -> Result<(), String> {
    let seen = modified(file);
    let config = log4rs::config::load_config_file(file, kinds()).map_err(|e| e.to_string())?;
    let losses = Losses::default();
    let started = log4rs::config::init_config_with_err_handler(
        config,
        Box::new(move |error| losses.note(error, crate::clock::now())),
    );
    let handle = started.map_err(|e| e.to_string())?;
    let file = file.to_owned();
    let refresh = move || keep_up(&file, seen, &handle);
    // Without the thread a restart is needed for another level, and that is all.
    let _ = std::thread::Builder::new().name("log-refresh".to_owned()).spawn(refresh);
    Ok(())
}

fn modified(file: &Path) -> Option<SystemTime> {
    std::fs::metadata(file).and_then(|found| found.modified()).ok()
}

/// Reads the configuration again when it was changed.
fn keep_up(file: &Path, mut seen: Option<SystemTime>, handle: &Handle) -> ! {
    loop {
        std::thread::sleep(REFRESH);
        let now = modified(file);
        if now == seen || now.is_none() {
            continue;
        }
        seen = now;
        match log4rs::config::load_config_file(file, kinds()) {
            Ok(config) => handle.set_config(config),
            Err(error) => log::error!("{} was changed and cannot be used: {error}; it stays as it was", file.display()),
        }
    }
}

/// Lines that could not be written. A log that fails must not fill the journal instead: the first one is
/// told, and then how many there were, now and then.
#[derive(Default)]
struct Losses(Mutex<Lost>);

#[derive(Default)]
struct Lost {
    lines: u64,
    told_at: Option<UtcMs>,
}

impl Losses {
    fn note(&self, error: &impl Display, now: UtcMs) {
        if let Some(words) = self.count(error, now) {
            eprintln!("{words}");
        }
    }

    /// What is to be told of one more lost line.
    fn count(&self, error: &impl Display, now: UtcMs) -> Option<String> {
        let mut lost = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lost.lines += 1;
        let quiet = lost.told_at.is_some_and(|told_at| now.since_ms(told_at).abs() < TELL_EVERY_MS);
        if quiet {
            return None;
        }
        lost.told_at = Some(now);
        let lines = std::mem::take(&mut lost.lines);
        Some(format!(
            "campanile: the log cannot be written: {error}; {lines} line(s) lost. Calls go on, and the ledger has what \
             became of them; look for a full disk"
        ))
    }
}

/// What log4rs knows, our encoder `line`, and our file.
fn kinds() -> Deserializers {
    let mut kinds = Deserializers::default();
    kinds.insert("line", LineKind);
    kinds.insert("gathered_file", GatheredFileKind);
    kinds
}

fn to_stderr(level: LevelFilter) -> Result<(), String> {
    let console = ConsoleAppender::builder().target(Target::Stderr).encoder(Box::new(Line::default())).build();
    let config = Config::builder()
        .appender(Appender::builder().build(STDERR, Box::new(console)))
        .build(Root::builder().appender(STDERR).build(level))
        .map_err(|e| e.to_string())?;
    log4rs::init_config(config).map(|_| ()).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examined(yaml: &str) -> Sink {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("log4rs.yaml");
        std::fs::write(&file, yaml.replace("DIR", &dir.path().to_string_lossy())).unwrap();
        examine(&file)
    }

    #[test]
    fn a_file_that_can_be_written_is_used() {
        let yaml = "appenders:\n  f:\n    kind: file\n    path: DIR/x/a.log\nroot:\n  level: info\n  appenders: [f]\n";
        assert_eq!(examined(yaml), Sink::Configured);
    }

    #[test]
    fn what_cannot_be_used_falls_back_and_says_why() {
        let reason = |sink| match sink {
            Sink::Stderr(why) => why,
            Sink::Configured => "used".to_owned(),
        };
        assert!(reason(examine(Path::new("/nowhere/log4rs.yaml"))).contains("cannot be used: "));
        assert!(reason(examined("appenders: 7\n")).contains("cannot be used: "));
        let unwritable = "appenders:\n  f:\n    kind: file\n    path: /dev/null/a.log\nroot:\n  appenders: [f]\n";
        assert!(reason(examined(unwritable)).contains("no file that this user may write"));
    }

    #[test]
    fn lines_that_are_lost_are_told_once_and_then_counted() {
        let (losses, error) = (Losses::default(), "No space left on device (os error 28)");
        let told = |s: i64| losses.count(&error, UtcMs(0).plus_s(s));
        assert!(told(0).unwrap().contains("No space left on device (os error 28); 1 line(s) lost"));
        assert_eq!((1..600).filter_map(told).count(), 0);
        assert!(told(600).unwrap().contains("600 line(s) lost"));
        // A clock that was set back by a day.
        assert!(told(-86_400).is_some());
    }

    #[test]
    fn a_second_start_is_told_and_does_no_harm() {
        start_verb(0);
        let missing = Path::new("/nowhere/log4rs.yaml");
        assert!(matches!(start(missing), Sink::Stderr(why) if why.contains("/nowhere")));
        assert!(matches!(start(missing), Sink::Stderr(_)));
        start_verb(1);
    }
}
