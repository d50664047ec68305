//! Withdrawing files for campaigns that are to have their slots, as [`plan::sharing`](crate::domain::plan::sharing) says.

use std::collections::BTreeMap;

use log::{debug, info};

use super::{Engine, EngineError};
use crate::daemon::port::{Entropy, SpoolPort};
use crate::domain::ids::AttemptId;
use crate::domain::instant::UtcMs;
use crate::domain::plan::sharing::{self, Ahead, Priorities, Starved};
use crate::domain::plan::{Plan, SHARED_AFTER_MS, Snapshot};
use crate::ledger::attempts::OpenAttempt;
use crate::ledger::{Db, Result as LedgerResult, attempts, campaigns, contacts};

/// Those that give way to a higher priority: read only where there is one.
pub(super) fn give_way(db: &Db, snapshot: &Snapshot, plan: &mut Plan) -> LedgerResult<Vec<OpenAttempt>> {
    if !sharing::has_priorities(snapshot) {
        return Ok(Vec::new());
    }
    let ahead = attempts::planned_after(db, snapshot.now.plus_ms(SHARED_AFTER_MS))?;
    let given = sharing::give_way(snapshot, plan, views(&ahead));
    Ok(of_these(ahead, given))
}

fn views(attempts: &[OpenAttempt]) -> Vec<Ahead> {
    let view = |attempt: &OpenAttempt| Ahead {
        attempt: attempt.id,
        campaign: attempt.campaign,
        trunk: attempt.trunk,
        planned_at: attempt.planned_at,
    };
    attempts.iter().map(view).collect()
}

/// Those of `attempts` with these ids, in their order.
fn of_these(attempts: Vec<OpenAttempt>, ids: impl IntoIterator<Item = AttemptId>) -> Vec<OpenAttempt> {
    let mut by_id: BTreeMap<AttemptId, OpenAttempt> =
        attempts.into_iter().map(|attempt| (attempt.id, attempt)).collect();
    ids.into_iter().filter_map(|id| by_id.remove(&id)).collect()
}

impl<S: SpoolPort, E: Entropy> Engine<S, E> {
    /// Gives a campaign that was just started its fair turn at once. The slots of the interval, and a
    /// trunk's channels, may all be planned for others; what is not about to begin is withdrawn, and the
    /// plan that follows shares it out anew. Once for each start, and never for campaigns that ran when
    /// this daemon began.
    pub(super) fn share_with_newcomers(&mut self, now: UtcMs) -> Result<(), EngineError> {
        let running = self.ledger.read(|db| campaigns::running(db))?;
        let newcomers = self.sharing.newcomers(running.iter(), now);
        let waits = |id| self.ledger.read(|db| contacts::any_waiting(db, id));
        if !newcomers.into_iter().map(waits).collect::<Result<Vec<_>, _>>()?.contains(&true) {
            return Ok(());
        }
        let shared = self.ledger.read(|db| attempts::planned_after(db, now.plus_ms(SHARED_AFTER_MS)))?;
        if !shared.is_empty() {
            info!("a campaign was started: {} planned call(s) are planned anew to share the slots", shared.len());
        }
        self.withdraw(shared, now)
    }

    /// Withdraws files of others for campaigns that may not plan ahead. Returns when to plan again.
    pub(super) fn share_with_the_starved(
        &mut self,
        starved: &[Starved],
        now: UtcMs,
    ) -> Result<Option<UtcMs>, EngineError> {
        if starved.is_empty() || !self.sharing.is_shared() {
            return Ok(None);
        }
        let ahead = self.ledger.read(|db| attempts::planned_after(db, now.plus_ms(SHARED_AFTER_MS)))?;
        let running = self.ledger.read(|db| campaigns::running(db))?;
        let priorities: Priorities = running.iter().map(|c| (c.id, c.pacing.priority)).collect();
        let server = (self.limits.calls_one_time, &priorities);
        let rooms = self.sharing.make_room(starved, views(&ahead), server, now);
        if rooms.is_empty() {
            return Ok(None);
        }
        for room in &rooms {
            debug!("campaign {}: {} planned call(s) of another make room", room.starved, room.attempts.len());
        }
        self.withdraw(of_these(ahead, rooms.into_iter().flat_map(|room| room.attempts)), now)?;
        Ok(Some(now))
    }
}
