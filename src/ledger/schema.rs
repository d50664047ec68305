//! The schema, as an append-only list of migrations; `PRAGMA user_version` counts those applied.

use rusqlite::{Connection, TransactionBehavior};

use super::{LedgerError, Result};

/// Never edit an entry that was released: append one, with sample data in `tests/fixtures/migrations`.
pub(crate) const MIGRATIONS: &[&str] =
    &[include_str!("migrations/0001_first_light.sql"), include_str!("migrations/0002_contact_numbers.sql")];

/// Applies the migrations that the ledger lacks, all in one transaction.
pub(super) fn upgrade(connection: &mut Connection) -> Result<()> {
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if version(connection)? == known {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    if found > known {
        return Err(LedgerError::NewerSchema { found, known });
    }
    for migration in &MIGRATIONS[usize::try_from(found).unwrap_or_default()..] {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

fn version(connection: &Connection) -> Result<i64> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}
