//! A campaign: whose, when, how often, over which trunk.

use super::calendar::Calendar;
use super::contact::CallingOrder;
use super::ids::{ActionListId, CampaignId, TrunkId, UserId};
use super::name::{CallerName, CallerNumber, Name};
use super::stored::worded_enum;

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
        /// Final: it must not be called any more, for a reason of its own.
        Excluded = "excluded",
    }
}

/// How often an unsuccessful number is called again, and how long it rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryRules {
    /// Retries after the first unsuccessful call.
    pub max_retries: u32,
    /// Seconds from the end of an unsuccessful call to the next.
    pub retry_time_s: u32,
    /// Seconds that a call may ring.
    pub wait_time_s: u32,
}

/// How a campaign goes through its contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// What was asked of it.
    pub state: CampaignState,
    /// When it may dial.
    pub calendar: Calendar,
    /// How often and how long.
    pub retry: RetryRules,
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
}
