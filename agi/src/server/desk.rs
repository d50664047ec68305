//! What the sessions ask of the ledger.

use campanile::domain::attempt::{Order, OrderPart};
use campanile::domain::evidence::Evidence;
use campanile::domain::gate::Refusal;
use campanile::domain::ids::{AttemptId, Ticket};
use campanile::domain::instant::UtcMs;

use crate::session::LedgerDown;

/// The ledger as the sessions see it. Each question is answered by one call of `done`, from any
/// thread, in any order; a `done` that is dropped uncalled counts as no answer.
pub trait Desk: Send + Sync + 'static {
    /// As much as is wanted of the order of a ticket; `None` when no attempt has it.
    fn order(
        &self,
        ticket: Ticket,
        part: OrderPart,
        done: impl FnOnce(Result<Option<Order>, LedgerDown>) + Send + 'static,
    );

    /// Claims the attempt and judges it in one transaction, by the clock at its commit: the instant at
    /// which it may dial, or why not, which the ledger has then recorded as well.
    fn claim(&self, attempt: AttemptId, done: impl FnOnce(Result<Result<UtcMs, Refusal>, LedgerDown>) + Send + 'static);

    /// Records a fact; `Ok` means that it is durable (I8).
    fn append(
        &self,
        attempt: AttemptId,
        evidence: Evidence,
        done: impl FnOnce(Result<(), LedgerDown>) + Send + 'static,
    );
}
