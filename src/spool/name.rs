//! Names of our call files.

use std::ffi::OsStr;
use std::fmt;
use std::str::FromStr;

use crate::domain::ids::AttemptId;

/// `campanile-<attempt>-<8 hex digits>.call`.
///
/// The digits are the attempt's own random bits: a fresh ledger next to an old spool counts attempts
/// from 1 again, and a name must never come back (asterisk.md 2.2). They are not the ticket's, because
/// folder listings are no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpoolName {
    attempt: AttemptId,
    salt: u32,
}

/// A file name that is not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a name of a Campanile call file")]
pub struct ForeignName;

impl SpoolName {
    /// The most bytes of a name: 10 + 19 + 1 + 8 + 5.
    pub const BYTES_MAX: usize = 43;

    /// The name of an attempt's file. `salt` must be random and is kept with the attempt.
    #[must_use]
    pub fn new(attempt: AttemptId, salt: u32) -> Self {
        Self { attempt, salt }
    }

    /// Whose file it is.
    #[must_use]
    pub fn attempt(self) -> AttemptId {
        self.attempt
    }

    /// The random part.
    #[must_use]
    pub fn salt(self) -> u32 {
        self.salt
    }

    /// The name of a folder entry, if it is ours.
    pub(super) fn of_entry(entry: &OsStr) -> Option<Self> {
        entry.to_str()?.parse().ok()
    }
}

impl fmt::Display for SpoolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "campanile-{}-{:08x}.call", self.attempt, self.salt)
    }
}

impl FromStr for SpoolName {
    type Err = ForeignName;

    fn from_str(text: &str) -> Result<Self, ForeignName> {
        let parts = text.strip_prefix("campanile-").and_then(|rest| rest.strip_suffix(".call"));
        let (attempt, salt) = parts.and_then(|rest| rest.split_once('-')).ok_or(ForeignName)?;
        let attempt = attempt.parse().map_err(|_| ForeignName)?;
        let salt = u32::from_str_radix(salt, 16).map_err(|_| ForeignName)?;
        let name = Self { attempt: AttemptId(attempt), salt };
        // One spelling only: no leading zeros, signs or capitals.
        if name.to_string() == text { Ok(name) } else { Err(ForeignName) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_as_written() {
        for (attempt, salt) in [(1, 0), (i64::MAX, u32::MAX), (42, 0xbeef)] {
            let name = SpoolName::new(AttemptId(attempt), salt);
            assert_eq!(name.to_string().parse(), Ok(name));
            assert!(name.to_string().len() <= SpoolName::BYTES_MAX);
        }
        assert_eq!(SpoolName::new(AttemptId(42), 0xbeef).to_string(), "campanile-42-0000beef.call");
    }

    #[test]
    fn other_names_are_foreign() {
        for text in [
            "",
            "1.call",
            "campanile-1.call",
            "campanile-1-0000beef",
            "campanile-1-beef.call",
            "campanile-01-0000beef.call",
            "campanile-+1-0000beef.call",
            "campanile-1-0000BEEF.call",
            "campanile-1-+000beef.call",
            "campanile-1-0000beef.call~",
            ".campanile-1-0000beef.call",
            "campanile-99999999999999999999-0000beef.call",
        ] {
            assert_eq!(text.parse::<SpoolName>(), Err(ForeignName), "{text}");
        }
    }
}
