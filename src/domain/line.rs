//! A contact with several numbers: which of them is called next.
//!
//! The contact has one number at a time that is called next. After an unsuccessful call it moves on: to the number
//! with the next priority after a short pause, and from the last one back to the first, with the campaign's retry
//! time. A number that is found invalid is left out from then on. Each further number brings one call of its own;
//! the retries are the contact's, over all of its numbers, and the absolute cap on dials stands above.

use super::calendar::Calendar;
use super::campaign::RetryRules;
use super::contact::NumberKind;
use super::disposition::{Conclusion, Disposition, Learned};
use super::instant::UtcMs;
use super::number::Number;
use super::outcome::OutcomeRules;
use super::retry::{Consequence, ContactNext, FailReason, INVALID_STRIKES_MAX, dials_max};
use super::stored::worded_enum;

worded_enum! {
    /// Whether a number of a contact is called.
    pub enum LineState {
        /// It is, in its turn.
        Callable = "callable",
        /// It does not exist.
        Invalid = "invalid",
        /// Somebody said that it is not to be called any more.
        Stopped = "stopped",
    }
}

/// One of the numbers of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its priority, from 1: lower ones are called first.
    pub place: u32,
    /// The number.
    pub number: Number,
    /// What kind of number it is, if the list says so.
    pub kind: Option<NumberKind>,
    /// Whether it is called.
    pub state: LineState,
    /// Reports that it does not exist.
    pub strikes: u32,
}

/// What follows for a contact, and which of its numbers is called then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Onward {
    /// What is to be stored for the contact; the strikes are those of the number that is called next.
    pub consequence: Consequence,
    /// The index of the number that is called next, if it is another.
    pub moved_to: Option<usize>,
}

/// The rules for a contact with so many numbers: each one after the first brings one call.
#[must_use]
pub fn allowance(rules: &RetryRules, numbers: usize) -> RetryRules {
    let further = u32::try_from(numbers.saturating_sub(1)).unwrap_or(u32::MAX);
    RetryRules { max_retries: rules.max_retries.saturating_add(further), ..*rules }
}

/// What a rule about numbers needs to know of the campaign.
#[derive(Debug, Clone, Copy)]
pub struct LineRules<'a> {
    /// As [`allowance`] gives them.
    pub retry: &'a RetryRules,
    /// What else follows after a call.
    pub outcome: &'a OutcomeRules,
    /// Seconds from an unsuccessful call to the first one of the contact's next number.
    pub next_number_after_s: u32,
    /// When the campaign may dial.
    pub calendar: &'a Calendar,
}

/// What follows for a contact with `lines`, of which `called` was called, when [`retry::after`] told `told` for
/// this number alone. Notes in `lines` what was learnt of the number.
///
/// [`retry::after`]: super::retry::after
pub fn after(
    conclusion: &Conclusion,
    called: &Number,
    lines: &mut [Line],
    told: Consequence,
    rules: &LineRules<'_>,
) -> Onward {
    let stay = Onward { consequence: told, moved_to: None };
    let Some(at) = lines.iter().position(|line| line.number == *called) else { return stay };
    if told.next == ContactNext::Excluded {
        // That a number is on a list says nothing of the others; that its callee wants no further call does.
        let whole = conclusion.learned == Some(Learned::OptedOut);
        return if whole { stay } else { without(conclusion, lines, at, told, rules) };
    }
    let line = &mut lines[at];
    line.strikes = told.tally.invalid_strikes;
    if line.strikes >= INVALID_STRIKES_MAX {
        line.state = LineState::Invalid;
    }
    let next = following(lines, at);
    match (told.next, next) {
        (ContactNext::Failed(FailReason::InvalidNumber), Some(next)) if calls_left(told, rules) => {
            move_to(conclusion, lines, (at, next), told, rules)
        }
        (ContactNext::Failed(FailReason::InvalidNumber), Some(next)) if next != at => {
            let next = ContactNext::Failed(why_over(told, rules.retry));
            Onward { consequence: Consequence { next, ..told }, moved_to: None }
        }
        (ContactNext::Again { .. }, None) => {
            let next = ContactNext::Failed(FailReason::InvalidNumber);
            Onward { consequence: Consequence { next, ..told }, moved_to: None }
        }
        (ContactNext::Again { .. }, Some(next))
            if was_unsuccessful(conclusion.disposition) || lines[at].state != LineState::Callable =>
        {
            move_to(conclusion, lines, (at, next), told, rules)
        }
        _ => stay,
    }
}

