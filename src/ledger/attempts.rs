//! Attempts: intent, spooled, and how they are found again.

use rusqlite::{Connection, Row, params};

use super::rows::{collect, first, instant, number, parsed, parsed_or_null};
use super::{LedgerError, Result, actions};
use crate::domain::attempt::{AttemptState, Order, OrderPart};
use crate::domain::ids::{ActionListId, AttemptId, CampaignId, ContactId, Ticket, TrunkId};
use crate::domain::instant::UtcMs;
use crate::domain::name::{AccountCode, CallerName, CallerNumber};
use crate::domain::number::Number;
use crate::domain::trunk::DialString;

/// An attempt that is about to be planned: everything frozen.
#[derive(Debug, Clone)]
pub struct Intent {
    /// Its random name towards Asterisk.
    pub ticket: Ticket,
    /// The random part of its file name.
    pub spool_salt: u32,
    /// The campaign.
    pub campaign: CampaignId,
    /// The contact.
    pub contact: ContactId,
    /// The line out.
    pub trunk: TrunkId,
    /// The number.
    pub number: Number,
    /// The slot.
    pub planned_at: UtcMs,
    /// What `Dial` gets.
    pub dial_string: DialString,
    /// How long it may ring.
    pub wait_time_s: u32,
    /// `CALLERID(num)`.
    pub caller_number: Option<CallerNumber>,
    /// `CALLERID(name)`.
    pub caller_name: Option<CallerName>,
    /// `CHANNEL(accountcode)`.
    pub account: Option<AccountCode>,
    /// What happens on answer.
    pub actions: Option<ActionListId>,
}

/// An open attempt, as the engine sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenAttempt {
    /// Which.
    pub id: AttemptId,
    /// The random part of its file name.
    pub spool_salt: u32,
    /// The campaign.
    pub campaign: CampaignId,
    /// The contact; `None` once it was deleted.
    pub contact: Option<ContactId>,
    /// The slot.
    pub planned_at: UtcMs,
    /// How far it came.
    pub state: AttemptState,
}

/// Records an intent; its contact is in progress from now on. Refused by the ledger itself when the
/// number has an open attempt (I2), and when the contact is not waiting any more.
pub fn record_intent(db: &Connection, intent: &Intent) -> Result<AttemptId> {
    let moved = db
        .prepare_cached("UPDATE contacts SET state = 'in_progress' WHERE id = ?1 AND state = 'waiting'")?
        .execute([intent.contact.0])?;
    if moved != 1 {
        return Err(LedgerError::absent("waiting contact", intent.contact.to_string()));
    }
    db.prepare_cached(
        "INSERT INTO attempts (ticket, spool_salt, campaign, contact, trunk, number, state, planned_at, dial_string,
            wait_time_s, caller_number, caller_name, account, action_list)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'intent', ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
        intent.ticket.to_string(),
        intent.spool_salt,
        intent.campaign.0,
        intent.contact.0,
        intent.trunk.0,
        intent.number.as_str(),
        intent.planned_at.0,
        intent.dial_string.as_str(),
        intent.wait_time_s,
        intent.caller_number.as_ref().map(CallerNumber::as_str),
        intent.caller_name.as_ref().map(CallerName::as_str),
        intent.account.as_ref().map(AccountCode::as_str),
        intent.actions.map(|l| l.0),
    ])?;
    Ok(AttemptId(db.last_insert_rowid()))
}

/// Marks an attempt whose file was published, unless the gate was faster.
pub fn mark_spooled(db: &Connection, id: AttemptId) -> Result<()> {
    db.prepare_cached("UPDATE attempts SET state = 'spooled' WHERE id = ?1 AND state = 'intent'")?.execute([id.0])?;
    Ok(())
}

/// The order behind a ticket, with its frozen actions; `None` for a ticket that nobody gave out.
pub fn order(db: &Connection, ticket: &Ticket) -> Result<Option<Order>> {
    part_of_order(db, ticket, OrderPart::Whole)
}

/// As [`order`], as much of it as is wanted.
pub fn part_of_order(db: &Connection, ticket: &Ticket, part: OrderPart) -> Result<Option<Order>> {
    let mut statement = db.prepare_cached("SELECT * FROM attempts WHERE ticket = ?1")?;
    let found = first(statement.query([ticket.to_string()])?, |row| read_order(row, *ticket))?;
    let Some((mut order, list)) = found else { return Ok(None) };
    if part == OrderPart::Whole {
        order.actions = actions::get(db, list)?;
    }
    Ok(Some(order))
}

fn read_order(row: &Row<'_>, ticket: Ticket) -> Result<(Order, Option<ActionListId>)> {
    let contact: Option<i64> = row.get("contact")?;
    let list: Option<i64> = row.get("action_list")?;
    let dial_string: String = row.get("dial_string")?;
    let order = Order {
        attempt: AttemptId(row.get("id")?),
        ticket,
        campaign: CampaignId(row.get("campaign")?),
        contact: contact.map(ContactId),
        trunk: TrunkId(row.get("trunk")?),
        number: number(row, "number")?,
        planned_at: instant(row, "planned_at")?,
        dial_string: DialString::from_ledger(&dial_string)
            .ok_or_else(|| LedgerError::corrupt("dial_string", "a text that is no dial string"))?,
        wait_time_s: row.get("wait_time_s")?,
        caller_number: parsed_or_null(row, "caller_number")?,
        caller_name: parsed_or_null(row, "caller_name")?,
        account: parsed_or_null(row, "account")?,
        actions: Vec::new(),
    };
    Ok((order, list.map(ActionListId)))
}

