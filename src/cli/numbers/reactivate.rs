//! `campanile numbers reactivate`.

use clap::Args;

use super::super::failure::{Failure, Outcome};
use super::super::session::Session;
use super::super::trunk;
use crate::domain::name::Name;
use crate::exit::Exit;
use crate::ledger::contacts;

#[derive(Debug, Args)]
#[command(after_help = "\
The number is called again as if it were new: all its retries are back. One that waits already, or is in a \
call, is refused; so is one whose contact has expired. Of a contact with several numbers all are called again, \
the first one first; but one that was stopped only by `numbers next`.

Example:
  campanile numbers reactivate spring +49301234567

JSON: {campaign, number, state}.")]
pub struct Reactivate {
    /// The campaign.
    campaign: Name,
    /// The number, as people write it.
    #[arg(allow_hyphen_values = true)]
    number: String,
}

impl Reactivate {
    pub fn run(self, session: &mut Session) -> Outcome {
        let (actor, settings) = (&session.actor, &session.settings);
        let now = session.now();
        let number = session.ledger.try_write(|db| {
            let campaign = actor.campaign(db, &self.campaign)?;
            let short_numbers = trunk::short_numbers_of(db, &campaign)?;
            let number = super::canonical(&self.number, short_numbers, settings)?;
            let found =
                contacts::find(db, campaign.id, &number)?.ok_or_else(|| super::no_number(&campaign.name, &number))?;
            contacts::reactivate(db, &found, now)?;
            Ok::<_, Failure>(number)
        })?;
        session.wake_daemon();
        let answer =
            serde_json::json!({"campaign": self.campaign.as_str(), "number": number.as_str(), "state": "waiting"});
        session.answer(&answer, |out| Ok(writeln!(out, "{number} will be called again by {}", self.campaign)?))?;
        Ok(Exit::Ok)
    }
}
