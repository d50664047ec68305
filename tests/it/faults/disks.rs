//! Disks that are full or read-only, and file systems that tell nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::running::{nothing_was_lost, under_way};
use super::starting::{doctor_says, ends};
use crate::fake_asterisk::FakeAsterisk;
use crate::machine::{Machine, until};

/// Runs a test that mounts: here, as root, or else once more by itself in a namespace where it is root.
/// Where there is neither, it fails and says so; it never passes unseen.
fn where_it_may_mount(name: &str, test: fn()) {
    if nix::unistd::geteuid().is_root() {
        return test();
    }
    let mut inside = Command::new("unshare");
    inside.args(["--user", "--map-root-user", "--mount", "--"]).arg(std::env::current_exe().unwrap());
    let ran = inside.args(["--exact", name, "--nocapture", "--test-threads=1"]).output().unwrap();
    let told = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
    assert!(
        ran.status.success() && told.contains("1 passed"),
        "this test mounts a file system: it needs root, or user namespaces \
         (sysctl kernel.unprivileged_userns_clone=1)\n{told}"
    );
}

/// A file system of its own in the place of a folder; it goes when dropped.
struct Mounted(PathBuf);

impl Mounted {
    #[track_caller]
    fn over(folder: &Path, kind: &str, options: &str) -> Self {
        let mut mount = Command::new("mount");
        mount.args(["-t", kind, "-o", options, "campanile-test"]).arg(folder);
        let mounted = mount.output().unwrap();
        assert!(mounted.status.success(), "{}", String::from_utf8_lossy(&mounted.stderr));
        Self(folder.to_owned())
    }

    /// In the place of the state folder, with the ledger that was there.
    #[track_caller]
    fn over_state(machine: &Machine, size: &str) -> Self {
        let state = machine.dir.path().join("state");
        let ledger = std::fs::read(state.join("campanile.db")).unwrap();
        let mounted = Self::over(&state, "tmpfs", &format!("size={size},mode=0750"));
        std::fs::write(state.join("campanile.db"), ledger).unwrap();
        mounted
    }

    #[track_caller]
    fn make_read_only(&self) {
        let remounted = Command::new("mount").args(["-o", "remount,ro"]).arg(&self.0).output().unwrap();
        assert!(remounted.status.success(), "{}", String::from_utf8_lossy(&remounted.stderr));
    }

    /// Leaves no byte free.
    fn fill(&self) -> PathBuf {
        let ballast = self.0.join("ballast");
        assert!(std::fs::write(&ballast, vec![0; 32 << 20]).is_err(), "the disk is full");
        ballast
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let gone = Command::new("umount").arg("--lazy").arg(&self.0).status();
        assert!(gone.unwrap().success() || std::thread::panicking());
    }
}

/// A machine whose spool is on a file system of its own. The mount goes before the machine.
fn with_spool_on(kind: &str, options: &str) -> (Mounted, Machine) {
    let mut machine = Machine::stopped();
    let spool = machine.dir.path().join("spool");
    let mounted = Mounted::over(&spool, kind, options);
    ["outgoing", "outgoing_done"].iter().for_each(|folder| std::fs::create_dir(spool.join(folder)).unwrap());
    machine.asterisk = FakeAsterisk::start(&spool, machine.agi_port);
    (mounted, machine)
}

#[test]
fn where_the_watch_may_be_deaf_archived_files_are_seen_within_seconds() {
    where_it_may_mount("faults::disks::where_the_watch_may_be_deaf_archived_files_are_seen_within_seconds", || {
        let (_mounted, mut m) = with_spool_on("ramfs", "mode=0755");
        // No tick comes to help.
        m.reset("cron_interval = 1", "cron_interval = 60");
        m.start_agi();
        m.start_serve();
        m.logged("serve.log", "may give no events; it is listed each second");
        under_way(&m, 6);
        nothing_was_lost(&m, 6);
        doctor_says(&m, "spool", "warning", "may give no events");
    });
}

