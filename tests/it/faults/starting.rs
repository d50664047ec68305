//! Faults that keep a daemon from starting, or a command from working.

use std::os::unix::fs::{FileExt, chown};
use std::process::Output;

use campanile::ledger::Ledger;

use crate::machine::Machine;

/// Ended with this code, saying this.
#[track_caller]
pub fn ends(output: &Output, code: i32, words: &str) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{told}");
    assert!(told.contains(words), "{told}");
}

/// The doctor's finding of this area and level says this, and what mends it.
#[track_caller]
pub fn doctor_says(m: &Machine, area: &str, level: &str, words: &str) {
    let told = m.campanile(&["doctor", "--no-call", "--json"]).stdout;
    let findings: Vec<serde_json::Value> = serde_json::from_slice(&told).unwrap();
    let fits = |f: &&serde_json::Value| f["area"] == area && f["level"] == level && f["mend"].is_string();
    let texts: Vec<String> = findings.iter().filter(fits).map(|f| f["text"].to_string()).collect();
    assert!(texts.iter().any(|text| text.contains(words)), "{findings:#?}");
}

#[test]
fn a_missing_spool_ends_with_66() {
    let m = Machine::stopped();
    let spool = m.dir.path().join("spool/outgoing");
    std::fs::remove_dir(&spool).unwrap();
    ends(&m.campanile(&["serve"]), 66, "is no folder; start Asterisk once");
    doctor_says(&m, "spool", "problem", "is no folder");
}

#[test]
fn a_spool_of_another_user_ends_with_77() {
    let m = Machine::stopped();
    let (outgoing, us) = (m.dir.path().join("spool/outgoing"), nix::unistd::geteuid());
    // Only root may give a folder away; anybody else borrows one of root's.
    let owner = if us.is_root() {
        chown(&outgoing, Some(12_345), None).unwrap();
        12_345
    } else {
        std::fs::remove_dir(&outgoing).unwrap();
        std::os::unix::fs::symlink("/", &outgoing).unwrap();
        0
    };
    let words = format!("belongs to uid {owner} and we are uid {us}; run Campanile as Asterisk's user");
    ends(&m.campanile(&["serve"]), 77, &words);
    doctor_says(&m, "spool", "problem", &format!("belongs to uid {owner}"));
}

#[test]
fn a_missing_archive_folder_is_made() {
    let mut m = Machine::bare();
    std::fs::remove_dir(m.dir.path().join("spool/outgoing_done")).unwrap();
    m.start_serve();
    assert!(m.dir.path().join("spool/outgoing_done").is_dir());
}

#[test]
fn a_ledger_that_is_no_database_ends_with_74_and_is_left_as_it_is() {
    let m = Machine::stopped();
    let file = m.dir.path().join("state/campanile.db");
    let garbage = vec![0xa5; 8192];
    std::fs::write(&file, &garbage).unwrap();
    for output in [m.campanile(&["serve"]), m.agi_fails(), m.campanile(&["trunk", "list"])] {
        ends(&output, 74, "file is not a database");
        ends(&output, 74, "restore a backup");
    }
    doctor_says(&m, "ledger", "problem", "file is not a database");
    assert_eq!(std::fs::read(&file).unwrap(), garbage);
}

/// Overwrites the first page of a table.
fn damage(m: &Machine, table: &str) {
    let path = m.dir.path().join("state/campanile.db");
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    let page = |db: &campanile::ledger::Db| Ok(db.query_row(sql, [table], |row| row.get(0))?);
    let page: u64 = Ledger::open(&path).unwrap().read(|db| page(db)).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(&[0xa5; 4096], (page - 1) * 4096).unwrap();
}

#[test]
fn a_damaged_page_is_found_by_the_doctor() {
    let m = Machine::stopped();
    m.campaign("spring", &[], &["000"]);
    damage(&m, "contacts");
    ends(&m.campanile(&["numbers", "list", "spring"]), 74, "malformed");
    doctor_says(&m, "ledger", "problem", "is damaged: ");
}

#[test]
fn a_daemon_that_meets_a_damaged_page_ends_with_74_and_says_what_mends_it() {
    let mut m = Machine::stopped();
    m.campaign("spring", &[], &["000"]);
    m.start("spring");
    damage(&m, "contacts");
    m.spawn_serve();
    assert_eq!(m.serve_ended(), Some(74));
    m.logged("serve.log", "ending: ledger: database disk image is malformed");
    m.logged("serve.log", "restore a backup");
}

#[test]
fn a_newer_ledger_ends_with_69_and_is_left_as_it_is() {
    let m = Machine::stopped();
    let file = std::fs::OpenOptions::new().write(true).open(m.dir.path().join("state/campanile.db")).unwrap();
    // `user_version` in SQLite's header.
    file.write_all_at(&99_u32.to_be_bytes(), 60).unwrap();
    for output in [m.campanile(&["serve"]), m.agi_fails(), m.campanile(&["trunk", "list"])] {
        ends(&output, 69, "has schema 99");
    }
    doctor_says(&m, "ledger", "problem", "has schema 99");
}

#[test]
fn a_second_daemon_ends_with_75_and_the_first_goes_on() {
    let m = Machine::new();
    ends(&m.campanile(&["serve"]), 75, "another `campanile serve` runs already (process ");
    ends(&m.agi_fails(), 75, "another program listens on 127.0.0.1:");
    m.campaign("spring", &[], &["000"]);
    m.start("spring");
    m.completed("spring");
    assert_eq!((m.count("spring", "reached"), m.asterisk.seen().reached.len()), (1, 1));
}

#[test]
fn a_daemon_that_was_killed_leaves_no_lock_behind() {
    let mut m = Machine::new();
    m.kill_serve();
    m.start_serve();
    m.kill_agi();
    m.start_agi();
}

#[test]
fn a_silent_listener_is_told_from_a_closed_port() {
    let m = Machine::stopped();
    doctor_says(&m, "fastagi", "problem", "does not answer on");
    let _silent = std::net::TcpListener::bind(("127.0.0.1", m.agi_port)).unwrap();
    doctor_says(&m, "fastagi", "problem", "says nothing for 3 s");
}
