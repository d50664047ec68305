//! Holidays out of an iCalendar file (RFC 5545).
//!
//! All or nothing: a holiday that was left out is a day on which people are called. What repeats each year on the
//! same date does so for ever; any other rule, such as the fourth Thursday of November, is followed for
//! [`YEARS_AHEAD`] years.

use icalendar::parser::{Component, read_calendar, unfold};
use jiff::ToSpan;
use jiff::civil::{Date, DateTime};
use rrule::RRuleSet;

use crate::domain::calendar::{HOLIDAY_DAYS_MAX, HOLIDAYS_MAX, Holiday, HolidayName, Repeats, Zone};

/// How far a rule that is no mere anniversary is followed, in years.
pub const YEARS_AHEAD: i16 = 10;

/// The largest file that is read, in bytes.
pub const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Why a file's holidays cannot be taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HolidaysRefusal {
    /// Not iCalendar.
    #[error("this is no iCalendar file: it does not begin with BEGIN:VCALENDAR")]
    Foreign,
    /// It begins as one, and a part of it does not end.
    #[error("the {part} that begins in line {line} has no end; was the file exported completely?")]
    NoEnd {
        /// VEVENT, or what else it is, as far as it can be shown.
        part: String,
        /// Where it begins, from 1.
        line: usize,
    },
    /// A line that means nothing.
    #[error("line {0} cannot be read; was the file exported completely?")]
    Unreadable(usize),
    /// Larger than any calendar of holidays.
    #[error("the file has more than {} MiB", FILE_BYTES_MAX / 1024 / 1024)]
    TooLarge,
    /// No event.
    #[error("the file has no event (VEVENT)")]
    Empty,
    /// An event that cannot be understood.
    #[error("the event {name:?} {why}")]
    Event {
        /// Its summary, or which one it is.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// More than a calendar holds.
    #[error("the file has more than {HOLIDAYS_MAX} holidays")]
    TooMany,
}

/// Reads the holidays of a file, in the order of their first days. Times are those of `zone`; `today` is where the
/// following of rules begins.
pub fn read(bytes: &[u8], zone: &Zone, today: Date) -> Result<Vec<Holiday>, HolidaysRefusal> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(HolidaysRefusal::TooLarge);
    }
    let text = decoded(bytes);
    if !text.trim_start().get(..15).is_some_and(|start| start.eq_ignore_ascii_case("BEGIN:VCALENDAR")) {
        return Err(HolidaysRefusal::Foreign);
    }
    let unfolded = unfold(&text);
    let calendar = read_calendar(&unfolded).map_err(|_| fault(&text))?;
    let events: Vec<&Component> = calendar.components.iter().filter(|c| c.name == "VEVENT").collect();
    if events.is_empty() {
        return Err(HolidaysRefusal::Empty);
    }
    let mut holidays = Vec::new();
    for (place, event) in events.into_iter().enumerate().filter(|(_, event)| !is_cancelled(event)) {
        let name = name(event, place);
        let refused = |why: String| HolidaysRefusal::Event { name: name.clone(), why: shown(&why, 300) };
        holidays.extend(event_days(event, &name, zone, today).map_err(refused)?);
        if holidays.len() > HOLIDAYS_MAX {
            return Err(HolidaysRefusal::TooMany);
        }
    }
    holidays.sort_by(|a, b| (a.first, a.last, a.name.as_str()).cmp(&(b.first, b.last, b.name.as_str())));
    holidays.dedup();
    Ok(holidays)
}

/// RFC 5545 says UTF-8; what is none was written by a program that did not know.
fn decoded(bytes: &[u8]) -> String {
    let (text, _, _) = match std::str::from_utf8(bytes) {
        Ok(_) => encoding_rs::UTF_8.decode(bytes),
        Err(_) => encoding_rs::WINDOWS_1252.decode(bytes),
    };
    text.into_owned()
}

/// Where a file is wrong that its reader does not understand: it says so in words of its own, about lines that it has
/// joined.
fn fault(text: &str) -> HolidaysRefusal {
    let mut open: Vec<(&str, usize)> = Vec::new();
    let mut strange = None;
    let logical = (1..).zip(text.lines()).filter(|(_, line)| !line.starts_with([' ', '\t']) && !line.trim().is_empty());
    for (place, line) in logical {
        let (key, part) = line.split_once(':').map_or((line, ""), |(key, part)| (key, part.trim()));
        match key.to_ascii_uppercase().as_str() {
            "BEGIN" => open.push((part, place)),
            "END" if open.last().is_some_and(|(begun, _)| begun.eq_ignore_ascii_case(part)) => drop(open.pop()),
            "END" => break,
            _ if !line.contains(':') => strange = strange.or(Some(place)),
            _ => {}
        }
    }
    match (open.last(), strange) {
        (Some((part, line)), _) => HolidaysRefusal::NoEnd { part: shown(part, 20), line: *line },
        (None, Some(line)) => HolidaysRefusal::Unreadable(line),
        (None, None) => HolidaysRefusal::Unreadable(text.lines().count()),
    }
}

