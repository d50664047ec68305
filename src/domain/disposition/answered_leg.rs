//! What the steps of an answered call say about it.

use super::{Conclusion, Disposition, Learned};
use crate::domain::action::Action;
use crate::domain::evidence::{Finding, Step, StepResult, WhoAnswered};

/// The steps, each kind reduced to what counts, whatever order they came in.
#[derive(Debug, Default)]
pub(super) struct AnsweredLeg {
    pub(super) opted_out: bool,
    /// The first step that heard a machine, by its ordinal.
    machine: Option<u32>,
    /// The last step that said something to its end.
    said: Option<u32>,
}

impl AnsweredLeg {
    pub(super) fn note(&mut self, step: &Step) {
        if matches!(step.finding, Some(Finding::Heard { who: WhoAnswered::Machine, .. })) {
            self.machine = Some(self.machine.map_or(step.ordinal, |first| first.min(step.ordinal)));
        }
        if step.result == StepResult::Done && matches!(step.action, Action::Play { .. } | Action::Say { .. }) {
            self.said = self.said.max(Some(step.ordinal));
        }
    }

    /// Adds what the steps say: that it was a machine, and why nobody is to be called again.
    pub(super) fn tell(&self, mut conclusion: Conclusion) -> Conclusion {
        if conclusion.disposition == Disposition::Answered && self.machine.is_some() {
            conclusion.disposition = Disposition::Machine;
        }
        let left = self.machine.zip(self.said).is_some_and(|(machine, said)| said > machine);
        conclusion.learned = match (self.opted_out, left) {
            (true, _) => Some(Learned::OptedOut),
            (false, true) => Some(Learned::MessageLeft),
            (false, false) => None,
        };
        conclusion
    }
}
