//! The fold of evidence. It looks at a set: nothing depends on the order in which facts were written.

use std::cmp::Reverse;

use super::answered_leg::AnsweredLeg;
use super::causes::{classify, gave_up};
use super::{Conclusion, Disposition, Gone, NotDialled};
use crate::domain::evidence::{ArchiveStatus, Evidence, Fact, Report};
use crate::domain::gate::{LATE_MS_MAX, Refusal};
use crate::domain::instant::UtcMs;
use crate::domain::traffic::Draw;

/// How long after a file's end the report leg may still come: it runs before the file moves, but it
/// passes through another process, and after WaitTime both run at once (asterisk.md 6, ordering).
pub const GRACE_MS: i64 = 5_000;

/// How long an admitted call whose file is nowhere still counts as live: somebody may have removed the
/// file of a call that goes on, and its number and channel must not be given away (I2, I5). Its report
/// ends it as a rule; this is for a call that died without one.
pub const VANISHED_MS: i64 = 600_000;

/// A leg that was admitted and does not dial reports no later than this after its instant.
const OWN_REPORT_MS: i64 = 10_000;

/// How long after its planned instant an attempt of which nothing was heard is worth a look into the
/// spool: by then the gate would refuse it as late.
pub const SILENCE_MS: i64 = LATE_MS_MAX + GRACE_MS;

/// By how much a file's time may lie before the clock's, in milliseconds: file systems take it from the last tick.
const MTIME_LATE_MS: i64 = 20;

/// Whether an open attempt holds a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// Not admitted yet, or ended and waiting for a late report.
    Idle,
    /// Admitted, and no end was seen.
    Live,
}

/// What an attempt's evidence adds up to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a verdict does nothing until the ledger has it"]
pub enum Verdict {
    /// More has to be seen.
    Open {
        /// Whether it holds a channel.
        line: Line,
        /// When the same evidence is worth another look, without anything new; `None` for never.
        check_again_at: Option<UtcMs>,
    },
    /// It ended, in this one way.
    Closed(Conclusion),
}

/// What was planned for an attempt and bears on how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// Its slot.
    pub at: UtcMs,
    /// What was made up for it.
    pub draw: Draw,
}

/// Of a call for which nothing was made up.
impl From<UtcMs> for Planned {
    fn from(at: UtcMs) -> Self {
        Self { at, draw: Draw::default() }
    }
}

/// Draws the conclusion from all evidence of an attempt that was so planned, at `now`.
///
/// The report of the dialling leg is the main fact. Without it, the end of the file decides after
/// [`GRACE_MS`]: an attempt that the gate admitted may have rung, one that it did not admit has not.
pub fn conclude(planned: impl Into<Planned>, evidence: &[Evidence], now: UtcMs) -> Verdict {
    let planned = planned.into();
    let seen = Seen::of(evidence);
    let verdict = match (seen.by_report(), seen.admitted_at) {
        (Some(conclusion), _) => Verdict::Closed(seen.cancelled(planned.draw, conclusion)),
        (None, Some(admitted_at)) => seen.may_have_rung(admitted_at, now),
        (None, None) => seen.not_dialled(planned.at, now),
    };
    match verdict {
        Verdict::Closed(conclusion) => Verdict::Closed(seen.leg.tell(conclusion)),
        open @ Verdict::Open { .. } => open,
    }
}

