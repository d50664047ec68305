//! A made-up call whose actions are over before its time: it stays connected, in silence.

use super::super::Output;
use super::leg::{Leg, Waiting};
use super::{State, Turn};
use crate::protocol::{Answer, Command};

/// Nothing is left to do: the dialplan hangs up.
pub(super) fn over() -> Turn {
    (State::Closed, vec![Output::Close])
}

impl Leg {
    /// Behind the last action. `Dial` counts from the answer and ends a made-up call to the millisecond, so this waits
    /// for its whole time again, which is never too short.
    pub(super) fn stay(self: Box<Self>) -> Turn {
        match self.planned_talk_ms {
            None => over(),
            Some(timeout_ms) => self.send(Waiting::Stay, Command::WaitForDigit { timeout_ms }, vec![]),
        }
    }

    /// A key changes nothing.
    pub(super) fn stayed(self: Box<Self>, answer: &Answer) -> Turn {
        match answer.code() {
            None | Some(-1 | 0) => over(),
            Some(_) => self.stay(),
        }
    }
}
