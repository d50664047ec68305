//! The script `report`: the dialling leg's hangup handler tells how it ended.

use std::time::Duration;

use campanile::domain::evidence::{DialStatus, Fact, Report};
use campanile::domain::ids::{AttemptId, Ticket};
use campanile::domain::instant::UtcMs;

use super::{Input, Output, no_order, record};
use crate::protocol::Request;

/// How often a report is tried before it is given up: with all pauses, for 55 s. A stop of the server waits that long
/// for it, and a disk that was full has often been given room by then.
pub const RECORD_TRIES_MAX: u32 = 10;
/// The pause after the first try; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// The longest call that is believed, in milliseconds: a week.
const DURATION_MS_MAX: i64 = 7 * 24 * 3600 * 1000;

/// The report of one dialling leg.
#[derive(Debug)]
pub struct Reporting {
    ticket: Ticket,
    report: Report,
    /// When it came: however late the ledger takes it, the call ended then.
    told_at: Option<UtcMs>,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    LookingUp,
    Recording { attempt: AttemptId, tries: u32 },
    Pausing { attempt: AttemptId, tries: u32 },
    Closed,
}

impl Reporting {
    pub(super) fn new(ticket: Ticket, request: &Request) -> Self {
        Self { ticket, report: read(request), told_at: None, state: State::LookingUp }
    }

    /// A hang-up changes nothing here: the channel is dead from the start (asterisk.md 7), and what
    /// it told is worth keeping though nobody waits.
    pub(super) fn handle(&mut self, now: UtcMs, input: Input) -> Vec<Output> {
        match (self.state, input) {
            (State::LookingUp, Input::Order(found)) => match no_order("report", self.ticket, found) {
                Ok(order) => self.record(now, order.attempt, 1),
                Err(outputs) => {
                    self.state = State::Closed;
                    outputs
                }
            },
            (State::Recording { .. }, Input::Recorded(Ok(()))) => self.close(vec![]),
            (State::Recording { attempt, tries }, Input::Recorded(Err(down))) if tries < RECORD_TRIES_MAX => {
                self.state = State::Pausing { attempt, tries };
                let pause = pause_after(tries);
                // Once: a ledger that is down for long is told by whoever is lost in the end.
                let first = (tries == 1).then(|| format!("attempt {attempt}: report: {down}; trying again"));
                first.map(Output::Warn).into_iter().chain([Output::Pause(pause)]).collect()
            }
            (State::Recording { attempt, .. }, Input::Recorded(Err(down))) => {
                self.close(vec![Output::Warn(format!("attempt {attempt}: the report is lost: {down}"))])
            }
            (State::Pausing { attempt, tries }, Input::Timer) => self.record(now, attempt, tries + 1),
            _ => vec![],
        }
    }

    fn record(&mut self, now: UtcMs, attempt: AttemptId, tries: u32) -> Vec<Output> {
        self.state = State::Recording { attempt, tries };
        // Never in the future: the clock may have been set back while it waited.
        let at = (*self.told_at.get_or_insert(now)).min(now);
        vec![record(attempt, at, Fact::Reported(self.report.clone()))]
    }

    fn close(&mut self, mut outputs: Vec<Output>) -> Vec<Output> {
        self.state = State::Closed;
        outputs.push(Output::Close);
        outputs
    }
}

fn pause_after(tries: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << (tries - 1).min(16)).min(LONGEST_PAUSE)
}

/// The report in the arguments of the dialplan's last line; what is no number in its range is absent.
fn read(request: &Request) -> Report {
    let dialled_at = number(request.arg(2), 1, i64::MAX).map(UtcMs);
    let dial_status: Option<DialStatus> = request.arg(3).parse().ok();
    Report {
        dialled_at,
        dial_status,
        cause: cause(request, dial_status),
        sip_code: code(request.arg(9), 100, 699),
        ring_after_ms: number(request.arg(6), 0, DURATION_MS_MAX),
        progress_after_ms: number(request.arg(10), 0, DURATION_MS_MAX),
        talk_ms: number(request.arg(7), 0, DURATION_MS_MAX),
        dial_ms: number(request.arg(8), 0, DURATION_MS_MAX),
    }
}

