//! `campanile numbers result`.

use clap::{ArgGroup, Args};
use serde::Serialize;

use super::super::failure::{Failure, Outcome, Result};
use super::super::present::{Moment, moment};
use super::super::session::Session;
use crate::domain::campaign::{Campaign, ContactState};
use crate::domain::instant::UtcMs;
use crate::domain::name::Name;
use crate::domain::number::Number;
use crate::domain::outcome::{CallResult, RETRY_TIME_S_MAX, Retries};
use crate::domain::retry::{ContactNext, Rules, after_result};
use crate::domain::round::AfterPickup;
use crate::domain::trunk::ShortNumbers;
use crate::exit::Exit;
use crate::ledger::contacts::Contact;
use crate::ledger::{Connection, causes, contacts, rounds};

/// The longest comment, in characters.
const COMMENT_MAX: usize = 1_000;

#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("verdict").required(true).args(["success", "no_success"])),
    after_help = "\
Where a campaign has a wrap-up time (`campaign set --wrap-up`), an answered call was successful only if this says so in that time after its end. Without a word it was not, and the number is called again while the campaign lets it. The most dials of a number hold whatever is said here.

Examples:
  campanile numbers result spring +49301234567 --success --comment 'ordered two'
  campanile numbers result spring +49301234567 --no-success --next-after 7200 --reset-retries

JSON: {campaign, number, success, state, due_at, comment}."
)]
pub struct ResultOf {
    /// The campaign.
    campaign: Name,
    /// The number, as people write it.
    #[arg(allow_hyphen_values = true)]
    number: String,
    /// The call was successful: the number is done.
    #[arg(long)]
    success: bool,
    /// It was not: the number is called again.
    #[arg(long)]
    no_success: bool,
    /// Its unsuccessful calls are forgotten: all its retries are back.
    #[arg(long, conflicts_with = "success")]
    reset_retries: bool,
    /// Seconds until it is called again [default: as after any unsuccessful call].
    #[arg(long, value_name = "SECONDS", conflicts_with = "success", value_parser = clap::value_parser!(u32).range(0..=i64::from(RETRY_TIME_S_MAX)))]
    next_after: Option<u32>,
    /// What to keep of it, as `numbers list --json` shows it.
    #[arg(long, value_name = "TEXT", value_parser = comment)]
    comment: Option<String>,
}

fn comment(text: &str) -> std::result::Result<String, String> {
    let control = text.chars().any(|c| c.is_control() && c != '\n');
    if control || text.chars().count() > COMMENT_MAX {
        return Err(format!("a comment is a text of at most {COMMENT_MAX} characters"));
    }
    Ok(text.to_owned())
}

#[derive(Serialize)]
struct Told {
    campaign: String,
    number: String,
    success: bool,
    state: ContactState,
    due_at: Option<Moment>,
    comment: Option<String>,
}

impl ResultOf {
    pub fn run(self, session: &mut Session) -> Outcome {
        let now = session.now();
        let number = super::canonical(&self.number, ShortNumbers::Allowed, &session.settings)?;
        let actor = &session.actor;
        let (state, due_at, campaign) = session.ledger.try_write(|db| {
            let campaign = actor.campaign(db, &self.campaign)?;
            let contact = awaited(db, &campaign, &number, now)?;
            let (state, due_at) = self.apply(db, &campaign, &contact, now)?;
            Ok::<_, Failure>((state, due_at, campaign))
        })?;
        session.wake_daemon();
        let told = Told {
            campaign: campaign.name.to_string(),
            number: number.to_string(),
            success: self.success,
            state,
            due_at: moment(due_at),
            comment: self.comment,
        };
        session.answer(&told, |out| {
            let zone = &campaign.calendar.zone;
            let next = due_at.map(|at| format!(", to be called from {} {} on", zone.local(at), zone.name()));
            Ok(writeln!(out, "{number} is {state}{}", next.unwrap_or_default())?)
        })?;
        Ok(Exit::Ok)
    }

    fn apply(
        &self,
        db: &Connection,
        campaign: &Campaign,
        contact: &Contact,
        now: UtcMs,
    ) -> Result<(ContactState, Option<UtcMs>)> {
        let retries = if self.reset_retries { Retries::Reset } else { Retries::Count };
        let result = match self.success {
            true => CallResult::Success,
            false => CallResult::NoSuccess { retries, next_after_s: self.next_after },
        };
        let table = causes::table(db, campaign.id)?;
        let rules = Rules { retry: &campaign.retry, outcome: &campaign.outcome, causes: &table };
        let then = after_result(result, contact.tally, contact.due_at, rules, now);
        let (state, due_at) = match then.next {
            ContactNext::Reached => (ContactState::Reached, None),
            ContactNext::Failed(why) => {
                contacts::note_failed(db, contact.id, why)?;
                (ContactState::Failed, None)
            }
            ContactNext::Excluded => (ContactState::Excluded, None),
            ContactNext::Again { due_at } => (ContactState::Waiting, Some(due_at)),
        };
        if self.reset_retries {
            causes::forget(db, contact.id)?;
        }
        contacts::set_standing(db, contact.id, state, due_at, then.tally)?;
        contacts::note_result(db, contact.id, self.comment.as_deref())?;
        if state == ContactState::Reached && campaign.rounds.after_pickup == AfterPickup::Delete {
            rounds::delete_picked_up(db, campaign.id, contact.id)?;
        }
        Ok((state, due_at))
    }
}

/// The contact, if its last call waits for a result.
fn awaited(db: &Connection, campaign: &Campaign, number: &Number, now: UtcMs) -> Result<Contact> {
    let name = &campaign.name;
    let contact = contacts::find(db, campaign.id, number)?.ok_or_else(|| {
        let mend = format!("`campanile numbers list {name}` shows those that it has");
        Failure::new(Exit::NoInput, format!("campaign {name} has no number {number}"), mend)
    })?;
    let refused = |what: String| {
        let mend = match campaign.outcome.wrap_up_s {
            None => format!("campanile campaign set {name} --wrap-up SECONDS, for calls that end from then on"),
            Some(_) => "to call it again: campanile numbers reactivate".to_owned(),
        };
        Failure::new(Exit::Failure, what, mend)
    };
    match contact.result_until {
        None => Err(refused(format!("no result of a call to {number} is awaited in campaign {name}"))),
        Some(until) if until < now => {
            let zone = &campaign.calendar.zone;
            Err(refused(format!("the wrap-up time of the call to {number} was over at {}", zone.local(until))))
        }
        Some(_) if contact.state == ContactState::InProgress => {
            Err(refused(format!("{number} is in another call already")))
        }
        Some(_) => Ok(contact),
    }
}
