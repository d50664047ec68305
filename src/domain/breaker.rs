//! The circuit breaker of a trunk: too many failures within a while open it, and one call after a rest tries again.
//!
//! What counts is the trunk's share: a call that reached somebody, or could have, was carried, whatever came of it;
//! [`Disposition::TrunkFailure`] was not. What says nothing of the line, such as a call that was not dialled, is not
//! counted at all. While the breaker is open nothing goes over the trunk; after the rest one call at a time may, and
//! the first that is carried closes it.

use super::disposition::Disposition;
use super::ids::{AttemptId, LineCheckId};
use super::instant::{SET_BACK_MS, UtcMs};
use super::stored::worded_enum;

/// The window slides on in so many steps: counts are kept for each, and not for each call.
const SPANS: i64 = 10;

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerRules {
    /// The share of failures that opens it, 1 to 100.
    pub failures_percent: u32,
    /// Seconds that a call counts after its end.
    pub window_s: u32,
    /// With fewer calls than these in the window nothing is made of their share.
    pub calls_min: u32,
    /// Seconds from opening, or from a trial that failed, to the next trial.
    pub rest_s: u32,
}

/// As a new trunk has it.
impl Default for BreakerRules {
    fn default() -> Self {
        Self { failures_percent: 50, window_s: 60, calls_min: 5, rest_s: 60 }
    }
}

/// The calls in the window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// Calls that say something of the line.
    pub calls: u32,
    /// Those of them that the line did not carry.
    pub failures: u32,
}

impl Share {
    /// The failures in percent, rounded down; `None` without a call.
    #[must_use]
    pub fn percent(self) -> Option<u32> {
        let hundredfold = u64::from(self.failures) * 100;
        hundredfold.checked_div(self.calls.into()).and_then(|percent| u32::try_from(percent).ok())
    }
}

impl BreakerRules {
    /// How long a step of the window is, in milliseconds.
    #[must_use]
    pub fn span_ms(self) -> i64 {
        (i64::from(self.window_s) * 1000 / SPANS).max(1)
    }

    /// The beginning of the step that an instant belongs to.
    #[must_use]
    pub fn span_of(self, at: UtcMs) -> UtcMs {
        UtcMs(at.0 - at.0.rem_euclid(self.span_ms()))
    }

    /// The first step that is in the window at `now`.
    #[must_use]
    pub fn first_span(self, now: UtcMs) -> UtcMs {
        self.span_of(now.plus_ms(-i64::from(self.window_s) * 1000))
    }

    fn opens(self, share: Share) -> bool {
        let enough = share.calls >= self.calls_min.max(1);
        enough && u64::from(share.failures) * 100 >= u64::from(self.failures_percent) * u64::from(share.calls)
    }
}

worded_enum! {
    /// What a breaker lets through, in the words of electricians.
    pub enum BreakerState {
        /// The trunk is used.
        Closed = "closed",
        /// It is not.
        Open = "open",
        /// One call at a time is tried.
        HalfOpen = "half-open",
    }
}

/// How a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaker {
    /// Calls go through.
    Closed {
        /// Since when, if it was ever open: what was dialled before says nothing of the line since.
        since: Option<UtcMs>,
    },
    /// No call goes through but a trial.
    Open {
        /// Since when, or since the last trial that failed.
        since: UtcMs,
        /// The call that is tried.
        trial: Option<AttemptId>,
    },
}

/// As it is before the first call.
impl Default for Breaker {
    fn default() -> Self {
        Self::Closed { since: None }
    }
}

/// Which calls may go over a trunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineLeave {
    /// Any.
    All,
    /// One, to try the line.
    OneCall {
        /// Not before this instant.
        from: UtcMs,
    },
    /// None while a trial is under way.
    Nothing,
}

impl LineLeave {
    /// Whether a call may start at `at`; one trial is as good as another.
    #[must_use]
    pub fn admits(self, at: UtcMs) -> bool {
        match self {
            Self::All => true,
            Self::OneCall { from } => from <= at,
            Self::Nothing => false,
        }
    }

    /// When the next trial may start; `None` when no breaker is open, or a trial is under way.
    #[must_use]
    pub fn trial_at(self) -> Option<UtcMs> {
        match self {
            Self::OneCall { from } => Some(from),
            Self::All | Self::Nothing => None,
        }
    }
}

/// What breakers are to the calls of a campaign.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heed {
    /// Breakers bind them, and are told what comes of them.
    #[default]
    Bound,
    /// They are nothing to them. A check of lines is to tell of the lines that fail above all, and what it finds of
    /// prefixes that nobody calls is no news of the campaigns that share a line.
    Exempt,
}

