//! Time zones, and the one place where their clocks are read.
//!
//! A rule is about what the clock on the wall shows, so DST needs no rule of its own: hours from 02:00 to 02:30
//! do not exist on the day that skips them, and come twice on the day that repeats them.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::CalendarRefusal;
use crate::domain::instant::UtcMs;

/// A time zone of the IANA database.
#[derive(Clone, PartialEq)]
pub struct Zone(TimeZone);

/// What a zone's clock shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wall {
    pub date: Date,
    /// Seconds after midnight, as the clock shows them.
    pub second_of_day: u32,
    /// The same in milliseconds.
    ms_of_day: i64,
}

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

    /// What this zone's clock shows at an instant.
    #[must_use]
    pub fn on_the_wall(&self, at: UtcMs) -> DateTime {
        self.0.to_datetime(at.timestamp())
    }

    /// The date on this zone's clock.
    #[must_use]
    pub fn date(&self, at: UtcMs) -> Date {
        self.wall(at).date
    }

    pub(super) fn wall(&self, at: UtcMs) -> Wall {
        let local = self.0.to_datetime(at.timestamp());
        let second = i32::from(local.hour()) * 3600 + i32::from(local.minute()) * 60 + i32::from(local.second());
        let ms_of_day = i64::from(second) * 1000 + i64::from(local.millisecond());
        Wall { date: local.date(), second_of_day: second.unsigned_abs(), ms_of_day }
    }

    /// When the clock, which shows `wall` at `at`, shows `edge_s` seconds after midnight of the same day; earlier
    /// when the zone sets its clock before that. Until then it runs on evenly.
    pub(super) fn runs_evenly_to(&self, at: UtcMs, wall: Wall, edge_s: u32) -> UtcMs {
        let edge = at.plus_ms(i64::from(edge_s) * 1000 - wall.ms_of_day);
        let shift = self.0.following(at.timestamp()).next().map(|shift| UtcMs::from(shift.timestamp()));
        shift.filter(|shift| *shift > at).map_or(edge, |shift| shift.min(edge))
    }

    /// The instant at which a day begins, or an earlier one where its midnight is skipped or repeated.
    pub(super) fn begins(&self, date: Date) -> Option<UtcMs> {
        let midnight = self.0.to_ambiguous_timestamp(date.at(0, 0, 0, 0));
        midnight.earlier().ok().map(UtcMs::from)
    }

    /// The instant that a local date and time mean: of two the earlier, and of none the first that comes after.
    #[must_use]
    pub fn instant(&self, local: DateTime) -> Option<UtcMs> {
        self.0.to_ambiguous_timestamp(local).compatible().ok().map(UtcMs::from)
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
