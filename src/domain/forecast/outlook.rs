//! What several runs say together.

use std::collections::BTreeMap;

use super::run::{Course, Left};
use super::series::Series;
use crate::domain::instant::UtcMs;
use crate::domain::retry::FailReason;

/// Of ten runs eight lie within; one below and one above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range<T> {
    /// One in ten is lower.
    pub low: T,
    /// Half of them are.
    pub median: T,
    /// One in ten is higher.
    pub high: T,
}

impl<T: Copy + Ord> Range<T> {
    /// Of these; `None` of none.
    #[must_use]
    pub fn of(values: impl Iterator<Item = T>) -> Option<Self> {
        let mut sorted: Vec<T> = values.collect();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        let at = |tenths: usize| sorted[(last * tenths + 5) / 10];
        Some(Self { low: at(1), median: at(5), high: at(9) })
    }
}

/// What is to be expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// How many runs.
    pub runs: u64,
    /// When the last call ends, of the runs in which nobody was left; `None` when there was none such.
    pub ends_at: Option<Range<UtcMs>>,
    /// Runs in which somebody was left.
    pub runs_without_end: u64,
    /// Calls that are made.
    pub calls: Range<u64>,
    /// Contacts that are reached.
    pub reached: Range<u64>,
    /// Contacts that are not, though called as often as may be.
    pub failed: Range<u64>,
    /// Why, in the median run.
    pub failed_by: BTreeMap<FailReason, u64>,
    /// Contacts that expire before they are reached.
    pub expired: Range<u64>,
    /// Contacts that are still waiting when nothing more can be called.
    pub left: Range<u64>,
    /// Why, in the median run.
    pub left_by: Option<Left>,
    /// Channels over time, in the median run.
    pub series: Series,
}

impl Outlook {
    /// Of these runs; `None` of none.
    #[must_use]
    pub fn of(mut courses: Vec<Course>) -> Option<Self> {
        courses.sort_by_key(|course| (course.left > 0, course.ended_at, course.calls));
        let range = |of: fn(&Course) -> u64| Range::of(courses.iter().map(of));
        let (calls, reached, failed) = (range(|c| c.calls)?, range(|c| c.reached)?, range(Course::failed)?);
        let (expired, left) = (range(|c| c.expired)?, range(|c| c.left)?);
        let ended = courses.iter().filter(|course| course.left == 0).filter_map(|course| course.ended_at);
        let ends_at = Range::of(ended);
        let runs_without_end = courses.iter().filter(|course| course.left > 0).count() as u64;
        let runs = courses.len() as u64;
        let median = courses.swap_remove((courses.len() - 1) / 2);
        Some(Self {
            runs,
            ends_at,
            runs_without_end,
            calls,
            reached,
            failed,
            failed_by: median.failed_by,
            expired,
            left,
            left_by: median.left_by,
            series: median.series,
        })
    }
}
