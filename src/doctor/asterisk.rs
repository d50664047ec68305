//! Asterisk itself: does it run, and does it have our dialplan?

use std::process::Command;

use super::Finding;
use crate::settings::Settings;
use crate::spool::{SpoolDirs, asterisk_watches, running_asterisk};

const INCLUDE_MEND: &str = "put `#include extensions_campanile.conf` into Asterisk's extensions.conf (FreePBX: \
    extensions_custom.conf), the file beside it, and say `asterisk -rx 'dialplan reload'`";

pub(super) fn running(settings: &Settings) -> Vec<Finding> {
    let dir = settings.asterisk_run_dir.display();
    let run = match running_asterisk(&settings.asterisk_run_dir, crate::clock::now()) {
        Ok(Some(run)) => run,
        Ok(None) => {
            return vec![Finding::problem(
                "asterisk",
                format!("no running Asterisk has its pid file in `{dir}`"),
                "start Asterisk, or set `asterisk_run_dir` to its astrundir",
            )];
        }
        Err(error) => {
            let mend = "set `asterisk_run_dir` to Asterisk's astrundir";
            return vec![Finding::problem("asterisk", error.to_string(), mend)];
        }
    };
    let runs = Finding::ok("asterisk", format!("Asterisk runs (process {}, since {})", run.pid, run.since));
    [Some(runs), reads_our_spool(settings, run.pid)].into_iter().flatten().collect()
}

/// Where it cannot be seen, the self-test call answers the same question.
fn reads_our_spool(settings: &Settings, pid: i64) -> Option<Finding> {
    let outgoing = SpoolDirs::below(&settings.spool_dir).outgoing;
    let name = outgoing.display();
    asterisk_watches(pid, &outgoing).map(|watches| match watches {
        true => Finding::ok("asterisk", format!("Asterisk watches `{name}`")),
        false => Finding::problem(
            "asterisk",
            format!(
                "Asterisk does not watch `{name}`: that folder was replaced since Asterisk started, or is another's"
            ),
            "restart Asterisk (`asterisk -rx 'core restart gracefully'`), or set `spool_dir` to its astspooldir",
        ),
    })
}

/// Asks the console for each of our contexts. Where there is no `asterisk` program (a container), the
/// self-test call answers the same question.
pub(super) fn dialplan(settings: &Settings) -> Vec<Finding> {
    let contexts = [("campanile-dial", "dial"), ("campanile-answered", "s"), ("campanile-report", "s")];
    let mut found = Vec::new();
    for (context, extension) in contexts {
        match ask(settings, &format!("dialplan show {extension}@{context}")) {
            Err(reason) => {
                let text = format!("the dialplan could not be looked at: {reason}");
                return vec![Finding::warning("dialplan", text, "the self-test call shows whether it is included")];
            }
            Ok(answer) if answer.contains(&format!("'{context}'")) && !answer.contains("There is no") => {
                found.push(Finding::ok("dialplan", format!("context {context} is there")));
            }
            Ok(_) => found.push(Finding::problem("dialplan", format!("context {context} is missing"), INCLUDE_MEND)),
        }
    }
    found
}

fn ask(settings: &Settings, question: &str) -> Result<String, String> {
    let socket = settings.asterisk_run_dir.join("asterisk.ctl");
    let output = Command::new("asterisk").arg("-s").arg(&socket).arg("-rx").arg(question).output();
    let output = output.map_err(|error| format!("cannot run `asterisk`: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("`asterisk -rx` failed: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}
