//! The schema, as an append-only list of migrations; `PRAGMA user_version` counts those applied.

use rusqlite::{Connection, TransactionBehavior};

use super::{LedgerError, Result};

/// Never edit an entry that was released: append one, with sample data in `tests/fixtures/migrations`.
pub(crate) const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_first_light.sql"),
    include_str!("migrations/0002_contact_numbers.sql"),
    include_str!("migrations/0003_open_and_closed_attempts.sql"),
    include_str!("migrations/0004_calendars_and_pacing.sql"),
    include_str!("migrations/0005_outcomes.sql"),
    include_str!("migrations/0006_contacts.sql"),
    include_str!("migrations/0007_trunk_lists_and_breakers.sql"),
    include_str!("migrations/0008_zones.sql"),
    include_str!("migrations/0009_traffic.sql"),
    include_str!("migrations/0010_generators.sql"),
    include_str!("migrations/0011_failures.sql"),
];

/// Applies the migrations that the ledger lacks, all in one transaction.
pub(super) fn upgrade(connection: &mut Connection) -> Result<()> {
    upgrade_with(connection, MIGRATIONS)
}

/// [`upgrade`] to the schema of a program that knows these migrations.
pub(super) fn upgrade_with(connection: &mut Connection, migrations: &[&str]) -> Result<()> {
    if version(connection)? == known(migrations) {
        return Ok(());
    }
    // A table that is made anew is gone for a moment, and others refer to it. In a transaction this would do nothing.
    connection.pragma_update(None, "foreign_keys", "OFF")?;
    let migrated = migrate(connection, migrations);
    connection.pragma_update(None, "foreign_keys", "ON")?;
    migrated
}

fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (found, known) = (version(&transaction)?, known(migrations));
    if found > known {
        return Err(LedgerError::NewerSchema { found, known });
    }
    for migration in &migrations[usize::try_from(found).unwrap_or_default()..] {
        transaction.execute_batch(migration)?;
    }
    if transaction.prepare("PRAGMA foreign_key_check")?.exists([])? {
        return Err(LedgerError::corrupt("a reference", "what it refers to is not there"));
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

fn known(migrations: &[&str]) -> i64 {
    i64::try_from(migrations.len()).unwrap_or(i64::MAX)
}

fn version(connection: &Connection) -> Result<i64> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}
