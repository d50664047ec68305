//! A text of an action: as typed, or a variable's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::name::TextRefusal;
use crate::domain::stored::stored_as_text;
use crate::domain::variable::{VariableName, VariableValue, Variables};

/// A text of an action. A typed one has no braces, so the two cannot be mistaken for each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Text {
    /// As typed.
    Typed(VariableValue),
    /// What the contact's variable of this name says: `{debt}`.
    Of(VariableName),
}

impl Text {
    /// What it says for a contact; `Err` names the variable that the contact does not have.
    pub fn read<'t>(&'t self, variables: &'t Variables) -> Result<&'t VariableValue, &'t VariableName> {
        match self {
            Self::Typed(value) => Ok(value),
            Self::Of(name) => variables.get(name).ok_or(name),
        }
    }
}

impl FromStr for Text {
    type Err = TextRefusal;

    fn from_str(text: &str) -> Result<Self, TextRefusal> {
        match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => name.parse().map(Self::Of),
            None => text.parse().map(Self::Typed),
        }
    }
}

stored_as_text!(Text);

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Typed(value) => write!(f, "{value}"),
            Self::Of(name) => write!(f, "{{{name}}}"),
        }
    }
}
