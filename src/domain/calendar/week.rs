//! The hours of a week: for each weekday any number of ranges.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{DateTime, Weekday};

use super::Zone;
use super::stance::Stance;
use super::window::{DAY_S, parse_time_of_day, short_time_of_day};
use crate::domain::instant::UtcMs;

/// The most ranges of one day.
const RANGES_MAX: usize = 24;

const DAYS: [(&str, Weekday); 7] = [
    ("Mon", Weekday::Monday),
    ("Tue", Weekday::Tuesday),
    ("Wed", Weekday::Wednesday),
    ("Thu", Weekday::Thursday),
    ("Fri", Weekday::Friday),
    ("Sat", Weekday::Saturday),
    ("Sun", Weekday::Sunday),
];

/// A range of local times within one day, in seconds after midnight; the stop is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Hours {
    start_s: u32,
    stop_s: u32,
}

/// The hours of each weekday, as ranges in order that neither touch nor overlap.
///
/// As typed and as stored: `Mon-Fri 09:00-12:00,13:00-18:00; Sat 10:00-14:00`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Week([Vec<Hours>; 7]);

/// Why a text is no week.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WeekRefusal {
    /// No day, or no range, in a part.
    #[error(
        "`{0}` is no part of a week; write days and hours, such as Mon-Fri 09:00-12:00,13:00-18:00; Sat 10:00-14:00"
    )]
    Part(String),
    /// Not a weekday.
    #[error("`{0}` is no weekday; there are Mon Tue Wed Thu Fri Sat Sun, ranges such as Mon-Fri, and daily")]
    Day(String),
    /// Not a time of day.
    #[error(transparent)]
    Time(#[from] super::CalendarRefusal),
    /// A range that ends before it starts, or is empty.
    #[error(
        "`{0}` ends before it starts; hours that cross midnight are two: until 24:00, and on the next day from 00:00"
    )]
    Backward(String),
    /// Two ranges of a day that overlap.
    #[error("{day} has hours that overlap: {first} and {second}")]
    Overlap {
        /// The day.
        day: &'static str,
        /// The earlier range.
        first: String,
        /// The later one.
        second: String,
    },
    /// More than a day can have.
    #[error("a day has at most {RANGES_MAX} ranges of hours")]
    TooMany,
}

impl Week {
    /// Whether these hours are open when a clock shows this.
    #[must_use]
    pub fn is_open_at(&self, shown: DateTime) -> bool {
        let second = i32::from(shown.hour()) * 3600 + i32::from(shown.minute()) * 60 + i32::from(shown.second());
        self.contains(shown.weekday(), second.unsigned_abs())
    }

    /// What these hours on the clock of a zone say at an instant.
    pub(super) fn stance(&self, zone: &Zone, at: UtcMs) -> Stance {
        let wall = zone.wall(at);
        let day = wall.date.weekday();
        let until = Some(zone.runs_evenly_to(at, wall, self.edge_after(day, wall.second_of_day)));
        if self.contains(day, wall.second_of_day) { Stance::open(until) } else { Stance::closed(until) }
    }

    /// Whether these hours are open at a second of a weekday.
    fn contains(&self, day: Weekday, second_of_day: u32) -> bool {
        self.of(day).iter().any(|hours| (hours.start_s..hours.stop_s).contains(&second_of_day))
    }

    /// The first second of the day behind `second_of_day` at which hours begin or end; the end of the day at the
    /// latest.
    fn edge_after(&self, day: Weekday, second_of_day: u32) -> u32 {
        let edges = self.of(day).iter().flat_map(|hours| [hours.start_s, hours.stop_s]);
        edges.filter(|edge| *edge > second_of_day).min().unwrap_or(DAY_S)
    }

    fn of(&self, day: Weekday) -> &[Hours] {
        &self.0[usize::from(day.to_monday_zero_offset().unsigned_abs())]
    }
}

impl FromStr for Week {
    type Err = WeekRefusal;

    fn from_str(text: &str) -> Result<Self, WeekRefusal> {
        let mut week = Self(Default::default());
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let refused = || WeekRefusal::Part(shortened(part));
            let (days, hours) = part.split_once(char::is_whitespace).ok_or_else(refused)?;
            let hours = hours.split(',').map(|text| range(text.trim())).collect::<Result<Vec<_>, _>>()?;
            for day in places(days)? {
                week.0[day].extend(&hours);
            }
        }
        if week.0.iter().all(Vec::is_empty) {
            return Err(WeekRefusal::Part(shortened(text)));
        }
        week.0.iter_mut().zip(DAYS).try_for_each(|(hours, (day, _))| in_order(hours, day))?;
        Ok(week)
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}

