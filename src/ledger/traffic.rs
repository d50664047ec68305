//! Columns of calls as traffic: what their INVITEs carry, and what is made up for them.

use rusqlite::{Connection, Row, params};

use super::rows::parsed_or_null;
use super::{LedgerError, Result};
use crate::domain::ids::CampaignId;
use crate::domain::traffic::{CancelRatio, Codecs, Draw, Headers, Invite, Traffic};

/// What INVITEs carry, of a campaign or of an attempt.
pub(super) fn read_invite(row: &Row<'_>) -> Result<Invite> {
    let json: Option<String> = row.get("headers")?;
    let headers = json.map(|json| serde_json::from_str(&json)).transpose();
    Ok(Invite {
        headers: headers.map_err(|problem| LedgerError::corrupt("headers", problem))?.unwrap_or_default(),
        codecs: parsed_or_null(row, "codecs")?.unwrap_or_default(),
    })
}

/// How headers are stored: NULL for none.
pub(super) fn stored_headers(headers: &Headers) -> Result<Option<String>> {
    if headers.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(headers).map(Some).map_err(|problem| LedgerError::corrupt("headers", problem))
}

/// How codecs are stored: NULL for what the trunk offers.
pub(super) fn stored_codecs(codecs: &Codecs) -> Option<String> {
    (!codecs.is_empty()).then(|| codecs.to_string())
}

/// What was made up for an attempt.
pub(super) fn read_draw(row: &Row<'_>) -> Result<Draw> {
    Ok(Draw { talk_ms: row.get("planned_talk_ms")?, cancel_after_s: row.get("cancel_after_s")? })
}

/// A campaign's.
pub(super) fn read_traffic(row: &Row<'_>) -> Result<Traffic> {
    let percent: u8 = row.get("cancel_percent")?;
    Ok(Traffic {
        invite: read_invite(row)?,
        duration: parsed_or_null(row, "duration")?,
        cancel: CancelRatio::of_percent(percent).ok_or_else(|| LedgerError::corrupt("cancel_percent", percent))?,
    })
}

/// Writes a campaign's.
pub(super) fn set(db: &Connection, id: CampaignId, traffic: &Traffic) -> Result<()> {
    let sql = "UPDATE campaigns SET headers = ?2, codecs = ?3, duration = ?4, cancel_percent = ?5 WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![
        id.0,
        stored_headers(&traffic.invite.headers)?,
        stored_codecs(&traffic.invite.codecs),
        traffic.duration.map(|rule| rule.to_string()),
        traffic.cancel.percent(),
    ])?;
    Ok(())
}
