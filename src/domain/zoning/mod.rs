//! Where a contact is, as far as time goes, and the hours in which it may be called there.
//!
//! The zone that the list says counts; without one the region of the number, with all of its zones when it has several;
//! for a number of no region the campaign's zone.

mod law;
mod prefixes;

use std::fmt;
use std::str::FromStr;

pub use law::{CountryCode, LawRefusal, LegalRules, LegalSwitch};
pub use prefixes::Region;

use super::calendar::{CalendarRefusal, Zone};
use super::number::Number;
use super::stored::worded_enum;

worded_enum! {
    /// Where the zone of a contact is known from.
    pub enum ZoneSource {
        /// The list said it.
        Column = "column",
        /// The region of its number.
        Number = "number",
        /// Neither says anything: it is taken to be where the campaign is.
        Campaign = "campaign",
    }
}

/// Zones of which a contact is in one, and nobody knows in which.
#[derive(Debug, Clone, PartialEq)]
pub struct Zones(Vec<Zone>);

impl Zones {
    /// Each of them.
    #[must_use]
    pub fn all(&self) -> &[Zone] {
        &self.0
    }
}

impl From<Zone> for Zones {
    fn from(zone: Zone) -> Self {
        Self(vec![zone])
    }
}

impl FromStr for Zones {
    type Err = CalendarRefusal;

    /// Names with a blank between them, one at least.
    fn from_str(text: &str) -> Result<Self, CalendarRefusal> {
        text.split(' ').map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

/// As stored: `America/Denver America/Los_Angeles`.
impl fmt::Display for Zones {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(Zone::name).collect();
        f.pad(&names.join(" "))
    }
}

/// The zones of a contact, and where they are known from.
#[derive(Debug, Clone, PartialEq)]
pub struct Whereabouts {
    /// The zones.
    pub zones: Zones,
    /// Where they are known from.
    pub source: ZoneSource,
}

impl Whereabouts {
    /// Of a contact with this zone in its list, if it had one there, while it is called by this number.
    #[must_use]
    pub fn of(column: Option<&Zone>, number: &Number, campaign: &Zone) -> Self {
        if let Some(zone) = column {
            return Self { zones: zone.clone().into(), source: ZoneSource::Column };
        }
        let region = Region::of(number.as_str()).and_then(|region| region.zones().parse().ok());
        match region {
            Some(zones) => Self { zones, source: ZoneSource::Number },
            None => Self { zones: campaign.clone().into(), source: ZoneSource::Campaign },
        }
    }
}

/// The most zones that are all named to people.
const NAMED_MAX: usize = 3;

/// As people read it: `America/New_York (from the region of its number)`.
impl fmt::Display for Whereabouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = match self.source {
            ZoneSource::Column => "its list",
            ZoneSource::Number => "the region of its number",
            ZoneSource::Campaign => "the campaign",
        };
        match self.zones.all() {
            [zone] => write!(f, "{} (from {source})", zone.name()),
            [first, .., last] if self.zones.all().len() > NAMED_MAX => {
                let (n, first, last) = (self.zones.all().len(), first.name(), last.name());
                write!(f, "any of {n} zones, such as {first} and {last} (from {source})")
            }
            several => {
                let names: Vec<&str> = several.iter().map(Zone::name).collect();
                write!(f, "any of {} (from {source})", names.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(column: Option<&str>, number: &str) -> String {
        let column = column.map(|zone| zone.parse().unwrap());
        let campaign = "Europe/Vilnius".parse().unwrap();
        Whereabouts::of(column.as_ref(), &Number::from_canonical(number).unwrap(), &campaign).to_string()
    }

    #[test]
    fn the_zone_is_from_the_list_else_from_the_number_else_from_the_campaign() {
        assert_eq!(of(Some("Asia/Tokyo"), "+4930123456"), "Asia/Tokyo (from its list)");
        assert_eq!(of(None, "+4930123456"), "Europe/Berlin (from the region of its number)");
        assert_eq!(of(None, "101"), "Europe/Vilnius (from the campaign)");
        let several = "any of America/Denver, America/Los_Angeles (from the region of its number)";
        assert_eq!(of(None, "+12085550123"), several);
        let anywhere =
            "any of 14 zones, such as America/Anchorage and Pacific/Honolulu (from the region of its number)";
        assert_eq!(of(None, "+18005550123"), anywhere);
    }
}
