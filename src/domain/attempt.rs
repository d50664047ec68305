//! An attempt: one call file, one claim, one disposition.

use super::action::Actions;
use super::ids::{AttemptId, CampaignId, ContactId, Ticket, TrunkId};
use super::instant::UtcMs;
use super::name::{AccountCode, CallerName, CallerNumber};
use super::number::Number;
use super::stored::worded_enum;
use super::traffic::{Draw, Invite};
use super::trunk::DialString;
use super::variable::Variables;

/// A call file that Asterisk has not asked the gate about this long after its slot is overdue. It is
/// more than the gate would still admit.
pub const OVERDUE_MS: i64 = 10_000;

worded_enum! {
    /// How far an attempt came. It only ever moves down this list.
    pub enum AttemptState {
        /// Durable in the ledger; its file may or may not exist yet.
        Intent = "intent",
        /// Its file was published into `outgoing`.
        Spooled = "spooled",
        /// The gate admitted it: the point of no return.
        Claimed = "claimed",
        /// It has its one disposition.
        Closed = "closed",
    }
}

/// How much of an order is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderPart {
    /// All but the actions, which then are none: enough for the gate and for a report.
    Call,
    /// All of it.
    Whole,
}

/// All that a call needs, frozen when it was planned (the file carries only the ticket).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The attempt.
    pub attempt: AttemptId,
    /// Its random name towards Asterisk.
    pub ticket: Ticket,
    /// The campaign.
    pub campaign: CampaignId,
    /// The contact; `None` after it was deleted from the list.
    pub contact: Option<ContactId>,
    /// The line out.
    pub trunk: TrunkId,
    /// The number that is called.
    pub number: Number,
    /// The planned instant: a slot on the grid.
    pub planned_at: UtcMs,
    /// What `Dial` gets.
    pub dial_string: DialString,
    /// How long it may ring, in seconds.
    pub wait_time_s: u32,
    /// `CALLERID(num)`.
    pub caller_number: Option<CallerNumber>,
    /// `CALLERID(name)`.
    pub caller_name: Option<CallerName>,
    /// `CHANNEL(accountcode)`.
    pub account: Option<AccountCode>,
    /// What its INVITE carries.
    pub invite: Invite,
    /// What was made up for it.
    pub draw: Draw,
    /// What happens on answer.
    pub actions: Actions,
    /// The contact's variables, as they were when the call was planned. Part of the whole order only.
    pub variables: Variables,
}
