//! The grid of slots, the intervals of planning, and distances between starts.

use super::TICK_AHEAD_MS;
use crate::domain::instant::UtcMs;

const MINUTE_MS: i64 = 60_000;
const HOUR_MIN: u32 = 60;

/// The slots in `from..until`, ascending: slot `i` of each UTC minute is `60000 * i / rate` ms after
/// its beginning, rounded down. A `rate` outside 1 to 60000 calls a minute is taken as the nearer end.
pub fn slots(rate: u32, from: UtcMs, until: UtcMs) -> impl Iterator<Item = UtcMs> {
    let rate = grid_rate(rate);
    let minute = from.0.div_euclid(MINUTE_MS);
    // The first i with floor(60000 i / rate) >= x is ceil(x rate / 60000); it may be the next minute's 0.
    let first = (from.0.rem_euclid(MINUTE_MS) * rate + MINUTE_MS - 1) / MINUTE_MS;
    let instant = move |i: i64| {
        let begins = minute.saturating_add(i / rate).saturating_mul(MINUTE_MS);
        UtcMs(begins).plus_ms(i % rate * MINUTE_MS / rate)
    };
    (first..).map(instant).take_while(move |slot| *slot < until)
}

/// The first slot at or after `at`.
#[must_use]
pub fn slot_from(rate: u32, at: UtcMs) -> UtcMs {
    slots(rate, at, UtcMs(i64::MAX)).next().unwrap_or(at)
}

/// The last slot before `until`.
#[must_use]
pub fn slot_before(rate: u32, until: UtcMs) -> UtcMs {
    let rate = grid_rate(rate);
    let last = until.plus_ms(-1);
    let into = last.0.rem_euclid(MINUTE_MS);
    // The last i with floor(60000 i / rate) <= x is the last i with 60000 i < (x + 1) rate.
    let i = ((into + 1) * rate - 1) / MINUTE_MS;
    last.plus_ms(i * MINUTE_MS / rate - into)
}

fn grid_rate(rate: u32) -> i64 {
    i64::from(rate).clamp(1, MINUTE_MS)
}

/// The end (exclusive) of the interval that contains `now` + [`TICK_AHEAD_MS`]: the horizon of a plan.
///
/// Intervals begin at the minutes of the UTC hour that are multiples of `cron_interval_min`, like
/// cron's `*/N`; where N does not divide 60 the last interval of an hour is short. A value outside
/// 1 to 60 is taken as the nearer end.
#[must_use]
pub fn interval_end(now: UtcMs, cron_interval_min: u32) -> UtcMs {
    let length = i64::from(cron_interval_min.clamp(1, HOUR_MIN));
    let minute = now.plus_ms(TICK_AHEAD_MS).0.div_euclid(MINUTE_MS);
    let in_hour = minute.rem_euclid(i64::from(HOUR_MIN));
    let end_in_hour = (in_hour - in_hour % length + length).min(i64::from(HOUR_MIN));
    UtcMs((minute - in_hour).saturating_add(end_in_hour).saturating_mul(MINUTE_MS))
}

/// The minutes of the hour in which the planner is woken, ascending: each the one before an interval begins.
#[must_use]
pub fn wake_minutes(cron_interval_min: u32) -> Vec<u32> {
    let length = cron_interval_min.clamp(1, HOUR_MIN);
    let begins = (0..HOUR_MIN).step_by(length as usize);
    let mut minutes: Vec<u32> = begins.map(|begin| (begin + HOUR_MIN - 1) % HOUR_MIN).collect();
    minutes.sort_unstable();
    minutes
}

/// The planner's tick as a cron expression with a field for seconds: `57 4,9,14,… * * * *`. It is
/// meant in UTC.
#[must_use]
pub fn wake_cron(cron_interval_min: u32) -> String {
    let second = (MINUTE_MS - TICK_AHEAD_MS) / 1000;
    let minutes: Vec<String> = wake_minutes(cron_interval_min).iter().map(u32::to_string).collect();
    format!("{second} {} * * * *", minutes.join(","))
}

