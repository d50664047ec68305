//! The script `ping`: `campanile doctor` asks through Asterisk whether we are there.

use super::{House, Input, Output};
use crate::protocol::{Command, Variable};

/// Waits for the reply to its one command.
#[derive(Debug, Default)]
pub struct Ping {
    closed: bool,
}

/// Sets [`Variable::Pong`] to our version and to how full we are.
pub(super) fn pong(house: House) -> Output {
    let value = format!("{} sessions {} of {}", env!("CARGO_PKG_VERSION"), house.sessions, house.sessions_max);
    Output::Send(Command::SetVariable { name: Variable::Pong, value })
}

impl Ping {
    pub(super) fn handle(&mut self, input: &Input) -> Vec<Output> {
        match input {
            Input::Reply(_) | Input::Hangup if !self.closed => {
                self.closed = true;
                vec![Output::Close]
            }
            _ => vec![],
        }
    }
}
