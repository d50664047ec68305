//! A limit on everything.

use std::time::Duration;

use campanile::domain::instant::UtcMs;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::protocol::Command;
use crate::session::Output;

/// How much and how long the server bears.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most sessions at once; further connections wait in the backlog.
    pub sessions_max: usize,
    /// From the connection to the end of the environment.
    pub environment: Duration,
    /// From a command to its reply, beyond what the command itself may take.
    pub reply: Duration,
    /// From a question to the ledger to its answer.
    pub ledger: Duration,
    /// The longest sound.
    pub sound: Duration,
    /// The pause after a failed accept.
    pub accept_pause: Duration,
    /// How long calls in progress may go on after [`Stop::Finish`](super::Stop::Finish); below the
    /// 90 seconds after which systemd kills.
    pub grace: Duration,
}

impl Limits {
    /// The usual limits with room for `sessions_max` sessions.
    #[must_use]
    pub fn new(sessions_max: usize) -> Self {
        Self {
            sessions_max,
            environment: Duration::from_secs(5),
            reply: Duration::from_secs(10),
            ledger: Duration::from_secs(10),
            sound: Duration::from_secs(3600),
            accept_pause: Duration::from_millis(100),
            grace: Duration::from_secs(60),
        }
    }

    /// How long what follows on `output` may take; `None` when nothing follows.
    pub(super) fn patience(&self, output: &Output, now: UtcMs) -> Option<Duration> {
        match output {
            Output::Send(command) => Some(self.reply + self.runs(command)),
            Output::WaitUntil(at) => Some(self.reply + Duration::from_millis(at.since_ms(now).try_into().unwrap_or(0))),
            Output::Lookup(_) | Output::Claim(_) | Output::Record(..) => Some(self.ledger),
            Output::Warn(_) | Output::Close => None,
        }
    }

    /// How long a command itself may run.
    fn runs(&self, command: &Command) -> Duration {
        match command {
            Command::WaitForDigit { timeout_ms } => Duration::from_millis((*timeout_ms).into()),
            Command::StreamFile { .. } => self.sound,
            Command::SetVariable { .. } | Command::GetFullVariable { .. } | Command::Noop => Duration::ZERO,
        }
    }
}

/// Lets this process open as many files as the machine allows it: each call needs a socket, and each
/// gate a timer beside it. Returns how many that is.
pub fn raise_open_files() -> nix::Result<u64> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    Ok(hard)
}
