//! What bars a number from calls, whichever campaign asks: do-not-call lists, and a cap on calls to one number.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ids::{CampaignId, UserId};
use super::instant::UtcMs;
use super::name::Name;
use super::number::{Number, NumberRefusal, NumberRules};
use super::retry::FailReason;

/// The list that there always is, for the whole server: who asks to be called no more comes onto it.
pub const OPT_OUT_LIST: &str = "opt-out";

/// The longest source of an entry, in characters.
pub const SOURCE_MAX: usize = 200;

/// Whose campaigns a do-not-call list holds for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All campaigns of the server.
    Server,
    /// All campaigns of a user.
    User(UserId),
    /// One campaign.
    Campaign(CampaignId),
}

/// What an entry of a list names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pattern {
    /// One number.
    Number(Number),
    /// All numbers that begin so.
    Prefix(Prefix),
}

/// Numbers as logs may show them.
impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Prefix(prefix) => write!(f, "Prefix({})", prefix.0),
        }
    }
}

/// As it is shown: the number, or the prefix and an ellipsis.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Prefix(prefix) => write!(f, "{}…", prefix.0),
        }
    }
}

/// The beginning of international numbers: `+`, a country code and maybe more. `+4` alone would bar half of
/// Europe, so two digits are the least.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix(String);

/// The fewest characters of a prefix, its `+` counted.
pub const PREFIX_CHARACTERS_MIN: usize = 3;

/// The most: a whole number.
const PREFIX_CHARACTERS_MAX: usize = 16;

/// A text that is no prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a prefix is + and 2 to 15 digits, country code first, such as +49900")]
pub struct NoPrefix;

impl FromStr for Prefix {
    type Err = NoPrefix;

    fn from_str(text: &str) -> Result<Self, NoPrefix> {
        let plain = text.trim().trim_end_matches(['*', '…']);
        let plain: String = plain.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '/' | '.')).collect();
        let digits = plain.strip_prefix('+').ok_or(NoPrefix)?;
        let fits = (PREFIX_CHARACTERS_MIN..=PREFIX_CHARACTERS_MAX).contains(&plain.len());
        let whole = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        if fits && whole { Ok(Self(plain)) } else { Err(NoPrefix) }
    }
}

impl Prefix {
    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Every text that, were it a prefix on a list, would bar this number; as many as it has characters at most.
    pub fn all_of(number: &Number) -> impl Iterator<Item = &str> {
        let text = number.as_str();
        let longest = if text.starts_with('+') { text.len().min(PREFIX_CHARACTERS_MAX) } else { 0 };
        (PREFIX_CHARACTERS_MIN..=longest).map(move |n| &text[..n])
    }
}

/// Whether entries are read as whole numbers or as prefixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternKind {
    /// Whole numbers.
    Numbers,
    /// Prefixes.
    Prefixes,
}

impl Pattern {
    /// Reads an entry as people write it, or says why it is none.
    pub fn read(text: &str, kind: PatternKind, rules: &NumberRules) -> Result<Self, PatternRefusal> {
        match kind {
            PatternKind::Numbers => Ok(Self::Number(Number::canonical(text, rules)?)),
            PatternKind::Prefixes => Ok(Self::Prefix(text.parse()?)),
        }
    }
}

/// Why a text is no entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternRefusal {
    /// No number.
    #[error(transparent)]
    Number(#[from] NumberRefusal),
    /// No prefix.
    #[error(transparent)]
    Prefix(#[from] NoPrefix),
}

/// An entry that holds for a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The list's name.
    pub list: Name,
    /// Where the entry is from.
    pub source: String,
    /// When it holds no longer; `None` for never.
    pub until: Option<UtcMs>,
}

/// The most calls to one number in a rolling period, over all campaigns of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrequencyCap {
    /// Calls.
    pub attempts_max: u32,
    /// The period, in hours.
    pub hours: u32,
}

impl FrequencyCap {
    /// The cap of these settings; `None` where `attempts_max` is 0.
    #[must_use]
    pub fn of(attempts_max: u32, hours: u32) -> Option<Self> {
        (attempts_max > 0).then_some(Self { attempts_max, hours })
    }

