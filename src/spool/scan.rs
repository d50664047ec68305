//! Looking: what became of our files.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::SystemTime;

use nix::fcntl::OFlag;

use super::{Spool, SpoolError, SpoolName};
use crate::callfile::{Begun, CallFile, parse};
use crate::domain::evidence::ArchiveStatus;
use crate::domain::instant::UtcMs;

/// Ours have half a kilobyte; Asterisk adds some 40 bytes a mark, one each RetryTime.
const READ_BYTES_MAX: u64 = 64 * 1024;

/// How far a file came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// In `outgoing`, not begun.
    Waiting,
    /// In `outgoing`, and an Asterisk has begun it: its call runs, or that Asterisk died.
    Begun(Begun),
    /// In `outgoing_done`.
    Archived {
        /// Asterisk writes it after the move: `None` may become a status within a moment, or stay so
        /// for ever when Asterisk died in between (asterisk.md 4).
        status: Option<ArchiveStatus>,
        /// The file's mtime: the end of the call.
        ended_at: UtcMs,
    },
}

/// All of our files, and those that could not be read: of these nothing may be concluded.
#[derive(Debug, Default)]
pub struct Scan {
    /// By name; a file that moved during the scan counts as archived.
    pub files: BTreeMap<SpoolName, FileState>,
    /// Ours, and there, but unreadable.
    pub unreadable: Vec<(SpoolName, io::Error)>,
}

impl Scan {
    /// Whether an attempt's file, published before the scan began, is gone without a trace.
    #[must_use]
    pub fn is_missing(&self, name: SpoolName) -> bool {
        !self.files.contains_key(&name) && self.unreadable.iter().all(|(other, _)| *other != name)
    }
}

impl Spool {
    /// Looks at all of our files: `outgoing` first. Files only ever move from there to `outgoing_done`,
    /// so none is missed on its way; only files published after the scan began may be absent.
    pub fn scan(&self) -> Result<Scan, SpoolError> {
        let mut scan = Scan::default();
        for name in names(&self.dirs.outgoing)? {
            scan.note(name, self.look_outgoing(name));
        }
        for name in names(&self.dirs.done)? {
            scan.note(name, self.look_done(name));
        }
        Ok(scan)
    }

    /// Looks at one file; `None` when it is nowhere.
    pub fn look(&self, name: SpoolName) -> Result<Option<FileState>, SpoolError> {
        let found = match self.look_outgoing(name) {
            Ok(None) => self.look_done(name),
            found => found,
        };
        found.map_err(|source| SpoolError::io("read", &self.dirs.outgoing.join(name.to_string()), source))
    }

    fn look_outgoing(&self, name: SpoolName) -> io::Result<Option<FileState>> {
        let read = read(&self.dirs.outgoing.join(name.to_string()))?;
        Ok(read.map(|(file, at)| begun(&file, at.changed).map_or(FileState::Waiting, FileState::Begun)))
    }

    fn look_done(&self, name: SpoolName) -> io::Result<Option<FileState>> {
        let read = read(&self.dirs.done.join(name.to_string()))?;
        Ok(read.map(|(file, at)| FileState::Archived { status: file.status, ended_at: at.modified }))
    }

    /// Removes an archived file; gone already is as good.
    pub fn remove_archived(&self, name: SpoolName) -> Result<(), SpoolError> {
        let path = self.dirs.done.join(name.to_string());
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(SpoolError::io("remove", &path, source)),
            _ => Ok(()),
        }
    }

    /// Our archived files whose call ended before `instant`; reads no content.
    pub fn archived_older_than(&self, instant: UtcMs) -> Result<Vec<SpoolName>, SpoolError> {
        let mut older = Vec::new();
        for name in names(&self.dirs.done)? {
            let path = self.dirs.done.join(name.to_string());
            match fs::symlink_metadata(&path).and_then(|found| found.modified()) {
                Ok(ended_at) if utc(ended_at) < instant => older.push(name),
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(SpoolError::io("look at", &path, source));
                }
                _ => {}
            }
        }
        Ok(older)
    }
}

impl Scan {
    fn note(&mut self, name: SpoolName, found: io::Result<Option<FileState>>) {
        match found {
            Ok(Some(state)) => drop(self.files.insert(name, state)),
            Ok(None) => {}
            Err(error) => self.unreadable.push((name, error)),
        }
    }
}

/// The names of our files in a folder.
pub(super) fn names(folder: &Path) -> Result<Vec<SpoolName>, SpoolError> {
    let failed = |source| SpoolError::io("list", folder, source);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        names.extend(SpoolName::of_entry(&entry.map_err(failed)?.file_name()));
    }
    Ok(names)
}

/// What the file system says of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    pub(super) modified: UtcMs,
    /// When its content, times or rights were last changed; nobody can set it.
    pub(super) changed: UtcMs,
}

/// Who began a file, and when: Asterisk's mark is cut to seconds, and the file was last changed as it was written.
pub(super) fn begun(file: &CallFile, changed: UtcMs) -> Option<Begun> {
    let begun = file.begun()?;
    let exact = begun.began_at.filter(|at| (0..1000).contains(&changed.since_ms(*at))).map(|_| changed);
    Some(Begun { began_at: exact.or(begun.began_at), ..begun })
}

/// A call file as Asterisk would read it; `None` when it is not there.
pub(super) fn read(path: &Path) -> io::Result<Option<(CallFile, At)>> {
    // Not to wait for the other end, should somebody give our name to a pipe.
    let opened = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path);
    let file = match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let changed = UtcMs(found.ctime() * 1000 + found.ctime_nsec() / 1_000_000);
    let at = At { modified: utc(found.modified()?), changed };
    let mut bytes = Vec::new();
    file.take(READ_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(Some((parse(&bytes).file, at)))
}

/// A file's time in milliseconds, cut; instants before 1970 become 1970.
pub(super) fn utc(time: SystemTime) -> UtcMs {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UtcMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
