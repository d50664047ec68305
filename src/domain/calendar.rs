//! When a campaign may dial: a daily window in a time zone.
//!
//! A window is a range of *local* times of day, and an instant lies in it when the local clock shows a
//! time in the range. DST needs no rule of its own that way: a window from 02:00 to 02:30 does not
//! exist on the day that skips it, and comes twice on the day that repeats it.

use std::fmt;
use std::str::FromStr;

use jiff::civil;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::instant::UtcMs;

const DAY_S: u32 = 86_400;

/// A daily range of local times; may cross midnight; start = stop is the whole day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    start_s: u32,
    stop_s: u32,
}

/// Why a text is no time of day, window or zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarRefusal {
    /// Not `HH:MM` or `HH:MM:SS`.
    #[error("`{0}` is no time of day; write HH:MM or HH:MM:SS, from 00:00 to 23:59:59 (24:00 as a stop time)")]
    TimeOfDay(String),
    /// Not a name in the time zone database.
    #[error("`{0}` is no time zone; write an IANA name such as Europe/Berlin or UTC")]
    Zone(String),
}

impl Window {
    /// The whole day.
    pub const ALWAYS: Self = Self { start_s: 0, stop_s: 0 };

    /// A window from seconds after local midnight; both are taken modulo a day.
    #[must_use]
    pub fn new(start_s: u32, stop_s: u32) -> Self {
        Self { start_s: start_s % DAY_S, stop_s: stop_s % DAY_S }
    }

    /// A window from two times of day as typed, such as `08:00` and `21:00`.
    pub fn parse(start: &str, stop: &str) -> Result<Self, CalendarRefusal> {
        Ok(Self::new(parse_time_of_day(start)?, parse_time_of_day(stop)?))
    }

    /// Start, in seconds after local midnight.
    #[must_use]
    pub fn start_s(self) -> u32 {
        self.start_s
    }

    /// Stop (exclusive), in seconds after local midnight.
    #[must_use]
    pub fn stop_s(self) -> u32 {
        self.stop_s
    }

    fn contains(self, second_of_day: u32) -> bool {
        if self.start_s < self.stop_s {
            (self.start_s..self.stop_s).contains(&second_of_day)
        } else {
            second_of_day >= self.start_s || second_of_day < self.stop_s
        }
    }
}

fn parse_time_of_day(text: &str) -> Result<u32, CalendarRefusal> {
    let refused = || CalendarRefusal::TimeOfDay(text.chars().take(40).collect());
    let fields: Vec<&str> = text.trim().split(':').collect();
    let field = |i: usize| -> Option<u32> {
        let digits = fields.get(i)?;
        let plain = (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse().ok())?
    };
    let (Some(h), Some(m)) = (field(0), field(1)) else { return Err(refused()) };
    let s = match fields.len() {
        2 => 0,
        3 => field(2).ok_or_else(refused)?,
        _ => return Err(refused()),
    };
    let in_day = h < 24 && m < 60 && s < 60;
    if in_day || (h, m, s) == (24, 0, 0) { Ok(h * 3600 + m * 60 + s) } else { Err(refused()) }
}

/// `08:00:00–21:00:00`, or `all day`.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.start_s == self.stop_s {
            return f.pad("all day");
        }
        f.pad(&format!("{}-{}", time_of_day(self.start_s), time_of_day(self.stop_s)))
    }
}

/// Seconds after midnight as `HH:MM:SS`.
#[must_use]
pub fn time_of_day(s: u32) -> String {
    format!("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
}

/// A time zone of the IANA database.
#[derive(Clone, PartialEq)]
pub struct Zone(TimeZone);

impl Zone {
    /// UTC.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// Its IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// An instant on this zone's clock: `2026-03-01 09:00:00`.
    #[must_use]
    pub fn local(&self, at: UtcMs) -> String {
        self.0.to_datetime(at.timestamp()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }
}

impl FromStr for Zone {
    type Err = CalendarRefusal;

    fn from_str(text: &str) -> Result<Self, CalendarRefusal> {
        match TimeZone::get(text) {
            Ok(zone) if zone.iana_name().is_some() => Ok(Self(zone)),
            _ => Err(CalendarRefusal::Zone(text.chars().take(60).collect())),
        }
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name())
    }
}

/// A window on the clock of a zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    /// Local times of day.
    pub window: Window,
    /// Whose clock.
    pub zone: Zone,
}

impl Calendar {
    /// Whether the window is open at `at`.
    #[must_use]
    pub fn contains(&self, at: UtcMs) -> bool {
        let local = self.zone.0.to_datetime(at.timestamp());
        self.window.contains(second_of_day(local))
    }

    /// The earliest instant at or after `at` at which the window is open; `None` when it stays closed
    /// for a week, as a window wholly inside hours that a zone skips would.
    #[must_use]
    pub fn next_opening(&self, at: UtcMs) -> Option<UtcMs> {
        if self.contains(at) {
            return Some(at);
        }
        self.candidates(at, self.window.start_s).into_iter().find(|t| *t > at && self.contains(*t))
    }

