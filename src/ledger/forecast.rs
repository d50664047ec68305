//! What a forecast begins with.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Row, params};

use super::candidates::priority;
use super::dnc::{Caller, Stock};
use super::rows::{collect, instant, instant_or_null, parsed};
use super::{Result, campaigns, causes, trunks, zones};
use crate::domain::calendar::Calendar;
use crate::domain::campaign::{Campaign, CampaignState};
use crate::domain::forecast::{Basis, Ending, Group, Odds, OpenCall, Scene, ServerRules, Standing, TrunkRules};
use crate::domain::gate::LATE_MS_MAX;
use crate::domain::ids::{CampaignId, TrunkId, ZoneClassId};
use crate::domain::instant::UtcMs;
use crate::domain::retry::ContactTally;
use crate::domain::zoning::LegalRules;

/// The most calls that odds are drawn from: the last ones.
const ENDINGS_MAX: u32 = 5_000;

/// A scene, and what is known of its target beside it.
#[derive(Debug)]
pub struct Prospect {
    /// Where the forecast begins.
    pub scene: Scene,
    /// Where the target's odds are from.
    pub basis: Basis,
    /// Contacts of the target that wait and are on a do-not-call list.
    pub listed: u64,
}

/// Everything as it is, with the campaign `target` running from now on. Looks at all waiting contacts of the campaigns
/// that run.
pub fn prospect(
    db: &Connection,
    target: &Campaign,
    (server, legal): (ServerRules, &LegalRules),
    (now, until): (UtcMs, UtcMs),
) -> Result<Prospect> {
    let mut running = campaigns::running(db)?;
    let starts = target.state != CampaignState::Running;
    if starts {
        running.push(target.clone());
    }
    let of_all = endings(db, None)?;
    let (mut basis, mut listed) = (Basis::Assumed, 0);
    let mut standings = Vec::with_capacity(running.len());
    for campaign in running {
        let (odds, from) = Odds::best(&endings(db, Some(campaign.id))?, &of_all);
        let (groups, on_lists) = waiting(db, &campaign, now)?;
        if campaign.id == target.id {
            (basis, listed) = (from, on_lists);
        }
        let open = open(db, campaign.id)?;
        let latest = now.plus_ms(LATE_MS_MAX);
        let (_, calls_left) = campaigns::progress(db, &campaign, latest)?;
        let (beat, _) = campaigns::started(db, &campaign, latest)?;
        let served_at = campaigns::activity(db, campaign.id)?.served_at;
        // What it has made counts anew from its start, unless it was paused.
        let anew = starts && campaign.id == target.id && campaign.state != CampaignState::Paused;
        let calls_left = if anew { campaign.finish.calls_left(0) } else { calls_left };
        let causes = causes::table(db, campaign.id)?;
        let zones = groups.iter().chain(open.iter().map(|call| &call.group)).map(|group| group.zones).collect();
        let hours = hours(db, &campaign, zones, legal)?;
        standings.push(Standing { campaign, causes, hours, served_at, beat, calls_left, groups, open, odds });
    }
    let lines: BTreeSet<TrunkId> = standings.iter().flat_map(|standing| standing.campaign.trunks()).collect();
    let trunks = lines.into_iter().map(|id| trunk_rules(db, id)).collect::<Result<Vec<_>>>()?;
    let scene = Scene { now, until, server, trunks, campaigns: standings, target: target.id };
    Ok(Prospect { scene, basis, listed })
}

fn hours(
    db: &Connection,
    campaign: &Campaign,
    classes: BTreeSet<ZoneClassId>,
    legal: &LegalRules,
) -> Result<BTreeMap<ZoneClassId, Calendar>> {
    let each = classes.into_iter().map(|class| Ok((class, zones::hours_of(db, campaign, class, legal)?)));
    Ok(each.collect::<Result<Vec<_>>>()?.into_iter().filter_map(|(class, hours)| Some((class, hours?))).collect())
}

fn trunk_rules(db: &Connection, id: TrunkId) -> Result<TrunkRules> {
    let trunk = trunks::get(db, id)?;
    Ok(TrunkRules { id, line: trunk.line, channels: trunk.channels, starts_per_second: trunk.starts_per_second })
}

