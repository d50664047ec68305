//! Contacts: a campaign's numbers and where each stands.

use rusqlite::{Connection, Row, params};

use super::rows::{collect, first, instant_or_null, number, parsed, parsed_or_null};
use super::{LedgerError, Result, causes, importing, imports, lines};
use crate::domain::campaign::{Campaign, ContactState};
use crate::domain::contact::{Exclusion, Priority};
use crate::domain::disposition::Disposition;
use crate::domain::ids::{CampaignId, ContactId, TrunkId, ZoneClassId};
use crate::domain::instant::UtcMs;
use crate::domain::number::{Number, Packed};
use crate::domain::retry::{ContactTally, FailReason};

const COLUMNS: &str = "SELECT id, campaign, number, state, due_at, charged, dials, strikes, disposition, priority, \
    expires_at, excluded, failed, result_until, result_comment FROM contacts";

/// A contact as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Its row.
    pub id: ContactId,
    /// Of which campaign.
    pub campaign: CampaignId,
    /// Its number; of several, the one that is called next.
    pub number: Number,
    /// Where it stands.
    pub state: ContactState,
    /// While waiting: not before this instant; `None` when never called.
    pub due_at: Option<UtcMs>,
    /// What its calls have cost so far.
    pub tally: ContactTally,
    /// How its last attempt ended.
    pub disposition: Option<Disposition>,
    /// When nobody may say any more that its last call was successful; `None` where nobody is asked, or has answered.
    pub result_until: Option<UtcMs>,
    /// What somebody said of its last call that had a result.
    pub comment: Option<String>,
    /// How early it is called.
    pub priority: Priority,
    /// No start at or after this instant.
    pub expires_at: Option<UtcMs>,
    /// Why it was excluded, if it was.
    pub excluded: Option<Exclusion>,
    /// Why it was given up, if it was and that is known.
    pub failed: Option<FailReason>,
}

/// What became of one number of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imported {
    /// It is a new contact.
    New,
    /// The campaign has it already.
    Duplicate,
}

/// How many contacts a campaign has in each state. I3: they sum to what was imported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// To be called.
    pub waiting: u64,
    /// In a call, or planned.
    pub in_progress: u64,
    /// Answered.
    pub reached: u64,
    /// Given up.
    pub failed: u64,
    /// Not to be called any more, for a reason of its own.
    pub excluded: u64,
}

impl Counts {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.waiting + self.in_progress + self.reached + self.failed + self.excluded
    }
}

fn read(row: &Row<'_>) -> Result<Contact> {
    let state = parsed(row, "state")?;
    Ok(Contact {
        id: ContactId(row.get("id")?),
        campaign: CampaignId(row.get("campaign")?),
        number: number(row, "number")?,
        state,
        due_at: instant_or_null(row, "due_at")?,
        tally: ContactTally {
            charged: row.get("charged")?,
            dials: row.get("dials")?,
            invalid_strikes: row.get("strikes")?,
        },
        disposition: parsed_or_null(row, "disposition")?,
        result_until: instant_or_null(row, "result_until")?,
        comment: row.get("result_comment")?,
        priority: super::candidates::priority(row.get("priority")?)?,
        expires_at: instant_or_null(row, "expires_at")?,
        excluded: parsed_or_null(row, "excluded")?,
        failed: parsed_or_null(row, "failed")?.filter(|_| state == ContactState::Failed),
    })
}

/// Adds a number to a campaign, unless it is there.
pub fn import(db: &Connection, campaign: CampaignId, number: &Number) -> Result<Imported> {
    let added = importing::add_all(db, campaign, &[Packed::from(number)], ContactId(0))?;
    Ok(if added.new == 1 { Imported::New } else { Imported::Duplicate })
}

/// The last contact of the ledger, or of an import if that came after it: what an import adds stands behind it.
pub fn last_id(db: &Connection) -> Result<ContactId> {
    let last: Option<i64> = db.prepare_cached("SELECT max(id) FROM contacts")?.query_row([], |row| row.get(0))?;
    Ok(ContactId(last.max(imports::last_contact(db)?).unwrap_or_default()))
}

/// The contact of this row.
pub fn get(db: &Connection, id: ContactId) -> Result<Option<Contact>> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?;
    first(statement.query([id.0])?, read)
}

