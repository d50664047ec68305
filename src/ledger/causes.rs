//! A campaign's table of causes, and how often each came for a contact.

use rusqlite::{Connection, OptionalExtension, params};

use super::Result;
use super::rows::{collect, parsed};
use crate::domain::cause::{Cause, CauseRule, CauseTable};
use crate::domain::ids::{CampaignId, ContactId};

/// The table of a campaign; empty for one without.
pub fn table(db: &Connection, campaign: CampaignId) -> Result<CauseTable> {
    let sql = "SELECT cause, verb, delay_s, times_max FROM campaign_causes WHERE campaign = ?1";
    let rows = collect(db.prepare_cached(sql)?.query([campaign.0])?, |row| {
        let rule = CauseRule { verb: parsed(row, "verb")?, delay_s: row.get("delay_s")?, limit: row.get("times_max")? };
        Ok((parsed(row, "cause")?, rule))
    })?;
    Ok(CauseTable(rows.into_iter().collect()))
}

/// Sets what follows from a cause in a campaign, in place of what followed from it before.
pub fn set(db: &Connection, campaign: CampaignId, cause: Cause, rule: CauseRule) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO campaign_causes (campaign, cause, verb, delay_s, times_max) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (campaign, cause) DO UPDATE
         SET verb = excluded.verb, delay_s = excluded.delay_s, times_max = excluded.times_max",
    )?
    .execute(params![campaign.0, cause.to_string(), rule.verb.as_str(), rule.delay_s, rule.limit])?;
    Ok(())
}

/// Takes a cause out of a campaign's table; `false` when it was not in it.
pub fn remove(db: &Connection, campaign: CampaignId, cause: Cause) -> Result<bool> {
    let sql = "DELETE FROM campaign_causes WHERE campaign = ?1 AND cause = ?2";
    Ok(db.prepare_cached(sql)?.execute(params![campaign.0, cause.to_string()])? == 1)
}

/// How often a cause came for a contact.
pub fn came(db: &Connection, contact: ContactId, cause: Cause) -> Result<u32> {
    let sql = "SELECT times FROM contact_causes WHERE contact = ?1 AND cause = ?2";
    let times =
        db.prepare_cached(sql)?.query_row(params![contact.0, cause.to_string()], |row| row.get(0)).optional()?;
    Ok(times.unwrap_or(0))
}

/// Counts a cause that came for a contact.
pub fn count(db: &Connection, contact: ContactId, cause: Cause) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO contact_causes (contact, cause, times) VALUES (?1, ?2, 1)
         ON CONFLICT (contact, cause) DO UPDATE SET times = times + 1",
    )?
    .execute(params![contact.0, cause.to_string()])?;
    Ok(())
}

/// Forgets what came for a contact that is called as if it were new.
pub fn forget(db: &Connection, contact: ContactId) -> Result<()> {
    db.prepare_cached("DELETE FROM contact_causes WHERE contact = ?1")?.execute([contact.0])?;
    Ok(())
}

/// Forgets what came for the failed contacts of a campaign.
pub fn forget_failed(db: &Connection, campaign: CampaignId) -> Result<()> {
    let sql = "DELETE FROM contact_causes
        WHERE contact IN (SELECT id FROM contacts WHERE campaign = ?1 AND state = 'failed')";
    db.prepare_cached(sql)?.execute([campaign.0])?;
    Ok(())
}
