//! What is known of a contact beside its number: name, priority, expiry, the kinds of its numbers.

use std::fmt;
use std::str::FromStr;

use jiff::civil;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::calendar::Zone;
use super::ids::ContactId;
use super::instant::UtcMs;
use super::name::checked_text;
use super::stored::worded_enum;

/// The most numbers of a contact.
pub const NUMBERS_MAX: usize = 9;

checked_text! {
    /// A contact's name. It stays with us: what reaches Asterisk is a variable, with stricter rules.
    ContactName, CONTACT_NAME_RULE = {
        what: "name", max: 100, allowed: "all that can be seen",
        allows: |c| !c.is_control() && !invisible(c)
    }
}

checked_text! {
    /// What kind of number it is, such as `work`; as the list has it, for people.
    NumberKind, NUMBER_KIND_RULE = {
        what: "kind of number", max: 20, allowed: "letters, digits, space and _ -",
        allows: |c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ')
    }
}

/// What would show a text in another order than it has, or not at all.
fn invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fffd}')
}

worded_enum! {
    /// In which order the contacts of one priority are called for the first time.
    pub enum CallingOrder {
        /// As they were imported.
        Sequential = "sequential",
        /// As a key that each was given at its import has it, which looks random.
        Random = "random",
    }
}

impl CallingOrder {
    /// The place of a contact among those of its priority; lower ones are called first, and the order of import
    /// decides between equal ones.
    #[must_use]
    pub fn place(self, contact: ContactId) -> i64 {
        match self {
            Self::Sequential => 0,
            // Half of its bits: enough to shuffle, and half of the room in an index.
            Self::Random => i64::from(mixed(contact.0.cast_unsigned()) >> 1),
        }
    }
}

