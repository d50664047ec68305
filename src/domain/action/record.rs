//! `RECORD`: how long, and what ends it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::MenuKeys;
use crate::domain::name::TextRefusal;
use crate::domain::stored::{stored_as_text, worded_enum};

/// The longest recording, in seconds: an hour.
pub const RECORD_S_MAX: u32 = 3600;

/// How long is recorded, and what ends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// At most so long, in seconds: 1 to [`RECORD_S_MAX`].
    pub seconds: u32,
    /// Silence of so many seconds ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence_s: Option<u32>,
    /// These keys end it.
    pub stop: StopKeys,
    /// Whether a beep says that it begins.
    pub beep: Beep,
}

worded_enum! {
    /// Whether a beep says that a recording begins.
    pub enum Beep {
        /// It does.
        Yes = "yes",
        /// Silence.
        No = "no",
    }
}

/// The keys that end a recording; others are not heard while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum StopKeys {
    /// Every key.
    Any,
    /// None.
    None,
    /// Each of these.
    These(MenuKeys),
}

impl StopKeys {
    /// The keys themselves, where `all` are all that there are.
    #[must_use]
    pub fn keys<'k>(&'k self, all: &'k str) -> &'k str {
        match self {
            Self::Any => all,
            Self::None => "",
            Self::These(keys) => keys.as_str(),
        }
    }
}

impl FromStr for StopKeys {
    type Err = TextRefusal;

    fn from_str(text: &str) -> Result<Self, TextRefusal> {
        Ok(match text {
            "any" => Self::Any,
            "none" => Self::None,
            keys => Self::These(keys.parse()?),
        })
    }
}

stored_as_text!(StopKeys);

impl fmt::Display for StopKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::None => f.write_str("none"),
            Self::These(keys) => write!(f, "{keys}"),
        }
    }
}

impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seconds={}", self.seconds)?;
        if let Some(silence_s) = self.silence_s {
            write!(f, " silence={silence_s}")?;
        }
        write!(f, " stop={} beep={}", self.stop, self.beep)
    }
}
