//! The numbers of contacts that have several, or a kind of number.

use rusqlite::{Connection, Row, params};

use super::contacts::Contact;
use super::rows::{collect, first, instant_or_null, number, parsed, parsed_or_null};
use super::{LedgerError, Result, campaigns, contacts, zones};
use crate::domain::campaign::ContactState;
use crate::domain::contact::{Exclusion, NUMBERS_MAX, NumberKind};
use crate::domain::ids::{CampaignId, ContactId};
use crate::domain::instant::UtcMs;
use crate::domain::line::{self, Line, LineState};
use crate::domain::number::Number;

const COLUMNS: &str = "SELECT contact, place, number, kind, state, strikes FROM contact_lines";

fn read(row: &Row<'_>) -> Result<Line> {
    Ok(Line {
        place: row.get("place")?,
        number: number(row, "number")?,
        kind: parsed_or_null(row, "kind")?,
        state: parsed(row, "state")?,
        strikes: row.get("strikes")?,
    })
}

/// The numbers of a contact by their places; none for a contact that has only the one it is called by.
pub fn of(db: &Connection, contact: ContactId) -> Result<Vec<Line>> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE contact = ?1 ORDER BY place"))?;
    collect(statement.query([contact.0])?, read)
}

/// As [`of`], of all contacts from one to another.
pub fn of_span(db: &Connection, first: ContactId, last: ContactId) -> Result<Vec<(ContactId, Line)>> {
    let sql = format!("{COLUMNS} WHERE contact BETWEEN ?1 AND ?2 ORDER BY contact, place");
    let mut statement = db.prepare_cached(&sql)?;
    collect(statement.query(params![first.0, last.0])?, |row| Ok((ContactId(row.get("contact")?), read(row)?)))
}

/// How many numbers a contact has.
pub(super) fn count(db: &Connection, contact: ContactId) -> Result<usize> {
    let sql = "SELECT count(*) FROM contact_lines WHERE contact = ?1";
    let n: i64 = db.prepare_cached(sql)?.query_row([contact.0], |row| row.get(0))?;
    Ok(usize::try_from(n).unwrap_or_default().max(1))
}

/// A contact that waits has a number on a do-not-call list: it goes on with its others, or is excluded.
pub(super) fn exclude_listed(db: &Connection, id: ContactId) -> Result<()> {
    let Some(contact) = contacts::get(db, id)? else { return Ok(()) };
    let mut lines = of(db, id)?;
    let goes_on =
        lines.iter().position(|line| line.number == contact.number).and_then(|at| line::stop(&mut lines, at, at));
    match goes_on {
        Some(next) => settle(db, id, &lines, Some(next)),
        None => {
            settle(db, id, &lines, None)?;
            contacts::end_waiting(db, id, ContactState::Excluded)?;
            note_excluded(db, id, Exclusion::DoNotCall)
        }
    }
}

/// Gives a new contact its numbers.
pub(super) fn add(db: &Connection, contact: ContactId, lines: &[Line]) -> Result<()> {
    let sql =
        "INSERT INTO contact_lines (contact, place, number, kind, state, strikes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut statement = db.prepare_cached(sql)?;
    for line in lines {
        let kind = line.kind.as_ref().map(NumberKind::as_str);
        let values = params![contact.0, line.place, line.number.as_str(), kind, line.state.as_str(), line.strikes];
        statement.execute(values)?;
    }
    Ok(())
}

/// Notes what a call taught about the numbers of a contact, and which of them is called next.
pub fn settle(db: &Connection, contact: ContactId, lines: &[Line], moved_to: Option<usize>) -> Result<()> {
    let sql = "UPDATE contact_lines SET state = ?3, strikes = ?4 WHERE contact = ?1 AND place = ?2";
    let mut statement = db.prepare_cached(sql)?;
    for line in lines {
        statement.execute(params![contact.0, line.place, line.state.as_str(), line.strikes])?;
    }
    let Some(next) = moved_to.and_then(|at| lines.get(at)) else { return Ok(()) };
    call_next(db, contact, next)
}

fn call_next(db: &Connection, contact: ContactId, line: &Line) -> Result<()> {
    let sql = "UPDATE contacts SET number = ?2, strikes = ?3 WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![contact.0, line.number.as_str(), line.strikes])?;
    // It may be in another country.
    zones::note(db, contact, &line.number)
}

/// What the gate asks of a contact: its expiry, and whether its number may still be called; `None` for an only one.
pub(super) fn at_the_gate(db: &Connection, contact: i64) -> Result<(Option<UtcMs>, Option<LineState>)> {
    let line = "SELECT l.state FROM contact_lines l WHERE l.contact = contacts.id AND l.number = contacts.number";
    let sql = format!("SELECT expires_at, ({line}) AS line FROM contacts WHERE id = ?1");
    let mut statement = db.prepare_cached(&sql)?;
    let read = |row: &Row<'_>| Ok((instant_or_null(row, "expires_at")?, parsed_or_null(row, "line")?));
    Ok(first(statement.query([contact])?, read)?.unwrap_or_default())
}

/// Takes one of a contact's numbers out of its turn, for good. A contact of which none is left is excluded, as soon
/// as it is in no call.
pub fn stop(db: &Connection, contact: &Contact, number: &Number) -> Result<()> {
    let mut lines = of_or_only(db, contact)?;
    let place = |lines: &[Line], number: &Number| lines.iter().position(|line| line.number == *number);
    let left = match (place(&lines, number), place(&lines, &contact.number)) {
        (Some(at), Some(next)) => {
            let goes_on = line::stop(&mut lines, at, next);
            // In a call, the end of it moves on.
            let moved = goes_on.filter(|to| *to != next && contact.state != ContactState::InProgress);
            settle(db, contact.id, &lines, moved)?;
            goes_on
        }
        _ => None,
    };
    if left.is_none() { exclude_stopped(db, contact) } else { Ok(()) }
}

