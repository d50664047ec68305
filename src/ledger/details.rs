//! Name, zone, caller id and variables of contacts that have any of them.

use rusqlite::{Connection, Row, params};

use super::rows::{collect, first, parsed_or_null};
use super::{LedgerError, Result};
use crate::domain::calendar::Zone;
use crate::domain::contact::ContactName;
use crate::domain::ids::ContactId;
use crate::domain::name::{CallerName, CallerNumber};
use crate::domain::variable::Variables;

/// What a contact may have beside its numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Details {
    /// Its name.
    pub name: Option<ContactName>,
    /// The zone that it is in.
    pub zone: Option<Zone>,
    /// What it sees when it is called, in place of what the campaign shows.
    pub caller_number: Option<CallerNumber>,
    /// The name of that.
    pub caller_name: Option<CallerName>,
    /// Its variables.
    pub variables: Variables,
    /// How long a made-up call of it lasts, in milliseconds.
    pub duration_ms: Option<u32>,
}

impl Details {
    /// Whether there is nothing to keep.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

const COLUMNS: &str =
    "SELECT contact, name, time_zone, caller_number, caller_name, variables, duration_ms FROM contact_details";

fn read(row: &Row<'_>) -> Result<Details> {
    Ok(Details {
        name: parsed_or_null(row, "name")?,
        zone: parsed_or_null(row, "time_zone")?,
        caller_number: parsed_or_null(row, "caller_number")?,
        caller_name: parsed_or_null(row, "caller_name")?,
        variables: variables(row)?,
        duration_ms: row.get("duration_ms")?,
    })
}

/// The variables of a row with such a column.
pub(super) fn variables(row: &Row<'_>) -> Result<Variables> {
    let json: Option<String> = row.get("variables")?;
    let Some(json) = json else { return Ok(Variables::default()) };
    serde_json::from_str(&json).map_err(|problem| LedgerError::corrupt("variables", problem))
}

/// How they are stored: NULL for none.
pub(super) fn stored(variables: &Variables) -> Result<Option<String>> {
    if variables.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(variables).map(Some).map_err(|problem| LedgerError::corrupt("variables", problem))
}

/// What a contact has; nothing for most.
pub fn of(db: &Connection, contact: ContactId) -> Result<Details> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE contact = ?1"))?;
    Ok(first(statement.query([contact.0])?, read)?.unwrap_or_default())
}

/// As [`of`], of all contacts from one to another that have anything.
pub fn of_span(db: &Connection, first: ContactId, last: ContactId) -> Result<Vec<(ContactId, Details)>> {
    let sql = format!("{COLUMNS} WHERE contact BETWEEN ?1 AND ?2 ORDER BY contact");
    let mut statement = db.prepare_cached(&sql)?;
    collect(statement.query(params![first.0, last.0])?, |row| Ok((ContactId(row.get("contact")?), read(row)?)))
}

/// Gives a new contact what it has.
pub(super) fn add(db: &Connection, contact: ContactId, details: &Details) -> Result<()> {
    let sql =
        "INSERT INTO contact_details (contact, name, time_zone, caller_number, caller_name, variables, duration_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    db.prepare_cached(sql)?.execute(params![
        contact.0,
        details.name.as_ref().map(ContactName::as_str),
        details.zone.as_ref().map(Zone::name),
        details.caller_number.as_ref().map(CallerNumber::as_str),
        details.caller_name.as_ref().map(CallerName::as_str),
        stored(&details.variables)?,
        details.duration_ms,
    ])?;
    Ok(())
}