impl Heed {
    /// That of a campaign that belongs to a check of lines, or to none.
    #[must_use]
    pub fn of(line_check: Option<LineCheckId>) -> Self {
        if line_check.is_some() { Self::Exempt } else { Self::Bound }
    }

    /// What the breaker of a trunk lets through of these calls. What is let through without a breaker is no trial.
    #[must_use]
    pub fn leave(self, leave: LineLeave) -> LineLeave {
        match self {
            Self::Bound => leave,
            Self::Exempt => LineLeave::All,
        }
    }
}

/// What a concluded call says of its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carriage {
    /// It was carried to the callee, or to somebody who said no for them.
    Carried,
    /// The line failed.
    Failed,
    /// Nothing.
    Unknown,
}

impl Carriage {
    /// By how the call ended.
    #[must_use]
    pub fn of(disposition: Disposition) -> Self {
        match disposition {
            Disposition::Answered
            | Disposition::Machine
            | Disposition::Busy
            | Disposition::NoAnswer
            | Disposition::Rejected
            | Disposition::InvalidNumber => Self::Carried,
            Disposition::TrunkFailure => Self::Failed,
            // Whoever cancels a call does not learn whether it would have come through.
            Disposition::Cancelled | Disposition::NotDialled | Disposition::Indeterminate => Self::Unknown,
        }
    }
}

impl Breaker {
    /// Which calls may go over the trunk. A clock that was set back does not keep a breaker open: what opened later
    /// than now is tried at once.
    #[must_use]
    pub fn leave(self, rules: BreakerRules, now: UtcMs) -> LineLeave {
        match self {
            Self::Closed { .. } => LineLeave::All,
            Self::Open { trial: Some(_), .. } => LineLeave::Nothing,
            Self::Open { since, trial: None } if is_later(since, now) => LineLeave::OneCall { from: now },
            Self::Open { since, trial: None } => LineLeave::OneCall { from: since.plus_s(rules.rest_s.into()) },
        }
    }

    /// The word for it at `now`.
    #[must_use]
    pub fn state(self, rules: BreakerRules, now: UtcMs) -> BreakerState {
        match self.leave(rules, now) {
            LineLeave::All => BreakerState::Closed,
            LineLeave::OneCall { from } if from > now => BreakerState::Open,
            LineLeave::OneCall { .. } | LineLeave::Nothing => BreakerState::HalfOpen,
        }
    }

    /// Whether a call that was dialled at this instant counts: while it is closed, and not one from before.
    #[must_use]
    pub fn counts(self, dialled_at: UtcMs, now: UtcMs) -> bool {
        match self {
            Self::Closed { since } => since.is_none_or(|since| since <= dialled_at || is_later(since, now)),
            Self::Open { .. } => false,
        }
    }

    /// After a call was counted.
    #[must_use]
    pub fn after_count(self, rules: BreakerRules, share: Share, now: UtcMs) -> Self {
        match self {
            Self::Closed { .. } if rules.opens(share) => Self::Open { since: now, trial: None },
            as_it_is => as_it_is,
        }
    }

    /// After the end of a trial, or what is known of it before. A trial that says nothing is followed by another.
    #[must_use]
    pub fn after_trial(self, carriage: Carriage, now: UtcMs) -> Self {
        match (self, carriage) {
            (Self::Open { .. }, Carriage::Carried) => Self::Closed { since: Some(now) },
            (Self::Open { .. }, Carriage::Failed) => Self::Open { since: now, trial: None },
            (Self::Open { since, .. }, Carriage::Unknown) => Self::Open { since, trial: None },
            (as_it_is, _) => as_it_is,
        }
    }
}

