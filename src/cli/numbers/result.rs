//! `campanile numbers result`.

use clap::{ArgGroup, Args};
use serde::Serialize;

use super::super::failure::{Failure, Outcome, Result};
use super::super::present::{Moment, moment};
use super::super::session::Session;
use super::super::trunk;
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
use crate::ledger::{Connection, LedgerError, causes, contacts, lines, rounds};
use crate::settings::Settings;

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
  campanile numbers result spring +49301234567 --no-success --next-number +491712345678 --stop-numbers all

JSON: {campaign, number, success, state, due_at, comment, next}."
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
    /// The number of the contact that is called next; one that it does not have yet is added to it.
    #[arg(long, value_name = "NUMBER", conflicts_with = "success", allow_hyphen_values = true)]
    next_number: Option<String>,
    /// Numbers of the contact that are called no more; `all` for all but that of --next-number.
    #[arg(
        long,
        value_name = "NUMBER,…|all",
        conflicts_with = "success",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    stop_numbers: Vec<String>,
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
    /// The number that is called next.
    next: Option<String>,
}

impl ResultOf {
    pub fn run(self, session: &mut Session) -> Outcome {
        let now = session.now();
        let number = super::canonical(&self.number, ShortNumbers::Allowed, &session.settings)?;
        let (actor, settings) = (&session.actor, &session.settings);
        let (Standing { state, due_at, next }, campaign) = session.ledger.try_write(|db| {
            let campaign = actor.campaign(db, &self.campaign)?;
            let contact = awaited(db, &campaign, &number, now)?;
            let turn = self.turn(db, &campaign, settings)?;
            let standing = self.apply(db, &campaign, &contact, now)?;
            let standing = if turn.is_empty() { standing } else { turn.apply(db, &contact)? };
            Ok::<_, Failure>((standing, campaign))
        })?;
        session.wake_daemon();
        let told = Told {
            campaign: campaign.name.to_string(),
            number: number.to_string(),
            success: self.success,
            state,
            due_at: moment(due_at),
            comment: self.comment,
            next: next.map(|next| next.to_string()),
        };
        session.answer(&told, |out| {
            let zone = &campaign.calendar.zone;
            let next = due_at.map(|at| format!(", to be called from {} {} on", zone.local(at), zone.name()));
            Ok(writeln!(out, "{number} is {state}{}", next.unwrap_or_default())?)
        })?;
        Ok(Exit::Ok)
    }

    /// What is said of the contact's numbers, as they are written canonically.
    fn turn(&self, db: &Connection, campaign: &Campaign, settings: &Settings) -> Result<Turn> {
        let next = match &self.next_number {
            None => None,
            Some(text) => Some(super::canonical(text, trunk::short_numbers_of(db, campaign)?, settings)?),
        };
        let stopped = match &self.stop_numbers[..] {
            [all] if all == "all" => Stopped::AllOthers,
            numbers => {
                let number = |text: &String| super::canonical(text, ShortNumbers::Allowed, settings);
                Stopped::These(numbers.iter().map(number).collect::<Result<_>>()?)
            }
        };
        Ok(Turn { next, stopped })
    }

    fn apply(&self, db: &Connection, campaign: &Campaign, contact: &Contact, now: UtcMs) -> Result<Standing> {
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
        let next = (state == ContactState::Waiting).then(|| contact.number.clone());
        Ok(Standing { state, due_at, next })
    }
}

/// Where a contact stands after a result.
struct Standing {
    state: ContactState,
    due_at: Option<UtcMs>,
    next: Option<Number>,
}

/// Webitel's `next_communication` and `stop_communications`.
struct Turn {
    next: Option<Number>,
    stopped: Stopped,
}

enum Stopped {
    These(Vec<Number>),
    AllOthers,
}

impl Turn {
    fn is_empty(&self) -> bool {
        self.next.is_none() && matches!(&self.stopped, Stopped::These(numbers) if numbers.is_empty())
    }

    fn apply(self, db: &Connection, contact: &Contact) -> Result<Standing> {
        let as_it_stands =
            || contacts::get(db, contact.id)?.ok_or_else(|| LedgerError::absent("contact", contact.id.to_string()));
        if let Some(next) = &self.next {
            lines::add_number(db, contact, next)?;
            // Before others are stopped: a contact of which none is left would be excluded.
            lines::prefer(db, contact, next)?;
        }
        let own = numbers_of(db, contact)?;
        let stopped = match self.stopped {
            Stopped::These(numbers) => numbers,
            Stopped::AllOthers => own.clone(),
        };
        if let Some(foreign) = stopped.iter().find(|number| !own.contains(number)) {
            let what = format!("the contact of {} has no number {foreign} to stop", contact.number);
            return Err(Failure::new(
                Exit::NoInput,
                what,
                "nothing was changed; `campanile numbers show` has its numbers",
            ));
        }
        for number in stopped.iter().filter(|number| self.next.as_ref() != Some(number)) {
            lines::stop(db, &as_it_stands()?, number)?;
        }
        let after = as_it_stands()?;
        let next = (after.state == ContactState::Waiting).then(|| after.number.clone());
        Ok(Standing { state: after.state, due_at: after.due_at, next })
    }
}

fn numbers_of(db: &Connection, contact: &Contact) -> Result<Vec<Number>> {
    let lines = lines::of(db, contact.id)?;
    if lines.is_empty() {
        return Ok(vec![contact.number.clone()]);
    }
    Ok(lines.into_iter().map(|line| line.number).collect())
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
