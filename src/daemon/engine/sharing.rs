//! Sharing what is planned already with a campaign that was just started.

use std::collections::BTreeSet;

use log::info;

use super::{Engine, EngineError};
use crate::daemon::port::{Entropy, SpoolPort};
use crate::domain::ids::CampaignId;
use crate::domain::instant::UtcMs;
use crate::domain::plan::SHARED_AFTER_MS;
use crate::ledger::{attempts, campaigns, contacts};

impl<S: SpoolPort, E: Entropy> Engine<S, E> {
    /// Gives a campaign that was just started its fair turn at once. The slots of the interval, and a
    /// trunk's channels, may all be planned for others; what is not about to begin is withdrawn, and the
    /// plan that follows shares it out anew. Once for each start, and never for campaigns that ran when
    /// this daemon began.
    pub(super) fn share_with_newcomers(&mut self, now: UtcMs) -> Result<(), EngineError> {
        let running = self.ledger.read(|db| campaigns::running(db))?;
        let ids: BTreeSet<CampaignId> = running.iter().map(|c| c.id).collect();
        let known = self.known_running.replace(ids);
        let Some(known) = known else { return Ok(()) };
        let newcomers = running.iter().filter(|c| !known.contains(&c.id) && c.calendar.contains(now));
        let newcomers: Vec<CampaignId> = newcomers.map(|c| c.id).collect();
        let waits = |id: &CampaignId| self.ledger.read(|db| contacts::any_waiting(db, *id));
        if !newcomers.iter().map(waits).collect::<Result<Vec<_>, _>>()?.contains(&true) {
            return Ok(());
        }
        let shared = self.ledger.read(|db| attempts::planned_after(db, now.plus_ms(SHARED_AFTER_MS)))?;
        if !shared.is_empty() {
            info!("a campaign was started: {} planned call(s) are planned anew to share the slots", shared.len());
        }
        self.withdraw(shared, now)
    }
}
