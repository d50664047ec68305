//! How a program ends, in numbers that scripts and systemd can tell apart.

use std::process::{ExitCode, Termination};

/// The exit codes. Those from 64 on are the ones of BSD's `sysexits.h`, so that a script that knows
/// other careful programs knows ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// The answer is no, and nothing is broken: a campaign that cannot start yet, a failed check.
    Failure = 1,
    /// A check measured something beyond its limits. As monitoring plugins say it: critical.
    LimitMissed = 2,
    /// A check has nothing to judge by. As monitoring plugins say it: unknown.
    NotMeasured = 3,
    /// The command line was wrong.
    Usage = 64,
    /// Data that came in was wrong, such as a numbers file without a single number.
    DataErr = 65,
    /// A file that was named does not exist or cannot be read.
    NoInput = 66,
    /// Something that is needed does not answer: Asterisk, the daemon, the gate.
    Unavailable = 69,
    /// A fault of ours; the message asks for a report.
    Software = 70,
    /// A file or folder that is needed cannot be made or written: not permitted, or read-only.
    CantCreate = 73,
    /// Reading or writing failed: disk full, a broken disk, a ledger that is damaged.
    IoErr = 74,
    /// Not now: try again, such as when another `campanile serve` holds the lock.
    TempFail = 75,
    /// Not this user: a role that may not, or a spool that is another user's.
    NoPerm = 77,
    /// The settings are wrong; `campanile check-config` says where.
    Config = 78,
    /// Ctrl-C or SIGTERM ended it early; what it had acknowledged stays. The number is a shell's own.
    Interrupted = 130,
}

impl Exit {
    /// All of them, for the manual.
    pub const ALL: [Self; 15] = [
        Self::Ok,
        Self::Failure,
        Self::LimitMissed,
        Self::NotMeasured,
        Self::Usage,
        Self::DataErr,
        Self::NoInput,
        Self::Unavailable,
        Self::Software,
        Self::CantCreate,
        Self::IoErr,
        Self::TempFail,
        Self::NoPerm,
        Self::Config,
        Self::Interrupted,
    ];

    /// The number the operating system sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// What it says to whoever reads it in a manual.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "done",
            Self::Failure => "the answer is no, and nothing is broken",
            Self::LimitMissed => "a limit of a line check was missed",
            Self::NotMeasured => "a line check measured nothing",
            Self::Usage => "the command line was wrong",
            Self::DataErr => "data that came in was wrong",
            Self::NoInput => "a file that was named cannot be read",
            Self::Unavailable => "something that is needed does not answer",
            Self::Software => "a fault of Campanile",
            Self::CantCreate => "a file that is needed cannot be made or written",
            Self::IoErr => "reading or writing failed",
            Self::TempFail => "not now; try again",
            Self::NoPerm => "not permitted",
            Self::Config => "the settings are wrong",
            Self::Interrupted => "ended early by Ctrl-C or SIGTERM; what was acknowledged stays",
        }
    }
}

impl From<std::io::ErrorKind> for Exit {
    fn from(kind: std::io::ErrorKind) -> Self {
        match kind {
            std::io::ErrorKind::NotFound => Self::NoInput,
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => Self::CantCreate,
            _ => Self::IoErr,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_code_and_each_meaning_is_one_of_its_kind() {
        let codes: HashSet<u8> = Exit::ALL.iter().map(|e| e.code()).collect();
        let meanings: HashSet<&str> = Exit::ALL.iter().map(|e| e.meaning()).collect();
        assert_eq!((codes.len(), meanings.len()), (Exit::ALL.len(), Exit::ALL.len()));
    }

    #[test]
    fn codes_are_those_of_sysexits() {
        assert_eq!([Exit::Usage, Exit::NoInput, Exit::TempFail, Exit::Config].map(Exit::code), [64, 66, 75, 78]);
    }
}
