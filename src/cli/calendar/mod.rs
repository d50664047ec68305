//! `campanile calendar`.

mod change;
mod holidays;
mod import;
mod show;

use clap::{Args, Subcommand};
use jiff::civil::Date;

use super::actor::Actor;
use super::failure::{Failure, Outcome, Result};
use super::session::Session;
use crate::domain::calendar::{Week, Zone};
use crate::domain::name::Name;
use crate::domain::user::Role;
use crate::exit::Exit;
use crate::ledger::calendars::{self, NamedCalendar};
use crate::ledger::{Connection, users};

/// Calendars: hours by weekday, first and last day, holidays; campaigns work by them.
#[derive(Debug, Subcommand)]
pub enum CalendarVerb {
    /// Add a calendar.
    Add(change::Add),
    /// Change a calendar; campaigns that work by it do so at once.
    Set(change::Set),
    /// List all calendars that you may use: those of admins, and your own.
    List(show::List),
    /// Show a calendar with its holidays, and whether it is open.
    Show(show::Show),
    /// Remove a calendar that no campaign works by.
    Remove(change::Remove),
    /// Add a holiday.
    AddHoliday(holidays::Add),
    /// Remove a holiday, or all of them.
    RemoveHoliday(holidays::Remove),
    /// Take holidays over from an iCalendar (.ics) file.
    Import(import::Import),
}

impl CalendarVerb {
    pub fn run(self, session: &mut Session) -> Outcome {
        match self {
            Self::Add(verb) => verb.run(session),
            Self::Set(verb) => verb.run(session),
            Self::List(verb) => verb.run(session),
            Self::Show(verb) => verb.run(session),
            Self::Remove(verb) => verb.run(session),
            Self::AddHoliday(verb) => verb.run(session),
            Self::RemoveHoliday(verb) => verb.run(session),
            Self::Import(verb) => verb.run(session),
        }
    }
}

/// What `add` and `set` share.
#[derive(Debug, Args)]
pub struct CalendarOptions {
    /// The hours, such as 'Mon-Fri 09:00-12:00,13:00-18:00; Sat 10:00-14:00' [of a new calendar: all day, daily].
    #[arg(long, value_name = "HOURS")]
    hours: Option<Week>,
    /// The time zone of hours and days, such as Europe/Berlin [of a new calendar: the setting time_zone].
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<Zone>,
    /// The first day, YYYY-MM-DD, or none [of a new calendar: none].
    #[arg(long, value_name = "DAY|none", value_parser = day_or_none)]
    first_day: Option<DayOrNone>,
    /// The last day, which is one of it, or none [of a new calendar: none].
    #[arg(long, value_name = "DAY|none", value_parser = day_or_none)]
    last_day: Option<DayOrNone>,
}

/// A day as typed, or that there is none.
#[derive(Debug, Clone, Copy)]
pub struct DayOrNone(Option<Date>);

fn day_or_none(text: &str) -> std::result::Result<DayOrNone, &'static str> {
    if text == "none" { Ok(DayOrNone(None)) } else { day(text).map(|day| DayOrNone(Some(day))) }
}

/// A day as typed.
fn day(text: &str) -> std::result::Result<Date, &'static str> {
    let parsed = Date::strptime("%Y-%m-%d", text);
    parsed.map_err(|_| "write a day that exists as YYYY-MM-DD, such as 2026-12-24")
}

/// The calendar of this name, if the actor may use it: theirs, or an admin's.
pub fn usable(db: &Connection, actor: &Actor, name: &Name) -> Result<NamedCalendar> {
    match calendars::find(db, name.as_str())? {
        Some(calendar) if sees(db, actor, &calendar)? => Ok(calendar),
        _ => {
            let what = format!("there is no calendar `{name}`");
            Err(Failure::new(Exit::NoInput, what, "`campanile calendar list` shows those that you may use"))
        }
    }
}

fn sees(db: &Connection, actor: &Actor, calendar: &NamedCalendar) -> Result<bool> {
    Ok(may_change(actor, calendar) || users::get(db, calendar.owner)?.role == Role::Admin)
}

fn may_change(actor: &Actor, calendar: &NamedCalendar) -> bool {
    actor.is_admin() || calendar.owner == actor.id()
}

/// The calendar of this name, if the actor may change it.
fn own(db: &Connection, actor: &Actor, name: &Name) -> Result<NamedCalendar> {
    let calendar = usable(db, actor, name)?;
    if may_change(actor, &calendar) {
        return Ok(calendar);
    }
    Err(Failure::new(
        Exit::NoPerm,
        format!("calendar {name} is an admin's"),
        "ask an admin, or add a calendar of your own: campanile calendar add NAME",
    ))
}

/// Changes what a calendar says, in one transaction, and wakes the daemon.
fn change(
    session: &mut Session,
    name: &Name,
    edit: impl FnOnce(&mut NamedCalendar) -> Result<()>,
) -> Result<NamedCalendar> {
    let actor = &session.actor;
    let calendar = session.ledger.try_write(|db| {
        let mut calendar = own(db, actor, name)?;
        edit(&mut calendar)?;
        calendars::update(db, calendar.id, &calendar.timetable)?;
        Ok::<_, Failure>(calendar)
    })?;
    session.wake_daemon();
    Ok(calendar)
}
