//! Campaigns.

use std::fmt::Display;
use std::str::FromStr;

use rusqlite::{Connection, Row, params};

use super::calendars::read_of_campaign;
use super::rows::{collect, first, instant, instant_or_null, parsed, parsed_or_null};
use super::{LedgerError, Result, calendars, details, rounds, traffic};
use crate::domain::breaker::Heed;
use crate::domain::campaign::{Activity, Campaign, CampaignState, ContactRules, Pacing, RetryRules};
use crate::domain::ids::{ActionListId, CalendarId, CampaignId, LineCheckId, TrunkId, UserId};
use crate::domain::instant::UtcMs;
use crate::domain::name::{CallerName, CallerNumber, Name};
use crate::domain::outcome::OutcomeRules;
use crate::domain::rhythm::{Batch, Beat, Rhythm};
use crate::domain::round::{NextRound, RoundRules};

const COLUMNS: &str = "SELECT c.id, c.name, c.owner, c.trunk, c.state, c.window_start_s, c.window_stop_s, c.time_zone, \
    c.max_retries, c.retry_time_s, c.wait_time_s, c.channels, c.caller_number, c.caller_name, c.action_list, c.calendar, \
    c.starts_at, c.ends_at, c.priority, c.delay_ms, c.batch_calls, c.batch_pause_s, c.finish, c.variables, \
    c.later_retry_times_s, c.max_dials, c.min_talk_s, c.wrap_up_s, \
    c.calling_order, c.next_number_after_s, c.further_trunks, c.legal_hours, \
    c.headers, c.codecs, c.duration, c.cancel_percent, c.repeat_s, c.rounds_max, c.after_pickup, c.when_done, \
    c.line_check";

/// A query for whole campaigns (`c`), with what comes behind `FROM`.
pub(super) fn query(rest: &str) -> String {
    format!("{COLUMNS}, {} FROM campaigns c {} {rest}", calendars::OF_A_CAMPAIGN, calendars::JOIN)
}

pub(super) fn read(row: &Row<'_>) -> Result<Campaign> {
    let list: Option<i64> = row.get("action_list")?;
    let calendar: Option<i64> = row.get("calendar")?;
    Ok(Campaign {
        id: CampaignId(row.get("id")?),
        name: parsed(row, "name")?,
        owner: UserId(row.get("owner")?),
        trunk: TrunkId(row.get("trunk")?),
        further_trunks: read_further_trunks(row)?,
        state: parsed(row, "state")?,
        calendar: read_of_campaign(row)?,
        calendar_id: calendar.map(CalendarId),
        pacing: Pacing { priority: row.get("priority")?, rhythm: read_rhythm(row)? },
        finish: parsed(row, "finish")?,
        variables: details::variables(row)?,
        retry: RetryRules {
            max_retries: row.get("max_retries")?,
            retry_time_s: row.get("retry_time_s")?,
            wait_time_s: row.get("wait_time_s")?,
        },
        outcome: read_outcome(row)?,
        channels: row.get("channels")?,
        caller_number: parsed_or_null(row, "caller_number")?,
        caller_name: parsed_or_null(row, "caller_name")?,
        actions: list.map(ActionListId),
        contacts: ContactRules {
            order: parsed(row, "calling_order")?,
            next_number_after_s: row.get("next_number_after_s")?,
        },
        legal_hours: parsed(row, "legal_hours")?,
        traffic: traffic::read_traffic(row)?,
        rounds: RoundRules {
            repeat_s: row.get("repeat_s")?,
            rounds_max: row.get("rounds_max")?,
            after_pickup: parsed(row, "after_pickup")?,
            when_done: parsed(row, "when_done")?,
        },
        line_check: read_line_check(row)?,
    })
}

/// The check of lines that a campaign is one of.
pub(super) fn read_line_check(row: &Row<'_>) -> Result<Option<LineCheckId>> {
    let check: Option<i64> = row.get("line_check")?;
    Ok(check.map(LineCheckId))
}

fn read_further_trunks(row: &Row<'_>) -> Result<Vec<TrunkId>> {
    let ids = listed(row, "further_trunks")?;
    Ok(ids.into_iter().map(TrunkId).collect())
}

/// Numbers with commas between them.
fn listed<T: FromStr<Err: Display>>(row: &Row<'_>, column: &'static str) -> Result<Vec<T>> {
    let text: String = row.get(column)?;
    let numbers = text.split(',').filter(|part| !part.is_empty()).map(str::parse);
    numbers.map(|number| number.map_err(|problem| LedgerError::corrupt(column, problem))).collect()
}

