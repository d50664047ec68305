//! Campaigns.

use rusqlite::{Connection, Row, params};

use super::rows::{collect, first, parsed, parsed_or_null};
use super::{LedgerError, Result};
use crate::domain::calendar::{Calendar, Window};
use crate::domain::campaign::{Campaign, CampaignState, ContactRules, RetryRules};
use crate::domain::ids::{ActionListId, CampaignId, TrunkId, UserId};
use crate::domain::instant::UtcMs;
use crate::domain::name::{CallerName, CallerNumber, Name};

const COLUMNS: &str = "SELECT id, name, owner, trunk, state, window_start_s, window_stop_s, time_zone, max_retries, \
    retry_time_s, wait_time_s, channels, caller_number, caller_name, action_list, calling_order, next_number_after_s FROM campaigns";

pub(super) fn read(row: &Row<'_>) -> Result<Campaign> {
    let list: Option<i64> = row.get("action_list")?;
    Ok(Campaign {
        id: CampaignId(row.get("id")?),
        name: parsed(row, "name")?,
        owner: UserId(row.get("owner")?),
        trunk: TrunkId(row.get("trunk")?),
        state: parsed(row, "state")?,
        calendar: read_calendar(row)?,
        retry: RetryRules {
            max_retries: row.get("max_retries")?,
            retry_time_s: row.get("retry_time_s")?,
            wait_time_s: row.get("wait_time_s")?,
        },
        channels: row.get("channels")?,
        caller_number: parsed_or_null(row, "caller_number")?,
        caller_name: parsed_or_null(row, "caller_name")?,
        actions: list.map(ActionListId),
        contacts: ContactRules {
            order: parsed(row, "calling_order")?,
            next_number_after_s: row.get("next_number_after_s")?,
        },
    })
}

pub(super) fn read_calendar(row: &Row<'_>) -> Result<Calendar> {
    let window = Window::new(row.get("window_start_s")?, row.get("window_stop_s")?);
    Ok(Calendar { window, zone: parsed(row, "time_zone")? })
}

/// Adds a stopped campaign with the settings of `campaign`, whose `id` and `state` are not looked at.
pub fn add(db: &Connection, campaign: &Campaign, now: UtcMs) -> Result<CampaignId> {
    refuse_taken(db, &campaign.name)?;
    db.prepare_cached(
        "INSERT INTO campaigns (name, owner, trunk, state, window_start_s, window_stop_s, time_zone, max_retries,
            retry_time_s, wait_time_s, channels, caller_number, caller_name, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(params![
        campaign.name.as_str(),
        campaign.owner.0,
        campaign.trunk.0,
        CampaignState::Stopped.as_str(),
        campaign.calendar.window.start_s(),
        campaign.calendar.window.stop_s(),
        campaign.calendar.zone.name(),
        campaign.retry.max_retries,
        campaign.retry.retry_time_s,
        campaign.retry.wait_time_s,
        campaign.channels,
        campaign.caller_number.as_ref().map(CallerNumber::as_str),
        campaign.caller_name.as_ref().map(CallerName::as_str),
        now.0
    ])?;
    let id = CampaignId(db.last_insert_rowid());
    set_contact_rules(db, id, campaign.contacts)?;
    Ok(id)
}

fn refuse_taken(db: &Connection, name: &Name) -> Result<()> {
    match find(db, name.as_str())? {
        None => Ok(()),
        Some(_) => Err(LedgerError::Taken { what: "campaign", name: name.to_string() }),
    }
}

/// Writes the settings of `campaign` over those in the ledger; its state and actions stay.
pub fn update(db: &Connection, campaign: &Campaign) -> Result<()> {
    db.prepare_cached(
        "UPDATE campaigns SET owner = ?2, trunk = ?3, window_start_s = ?4, window_stop_s = ?5, time_zone = ?6,
            max_retries = ?7, retry_time_s = ?8, wait_time_s = ?9, channels = ?10, caller_number = ?11,
            caller_name = ?12 WHERE id = ?1",
    )?
    .execute(params![
        campaign.id.0,
        campaign.owner.0,
        campaign.trunk.0,
        campaign.calendar.window.start_s(),
        campaign.calendar.window.stop_s(),
        campaign.calendar.zone.name(),
        campaign.retry.max_retries,
        campaign.retry.retry_time_s,
        campaign.retry.wait_time_s,
        campaign.channels,
        campaign.caller_number.as_ref().map(CallerNumber::as_str),
        campaign.caller_name.as_ref().map(CallerName::as_str),
    ])?;
    set_contact_rules(db, campaign.id, campaign.contacts)
}

fn set_contact_rules(db: &Connection, id: CampaignId, rules: ContactRules) -> Result<()> {
    let sql = "UPDATE campaigns SET calling_order = ?2, next_number_after_s = ?3 WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![id.0, rules.order.as_str(), rules.next_number_after_s])?;
    Ok(())
}

/// The campaign of this name.
pub fn find(db: &Connection, name: &str) -> Result<Option<Campaign>> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE name = ?1"))?;
    first(statement.query([name])?, read)
}

