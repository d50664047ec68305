//! The claim at the gate: judged and recorded in one transaction.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::calendars::{self, read_of_campaign};
use super::campaigns::{read_beat, read_line_check, read_rhythm};
use super::rows::{first, instant, number, parsed};
use super::traffic::read_draw;
use super::{LedgerError, Result, breakers, callees, evidence, lines, zones};
use crate::domain::attempt::AttemptState;
use crate::domain::bar::FrequencyCap;
use crate::domain::breaker::{Heed, LineLeave};
use crate::domain::calendar::LegalHours;
use crate::domain::campaign::Finish;
use crate::domain::evidence::{Evidence, Fact};
use crate::domain::gate::{GateCampaign, GateView, LATE_MS_MAX, Pace, PaceKind, Refusal, judge};
use crate::domain::ids::{AttemptId, CampaignId, ContactId, TrunkId};
use crate::domain::instant::UtcMs;
use crate::domain::number::Number;
use crate::domain::rhythm::Beat;
use crate::domain::traffic::Draw;
use crate::domain::trunk::TrunkLine;
use crate::domain::zoning::LegalRules;

/// The server's rate, in calls a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerRate(pub u32);

impl ServerRate {
    fn spacing_ms(self) -> i64 {
        60_000 / i64::from(self.0.max(1))
    }
}

/// What the settings say about calls of all campaigns together.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerRules {
    /// The rate.
    pub rate: ServerRate,
    /// The most calls at the same time; `None` for no cap.
    pub channels_max: Option<u32>,
    /// The most calls to one number; `None` for no cap.
    pub frequency: Option<FrequencyCap>,
    /// The hours in which people may be called where they are.
    pub legal: LegalRules,
}

impl From<ServerRate> for ServerRules {
    fn from(rate: ServerRate) -> Self {
        Self { rate, channels_max: None, frequency: None, legal: LegalRules::NONE }
    }
}

struct Claimant {
    campaign: CampaignId,
    trunk: TrunkId,
    contact: Option<i64>,
    number: Number,
    state: AttemptState,
    planned_at: UtcMs,
    draw: Draw,
}

/// Admits an attempt once, or says why not; either way the fact is recorded with it.
///
/// Whoever stops a campaign commits in the same ledger: a stop that was acknowledged before this
/// transaction began is seen by it (I4), and no second claim of the attempt is ever admitted (I1).
pub fn claim(
    db: &Connection,
    id: AttemptId,
    rules: impl Into<ServerRules>,
    now: UtcMs,
) -> Result<std::result::Result<UtcMs, Refusal>> {
    let claimant = claimant(db, id)?;
    let view = view(db, &claimant, &rules.into(), now)?;
    let verdict = judge(&view);
    let fact = match &verdict {
        Ok(start_at) => {
            admit(db, id, &claimant, &view, *start_at)?;
            Fact::Admitted { start_at: *start_at }
        }
        Err(why) => Fact::Refused { why: why.clone() },
    };
    evidence::append(db, id, &Evidence { at: now, fact })?;
    Ok(verdict)
}

fn claimant(db: &Connection, id: AttemptId) -> Result<Claimant> {
    let sql = "SELECT campaign, trunk, contact, number, state, planned_at, planned_talk_ms, cancel_after_s
        FROM attempts WHERE id = ?1";
    let read = |row: &Row<'_>| {
        Ok(Claimant {
            campaign: CampaignId(row.get("campaign")?),
            trunk: TrunkId(row.get("trunk")?),
            contact: row.get("contact")?,
            number: number(row, "number")?,
            state: parsed(row, "state")?,
            planned_at: instant(row, "planned_at")?,
            draw: read_draw(row)?,
        })
    };
    first(db.prepare_cached(sql)?.query([id.0])?, read)?.ok_or_else(|| LedgerError::absent("attempt", id.to_string()))
}

