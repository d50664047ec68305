//! Trunks.

use rusqlite::{Connection, Row, params};

use super::breakers::{self, read_rules};
use super::rows::{collect, first, parsed, parsed_or_null};
use super::{LedgerError, Result, campaigns};
use crate::domain::breaker::BreakerRules;
use crate::domain::ids::TrunkId;
use crate::domain::instant::UtcMs;
use crate::domain::name::{AccountCode, Name};
use crate::domain::trunk::{DialTemplate, ShortNumbers, Trunk, TrunkLine};

const COLUMNS: &str = "SELECT id, name, template, channels, starts_per_second, account, short_numbers, line, \
    breaker_failures_percent, breaker_window_s, breaker_calls_min, breaker_rest_s FROM trunks";

/// A trunk that is not in the ledger yet.
#[derive(Debug, Clone)]
pub struct NewTrunk {
    /// Its name.
    pub name: Name,
    /// How a number becomes a dial string.
    pub template: DialTemplate,
    /// The most calls at once.
    pub channels: Option<u32>,
    /// The most starts in a second.
    pub starts_per_second: Option<u32>,
    /// The account code for billing.
    pub account: Option<AccountCode>,
    /// Whether extensions and short codes are allowed.
    pub short_numbers: ShortNumbers,
    /// When too many failures keep calls from it; `None` for never.
    pub breaker: Option<BreakerRules>,
    /// Whether made-up calls may go over it.
    pub line: TrunkLine,
}

fn read(row: &Row<'_>) -> Result<Trunk> {
    Ok(Trunk {
        id: TrunkId(row.get("id")?),
        name: parsed(row, "name")?,
        template: parsed(row, "template")?,
        channels: row.get("channels")?,
        starts_per_second: row.get("starts_per_second")?,
        account: parsed_or_null(row, "account")?,
        short_numbers: parsed(row, "short_numbers")?,
        breaker: read_rules(row)?,
        line: parsed(row, "line")?,
    })
}

/// Adds a trunk; refuses a name that is taken.
pub fn add(db: &Connection, trunk: &NewTrunk, now: UtcMs) -> Result<TrunkId> {
    if find(db, trunk.name.as_str())?.is_some() {
        return Err(LedgerError::Taken { what: "trunk", name: trunk.name.to_string() });
    }
    let account = trunk.account.as_ref().map(AccountCode::as_str);
    db.prepare_cached(
        "INSERT INTO trunks (name, template, channels, starts_per_second, account, short_numbers, created_at, line)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        trunk.name.as_str(),
        trunk.template.as_str(),
        trunk.channels,
        trunk.starts_per_second,
        account,
        trunk.short_numbers.as_str(),
        now.0,
        trunk.line.as_str()
    ])?;
    let id = TrunkId(db.last_insert_rowid());
    set_breaker(db, id, trunk.breaker)?;
    Ok(id)
}

/// Writes the settings of `trunk`, but for its name and its short numbers. Another breaker begins anew.
pub fn update(db: &Connection, trunk: &Trunk) -> Result<()> {
    let before = get(db, trunk.id)?.breaker;
    let sql = "UPDATE trunks SET template = ?2, channels = ?3, starts_per_second = ?4, account = ?5, line = ?6
        WHERE id = ?1";
    let account = trunk.account.as_ref().map(AccountCode::as_str);
    db.prepare_cached(sql)?.execute(params![
        trunk.id.0,
        trunk.template.as_str(),
        trunk.channels,
        trunk.starts_per_second,
        account,
        trunk.line.as_str()
    ])?;
    if before != trunk.breaker {
        set_breaker(db, trunk.id, trunk.breaker)?;
        breakers::forget(db, trunk.id)?;
    }
    Ok(())
}

fn set_breaker(db: &Connection, id: TrunkId, rules: Option<BreakerRules>) -> Result<()> {
    let sql = "UPDATE trunks SET breaker_failures_percent = ?2, breaker_window_s = ?3, breaker_calls_min = ?4,
        breaker_rest_s = ?5 WHERE id = ?1";
    let BreakerRules { window_s, calls_min, rest_s, .. } = rules.unwrap_or_default();
    let percent = rules.map(|rules| rules.failures_percent);
    db.prepare_cached(sql)?.execute(params![id.0, percent, window_s, calls_min, rest_s])?;
    Ok(())
}

/// Says who answers at a trunk's other end. Whether its campaigns allow that is for the caller to judge.
pub fn set_line(db: &Connection, id: TrunkId, line: TrunkLine) -> Result<()> {
    db.execute("UPDATE trunks SET line = ?2 WHERE id = ?1", params![id.0, line.as_str()])?;
    Ok(())
}

/// The trunk of this name.
pub fn find(db: &Connection, name: &str) -> Result<Option<Trunk>> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE name = ?1"))?;
    first(statement.query([name])?, read)
}

/// The trunk of this row.
pub fn get(db: &Connection, id: TrunkId) -> Result<Trunk> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?;
    first(statement.query([id.0])?, read)?.ok_or_else(|| LedgerError::absent("trunk", id.to_string()))
}

/// All trunks by name.
pub fn all(db: &Connection) -> Result<Vec<Trunk>> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} ORDER BY name"))?;
    collect(statement.query([])?, read)
}

/// Removes a trunk that no campaign uses and no attempt was ever made over.
pub fn remove(db: &Connection, trunk: &Trunk) -> Result<()> {
    let in_use = |by: String| LedgerError::InUse { what: "trunk", name: trunk.name.to_string(), by };
    let campaigns = campaigns::all(db)?;
    let users = campaigns.iter().filter(|campaign| campaign.trunks().contains(&trunk.id));
    let names: Vec<String> = users.map(|campaign| campaign.name.to_string()).collect();
    if !names.is_empty() {
        return Err(in_use(format!("campaign(s) {}; give these another trunk first", names.join(", "))));
    }
    let called: bool =
        db.query_row("SELECT EXISTS (SELECT 1 FROM attempts WHERE trunk = ?1)", [trunk.id.0], |row| row.get(0))?;
    if called {
        return Err(in_use("the reports of calls made over it".to_owned()));
    }
    db.execute("DELETE FROM trunks WHERE id = ?1", [trunk.id.0])?;
    db.execute("DELETE FROM paces WHERE scope = ?1", [format!("trunk:{}", trunk.id)])?;
    Ok(())
}

/// How many attempts over the trunk are open.
pub fn open_attempts(db: &Connection, id: TrunkId) -> Result<u32> {
    let sql = "SELECT count(*) FROM attempts WHERE trunk = ?1 AND closed_at IS NULL";
    Ok(db.prepare_cached(sql)?.query_row([id.0], |row| row.get(0))?)
}
