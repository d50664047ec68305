//! What a campaign will come to: the planner itself, run ahead on a clock of its own.
//!
//! A [`Run`](run::run) lets [`plan`](super::plan::plan) give the slots and [`sharing`](super::plan::sharing) take them back,
//! lets every call end as the [`Odds`] have it, and asks the rules of retries and numbers what follows, until nothing is
//! left to call. Several runs, each with its own
//! luck and its own guess at the true answer rate, give a range ([`Outlook`]).
//!
//! What it cannot know: what operators will do, numbers that two campaigns share, results that somebody outside will
//! report (an answered call counts as successful), whom a machine's message satisfies, trunks that go dark, and rounds
//! after this one.

mod chance;
mod dialer;
mod odds;
mod outlook;
mod people;
mod run;
mod series;
mod shelf;
#[cfg(test)]
mod tests;

pub use odds::{AnswerRate, Basis, Ending, Odds};
pub use outlook::{Outlook, Range};
pub use run::{Course, Left, run};
pub use series::{Series, Span};

use std::collections::BTreeMap;

use super::bar::FrequencyCap;
use super::calendar::Calendar;
use super::campaign::Campaign;
use super::cause::CauseTable;
use super::contact::Priority;
use super::ids::{CampaignId, TrunkId, ZoneClassId};
use super::instant::UtcMs;
use super::retry::ContactTally;
use super::rhythm::Beat;
use super::trunk::TrunkLine;

/// All that a forecast begins with.
#[derive(Debug, Clone)]
pub struct Scene {
    /// Where it begins.
    pub now: UtcMs,
    /// It goes no further.
    pub until: UtcMs,
    /// What the settings say.
    pub server: ServerRules,
    /// The lines out of the campaigns below.
    pub trunks: Vec<TrunkRules>,
    /// The campaign that is asked about, which is started now if it does not run, and all others that run.
    pub campaigns: Vec<Standing>,
    /// Which is asked about.
    pub target: CampaignId,
}

/// What the settings say.
#[derive(Debug, Clone, Copy)]
pub struct ServerRules {
    /// The server's rate: calls a minute.
    pub calls_one_time: u32,
    /// Minutes between two ticks.
    pub cron_interval_min: u32,
    /// The most calls at the same time; `None` for no cap.
    pub channels_max: Option<u32>,
    /// The most files in the spool.
    pub spool_files_max: u32,
    /// The most calls to one number.
    pub frequency: Option<FrequencyCap>,
}

/// What bounds a trunk.
#[derive(Debug, Clone, Copy)]
pub struct TrunkRules {
    /// Which.
    pub id: TrunkId,
    /// Who answers at its other end.
    pub line: TrunkLine,
    /// The most calls at once.
    pub channels: Option<u32>,
    /// The most starts in a second.
    pub starts_per_second: Option<u32>,
}

/// A campaign where it stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Its settings.
    pub campaign: Campaign,
    /// Its causes.
    pub causes: CauseTable,
    /// When its contacts that have legal hours may be called, by their zones.
    pub hours: BTreeMap<ZoneClassId, Calendar>,
    /// When it was last served; `None` if never.
    pub served_at: Option<UtcMs>,
    /// How far it is in its own pace, with the calls that have begun.
    pub beat: Beat,
    /// How many more calls it is to make, without the open ones; `None` for no such end.
    pub calls_left: Option<u32>,
    /// Who waits.
    pub groups: Vec<Group>,
    /// Who is in a call.
    pub open: Vec<OpenCall>,
    /// How its calls will end.
    pub odds: Odds,
}

/// A call that is planned or up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCall {
    /// Since when, or from when on.
    pub start_at: UtcMs,
    /// Over which line.
    pub trunk: TrunkId,
    /// Whom it is made to.
    pub group: Group,
}

/// Contacts that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// How many.
    pub count: u64,
    /// How early they are called.
    pub priority: Priority,
    /// Not before; `None` for those that were never called.
    pub due_at: Option<UtcMs>,
    /// No start at or after this instant.
    pub expires_at: Option<UtcMs>,
    /// The zones that they may be in.
    pub zones: ZoneClassId,
    /// What was done about each so far.
    pub tally: ContactTally,
    /// How many numbers each has that are called.
    pub numbers: u32,
}

impl Group {
    /// So many that were never called, with one number each and nothing else.
    #[must_use]
    pub fn fresh(count: u64) -> Self {
        let (priority, tally, zones) = (Priority::default(), ContactTally::default(), ZoneClassId(0));
        Self { count, priority, due_at: None, expires_at: None, zones, tally, numbers: 1 }
    }
}
