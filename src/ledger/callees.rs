//! What bears on whoever would be called, beside their campaign: read for the gate and for `why` alike.

use rusqlite::Connection;

use super::bars::Bars;
use super::contacts::{self, Contact};
use super::dnc::Caller;
use super::{Result, campaigns};
use crate::domain::bar::FrequencyCap;
use crate::domain::campaign::Campaign;
use crate::domain::gate::Callee;
use crate::domain::ids::{CampaignId, ContactId};
use crate::domain::instant::UtcMs;
use crate::domain::retry::used_up;

/// What the gate looks at of the contact that an attempt would call; nothing of one that is not there.
pub(super) fn at_the_gate(
    db: &Connection,
    campaign: CampaignId,
    contact: Option<i64>,
    (frequency, planned_at): (Option<FrequencyCap>, UtcMs),
    now: UtcMs,
) -> Result<Callee> {
    let contact = contact.map(|id| contacts::get(db, ContactId(id))).transpose()?.flatten();
    let (Some(contact), Some(campaign)) = (contact, campaigns::get(db, campaign)?) else {
        return Ok(Callee::default());
    };
    let bars = Bars::read(db, frequency, now)?;
    callee(db, &contact, &campaign, bars, planned_at.max(now))
}

/// What bears on a contact of a campaign that would be called at `at`.
pub fn callee(db: &Connection, contact: &Contact, campaign: &Campaign, bars: Bars, at: UtcMs) -> Result<Callee> {
    let caller = Caller { campaign: campaign.id, owner: campaign.owner };
    Ok(Callee {
        used_up: used_up(contact.tally, &campaign.retry, &campaign.outcome),
        bar: bars.of(db, caller, &contact.number, at)?,
    })
}