/// How the last calls of a campaign, or of all, ended that were dialled.
fn endings(db: &Connection, campaign: Option<CampaignId>) -> Result<Vec<Ending>> {
    let columns = "SELECT disposition, cause, sip_code, ring_ms, talk_ms FROM attempts";
    let dialled = "closed_at IS NOT NULL AND disposition NOT IN ('not_dialled', 'indeterminate')";
    let read = |row: &Row<'_>| {
        Ok(Ending {
            disposition: parsed(row, "disposition")?,
            cause: row.get("cause")?,
            sip_code: row.get("sip_code")?,
            ring_ms: row.get::<_, Option<i64>>("ring_ms")?.unwrap_or_default(),
            talk_ms: row.get::<_, Option<i64>>("talk_ms")?.unwrap_or_default(),
        })
    };
    match campaign {
        Some(id) => {
            let sql = format!("{columns} WHERE campaign = ?1 AND {dialled} ORDER BY id DESC LIMIT ?2");
            collect(db.prepare_cached(&sql)?.query(params![id.0, ENDINGS_MAX])?, read)
        }
        None => {
            let sql = format!("{columns} WHERE {dialled} ORDER BY id DESC LIMIT ?1");
            collect(db.prepare_cached(&sql)?.query([ENDINGS_MAX])?, read)
        }
    }
}

/// On a list that holds for campaign ?1 of owner ?3 at ?2.
const LISTED: &str = "EXISTS (SELECT 1 FROM dnc_entries e JOIN dnc_lists l ON l.id = e.list
        WHERE (e.expires_at IS NULL OR e.expires_at > ?2)
            AND (l.scope = 'server' OR l.owner = ?3 OR l.campaign = ?1)
            AND ((e.kind = 'number' AND e.pattern = c.number)
                OR (e.kind = 'prefix' AND e.pattern = substr(c.number, 1, length(e.pattern)))))";

/// Who waits, those that are alike together, and how many more are on a list.
fn waiting(db: &Connection, campaign: &Campaign, now: UtcMs) -> Result<(Vec<Group>, u64)> {
    let listed = if Stock::read(db)?.is_empty() { "0" } else { LISTED };
    // To the second: a retry is planned on a slot anyway.
    let sql = format!(
        "SELECT priority, zone_class, due_at, expires_at, charged, dials, strikes, numbers, listed, count(*) AS n FROM (
            SELECT priority, zone_class, (CASE WHEN due_at < ?2 THEN ?2 ELSE due_at END) / 1000 * 1000 AS due_at, expires_at, charged, dials, strikes,
                (SELECT count(*) FROM contact_lines n WHERE n.contact = c.id AND n.state = 'callable') AS numbers,
                {listed} AS listed
            FROM contacts c WHERE campaign = ?1 AND state = 'waiting' AND ?3 IS NOT NULL)
         GROUP BY priority, zone_class, due_at, expires_at, charged, dials, strikes, numbers, listed"
    );
    let caller = Caller::of(campaign);
    let rows = collect(db.prepare(&sql)?.query(params![campaign.id.0, now.0, caller.owner.0])?, |row| {
        let group = Group {
            count: row.get("n")?,
            priority: priority(row.get("priority")?)?,
            due_at: instant_or_null(row, "due_at")?,
            expires_at: instant_or_null(row, "expires_at")?,
            zones: ZoneClassId(row.get("zone_class")?),
            tally: tally(row)?,
            numbers: row.get::<_, u32>("numbers")?.max(1),
        };
        Ok((group, row.get::<_, bool>("listed")?))
    })?;
    let (on_lists, callable): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(_, listed)| *listed);
    let on_lists = on_lists.iter().map(|(group, _)| group.count).sum();
    Ok((callable.into_iter().map(|(group, _)| group).collect(), on_lists))
}

fn tally(row: &Row<'_>) -> Result<ContactTally> {
    Ok(ContactTally { charged: row.get("charged")?, dials: row.get("dials")?, invalid_strikes: row.get("strikes")? })
}

/// Who is in a call or will be, and from when on.
fn open(db: &Connection, campaign: CampaignId) -> Result<Vec<OpenCall>> {
    let sql = "SELECT a.planned_at AS planned_at, a.trunk AS trunk, c.priority AS priority, c.zone_class AS zone_class, c.expires_at AS expires_at,
            c.charged AS charged, c.dials AS dials, c.strikes AS strikes
        FROM attempts a JOIN contacts c ON c.id = a.contact WHERE a.campaign = ?1 AND a.closed_at IS NULL";
    collect(db.prepare_cached(sql)?.query([campaign.0])?, |row| {
        let expires_at = instant_or_null(row, "expires_at")?;
        let priority = priority(row.get("priority")?)?;
        let zones = ZoneClassId(row.get("zone_class")?);
        let group = Group { priority, expires_at, zones, tally: tally(row)?, ..Group::fresh(1) };
        Ok(OpenCall { start_at: instant(row, "planned_at")?, trunk: TrunkId(row.get("trunk")?), group })
    })
}
