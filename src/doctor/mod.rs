//! `campanile doctor`: is everything in place for calls, and if not, what mends it?
//!
//! The checks go from the machine to a whole call: settings and folders, the daemons, Asterisk and its
//! dialplan, the FastAGI round trip, and last a self-test call that takes the way of every call, from a
//! contact to its report, to the dialplan's own answering extension. No trunk is used.

mod agi;
mod asterisk;
mod local;
mod log;
mod running_lists;
mod selftest;

pub use self::agi::gate;
pub use self::selftest::abandon;

use serde::Serialize;

use crate::settings::Settings;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, with a risk; or it could not be looked at.
    Warning,
    /// Calls will fail.
    Problem,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How it came out.
    pub level: Level,
    /// The area: `settings`, `spool`, `asterisk` …
    pub area: &'static str,
    /// What was found.
    pub text: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

impl Finding {
    fn ok(area: &'static str, text: impl Into<String>) -> Self {
        Self { level: Level::Ok, area, text: text.into(), mend: None }
    }

    fn warning(area: &'static str, text: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { level: Level::Warning, area, text: text.into(), mend: Some(mend.into()) }
    }

    fn problem(area: &'static str, text: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { level: Level::Problem, area, text: text.into(), mend: Some(mend.into()) }
    }
}

/// Whether the self-test call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestCall {
    /// Make it, if everything before it is in place.
    Make,
    /// Leave it out.
    Skip,
}

/// Looks at everything; `tell` hears each finding as soon as it is there.
pub fn examine(settings: &Settings, call: TestCall, mut tell: impl FnMut(&Finding)) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut note = |found: Vec<Finding>| {
        found.iter().for_each(&mut tell);
        findings.extend(found);
    };
    note(local::settings(settings));
    note(local::ledger(settings));
    note(local::spool(settings));
    note(local::sounds(settings));
    note(log::writable(settings));
    note(asterisk::running(settings));
    note(asterisk::dialplan(settings));
    note(running_lists::needs(settings));
    note(agi::round_trip(settings));
    note(local::daemon(settings));
    if call == TestCall::Make {
        let broken = findings.iter().any(|f| f.level == Level::Problem);
        let found = if broken { vec![not_made()] } else { selftest::call(settings) };
        found.iter().for_each(&mut tell);
        findings.extend(found);
    }
    findings
}

fn not_made() -> Finding {
    Finding::warning(
        "self-test",
        "no self-test call was made, because it could not succeed",
        "mend the problems above first",
    )
}
