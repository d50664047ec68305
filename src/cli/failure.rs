//! How a verb fails: what is wrong, what to do about it, and the exit code.

use std::fmt::Write as _;
use std::io;

use crate::exit::Exit;
use crate::ledger::LedgerError;
use crate::settings::Problems;

/// What every verb returns: how the program is to end.
pub type Outcome = std::result::Result<Exit, Failure>;
/// What parts of a verb return.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a verb did not do what it was told.
#[derive(Debug)]
pub enum Failure {
    /// To be told to people.
    Told {
        /// The exit code.
        exit: Exit,
        /// What is wrong, in one line or more.
        what: String,
        /// What to do about it.
        mend: String,
    },
    /// Nobody reads our output any more (`campanile report x | head`): not a fault of anybody.
    OutputClosed,
}

impl Failure {
    /// A failure with its mend.
    pub fn new(exit: Exit, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::Told { exit, what: what.into(), mend: mend.into() }
    }

    /// The operator's role does not allow it.
    pub fn admin_only(what: &str) -> Self {
        Self::new(Exit::NoPerm, format!("only an admin may {what}"), "ask an admin, or say who acts with --as")
    }

    /// A campaign that is not there, or belongs to somebody else: nobody learns which.
    pub fn no_campaign(name: &str) -> Self {
        let what = format!("there is no campaign `{name}`");
        Self::new(Exit::NoInput, what, "`campanile campaign list` shows those that you may see")
    }

    /// Says it on stderr; the exit code that follows.
    pub fn tell(&self) -> Exit {
        match self {
            Self::OutputClosed => Exit::Ok,
            Self::Told { exit, what, mend } => {
                eprint!("{}", shown(what, mend));
                *exit
            }
        }
    }
}

/// `campanile: <what>`, and what to do on the next line.
fn shown(what: &str, mend: &str) -> String {
    let mut text = format!("campanile: {what}\n");
    for line in mend.lines() {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "  {line}");
    }
    text
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self::new(error.exit(), error.to_string(), error.mend())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::OutputClosed;
        }
        Self::new(Exit::IoErr, format!("cannot write: {error}"), "look for a full disk")
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        io::Error::from(error).into()
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        let mend = format!("{problems}\n`campanile check-config` shows all settings and where each comes from");
        Self::new(problems.exit(), "the settings are wrong", mend)
    }
}
