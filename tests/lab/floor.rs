//! What this machine does to anybody just now: how late a thread is that only wakes up and syncs a small file.
//! Measured beside a test that judges instants, so that other work on the machine does not fail it.

use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use campanile::clock;

/// How often it wakes up, in milliseconds.
const STEP_MS: i64 = 50;

/// A measurement that goes on.
pub struct Floor {
    ends: Arc<AtomicBool>,
    thread: JoinHandle<Vec<i64>>,
}

/// How late it was, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Lateness {
    pub p99_ms: i64,
    pub most_ms: i64,
}

impl Floor {
    /// Measures in a file of its own beside the ledger of the lab in `folder`.
    pub fn measure(folder: &Path) -> Self {
        let mut file = File::create(folder.join("floor")).unwrap();
        let ends = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&ends);
        let thread = std::thread::spawn(move || {
            let mut late = Vec::new();
            while !told.load(Ordering::Relaxed) {
                let wake_at = clock::now().plus_ms(STEP_MS);
                std::thread::sleep(Duration::from_millis(STEP_MS.unsigned_abs()));
                file.rewind().unwrap();
                file.write_all(&[0; 4096]).unwrap();
                file.sync_data().unwrap();
                late.push(clock::now().since_ms(wake_at));
            }
            late
        });
        Self { ends, thread }
    }

    pub fn end(self) -> Lateness {
        self.ends.store(true, Ordering::Relaxed);
        let mut late = self.thread.join().unwrap();
        late.sort_unstable();
        Lateness { p99_ms: late[late.len() * 99 / 100], most_ms: *late.last().unwrap() }
    }
}
