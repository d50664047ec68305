//! What happens after a call: how it is typed, and how it is shown.

use std::io::Write;

use clap::Args;
use serde::Serialize;

use super::super::causes::CauseRow;
use super::super::failure::Result;
use super::options::Cap;
use crate::domain::campaign::Campaign;
use crate::domain::outcome::RetryTimes;
use crate::domain::retry::dials_max;
use crate::ledger::{Connection, causes};

/// Options of `campaign add` and `set` for what happens after a call.
#[derive(Debug, Args)]
pub struct OutcomeOptions {
    /// The most dials of a number, above all other rules [of a new campaign: none].
    ///
    /// none is one dial, its retries and three more, for failures of the trunk and for causes that are not charged.
    #[arg(long, value_name = "N|none")]
    max_dials: Option<Cap>,
    /// An answered call that was shorter counts as unsuccessful, in seconds; 0 for none [of a new campaign: 0].
    ///
    /// It is charged and retried. A call of which no report says how long it was counts as successful: nobody
    /// who was reached is called again for want of a report.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(0..=86_400))]
    min_talk: Option<u32>,
    /// Seconds within which somebody has to say that an answered call was successful, or none [of a new campaign: none].
    ///
    /// The wrap-up time of agents: without a word (`campanile numbers result`) the call counts as unsuccessful, and
    /// the number is called again. The talk time does not matter then.
    #[arg(long, value_name = "SECONDS|none")]
    wrap_up: Option<Cap>,
}

impl OutcomeOptions {
    /// Writes what was given over a campaign's settings.
    pub fn apply(&self, campaign: &mut Campaign) {
        if let Some(Cap(max_dials)) = self.max_dials {
            campaign.outcome.max_dials = max_dials;
        }
        if let Some(min_talk_s) = self.min_talk {
            campaign.outcome.min_talk_s = min_talk_s;
        }
        if let Some(Cap(wrap_up_s)) = self.wrap_up {
            campaign.outcome.wrap_up_s = wrap_up_s;
        }
    }
}

/// What happens after a call, as it is shown.
#[derive(Serialize)]
pub struct Outcome {
    pub retry_times_s: Vec<u32>,
    pub max_dials: Option<u32>,
    pub min_talk_s: u32,
    pub wrap_up_s: Option<u32>,
    pub causes: Vec<CauseRow>,
    /// What holds when `max_dials` says nothing.
    #[serde(skip)]
    dials: u32,
    #[serde(skip)]
    times: String,
}

impl Outcome {
    /// That of a campaign.
    pub fn of(db: &Connection, campaign: &Campaign) -> Result<Self> {
        let times = RetryTimes::of(&campaign.retry, &campaign.outcome);
        Ok(Self {
            retry_times_s: times.all(),
            max_dials: campaign.outcome.max_dials,
            min_talk_s: campaign.outcome.min_talk_s,
            wrap_up_s: campaign.outcome.wrap_up_s,
            causes: CauseRow::all(&causes::table(db, campaign.id)?),
            dials: dials_max(&campaign.retry, &campaign.outcome),
            times: times.to_string(),
        })
    }

    /// Tells people.
    pub fn tell(&self, out: &mut dyn Write, max_retries: u32) -> Result<()> {
        match max_retries {
            0 => writeln!(out, "retries     none")?,
            n => writeln!(out, "retries     {n}, {} s after the call", self.times)?,
        }
        writeln!(out, "dials       at most {}", self.dials)?;
        if self.min_talk_s > 0 {
            writeln!(out, "min talk    {} s; a shorter call was unsuccessful", self.min_talk_s)?;
        }
        if let Some(s) = self.wrap_up_s {
            writeln!(out, "wrap-up     {s} s; without a result the call was unsuccessful")?;
        }
        for (i, row) in self.causes.iter().enumerate() {
            writeln!(out, "{:<11} {row}", if i == 0 { "causes" } else { "" })?;
        }
        Ok(())
    }
}
