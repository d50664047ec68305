//! One daemon for one ledger: an advisory lock that ends with its process, however that ends.

use std::fs::{File, OpenOptions};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

/// How often the lock is tried, and the pause between.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(20);

/// Held for the life of the daemon.
#[derive(Debug)]
pub struct ServeLock(#[expect(dead_code, reason = "held, not read")] Flock<File>);

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another daemon holds it.
    #[error("another `campanile serve` runs already ({}); it was left alone", who(.pid.as_deref()))]
    Held {
        /// Its process id, as it wrote it.
        pid: Option<String>,
    },
    /// The file cannot be used.
    #[error("cannot use the lock file `{}`: {source}; the state folder must exist and belong to Asterisk's user", path.display())]
    Unusable {
        /// Where.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

fn who(pid: Option<&str>) -> String {
    pid.map_or_else(|| "its process id is not known".to_owned(), |pid| format!("process {pid}"))
}

impl ServeLock {
    /// Takes the lock and writes our process id into it.
    pub fn take(path: &Path) -> Result<Self, LockError> {
        let unusable = |source| LockError::Unusable { path: path.to_owned(), source };
        let open = || OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut tries_left = TRIES;
        let mut locked = loop {
            tries_left -= 1;
            match Flock::lock(open().map_err(unusable)?, FlockArg::LockExclusiveNonblock) {
                Ok(locked) => break locked,
                // A command that looks whether we run holds a shared lock for a moment.
                Err((_, Errno::EWOULDBLOCK)) if tries_left > 0 => std::thread::sleep(PAUSE),
                Err((_, Errno::EWOULDBLOCK)) => return Err(LockError::Held { pid: holder(path) }),
                Err((_, errno)) => return Err(unusable(errno.into())),
            }
        };
        write_pid(&mut locked).map_err(unusable)?;
        Ok(Self(locked))
    }
}

fn write_pid(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn holder(path: &Path) -> Option<String> {
    let pid = std::fs::read_to_string(path).ok()?;
    let pid = pid.trim();
    (!pid.is_empty() && pid.len() < 12).then(|| pid.to_owned())
}

/// The process id of the daemon that runs on this lock file; `None` when none does.
#[must_use]
pub fn running(path: &Path) -> Option<String> {
    let file = OpenOptions::new().read(true).open(path).ok()?;
    match Flock::lock(file, FlockArg::LockSharedNonblock) {
        Err((_, Errno::EWOULDBLOCK)) => Some(holder(path).unwrap_or_else(|| "?".to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_daemon_is_refused_and_told_who_runs() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("serve.lock");
        assert_eq!(running(&path), None);
        let first = ServeLock::take(&path).unwrap();
        let refusal = ServeLock::take(&path).unwrap_err().to_string();
        assert!(refusal.contains(&std::process::id().to_string()), "{refusal}");
        assert_eq!(running(&path), Some(std::process::id().to_string()));
        drop(first);
        assert_eq!(running(&path), None);
        ServeLock::take(&path).unwrap();
    }
}