/// The numbers of a contact; those of one that has a single number are noted, so that the gate knows, and the end of a
/// call that is on its way.
fn of_or_only(db: &Connection, contact: &Contact) -> Result<Vec<Line>> {
    let mut lines = of(db, contact.id)?;
    if lines.is_empty() {
        lines.push(callable(1, &contact.number));
        add(db, contact.id, &lines)?;
    }
    Ok(lines)
}

fn callable(place: u32, number: &Number) -> Line {
    Line { place, number: number.clone(), kind: None, state: LineState::Callable, strikes: 0 }
}

/// Gives a contact one more number, behind its others; one that it has already stays as it is.
///
/// # Errors
/// [`LedgerError::InUse`] when another contact of the campaign has it, [`LedgerError::TooManyNumbers`] when it has as
/// many as a contact may have.
pub fn add_number(db: &Connection, contact: &Contact, number: &Number) -> Result<()> {
    let lines = of_or_only(db, contact)?;
    if lines.iter().any(|line| line.number == *number) {
        return Ok(());
    }
    if lines.len() >= NUMBERS_MAX {
        return Err(LedgerError::TooManyNumbers { number: number.to_string() });
    }
    let sql = "INSERT INTO contact_numbers (number, campaign, contact) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    let values = params![number.as_str(), contact.campaign.0, contact.id.0];
    if db.prepare_cached(sql)?.execute(values)? == 0 {
        let by = "another contact of the campaign".to_owned();
        return Err(LedgerError::InUse { what: "number", name: number.to_string(), by });
    }
    let place = lines.iter().map(|line| line.place).max().unwrap_or_default() + 1;
    add(db, contact.id, &[callable(place, number)])
}

/// Somebody said that the contact is not to be called any more. One that is in a call is excluded by its end.
fn exclude_stopped(db: &Connection, contact: &Contact) -> Result<()> {
    let sql =
        "UPDATE contacts SET state = 'excluded', excluded = ?2, due_at = NULL WHERE id = ?1 AND state = 'waiting'";
    db.prepare_cached(sql)?.execute(params![contact.id.0, Exclusion::NumbersStopped.as_str()])?;
    Ok(())
}

/// Notes why a contact is excluded.
pub fn note_excluded(db: &Connection, contact: ContactId, why: Exclusion) -> Result<()> {
    let sql = "UPDATE contacts SET excluded = ?2 WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![contact.0, why.as_str()])?;
    Ok(())
}

/// Has one of a contact's numbers called next, whatever its place; one that was stopped or invalid is callable again.
pub fn prefer(db: &Connection, contact: &Contact, number: &Number) -> Result<()> {
    let mut lines = of(db, contact.id)?;
    let Some(at) = lines.iter().position(|line| line.number == *number) else { return Ok(()) };
    (lines[at].state, lines[at].strikes) = (LineState::Callable, 0);
    settle(db, contact.id, &lines, Some(at))
}

/// As [`prefer`], of a contact that is excluded because all of its numbers were stopped: it waits again, and what its
/// calls have cost stays.
///
/// # Errors
/// [`LedgerError::NotCallable`] when it has expired.
pub fn take_back(db: &Connection, contact: &Contact, number: &Number, now: UtcMs) -> Result<()> {
    if contact.expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Err(LedgerError::NotCallable { number: number.to_string(), why: "has expired" });
    }
    prefer(db, contact, number)?;
    let sql = "UPDATE contacts SET state = 'waiting', excluded = NULL, due_at = NULL WHERE id = ?1";
    db.prepare_cached(sql)?.execute([contact.id.0])?;
    Ok(())
}

/// Makes all numbers of a contact callable again, but for those that somebody stopped; the first of them is the next.
///
/// # Errors
/// [`LedgerError::AllStopped`] when all of them were stopped.
pub(super) fn renew(db: &Connection, contact: &Contact) -> Result<()> {
    if renew_all(db, contact.id)? == Renewed::No {
        let campaign = campaigns::get(db, contact.campaign)?.map_or_else(String::new, |c| c.name.to_string());
        return Err(LedgerError::AllStopped { number: contact.number.to_string(), campaign });
    }
    Ok(())
}

/// Whether a contact may be called again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Renewed {
    Yes,
    No,
}

/// Makes all numbers of a contact callable again, but for those that somebody stopped.
pub(super) fn renew_all(db: &Connection, contact: ContactId) -> Result<Renewed> {
    let sql = "UPDATE contact_lines SET state = 'callable', strikes = 0 WHERE contact = ?1 AND state <> 'stopped'";
    db.prepare_cached(sql)?.execute([contact.0])?;
    let lines = of(db, contact)?;
    match lines.iter().find(|line| line.state == LineState::Callable) {
        Some(first) => call_next(db, contact, first)?,
        None if lines.is_empty() => {}
        None => return Ok(Renewed::No),
    }
    Ok(Renewed::Yes)
}

/// As [`renew`], for all contacts of a campaign that have failed and have a number that nobody stopped.
pub(super) fn renew_failed(db: &Connection, campaign: CampaignId) -> Result<()> {
    let sql = "SELECT id FROM contacts WHERE campaign = ?1 AND state = 'failed'
        AND EXISTS (SELECT 1 FROM contact_lines l WHERE l.contact = contacts.id AND l.state <> 'stopped')";
    let failed = collect(db.prepare_cached(sql)?.query([campaign.0])?, |row| Ok(ContactId(row.get(0)?)))?;
    failed.into_iter().try_for_each(|contact| renew_all(db, contact).map(drop))
}
