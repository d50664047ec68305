//! From evidence to one disposition.
//!
//! [`conclude`] is the only place that draws a conclusion: AGI, watcher, scan and sweeper write facts,
//! in whatever order they see them, and this fold says what they add up to. What a cause or a SIP code
//! means stands in one table, in `causes`.

mod answered_leg;
mod causes;
mod evidence_fold;

pub use evidence_fold::{GRACE_MS, Line, Planned, SILENCE_MS, VANISHED_MS, Verdict, conclude};

use super::gate::Refusal;
use super::instant::UtcMs;
use super::stored::worded_enum;

worded_enum! {
    /// The one way in which an attempt ended.
    pub enum Disposition {
        /// The callee answered.
        Answered = "answered",
        /// An answering machine did, by what `AMD` heard.
        Machine = "machine",
        /// Cancelled while it rang, as was made up for it: of a test line a success.
        Cancelled = "cancelled",
        /// Busy.
        Busy = "busy",
        /// Rang, or could have, and nobody answered.
        NoAnswer = "no_answer",
        /// The callee, or somebody for them, declined.
        Rejected = "rejected",
        /// No such number.
        InvalidNumber = "invalid_number",
        /// The line out failed: ours, not charged to the contact.
        TrunkFailure = "trunk_failure",
        /// Never dialled: the gate or the spool says why; not charged.
        NotDialled = "not_dialled",
        /// May have rung, and nobody can say: charged.
        Indeterminate = "indeterminate",
    }
}

/// Why an attempt was not dialled; its next instant follows from this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotDialled {
    /// The gate said no.
    Refused(Refusal),
    /// We removed the file before Asterisk began it.
    Withdrawn,
    /// The file could not be published.
    NotPublished {
        /// What the file system said.
        error: String,
    },
    /// The gate admitted it, and the dialling leg ended before `Dial`.
    DialNotEntered,
    /// The dialling leg ended without an answer from the gate.
    GateSilent,
    /// The file ended without anybody asking the gate.
    GateNotAsked(Gone),
}

/// How a call file ended, as far as the spool shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gone {
    /// It came to `outgoing_done`.
    Archived(super::evidence::ArchiveStatus),
    /// A dead Asterisk had begun it, and the sweeper removed it.
    Swept,
    /// It is nowhere.
    Missing,
}

/// The conclusion drawn from an attempt's evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conclusion {
    /// The one disposition.
    pub disposition: Disposition,
    /// Why it was not dialled; set exactly when the disposition is [`Disposition::NotDialled`].
    pub not_dialled: Option<NotDialled>,
    /// Why, in words, where the disposition alone does not say it (`window closed`, `swept: …`).
    pub detail: Option<String>,
    /// Q.850 cause.
    pub cause: Option<u16>,
    /// SIP code.
    pub sip_code: Option<u16>,
    /// When `Dial` was entered.
    pub dialled_at: Option<UtcMs>,
    /// When the callee answered.
    pub answered_at: Option<UtcMs>,
    /// When the call ended, as far as anybody saw.
    pub ended_at: UtcMs,
    /// How long it rang.
    pub ring_ms: Option<i64>,
    /// How long the callee was connected.
    pub talk_ms: Option<i64>,
    /// What the answered leg learned that makes a further call wrong.
    pub learned: Option<Learned>,
}

/// What the answered leg learned that makes a further call wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learned {
    /// The callee wants no further call.
    OptedOut,
    /// A machine answered and heard a message to its end: whoever owns it will hear it.
    MessageLeft,
}

impl Conclusion {
    /// A conclusion that knows nothing but what it is and when the call ended.
    pub(crate) fn bare(disposition: Disposition, ended_at: UtcMs) -> Self {
        Self {
            disposition,
            not_dialled: None,
            detail: None,
            cause: None,
            sip_code: None,
            dialled_at: None,
            answered_at: None,
            ended_at,
            ring_ms: None,
            talk_ms: None,
            learned: None,
        }
    }