/// Neighbours come out far apart (the finalizer of MurmurHash3, over the whole range).
fn mixed(n: u64) -> u32 {
    let n = (n ^ (n >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let n = (n ^ (n >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    u32::try_from(n >> 32).unwrap_or_default()
}

worded_enum! {
    /// Why a contact is called no more, though nobody reached it and its calls are not used up.
    pub enum Exclusion {
        /// Its expiry came first: MEMBER EXPIRED.
        MemberExpired = "member_expired",
        /// Somebody said that none of its numbers is to be called any more.
        NumbersStopped = "numbers_stopped",
        /// Its number is on a do-not-call list.
        DoNotCall = "do_not_call",
    }
}

/// How early a contact is called: higher ones first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Priority(i16);

/// A text that is no priority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no priority; write a whole number from -100 to 100, of which higher ones are called first")]
pub struct NotAPriority(String);

impl Priority {
    /// The highest.
    pub const MAX: i16 = 100;

    /// A priority from -100 to 100; `None` outside.
    #[must_use]
    pub fn new(n: i16) -> Option<Self> {
        (-Self::MAX..=Self::MAX).contains(&n).then_some(Self(n))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> i16 {
        self.0
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Priority {
    type Err = NotAPriority;

    fn from_str(text: &str) -> Result<Self, NotAPriority> {
        let refused = || NotAPriority(text.chars().take(40).collect());
        text.trim().parse().ok().and_then(Self::new).ok_or_else(refused)
    }
}

/// Why a text is no expiry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpiryRefusal {
    /// Not a date or instant.
    #[error("`{0}` is no expiry; write 2026-12-31, 2026-12-31 18:00, 31.12.2026 18:00 or 2026-12-31T18:00:00Z")]
    Unreadable(String),
    /// `3/4/2026`: who knows which of them is the month.
    #[error("`{0}` may be two dates; write the year first: 2026-12-31")]
    TwoReadings(String),
    /// It is over.
    #[error("it expired at {0}")]
    Past(String),
}

/// Reads an expiry: an instant with its offset, or a date with or without a time of day on the clock of `zone`. A
/// date alone is good to its end.
pub fn parse_expiry(text: &str, zone: &Zone) -> Result<UtcMs, ExpiryRefusal> {
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at.into());
    }
    let shown = || text.chars().take(40).collect::<String>();
    let (date, time) = text.split_once([' ', 'T']).map_or((text, None), |(date, time)| (date, Some(time.trim())));
    if date.split('/').count() == 3 {
        return Err(ExpiryRefusal::TwoReadings(shown()));
    }
    let local = local_expiry(date, time).ok_or_else(|| ExpiryRefusal::Unreadable(shown()))?;
    let clock = TimeZone::get(zone.name()).unwrap_or(TimeZone::UTC);
    let at = clock.to_ambiguous_timestamp(local).compatible();
    at.map(UtcMs::from).map_err(|_| ExpiryRefusal::Unreadable(shown()))
}

fn local_expiry(date: &str, time: Option<&str>) -> Option<civil::DateTime> {
    let date = date_of(date)?;
    match time {
        None => date.at(0, 0, 0, 0).checked_add(1.day()).ok(),
        Some(time) => Some(date.to_datetime(time.parse::<civil::Time>().ok()?)),
    }
}

/// `2026-12-31` or `31.12.2026`.
fn date_of(text: &str) -> Option<civil::Date> {
    let iso: Vec<&str> = text.split('-').collect();
    let german: Vec<&str> = text.split('.').collect();
    let (year, month, day) = match (&iso[..], &german[..]) {
        ([year, month, day], _) | (_, [day, month, year]) => (*year, *month, *day),
        _ => return None,
    };
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if year.len() != 4 || ![year, month, day].into_iter().all(plain) {
        return None;
    }
    civil::Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn berlin(text: &str) -> Result<String, ExpiryRefusal> {
        parse_expiry(text, &"Europe/Berlin".parse().unwrap()).map(|at| at.to_string())
    }

    #[test]
    fn an_expiry_is_read_on_the_clock_of_its_zone_and_a_date_is_good_to_its_end() {
        for text in ["2026-12-31", "31.12.2026", " 31.12.2026 "] {
            assert_eq!(berlin(text).unwrap(), "2026-12-31T23:00:00.000Z", "{text}");
        }
        for text in ["2026-12-31 18:00", "31.12.2026 18:00", "2026-12-31T18:00:00", "2026-12-31T17:00:00Z"] {
            assert_eq!(berlin(text).unwrap(), "2026-12-31T17:00:00.000Z", "{text}");
        }
        assert_eq!(berlin("2026-03-29 02:30").unwrap(), "2026-03-29T01:30:00.000Z", "an hour that is skipped");
        assert_eq!(berlin("1.2.2026").unwrap(), "2026-02-01T23:00:00.000Z");
    }

    #[test]
    fn what_is_no_expiry_or_may_be_two_is_refused() {
        for text in ["", "never", "2026-13-01", "31.02.2026", "2026-12-31 25:00", "46387", "26-12-31", "2026-12-+1"] {
            assert!(matches!(berlin(text), Err(ExpiryRefusal::Unreadable(_))), "{text}");
        }
        assert!(matches!(berlin("3/4/2026"), Err(ExpiryRefusal::TwoReadings(_))));
    }

    #[test]
    fn priorities_are_whole_numbers_in_bounds() {
        assert_eq!(" 7".parse::<Priority>().unwrap().get(), 7);
        assert_eq!("-100".parse::<Priority>().unwrap().get(), -100);
        for text in ["", "101", "-101", "high", "1.5", "99999"] {
            assert!(text.parse::<Priority>().is_err(), "{text}");
        }
    }

    #[test]
    fn names_are_what_people_have_and_hide_nothing() {
        for name in ["Jürgen Müller", "O'Brien, Ann (Ms.)", "李小龍", "Ng & Söhne; Co", "e\u{301}"] {
            assert!(name.parse::<ContactName>().is_ok(), "{name}");
        }
        for name in ["", "a\nb", "a\u{202e}b", "a\0", "\u{fffd}"] {
            assert!(name.parse::<ContactName>().is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_random_order_is_a_shuffle_and_a_sequential_one_is_none() {
        let places: Vec<i64> = (1..=1_000).map(|id| CallingOrder::Random.place(ContactId(id))).collect();
        assert!(places.iter().all(|place| (0..1 << 31).contains(place)));
        assert!(places.iter().collect::<BTreeSet<_>>().len() > 995, "hardly any two are alike");
        let ascents = places.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!((400..600).contains(&ascents), "{ascents} of 999 go up");
        assert_eq!(CallingOrder::Sequential.place(ContactId(7)), 0);
    }
}
