//! What can be wrong with a call-file template, and how to mend it.

use std::fmt;

use super::template::{RETRY_TIME_S_MAX, RETRY_TIME_S_MIN, SETS_MAX, TEMPLATE_BYTES_MAX};
use super::text::Text;
use super::{ANSWERED, CHANNEL, TICKET_VARIABLE};

/// One fault; its text ends with the mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateFault {
    /// Too large to be one.
    #[error("the file has {0} bytes; a template has at most {TEMPLATE_BYTES_MAX}")]
    TooLarge(usize),
    /// Anything but printable ASCII in a line that counts.
    #[error("`{0}` has other than printable ASCII characters; only comments may have them")]
    NotPrintable(Text),
    /// Asterisk would cut the line there.
    #[error("`{0}` has a comment behind its value; give the comment a line of its own")]
    CommentInLine(Text),
    /// No `:`.
    #[error("`{0}` has no colon; write `Key: value`, or `#` before a comment")]
    NoColon(Text),
    /// Not a key of call files.
    #[error("`{0}` is no key of a call file; write the key right before the colon, without a blank")]
    UnknownKey(Text),
    /// A key that we do not let through.
    #[error("`{key}` does not belong here: {why}; remove the line")]
    Forbidden {
        /// The key.
        key: &'static str,
        /// Why not.
        why: &'static str,
    },
    /// Given twice; the last one would count.
    #[error("`{0}` is there already; remove one of the lines")]
    Twice(&'static str),
    /// A key whose value is fixed.
    #[error("`{key}` is `{found}`; it must be `{needed}`: {why}")]
    Fixed {
        /// The key.
        key: &'static str,
        /// What is there.
        found: Text,
        /// What must be there.
        needed: String,
        /// Why.
        why: &'static str,
    },
    /// A required line is missing.
    #[error("there is no line `{0}`; add it")]
    Missing(String),
    /// A RetryTime that does not protect, or that Asterisk cannot count.
    #[error("`RetryTime` is `{0}`; write seconds from {RETRY_TIME_S_MIN} to {RETRY_TIME_S_MAX}, best 86400")]
    RetryTime(Text),
    /// Not a list of codec names.
    #[error("`Codecs` is `{0}`; write names with commas, such as `alaw,ulaw`")]
    Codecs(Text),
    /// `Set` without `=`.
    #[error("`Set: {0}` has no `=`; write `Set: NAME=value`")]
    SetShape(Text),
    /// A variable name with other characters, such as a function's `)`.
    #[error("`{0}` is no variable name here; up to two `_`, a letter, then letters, digits and `_`, at most 64")]
    SetName(Text),
    /// A variable of Asterisk's or ours.
    #[error("the variable `{0}` belongs to Campanile or to Asterisk; choose another name")]
    SetReserved(Text),
    /// A value outside the safe set.
    #[error("the value of `{0}` may have A-Z a-z 0-9 _ . : + - only, at most 200; put the rest into the dialplan")]
    SetValue(Text),
    /// More than [`SETS_MAX`].
    #[error("there are more than {SETS_MAX} variables; put the rest into the dialplan")]
    TooManySets,
}

impl TemplateFault {
    pub(super) fn missing(key: &'static str) -> Self {
        Self::Missing(match key {
            "RetryTime" => "RetryTime: 86400".to_owned(),
            "Set" => format!("Set: {TICKET_VARIABLE}={{ticket}}"),
            key => format!("{key}: {}", needed(key).map(|(value, _)| value).unwrap_or_default()),
        })
    }
}

/// The one value of a fixed key, and why no other will do.
pub(super) fn needed(key: &str) -> Option<(String, &'static str)> {
    Some(match key {
        "Channel" => (
            format!("{}/{}", CHANNEL.0, CHANNEL.1),
            "the gate sits in this context, and `/n` keeps both legs for the whole call",
        ),
        "Context" => (ANSWERED.0.to_owned(), "the actions run there"),
        "Extension" => (ANSWERED.1.to_owned(), "the actions run there"),
        "Priority" => (ANSWERED.2.to_string(), "the actions run there"),
        "MaxRetries" => ("0".to_owned(), "Campanile retries with a new file, and Asterisk's own retries overlap"),
        "WaitTime" => ("{wait_time_s}".to_owned(), "the wait belongs to the campaign"),
        "Archive" => ("yes".to_owned(), "otherwise a finished call cannot be told from a lost file"),
        _ => return None,
    })
}

/// A fault and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateProblem {
    /// The line, from 1; `None` when something is missing from the whole.
    pub line: Option<usize>,
    /// What is wrong and how to mend it.
    pub fault: TemplateFault,
}

impl fmt::Display for TemplateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.fault),
            None => self.fault.fmt(f),
        }
    }
}

/// Everything that is wrong with a template, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("read the call-file template: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct TemplateProblems(pub Vec<TemplateProblem>);
