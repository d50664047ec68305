//! What is said about callers whom nobody knows.
//!
//! FastAGI knows no passwords: whoever of this machine fills the server must not fill the log as well.

use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The most lines in a period; the others are counted, and the count is told at its end.
const LINES_MAX: u32 = 10;
const PERIOD: Duration = Duration::from_secs(60);

/// Warnings about strangers, few of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Complaints(Arc<Mutex<Period>>);

#[derive(Debug, Default)]
struct Period {
    ends: Option<Instant>,
    told: u32,
    left_out: u64,
}

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Tell,
    /// The first that is left out: at this instant the count is due.
    CountUntil(Instant),
    Count,
}

impl Complaints {
    /// Writes a warning, or only counts it.
    pub(super) fn tell(&self, line: impl Display) {
        let verdict = self.period().weigh(Instant::now());
        match verdict {
            Verdict::Tell => log::warn!("{line}"),
            Verdict::Count => {}
            Verdict::CountUntil(end) => {
                let complaints = self.clone();
                tokio::spawn(async move {
                    sleep_until(end).await;
                    let left_out = std::mem::take(&mut complaints.period().left_out);
                    log::warn!("{left_out} more lines about connections without a known ticket were left out");
                });
            }
        }
    }

    fn period(&self) -> MutexGuard<'_, Period> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Period {
    fn weigh(&mut self, now: Instant) -> Verdict {
        let end = match self.ends {
            Some(end) if now < end => end,
            _ => {
                self.told = 0;
                *self.ends.insert(now + PERIOD)
            }
        };
        if self.told < LINES_MAX {
            self.told += 1;
            return Verdict::Tell;
        }
        self.left_out += 1;
        if self.left_out == 1 { Verdict::CountUntil(end) } else { Verdict::Count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_lines_are_told_and_the_others_counted_once_a_period() {
        let (mut period, begin) = (Period::default(), Instant::now());
        for second in 0..LINES_MAX {
            assert_eq!(period.weigh(begin + Duration::from_secs(second.into())), Verdict::Tell);
        }
        assert_eq!(period.weigh(begin + PERIOD / 2), Verdict::CountUntil(begin + PERIOD));
        for _ in 0..1_000 {
            assert_eq!(period.weigh(begin + PERIOD / 2), Verdict::Count);
        }
        assert_eq!(period.left_out, 1_001);
        assert_eq!(period.weigh(begin + PERIOD), Verdict::Tell);
    }

    #[tokio::test]
    async fn what_is_not_told_is_counted() {
        let complaints = Complaints::default();
        for _ in 0..LINES_MAX + 7 {
            complaints.tell("somebody came");
        }
        assert_eq!(complaints.period().left_out, 7);
    }
}
