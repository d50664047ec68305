//! Disks that are full, and file systems that tell nothing. Only root can mount them.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::running::{nothing_was_lost, under_way};
use crate::fake_asterisk::FakeAsterisk;
use crate::machine::{Machine, until};

/// A file system of its own in the place of a folder; it goes when dropped.
struct Mounted(PathBuf);

impl Mounted {
    /// `None` without the right to mount.
    fn over(folder: &Path, kind: &str, options: &str) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", kind, "-o", options, "campanile-test"]).arg(folder);
        mount.output().unwrap().status.success().then(|| Self(folder.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let gone = Command::new("umount").arg("--lazy").arg(&self.0).status();
        assert!(gone.unwrap().success() || std::thread::panicking());
    }
}

/// A machine whose spool is on a file system of its own. The mount goes before the machine.
fn with_spool_on(kind: &str, options: &str) -> Option<(Mounted, Machine)> {
    let mut machine = Machine::stopped();
    let spool = machine.dir.path().join("spool");
    let mounted = Mounted::over(&spool, kind, options)?;
    ["outgoing", "outgoing_done"].iter().for_each(|folder| std::fs::create_dir(spool.join(folder)).unwrap());
    machine.asterisk = FakeAsterisk::start(&spool, machine.agi_port);
    Some((mounted, machine))
}

#[test]
fn where_the_watch_may_be_deaf_archived_files_are_seen_within_seconds() {
    let Some((_mounted, mut m)) = with_spool_on("ramfs", "mode=0755") else { return };
    // No tick comes to help.
    m.reset("cron_interval = 1", "cron_interval = 60");
    m.start_agi();
    m.start_serve();
    m.logged("serve.log", "may give no events; it is listed each second");
    under_way(&m, 6);
    nothing_was_lost(&m, 6);
    let doctor = String::from_utf8(m.campanile(&["doctor", "--no-call"]).stdout).unwrap();
    assert!(doctor.contains("may give no events"), "{doctor}");
}

#[test]
fn a_full_spool_costs_nobody_a_retry_i3() {
    let Some((_mounted, mut m)) = with_spool_on("tmpfs", "size=128k,mode=0755") else { return };
    m.start_agi();
    m.start_serve();
    let ballast = m.dir.path().join("spool/ballast");
    let full = std::fs::write(&ballast, vec![0; 256 * 1024]);
    assert!(full.is_err(), "the disk is full");
    m.campaign("spring", &[], &["000", "001", "100"]);
    m.start("spring");
    m.logged("serve.log", "No space left on device");
    m.logged("serve.log", "planning rests for 30 s");
    until("what was not published is closed", || (m.count("spring", "waiting") == 3).then_some(()));
    assert!(m.asterisk.seen().reached.is_empty());
    std::fs::remove_file(&ballast).unwrap();
    // A daemon that begins does not rest.
    m.kill_serve();
    m.start_serve();
    // Those of spring wait for their minute; others go at once.
    m.campaign("autumn", &[], &["700", "701"]);
    m.start("autumn");
    m.completed("autumn");
    assert_eq!(m.count("autumn", "reached"), 2);
    let rows = m.report("spring");
    assert!(rows.iter().all(|row| row["state"] == "closed" && row["disposition"] == "not_dialled"), "{rows:?}");
    assert_eq!((m.count("spring", "waiting"), m.count("spring", "failed"), m.count("spring", "total")), (3, 0, 3));
}

#[test]
fn a_full_state_folder_refuses_the_import_and_is_usable_when_there_is_room_i8() {
    let machine = Machine::stopped();
    let state = machine.dir.path().join("state");
    let ledger = std::fs::read(state.join("campanile.db")).unwrap();
    let Some(_mounted) = Mounted::over(&state, "tmpfs", "size=1m,mode=0750") else { return };
    std::fs::write(state.join("campanile.db"), ledger).unwrap();
    machine.ok(&["campaign", "add", "spring", "--trunk", "lab"]);
    let list = machine.dir.path().join("list.txt");
    let numbers: String = (0..100).map(|n| format!("+4416329600{n:02}\n")).collect();
    std::fs::write(&list, numbers).unwrap();
    let ballast = state.join("ballast");
    assert!(std::fs::write(&ballast, vec![0; 2 << 20]).is_err(), "the disk is full");
    let refused = machine.campanile(&["numbers", "import", "spring", list.to_str().unwrap()]);
    let told = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(74), "{told}");
    assert!(told.contains("look for a full or broken disk"), "{told}");
    std::fs::remove_file(&ballast).unwrap();
    assert_eq!(machine.count("spring", "total"), 0);
    machine.ok(&["numbers", "import", "spring", list.to_str().unwrap()]);
    assert_eq!(machine.count("spring", "total"), 100);
}
