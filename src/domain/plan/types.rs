//! What the planner sees and what it says.

use std::collections::{BTreeMap, HashSet};

use crate::domain::bar::Bar;
use crate::domain::breaker::{Heed, LineLeave};
use crate::domain::calendar::Calendar;
use crate::domain::campaign::CampaignState;
use crate::domain::contact::Priority;
use crate::domain::ids::{CampaignId, ContactId, TrunkId, ZoneClassId};
use crate::domain::instant::UtcMs;
use crate::domain::number::Number;
use crate::domain::retry::FailReason;
use crate::domain::rhythm::{Beat, Rhythm};
use crate::domain::traffic::Nature;
use crate::domain::trunk::TrunkLine;

/// All that the planner may know.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Now.
    pub now: UtcMs,
    /// The end (exclusive) of what may be planned: never more than one interval ahead.
    pub horizon: UtcMs,
    /// The server's rate: calls a minute.
    pub calls_one_time: u32,
    /// How many more files may be written now: the spool takes no more, or a plan.
    pub files_free: u32,
    /// The server's cap.
    pub channels: Option<u32>,
    /// Open attempts of all campaigns, also of those that are not below.
    pub open: u32,
    /// The planned instants of open attempts that are not yet past by more than a minute, ascending.
    pub taken: Vec<UtcMs>,
    /// Trunks that a campaign below may use.
    pub trunks: Vec<TrunkView>,
    /// Campaigns, least recently served first: that is their fair turn.
    pub campaigns: Vec<CampaignView>,
    /// Those numbers of candidates that have an open attempt, in whichever campaign (I2).
    pub busy: HashSet<Number>,
    /// Those candidates whose numbers may not be called, by whichever campaign.
    pub barred: BTreeMap<(CampaignId, ContactId), Bar>,
}

/// What the planner knows of a trunk.
#[derive(Debug, Clone, PartialEq)]
pub struct TrunkView {
    /// Which.
    pub id: TrunkId,
    /// Its cap.
    pub channels: Option<u32>,
    /// Its rate.
    pub starts_per_second: Option<u32>,
    /// Who answers at its other end.
    pub line: TrunkLine,
    /// Its open attempts.
    pub open: u32,
    /// The planned instants of its open attempts that are not yet past by more than a minute, ascending.
    pub taken: Vec<UtcMs>,
    /// What its breaker lets through of the calls that it binds: a trial only if none is planned or under way.
    pub leave: LineLeave,
}

/// What the planner knows of a campaign.
#[derive(Debug, Clone, PartialEq)]
pub struct CampaignView {
    /// Which.
    pub id: CampaignId,
    /// What was asked of it.
    pub state: CampaignState,
    /// Of two that could use a slot, the one with the higher priority has it.
    pub priority: u32,
    /// Its own pace.
    pub rhythm: Rhythm,
    /// How far it will be in its pace when all its open calls have started.
    pub beat: Beat,
    /// How many more calls it is to make, without the open ones; `None` for no such end.
    pub calls_left: Option<u32>,
    /// Its lines out: a call goes over the first that may take it.
    pub trunks: Vec<TrunkId>,
    /// What their breakers are to its calls.
    pub heed: Heed,
    /// Whether anything about its calls is made up.
    pub nature: Nature,
    /// When it may dial.
    pub calendar: Calendar,
    /// When its contacts that have legal hours may be called, by their zones: by the campaign's calendar and within
    /// these hours. Those of other zones may be whenever the calendar is open.
    pub hours: BTreeMap<ZoneClassId, Calendar>,
    /// Its cap.
    pub channels: Option<u32>,
    /// Its open attempts.
    pub open: u32,
    /// Contacts that could be called before the horizon: higher priorities first, and in each due retries, then
    /// fresh numbers. Hardly more than there could be slots.
    pub candidates: Vec<Candidate>,
    /// The earliest instant at which a waiting contact could be called that is not among the candidates, because it is
    /// due later or its legal hours open later.
    pub next_due: Option<UtcMs>,
}

impl CampaignView {
    /// When a contact of it may be called.
    #[must_use]
    pub fn calendar_of(&self, candidate: &Candidate) -> &Calendar {
        self.hours.get(&candidate.zones).unwrap_or(&self.calendar)
    }
}

