//! `campanile serve`.

use std::io::ErrorKind;

use clap::Args;

use super::Global;
use super::failure::{Failure, Outcome};
use crate::daemon::lock::LockError;
use crate::daemon::{self, DaemonError};
use crate::exit::Exit;
use crate::logging;
use crate::settings::Settings;

/// Run the daemon: plan calls, hand them to Asterisk, settle what became of them.
#[derive(Debug, Args)]
#[command(after_help = "\
Runs in the foreground until SIGTERM or Ctrl-C; only one runs for each ledger. It must run as Asterisk's \
user: call files must belong to it. `campanile-agi` must run beside it, or the gate lets no call through.

SIGHUP reads the settings again: what can be applied is applied between two steps, what needs a restart \
(spool_dir, state_dir, log_config) is said in the log, and if anything is wrong with them the old ones hold.

Examples:
  sudo -u asterisk campanile serve
  systemctl start campanile campanile-agi")]
pub struct Serve {}

impl Serve {
    pub fn run(&self, global: &Global) -> Outcome {
        let loaded = Settings::load(global.config.as_deref())?;
        let _logs_somewhere = logging::start(&loaded.settings.log_config);
        loaded.warnings.iter().for_each(|warning| log::warn!("{warning}"));
        daemon::run(&loaded.settings, &|| Settings::load(global.config.as_deref())).map_err(failure)?;
        Ok(Exit::Ok)
    }
}

/// The lock is the first file that is made: without its folder it cannot be.
fn lock_exit(kind: ErrorKind) -> Exit {
    if kind == ErrorKind::NotFound { Exit::CantCreate } else { kind.into() }
}

fn failure(error: DaemonError) -> Failure {
    const MEND: &str = "`campanile doctor --no-call` looks at every folder and says what mends it";
    match error {
        DaemonError::Ledger(error) => error.into(),
        DaemonError::Lock(LockError::Unusable { ref source, .. }) => Failure::new(
            lock_exit(source.kind()),
            error.to_string(),
            "run it as Asterisk's user, and check the setting state_dir with `campanile check-config`",
        ),
        DaemonError::Lock(error) => Failure::new(Exit::TempFail, error.to_string(), "one daemon serves all campaigns"),
        DaemonError::Spool(error) => Failure::new(error.exit(), error.to_string(), MEND),
        DaemonError::Shell(error) => Failure::new(Exit::Unavailable, error.to_string(), MEND),
    }
}
