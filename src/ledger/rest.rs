//! When planning rests, so that `why` can say it (I9).

use rusqlite::{Connection, OptionalExtension, params};

use super::Result;
use crate::domain::instant::UtcMs;

const SCOPE: &str = "rest";

/// Notes that nothing is planned before `until`.
pub fn set(db: &Connection, until: UtcMs) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO paces (scope, next_at) VALUES (?1, ?2) ON CONFLICT (scope) DO UPDATE SET next_at = excluded.next_at",
    )?
    .execute(params![SCOPE, until.0])?;
    Ok(())
}

/// When planning goes on; `None` when it does not rest.
pub fn until(db: &Connection, now: UtcMs) -> Result<Option<UtcMs>> {
    let mut statement = db.prepare_cached("SELECT next_at FROM paces WHERE scope = ?1")?;
    let until: Option<i64> = statement.query_row([SCOPE], |row| row.get(0)).optional()?;
    Ok(until.map(UtcMs).filter(|t| *t > now))
}
