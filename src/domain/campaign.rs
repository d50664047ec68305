//! A campaign: whose, when, how often, over which trunk.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::breaker::Heed;
use super::calendar::{Calendar, Window, Zone};
use super::contact::CallingOrder;
use super::ids::{ActionListId, CalendarId, CampaignId, LineCheckId, TrunkId, UserId};
use super::instant::UtcMs;
use super::name::{CallerName, CallerNumber, Name};
use super::outcome::OutcomeRules;
use super::retry::NextTrunk;
use super::rhythm::Rhythm;
use super::round::RoundRules;
use super::stored::{stored_as_text, worded_enum};
use super::traffic::Traffic;
use super::variable::Variables;
use super::zoning::LegalSwitch;

worded_enum! {
    /// What an operator asked of a campaign, or that it is done.
    pub enum CampaignState {
        /// Not dialling; open calls go on, no further one starts.
        Stopped = "stopped",
        /// Dialling whenever its window, caps and numbers allow.
        Running = "running",
        /// Like stopped, but meant to go on.
        Paused = "paused",
        /// Ran, and no number is left to call.
        Completed = "completed",
    }
}

worded_enum! {
    /// Where a contact stands. I3: imported = waiting + in progress + reached + failed + excluded.
    pub enum ContactState {
        /// To be called, now or at its due time.
        Waiting = "waiting",
        /// Has an open attempt.
        InProgress = "in_progress",
        /// Final: a call was answered.
        Reached = "reached",
        /// Final: the attempts are used up, or the number is invalid.
        Failed = "failed",
        /// Final: not to be called, such as a number on a do-not-call list.
        Excluded = "excluded",
    }
}

/// How often an unsuccessful number is called again, and how long it rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryRules {
    /// Retries after the first unsuccessful call.
    pub max_retries: u32,
    /// Seconds from the end of an unsuccessful call to the next.
    pub retry_time_s: u32,
    /// Seconds that a call may ring.
    pub wait_time_s: u32,
}

/// The highest priority of a campaign.
pub const PRIORITY_MAX: u32 = 100;

/// How a campaign shares the server's slots and its trunk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pacing {
    /// Whose calls come first, up to [`PRIORITY_MAX`]: of two campaigns that could use a slot the one with the higher
    /// priority has it, and campaigns of one priority have it in fair turn.
    pub priority: u32,
    /// Its own pace.
    pub rhythm: Rhythm,
}

/// When a campaign is completed. Also, whatever is said here, when its calendar or its schedule has ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Finish {
    /// When no contact is left to call.
    #[default]
    WhenDone,
    /// Never: it waits for more contacts.
    Never,
    /// When so many calls were made since it was started, or no contact is left.
    AfterCalls(u32),
}

impl Finish {
    /// How many more calls may start when so many have; `None` for any number.
    #[must_use]
    pub fn calls_left(self, calls_started: u32) -> Option<u32> {
        match self {
            Self::WhenDone | Self::Never => None,
            Self::AfterCalls(calls) => Some(calls.saturating_sub(calls_started)),
        }
    }
}

/// A text that says no [`Finish`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no end of a campaign; write all (when no number is left), never, or a number of calls")]
pub struct NoFinish(String);

stored_as_text!(Finish);

impl FromStr for Finish {
    type Err = NoFinish;

    fn from_str(text: &str) -> Result<Self, NoFinish> {
        match text {
            "all" => Ok(Self::WhenDone),
            "never" => Ok(Self::Never),
            _ => {
                let calls = text.parse().ok().filter(|calls| *calls > 0);
                calls.map(Self::AfterCalls).ok_or_else(|| NoFinish(text.chars().take(40).collect()))
            }
        }
    }
}

/// As typed: `all`, `never`, `500`.
impl fmt::Display for Finish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WhenDone => f.pad("all"),
            Self::Never => f.pad("never"),
            Self::AfterCalls(calls) => f.pad(&calls.to_string()),
        }
    }
}

worded_enum! {
    /// What a campaign is about to do, in the words of MiRTA PBX: its state, and whether calls are made at all.
    pub enum Phase {
        /// To be started; or it was, and waits for its hours or for its first instant.
        Ready = "READY",
        /// It was started, and its first call is not planned yet.
        StartNow = "STARTNOW",
        /// It dials.
        Running = "RUNNING",
        /// No further call starts; meant to go on.
        Paused = "PAUSED",
        /// No number is left, or its end has come.
        Completed = "COMPLETED",
    }
}

/// When a campaign was started, and which slots it was given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Activity {
    /// When it was last started.
    pub started_at: Option<UtcMs>,
    /// The last slot that it was given.
    pub served_at: Option<UtcMs>,
    /// Calls that the gate has admitted since.
    pub calls_started: u32,
}

