//! The spool with real files.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::callfile::{Begun, DEFAULT_TEMPLATE, Template, Ticketed, file_wait_time_s, render};
use crate::domain::evidence::ArchiveStatus;
use crate::domain::ids::{AttemptId, Ticket};
use crate::domain::instant::UtcMs;

const START: UtcMs = UtcMs(1_772_352_000_250);
/// Long enough for any machine; no test waits for it unless it fails.
const PATIENCE: Duration = Duration::from_secs(30);

struct World {
    _root: TempDir,
    spool: Spool,
}

fn world() -> World {
    let root = tempfile::tempdir().unwrap();
    let dirs = SpoolDirs::below(root.path());
    fs::create_dir(&dirs.outgoing).unwrap();
    World { spool: Spool::open(dirs).unwrap(), _root: root }
}

fn name(attempt: i64) -> SpoolName {
    SpoolName::new(AttemptId(attempt), 0xbeef)
}

fn call() -> Vec<u8> {
    let template = Template::parse(DEFAULT_TEMPLATE.as_bytes()).unwrap();
    render(&template, &Ticketed { ticket: Ticket::new([7; 16]), wait_time_s: file_wait_time_s(30) }).unwrap()
}

/// What Asterisk does to files (asterisk.md 4).
impl World {
    fn outgoing(&self, name: SpoolName) -> PathBuf {
        self.spool.dirs().outgoing.join(name.to_string())
    }

    fn done(&self, name: SpoolName) -> PathBuf {
        self.spool.dirs().done.join(name.to_string())
    }

    fn publish(&self, attempt: i64) -> SpoolName {
        self.spool.publish(name(attempt), &call(), START).unwrap();
        name(attempt)
    }

