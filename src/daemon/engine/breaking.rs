//! Trunks whose breakers open and close.

use log::{error, info};

use super::{Engine, EngineError};
use crate::daemon::port::{Entropy, SpoolPort};
use crate::domain::breaker::Breaker;
use crate::domain::instant::UtcMs;
use crate::ledger::breakers::{self, Turned};

impl<S: SpoolPort, E: Entropy> Engine<S, E> {
    /// Withdraws what is planned over trunks whose breakers are open, so that it is planned anew at once, over other
    /// trunks where there are any. What Asterisk has begun the gate refuses.
    pub(super) fn withdraw_from_open_breakers(&mut self, now: UtcMs) -> Result<(), EngineError> {
        let attempts = self.ledger.read(|db| breakers::to_withdraw(db, now))?;
        if attempts.is_empty() {
            return Ok(());
        }
        self.withdraw(attempts, now)?;
        self.settle(now)
    }

    pub(super) fn note_turned(&mut self, turned: &Turned) {
        let Turned { trunk, breaker, rules, share } = turned;
        // What was planned for it, or kept from it, is planned anew.
        self.plan_wanted = true;
        match breaker {
            Breaker::Closed { .. } => info!("trunk {trunk}: a trial call was carried, and its breaker is closed"),
            Breaker::Open { trial: None, .. } if share.calls > 0 => error!(
                "trunk {trunk}: {} of {} calls failed within {} s, and its breaker is open: it is tried again in {} s",
                share.failures, share.calls, rules.window_s, rules.rest_s
            ),
            Breaker::Open { .. } => info!("trunk {trunk}: a trial call was not carried, and its breaker stays open"),
        }
    }
}
