//! The calls that were told to go and of which no report has come: they ring or talk, though nobody may be
//! connected just now, and a server that ended would miss what they have to say.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use campanile::domain::attempt::{Order, OrderPart};
use campanile::domain::evidence::{Evidence, Fact};
use campanile::domain::gate::Refusal;
use campanile::domain::ids::{AttemptId, Ticket};
use campanile::domain::instant::UtcMs;
use tokio::time::Instant;

use super::desk::Desk;
use crate::session::LedgerDown;

/// A call of which nothing was heard for so long ended with its Asterisk.
const FORGOTTEN: Duration = Duration::from_secs(3_600);

/// Those calls, each since it was told to go.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls(Arc<Mutex<BTreeMap<AttemptId, Instant>>>);

impl Calls {
    pub(super) fn len(&self) -> usize {
        let mut calls = self.calls();
        forget(&mut calls);
        calls.len()
    }

    fn begins(&self, attempt: AttemptId) {
        let mut calls = self.calls();
        forget(&mut calls);
        calls.insert(attempt, Instant::now());
    }

    fn ends(&self, attempt: AttemptId) {
        self.calls().remove(&attempt);
    }

    fn calls(&self) -> MutexGuard<'_, BTreeMap<AttemptId, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Attempts are numbered about as they are made: the first are the oldest.
fn forget(calls: &mut BTreeMap<AttemptId, Instant>) {
    while let Some(oldest) = calls.first_entry().filter(|oldest| oldest.get().elapsed() >= FORGOTTEN) {
        oldest.remove();
    }
}

/// A desk that keeps count of the calls.
#[derive(Clone)]
pub(super) struct Counting<D> {
    pub(super) desk: D,
    pub(super) calls: Calls,
}

impl<D: Desk> Desk for Counting<D> {
    fn order(
        &self,
        ticket: Ticket,
        part: OrderPart,
        done: impl FnOnce(Result<Option<Order>, LedgerDown>) + Send + 'static,
    ) {
        self.desk.order(ticket, part, done);
    }

    fn claim(
        &self,
        attempt: AttemptId,
        done: impl FnOnce(Result<Result<UtcMs, Refusal>, LedgerDown>) + Send + 'static,
    ) {
        let calls = self.calls.clone();
        self.desk.claim(attempt, move |verdict| {
            if matches!(verdict, Ok(Ok(_))) {
                calls.begins(attempt);
            }
            done(verdict);
        });
    }

    fn append(
        &self,
        attempt: AttemptId,
        evidence: Evidence,
        done: impl FnOnce(Result<(), LedgerDown>) + Send + 'static,
    ) {
        if matches!(evidence.fact, Fact::Reported(_)) {
            self.calls.ends(attempt);
        }
        self.desk.append(attempt, evidence, done);
    }
}
