//! `IVR`, `TRANSFER`, `DIAL`, `QUEUE`, `CONFERENCE`: the dialplan gets the keys and the call.
//!
//! What follows may last for hours, and outlives us: it is the dialplan's, and none of our sessions waits for it
//! (docs/decisions/0026).

use std::collections::VecDeque;

use campanile::domain::action::Action;
use campanile::domain::evidence::{Fact, StepResult};
use campanile::domain::instant::UtcMs;

use super::super::{Output, record};
use super::leg::{Leg, Waiting};
use super::{State, Turn};
use crate::protocol::{Command, Variable};

/// What is still to be set; the last is where to go.
#[derive(Debug, Clone)]
pub(super) struct Connecting {
    left: VecDeque<Command>,
}

impl Leg {
    pub(super) fn connect(self: Box<Self>, action: &Action) -> Turn {
        let over = action.hand_over();
        let set = |name, value| Command::SetVariable { name, value };
        let connect = over.as_ref().and_then(|over| over.argument.clone()).map(|with| set(Variable::Connect, with));
        let target = over.map(|over| set(Variable::Ivr, over.target));
        let left = connect.into_iter().chain(target).collect();
        let keys = set(Variable::Digits, self.keys.clone());
        self.send(Waiting::Dialplan(Connecting { left }), keys, vec![])
    }

    /// A variable is set.
    pub(super) fn told(self: Box<Self>, now: UtcMs, mut connecting: Connecting) -> Turn {
        if let Some(command) = connecting.left.pop_front() {
            return self.send(Waiting::Dialplan(connecting), command, vec![]);
        }
        let facts = [self.step(now, StepResult::Done, None), record(self.attempt, now, Fact::HandedOver)];
        (State::Closed, facts.into_iter().chain([Output::Close]).collect())
    }
}
