//! Who of a campaign could be called next, in the order of calling.
//!
//! The indexes have the contacts of a campaign by the class of their zones, then by priority. Of each class that may be
//! called a cursor goes down its part of the index, some contacts at a time, and they are merged. From one priority to
//! the next one below is a step in the index, and there are at most as many as [`Priority`] has values: so the cost does
//! not grow with the list, and a campaign without priorities, of one country with one zone, pays for one step.

use std::collections::{BTreeMap, VecDeque};

use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params, params_from_iter};

use super::rows::collect;
use super::{LedgerError, Result};
use crate::domain::contact::Priority;
use crate::domain::ids::{CampaignId, ContactId, TrunkId, ZoneClassId};
use crate::domain::instant::UtcMs;
use crate::domain::number::Number;
use crate::domain::plan::Candidate;

/// Contacts of these classes that are callable by now, or by the end of the span: `room` of each at most. Retries that
/// are due later leave the room to others: whoever waits for its time must not hold a channel meanwhile.
pub(super) fn take(
    db: &Connection,
    campaign: CampaignId,
    classes: &[ZoneClassId],
    room: u32,
    (now, horizon): (UtcMs, UtcMs),
) -> Result<Vec<Candidate>> {
    let (mut ready_left, mut later_left) = (room, room);
    let mut found = Vec::new();
    let shelf = Shelf { db, campaign };
    let mut lanes = classes.iter().map(|class| shelf.lane(*class)).collect::<Result<Vec<_>>>()?;
    while ready_left > 0 {
        let Some(priority) = lanes.iter().filter_map(|lane| lane.due.max(lane.fresh)).max() else { break };
        let mut retries = shelf.due(&classes_of(&lanes, |lane| lane.due == Some(priority)), priority, horizon)?;
        for retry in retries.take(ready_left.max(later_left))? {
            let counter =
                if retry.due_at.is_none_or(|due_at| due_at <= now) { &mut ready_left } else { &mut later_left };
            if *counter > 0 {
                *counter -= 1;
                found.push(retry);
            }
        }
        let mut fresh = shelf.fresh(&classes_of(&lanes, |lane| lane.fresh == Some(priority)), priority)?;
        let fresh = fresh.take(ready_left)?;
        ready_left -= u32::try_from(fresh.len()).unwrap_or(ready_left);
        found.extend(fresh);
        lanes.iter_mut().try_for_each(|lane| shelf.go_below(lane, priority))?;
    }
    Ok(found)
}

/// The earliest due time at or after `horizon` in a class.
pub(super) fn next_due(
    db: &Connection,
    campaign: CampaignId,
    class: ZoneClassId,
    horizon: UtcMs,
) -> Result<Option<UtcMs>> {
    let sql =
        format!("SELECT due_at FROM contacts WHERE {DUE} AND priority = ?3 AND due_at >= ?4 ORDER BY due_at LIMIT 1");
    let mut earliest = db.prepare_cached(&sql)?;
    let shelf = Shelf { db, campaign };
    let mut next: Option<i64> = None;
    let mut below = i32::MAX;
    while let Some(priority) = shelf.highest_below(DUE, class, below)? {
        let values = params![campaign.0, class.0, priority, horizon.0];
        let found: Option<i64> = earliest.query_row(values, |row| row.get(0)).optional()?;
        next = [next, found].into_iter().flatten().min();
        below = priority;
    }
    Ok(next.map(UtcMs))
}

/// The contacts of campaign ?1 and class ?2 in the index of those that were called before, and wait.
const DUE: &str = "campaign = ?1 AND zone_class = ?2 AND state = 'waiting' AND due_at IS NOT NULL";
/// Those in the index of the ones that were not.
const FRESH: &str = "campaign = ?1 AND zone_class = ?2 AND state = 'waiting' AND due_at IS NULL";

const COLUMNS: &str = "SELECT id, number, due_at, priority, expires_at, zone_class, place, failed_trunk FROM contacts";
/// A number that is in a call of another campaign is no candidate until that call is closed (I2).
const FREE: &str = "NOT EXISTS (SELECT 1 FROM attempts a WHERE a.number = contacts.number AND a.closed_at IS NULL)";

