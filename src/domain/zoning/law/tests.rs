use jiff::Timestamp;

use super::*;
use crate::domain::calendar::{Calendar, Window};
use crate::domain::instant::UtcMs;
use crate::domain::zoning::Region;

fn rules(text: &str) -> LegalRules {
    text.parse().unwrap()
}

fn week_of(rules: &LegalRules, zone: &str) -> String {
    rules.week(&zone.parse().unwrap()).map_or_else(|| "none".to_owned(), |week| week.to_string())
}

#[test]
fn legal_hours_are_read_as_people_write_them() {
    for (text, shown) in [
        ("none", "none"),
        ("08:00-21:00", "Mon-Sun 08:00-21:00"),
        ("Mon-Fri 9:00-20:00; Sat 9:00-17:00", "Mon-Fri 09:00-20:00; Sat 09:00-17:00"),
        (
            "08:00-21:00 | fr Mon-Fri 10:00-13:00,14:00-20:00 | DE,AT none",
            "Mon-Sun 08:00-21:00 | AT none | DE none | FR Mon-Fri 10:00-13:00,14:00-20:00",
        ),
        ("US 08:00-21:00", "none | US Mon-Sun 08:00-21:00"),
        ("US none", "none"),
    ] {
        assert_eq!(rules(text).to_string(), shown);
        assert_eq!(rules(shown), rules(text));
    }
}

#[test]
fn what_says_no_legal_hours_is_refused_with_its_mend() {
    let refusal = |text: &str| text.parse::<LegalRules>().unwrap_err().to_string();
    assert!(refusal("UK 08:00-21:00").contains("`UK` is no country"));
    assert!(refusal("FR").contains("`FR` has no hours"));
    assert!(refusal("08:00-21:00 | 09:00-20:00").contains("everybody else has hours twice"));
    assert!(refusal("FR 08:00-21:00 | FR none").contains("FR has hours twice"));
    assert!(refusal("21:00-08:00").contains("ends before it starts"));
    assert!(refusal("8-21").contains("no time of day"));
    for text in ["", "|", "08:00-21:00 |", "FRA 08:00-21:00", "on"] {
        assert!(text.parse::<LegalRules>().is_err(), "{text:?}");
    }
}

#[test]
fn the_country_of_a_zone_decides() {
    let rules = rules("08:00-21:00 | US 09:00-20:00 | IN none");
    assert_eq!(week_of(&rules, "America/Los_Angeles"), "Mon-Sun 09:00-20:00");
    assert_eq!(week_of(&rules, "US/Eastern"), "Mon-Sun 09:00-20:00", "a former name");
    assert_eq!(week_of(&rules, "America/Toronto"), "Mon-Sun 08:00-21:00");
    assert_eq!(week_of(&rules, "Asia/Calcutta"), "none");
    assert_eq!(week_of(&rules, "UTC"), "Mon-Sun 08:00-21:00");
}

#[test]
fn a_campaign_takes_the_servers_hours_or_none_or_its_own() {
    let (server, berlin): (_, Zones) = (rules("08:00-21:00"), "Europe/Berlin".parse().unwrap());
    let hours = |switch: &str| {
        let switch: LegalSwitch = switch.parse().unwrap();
        assert_eq!(switch.to_string().parse(), Ok(switch.clone()));
        let legal = server.hours(&switch, &berlin);
        assert_eq!(server.bind(&switch), legal.is_some());
        legal.map(|legal| legal.clocks().map(|(_, week)| week.to_string()).collect::<String>())
    };
    assert_eq!(hours("on").as_deref(), Some("Mon-Sun 08:00-21:00"));
    assert_eq!((hours("off"), hours("none")), (None, None));
    assert_eq!(hours("10:00-18:00").as_deref(), Some("Mon-Sun 10:00-18:00"));
    assert!("ON".parse::<LegalSwitch>().is_err());
}

/// With the hours of the US wherever the number may be, everybody can be called for a while each day: in the middle
/// of summer, and in the middle of winter.
#[test]
fn no_region_is_so_wide_that_its_hours_never_open_together() {
    let rules = rules("08:00-21:00");
    let always = Calendar::daily(Window::ALWAYS, Zone::UTC).with_ring_time(60);
    for (prefix, zones) in prefixes::lines(include_str!("../prefixes.txt")) {
        let legal = rules.hours(&LegalSwitch::On, &zones.parse().unwrap());
        for day in ["2026-07-06T00:00:00Z", "2026-12-07T00:00:00Z"] {
            let from = UtcMs::from(day.parse::<Timestamp>().unwrap());
            let opens_at = always.within(legal.as_ref()).next_opening(from).unwrap();
            assert!(opens_at.since_ms(from) <= 24 * 3_600_000, "+{prefix} {zones}");
        }
        assert!(Region::of(&format!("+{prefix}")).is_some_and(|region| region.zones() == zones));
    }
}

#[test]
fn every_zone_of_the_table_of_numbers_has_a_country() {
    for (prefix, zones) in prefixes::lines(include_str!("../prefixes.txt")) {
        let zones: Zones = zones.parse().unwrap();
        assert!(zones.all().iter().all(|zone| CountryCode::of(zone).is_some()), "{prefix}");
    }
    let listed: Vec<&str> =
        prefixes::lines(include_str!("../countries.txt")).flat_map(|(_, zones)| zones.split(' ')).collect();
    assert_eq!(listed.len(), COUNTRIES.len(), "no zone is in two countries");
    assert!(listed.iter().all(|zone| zone.parse::<Zone>().is_ok()));
}
