//! Checks of lines: campaigns that call the same numbers, each over another trunk, under one name.

use rusqlite::{Connection, Row, params};

use super::rows::{collect, first, parsed};
use super::views::{self, AttemptRow};
use super::{LedgerError, Result, campaigns, evidence};
use crate::domain::action::Action;
use crate::domain::campaign::Campaign;
use crate::domain::evidence::{Fact, Finding, Report, Step, StepResult};
use crate::domain::ids::{AttemptId, CampaignId, LineCheckId, UserId};
use crate::domain::instant::UtcMs;
use crate::domain::line_check::Heard;
use crate::domain::name::Name;

/// A check as it stands in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineCheck {
    /// Its row.
    pub id: LineCheckId,
    /// Its name.
    pub name: Name,
    /// Who sees it, beside admins.
    pub owner: UserId,
}

const COLUMNS: &str = "SELECT id, name, owner FROM line_checks";

fn read(row: &Row<'_>) -> Result<LineCheck> {
    Ok(LineCheck { id: LineCheckId(row.get("id")?), name: parsed(row, "name")?, owner: UserId(row.get("owner")?) })
}

/// Adds a check without campaigns; refuses a name that is taken.
pub fn add(db: &Connection, name: &Name, owner: UserId, now: UtcMs) -> Result<LineCheckId> {
    if find(db, name)?.is_some() {
        return Err(LedgerError::Taken { what: "line-check", name: name.to_string() });
    }
    let sql = "INSERT INTO line_checks (name, owner, created_at) VALUES (?1, ?2, ?3)";
    db.prepare_cached(sql)?.execute(params![name.as_str(), owner.0, now.0])?;
    Ok(LineCheckId(db.last_insert_rowid()))
}

/// The check of this name.
pub fn find(db: &Connection, name: &Name) -> Result<Option<LineCheck>> {
    first(db.prepare_cached(&format!("{COLUMNS} WHERE name = ?1"))?.query([name.as_str()])?, read)
}

/// All checks by name.
pub fn all(db: &Connection) -> Result<Vec<LineCheck>> {
    collect(db.prepare_cached(&format!("{COLUMNS} ORDER BY name"))?.query([])?, read)
}

/// The campaigns of a check, in the order of its trunks.
pub fn campaigns_of(db: &Connection, check: LineCheckId) -> Result<Vec<Campaign>> {
    let sql = campaigns::query("WHERE c.line_check = ?1 ORDER BY c.id");
    collect(db.prepare_cached(&sql)?.query([check.0])?, campaigns::read)
}

/// Removes a check with its campaigns, their numbers and their reports.
pub fn remove(db: &Connection, check: LineCheckId) -> Result<()> {
    for campaign in campaigns_of(db, check)? {
        campaigns::remove(db, &campaign)?;
    }
    db.prepare_cached("DELETE FROM line_checks WHERE id = ?1")?.execute([check.0])?;
    Ok(())
}

/// A call of a check, with what was measured in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The call.
    pub attempt: AttemptRow,
    /// From `Dial` to the first ringing or progress.
    pub signalled_after_ms: Option<i64>,
    /// What the first `LISTEN` that ended came to.
    pub heard: Option<Heard>,
}

/// The last closed calls of a campaign before an attempt, newest first.
pub fn measured_before(db: &Connection, campaign: CampaignId, before: AttemptId, most: u32) -> Result<Vec<Measured>> {
    let attempts = views::closed_before(db, campaign, before, most)?;
    attempts.into_iter().map(|attempt| measured(db, attempt)).collect()
}

fn measured(db: &Connection, attempt: AttemptRow) -> Result<Measured> {
    let facts = evidence::of(db, attempt.id)?;
    let signalled = |report: &Report| report.ring_after_ms.into_iter().chain(report.progress_after_ms).min();
    let signalled_after_ms = facts.iter().find_map(|fact| match &fact.fact {
        Fact::Reported(report) => signalled(report),
        _ => None,
    });
    let heard = facts.iter().find_map(|fact| match &fact.fact {
        Fact::Step(step) => heard(step),
        _ => None,
    });
    Ok(Measured { attempt, signalled_after_ms, heard })
}

/// Who hung up first was not heard.
fn heard(step: &Step) -> Option<Heard> {
    match (&step.action, step.result, &step.finding) {
        (_, _, Some(Finding::Sound { after_ms })) => Some(after_ms.map_or(Heard::Nothing, Heard::AfterMs)),
        (Action::Listen(_), StepResult::HungUp, None) => Some(Heard::Nothing),
        _ => None,
    }
}
