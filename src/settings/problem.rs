//! What can be wrong with settings, where, and how to mend it.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::exit::Exit;

use super::keys::{self, KeySpec};

/// Where a value or a problem is; problems are told in this order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Nobody set it: the default.
    Default,
    /// The file as a whole.
    File(PathBuf),
    /// A line of the file.
    Line {
        /// The file.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(file) => file.display().fmt(f),
            Self::Line { file, line } => write!(f, "{}:{line}", file.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
        }
    }
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The file could not be read.
    #[error("cannot be read: {why}")]
    Unreadable {
        /// What kind of failure, for the exit code.
        kind: std::io::ErrorKind,
        /// The operating system's words.
        why: String,
    },
    /// There is no file where it is by default; that is allowed.
    #[error("does not exist; the defaults are used")]
    Absent,
    /// Bytes that are not UTF-8.
    #[error("is not UTF-8 text")]
    NotText,
    /// `[section]`.
    #[error("sections have no meaning here")]
    Section,
    /// Not `key = value`.
    #[error("is not of the form key = value")]
    NotKeyValue,
    /// No such key.
    #[error("unknown key \"{}\"", fit_to_show(key))]
    UnknownKey {
        /// As written.
        key: String,
    },
    /// A key that an earlier line set.
    #[error("{key} is already set in line {first}")]
    Duplicate {
        /// The key.
        key: &'static str,
        /// The line that set it first.
        first: usize,
    },
    /// A value that the key does not take.
    #[error("{why}")]
    Value {
        /// The key.
        key: &'static KeySpec,
        /// What is wrong with it.
        why: String,
    },
    /// What a mor.conf holds beside our keys; values are left out, some are passwords.
    #[error("is a mor.conf; not used here: {}", listed(.0))]
    Foreign(Vec<String>),
}

/// Something wrong, with its place, the text that offends and the mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// The line or value, when it may be shown.
    pub text: Option<String>,
    /// What.
    pub fault: Fault,
}

impl Problem {
    /// What to do about it.
    #[must_use]
    pub fn mend(&self) -> String {
        match &self.fault {
            Fault::Unreadable { kind: std::io::ErrorKind::NotFound, .. } => {
                "name a file that exists, or leave --config out to use the defaults".into()
            }
            Fault::Unreadable { .. } => "make it a file that this user may read".into(),
            Fault::Absent => "copy the sample campanile.conf there to change them".into(),
            Fault::NotText => "save the file as UTF-8".into(),
            Fault::Section => "remove this line; keys stand alone".into(),
            Fault::NotKeyValue => "write key = value, or begin the line with ; to make it a comment".into(),
            Fault::UnknownKey { key } => match keys::nearest(key) {
                Some(near) => format!("did you mean {}?", self.written(near)),
                None => "remove it; the sample campanile.conf names every key".into(),
            },
            Fault::Duplicate { first, .. } => format!("keep one of the two lines, {first} or this one"),
            Fault::Value { key, .. } => format!("write {}", key.allowed),
            Fault::Foreign(_) => "nothing to do; MOR uses them".into(),
        }
    }

    /// A key as it is written at this problem's place.
    fn written(&self, key: &str) -> String {
        match (&self.place, keys::find(key)) {
            (Place::Variable(_), Some(spec)) => spec.variable(),
            _ => key.to_owned(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.text {
            Some(text) => write!(f, "{}: {}: `{}`: {}", self.place, self.fault, fit_to_show(text), self.mend()),
            None => write!(f, "{}: {}: {}", self.place, self.fault, self.mend()),
        }
    }
}

/// The beginning of a foreign text, without what a terminal would obey, such as an escape or a mark
/// that turns the direction of writing.
fn fit_to_show(text: &str) -> String {
    let obeyed = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().take(120).map(|c| if obeyed(c) { '\u{fffd}' } else { c }).collect()
}

/// The first of the foreign keys: a file that is no mor.conf may have thousands.
fn listed(keys: &[String]) -> String {
    const SHOWN: usize = 40;
    let mut listed = keys.iter().take(SHOWN).map(|key| fit_to_show(key)).collect::<Vec<_>>().join(", ");
    if keys.len() > SHOWN {
        listed.push_str(&format!(" and {} more", keys.len() - SHOWN));
    }
    listed
}

/// Everything that is wrong with the settings, never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", one_a_line(.0))]
pub struct Problems(pub Vec<Problem>);

fn one_a_line(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

impl Problems {
    /// A file that could not be read.
    pub(super) fn unreadable(file: &Path, error: &std::io::Error) -> Self {
        let fault = Fault::Unreadable { kind: error.kind(), why: error.to_string() };
        Self(vec![Problem { place: Place::File(file.to_owned()), text: None, fault }])
    }

    /// The exit code for a program that could not start because of them.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self.0.as_slice() {
            [Problem { fault: Fault::Unreadable { kind, .. }, .. }] => Exit::from(*kind),
            _ => Exit::Config,
        }
    }
}
