//! What follows from a disposition: again, and when, or a final state.

use super::calendar::Calendar;
use super::campaign::RetryRules;
use super::cause::{CauseRule, CauseTable, Verb};
use super::disposition::{Conclusion, Disposition, Gone, Learned, NotDialled};
use super::gate::Refusal;
use super::instant::UtcMs;
use super::outcome::{CallResult, OutcomeRules, Retries, RetryTimes};
use super::stored::worded_enum;

/// Dials of a contact beyond those that its retries allow, for trunk failures and causes that are not
/// charged to it: see [`dials_max`].
pub const UNCHARGED_DIALS_MAX: u32 = 3;

/// Reports of "no such number" that end a contact. One does not: providers send it for calls that
/// were merely not answered.
pub const INVALID_STRIKES_MAX: u32 = 2;

/// The least pause after a call that may have rung, in seconds: somebody may just have been called.
pub const INDETERMINATE_PAUSE_S: u32 = 600;

/// The pause after an attempt that was not dialled for want of a slot or a channel, or because a program
/// died over it, in seconds: enough that a full line is not asked again and again.
pub const TURNED_AWAY_PAUSE_S: u32 = 10;

/// The pause after an attempt that this machine could not carry out, in seconds: a full disk or a
/// missing dialplan is not mended in a moment.
pub const MACHINE_PAUSE_S: u32 = 60;

worded_enum! {
    /// Why a contact is called no more.
    pub enum FailReason {
        /// The first call and all retries were unsuccessful.
        RetriesUsedUp = "retries_used_up",
        /// The number does not exist.
        InvalidNumber = "invalid_number",
        /// Too many dials in all, most of them not charged.
        DialCap = "dial_cap",
        /// The campaign's table says of a cause that it is final.
        CauseError = "cause_error",
        /// A cause came as often as the campaign's table lets it.
        CauseLimit = "cause_limit",
    }
}

/// What was done about a contact so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ContactTally {
    /// Unsuccessful calls that count against its retries.
    pub charged: u32,
    /// Times that `Dial` was entered for it, or may have been.
    pub dials: u32,
    /// Reports that its number does not exist.
    pub invalid_strikes: u32,
}

/// What is to become of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactNext {
    /// Final: a call was answered, or cancelled as it was made up.
    Reached,
    /// Final: no further call.
    Failed(FailReason),
    /// Final: not to be called.
    Excluded,
    /// To be called again.
    Again {
        /// Not before this instant, which lies in the calendar's window.
        due_at: UtcMs,
    },
}

/// The tally with the concluded attempt counted, and what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the ledger keeps both"]
pub struct Consequence {
    /// What to store as the contact's tally.
    pub tally: ContactTally,
    /// What is to become of it.
    pub next: ContactNext,
}

/// What a campaign says about what follows.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// How often and how soon.
    pub retry: &'a RetryRules,
    /// Growing pauses, the absolute cap, the least talk time.
    pub outcome: &'a OutcomeRules,
    /// What follows from which cause.
    pub causes: &'a CauseTable,
}

/// Whether a call that its line failed has another line to go over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NextTrunk {
    /// None that was not tried.
    #[default]
    None,
    /// One: it is called again soon.
    Another,
}

/// What came before the attempt that is concluded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Past {
    /// The contact's tally.
    pub tally: ContactTally,
    /// How often the cause came for it that [`CauseTable::rule_for`] finds now; 0 where it finds none.
    pub of_this_cause: u32,
    /// Whether another of its campaign's trunks stands behind the one that the attempt went over.
    pub next_trunk: NextTrunk,
}

/// The most dials of a contact, above all rules: no table, no uncharged cause and no limit exceeds it.
#[must_use]
pub fn dials_max(retry: &RetryRules, outcome: &OutcomeRules) -> u32 {
    outcome.max_dials.unwrap_or_else(|| retry.max_retries.saturating_add(1).saturating_add(UNCHARGED_DIALS_MAX))
}

/// Why a contact with this tally is called no more, whatever comes next. The gate asks it too: somebody may
/// have set less after the call was planned.
#[must_use]
pub fn used_up(tally: ContactTally, retry: &RetryRules, outcome: &OutcomeRules) -> Option<FailReason> {
    if tally.invalid_strikes >= INVALID_STRIKES_MAX {
        Some(FailReason::InvalidNumber)
    } else if tally.charged > retry.max_retries {
        Some(FailReason::RetriesUsedUp)
    } else if tally.dials >= dials_max(retry, outcome) {
        Some(FailReason::DialCap)
    } else {
        None
    }
}

