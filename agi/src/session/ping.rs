//! The script `ping`: `campanile doctor` asks through Asterisk whether we are there.

use super::{Input, Output};
use crate::protocol::{Command, Variable};

/// Waits for the reply to its one command.
#[derive(Debug, Default)]
pub struct Ping {
    closed: bool,
}

/// Sets [`Variable::Pong`] to our version.
pub(super) fn pong() -> Output {
    Output::Send(Command::SetVariable { name: Variable::Pong, value: env!("CARGO_PKG_VERSION").to_owned() })
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
