//! `campanile campaign show` and `list`.

use std::io::Write;

use clap::Args;

use super::super::failure::{Failure, Outcome, Result};
use super::super::present::{in_use, table};
use super::super::session::{Form, Session};
use super::page::{self, Overview, Page};
use crate::domain::name::Name;
use crate::exit::Exit;

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  campanile campaign show spring

JSON: {campaign, user, trunk, state, run_time, window: {start, stop, time_zone, open, opens_at, closes_at}, \
numbers: {total, waiting, in_progress, reached, failed}, max_retries, retry_time_s, wait_time_s, channels, \
caller_id, actions: [\"PLAY x\", …], action_lists: {NAME: [\"PLAY x\", …]}, open_calls, dispositions: {answered: n, …}}.")]
pub struct Show {
    /// The campaign's name.
    name: Name,
}

#[derive(Debug, Args)]
#[command(after_help = "\
JSON: [{campaign, user, trunk, state, run_time, window, numbers}], each as in `campaign show`.")]
pub struct List {}

impl Show {
    pub fn run(self, session: &mut Session) -> Outcome {
        show(session, &self.name)
    }
}

/// Shows everything about a campaign.
pub fn show(session: &mut Session, name: &Name) -> Outcome {
    let page = read(session, name)?;
    session.answer(&page, |out| tell(out, &page))?;
    Ok(Exit::Ok)
}

/// The same for one that was just added, with what it lacks.
pub fn show_new(session: &mut Session, name: &Name) -> Outcome {
    show(session, name)?;
    if session.form == Form::Text {
        writeln!(session.out, "\nIt is stopped. What it needs before it can start:")?;
        writeln!(session.out, "  campanile numbers import {name} FILE")?;
        writeln!(session.out, "  campanile actions add {name} PLAY SOUND")?;
        session.out.flush()?;
    }
    Ok(Exit::Ok)
}

fn read(session: &mut Session, name: &Name) -> Result<Page> {
    let now = session.now();
    let actor = &session.actor;
    session.ledger.try_read(|db| page::page(db, &actor.campaign(db, name)?, now))
}

fn tell(out: &mut dyn Write, page: &Page) -> Result<()> {
    let Page { overview, .. } = page;
    writeln!(out, "campaign    {}", overview.campaign)?;
    writeln!(out, "user        {}", overview.user)?;
    writeln!(out, "state       {}", overview.state)?;
    writeln!(out, "runs        {}", overview.run_time)?;
    writeln!(out, "trunk       {}", overview.trunk)?;
    writeln!(out, "channels    {}", in_use(page.open_calls, page.channels))?;
    writeln!(out, "caller id   {}", page.caller_id.as_deref().unwrap_or("what the trunk sets"))?;
    writeln!(out, "wait time   {} s", page.wait_time_s)?;
    match page.max_retries {
        0 => writeln!(out, "retries     none")?,
        n => writeln!(out, "retries     {n}, {} s after the call", page.retry_time_s)?,
    }
    tell_numbers(out, overview)?;
    for (i, action) in page.actions.iter().enumerate() {
        writeln!(out, "{:<11} {}. {action}", if i == 0 { "actions" } else { "" }, i + 1)?;
    }
    if page.actions.is_empty() {
        writeln!(out, "actions     none")?;
    }
    for (name, list) in &page.action_lists {
        writeln!(out, "  {name:<9} {}", list.join("; "))?;
    }
    for (i, (disposition, n)) in page.dispositions.iter().enumerate() {
        writeln!(out, "{:<11} {n} {disposition}", if i == 0 { "calls" } else { "" })?;
    }
    Ok(())
}

fn tell_numbers(out: &mut dyn Write, overview: &Overview) -> Result<()> {
    let counts = overview.numbers.counts;
    writeln!(
        out,
        "numbers     {} = {} waiting + {} in progress + {} reached + {} failed",
        overview.numbers.total, counts.waiting, counts.in_progress, counts.reached, counts.failed
    )?;
    Ok(())
}

impl List {
    pub fn run(self, session: &mut Session) -> Outcome {
        let now = session.now();
        let actor = &session.actor;
        let all = session.ledger.try_read(|db| {
            let campaigns = actor.campaigns(db)?;
            campaigns
                .iter()
                .map(|campaign| page::overview(db, campaign, now))
                .collect::<std::result::Result<Vec<_>, Failure>>()
        })?;
        session.answer(&all, |out| {
            let heading = ["campaign", "user", "state", "trunk", "numbers", "waiting", "reached", "failed", "run time"];
            table::write(out, &heading, &all.iter().map(cells).collect::<Vec<_>>())
        })?;
        Ok(Exit::Ok)
    }
}

fn cells(overview: &Overview) -> Vec<String> {
    let counts = overview.numbers.counts;
    vec![
        overview.campaign.clone(),
        overview.user.clone(),
        overview.state.to_string(),
        overview.trunk.clone(),
        overview.numbers.total.to_string(),
        counts.waiting.to_string(),
        counts.reached.to_string(),
        counts.failed.to_string(),
        overview.run_time.clone(),
    ]
}