/// What follows for a contact from the conclusion of an attempt.
///
/// The pause counts from the end of the call. Where the window is closed then, the next opening
/// counts; where it never opens, the bare instant, and the planner says why nothing happens.
pub fn after(conclusion: &Conclusion, past: Past, rules: Rules<'_>, calendar: &Calendar) -> Consequence {
    let rule = rules.causes.rule_for(conclusion).map(|(_, rule)| rule);
    let ended = Ended { conclusion, rule, short: is_short(conclusion, rules.outcome) };
    let tally = past.tally.counting(&ended);
    // Who opted out, or has the message, is called no more, whatever else is said of the call. A further round calls
    // those who were reached by any of their numbers, so that who opted out is not among them.
    let done = conclusion.learned.map(|learned| match learned {
        Learned::OptedOut => ContactNext::Excluded,
        Learned::MessageLeft => ContactNext::Reached,
    });
    let next = match done.or_else(|| ended.final_state(past, tally, rules)) {
        Some(state) => state,
        None => {
            let due_at = ended.earliest(tally, past.next_trunk, rules);
            ContactNext::Again { due_at: calendar.next_opening(due_at).unwrap_or(due_at) }
        }
    };
    Consequence { tally, next }
}

/// What follows for a contact whose answered call got a result; `tally` has that call, and `due_at` is what the
/// contact waits for, `None` when it was failed.
pub fn after_result(
    result: CallResult,
    tally: ContactTally,
    due_at: Option<UtcMs>,
    rules: Rules<'_>,
    now: UtcMs,
) -> Consequence {
    let CallResult::NoSuccess { retries, next_after_s } = result else {
        let tally = ContactTally { charged: tally.charged.saturating_sub(1), ..tally };
        return Consequence { tally, next: ContactNext::Reached };
    };
    let tally = match retries {
        Retries::Count => tally,
        Retries::Reset => ContactTally { charged: 0, ..tally },
    };
    let due_at = match (next_after_s, due_at) {
        (None, Some(due_at)) => due_at,
        (next_after_s, _) => now.plus_s(i64::from(next_after_s.unwrap_or(rules.retry.retry_time_s))),
    };
    let next = match used_up(tally, rules.retry, rules.outcome) {
        Some(why) => ContactNext::Failed(why),
        None => ContactNext::Again { due_at },
    };
    Consequence { tally, next }
}

/// When nobody may say any more that an answered call was successful; `None` where nobody is asked.
#[must_use]
pub fn result_until(conclusion: &Conclusion, outcome: &OutcomeRules) -> Option<UtcMs> {
    let answered = conclusion.disposition == Disposition::Answered;
    outcome.wrap_up_s.filter(|_| answered).map(|s| conclusion.ended_at.plus_s(i64::from(s)))
}

/// Whether an answered call does not count: it was too short, or its result is awaited. Where no report says how
/// long it was, it was not too short: nobody who was reached is called again for want of a report.
fn is_short(conclusion: &Conclusion, outcome: &OutcomeRules) -> bool {
    if outcome.wrap_up_s.is_some() {
        // Unsuccessful until somebody says otherwise, however long it was.
        return conclusion.disposition == Disposition::Answered;
    }
    let least_ms = i64::from(outcome.min_talk_s) * 1000;
    conclusion.disposition == Disposition::Answered && conclusion.talk_ms.is_some_and(|talk_ms| talk_ms < least_ms)
}

/// A concluded attempt, with what its campaign says about it.
struct Ended<'a> {
    conclusion: &'a Conclusion,
    /// The row of the campaign's table that decides about it.
    rule: Option<CauseRule>,
    /// Answered, and too short to count.
    short: bool,
}

impl ContactTally {
    fn counting(self, ended: &Ended<'_>) -> Self {
        let (charged, dials, strikes) = match (ended.rule.map(|rule| rule.verb), ended.conclusion.disposition) {
            (Some(Verb::Retry | Verb::Error), _) => (1, 1, 0),
            (Some(Verb::Ok | Verb::Minus), _) => (0, 1, 0),
            (None, Disposition::Answered) => (u32::from(ended.short), 1, 0),
            (None, Disposition::TrunkFailure | Disposition::Cancelled) => (0, 1, 0),
            (
                None,
                Disposition::Busy
                | Disposition::NoAnswer
                | Disposition::Rejected
                | Disposition::Machine
                | Disposition::Indeterminate,
            ) => (1, 1, 0),
            (None, Disposition::InvalidNumber) => (1, 1, 1),
            (None, Disposition::NotDialled) => (0, 0, 0),
        };
        Self {
            charged: self.charged.saturating_add(charged),
            dials: self.dials.saturating_add(dials),
            invalid_strikes: self.invalid_strikes.saturating_add(strikes),
        }
    }
}

