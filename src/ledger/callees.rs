//! What bars whoever would be called: read for the gate and for `why` alike.

use rusqlite::Connection;

use super::bars::{Bars, Callee};
use super::{Result, campaigns, contacts, lines};
use crate::domain::bar::{Bar, FrequencyCap};
use crate::domain::ids::{CampaignId, ContactId};
use crate::domain::instant::UtcMs;

/// What bars the contact that an attempt would call at its planned instant; nothing bars one that is not there.
pub(super) fn at_the_gate(
    db: &Connection,
    campaign: CampaignId,
    contact: Option<i64>,
    (frequency, planned_at): (Option<FrequencyCap>, UtcMs),
    now: UtcMs,
) -> Result<Option<Bar>> {
    let contact = contact.map(|id| contacts::get(db, ContactId(id))).transpose()?.flatten();
    let (Some(contact), Some(campaign)) = (contact, campaigns::get(db, campaign)?) else { return Ok(None) };
    let numbers = lines::count(db, contact.id)?;
    let callee = Callee { number: &contact.number, tally: contact.tally, numbers };
    Bars::read(db, frequency, now)?.of(db, &campaign, callee, planned_at.max(now))
}
