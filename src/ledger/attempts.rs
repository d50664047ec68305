//! Attempts: intent, spooled, and how they are found again.

use rusqlite::{CachedStatement, Connection, Row, params};

use super::rows::{collect, first, instant, number, parsed, parsed_or_null};
use super::traffic::{read_draw, read_invite, stored_codecs, stored_headers};
use super::{LedgerError, Result, actions, details};
use crate::domain::action::Actions;
use crate::domain::attempt::{AttemptState, Order, OrderPart};
use crate::domain::ids::{ActionListId, AttemptId, CampaignId, ContactId, Ticket, TrunkId};
use crate::domain::instant::UtcMs;
use crate::domain::name::{AccountCode, CallerName, CallerNumber};
use crate::domain::number::Number;
use crate::domain::traffic::{Draw, Invite};
use crate::domain::trunk::DialString;
use crate::domain::variable::Variables;

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
    /// The contact's variables.
    pub variables: Variables,
    /// What its INVITE carries.
    pub invite: Invite,
    /// What was made up for it.
    pub draw: Draw,
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
    /// The line out.
    pub trunk: TrunkId,
    /// The slot.
    pub planned_at: UtcMs,
    /// What was made up for it.
    pub draw: Draw,
    /// How far it came.
    pub state: AttemptState,
}

/// Intents in one statement: what a statement costs before its first row does not count.
const ROWS: usize = 25;

/// Records intents; their contacts are in progress from now on. Refused by the ledger itself when a number has an
/// open attempt (I2), and when a contact is not waiting any more: then the transaction must not be committed.
pub fn record_intents(db: &Connection, intents: &[Intent]) -> Result<Vec<AttemptId>> {
    take_contacts(db, intents)?;
    let mut ids = Vec::with_capacity(intents.len());
    let blocks = intents.chunks_exact(ROWS);
    let rest = blocks.remainder();
    for block in blocks {
        insert(db, block, &mut ids)?;
    }
    rest.iter().try_for_each(|intent| insert(db, std::slice::from_ref(intent), &mut ids))?;
    Ok(ids)
}

fn take_contacts(db: &Connection, intents: &[Intent]) -> Result<()> {
    let sql = "UPDATE contacts SET state = 'in_progress' WHERE id = ?1 AND state = 'waiting'";
    let mut statement = db.prepare_cached(sql)?;
    for intent in intents {
        if statement.execute([intent.contact.0])? != 1 {
            return Err(LedgerError::absent("waiting contact", intent.contact.to_string()));
        }
    }
    Ok(())
}

/// A block is one statement. SQLite counts on from the last number ever given out (AUTOINCREMENT), so those of a
/// statement follow each other. `OR FAIL` spares it the copies of pages from which it would take back the rows before
/// the one that is refused: the caller takes back all of the transaction.
fn insert(db: &Connection, block: &[Intent], ids: &mut Vec<AttemptId>) -> Result<()> {
    let row = "(?, ?, ?, ?, ?, ?, 'intent', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let sql = format!(
        "INSERT OR FAIL INTO attempts (ticket, spool_salt, campaign, contact, trunk, number, state, planned_at,
            dial_string, wait_time_s, caller_number, caller_name, account, action_list, variables, headers, codecs,
            planned_talk_ms, cancel_after_s) VALUES {}",
        vec![row; block.len()].join(", ")
    );
    let mut statement = db.prepare_cached(&sql)?;
    let mut place = 1;
    for intent in block {
        bind(&mut statement, &mut place, intent)?;
    }
    statement.raw_execute()?;
    let last = db.last_insert_rowid();
    let first = last - i64::try_from(block.len()).unwrap_or_default() + 1;
    ids.extend((first..=last).map(AttemptId));
    Ok(())
}

fn bind(statement: &mut CachedStatement<'_>, place: &mut usize, intent: &Intent) -> Result<()> {
    let values = params![
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
        details::stored(&intent.variables)?,
        stored_headers(&intent.invite.headers)?,
        stored_codecs(&intent.invite.codecs),
        intent.draw.talk_ms,
        intent.draw.cancel_after_s,
    ];
    for value in values {
        statement.raw_bind_parameter(*place, *value)?;
        *place += 1;
    }
    Ok(())
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
    let sql = "SELECT * FROM attempts WHERE ticket = ?1 AND closed_at IS NULL
        UNION ALL SELECT * FROM attempts WHERE ticket = ?1 AND closed_at IS NOT NULL";
    let mut statement = db.prepare_cached(sql)?;
    let found = first(statement.query([ticket.to_string()])?, |row| {
        let (mut order, list) = read_order(row, *ticket)?;
        if part == OrderPart::Whole {
            order.variables = details::variables(row)?;
        }
        Ok((order, list))
    })?;
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
        invite: read_invite(row)?,
        draw: read_draw(row)?,
        actions: Actions::default(),
        variables: Variables::default(),
    };
    Ok((order, list.map(ActionListId)))
}