/// What the file says, as far as a terminal bears it.
fn shown(text: &str, characters_max: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(characters_max).collect()
}

fn is_cancelled(event: &Component) -> bool {
    value(event, "STATUS").is_some_and(|status| status.eq_ignore_ascii_case("CANCELLED"))
}

fn value<'a>(event: &'a Component<'_>, property: &str) -> Option<&'a str> {
    event.find_prop(property).map(|property| property.val.as_str())
}

/// Its summary as far as it can be shown.
fn name(event: &Component, place: usize) -> String {
    let summary = event.find_prop("SUMMARY").map(|property| property.val.clone().unescape_text());
    let text = summary.as_ref().map(|text| text.as_str()).unwrap_or_default();
    let shown = shown(text, 120);
    if shown.trim().parse::<HolidayName>().is_ok() { shown.trim().to_owned() } else { format!("event {}", place + 1) }
}

fn event_days(event: &Component, name: &str, zone: &Zone, today: Date) -> Result<Vec<Holiday>, String> {
    let start = value(event, "DTSTART").ok_or("has no DTSTART")?;
    let first = date(start, zone).ok_or_else(|| format!("has a DTSTART that is no date: {start}"))?;
    let days = days(event, first, zone)?;
    let name: HolidayName = name.parse().map_err(|why| format!("has no usable name: {why}"))?;
    let holiday = |first: Date, repeats| {
        let last =
            first.checked_add((i64::from(days) - 1).days()).map_err(|_| "ends beyond all calendars".to_owned())?;
        Ok(Holiday { name: name.clone(), first, last, repeats })
    };
    match value(event, "RRULE") {
        None => Ok(vec![holiday(first, Repeats::Once)?]),
        Some(rule) if is_anniversary(rule, first) && value(event, "EXDATE").is_none() => {
            Ok(vec![holiday(first, Repeats::Yearly)?])
        }
        Some(rule) => {
            let firsts = followed(event, rule, first, zone, today)?;
            firsts.into_iter().map(|first| holiday(first, Repeats::Once)).collect()
        }
    }
}

/// How many days an event lasts: DTEND is the day behind it, or an instant.
fn days(event: &Component, first: Date, zone: &Zone) -> Result<i32, String> {
    let days = if let Some(end) = value(event, "DTEND") {
        let behind = date(end, zone).ok_or_else(|| format!("has a DTEND that is no date: {end}"))?;
        let to_the_day = behind.since(first).map_or(0, |span| span.get_days());
        // An event that ends at midnight does not touch the day that begins then.
        if ends_at_midnight(end, zone) { to_the_day } else { to_the_day + 1 }
    } else if let Some(duration) = value(event, "DURATION") {
        duration_days(duration).ok_or_else(|| format!("has a DURATION that is none: {duration}"))?
    } else {
        1
    };
    match days {
        ..=-1 => Err("ends before it starts".to_owned()),
        0 => Ok(1),
        1..=HOLIDAY_DAYS_MAX => Ok(days),
        _ => Err(format!("lasts {days} days; at most {HOLIDAY_DAYS_MAX} make a holiday")),
    }
}

fn duration_days(text: &str) -> Option<i32> {
    let span: jiff::Span = text.parse().ok()?;
    let days = span.get_weeks().checked_mul(7)?.checked_add(span.get_days())?;
    let hours = span.get_hours() + i32::from(span.get_minutes() > 0 || span.get_seconds() > 0);
    days.checked_add((hours + 23) / 24)
}

/// `20261225`, `20261225T090000` on the wall, `20261224T230000Z`.
fn date(text: &str, zone: &Zone) -> Option<Date> {
    instant(text, zone).map(|at| at.date()).or_else(|| Date::strptime("%Y%m%d", text.trim()).ok())
}

fn instant(text: &str, zone: &Zone) -> Option<DateTime> {
    let text = text.trim();
    match text.strip_suffix('Z') {
        Some(utc) => {
            let at = DateTime::strptime("%Y%m%dT%H%M%S", utc).ok()?;
            Some(zone.on_the_wall(Zone::UTC.instant(at)?))
        }
        None => DateTime::strptime("%Y%m%dT%H%M%S", text).ok(),
    }
}

