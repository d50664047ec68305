//! An Asterisk made of threads: it obeys asterisk.md where Campanile could notice the difference.
//!
//! It scans `outgoing`, keeps the whole-second mtime of an entry as first seen, never reads an entry
//! again before it is due, marks what it begins with `StartRetry`, runs our dialplan's rules over
//! FastAGI, and archives: first the rename, then the `Status:`. Callees are known by their number.

mod agi;
mod call;
pub mod callee;

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use campanile::domain::instant::UtcMs;

/// Between two looks at the spool; the real one has inotify.
const SCAN_MS: i64 = 10;

/// A call that reached the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    pub number: String,
    pub caller_number: String,
    pub caller_name: String,
    pub at: UtcMs,
}

/// What the outside sees.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub reached: Vec<Reached>,
    /// Where answered calls were handed to, with the keys pressed before.
    pub handed_over: Vec<(String, String)>,
    /// Sounds that were begun, and what was said: `DIGITS 42`.
    pub played: Vec<String>,
    /// Variables of contacts and lists in channels at their ends.
    pub set: Vec<(String, String)>,
}

/// All that the threads share.
pub struct Switchboard {
    spool: PathBuf,
    agi_port: u16,
    seen: Mutex<Seen>,
    down: Mutex<Power>,
    bell: Condvar,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Power {
    On,
    Off,
}

impl Switchboard {
    pub fn note(&self, what: impl FnOnce(&mut Seen)) {
        what(&mut self.seen.lock().unwrap());
    }

    /// Waits until `at`, or until the power goes.
    fn wait_until(&self, at: UtcMs) -> Power {
        let mut power = self.down.lock().unwrap();
        loop {
            let left = at.since_ms(campanile::clock::now());
            if *power == Power::Off || left <= 0 {
                return *power;
            }
            power = self.bell.wait_timeout(power, Duration::from_millis(left.unsigned_abs())).unwrap().0;
        }
    }
}

/// A running one; it ends when dropped.
pub struct FakeAsterisk {
    board: Arc<Switchboard>,
    scanner: Option<JoinHandle<()>>,
}

impl FakeAsterisk {
    pub fn start(spool: &Path, agi_port: u16) -> Self {
        let board = Arc::new(Switchboard {
            spool: spool.to_owned(),
            agi_port,
            seen: Mutex::default(),
            down: Mutex::new(Power::On),
            bell: Condvar::new(),
        });
        let scanned = board.clone();
        let scanner = Some(std::thread::spawn(move || scan_for_ever(&scanned)));
        Self { board, scanner }
    }

    pub fn seen(&self) -> Seen {
        self.board.seen.lock().unwrap().clone()
    }
}

impl FakeAsterisk {
    /// Switches it off, and waits for its threads.
    pub fn stop(&mut self) {
        *self.board.down.lock().unwrap() = Power::Off;
        self.board.bell.notify_all();
        let ended = self.scanner.take().map(JoinHandle::join);
        assert!(ended.is_none_or(|e| e.is_ok()) || std::thread::panicking(), "a thread of the fake Asterisk panicked");
    }
}

impl Drop for FakeAsterisk {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Files as first seen: when they are due. One that was begun stays in the list, so it is begun once.
fn scan_for_ever(board: &Arc<Switchboard>) {
    let mut queue: HashMap<PathBuf, Option<i64>> = HashMap::new();
    let mut calls = Vec::new();
    loop {
        let now = campanile::clock::now();
        for entry in fs::read_dir(board.spool.join("outgoing")).unwrap().flatten() {
            let Ok(found) = entry.metadata() else { continue };
            if found.is_file() {
                queue.entry(entry.path()).or_insert(Some(found.mtime()));
            }
        }
        for (path, due) in queue.iter_mut().filter(|(_, due)| due.is_some_and(|s| s * 1000 <= now.0)) {
            *due = None;
            let (board, path) = (board.clone(), path.clone());
            calls.push(std::thread::spawn(move || call::run(&board, &path)));
        }
        if board.wait_until(now.plus_ms(SCAN_MS)) == Power::Off {
            calls.into_iter().for_each(|call| call.join().unwrap());
            return;
        }
    }
}
