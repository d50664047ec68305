//! The planner's snapshot, read in one consistent state.

use std::collections::{BTreeSet, HashSet};

use rusqlite::{Connection, Row};

use super::bars::{Barred, Bars};
use super::rows::collect;
use super::shifts::Shifts;
use super::{Result, breakers, campaigns, trunks};
use crate::domain::bar::FrequencyCap;
use crate::domain::breaker::{Heed, LineLeave};
use crate::domain::campaign::Campaign;
use crate::domain::gate::LATE_MS_MAX;
use crate::domain::ids::{CampaignId, TrunkId};
use crate::domain::instant::UtcMs;
use crate::domain::plan::{CampaignView, Snapshot, TrunkView};
use crate::domain::zoning::LegalRules;

/// How long a planned instant that is past still keeps others at a distance: a minute of the grid.
const TAKEN_MS: i64 = 60_000;

/// What the settings say about a plan.
#[derive(Debug, Clone)]
pub struct PlanLimits {
    /// Now.
    pub now: UtcMs,
    /// The end (exclusive) of what may be planned.
    pub horizon: UtcMs,
    /// The server's rate: calls a minute.
    pub calls_one_time: u32,
    /// The most calls at the same time, over all campaigns and trunks; `None` for no cap.
    pub channels_max: Option<u32>,
    /// The most files in the spool.
    pub spool_files_max: u32,
    /// The most calls of this plan.
    pub calls_max: u32,
    /// How many slots there are from now to the horizon, at the most.
    pub slots: u32,
    /// The most calls to one number over all campaigns; `None` for no cap.
    pub frequency: Option<FrequencyCap>,
    /// The hours in which people may be called where they are.
    pub legal: LegalRules,
}

/// Everything that the planner may know. `running` are the running campaigns, read in the same transaction.
pub fn take(db: &Connection, running: &[Campaign], limits: &PlanLimits) -> Result<Snapshot> {
    let open = Open::read(db)?;
    let ids: BTreeSet<TrunkId> = running.iter().flat_map(Campaign::trunks).collect();
    let trunks = ids.into_iter().map(|id| open.trunk_view(db, id, limits.now)).collect::<Result<Vec<_>>>()?;
    let taken = open.taken(None, limits.now);
    let open_calls = open.count(|_| true);
    let files_free = limits.spool_files_max.saturating_sub(open_calls).min(limits.calls_max);
    let channels_free = limits.channels_max.map_or(u32::MAX, |cap| cap.saturating_sub(open_calls));
    let room = limits.slots.saturating_sub(ahead(&taken, limits.now)).min(files_free).min(channels_free);
    let bars = Bars::read(db, limits.frequency, limits.now)?;
    let mut barred = Barred::new();
    let view = |c: &Campaign| {
        let of_campaign = c.trunks();
        let over_trunks = trunks.iter().filter(|t| of_campaign.contains(&t.id)).map(|t| calls_free(t, c.heed()));
        let room = over_trunks.fold(0, u32::saturating_add).min(room);
        let calls = open.count(|call| call.campaign == c.id);
        campaign_view(db, c, (calls, room), limits, (bars, &mut barred))
    };
    let campaigns = running.iter().map(view).collect::<Result<Vec<_>>>()?;
    Ok(Snapshot {
        now: limits.now,
        horizon: limits.horizon,
        calls_one_time: limits.calls_one_time,
        files_free,
        channels: limits.channels_max,
        open: open_calls,
        taken,
        // The queries for candidates have left them out, in the same transaction.
        busy: HashSet::new(),
        barred,
        trunks,
        campaigns,
    })
}

/// The slots of the open attempts, of all or those over a trunk, from about `now` on, ascending.
pub fn taken_slots(db: &Connection, trunk: Option<TrunkId>, now: UtcMs) -> Result<Vec<UtcMs>> {
    Ok(Open::read(db)?.taken(trunk, now))
}

