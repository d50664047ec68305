//! `campanile line-check`.

mod add;
mod report;
mod turn;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::actor::Actor;
use super::failure::{Failure, Outcome, Result};
use super::present::table;
use super::session::Session;
use crate::domain::campaign::{Campaign, CampaignState};
use crate::domain::name::Name;
use crate::exit::Exit;
use crate::ledger::contacts;
use crate::ledger::line_checks::{self, LineCheck};
use crate::ledger::{Connection, trunks, users};

/// Provider checking: every listed number through every chosen trunk, on schedule.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
A check is one campaign for each trunk, NAME-TRUNK, made from the algorithm provider-checking: it dials, listens for the \
first sound and hangs up. A number is in one call at a time, so the trunks take turns. What a campaign can be set to, \
such as its calendar, these can: campanile campaign set NAME-TRUNK.

Example:
  campanile line-check add carriers --trunks gw1,gw2 --numbers probes.txt --repeat 3600
  campanile line-check start carriers
  campanile line-check report carriers --since 24h --asr-min 80% --pdd-max 4s")]
pub enum LineCheckVerb {
    /// Add a check with its trunks and numbers; it is stopped at first.
    Add(Box<add::Add>),
    /// List all checks that you may see.
    List(List),
    /// Start all campaigns of a check.
    Start(turn::Start),
    /// Stop all campaigns of a check: no further call starts.
    Stop(turn::Stop),
    /// Remove a check with its campaigns and their reports.
    Remove(turn::Remove),
    /// What was measured, for each trunk and prefix, and whether it keeps its limits.
    Report(report::Report),
}

#[derive(Debug, Args)]
#[command(after_help = "\
JSON: [{line_check, user, campaigns: [{campaign, trunk, state, numbers}]}].")]
pub struct List {}

impl LineCheckVerb {
    pub fn run(self, session: &mut Session) -> Outcome {
        match self {
            Self::Add(verb) => verb.run(session),
            Self::List(verb) => verb.run(session),
            Self::Start(verb) => verb.run(session),
            Self::Stop(verb) => verb.run(session),
            Self::Remove(verb) => verb.run(session),
            Self::Report(verb) => verb.run(session),
        }
    }
}

/// The check of this name, if the actor may see it, with its campaigns.
fn named(db: &Connection, actor: &Actor, name: &Name) -> Result<(LineCheck, Vec<Campaign>)> {
    let found = line_checks::find(db, name)?.filter(|check| sees(actor, check));
    let check = found.ok_or_else(|| {
        let what = format!("there is no line check `{name}`");
        Failure::new(Exit::NoInput, what, "`campanile line-check list` shows those that you may see")
    })?;
    let campaigns = line_checks::campaigns_of(db, check.id)?;
    Ok((check, campaigns))
}

fn sees(actor: &Actor, check: &LineCheck) -> bool {
    actor.is_admin() || check.owner == actor.id()
}

#[derive(Serialize)]
struct Page {
    line_check: String,
    user: String,
    campaigns: Vec<Line>,
}

/// A campaign of a check.
#[derive(Serialize)]
struct Line {
    campaign: String,
    trunk: String,
    state: CampaignState,
    numbers: u64,
}

fn page(db: &Connection, (check, campaigns): (LineCheck, Vec<Campaign>)) -> Result<Page> {
    let line = |campaign: Campaign| {
        let numbers = contacts::counts(db, campaign.id).map(|counts| counts.total())?;
        let trunk = trunks::get(db, campaign.trunk)?.name.to_string();
        Ok::<_, Failure>(Line { campaign: campaign.name.to_string(), trunk, state: campaign.state, numbers })
    };
    Ok(Page {
        line_check: check.name.to_string(),
        user: users::get(db, check.owner)?.name.to_string(),
        campaigns: campaigns.into_iter().map(line).collect::<Result<_>>()?,
    })
}

impl Page {
    fn rows(&self) -> impl Iterator<Item = Vec<String>> {
        self.campaigns.iter().map(|line| {
            let words = [&self.line_check, &self.user, &line.campaign, &line.trunk];
            let further = [line.state.to_string(), line.numbers.to_string()];
            words.into_iter().cloned().chain(further).collect()
        })
    }
}

const HEADING: [&str; 6] = ["line check", "user", "campaign", "trunk", "state", "numbers"];

/// Shows a check as `line-check list` does.
fn show(session: &mut Session, name: &Name) -> Outcome {
    let actor = &session.actor;
    let page = session.ledger.try_read(|db| page(db, named(db, actor, name)?))?;
    session.answer(&page, |out| table::write(out, &HEADING, &page.rows().collect::<Vec<_>>()))?;
    Ok(Exit::Ok)
}

impl List {
    pub fn run(self, session: &mut Session) -> Outcome {
        let actor = &session.actor;
        let pages = session.ledger.try_read(|db| {
            let mut checks = line_checks::all(db)?;
            checks.retain(|check| sees(actor, check));
            let with = |check: LineCheck| page(db, (check.clone(), line_checks::campaigns_of(db, check.id)?));
            checks.into_iter().map(with).collect::<Result<Vec<_>>>()
        })?;
        session.answer(&pages, |out| {
            table::write(out, &HEADING, &pages.iter().flat_map(Page::rows).collect::<Vec<_>>())
        })?;
        Ok(Exit::Ok)
    }
}