const OPEN: &str = "SELECT id, spool_salt, campaign, contact, planned_at, state FROM attempts WHERE state <> 'closed'";

fn read_open(row: &Row<'_>) -> Result<OpenAttempt> {
    let contact: Option<i64> = row.get("contact")?;
    Ok(OpenAttempt {
        id: AttemptId(row.get("id")?),
        spool_salt: row.get("spool_salt")?,
        campaign: CampaignId(row.get("campaign")?),
        contact: contact.map(ContactId),
        planned_at: instant(row, "planned_at")?,
        state: parsed(row, "state")?,
    })
}

/// All open attempts, by id.
pub fn open(db: &Connection) -> Result<Vec<OpenAttempt>> {
    Ok(by_id(collect(db.prepare_cached(OPEN)?.query([])?, read_open)?))
}

/// Sorted here and not by SQL: an `ORDER BY id` may make SQLite walk all attempts that ever were.
fn by_id(mut attempts: Vec<OpenAttempt>) -> Vec<OpenAttempt> {
    attempts.sort_unstable_by_key(|attempt| attempt.id);
    attempts
}

/// An attempt, if it is open.
pub fn open_one(db: &Connection, id: AttemptId) -> Result<Option<OpenAttempt>> {
    let mut statement = db.prepare_cached(&format!("{OPEN} AND id = ?1"))?;
    first(statement.query([id.0])?, read_open)
}

/// Whether the ledger knows this attempt at all, and by this key: a spool may hold another ledger's files.
pub fn is_ours(db: &Connection, id: AttemptId, spool_salt: u32) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM attempts WHERE id = ?1 AND spool_salt = ?2)";
    Ok(db.prepare_cached(sql)?.query_row(params![id.0, spool_salt], |row| row.get(0))?)
}

/// Open attempts that the gate has not admitted and whose campaign is not running, by id: their
/// files are to be withdrawn.
pub fn to_withdraw(db: &Connection) -> Result<Vec<OpenAttempt>> {
    let sql = "SELECT a.id, a.spool_salt, a.campaign, a.contact, a.planned_at, a.state
        FROM campaigns c JOIN attempts a ON a.campaign = c.id
        WHERE c.state <> 'running' AND a.state IN ('intent', 'spooled') AND a.state <> 'closed'";
    Ok(by_id(collect(db.prepare_cached(sql)?.query([])?, read_open)?))
}

/// The planned instant of the oldest open attempt.
pub fn oldest_open(db: &Connection) -> Result<Option<UtcMs>> {
    let sql = "SELECT min(planned_at) AS planned_at FROM attempts WHERE state <> 'closed'";
    let oldest: Option<i64> = db.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(oldest.map(UtcMs))
}

/// The open attempts planned before `before` of which nothing was heard, with their slots: as a rule Asterisk
/// leaves their files lying.
pub fn overdue(db: &Connection, before: UtcMs) -> Result<Vec<(AttemptId, UtcMs)>> {
    let sql = "SELECT id, planned_at FROM attempts a WHERE state IN ('intent', 'spooled') AND state <> 'closed'
        AND planned_at < ?1 AND NOT EXISTS (SELECT 1 FROM evidence e WHERE e.attempt = a.id)";
    collect(db.prepare_cached(sql)?.query([before.0])?, |row| Ok((AttemptId(row.get(0)?), UtcMs(row.get(1)?))))
}

/// Attempts that the gate has not admitted and whose slot is later than `at`, by id.
pub fn planned_after(db: &Connection, at: UtcMs) -> Result<Vec<OpenAttempt>> {
    let mut statement = db.prepare_cached(&format!("{OPEN} AND state IN ('intent', 'spooled') AND planned_at > ?1"))?;
    Ok(by_id(collect(statement.query([at.0])?, read_open)?))
}

/// How many attempts of a campaign are open.
pub fn open_of(db: &Connection, campaign: CampaignId) -> Result<u32> {
    let sql = "SELECT count(*) FROM attempts WHERE campaign = ?1 AND state <> 'closed'";
    Ok(db.prepare_cached(sql)?.query_row([campaign.0], |row| row.get(0))?)
}

/// The last instant for which the gate has admitted a call of a campaign that is open: its start may come
/// [`GO_LATE_MS_MAX`](crate::domain::gate::GO_LATE_MS_MAX) later, and none does after that. `None` when the
/// gate has none admitted.
pub fn last_start_of(db: &Connection, campaign: CampaignId) -> Result<Option<UtcMs>> {
    let sql = "SELECT max(start_at) FROM attempts WHERE campaign = ?1 AND state = 'claimed' AND state <> 'closed'";
    let last: Option<i64> = db.prepare_cached(sql)?.query_row([campaign.0], |row| row.get(0))?;
    Ok(last.map(UtcMs))
}

/// How many attempts are open, over all campaigns: as many files lie in the spool, or will.
pub fn open_count(db: &Connection) -> Result<u32> {
    let sql = "SELECT count(*) FROM attempts WHERE state <> 'closed'";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}