/// A campaign's contact with this number.
pub fn find(db: &Connection, campaign: CampaignId, number: &Number) -> Result<Option<Contact>> {
    let id = "SELECT contact FROM contact_numbers WHERE number = ?1 AND campaign = ?2";
    let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE id = ({id})"))?;
    first(statement.query(params![number.as_str(), campaign.0])?, read)
}

/// The contacts with this number in all campaigns.
pub fn with_number(db: &Connection, number: &Number) -> Result<Vec<Contact>> {
    let ids = "SELECT contact FROM contact_numbers WHERE number = ?1";
    let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE id IN ({ids}) ORDER BY campaign"))?;
    collect(statement.query([number.as_str()])?, read)
}

/// A page of a campaign's contacts behind `after`, in the order of import, of one state or of all.
pub fn page(
    db: &Connection,
    campaign: CampaignId,
    state: Option<ContactState>,
    after: ContactId,
    limit: u32,
) -> Result<Vec<Contact>> {
    let sql = format!("{COLUMNS} WHERE campaign = ?1 AND id > ?2 AND (?3 IS NULL OR state = ?3) ORDER BY id LIMIT ?4");
    let mut statement = db.prepare_cached(&sql)?;
    let state = state.map(ContactState::as_str);
    collect(statement.query(params![campaign.0, after.0, state, limit])?, read)
}

/// How many contacts a campaign has in each state.
pub fn counts(db: &Connection, campaign: CampaignId) -> Result<Counts> {
    let mut statement =
        db.prepare_cached("SELECT state, count(*) AS n FROM contacts WHERE campaign = ?1 GROUP BY state")?;
    let mut rows = statement.query([campaign.0])?;
    let mut counts = Counts::default();
    while let Some(row) = rows.next()? {
        let n: u64 = row.get("n")?;
        match parsed::<ContactState>(row, "state")? {
            ContactState::Waiting => counts.waiting = n,
            ContactState::InProgress => counts.in_progress = n,
            ContactState::Reached => counts.reached = n,
            ContactState::Failed => counts.failed = n,
            ContactState::Excluded => counts.excluded = n,
        }
    }
    Ok(counts)
}

/// How many short numbers a campaign has, further numbers of contacts too; only some trunks may dial them.
pub fn short_numbers(db: &Connection, campaign: CampaignId) -> Result<u64> {
    // All but those that begin with `+`, as ranges of the index.
    let sql = "SELECT count(*) FROM contact_numbers WHERE campaign = ?1 AND (number < '+' OR number >= ',')";
    Ok(db.prepare_cached(sql)?.query_row([campaign.0], |row| row.get(0))?)
}

/// How many waiting contacts of a campaign are called before this one: those of higher priorities that could be, then
/// of its own priority those that are due, in the order of their due times, then those that were never called.
/// Only those of these zones count.
pub fn ahead_of(db: &Connection, contact: &Contact, classes: &[ZoneClassId], now: UtcMs) -> Result<u64> {
    let each = classes.iter().map(|class| ahead_in_class(db, contact, *class, now));
    Ok(each.collect::<Result<Vec<_>>>()?.into_iter().sum())
}

/// As [`ahead_of`], of those in one class of zones, which is a part of the index of its own.
fn ahead_in_class(db: &Connection, contact: &Contact, class: ZoneClassId, now: UtcMs) -> Result<u64> {
    let count = |sql: &str, values: &[&dyn rusqlite::ToSql]| -> Result<u64> {
        Ok(db.prepare_cached(sql)?.query_row(values, |row| row.get(0))?)
    };
    let (campaign, priority) = (contact.campaign.0, contact.priority.get());
    let before = contact.due_at.map_or(now.plus_ms(1), |due_at| due_at);
    let sql = "SELECT count(*) FROM contacts WHERE campaign = ?1 AND zone_class = ?5 AND state = 'waiting'
        AND due_at IS NOT NULL AND (priority = ?2 AND due_at < ?3 OR priority > ?2 AND due_at <= ?4)";
    let due = count(sql, params![campaign, priority, before.0, now.0, class.0])?;
    let sql = "SELECT count(*) FROM contacts WHERE campaign = ?1 AND zone_class = ?3 AND state = 'waiting'
        AND due_at IS NULL AND priority > ?2";
    let higher = count(sql, params![campaign, priority, class.0])?;
    if contact.due_at.is_some() {
        return Ok(due + higher);
    }
    let sql = "SELECT count(*) FROM contacts WHERE campaign = ?1 AND zone_class = ?4 AND state = 'waiting'
        AND due_at IS NULL AND priority = ?2 AND (place, id) < (SELECT place, id FROM contacts WHERE id = ?3)";
    Ok(due + higher + count(sql, params![campaign, priority, contact.id.0, class.0])?)
}