fn view(db: &Connection, claimant: &Claimant, rules: &ServerRules, now: UtcMs) -> Result<GateView> {
    let campaign = match claimant.contact {
        None => None,
        Some(_) => gate_campaign(db, claimant.campaign)?,
    };
    let TrunkNow { channels: trunk_channels, starts_per_second, line: trunk_line } = trunk_now(db, claimant.trunk)?;
    let trunk = match starts_per_second {
        None => None,
        Some(per_second) => Some(pace(db, &trunk_scope(claimant.trunk), PaceKind::Cap, spacing_of(per_second), now)?),
    };
    let (expires_at, line) = claimant.contact.map_or(Ok((None, None)), |contact| lines::at_the_gate(db, contact))?;
    Ok(GateView {
        bar: callees::at_the_gate(
            db,
            claimant.campaign,
            claimant.contact,
            (rules.frequency, claimant.planned_at),
            now,
        )?,
        now,
        state: claimant.state,
        planned_at: claimant.planned_at,
        legal: legal_hours(db, claimant, campaign.as_ref(), &rules.legal)?,
        expires_at,
        line,
        campaign_live: live(db, "campaign", claimant.campaign.0, campaign.as_ref().and_then(|c| c.channels))?,
        campaign,
        trunk_live: live(db, "trunk", claimant.trunk.0, trunk_channels)?,
        trunk_channels,
        server_live: live_of_all(db, rules.channels_max)?,
        server_channels: rules.channels_max,
        trunk_leave: breakers::leave(db, claimant.trunk, now)?,
        server: pace(db, SERVER, PaceKind::Grid, rules.rate.spacing_ms(), now)?,
        trunk,
        trunk_line,
        draw: claimant.draw,
    })
}

/// The hours of whom the attempt would call.
fn legal_hours(
    db: &Connection,
    claimant: &Claimant,
    campaign: Option<&GateCampaign>,
    rules: &LegalRules,
) -> Result<Option<Arc<LegalHours>>> {
    let (Some(contact), Some(campaign)) = (claimant.contact, campaign) else { return Ok(None) };
    let callee = (ContactId(contact), &claimant.number);
    zones::legal_hours(db, (&campaign.legal_hours, &campaign.calendar.zone), callee, rules)
}

fn gate_campaign(db: &Connection, id: CampaignId) -> Result<Option<GateCampaign>> {
    let sql = format!(
        "SELECT c.state, c.channels, c.window_start_s, c.window_stop_s, c.time_zone, c.wait_time_s, c.calendar, c.starts_at,
            c.ends_at, c.delay_ms, c.batch_calls, c.batch_pause_s, c.last_start_at, c.batch_started, c.finish, c.calls_started,
            c.legal_hours, c.line_check, {} FROM campaigns c {} WHERE c.id = ?1",
        calendars::OF_A_CAMPAIGN,
        calendars::JOIN
    );
    let read = |row: &Row<'_>| {
        Ok(GateCampaign {
            state: parsed(row, "state")?,
            calendar: read_of_campaign(row)?,
            channels: row.get("channels")?,
            rhythm: read_rhythm(row)?,
            legal_hours: parsed(row, "legal_hours")?,
            beat: read_beat(row)?,
            heed: Heed::of(read_line_check(row)?),
            calls_left: parsed::<Finish>(row, "finish")?.calls_left(row.get("calls_started")?),
        })
    };
    first(db.prepare_cached(&sql)?.query([id.0])?, read)
}

struct TrunkNow {
    channels: Option<u32>,
    starts_per_second: Option<u32>,
    line: TrunkLine,
}

fn trunk_now(db: &Connection, id: TrunkId) -> Result<TrunkNow> {
    let sql = "SELECT channels, starts_per_second, line FROM trunks WHERE id = ?1";
    let read = |row: &Row<'_>| {
        let (channels, starts_per_second) = (row.get("channels")?, row.get("starts_per_second")?);
        Ok(TrunkNow { channels, starts_per_second, line: parsed(row, "line")? })
    };
    first(db.prepare_cached(sql)?.query([id.0])?, read)?.ok_or_else(|| LedgerError::absent("trunk", id.to_string()))
}