const OPEN: &str = "SELECT id, spool_salt, campaign, contact, trunk, planned_at, state, planned_talk_ms, cancel_after_s
    FROM attempts WHERE closed_at IS NULL";

fn read_open(row: &Row<'_>) -> Result<OpenAttempt> {
    let contact: Option<i64> = row.get("contact")?;
    Ok(OpenAttempt {
        id: AttemptId(row.get("id")?),
        spool_salt: row.get("spool_salt")?,
        campaign: CampaignId(row.get("campaign")?),
        contact: contact.map(ContactId),
        trunk: TrunkId(row.get("trunk")?),
        planned_at: instant(row, "planned_at")?,
        draw: read_draw(row)?,
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
    let sql = format!(
        "{OPEN} AND state IN ('intent', 'spooled')
         AND campaign IN (SELECT id FROM campaigns WHERE state <> 'running')"
    );
    Ok(by_id(collect(db.prepare_cached(&sql)?.query([])?, read_open)?))
}

/// The planned instant of the oldest open attempt.
pub fn oldest_open(db: &Connection) -> Result<Option<UtcMs>> {
    let sql = "SELECT min(planned_at) AS planned_at FROM attempts WHERE closed_at IS NULL";
    let oldest: Option<i64> = db.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(oldest.map(UtcMs))
}

/// The open attempts planned before `before` of which nothing was heard, with their slots: as a rule Asterisk
/// leaves their files lying.
pub fn overdue(db: &Connection, before: UtcMs) -> Result<Vec<(AttemptId, UtcMs)>> {
    let sql = "SELECT id, planned_at FROM attempts a WHERE state IN ('intent', 'spooled') AND closed_at IS NULL
        AND planned_at < ?1 AND NOT EXISTS (SELECT 1 FROM evidence e WHERE e.attempt = a.id)";
    collect(db.prepare_cached(sql)?.query([before.0])?, |row| Ok((AttemptId(row.get(0)?), UtcMs(row.get(1)?))))
}

/// Attempts that the gate has not admitted and whose slot is later than `at`, by id.
pub fn planned_after(db: &Connection, at: UtcMs) -> Result<Vec<OpenAttempt>> {
    let mut statement = db.prepare_cached(&format!("{OPEN} AND state IN ('intent', 'spooled') AND planned_at > ?1"))?;
    Ok(by_id(collect(statement.query([at.0])?, read_open)?))
}

/// Attempts over a trunk that the gate has not admitted and that its breaker binds, by their slots.
pub fn bound_over(db: &Connection, trunk: TrunkId) -> Result<Vec<OpenAttempt>> {
    let exempt = "SELECT id FROM campaigns WHERE line_check IS NOT NULL";
    let sql = format!(
        "{OPEN} AND state IN ('intent', 'spooled') AND trunk = ?1 AND campaign NOT IN ({exempt}) ORDER BY planned_at"
    );
    collect(db.prepare_cached(&sql)?.query([trunk.0])?, read_open)
}

/// How many attempts of a campaign are open.
pub fn open_of(db: &Connection, campaign: CampaignId) -> Result<u32> {
    let sql = "SELECT count(*) FROM attempts WHERE campaign = ?1 AND closed_at IS NULL";
    Ok(db.prepare_cached(sql)?.query_row([campaign.0], |row| row.get(0))?)
}

/// The last instant for which the gate has admitted a call of a campaign that is open: its start may come
/// [`GO_LATE_MS_MAX`](crate::domain::gate::GO_LATE_MS_MAX) later, and none does after that. `None` when the
/// gate has none admitted.
pub fn last_start_of(db: &Connection, campaign: CampaignId) -> Result<Option<UtcMs>> {
    let sql = "SELECT max(start_at) FROM attempts WHERE campaign = ?1 AND state = 'claimed'";
    let last: Option<i64> = db.prepare_cached(sql)?.query_row([campaign.0], |row| row.get(0))?;
    Ok(last.map(UtcMs))
}

/// The numbers of the calls that the gate has admitted and that are open, with the instant of each.
pub fn claimed_starts(db: &Connection) -> Result<Vec<(Number, UtcMs)>> {
    let sql = "SELECT number, start_at FROM attempts WHERE state = 'claimed'";
    collect(db.prepare_cached(sql)?.query([])?, |row| Ok((number(row, "number")?, instant(row, "start_at")?)))
}

/// How many attempts are open, over all campaigns: as many files lie in the spool, or will.
pub fn open_count(db: &Connection) -> Result<u32> {
    let sql = "SELECT count(*) FROM attempts WHERE closed_at IS NULL";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}
