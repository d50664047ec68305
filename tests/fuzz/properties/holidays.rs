//! iCalendar files: any bytes give holidays that a calendar takes, or one reason that is fit for a terminal.

use campanile::domain::calendar::{HOLIDAY_DAYS_MAX, HOLIDAYS_MAX, Holiday, Zone};
use campanile::intake::holidays::{HolidaysRefusal, read};

const BEFORE: &[u8] = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n";
const BEHIND: &[u8] = b"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

pub fn check(data: &[u8]) {
    judged(data);
    // A whole calendar is improbable: so also whatever stands in an event, and in one that has no end.
    judged(&[BEFORE, data, BEHIND].concat());
    judged(&[BEFORE, data].concat());
}

fn judged(bytes: &[u8]) {
    let zone: Zone = "Europe/Berlin".parse().expect("a zone");
    let found = || read(bytes, &zone, "2026-11-21".parse().expect("a day"));
    match found() {
        Ok(holidays) => {
            assert!(holidays.len() <= HOLIDAYS_MAX);
            holidays.iter().for_each(usable);
            let order =
                |a: &Holiday, b: &Holiday| (a.first, a.last, a.name.as_str()) <= (b.first, b.last, b.name.as_str());
            assert!(holidays.windows(2).all(|pair| order(&pair[0], &pair[1]) && pair[0] != pair[1]), "{holidays:?}");
            assert_eq!(found(), Ok(holidays));
        }
        Err(why) => {
            let told = why.to_string();
            assert!(!told.is_empty() && told.chars().count() <= 500, "{told}");
            assert!(!told.chars().any(char::is_control), "{told:?}");
            let lines = bytes.split(|b| *b == b'\n').count();
            if let HolidaysRefusal::NoEnd { line, .. } | HolidaysRefusal::Unreadable(line) = why {
                assert!((1..=lines).contains(&line), "{told}");
            }
        }
    }
}

fn usable(holiday: &Holiday) {
    assert!(holiday.first <= holiday.last && holiday.days() <= HOLIDAY_DAYS_MAX, "{holiday:?}");
    assert_eq!(holiday.name.as_str().parse().as_ref(), Ok(&holiday.name));
    assert!(holiday.contains(holiday.first) && holiday.contains(holiday.last), "{holiday:?}");
}