/// The number at `at` must not be called; the contact goes on with its others.
fn without(conclusion: &Conclusion, lines: &mut [Line], at: usize, told: Consequence, rules: &LineRules<'_>) -> Onward {
    lines[at].state = LineState::Stopped;
    match following(lines, at) {
        Some(next) => move_to(conclusion, lines, (at, next), told, rules),
        None => Onward { consequence: told, moved_to: None },
    }
}

/// Whether no number is left because somebody stopped them, and not because none exists.
#[must_use]
pub fn are_stopped(lines: &[Line]) -> bool {
    let is = |state| lines.iter().any(|line| line.state == state);
    is(LineState::Stopped) && !is(LineState::Callable)
}

/// Takes the number at `at` out of a contact's turn. The index of the one that is called next then, when `next` was:
/// itself unless it was stopped; `None` when no number is left.
pub fn stop(lines: &mut [Line], at: usize, next: usize) -> Option<usize> {
    lines[at].state = LineState::Stopped;
    if lines[next].state == LineState::Callable { Some(next) } else { following(lines, next) }
}

/// Whether the number was tried and nobody was reached: what was not dialled, or may have rung, or failed at the trunk,
/// says nothing about the number.
fn was_unsuccessful(disposition: Disposition) -> bool {
    matches!(
        disposition,
        Disposition::Busy
            | Disposition::NoAnswer
            | Disposition::Rejected
            | Disposition::Machine
            | Disposition::InvalidNumber
    )
}

/// The callable number after the one at `at`, the first one after the last; maybe itself.
fn following(lines: &[Line], at: usize) -> Option<usize> {
    let round = (at + 1..lines.len()).chain(0..=at);
    round.into_iter().find(|i| lines[*i].state == LineState::Callable)
}

fn calls_left(told: Consequence, rules: &LineRules<'_>) -> bool {
    told.tally.charged <= rules.retry.max_retries && told.tally.dials < dials_max(rules.retry, rules.outcome)
}

/// A contact fails as invalid only when all of its numbers are.
fn why_over(told: Consequence, rules: &RetryRules) -> FailReason {
    let used_up = told.tally.charged > rules.max_retries;
    if used_up { FailReason::RetriesUsedUp } else { FailReason::DialCap }
}

fn move_to(
    conclusion: &Conclusion,
    lines: &[Line],
    (at, next): (usize, usize),
    told: Consequence,
    rules: &LineRules<'_>,
) -> Onward {
    let after_s = |s: u32| {
        let due_at = conclusion.ended_at.plus_s(i64::from(s));
        rules.calendar.next_opening(due_at).unwrap_or(due_at)
    };
    let retry_at = match told.next {
        ContactNext::Again { due_at } => due_at,
        // Nobody was called.
        ContactNext::Excluded => after_s(0),
        ContactNext::Reached | ContactNext::Failed(_) => after_s(rules.retry.retry_time_s),
    };
    // The first of another round waits as any retry does.
    let due_at: UtcMs = if next > at { retry_at.min(after_s(rules.next_number_after_s)) } else { retry_at };
    let mut tally = told.tally;
    tally.invalid_strikes = lines[next].strikes;
    Onward {
        consequence: Consequence { tally, next: ContactNext::Again { due_at } },
        moved_to: (next != at).then_some(next),
    }
}

#[cfg(test)]
mod tests;
