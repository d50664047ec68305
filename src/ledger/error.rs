//! What can go wrong with the ledger, for people.

use std::path::PathBuf;

use rusqlite::ErrorCode::{
    CannotOpen, DatabaseBusy, DatabaseCorrupt, DatabaseLocked, DiskFull, NotADatabase, PermissionDenied, ReadOnly,
    SystemIoFailure,
};

use crate::domain::contact::NUMBERS_MAX;
use crate::domain::name::TextRefusal;
use crate::exit::Exit;

/// A failure of the ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file cannot be opened.
    #[error("cannot open the ledger `{}`: {source}", path.display())]
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
    #[error("there is already {} {what} `{name}`", article(what))]
    Taken {
        /// The kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A contact has as many numbers as it may have.
    #[error("number `{number}` would be one more than the {NUMBERS_MAX} that a contact may have")]
    TooManyNumbers {
        /// The one too many.
        number: String,
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
    /// Its contact is not to be called any more.
    #[error("the contact of `{number}` {why}")]
    NotCallable {
        /// Its number.
        number: String,
        /// What it has or is.
        why: &'static str,
    },
    /// It need not be made callable.
    #[error("{number} {how} already")]
    CalledAnyway {
        /// The number.
        number: String,
        /// What it does.
        how: &'static str,
    },
    /// Somebody stopped all numbers of its contact.
    #[error("the contact of `{number}` has no number that was not stopped")]
    AllStopped {
        /// The one that would be called.
        number: String,
        /// The contact's campaign.
        campaign: String,
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
    /// What to do about a ledger whose file is damaged.
    pub const DAMAGED_MEND: &str = "stop both daemons, keep a copy of the file with its -wal and -shm, and restore a \
        backup, or save what can be read: sqlite3 campanile.db .recover | sqlite3 new.db";

    /// Whether trying again later can help: another process held the lock, or the disk was full.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self.code(), Some(DatabaseBusy | DatabaseLocked | DiskFull))
    }

    /// Whether the file is not, or no longer, what we wrote.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        matches!(self.code(), Some(DatabaseCorrupt | NotADatabase))
    }

    fn code(&self) -> Option<rusqlite::ErrorCode> {
        let (Self::Sqlite(error) | Self::Open { source: error, .. }) = self else { return None };
        error.sqlite_error_code()
    }

    /// How a program ends that cannot go on because of it.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            error if error.is_passing() => Exit::TempFail,
            error if matches!(error.code(), Some(CannotOpen | PermissionDenied | ReadOnly)) => Exit::CantCreate,
            Self::NewerSchema { .. } => Exit::Unavailable,
            Self::Absent { .. } => Exit::NoInput,
            Self::Taken { .. }
            | Self::InUse { .. }
            | Self::NotCallable { .. }
            | Self::TooManyNumbers { .. }
            | Self::CalledAnyway { .. }
            | Self::AllStopped { .. }
            | Self::Abandoned(_) => Exit::Failure,
            Self::Stopped => Exit::Software,
            Self::Open { .. } | Self::Corrupt { .. } | Self::NotCommitted(_) | Self::Sqlite(_) => Exit::IoErr,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn mend(&self) -> String {
        match self {
            error if error.is_passing() => {
                "try again; if it stays so, look for a full disk or a program that holds the ledger".to_owned()
            }
            error if error.is_damaged() => Self::DAMAGED_MEND.to_owned(),
            error if error.code() == Some(SystemIoFailure) => {
                "look for a full or broken disk; nothing was changed".to_owned()
            }
            Self::Open { path, .. } => format!(
                "run it as Asterisk's user (`sudo -u asterisk campanile …`), and make sure that {} exists, is theirs and \
                 is not mounted read-only",
                path.parent().unwrap_or(path).display()
            ),
            Self::NewerSchema { .. } => "install the Campanile that wrote it, or a later one".to_owned(),
            Self::Absent { what: "do-not-call list", .. } => {
                "`campanile dnc list` shows those that there are".to_owned()
            }
            Self::Absent { what, .. } => format!("`campanile {what} list` shows those that there are"),
            Self::Taken { .. } => "choose another name".to_owned(),
            Self::InUse { .. } | Self::TooManyNumbers { .. } | Self::CalledAnyway { .. } | Self::Abandoned(_) => {
                "nothing was changed".to_owned()
            }
            Self::NotCallable { .. } => "import it into another campaign, if it may be called".to_owned(),
            Self::AllStopped { number, campaign } => {
                format!("if it may be called again: campanile numbers next {campaign} {number}")
            }
            Self::Stopped => "please report this".to_owned(),
            Self::Corrupt { .. } | Self::NotCommitted(_) | Self::Sqlite(_) => {
                "nothing was changed; check the disk, and restore the ledger from a backup if it is damaged".to_owned()
            }
        }
    }

    pub(crate) fn corrupt(what: &'static str, problem: impl std::fmt::Display) -> Self {
        Self::Corrupt { what, problem: problem.to_string() }
    }

    pub(crate) fn absent(what: &'static str, name: impl Into<String>) -> Self {
        Self::Absent { what, name: name.into() }
    }
}

/// That of a kind of thing; none of them begins with the u of an hour.
fn article(what: &str) -> &'static str {
    if what.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" }
}

impl From<TextRefusal> for LedgerError {
    fn from(refusal: TextRefusal) -> Self {
        Self::corrupt("a name", refusal)
    }
}
