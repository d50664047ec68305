//! `campanile doctor`.

use std::io::Write;

use clap::Args;

use super::Global;
use super::failure::Outcome;
use super::session::Form;
use crate::doctor::{self, Finding, Level, TestCall};
use crate::exit::Exit;
use crate::settings::Settings;

/// Look at everything that calls need, down to a self-test call, and say how to mend what is wrong.
#[derive(Debug, Args)]
#[command(after_help = "\
Looks at: settings and template, ledger, spool folders (owner, one file system, inotify, space), sounds, the
running Asterisk and its dialplan, campanile-agi, campanile serve; then makes a self-test call inside the PBX,
which takes the way of every call and uses no trunk. The call waits for a free slot like any other.

Examples:
  sudo -u asterisk campanile doctor
  campanile doctor --no-call --json

JSON: {ok, findings: [{level, area, text, mend}]}, level being ok, warning or problem.
Ends with 0 when nothing is a problem, and with 69 when something is.")]
pub struct Doctor {
    /// Leave the self-test call out.
    #[arg(long)]
    no_call: bool,
}

impl Doctor {
    pub fn run(&self, global: &Global) -> Outcome {
        let loaded = Settings::load(global.config.as_deref())?;
        let call = if self.no_call { TestCall::Skip } else { TestCall::Make };
        let findings = match global.form() {
            Form::Text => doctor::examine(&loaded.settings, call, print),
            Form::Json => doctor::examine(&loaded.settings, call, |_| {}),
        };
        let ok = findings.iter().all(|f| f.level != Level::Problem);
        let mut out = std::io::stdout();
        match global.form() {
            Form::Json => writeln!(out, "{:#}", serde_json::json!({"ok": ok, "findings": findings}))?,
            Form::Text if ok => writeln!(out, "Everything that calls need is in place.")?,
            Form::Text => writeln!(out, "Calls will fail until the problems above are mended.")?,
        }
        Ok(if ok { Exit::Ok } else { Exit::Unavailable })
    }
}

/// Each finding as soon as it is there: the self-test call takes a while.
fn print(finding: &Finding) {
    let mark = match finding.level {
        Level::Ok => "ok",
        Level::Warning => "warning",
        Level::Problem => "PROBLEM",
    };
    let mut out = std::io::stdout();
    // A closed pipe ends the program at the last line, not in the middle of a check.
    let _ = writeln!(out, "{mark:>8}  {:<10} {}", finding.area, finding.text);
    if let Some(mend) = &finding.mend {
        let _ = writeln!(out, "{:>8}  {:<10} mend: {mend}", "", "");
    }
}