/// The campaign of this row; `None` once it was removed.
pub fn get(db: &Connection, id: CampaignId) -> Result<Option<Campaign>> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?;
    first(statement.query([id.0])?, read)
}

/// All campaigns by name.
pub fn all(db: &Connection) -> Result<Vec<Campaign>> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} ORDER BY name"))?;
    collect(statement.query([])?, read)
}

/// The running campaigns, least recently served first.
pub fn running(db: &Connection) -> Result<Vec<Campaign>> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE state = 'running' ORDER BY served_at, id"))?;
    collect(statement.query([])?, read)
}

/// The running campaigns with nothing left to call and nothing in a call; costs the same for any list.
pub fn finished(db: &Connection) -> Result<Vec<Campaign>> {
    let sql = format!(
        "{COLUMNS} AS c WHERE state = 'running'
         AND NOT EXISTS (SELECT 1 FROM contacts k WHERE k.campaign = c.id AND k.state = 'waiting' AND k.due_at IS NULL)
         AND NOT EXISTS (SELECT 1 FROM contacts k WHERE k.campaign = c.id AND k.state = 'waiting' AND k.due_at IS NOT NULL)
         AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.campaign = c.id AND a.closed_at IS NULL)
         ORDER BY id"
    );
    collect(db.prepare_cached(&sql)?.query([])?, read)
}

/// Starts, pauses, stops or completes a campaign. Once committed, the gate admits or refuses by it (I4).
pub fn set_state(db: &Connection, id: CampaignId, state: CampaignState) -> Result<()> {
    db.prepare_cached("UPDATE campaigns SET state = ?2 WHERE id = ?1")?.execute(params![id.0, state.as_str()])?;
    Ok(())
}

/// Notes the last slot that was given to a campaign.
pub fn set_served(db: &Connection, id: CampaignId, at: UtcMs) -> Result<()> {
    db.prepare_cached("UPDATE campaigns SET served_at = ?2 WHERE id = ?1")?.execute(params![id.0, at.0])?;
    Ok(())
}

/// Removes a campaign without open attempts, with its numbers, attempts and evidence.
pub fn remove(db: &Connection, campaign: &Campaign) -> Result<()> {
    let open = super::attempts::open_of(db, campaign.id)?;
    if open > 0 {
        let by = format!("{open} open call(s); stop it and wait for these to end");
        return Err(LedgerError::InUse { what: "campaign", name: campaign.name.to_string(), by });
    }
    let id = [campaign.id.0];
    let closed = "FROM attempts WHERE campaign = ?1 AND closed_at IS NOT NULL";
    db.execute(&format!("DELETE FROM evidence WHERE attempt IN (SELECT id {closed})"), id)?;
    db.execute(&format!("DELETE {closed}"), id)?;
    db.execute("DELETE FROM contacts WHERE campaign = ?1", id)?;
    super::imports::forget(db, campaign.id)?;
    db.execute("DELETE FROM campaigns WHERE id = ?1", id)?;
    Ok(())
}
