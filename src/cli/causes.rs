//! `campanile causes`.

use std::fmt;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::failure::{Failure, Outcome, Result};
use super::present::{or_dash, table};
use super::session::Session;
use crate::domain::cause::{Cause, CauseRule, CauseTable, UnknownCause, Verb};
use crate::domain::name::Name;
use crate::domain::outcome::RETRY_TIME_S_MAX;
use crate::exit::Exit;
use crate::ledger::causes;

/// What follows from which cause.
#[derive(Debug, Subcommand)]
pub enum CausesVerb {
    /// List a campaign's causes and what follows from each.
    List(List),
    /// Set what follows from causes.
    Set(Set),
    /// Take causes out of the table: what follows from them is decided as for every campaign.
    Remove(Remove),
}

#[derive(Debug, Args)]
#[command(after_help = "JSON: [{cause, verb, delay_s, limit}].")]
pub struct List {
    /// The campaign.
    campaign: Name,
}

#[derive(Debug, Args)]
#[command(after_help = "\
What follows from a cause of a call that was dialled and not answered:
  ok      the number counts as reached
  retry   charged as an unsuccessful call, and called again while it has retries
  error   the number is failed at once
  minus   not charged, and called again

A cause is written by its name (USER_BUSY, NO_ANSWER, CALL_REJECTED …) or number (17) in Q.850, or by the code of the other side (sip:486). The SIP code is looked up first, then the Q.850 cause. A call that rang out without either counts as NO_ANSWER. What the table does not name is decided as for every campaign. Answered calls are not looked up: they were successful, unless they were shorter than --min-talk of the campaign.

Above all of this stands the most dials of a number: --max-dials of `campaign set`.

Examples:
  campanile causes set spring minus USER_BUSY --delay 120 --limit 5
  campanile causes set spring error sip:404 sip:484 UNALLOCATED_NUMBER

JSON: as `causes list`.")]
pub struct Set {
    /// The campaign.
    campaign: Name,
    /// What follows: ok, retry, error or minus.
    #[arg(value_parser = verb)]
    verb: Verb,
    /// The causes.
    #[arg(required = true, value_name = "CAUSE", value_parser = cause)]
    causes: Vec<Cause>,
    /// Seconds until it is called again, for retry and minus [default: the campaign's retry time].
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=i64::from(RETRY_TIME_S_MAX)))]
    delay: Option<u32>,
    /// The number is failed when the cause comes for it the N-th time, for retry and minus [default: no limit].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: Option<u32>,
}

#[derive(Debug, Args)]
#[command(after_help = "JSON: as `causes list`.")]
pub struct Remove {
    /// The campaign.
    campaign: Name,
    /// The causes.
    #[arg(required = true, value_name = "CAUSE", value_parser = cause)]
    causes: Vec<Cause>,
}

fn cause(text: &str) -> std::result::Result<Cause, UnknownCause> {
    text.parse()
}

fn verb(text: &str) -> std::result::Result<Verb, crate::domain::stored::UnknownWord> {
    text.to_ascii_lowercase().parse()
}

/// A row of the table as it is shown.
#[derive(Serialize)]
pub struct CauseRow {
    pub cause: String,
    verb: Verb,
    delay_s: Option<u32>,
    limit: Option<u32>,
}

impl CauseRow {
    /// All rows of a table, SIP codes first, as they are looked up.
    pub fn all(table: &CauseTable) -> Vec<Self> {
        let row = |(cause, rule): (&Cause, &CauseRule)| Self {
            cause: cause.to_string(),
            verb: rule.verb,
            delay_s: rule.delay_s,
            limit: rule.limit,
        };
        table.0.iter().map(row).collect()
    }

    /// What follows from it: `minus, again after 120 s, failed at number 5`.
    pub fn what(&self) -> String {
        let delay = self.delay_s.map(|s| format!(", again after {s} s")).unwrap_or_default();
        let limit = self.limit.map(|n| format!(", failed at number {n}")).unwrap_or_default();
        format!("{}{delay}{limit}", self.verb)
    }

    fn cells(&self) -> Vec<String> {
        vec![self.cause.clone(), self.verb.to_string(), or_dash(self.delay_s), or_dash(self.limit)]
    }
}

/// `USER_BUSY: minus, 120 s, failed the 5th time`.
impl fmt::Display for CauseRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.cause, self.what())
    }
}

impl CausesVerb {
    pub fn run(self, session: &mut Session) -> Outcome {
        match self {
            Self::List(verb) => list(session, &verb.campaign),
            Self::Set(verb) => verb.run(session),
            Self::Remove(verb) => verb.run(session),
        }
    }
}

fn list(session: &mut Session, name: &Name) -> Outcome {
    let actor = &session.actor;
    let rows: Vec<CauseRow> = session.ledger.try_read(|db| {
        let campaign = actor.campaign(db, name)?;
        Ok::<_, Failure>(CauseRow::all(&causes::table(db, campaign.id)?))
    })?;
    session.answer(&rows, |out| {
        table::write(out, &["cause", "verb", "delay s", "limit"], &rows.iter().map(CauseRow::cells).collect::<Vec<_>>())
    })?;
    Ok(Exit::Ok)
}

impl Set {
    fn run(self, session: &mut Session) -> Outcome {
        self.refuse_what_says_nothing()?;
        let rule = CauseRule { verb: self.verb, delay_s: self.delay, limit: self.limit };
        let actor = &session.actor;
        session.ledger.try_write(|db| {
            let campaign = actor.campaign(db, &self.campaign)?;
            self.causes.iter().try_for_each(|cause| causes::set(db, campaign.id, *cause, rule))?;
            Ok::<_, Failure>(())
        })?;
        list(session, &self.campaign)
    }

    fn refuse_what_says_nothing(&self) -> Result<()> {
        if matches!(self.verb, Verb::Retry | Verb::Minus) || (self.delay.is_none() && self.limit.is_none()) {
            return Ok(());
        }
        let what = format!("{} is final: there is no delay and no limit to it", self.verb);
        Err(Failure::new(Exit::Usage, what, "leave --delay and --limit out, or set retry or minus"))
    }
}

impl Remove {
    fn run(self, session: &mut Session) -> Outcome {
        let actor = &session.actor;
        session.ledger.try_write(|db| {
            let campaign = actor.campaign(db, &self.campaign)?;
            self.causes.iter().try_for_each(|cause| {
                if causes::remove(db, campaign.id, *cause)? {
                    return Ok(());
                }
                let what = format!("campaign {} has no cause {cause} of its own", self.campaign);
                let mend = format!("campanile causes list {}; nothing was changed", self.campaign);
                Err(Failure::new(Exit::NoInput, what, mend))
            })
        })?;
        list(session, &self.campaign)
    }
}
