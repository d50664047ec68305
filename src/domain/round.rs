//! Rounds: when a campaign is through its list, the list is called once again so many seconds later.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::calendar::Calendar;
use super::ids::ContactId;
use super::instant::UtcMs;
use super::outcome::RETRY_TIME_S_MAX;
use super::stored::worded_enum;

worded_enum! {
    /// What becomes of a contact that was reached.
    pub enum AfterPickup {
        /// It stays, and is called again in the next round.
        Keep = "keep",
        /// It leaves the list; the report keeps its calls.
        Delete = "delete",
    }
}

worded_enum! {
    /// What becomes of a campaign that is completed.
    pub enum WhenDone {
        /// It stays.
        Keep = "keep",
        /// Its numbers go, and it leaves the list of campaigns; its report stays.
        Remove = "remove",
    }
}

/// What a campaign does when it is through its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundRules {
    /// Seconds from the end of a round to the beginning of the next; `None` for one round.
    pub repeat_s: Option<u32>,
    /// The most rounds since it was started; `None` for any number.
    pub rounds_max: Option<u32>,
    /// What becomes of a contact that was reached.
    pub after_pickup: AfterPickup,
    /// What becomes of the campaign when it is completed.
    pub when_done: WhenDone,
}

impl Default for RoundRules {
    fn default() -> Self {
        Self { repeat_s: None, rounds_max: None, after_pickup: AfterPickup::Keep, when_done: WhenDone::Keep }
    }
}

/// How far a round is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stage {
    /// There is somebody to call, or nobody has looked yet.
    #[default]
    Calling,
    /// Everybody was called.
    Over {
        /// Since when.
        at: UtcMs,
    },
    /// Its contacts are made callable again, a part at a time.
    Beginning {
        /// All up to this one are.
        walked_to: ContactId,
    },
}

/// Where a campaign stands in its rounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Which one it is since the campaign was started, from 1.
    pub number: u32,
    /// How far it is.
    pub stage: Stage,
}

/// When the next round begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextRound {
    /// There is none.
    Never,
    /// At this instant, at which the campaign's hours are open.
    At(UtcMs),
    /// So many seconds after this one will be over.
    AfterThis {
        /// The pause.
        repeat_s: u32,
    },
}

impl RoundRules {
    /// When the next round begins, or would if this one were over at `over_at`. One that would come when the hours
    /// open no more is none.
    #[must_use]
    pub fn begins_at(&self, number: u32, over_at: UtcMs, calendar: &Calendar) -> Option<UtcMs> {
        let repeat_s = self.repeat_s.filter(|_| self.rounds_max.is_none_or(|max| number < max))?;
        calendar.next_opening(over_at.plus_s(i64::from(repeat_s)))
    }

    /// When the round after `round` begins.
    #[must_use]
    pub fn next(&self, round: Round, calendar: &Calendar, now: UtcMs) -> NextRound {
        match (round.stage, self.repeat_s) {
            (Stage::Beginning { .. }, Some(_)) => NextRound::At(calendar.next_opening(now).unwrap_or(now)),
            (Stage::Over { at }, _) => {
                self.begins_at(round.number, at, calendar).map_or(NextRound::Never, |at| NextRound::At(at.max(now)))
            }
            (Stage::Calling, Some(repeat_s)) if self.begins_at(round.number, now, calendar).is_some() => {
                NextRound::AfterThis { repeat_s }
            }
            _ => NextRound::Never,
        }
    }
}

/// A pause between rounds as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeat(pub Option<u32>);

/// A text that is no [`Repeat`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no pause between rounds; write seconds from 1 to {RETRY_TIME_S_MAX}, or off")]
pub struct NoRepeat(String);

impl FromStr for Repeat {
    type Err = NoRepeat;

    fn from_str(text: &str) -> Result<Self, NoRepeat> {
        if matches!(text, "off" | "none" | "0") {
            return Ok(Self(None));
        }
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        let seconds = text.parse().ok().filter(|s| digits && (1..=RETRY_TIME_S_MAX).contains(s));
        seconds.map(|s| Self(Some(s))).ok_or_else(|| NoRepeat(text.chars().take(40).collect()))
    }
}

/// As typed.
impl fmt::Display for Repeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("off"),
            Some(s) => s.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::calendar::{Window, Zone};

    fn at(text: &str) -> UtcMs {
        text.parse::<jiff::Timestamp>().unwrap().into()
    }

    fn repeating(repeat_s: u32, rounds_max: Option<u32>) -> RoundRules {
        RoundRules { repeat_s: Some(repeat_s), rounds_max, ..RoundRules::default() }
    }

    #[test]
    fn a_round_begins_its_pause_after_the_last_or_at_the_next_opening() {
        let hours = Calendar::daily(Window::parse("09:00", "18:00").unwrap(), Zone::UTC);
        let over = |time: &str| Round { number: 1, stage: Stage::Over { at: at(time) } };
        let next = |round| repeating(600, None).next(round, &hours, at("2026-03-02T08:00:00Z"));
        assert_eq!(next(over("2026-03-02T10:00:00Z")), NextRound::At(at("2026-03-02T10:10:00Z")));
        assert_eq!(next(over("2026-03-02T17:55:00Z")), NextRound::At(at("2026-03-03T09:00:00Z")));
        assert_eq!(next(Round { number: 1, stage: Stage::Calling }), NextRound::AfterThis { repeat_s: 600 });
        let now = at("2026-03-02T12:00:00Z");
        let late = repeating(600, None).next(over("2026-03-02T10:00:00Z"), &hours, now);
        assert_eq!(late, NextRound::At(now), "nothing begins in the past");
    }

    #[test]
    fn no_round_comes_beyond_the_most_nor_when_the_hours_open_no_more() {
        let mut calendar = Calendar::daily(Window::ALWAYS, Zone::UTC);
        let now = at("2026-03-02T10:00:00Z");
        let after = |number, calendar: &Calendar| repeating(600, Some(3)).begins_at(number, now, calendar);
        assert_eq!(after(2, &calendar), Some(at("2026-03-02T10:10:00Z")));
        assert_eq!(after(3, &calendar), None);
        assert_eq!(RoundRules::default().begins_at(1, now, &calendar), None);
        calendar.schedule.ends_at = Some(at("2026-03-02T10:05:00Z"));
        assert_eq!(after(1, &calendar), None);
    }

    #[test]
    fn a_pause_is_seconds_or_off() {
        for text in ["off", "none", "0"] {
            assert_eq!(text.parse(), Ok(Repeat(None)));
        }
        assert_eq!("600".parse(), Ok(Repeat(Some(600))));
        for text in ["", "-1", "+5", "10m", "31536001", "never"] {
            assert!(text.parse::<Repeat>().is_err(), "{text}");
        }
    }
}
