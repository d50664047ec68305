//! Where an action goes on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::name::{Name, TextRefusal};
use crate::domain::stored::stored_as_text;

/// Where an action goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Target {
    /// Behind it.
    Next,
    /// The same menu once more; it counts as a repeat.
    Again,
    /// Nowhere: the call ends.
    Hangup,
    /// A list of the campaign, and behind its last action to the place behind this one.
    List(Name),
}

impl Target {
    fn as_str(&self) -> &str {
        match self {
            Self::Next => "next",
            Self::Again => "again",
            Self::Hangup => "hangup",
            Self::List(name) => name.as_str(),
        }
    }
}

impl FromStr for Target {
    type Err = TextRefusal;

    fn from_str(text: &str) -> Result<Self, TextRefusal> {
        Ok(match text {
            "next" => Self::Next,
            "again" => Self::Again,
            "hangup" => Self::Hangup,
            name => Self::List(name.parse()?),
        })
    }
}

stored_as_text!(Target);

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
