//! Causes as an operator names them, and a campaign's own table of what follows from each.
//!
//! The table changes what follows for the contact, never the disposition of the attempt: that stays what
//! the one table for all (`disposition`) says of it. It is asked about calls that were dialled and not
//! answered. The SIP code is looked up before the Q.850 cause, as there: it is what the other side said.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::disposition::{Conclusion, Disposition};
use super::stored::{stored_as_text, worded_enum};

/// Q.850 causes (ITU-T Q.850 2.2) by the names that telephone systems give them.
const NAMES: &[(&str, u16)] = &[
    ("UNALLOCATED_NUMBER", 1),
    ("NO_ROUTE_TRANSIT_NET", 2),
    ("NO_ROUTE_DESTINATION", 3),
    ("CHANNEL_UNACCEPTABLE", 6),
    ("CALL_AWARDED_DELIVERED", 7),
    ("NORMAL_CLEARING", 16),
    ("USER_BUSY", 17),
    ("NO_USER_RESPONSE", 18),
    ("NO_ANSWER", 19),
    ("SUBSCRIBER_ABSENT", 20),
    ("CALL_REJECTED", 21),
    ("NUMBER_CHANGED", 22),
    ("REDIRECTION_TO_NEW_DESTINATION", 23),
    ("EXCHANGE_ROUTING_ERROR", 25),
    ("ANSWERED_ELSEWHERE", 26),
    ("DESTINATION_OUT_OF_ORDER", 27),
    ("INVALID_NUMBER_FORMAT", 28),
    ("FACILITY_REJECTED", 29),
    ("RESPONSE_TO_STATUS_ENQUIRY", 30),
    ("NORMAL_UNSPECIFIED", 31),
    ("NORMAL_CIRCUIT_CONGESTION", 34),
    ("NETWORK_OUT_OF_ORDER", 38),
    ("NORMAL_TEMPORARY_FAILURE", 41),
    ("SWITCH_CONGESTION", 42),
    ("ACCESS_INFO_DISCARDED", 43),
    ("REQUESTED_CHAN_UNAVAIL", 44),
    ("PRE_EMPTED", 45),
    ("FACILITY_NOT_SUBSCRIBED", 50),
    ("OUTGOING_CALL_BARRED", 52),
    ("INCOMING_CALL_BARRED", 54),
    ("BEARERCAPABILITY_NOTAUTH", 57),
    ("BEARERCAPABILITY_NOTAVAIL", 58),
    ("SERVICE_UNAVAILABLE", 63),
    ("BEARERCAPABILITY_NOTIMPL", 65),
    ("CHAN_NOT_IMPLEMENTED", 66),
    ("FACILITY_NOT_IMPLEMENTED", 69),
    ("SERVICE_NOT_IMPLEMENTED", 79),
    ("INVALID_CALL_REFERENCE", 81),
    ("INCOMPATIBLE_DESTINATION", 88),
    ("INVALID_MSG_UNSPECIFIED", 95),
    ("MANDATORY_IE_MISSING", 96),
    ("MESSAGE_TYPE_NONEXIST", 97),
    ("WRONG_MESSAGE", 98),
    ("IE_NONEXIST", 99),
    ("INVALID_IE_CONTENTS", 100),
    ("WRONG_CALL_STATE", 101),
    ("RECOVERY_ON_TIMER_EXPIRE", 102),
    ("MANDATORY_IE_LENGTH_ERROR", 103),
    ("PROTOCOL_ERROR", 111),
    ("INTERWORKING", 127),
];

const USER_BUSY: u16 = 17;
const NO_ANSWER: u16 = 19;

/// Why a call was not answered: a final SIP code of the other side, or a Q.850 cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Cause {
    /// A SIP response code, 300 to 699 (RFC 3261 21.3 to 21.6).
    Sip(u16),
    /// A Q.850 cause, 1 to 127.
    Q850(u16),
}

