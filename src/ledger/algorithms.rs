//! Call generation algorithms that somebody made, by name.

use rusqlite::{Connection, Row, params};

use super::rows::{collect, first, parsed};
use super::{LedgerError, Result, actions, campaigns, causes};
use crate::domain::algorithm::Algorithm;
use crate::domain::campaign::Campaign;
use crate::domain::ids::{AlgorithmId, CampaignId, UserId};
use crate::domain::instant::UtcMs;
use crate::domain::name::Name;

/// An algorithm as it stands in the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedAlgorithm {
    /// Its row.
    pub id: AlgorithmId,
    /// Its name.
    pub name: Name,
    /// Who may change it, beside admins.
    pub owner: UserId,
    /// What it says.
    pub rules: Algorithm,
}

const COLUMNS: &str = "SELECT id, name, owner, rules FROM algorithms";

fn read(row: &Row<'_>) -> Result<NamedAlgorithm> {
    let rules: String = row.get("rules")?;
    Ok(NamedAlgorithm {
        id: AlgorithmId(row.get("id")?),
        name: parsed(row, "name")?,
        owner: UserId(row.get("owner")?),
        rules: serde_json::from_str(&rules).map_err(|problem| LedgerError::corrupt("an algorithm", problem))?,
    })
}

fn stored(rules: &Algorithm) -> Result<String> {
    serde_json::to_string(rules).map_err(|problem| LedgerError::corrupt("an algorithm", problem))
}

/// Adds an algorithm; refuses a name that is taken.
pub fn add(db: &Connection, name: &Name, owner: UserId, rules: &Algorithm, now: UtcMs) -> Result<AlgorithmId> {
    if find(db, name)?.is_some() {
        return Err(LedgerError::Taken { what: "algorithm", name: name.to_string() });
    }
    let sql = "INSERT INTO algorithms (name, owner, rules, created_at) VALUES (?1, ?2, ?3, ?4)";
    db.prepare_cached(sql)?.execute(params![name.as_str(), owner.0, stored(rules)?, now.0])?;
    Ok(AlgorithmId(db.last_insert_rowid()))
}

/// Writes what an algorithm says over what it said; campaigns that were made from it keep what they have.
pub fn update(db: &Connection, id: AlgorithmId, rules: &Algorithm) -> Result<()> {
    db.prepare_cached("UPDATE algorithms SET rules = ?2 WHERE id = ?1")?.execute(params![id.0, stored(rules)?])?;
    Ok(())
}

/// The algorithm of this name.
pub fn find(db: &Connection, name: &Name) -> Result<Option<NamedAlgorithm>> {
    first(db.prepare_cached(&format!("{COLUMNS} WHERE name = ?1"))?.query([name.as_str()])?, read)
}

/// All algorithms by name.
pub fn all(db: &Connection) -> Result<Vec<NamedAlgorithm>> {
    collect(db.prepare_cached(&format!("{COLUMNS} ORDER BY name"))?.query([])?, read)
}

/// Removes an algorithm; campaigns that were made from it stay.
pub fn remove(db: &Connection, id: AlgorithmId) -> Result<()> {
    db.prepare_cached("DELETE FROM algorithms WHERE id = ?1")?.execute([id.0])?;
    Ok(())
}

/// What a campaign would be as an algorithm.
pub fn of_campaign(db: &Connection, campaign: &Campaign) -> Result<Algorithm> {
    Ok(Algorithm::of(campaign, causes::table(db, campaign.id)?, actions::get(db, campaign.actions)?))
}

/// Adds a campaign, with the causes and the lists of an algorithm; its settings are those that `campaign` has.
pub fn add_campaign(db: &Connection, campaign: &Campaign, algorithm: &Algorithm, now: UtcMs) -> Result<CampaignId> {
    let id = campaigns::add(db, campaign, now)?;
    for (cause, rule) in &algorithm.causes.0 {
        causes::set(db, id, *cause, *rule)?;
    }
    actions::replace(db, id, &algorithm.actions)?;
    Ok(id)
}
