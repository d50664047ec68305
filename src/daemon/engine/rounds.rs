//! Rounds: a campaign that is through its list waits, and then has it called once again. And campaigns that leave.

use log::info;

use super::{Engine, EngineError};
use crate::daemon::port::{Entropy, SpoolPort};
use crate::domain::instant::UtcMs;
use crate::domain::round::Stage;
use crate::ledger::rounds::{self, Left};

/// The most contacts of one transaction: while it has the ledger, no claim at the gate is admitted.
const RENEWED_MAX: u32 = 2_000;
/// Deleting one changes more.
const PURGED_MAX: u32 = 500;

/// When the next part follows: claims come between.
const NEXT_PART_MS: i64 = 50;

impl<S: SpoolPort, E: Entropy> Engine<S, E> {
    /// Notes rounds that are over, begins those that are due, and goes on with what has begun. Says when to look
    /// again.
    pub(super) fn turn_rounds(&mut self, now: UtcMs) -> Result<Option<UtcMs>, EngineError> {
        let mut look_at = None;
        for (campaign, round) in self.ledger.read(|db| rounds::through(db))? {
            let over_at = match round.stage {
                // A clock that was set back is not waited for.
                Stage::Over { at } if at <= now => at,
                _ => now,
            };
            let Some(begins_at) = campaign.rounds.begins_at(round.number, over_at, &campaign.calendar) else {
                continue;
            };
            if begins_at <= now {
                self.ledger.write(|db| rounds::begin(db, campaign.id))?;
                info!("campaign {}: round {} begins", campaign.name, round.number + 1);
                continue;
            }
            if round.stage != (Stage::Over { at: over_at }) {
                self.ledger.write(|db| rounds::note_over(db, campaign.id, over_at))?;
                info!("campaign {}: round {} is over, the next begins at {begins_at}", campaign.name, round.number);
            }
            look_at = sooner(look_at, begins_at);
        }
        if self.renew_some(now)? == Left::Some || self.purge_some(now)? == Left::Some {
            look_at = sooner(look_at, now.plus_ms(NEXT_PART_MS));
        }
        Ok(look_at)
    }

    fn renew_some(&mut self, now: UtcMs) -> Result<Left, EngineError> {
        let mut all = Left::Nothing;
        for campaign in self.ledger.read(|db| rounds::beginning(db))? {
            if self.ledger.write(|db| rounds::renew(db, &campaign, now, RENEWED_MAX))? == Left::Some {
                all = Left::Some;
            }
            self.plan_wanted = true;
        }
        Ok(all)
    }

    fn purge_some(&mut self, now: UtcMs) -> Result<Left, EngineError> {
        let mut all = Left::Nothing;
        for campaign in self.ledger.read(|db| rounds::to_purge(db))? {
            if self.ledger.write(|db| rounds::purge(db, &campaign, now, PURGED_MAX))? == Left::Some {
                all = Left::Some;
            }
        }
        Ok(all)
    }
}

fn sooner(look_at: Option<UtcMs>, at: UtcMs) -> Option<UtcMs> {
    Some(look_at.map_or(at, |look_at| look_at.min(at)))
}