fn ends_at_midnight(end: &str, zone: &Zone) -> bool {
    instant(end, zone).is_none_or(|at| at.time() == jiff::civil::Time::midnight())
}

/// Whether a rule says no more than: each year on the same date.
fn is_anniversary(rule: &str, first: Date) -> bool {
    let mut yearly = false;
    let plain = rule.split(';').filter(|part| !part.is_empty()).all(|part| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        match key.to_ascii_uppercase().as_str() {
            "FREQ" => {
                yearly = value.eq_ignore_ascii_case("YEARLY");
                yearly
            }
            "INTERVAL" => value == "1",
            "BYMONTH" => value.parse() == Ok(first.month()),
            "BYMONTHDAY" => value.parse() == Ok(first.day()),
            "WKST" => true,
            _ => false,
        }
    });
    plain && yearly
}

/// The first days of an event's occurrences up to [`YEARS_AHEAD`] from today, counted in UTC: only dates matter.
fn followed(event: &Component, rule: &str, first: Date, zone: &Zone, today: Date) -> Result<Vec<Date>, String> {
    let refused = |problem: &dyn std::fmt::Display| format!("has a rule that cannot be followed ({rule}): {problem}");
    let midnight = |date: Date| date.strftime("%Y%m%dT000000Z").to_string();
    let until = today.checked_add(i64::from(YEARS_AHEAD).years()).map_err(|problem| refused(&problem))?;
    let mut text = format!("DTSTART:{}\nRRULE:{}\n", midnight(first), with_instants(rule));
    let exdates = event.properties.iter().filter(|property| property.name == "EXDATE");
    for excluded in exdates.flat_map(|property| property.val.as_str().split(',')) {
        let day = date(excluded, zone).ok_or_else(|| format!("has an EXDATE that is no date: {excluded}"))?;
        text.push_str(&format!("EXDATE:{}\n", midnight(day)));
    }
    let set: RRuleSet = text.parse().map_err(|problem: rrule::RRuleError| refused(&problem))?;
    let end = format!("{}", until.strftime("%Y-%m-%d"));
    let limit = u16::try_from(HOLIDAYS_MAX + 1).unwrap_or(u16::MAX);
    let occurrences = set.all(limit).dates.into_iter().map(|at| at.format("%Y-%m-%d").to_string());
    let within = occurrences.take_while(|day| *day <= end);
    within.map(|day| day.parse().map_err(|problem: jiff::Error| refused(&problem))).collect()
}

