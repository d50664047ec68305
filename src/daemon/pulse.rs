//! Whether another Asterisk runs than before: the calls of its forerunner are over, and each of their files holds a
//! channel and a number until it is swept.

use std::path::Path;

use crate::domain::instant::UtcMs;
use crate::spool::{AsteriskRun, running_asterisk};

/// How often the pid file is looked at.
const LOOK_MS: i64 = 1_000;

/// What was seen of Asterisk.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    looked_at: Option<UtcMs>,
    seen: Option<AsteriskRun>,
}

impl Pulse {
    /// Whether an Asterisk runs that did not at the last look; looks once a second.
    pub(super) fn is_of_another(&mut self, run_dir: &Path, now: UtcMs) -> bool {
        if self.looked_at.is_some_and(|at| (0..LOOK_MS).contains(&now.since_ms(at))) {
            return false;
        }
        let first = self.looked_at.replace(now).is_none();
        // One that cannot be told is warned of by each scan.
        let Ok(Some(run)) = running_asterisk(run_dir, now) else { return false };
        let before = self.seen.replace(run);
        // The scan at the daemon's start has seen what this one left.
        !first && before.is_none_or(|before| before.pid != run.pid || run.since.since_ms(before.since) >= LOOK_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_asterisk_is_seen_once() {
        let dir = tempfile::tempdir().unwrap();
        let run_as = |pid: u32| std::fs::write(dir.path().join("asterisk.pid"), pid.to_string()).unwrap();
        let mut pulse = Pulse::default();
        // Later than either pid file, whose time then tells.
        let mut now = crate::clock::now().plus_s(3_600);
        let mut look = |later_ms| {
            now = now.plus_ms(later_ms);
            pulse.is_of_another(dir.path(), now)
        };
        assert!(!look(0), "none runs");
        run_as(std::process::id());
        assert!(!look(999), "not looked at yet");
        assert!(look(1), "it was started");
        assert!(!look(1_000), "the same");
        run_as(std::os::unix::process::parent_id());
        assert!(look(1_000), "another one");
        assert!(!look(1_000));
    }
}
