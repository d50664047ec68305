//! A calendar that has a name: hours by weekday, first and last day, holidays.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::stance::Stance;
use super::window::DAY_S;
use super::{Week, Zone};
use crate::domain::instant::UtcMs;
use crate::domain::name::checked_text;
use crate::domain::stored::worded_enum;

/// The most holidays of a calendar.
pub const HOLIDAYS_MAX: usize = 2_000;

/// The longest holiday, in days.
pub const HOLIDAY_DAYS_MAX: i32 = 366;

checked_text! {
    /// What a holiday is called.
    HolidayName, HOLIDAY_NAME_RULE = {
        what: "holiday", max: 120, allowed: "everything that is visible",
        allows: |c| !c.is_control() && !matches!(c, '\u{fffd}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
    }
}

worded_enum! {
    /// Whether a holiday comes again.
    pub enum Repeats {
        /// On its days only.
        Once = "once",
        /// On the same days of each year from its first on; the 29th of February in leap years.
        Yearly = "yearly",
    }
}

/// A day, or days, on which nobody is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holiday {
    /// What it is called.
    pub name: HolidayName,
    /// Its first day.
    pub first: Date,
    /// Its last day, often the same.
    pub last: Date,
    /// Whether it comes again.
    pub repeats: Repeats,
}

impl Holiday {
    /// Whether `date` is a day of it.
    #[must_use]
    pub fn contains(&self, date: Date) -> bool {
        match self.repeats {
            Repeats::Once => (self.first..=self.last).contains(&date),
            // One that lasts over the end of a year began in the year before.
            Repeats::Yearly => [date.year(), date.year() - 1].into_iter().any(|year| self.in_year(year, date)),
        }
    }

    fn in_year(&self, year: i16, date: Date) -> bool {
        if year < self.first.year() {
            return false;
        }
        let first = Date::new(year, self.first.month(), self.first.day());
        let days = jiff::Span::new().days(i64::from(self.days()) - 1);
        let last = first.clone().and_then(|first| first.checked_add(days));
        first.is_ok_and(|first| first <= date) && last.is_ok_and(|last| date <= last)
    }

    /// How many days it lasts.
    #[must_use]
    pub fn days(&self) -> i32 {
        self.last.since(self.first).map_or(1, |span| span.get_days() + 1)
    }
}

/// Hours by weekday, between a first and a last day, without holidays, on the clock of a zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Timetable {
    /// Whose clock.
    pub zone: Zone,
    /// The hours of a week.
    pub week: Week,
    /// The first day; `None` for none.
    pub first_day: Option<Date>,
    /// The last day, which is one of it; `None` for none.
    pub last_day: Option<Date>,
    /// In the order of their first days.
    pub holidays: Vec<Holiday>,
}

impl Timetable {
    pub(super) fn stance(&self, at: UtcMs) -> Stance {
        let wall = self.zone.wall(at);
        if let Some(first) = self.first_day.filter(|first| wall.date < *first) {
            let next_day = self.zone.runs_evenly_to(at, wall, DAY_S);
            return Stance::closed(Some(self.zone.begins(first).map_or(next_day, |begins| begins.max(next_day))));
        }
        if self.last_day.is_some_and(|last| last < wall.date) {
            return Stance::closed(None);
        }
        if self.holiday(wall.date).is_some() {
            return Stance::closed(Some(self.zone.runs_evenly_to(at, wall, DAY_S)));
        }
        self.week.stance(&self.zone, at)
    }

    /// The holiday that a date is.
    #[must_use]
    pub fn holiday(&self, date: Date) -> Option<&Holiday> {
        self.holidays.iter().find(|holiday| holiday.contains(date))
    }

    /// When its last day is over; `None` without one.
    #[must_use]
    pub fn ends_at(&self) -> Option<UtcMs> {
        let behind = self.last_day?.tomorrow().ok()?;
        self.zone.instant(behind.at(0, 0, 0, 0))
    }
}
