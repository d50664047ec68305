//! The simulated disk tells the truth about power loss: else it would hide the very faults it is for.

use rusqlite::Connection;

use crate::disk::{self, Doom, Survives};
use crate::vfs;

const NAME: &str = "/sim/test.db";

/// A connection of a process of its own.
fn connect(process: u32, synchronous: &str) -> Connection {
    vfs::install();
    disk::with(|disk| disk.enter(process));
    let db = Connection::open(NAME).unwrap();
    db.pragma_update(None, "journal_mode", "WAL").unwrap();
    db.pragma_update(None, "synchronous", synchronous).unwrap();
    db
}

fn fill(db: &Connection, rows: i64) {
    db.execute_batch("CREATE TABLE t (n INTEGER)").unwrap();
    for n in 0..rows {
        db.execute("INSERT INTO t VALUES (?1)", [n]).unwrap();
    }
}

fn rows(db: &Connection) -> i64 {
    db.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap_or(-1)
}

/// What is left of 50 commits after power loss.
fn after_power_loss(synchronous: &str, survives: Survives) -> i64 {
    disk::format(1);
    let db = connect(1, synchronous);
    fill(&db, 50);
    disk::with(|disk| disk.lose_power(survives));
    drop(db);
    let db = connect(2, synchronous);
    let ok: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(ok, "ok");
    rows(&db)
}

#[test]
fn what_was_committed_with_full_sync_survives_power_loss_i8() {
    for survives in [Survives::Nothing, Survives::Beginning, Survives::Some] {
        assert_eq!(after_power_loss("FULL", survives), 50, "{survives:?}");
    }
}

#[test]
fn what_was_not_synced_is_lost() {
    assert_eq!(after_power_loss("OFF", Survives::Nothing), -1, "not even the table is there");
    assert!(after_power_loss("NORMAL", Survives::Nothing) < 50);
}

#[test]
fn a_killed_process_leaves_its_commits_and_frees_its_locks() {
    disk::format(2);
    let dead = connect(1, "FULL");
    fill(&dead, 5);
    dead.execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (99)").unwrap();
    disk::with(|disk| disk.kill(1));
    let db = connect(2, "FULL");
    assert_eq!(rows(&db), 5);
    db.execute("INSERT INTO t VALUES (6)", []).unwrap();
    assert!(dead.execute_batch("COMMIT").is_err(), "the dead write nothing");
    drop(dead);
    assert_eq!(rows(&db), 6);
    assert_eq!(disk::with(|disk| disk.collisions), 0);
}

#[test]
fn a_process_that_dies_at_any_write_leaves_whole_commits_only() {
    for writes_left in 0..40 {
        for carried_out in [false, true] {
            disk::format(3);
            let dying = connect(1, "FULL");
            fill(&dying, 1);
            disk::with(|disk| disk.doom(Some(Doom { process: 1, writes_left, carried_out })));
            let told = (0..9).take_while(|n| dying.execute("INSERT INTO t VALUES (?1)", [*n]).is_ok()).count();
            drop(dying);
            let db = connect(2, "FULL");
            let kept = rows(&db) - 1;
            let told = i64::try_from(told).unwrap();
            assert!(kept == told || kept == told + 1, "{told} were told, {kept} are there");
        }
    }
}

#[test]
fn two_processes_see_each_other_s_commits() {
    disk::format(4);
    let (a, b) = (connect(1, "FULL"), connect(2, "FULL"));
    fill(&a, 3);
    assert_eq!(rows(&b), 3);
    b.execute("INSERT INTO t VALUES (3)", []).unwrap();
    assert_eq!(rows(&a), 4);
    drop((a, b));
    assert_eq!(rows(&connect(3, "FULL")), 4, "the last one closed, the log is in the file");
}

#[test]
fn a_full_disk_and_a_held_lock_fail_a_commit_and_nothing_else() {
    disk::format(5);
    let db = connect(1, "FULL");
    fill(&db, 3);
    disk::with(|disk| disk.full = true);
    assert!(db.execute("INSERT INTO t VALUES (zeroblob(9000))", []).is_err());
    disk::with(|disk| (disk.full, disk.locked) = (false, true));
    assert!(db.execute_batch("BEGIN IMMEDIATE").is_err());
    assert_eq!(rows(&db), 3, "reading goes on");
    disk::with(|disk| disk.locked = false);
    db.execute("INSERT INTO t VALUES (3)", []).unwrap();
    assert_eq!(rows(&db), 4);
}
