//! What bears on whoever would be called, beside their campaign: read for the gate and for `why` alike.

use rusqlite::Connection;

use super::{Result, campaigns, contacts};
use crate::domain::gate::Callee;
use crate::domain::ids::{CampaignId, ContactId};
use crate::domain::retry::used_up;

/// What the gate looks at of the contact that an attempt would call; nothing of one that is not there.
pub(super) fn seen_by_the_gate(db: &Connection, campaign: CampaignId, contact: Option<ContactId>) -> Result<Callee> {
    let contact = contact.map(|id| contacts::get(db, id)).transpose()?.flatten();
    let (Some(contact), Some(campaign)) = (contact, campaigns::get(db, campaign)?) else {
        return Ok(Callee::default());
    };
    Ok(Callee { used_up: used_up(contact.tally, &campaign.retry, &campaign.outcome) })
}
