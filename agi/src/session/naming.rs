//! The contact's variables, set on the answered leg before its first action: there the actions and the dialplan of an
//! `IVR` find them.

use std::collections::VecDeque;

use campanile::domain::variable::Variables;

use crate::protocol::Command;

/// Those that are still to be set, one command at a time.
#[derive(Debug)]
pub(super) struct Naming(VecDeque<Command>);

impl Naming {
    pub(super) fn of(variables: &Variables) -> Self {
        let set = |(name, value): (&_, &_)| Command::SetContactVariable {
            name: Clone::clone(name),
            value: Clone::clone(value),
        };
        Self(variables.iter().map(set).collect())
    }

    pub(super) fn next(&mut self) -> Option<Command> {
        self.0.pop_front()
    }
}
