//! Which files the Asterisk that runs must have begun itself, whatever the clocks say.
//!
//! A mark in a file tells a pid and an instant. In a container every Asterisk may have the same pid, and
//! an instant is worth little once the clock was set back and forth. But a file that was not begun yet
//! while this very process ran already cannot have been begun by an earlier one.

use std::collections::{BTreeMap, BTreeSet};

use super::SpoolName;
use super::scan::FileState;
use super::sweep::{AsteriskRun, Judged, judge};
use crate::callfile::Begun;

/// One Asterisk, by what no clock changes: its pid and when it started, in ticks after the boot. `core restart`
/// keeps the first and changes the second.
type Identity = (i64, i64);

/// What was seen while one Asterisk ran; forgotten with it.
#[derive(Debug, Default)]
pub struct Acquaintance {
    asterisk: Option<Identity>,
    /// Published since the last look. If the Asterisk of the next look is that of the last, it ran meanwhile.
    published: BTreeSet<SpoolName>,
    /// Seen not begun while it ran.
    waited: BTreeSet<SpoolName>,
}

impl Acquaintance {
    /// Notes a file that was just published.
    pub fn published(&mut self, name: SpoolName) {
        self.published.insert(name);
    }

    /// Notes what a scan saw, and which Asterisk ran when the scan began.
    pub fn saw(&mut self, running: Option<&AsteriskRun>, files: &BTreeMap<SpoolName, FileState>) {
        let asterisk = running.and_then(|run| Some((run.pid, run.started_ticks?)));
        let published = std::mem::take(&mut self.published);
        if asterisk != self.asterisk {
            self.asterisk = asterisk;
            self.waited.clear();
        } else {
            self.waited.extend(published);
        }
        self.waited.retain(|name| files.contains_key(name));
        if self.asterisk.is_some() {
            let waiting = files.iter().filter(|(_, state)| matches!(state, FileState::Waiting));
            self.waited.extend(waiting.map(|(name, _)| *name));
        }
    }

    /// Whether the Asterisk that began a file lives; to be asked after [`Acquaintance::saw`] of the same scan.
    #[must_use]
    pub fn judge(&self, name: SpoolName, begun: &Begun, running: Option<&AsteriskRun>) -> Judged {
        match judge(begun, running) {
            Judged::Dead if self.vouches(name, begun) => Judged::Lives,
            judged => judged,
        }
    }

    fn vouches(&self, name: SpoolName, begun: &Begun) -> bool {
        self.waited.contains(&name) && self.asterisk.is_some_and(|(pid, _)| pid == begun.pid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::AttemptId;
    use crate::domain::instant::UtcMs;

    const HOUR_S: i64 = 3_600;

    fn asterisk(started_ticks: i64, since_s: i64) -> AsteriskRun {
        AsteriskRun { pid: 1, since: UtcMs(0).plus_s(since_s), started_ticks: Some(started_ticks) }
    }

    fn begun(at_s: i64) -> Begun {
        Begun { pid: 1, began_at: Some(UtcMs(0).plus_s(at_s)), held_s: 0 }
    }

    fn files(states: &[(i64, FileState)]) -> BTreeMap<SpoolName, FileState> {
        states.iter().map(|(id, state)| (name(*id), *state)).collect()
    }

    fn name(id: i64) -> SpoolName {
        SpoolName::new(AttemptId(id), 7)
    }

    #[test]
    fn a_clock_set_back_and_forth_makes_no_living_call_look_dead_i2() {
        // It started at noon; the clock went back an hour, two calls began, and the clock was set right again.
        let (run, call) = (asterisk(500, 12 * HOUR_S), begun(11 * HOUR_S + 600));
        assert_eq!(judge(&call, Some(&run)), Judged::Dead, "by the clocks alone");
        let mut known = Acquaintance::default();
        known.saw(Some(&run), &files(&[(1, FileState::Waiting)]));
        known.published(name(2));
        let both = files(&[(1, FileState::Begun(call)), (2, FileState::Begun(call))]);
        known.saw(Some(&run), &both);
        for id in [1, 2] {
            assert_eq!(known.judge(name(id), &call, Some(&run)), Judged::Lives, "{id}");
        }
        // Of a file that was begun before anybody looked, the clocks decide.
        assert_eq!(known.judge(name(3), &call, Some(&run)), Judged::Dead);
    }

    #[test]
    fn the_next_asterisk_with_the_same_pid_is_another_one_i1() {
        let (first, second) = (asterisk(500, 12 * HOUR_S), asterisk(900, 13 * HOUR_S));
        let call = begun(12 * HOUR_S + 60);
        let mut known = Acquaintance::default();
        known.saw(Some(&first), &files(&[(1, FileState::Waiting)]));
        known.published(name(2));
        // It died with both calls; which Asterisk ran when the second was published is not known.
        let both = files(&[(1, FileState::Begun(call)), (2, FileState::Begun(call))]);
        known.saw(Some(&second), &both);
        for id in [1, 2] {
            assert_eq!(known.judge(name(id), &call, Some(&second)), Judged::Dead, "{id}");
        }
        // Nor is one known whose process cannot be told from another.
        let unknown = AsteriskRun { started_ticks: None, ..first };
        known.saw(Some(&unknown), &files(&[(4, FileState::Waiting)]));
        known.saw(Some(&unknown), &files(&[(4, FileState::Begun(begun(0)))]));
        assert_eq!(known.judge(name(4), &begun(0), Some(&unknown)), Judged::Dead);
    }
}
