//! Logging, through log4rs: the daemons write where `log4rs.yaml` says, the verbs of the command line
//! write to stderr and only when asked with `-v`.

mod line;

use std::path::Path;

use log::LevelFilter;
use log4rs::append::console::{ConsoleAppender, Target};
use log4rs::config::{Appender, Config, Deserializers, Root};

use line::{Line, LineKind};

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
        Sink::Configured => log4rs::init_file(file, kinds()).map_err(|e| e.to_string()),
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

/// What log4rs knows, and our encoder `line`.
fn kinds() -> Deserializers {
    let mut kinds = Deserializers::default();
    kinds.insert("line", LineKind);
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
    fn a_second_start_is_told_and_does_no_harm() {
        start_verb(0);
        let missing = Path::new("/nowhere/log4rs.yaml");
        assert!(matches!(start(missing), Sink::Stderr(why) if why.contains("/nowhere")));
        assert!(matches!(start(missing), Sink::Stderr(_)));
        start_verb(1);
    }
}
