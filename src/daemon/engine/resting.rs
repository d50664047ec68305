//! When planning rests, and what ends the rest: a fault that each further call would meet, too.

use log::{error, info, warn};

use super::Engine;
use crate::daemon::port::{Entropy, SpoolPort};
use crate::domain::disposition::{Conclusion, Gone, NotDialled};
use crate::domain::instant::UtcMs;
use crate::domain::why::RestWhy;
use crate::ledger::rest;

/// How long planning rests after a file that could not be published; then one is tried.
pub(super) const REST_MS: i64 = 30_000;

/// How long it rests after a call that Asterisk ran without asking the gate; then one call is tried. Each
/// such trial doubles the pause, up to [`REST_MS`]. The gate's first word ends the rest at once.
const GATE_REST_MS: i64 = 2_000;

/// The longest that Asterisk lets a call wait for a gate that says nothing: the file's greatest WaitTime.
const UNASKED_MS_MAX: i64 = 330_000;

/// Whether planning rests.
#[derive(Debug, Default)]
pub(super) struct Resting {
    /// For want of what, and until when.
    on: Option<(RestWhy, UtcMs)>,
    /// Calls that were tried since the gate fell silent.
    trials: u32,
    /// When the gate last gave an answer, or began to listen.
    gate_heard_at: Option<UtcMs>,
}

/// How much may be planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// Nothing before this instant.
    Nothing { until: UtcMs },
    /// One call, to see whether the fault is over.
    OneCall(RestWhy),
    /// All that there is.
    All,
}

impl Resting {
    pub(super) fn leave(&self, now: UtcMs) -> Leave {
        match self.on {
            None => Leave::All,
            Some((_, until)) if now < until => Leave::Nothing { until },
            Some((why, _)) => Leave::OneCall(why),
        }
    }

    /// Whether Asterisk and the gate are not what an attempt waits for that Asterisk began for the slot `planned_at` and
    /// did not ask about: the gate has answered others since, or no call lasts so long. One such file, of a call
    /// that died with its thread or its Asterisk, must not keep all others from being called.
    pub(super) fn rules_out(&self, planned_at: UtcMs, now: UtcMs) -> bool {
        self.gate_answered_since(planned_at, now) || now.since_ms(planned_at) > UNASKED_MS_MAX
    }

    pub(super) fn until(&self) -> Option<UtcMs> {
        self.on.map(|(_, until)| until)
    }

    /// The clock was set back: what was agreed by it is agreed anew.
    pub(super) fn begin_again(&mut self, now: UtcMs) {
        self.gate_heard_at = None;
        if let Some((_, until)) = &mut self.on {
            *until = (*until).min(now.plus_ms(REST_MS));
        }
    }

    fn pause_ms(&self, why: RestWhy) -> i64 {
        match why {
            RestWhy::Spool => REST_MS,
            RestWhy::Gate => (GATE_REST_MS << self.trials.min(4)).min(REST_MS),
        }
    }

    /// Whether the gate was heard after `at`; a clock that was set back knows nothing.
    fn gate_answered_since(&self, at: UtcMs, now: UtcMs) -> bool {
        self.gate_heard_at.is_some_and(|heard| at <= heard && heard <= now)
    }
}

impl<S: SpoolPort, E: Entropy> Engine<S, E> {
    /// Rests planning when Asterisk runs calls without asking the gate: each further one would fail the
    /// same way. A FastAGI server that was started again has answered since, and nothing rests.
    pub(super) fn brake(&mut self, conclusion: &Conclusion, now: UtcMs) {
        let unasked = matches!(conclusion.not_dialled, Some(NotDialled::GateNotAsked(Gone::Archived(_))));
        if !unasked || self.resting.gate_answered_since(conclusion.ended_at, now) {
            return;
        }
        if self.resting.on.is_none() {
            error!(
                "Asterisk ran a call file without asking the gate, or the gate could not record it: is \
                 extensions_campanile.conf included, does campanile-agi run, and what does its log say? Nothing was dialled. Until the gate answers, planning tries one call now and then; \
                 `campanile doctor` says more"
            );
        }
        self.rest(RestWhy::Gate, now);
    }

    /// The gate answered at `at`, or began to listen: what rested for want of it goes on.
    pub(super) fn heard_the_gate(&mut self, at: UtcMs) {
        self.resting.gate_heard_at = Some(at);
        self.resting.trials = 0;
        if matches!(self.resting.on, Some((RestWhy::Gate, _))) {
            info!("the gate answers again, and planning goes on");
            self.end_rest();
        }
    }

    /// Plans nothing for a while. It is noted in the ledger for `why`; a disk that is full must not keep
    /// the engine from resting.
    pub(super) fn rest(&mut self, why: RestWhy, now: UtcMs) -> UtcMs {
        let until = now.plus_ms(self.resting.pause_ms(why));
        self.rest_until(why, until);
        until
    }

    /// Waits for what comes of the one call that was tried.
    pub(super) fn rest_after_trial(&mut self, why: RestWhy, start_at: UtcMs, now: UtcMs) -> UtcMs {
        let until = start_at.max(now).plus_ms(REST_MS);
        self.resting.trials += 1;
        self.rest_until(why, until);
        until
    }

    fn rest_until(&mut self, why: RestWhy, until: UtcMs) {
        // A step that closes a hundred calls for the same reason notes it once.
        if self.resting.on.replace((why, until)) != Some((why, until)) {
            self.note_rest();
        }
    }

    /// Planning goes on with this step, or the next.
    pub(super) fn end_rest(&mut self) {
        self.resting.on = None;
        self.plan_wanted = true;
        self.note_rest();
    }

    pub(super) fn note_rest(&mut self) {
        let on = self.resting.on;
        let noted = self.ledger.write(|db| {
            rest::clear(db)?;
            on.map_or(Ok(()), |(why, until)| rest::set(db, why, until))
        });
        if let Err(error) = noted {
            warn!("when planning rests could not be noted for `why`: {error}");
        }
    }
}
