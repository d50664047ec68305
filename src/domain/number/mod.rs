//! Telephone numbers in one canonical form.
//!
//! [`Number::canonical`] reads a number as people, spreadsheets and word processors write it, or says
//! what is wrong with it and how to mend that; it never guesses. Everything else in Campanile holds a
//! [`Number`] and compares its text.

mod country;
mod packed;
mod reading;
mod refusal;

pub use country::{Country, UnknownCountry};
pub use packed::Packed;
pub use refusal::{NumberRefusal, SpreadsheetDamage};

use std::fmt;

use serde::{Deserialize, Serialize};

use super::trunk::ShortNumbers;

/// How numbers of one list are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberRules {
    /// The country of numbers without a country code; `None` refuses them.
    pub country: Option<Country>,
    /// Whether extensions and short codes of the local PBX are numbers here.
    pub short_numbers: ShortNumbers,
}

/// A number in canonical form: `+` and the E.164 digits, or the bare digits (with `*` and `#`) of an
/// extension or short code of the local PBX. `Debug` shows only its ends, because it names a person.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Number(String);

impl Number {
    /// Reads a number as written: `+49 (30) 1234-567`, `0049…`, `tel:+49…`, `+49 (0)30 …`, and with a
    /// country `030 1234567`; with full-width digits, any kind of blank or dash, or a spreadsheet's leading
    /// apostrophe. It is refused when no number of that country has that length, not merely because its
    /// range is new.
    ///
    /// With [`ShortNumbers::Allowed`], 2 to 6 plain digits and codes with `*` or `#` are taken as they
    /// are. Some places have national numbers that short: there, those are written with `+`.
    pub fn canonical(text: &str, rules: &NumberRules) -> Result<Self, NumberRefusal> {
        reading::read(text, rules).map(Self)
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A number that is already canonical, as the ledger gives it back; `None` when it is not of the
    /// form `\+?[0-9*#]{2,}`, or longer than 32 characters.
    #[must_use]
    pub fn from_canonical(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let dialable = digits.bytes().all(|b| b.is_ascii_digit() || b == b'*' || b == b'#');
        (dialable && digits.len() >= 2 && text.len() <= packed::CHARACTERS_MAX).then(|| Self(text.to_owned()))
    }

    /// Its country code; `None` for an extension or a short code.
    #[must_use]
    pub fn country_code(&self) -> Option<u16> {
        country::code_of(self.0.strip_prefix('+')?)
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