/// The Q.850 cause. The one kept straight after `Dial` is the truth; an answered call never comes
/// there, so only for it counts what `HANGUPCAUSE` says in the handler. After a timeout the first is 0
/// and the second 16, which our own `Hangup()` wrote (asterisk.md 6.1), as it does when the gate
/// refused and nothing was dialled.
fn cause(request: &Request, status: Option<DialStatus>) -> Option<u16> {
    let (after_dial, in_handler) = (request.arg(4), request.arg(5));
    let dialled = !(request.arg(2).is_empty() && request.arg(3).is_empty());
    let late = dialled && (after_dial.is_empty() || status == Some(DialStatus::Answer));
    code(after_dial, 1, 127).or_else(|| late.then(|| code(in_handler, 1, 127))?)
}

fn code(text: &str, least: u16, most: u16) -> Option<u16> {
    number(text, least.into(), most.into()).and_then(|n| u16::try_from(n).ok())
}

/// Only digits count: `parse` alone would take a sign.
fn number(text: &str, least: i64, most: i64) -> Option<i64> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok())?.filter(|n| (least..=most).contains(n))
}

#[cfg(test)]
mod tests {
    use super::super::world::{ATTEMPT, Talk, at, ended, order, ticket};
    use super::super::{LedgerDown, Session, Unwelcome};
    use super::*;

    const TICKET: &str = "abababababababababababababababab";
    const DIALLED: &str = "1772352000123";

    /// The report that the arguments behind the ticket make.
    fn told(args: [&str; 8]) -> Report {
        read(&Request::new("report", &[&[TICKET], &args[..]].concat()))
    }

    #[test]
    fn the_endings_of_a_real_asterisk_read_as_meant() {
        let dialled_at = Some(UtcMs(1_772_352_000_123));
        let failed =
            |dial_status, cause, sip_code| Report { dialled_at, dial_status, cause, sip_code, ..Report::default() };
        for (status, word, cause, sip) in [
            (DialStatus::ChanUnavail, "CHANUNAVAIL", 1, 404),
            (DialStatus::ChanUnavail, "CHANUNAVAIL", 21, 603),
            (DialStatus::NoAnswer, "NOANSWER", 19, 480),
            (DialStatus::Busy, "BUSY", 17, 486),
            (DialStatus::Congestion, "CONGESTION", 34, 503),
        ] {
            let (cause_word, sip_word) = (cause.to_string(), sip.to_string());
            let report = told([DIALLED, word, &cause_word, &cause_word, "", "", "", &sip_word]);
            assert_eq!(report, failed(Some(status), Some(cause), Some(sip)));
        }
        assert_eq!(
            told([DIALLED, "ANSWER", "", "16", "2400", "30000", "32500", "200"]),
            Report {
                ring_after_ms: Some(2400),
                talk_ms: Some(30_000),
                dial_ms: Some(32_500),
                ..failed(Some(DialStatus::Answer), Some(16), Some(200))
            }
        );
        assert_eq!(
            told([DIALLED, "CANCEL", "", "127", "", "", "", "180"]),
            failed(Some(DialStatus::Cancel), Some(127), Some(180))
        );
    }

    #[test]
    fn a_cause_that_our_own_hangup_wrote_is_none() {
        let timeout = told([DIALLED, "NOANSWER", "0", "16", "", "", "", "180"]);
        assert_eq!((timeout.cause, timeout.sip_code), (None, Some(180)));
        assert_eq!(told(["", "", "", "16", "", "", "", ""]), Report::default(), "refused by the gate: never dialled");
        assert_eq!(told([DIALLED, "ANSWER", "0", "16", "", "", "", ""]).cause, Some(16));
        assert_eq!(told([DIALLED, "ANSWER", "", "0", "", "", "", ""]).cause, None);
    }

