//! A trunk's circuit breaker, as it is typed and shown.

use std::str::FromStr;

use clap::Args;
use serde::Serialize;

use super::super::failure::{Failure, Result};
use super::super::present::{Moment, moment};
use crate::domain::breaker::{Breaker, BreakerRules, BreakerState, LineLeave};
use crate::domain::calendar::Zone;
use crate::domain::ids::TrunkId;
use crate::domain::instant::UtcMs;
use crate::exit::Exit;
use crate::ledger::breakers::Standing;
use crate::ledger::{Connection, LedgerError, breakers};

/// The options that `add` and `set` share.
#[derive(Debug, Args)]
pub struct BreakerOptions {
    /// Open the breaker when so many of the last calls failed by the trunk's fault, or none for no breaker [of a
    /// new trunk: 50%].
    ///
    /// While it is open, calls go over the next trunk of their campaign, or wait. After a rest one call is tried; when
    /// it is carried the breaker closes. A busy or absent callee is no failure of the trunk.
    #[arg(long, value_name = "PERCENT|none")]
    breaker_failures: Option<Percent>,
    /// How long a call counts after its end [of a new trunk: 60].
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    breaker_window: Option<u32>,
    /// With fewer calls in that time the breaker stays closed [of a new trunk: 5].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    breaker_calls_min: Option<u32>,
    /// How long the breaker stays open before a call is tried [of a new trunk: 60].
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    breaker_rest: Option<u32>,
}

/// A share, or that there is no breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Percent(Option<u32>);

/// A text that is no share.
#[derive(Debug, thiserror::Error)]
#[error("write a share from 1% to 100%, or none")]
struct NotAShare;

impl FromStr for Percent {
    type Err = NotAShare;

    fn from_str(text: &str) -> std::result::Result<Self, NotAShare> {
        if text == "none" {
            return Ok(Self(None));
        }
        let percent = text.strip_suffix('%').unwrap_or(text).parse().ok();
        percent.filter(|n| (1..=100).contains(n)).map(|n| Self(Some(n))).ok_or(NotAShare)
    }
}

/// `60` or `60s`.
fn seconds(text: &str) -> std::result::Result<u32, &'static str> {
    let seconds = text.strip_suffix('s').unwrap_or(text).parse().ok().filter(|s| (1..=86_400).contains(s));
    seconds.ok_or("write whole seconds, 1 to 86400")
}

impl BreakerOptions {
    /// Writes what was given over a trunk's breaker.
    pub fn apply(&self, breaker: Option<BreakerRules>) -> Result<Option<BreakerRules>> {
        let percent = match self.breaker_failures {
            Some(Percent(percent)) => percent,
            None => breaker.map(|rules| rules.failures_percent),
        };
        let Some(failures_percent) = percent else {
            let others = [self.breaker_window, self.breaker_calls_min, self.breaker_rest];
            if others.iter().all(Option::is_none) {
                return Ok(None);
            }
            let mend = "give --breaker-failures 50%, or none of the other --breaker options";
            return Err(Failure::new(Exit::Usage, "a trunk without a breaker has nothing else to set about it", mend));
        };
        let before = breaker.unwrap_or_default();
        Ok(Some(BreakerRules {
            failures_percent,
            window_s: self.breaker_window.unwrap_or(before.window_s),
            calls_min: self.breaker_calls_min.unwrap_or(before.calls_min),
            rest_s: self.breaker_rest.unwrap_or(before.rest_s),
        }))
    }
}

/// A breaker as it is shown.
#[derive(Serialize)]
pub struct BreakerRow {
    failures_percent: u32,
    window_s: u32,
    calls_min: u32,
    rest_s: u32,
    state: BreakerState,
    since: Option<Moment>,
    trial_at: Option<Moment>,
    calls: u32,
    failures: u32,
    failed_percent: Option<u32>,
}

/// How a trunk's breaker stands; `None` without one.
pub fn row(db: &Connection, trunk: TrunkId, now: UtcMs) -> std::result::Result<Option<BreakerRow>, LedgerError> {
    let Some(standing) = breakers::of(db, trunk)? else { return Ok(None) };
    let Standing { rules, breaker, .. } = standing;
    let BreakerRules { failures_percent, window_s, calls_min, rest_s } = rules;
    let share = breakers::share(db, trunk, rules, now)?;
    let (since, leave) = match breaker {
        Breaker::Closed { since } => (since, LineLeave::All),
        Breaker::Open { since, .. } => (Some(since), standing.leave(now)),
    };
    Ok(Some(BreakerRow {
        failures_percent,
        window_s,
        calls_min,
        rest_s,
        state: breaker.state(rules, now),
        since: moment(since),
        trial_at: moment(leave.trial_at()),
        calls: share.calls,
        failures: share.failures,
        failed_percent: share.percent(),
    }))
}

/// In a word or two: `closed, 1 of 4 failed`, `open until 2026-03-01 10:00:00`, `none`.
pub fn in_short(row: Option<&BreakerRow>, zone: &Zone) -> String {
    let Some(row) = row else { return "none".to_owned() };
    match (row.state, row.trial_at) {
        (BreakerState::Closed, _) if row.calls == 0 => row.state.to_string(),
        (BreakerState::Closed, _) => format!("closed, {} of {} failed", row.failures, row.calls),
        (BreakerState::Open, Some(Moment(at))) => format!("open until {}", zone.local(at)),
        (BreakerState::HalfOpen, None) => "half-open, a call is tried".to_owned(),
        (state, _) => state.to_string(),
    }
}

/// With since when, and what would open it.
pub fn in_full(row: Option<&BreakerRow>, zone: &Zone) -> String {
    let short = in_short(row, zone);
    let Some(row) = row else { return short };
    let since = row.since.as_ref().map(|Moment(at)| format!(", since {}", zone.local(*at))).unwrap_or_default();
    format!(
        "{short}{since}; opens for {} s at {}% failures of at least {} calls in {} s",
        row.rest_s, row.failures_percent, row.calls_min, row.window_s
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_typed_with_or_without_its_sign() {
        assert_eq!("50%".parse::<Percent>().unwrap(), Percent(Some(50)));
        assert_eq!("100".parse::<Percent>().unwrap(), Percent(Some(100)));
        assert_eq!("none".parse::<Percent>().unwrap(), Percent(None));
        for text in ["0", "101%", "half", "", "-1", "5 %"] {
            assert!(text.parse::<Percent>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn seconds_may_bear_their_unit() {
        assert_eq!((seconds("60"), seconds("90s")), (Ok(60), Ok(90)));
        for text in ["0", "5m", "", "86401"] {
            assert!(seconds(text).is_err(), "{text:?}");
        }
    }
}
