//! Asterisk itself: does it run, and does it have our dialplan?

use std::process::Command;

use super::Finding;
use crate::settings::Settings;
use crate::spool::{SpoolDirs, asterisk_watches, running_asterisk};

const INCLUDE_MEND: &str = "put `#include extensions_campanile.conf` into Asterisk's extensions.conf (FreePBX: \
    extensions_custom.conf), the file beside it, and say `asterisk -rx 'dialplan reload'`";

const RELOAD_MEND: &str = "install the extensions_campanile.conf of this version beside extensions.conf, and say \
    `asterisk -rx 'dialplan reload'`";

const DIAL_CONTEXT: &str = "campanile-dial";
/// It came with the actions that connect; an older dialplan has none.
const CONNECT_CONTEXT: &str = "campanile-connect";
/// Where the gate's word becomes a call; an older dialplan would not understand it.
const DIAL_STEP: &str = "Dial(${CAMPANILE_GO},i${CAMPANILE_OPTIONS})";

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
    let contexts =
        [(DIAL_CONTEXT, "dial"), ("campanile-answered", "s"), (CONNECT_CONTEXT, "dial"), ("campanile-report", "s")];
    let mut found = Vec::new();
    for (context, extension) in contexts {
        match ask(settings, &format!("dialplan show {extension}@{context}")) {
            Err(reason) => {
                let text = format!("the dialplan could not be looked at: {reason}");
                return vec![Finding::warning("dialplan", text, "the self-test call shows whether it is included")];
            }
            Ok(answer) => found.push(judge(context, &answer)),
        }
    }
    found
}

fn judge(context: &str, answer: &str) -> Finding {
    if context == CONNECT_CONTEXT && !shows(answer, context) {
        let text = format!(
            "context {context} is missing: the dialplan is of another version, and DIAL, QUEUE and CONFERENCE end the call"
        );
        return Finding::problem("dialplan", text, RELOAD_MEND);
    }
    if !shows(answer, context) {
        return Finding::problem("dialplan", format!("context {context} is missing"), INCLUDE_MEND);
    }
    if context == DIAL_CONTEXT && !answer.contains(DIAL_STEP) {
        let text = format!("context {context} has no {DIAL_STEP}: it is of another version, or was changed");
        return Finding::problem("dialplan", text, RELOAD_MEND);
    }
    Finding::ok("dialplan", format!("context {context} is there"))
}

/// Whether `dialplan show EXTENSION@CONTEXT` found it. The console ends with 0 either way.
pub(super) fn shows(answer: &str, context: &str) -> bool {
    answer.contains(&format!("Context '{context}'")) && !answer.contains("There is no existence")
}

pub(super) fn ask(settings: &Settings, question: &str) -> Result<String, String> {
    let socket = settings.asterisk_run_dir.join("asterisk.ctl");
    let output = Command::new("asterisk").arg("-s").arg(&socket).arg("-rx").arg(question).output();
    let output = output.map_err(|error| format!("cannot run `asterisk`: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("`asterisk -rx` failed: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialplan_of_another_version_is_told() {
        let ours = include_str!("../../etc/asterisk/extensions_campanile.conf");
        let answer = |steps: &str| format!("[ Context '{DIAL_CONTEXT}' created by 'pbx_config' ]\n{steps}");
        let is_there = Finding::ok("dialplan", format!("context {DIAL_CONTEXT} is there"));
        assert_eq!(judge(DIAL_CONTEXT, &answer(ours)), is_there);
        let older = answer("  'dial' =>  1. Dial(${CAMPANILE_DIAL},${CAMPANILE_RING},i)");
        assert!(judge(DIAL_CONTEXT, &older).text.contains("another version"));
        assert!(judge(DIAL_CONTEXT, "").text.contains("is missing"));
        let unconnected = judge(CONNECT_CONTEXT, "There is no existence of 'campanile-connect' context\n");
        assert!(unconnected.text.contains("another version"), "{unconnected:?}");
        assert!(ours.contains("[campanile-connect]\nexten => dial,1,"));
    }

    #[test]
    fn what_asterisk_16_and_22_answer_is_understood() {
        let there = "[ Context 'campanile-dial' created by 'pbx_config' ]\n  'dial' =>  1. Set(CAMPANILE_GO=)\n";
        let no_context = "There is no existence of 'nosuch' context\nCommand 'dialplan show s@nosuch' failed.\n";
        let no_extension = "There is no existence of nosuch@campanile-dial extension\n\
            Command 'dialplan show nosuch@campanile-dial' failed.\n";
        assert!(shows(there, "campanile-dial"));
        assert!(!shows(no_context, "nosuch") && !shows(no_extension, "campanile-dial") && !shows("", "nosuch"));
    }
}