#[test]
fn a_full_spool_costs_no_attempt_and_calls_go_on_when_there_is_room_i3() {
    where_it_may_mount("faults::disks::a_full_spool_costs_no_attempt_and_calls_go_on_when_there_is_room_i3", || {
        let (mounted, mut m) = with_spool_on("tmpfs", "size=128k,mode=0755");
        m.start_agi();
        m.start_serve();
        let ballast = mounted.fill();
        m.campaign("spring", &[], &["700", "701", "702"]);
        m.start("spring");
        m.logged("serve.log", "no call is planned, because no call file could be published");
        m.logged("serve.log", "No space left on device");
        let why = m.ok(&["why", "+441632960700"]);
        assert!(why.contains("a call file could not be published"), "{why}");
        doctor_says(&m, "spool", "problem", "on a full disk Asterisk dials files again");
        assert!(m.report("spring").is_empty() && m.asterisk.seen().reached.is_empty());
        std::fs::remove_file(&ballast).unwrap();
        // A daemon that begins does not rest.
        m.kill_serve();
        m.start_serve();
        m.completed("spring");
        assert_eq!((m.count("spring", "reached"), m.report("spring").len()), (3, 3), "one attempt each");
    });
}

#[test]
fn a_full_state_folder_refuses_the_import_and_is_usable_when_there_is_room_i8() {
    where_it_may_mount(
        "faults::disks::a_full_state_folder_refuses_the_import_and_is_usable_when_there_is_room_i8",
        || {
            let machine = Machine::stopped();
            let mounted = Mounted::over_state(&machine, "1m");
            machine.ok(&["campaign", "add", "spring", "--trunk", "lab"]);
            let list = machine.dir.path().join("list.txt");
            let numbers: String = (0..100).map(|n| format!("+4416329600{n:02}\n")).collect();
            std::fs::write(&list, numbers).unwrap();
            let ballast = mounted.fill();
            let refused = machine.campanile(&["numbers", "import", "spring", list.to_str().unwrap()]);
            ends(&refused, 74, "look for a full or broken disk");
            std::fs::remove_file(&ballast).unwrap();
            assert_eq!(machine.count("spring", "total"), 0);
            machine.ok(&["numbers", "import", "spring", list.to_str().unwrap()]);
            assert_eq!(machine.count("spring", "total"), 100);
        },
    );
}

#[test]
fn a_state_folder_that_fills_up_while_calls_are_made_dials_nobody_twice_i1_i3() {
    where_it_may_mount(
        "faults::disks::a_state_folder_that_fills_up_while_calls_are_made_dials_nobody_twice_i1_i3",
        || {
            let mut m = Machine::bare();
            let mounted = Mounted::over_state(&m, "8m");
            m.start_agi();
            m.start_serve();
            under_way(&m, 60);
            // A call whose gate dies within some 20 ms of its go may have been dialled: it is retried, and not at once.
            m.ok(&["campaign", "set", "spring", "--max-retries", "1", "--retry-time", "3600"]);
            let ballast = mounted.fill();
            m.logged("agi.log", "the ledger is down");
            m.logged("agi.log", "trying again");
            // Reports that wait for room die with it; the files of their calls come to the daemon, which has none either.
            m.kill_agi();
            m.logged("serve.log", "this step failed and is tried again each second: ledger: database or disk is full");
            std::fs::remove_file(&ballast).unwrap();
            m.start_agi();
            m.logged("serve.log", "the trouble is over");
            no_call_is_open_for_now(&m);
            // Some wait for their minute, and planning may rest; a daemon that begins does not.
            m.kill_serve();
            m.start_serve();
            m.campaign("autumn", &[], &["800", "801"]);
            m.start("autumn");
            m.completed("autumn");
            let mut dialled: Vec<String> = m.asterisk.seen().reached.into_iter().map(|r| r.number).collect();
            let dials = dialled.len();
            dialled.sort();
            dialled.dedup();
            assert_eq!(dialled.len(), dials, "nobody twice");
            let of = |count: &str| m.count("spring", count);
            let whole = (of("waiting") + of("in_progress") + of("reached"), of("failed"), of("total"));
            assert_eq!(whole, (60, 0, 60), "{:#?}", unreached(&m));
        },
    );
}

