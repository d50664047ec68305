//! `campanile why`.

use std::io::Write;

use clap::Args;
use serde::Serialize;

use super::actor::Actor;
use super::failure::{Failure, Outcome, Result};
use super::present::{Moment, moment, table};
use super::session::Session;
use crate::daemon::lock;
use crate::doctor;
use crate::domain::calendar::Zone;
use crate::domain::campaign::Campaign;
use crate::domain::instant::UtcMs;
use crate::domain::name::Name;
use crate::domain::number::Number;
use crate::domain::trunk::ShortNumbers;
use crate::domain::why::{self, Daemon, Explanation, Gate, RuleVerdict, Verdict};
use crate::exit::Exit;
use crate::ledger::why::{ServerLimits, view_of};
use crate::ledger::{Connection, LedgerError, campaigns, contacts};

/// What stands for the name of another user's campaign.
const OTHERS: &str = "of-another-user";

/// Why is this number not being called? Each rule with pass or fail, and the next instant.
#[derive(Debug, Args)]
#[command(after_help = "\
For every campaign that has the number: each rule with pass or fail, and the next instant at which the \
number can be called when time alone mends what fails; otherwise what to do.

Examples:
  campanile why +49301234567
  campanile why '030 1234567' --campaign spring

JSON: {number, campaigns: [{campaign, callable_at, hint, rules: [{rule, verdict, detail, next_at}]}]}. \
Ends with 66 when no campaign has the number.")]
pub struct WhyNumber {
    /// The number, as people write it.
    #[arg(allow_hyphen_values = true)]
    number: String,
    /// Only this campaign [default: all that have the number].
    #[arg(long, value_name = "CAMPAIGN")]
    campaign: Option<Name>,
}

#[derive(Serialize)]
struct Answer {
    number: String,
    campaigns: Vec<InCampaign>,
}

#[derive(Serialize)]
struct InCampaign {
    campaign: String,
    callable_at: Option<Moment>,
    hint: Option<String>,
    rules: Vec<Rule>,
    #[serde(skip)]
    zone: Zone,
}

#[derive(Serialize)]
struct Rule {
    rule: &'static str,
    verdict: Verdict,
    detail: String,
    next_at: Option<Moment>,
}

impl From<RuleVerdict> for Rule {
    fn from(judged: RuleVerdict) -> Self {
        Self { rule: judged.rule, verdict: judged.verdict, detail: judged.detail, next_at: moment(judged.next_at) }
    }
}

impl WhyNumber {
    pub fn run(self, session: &mut Session) -> Outcome {
        let now = session.now();
        // A short code is a number for some trunk, and here it can do no harm.
        let number = super::numbers::canonical(&self.number, ShortNumbers::Allowed, &session.settings)?;
        let limits = ServerLimits {
            calls_one_time: session.settings.calls_one_time,
            channels_max: session.settings.channels_max,
            spool_files_max: session.settings.spool_files_max,
            frequency: session.settings.frequency_cap(),
            legal: session.settings.legal_hours.clone(),
            daemon: daemon_of(session),
        };
        let gate = doctor::gate(&session.settings);
        let actor = &session.actor;
        let campaigns = session.ledger.try_read(|db| {
            let only = self.campaign.as_ref().map(|name| actor.campaign(db, name)).transpose()?;
            let wanted =
                |campaign: &Campaign| only.as_ref().map_or_else(|| actor.sees(campaign), |c| c.id == campaign.id);
            explain_all(db, &number, (&limits, &gate), now, actor, wanted)
        })?;
        if campaigns.is_empty() {
            let of = self
                .campaign
                .map_or_else(|| "no campaign has".to_owned(), |name| format!("campaign {name} does not have"));
            let mend = "it is not called because nobody imported it: campanile numbers import CAMPAIGN FILE";
            return Err(Failure::new(Exit::NoInput, format!("{of} the number {number}"), mend));
        }
        let answer = Answer { number: number.to_string(), campaigns };
        session
            .answer(&answer, |out| answer.campaigns.iter().try_for_each(|told| tell(out, &answer.number, told, now)))?;
        Ok(Exit::Ok)
    }
}

fn daemon_of(session: &Session) -> Daemon {
    match lock::running(&session.settings.serve_lock()) {
        Some(_) => Daemon::Running,
        None => Daemon::Stopped,
    }
}

fn explain_all(
    db: &Connection,
    number: &Number,
    (limits, gate): (&ServerLimits, &Gate),
    now: UtcMs,
    actor: &Actor,
    wanted: impl Fn(&Campaign) -> bool,
) -> Result<Vec<InCampaign>> {
    let mut told = Vec::new();
    for contact in contacts::with_number(db, number)? {
        let Some(campaign) = campaigns::get(db, contact.campaign)?.filter(&wanted) else { continue };
        let mut seen = view_of(db, (&contact, number), limits, now)?;
        seen.gate = gate.clone();
        seen.busy_in = seen.busy_in.map(|name| shown_to(db, actor, name)).transpose()?;
        let Explanation { rules, callable_at, hint } = why::explain(&seen, now);
        told.push(InCampaign {
            campaign: campaign.name.to_string(),
            callable_at: moment(callable_at),
            hint,
            rules: rules.into_iter().map(Rule::from).collect(),
            zone: campaign.calendar.zone,
        });
    }
    Ok(told)
}

/// The name of a campaign, unless it is another user's.
fn shown_to(db: &Connection, actor: &Actor, name: Name) -> Result<Name> {
    let theirs = campaigns::find(db, name.as_str())?.is_some_and(|campaign| actor.sees(&campaign));
    Ok(if theirs { name } else { OTHERS.parse().map_err(LedgerError::from)? })
}

fn tell(out: &mut dyn Write, number: &str, told: &InCampaign, now: UtcMs) -> Result<()> {
    writeln!(out, "{number} in campaign {}:", told.campaign)?;
    let row = |rule: &Rule| vec![format!("  {}", rule.verdict), rule.rule.replace('_', " "), rule.detail.clone()];
    table::write(out, &["  ", "rule", "why"], &told.rules.iter().map(row).collect::<Vec<_>>())?;
    match told.callable_at {
        Some(Moment(at)) if at <= now => writeln!(out, "It can be called now.")?,
        Some(Moment(at)) => writeln!(out, "It can be called from {} {} on.", told.zone.local(at), told.zone.name())?,
        None => writeln!(out, "It cannot be called as things are.")?,
    }
    if let Some(hint) = &told.hint {
        writeln!(out, "What to do: {hint}")?;
    }
    Ok(())
}
