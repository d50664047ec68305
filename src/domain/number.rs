//! Telephone numbers in one canonical form.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A number in canonical form: `+` and the E.164 digits, or the bare digits (with `*` and `#`) of an
/// extension or short code of the local PBX. `Debug` shows only its ends, because it names a person.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Number(String);

impl Number {
    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A number that is already canonical, as the ledger gives it back; `None` when it is not of the
    /// form `\+?[0-9*#]{2,32}`.
    #[must_use]
    pub fn from_canonical(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let dialable = digits.bytes().all(|b| b.is_ascii_digit() || b == b'*' || b == b'#');
        (dialable && (2..=32).contains(&digits.len())).then(|| Self(text.to_owned()))
    }

    /// The number as a log may show it: the last two digits only.
    #[must_use]
    pub fn masked(&self) -> String {
        let shown = self.0.len().saturating_sub(2);
        format!("…{}", &self.0[shown..])
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Number({})", self.masked())
    }
}
