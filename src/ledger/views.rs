//! What reports and live views show.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};

use super::contacts::Contact;
use super::rows::{collect, instant, instant_or_null, number, parsed, parsed_or_null};
use super::traffic::read_draw;
use super::{Result, evidence};
use crate::domain::attempt::AttemptState;
use crate::domain::disposition::Disposition;
use crate::domain::evidence::{Fact, Step};
use crate::domain::ids::{AttemptId, CampaignId, TrunkId};
use crate::domain::instant::UtcMs;
use crate::domain::number::Number;
use crate::domain::traffic::Draw;

/// An attempt as a report shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptRow {
    /// Which.
    pub id: AttemptId,
    /// The number that was called.
    pub number: Number,
    /// Over which line.
    pub trunk: TrunkId,
    /// How far it came.
    pub state: AttemptState,
    /// Its slot.
    pub planned_at: UtcMs,
    /// When `Dial` was entered.
    pub dialled_at: Option<UtcMs>,
    /// When it was answered.
    pub answered_at: Option<UtcMs>,
    /// When it ended.
    pub ended_at: Option<UtcMs>,
    /// How it ended; `None` while it is open.
    pub disposition: Option<Disposition>,
    /// Why, in words.
    pub detail: Option<String>,
    /// Q.850 cause.
    pub cause: Option<u16>,
    /// SIP code.
    pub sip_code: Option<u16>,
    /// How long it rang.
    pub ring_ms: Option<i64>,
    /// How long it was connected.
    pub talk_ms: Option<i64>,
    /// What was made up for it.
    pub draw: Draw,
}

const COLUMNS: &str = "SELECT id, number, trunk, state, planned_at, dialled_at, answered_at, ended_at, disposition, detail, \
    cause, sip_code, ring_ms, talk_ms, planned_talk_ms, cancel_after_s FROM attempts";

fn read(row: &Row<'_>) -> Result<AttemptRow> {
    Ok(AttemptRow {
        id: AttemptId(row.get("id")?),
        number: number(row, "number")?,
        trunk: TrunkId(row.get("trunk")?),
        state: parsed(row, "state")?,
        planned_at: instant(row, "planned_at")?,
        dialled_at: instant_or_null(row, "dialled_at")?,
        answered_at: instant_or_null(row, "answered_at")?,
        ended_at: instant_or_null(row, "ended_at")?,
        disposition: parsed_or_null(row, "disposition")?,
        detail: row.get("detail")?,
        cause: row.get("cause")?,
        sip_code: row.get("sip_code")?,
        ring_ms: row.get("ring_ms")?,
        talk_ms: row.get("talk_ms")?,
        draw: read_draw(row)?,
    })
}

/// A page of a campaign's attempts behind `after`, in the order of planning.
pub fn attempts_page(db: &Connection, campaign: CampaignId, after: AttemptId, limit: u32) -> Result<Vec<AttemptRow>> {
    // The inner query is for the few that are open: by their ids alone SQLite would walk all attempts.
    let sql = format!(
        "{COLUMNS} WHERE campaign = ?1 AND id > ?2 AND closed_at IS NOT NULL
         UNION ALL
         {COLUMNS} WHERE id > ?2 AND id IN (SELECT id FROM attempts WHERE campaign = ?1 AND closed_at IS NULL)
         ORDER BY id LIMIT ?3"
    );
    collect(db.prepare_cached(&sql)?.query(params![campaign.0, after.0, limit])?, read)
}

/// The last closed attempts of a campaign before `before`, newest first.
pub fn closed_before(db: &Connection, campaign: CampaignId, before: AttemptId, limit: u32) -> Result<Vec<AttemptRow>> {
    let sql = format!("{COLUMNS} WHERE campaign = ?1 AND id < ?2 AND closed_at IS NOT NULL ORDER BY id DESC LIMIT ?3");
    collect(db.prepare_cached(&sql)?.query(params![campaign.0, before.0, limit])?, read)
}

/// The last attempts of a contact, over all of its numbers, newest first.
pub fn attempts_of(db: &Connection, contact: &Contact, limit: u32) -> Result<Vec<AttemptRow>> {
    let mine = "number IN (SELECT ?1 UNION SELECT number FROM contact_lines WHERE contact = ?2) AND contact = ?2";
    let sql = format!(
        "{COLUMNS} WHERE {mine} AND closed_at IS NOT NULL
         UNION ALL
         {COLUMNS} WHERE {mine} AND closed_at IS NULL
         ORDER BY id DESC LIMIT ?3"
    );
    collect(db.prepare_cached(&sql)?.query(params![contact.number.as_str(), contact.id.0, limit])?, read)
}

/// The name of the campaign that has an open attempt to this number.
pub fn campaign_calling(db: &Connection, number: &Number) -> Result<Option<String>> {
    let sql = "SELECT c.name FROM attempts a JOIN campaigns c ON c.id = a.campaign
        WHERE a.number = ?1 AND a.closed_at IS NULL";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([number.as_str()])?;
    Ok(match rows.next()? {
        None => None,
        Some(row) => Some(row.get(0)?),
    })
}

/// The steps of the action list that ran in an attempt, in order.
pub fn steps(db: &Connection, attempt: AttemptId) -> Result<Vec<Step>> {
    let facts = evidence::of(db, attempt)?.into_iter();
    let mut steps: Vec<Step> =
        facts.filter_map(|e| if let Fact::Step(step) = e.fact { Some(step) } else { None }).collect();
    steps.sort_by_key(|step| (step.ordinal, step.index));
    Ok(steps)
}

/// How many closed attempts of a campaign, or of all, ended in each disposition.
pub fn dispositions(db: &Connection, campaign: Option<CampaignId>) -> Result<BTreeMap<Disposition, u64>> {
    let sql = "SELECT disposition, count(*) AS n FROM attempts
        WHERE disposition IS NOT NULL AND (?1 IS NULL OR campaign = ?1) GROUP BY disposition";
    let mut statement = db.prepare_cached(sql)?;
    let pairs =
        collect(statement.query([campaign.map(|c| c.0)])?, |row| Ok((parsed(row, "disposition")?, row.get("n")?)))?;
    Ok(pairs.into_iter().collect())
}

/// The calls that are up now, by how far they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Live {
    /// Planned: a slot is given, the gate has not been asked.
    pub planned: u64,
    /// Dialled and not answered.
    pub ringing: u64,
    /// Answered and not ended.
    pub talking: u64,
    /// The next planned instants, ascending.
    pub next_starts: Vec<UtcMs>,
}

/// The calls of a campaign, or of all, that are up now.
pub fn live(db: &Connection, campaign: Option<CampaignId>, starts: usize) -> Result<Live> {
    let sql = "SELECT state, planned_at,
            EXISTS (SELECT 1 FROM evidence e WHERE e.attempt = a.id AND e.kind = 'answered') AS answered
        FROM attempts a WHERE closed_at IS NULL AND (?1 IS NULL OR campaign = ?1) ORDER BY planned_at";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([campaign.map(|c| c.0)])?;
    let mut live = Live::default();
    while let Some(row) = rows.next()? {
        match (parsed::<AttemptState>(row, "state")?, row.get::<_, bool>("answered")?) {
            (AttemptState::Claimed, true) => live.talking += 1,
            (AttemptState::Claimed, false) => live.ringing += 1,
            _ => {
                live.planned += 1;
                if live.next_starts.len() < starts {
                    live.next_starts.push(instant(row, "planned_at")?);
                }
            }
        }
    }
    Ok(live)
}