    #[test]
    fn garbage_and_what_is_out_of_range_is_absent() {
        for garbage in ["-1", "+1", " 1", "1 ", "0x10", "1.5", "x", "99999999999999999999999", "\u{fffd}"] {
            let report = told([garbage; 8]);
            assert_eq!(report, Report::default(), "{garbage:?}");
        }
        let report = told(["0", "answer", "128", "", "604800001", "604800001", "604800001", "700"]);
        assert_eq!(report, Report::default());
        assert_eq!(told(["", "", "", "", "0", "0", "0", "99"]).ring_after_ms, Some(0));
        let early = ["", "", "", "", "", "", "", "", "350"];
        assert_eq!(read(&Request::new("report", &[&[TICKET], &early[..]].concat())).progress_after_ms, Some(350));
        assert_eq!(read(&Request::new("report", &[TICKET])), Report::default());
    }

    fn looked_up() -> Talk {
        let mut talk = Talk::open(&Request::new("report", &[TICKET, DIALLED, "BUSY", "17"]));
        assert_eq!(talk.take(), [Output::Lookup(ticket())]);
        talk.hear(0, Input::Order(Ok(Some(Box::new(order(&[]))))));
        talk
    }

    fn reported(ms: i64) -> Output {
        let report = Report {
            dialled_at: Some(UtcMs(1_772_352_000_123)),
            dial_status: Some(DialStatus::Busy),
            cause: Some(17),
            ..Report::default()
        };
        record(ATTEMPT, at(ms), Fact::Reported(report))
    }

    #[test]
    fn it_closes_only_when_the_report_is_durable_i8() {
        let mut talk = looked_up();
        assert_eq!(talk.take(), [reported(0)]);
        talk.hear(1, Input::Hangup);
        assert_eq!(talk.take(), [], "a dead channel still has its report");
        talk.hear(2, Input::Recorded(Ok(())));
        assert_eq!(talk.take(), [Output::Close]);
    }

    /// Fails every try there is; gives the pauses between them.
    fn pauses(talk: &mut Talk) -> Vec<u64> {
        let mut pauses = Vec::new();
        for _ in 1..RECORD_TRIES_MAX {
            talk.hear(1, Input::Recorded(Err(LedgerDown("disk full".to_owned()))));
            let outputs = talk.take();
            let (Some(Output::Pause(pause)), warnings) = (outputs.last(), outputs.len() - 1) else {
                panic!("{outputs:?}")
            };
            assert_eq!(warnings, usize::from(pauses.is_empty()), "told once: {outputs:?}");
            pauses.push(pause.as_secs());
            talk.hear(2, Input::Timer);
            assert_eq!(talk.take(), [reported(0)], "the call ended when the report came");
        }
        pauses
    }

    #[test]
    fn a_report_is_tried_for_nearly_a_minute_and_given_up_with_a_word() {
        let mut talk = looked_up();
        talk.take();
        assert_eq!(pauses(&mut talk), [1, 2, 4, 8, 8, 8, 8, 8, 8]);
        talk.hear(3, Input::Recorded(Err(LedgerDown("disk full".to_owned()))));
        ended(&talk.take());
    }

    #[test]
    fn a_report_that_waited_is_kept_by_the_first_ledger_that_takes_it_i8() {
        let mut talk = looked_up();
        talk.take();
        pauses(&mut talk);
        talk.hear(3, Input::Recorded(Ok(())));
        assert_eq!(talk.take(), [Output::Close]);
    }

    #[test]
    fn a_clock_that_was_set_back_holds_no_report_up() {
        let mut talk = looked_up();
        talk.take();
        talk.hear(0, Input::Recorded(Err(LedgerDown("busy".to_owned()))));
        talk.take();
        talk.hear(-3_600_000, Input::Timer);
        assert_eq!(talk.take(), [reported(-3_600_000)]);
    }

    #[test]
    fn strangers_are_told_nothing() {
        for found in [Ok(None), Err(LedgerDown("disk full".to_owned()))] {
            let mut talk = Talk::open(&Request::new("report", &[TICKET]));
            talk.take();
            talk.hear(0, Input::Order(found));
            ended(&talk.take());
        }
        for ticket in ["", "x", "ABABABABABABABABABABABABABABABAB"] {
            let refused = Session::open(&Request::new("report", &[ticket])).map(|_| ());
            assert_eq!(refused, Err(Unwelcome::NoTicket { script: "report" }));
        }
    }
}