    /// The earliest instant after `at` at which an open window is closed; `None` when it stays open.
    #[must_use]
    pub fn closes(&self, at: UtcMs) -> Option<UtcMs> {
        let ends = self.candidates(at, self.window.stop_s);
        ends.into_iter().find(|t| *t > at && !self.contains(*t))
    }

    /// The instants at which the window's state can change within a week of `at`, in order: when the
    /// local clock shows `edge_s`, in both readings of a repeated hour, and when the zone changes its offset.
    fn candidates(&self, at: UtcMs, edge_s: u32) -> Vec<UtcMs> {
        let start = at.timestamp();
        let today = self.zone.0.to_datetime(start).date();
        let mut found: Vec<UtcMs> = Vec::new();
        for days in -1..=8 {
            let Ok(date) = today.checked_add(i64::from(days).days()) else { continue };
            found.extend(self.readings(date, edge_s));
        }
        let week_later = start.saturating_add(SignedDuration::from_hours(8 * 24)).unwrap_or(start);
        let shifts = self.zone.0.following(start).map(|shift| shift.timestamp());
        found.extend(shifts.take_while(|t| *t <= week_later).map(UtcMs::from));
        found.sort_unstable();
        found
    }

    fn readings(&self, date: civil::Date, edge_s: u32) -> Vec<UtcMs> {
        let Ok(local) = date.at(0, 0, 0, 0).checked_add(i64::from(edge_s).seconds()) else { return Vec::new() };
        let ambiguous = self.zone.0.to_ambiguous_timestamp(local);
        let both: [Result<Timestamp, _>; 2] = [ambiguous.earlier(), ambiguous.later()];
        both.into_iter().flatten().map(UtcMs::from).collect()
    }
}

fn second_of_day(local: civil::DateTime) -> u32 {
    let whole = i32::from(local.hour()) * 3600 + i32::from(local.minute()) * 60 + i32::from(local.second());
    whole.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(start: &str, stop: &str, zone: &str) -> Calendar {
        Calendar { window: Window::parse(start, stop).unwrap(), zone: zone.parse().unwrap() }
    }

    fn at(text: &str) -> UtcMs {
        text.parse::<Timestamp>().unwrap().into()
    }

    #[track_caller]
    fn opens(calendar: &Calendar, from: &str, expected: &str) {
        assert_eq!(calendar.next_opening(at(from)), Some(at(expected)));
    }

    #[test]
    fn a_window_is_local_time() {
        let berlin = calendar("09:00", "18:00", "Europe/Berlin");
        assert!(!berlin.contains(at("2026-01-15T07:59:59Z")));
        assert!(berlin.contains(at("2026-01-15T08:00:00Z")));
        assert!(!berlin.contains(at("2026-01-15T17:00:00Z")));
        opens(&berlin, "2026-01-15T17:00:00Z", "2026-01-16T08:00:00Z");
        opens(&berlin, "2026-07-15T17:00:00Z", "2026-07-16T07:00:00Z");
        assert_eq!(berlin.closes(at("2026-01-15T08:00:00Z")), Some(at("2026-01-15T17:00:00Z")));
    }

    #[test]
    fn a_window_may_cross_midnight_or_last_all_day() {
        let night = calendar("22:00", "06:00", "UTC");
        assert!(night.contains(at("2026-01-15T23:00:00Z")) && night.contains(at("2026-01-15T05:59:59Z")));
        opens(&night, "2026-01-15T06:00:00Z", "2026-01-15T22:00:00Z");
        let always = calendar("00:00", "24:00", "Asia/Kolkata");
        assert_eq!(always.closes(at("2026-01-15T06:00:00Z")), None);
        assert_eq!(always.window.to_string(), "all day");
    }

    #[test]
    fn skipped_and_repeated_hours_follow_the_clock_on_the_wall() {
        // Berlin skips 02:00-03:00 on 2026-03-29 (at 01:00Z) and repeats it on 2026-10-25.
        let early = calendar("02:30", "04:00", "Europe/Berlin");
        opens(&early, "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z");
        let gone = calendar("02:10", "02:50", "Europe/Berlin");
        opens(&gone, "2026-03-29T00:00:00Z", "2026-03-30T00:10:00Z");
        opens(&gone, "2026-10-25T00:00:00Z", "2026-10-25T00:10:00Z");
        opens(&gone, "2026-10-25T00:51:00Z", "2026-10-25T01:10:00Z");
    }

    #[test]
    fn what_is_no_time_or_zone_is_refused() {
        for text in ["", "9", "25:00", "24:01", "09:60", "09:00:60", "9h", "09:00:00:00", "-1:00", "09:0a", "+9:00"] {
            assert!(Window::parse(text, "10:00").is_err(), "{text}");
        }
        for text in ["", "Europe/Atlantis", "CEST+2", "../etc/passwd"] {
            assert!(text.parse::<Zone>().is_err(), "{text}");
        }
        assert_eq!("Europe/Berlin".parse::<Zone>().unwrap().name(), "Europe/Berlin");
    }
}