impl Ended<'_> {
    fn final_state(&self, past: Past, tally: ContactTally, rules: Rules<'_>) -> Option<ContactNext> {
        if let Some(NotDialled::Refused(Refusal::DoNotCall { until: None, .. })) = self.conclusion.not_dialled {
            return Some(ContactNext::Excluded);
        }
        if let Some(state) = self.rule.and_then(|rule| by_table(rule, past.of_this_cause)) {
            return Some(state);
        }
        if self.conclusion.disposition == Disposition::Cancelled {
            return Some(ContactNext::Reached);
        }
        if self.conclusion.disposition == Disposition::Answered && !self.short {
            return Some(ContactNext::Reached);
        }
        if result_until(self.conclusion, rules.outcome).is_some() {
            // Till then it waits in any case; the planner sees then whether its calls are used up.
            return None;
        }
        let used_up = used_up(tally, rules.retry, rules.outcome)?;
        let invalid = self.rule.is_none() && self.conclusion.disposition == Disposition::InvalidNumber;
        Some(ContactNext::Failed(match used_up {
            FailReason::RetriesUsedUp if invalid => FailReason::InvalidNumber,
            reason => reason,
        }))
    }

    /// The earliest next instant, whatever the window.
    fn earliest(&self, tally: ContactTally, next_trunk: NextTrunk, rules: Rules<'_>) -> UtcMs {
        let ended_at = self.conclusion.ended_at;
        let retry_time_s = RetryTimes::of(rules.retry, rules.outcome).after(tally.charged);
        let pause_s = match (self.rule.and_then(|rule| rule.delay_s), self.conclusion.disposition) {
            (Some(delay_s), _) => delay_s,
            (None, Disposition::NotDialled) => {
                let late = || ended_at.plus_s(i64::from(MACHINE_PAUSE_S));
                return self.conclusion.not_dialled.as_ref().map_or_else(late, |why| after_no_dial(why, ended_at));
            }
            (None, Disposition::Indeterminate) if self.rule.is_none() => retry_time_s.max(INDETERMINATE_PAUSE_S),
            (None, Disposition::TrunkFailure) if self.rule.is_none() && next_trunk == NextTrunk::Another => {
                retry_time_s.min(TURNED_AWAY_PAUSE_S)
            }
            (None, _) => retry_time_s,
        };
        let due_at = ended_at.plus_s(i64::from(pause_s));
        result_until(self.conclusion, rules.outcome).map_or(due_at, |until| due_at.max(until))
    }
}

/// What the campaign's table says is final.
fn by_table(rule: CauseRule, came_before: u32) -> Option<ContactNext> {
    match rule.verb {
        Verb::Ok => Some(ContactNext::Reached),
        Verb::Error => Some(ContactNext::Failed(FailReason::CauseError)),
        Verb::Retry | Verb::Minus => {
            let spent = rule.limit.is_some_and(|limit| came_before.saturating_add(1) >= limit);
            spent.then_some(ContactNext::Failed(FailReason::CauseLimit))
        }
    }
}

fn after_no_dial(why: &NotDialled, ended_at: UtcMs) -> UtcMs {
    let pause_s = match why {
        NotDialled::Refused(Refusal::WindowClosed { opens_at } | Refusal::LegalHours { opens_at }) => {
            return opens_at.map_or(ended_at, |t| t.max(ended_at));
        }
        NotDialled::Refused(Refusal::CampaignPace { next_at }) => return (*next_at).max(ended_at),
        NotDialled::Refused(Refusal::DoNotCall { until, .. }) => return until.map_or(ended_at, |t| t.max(ended_at)),
        NotDialled::Refused(Refusal::FrequencyCap { until }) => return (*until).max(ended_at),
        // Somebody asked for it: as soon as the campaign runs again.
        NotDialled::Refused(Refusal::NotRunning { .. } | Refusal::Removed | Refusal::CallsMade)
        | NotDialled::Withdrawn => 0,
        // The planner knows over which line it may go, and when.
        NotDialled::Refused(Refusal::TrunkBreaker { .. }) => 0,
        // Who has expired is excluded before that.
        NotDialled::Refused(Refusal::Expired { .. } | Refusal::NumberStopped) => 0,
        // Somebody may have set more again meanwhile: then at once.
        NotDialled::Refused(Refusal::CallsUsedUp { .. }) => 0,
        NotDialled::Refused(
            Refusal::Late { .. }
            | Refusal::CampaignChannels
            | Refusal::TrunkChannels
            | Refusal::ServerChannels
            | Refusal::Rate
            | Refusal::RealLine
            | Refusal::HungUp
            | Refusal::AlreadyUsed,
        ) => TURNED_AWAY_PAUSE_S,
        // A program died in the midst of it, and is started again; while it is not, planning itself rests.
        NotDialled::GateSilent | NotDialled::GateNotAsked(Gone::Archived(_) | Gone::Swept) => TURNED_AWAY_PAUSE_S,
        NotDialled::NotPublished { .. } | NotDialled::DialNotEntered | NotDialled::GateNotAsked(Gone::Missing) => {
            MACHINE_PAUSE_S
        }
    };
    ended_at.plus_s(i64::from(pause_s))
}

#[cfg(test)]
mod tests;
