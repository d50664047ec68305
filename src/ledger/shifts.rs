//! Which contacts of a campaign may be called in the span of a plan, as far as their legal hours go.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::zones::{self, Present};
use super::{Result, candidates};
use crate::domain::calendar::Calendar;
use crate::domain::campaign::Campaign;
use crate::domain::ids::{CampaignId, ZoneClassId};
use crate::domain::instant::UtcMs;
use crate::domain::plan::Candidate;
use crate::domain::zoning::LegalRules;

/// The contacts of a campaign that wait, by their zones.
pub(super) struct Shifts {
    campaign: CampaignId,
    now: UtcMs,
    horizon: UtcMs,
    lanes: Vec<Lane>,
}

/// Contacts of the same zones.
struct Lane {
    class: ZoneClassId,
    /// `None` where only the campaign's calendar counts.
    hours: Option<Calendar>,
    turn: Turn,
    /// Whether there are some that were never called.
    fresh: Fresh,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fresh {
    Some,
    None,
}

/// How hours stand in the span of a plan. What opens or closes within it takes no candidate's room from the others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Open,
    Opens(UtcMs),
    Closes(UtcMs),
    Closed,
}

impl Turn {
    fn of(hours: &Calendar, now: UtcMs, horizon: UtcMs) -> Self {
        if hours.contains(now) {
            return hours.closes_before(now, horizon).map_or(Self::Open, Self::Closes);
        }
        let opens_at = hours.next_opening(now).filter(|opens_at| *opens_at < horizon);
        opens_at.map_or(Self::Closed, Self::Opens)
    }
}

impl Shifts {
    pub fn read(
        db: &Connection,
        campaign: &Campaign,
        rules: &LegalRules,
        (now, horizon): (UtcMs, UtcMs),
    ) -> Result<Self> {
        let present = Present::read(db, campaign.id)?;
        let mut lanes = Vec::new();
        for class in present.all() {
            let hours = match class {
                // Those are looked at when it is known where they are.
                zones::UNKNOWN if rules.bind(&campaign.legal_hours) => continue,
                class => zones::hours_of(db, campaign, class, rules)?,
            };
            let turn = hours.as_ref().map_or(Turn::Open, |hours| Turn::of(hours, now, horizon));
            let fresh = if present.fresh.contains(&class) { Fresh::Some } else { Fresh::None };
            lanes.push(Lane { class, hours, turn, fresh });
        }
        Ok(Self { campaign: campaign.id, now, horizon, lanes })
    }

    /// Of those that open or close together, `room` that are callable and `room` that will be, at most.
    pub fn candidates(&self, db: &Connection, room: u32) -> Result<Vec<Candidate>> {
        let mut together: BTreeMap<Turn, Vec<ZoneClassId>> = BTreeMap::new();
        for lane in self.lanes.iter().filter(|lane| lane.turn != Turn::Closed) {
            together.entry(lane.turn).or_default().push(lane.class);
        }
        let span = (self.now, self.horizon);
        let taken = together.values().map(|classes| candidates::take(db, self.campaign, classes, room, span));
        Ok(taken.collect::<Result<Vec<_>>>()?.concat())
    }

    /// When the first of those may be called that are not among the candidates, because they are due later or their
    /// hours open later.
    pub fn next_due(&self, db: &Connection) -> Result<Option<UtcMs>> {
        let each = self.lanes.iter().map(|lane| self.next_of(db, lane)).collect::<Result<Vec<_>>>()?;
        Ok(each.into_iter().flatten().min())
    }

    fn next_of(&self, db: &Connection, lane: &Lane) -> Result<Option<UtcMs>> {
        let opens = |at| lane.hours.as_ref().map_or(Some(at), |hours| hours.next_opening(at));
        if lane.turn != Turn::Closed {
            return Ok(candidates::next_due(db, self.campaign, lane.class, self.horizon)?.and_then(opens));
        }
        let from = match lane.fresh {
            Fresh::Some => Some(self.now),
            Fresh::None => candidates::next_due(db, self.campaign, lane.class, UtcMs(0))?,
        };
        Ok(from.and_then(|from| opens(from.max(self.now))))
    }

    /// The hours of those that may be candidates.
    pub fn hours(self) -> BTreeMap<ZoneClassId, Calendar> {
        let open = self.lanes.into_iter().filter(|lane| lane.turn != Turn::Closed);
        open.filter_map(|lane| Some((lane.class, lane.hours?))).collect()
    }
}