/// The first slot at or after `at` that keeps its distance from those that are taken, in ascending order.
#[must_use]
pub fn free_slot_from(rate: u32, taken: &[UtcMs], at: UtcMs) -> UtcMs {
    let mut starts = Spacing::of_server(taken, rate);
    // Behind the last that is taken two minutes are free, whatever the rate.
    let until = taken.last().copied().unwrap_or(at).max(at).plus_ms(2 * MINUTE_MS);
    slots(rate, at, until).find(|slot| starts.admits(*slot)).unwrap_or_else(|| slot_from(rate, at))
}

/// The first instant at or after `at` at which a trunk's rate lets a call begin beside those that are taken, in ascending
/// order.
#[must_use]
pub fn free_start_from(starts_per_second: u32, taken: &[UtcMs], at: UtcMs) -> UtcMs {
    let gap_ms = Spacing::of_trunk(taken, Some(starts_per_second)).gap_ms;
    let keeps_distance = |at: UtcMs, taken: &UtcMs| at.since_ms(*taken).abs() >= gap_ms;
    taken.iter().fold(at, |at, taken| if keeps_distance(at, taken) { at } else { taken.plus_ms(gap_ms) })
}

/// Instants in use, and how near to them another may come. Asked in ascending order, so that a whole
/// plan walks along the instants once.
#[derive(Debug, Clone)]
pub(super) struct Spacing<'a> {
    taken: &'a [UtcMs],
    given: Option<UtcMs>,
    gap_ms: i64,
}

impl<'a> Spacing<'a> {
    /// The server's: a millisecond less than the grid's spacing, because slots are rounded down, and
    /// what is taken may lie off the grid after the rate was changed.
    pub(super) fn of_server(taken: &'a [UtcMs], rate: u32) -> Self {
        let spacing_ms = MINUTE_MS / grid_rate(rate);
        Self { taken, given: None, gap_ms: (spacing_ms - 1).max(1) }
    }

    /// A trunk's. No start at all is a matter of its channels, so a rate of 0 is taken as 1.
    pub(super) fn of_trunk(taken: &'a [UtcMs], starts_per_second: Option<u32>) -> Self {
        let gap_ms = starts_per_second.map_or(0, |starts| 1000_u32.div_ceil(starts.max(1)));
        Self { taken, given: None, gap_ms: gap_ms.into() }
    }

    /// Whether a start at `at` keeps its distance; `at` must not be earlier than when last asked.
    pub(super) fn admits(&mut self, at: UtcMs) -> bool {
        let passed = self.taken.iter().take_while(|taken| at.since_ms(**taken) >= self.gap_ms).count();
        self.taken = &self.taken[passed..];
        let before_next = self.taken.first().is_none_or(|taken| taken.since_ms(at) >= self.gap_ms);
        before_next && self.given.is_none_or(|given| at.since_ms(given) >= self.gap_ms)
    }

