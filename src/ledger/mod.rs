//! The ledger: SQLite, and the only SQL of the project.
//!
//! It is the order book (what is to be called and what came of it); the spool holds tickets only. Both
//! binaries and every command open the same file. What a verb has returned survives `kill -9` and power
//! loss (I8): WAL with `synchronous=FULL`.
//!
//! * [`Ledger`] is one connection with a schema that fits this program; `read` and `write` hand out
//!   the transaction that the verbs in the submodules take.
//! * [`writer::Writer`] commits for many callers at once (the gate's group commit).
//! * [`calls::CallDesk`] is the small façade that the FastAGI server uses.
//!
//! Verbs are free functions over a connection, named for their intent, a statement or two each, and
//! free of SQLite's peculiarities: PostgreSQL could say them too.

pub mod actions;
pub mod algorithms;
pub mod attempts;
pub mod bars;
pub mod breakers;
pub mod calendars;
mod callees;
pub mod calls;
pub mod campaigns;
mod candidates;
pub mod causes;
pub mod claims;
pub mod contacts;
pub mod details;
pub mod dnc;
mod error;
pub mod evidence;
pub mod expiry;
pub mod forecast;
pub mod importing;
pub mod imports;
pub mod line_checks;
pub mod lines;
pub mod newcomers;
pub mod rest;
pub mod rounds;
mod rows;
mod schema;
pub mod settle;
mod shifts;
pub mod snapshot;
#[cfg(test)]
mod tests;
mod traffic;
pub mod trunks;
pub mod users;
pub mod views;
pub mod why;
pub mod writer;
pub mod zones;

use std::cell::Cell;
use std::fs::OpenOptions;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{OpenFlags, Transaction, TransactionBehavior};

use crate::clock::Monotonic;
pub use error::LedgerError;
/// What a verb runs on: a transaction that [`Ledger::read`] or [`Ledger::write`] hands out.
pub use rusqlite::Connection;

/// What a verb works on: a connection, as a rule inside a transaction.
pub type Db = Connection;

/// What every verb returns.
pub type Result<T> = std::result::Result<T, LedgerError>;

/// How long a writer waits for another process's transaction before it gives up.
const BUSY_MS_MAX: u64 = 15_000;

/// One connection to the ledger.
pub struct Ledger {
    connection: Connection,
}

impl Ledger {
    /// Opens the ledger at `path`, creates it when absent, and brings its schema up to date.
    pub fn open(path: &Path) -> Result<Self> {
        create(path);
        let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        schema::upgrade(&mut connection)?;
        Ok(Self { connection })
    }

    /// Opens an existing ledger; refuses to create one.
    pub fn open_existing(path: &Path) -> Result<Self> {
        let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        schema::upgrade(&mut connection)?;
        Ok(Self { connection })
    }

    /// Runs `verbs` in one write transaction; it is durable when this returns `Ok` (I8), and has not
    /// happened when it returns `Err`.
    pub fn write<T>(&mut self, verbs: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.try_write(verbs)
    }

    /// [`Ledger::write`] for a caller that refuses, in the same transaction, for reasons of its own.
    pub fn try_write<T, E: From<LedgerError>>(
        &mut self,
        verbs: impl FnOnce(&Transaction<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let begun = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = begun.map_err(LedgerError::from)?;
        let value = verbs(&transaction)?;
        transaction.commit().map_err(LedgerError::from)?;
        Ok(value)
    }

    /// Runs `verbs` over one consistent state of the ledger.
    pub fn read<T>(&mut self, verbs: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.try_read(verbs)
    }

    /// [`Ledger::read`] for a caller that refuses for reasons of its own.
    pub fn try_read<T, E: From<LedgerError>>(
        &mut self,
        verbs: impl FnOnce(&Transaction<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let transaction = self.connection.transaction().map_err(LedgerError::from)?;
        verbs(&transaction)
    }

    /// Reads the whole file and returns the first damage that SQLite sees. Takes seconds for millions of numbers.
    pub fn first_damage(&mut self) -> Result<Option<String>> {
        let told: String = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        Ok((told != "ok").then(|| told.lines().last().unwrap_or_default().to_owned()))
    }

    /// Gives this connection a page cache of so many KiB, for work that touches more than SQLite's 2 MiB hold.
    pub fn set_cache_kib(&self, kib: u32) -> Result<()> {
        Ok(self.connection.pragma_update(None, "cache_size", -i64::from(kib))?)
    }

    /// A counter that changes whenever another connection has committed: the backstop for wake-ups
    /// that got lost.
    pub fn changes_by_others(&self) -> Result<i64> {
        Ok(self.connection.query_row("PRAGMA data_version", [], |row| row.get(0))?)
    }
}

/// Makes an empty file if there is none: closed to other users, because it will hold people's numbers, and
/// theirs who own the folder, also when root sets a machine up. SQLite says what it cannot use.
fn create(path: &Path) {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o640).open(path);
    if let (Ok(_), Some(Ok(folder))) = (made, path.parent().map(std::fs::metadata)) {
        // Only root may give files away; anybody else's stays their own.
        let _ = std::os::unix::fs::chown(path, Some(folder.uid()), Some(folder.gid()));
    }
}

/// Without the right to write, SQLite opens the file all the same, and fails only later.
fn refuse_readonly(connection: &Connection) -> rusqlite::Result<()> {
    if !connection.is_readonly("main")? {
        return Ok(());
    }
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_READONLY);
    Err(rusqlite::Error::SqliteFailure(code, Some("this user may not write it".to_owned())))
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)
        .map_err(|source| LedgerError::Open { path: path.to_owned(), source })?;
    connection.busy_handler(Some(wait_a_millisecond))?;
    let prepare = |connection: &Connection| -> rusqlite::Result<()> {
        refuse_readonly(connection)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        // Statistics of values would let a plan depend on them, at the price of a new plan for each value.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
    };
    prepare(&connection).map_err(|source| LedgerError::Open { path: path.to_owned(), source })?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(connection)
}

/// More than the daemon has: preparing one anew costs more than running it.
const STATEMENTS_KEPT: usize = 256;

thread_local! {
    /// Since when this thread waits: SQLite tells the handler only how often it has called it.
    static BUSY_SINCE: Cell<Option<Monotonic>> = const { Cell::new(None) };
}

/// SQLite's own handler soon sleeps 100 ms at a time; a claim at the gate has 15. Time counts and not
/// tries: on a busy machine a try of 1 ms takes several.
fn wait_a_millisecond(tries: i32) -> bool {
    if tries == 0 {
        BUSY_SINCE.set(Some(Monotonic::now()));
    }
    std::thread::sleep(Duration::from_millis(1));
    BUSY_SINCE.get().is_some_and(|since| since.elapsed() < Duration::from_millis(BUSY_MS_MAX))
}
