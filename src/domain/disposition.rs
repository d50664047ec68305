//! From evidence to one disposition.

use super::instant::UtcMs;
use super::stored::worded_enum;

worded_enum! {
    /// The one way in which an attempt ended.
    pub enum Disposition {
        /// The callee answered.
        Answered = "answered",
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

/// The conclusion drawn from an attempt's evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conclusion {
    /// The one disposition.
    pub disposition: Disposition,
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
}
