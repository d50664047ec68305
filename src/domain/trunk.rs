//! The line out: a dial template, its channels, its starts a second, its account code.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::breaker::BreakerRules;
use super::ids::TrunkId;
use super::name::{AccountCode, Name};
use super::number::Number;
use super::stored::{stored_as_text, worded_enum};

worded_enum! {
    /// Whether a trunk reaches extensions and short codes of the local PBX.
    pub enum ShortNumbers {
        /// Only full numbers.
        Refused = "refused",
        /// Bare digits, `*` and `#` go to this trunk as they are.
        Allowed = "allowed",
    }
}

worded_enum! {
    /// Who answers at the other end of a trunk.
    pub enum TrunkLine {
        /// People: nothing made up goes over it.
        Real = "real",
        /// A test: calls may be cancelled and last as long as a die says.
        Test = "test",
    }
}

/// A trunk as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trunk {
    /// Its row.
    pub id: TrunkId,
    /// Its name.
    pub name: Name,
    /// How a number becomes a dial string.
    pub template: DialTemplate,
    /// The most calls at once; `None` for no cap.
    pub channels: Option<u32>,
    /// The most starts in a second; `None` for no cap but the server's.
    pub starts_per_second: Option<u32>,
    /// The account code for billing.
    pub account: Option<AccountCode>,
    /// Whether extensions and short codes are allowed.
    pub short_numbers: ShortNumbers,
    /// When too many failures keep calls from it; `None` for never.
    pub breaker: Option<BreakerRules>,
    /// Whether made-up calls may go over it.
    pub line: TrunkLine,
}

/// A dial string with a place for the number: `PJSIP/{number}@gw1`, `Local/9{digits}@from-internal`.
///
/// `{number}` is the canonical number (`+493012345`), `{digits}` the same without its `+`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DialTemplate {
    text: String,
}

/// Why a dial template was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateRefusal {
    /// No `Tech/` at the start.
    #[error("a dial template starts with the channel type and a slash, such as PJSIP/{{number}}@gw1")]
    NoTechnology,
    /// Neither `{number}` nor `{digits}`, or more than one of them.
    #[error("a dial template has {{number}} or {{digits}} exactly once, where the number goes")]
    NoNumber,
    /// A character that means something to `Dial` (asterisk.md 9) or to nobody.
    #[error(
        "a dial template has no {0:?}: `&` adds a leg, `,` adds options, `$` runs code; allowed are A-Z a-z 0-9 / @ . : _ - + and one placeholder"
    )]
    Character(char),
    /// Longer than 200 characters.
    #[error("a dial template has at most 200 characters")]
    TooLong,
}

/// What `Dial` gets: a template with a number in its place.
#[derive(Clone, PartialEq, Eq)]
pub struct DialString(String);

const NUMBER: &str = "{number}";
const DIGITS: &str = "{digits}";
const PLACEHOLDERS: [&str; 2] = [NUMBER, DIGITS];

impl DialTemplate {
    /// The template as typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether its calls begin with an INVITE, which takes headers and codecs.
    #[must_use]
    pub fn is_sip(&self) -> bool {
        ["PJSIP/", "SIP/"].iter().any(|technology| self.text.starts_with(technology))
    }

    /// The dial string for a number.
    #[must_use]
    pub fn dial_string(&self, number: &Number) -> DialString {
        let canonical = number.as_str();
        let digits = canonical.strip_prefix('+').unwrap_or(canonical);
        // One of the two stands in it, once.
        let placed = self.text.split_once(NUMBER).map(|around| (around, canonical));
        let placed = placed.or_else(|| self.text.split_once(DIGITS).map(|around| (around, digits)));
        DialString(placed.map_or_else(String::new, |((before, behind), called)| [before, called, behind].concat()))
    }
}

impl DialString {
    /// The text for `Dial`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A dial string as the ledger froze it; refused when it could carry more than one leg or options.
    #[must_use]
    pub fn from_ledger(text: &str) -> Option<Self> {
        let safe = |c: char| is_template_char(c) || matches!(c, '*' | '#');
        (text.contains('/') && text.len() <= 240 && text.chars().all(safe)).then(|| Self(text.to_owned()))
    }
}

/// A dial string holds a person's number.
impl fmt::Debug for DialString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DialString(…)")
    }
}

fn is_template_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '/' | '@' | '.' | ':' | '_' | '-' | '+')
}

impl FromStr for DialTemplate {
    type Err = TemplateRefusal;

    fn from_str(text: &str) -> Result<Self, TemplateRefusal> {
        if text.len() > 200 {
            return Err(TemplateRefusal::TooLong);
        }
        let places: usize = PLACEHOLDERS.iter().map(|p| text.matches(p).count()).sum();
        let bare = PLACEHOLDERS.iter().fold(text.to_owned(), |t, p| t.replace(p, ""));
        if let Some(foreign) = bare.chars().find(|c| !is_template_char(*c)) {
            return Err(TemplateRefusal::Character(foreign));
        }
        let technology = bare.split('/').next().unwrap_or_default();
        let named = !technology.is_empty() && technology.chars().all(|c| c.is_ascii_alphanumeric());
        if !named || !bare.contains('/') {
            return Err(TemplateRefusal::NoTechnology);
        }
        if places != 1 {
            return Err(TemplateRefusal::NoNumber);
        }
        Ok(Self { text: text.to_owned() })
    }
}

stored_as_text!(DialTemplate);

impl fmt::Display for DialTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn dials(template: &str, number: &str, expected: &str) {
        let template: DialTemplate = template.parse().unwrap();
        let string = template.dial_string(&Number::from_canonical(number).unwrap());
        assert_eq!(string.as_str(), expected);
        assert!(DialString::from_ledger(string.as_str()).is_some());
    }

    #[test]
    fn a_template_puts_the_number_in_its_place() {
        dials("PJSIP/{number}@gw1", "+493012345", "PJSIP/+493012345@gw1");
        dials("PJSIP/{digits}@gw1", "+493012345", "PJSIP/493012345@gw1");
        dials("Local/9{digits}@from-internal", "201", "Local/9201@from-internal");
        dials("Local/{number}@from-internal", "*97", "Local/*97@from-internal");
        dials("SIP/gw/{number}", "+493012345", "SIP/gw/+493012345");
    }

    #[test]
    fn what_could_add_a_leg_options_or_code_is_refused_i7() {
        for text in [
            "PJSIP/{number}@gw1&PJSIP/1@gw1",
            "PJSIP/{number}@gw1,30,U(x)",
            "PJSIP/${X}{number}",
            "PJSIP/{number}\n",
            "PJSIP/{number}@gw1;x",
            "PJSIP/{number} @gw",
            "PJSIP/{nummer}@gw1",
            "PJSIP/{number}\0",
        ] {
            assert!(matches!(text.parse::<DialTemplate>(), Err(TemplateRefusal::Character(_))), "{text}");
        }
        assert_eq!("{number}@gw1".parse::<DialTemplate>(), Err(TemplateRefusal::NoTechnology));
        assert_eq!("PJSIP/gw1".parse::<DialTemplate>(), Err(TemplateRefusal::NoNumber));
        assert_eq!("PJSIP/{number}{digits}".parse::<DialTemplate>(), Err(TemplateRefusal::NoNumber));
        assert_eq!(
            format!("PJSIP/{{number}}@{}", "a".repeat(200)).parse::<DialTemplate>(),
            Err(TemplateRefusal::TooLong)
        );
    }
}