/// A campaign's own pace.
pub(super) fn read_rhythm(row: &Row<'_>) -> Result<Rhythm> {
    let (calls, pause_s): (Option<u32>, Option<u32>) = (row.get("batch_calls")?, row.get("batch_pause_s")?);
    let batch = calls.zip(pause_s).map(|(calls, pause_s)| Batch { calls, pause_s });
    Ok(Rhythm { delay_ms: row.get("delay_ms")?, batch })
}

/// How far a campaign is in its pace, as the gate left it.
pub(super) fn read_beat(row: &Row<'_>) -> Result<Beat> {
    Ok(Beat { last_start_at: instant_or_null(row, "last_start_at")?, in_batch: row.get("batch_started")? })
}

/// What follows after a call.
pub(super) fn read_outcome(row: &Row<'_>) -> Result<OutcomeRules> {
    Ok(OutcomeRules {
        later_retry_times_s: listed(row, "later_retry_times_s")?,
        max_dials: row.get("max_dials")?,
        min_talk_s: row.get("min_talk_s")?,
        wrap_up_s: row.get("wrap_up_s")?,
    })
}

/// Writes what follows after a call.
fn set_outcome(db: &Connection, id: CampaignId, outcome: &OutcomeRules) -> Result<()> {
    let later: Vec<String> = outcome.later_retry_times_s.iter().map(u32::to_string).collect();
    let sql = "UPDATE campaigns SET later_retry_times_s = ?2, max_dials = ?3, min_talk_s = ?4, wrap_up_s = ?5
        WHERE id = ?1";
    let (max_dials, wrap_up_s) = (outcome.max_dials, outcome.wrap_up_s);
    db.prepare_cached(sql)?.execute(params![id.0, later.join(","), max_dials, outcome.min_talk_s, wrap_up_s])?;
    Ok(())
}

/// Adds a stopped campaign with the settings of `campaign`, whose `id` and `state` are not looked at.
pub fn add(db: &Connection, campaign: &Campaign, now: UtcMs) -> Result<CampaignId> {
    refuse_taken(db, &campaign.name)?;
    db.prepare_cached(
        "INSERT INTO campaigns (name, owner, trunk, state, created_at, window_start_s, window_stop_s, time_zone,
            max_retries, retry_time_s, wait_time_s)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, '', 0, 0, 0)",
    )?
    .execute(params![
        campaign.name.as_str(),
        campaign.owner.0,
        campaign.trunk.0,
        CampaignState::Stopped.as_str(),
        now.0
    ])?;
    let id = CampaignId(db.last_insert_rowid());
    update(db, &Campaign { id, ..campaign.clone() })?;
    Ok(id)
}

fn refuse_taken(db: &Connection, name: &Name) -> Result<()> {
    match find(db, name.as_str())? {
        None => Ok(()),
        Some(_) => Err(LedgerError::Taken { what: "campaign", name: name.to_string() }),
    }
}

/// Writes the settings of `campaign` over those in the ledger; its state and actions stay.
pub fn update(db: &Connection, campaign: &Campaign) -> Result<()> {
    let further: Vec<String> = campaign.further_trunks.iter().map(|trunk| trunk.0.to_string()).collect();
    db.prepare_cached(
        "UPDATE campaigns SET owner = ?2, trunk = ?3, window_start_s = ?4, window_stop_s = ?5, time_zone = ?6,
            max_retries = ?7, retry_time_s = ?8, wait_time_s = ?9, channels = ?10, caller_number = ?11,
            caller_name = ?12, further_trunks = ?13, line_check = ?14 WHERE id = ?1",
    )?
    .execute(params![
        campaign.id.0,
        campaign.owner.0,
        campaign.trunk.0,
        campaign.calendar.window.start_s(),
        campaign.calendar.window.stop_s(),
        campaign.calendar.zone.name(),
        campaign.retry.max_retries,
        campaign.retry.retry_time_s,
        campaign.retry.wait_time_s,
        campaign.channels,
        campaign.caller_number.as_ref().map(CallerNumber::as_str),
        campaign.caller_name.as_ref().map(CallerName::as_str),
        further.join(","),
        campaign.line_check.map(|check| check.0),
    ])?;
    set_contact_rules(db, campaign.id, campaign.contacts)?;
    rounds::set_rules(db, campaign.id, campaign.rounds)?;
    set_outcome(db, campaign.id, &campaign.outcome)?;
    traffic::set(db, campaign.id, &campaign.traffic)?;
    update_timing(db, campaign)
}

