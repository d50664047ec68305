//! The spool: the only file-system code near Asterisk. It publishes call files, withdraws them, finds
//! out what became of them, and watches.
//!
//! Three rules hold it together (asterisk.md 2, 4):
//!
//! 1. A file comes in whole: written elsewhere on the same file system, its mtime set, then renamed in.
//! 2. A name is never used twice: Asterisk remembers names with the instants they came with.
//! 3. A file that Asterisk has begun (`StartRetry:`) is Asterisk's alone, until that Asterisk is dead.
//!
//! Files whose names are not ours ([`SpoolName`]) are never read, touched or counted as ours. Nothing
//! here knows the ledger; what a file means for an attempt is decided elsewhere.

mod acquaintance;
mod check;
mod error;
mod name;
mod poll;
mod publish;
mod reader;
mod scan;
mod sweep;
mod watch;
mod withdraw;

use std::fs::{self, DirBuilder, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

pub use acquaintance::Acquaintance;
pub use check::{Finding, Level, check_dirs};
pub use error::SpoolError;
pub use name::{ForeignName, SpoolName};
pub use reader::asterisk_watches;
pub use scan::{FileState, Scan};
pub use sweep::{AsteriskRun, Judged, Swept, judge, running_asterisk};
pub use watch::{RescanWhy, SpoolEvent, SpoolWatch};
pub use withdraw::Withdrawn;

/// The folders; all on one file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolDirs {
    /// Asterisk watches this one.
    pub outgoing: PathBuf,
    /// Asterisk moves finished files here.
    pub done: PathBuf,
    /// We write files here before they are renamed into `outgoing`. Never inside `outgoing`.
    pub staging: PathBuf,
}

impl SpoolDirs {
    /// Below Asterisk's `astspooldir`, such as `/var/spool/asterisk`: `outgoing`, `outgoing_done`
    /// (Asterisk's names) and `campanile`.
    #[must_use]
    pub fn below(astspooldir: &Path) -> Self {
        Self {
            outgoing: astspooldir.join("outgoing"),
            done: astspooldir.join("outgoing_done"),
            staging: astspooldir.join("campanile"),
        }
    }
}

/// An opened spool: its folders exist, belong to us and share one file system.
#[derive(Debug)]
pub struct Spool {
    dirs: SpoolDirs,
}

/// Asterisk builds archive names in 256 bytes and cuts longer ones (asterisk.md 3).
const PATH_BYTES_MAX: usize = 255;

impl Spool {
    /// Opens the spool. Creates `staging` and, as Debian's package has none before the first archive,
    /// `done`; removes what a crash left in `staging`. One process may have a spool open at a time.
    ///
    /// # Errors
    /// Names the folder and the mend: no folder, another file system, another owner, a path too long.
    pub fn open(dirs: SpoolDirs) -> Result<Self, SpoolError> {
        Self::open_as(dirs, nix::unistd::geteuid().as_raw())
    }

    fn open_as(dirs: SpoolDirs, uid: u32) -> Result<Self, SpoolError> {
        let outgoing = folder(&dirs.outgoing)?;
        create_folder(&dirs.staging)?;
        create_folder(&dirs.done)?;
        check_folder(&dirs.outgoing, &outgoing, uid)?;
        for path in [&dirs.staging, &dirs.done] {
            let sibling = folder(path)?;
            if sibling.dev() != outgoing.dev() {
                return Err(SpoolError::OtherFileSystem { path: path.clone(), outgoing: dirs.outgoing });
            }
            check_folder(path, &sibling, uid)?;
        }
        publish::clear_staging(&dirs.staging)?;
        Ok(Self { dirs })
    }

    /// Its folders.
    #[must_use]
    pub fn dirs(&self) -> &SpoolDirs {
        &self.dirs
    }
}

/// Makes the folder below `astspooldir` into which `RECORD` writes: for AGI Asterisk makes none (file.c,
/// `ast_writefile`). Whether it is there already, and whose, does not matter to a spool.
pub fn make_recordings_folder(astspooldir: &Path) -> Result<(), SpoolError> {
    create_folder(&astspooldir.join("monitor"))
}

fn folder(path: &Path) -> Result<Metadata, SpoolError> {
    let found = fs::metadata(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => SpoolError::NoFolder { path: path.to_owned() },
        _ => SpoolError::io("look at", path, source),
    })?;
    if found.is_dir() { Ok(found) } else { Err(SpoolError::NoFolder { path: path.to_owned() }) }
}

fn create_folder(path: &Path) -> Result<(), SpoolError> {
    match DirBuilder::new().mode(0o750).create(path) {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => Err(SpoolError::io("create", path, source)),
        _ => Ok(()),
    }
}

/// Files of another owner would be dialled again and again: Asterisk cannot set their time, or not
/// even write to them (asterisk.md 3). So we must be who Asterisk is: the owner of its folders.
fn check_folder(path: &Path, found: &Metadata, uid: u32) -> Result<(), SpoolError> {
    if found.uid() != uid {
        return Err(SpoolError::OtherOwner { path: path.to_owned(), owner: found.uid(), us: uid });
    }
    if path.as_os_str().len() + 1 + SpoolName::BYTES_MAX > PATH_BYTES_MAX {
        return Err(SpoolError::PathTooLong { path: path.to_owned() });
    }
    let needed = nix::unistd::AccessFlags::R_OK | nix::unistd::AccessFlags::W_OK | nix::unistd::AccessFlags::X_OK;
    nix::unistd::eaccess(path, needed).map_err(|errno| SpoolError::io("write to", path, errno.into()))
}

#[cfg(test)]
mod tests;
