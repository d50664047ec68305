//! `OPT-OUT`: the callee wants no further call, and hears so only when the ledger has it.

use std::time::Duration;

use campanile::domain::evidence::{Fact, StepResult};
use campanile::domain::instant::UtcMs;
use campanile::domain::name::Name;

use super::super::{LedgerDown, Output, record};
use super::leg::{Leg, Waiting};
use super::{State, Turn};

/// How long a call waits for the ledger with an opt-out. The callee hears nothing meanwhile; then the call goes on,
/// and the ledger may still take it.
pub const OPT_OUT_PATIENCE: Duration = Duration::from_secs(5);

impl Leg {
    pub(super) fn opt_out(self: Box<Self>, now: UtcMs, list: Option<Name>) -> Turn {
        let fact = record(self.attempt, now, Fact::OptedOut { list });
        let outputs = vec![fact, Output::Pause(OPT_OUT_PATIENCE)];
        self.pause(Waiting::OptOut, outputs)
    }

    /// The ledger has it, or not; either way the call ends as politely as its list says.
    pub(super) fn opted_out(self: Box<Self>, now: UtcMs, kept: Result<(), LedgerDown>) -> Turn {
        match (self.waits_for_opt_out(), kept) {
            (true, Ok(())) => self.next(now, StepResult::Done, vec![]),
            (true, Err(down)) => self.failed(now, &format!("the callee's wish is not recorded: {down}")),
            (false, Ok(())) => (State::Stepping(self), vec![]),
            (false, Err(down)) => {
                let warning = format!("attempt {}: run: the callee's wish is not recorded: {down}", self.attempt);
                (State::Stepping(self), vec![Output::Warn(warning)])
            }
        }
    }

    /// A timer rang; only an opt-out sets one.
    pub(super) fn tired(self: Box<Self>, now: UtcMs) -> Turn {
        if self.waits_for_opt_out() {
            return self.failed(now, "the ledger is slow to take the callee's wish; the call goes on");
        }
        (State::Stepping(self), vec![])
    }
}
