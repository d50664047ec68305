//! `campanile forecast`.

mod page;

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use self::page::Page;
use super::failure::{Failure, Outcome, Result};
use super::session::Session;
use crate::domain::forecast::{self, AnswerRate, Outlook, Scene, ServerRules, Standing};
use crate::domain::name::Name;
use crate::exit::Exit;
use crate::ledger::forecast::{Prospect, prospect};

/// The seed of the first run; any would do, and the same ledger gives the same forecast at the same instant.
const SEED: u64 = 1;
const RUNS: u64 = 20;
/// Calls of all runs together that are worth waiting for: some ten seconds.
const CALLS_WORTH: u64 = 1_000_000;
const RUNS_MIN: u64 = 3;

/// What a campaign will come to: its end, its calls, channels over time, who will not be reached.
#[derive(Debug, Args)]
#[command(after_help = "\
The planner itself runs ahead on a clock of its own, with all campaigns that run, their caps and hours; a campaign \
that is stopped is forecast as if it were started now. How many calls are answered, and how long they take, is \
measured: by the campaign's own calls when there are 30, else by the last ones of all campaigns, else it is assumed \
(30 %, after 12 s, for 30 s). Of ten runs eight end within the range that is shown.

Not foreseen: what operators will do, trunks that go dark, rounds after this one, and results from outside (an \
answered call counts).

Examples:
  campanile forecast spring
  campanile forecast spring --answer-rate 40% --talk 45
  campanile forecast spring --svg spring.svg

JSON: {campaign, begins_at, runs, answer_rate, basis (campaign, server, assumed, given), ring_ms, talk_ms, \
ends_at: {low, median, high} or null, runs_without_end, calls, reached, failed, expired, left: {low, median, high}, \
failed_by: {reason: n}, left_by, listed, channels_max, span_s, channels: [{at, starts, channels_max, channels_mean}]}.")]
pub struct Forecast {
    /// The campaign.
    campaign: Name,
    /// How many of the dialled calls are answered, such as 35% [default: as measured].
    #[arg(long, value_name = "SHARE")]
    answer_rate: Option<Share>,
    /// Seconds that an answered call takes [default: as measured].
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(0..=86_400))]
    talk: Option<u32>,
    /// Seconds that it rings before it is answered [default: as measured].
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(0..=600))]
    ring: Option<u32>,
    /// Runs, each with its own luck [default: 20; fewer for long lists].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: Option<u32>,
    /// Go no further than so many days.
    #[arg(long, value_name = "DAYS", default_value = "400", value_parser = clap::value_parser!(u32).range(1..=3_650))]
    days: u32,
    /// Write a chart of the channels over time to this file, as SVG.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// A share as typed: `35%`.
#[derive(Debug, Clone, Copy)]
struct Share(f64);

impl FromStr for Share {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        let percent: Option<f64> = text.trim().trim_end_matches('%').trim_end().parse().ok();
        let share = percent.filter(|percent| (0.0..=100.0).contains(percent)).map(|percent| percent / 100.0);
        share.map(Self).ok_or("write a share from 0% to 100%, such as 35%")
    }
}

impl Forecast {
    pub fn run(self, session: &mut Session) -> Outcome {
        let now = session.now();
        let server = ServerRules {
            calls_one_time: session.settings.calls_one_time,
            cron_interval_min: session.settings.cron_interval,
            channels_max: session.settings.channels_max,
            spool_files_max: session.settings.spool_files_max,
            frequency: session.settings.frequency_cap(),
        };
        let until = now.plus_s(i64::from(self.days) * 86_400);
        let (actor, legal) = (&session.actor, &session.settings.legal_hours);
        let (campaign, mut prospect) = session.ledger.try_read(|db| {
            let campaign = actor.campaign(db, &self.campaign)?;
            let prospect = prospect(db, &campaign, (server, legal), (now, until))?;
            Ok::<_, Failure>((campaign, prospect))
        })?;
        let given = self.apply(&mut prospect);
        let outlook = self.outlook(&prospect.scene)?;
        let page = Page::new(&campaign, &prospect, &outlook, given);
        if let Some(path) = &self.svg {
            page::write_svg(path, &campaign, &outlook)?;
        }
        session.answer(&page, |out| page.tell(out, &campaign))?;
        Ok(Exit::Ok)
    }

    /// Writes what was given over what was measured. Whether it was the answer rate.
    fn apply(&self, prospect: &mut Prospect) -> Option<f64> {
        let target = prospect.scene.target;
        let ms = |s: Option<u32>| s.map(|s| i64::from(s) * 1000);
        let standing = prospect.scene.campaigns.iter_mut().find(|standing| standing.campaign.id == target)?;
        standing.odds.set_times(ms(self.ring), ms(self.talk));
        let Share(share) = self.answer_rate?;
        standing.odds.rate = AnswerRate::Given(share);
        Some(share)
    }

    fn outlook(&self, scene: &Scene) -> Result<Outlook> {
        let waiting = |standing: &Standing| standing.groups.iter().map(|group| group.count).sum::<u64>();
        let contacts: u64 = scene.campaigns.iter().map(waiting).sum();
        let by_length = (CALLS_WORTH / contacts.max(1)).clamp(RUNS_MIN, RUNS);
        let runs = self.runs.map_or(by_length, u64::from);
        let outlook = Outlook::of((0..runs).map(|run| forecast::run(scene, SEED + run)).collect());
        outlook.ok_or_else(|| Failure::new(Exit::Software, "a forecast without a run".to_owned(), "please report this"))
    }
}
