//! Imports: which contacts each brought, so that it can be undone while none of them was dialled.

use rusqlite::{Connection, Row, params};

use super::Result;
use super::rows::{collect, first, instant, instant_or_null, number};
use crate::domain::ids::{CampaignId, ContactId, ImportId};
use crate::domain::instant::UtcMs;
use crate::domain::number::Number;

/// An import as it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Which.
    pub id: ImportId,
    /// The file's name.
    pub file: String,
    /// When it began.
    pub began_at: UtcMs,
    /// Contacts that it brought.
    pub imported: u64,
    /// When it was undone.
    pub undone_at: Option<UtcMs>,
}

/// What keeps an import from being undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dialled {
    /// This number was called.
    Called(Number),
    /// A call of this number is planned or on its way.
    InCall(Number),
}

fn read(row: &Row<'_>) -> Result<Import> {
    Ok(Import {
        id: ImportId(row.get("id")?),
        file: row.get("file")?,
        began_at: instant(row, "began_at")?,
        imported: row.get("imported")?,
        undone_at: instant_or_null(row, "undone_at")?,
    })
}

const COLUMNS: &str = "SELECT id, file, began_at, imported, undone_at FROM imports";

/// Notes that an import begins.
pub fn begin(db: &Connection, campaign: CampaignId, file: &str, now: UtcMs) -> Result<ImportId> {
    let sql = "INSERT INTO imports (campaign, file, began_at) VALUES (?1, ?2, ?3)";
    db.prepare_cached(sql)?.execute(params![campaign.0, file, now.0])?;
    Ok(ImportId(db.last_insert_rowid()))
}

/// Notes what one transaction of it brought: `new` contacts, all of those behind `before`.
pub fn note(db: &Connection, import: ImportId, before: ContactId, new: u64) -> Result<()> {
    if new == 0 {
        return Ok(());
    }
    let last: i64 = db.prepare_cached("SELECT max(id) FROM contacts")?.query_row([], |row| row.get(0))?;
    let sql = "UPDATE import_spans SET last_contact = ?3 WHERE last_contact = ?2 AND import = ?1";
    if db.prepare_cached(sql)?.execute(params![import.0, before.0, last])? == 0 {
        let sql = "INSERT INTO import_spans (import, first_contact, last_contact) VALUES (?1, ?2, ?3)";
        db.prepare_cached(sql)?.execute(params![import.0, before.0 + 1, last])?;
    }
    db.prepare_cached("UPDATE imports SET imported = imported + ?2 WHERE id = ?1")?.execute(params![import.0, new])?;
    Ok(())
}

/// The last contact that any import brought: its id is not given out again, or the span would hold a stranger.
pub(super) fn last_contact(db: &Connection) -> Result<Option<i64>> {
    Ok(db.prepare_cached("SELECT max(last_contact) FROM import_spans")?.query_row([], |row| row.get(0))?)
}

/// The imports of a campaign, newest first.
pub fn all(db: &Connection, campaign: CampaignId) -> Result<Vec<Import>> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE campaign = ?1 ORDER BY id DESC"))?;
    collect(statement.query([campaign.0])?, read)
}

/// One of a campaign's imports.
pub fn find(db: &Connection, campaign: CampaignId, id: ImportId) -> Result<Option<Import>> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE campaign = ?1 AND id = ?2"))?;
    first(statement.query(params![campaign.0, id.0])?, read)
}

/// A contact of the import that was dialled, or may be at any moment.
pub fn dialled(db: &Connection, campaign: CampaignId, id: ImportId) -> Result<Option<Dialled>> {
    let mine = "EXISTS (SELECT 1 FROM import_spans s
        WHERE s.import = ?2 AND a.contact BETWEEN s.first_contact AND s.last_contact)";
    let one = |condition: &str| -> Result<Option<Number>> {
        let sql = format!("SELECT number FROM attempts a WHERE campaign = ?1 AND {condition} AND {mine} LIMIT 1");
        let mut statement = db.prepare_cached(&sql)?;
        first(statement.query(params![campaign.0, id.0])?, |row| number(row, "number"))
    };
    if let Some(number) = one("closed_at IS NOT NULL AND disposition <> 'not_dialled'")? {
        return Ok(Some(Dialled::Called(number)));
    }
    Ok(one("closed_at IS NULL")?.map(Dialled::InCall))
}

/// Deletes contacts that an import brought and that are still there, `limit` at most; says how many. Whoever calls it
/// has made sure that none was [`dialled`]; those that were since then stay.
pub fn undo_some(db: &Connection, campaign: CampaignId, id: ImportId, limit: u32) -> Result<u32> {
    let spans = "SELECT first_contact, last_contact FROM import_spans WHERE import = ?1 ORDER BY last_contact";
    let spans: Vec<(i64, i64)> =
        collect(db.prepare_cached(spans)?.query([id.0])?, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let sql = "DELETE FROM contacts WHERE id IN (SELECT id FROM contacts WHERE id BETWEEN ?1 AND ?2
        AND campaign = ?3 AND state <> 'in_progress' AND dials = 0 LIMIT ?4)";
    let mut delete = db.prepare_cached(sql)?;
    let mut left = limit;
    for (first, last) in spans {
        let deleted = delete.execute(params![first, last, campaign.0, left])?;
        left = left.saturating_sub(u32::try_from(deleted).unwrap_or(left));
    }
    Ok(limit - left)
}

/// Notes that an import was taken back.
pub fn end_undo(db: &Connection, id: ImportId, now: UtcMs) -> Result<()> {
    db.prepare_cached("UPDATE imports SET undone_at = ?2 WHERE id = ?1")?.execute(params![id.0, now.0])?;
    Ok(())
}

/// Removes what is known of the imports of a campaign that is removed.
pub(super) fn forget(db: &Connection, campaign: CampaignId) -> Result<()> {
    let mine = "(SELECT id FROM imports WHERE campaign = ?1)";
    db.execute(&format!("DELETE FROM import_spans WHERE import IN {mine}"), [campaign.0])?;
    db.execute("DELETE FROM imports WHERE campaign = ?1", [campaign.0])?;
    Ok(())
}
