//! Faults that come while calls are made: once they are gone, all is as if they had not been.

use std::path::PathBuf;

use campanile::ledger::Ledger;

use crate::machine::{Machine, until};

/// A campaign of this many calls that are answered, started; the first one has reached the line.
pub fn under_way(m: &Machine, calls: usize) {
    let fates: Vec<String> = (0..calls).map(|n| format!("7{n:02}")).collect();
    m.campaign("spring", &[], &fates.iter().map(String::as_str).collect::<Vec<_>>());
    m.start("spring");
    until("the first call", || (!m.asterisk.seen().reached.is_empty()).then_some(()));
}

/// Completed; everybody was called once and reached, every attempt is closed, no file is left.
#[track_caller]
pub fn nothing_was_lost(m: &Machine, calls: usize) {
    m.completed("spring");
    let mut numbers: Vec<String> = m.asterisk.seen().reached.into_iter().map(|r| r.number).collect();
    let dials = numbers.len();
    numbers.sort();
    numbers.dedup();
    assert_eq!((numbers.len(), dials), (calls, calls), "each once");
    assert_eq!((m.count("spring", "reached"), m.count("spring", "total")), (calls as u64, calls as u64));
    assert!(m.report("spring").iter().all(|row| row["state"] == "closed"));
    until("no file is left", || (m.files() == 0).then_some(()));
}

fn archive(m: &Machine) -> PathBuf {
    m.dir.path().join("spool/outgoing_done")
}

#[test]
fn settings_changed_while_calls_go_on_are_applied_or_told_i3() {
    let m = Machine::new();
    under_way(&m, 40);
    m.reset("calls_one_time = 1200", "calls_one_time = 2400\nchannels_max = 5");
    let moved = format!("agi_listen = 127.0.0.1:{}", m.agi_port);
    m.reset(&moved, "agi_listen = 127.0.0.1:9");
    m.reset("/state\n", "/elsewhere\n");
    m.reload();
    for log in ["serve.log", "agi.log"] {
        m.logged(log, "applied calls_one_time from 1200 to 2400");
        m.logged(log, "applied channels_max from none to 5");
        m.logged(log, "/elsewhere needs a restart of");
    }
    m.logged("agi.log", "agi_listen from 127.0.0.1:");
    m.reset("/elsewhere\n", "/state\n");
    m.reset("agi_listen = 127.0.0.1:9", &moved);
    nothing_was_lost(&m, 40);
}

#[test]
fn wrong_settings_are_told_and_the_old_ones_hold() {
    let m = Machine::new();
    m.reset("calls_one_time = 1200", "calls_one_time = 1\ncron_interval = 99");
    m.reload();
    for log in ["serve.log", "agi.log"] {
        m.logged(log, "the settings stay as they were");
        m.logged(log, "cron_interval");
    }
    m.reset("calls_one_time = 1\ncron_interval = 99", "calls_one_time = 1200");
    under_way(&m, 4);
    nothing_was_lost(&m, 4);
}

#[test]
fn an_archive_folder_that_goes_and_comes_back_costs_no_call_i3() {
    let m = Machine::new();
    under_way(&m, 12);
    let away = archive(&m).with_file_name("away");
    std::fs::rename(archive(&m), &away).unwrap();
    m.logged("serve.log", "the spool is not watched");
    std::fs::rename(&away, archive(&m)).unwrap();
    m.logged("serve.log", "FolderReplaced");
    nothing_was_lost(&m, 12);
}

#[test]
fn a_ledger_that_is_locked_for_a_while_dials_nobody_twice_i1() {
    let m = Machine::new();
    under_way(&m, 30);
    let mut holder = Ledger::open(&m.dir.path().join("state/campanile.db")).unwrap();
    let reached_at_release = holder
        .write(|_| {
            // Thirty slots' time: the calls that are due meet the lock.
            let end = campanile::clock::now().plus_ms(1_500);
            until("the lock was held long enough", || (campanile::clock::now() >= end).then_some(()));
            Ok(m.asterisk.seen().reached.len())
        })
        .unwrap();
    assert!(reached_at_release < 30);
    nothing_was_lost(&m, 30);
}

#[test]
fn where_inotify_is_at_its_limit_calls_go_on_and_it_is_said() {
    let mut m = Machine::bare();
    m.reset("cron_interval = 1", "cron_interval = 60");
    m.start_agi();
    // In a user namespace of its own, whose limit is nobody else's.
    m.spawn_serve_as(|m, serve| {
        let mut inside = std::process::Command::new("unshare");
        let lowered = "echo 0 > /proc/sys/user/max_inotify_instances && exec \"$0\" \"$@\"";
        inside.args(["--user", "--map-root-user", "--", "sh", "-c", lowered]).arg(serve);
        m.with_settings(inside)
    });
    m.logged("serve.log", "if inotify is at its limit, raise fs.inotify.max_user_watches or max_user_instances");
    m.logged("serve.log", "outgoing_done is listed each second instead");
    under_way(&m, 6);
    nothing_was_lost(&m, 6);
}