/// A text that names no cause.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownCause {
    /// Neither a name nor a number.
    #[error("there is no cause `{text}`{}", meant(*nearest))]
    Name {
        /// What was written, cut to 40 characters.
        text: String,
        /// The known name that is nearest to it.
        nearest: Option<&'static str>,
    },
    /// A number outside Q.850's.
    #[error("`{0}` is no Q.850 cause: these go from 1 to 127; a SIP code is written sip:{0}")]
    Number(String),
    /// A code that ends no call unanswered.
    #[error("`sip:{0}` says of no call that it failed: write a SIP code from 300 to 699, such as sip:486")]
    Sip(String),
}

fn meant(nearest: Option<&'static str>) -> String {
    match nearest {
        Some(name) => format!("; did you mean {name}?"),
        None => "; write a name such as USER_BUSY, a Q.850 number such as 17, or a SIP code such as sip:486".to_owned(),
    }
}

stored_as_text!(Cause);

impl FromStr for Cause {
    type Err = UnknownCause;

    fn from_str(text: &str) -> Result<Self, UnknownCause> {
        let text = text.trim();
        let shown = || text.chars().take(40).collect::<String>();
        let upper = text.to_ascii_uppercase().replace('-', "_");
        if let Some(code) = upper.strip_prefix("SIP:") {
            let code = digits(code).filter(|code| (300..=699).contains(code));
            return code.map(Self::Sip).ok_or_else(|| UnknownCause::Sip(text[4..].chars().take(40).collect()));
        }
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            let cause = digits(text).filter(|cause| (1..=127).contains(cause));
            return cause.map(Self::Q850).ok_or_else(|| UnknownCause::Number(shown()));
        }
        match NAMES.iter().find(|(name, _)| *name == upper) {
            Some((_, cause)) => Ok(Self::Q850(*cause)),
            None => Err(UnknownCause::Name { text: shown(), nearest: nearest(&upper) }),
        }
    }
}

fn digits(text: &str) -> Option<u16> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// The name that differs in a third of its letters at most.
fn nearest(text: &str) -> Option<&'static str> {
    let distance = |name: &str| strsim::osa_distance(text, name);
    let near = NAMES.iter().map(|(name, _)| (distance(name), *name)).min()?;
    (near.0 * 3 <= near.1.len()).then_some(near.1)
}

/// As it is typed and stored: `USER_BUSY`, `24` where it has no name, `sip:486`.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sip(code) => f.pad(&format!("sip:{code}")),
            Self::Q850(cause) => match NAMES.iter().find(|(_, known)| known == cause) {
                Some((name, _)) => f.pad(name),
                None => f.pad(&cause.to_string()),
            },
        }
    }
}

impl Cause {
    /// What may stand in a table for this call, what counts first standing first: its final SIP code, then its
    /// Q.850 cause. A call that was busy or rang out without either counts as `USER_BUSY` or `NO_ANSWER`.
    fn of(conclusion: &Conclusion) -> impl Iterator<Item = Self> {
        let sip = conclusion.sip_code.filter(|code| *code >= 300).map(Self::Sip);
        let q850 = conclusion.cause.or(match (sip, conclusion.disposition) {
            (None, Disposition::Busy) => Some(USER_BUSY),
            (None, Disposition::NoAnswer) => Some(NO_ANSWER),
            _ => None,
        });
        [sip, q850.map(Self::Q850)].into_iter().flatten()
    }
}

