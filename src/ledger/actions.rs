//! Action lists: frozen once written.

use rusqlite::{Connection, OptionalExtension, params};

use super::{LedgerError, Result};
use crate::domain::action::Actions;
use crate::domain::ids::{ActionListId, CampaignId};

/// The lists that a campaign or a call has; empty without any.
pub fn get(db: &Connection, list: Option<ActionListId>) -> Result<Actions> {
    let Some(list) = list else { return Ok(Actions::default()) };
    let mut statement = db.prepare_cached("SELECT actions FROM action_lists WHERE id = ?1")?;
    let text: Option<String> = statement.query_row([list.0], |row| row.get(0)).optional()?;
    let text = text.ok_or_else(|| LedgerError::absent("action list", list.to_string()))?;
    serde_json::from_str(&text).map_err(|problem| LedgerError::corrupt("an action list", problem))
}

/// Gives a campaign new lists; calls that are planned already keep theirs.
pub fn replace(db: &Connection, campaign: CampaignId, actions: &Actions) -> Result<()> {
    let list = if *actions == Actions::default() { None } else { Some(store(db, actions)?) };
    db.prepare_cached("UPDATE campaigns SET action_list = ?2 WHERE id = ?1")?
        .execute(params![campaign.0, list.map(|l| l.0)])?;
    Ok(())
}

fn store(db: &Connection, actions: &Actions) -> Result<ActionListId> {
    let text = serde_json::to_string(actions).map_err(|problem| LedgerError::corrupt("an action list", problem))?;
    db.prepare_cached("INSERT INTO action_lists (actions) VALUES (?1)")?.execute([text])?;
    Ok(ActionListId(db.last_insert_rowid()))
}
