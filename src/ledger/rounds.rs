//! Rounds of a campaign, and the contacts that leave its list; a part at a time, so that no claim waits for long.

use rusqlite::{Connection, Row, params};

use super::lines::Renewed;
use super::rows::{collect, first};
use super::{Result, attempts, campaigns, causes, contacts, lines};
use crate::domain::campaign::{Campaign, CampaignState};
use crate::domain::ids::{CampaignId, ContactId};
use crate::domain::instant::UtcMs;
use crate::domain::name::Name;
use crate::domain::round::{NextRound, Round, RoundRules, Stage};

/// The most rows that one part looks at, of whichever campaign.
const LOOKED_AT_MAX: i64 = 20_000;

/// What a part left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// More.
    Some,
    /// Nothing.
    Nothing,
}

/// Writes what a campaign does when it is through its list.
pub(super) fn set_rules(db: &Connection, id: CampaignId, rules: RoundRules) -> Result<()> {
    let sql = "UPDATE campaigns SET repeat_s = ?2, rounds_max = ?3, after_pickup = ?4, when_done = ?5 WHERE id = ?1";
    let RoundRules { repeat_s, rounds_max, after_pickup, when_done } = rules;
    db.prepare_cached(sql)?.execute(params![id.0, repeat_s, rounds_max, after_pickup.as_str(), when_done.as_str()])?;
    Ok(())
}

/// Where a campaign stands in its rounds.
pub fn of(db: &Connection, id: CampaignId) -> Result<Round> {
    let sql = "SELECT round - first_round + 1 AS number, round_over_at, walked_to FROM campaigns WHERE id = ?1";
    let read = |row: &Row<'_>| {
        let (over_at, walked_to): (Option<i64>, Option<i64>) = (row.get("round_over_at")?, row.get("walked_to")?);
        let stage = match (walked_to, over_at) {
            (Some(id), _) => Stage::Beginning { walked_to: ContactId(id) },
            (None, Some(at)) => Stage::Over { at: UtcMs(at) },
            (None, None) => Stage::Calling,
        };
        Ok(Round { number: row.get("number")?, stage })
    };
    Ok(first(db.prepare_cached(sql)?.query([id.0])?, read)?.unwrap_or_default())
}

/// The rounds that ever began of a campaign, whenever it was started.
pub fn counted(db: &Connection, id: CampaignId) -> Result<u32> {
    let sql = "SELECT round FROM campaigns WHERE id = ?1";
    Ok(db.prepare_cached(sql)?.query_row([id.0], |row| row.get(0))?)
}

/// How many contacts of a campaign were deleted because they were reached.
pub fn picked_up(db: &Connection, id: CampaignId) -> Result<u64> {
    let sql = "SELECT picked_up FROM campaigns WHERE id = ?1";
    Ok(db.prepare_cached(sql)?.query_row([id.0], |row| row.get(0))?)
}

/// When the next round of a campaign begins.
pub fn next(db: &Connection, campaign: &Campaign, now: UtcMs) -> Result<NextRound> {
    if campaign.rounds.repeat_s.is_none() {
        return Ok(NextRound::Never);
    }
    Ok(campaign.rounds.next(of(db, campaign.id)?, &campaign.calendar, now))
}

/// The running campaigns that are called in rounds and through with one, with where they stand.
pub fn through(db: &Connection) -> Result<Vec<(Campaign, Round)>> {
    let sql = campaigns::query(&format!("WHERE c.repeat_s IS NOT NULL AND {} ORDER BY c.id", campaigns::THROUGH));
    let through = collect(db.prepare_cached(&sql)?.query([])?, campaigns::read)?;
    let with_round = |campaign: Campaign| of(db, campaign.id).map(|round| (campaign, round));
    through.into_iter().map(with_round).collect()
}

/// The running campaigns of which a round begins.
pub fn beginning(db: &Connection) -> Result<Vec<Campaign>> {
    let sql = campaigns::query("WHERE c.state = 'running' AND c.walked_to IS NOT NULL ORDER BY c.id");
    collect(db.prepare_cached(&sql)?.query([])?, campaigns::read)
}

/// Notes when a round was over.
pub fn note_over(db: &Connection, id: CampaignId, at: UtcMs) -> Result<()> {
    db.prepare_cached("UPDATE campaigns SET round_over_at = ?2 WHERE id = ?1")?.execute(params![id.0, at.0])?;
    Ok(())
}

/// Begins a campaign's next round; [`renew`] goes on with it.
pub fn begin(db: &Connection, id: CampaignId) -> Result<()> {
    let sql = "UPDATE campaigns SET round = round + 1, round_over_at = NULL, walked_to = 0, renewed = 0 WHERE id = ?1";
    db.prepare_cached(sql)?.execute([id.0])?;
    Ok(())
}

/// A campaign that is started counts its rounds anew. One that is through its list, and has rounds, calls it again.
pub(super) fn start_anew(db: &Connection, campaign: &Campaign) -> Result<()> {
    let stage = of(db, campaign.id)?.stage;
    let through = !contacts::any_waiting(db, campaign.id)? && !matches!(stage, Stage::Beginning { .. });
    if through && campaign.rounds.repeat_s.is_some() {
        begin(db, campaign.id)?;
    }
    let sql = "UPDATE campaigns SET first_round = round, round_over_at = NULL, removed_at = NULL,
        walked_to = CASE WHEN removed_at IS NULL THEN walked_to END WHERE id = ?1";
    db.prepare_cached(sql)?.execute([campaign.id.0])?;
    Ok(())
}