/// Every attempt is closed but those planned for their next minute.
#[track_caller]
fn no_call_is_open_for_now(m: &Machine) {
    let soon = campanile::clock::now().plus_ms(30_000).to_string();
    let waits =
        |row: &serde_json::Value| row["state"] == "closed" || row["planned_at"].as_str().unwrap() > soon.as_str();
    until("no call is open for now", || m.report("spring").iter().all(waits).then_some(()));
}

/// The attempts that were not answered.
fn unreached(m: &Machine) -> Vec<serde_json::Value> {
    m.report("spring").into_iter().filter(|row| row["disposition"] != "answered").collect()
}

#[test]
fn reports_wait_until_a_full_state_folder_has_room_and_none_is_lost_i8() {
    where_it_may_mount("faults::disks::reports_wait_until_a_full_state_folder_has_room_and_none_is_lost_i8", || {
        let mut m = Machine::bare();
        let mounted = Mounted::over_state(&m, "8m");
        m.start_agi();
        m.start_serve();
        under_way(&m, 60);
        let ballast = mounted.fill();
        m.logged("agi.log", "trying again");
        std::fs::remove_file(&ballast).unwrap();
        no_call_is_open_for_now(&m);
        let log = std::fs::read_to_string(m.dir.path().join("agi.log")).unwrap();
        assert!(!log.contains("is lost"), "{log}");
    });
}

#[test]
fn a_read_only_state_folder_ends_all_programs_with_73() {
    where_it_may_mount("faults::disks::a_read_only_state_folder_ends_all_programs_with_73", || {
        let m = Machine::stopped();
        let mounted = Mounted::over_state(&m, "1m");
        mounted.make_read_only();
        ends(&m.campanile(&["serve"]), 73, "Read-only file system");
        for output in [m.agi_fails(), m.campanile(&["trunk", "list"])] {
            ends(&output, 73, "is not mounted read-only");
        }
        doctor_says(&m, "ledger", "problem", "cannot open the ledger");
    });
}

#[test]
fn a_log_folder_that_fills_up_stops_no_call_and_is_told_once_i3() {
    where_it_may_mount("faults::disks::a_log_folder_that_fills_up_stops_no_call_and_is_told_once_i3", || {
        let mut m = Machine::bare();
        let folder = m.dir.path().join("log");
        std::fs::create_dir(&folder).unwrap();
        let mounted = Mounted::over(&folder, "tmpfs", "size=64k,mode=0750");
        let file = folder.join("campanile.log");
        let yaml = format!(
            "appenders:\n  f:\n    kind: file\n    path: {}\nroot:\n  level: info\n  appenders: [f]\n",
            file.display()
        );
        std::fs::write(m.dir.path().join("none.yaml"), yaml).unwrap();
        let ballast = mounted.fill();
        m.start_agi();
        m.spawn_serve();
        under_way(&m, 8);
        nothing_was_lost(&m, 8);
        for log in ["serve.log", "agi.log"] {
            m.logged(log, "the log cannot be written: No space left on device");
            let told = std::fs::read_to_string(m.dir.path().join(log)).unwrap();
            assert_eq!(told.lines().count(), 1, "{told}");
        }
        doctor_says(&m, "log", "warning", "has only 0 MiB left");
        std::fs::remove_file(&ballast).unwrap();
        m.campaign("autumn", &[], &["800"]);
        m.start("autumn");
        m.completed("autumn");
        assert!(std::fs::read_to_string(&file).unwrap().contains("admitted for"), "it is written again");
    });
}