    fn append(path: &Path, text: &str) {
        OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn asterisk_begins(&self, name: SpoolName, pid: i64, at_s: i64) {
        Self::append(&self.outgoing(name), &format!("\nStartRetry: {pid} 1 ({})\n", at_s + 86_400));
    }

    fn asterisk_moves(&self, name: SpoolName) {
        fs::rename(self.outgoing(name), self.done(name)).unwrap();
    }

    fn asterisk_archives(&self, name: SpoolName, status: &str) {
        self.asterisk_moves(name);
        Self::append(&self.done(name), &format!("Status: {status}\n"));
    }

    fn state(&self, name: SpoolName) -> Option<FileState> {
        let looked = self.spool.look(name).unwrap();
        assert_eq!(self.spool.scan().unwrap().files.get(&name).copied(), looked, "scan and look agree");
        looked
    }

    fn watch(&self) -> (SpoolWatch, Receiver<SpoolEvent>) {
        let (tx, rx) = channel();
        (SpoolWatch::start(self.spool.dirs(), move |event| tx.send(event).unwrap_or_default()).unwrap(), rx)
    }
}

#[test]
fn a_published_file_is_whole_ours_and_due_a_second_early() {
    let w = world();
    let name = w.publish(1);
    let found = fs::metadata(w.outgoing(name)).unwrap();
    assert_eq!((found.mtime(), found.mtime_nsec()), (1_772_351_999, 0));
    assert_eq!(found.mode() & 0o7777, 0o640);
    assert_eq!(fs::read(w.outgoing(name)).unwrap(), call());
    assert_eq!(fs::read_dir(&w.spool.dirs().staging).unwrap().count(), 0);
    assert_eq!(w.state(name), Some(FileState::Waiting));
}

#[test]
fn a_name_is_never_published_over_another_file() {
    let w = world();
    let name = w.publish(1);
    let again = w.spool.publish(name, b"other", START);
    assert!(matches!(again, Err(SpoolError::NameTaken { .. })), "{again:?}");
    assert_eq!(fs::read(w.outgoing(name)).unwrap(), call());
    assert_eq!(fs::read_dir(&w.spool.dirs().staging).unwrap().count(), 0);
}

#[test]
fn instants_that_asterisk_cannot_count_are_refused() {
    let w = world();
    for start_at in [UtcMs(0), UtcMs(i64::MIN), UtcMs(i64::MAX)] {
        let refused = w.spool.publish(name(1), &call(), start_at);
        assert!(matches!(refused, Err(SpoolError::StartOutOfRange { .. })), "{refused:?}");
    }
    assert_eq!(w.state(name(1)), None);
}

#[test]
fn the_states_of_a_file_are_told_apart() {
    let w = world();
    let name = w.publish(1);
    w.asterisk_begins(name, 4711, 1_772_352_000);
    let begun = Begun { pid: 4711, began_at: Some(UtcMs(1_772_352_000_000)), held_s: 0 };
    assert_eq!(w.state(name), Some(FileState::Begun(begun)));
    w.asterisk_moves(name);
    let ended_at = UtcMs(fs::metadata(w.done(name)).unwrap().mtime() * 1000);
    let archived = w.state(name);
    assert!(matches!(archived, Some(FileState::Archived { status: None, ended_at: at }) if at >= ended_at));
    World::append(&w.done(name), "Status: Completed\n");
    let status = Some(ArchiveStatus::Completed);
    assert!(matches!(w.state(name), Some(FileState::Archived { status: found, .. }) if found == status));
    w.spool.remove_archived(name).unwrap();
    w.spool.remove_archived(name).unwrap();
    assert!(w.state(name).is_none() && w.spool.scan().unwrap().is_missing(name));
}

#[test]
fn foreign_files_are_never_touched() {
    let w = world();
    let dirs = w.spool.dirs();
    for folder in [&dirs.outgoing, &dirs.done] {
        for foreign in ["1.call", "campanile-1.call", ".campanile-1-0000beef.call", "campanile-x-0000beef.call"] {
            fs::write(folder.join(foreign), "Channel: x\n").unwrap();
        }
    }
    let scan = w.spool.scan().unwrap();
    assert!(scan.files.is_empty() && scan.unreadable.is_empty());
    assert!(w.spool.archived_older_than(UtcMs(i64::MAX)).unwrap().is_empty());
}

#[test]
fn an_unreadable_file_is_not_missing() {
    let w = world();
    fs::create_dir(w.outgoing(name(1))).unwrap();
    symlink("loop", w.spool.dirs().done.join("loop")).unwrap();
    symlink("loop", w.done(name(2))).unwrap();
    nix::unistd::mkfifo(&w.outgoing(name(3)), nix::sys::stat::Mode::S_IRUSR).unwrap();
    let scan = w.spool.scan().unwrap();
    assert!(scan.files.is_empty() && scan.unreadable.len() == 3, "{scan:?}");
    assert!((1..=3).all(|attempt| !scan.is_missing(name(attempt))) && scan.is_missing(name(4)));
}

#[test]
fn a_begin_is_known_more_exactly_than_its_mark_tells() {
    let w = world();
    let name = w.publish(1);
    let before = crate::clock::now();
    w.asterisk_begins(name, 7, before.0.div_euclid(1000));
    let after = crate::clock::now();
    let Some(FileState::Begun(Begun { began_at: Some(at), .. })) = w.state(name) else { panic!("it was begun") };
    // The kernel's clock of files is a little behind.
    let (exact, cut) = (at.since_ms(before) >= -20 && at <= after, at.0 == before.0.div_euclid(1000) * 1000);
    assert!(exact || (cut && after.0 / 1000 != before.0 / 1000), "{before} {at} {after}");
}

#[test]
fn only_a_file_that_asterisk_has_not_begun_is_withdrawn() {
    let w = world();
    let (waiting, begun, archived) = (w.publish(1), w.publish(2), w.publish(3));
    w.asterisk_begins(begun, 7, 1000);
    w.asterisk_archives(archived, "Expired");
    assert_eq!(w.spool.withdraw(waiting).unwrap(), Withdrawn::Removed);
    assert_eq!(w.spool.withdraw(waiting).unwrap(), Withdrawn::Gone);
    assert!(matches!(w.spool.withdraw(begun).unwrap(), Withdrawn::Begun(Begun { pid: 7, .. })));
    assert_eq!(w.spool.withdraw(archived).unwrap(), Withdrawn::Gone);
    assert!(w.outgoing(begun).exists() && w.done(archived).exists());
}

#[test]
fn the_sweeper_takes_files_of_a_dead_asterisk_only() {
    let w = world();
    let (waiting, begun) = (w.publish(1), w.publish(2));
    w.asterisk_begins(begun, 7, 1000);
    let run = |pid, since| Some(AsteriskRun { pid, since: UtcMs(since), started_ticks: None });
    let sweep = |name, run: Option<AsteriskRun>| w.spool.sweep(name, run.as_ref()).unwrap();
    assert_eq!(sweep(begun, None), Swept::Left);
    assert_eq!(sweep(begun, run(7, 500_000)), Swept::Left);
    assert_eq!(sweep(waiting, run(8, 2_000_000)), Swept::Left);
    assert_eq!(sweep(begun, run(8, 2_000_000)), Swept::Removed);
    assert_eq!(sweep(begun, run(8, 2_000_000)), Swept::Gone);
    assert!(w.outgoing(waiting).exists());
}

#[test]
fn the_pid_file_counts_only_while_its_process_lives() {
    let run_dir = tempfile::tempdir().unwrap();
    let running = || running_asterisk(run_dir.path(), crate::clock::now()).unwrap().map(|run| run.pid);
    assert_eq!(running(), None);
    let us = i64::from(std::process::id());
    fs::write(run_dir.path().join("asterisk.pid"), format!("{us}\n")).unwrap();
    assert_eq!(running(), Some(us));
    // Beyond any pid_max; 0 and -1 would ask about process groups.
    for text in ["2147483647", "0", "-1", "", "x"] {
        fs::write(run_dir.path().join("asterisk.pid"), text).unwrap();
        assert_eq!(running(), None, "{text:?}");
    }
}

#[test]
fn old_archived_files_are_found_without_reading_them() {
    let w = world();
    let archived = w.publish(1);
    w.asterisk_moves(archived);
    assert_eq!(w.spool.archived_older_than(START).unwrap(), [archived]);
    assert!(w.spool.archived_older_than(START.plus_s(-60)).unwrap().is_empty());
}

#[test]
fn opening_creates_what_is_missing_and_clears_what_a_crash_left() {
    let w = world();
    let dirs = w.spool.dirs().clone();
    fs::write(dirs.staging.join("publishing-abc"), "half").unwrap();
    fs::write(dirs.staging.join("notes.txt"), "somebody's").unwrap();
    let waiting = w.publish(1);
    Spool::open(dirs.clone()).unwrap();
    assert!(!dirs.staging.join("publishing-abc").exists() && dirs.staging.join("notes.txt").exists());
    assert!(dirs.done.is_dir() && w.outgoing(waiting).exists());
    assert_eq!(fs::metadata(&dirs.done).unwrap().mode() & 0o027, 0);
}

#[test]
fn a_spool_that_would_not_work_is_refused_with_the_mend() {
    let root = tempfile::tempdir().unwrap();
    let dirs = SpoolDirs::below(root.path());
    let told = |opened: Result<Spool, SpoolError>| opened.unwrap_err().to_string();
    assert!(told(Spool::open(dirs.clone())).contains("start Asterisk once"));
    assert!(!dirs.staging.exists());
    fs::write(&dirs.outgoing, "").unwrap();
    assert!(told(Spool::open(dirs.clone())).contains("is no folder"));
    fs::remove_file(&dirs.outgoing).unwrap();
    fs::create_dir(&dirs.outgoing).unwrap();
    fs::set_permissions(&dirs.outgoing, fs::Permissions::from_mode(0o755)).unwrap();
    let owner = fs::metadata(&dirs.outgoing).unwrap().uid();
    assert!(told(Spool::open_as(dirs.clone(), owner + 1)).contains("run Campanile as Asterisk's user"));
    let long = SpoolDirs { outgoing: root.path().join("x".repeat(220)), ..dirs };
    fs::create_dir(&long.outgoing).unwrap();
    assert!(told(Spool::open_as(long, owner)).contains("too long"));
}

#[test]
fn another_file_system_is_refused() {
    let w = world();
    let dirs = SpoolDirs { staging: "/proc".into(), ..w.spool.dirs().clone() };
    let refused = Spool::open(dirs);
    assert!(matches!(refused, Err(SpoolError::OtherFileSystem { .. })), "{refused:?}");
}

fn wait_for(events: &Receiver<SpoolEvent>, wanted: SpoolEvent) {
    let mut seen = Vec::new();
    while let Ok(event) = events.recv_timeout(PATIENCE) {
        if event == wanted {
            return;
        }
        seen.push(event);
    }
    panic!("no {wanted:?}, but {seen:?}");
}

#[test]
fn the_watch_follows_a_file_through_its_life() {
    let w = world();
    let (_watch, events) = w.watch();
    let name = w.publish(1);
    wait_for(&events, SpoolEvent::Changed { name });
    w.asterisk_begins(name, 7, 1000);
    wait_for(&events, SpoolEvent::Changed { name });
    w.asterisk_moves(name);
    wait_for(&events, SpoolEvent::Archived { name });
    World::append(&w.done(name), "Status: Completed\n");
    wait_for(&events, SpoolEvent::Archived { name });
}

#[test]
fn the_watch_does_not_speak_of_foreign_files_or_of_our_reading() {
    let w = world();
    let name = w.publish(1);
    let (_watch, events) = w.watch();
    fs::write(w.spool.dirs().outgoing.join("foreign.call"), "Channel: x\n").unwrap();
    w.spool.scan().unwrap();
    w.asterisk_moves(name);
    let first = events.recv_timeout(PATIENCE).unwrap();
    assert_eq!(first, SpoolEvent::Changed { name });
}

#[test]
fn a_replaced_folder_is_watched_again_after_a_rescan() {
    let w = world();
    let (_watch, events) = w.watch();
    let outgoing = &w.spool.dirs().outgoing;
    for round in 1..=2 {
        fs::remove_dir(outgoing).unwrap();
        fs::create_dir(outgoing).unwrap();
        wait_for(&events, SpoolEvent::Rescan(RescanWhy::FolderReplaced));
        let name = w.publish(round);
        wait_for(&events, SpoolEvent::Changed { name });
        assert_eq!(w.spool.withdraw(name).unwrap(), Withdrawn::Removed);
    }
}

#[test]
fn a_folder_that_was_moved_away_is_watched_again_when_it_is_back() {
    let w = world();
    let (_watch, events) = w.watch();
    let done = &w.spool.dirs().done;
    let aside = done.with_extension("aside");
    fs::rename(done, &aside).unwrap();
    fs::rename(&aside, done).unwrap();
    wait_for(&events, SpoolEvent::Rescan(RescanWhy::FolderReplaced));
    let name = w.publish(1);
    w.asterisk_moves(name);
    wait_for(&events, SpoolEvent::Archived { name });
}

#[test]
fn a_dropped_watch_ends_also_where_there_is_nothing_to_watch() {
    let w = world();
    let (watch, events) = w.watch();
    drop(watch);
    assert!(events.recv_timeout(PATIENCE).is_err_and(|e| e == std::sync::mpsc::RecvTimeoutError::Disconnected));
    let missing = SpoolDirs::below(&w.spool.dirs().outgoing);
    drop(SpoolWatch::start(&missing, drop).unwrap());
}