    /// Notes a start at `at`.
    pub(super) fn give(&mut self, at: UtcMs) {
        self.given = Some(at);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> UtcMs {
        text.parse::<jiff::Timestamp>().unwrap().into()
    }

    #[test]
    fn a_trunk_is_free_for_a_start_in_the_first_gap_that_is_long_enough() {
        let taken = [1_000, 1_500, 2_000, 3_000].map(UtcMs);
        let free = |at| free_start_from(2, &taken, UtcMs(at)).0;
        assert_eq!(
            [0, 500, 501, 999, 2_100, 2_500, 2_600, 3_500].map(free),
            [0, 500, 2_500, 2_500, 2_500, 2_500, 3_500, 3_500]
        );
        assert_eq!(free_start_from(1, &[], UtcMs(7)), UtcMs(7));
    }

    #[test]
    fn the_first_free_slot_lies_behind_what_others_have_planned() {
        let taken: Vec<UtcMs> = slots(60, UtcMs(0), UtcMs(300_000)).collect();
        assert_eq!(free_slot_from(60, &taken, UtcMs(1_400)), UtcMs(300_000));
        assert_eq!(free_slot_from(60, &[UtcMs(2_000), UtcMs(4_000)], UtcMs(1_400)), UtcMs(3_000));
        assert_eq!(free_slot_from(1, &[], UtcMs(1_400)), UtcMs(60_000));
    }

    fn seconds(rate: u32, until_ms: i64) -> Vec<i64> {
        slots(rate, UtcMs(0), UtcMs(until_ms)).map(|slot| slot.0 / 1000).collect()
    }

    #[test]
    fn the_two_examples_of_mor_i6() {
        assert_eq!(seconds(10, 60_000), [0, 6, 12, 18, 24, 30, 36, 42, 48, 54]);
        assert_eq!(seconds(5, 120_000), [0, 12, 24, 36, 48, 60, 72, 84, 96, 108]);
    }

    #[test]
    fn a_rate_that_does_not_divide_the_minute_is_rounded_down_in_each_minute_anew_i6() {
        let ms: Vec<i64> = slots(7, UtcMs(0), UtcMs(68_572)).map(|slot| slot.0).collect();
        assert_eq!(ms, [0, 8571, 17142, 25714, 34285, 42857, 51428, 60000, 68571]);
    }

    #[test]
    fn rates_beyond_the_grid_are_taken_as_its_ends() {
        assert_eq!(seconds(0, 180_000), [0, 60, 120]);
        assert_eq!(slots(u32::MAX, UtcMs(5), UtcMs(8)).map(|s| s.0).collect::<Vec<_>>(), [5, 6, 7]);
        assert_eq!(slots(10, UtcMs(6), UtcMs(6)).count(), 0);
    }

    #[test]
    fn intervals_begin_where_cron_has_them() {
        for (interval, now, end) in [
            (1, "2026-03-01T08:00:56.999Z", "2026-03-01T08:01:00Z"),
            (1, "2026-03-01T08:00:57Z", "2026-03-01T08:02:00Z"),
            (5, "2026-03-01T08:04:57Z", "2026-03-01T08:10:00Z"),
            (5, "2026-03-01T08:06:00Z", "2026-03-01T08:10:00Z"),
            (7, "2026-03-01T08:57:00Z", "2026-03-01T09:00:00Z"),
            (7, "2026-03-01T08:59:57Z", "2026-03-01T09:07:00Z"),
            (60, "2026-03-01T08:30:00Z", "2026-03-01T09:00:00Z"),
            (0, "2026-03-01T08:30:00Z", "2026-03-01T08:31:00Z"),
            (90, "2026-03-01T08:30:00Z", "2026-03-01T09:00:00Z"),
        ] {
            assert_eq!(interval_end(at(now), interval), at(end), "{interval} {now}");
        }
    }

    #[test]
    fn the_planner_wakes_three_seconds_before_each_interval() {
        assert_eq!(wake_cron(5), "57 4,9,14,19,24,29,34,39,44,49,54,59 * * * *");
        assert_eq!(wake_cron(60), "57 59 * * * *");
        assert_eq!(wake_minutes(25), [24, 49, 59]);
        assert_eq!(wake_minutes(1), (0..60).collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn cutting_a_span_anywhere_cuts_its_slots_there_i6(rate in 1_u32..=60_000, from in -90_000_i64..90_000, a in 0_i64..9_000, b in 0_i64..9_000) {
            let (cut, end) = (UtcMs(from + a), UtcMs(from + a + b));
            let parts: Vec<UtcMs> = slots(rate, UtcMs(from), cut).chain(slots(rate, cut, end)).collect();
            let whole: Vec<UtcMs> = slots(rate, UtcMs(from), end).collect();
            prop_assert!(whole.is_sorted_by(|x, y| x < y));
            prop_assert!(whole.iter().all(|slot| *slot >= UtcMs(from)));
            prop_assert_eq!(parts, whole);
        }

        #[test]
        fn the_neighbours_of_an_instant_agree_with_the_grid_i6(rate in 1_u32..=60_000, instant in -200_000_i64..200_000) {
            let x = UtcMs(instant);
            let last = slots(rate, x.plus_ms(-60_001), x).last();
            prop_assert_eq!(Some(slot_before(rate, x)), last);
            prop_assert_eq!(slots(rate, x, x.plus_ms(60_001)).next(), Some(slot_from(rate, x)));
        }

        #[test]
        fn every_minute_has_its_number_of_slots_i6(rate in 1_u32..=60_000, minute in -3_i64..3) {
            let from = UtcMs(minute * MINUTE_MS);
            prop_assert_eq!(slots(rate, from, from.plus_ms(MINUTE_MS)).count(), rate as usize);
        }
    }
}
