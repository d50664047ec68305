//! What can go wrong with the spool.

use std::io;
use std::path::{Path, PathBuf};

use super::name::SpoolName;
use crate::domain::instant::UtcMs;
use crate::exit::Exit;

/// A spool operation that failed; set-up faults end with the mend.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The file system said no.
    #[error("{doing} `{path}`")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What was said.
        #[source]
        source: io::Error,
    },
    /// Not there, or no folder.
    #[error("open the spool: `{path}` is no folder; start Asterisk once, or correct `spool_dir`")]
    NoFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A rename from there would not be one step.
    #[error("open the spool: `{path}` is on another file system than `{outgoing}`; keep both on one")]
    OtherFileSystem {
        /// The folder.
        path: PathBuf,
        /// The folder that Asterisk reads.
        outgoing: PathBuf,
    },
    /// Asterisk and we must be one user.
    #[error("open the spool: `{path}` belongs to uid {owner} and we are uid {us}; run Campanile as Asterisk's user")]
    OtherOwner {
        /// The folder.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who we are.
        us: u32,
    },
    /// Asterisk would cut the names of archived files.
    #[error("open the spool: the path `{path}` is too long for Asterisk; move the spool to a shorter one")]
    PathTooLong {
        /// The folder.
        path: PathBuf,
    },
    /// Asterisk remembers names: a second file under one would fire at the first one's instant.
    #[error("publish `{name}`: the name was used before")]
    NameTaken {
        /// The name.
        name: SpoolName,
    },
    /// Before 1970 or after 2038, where Asterisk's `int` ends.
    #[error("publish `{name}`: {start_at} is no instant that Asterisk can count")]
    StartOutOfRange {
        /// The name.
        name: SpoolName,
        /// The instant.
        start_at: UtcMs,
    },
    /// Asterisk could not write into our files.
    #[error("publish: call files would have the mode {mode:o}, and Asterisk must write into them; set UMask=0022")]
    Umask {
        /// What a file had.
        mode: u32,
    },
    /// The watch could not be set up.
    #[error("watch `{path}`: if inotify is at its limit, raise fs.inotify.max_user_watches or max_user_instances")]
    Watch {
        /// The folder.
        path: PathBuf,
        /// What the watcher said.
        #[source]
        source: notify::Error,
    },
}

impl SpoolError {
    /// How a program ends that cannot go on because of it.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Io { source, .. } => source.kind().into(),
            Self::NoFolder { .. } => Exit::NoInput,
            Self::OtherOwner { .. } => Exit::NoPerm,
            Self::OtherFileSystem { .. } | Self::PathTooLong { .. } | Self::Umask { .. } => Exit::Config,
            Self::NameTaken { .. } | Self::StartOutOfRange { .. } => Exit::Software,
            Self::Watch { .. } => Exit::Unavailable,
        }
    }

    pub(super) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { doing, path: path.to_owned(), source }
    }
}