/// Sorts the hours of a day and joins those that touch.
fn in_order(hours: &mut Vec<Hours>, day: &'static str) -> Result<(), WeekRefusal> {
    if hours.len() > RANGES_MAX {
        return Err(WeekRefusal::TooMany);
    }
    hours.sort_unstable();
    let mut joined: Vec<Hours> = Vec::with_capacity(hours.len());
    for next in hours.drain(..) {
        match joined.last_mut() {
            Some(last) if next.start_s < last.stop_s => {
                return Err(WeekRefusal::Overlap { day, first: last.to_string(), second: next.to_string() });
            }
            Some(last) if next.start_s == last.stop_s => last.stop_s = next.stop_s,
            _ => joined.push(next),
        }
    }
    *hours = joined;
    Ok(())
}

fn range(text: &str) -> Result<Hours, WeekRefusal> {
    if matches!(text.to_ascii_lowercase().as_str(), "all" | "all-day") {
        return Ok(Hours { start_s: 0, stop_s: DAY_S });
    }
    let (start, stop) = text.split_once('-').ok_or_else(|| WeekRefusal::Part(shortened(text)))?;
    let hours = Hours { start_s: parse_time_of_day(start)?, stop_s: parse_time_of_day(stop)? };
    if hours.start_s < hours.stop_s { Ok(hours) } else { Err(WeekRefusal::Backward(shortened(text))) }
}

/// The days that a text names, counted from Monday: `Mon`, `Mon-Fri`, `Mon,Wed`, `daily`.
fn places(text: &str) -> Result<Vec<usize>, WeekRefusal> {
    if text.eq_ignore_ascii_case("daily") {
        return Ok((0..7).collect());
    }
    let mut places = Vec::new();
    for days in text.split(',') {
        let (first, last) = days.split_once('-').unwrap_or((days, days));
        let (first, last) = (place(first)?, place(last)?);
        // Sat-Mon goes over the end of the week.
        places.extend((first..=if last < first { last + 7 } else { last }).map(|place| place % 7));
    }
    Ok(places)
}

fn place(text: &str) -> Result<usize, WeekRefusal> {
    let named = |(day, _): &(&str, Weekday)| {
        text.len() >= 3 && text.is_ascii() && text[..3].eq_ignore_ascii_case(day) && is_start_of_name(text)
    };
    DAYS.iter().position(named).ok_or_else(|| WeekRefusal::Day(shortened(text)))
}

/// `Mon` and `Monday` are names, `Mono` is none.
fn is_start_of_name(text: &str) -> bool {
    const NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let text = text.to_ascii_lowercase();
    text.len() == 3 || NAMES.contains(&text.as_str())
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", short_time_of_day(self.start_s), short_time_of_day(self.stop_s))
    }
}

/// As typed; days that follow each other and have the same hours are one part.
impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = Vec::new();
        let mut first = 0;
        while first < 7 {
            let hours = &self.0[first];
            let last = (first..7).take_while(|day| self.0[*day] == *hours).last().unwrap_or(first);
            if !hours.is_empty() {
                let ranges: Vec<String> = hours.iter().map(ToString::to_string).collect();
                let days = if first == last {
                    DAYS[first].0.to_owned()
                } else {
                    format!("{}-{}", DAYS[first].0, DAYS[last].0)
                };
                parts.push(format!("{days} {}", ranges.join(",")));
            }
            first = last + 1;
        }
        f.pad(&parts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, shown: &str) {
        let week: Week = text.parse().unwrap();
        assert_eq!(week.to_string(), shown);
        assert_eq!(shown.parse::<Week>().unwrap(), week);
    }

    #[test]
    fn a_week_is_read_as_people_write_it_and_shown_short() {
        reads("Mon-Fri 09:00-12:00,13:00-18:00; Sat 10:00-14:00", "Mon-Fri 09:00-12:00,13:00-18:00; Sat 10:00-14:00");
        reads(
            "mon,wed 9:00-17:00;tuesday 13:00-15:00, 9:00-12:00",
            "Mon 09:00-17:00; Tue 09:00-12:00,13:00-15:00; Wed 09:00-17:00",
        );
        reads("Sat-Mon 22:00-24:00", "Mon 22:00-24:00; Sat-Sun 22:00-24:00");
        reads("daily all", "Mon-Sun 00:00-24:00");
        reads("Mon 09:00-12:00; Mon 12:00-18:00:30", "Mon 09:00-18:00:30");
    }

    #[test]
    fn what_is_no_week_is_refused_with_its_mend() {
        let refusal = |text: &str| text.parse::<Week>().unwrap_err().to_string();
        assert!(refusal("Mon 18:00-09:00").contains("until 24:00"));
        assert!(refusal("Mon 09:00-09:00").contains("ends before it starts"));
        assert!(refusal("Mon 09:00-12:00,11:00-13:00").contains("overlap: 09:00-12:00 and 11:00-13:00"));
        assert!(refusal("Funday 09:00-12:00").contains("no weekday"));
        assert!(refusal("Mono 09:00-12:00").contains("no weekday"));
        assert!(refusal("Mon 25:00-26:00").contains("no time of day"));
        for text in ["", ";", "Mon", "Mon 09:00", "09:00-12:00"] {
            assert!(text.parse::<Week>().is_err(), "{text:?}");
        }
    }
}