    /// Never dialled, and why.
    pub(crate) fn not_dialled(why: NotDialled, ended_at: UtcMs) -> Self {
        let detail = Some(why.to_string());
        Self { not_dialled: Some(why), detail, ..Self::bare(Disposition::NotDialled, ended_at) }
    }
}

impl std::fmt::Display for NotDialled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(refusal) => f.write_str(&refusal_in_words(refusal)),
            Self::Withdrawn => f.write_str("withdrawn before Asterisk began it"),
            Self::NotPublished { error } => write!(f, "the call file could not be published: {error}"),
            Self::DialNotEntered => f.write_str(
                "the gate admitted the call, but Dial was never entered: did the dialling leg hang up, or was the dialplan changed?",
            ),
            Self::GateSilent => {
                f.write_str("the dialling leg ended without an answer from the gate: is campanile-agi running?")
            }
            Self::GateNotAsked(Gone::Archived(status)) => write!(
                f,
                "Asterisk archived the file ({status}) without asking the gate: is extensions_campanile.conf included and campanile-agi running?"
            ),
            Self::GateNotAsked(Gone::Swept) => {
                f.write_str("Asterisk stopped after it began the file and before it asked the gate; the file was swept")
            }
            Self::GateNotAsked(Gone::Missing) => f.write_str(
                "the call file vanished from the spool without asking the gate: does another program clean that folder?",
            ),
        }
    }
}

fn refusal_in_words(refusal: &Refusal) -> String {
    match refusal {
        Refusal::AlreadyUsed => "the ticket was used before".to_owned(),
        Refusal::NotRunning { state } => format!("the campaign is {state}"),
        Refusal::Removed => "the contact or its campaign was removed".to_owned(),
        Refusal::WindowClosed { opens_at: Some(at) } => format!("the window is closed until {at}"),
        Refusal::WindowClosed { opens_at: None } => "the window is closed and never opens".to_owned(),
        Refusal::LegalHours { opens_at: Some(at) } => format!("the contact's legal hours are closed until {at}"),
        Refusal::LegalHours { opens_at: None } => "the contact's legal hours are closed and never open".to_owned(),
        Refusal::Expired { at } => format!("the contact expired at {at}"),
        Refusal::NumberStopped => "this number of the contact was stopped".to_owned(),
        Refusal::Late { by_ms } => format!(
            "its turn at the gate came {by_ms} ms after its planned instant: Asterisk or campanile-agi was late"
        ),
        Refusal::CallsUsedUp { why } => format!("the contact's calls are used up: {why}"),
        Refusal::DoNotCall { list, .. } => format!("the number is on the do-not-call list {list}"),
        Refusal::FrequencyCap { until } => {
            format!("the number was called as often as attempts_per_number_max lets it, until {until}")
        }
        Refusal::CampaignChannels => "the campaign's channels were all in use".to_owned(),
        Refusal::TrunkChannels => "the trunk's channels were all in use".to_owned(),
        Refusal::ServerChannels => "as many calls were up as channels_max lets the server make".to_owned(),
        Refusal::TrunkBreaker { trial_at: Some(at) } => {
            format!("the trunk's breaker is open, and tries a call at {at}")
        }
        Refusal::TrunkBreaker { trial_at: None } => "the trunk's breaker is open, and tries another call".to_owned(),
        Refusal::Rate => "the rate left no start close enough to the planned instant".to_owned(),
        Refusal::CampaignPace { next_at } => format!("the campaign's delay or batch pause lasts until {next_at}"),
        Refusal::RealLine => "its trunk is no test line any more, and the call was made up for one".to_owned(),
        Refusal::CallsMade => "the campaign has made all the calls that it was to make".to_owned(),
        Refusal::HungUp => "the dialling leg ended while the gate held it".to_owned(),
    }
}
