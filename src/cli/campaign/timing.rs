//! When a campaign dials and at what pace, as it is typed.

use std::str::FromStr;

use clap::Args;
use jiff::civil::DateTime;

use super::super::actor::Actor;
use super::super::calendar;
use super::super::failure::{Failure, Result};
use crate::domain::calendar::Zone;
use crate::domain::campaign::{Campaign, Finish, PRIORITY_MAX};
use crate::domain::instant::UtcMs;
use crate::domain::name::Name;
use crate::domain::rhythm::{Batch, Rhythm};
use crate::domain::zoning::LegalSwitch;
use crate::exit::Exit;
use crate::ledger::Connection;

/// The options that `add` and `set` share about time and pace.
#[derive(Debug, Args)]
pub struct TimingOptions {
    /// The calendar that the campaign works by, or none; its own window narrows it further [of a new campaign: none].
    #[arg(long, value_name = "CALENDAR|none")]
    calendar: Option<Name>,
    /// Whether the server's legal hours hold for its contacts, or its own in their place: on, off, or hours [of a new campaign: on].
    ///
    /// They are meant on the clock where each contact is: '09:00-20:00' for every day, or 'Mon-Fri 09:00-20:00; Sat 09:00-17:00'.
    #[arg(long, value_name = "on|off|HOURS")]
    legal_hours: Option<LegalSwitch>,
    /// A scheduled campaign's first instant, such as '2026-12-01 09:00:00' in its time zone, or none [of a new campaign: none].
    ///
    /// It is started like any other; until then it is READY and dials nobody.
    #[arg(long, value_name = "WHEN|none")]
    starts_at: Option<When>,
    /// A scheduled campaign's last instant, at which it is completed, or none [of a new campaign: none].
    #[arg(long, value_name = "WHEN|none")]
    ends_at: Option<When>,
    /// Whose calls come first, 0 to 100: of two campaigns that could use a slot the one with the higher priority has it [of a new campaign: 0].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=i64::from(PRIORITY_MAX)))]
    priority: Option<u32>,
    /// The least time from one start of the campaign to the next, such as 1500ms or 2s, or none [of a new campaign: none].
    #[arg(long, value_name = "TIME|none")]
    delay: Option<Delay>,
    /// Start so many calls, then pause for --batch-pause; or none [of a new campaign: none].
    #[arg(long, value_name = "N|none")]
    batch: Option<BatchCalls>,
    /// Seconds from the last start of a batch to the first of the next.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    batch_pause: Option<u32>,
    /// When it is completed: all (no number is left), never, or after so many calls [of a new campaign: all].
    #[arg(long, value_name = "all|never|N")]
    finish: Option<Finish>,
}

/// An instant as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    Never,
    /// On the clock of the campaign's zone.
    Local(DateTime),
    At(UtcMs),
}

impl FromStr for When {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        if text == "none" {
            return Ok(Self::Never);
        }
        if let Ok(at) = text.parse::<jiff::Timestamp>() {
            return Ok(Self::At(at.into()));
        }
        let forms = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"];
        let local = forms.iter().find_map(|form| DateTime::strptime(form, text).ok());
        local.map(Self::Local).ok_or(
            "write '2026-12-01 09:00' or '2026-12-01 09:00:30' in the campaign's time zone, \
             2026-12-01T09:00:00+01:00, or none",
        )
    }
}

impl When {
    fn instant(self, zone: &Zone) -> Option<UtcMs> {
        match self {
            Self::Never => None,
            Self::Local(local) => zone.instant(local),
            Self::At(at) => Some(at),
        }
    }
}

/// A delay as typed, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay(u32);

impl FromStr for Delay {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        const REFUSED: &str =
            "write milliseconds or seconds with their unit, such as 1500ms or 2s, at most 3600s, or none";
        if text == "none" {
            return Ok(Self(0));
        }
        let ms = match text.strip_suffix("ms") {
            Some(ms) => ms.parse::<u32>().ok(),
            None => text.strip_suffix('s').and_then(|s| s.parse::<u32>().ok()?.checked_mul(1000)),
        };
        ms.filter(|ms| *ms <= 3_600_000).map(Self).ok_or(REFUSED)
    }
}

/// The calls of a batch as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchCalls(Option<u32>);

impl FromStr for BatchCalls {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        if text == "none" {
            return Ok(Self(None));
        }
        let calls = text.parse().ok().filter(|n| (1..=100_000).contains(n));
        calls.map(|calls| Self(Some(calls))).ok_or("write a number of calls from 1 to 100000, or none")
    }
}

