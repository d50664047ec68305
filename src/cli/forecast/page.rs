//! What a forecast says, for people and programs.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use serde::Serialize;

use super::super::failure::Result;
use super::super::present::chart::{self, Column};
use super::super::present::{Moment, table};
use crate::domain::calendar::Zone;
use crate::domain::campaign::Campaign;
use crate::domain::forecast::{Left, Odds, Outlook, Range, Series, Span};
use crate::domain::instant::UtcMs;
use crate::domain::retry::FailReason;
use crate::ledger::forecast::Prospect;

/// As many as a screen has lines.
const SPANS_SHOWN: usize = 24;
const SPANS_DRAWN: usize = 120;
const BAR: usize = 40;

#[derive(Serialize)]
pub struct Page {
    campaign: String,
    begins_at: Moment,
    runs: u64,
    answer_rate: Option<f64>,
    basis: &'static str,
    ring_ms: Option<i64>,
    talk_ms: Option<i64>,
    ends_at: Option<Spread<Moment>>,
    runs_without_end: u64,
    calls: Spread<u64>,
    reached: Spread<u64>,
    failed: Spread<u64>,
    expired: Spread<u64>,
    left: Spread<u64>,
    failed_by: BTreeMap<FailReason, u64>,
    left_by: Option<Left>,
    listed: u64,
    channels_max: u32,
    span_s: i64,
    channels: Vec<Row>,
}

#[derive(Serialize)]
struct Spread<T> {
    low: T,
    median: T,
    high: T,
}

impl<T: Copy, U> From<(Range<T>, fn(T) -> U)> for Spread<U> {
    fn from((range, of): (Range<T>, fn(T) -> U)) -> Self {
        Self { low: of(range.low), median: of(range.median), high: of(range.high) }
    }
}

#[derive(Serialize)]
struct Row {
    at: Moment,
    starts: u64,
    channels_max: u32,
    channels_mean: f64,
}

fn rows(series: &Series) -> impl Iterator<Item = Row> + '_ {
    let row = |(at, span): (i64, &Span)| Row {
        at: Moment(series.from.plus_ms(at * series.span_ms)),
        starts: span.starts,
        channels_max: span.channels_max,
        channels_mean: (span.channel_ms as f64 / series.span_ms as f64 * 100.0).round() / 100.0,
    };
    (0..).zip(&series.spans).map(row)
}

impl Page {
    pub fn new(campaign: &Campaign, prospect: &Prospect, outlook: &Outlook, given: Option<f64>) -> Self {
        let target = prospect.scene.campaigns.iter().find(|standing| standing.campaign.id == campaign.id);
        let odds: Option<&Odds> = target.map(|standing| &standing.odds);
        let series = outlook.series.clone().in_spans(SPANS_SHOWN);
        let same = |range: Range<u64>| Spread::from((range, (|n| n) as fn(u64) -> u64));
        Self {
            campaign: campaign.name.to_string(),
            begins_at: Moment(prospect.scene.now),
            runs: outlook.runs,
            answer_rate: odds.and_then(|odds| odds.rate.expected()),
            basis: if given.is_some() { "given" } else { prospect.basis.as_str() },
            ring_ms: odds.and_then(|odds| odds.mean_of_answered(|call| call.ring_ms)),
            talk_ms: odds.and_then(|odds| odds.mean_of_answered(|call| call.talk_ms)),
            ends_at: outlook.ends_at.map(|range| Spread::from((range, Moment as fn(UtcMs) -> Moment))),
            runs_without_end: outlook.runs_without_end,
            calls: same(outlook.calls),
            reached: same(outlook.reached),
            failed: same(outlook.failed),
            expired: same(outlook.expired),
            left: same(outlook.left),
            failed_by: outlook.failed_by.clone(),
            left_by: outlook.left_by,
            listed: prospect.listed,
            channels_max: outlook.series.channels_max(),
            span_s: series.span_ms / 1000,
            channels: rows(&series).collect(),
        }
    }

    pub fn tell(&self, out: &mut dyn Write, campaign: &Campaign) -> Result<()> {
        let zone = &campaign.calendar.zone;
        writeln!(
            out,
            "forecast    {} from {} {} on, {} run(s)",
            self.campaign,
            zone.local(self.begins_at.0),
            zone.name(),
            self.runs
        )?;
        self.tell_odds(out)?;
        self.tell_end(out, zone)?;
        if campaign.rounds.repeat_s.is_some() {
            writeln!(out, "            (of this round: the next ones are not foreseen, see --repeat)")?;
        }
        for (what, spread) in [("calls", &self.calls), ("reached", &self.reached)] {
            writeln!(out, "{what:<11} {}", in_words(spread))?;
        }
        self.tell_unreached(out)?;
        writeln!(out, "channels    {} at once at the most", self.channels_max)?;
        self.tell_channels(out, zone)
    }

