//! Evidence: facts about an attempt, written by whoever saw them; conclusions are drawn elsewhere
//! (`disposition`).

use serde::{Deserialize, Serialize};

use super::action::{Action, Target};
use super::gate::Refusal;
use super::instant::UtcMs;
use super::name::{Name, SoundName};
use super::stored::worded_enum;

worded_enum! {
    /// `DIALSTATUS` as `Dial` leaves it (asterisk.md 6.1).
    pub enum DialStatus {
        /// The callee answered.
        Answer = "ANSWER",
        /// Cause 17.
        Busy = "BUSY",
        /// Rang out, or cause 16 or 19.
        NoAnswer = "NOANSWER",
        /// The calling side went away first.
        Cancel = "CANCEL",
        /// Cause 34.
        Congestion = "CONGESTION",
        /// Every other cause: only the cause says whose fault it is.
        ChanUnavail = "CHANUNAVAIL",
        /// `Dial` could not read its arguments.
        InvalidArgs = "INVALIDARGS",
        /// Privacy manager.
        DontCall = "DONTCALL",
        /// Privacy manager.
        Torture = "TORTURE",
    }
}

worded_enum! {
    /// The `Status:` line that Asterisk appends in `outgoing_done` (asterisk.md 4).
    pub enum ArchiveStatus {
        /// The dialling leg was answered, even for a moment.
        Completed = "Completed",
        /// Not answered: busy, no answer, bad number and congestion alike.
        Expired = "Expired",
        /// The file was malformed or unreadable.
        Failed = "Failed",
        /// Asterisk died between the rename and the append, or the line is not one of these.
        Unknown = "Unknown",
    }
}

worded_enum! {
    /// How an action step ended.
    pub enum StepResult {
        /// It ran to its end.
        Done = "done",
        /// The callee hung up during it.
        HungUp = "hung_up",
        /// Asterisk refused it, such as a sound that went missing.
        Failed = "failed",
    }
}

worded_enum! {
    /// Who answered, as `AMD` heard it.
    pub enum WhoAnswered {
        /// A human.
        Human = "human",
        /// An answering machine.
        Machine = "machine",
        /// Not sure, silent for too long, or `AMD` could not be run.
        Unsure = "unsure",
    }
}

/// What the report leg saw, raw.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// When the dialplan entered `Dial`; `None` when it never did.
    pub dialled_at: Option<UtcMs>,
    /// `None` when `Dial` was never entered, or was left without a status.
    pub dial_status: Option<DialStatus>,
    /// Q.850 cause; `None` for 0, which means that nobody set one.
    pub cause: Option<u16>,
    /// Final (or on a timeout the last provisional) SIP response code of the callee's side.
    pub sip_code: Option<u16>,
    /// From `Dial` to the first ringing (`RINGTIME_MS`); `None` when it never rang.
    pub ring_after_ms: Option<i64>,
    /// From `Dial` to the first progress, such as early media (`PROGRESSTIME_MS`); `None` without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress_after_ms: Option<i64>,
    /// From the beginning of the dialling leg to its end (`DIALEDTIME_MS`): the gate's hold is in it.
    pub dial_ms: Option<i64>,
    /// From the answer to the end.
    pub talk_ms: Option<i64>,
}

/// What a step found out, and where the call went on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Finding {
    /// A menu was left.
    Chose {
        /// Where to.
        to: Target,
    },
    /// `AMD` ended.
    Heard {
        /// Whom it heard.
        who: WhoAnswered,
        /// `AMDCAUSE`, such as `LONGGREETING-1500-1500`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<String>,
        /// Where the call went on.
        to: Target,
    },
    /// `LISTEN` ended.
    Sound {
        /// Milliseconds from its beginning until the callee was heard; `None` when nothing was.
        after_ms: Option<i64>,
    },
    /// Something was recorded.
    Recorded {
        /// The file, on Asterisk's machine.
        file: SoundName,
    },
}

/// One step of the action list as it ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The how manieth step of the call it was, from 0.
    #[serde(default)]
    pub ordinal: u32,
    /// The list; `None` for the one that begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<Name>,
    /// Its place in the list, from 0.
    pub index: u32,
    /// What it was.
    pub action: Action,
    /// How it ended.
    pub result: StepResult,
    /// The keys pressed while it ran, in order.
    pub digits: String,
    /// How long it ran.
    pub ran_ms: i64,
    /// What it found out; `None` for an action that finds out nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<Finding>,
}

/// One fact about an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fact {
    /// The gate admitted the attempt: it may have rung from here on.
    Admitted {
        /// The instant that the gate let it dial at.
        start_at: UtcMs,
    },
    /// The gate said no: it was not dialled.
    Refused {
        /// Why.
        why: Refusal,
    },
    /// The answered leg began.
    Answered,
    /// A step of the action list ended.
    Step(Step),
    /// The call was handed to the dialplan by an `IVR` action, or another that does so.
    HandedOver,
    /// The callee wants no further call.
    OptedOut {
        /// The do-not-call list that the action names; `None` for the campaign's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        list: Option<Name>,
    },
    /// The dialling leg ended and said how.
    Reported(Report),
    /// The file came to `outgoing_done`, or was found there.
    Archived {
        /// Its `Status:` line.
        status: ArchiveStatus,
        /// When Asterisk wrote that line, as the call had ended: the file's mtime. `None` without one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ended_at: Option<UtcMs>,
    },
    /// The file is neither in `outgoing` nor in `outgoing_done`.
    Missing,
    /// The sweeper removed a file that a dead Asterisk had begun.
    Swept,
    /// We removed the file before Asterisk began it.
    Withdrawn,
    /// The file could not be published.
    NotPublished {
        /// What the file system said.
        error: String,
    },
}

/// A fact with the instant at which it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// When it was seen, by the clock of whoever saw it.
    pub at: UtcMs,
    /// What was seen.
    pub fact: Fact,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_stored_before_there_were_named_lists_is_read_as_it_was() {
        let stored =
            r#"{"kind":"step","index":2,"action":{"kind":"wait","seconds":2},"result":"done","digits":"1","ran_ms":9}"#;
        let Ok(Fact::Step(step)) = serde_json::from_str(stored) else { panic!("{stored}") };
        assert_eq!((step.ordinal, step.list, step.index, step.finding), (0, None, 2, None));
        let opted_out = Fact::OptedOut { list: Some("never".parse().unwrap()) };
        assert_eq!(serde_json::to_string(&opted_out).unwrap(), r#"{"kind":"opted_out","list":"never"}"#);
    }
}
