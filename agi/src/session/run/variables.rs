//! `SET`: a variable for later steps and for the dialplan.

use campanile::domain::action::Text;
use campanile::domain::instant::UtcMs;
use campanile::domain::variable::VariableName;

use super::Turn;
use super::leg::{Leg, Waiting};
use crate::protocol::Command;

impl Leg {
    pub(super) fn set(mut self: Box<Self>, now: UtcMs, name: VariableName, text: &Text) -> Turn {
        match text.read(&self.variables).cloned() {
            Ok(value) => {
                self.variables.set(name.clone(), value.clone());
                self.send(Waiting::Variable, Command::SetContactVariable { name, value }, vec![])
            }
            Err(missing) => {
                let why = format!("the contact has no variable `{missing}`");
                self.failed(now, &why)
            }
        }
    }
}
