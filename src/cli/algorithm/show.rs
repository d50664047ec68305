//! `campanile algorithm show` and `list`.

use std::collections::BTreeMap;
use std::io::Write;

use clap::Args;
use serde::Serialize;

use super::super::action_list;
use super::super::campaign::pace_in_words;
use super::super::causes::CauseRow;
use super::super::failure::{Failure, Outcome, Result};
use super::super::present::{cap, table};
use super::super::session::Session;
use super::{Usable, all_usable, usable};
use crate::domain::algorithm::Algorithm;
use crate::domain::calendar::short_time_of_day;
use crate::domain::name::Name;
use crate::domain::outcome::RetryTimes;
use crate::domain::round::{AfterPickup, Repeat, WhenDone};
use crate::exit::Exit;
use crate::ledger::{Connection, users};

#[derive(Debug, Args)]
#[command(after_help = "JSON: [{algorithm, user, rules}], each as in `algorithm show`.")]
pub struct List {}

#[derive(Debug, Args)]
#[command(after_help = "\
JSON: {algorithm, user (null for one that comes with Campanile), rules: {hours: {start_s, stop_s}, retry, outcome, \
causes, pacing, channels, contacts, rounds, finish, actions, sound}}.")]
pub struct Show {
    /// The algorithm's name.
    name: Name,
}

#[derive(Serialize)]
struct Page {
    algorithm: String,
    user: Option<String>,
    rules: Algorithm,
}

impl Page {
    fn of(db: &Connection, found: Usable) -> Result<Self> {
        let user = found.kept.map(|kept| users::get(db, kept.owner)).transpose()?;
        Ok(Self { algorithm: found.name.to_string(), user: user.map(|user| user.name.to_string()), rules: found.rules })
    }

    fn user(&self) -> &str {
        self.user.as_deref().unwrap_or("(comes with Campanile)")
    }
}

impl Show {
    pub fn run(self, session: &mut Session) -> Outcome {
        show(session, &self.name)
    }
}

/// Shows everything about an algorithm.
pub fn show(session: &mut Session, name: &Name) -> Outcome {
    let actor = &session.actor;
    let page = session.ledger.try_read(|db| Page::of(db, usable(db, actor, name)?))?;
    session.answer(&page, |out| tell(out, &page))?;
    Ok(Exit::Ok)
}

fn tell(out: &mut dyn Write, page: &Page) -> Result<()> {
    let rules = &page.rules;
    writeln!(out, "algorithm   {}", page.algorithm)?;
    writeln!(out, "user        {}", page.user())?;
    writeln!(out, "runs        {}", hours(rules))?;
    writeln!(out, "retries     {}", retries(rules))?;
    writeln!(out, "wait time   {} s", rules.retry.wait_time_s)?;
    writeln!(out, "channels    {}", cap(rules.channels))?;
    writeln!(out, "priority    {}", rules.pacing.priority)?;
    writeln!(out, "pace        {}", pace_in_words(rules.pacing.rhythm))?;
    writeln!(out, "order       {}", rules.contacts.order)?;
    writeln!(out, "finishes    {}", rules.finish)?;
    tell_rounds(out, rules)?;
    for (i, (what, causes)) in causes(rules).iter().enumerate() {
        writeln!(out, "{:<11} {what}: {}", if i == 0 { "causes" } else { "" }, causes.join(", "))?;
    }
    if let Some(sound) = &rules.sound {
        writeln!(out, "sound       {sound}, and {sound}-…; `campaign add --sound` names another")?;
    }
    writeln!(out, "actions")?;
    action_list::tree(out, &rules.actions)
}

/// What follows, and from which causes.
fn causes(rules: &Algorithm) -> BTreeMap<String, Vec<String>> {
    let mut causes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in CauseRow::all(&rules.causes) {
        causes.entry(row.what()).or_default().push(row.cause);
    }
    causes
}

fn tell_rounds(out: &mut dyn Write, rules: &Algorithm) -> Result<()> {
    if let Some(repeat_s) = rules.rounds.repeat_s {
        let most = rules.rounds.rounds_max.map(|max| format!(", {max} at most")).unwrap_or_default();
        writeln!(out, "rounds      the next {repeat_s} s after each{most}")?;
    }
    if rules.rounds.after_pickup == AfterPickup::Delete {
        writeln!(out, "reached     deleted from the list")?;
    }
    if rules.rounds.when_done == WhenDone::Remove {
        writeln!(out, "when done   removed, but for its report")?;
    }
    Ok(())
}

fn hours(rules: &Algorithm) -> String {
    let (start_s, stop_s) = (rules.hours.start_s, rules.hours.stop_s);
    if start_s == stop_s {
        return "all day".to_owned();
    }
    format!("{}-{}", short_time_of_day(start_s), short_time_of_day(stop_s))
}

fn retries(rules: &Algorithm) -> String {
    let most = rules.outcome.max_dials.map(|max| format!(", {max} dials at most")).unwrap_or_default();
    match rules.retry.max_retries {
        0 => format!("none{most}"),
        n => format!("{n}, {} s after the call{most}", RetryTimes::of(&rules.retry, &rules.outcome)),
    }
}

impl List {
    pub fn run(self, session: &mut Session) -> Outcome {
        let actor = &session.actor;
        let pages = session.ledger.try_read(|db| {
            let all = all_usable(db, actor)?;
            all.into_iter().map(|found| Page::of(db, found)).collect::<Result<Vec<_>, Failure>>()
        })?;
        session.answer(&pages, |out| {
            let heading = ["algorithm", "user", "hours", "retries", "repeat", "actions"];
            table::write(out, &heading, &pages.iter().map(cells).collect::<Vec<_>>())
        })?;
        Ok(Exit::Ok)
    }
}

fn cells(page: &Page) -> Vec<String> {
    let rules = &page.rules;
    let verbs: Vec<&str> = rules.actions.list(None).iter().map(|action| action.verb()).collect();
    vec![
        page.algorithm.clone(),
        page.user().to_owned(),
        hours(rules),
        retries(rules),
        Repeat(rules.rounds.repeat_s).to_string(),
        verbs.join(", "),
    ]
}