worded_enum! {
    /// What follows for a contact whose call ended with a cause.
    pub enum Verb {
        /// Final: as good as reached.
        Ok = "ok",
        /// Charged, and called again while it has retries.
        Retry = "retry",
        /// Final: failed at once.
        Error = "error",
        /// Not charged, and called again.
        Minus = "minus",
    }
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseRule {
    /// What follows.
    pub verb: Verb,
    /// Seconds until the contact is called again, in place of the campaign's retry time; `None` for that one.
    pub delay_s: Option<u32>,
    /// The contact is failed when this cause comes so often; `None` for no limit but the campaign's own.
    pub limit: Option<u32>,
}

/// A campaign's causes. What it does not name is decided by the one table for all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CauseTable(pub BTreeMap<Cause, CauseRule>);

impl CauseTable {
    /// The row that decides about this call, if one does: only of a call that was dialled, not answered and not cancelled by us.
    #[must_use]
    pub fn rule_for(&self, conclusion: &Conclusion) -> Option<(Cause, CauseRule)> {
        if matches!(conclusion.disposition, Disposition::Answered | Disposition::Cancelled | Disposition::NotDialled) {
            return None;
        }
        Cause::of(conclusion).find_map(|cause| Some((cause, *self.0.get(&cause)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::instant::UtcMs;

    fn table(rows: &[(&str, Verb)]) -> CauseTable {
        let rule = |verb| CauseRule { verb, delay_s: None, limit: None };
        CauseTable(rows.iter().map(|(cause, verb)| (cause.parse().unwrap(), rule(*verb))).collect())
    }

    fn ended(disposition: Disposition, cause: Option<u16>, sip_code: Option<u16>) -> Conclusion {
        Conclusion { cause, sip_code, ..Conclusion::bare(disposition, UtcMs(0)) }
    }

    #[test]
    fn a_cause_is_known_by_its_name_its_number_and_its_sip_code() {
        for (typed, shown) in [
            ("USER_BUSY", "USER_BUSY"),
            ("user-busy", "USER_BUSY"),
            ("17", "USER_BUSY"),
            (" 24 ", "24"),
            ("sip:486", "sip:486"),
            ("SIP:603", "sip:603"),
        ] {
            let cause: Cause = typed.parse().unwrap();
            assert_eq!((cause.to_string().as_str(), shown.parse()), (shown, Ok(cause)));
        }
    }

    #[test]
    fn a_cause_that_does_not_exist_is_refused_with_the_nearest_that_does() {
        let told = |text: &str| text.parse::<Cause>().unwrap_err().to_string();
        assert_eq!(told("USR_BUSY"), "there is no cause `USR_BUSY`; did you mean USER_BUSY?");
        assert_eq!(told("noanswer"), "there is no cause `noanswer`; did you mean NO_ANSWER?");
        assert!(told("xyzzy").contains("such as USER_BUSY"), "{}", told("xyzzy"));
        assert!(told("").contains("such as USER_BUSY"));
        assert!(told("486").contains("1 to 127; a SIP code is written sip:486"));
        for text in ["0", "128", "sip:200", "sip:700", "sip:", "sip:4x6", "99999999999", "sip:+486"] {
            assert!(text.parse::<Cause>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_sip_code_is_looked_up_before_the_cause() {
        let both = table(&[("sip:603", Verb::Error), ("CALL_REJECTED", Verb::Retry)]);
        let verb = |c: &Conclusion| both.rule_for(c).map(|(_, rule)| rule.verb);
        assert_eq!(verb(&ended(Disposition::Rejected, Some(21), Some(603))), Some(Verb::Error));
        assert_eq!(verb(&ended(Disposition::Rejected, Some(21), Some(607))), Some(Verb::Retry));
        assert_eq!(verb(&ended(Disposition::Busy, Some(17), Some(486))), None);
    }

    #[test]
    fn a_call_that_rang_out_without_a_code_is_one_without_an_answer() {
        let no_answer = table(&[("NO_ANSWER", Verb::Minus), ("USER_BUSY", Verb::Ok)]);
        let cause = |c: &Conclusion| no_answer.rule_for(c).map(|(cause, _)| cause);
        assert_eq!(cause(&ended(Disposition::NoAnswer, None, Some(180))), Some(Cause::Q850(19)));
        assert_eq!(cause(&ended(Disposition::NoAnswer, Some(18), Some(180))), None, "no user responding is another");
        assert_eq!(cause(&ended(Disposition::Busy, None, None)), Some(Cause::Q850(17)));
        assert_eq!(cause(&ended(Disposition::Indeterminate, None, None)), None);
    }

    #[test]
    fn a_table_says_nothing_of_calls_that_were_answered_or_not_dialled() {
        let all = table(&[("NORMAL_CLEARING", Verb::Retry), ("sip:300", Verb::Retry)]);
        assert_eq!(all.rule_for(&ended(Disposition::Answered, Some(16), Some(300))), None);
        assert_eq!(all.rule_for(&ended(Disposition::NotDialled, Some(16), Some(300))), None);
    }
}