/// Whether a campaign has a contact that waits; costs the same for any list.
pub fn any_waiting(db: &Connection, campaign: CampaignId) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM contacts WHERE campaign = ?1 AND state = 'waiting' AND due_at IS NULL)
        OR EXISTS (SELECT 1 FROM contacts WHERE campaign = ?1 AND state = 'waiting' AND due_at IS NOT NULL)";
    Ok(db.prepare_cached(sql)?.query_row([campaign.0], |row| row.get(0))?)
}

/// Moves a contact to the state that follows from its last attempt.
pub fn settle(
    db: &Connection,
    id: ContactId,
    state: ContactState,
    due_at: Option<UtcMs>,
    tally: ContactTally,
    disposition: Disposition,
) -> Result<()> {
    db.prepare_cached(
        "UPDATE contacts SET state = ?2, due_at = ?3, charged = ?4, dials = ?5, strikes = ?6, disposition = ?7,
            round = (SELECT round FROM campaigns c WHERE c.id = contacts.campaign)
         WHERE id = ?1",
    )?
    .execute(params![
        id.0,
        state.as_str(),
        due_at.map(|t| t.0),
        tally.charged,
        tally.dials,
        tally.invalid_strikes,
        disposition.as_str()
    ])?;
    Ok(())
}

/// Notes until when somebody may say whether a contact's last call was successful.
pub fn await_result(db: &Connection, id: ContactId, until: Option<UtcMs>) -> Result<()> {
    let sql = "UPDATE contacts SET result_until = ?2 WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![id.0, until.map(|t| t.0)])?;
    Ok(())
}

/// Says where a contact stands from now on, apart from how its last attempt ended.
pub fn set_standing(
    db: &Connection,
    id: ContactId,
    state: ContactState,
    due_at: Option<UtcMs>,
    tally: ContactTally,
) -> Result<()> {
    let sql = "UPDATE contacts SET state = ?2, due_at = ?3, charged = ?4, dials = ?5, strikes = ?6 WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![
        id.0,
        state.as_str(),
        due_at.map(|t| t.0),
        tally.charged,
        tally.dials,
        tally.invalid_strikes
    ])?;
    Ok(())
}

/// Keeps what somebody said of a contact's last call; its result is not awaited any more.
pub fn note_result(db: &Connection, id: ContactId, comment: Option<&str>) -> Result<()> {
    let sql = "UPDATE contacts SET result_until = NULL, result_comment = ?2 WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![id.0, comment])?;
    Ok(())
}

/// Notes over which trunk a contact's last call failed; `None` when it did not.
pub fn note_failed_trunk(db: &Connection, id: ContactId, trunk: Option<TrunkId>) -> Result<()> {
    let sql = "UPDATE contacts SET failed_trunk = ?2 WHERE id = ?1 AND failed_trunk IS NOT ?2";
    db.prepare_cached(sql)?.execute(params![id.0, trunk.map(|trunk| trunk.0)])?;
    Ok(())
}

/// Gives a contact that waits its final state: it is not to be called any more.
pub fn end_waiting(db: &Connection, id: ContactId, state: ContactState) -> Result<()> {
    let sql = "UPDATE contacts SET state = ?2, due_at = NULL WHERE id = ?1 AND state = 'waiting'";
    db.prepare_cached(sql)?.execute(params![id.0, state.as_str()])?;
    Ok(())
}

/// Notes why a contact is given up.
pub fn note_failed(db: &Connection, id: ContactId, why: FailReason) -> Result<()> {
    db.prepare_cached("UPDATE contacts SET failed = ?2 WHERE id = ?1")?.execute(params![id.0, why.as_str()])?;
    Ok(())
}