/// A class, and the highest priorities in it that were not taken yet.
struct Lane {
    class: ZoneClassId,
    due: Option<i32>,
    fresh: Option<i32>,
}

fn classes_of(lanes: &[Lane], which: impl Fn(&Lane) -> bool) -> Vec<ZoneClassId> {
    lanes.iter().filter(|lane| which(lane)).map(|lane| lane.class).collect()
}

/// The contacts of a campaign that wait.
struct Shelf<'a> {
    db: &'a Connection,
    campaign: CampaignId,
}

impl<'a> Shelf<'a> {
    fn lane(&self, class: ZoneClassId) -> Result<Lane> {
        let highest = |list| self.highest_below(list, class, i32::MAX);
        Ok(Lane { class, due: highest(DUE)?, fresh: highest(FRESH)? })
    }

    fn go_below(&self, lane: &mut Lane, priority: i32) -> Result<()> {
        if lane.due == Some(priority) {
            lane.due = self.highest_below(DUE, lane.class, priority)?;
        }
        if lane.fresh == Some(priority) {
            lane.fresh = self.highest_below(FRESH, lane.class, priority)?;
        }
        Ok(())
    }

    fn highest_below(&self, list: &'static str, class: ZoneClassId, below: i32) -> Result<Option<i32>> {
        let sql =
            format!("SELECT priority FROM contacts WHERE {list} AND priority < ?3 ORDER BY priority DESC LIMIT 1");
        let values = params![self.campaign.0, class.0, below];
        Ok(self.db.prepare_cached(&sql)?.query_row(values, |row| row.get(0)).optional()?)
    }

    fn due(&self, classes: &[ZoneClassId], priority: i32, horizon: UtcMs) -> Result<Merged<'a>> {
        let sql = format!(
            "{COLUMNS} WHERE {DUE} AND priority = ?3 AND (due_at, id) > (?4, ?5) AND due_at < ?7 AND {FREE}
             ORDER BY due_at, id LIMIT ?6"
        );
        Ok(Merged::new(self.db.prepare_cached(&sql)?, classes, (self.campaign, priority, Some(horizon))))
    }

    fn fresh(&self, classes: &[ZoneClassId], priority: i32) -> Result<Merged<'a>> {
        let sql = format!(
            "{COLUMNS} WHERE {FRESH} AND priority = ?3 AND (place, id) > (?4, ?5) AND {FREE}
             ORDER BY place, id LIMIT ?6"
        );
        Ok(Merged::new(self.db.prepare_cached(&sql)?, classes, (self.campaign, priority, None)))
    }
}

/// The contacts of some classes that have the same priority, in the order of calling.
struct Merged<'a> {
    query: CachedStatement<'a>,
    campaign: CampaignId,
    priority: i32,
    /// Of retries: the end of what is wanted.
    horizon: Option<UtcMs>,
    cursors: Vec<Cursor>,
}

/// A retry by its due time, a fresh contact by its place; then by its id.
type Turn = (i64, i64);

/// How far a class was read.
struct Cursor {
    class: ZoneClassId,
    after: Turn,
    read: VecDeque<(Turn, Candidate)>,
}

impl<'a> Merged<'a> {
    fn new(
        query: CachedStatement<'a>,
        classes: &[ZoneClassId],
        (campaign, priority, horizon): (CampaignId, i32, Option<UtcMs>),
    ) -> Self {
        let cursor = |class: &ZoneClassId| Cursor { class: *class, after: (i64::MIN, i64::MIN), read: VecDeque::new() };
        Self { query, campaign, priority, horizon, cursors: classes.iter().map(cursor).collect() }
    }

    /// The first of all of them. Of each class so many are read at a time as are its share.
    fn take(&mut self, limit: u32) -> Result<Vec<Candidate>> {
        let share = i64::from(limit) / i64::try_from(self.cursors.len().max(1)).unwrap_or(i64::MAX) + 1;
        let mut heads: BTreeMap<Turn, (usize, Candidate)> = BTreeMap::new();
        let mut found = Vec::new();
        for place in 0..self.cursors.len() {
            heads.extend(self.next(place, share)?);
        }
        while found.len() < limit as usize
            && let Some((_, (place, candidate))) = heads.pop_first()
        {
            found.push(candidate);
            heads.extend(self.next(place, share)?);
        }
        Ok(found)
    }

