//! What can go wrong with the ledger, for people.

use std::path::PathBuf;

use crate::domain::name::TextRefusal;

/// A failure of the ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file cannot be opened.
    #[error("cannot open the ledger `{}`: {source}; both daemons and this command must run as Asterisk's user, who must own the file and its folder", path.display())]
    Open {
        /// Where.
        path: PathBuf,
        /// SQLite's reason.
        #[source]
        source: rusqlite::Error,
    },
    /// It was written by a newer Campanile.
    #[error(
        "the ledger has schema {found}, and this program knows {known}: it was written by a newer Campanile; install that version again"
    )]
    NewerSchema {
        /// In the file.
        found: i64,
        /// In this program.
        known: i64,
    },
    /// No such thing.
    #[error("there is no {what} `{name}`")]
    Absent {
        /// The kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// The name is taken.
    #[error("there is already a {what} `{name}`")]
    Taken {
        /// The kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// Something else refers to it.
    #[error("{what} `{name}` is in use by {by}")]
    InUse {
        /// The kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
        /// Who uses it.
        by: String,
    },
    /// A stored text is not of its kind.
    #[error("the ledger holds {what} that this program cannot read: {problem}")]
    Corrupt {
        /// The kind of thing.
        what: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The writer thread has ended.
    #[error("the ledger's writer has stopped")]
    Stopped,
    /// A transaction was not committed; shared by all who waited for it.
    #[error("the ledger did not commit: {0}")]
    NotCommitted(String),
    /// The caller gave up inside a transaction; nothing of it happened.
    #[error("given up, and nothing was changed: {0}")]
    Abandoned(String),
    /// SQLite's own.
    #[error("ledger: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

impl LedgerError {
    /// Whether trying again later can help: another process held the lock, or the disk was full.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull};
        let (Self::Sqlite(error) | Self::Open { source: error, .. }) = self else { return false };
        matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked | DiskFull))
    }

    pub(crate) fn corrupt(what: &'static str, problem: impl std::fmt::Display) -> Self {
        Self::Corrupt { what, problem: problem.to_string() }
    }

    pub(crate) fn absent(what: &'static str, name: impl Into<String>) -> Self {
        Self::Absent { what, name: name.into() }
    }
}

impl From<TextRefusal> for LedgerError {
    fn from(refusal: TextRefusal) -> Self {
        Self::corrupt("a name", refusal)
    }
}
