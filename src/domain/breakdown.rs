//! What became of calls, counted by one of their features.

use std::collections::BTreeMap;

use serde::Serialize;

use super::calendar::Zone;
use super::disposition::Disposition;
use super::instant::UtcMs;
use super::stored::worded_enum;

worded_enum! {
    /// By what calls are counted.
    pub enum Grouping {
        /// How they ended.
        Disposition = "disposition",
        /// Q.850 cause.
        Cause = "cause",
        /// SIP code.
        SipCode = "sip",
        /// The line out.
        Trunk = "trunk",
        /// The hour of the day at which they began, on the campaign's clock.
        Hour = "hour",
        /// The day of the week.
        Weekday = "weekday",
        /// The day.
        Day = "day",
    }
}

/// A closed attempt, as far as it is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted<'a> {
    /// When `Dial` was entered; the planned instant of one that was not dialled.
    pub began_at: UtcMs,
    /// How it ended.
    pub disposition: Disposition,
    /// Q.850 cause.
    pub cause: Option<u16>,
    /// SIP code.
    pub sip_code: Option<u16>,
    /// The trunk's name.
    pub trunk: &'a str,
    /// How long it rang.
    pub ring_ms: Option<i64>,
    /// How long the callee was connected.
    pub talk_ms: Option<i64>,
}

/// What the calls of one group come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sum {
    /// Attempts that ended.
    pub attempts: u64,
    /// Of these, those that were dialled.
    pub dialled: u64,
    /// Of these, those that were answered.
    pub answered: u64,
    /// Of all that rang together.
    ring_ms: i64,
    rang: u64,
    /// Connected time together.
    pub talk_ms: i64,
}

impl Sum {
    fn add(&mut self, call: &Counted) {
        self.attempts += 1;
        self.dialled += u64::from(call.disposition != Disposition::NotDialled);
        self.answered += u64::from(call.disposition == Disposition::Answered);
        self.ring_ms += call.ring_ms.unwrap_or(0);
        self.rang += u64::from(call.ring_ms.is_some());
        self.talk_ms += call.talk_ms.unwrap_or(0);
    }

    /// Answered of dialled (answer-seizure ratio), from 0 to 1; `None` when none was dialled.
    #[must_use]
    pub fn answer_rate(&self) -> Option<f64> {
        (self.dialled > 0).then(|| self.answered as f64 / self.dialled as f64)
    }

    /// How long it rang on the average, of calls that rang.
    #[must_use]
    pub fn mean_ring_ms(&self) -> Option<i64> {
        (self.rang > 0).then(|| self.ring_ms / i64::try_from(self.rang).unwrap_or(i64::MAX))
    }

    /// How long answered calls lasted on the average.
    #[must_use]
    pub fn mean_talk_ms(&self) -> Option<i64> {
        (self.answered > 0).then(|| self.talk_ms / i64::try_from(self.answered).unwrap_or(i64::MAX))
    }
}

/// A group's place among the others, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Group {
    #[serde(skip)]
    place: u32,
    /// `busy`, `17`, `gw1`, `09`, `Mon`, `2026-03-01`, or `-` for those that have none.
    pub name: String,
}

/// Calls counted by one feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Breakdown {
    by: Grouping,
    zone: Zone,
    /// Every group that has a call; of hours and weekdays all.
    pub groups: BTreeMap<Group, Sum>,
    /// All of them together.
    pub all: Sum,
}

impl Breakdown {
    /// No calls yet; hours and days are those of `zone`.
    #[must_use]
    pub fn new(by: Grouping, zone: Zone) -> Self {
        let places = match by {
            Grouping::Hour => 0..24,
            Grouping::Weekday => 0..7,
            _ => 0..0,
        };
        let empty = places.map(|place| (Group { place, name: named(by, place) }, Sum::default()));
        Self { by, zone, groups: empty.collect(), all: Sum::default() }
    }

    /// Counts a call.
    pub fn add(&mut self, call: &Counted) {
        self.groups.entry(self.group(call)).or_default().add(call);
        self.all.add(call);
    }