/// Calls that the gate admitted and that have not ended, counted up to `cap`: more are not asked for, and without
/// a cap none. `column` is one of ours, never a foreign text.
fn live(db: &Connection, column: &'static str, id: i64, cap: Option<u32>) -> Result<u32> {
    let Some(cap) = cap else { return Ok(0) };
    let live = format!("SELECT 1 FROM attempts WHERE {column} = ?1 AND state = 'claimed' LIMIT ?2");
    let sql = format!("SELECT count(*) FROM ({live})");
    Ok(db.prepare_cached(&sql)?.query_row([id, i64::from(cap)], |row| row.get(0))?)
}

pub(super) const LIVE_OF_ALL: &str = "SELECT count(*) FROM (SELECT 1 FROM attempts WHERE state = 'claimed' LIMIT ?1)";

/// As [`live`], over all campaigns and trunks.
fn live_of_all(db: &Connection, cap: Option<u32>) -> Result<u32> {
    let Some(cap) = cap else { return Ok(0) };
    Ok(db.prepare_cached(LIVE_OF_ALL)?.query_row([i64::from(cap)], |row| row.get(0))?)
}

const SERVER: &str = "server";

fn trunk_scope(id: TrunkId) -> String {
    format!("trunk:{id}")
}

/// Rounded up: a thousandth of a second too long keeps the cap, too short would not.
fn spacing_of(per_second: u32) -> i64 {
    i64::from(1000_u32.div_ceil(per_second.max(1)))
}

fn pace(db: &Connection, scope: &str, kind: PaceKind, spacing_ms: i64, now: UtcMs) -> Result<Pace> {
    let mut statement = db.prepare_cached("SELECT next_at FROM paces WHERE scope = ?1")?;
    let next_at: Option<i64> = statement.query_row([scope], |row| row.get(0)).optional()?;
    // A clock that was set back leaves a turn further ahead than any start of the present could: forget it.
    let latest = now.plus_ms(LATE_MS_MAX + spacing_ms);
    let next_at = next_at.map(UtcMs).filter(|t| *t <= latest).unwrap_or(UtcMs(0));
    Ok(Pace { kind, spacing_ms, next_at })
}

fn admit(db: &Connection, id: AttemptId, claimant: &Claimant, view: &GateView, start_at: UtcMs) -> Result<()> {
    db.prepare_cached("UPDATE attempts SET state = 'claimed', start_at = ?2 WHERE id = ?1")?
        .execute(params![id.0, start_at.0])?;
    if let Some(campaign) = &view.campaign {
        count_start(db, claimant.campaign, campaign.beat_after(start_at, view.now))?;
    }
    if view.leave() != LineLeave::All {
        breakers::begin_trial(db, claimant.trunk, id)?;
    }
    set_pace(db, SERVER, view.server.after(start_at))?;
    match view.trunk {
        None => Ok(()),
        Some(trunk) => set_pace(db, &trunk_scope(claimant.trunk), trunk.after(start_at)),
    }
}

fn count_start(db: &Connection, id: CampaignId, beat: Beat) -> Result<()> {
    let sql =
        "UPDATE campaigns SET calls_started = calls_started + 1, last_start_at = ?2, batch_started = ?3 WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![id.0, beat.last_start_at.map(|at| at.0), beat.in_batch])?;
    Ok(())
}

fn set_pace(db: &Connection, scope: &str, pace: Pace) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO paces (scope, next_at) VALUES (?1, ?2) ON CONFLICT (scope) DO UPDATE SET next_at = excluded.next_at",
    )?
    .execute(params![scope, pace.next_at.0])?;
    Ok(())
}
