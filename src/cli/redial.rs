//! `campanile redial-failed`.

use clap::Args;

use super::failure::{Failure, Outcome};
use super::present::counted;
use super::session::{Session, warn};
use crate::domain::campaign::CampaignState;
use crate::domain::name::Name;
use crate::exit::Exit;
use crate::ledger::contacts;

/// Make all failed numbers of a campaign callable again.
#[derive(Debug, Args)]
#[command(after_help = "\
Each failed number is called again as if it were new: all its retries are back. Those that were reached, or \
still wait, are left alone.

Example:
  campanile redial-failed spring

JSON: {campaign, callable_again, state}.")]
pub struct RedialFailed {
    /// The campaign.
    campaign: Name,
}

impl RedialFailed {
    pub fn run(self, session: &mut Session) -> Outcome {
        let actor = &session.actor;
        let (again, state) = session.ledger.try_write(|db| {
            let campaign = actor.campaign(db, &self.campaign)?;
            Ok::<_, Failure>((contacts::redial_failed(db, campaign.id)?, campaign.state))
        })?;
        session.wake_daemon();
        let answer = serde_json::json!({"campaign": self.campaign.as_str(), "callable_again": again, "state": state});
        session.answer(&answer, |out| {
            Ok(writeln!(out, "{} of {} callable again", counted(again, "number"), self.campaign)?)
        })?;
        if again > 0 && state != CampaignState::Running {
            warn(&format!("the campaign is {state}; to call them: campanile campaign start {}", self.campaign));
        }
        Ok(Exit::Ok)
    }
}
