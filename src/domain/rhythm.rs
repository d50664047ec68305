//! A campaign's own pace within the server's: a delay between its calls, and batches with a pause.
//!
//! Both come to one question, how early the next call may start, and are answered from the last start and how many
//! of its batch there were: the planner, the gate and `why` ask the same.

use serde::{Deserialize, Serialize};

use super::instant::UtcMs;

/// Calls in a row, and how long nothing starts behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// How many, at least 1.
    pub calls: u32,
    /// Seconds from the last of them to the first of the next batch.
    pub pause_s: u32,
}

/// A campaign's own pace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rhythm {
    /// Milliseconds from one start to the next, at the least; 0 for none.
    pub delay_ms: u32,
    /// Batches, if any.
    pub batch: Option<Batch>,
}

/// How far a campaign is in its rhythm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Beat {
    /// Its last start; `None` before the first.
    pub last_start_at: Option<UtcMs>,
    /// Starts of the batch that the last one belongs to.
    pub in_batch: u32,
}

impl Rhythm {
    /// Whether there is any.
    #[must_use]
    pub fn is_free(self) -> bool {
        self == Self::default()
    }

    /// The earliest instant of the next start, never before the last one: what is planned for later counts as a start.
    /// `None` for any.
    #[must_use]
    pub fn earliest(self, beat: Beat) -> Option<UtcMs> {
        let full = self.batch.filter(|batch| beat.in_batch >= batch.calls);
        let gap_ms = full.map_or(0, Batch::pause_ms).max(i64::from(self.delay_ms));
        beat.last_start_at.filter(|_| !self.is_free()).map(|last| last.plus_ms(gap_ms))
    }

    /// The beat after a start at `at`. A pause that came by itself begins a batch anew.
    #[must_use]
    pub fn after(self, beat: Beat, at: UtcMs) -> Beat {
        let last = beat.last_start_at.map_or(at, |last| last.max(at));
        let goes_on = |batch: &Batch| {
            let since_ms = beat.last_start_at.map_or(i64::MAX, |before| at.since_ms(before));
            beat.in_batch < batch.calls && since_ms < batch.pause_ms()
        };
        let in_batch = self.batch.map_or(0, |batch| if goes_on(&batch) { beat.in_batch + 1 } else { 1 });
        Beat { last_start_at: Some(last), in_batch }
    }

    /// Forgets a last start that lies further ahead than any could: the clock was set back.
    #[must_use]
    pub fn believed(self, beat: Beat, latest: UtcMs) -> Beat {
        if beat.last_start_at.is_some_and(|last| latest < last) { Beat::default() } else { beat }
    }
}

impl Batch {
    fn pause_ms(self) -> i64 {
        i64::from(self.pause_s) * 1000
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Starts as early as may be, from 0 on.
    fn starts(rhythm: Rhythm, count: usize) -> Vec<i64> {
        let mut beat = Beat::default();
        let start = |_| {
            let at = rhythm.earliest(beat).or(beat.last_start_at).unwrap_or(UtcMs(0));
            beat = rhythm.after(beat, at);
            at.0
        };
        (0..count).map(start).collect()
    }

    #[test]
    fn a_delay_lies_between_two_starts() {
        assert_eq!(starts(Rhythm { delay_ms: 1_500, batch: None }, 4), [0, 1_500, 3_000, 4_500]);
    }

    #[test]
    fn a_batch_is_followed_by_its_pause() {
        let batch = Some(Batch { calls: 3, pause_s: 60 });
        assert_eq!(starts(Rhythm { delay_ms: 0, batch }, 7), [0, 0, 0, 60_000, 60_000, 60_000, 120_000]);
        assert_eq!(starts(Rhythm { delay_ms: 100, batch }, 5), [0, 100, 200, 60_200, 60_300]);
    }

    #[test]
    fn a_pause_that_came_by_itself_begins_a_batch_anew() {
        let rhythm = Rhythm { delay_ms: 0, batch: Some(Batch { calls: 2, pause_s: 10 }) };
        let beat = rhythm.after(Beat::default(), UtcMs(0));
        let beat = rhythm.after(beat, UtcMs(10_000));
        assert_eq!(rhythm.earliest(beat), Some(UtcMs(10_000)), "one more of the second batch, at once");
        assert_eq!(rhythm.earliest(rhythm.after(beat, UtcMs(10_000))), Some(UtcMs(20_000)));
    }

    proptest! {
        #[test]
        fn no_batch_has_more_calls_than_it_may_and_no_two_starts_are_too_near_i5(
            delay_ms in 0_u32..3_000,
            calls in 1_u32..6,
            pause_s in 1_u32..20,
            wishes in proptest::collection::vec(0_i64..9_000, 1..60),
        ) {
            let rhythm = Rhythm { delay_ms, batch: Some(Batch { calls, pause_s }) };
            let (mut beat, mut at, mut starts) = (Beat::default(), UtcMs(0), Vec::new());
            for later_ms in wishes {
                at = rhythm.earliest(beat).unwrap_or(at).max(at.plus_ms(later_ms));
                beat = rhythm.after(beat, at);
                starts.push(at);
            }
            prop_assert!(starts.windows(2).all(|pair| pair[1].since_ms(pair[0]) >= i64::from(delay_ms)));
            let too_many = starts.windows(calls as usize + 1).any(|run| {
                run.windows(2).all(|pair| pair[1].since_ms(pair[0]) < i64::from(pause_s) * 1000)
            });
            prop_assert!(!too_many, "{starts:?}");
        }
    }
}
