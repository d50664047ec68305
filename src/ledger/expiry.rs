//! Contacts that expire: called no more at or after their instant, and excluded once it has come.

use rusqlite::{Connection, params};

use super::Result;
use crate::domain::contact::Exclusion;
use crate::domain::instant::UtcMs;

/// When the next waiting contact expires, of whichever campaign; costs the same for any list.
pub fn next(db: &Connection) -> Result<Option<UtcMs>> {
    let sql = "SELECT min(expires_at) FROM contacts WHERE state = 'waiting' AND expires_at IS NOT NULL";
    let next: Option<i64> = db.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(next.map(UtcMs))
}

/// Excludes waiting contacts that have expired, `limit` at most; says how many.
pub fn exclude(db: &Connection, now: UtcMs, limit: u32) -> Result<u32> {
    let sql = "UPDATE contacts SET state = 'excluded', excluded = ?1, due_at = NULL WHERE id IN (
            SELECT id FROM contacts WHERE state = 'waiting' AND expires_at IS NOT NULL AND expires_at <= ?2
            ORDER BY expires_at LIMIT ?3)";
    let excluded = db.prepare_cached(sql)?.execute(params![Exclusion::MemberExpired.as_str(), now.0, limit])?;
    Ok(u32::try_from(excluded).unwrap_or(u32::MAX))
}