/// Noted by a clock that was set back since.
fn is_later(at: UtcMs, now: UtcMs) -> bool {
    at > now.plus_ms(SET_BACK_MS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULES: BreakerRules = BreakerRules { failures_percent: 50, window_s: 60, calls_min: 5, rest_s: 30 };
    const NOON: UtcMs = UtcMs(1_772_366_400_000);

    fn counted(calls: u32, failures: u32) -> Breaker {
        Breaker::default().after_count(RULES, Share { calls, failures }, NOON)
    }

    #[test]
    fn the_share_of_failures_opens_it_and_only_with_enough_calls() {
        for (calls, failures) in [(4, 4), (5, 2), (100, 49), (0, 0)] {
            assert_eq!(counted(calls, failures), Breaker::default(), "{failures} of {calls}");
        }
        for (calls, failures) in [(5, 3), (6, 3), (100, 50)] {
            assert_eq!(counted(calls, failures), Breaker::Open { since: NOON, trial: None }, "{failures} of {calls}");
        }
    }

    #[test]
    fn it_rests_then_one_call_is_tried() {
        let open = counted(5, 5);
        let trial_at = NOON.plus_s(30);
        assert_eq!(open.leave(RULES, NOON), LineLeave::OneCall { from: trial_at });
        assert_eq!(open.state(RULES, NOON), BreakerState::Open);
        assert_eq!(open.state(RULES, trial_at), BreakerState::HalfOpen);
        let tried = Breaker::Open { since: NOON, trial: Some(AttemptId(7)) };
        assert_eq!(tried.leave(RULES, trial_at), LineLeave::Nothing);
        assert_eq!(tried.state(RULES, trial_at), BreakerState::HalfOpen);
    }

    #[test]
    fn a_check_of_lines_is_exempt_and_nothing_else_is() {
        for leave in [LineLeave::All, LineLeave::OneCall { from: NOON }, LineLeave::Nothing] {
            assert_eq!(Heed::of(Some(LineCheckId(1))).leave(leave), LineLeave::All);
            assert_eq!(Heed::of(None).leave(leave), leave);
        }
    }

    #[test]
    fn a_trial_closes_it_opens_it_anew_or_says_nothing() {
        let tried = Breaker::Open { since: NOON, trial: Some(AttemptId(7)) };
        let later = NOON.plus_s(40);
        assert_eq!(tried.after_trial(Carriage::Carried, later), Breaker::Closed { since: Some(later) });
        assert_eq!(tried.after_trial(Carriage::Failed, later), Breaker::Open { since: later, trial: None });
        assert_eq!(tried.after_trial(Carriage::Unknown, later), Breaker::Open { since: NOON, trial: None });
    }

    #[test]
    fn calls_of_before_it_closed_do_not_count() {
        let closed = Breaker::Closed { since: Some(NOON) };
        assert!(!closed.counts(NOON.plus_ms(-1), NOON.plus_s(5)));
        assert!(closed.counts(NOON, NOON.plus_s(5)));
        assert!(!counted(5, 5).counts(NOON.plus_s(1), NOON.plus_s(5)));
    }

    #[test]
    fn a_clock_that_was_set_back_keeps_nothing_open() {
        let an_hour_ago = NOON.plus_s(-3600);
        assert!(counted(5, 5).leave(RULES, an_hour_ago).admits(an_hour_ago));
        assert!(Breaker::Closed { since: Some(NOON) }.counts(an_hour_ago, an_hour_ago));
    }

    #[test]
    fn only_what_the_line_is_to_blame_for_is_a_failure() {
        let failed = Disposition::ALL.iter().filter(|d| Carriage::of(**d) == Carriage::Failed);
        assert_eq!(failed.collect::<Vec<_>>(), [&Disposition::TrunkFailure]);
        assert_eq!(Carriage::of(Disposition::NotDialled), Carriage::Unknown);
        assert_eq!(Carriage::of(Disposition::InvalidNumber), Carriage::Carried);
    }

    #[test]
    fn shares_are_shown_in_percent() {
        assert_eq!(Share { calls: 3, failures: 2 }.percent(), Some(66));
        assert_eq!(Share::default().percent(), None);
    }

    proptest! {
        #[test]
        fn it_is_never_open_for_longer_than_its_rest(since in -9_000_000_i64..9_000_000, rest_s in 1_u32..7_200, now in -9_000_000_i64..9_000_000) {
            let rules = BreakerRules { rest_s, ..RULES };
            let now = UtcMs(now);
            let leave = Breaker::Open { since: UtcMs(since), trial: None }.leave(rules, now);
            let trial_at = leave.trial_at().unwrap();
            prop_assert!(trial_at.since_ms(now) <= i64::from(rest_s) * 1000 + SET_BACK_MS);
        }

        #[test]
        fn a_call_is_in_the_window_for_as_long_as_it_says_and_a_step_more(window_s in 1_u32..3_600, ended in 0_i64..9_000_000, later_ms in 0_i64..9_000_000) {
            let rules = BreakerRules { window_s, ..RULES };
            let ended = UtcMs(ended);
            let within = rules.span_of(ended) >= rules.first_span(ended.plus_ms(later_ms));
            let window_ms = i64::from(window_s) * 1000;
            prop_assert!(within || later_ms > window_ms);
            prop_assert!(!within || later_ms < window_ms + rules.span_ms());
        }
    }
}