/// What a plan asks of an open attempt.
struct OpenCall {
    planned_at: UtcMs,
    campaign: CampaignId,
    trunk: TrunkId,
}

/// All open attempts, by their slots: as many as files are in the spool, read once for all that a plan asks of them.
struct Open(Vec<OpenCall>);

impl Open {
    fn read(db: &Connection) -> Result<Self> {
        let sql = "SELECT planned_at, campaign, trunk FROM attempts WHERE closed_at IS NULL ORDER BY planned_at";
        let read = |row: &Row<'_>| {
            Ok(OpenCall {
                planned_at: UtcMs(row.get(0)?),
                campaign: CampaignId(row.get(1)?),
                trunk: TrunkId(row.get(2)?),
            })
        };
        Ok(Self(collect(db.prepare_cached(sql)?.query([])?, read)?))
    }

    fn count(&self, which: impl Fn(&OpenCall) -> bool) -> u32 {
        u32::try_from(self.0.iter().filter(|call| which(call)).count()).unwrap_or(u32::MAX)
    }

    fn taken(&self, trunk: Option<TrunkId>, now: UtcMs) -> Vec<UtcMs> {
        let since = now.plus_ms(-TAKEN_MS);
        let counts = |call: &&OpenCall| call.planned_at > since && trunk.is_none_or(|id| id == call.trunk);
        self.0.iter().filter(counts).map(|call| call.planned_at).collect()
    }

    fn trunk_view(&self, db: &Connection, id: TrunkId, now: UtcMs) -> Result<TrunkView> {
        let trunk = trunks::get(db, id)?;
        Ok(TrunkView {
            id,
            channels: trunk.channels,
            starts_per_second: trunk.starts_per_second,
            line: trunk.line,
            open: self.count(|call| call.trunk == id),
            taken: self.taken(Some(id), now),
            leave: breakers::leave_to_plan(db, id, now)?,
        })
    }
}

/// How many calls of a campaign to which breakers are `heed` may be planned over a trunk.
fn calls_free(trunk: &TrunkView, heed: Heed) -> u32 {
    let channels = trunk.channels.map_or(u32::MAX, |cap| cap.saturating_sub(trunk.open));
    match heed.leave(trunk.leave) {
        LineLeave::All => channels,
        LineLeave::OneCall { .. } => channels.min(1),
        LineLeave::Nothing => 0,
    }
}

fn ahead(taken: &[UtcMs], now: UtcMs) -> u32 {
    let ahead = taken.iter().filter(|t| **t > now).count();
    u32::try_from(ahead).unwrap_or(u32::MAX)
}

/// A campaign with as many candidates as `room` (free slots, files, trunks, channels) and the caps leave calls for, twice
/// at most: what a look at the plan costs does not grow with the list.
fn campaign_view(
    db: &Connection,
    campaign: &Campaign,
    (open, room): (u32, u32),
    limits: &PlanLimits,
    (bars, barred): (Bars, &mut Barred),
) -> Result<CampaignView> {
    let PlanLimits { now, horizon, ref legal, .. } = *limits;
    let free = campaign.channels.map_or(u32::MAX, |cap| cap.saturating_sub(open));
    let (beat, calls_left) = campaigns::progress(db, campaign, now.plus_ms(LATE_MS_MAX))?;
    let room = room.min(free).min(calls_left.unwrap_or(u32::MAX));
    let shifts = Shifts::read(db, campaign, legal, (now, horizon))?;
    let candidates = bars.screen(db, campaign, room, barred, |room| shifts.candidates(db, room))?;
    Ok(CampaignView {
        id: campaign.id,
        state: campaign.state,
        priority: campaign.pacing.priority,
        rhythm: campaign.pacing.rhythm,
        beat,
        calls_left,
        trunks: campaign.trunks(),
        heed: campaign.heed(),
        nature: campaign.traffic.nature(),
        calendar: campaign.calendar.clone(),
        channels: campaign.channels,
        open,
        candidates,
        next_due: shifts.next_due(db)?,
        hours: shifts.hours(),
    })
}
