//! What `DIALSTATUS`, a Q.850 cause and a SIP code mean for a call that was not answered: one table.
//!
//! Asterisk folds "no such number", "declined" and "trunk down" into `CHANUNAVAIL` (asterisk.md 6.1), so
//! the code decides there. A SIP code is read before the cause: it is what the other side said, while
//! the cause is Asterisk's translation of it, which makes a failed login (401, 407) look like a callee
//! who declines (21), and a routing loop (483) like one who does not answer (19).

use super::Disposition::{self, Busy, Indeterminate, InvalidNumber, NoAnswer, Rejected, TrunkFailure};
use crate::domain::evidence::{DialStatus, Report};

/// What an unanswered call came to, and why where that needs a word.
pub(super) type Finding = (Disposition, Option<&'static str>);

/// Judges what the report leg of a dialled call saw.
pub(super) fn classify(report: &Report) -> Finding {
    let Some(status) = report.dial_status else {
        return by_code(report).unwrap_or((Indeterminate, Some("Dial ended without a status")));
    };
    match status {
        DialStatus::Answer => (Disposition::Answered, None),
        DialStatus::Busy => (Busy, None),
        // 483 becomes cause 19 and so NOANSWER (asterisk.md 6.1), but nobody was reached (RFC 3261 21.4.21).
        DialStatus::NoAnswer if report.sip_code == Some(483) => (TrunkFailure, Some("the provider's routing loops")),
        DialStatus::NoAnswer => (NoAnswer, None),
        // Our side went away first: WaitTime, or Asterisk shut down (asterisk.md 6).
        DialStatus::Cancel => (NoAnswer, Some("our side ended the call while it rang")),
        // Cause 34, SIP 503 and the 5xx that are not listed (asterisk.md 6.1).
        DialStatus::Congestion => (TrunkFailure, Some("the trunk is congested or refuses calls")),
        // Without a code no channel was ever made: an unknown endpoint, an unloaded module (asterisk.md 5.4).
        // One that rang was made: `core restart now` hangs it up without a code.
        DialStatus::ChanUnavail => by_code(report).unwrap_or(match report.ring_after_ms {
            Some(_) => (NoAnswer, Some("our side ended the call while it rang")),
            None => (TrunkFailure, Some("the trunk could not be used: does Asterisk know it?")),
        }),
        DialStatus::InvalidArgs => (TrunkFailure, Some("Dial could not read its arguments: check the dial template")),
        // Only Dial's privacy options, which we do not set, lead here: the callee told us to go away.
        DialStatus::DontCall | DialStatus::Torture => (Rejected, None),
    }
}

/// Whether `Dial` gave the call up when its time was over: then no cause is set, and the last that the other side
/// said is that it rings (asterisk.md 6.1), or how it took our CANCEL.
pub(super) fn gave_up(report: &Report) -> bool {
    let final_code = report.sip_code.filter(|code| *code >= 300 && *code != 487);
    report.dial_status == Some(DialStatus::NoAnswer) && report.cause.is_none() && final_code.is_none()
}

fn by_code(report: &Report) -> Option<Finding> {
    if report.cause == Some(17) {
        return Some((Busy, None));
    }
    report.sip_code.and_then(by_sip).or_else(|| report.cause.map(by_cause))
}

/// By final SIP code; `None` for a provisional or successful one, which says nothing about a failure.
fn by_sip(code: u16) -> Option<Finding> {
    let finding = match code {
        0..=299 => return None,
        // RFC 3261 21.4.5, 21.4.11, 21.4.22, 21.4.23, 21.6.3: nobody has that number, or no longer.
        404 | 410 | 484 | 485 | 604 => (InvalidNumber, None),
        // RFC 3261 21.4.2, 21.4.8: our login failed.
        401 | 407 => (TrunkFailure, Some("the provider refused our login: check the trunk's credentials")),
        // RFC 3261 21.4.4, RFC 3398 7.2.4.1: a gateway writes 603 when the user declined (cause 21 located
        // at the user) and 403 when the network did: no credit, destination barred, caller id not ours.
        403 => (TrunkFailure, Some("the provider forbids the call: credit, destination or caller id")),
        // RFC 3261 21.4.9: the other side gave up waiting; cause 18, no user responding (asterisk.md 0).
        408 => (NoAnswer, Some("the other side timed out")),
        // RFC 3261 21.4.18: reached, but not available. 21.4.25: an INVITE cancelled on its way.
        480 | 487 => (NoAnswer, None),
        // RFC 3261 21.4.24, 21.6.1.
        486 | 600 => (Busy, None),
        // RFC 3261 21.6.2; RFC 8197 (unwanted); RFC 8688 (rejected on the callee's behalf).
        603 | 607 | 608 => (Rejected, None),
        // RFC 3261 21.4.26, 21.6.4: the media we offered suits nobody there.
        488 | 606 => (TrunkFailure, Some("the other side takes none of the trunk's codecs")),
        // RFC 3261 21.5: a server's failure.
        500..=599 => (TrunkFailure, Some("the provider's server failed")),
        // RFC 3261 21.3 and 21.4: how we asked, not whom.
        300..=499 => (TrunkFailure, Some("the provider did not take the request as it was sent")),
        // Foreign. Conservative: whoever answers with it may have rung somebody.
        _ => (Indeterminate, Some("the other side answered with an unknown SIP code")),
    };
    Some(finding)
}

/// By Q.850 cause (ITU-T Q.850 2.2), when no SIP code says more.
fn by_cause(cause: u16) -> Finding {
    match cause {
        // 1 unallocated, 22 changed, 28 incomplete.
        1 | 22 | 28 => (InvalidNumber, None),
        // 2, 3 no route; 5 wrong trunk prefix; 25 routing error. 20 is subscriber absent, and what Asterisk
        // sets for an endpoint that is not registered (asterisk.md 6.1); 27 out of order; 29 facility rejected.
        2 | 3 | 5 | 20 | 25 | 27 | 29 => (TrunkFailure, Some("no way to the destination over this trunk")),
        // 16 cleared before an answer; 18 no user responding; 19 rang; 26 answered elsewhere; 31 normal,
        // unspecified, which RFC 3398 7.2.4.1 equates with 480.
        16 | 18 | 19 | 26 | 31 => (NoAnswer, None),
        17 => (Busy, None),
        21 => (Rejected, None),
        // The classes resource unavailable, service unavailable, not implemented, invalid message,
        // protocol error and interworking: the network could not carry the call.
        32..=127 => (TrunkFailure, Some("the network could not carry the call")),
        // What is left of the class of normal events happens at the callee's end, so it may have rung
        // there; above 127 nothing is defined. Charged and with a long pause rather than dialled again soon.
        _ => (Indeterminate, Some("the network gave a cause that does not tell whether it rang")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: &str, cause: u16, sip: u16, expected: Disposition) {
        let some = |n: u16| (n != 0).then_some(n);
        let report =
            Report { dial_status: status.parse().ok(), cause: some(cause), sip_code: some(sip), ..Report::default() };
        assert_eq!(classify(&report).0, expected, "{status} cause {cause} SIP {sip}");
    }

    #[test]
    fn every_failure_seen_on_real_asterisk_has_its_disposition() {
        // asterisk.md section 0, both versions.
        check("ANSWER", 16, 200, Disposition::Answered);
        check("CHANUNAVAIL", 1, 404, InvalidNumber);
        check("CHANUNAVAIL", 18, 408, NoAnswer);
        check("NOANSWER", 19, 480, NoAnswer);
        check("CHANUNAVAIL", 28, 484, InvalidNumber);
        check("BUSY", 17, 486, Busy);
        check("CHANUNAVAIL", 38, 500, TrunkFailure);
        check("CONGESTION", 34, 503, TrunkFailure);
        check("CHANUNAVAIL", 21, 603, Rejected);
        check("NOANSWER", 0, 180, NoAnswer);
    }

    #[test]
    fn the_sip_code_says_whose_fault_a_cause_hides() {
        check("CHANUNAVAIL", 21, 401, TrunkFailure);
        check("CHANUNAVAIL", 21, 407, TrunkFailure);
        check("CHANUNAVAIL", 21, 403, TrunkFailure);
        check("NOANSWER", 19, 483, TrunkFailure);
        check("CHANUNAVAIL", 20, 480, NoAnswer);
        check("CHANUNAVAIL", 22, 410, InvalidNumber);
        check("CHANUNAVAIL", 1, 485, InvalidNumber);
        check("CHANUNAVAIL", 1, 604, InvalidNumber);
        check("CHANUNAVAIL", 127, 487, NoAnswer);
        check("CHANUNAVAIL", 127, 607, Rejected);
        check("CHANUNAVAIL", 58, 488, TrunkFailure);
        check("CHANUNAVAIL", 27, 502, TrunkFailure);
        check("CHANUNAVAIL", 102, 504, TrunkFailure);
        check("CHANUNAVAIL", 127, 420, TrunkFailure);
        check("CHANUNAVAIL", 17, 500, Busy);
    }

    #[test]
    fn a_line_without_sip_is_judged_by_its_cause() {
        for cause in [1, 22, 28] {
            check("CHANUNAVAIL", cause, 0, InvalidNumber);
        }
        for cause in [3, 20, 27, 34, 38, 41, 42, 58, 102, 127] {
            check("CHANUNAVAIL", cause, 0, TrunkFailure);
        }
        check("CHANUNAVAIL", 21, 0, Rejected);
        check("CHANUNAVAIL", 18, 0, NoAnswer);
        // A provisional code says that it rang, not why it failed.
        check("CHANUNAVAIL", 21, 183, Rejected);
    }

    #[test]
    fn a_call_that_asterisk_ended_while_it_rang_is_no_failure_of_the_trunk() {
        let report = Report { dial_status: "CHANUNAVAIL".parse().ok(), ring_after_ms: Some(22), ..Report::default() };
        assert_eq!(classify(&report).0, NoAnswer);
    }

    #[test]
    fn what_nobody_defined_is_judged_with_care() {
        check("CHANUNAVAIL", 0, 0, TrunkFailure);
        check("INVALIDARGS", 0, 0, TrunkFailure);
        check("CANCEL", 0, 0, NoAnswer);
        check("DONTCALL", 0, 0, Rejected);
        check("CHANUNAVAIL", 9, 0, Indeterminate);
        check("CHANUNAVAIL", 999, 0, Indeterminate);
        check("CHANUNAVAIL", 0, 799, Indeterminate);
        check("", 0, 0, Indeterminate);
        check("", 1, 404, InvalidNumber);
    }
}
