//! `campanile calendar add`, `set` and `remove`.

use clap::Args;

use super::super::failure::{Failure, Outcome, Result};
use super::super::session::{Session, warn};
use super::{CalendarOptions, DayOrNone, change, own, show};
use crate::domain::calendar::{Calendar, Timetable, Window};
use crate::domain::name::Name;
use crate::exit::Exit;
use crate::ledger::calendars;

#[derive(Debug, Args)]
#[command(after_help = "\
Hours are parts separated by ';', each some days and their hours: Mon, Mon-Fri, Mon,Wed or daily, then 09:00-12:00, \
several with ',' between, or all-day. A day that is not named has no hours. Hours that cross midnight are two parts. \
The hours are those that the clock on the wall shows: what a change to summer time skips does not exist on that day.

Examples:
  campanile calendar add office --hours 'Mon-Fri 09:00-12:00,13:00-18:00; Sat 10:00-14:00' --time-zone Europe/Berlin
  campanile calendar add season --hours 'daily 09:00-20:00' --first-day 2026-12-01 --last-day 2026-12-23
  campanile campaign set spring --calendar office

JSON: as `calendar show`.")]
pub struct Add {
    /// The calendar's name: A-Z a-z 0-9 _ -
    name: Name,
    #[command(flatten)]
    options: CalendarOptions,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Only what is given changes; holidays stay. It holds at the gate at once, also for calls that are planned already.

Example:
  campanile calendar set office --hours 'Mon-Fri 10:00-17:00'

JSON: as `calendar show`.")]
pub struct Set {
    /// The calendar's name.
    name: Name,
    #[command(flatten)]
    options: CalendarOptions,
}

#[derive(Debug, Args)]
#[command(after_help = "JSON: {calendar, removed}.")]
pub struct Remove {
    /// The calendar's name.
    name: Name,
}

impl CalendarOptions {
    fn apply(self, timetable: &mut Timetable) -> Result<()> {
        timetable.week = self.hours.unwrap_or_else(|| timetable.week.clone());
        timetable.zone = self.time_zone.unwrap_or_else(|| timetable.zone.clone());
        if let Some(DayOrNone(day)) = self.first_day {
            timetable.first_day = day;
        }
        if let Some(DayOrNone(day)) = self.last_day {
            timetable.last_day = day;
        }
        match (timetable.first_day, timetable.last_day) {
            (Some(first), Some(last)) if last < first => Err(Failure::new(
                Exit::DataErr,
                format!("the last day, {last}, is before the first, {first}"),
                "give --first-day and --last-day in their order",
            )),
            _ => Ok(()),
        }
    }
}

impl Add {
    pub fn run(self, session: &mut Session) -> Outcome {
        let now = session.now();
        let zone = session.settings.time_zone.clone();
        let week =
            "daily all-day".parse().map_err(|why| Failure::new(Exit::Software, format!("{why}"), "report this"))?;
        let mut timetable = Timetable { zone, week, first_day: None, last_day: None, holidays: Vec::new() };
        self.options.apply(&mut timetable)?;
        let actor = &session.actor;
        session.ledger.write(|db| calendars::add(db, &self.name, actor.id(), &timetable, now))?;
        warn_if_over(&timetable, session);
        show::show(session, &self.name)
    }
}

impl Set {
    pub fn run(self, session: &mut Session) -> Outcome {
        let options = self.options;
        let calendar = change(session, &self.name, |calendar| options.apply(&mut calendar.timetable))?;
        warn_if_over(&calendar.timetable, session);
        show::show(session, &self.name)
    }
}

fn warn_if_over(timetable: &Timetable, session: &Session) {
    let now = session.now();
    let calendar = Calendar {
        timetable: Some(timetable.clone().into()),
        ..Calendar::daily(Window::ALWAYS, timetable.zone.clone())
    };
    if calendar.next_opening(now).is_none() {
        warn("the calendar does not open for about a year from now: a campaign that works by it calls nobody");
    }
}

impl Remove {
    pub fn run(self, session: &mut Session) -> Outcome {
        let actor = &session.actor;
        session.ledger.try_write(|db| {
            let calendar = own(db, actor, &self.name)?;
            Ok::<_, Failure>(calendars::remove(db, &calendar)?)
        })?;
        let answer = serde_json::json!({"calendar": self.name.as_str(), "removed": true});
        session.answer(&answer, |out| Ok(writeln!(out, "removed calendar {}", self.name)?))?;
        Ok(Exit::Ok)
    }
}
