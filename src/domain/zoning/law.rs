//! What the server says about the hours in which people may be called, and what a campaign makes of it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use super::{Zones, prefixes};
use crate::domain::calendar::{LegalHours, Week, WeekRefusal, Zone};

/// The country of each zone, by the two letters of ISO 3166.
static COUNTRIES: LazyLock<HashMap<&str, CountryCode>> = LazyLock::new(|| {
    let of =
        |(country, zones): (&'static str, &'static str)| zones.split(' ').map(move |zone| (zone, letters(country)));
    let all = prefixes::lines(include_str!("countries.txt")).flat_map(of);
    all.filter_map(|(zone, country)| Some((zone, country?))).collect()
});

/// The two letters of a country (ISO 3166) that has a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CountryCode([u8; 2]);

impl CountryCode {
    /// The country that a zone is in; `None` for `UTC` and the like.
    #[must_use]
    pub fn of(zone: &Zone) -> Option<Self> {
        COUNTRIES.get(zone.name()).copied()
    }
}

fn letters(text: &str) -> Option<CountryCode> {
    let letters = text.as_bytes().try_into().ok().filter(|two: &[u8; 2]| two.iter().all(u8::is_ascii_alphabetic));
    letters.map(|two: [u8; 2]| CountryCode(two.map(|letter| letter.to_ascii_uppercase())))
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

/// Why a text says no legal hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LawRefusal {
    /// Two letters that are no country with a time zone.
    #[error("`{0}` is no country; write its two letters (ISO 3166), such as US, FR or GB")]
    Country(String),
    /// A country, and no hours behind it.
    #[error("`{0}` has no hours; write them behind the country, or none, such as FR Mon-Fri 10:00-13:00,14:00-20:00")]
    NoHours(String),
    /// A country twice, or hours for all others twice.
    #[error("{0} has hours twice")]
    Twice(String),
    /// Not hours.
    #[error(transparent)]
    Week(#[from] WeekRefusal),
}

/// Hours in which people may be called, on the clock where they are: for some countries, and for all others. As typed:
/// `08:00-21:00 | FR Mon-Fri 10:00-13:00,14:00-20:00 | DE,AT none`. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LegalRules(Option<Arc<Law>>);

/// `None` for no hours: at any time.
type Hours = Option<Week>;

#[derive(Debug, Default, PartialEq)]
struct Law {
    others: Hours,
    countries: BTreeMap<CountryCode, Hours>,
}

impl LegalRules {
    /// Everybody may be called at any time, as far as the server says.
    pub const NONE: Self = Self(None);

    /// Whether somebody may not be called at any time.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// The hours of a contact in one of these zones, in a campaign that makes `switch` of these rules; `None` for at
    /// any time.
    #[must_use]
    pub fn hours(&self, switch: &LegalSwitch, zones: &Zones) -> Option<Arc<LegalHours>> {
        let of = |zone: &Zone| match switch {
            LegalSwitch::On => self.week(zone),
            LegalSwitch::Off => None,
            LegalSwitch::Own(week) => Some(Week::clone(week)),
        };
        let clocks = zones.all().iter().filter_map(|zone| Some((zone.clone(), of(zone)?)));
        LegalHours::of(clocks.collect()).map(Arc::new)
    }

    /// Whether a campaign that makes `switch` of these rules has any.
    #[must_use]
    pub fn bind(&self, switch: &LegalSwitch) -> bool {
        match switch {
            LegalSwitch::On => !self.is_none(),
            LegalSwitch::Off => false,
            LegalSwitch::Own(_) => true,
        }
    }

    fn week(&self, zone: &Zone) -> Hours {
        let law = self.0.as_ref()?;
        let country = CountryCode::of(zone).and_then(|country| law.countries.get(&country));
        country.unwrap_or(&law.others).clone()
    }
}

impl FromStr for LegalRules {
    type Err = LawRefusal;

    fn from_str(text: &str) -> Result<Self, LawRefusal> {
        let mut law = Law::default();
        let mut others = None;
        for part in text.split('|').map(str::trim) {
            let (first, rest) = part.split_once(char::is_whitespace).unwrap_or((part, ""));
            if !first.split(',').all(|country| country.len() == 2 && letters(country).is_some()) {
                if others.replace(hours(part)?).is_some() {
                    return Err(LawRefusal::Twice("everybody else".to_owned()));
                }
                continue;
            }
            if rest.trim().is_empty() {
                return Err(LawRefusal::NoHours(first.to_owned()));
            }
            let hours = hours(rest.trim())?;
            for country in first.split(',') {
                if law.countries.insert(known(country)?, hours.clone()).is_some() {
                    return Err(LawRefusal::Twice(country.to_owned()));
                }
            }
        }
        law.others = others.flatten();
        let any = law.others.is_some() || law.countries.values().any(Option::is_some);
        Ok(Self(any.then(|| Arc::new(law))))
    }
}

fn known(country: &str) -> Result<CountryCode, LawRefusal> {
    let is_known = |code: &CountryCode| COUNTRIES.values().any(|known| known == code);
    letters(country).filter(is_known).ok_or_else(|| LawRefusal::Country(country.to_owned()))
}

/// Hours without a day are those of every day.
fn hours(text: &str) -> Result<Hours, WeekRefusal> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(None);
    }
    let daily = text.starts_with(|c: char| c.is_ascii_digit());
    if daily { format!("daily {text}").parse().map(Some) } else { text.parse().map(Some) }
}

/// As typed; `none` where there are none.
impl fmt::Display for LegalRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |hours: &Hours| hours.as_ref().map_or_else(|| "none".to_owned(), Week::to_string);
        let Some(law) = &self.0 else { return f.pad("none") };
        let countries = law.countries.iter().map(|(country, hours)| format!("{country} {}", shown(hours)));
        let parts: Vec<String> = std::iter::once(shown(&law.others)).chain(countries).collect();
        f.pad(&parts.join(" | "))
    }
}

/// What a campaign makes of the server's legal hours.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum LegalSwitch {
    /// They hold.
    #[default]
    On,
    /// They do not: its calls are of a kind that may be made at any time.
    Off,
    /// These hold in their place, wherever the contact is.
    Own(Arc<Week>),
}

/// `on`, `off`, or hours.
impl FromStr for LegalSwitch {
    type Err = WeekRefusal;

    fn from_str(text: &str) -> Result<Self, WeekRefusal> {
        match text {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            text => Ok(hours(text)?.map_or(Self::Off, |week| Self::Own(Arc::new(week)))),
        }
    }
}

/// As typed and as stored.
impl fmt::Display for LegalSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On => f.pad("on"),
            Self::Off => f.pad("off"),
            Self::Own(week) => week.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