    fn tell_odds(&self, out: &mut dyn Write) -> Result<()> {
        let seconds = |ms: Option<i64>| ms.unwrap_or_default() / 1000;
        let basis = match self.basis {
            "campaign" => "as measured by its own calls",
            "server" => "as measured by the last calls of all campaigns",
            "given" => "as given",
            _ => "assumed",
        };
        let share = self.answer_rate.unwrap_or_default() * 100.0;
        writeln!(
            out,
            "answered    {share:.1}% of the calls, {basis}; after {} s, for {} s in the mean",
            seconds(self.ring_ms),
            seconds(self.talk_ms)
        )?;
        if self.basis == "assumed" {
            writeln!(out, "            (nothing was measured yet: say better with --answer-rate, --ring and --talk)")?;
        }
        Ok(())
    }

    fn tell_end(&self, out: &mut dyn Write, zone: &Zone) -> Result<()> {
        match &self.ends_at {
            Some(ends) if ends.low.0 == ends.high.0 => writeln!(out, "ends        {}", zone.local(ends.median.0))?,
            Some(ends) => {
                let [low, median, high] = [&ends.low, &ends.median, &ends.high].map(|at| zone.local(at.0));
                let how_often = if self.runs < 10 { "" } else { " in eight of ten runs" };
                writeln!(out, "ends        {median}, between {low} and {high}{how_often}")?;
            }
            None if self.calls.high == 0 && self.left.high == 0 => writeln!(out, "ends        nobody is left to call")?,
            None => writeln!(out, "ends        not with all contacts called")?,
        }
        if self.runs_without_end > 0 && self.ends_at.is_some() {
            writeln!(out, "            in {} of {} runs somebody is left", self.runs_without_end, self.runs)?;
        }
        Ok(())
    }

    fn tell_unreached(&self, out: &mut dyn Write) -> Result<()> {
        if self.failed.high > 0 {
            let all: u64 = self.failed_by.values().sum::<u64>().max(1);
            let share = |(why, n): (&FailReason, &u64)| format!("{}% {}", n * 100 / all, spaced(why.as_str()));
            let by: Vec<String> = self.failed_by.iter().map(share).collect();
            let by = if by.is_empty() { String::new() } else { format!(": {}", by.join(", ")) };
            writeln!(out, "failed      {}{by}", in_words(&self.failed))?;
        }
        if self.expired.high > 0 {
            writeln!(out, "expired     {} before they are reached", in_words(&self.expired))?;
        }
        if self.listed > 0 {
            writeln!(out, "never       {} on a do-not-call list", self.listed)?;
        }
        if self.left.high > 0 {
            let why = self.left_by.map_or("", left_in_words);
            writeln!(out, "left        {} that are not called: {why}", in_words(&self.left))?;
        }
        Ok(())
    }

    fn tell_channels(&self, out: &mut dyn Write, zone: &Zone) -> Result<()> {
        let most = self.channels.iter().map(|row| row.channels_max).max().unwrap_or(0).max(1);
        let line = |row: &Row| {
            let bar = "#".repeat((row.channels_max as usize * BAR).div_ceil(most as usize));
            vec![
                zone.local(row.at.0),
                row.starts.to_string(),
                format!("{:.1}", row.channels_mean),
                row.channels_max.to_string(),
                bar,
            ]
        };
        if self.calls.high == 0 {
            return Ok(());
        }
        writeln!(out)?;
        table::write(
            out,
            &["FROM", "CALLS", "MEAN", "MOST", "CHANNELS"],
            &self.channels.iter().map(line).collect::<Vec<_>>(),
        )
    }
}

fn spaced(word: &str) -> String {
    word.replace('_', " ")
}

fn in_words(spread: &Spread<u64>) -> String {
    if spread.low == spread.high {
        return spread.median.to_string();
    }
    format!("{} ({} to {})", spread.median, spread.low, spread.high)
}

fn left_in_words(why: Left) -> &'static str {
    match why {
        Left::CallsMade => "the campaign ends after as many calls as it is to make; see --finish",
        Left::HoursOver => "its hours do not open any more; see --calendar, --start, --stop and --ends-at",
        Left::NotByThen => "the forecast goes no further; see --days",
        Left::NoChannel => "no channel is ever free; see --channels of the campaign and of its trunk",
    }
}

/// Draws the channels over time.
pub fn write_svg(path: &Path, campaign: &Campaign, outlook: &Outlook) -> Result<()> {
    let zone = &campaign.calendar.zone;
    let series = outlook.series.clone().in_spans(SPANS_DRAWN);
    let days = series.span_ms * i64::try_from(series.spans.len()).unwrap_or(1) > 86_400_000;
    let label = |at: UtcMs| {
        let local = zone.local(at);
        let (from, to) = if days { (5, 10) } else { (11, 16) };
        local.get(from..to).unwrap_or_default().to_owned()
    };
    let column = |row: Row| Column {
        label: label(row.at.0),
        whole: row.channels_max.into(),
        part: row.channels_mean.round() as u64,
    };
    let columns: Vec<Column> = rows(&series).map(column).collect();
    let svg = chart::columns(&format!("Channels of {}, forecast", campaign.name), ("most", "mean"), &columns)?;
    chart::write(path, &svg)
}
