//! `campanile numbers stop` and `next`.

use clap::Args;

use super::super::failure::{Failure, Outcome, Result};
use super::super::session::Session;
use crate::domain::campaign::ContactState;
use crate::domain::contact::Exclusion;
use crate::domain::name::Name;
use crate::domain::number::Number;
use crate::domain::trunk::ShortNumbers;
use crate::exit::Exit;
use crate::ledger::contacts::Contact;
use crate::ledger::{Connection, contacts, lines};

#[derive(Debug, Args)]
#[command(after_help = "\
The contact goes on with its other numbers. A contact of which no number is left is excluded. It holds at the gate at \
once, also for a call that is planned already; a call that has begun goes on.

Example:
  campanile numbers stop spring +49301234567

JSON: {campaign, number, state, next}, of the contact.")]
pub struct Stop {
    /// The campaign.
    campaign: Name,
    /// The number, as people write it.
    #[arg(allow_hyphen_values = true)]
    number: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Of a contact with several numbers; at the time at which it would be called anyway. A number that was stopped, or found \
invalid, is called again; so is a contact that was excluded because all of its numbers were stopped.

Example:
  campanile numbers next spring +491712345678

JSON: {campaign, number, state, next}, of the contact.")]
pub struct Next {
    /// The campaign.
    campaign: Name,
    /// The number, as people write it.
    #[arg(allow_hyphen_values = true)]
    number: String,
}

impl Stop {
    pub fn run(self, session: &mut Session) -> Outcome {
        change(session, &self.campaign, &self.number, |db, contact, number| Ok(lines::stop(db, contact, number)?))
    }
}

impl Next {
    pub fn run(self, session: &mut Session) -> Outcome {
        let now = session.now();
        change(session, &self.campaign, &self.number, |db, contact, number| match (contact.state, contact.excluded) {
            (ContactState::Waiting, _) => Ok(lines::prefer(db, contact, number)?),
            (ContactState::Excluded, Some(Exclusion::NumbersStopped)) => {
                Ok(lines::take_back(db, contact, number, now)?)
            }
            (ContactState::InProgress, _) => {
                let what = format!("the contact of {number} is in a call");
                Err(Failure::new(Exit::Failure, what, "nothing was changed; wait for the end of the call"))
            }
            (state, _) => {
                let what = format!("the contact of {number} is {state}, and waits for no call");
                let mend = format!(
                    "nothing was changed; `campanile numbers reactivate {} {number}` brings it back",
                    self.campaign
                );
                Err(Failure::new(Exit::Failure, what, mend))
            }
        })
    }
}

fn change(
    session: &mut Session,
    name: &Name,
    number: &str,
    verb: impl FnOnce(&Connection, &Contact, &Number) -> Result<()>,
) -> Outcome {
    // A short code is a number for some trunk, and here it can do no harm.
    let number = super::canonical(number, ShortNumbers::Allowed, &session.settings)?;
    let actor = &session.actor;
    let after = session.ledger.try_write(|db| {
        let campaign = actor.campaign(db, name)?;
        let found = || contacts::find(db, campaign.id, &number)?.ok_or_else(|| super::no_number(name, &number));
        verb(db, &found()?, &number)?;
        found()
    })?;
    session.wake_daemon();
    let next = (after.state != ContactState::Excluded).then(|| after.number.to_string());
    let answer = serde_json::json!({
        "campaign": name.as_str(), "number": number.as_str(), "state": after.state, "next": next.clone(),
    });
    session.answer(&answer, |out| {
        let told = next.map_or_else(
            || "excluded: no number of it is left".to_owned(),
            |next| format!("{}; its next number is {next}", after.state),
        );
        Ok(writeln!(out, "the contact of {number} is {told}")?)
    })?;
    Ok(Exit::Ok)
}
