//! Who of a campaign could be called next, in the order of calling.
//!
//! The indexes have the contacts of a campaign by priority. From one priority to the next one below is a step in the
//! index, and there are at most as many as [`Priority`] has values: so the cost does not grow with the list, and a
//! campaign without priorities pays for one step.

use rusqlite::{Connection, OptionalExtension, params};

use super::rows::collect;
use super::{LedgerError, Result};
use crate::domain::contact::Priority;
use crate::domain::ids::{CampaignId, ContactId, TrunkId};
use crate::domain::instant::UtcMs;
use crate::domain::number::Number;
use crate::domain::plan::Candidate;

/// Contacts that are callable by now, or by the end of the span: `room` of each at most. Retries that are due
/// later leave the room to others: whoever waits for its time must not hold a channel meanwhile.
pub(super) fn take(
    db: &Connection,
    campaign: CampaignId,
    room: u32,
    (now, horizon): (UtcMs, UtcMs),
) -> Result<Vec<Candidate>> {
    let (mut ready_left, mut later_left) = (room, room);
    let mut found = Vec::new();
    let mut below = i32::MAX;
    while ready_left > 0 {
        let highest = [DUE, FRESH].map(|list| highest_below(db, campaign, list, below));
        let [due_in, fresh_in] = highest;
        let Some(priority) = due_in?.max(fresh_in?) else { break };
        let retries = due(db, campaign, priority, horizon, ready_left.max(later_left))?;
        for retry in retries {
            let counter =
                if retry.due_at.is_none_or(|due_at| due_at <= now) { &mut ready_left } else { &mut later_left };
            if *counter > 0 {
                *counter -= 1;
                found.push(retry);
            }
        }
        let fresh = fresh(db, campaign, priority, ready_left)?;
        ready_left -= u32::try_from(fresh.len()).unwrap_or(ready_left);
        found.extend(fresh);
        below = priority;
    }
    Ok(found)
}

/// The earliest due time at or after `horizon`.
pub(super) fn next_due(db: &Connection, campaign: CampaignId, horizon: UtcMs) -> Result<Option<UtcMs>> {
    let sql =
        format!("SELECT due_at FROM contacts WHERE {DUE} AND priority = ?2 AND due_at >= ?3 ORDER BY due_at LIMIT 1");
    let mut earliest = db.prepare_cached(&sql)?;
    let mut next: Option<i64> = None;
    let mut below = i32::MAX;
    while let Some(priority) = highest_below(db, campaign, DUE, below)? {
        let found: Option<i64> =
            earliest.query_row(params![campaign.0, priority, horizon.0], |row| row.get(0)).optional()?;
        next = [next, found].into_iter().flatten().min();
        below = priority;
    }
    Ok(next.map(UtcMs))
}

/// The contacts of campaign ?1 in the index of those that were called before, and wait.
const DUE: &str = "campaign = ?1 AND state = 'waiting' AND due_at IS NOT NULL";
/// Those in the index of the ones that were not.
const FRESH: &str = "campaign = ?1 AND state = 'waiting' AND due_at IS NULL";

fn highest_below(db: &Connection, campaign: CampaignId, list: &'static str, below: i32) -> Result<Option<i32>> {
    let sql = format!("SELECT priority FROM contacts WHERE {list} AND priority < ?2 ORDER BY priority DESC LIMIT 1");
    Ok(db.prepare_cached(&sql)?.query_row(params![campaign.0, below], |row| row.get(0)).optional()?)
}

const COLUMNS: &str = "SELECT id, number, due_at, priority, expires_at, failed_trunk FROM contacts";
/// A number that is in a call of another campaign is no candidate until that call is closed (I2).
const FREE: &str = "NOT EXISTS (SELECT 1 FROM attempts a WHERE a.number = contacts.number AND a.closed_at IS NULL)";

fn due(db: &Connection, campaign: CampaignId, priority: i32, horizon: UtcMs, limit: u32) -> Result<Vec<Candidate>> {
    let sql =
        format!("{COLUMNS} WHERE {DUE} AND priority = ?2 AND due_at < ?3 AND {FREE} ORDER BY due_at, id LIMIT ?4");
    read(db, &sql, params![campaign.0, priority, horizon.0, limit])
}

fn fresh(db: &Connection, campaign: CampaignId, priority: i32, limit: u32) -> Result<Vec<Candidate>> {
    let sql = format!("{COLUMNS} WHERE {FRESH} AND priority = ?2 AND {FREE} ORDER BY place, id LIMIT ?3");
    read(db, &sql, params![campaign.0, priority, limit])
}

fn read(db: &Connection, sql: &str, values: impl rusqlite::Params) -> Result<Vec<Candidate>> {
    collect(db.prepare_cached(sql)?.query(values)?, |row| {
        let number = row.get_ref(1)?.as_str().ok().and_then(Number::from_canonical);
        Ok(Candidate {
            contact: ContactId(row.get(0)?),
            number: number.ok_or_else(|| LedgerError::corrupt("number", "a text that is no number"))?,
            due_at: row.get::<_, Option<i64>>(2)?.map(UtcMs),
            priority: priority(row.get(3)?)?,
            expires_at: row.get::<_, Option<i64>>(4)?.map(UtcMs),
            failed_trunk: row.get::<_, Option<i64>>(5)?.map(TrunkId),
        })
    })
}

/// A priority as it is stored.
pub(super) fn priority(stored: i16) -> Result<Priority> {
    Priority::new(stored).ok_or_else(|| LedgerError::corrupt("priority", stored))
}