    fn next(&mut self, place: usize, share: i64) -> Result<Option<(Turn, (usize, Candidate))>> {
        let cursor = &mut self.cursors[place];
        if cursor.read.is_empty() {
            let of_class = [self.campaign.0, cursor.class.0, i64::from(self.priority)];
            let values = of_class.into_iter().chain([cursor.after.0, cursor.after.1, share]);
            let values = values.chain(self.horizon.map(|horizon| horizon.0));
            cursor.read.extend(collect(self.query.query(params_from_iter(values))?, read)?);
        }
        let Some((turn, candidate)) = cursor.read.pop_front() else { return Ok(None) };
        cursor.after = turn;
        Ok(Some((turn, (place, candidate))))
    }
}

fn read(row: &Row<'_>) -> Result<(Turn, Candidate)> {
    let number = row.get_ref(1)?.as_str().ok().and_then(Number::from_canonical);
    let (id, due_at): (i64, Option<i64>) = (row.get(0)?, row.get(2)?);
    let candidate = Candidate {
        contact: ContactId(id),
        number: number.ok_or_else(|| LedgerError::corrupt("number", "a text that is no number"))?,
        due_at: due_at.map(UtcMs),
        priority: priority(row.get(3)?)?,
        expires_at: row.get::<_, Option<i64>>(4)?.map(UtcMs),
        failed_trunk: row.get::<_, Option<i64>>(7)?.map(TrunkId),
        zones: ZoneClassId(row.get(5)?),
    };
    Ok(((due_at.map_or_else(|| row.get(6), Ok)?, id), candidate))
}

/// A priority as it is stored.
pub(super) fn priority(stored: i16) -> Result<Priority> {
    Priority::new(stored).ok_or_else(|| LedgerError::corrupt("priority", stored))
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    const SPRING: CampaignId = CampaignId(1);

    /// So many contacts who sleep, then as many who may be called, of each of two classes.
    fn list_of(each: u32) -> Connection {
        let db = Connection::open_in_memory().unwrap();
        let table =
            "CREATE TABLE contacts (id INTEGER PRIMARY KEY, campaign, number, state, priority, due_at, expires_at,
                zone_class, place, failed_trunk);
            CREATE TABLE attempts (number, closed_at);
            CREATE INDEX contacts_fresh ON contacts (campaign, zone_class, priority, place, id)
                WHERE state = 'waiting' AND due_at IS NULL;
            CREATE INDEX contacts_due ON contacts (campaign, zone_class, priority, due_at, id)
                WHERE state = 'waiting' AND due_at IS NOT NULL;";
        db.execute_batch(table).unwrap();
        let sql = "INSERT INTO contacts (campaign, number, state, priority, zone_class, place, due_at)
            VALUES (1, '+44163' || ?1, 'waiting', 0, ?2, 0, ?3)";
        for (class, due_at) in [(1, None), (1, Some(5)), (2, None), (2, Some(5)), (3, None), (3, Some(5))] {
            for n in 0..each {
                db.execute(sql, params![2_960_000 + n, class, due_at]).unwrap();
            }
        }
        db
    }

    /// The machine steps that SQLite makes for ten contacts of two classes, retries first.
    fn steps(db: &Connection) -> i32 {
        let shelf = Shelf { db, campaign: SPRING };
        let classes = [2, 3].map(ZoneClassId);
        let mut counted = 0;
        for mut merged in [shelf.due(&classes, 0, UtcMs(10)).unwrap(), shelf.fresh(&classes, 0).unwrap()] {
            let found = merged.take(10).unwrap();
            assert!(found.len() == 10 && found.is_sorted_by_key(|candidate| (candidate.due_at, candidate.contact)));
            counted += merged.query.get_status(StatementStatus::VmStep);
        }
        counted
    }

    #[test]
    fn a_longer_list_and_those_who_sleep_cost_a_plan_nothing() {
        let (few, many) = (steps(&list_of(10)), steps(&list_of(1_000)));
        assert!(few > 0 && many <= few + few / 5, "{few} steps, and {many} with a hundred times as many contacts");
    }
}
