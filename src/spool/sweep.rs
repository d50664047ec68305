//! Sweeping: files that an Asterisk began and did not live to finish.
//!
//! A later Asterisk dials such a file again once its mtime is past, even with `MaxRetries: 0`
//! (asterisk.md 4.2); RetryTime gives us up to two days to come first. The gate would say no, but a
//! needless leg and a stuck attempt are no way to end.

use std::fs;
use std::io;
use std::path::Path;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;

use super::scan::{begun, read, utc};
use super::{Spool, SpoolError, SpoolName};
use crate::callfile::Begun;
use crate::domain::instant::UtcMs;

/// The Asterisk that runs now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsteriskRun {
    /// Its process id.
    pub pid: i64,
    /// When it started: the earlier of its pid file's time and of now less the age of its oldest thread. A
    /// clock that was set back leaves the first in the future, one that was set forward moves the second
    /// there; calls that go on must not look older than the Asterisk that began them.
    pub since: UtcMs,
    /// When it started, in ticks after the boot: with the pid it tells it from every other one, also from one that
    /// `core restart` put in its place.
    /// `None` where the system does not say.
    pub started_ticks: Option<i64>,
}

/// Whether the Asterisk that began a file is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// The running one began it.
    Lives,
    /// Another one runs now.
    Dead,
    /// None is seen running, or the file does not tell when it was begun.
    Unknown,
}

/// What a sweep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swept {
    /// The file of a dead Asterisk was removed.
    Removed,
    /// Not begun, or begun by an Asterisk that may live: left alone.
    Left,
    /// It is not in `outgoing`.
    Gone,
}

/// No call lasts this long, in seconds. In a container an Asterisk that finds the file of a dead one with
/// its own pid takes the call for running, and says so again and again (asterisk.md 4.2).
const HELD_S_MAX: i64 = 86_400;

/// By how much a start may look later than it was: processes tell their age in hundredths of a second.
const TOLERANCE_MS: i64 = 50;

/// Judges who began a file. A dead Asterisk needs a successor as its witness: without one, nothing is
/// concluded, because the pid file may be elsewhere or the pid namespace another.
#[must_use]
pub fn judge(begun: &Begun, running: Option<&AsteriskRun>) -> Judged {
    match (running, begun.began_at) {
        (None, _) => Judged::Unknown,
        (Some(_), Some(_)) if begun.held_s >= HELD_S_MAX => Judged::Dead,
        // After `core restart`, and in a container where every Asterisk is pid 1, the time decides.
        (Some(run), Some(began_at)) if run.pid == begun.pid => {
            if run.since.since_ms(latest(began_at)) >= TOLERANCE_MS {
                Judged::Dead
            } else {
                Judged::Lives
            }
        }
        (Some(run), None) if run.pid == begun.pid => Judged::Unknown,
        // 0 is an unreadable mark.
        (Some(_), _) if begun.pid == 0 => Judged::Unknown,
        (Some(_), _) => Judged::Dead,
    }
}

/// The latest instant of a begin: of whole seconds the rest was cut off.
fn latest(began_at: UtcMs) -> UtcMs {
    if began_at.0 % 1000 == 0 { began_at.plus_ms(999) } else { began_at }
}

/// The running Asterisk by its pid file `asterisk.pid` in `astrundir`; `None` without a pid file, or when no
/// process has that id: a crash leaves the file behind.
pub fn running_asterisk(run_dir: &Path, now: UtcMs) -> Result<Option<AsteriskRun>, SpoolError> {
    let path = run_dir.join("asterisk.pid");
    let text = match fs::read_to_string(&path) {
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(|source| SpoolError::io("read", &path, source))?,
    };
    let written = fs::metadata(&path).and_then(|found| found.modified());
    let written = utc(written.map_err(|source| SpoolError::io("look at", &path, source))?);
    let pid = text.trim().parse::<i32>().ok().filter(|pid| *pid > 0 && exists(*pid));
    Ok(pid.map(|pid| {
        let started_ticks = started_ticks(Path::new("/proc"), pid);
        let since = age_ms(started_ticks).map_or(written, |age| written.min(now.plus_ms(-age)));
        AsteriskRun { pid: i64::from(pid), since, started_ticks }
    }))
}

/// How long a program has run, by the clock that nobody sets; `None` where that is hidden.
fn age_ms(started_ticks: Option<i64>) -> Option<i64> {
    let uptime = fs::read_to_string("/proc/uptime").ok()?;
    let (seconds, hundredths) = uptime.split_whitespace().next()?.split_once('.')?;
    let up_ms = seconds.parse::<i64>().ok()? * 1000 + hundredths.parse::<i64>().ok()? * 10;
    Some((up_ms - started_ticks? * MS_PER_TICK).max(0))
}

/// Linux tells times of processes in hundredths of a second, whatever its own tick is.
const MS_PER_TICK: i64 = 10;

/// When a program started, counted from the boot in ticks: the clock does not come into it. `core restart` keeps
/// the process and its first thread, and ends all others with their calls: the oldest of these tells.
fn started_ticks(proc: &Path, pid: i32) -> Option<i64> {
    let process = proc.join(pid.to_string());
    let others = fs::read_dir(process.join("task")).ok()?.flatten();
    let others = others.filter(|thread| *thread.file_name() != *pid.to_string());
    others.filter_map(|thread| ticks(&thread.path())).min().or_else(|| ticks(&process))
}