/// What a contact's calls have cost so far.
pub fn tally(db: &Connection, id: ContactId) -> Result<ContactTally> {
    let sql = "SELECT charged, dials, strikes FROM contacts WHERE id = ?1";
    Ok(db.prepare_cached(sql)?.query_row([id.0], |row| {
        Ok(ContactTally { charged: row.get(0)?, dials: row.get(1)?, invalid_strikes: row.get(2)? })
    })?)
}

/// Puts a contact that waits off until it may be called.
pub fn put_off(db: &Connection, id: ContactId, until: UtcMs) -> Result<()> {
    let sql = "UPDATE contacts SET due_at = ?2 WHERE id = ?1 AND state = 'waiting'";
    db.prepare_cached(sql)?.execute(params![id.0, until.0])?;
    Ok(())
}

/// Makes one finished contact callable again, as if it were new; not one that has expired.
pub fn reactivate(db: &Connection, contact: &Contact, now: UtcMs) -> Result<()> {
    let called_anyway = match contact.state {
        ContactState::Waiting => Some("waits for its call"),
        ContactState::InProgress => Some("is in a call"),
        ContactState::Reached | ContactState::Failed | ContactState::Excluded => None,
    };
    if let Some(how) = called_anyway {
        return Err(LedgerError::CalledAnyway { number: contact.number.to_string(), how });
    }
    if contact.expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Err(LedgerError::NotCallable { number: contact.number.to_string(), why: "has expired" });
    }
    db.prepare_cached(
        "UPDATE contacts SET state = 'waiting', excluded = NULL, due_at = NULL, charged = 0, dials = 0, strikes = 0
         WHERE id = ?1",
    )?
    .execute([contact.id.0])?;
    causes::forget(db, contact.id)?;
    lines::renew(db, contact)
}

/// Makes all failed contacts of a campaign callable again; says how many.
pub fn redial_failed(db: &Connection, campaign: CampaignId) -> Result<u64> {
    causes::forget_failed(db, campaign)?;
    lines::renew_failed(db, campaign)?;
    let sql = "UPDATE contacts SET state = 'waiting', due_at = NULL, charged = 0, dials = 0, strikes = 0
        WHERE campaign = ?1 AND state = 'failed'
        AND (NOT EXISTS (SELECT 1 FROM contact_lines l WHERE l.contact = contacts.id)
            OR EXISTS (SELECT 1 FROM contact_lines l WHERE l.contact = contacts.id AND l.state = 'callable'))";
    Ok(db.prepare_cached(sql)?.execute([campaign.0])? as u64)
}

/// Gives contacts behind `after` the places that their campaign's order asks for, `limit` at most: an order that was
/// changed holds for those that are there, too. Says where to go on; `None` when all are done.
pub fn place_all(db: &Connection, campaign: &Campaign, after: ContactId, limit: u32) -> Result<Option<ContactId>> {
    let sql = "SELECT id FROM contacts WHERE campaign = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    let mut statement = db.prepare_cached(sql)?;
    let ids = collect(statement.query(params![campaign.id.0, after.0, limit])?, |row| Ok(ContactId(row.get(0)?)))?;
    let mut place = db.prepare_cached("UPDATE contacts SET place = ?2 WHERE id = ?1")?;
    for id in &ids {
        place.execute(params![id.0, campaign.contacts.order.place(*id)])?;
    }
    Ok(ids.last().copied().filter(|_| ids.len() == limit as usize))
}

/// What [`delete_all`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Deleted {
    /// Contacts that are gone.
    pub deleted: u64,
    /// Contacts that stay because they are in a call.
    pub kept_in_progress: u64,
}

/// Deletes a campaign's numbers, but for those in a call. Its report keeps the attempts.
pub fn delete_all(db: &Connection, campaign: CampaignId) -> Result<Deleted> {
    let sql = "DELETE FROM contacts WHERE campaign = ?1 AND state <> 'in_progress'";
    let deleted = db.execute(sql, [campaign.0])? as u64;
    Ok(Deleted { deleted, kept_in_progress: counts(db, campaign)?.in_progress })
}

/// Deletes a contact; the report keeps its calls.
pub fn delete(db: &Connection, id: ContactId) -> Result<()> {
    db.prepare_cached("DELETE FROM contacts WHERE id = ?1")?.execute([id.0])?;
    Ok(())
}