/// When it dials and at what pace.
fn update_timing(db: &Connection, campaign: &Campaign) -> Result<()> {
    let rhythm = campaign.pacing.rhythm;
    db.prepare_cached(
        "UPDATE campaigns SET calendar = ?2, starts_at = ?3, ends_at = ?4, priority = ?5, delay_ms = ?6,
            batch_calls = ?7, batch_pause_s = ?8, finish = ?9, variables = ?10, legal_hours = ?11 WHERE id = ?1",
    )?
    .execute(params![
        campaign.id.0,
        campaign.calendar_id.map(|id| id.0),
        campaign.calendar.schedule.starts_at.map(|at| at.0),
        campaign.calendar.schedule.ends_at.map(|at| at.0),
        campaign.pacing.priority,
        rhythm.delay_ms,
        rhythm.batch.map(|batch| batch.calls),
        rhythm.batch.map(|batch| batch.pause_s),
        campaign.finish.to_string(),
        details::stored(&campaign.variables)?,
        campaign.legal_hours.to_string(),
    ])?;
    Ok(())
}

fn set_contact_rules(db: &Connection, id: CampaignId, rules: ContactRules) -> Result<()> {
    let sql = "UPDATE campaigns SET calling_order = ?2, next_number_after_s = ?3 WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![id.0, rules.order.as_str(), rules.next_number_after_s])?;
    Ok(())
}

/// The campaign of this name.
pub fn find(db: &Connection, name: &str) -> Result<Option<Campaign>> {
    let mut statement = db.prepare_cached(&query("WHERE c.name = ?1"))?;
    first(statement.query([name])?, read)
}

/// The campaign of this row; `None` once it was removed.
pub fn get(db: &Connection, id: CampaignId) -> Result<Option<Campaign>> {
    let mut statement = db.prepare_cached(&query("WHERE c.id = ?1"))?;
    first(statement.query([id.0])?, read)
}

/// The campaigns over a trunk, by name.
pub fn over(db: &Connection, trunk: TrunkId) -> Result<Vec<Campaign>> {
    let mut statement = db.prepare_cached(&query(
        "WHERE c.removed_at IS NULL AND (c.trunk = ?1 OR ',' || c.further_trunks || ',' LIKE '%,' || ?1 || ',%')
        ORDER BY c.name",
    ))?;
    collect(statement.query([trunk.0])?, read)
}

/// What breakers are to the calls of a campaign.
pub(super) fn heed(db: &Connection, id: CampaignId) -> Result<Heed> {
    let mut statement = db.prepare_cached("SELECT line_check FROM campaigns WHERE id = ?1")?;
    Ok(Heed::of(first(statement.query([id.0])?, read_line_check)?.flatten()))
}

/// All campaigns by name, but for those of which only the report is left.
pub fn all(db: &Connection) -> Result<Vec<Campaign>> {
    let mut statement = db.prepare_cached(&query("WHERE c.removed_at IS NULL ORDER BY c.name"))?;
    collect(statement.query([])?, read)
}

/// The running campaigns, least recently served first.
pub fn running(db: &Connection) -> Result<Vec<Campaign>> {
    let mut statement = db.prepare_cached(&query("WHERE c.state = 'running' ORDER BY c.served_at, c.id"))?;
    collect(statement.query([])?, read)
}

/// Of a campaign `c`: it runs, nobody of it waits or is in a call, and no round of it begins. Costs the same for any
/// list.
pub(super) const THROUGH: &str = "c.state = 'running' AND c.walked_to IS NULL
         AND NOT EXISTS (SELECT 1 FROM contacts n WHERE n.campaign = c.id AND n.state = 'waiting' AND n.due_at IS NULL)
         AND NOT EXISTS (SELECT 1 FROM contacts n WHERE n.campaign = c.id AND n.state = 'waiting' AND n.due_at IS NOT NULL)
         AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.campaign = c.id AND a.closed_at IS NULL)";

/// The running campaigns without an open call that are done: with nothing left to call and no further round, unless
/// they never finish; with all the calls made that they were to make; with their end behind them. Costs the same for
/// any list.
pub fn finished(db: &Connection, now: UtcMs) -> Result<Vec<Campaign>> {
    let done = query(&format!("WHERE c.finish <> 'never' AND {THROUGH}"));
    let may_be_over = query(
        "WHERE c.state = 'running'
         AND (c.calendar IS NOT NULL OR c.ends_at IS NOT NULL OR c.finish NOT IN ('all', 'never'))
         AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.campaign = c.id AND a.closed_at IS NULL)",
    );
    let mut finished = Vec::new();
    for campaign in collect(db.prepare_cached(&done)?.query([])?, read)? {
        if rounds::next(db, &campaign, now)? == NextRound::Never {
            finished.push(campaign);
        }
    }
    for campaign in collect(db.prepare_cached(&may_be_over)?.query([])?, read)? {
        let known = finished.iter().any(|done| done.id == campaign.id);
        if !known && campaign.is_over(activity(db, campaign.id)?, now) {
            finished.push(campaign);
        }
    }
    finished.sort_unstable_by_key(|campaign| campaign.id);
    Ok(finished)
}