/// A waiting contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub contact: ContactId,
    /// Its number.
    pub number: Number,
    /// Not before this instant; `None` for a number that was never called.
    pub due_at: Option<UtcMs>,
    /// How early it is called among those that may be.
    pub priority: Priority,
    /// No start at or after this instant.
    pub expires_at: Option<UtcMs>,
    /// The line that failed its last call: those behind it come first now.
    pub failed_trunk: Option<TrunkId>,
    /// The zones that it may be in.
    pub zones: ZoneClassId,
}

impl CampaignView {
    /// The lines for a contact whose last call failed over `failed`: those behind it, then from the first on.
    pub fn trunks_after(&self, failed: Option<TrunkId>) -> impl Iterator<Item = TrunkId> {
        let behind = failed.and_then(|failed| self.trunks.iter().position(|trunk| *trunk == failed));
        let (before, after) = self.trunks.split_at(behind.map_or(0, |place| place + 1));
        after.iter().chain(before).copied()
    }
}

/// A call at a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedCall {
    /// For whom.
    pub campaign: CampaignId,
    /// Whom.
    pub contact: ContactId,
    /// Their number.
    pub number: Number,
    /// Over which line.
    pub trunk: TrunkId,
    /// When: a slot.
    pub start_at: UtcMs,
}

/// Why a contact is not planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Its campaign is stopped, paused or completed.
    NotRunning(CampaignState),
    /// Its number is on a do-not-call list.
    DoNotCall {
        /// When its entry holds no longer; `None` for never.
        until: Option<UtcMs>,
    },
    /// Its calls are used up.
    CallsUsedUp(FailReason),
    /// Its number was called as often as the server lets it.
    FrequencyCap {
        /// When it may be called again.
        until: UtcMs,
    },
    /// Its campaign's window is closed in all slots that are left.
    WindowClosed {
        /// When it opens; `None` when it does not for about a year.
        opens_at: Option<UtcMs>,
    },
    /// Its legal hours are closed in all slots that are left.
    LegalHours {
        /// When they open, and the campaign's window is open; `None` when that is not so for about a year.
        opens_at: Option<UtcMs>,
    },
    /// It was called, and its retry time has not come.
    Cooling {
        /// When it has.
        until: UtcMs,
    },
    /// It expires before a slot is left for it.
    Expired {
        /// When.
        at: UtcMs,
    },
    /// Its number has an open attempt, here or in another campaign.
    NumberBusy,
    /// Its calls are made up for a test line, and the campaign's trunk is none.
    RealLine,
    /// The campaign's channels are all in use; the next closing call frees one.
    CampaignChannels {
        /// The cap.
        cap: u32,
    },
    /// The breakers of its trunks are open.
    TrunkBreaker {
        /// When a trial may start; `None` while one is planned or under way.
        trial_at: Option<UtcMs>,
    },
    /// The channels are all in use of every trunk whose breaker is not open; the next closing call frees one.
    TrunkChannels {
        /// The cap of the first of them.
        cap: u32,
    },
    /// The server's channels are all in use; the next closing call frees one.
    ServerChannels {
        /// The cap.
        cap: u32,
    },
    /// The campaign has made all the calls that it was to make, or will have when the planned ones are made.
    CallsMade,
    /// The campaign's delay or the pause of its batches leaves no slot before the horizon.
    CampaignPace {
        /// When its next call may start.
        next_at: UtcMs,
    },
    /// Every slot before the horizon is taken.
    NoSlot {
        /// The first slot after the horizon.
        next_at: UtcMs,
    },
    /// As many files lie in the spool as may.
    SpoolFull,
}

/// A contact that is not planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Of which campaign.
    pub campaign: CampaignId,
    /// Which.
    pub contact: ContactId,
    /// Why not.
    pub why: Why,
}

/// What to do until the next wake-up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "a plan does nothing until it is carried out"]
pub struct Plan {
    /// Calls, by ascending start.
    pub calls: Vec<PlannedCall>,
    /// The candidates that are not called, each with its reason.
    pub waiting: Vec<Waiting>,
    /// When planning again could give more, other than by a call that closes or the next tick: a due
    /// time, a window that opens.
    pub wake_at: Option<UtcMs>,
}