impl TimingOptions {
    /// Writes what was given over a campaign's settings; its zone is set already.
    pub fn apply(&self, db: &Connection, actor: &Actor, campaign: &mut Campaign) -> Result<()> {
        if let Some(name) = &self.calendar {
            let named = if name.as_str() == "none" { None } else { Some(calendar::usable(db, actor, name)?) };
            campaign.calendar_id = named.as_ref().map(|named| named.id);
            campaign.calendar.timetable = named.map(|named| named.timetable.into());
        }
        if let Some(legal_hours) = &self.legal_hours {
            campaign.legal_hours.clone_from(legal_hours);
        }
        self.apply_schedule(campaign)?;
        campaign.pacing.priority = self.priority.unwrap_or(campaign.pacing.priority);
        campaign.finish = self.finish.unwrap_or(campaign.finish);
        self.apply_rhythm(&mut campaign.pacing.rhythm)
    }

    fn apply_schedule(&self, campaign: &mut Campaign) -> Result<()> {
        let zone = campaign.calendar.zone.clone();
        let schedule = &mut campaign.calendar.schedule;
        if let Some(when) = self.starts_at {
            schedule.starts_at = when.instant(&zone);
        }
        if let Some(when) = self.ends_at {
            schedule.ends_at = when.instant(&zone);
        }
        match (schedule.starts_at, schedule.ends_at) {
            (Some(starts_at), Some(ends_at)) if ends_at <= starts_at => Err(Failure::new(
                Exit::DataErr,
                format!(
                    "the campaign would end at {}, before it starts at {}",
                    zone.local(ends_at),
                    zone.local(starts_at)
                ),
                "give --starts-at and --ends-at in their order",
            )),
            _ => Ok(()),
        }
    }

    fn apply_rhythm(&self, rhythm: &mut Rhythm) -> Result<()> {
        if let Some(Delay(ms)) = self.delay {
            rhythm.delay_ms = ms;
        }
        let calls = self.batch.map_or(rhythm.batch.map(|batch| batch.calls), |BatchCalls(calls)| calls);
        let pause_s = self.batch_pause.or(rhythm.batch.map(|batch| batch.pause_s));
        rhythm.batch = match (calls, pause_s) {
            (Some(calls), Some(pause_s)) => Some(Batch { calls, pause_s }),
            (Some(_), None) => {
                let mend = "say how long it pauses after each batch: --batch-pause SECONDS";
                return Err(Failure::new(Exit::Usage, "a batch needs its pause", mend));
            }
            (None, Some(_)) if self.batch_pause.is_some() => {
                let mend = "say how many calls a batch has: --batch N";
                return Err(Failure::new(Exit::Usage, "a pause needs its batch", mend));
            }
            (None, _) => None,
        };
        Ok(())
    }
}

/// `at least 1500 ms apart, in batches of 5 with 60 s between them`, or that it has none.
pub fn pace_in_words(rhythm: Rhythm) -> String {
    let delay = (rhythm.delay_ms > 0).then(|| format!("at least {} ms apart", rhythm.delay_ms));
    let batch = rhythm.batch.map(|b| format!("in batches of {} with {} s between them", b.calls, b.pause_s));
    let words: Vec<String> = delay.into_iter().chain(batch).collect();
    if words.is_empty() { "that of the server and of the trunk".to_owned() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_local_or_has_its_offset() {
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        let at = |text: &str| text.parse::<When>().unwrap().instant(&berlin).map(|at| at.to_string());
        assert_eq!(at("2026-12-01 09:00:05").as_deref(), Some("2026-12-01T08:00:05.000Z"));
        assert_eq!(at("2026-07-01T09:00").as_deref(), Some("2026-07-01T07:00:00.000Z"));
        assert_eq!(at("2026-12-01T09:00:00+03:00").as_deref(), Some("2026-12-01T06:00:00.000Z"));
        assert_eq!(
            at("2026-03-29 02:30").as_deref(),
            Some("2026-03-29T01:30:00.000Z"),
            "skipped: the first that comes"
        );
        assert_eq!(at("none"), None);
        for text in ["", "tomorrow", "2026-02-30 09:00", "2026-12-01", "09:00", "2026-12-01 25:00"] {
            assert!(text.parse::<When>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_delay_has_its_unit() {
        assert_eq!("1500ms".parse(), Ok(Delay(1_500)));
        assert_eq!("2s".parse(), Ok(Delay(2_000)));
        assert_eq!("none".parse(), Ok(Delay(0)));
        for text in ["1500", "2m", "-1s", "s", "4000s", "99999999999s"] {
            assert!(text.parse::<Delay>().is_err(), "{text}");
        }
    }
}
