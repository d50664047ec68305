//! `campanile campaign show` and `list`.

use std::io::Write;

use clap::Args;

use super::super::failure::{Failure, Outcome, Result};
use super::super::present::{in_use, table};
use super::super::session::{Form, Session};
use super::page::{self, Overview, Page, Timing};
use super::readiness::{self, Missing};
use crate::domain::name::Name;
use crate::exit::Exit;

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  campanile campaign show spring

JSON: {campaign, user, trunk, trunks: [the first choice first], state, phase, run_time, window: {start, stop, time_zone, open, opens_at, closes_at}, \
numbers: {total, waiting, in_progress, reached, failed, excluded}, max_retries, retry_time_s, \
retry_times_s: [300, …], max_dials, min_talk_s, wrap_up_s, causes: [{cause, verb, delay_s, limit}], wait_time_s, channels, \
timing: {calendar, legal_hours, starts_at, ends_at, priority, delay_ms, batch_calls, batch_pause_s, finish, calls_started}, \
rounds: {repeat_s, rounds_max, round, begins, next_round_at, after_pickup, when_done, picked_up}, \
caller_id, order, next_number_after_s, variables: {name: text}, \
traffic: {headers: [\"P-Campaign-Name: spring\", …], codecs, duration, cancel_percent}, actions: [\"PLAY x\", …], action_lists: {NAME: [\"PLAY x\", …]}, open_calls, dispositions: {answered: n, …}}.")]
pub struct Show {
    /// The campaign's name.
    name: Name,
}

#[derive(Debug, Args)]
#[command(after_help = "\
JSON: [{campaign, user, trunk, trunks, state, phase, run_time, window, numbers}], each as in `campaign show`.")]
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
    let page = read(session, name)?;
    let now = session.now();
    let (actor, settings) = (&session.actor, &session.settings);
    let missing = session.ledger.try_read(|db| readiness::missing(db, settings, &actor.campaign(db, name)?, now))?;
    session.answer(&page, |out| tell(out, &page))?;
    if session.form == Form::Text {
        writeln!(session.out, "\nIt is stopped. What it needs before it can start:")?;
        for Missing { what, mend } in missing {
            writeln!(session.out, "  {what}")?;
            mend.lines().try_for_each(|line| writeln!(session.out, "    {line}"))?;
        }
        session.out.flush()?;
    }
    Ok(Exit::Ok)
}

fn read(session: &mut Session, name: &Name) -> Result<Page> {
    let now = session.now();
    let (actor, legal) = (&session.actor, &session.settings.legal_hours);
    session.ledger.try_read(|db| page::page(db, &actor.campaign(db, name)?, legal, now))
}

fn tell(out: &mut dyn Write, page: &Page) -> Result<()> {
    let Page { overview, .. } = page;
    writeln!(out, "campaign    {}", overview.campaign)?;
    writeln!(out, "user        {}", overview.user)?;
    writeln!(out, "state       {} ({})", overview.state, overview.phase)?;
    writeln!(out, "runs        {}", overview.run_time)?;
    tell_timing(out, &page.timing)?;
    page.rounds.tell(out)?;
    writeln!(out, "trunk       {}", overview.trunks.join(", "))?;
    writeln!(out, "channels    {}", in_use(page.open_calls, page.channels))?;
    writeln!(out, "caller id   {}", page.caller_id.as_deref().unwrap_or("what the trunk sets"))?;
    writeln!(out, "wait time   {} s", page.wait_time_s)?;
    page.outcome.tell(out, page.max_retries)?;
    writeln!(out, "order       {}; the next number of a contact after {} s", page.order, page.next_number_after_s)?;
    for (i, (name, value)) in page.variables.iter().enumerate() {
        writeln!(out, "{:<11} {name} = {value}", if i == 0 { "variables" } else { "" })?;
    }
    page.traffic.tell(out)?;
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

fn tell_timing(out: &mut dyn Write, timing: &Timing) -> Result<()> {
    writeln!(out, "calendar    {}", timing.calendar.as_deref().unwrap_or("none"))?;
    writeln!(out, "legal hours {}", timing.legal)?;
    writeln!(out, "schedule    {}", timing.schedule)?;
    writeln!(out, "priority    {}", timing.priority)?;
    writeln!(out, "pace        {}", timing.pace)?;
    match timing.finish.as_str() {
        "all" => writeln!(out, "finishes    when no number is left")?,
        "never" => writeln!(out, "finishes    never")?,
        calls => writeln!(out, "finishes    after {calls} calls, {} were made", timing.calls_started)?,
    }
    Ok(())
}

fn tell_numbers(out: &mut dyn Write, overview: &Overview) -> Result<()> {
    let counts = overview.numbers.counts;
    writeln!(
        out,
        "numbers     {} = {} waiting + {} in progress + {} reached + {} failed + {} excluded",
        overview.numbers.total, counts.waiting, counts.in_progress, counts.reached, counts.failed, counts.excluded
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
            let heading = [
                "campaign", "user", "state", "phase", "trunk", "numbers", "waiting", "reached", "failed", "excluded",
                "run time",
            ];
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
        overview.phase.to_string(),
        overview.trunks.join(","),
        overview.numbers.total.to_string(),
        counts.waiting.to_string(),
        counts.reached.to_string(),
        counts.failed.to_string(),
        counts.excluded.to_string(),
        overview.run_time.clone(),
    ]
}
