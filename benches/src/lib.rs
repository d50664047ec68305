//! Measuring side by side: ours and a floor, in turn, in one run, on one machine.
//!
//! A figure alone says as much about the machine as about the program. So each bench runs the least
//! that could do the same job (the floor) between its own rounds, and the ratio is what has a goal.

use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};

/// What one round took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// By the clock on the wall.
    pub wall: Duration,
    /// User and system time of this process.
    pub processor: Duration,
}

/// Runs `work` once and says what it took.
pub fn cost<T>(work: impl FnOnce() -> T) -> (Cost, T) {
    let (processor, wall) = (processor_time(), wall_clock());
    let made = work();
    (Cost { wall: wall.elapsed(), processor: processor_time().saturating_sub(processor) }, made)
}

/// A stopwatch that no step of the clock disturbs.
#[expect(clippy::disallowed_methods, reason = "a bench measures durations; no rule hangs on them")]
#[must_use]
pub fn wall_clock() -> std::time::Instant {
    std::time::Instant::now()
}

/// User and system time that this process has used.
///
/// # Panics
/// When the kernel does not say.
#[must_use]
pub fn processor_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap_or_else(|e| panic!("getrusage: {e}"));
    let duration = |t: nix::sys::time::TimeVal| {
        Duration::from_micros(u64::try_from(t.tv_sec() * 1_000_000 + t.tv_usec()).unwrap_or_default())
    };
    duration(usage.user_time()) + duration(usage.system_time())
}

/// Rounds of ours and of the floor.
#[derive(Debug, Default)]
pub struct Rounds {
    ours: Vec<Duration>,
    floor: Vec<Duration>,
}

impl Rounds {
    /// Notes a round of each; they are to be run one right after the other.
    pub fn note(&mut self, ours: Duration, floor: Duration) {
        self.ours.push(ours);
        self.floor.push(floor);
    }

    /// The median of ours.
    #[must_use]
    pub fn ours(&self) -> Duration {
        median(self.ours.clone())
    }

    /// The median of the floor.
    #[must_use]
    pub fn floor(&self) -> Duration {
        median(self.floor.clone())
    }

    /// The median of ours / floor, round by round: the machine's drift falls out of it.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        let mut ratios: Vec<f64> =
            self.ours.iter().zip(&self.floor).map(|(a, b)| a.as_secs_f64() / b.as_secs_f64()).collect();
        ratios.sort_by(f64::total_cmp);
        ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

/// The value in the middle.
#[must_use]
pub fn median<T: Ord + Copy + Default>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The value that `share` of all do not pass: 0.99 for the 99th percentile.
#[must_use]
pub fn quantile<T: Ord + Copy + Default>(mut values: Vec<T>, share: f64) -> T {
    values.sort_unstable();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a rank")]
    let rank = ((values.len() as f64 * share).ceil() as usize).clamp(1, values.len().max(1)) - 1;
    values.get(rank).copied().unwrap_or_default()
}

/// Prints a table in the form of `docs/benchmarks.md`.
pub fn table(title: &str, head: &[&str], rows: &[Vec<String>]) {
    println!("\n## {title}\n\n| {} |\n|{}", head.join(" | "), " --- |".repeat(head.len()));
    for row in rows {
        println!("| {} |", row.join(" | "));
    }
}

/// Prints whether a goal is met.
pub fn goal(what: &str, measured: f64, at_most: f64) {
    let verdict = if measured <= at_most { "met" } else { "MISSED" };
    println!("\ngoal: {what} at most {at_most}: {measured:.2}, {verdict}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_the_rank_and_the_ratio() {
        assert_eq!(median(vec![3, 1, 2]), 2);
        assert_eq!(quantile((1..=100).collect(), 0.99), 99);
        assert_eq!(quantile(vec![7], 0.99), 7);
        let mut rounds = Rounds::default();
        for (ours, floor) in [(2, 1), (30, 10), (4, 4)] {
            rounds.note(Duration::from_secs(ours), Duration::from_secs(floor));
        }
        assert!((rounds.ratio() - 2.0).abs() < 1e-9, "{}", rounds.ratio());
    }
}