    /// The instant before which a call does not count any more for one at `at`.
    #[must_use]
    pub fn since(self, at: UtcMs) -> UtcMs {
        at.plus_s(-self.period_s())
    }

    /// Until when a number is at its cap that is to be called at `at`; `dials` are the instants of its last calls,
    /// newest first. A call that lies after `now`, because the clock was set back, is not waited out: it counts as
    /// one of now.
    #[must_use]
    pub fn full_until(self, dials: &[UtcMs], now: UtcMs, at: UtcMs) -> Option<UtcMs> {
        let place = usize::try_from(self.attempts_max).unwrap_or(usize::MAX).checked_sub(1)?;
        let free_at = (*dials.get(place)?).min(now).plus_s(self.period_s());
        (free_at > at).then_some(free_at)
    }

    fn period_s(self) -> i64 {
        i64::from(self.hours) * 3600
    }
}

/// Why a contact may not be called though it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bar {
    /// It is on a do-not-call list.
    DoNotCall(Listed),
    /// It was called as often as the server lets it.
    FrequencyCap {
        /// When the first of these calls counts no longer.
        until: UtcMs,
    },
    /// The contact's calls are used up: somebody has set less, or its wrap-up time is over without a result.
    CallsUsedUp(FailReason),
}

impl Bar {
    /// When it is lifted; `None` for never.
    #[must_use]
    pub fn until(&self) -> Option<UtcMs> {
        match self {
            Self::DoNotCall(listed) => listed.until,
            Self::FrequencyCap { until } => Some(*until),
            Self::CallsUsedUp(_) => None,
        }
    }

    /// Whether it bars a call at `at`.
    #[must_use]
    pub fn holds_at(&self, at: UtcMs) -> bool {
        self.until().is_none_or(|until| until > at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UtcMs = UtcMs(1_772_352_000_000);

    #[test]
    fn a_number_has_as_many_prefixes_as_digits() {
        let number = Number::from_canonical("+49301").unwrap();
        assert_eq!(Prefix::all_of(&number).collect::<Vec<_>>(), ["+49", "+493", "+4930", "+49301"]);
        assert_eq!(Prefix::all_of(&Number::from_canonical("4930").unwrap()).count(), 0, "a short number has none");
        let long = Number::from_canonical(&format!("+{}", "1".repeat(31))).unwrap();
        assert_eq!(Prefix::all_of(&long).count(), 14);
    }

    #[test]
    fn a_prefix_is_international_and_not_half_the_world() {
        for (typed, prefix) in [("+49900", "+49900"), ("+49 900*", "+49900"), ("+1 (900) ", "+1900"), ("+44…", "+44")]
        {
            assert_eq!(typed.parse::<Prefix>().unwrap().as_str(), prefix);
        }
        for text in ["", "+", "+4", "0900", "0049900", "+49x", "+0900", "+1234567890123456", "49900"] {
            assert_eq!(text.parse::<Prefix>(), Err(NoPrefix), "{text}");
        }
    }

    #[test]
    fn a_number_is_free_again_when_the_first_of_its_calls_counts_no_longer() {
        let cap = FrequencyCap::of(2, 24).unwrap();
        let ago = |hours: i64| NOW.plus_s(-hours * 3600);
        assert_eq!(cap.full_until(&[], NOW, NOW), None);
        assert_eq!(cap.full_until(&[ago(1)], NOW, NOW), None);
        assert_eq!(cap.full_until(&[ago(1), ago(20)], NOW, NOW), Some(NOW.plus_s(4 * 3600)));
        assert_eq!(cap.full_until(&[ago(1), ago(2), ago(3)], NOW, NOW), Some(NOW.plus_s(22 * 3600)));
        assert_eq!(cap.full_until(&[ago(1), ago(24)], NOW, NOW), None, "exactly a period ago");
        assert_eq!(
            cap.full_until(&[ago(-900), ago(-900)], NOW, NOW),
            Some(NOW.plus_s(24 * 3600)),
            "the clock was set back"
        );
        assert_eq!(cap.full_until(&[ago(1), ago(20)], NOW, NOW.plus_s(4 * 3600)), None, "free by then");
        assert_eq!(FrequencyCap::of(0, 24), None);
    }
}
