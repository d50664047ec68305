//! What can be set about a campaign, and how it is typed.

use std::fmt;
use std::str::FromStr;

use clap::Args;

use super::super::actor::Actor;
use super::super::failure::{Failure, Result};
use super::super::session::warn;
use super::super::{trunk, user};
use super::contact_options::ContactOptions;
use super::outcome::OutcomeOptions;
use super::rounds::RoundOptions;
use super::timing::TimingOptions;
use super::traffic_options::TrafficOptions;
use crate::domain::calendar::{CalendarRefusal, Window, Zone};
use crate::domain::campaign::Campaign;
use crate::domain::name::{CallerName, CallerNumber, Name, TextRefusal};
use crate::domain::outcome::RetryTimes;
use crate::ledger::Connection;

/// A wait time under this rings so short that it leaves a missed call rather than a conversation.
const WAIT_TIME_S_SHORT: u32 = 15;

/// The options that `add` and `set` share.
#[derive(Debug, Args)]
pub struct CampaignOptions {
    /// The user that the campaign belongs to (admin) [of a new campaign: who acts].
    #[arg(long, value_name = "USER")]
    user: Option<Name>,
    /// When calls may start each day, in the campaign's time zone [of a new campaign: all day].
    ///
    /// The window may cross midnight; the same start and stop are the whole day.
    #[arg(long, value_name = "HH:MM", value_parser = time_of_day)]
    start: Option<u32>,
    /// When calls no longer start, in the campaign's time zone [of a new campaign: all day].
    #[arg(long, value_name = "HH:MM", value_parser = time_of_day)]
    stop: Option<u32>,
    /// The time zone of start and stop, such as Europe/Berlin [of a new campaign: the setting time_zone].
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<Zone>,
    /// How often an unsuccessful call is retried [of a new campaign: 0].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=100))]
    max_retries: Option<u32>,
    /// Seconds from the end of an unsuccessful call to its retry [of a new campaign: 300].
    ///
    /// With a list the pauses grow: 300,900,3600 waits 300 s after the first unsuccessful call, 900 s after the
    /// second, and 3600 s after the third and all that follow.
    #[arg(long, value_name = "SECONDS[,…]")]
    retry_time: Option<RetryTimes>,
    #[command(flatten)]
    outcome: OutcomeOptions,
    /// Seconds that a call may ring, 1 to 300 [of a new campaign: 30].
    ///
    /// Under 15 seconds most people do not reach the phone: they find a missed call.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=300))]
    wait_time: Option<u32>,
    /// The most calls of the campaign at once, or none for no cap but the trunk's [of a new campaign: none].
    #[arg(long, value_name = "N|none")]
    channels: Option<Cap>,
    #[command(flatten)]
    contacts: ContactOptions,
    /// What the callee sees: a number, 'Name <+4930123>', or none for what the trunk sets [of a new campaign: none].
    #[arg(long, value_name = "CALLER")]
    caller_id: Option<CallerId>,
    #[command(flatten)]
    timing: TimingOptions,
    #[command(flatten)]
    traffic: TrafficOptions,
    #[command(flatten)]
    rounds: RoundOptions,
}

/// Seconds after midnight; 24:00 is midnight.
fn time_of_day(text: &str) -> std::result::Result<u32, CalendarRefusal> {
    Window::parse(text, "00:00").map(Window::start_s)
}

/// A cap, or that there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cap(pub Option<u32>);

/// A text that is no cap.
#[derive(Debug, thiserror::Error)]
#[error("write a whole number from 1 to 100000, or none")]
pub struct NotACap;

impl FromStr for Cap {
    type Err = NotACap;

    fn from_str(text: &str) -> std::result::Result<Self, NotACap> {
        if text == "none" {
            return Ok(Self(None));
        }
        let n = text.parse().ok().filter(|n| (1..=100_000).contains(n));
        n.map(|n| Self(Some(n))).ok_or(NotACap)
    }
}

/// What the callee sees.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallerId {
    name: Option<CallerName>,
    number: Option<CallerNumber>,
}

impl CallerId {
    /// That of a campaign.
    pub fn of(campaign: &Campaign) -> Self {
        Self { name: campaign.caller_name.clone(), number: campaign.caller_number.clone() }
    }

    /// Its name and its number.
    pub fn into_parts(self) -> (Option<CallerName>, Option<CallerNumber>) {
        (self.name, self.number)
    }
}

impl FromStr for CallerId {
    type Err = TextRefusal;

