//! `campanile calendar add-holiday` and `remove-holiday`.

use clap::Args;
use jiff::civil::Date;

use super::super::failure::{Failure, Outcome, Result};
use super::super::session::Session;
use super::{change, day, show};
use crate::domain::calendar::{HOLIDAY_DAYS_MAX, HOLIDAYS_MAX, Holiday, HolidayName, Repeats};
use crate::domain::name::Name;
use crate::exit::Exit;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  campanile calendar add-holiday office 2026-12-25 Christmas --yearly
  campanile calendar add-holiday office 2026-07-27 'Company holidays' --to 2026-08-14

JSON: as `calendar show`.")]
pub struct Add {
    /// The calendar's name.
    calendar: Name,
    /// The day, or the first of several: YYYY-MM-DD.
    #[arg(value_parser = day)]
    day: Date,
    /// What it is called.
    name: HolidayName,
    /// The last day.
    #[arg(long, value_name = "DAY", value_parser = day)]
    to: Option<Date>,
    /// On the same days of each year from then on.
    #[arg(long)]
    yearly: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  campanile calendar remove-holiday office 2026-12-25
  campanile calendar remove-holiday office --all

JSON: as `calendar show`.")]
pub struct Remove {
    /// The calendar's name.
    calendar: Name,
    /// The first day of the holiday: YYYY-MM-DD.
    #[arg(value_parser = day)]
    day: Option<Date>,
    /// All holidays of the calendar.
    #[arg(long, conflicts_with = "day")]
    all: bool,
}

impl Add {
    pub fn run(self, session: &mut Session) -> Outcome {
        let holiday = Holiday {
            name: self.name,
            first: self.day,
            last: self.to.unwrap_or(self.day),
            repeats: if self.yearly { Repeats::Yearly } else { Repeats::Once },
        };
        if holiday.last < holiday.first || holiday.days() > HOLIDAY_DAYS_MAX {
            let what = format!("a holiday from {} to {} does not work", holiday.first, holiday.last);
            let mend = format!("give the first day, then --to the last, at most {HOLIDAY_DAYS_MAX} days");
            return Err(Failure::new(Exit::DataErr, what, mend));
        }
        change(session, &self.calendar, |calendar| join(&mut calendar.timetable.holidays, vec![holiday]).map(drop))?;
        show::show(session, &self.calendar)
    }
}

/// Adds those that are not there yet, in the order of their days; says how many were new.
pub fn join(holidays: &mut Vec<Holiday>, more: Vec<Holiday>) -> Result<usize> {
    let before = holidays.len();
    let new: Vec<Holiday> = more.into_iter().filter(|holiday| !holidays.contains(holiday)).collect();
    holidays.extend(new);
    if holidays.len() > HOLIDAYS_MAX {
        let what = format!("a calendar has at most {HOLIDAYS_MAX} holidays");
        return Err(Failure::new(Exit::DataErr, what, "remove past ones: campanile calendar remove-holiday"));
    }
    holidays.sort_by_key(|holiday| (holiday.first, holiday.last));
    Ok(holidays.len() - before)
}

impl Remove {
    pub fn run(self, session: &mut Session) -> Outcome {
        let day = self.day;
        if day.is_none() && !self.all {
            let mend = "give the day with which it begins, such as 2026-12-25, or --all for all of them";
            return Err(Failure::new(Exit::Usage, "say which holiday goes", mend));
        }
        change(session, &self.calendar, |calendar| {
            let holidays = &mut calendar.timetable.holidays;
            let before = holidays.len();
            holidays.retain(|holiday| day.is_some_and(|day| holiday.first != day));
            if let Some(day) = day.filter(|_| holidays.len() == before) {
                let what = format!("calendar {} has no holiday that begins on {day}", calendar.name);
                return Err(Failure::new(Exit::NoInput, what, "`campanile calendar show` lists them"));
            }
            Ok(())
        })?;
        show::show(session, &self.calendar)
    }
}