/// Goes on with a round that begins: the next reached and failed contacts, `limit` at most, are callable as if they
/// were new. Excluded ones stay so, and so do those that have expired or have had all the dials of `max_dials`, which
/// counts over all rounds. A round in which there is nobody to call completes its campaign, unless it never finishes.
pub fn renew(db: &Connection, campaign: &Campaign, now: UtcMs, limit: u32) -> Result<Left> {
    let final_states = "state IN ('reached', 'failed') AND (expires_at IS NULL OR expires_at > ?4)
        AND (?5 IS NULL OR dials < ?5)
        AND round <> (SELECT round FROM campaigns c WHERE c.id = contacts.campaign)";
    let Part { ids, walked_to } = part(db, campaign, final_states, (now, limit))?;
    let mut renewed = 0;
    for id in ids {
        renewed += u32::from(renew_one(db, campaign, id)? == Renewed::Yes);
    }
    let sql = "UPDATE campaigns SET walked_to = ?2, renewed = renewed + ?3 WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![campaign.id.0, walked_to.map(|id| id.0), renewed])?;
    if walked_to.is_some() {
        return Ok(Left::Some);
    }
    let sql = "UPDATE campaigns SET state = 'completed' WHERE id = ?1 AND renewed = 0 AND finish <> 'never'";
    // One that was started again may have calls of the round before: what becomes of them is not known yet.
    if !contacts::any_waiting(db, campaign.id)? && attempts::open_of(db, campaign.id)? == 0 {
        db.prepare_cached(sql)?.execute([campaign.id.0])?;
    }
    Ok(Left::Nothing)
}

fn renew_one(db: &Connection, campaign: &Campaign, id: ContactId) -> Result<Renewed> {
    if lines::renew_all(db, id)? == Renewed::No {
        return Ok(Renewed::No);
    }
    causes::forget(db, id)?;
    let dials = if campaign.outcome.max_dials.is_some() { "dials" } else { "0" };
    let sql = format!(
        "UPDATE contacts SET state = 'waiting', due_at = NULL, charged = 0, dials = {dials}, strikes = 0,
            result_until = NULL WHERE id = ?1"
    );
    db.prepare_cached(&sql)?.execute([id.0])?;
    Ok(Renewed::Yes)
}

/// Contacts of a campaign behind those that are done.
struct Part {
    ids: Vec<ContactId>,
    /// Where the next part goes on; `None` when there is none.
    walked_to: Option<ContactId>,
}

/// The next part of a campaign's contacts that are `which` (?4 is now, ?5 its most dials).
fn part(db: &Connection, campaign: &Campaign, which: &str, (now, limit): (UtcMs, u32)) -> Result<Part> {
    let sql = "SELECT coalesce(walked_to, 0), (SELECT coalesce(max(id), 0) FROM contacts) FROM campaigns WHERE id = ?1";
    let (from, last): (i64, i64) =
        db.prepare_cached(sql)?.query_row([campaign.id.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let until = from.saturating_add(LOOKED_AT_MAX);
    let sql = format!(
        "SELECT id FROM contacts WHERE id > ?2 AND id <= ?3 AND campaign = ?1 AND {which} ORDER BY id LIMIT ?6"
    );
    let values = params![campaign.id.0, from, until, now.0, campaign.outcome.max_dials, limit];
    let ids = collect(db.prepare_cached(&sql)?.query(values)?, |row| Ok(ContactId(row.get(0)?)))?;
    let full = ids.len() == limit as usize;
    let walked_to = if full { ids.last().copied() } else { Some(ContactId(until)).filter(|until| until.0 < last) };
    Ok(Part { ids, walked_to })
}

/// Deletes a contact that was reached; the report keeps its calls.
pub fn delete_picked_up(db: &Connection, campaign: CampaignId, contact: ContactId) -> Result<()> {
    contacts::delete(db, contact)?;
    db.prepare_cached("UPDATE campaigns SET picked_up = picked_up + 1 WHERE id = ?1")?.execute([campaign.0])?;
    Ok(())
}

/// Takes a completed campaign out of the list of campaigns: its report stays under another name, which it says, and
/// its own is free. Its numbers go with [`purge`].
pub fn remove_completed(db: &Connection, campaign: &Campaign, now: UtcMs) -> Result<Name> {
    let mut stem = campaign.name.to_string();
    let end = format!("-removed-{}", campaign.id);
    // Names are of single bytes.
    stem.truncate(79_usize.saturating_sub(end.len()));
    let name: Name = format!("{stem}{end}").parse()?;
    let sql = "UPDATE campaigns SET name = ?2, removed_at = ?3, walked_to = 0, repeat_s = NULL, when_done = 'keep',
        state = ?4 WHERE id = ?1";
    let state = CampaignState::Completed.as_str();
    db.prepare_cached(sql)?.execute(params![campaign.id.0, name.as_str(), now.0, state])?;
    Ok(name)
}

/// The removed campaigns that still have numbers.
pub fn to_purge(db: &Connection) -> Result<Vec<Campaign>> {
    let sql = campaigns::query("WHERE c.removed_at IS NOT NULL AND c.walked_to IS NOT NULL ORDER BY c.id");
    collect(db.prepare_cached(&sql)?.query([])?, campaigns::read)
}

/// Deletes the next numbers of a removed campaign, `limit` at most.
pub fn purge(db: &Connection, campaign: &Campaign, now: UtcMs, limit: u32) -> Result<Left> {
    let Part { ids, walked_to } = part(db, campaign, "?4 = ?4 AND ?5 IS ?5 AND state <> 'in_progress'", (now, limit))?;
    ids.into_iter().try_for_each(|id| contacts::delete(db, id))?;
    let sql = "UPDATE campaigns SET walked_to = ?2 WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![campaign.id.0, walked_to.map(|id| id.0)])?;
    Ok(if walked_to.is_some() { Left::Some } else { Left::Nothing })
}