/// The evidence, each kind of fact reduced to the one that counts, whatever order they came in.
#[derive(Default)]
struct Seen<'a> {
    /// The instant that the gate gave.
    admitted_at: Option<UtcMs>,
    /// When it gave it.
    claimed_at: Option<UtcMs>,
    answered_at: Option<UtcMs>,
    /// The report that saw most, with when it came.
    report: Option<(UtcMs, &'a Report)>,
    /// The first refusal that says more than "used before", otherwise the first.
    refused: Option<(UtcMs, &'a Refusal)>,
    withdrawn_at: Option<UtcMs>,
    not_published: Option<(UtcMs, &'a str)>,
    /// The best witness of the file's end.
    gone: Option<Gone>,
    /// When the file's end was first seen.
    gone_at: Option<UtcMs>,
    /// When the call had ended, by its archived file.
    ended_at: Option<UtcMs>,
    leg: AnsweredLeg,
}

impl<'a> Seen<'a> {
    fn of(evidence: &'a [Evidence]) -> Self {
        evidence.iter().fold(Self::default(), |mut seen, e| {
            seen.add(e.at, &e.fact);
            seen
        })
    }

    fn add(&mut self, at: UtcMs, fact: &'a Fact) {
        match fact {
            Fact::Admitted { start_at } => {
                keep_least(&mut self.admitted_at, *start_at, |t| *t);
                keep_least(&mut self.claimed_at, at, |t| Reverse(*t));
            }
            Fact::Answered => keep_least(&mut self.answered_at, at, |t| *t),
            Fact::Reported(report) => keep_least(&mut self.report, (at, report), report_key),
            Fact::Refused { why } => {
                let key = |(at, why): &(UtcMs, &Refusal)| (**why == Refusal::AlreadyUsed, *at, format!("{why:?}"));
                keep_least(&mut self.refused, (at, why), key);
            }
            Fact::Withdrawn => keep_least(&mut self.withdrawn_at, at, |t| *t),
            Fact::NotPublished { error } => keep_least(&mut self.not_published, (at, error.as_str()), |p| *p),
            Fact::Archived { status, ended_at } => {
                self.file_ended(at, Gone::Archived(*status));
                if let Some(ended_at) = ended_at {
                    keep_least(&mut self.ended_at, *ended_at, |t| Reverse(*t));
                }
            }
            Fact::Missing => self.file_ended(at, Gone::Missing),
            Fact::Swept => self.file_ended(at, Gone::Swept),
            Fact::Step(step) => self.leg.note(step),
            Fact::OptedOut { .. } => {
                self.leg.opted_out = true;
                keep_least(&mut self.answered_at, at, |t| *t);
            }
            Fact::HandedOver => {}
        }
    }

    fn file_ended(&mut self, at: UtcMs, gone: Gone) {
        keep_least(&mut self.gone, gone, |g| *g);
        keep_least(&mut self.gone_at, at, |t| *t);
    }

    fn by_report(&self) -> Option<Conclusion> {
        let (at, report) = self.report?;
        let admitted = self.admitted_at.is_some();
        if report.dialled_at.is_some() || (admitted && report.dial_status.is_some()) {
            return Some(self.dialled(at, report));
        }
        if !admitted {
            let why = self.refused.map_or(NotDialled::GateSilent, |(_, why)| NotDialled::Refused(why.clone()));
            return Some(Conclusion::not_dialled(why, at));
        }
        // Asterisk may begin a file a second time, after a crash (asterisk.md 4.2). The gate refuses that leg,
        // and the leg then reports that it did not dial, which says nothing about the first. Its refusal may be lost
        // where the ledger was down; but a leg that hears go and does not dial reports at once.
        let at_once = self.claimed_at.is_none_or(|claimed_at| claimed_at <= at)
            && self.admitted_at.is_none_or(|admitted_at| at <= admitted_at.plus_ms(OWN_REPORT_MS));
        let of_another_leg = self.refused.is_some() || self.answered_at.is_some() || !at_once;
        (!of_another_leg).then(|| Conclusion::not_dialled(NotDialled::DialNotEntered, at))
    }

    fn dialled(&self, reported_at: UtcMs, report: &Report) -> Conclusion {
        let (disposition, why) = classify(report);
        let answered =
            disposition == Disposition::Answered || (report.dial_status.is_none() && self.answered_at.is_some());
        let answered_at = if answered { self.answer(report, reported_at) } else { None };
        let talk_ms = report.talk_ms.filter(|_| answered);
        let ended_at = answered_at.zip(talk_ms).map(|(t, ms)| t.plus_ms(ms).min(reported_at));
        Conclusion {
            not_dialled: None,
            disposition: if answered { Disposition::Answered } else { disposition },
            detail: why.filter(|_| !answered).map(str::to_owned),
            cause: report.cause,
            sip_code: report.sip_code,
            dialled_at: report.dialled_at.or(self.admitted_at),
            answered_at,
            ended_at: ended_at.unwrap_or(reported_at),
            ring_ms: rang_ms(report, answered_at.unwrap_or(reported_at)),
            talk_ms,
            learned: None,
        }
    }

    /// A call that was to be cancelled, and that `Dial` gave up at its time, is no call that nobody answered.
    fn cancelled(&self, draw: Draw, conclusion: Conclusion) -> Conclusion {
        let cancelled = draw.cancel_after_s.is_some() && self.report.is_some_and(|(_, report)| gave_up(report));
        match conclusion.disposition {
            Disposition::NoAnswer if cancelled => Conclusion { disposition: Disposition::Cancelled, ..conclusion },
            _ => conclusion,
        }
    }

    /// When it was answered: by the answered leg, or by the talk time that ended with the report. Both
    /// may be seen late and neither early, so the earlier one is nearer to the truth.
    fn answer(&self, report: &Report, reported_at: UtcMs) -> Option<UtcMs> {
        let by_talk = report.talk_ms.filter(|ms| *ms >= 0).map(|ms| reported_at.plus_ms(-ms));
        let answered_at = [by_talk, self.answered_at].into_iter().flatten().min()?;
        Some(report.dialled_at.map_or(answered_at, |dialled_at| answered_at.max(dialled_at)))
    }

    /// Admitted, and no report says what became of it.
    fn may_have_rung(&self, admitted_at: UtcMs, now: UtcMs) -> Verdict {
        let vanished_at = [self.withdrawn_at, self.not_published.map(|(at, _)| at)].into_iter().flatten().min();
        let Some(gone_at) = self.gone_at.or(vanished_at) else {
            return Verdict::Open { line: Line::Live, check_again_at: None };
        };
        let gone = self.gone.unwrap_or(Gone::Missing);
        let grace_ms = if gone == Gone::Missing { VANISHED_MS } else { GRACE_MS };
        if now < gone_at.plus_ms(grace_ms) {
            // A file that is nowhere says nothing about the call: somebody may have removed it.
            let line = if gone == Gone::Missing { Line::Live } else { Line::Idle };
            return Verdict::Open { line, check_again_at: Some(gone_at.plus_ms(grace_ms)) };
        }
        let answered = self.answered_at.is_some() || gone == Gone::Archived(ArchiveStatus::Completed);
        if !answered && self.ended_before_its_go(admitted_at) {
            return Verdict::Closed(Conclusion::not_dialled(NotDialled::DialNotEntered, gone_at));
        }
        let disposition = if answered { Disposition::Answered } else { Disposition::Indeterminate };
        Verdict::Closed(Conclusion {
            detail: Some(without_report(gone).to_owned()),
            dialled_at: Some(admitted_at),
            answered_at: self.answered_at,
            ..Conclusion::bare(disposition, gone_at)
        })
    }

    /// Whether the call ended between its claim and its instant: the gate died, and never said go. Were the clock
    /// set back in a call, its end would lie before the claim, and says nothing.
    fn ended_before_its_go(&self, admitted_at: UtcMs) -> bool {
        let (Some(ended_at), Some(claimed_at)) = (self.ended_at, self.claimed_at) else { return false };
        claimed_at <= ended_at && ended_at.plus_ms(MTIME_LATE_MS) < admitted_at
    }

    /// Not admitted, so not dialled; the question is only whether that is all that will be heard.
    fn not_dialled(&self, planned_at: UtcMs, now: UtcMs) -> Verdict {
        let closed = |why, at| Verdict::Closed(Conclusion::not_dialled(why, at));
        if let Some((at, why)) = self.refused {
            return closed(NotDialled::Refused(why.clone()), at);
        }
        if let Some(at) = self.withdrawn_at {
            return closed(NotDialled::Withdrawn, at);
        }
        if let Some((at, error)) = self.not_published {
            return closed(NotDialled::NotPublished { error: error.to_owned() }, at);
        }
        let Some((gone, gone_at)) = self.gone.zip(self.gone_at) else {
            let look_at = planned_at.plus_ms(SILENCE_MS);
            return Verdict::Open { line: Line::Idle, check_again_at: (now < look_at).then_some(look_at) };
        };
        let settled_at = gone_at.plus_ms(GRACE_MS);
        if now < settled_at {
            return Verdict::Open { line: Line::Idle, check_again_at: Some(settled_at) };
        }
        closed(NotDialled::GateNotAsked(gone), gone_at)
    }
}

/// How long it rang: from the first ringing to the answer or, without one, to the report, which the
/// dialling leg sends as it ends.
fn rang_ms(report: &Report, until: UtcMs) -> Option<i64> {
    let began_at = report.dialled_at?.plus_ms(report.ring_after_ms?);
    Some(until.since_ms(began_at).max(0))
}

/// Keeps the candidate with the least key; equal keys are equal facts, so order cannot show.
fn keep_least<T, K: Ord>(kept: &mut Option<T>, candidate: T, key: impl Fn(&T) -> K) {
    if kept.as_ref().is_none_or(|k| key(&candidate) < key(k)) {
        *kept = Some(candidate);
    }
}

/// Reports that saw more come first, then the earlier; the rest only makes the order total.
fn report_key<'a>((at, report): &(UtcMs, &'a Report)) -> impl Ord + use<'a> {
    let rank = match (report.dial_status, report.dialled_at) {
        (Some(crate::domain::evidence::DialStatus::Answer), _) => 0,
        (Some(_), Some(_)) => 1,
        (Some(_), None) => 2,
        (None, Some(_)) => 3,
        (None, None) => 4,
    };
    let codes = (report.dial_status, report.cause, report.sip_code);
    (
        rank,
        *at,
        report.dialled_at,
        codes,
        (report.ring_after_ms, report.progress_after_ms),
        report.dial_ms,
        report.talk_ms,
    )
}

fn without_report(gone: Gone) -> &'static str {
    match gone {
        Gone::Archived(ArchiveStatus::Completed) => "answered, but no report came: talk time is not known",
        Gone::Archived(ArchiveStatus::Expired) => "admitted and not answered, but no report says why",
        Gone::Archived(ArchiveStatus::Failed | ArchiveStatus::Unknown) => {
            "admitted, and Asterisk archived the file without saying how the call went"
        }
        Gone::Swept => "swept: Asterisk stopped during the call",
        Gone::Missing => "admitted, and the call file vanished without a report",
    }
}

#[cfg(test)]
mod tests;