/// When a process or a thread started.
fn ticks(task: &Path) -> Option<i64> {
    let stat = fs::read_to_string(task.join("stat")).ok()?;
    // The name in parentheses may hold anything; starttime is the 20th field behind it (proc(5)).
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// Signal 0 asks without sending; a process of somebody else refuses, and so exists.
fn exists(pid: i32) -> bool {
    matches!(kill(Pid::from_raw(pid), None), Ok(()) | Err(Errno::EPERM))
}

impl Spool {
    /// Removes a file if the Asterisk that began it is dead; looks at the file again, because it may
    /// have changed since the scan.
    pub fn sweep(&self, name: SpoolName, running: Option<&AsteriskRun>) -> Result<Swept, SpoolError> {
        let path = self.dirs.outgoing.join(name.to_string());
        let Some((file, at)) = read(&path).map_err(|source| SpoolError::io("read", &path, source))? else {
            return Ok(Swept::Gone);
        };
        if begun(&file, at.changed).is_none_or(|begun| judge(&begun, running) != Judged::Dead) {
            return Ok(Swept::Left);
        }
        match fs::remove_file(&path) {
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(Swept::Gone),
            removed => removed.map(|()| Swept::Removed).map_err(|source| SpoolError::io("sweep", &path, source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_is_said_to_run_for_a_day_is_nobodys() {
        let run = AsteriskRun { pid: 1, since: UtcMs(5_000), started_ticks: None };
        let begun = |held_s| Begun { pid: 1, began_at: Some(UtcMs(10_000)), held_s };
        assert_eq!(judge(&begun(86_399), Some(&run)), Judged::Lives);
        assert_eq!(judge(&begun(86_400), Some(&run)), Judged::Dead);
    }

    #[test]
    fn a_pid_file_from_the_future_is_not_believed_i2() {
        let dir = tempfile::tempdir().unwrap();
        let pid = std::process::id();
        fs::write(dir.path().join("asterisk.pid"), pid.to_string()).unwrap();
        let hour_ms = 3_600_000;
        let now = crate::clock::now();
        // The clock was set back by an hour after the start.
        let run = running_asterisk(dir.path(), now.plus_ms(-hour_ms)).unwrap().unwrap();
        assert!(run.since <= now.plus_ms(-hour_ms), "{run:?}");
        // Set forward: the pid file's own time is the earlier.
        let run = running_asterisk(dir.path(), now.plus_ms(24 * hour_ms)).unwrap().unwrap();
        assert!(run.since <= now.plus_ms(60_000), "{run:?}");
    }

    #[test]
    fn a_program_is_as_old_as_its_oldest_thread_but_the_first() {
        let proc = tempfile::tempdir().unwrap();
        let write = |path: &str, ticks: i64| {
            let path = proc.path().join(path);
            fs::create_dir_all(&path).unwrap();
            let before = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18";
            fs::write(path.join("stat"), format!("7 (a) b (c) {before} {ticks} 22 23\n")).unwrap();
        };
        write("7", 100);
        write("7/task/7", 100);
        assert_eq!(started_ticks(proc.path(), 7), Some(100), "with one thread, the process tells");
        write("7/task/9", 900);
        write("7/task/8", 800);
        assert_eq!(started_ticks(proc.path(), 7), Some(800), "the first thread lives through a restart");
        assert_eq!(started_ticks(proc.path(), 6), None);
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(started_ticks(Path::new("/proc"), own).is_some(), "the real one reads the same");
    }

    #[test]
    fn a_dead_asterisk_is_known_by_its_successor_only() {
        let run = |pid, since| Some(AsteriskRun { pid, since: UtcMs(since), started_ticks: None });
        let begun = |pid, began_at: Option<i64>| Begun { pid, began_at: began_at.map(UtcMs), held_s: 0 };
        for (begun, running, judged) in [
            (begun(7, Some(10_000)), None, Judged::Unknown),
            (begun(7, Some(10_000)), run(8, 20_000), Judged::Dead),
            (begun(7, None), run(8, 20_000), Judged::Dead),
            (begun(7, Some(10_000)), run(7, 5_000), Judged::Lives),
            (begun(1, Some(10_000)), run(1, 20_000), Judged::Dead),
            // The begin was at 10.0 to 10.999 s, or at 10.4 s.
            (begun(1, Some(10_000)), run(1, 11_048), Judged::Lives),
            (begun(1, Some(10_000)), run(1, 11_049), Judged::Dead),
            (begun(1, Some(10_400)), run(1, 10_449), Judged::Lives),
            (begun(1, Some(10_400)), run(1, 10_450), Judged::Dead),
            (begun(1, None), run(1, 20_000), Judged::Unknown),
            (begun(0, Some(10_000)), run(8, 20_000), Judged::Unknown),
        ] {
            assert_eq!(judge(&begun, running.as_ref()), judged, "{begun:?} {running:?}");
        }
    }
}
