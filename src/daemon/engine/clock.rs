//! When the wall clock is set back, nothing that waits for an instant waits out the difference
//! (docs/decisions/0020).

use log::{info, warn};

use super::{Engine, EngineError};
use crate::daemon::port::{Entropy, SpoolPort};
use crate::domain::instant::{SET_BACK_MS, UtcMs};
use crate::ledger::{attempts, rest};

impl<S: SpoolPort, E: Entropy> Engine<S, E> {
    /// Compares this step's instant with the last one's; after a step back all is looked at anew.
    pub(super) fn mind_the_clock(&mut self, now: UtcMs) {
        let back_ms = self.stepped_at.replace(now).map_or(0, |last| last.since_ms(now));
        if back_ms < SET_BACK_MS {
            return;
        }
        warn!("the clock was set back by {} s: everything is looked at again", back_ms / 1000);
        self.resting.begin_again(now);
        self.unsettled.extend(std::mem::take(&mut self.check_again).into_keys());
        self.archives.begin_again(now);
        (self.plan_at, self.rescan_at) = (None, None);
        self.plan_wanted = true;
        self.rescan_wanted = true;
        self.later_is_doubted = true;
    }

    /// Withdraws what was planned for later than any plan of the present: its file would wait for that
    /// instant. Has the ledger say of a rest what is so.
    pub(super) fn doubt_what_is_later(&mut self, now: UtcMs) -> Result<(), EngineError> {
        if !self.later_is_doubted {
            return Ok(());
        }
        let latest = now.plus_s(2 * 60 * i64::from(self.limits.cron_interval));
        let far = self.ledger.read(|db| attempts::planned_after(db, latest))?;
        if !far.is_empty() {
            info!(
                "{} call(s) were planned for later than {latest}, before the clock was set: they are planned anew",
                far.len()
            );
        }
        self.withdraw(far, now)?;
        let noted = self.ledger.read(|db| rest::until(db, now))?;
        if noted.map(|(until, _)| until) != self.resting.until() {
            self.note_rest();
        }
        self.later_is_doubted = false;
        Ok(())
    }
}
