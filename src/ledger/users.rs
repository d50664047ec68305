//! Users.

use rusqlite::{Connection, Row, params};

use super::rows::{collect, first, parsed};
use super::{LedgerError, Result};
use crate::domain::ids::UserId;
use crate::domain::instant::UtcMs;
use crate::domain::name::Name;
use crate::domain::user::{Role, User};

const COLUMNS: &str = "SELECT id, name, role FROM users";

fn read(row: &Row<'_>) -> Result<User> {
    Ok(User { id: UserId(row.get("id")?), name: parsed(row, "name")?, role: parsed(row, "role")? })
}

/// Adds a user; refuses a name that is taken.
pub fn add(db: &Connection, name: &Name, role: Role, now: UtcMs) -> Result<UserId> {
    if find(db, name.as_str())?.is_some() {
        return Err(LedgerError::Taken { what: "user", name: name.to_string() });
    }
    db.prepare_cached("INSERT INTO users (name, role, created_at) VALUES (?1, ?2, ?3)")?.execute(params![
        name.as_str(),
        role.as_str(),
        now.0
    ])?;
    Ok(UserId(db.last_insert_rowid()))
}

/// The user of this name.
pub fn find(db: &Connection, name: &str) -> Result<Option<User>> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE name = ?1"))?;
    first(statement.query([name])?, read)
}

/// The user of this row.
pub fn get(db: &Connection, id: UserId) -> Result<User> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?;
    first(statement.query([id.0])?, read)?.ok_or_else(|| LedgerError::absent("user", id.to_string()))
}

/// All users by name.
pub fn all(db: &Connection) -> Result<Vec<User>> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} ORDER BY name"))?;
    collect(statement.query([])?, read)
}

/// Removes a user who owns no campaign.
pub fn remove(db: &Connection, user: &User) -> Result<()> {
    let owned: i64 = db.query_row("SELECT count(*) FROM campaigns WHERE owner = ?1", [user.id.0], |row| row.get(0))?;
    if owned > 0 {
        let by = format!("{owned} campaign(s); remove or hand over these first");
        return Err(LedgerError::InUse { what: "user", name: user.name.to_string(), by });
    }
    let others = [
        ("dnc_lists", "do-not-call list(s); delete these first"),
        ("calendars", "calendar(s); remove these first"),
        ("algorithms", "algorithm(s); remove these first"),
        ("line_checks", "line check(s); remove these first"),
    ];
    for (table, what) in others {
        let sql = format!("SELECT count(*) FROM {table} WHERE owner = ?1");
        let owned: i64 = db.query_row(&sql, [user.id.0], |row| row.get(0))?;
        if owned > 0 {
            let by = format!("{owned} {what}");
            return Err(LedgerError::InUse { what: "user", name: user.name.to_string(), by });
        }
    }
    db.execute("DELETE FROM users WHERE id = ?1", [user.id.0])?;
    Ok(())
}