/// A rule whose UNTIL is a date, as that of an all-day event is, or local: here everything is an instant in UTC.
fn with_instants(rule: &str) -> String {
    let part = |part: &str| match part.split_once('=') {
        Some((key, until)) if key.eq_ignore_ascii_case("UNTIL") => {
            format!("UNTIL={}T235959Z", until.get(..8).unwrap_or(until))
        }
        _ => part.to_owned(),
    };
    rule.split(';').map(part).collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_events(events: &str) -> Result<Vec<Holiday>, HolidaysRefusal> {
        let text = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n");
        read(text.as_bytes(), &"Europe/Berlin".parse().unwrap(), "2026-11-21".parse().unwrap())
    }

    fn event(lines: &[&str]) -> String {
        format!("BEGIN:VEVENT\r\nUID:x\r\n{}\r\nEND:VEVENT\r\n", lines.join("\r\n"))
    }

    #[track_caller]
    fn gives(lines: &[&str], expected: &[&str]) {
        let holidays = read_events(&event(lines)).unwrap();
        let shown: Vec<String> =
            holidays.iter().map(|h| format!("{} {}..{} {}", h.name, h.first, h.last, h.repeats)).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn events_become_holidays() {
        gives(
            &["DTSTART;VALUE=DATE:20261225", "DTEND;VALUE=DATE:20261227", "SUMMARY:Weihnachten\\, beide Tage"],
            &["Weihnachten, beide Tage 2026-12-25..2026-12-26 once"],
        );
        gives(
            &["DTSTART;VALUE=DATE:20200501", "RRULE:FREQ=YEARLY", "SUMMARY:Labour", "  Day"],
            &["Labour Day 2020-05-01..2020-05-01 yearly"],
        );
        gives(
            &["DTSTART:20261223T230000Z", "DTEND:20261224T230000Z", "SUMMARY:Eve"],
            &["Eve 2026-12-24..2026-12-24 once"],
        );
        gives(
            &["DTSTART;TZID=Europe/Berlin:20261231T120000", "DURATION:PT12H", "SUMMARY:Half"],
            &["Half 2026-12-31..2026-12-31 once"],
        );
        gives(&["DTSTART;VALUE=DATE:20261225"], &["event 1 2026-12-25..2026-12-25 once"]);
        gives(&["DTSTART;VALUE=DATE:20261225", "STATUS:CANCELLED"], &[]);
    }

    #[test]
    fn a_rule_that_is_no_anniversary_is_followed_for_ten_years() {
        let thanksgiving =
            ["DTSTART;VALUE=DATE:20241128", "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "SUMMARY:Thanksgiving"];
        let holidays = read_events(&event(&thanksgiving)).unwrap();
        let days: Vec<String> = holidays.iter().map(|h| h.first.to_string()).collect();
        assert_eq!(days[..3], ["2024-11-28", "2025-11-27", "2026-11-26"]);
        assert_eq!((days.len(), days.last().unwrap().as_str()), (12, "2035-11-22"));
        gives(
            &[
                "DTSTART;VALUE=DATE:20260101",
                "RRULE:FREQ=YEARLY;UNTIL=20280101",
                "EXDATE;VALUE=DATE:20270101",
                "SUMMARY:N",
            ],
            &["N 2026-01-01..2026-01-01 once", "N 2028-01-01..2028-01-01 once"],
        );
    }

    #[test]
    fn a_file_of_ten_years_is_read_whole_and_once() {
        let days =
            ["0101", "0403", "0406", "0501", "0514", "0525", "0604", "0815", "1003", "1101", "1224", "1225", "1226"];
        let line = |year: i32, day: &str| event(&[&format!("DTSTART;VALUE=DATE:{year}{day}"), "SUMMARY:Feiertag"]);
        let events: String = (2026..2036).flat_map(|year| days.iter().map(move |day| line(year, day))).collect();
        assert_eq!(read_events(&format!("{events}{events}")).unwrap().len(), 130);
    }

    #[test]
    fn what_cannot_be_understood_refuses_the_file() {
        let refusal = |lines: &[&str]| read_events(&event(lines)).unwrap_err().to_string();
        assert_eq!(refusal(&["SUMMARY:X"]), "the event \"X\" has no DTSTART");
        assert!(refusal(&["SUMMARY:X", "DTSTART:tomorrow"]).contains("no date: tomorrow"));
        assert!(
            refusal(&["DTSTART;VALUE=DATE:20261225", "DTEND;VALUE=DATE:20261224"]).contains("ends before it starts")
        );
        assert!(refusal(&["DTSTART;VALUE=DATE:20261225", "RRULE:FREQ=SOMETIMES"]).contains("cannot be followed"));
        assert!(refusal(&["DTSTART;VALUE=DATE:20260101", "DTEND;VALUE=DATE:20280101"]).contains("at most 366"));
        assert_eq!(read_events("").unwrap_err(), HolidaysRefusal::Empty);
        let zone = Zone::UTC;
        let foreign = read(b"date;name\n2026-12-25;Christmas\n", &zone, "2026-01-01".parse().unwrap()).unwrap_err();
        assert!(foreign.to_string().contains("BEGIN:VCALENDAR"), "{foreign}");
        let refusal = |text: &str| read(text.as_bytes(), &zone, "2026-01-01".parse().unwrap()).unwrap_err().to_string();
        let no_end = "the VEVENT that begins in line 3 has no end; was the file exported completely?";
        assert_eq!(refusal("BEGIN:VCALENDAR\r\nX-A:a\r\nBEGIN:VEVENT\r\nSUMM"), no_end);
        assert_eq!(refusal("BEGIN:VCALENDAR\nX-A:a\nBEGIN:VEVENT\nSUMMARY:a\nEND:VCALENDAR\n"), no_end);
        let strange = refusal("BEGIN:VCALENDAR\nX-A:a\n b\nBEGIN:VEVENT\n<html>\nEND:VEVENT\nEND:VCALENDAR\n");
        assert_eq!(strange, "line 5 cannot be read; was the file exported completely?");
        let escapes = refusal("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:\u{1b}[2J\nEND:VEVENT\nEND:VCALENDAR\n");
        assert!(escapes.contains("has a DTSTART") && !escapes.chars().any(char::is_control), "{escapes:?}");
    }

    #[test]
    fn a_file_that_is_not_utf_8_keeps_its_umlauts() {
        let text = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Fr\xfchling\nDTSTART;VALUE=DATE:20260320\nEND:VEVENT\nEND:VCALENDAR\n";
        let holidays = read(text, &Zone::UTC, "2026-01-01".parse().unwrap()).unwrap();
        assert_eq!(holidays[0].name.as_str(), "Frühling");
    }
}
