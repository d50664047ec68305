//! Evidence: appended, never changed.

use rusqlite::{Connection, Row, params};

use super::rows::{collect, instant};
use super::{LedgerError, Result, dnc};
use crate::domain::evidence::{Evidence, Fact};
use crate::domain::ids::AttemptId;
use crate::domain::instant::{SET_BACK_MS, UtcMs};

/// Appends a fact about an attempt; with an opt-out its number comes onto the list.
pub fn append(db: &Connection, attempt: AttemptId, evidence: &Evidence) -> Result<()> {
    let fact = serde_json::to_string(&evidence.fact).map_err(|problem| LedgerError::corrupt("a fact", problem))?;
    db.prepare_cached("INSERT INTO evidence (attempt, at, kind, fact) VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        attempt.0,
        evidence.at.0,
        kind(&evidence.fact),
        fact
    ])?;
    match &evidence.fact {
        // Nobody may be told that no call follows before it is so.
        Fact::OptedOut { list } => dnc::opt_out(db, attempt, list.as_ref(), evidence.at),
        _ => Ok(()),
    }
}

/// All that is known of an attempt, in the order of arrival.
pub fn of(db: &Connection, attempt: AttemptId) -> Result<Vec<Evidence>> {
    let mut statement = db.prepare_cached("SELECT at, fact FROM evidence WHERE attempt = ?1 ORDER BY id")?;
    collect(statement.query([attempt.0])?, read)
}

fn read(row: &Row<'_>) -> Result<Evidence> {
    let fact: String = row.get("fact")?;
    let fact = serde_json::from_str(&fact).map_err(|problem| LedgerError::corrupt("a fact", problem))?;
    Ok(Evidence { at: instant(row, "at")?, fact })
}

/// Whether a fact of this kind is known of an attempt.
pub fn has(db: &Connection, attempt: AttemptId, kind: &str) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM evidence WHERE attempt = ?1 AND kind = ?2)";
    Ok(db.prepare_cached(sql)?.query_row(params![attempt.0, kind], |row| row.get(0))?)
}

/// Whether a fact of this kind was seen of an attempt by `now`. One from the future was seen before the clock
/// was set back: what is still so is worth another fact, or a grace would wait out the difference.
pub fn has_by(db: &Connection, attempt: AttemptId, kind: &str, now: UtcMs) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM evidence WHERE attempt = ?1 AND kind = ?2 AND at <= ?3)";
    let latest = now.plus_ms(SET_BACK_MS);
    Ok(db.prepare_cached(sql)?.query_row(params![attempt.0, kind, latest.0], |row| row.get(0))?)
}

/// The place behind the last fact, to be given to [`attempts_since`] later.
pub fn end(db: &Connection) -> Result<i64> {
    Ok(db.prepare_cached("SELECT coalesce(max(id), 0) FROM evidence")?.query_row([], |row| row.get(0))?)
}

/// The attempts that have facts behind this place.
pub fn attempts_since(db: &Connection, place: i64) -> Result<Vec<AttemptId>> {
    let mut statement = db.prepare_cached("SELECT DISTINCT attempt FROM evidence WHERE id > ?1 ORDER BY attempt")?;
    collect(statement.query([place])?, |row| Ok(AttemptId(row.get(0)?)))
}

/// When the gate last gave an answer, by the facts behind this place.
pub fn gate_heard_since(db: &Connection, place: i64) -> Result<Option<UtcMs>> {
    let sql = "SELECT max(at) FROM evidence WHERE id > ?1 AND kind IN ('admitted', 'refused')";
    Ok(db.prepare_cached(sql)?.query_row([place], |row| row.get::<_, Option<i64>>(0))?.map(UtcMs))
}

/// The word by which a fact is found without reading it; the same as its tag in JSON.
#[must_use]
pub fn kind(fact: &Fact) -> &'static str {
    match fact {
        Fact::Admitted { .. } => "admitted",
        Fact::Refused { .. } => "refused",
        Fact::Answered => "answered",
        Fact::Step(_) => "step",
        Fact::HandedOver => "handed_over",
        Fact::OptedOut { .. } => "opted_out",
        Fact::Reported(_) => "reported",
        Fact::Archived { .. } => "archived",
        Fact::Missing => "missing",
        Fact::Swept => "swept",
        Fact::Withdrawn => "withdrawn",
        Fact::NotPublished { .. } => "not_published",
    }
}