impl Campaign {
    /// All of its lines out, the first choice first.
    #[must_use]
    pub fn trunks(&self) -> Vec<TrunkId> {
        std::iter::once(self.trunk).chain(self.further_trunks.iter().copied()).collect()
    }

    /// What the breakers of its lines are to its calls.
    #[must_use]
    pub fn heed(&self) -> Heed {
        Heed::of(self.line_check)
    }

    /// Whether another of its lines stands behind this one.
    #[must_use]
    pub fn next_trunk(&self, after: TrunkId) -> NextTrunk {
        let behind = self.trunks().into_iter().skip_while(|trunk| *trunk != after).nth(1);
        if behind.is_some() { NextTrunk::Another } else { NextTrunk::None }
    }

    /// Whether it has made all the calls that it was to make, or its end has come.
    #[must_use]
    pub fn is_over(&self, activity: Activity, now: UtcMs) -> bool {
        let no_calls_left = self.finish.calls_left(activity.calls_started) == Some(0);
        no_calls_left || self.calendar.ends_at().is_some_and(|ends_at| ends_at <= now)
    }

    /// What it is about to do at `now`.
    #[must_use]
    pub fn phase(&self, activity: Activity, now: UtcMs) -> Phase {
        match self.state {
            CampaignState::Stopped => Phase::Ready,
            CampaignState::Paused => Phase::Paused,
            CampaignState::Completed => Phase::Completed,
            CampaignState::Running if !self.calendar.contains(now) => Phase::Ready,
            CampaignState::Running if activity.served_at >= activity.started_at => Phase::Running,
            CampaignState::Running => Phase::StartNow,
        }
    }
}

/// How a campaign goes through its contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactRules {
    /// The order within one priority.
    pub order: CallingOrder,
    /// Seconds from an unsuccessful call to the first one of the contact's next number.
    pub next_number_after_s: u32,
}

/// As a new campaign has it.
impl Default for ContactRules {
    fn default() -> Self {
        Self { order: CallingOrder::Sequential, next_number_after_s: 10 }
    }
}

/// A campaign as configured.
#[derive(Debug, Clone, PartialEq)]
pub struct Campaign {
    /// Its row.
    pub id: CampaignId,
    /// Its name, one of its kind in the ledger.
    pub name: Name,
    /// The user that it belongs to.
    pub owner: UserId,
    /// The line out.
    pub trunk: TrunkId,
    /// The lines that a call goes over when those before may not take it, in this order.
    pub further_trunks: Vec<TrunkId>,
    /// What was asked of it.
    pub state: CampaignState,
    /// When it may dial: all that bears on it, put together.
    pub calendar: Calendar,
    /// The named calendar in it.
    pub calendar_id: Option<CalendarId>,
    /// How it shares slots with others.
    pub pacing: Pacing,
    /// When it is completed.
    pub finish: Finish,
    /// Variables of all its contacts; one that a contact has itself goes before.
    pub variables: Variables,
    /// How often and how long.
    pub retry: RetryRules,
    /// What else follows after a call; its causes are kept beside it.
    pub outcome: OutcomeRules,
    /// The most calls at once; `None` for no cap but the trunk's.
    pub channels: Option<u32>,
    /// `CALLERID(num)`; `None` leaves what the trunk sets.
    pub caller_number: Option<CallerNumber>,
    /// `CALLERID(name)`.
    pub caller_name: Option<CallerName>,
    /// What happens on answer; `None` while there is no action.
    pub actions: Option<ActionListId>,
    /// How it goes through its contacts.
    pub contacts: ContactRules,
    /// What it makes of the server's legal hours.
    pub legal_hours: LegalSwitch,
    /// What its calls carry, and what is made up for them.
    pub traffic: Traffic,
    /// What it does when it is through them.
    pub rounds: RoundRules,
    /// The check of lines that it is one of the campaigns of.
    pub line_check: Option<LineCheckId>,
}

impl Campaign {
    /// One as it is without any option: not started, at any time on the clock of `zone`, nobody called twice.
    #[must_use]
    pub fn new(name: Name, owner: UserId, trunk: TrunkId, zone: Zone) -> Self {
        Self {
            id: CampaignId(0),
            name,
            owner,
            trunk,
            further_trunks: Vec::new(),
            state: CampaignState::Stopped,
            calendar: Calendar::daily(Window::ALWAYS, zone),
            calendar_id: None,
            pacing: Pacing::default(),
            finish: Finish::default(),
            variables: Variables::default(),
            retry: RetryRules { max_retries: 0, retry_time_s: 300, wait_time_s: 30 },
            outcome: OutcomeRules::default(),
            channels: None,
            caller_number: None,
            caller_name: None,
            actions: None,
            contacts: ContactRules::default(),
            legal_hours: LegalSwitch::default(),
            traffic: Traffic::default(),
            rounds: RoundRules::default(),
            line_check: None,
        }
    }
}
