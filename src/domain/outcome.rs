//! A campaign's rules for what happens after a call, beyond its retries.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest pause between two calls: a year.
pub const RETRY_TIME_S_MAX: u32 = 31_536_000;

/// The most pauses in a list.
pub const RETRY_TIMES_MAX: usize = 100;

/// What follows after a call, besides [`RetryRules`](super::campaign::RetryRules). Its default changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeRules {
    /// Pauses after the second unsuccessful call and those that follow; the last repeats. Without any, each
    /// pause is the retry time.
    pub later_retry_times_s: Vec<u32>,
    /// The most dials of a contact, whatever all other rules say; `None` for
    /// [`retry::dials_max`](super::retry::dials_max) of its retries.
    pub max_dials: Option<u32>,
    /// An answered call that was shorter, in seconds, was unsuccessful; 0 for none.
    pub min_talk_s: u32,
    /// An answered call was successful only if somebody says so within so many seconds of its end; `None` where the
    /// answer, and the talk time, decide.
    pub wrap_up_s: Option<u32>,
}

/// What somebody outside says of an answered call within its wrap-up time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallResult {
    /// The contact is done.
    Success,
    /// The contact is called again, while its campaign lets it.
    NoSuccess {
        /// What becomes of its calls so far.
        retries: Retries,
        /// Seconds until the next call; `None` for when it was due anyway.
        next_after_s: Option<u32>,
    },
}

/// What becomes of a contact's calls that were charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retries {
    /// They count.
    Count,
    /// They are forgotten; its dials are not, and the absolute cap holds.
    Reset,
}

/// Pauses as typed: `300`, or `300,900,3600` for growing ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryTimes {
    /// After the first unsuccessful call.
    pub first_s: u32,
    /// After those that follow.
    pub later_s: Vec<u32>,
}

/// A text that is no list of pauses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRetryTimes {
    /// A part is no number of seconds.
    #[error(
        "`{0}` is no number of seconds from 1 to {RETRY_TIME_S_MAX}; write 300, or 300,900,3600 for growing pauses"
    )]
    Part(String),
    /// More than anybody needs.
    #[error("more than {RETRY_TIMES_MAX} pauses")]
    TooMany,
}

impl FromStr for RetryTimes {
    type Err = NoRetryTimes;

    fn from_str(text: &str) -> Result<Self, NoRetryTimes> {
        let parts = text.split(',').map(seconds).collect::<Result<Vec<u32>, _>>()?;
        if parts.len() > RETRY_TIMES_MAX {
            return Err(NoRetryTimes::TooMany);
        }
        match parts.split_first() {
            Some((first, later)) => Ok(Self { first_s: *first, later_s: later.to_vec() }),
            None => Err(NoRetryTimes::Part(String::new())),
        }
    }
}

fn seconds(part: &str) -> Result<u32, NoRetryTimes> {
    let part = part.trim();
    let seconds = part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten();
    let seconds = seconds.filter(|s| (1..=RETRY_TIME_S_MAX).contains(s));
    seconds.ok_or_else(|| NoRetryTimes::Part(part.chars().take(40).collect()))
}

/// As typed.
impl fmt::Display for RetryTimes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first_s)?;
        self.later_s.iter().try_for_each(|s| write!(f, ",{s}"))
    }
}

impl RetryTimes {
    /// All pauses, in order.
    #[must_use]
    pub fn all(&self) -> Vec<u32> {
        [&[self.first_s], self.later_s.as_slice()].concat()
    }

    /// Those of a campaign.
    #[must_use]
    pub fn of(retry: &super::campaign::RetryRules, outcome: &OutcomeRules) -> Self {
        Self { first_s: retry.retry_time_s, later_s: outcome.later_retry_times_s.clone() }
    }

    /// The pause after so many unsuccessful calls, in seconds.
    #[must_use]
    pub fn after(&self, unsuccessful: u32) -> u32 {
        let later = usize::try_from(unsuccessful).unwrap_or(usize::MAX).saturating_sub(1).min(self.later_s.len());
        later.checked_sub(1).map_or(self.first_s, |place| self.later_s[place])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_as_listed_and_the_last_repeats() {
        let times: RetryTimes = "300, 900,3600".parse().unwrap();
        assert_eq!((0..6).map(|n| times.after(n)).collect::<Vec<_>>(), [300, 300, 900, 3600, 3600, 3600]);
        assert_eq!(times.to_string(), "300,900,3600");
        let one: RetryTimes = "300".parse().unwrap();
        assert_eq!(
            ((0..3).map(|n| one.after(n)).collect::<Vec<_>>(), one.to_string()),
            (vec![300; 3], "300".to_owned())
        );
    }

    #[test]
    fn what_is_no_list_of_pauses_is_refused() {
        for text in ["", ",", "300,", "0", "300,0", "-1", "+1", "five", "300;900", "31536001"] {
            assert!(text.parse::<RetryTimes>().is_err(), "{text:?}");
        }
        assert_eq!(vec!["1"; 101].join(",").parse::<RetryTimes>(), Err(NoRetryTimes::TooMany));
    }
}