    fn from_str(text: &str) -> std::result::Result<Self, TextRefusal> {
        let text = text.trim();
        if text == "none" {
            return Ok(Self::default());
        }
        let Some((name, number)) = text.strip_suffix('>').and_then(|t| t.rsplit_once('<')) else {
            return Ok(Self { name: None, number: Some(text.parse()?) });
        };
        let name = name.trim();
        let name = name.strip_prefix('"').and_then(|n| n.strip_suffix('"')).unwrap_or(name);
        let name = if name.is_empty() { None } else { Some(name.parse()?) };
        Ok(Self { name, number: Some(number.trim().parse()?) })
    }
}

/// As typed: `Spring Shop <+4930123>`, `+4930123`, `none`.
impl fmt::Display for CallerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, &self.number) {
            (None, None) => f.write_str("none"),
            (None, Some(number)) => number.fmt(f),
            (Some(name), None) => write!(f, "{name} <>"),
            (Some(name), Some(number)) => write!(f, "{name} <{number}>"),
        }
    }
}

impl CampaignOptions {
    /// Writes what was given over a campaign's settings.
    pub fn apply(&self, db: &Connection, actor: &Actor, trunks: &[Name], campaign: &mut Campaign) -> Result<()> {
        if let [first, further @ ..] = &trunk::all_named(db, trunks)?[..] {
            (campaign.trunk, campaign.further_trunks) = (*first, further.to_vec());
        }
        if let Some(name) = &self.user {
            campaign.owner = owner(db, actor, name)?;
        }
        let window = campaign.calendar.window;
        campaign.calendar.window =
            Window::new(self.start.unwrap_or(window.start_s()), self.stop.unwrap_or(window.stop_s()));
        self.time_zone.clone_into_if_given(&mut campaign.calendar.zone);
        self.timing.apply(db, actor, campaign)?;
        self.max_retries.clone_into_if_given(&mut campaign.retry.max_retries);
        if let Some(times) = &self.retry_time {
            campaign.retry.retry_time_s = times.first_s;
            campaign.outcome.later_retry_times_s.clone_from(&times.later_s);
        }
        self.outcome.apply(campaign);
        self.wait_time.clone_into_if_given(&mut campaign.retry.wait_time_s);
        self.contacts.apply(campaign);
        self.traffic.apply(campaign)?;
        self.rounds.apply(campaign)?;
        if let Some(Cap(channels)) = self.channels {
            campaign.channels = channels;
        }
        if let Some(caller) = &self.caller_id {
            (campaign.caller_name, campaign.caller_number) = (caller.name.clone(), caller.number.clone());
        }
        Ok(())
    }

    /// Says what is allowed and yet unwise.
    pub fn warn(&self) {
        if let Some(s) = self.wait_time.filter(|s| *s < WAIT_TIME_S_SHORT) {
            warn(&format!("{s} s of ringing leave missed calls rather than conversations; 20 s or more reach people"));
        }
    }
}

fn owner(db: &Connection, actor: &Actor, name: &Name) -> Result<crate::domain::ids::UserId> {
    let found = if actor.is_admin() { Some(user::named(db, name)?) } else { None };
    match found {
        Some(user) => Ok(user.id),
        None => Err(Failure::admin_only("say whose a campaign is (--user)")),
    }
}

trait Given<T> {
    fn clone_into_if_given(&self, place: &mut T);
}

impl<T: Clone> Given<T> for Option<T> {
    fn clone_into_if_given(&self, place: &mut T) {
        if let Some(value) = self {
            place.clone_from(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caller_ids_read_back_as_shown() {
        for (typed, shown) in [
            ("+4930123", "+4930123"),
            ("Spring Shop <+4930123>", "Spring Shop <+4930123>"),
            ("\"Spring Shop\" <+4930123>", "Spring Shop <+4930123>"),
            ("<+4930123>", "+4930123"),
            ("none", "none"),
        ] {
            let caller: CallerId = typed.parse().unwrap();
            assert_eq!((caller.to_string().as_str(), shown.parse()), (shown, Ok(caller)));
        }
    }

    #[test]
    fn hostile_caller_ids_are_refused_i7() {
        for text in ["", "Spring", "a\nb <1>", "Ev;il <1>", "${X} <1>", "Shop <1,2>", "Shop <>", "Shop <1> <2>"] {
            assert!(text.parse::<CallerId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_cap_is_a_number_or_none() {
        assert_eq!("none".parse::<Cap>().unwrap(), Cap(None));
        assert_eq!("5".parse::<Cap>().unwrap(), Cap(Some(5)));
        for text in ["0", "-1", "five", ""] {
            assert!(text.parse::<Cap>().is_err(), "{text}");
        }
    }
}
