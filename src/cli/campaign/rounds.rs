//! Rounds of a campaign: how they are typed, and how they are shown.

use std::io::Write;

use clap::Args;
use serde::Serialize;

use super::super::failure::{Failure, Result};
use super::super::present::{Moment, moment};
use super::options::Cap;
use crate::domain::calendar::Zone;
use crate::domain::campaign::{Campaign, CampaignState};
use crate::domain::instant::UtcMs;
use crate::domain::round::{AfterPickup, NextRound, Repeat, Stage, WhenDone};
use crate::exit::Exit;
use crate::ledger::{Connection, rounds};

/// Options of `campaign add` and `set` for what comes when the list is through.
#[derive(Debug, Args)]
pub struct RoundOptions {
    /// Call the whole list once again so many seconds after all of it was called, or off [of a new campaign: off].
    ///
    /// A round is over when no number is left to call. In the next one everybody is called again, those that were
    /// reached too, each with all retries; not whoever is excluded, such as by a do-not-call list. --max-dials counts
    /// over all rounds.
    #[arg(long, value_name = "SECONDS|off")]
    repeat: Option<Repeat>,
    /// The most rounds since it was started, or none for any number [of a new campaign: none].
    #[arg(long, value_name = "N|none")]
    rounds_max: Option<Cap>,
    /// What becomes of a number that was reached: keep, or delete it from the list [of a new campaign: keep].
    ///
    /// The report keeps its calls.
    #[arg(long, value_name = "keep|delete")]
    after_pickup: Option<AfterPickup>,
    /// What becomes of the campaign when it is completed: keep, or remove it [of a new campaign: keep].
    ///
    /// Its numbers go and its name is free; its report stays, as NAME-removed-ID.
    #[arg(long, value_name = "keep|remove")]
    when_done: Option<WhenDone>,
}

impl RoundOptions {
    /// Writes what was given over a campaign's settings.
    pub fn apply(&self, campaign: &mut Campaign) -> Result<()> {
        let rules = &mut campaign.rounds;
        rules.repeat_s = self.repeat.map_or(rules.repeat_s, |Repeat(repeat_s)| repeat_s);
        rules.rounds_max = self.rounds_max.map_or(rules.rounds_max, |Cap(max)| max);
        rules.after_pickup = self.after_pickup.unwrap_or(rules.after_pickup);
        rules.when_done = self.when_done.unwrap_or(rules.when_done);
        if rules.repeat_s.is_none() && matches!(self.rounds_max, Some(Cap(Some(_)))) {
            let mend = "say how long after a round the next begins: --repeat SECONDS";
            return Err(Failure::new(Exit::Usage, "an end of rounds needs rounds", mend));
        }
        Ok(())
    }
}

/// A campaign's rounds, as they are shown.
#[derive(Serialize)]
pub struct Rounds {
    pub repeat_s: Option<u32>,
    pub rounds_max: Option<u32>,
    pub round: u32,
    /// Whether the contacts of this round are still being made callable.
    pub begins: bool,
    pub next_round_at: Option<Moment>,
    pub after_pickup: AfterPickup,
    pub when_done: WhenDone,
    /// Numbers that were deleted because they were reached.
    pub picked_up: u64,
    #[serde(skip)]
    zone: Zone,
}

impl Rounds {
    /// Those of a campaign at `now`.
    pub fn of(db: &Connection, campaign: &Campaign, now: UtcMs) -> Result<Self> {
        let rules = campaign.rounds;
        let round = rounds::of(db, campaign.id)?;
        let goes_on = matches!(campaign.state, CampaignState::Running | CampaignState::Paused);
        let next_at = match (round.stage, rounds::next(db, campaign, now)?) {
            (Stage::Over { .. }, NextRound::At(at)) if goes_on => Some(at),
            _ => None,
        };
        Ok(Self {
            repeat_s: rules.repeat_s,
            rounds_max: rules.rounds_max,
            round: round.number,
            begins: matches!(round.stage, Stage::Beginning { .. }),
            next_round_at: moment(next_at),
            after_pickup: rules.after_pickup,
            when_done: rules.when_done,
            picked_up: rounds::picked_up(db, campaign.id)?,
            zone: campaign.calendar.zone.clone(),
        })
    }

    /// Tells people.
    pub fn tell(&self, out: &mut dyn Write) -> Result<()> {
        if let Some(repeat_s) = self.repeat_s {
            let of = self.rounds_max.map(|max| format!(" of {max}")).unwrap_or_default();
            let next = match (&self.next_round_at, self.begins) {
                (Some(Moment(at)), _) => format!("over; the next begins at {}", self.zone.local(*at)),
                (None, true) => "it begins".to_owned(),
                (None, false) => format!("the next {repeat_s} s after its end"),
            };
            writeln!(out, "rounds      round {}{of}, {next}", self.round)?;
        }
        if self.after_pickup == AfterPickup::Delete {
            writeln!(out, "reached     deleted from the list, {} so far", self.picked_up)?;
        }
        if self.when_done == WhenDone::Remove {
            writeln!(out, "when done   removed, but for its report")?;
        }
        Ok(())
    }
}
