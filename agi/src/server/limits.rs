//! A limit on everything.

use std::time::Duration;

use campanile::clock;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::protocol::Command;
use crate::session::Output;

/// How much and how long the server bears.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most gates and answered legs at once; further ones wait for a free place, reports never.
    pub sessions_max: usize,
    /// The most connections at once. Beyond it who has shown no known ticket makes room, the oldest
    /// first.
    pub connections_max: usize,
    /// The most reports that wait for a ledger that does not take them; further ones are lost, and told.
    pub reports_waiting_max: usize,
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
    /// How long calls in progress may go on after [`Stop::Finish`](super::Stop::Finish). With
    /// `farewell` and `ledger` it stays below the unit's `TimeoutStopSec`, after which systemd kills.
    pub grace: Duration,
    /// How long gates and reports may go on after that.
    pub farewell: Duration,
}

/// Open files that are never a connection's: the ledger's, the log's, the wake socket's, the runtime's.
const FILES_RESERVED: usize = 256;
/// Connections that no session may take: newcomers and reports.
const LOBBY_MIN: usize = 128;
/// The most connections beyond the sessions, whatever the file limit: each may hold some 32 KiB.
const LOBBY_MAX: usize = 16 * 1024;

impl Limits {
    /// The usual limits with room for `sessions_max` sessions, or fewer where `files` open files do not
    /// suffice.
    #[must_use]
    pub fn new(sessions_max: usize, files: usize) -> Self {
        let room = files - FILES_RESERVED.min(files / 2);
        let sessions_max = sessions_max.min(room - LOBBY_MIN.min(room / 2));
        let connections_max = room.min(sessions_max + LOBBY_MAX);
        Self {
            sessions_max,
            connections_max,
            // They count as connections, of which gates need some as well.
            reports_waiting_max: connections_max / 2,
            environment: Duration::from_secs(5),
            reply: Duration::from_secs(10),
            ledger: Duration::from_secs(10),
            sound: Duration::from_secs(3600),
            accept_pause: Duration::from_millis(100),
            grace: Duration::from_secs(60),
            farewell: Duration::from_secs(15),
        }
    }

    /// How long what follows on `output` may take; `None` when nothing follows.
    pub(super) fn patience(&self, output: &Output) -> Option<Duration> {
        match output {
            Output::Send(command) => Some(self.reply + self.runs(command)),
            Output::WaitUntil(at) => {
                let left_ms = at.since_ms(clock::now()).try_into().unwrap_or(0);
                Some(self.reply + Duration::from_millis(left_ms))
            }
            Output::Pause(pause) => Some(self.reply + *pause),
            Output::Lookup(_) | Output::Claim(_) | Output::Record(..) => Some(self.ledger),
            Output::Warn(_) | Output::Close => None,
        }
    }

    /// How long a command itself may run.
    fn runs(&self, command: &Command) -> Duration {
        match command {
            Command::WaitForDigit { timeout_ms } => Duration::from_millis((*timeout_ms).into()),
            Command::RecordFile { timeout_ms, .. } => self.reply + Duration::from_millis((*timeout_ms).into()),
            Command::StreamFile { .. } | Command::Say { .. } | Command::Exec { .. } => self.sound,
            Command::SetVariable { .. }
            | Command::SetContactVariable { .. }
            | Command::GetFullVariable { .. }
            | Command::Noop => Duration::ZERO,
        }
    }
}

/// Lets this process open as many files as the machine allows it, because each call needs a socket.
/// Returns how many that is.
pub fn raise_open_files() -> nix::Result<usize> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let files = setrlimit(Resource::RLIMIT_NOFILE, hard, hard).map_or(soft, |()| hard);
    Ok(usize::try_from(files).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_kept_in_reserve_whatever_is_configured() {
        for files in [0, 1, 64, 1024, 20_000, 65_536, usize::MAX] {
            for sessions in [1, 2_000, 100_000] {
                let limits = Limits::new(sessions, files);
                let Limits { sessions_max, connections_max, .. } = limits;
                assert!(sessions_max <= sessions && sessions_max <= connections_max, "{files} {limits:?}");
                assert!(connections_max <= files, "{files} {limits:?}");
                if files >= 1024 {
                    assert!(connections_max + FILES_RESERVED <= files, "{files} {limits:?}");
                    assert!(sessions_max + LOBBY_MIN <= connections_max, "{files} {limits:?}");
                }
            }
        }
        assert_eq!(Limits::new(100_000, 20_000).sessions_max, 19_616);
        assert_eq!(Limits::new(2_000, 65_536).sessions_max, 2_000);
    }
}
