//! When planning rests and why, so that `why` can say it (I9).

use rusqlite::{Connection, OptionalExtension, params};

use super::Result;
use crate::domain::instant::UtcMs;
use crate::domain::why::RestWhy;

/// Notes that nothing is planned before `until`.
pub fn set(db: &Connection, why: RestWhy, until: UtcMs) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO paces (scope, next_at) VALUES (?1, ?2) ON CONFLICT (scope) DO UPDATE SET next_at = excluded.next_at",
    )?
    .execute(params![scope(why), until.0])?;
    Ok(())
}

/// Notes that planning goes on.
pub fn clear(db: &Connection) -> Result<()> {
    for why in RestWhy::ALL {
        db.prepare_cached("DELETE FROM paces WHERE scope = ?1")?.execute([scope(*why)])?;
    }
    Ok(())
}

/// When planning goes on and why it rests; `None` when it does not rest.
pub fn until(db: &Connection, now: UtcMs) -> Result<Option<(UtcMs, RestWhy)>> {
    let mut statement = db.prepare_cached("SELECT next_at FROM paces WHERE scope = ?1")?;
    let mut last = None;
    for why in RestWhy::ALL {
        let until: Option<i64> = statement.query_row([scope(*why)], |row| row.get(0)).optional()?;
        let rests = until.map(|ms| (UtcMs(ms), *why)).filter(|(until, _)| *until > now);
        last = last.max(rests);
    }
    Ok(last)
}

fn scope(why: RestWhy) -> String {
    format!("rest:{why}")
}