/// When a campaign was started and what it has done since.
pub fn activity(db: &Connection, id: CampaignId) -> Result<Activity> {
    let sql = "SELECT started_at, nullif(served_at, 0) AS served_at, calls_started FROM campaigns WHERE id = ?1";
    let read = |row: &Row<'_>| {
        Ok(Activity {
            started_at: instant_or_null(row, "started_at")?,
            served_at: instant_or_null(row, "served_at")?,
            calls_started: row.get("calls_started")?,
        })
    };
    Ok(first(db.prepare_cached(sql)?.query([id.0])?, read)?.unwrap_or_default())
}

/// How far a campaign is in its own pace, and how many more calls it is to make, when all that are planned have
/// started; what has neither is not asked for more.
pub fn progress(db: &Connection, campaign: &Campaign, latest: UtcMs) -> Result<(Beat, Option<u32>)> {
    let rhythm = campaign.pacing.rhythm;
    if rhythm.is_free() && campaign.finish.calls_left(0).is_none() {
        return Ok((Beat::default(), None));
    }
    let (beat, started) = started(db, campaign, latest)?;
    let sql =
        "SELECT planned_at FROM attempts WHERE campaign = ?1 AND closed_at IS NULL AND state IN ('intent', 'spooled')
        ORDER BY planned_at";
    let planned = collect(db.prepare_cached(sql)?.query([campaign.id.0])?, |row| instant(row, "planned_at"))?;
    let beat = planned.iter().fold(beat, |beat, at| rhythm.after(beat, *at));
    let planned = u32::try_from(planned.len()).unwrap_or(u32::MAX);
    Ok((beat, campaign.finish.calls_left(started.saturating_add(planned))))
}

/// How far a campaign is in its own pace, and how many calls it has made, by the calls that have started.
pub fn started(db: &Connection, campaign: &Campaign, latest: UtcMs) -> Result<(Beat, u32)> {
    let sql = "SELECT last_start_at, batch_started, calls_started FROM campaigns WHERE id = ?1";
    let read = |row: &Row<'_>| Ok((read_beat(row)?, row.get::<_, u32>("calls_started")?));
    let (beat, started) = first(db.prepare_cached(sql)?.query([campaign.id.0])?, read)?.unwrap_or_default();
    Ok((campaign.pacing.rhythm.believed(beat, latest), started))
}

/// Starts a campaign. What it has called so far counts on only when it was paused.
pub fn start(db: &Connection, campaign: &Campaign, now: UtcMs) -> Result<()> {
    set_state(db, campaign.id, CampaignState::Running)?;
    db.prepare_cached("UPDATE campaigns SET started_at = ?2 WHERE id = ?1")?.execute(params![campaign.id.0, now.0])?;
    if campaign.state != CampaignState::Paused {
        rounds::start_anew(db, campaign)?;
        db.prepare_cached("UPDATE campaigns SET calls_started = 0 WHERE id = ?1")?.execute([campaign.id.0])?;
    }
    Ok(())
}

/// Starts, pauses, stops or completes a campaign. Once committed, the gate admits or refuses by it (I4).
pub fn set_state(db: &Connection, id: CampaignId, state: CampaignState) -> Result<()> {
    db.prepare_cached("UPDATE campaigns SET state = ?2 WHERE id = ?1")?.execute(params![id.0, state.as_str()])?;
    Ok(())
}

/// Notes the last slot that was given to a campaign.
pub fn set_served(db: &Connection, id: CampaignId, at: UtcMs) -> Result<()> {
    db.prepare_cached("UPDATE campaigns SET served_at = ?2 WHERE id = ?1")?.execute(params![id.0, at.0])?;
    Ok(())
}

/// Removes a campaign without open attempts, with its numbers, attempts and evidence.
pub fn remove(db: &Connection, campaign: &Campaign) -> Result<()> {
    let open = super::attempts::open_of(db, campaign.id)?;
    if open > 0 {
        let by = format!("{open} open call(s); stop it and wait for these to end");
        return Err(LedgerError::InUse { what: "campaign", name: campaign.name.to_string(), by });
    }
    let id = [campaign.id.0];
    let closed = "FROM attempts WHERE campaign = ?1 AND closed_at IS NOT NULL";
    db.execute(&format!("DELETE FROM evidence WHERE attempt IN (SELECT id {closed})"), id)?;
    db.execute(&format!("DELETE {closed}"), id)?;
    db.execute("DELETE FROM contacts WHERE campaign = ?1", id)?;
    super::imports::forget(db, campaign.id)?;
    db.execute("DELETE FROM campaigns WHERE id = ?1", id)?;
    Ok(())
}