    fn group(&self, call: &Counted) -> Group {
        let numbered = |n: Option<u16>| match n {
            Some(n) => Group { place: u32::from(n), name: n.to_string() },
            None => Group { place: u32::MAX, name: "-".to_owned() },
        };
        let local = self.zone.on_the_wall(call.began_at);
        match self.by {
            Grouping::Disposition => {
                let place = Disposition::ALL.iter().position(|d| *d == call.disposition).unwrap_or_default();
                Group { place: u32::try_from(place).unwrap_or_default(), name: call.disposition.to_string() }
            }
            Grouping::Cause => numbered(call.cause),
            Grouping::SipCode => numbered(call.sip_code),
            Grouping::Trunk => Group { place: 0, name: call.trunk.to_owned() },
            Grouping::Hour => self.placed(local.hour()),
            Grouping::Weekday => self.placed(local.weekday().to_monday_zero_offset()),
            Grouping::Day => Group { place: 0, name: local.date().to_string() },
        }
    }

    fn placed(&self, place: i8) -> Group {
        let place = u32::from(place.unsigned_abs());
        Group { place, name: named(self.by, place) }
    }
}

fn named(by: Grouping, place: u32) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    match by {
        Grouping::Weekday => DAYS[place as usize % 7].to_owned(),
        _ => format!("{place:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(at: &str, disposition: Disposition) -> Counted<'static> {
        let began_at = at.parse::<jiff::Timestamp>().unwrap().into();
        let answered = disposition == Disposition::Answered;
        Counted {
            began_at,
            disposition,
            cause: Some(if answered { 16 } else { 17 }),
            sip_code: None,
            trunk: "gw1",
            ring_ms: answered.then_some(2_000),
            talk_ms: answered.then_some(9_000),
        }
    }

    fn counted(by: Grouping) -> Breakdown {
        let mut breakdown = Breakdown::new(by, "Europe/Berlin".parse().unwrap());
        // A Sunday night in UTC is Monday in Berlin.
        breakdown.add(&call("2026-03-01T23:30:00Z", Disposition::Answered));
        breakdown.add(&call("2026-03-02T08:00:00Z", Disposition::Busy));
        breakdown.add(&call("2026-03-03T08:59:59Z", Disposition::NotDialled));
        breakdown
    }

    #[track_caller]
    fn groups(by: Grouping, expected: &[(&str, u64)]) {
        let breakdown = counted(by);
        let some = breakdown.groups.iter().filter(|(_, sum)| sum.attempts > 0);
        assert_eq!(some.map(|(group, sum)| (group.name.as_str(), sum.attempts)).collect::<Vec<_>>(), expected);
        assert_eq!(breakdown.groups.values().map(|sum| sum.attempts).sum::<u64>(), breakdown.all.attempts);
    }

    #[test]
    fn calls_are_counted_by_each_of_their_features_on_the_clock_of_the_campaign() {
        groups(Grouping::Hour, &[("00", 1), ("09", 2)]);
        groups(Grouping::Weekday, &[("Mon", 2), ("Tue", 1)]);
        groups(Grouping::Day, &[("2026-03-02", 2), ("2026-03-03", 1)]);
        groups(Grouping::Disposition, &[("answered", 1), ("busy", 1), ("not_dialled", 1)]);
        groups(Grouping::Cause, &[("16", 1), ("17", 2)]);
        groups(Grouping::SipCode, &[("-", 3)]);
        groups(Grouping::Trunk, &[("gw1", 3)]);
        assert_eq!((counted(Grouping::Hour).groups.len(), counted(Grouping::Weekday).groups.len()), (24, 7));
    }

    #[test]
    fn the_answer_rate_is_of_the_calls_that_were_dialled() {
        let all = counted(Grouping::Day).all;
        assert_eq!((all.attempts, all.dialled, all.answered), (3, 2, 1));
        assert_eq!((all.answer_rate(), all.mean_ring_ms(), all.mean_talk_ms()), (Some(0.5), Some(2_000), Some(9_000)));
        assert_eq!((Sum::default().answer_rate(), Sum::default().mean_talk_ms()), (None, None));
    }
}
