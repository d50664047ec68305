//! Calendars: hours by weekday, first and last day, holidays, by name.

use std::sync::Arc;

use jiff::civil::Date;
use rusqlite::{Connection, Row, params};

use super::rows::{collect, first, parsed, parsed_or_null};
use super::{LedgerError, Result};
use crate::domain::calendar::{Calendar, Schedule, Timetable, Window};
use crate::domain::ids::{CalendarId, UserId};
use crate::domain::instant::UtcMs;
use crate::domain::name::Name;

/// A calendar as it stands in the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedCalendar {
    /// Its row.
    pub id: CalendarId,
    /// Its name.
    pub name: Name,
    /// Who may change it, beside admins.
    pub owner: UserId,
    /// What it says.
    pub timetable: Timetable,
}

const COLUMNS: &str =
    "SELECT id, name, owner, time_zone AS calendar_zone, hours, first_day, last_day, holidays FROM calendars";

/// What a query over campaigns (`c`) selects of the calendar that each works by; [`JOIN`] goes with it.
pub(super) const OF_A_CAMPAIGN: &str = "k.time_zone AS calendar_zone, k.hours, k.first_day, k.last_day, k.holidays";
pub(super) const JOIN: &str = "LEFT JOIN calendars k ON k.id = c.calendar";

fn read(row: &Row<'_>) -> Result<NamedCalendar> {
    Ok(NamedCalendar {
        id: CalendarId(row.get("id")?),
        name: parsed(row, "name")?,
        owner: UserId(row.get("owner")?),
        timetable: read_timetable(row)?,
    })
}

fn read_timetable(row: &Row<'_>) -> Result<Timetable> {
    let holidays: String = row.get("holidays")?;
    Ok(Timetable {
        zone: parsed(row, "calendar_zone")?,
        week: parsed(row, "hours")?,
        first_day: parsed_or_null(row, "first_day")?,
        last_day: parsed_or_null(row, "last_day")?,
        holidays: serde_json::from_str(&holidays).map_err(|problem| LedgerError::corrupt("holidays", problem))?,
    })
}

/// When a campaign may dial, from a row with its own columns, [`OF_A_CAMPAIGN`] and `wait_time_s`.
pub(super) fn read_of_campaign(row: &Row<'_>) -> Result<Calendar> {
    let window = Window::new(row.get("window_start_s")?, row.get("window_stop_s")?);
    let named: Option<i64> = row.get("calendar")?;
    let timetable = named.map(|_| read_timetable(row).map(Arc::new)).transpose()?;
    let instant = |column| row.get::<_, Option<i64>>(column).map(|ms| ms.map(UtcMs));
    let schedule = Schedule { starts_at: instant("starts_at")?, ends_at: instant("ends_at")? };
    let own = Calendar::daily(window, parsed(row, "time_zone")?).with_ring_time(row.get("wait_time_s")?);
    Ok(Calendar { timetable, schedule, ..own })
}

/// Adds a calendar; refuses a name that is taken.
pub fn add(db: &Connection, name: &Name, owner: UserId, timetable: &Timetable, now: UtcMs) -> Result<CalendarId> {
    if find(db, name.as_str())?.is_some() {
        return Err(LedgerError::Taken { what: "calendar", name: name.to_string() });
    }
    db.prepare_cached(
        "INSERT INTO calendars (name, owner, created_at, time_zone, hours, first_day, last_day, holidays)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        name.as_str(),
        owner.0,
        now.0,
        timetable.zone.name(),
        timetable.week.to_string(),
        timetable.first_day.map(day),
        timetable.last_day.map(day),
        holidays(timetable)?
    ])?;
    Ok(CalendarId(db.last_insert_rowid()))
}

/// Writes what a calendar says over what it said. Campaigns that work by it do so from the next claim on.
pub fn update(db: &Connection, id: CalendarId, timetable: &Timetable) -> Result<()> {
    db.prepare_cached(
        "UPDATE calendars SET time_zone = ?2, hours = ?3, first_day = ?4, last_day = ?5, holidays = ?6 WHERE id = ?1",
    )?
    .execute(params![
        id.0,
        timetable.zone.name(),
        timetable.week.to_string(),
        timetable.first_day.map(day),
        timetable.last_day.map(day),
        holidays(timetable)?
    ])?;
    Ok(())
}

fn day(date: Date) -> String {
    date.to_string()
}

fn holidays(timetable: &Timetable) -> Result<String> {
    serde_json::to_string(&timetable.holidays).map_err(|problem| LedgerError::corrupt("holidays", problem))
}

/// The calendar of this name.
pub fn find(db: &Connection, name: &str) -> Result<Option<NamedCalendar>> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE name = ?1"))?;
    first(statement.query([name])?, read)
}

/// The calendar of this row.
pub fn get(db: &Connection, id: CalendarId) -> Result<NamedCalendar> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?;
    first(statement.query([id.0])?, read)?.ok_or_else(|| LedgerError::absent("calendar", id.to_string()))
}

/// All calendars by name.
pub fn all(db: &Connection) -> Result<Vec<NamedCalendar>> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} ORDER BY name"))?;
    collect(statement.query([])?, read)
}

/// The names of the campaigns that work by a calendar.
pub fn campaigns_of(db: &Connection, id: CalendarId) -> Result<Vec<String>> {
    let mut statement = db.prepare_cached("SELECT name FROM campaigns WHERE calendar = ?1 ORDER BY name")?;
    collect(statement.query([id.0])?, |row| Ok(row.get(0)?))
}

/// Removes a calendar that no campaign works by.
pub fn remove(db: &Connection, calendar: &NamedCalendar) -> Result<()> {
    let users = campaigns_of(db, calendar.id)?;
    if !users.is_empty() {
        let by = format!("campaign(s) {}; give these another calendar first", users.join(", "));
        return Err(LedgerError::InUse { what: "calendar", name: calendar.name.to_string(), by });
    }
    db.execute("DELETE FROM calendars WHERE id = ?1", [calendar.id.0])?;
    Ok(())
}
