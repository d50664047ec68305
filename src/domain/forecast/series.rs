//! Channels over time, in as many spans as anybody can read.

use crate::domain::instant::UtcMs;

/// A span of the forecast.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// Calls that begin in it.
    pub starts: u64,
    /// The most channels in use at an instant of it.
    pub channels_max: u32,
    /// Channels in use, times milliseconds.
    pub channel_ms: i64,
}

impl Span {
    fn and(self, next: Self) -> Self {
        Self {
            starts: self.starts + next.starts,
            channels_max: self.channels_max.max(next.channels_max),
            channel_ms: self.channel_ms + next.channel_ms,
        }
    }
}

/// Channels in use over time, in spans of one length: a longer one is taken when there are too many of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// Where the first span begins.
    pub from: UtcMs,
    /// How long each is.
    pub span_ms: i64,
    /// One after the other.
    pub spans: Vec<Span>,
    channels: u32,
    seen_to: UtcMs,
}

/// How long a span may be: each is a multiple of the one before, and begins where a clock would begin it.
const STEPS_S: [i64; 10] = [1, 5, 15, 60, 300, 900, 3_600, 4 * 3_600, 24 * 3_600, 7 * 24 * 3_600];

/// Kept finer than it is shown.
const SPANS_MAX: usize = 2_000;

impl Series {
    pub(super) fn new(from: UtcMs) -> Self {
        let span_ms = STEPS_S[0] * 1000;
        let aligned = UtcMs(from.0 - from.0.rem_euclid(span_ms));
        Self { from: aligned, span_ms, spans: Vec::new(), channels: 0, seen_to: from }
    }

    pub(super) fn begin(&mut self, at: UtcMs) {
        self.go_on_to(at);
        self.channels += 1;
        let channels = self.channels;
        let span = self.span_at(at);
        span.starts += 1;
        span.channels_max = span.channels_max.max(channels);
    }

    /// A channel that was in use before the first span.
    pub(super) fn carry(&mut self) {
        self.channels += 1;
        let (channels, at) = (self.channels, self.seen_to);
        let span = self.span_at(at);
        span.channels_max = span.channels_max.max(channels);
    }

    pub(super) fn end(&mut self, at: UtcMs) {
        self.go_on_to(at);
        self.channels = self.channels.saturating_sub(1);
    }

    /// The most channels in use at any instant.
    #[must_use]
    pub fn channels_max(&self) -> u32 {
        self.spans.iter().map(|span| span.channels_max).max().unwrap_or(0)
    }

    /// The same in at most so many spans.
    #[must_use]
    pub fn in_spans(mut self, spans_max: usize) -> Self {
        while self.spans.len() > spans_max.max(1) && self.coarsen() {}
        self
    }

    fn go_on_to(&mut self, at: UtcMs) {
        while self.channels > 0 && self.seen_to < at {
            let channels = self.channels;
            let into_ms = self.seen_to.since_ms(self.from).rem_euclid(self.span_ms);
            let until = self.seen_to.plus_ms(self.span_ms - into_ms).min(at);
            let (from, ms) = (self.seen_to, until.since_ms(self.seen_to));
            let span = self.span_at(from);
            span.channel_ms += ms * i64::from(channels);
            span.channels_max = span.channels_max.max(channels);
            self.seen_to = until;
        }
        self.seen_to = self.seen_to.max(at);
    }

    fn span_at(&mut self, at: UtcMs) -> &mut Span {
        while self.place(at) >= SPANS_MAX && self.coarsen() {}
        let place = self.place(at);
        if self.spans.len() <= place {
            self.spans.resize(place + 1, Span::default());
        }
        &mut self.spans[place]
    }

    fn place(&self, at: UtcMs) -> usize {
        usize::try_from(at.since_ms(self.from).max(0) / self.span_ms).unwrap_or(0)
    }

    /// Takes the next longer span; `false` when there is none.
    fn coarsen(&mut self) -> bool {
        let Some(step_ms) = STEPS_S.iter().map(|s| s * 1000).find(|step_ms| *step_ms > self.span_ms) else {
            return false;
        };
        let (from, old_ms) = (self.from, self.span_ms);
        let fine = std::mem::take(&mut self.spans);
        self.from = UtcMs(from.0 - from.0.rem_euclid(step_ms));
        self.span_ms = step_ms;
        for (n, span) in (0..).zip(fine) {
            let place = self.place(from.plus_ms(n * old_ms));
            if self.spans.len() <= place {
                self.spans.resize(place + 1, Span::default());
            }
            self.spans[place] = self.spans[place].and(span);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn channels_are_counted_in_the_spans_in_which_they_are_in_use() {
        let mut series = Series::new(UtcMs(500));
        series.begin(UtcMs(500));
        series.begin(UtcMs(1_400));
        series.end(UtcMs(1_600));
        series.end(UtcMs(3_500));
        let seen: Vec<_> = series.spans.iter().map(|s| (s.starts, s.channels_max, s.channel_ms)).collect();
        assert_eq!(seen, [(1, 1, 500), (1, 2, 1_200), (0, 1, 1_000), (0, 1, 500)]);
        let coarse = series.in_spans(2);
        assert_eq!((coarse.span_ms, coarse.spans.len(), coarse.channels_max()), (5_000, 1, 2));
    }

    #[test]
    fn spans_begin_where_a_clock_would_begin_them() {
        let mut series = Series::new(UtcMs(3_599_000));
        series.begin(UtcMs(3_599_000));
        series.end(UtcMs(2 * 3_600_000 + 1));
        let hours = series.in_spans(3);
        assert_eq!((hours.from, hours.span_ms), (UtcMs(0), 3_600_000));
        assert_eq!(hours.spans.iter().map(|span| span.channel_ms).collect::<Vec<_>>(), [1_000, 3_600_000, 1]);
    }

    proptest! {
        #[test]
        fn no_time_is_lost_however_long_it_goes_on(calls in proptest::collection::vec((0_i64..9_000_000, 1_i64..90_000), 1..60)) {
            let mut series = Series::new(UtcMs(7));
            let mut edges: Vec<(i64, bool)> = calls.iter().flat_map(|(at, ms)| [(at + 7, true), (at + 7 + ms, false)]).collect();
            edges.sort_unstable_by_key(|(at, begins)| (*at, *begins));
            for (at, begins) in edges {
                if begins { series.begin(UtcMs(at)) } else { series.end(UtcMs(at)) }
            }
            let talked: i64 = calls.iter().map(|(_, ms)| ms).sum();
            prop_assert_eq!(series.spans.iter().map(|span| span.channel_ms).sum::<i64>(), talked);
            prop_assert_eq!(series.spans.iter().map(|span| span.starts).sum::<u64>(), calls.len() as u64);
            prop_assert!(series.spans.len() <= SPANS_MAX);
        }
    }
}
