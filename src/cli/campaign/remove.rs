//! `campanile campaign remove`.

use clap::Args;

use super::super::failure::{Failure, Outcome};
use super::super::session::Session;
use crate::domain::campaign::{Campaign, CampaignState};
use crate::domain::name::Name;
use crate::exit::Exit;
use crate::ledger::{Connection, campaigns, contacts, views};

#[derive(Debug, Args)]
#[command(after_help = "\
Without --yes it only tells what would go. It refuses while the campaign runs or has open calls.

Examples:
  campanile campaign remove spring
  campanile campaign remove spring --yes

JSON: {campaign, removed, numbers, calls}.")]
pub struct Remove {
    /// The campaign's name.
    name: Name,
    /// Really remove it.
    #[arg(long)]
    yes: bool,
}

impl Remove {
    pub fn run(self, session: &mut Session) -> Outcome {
        let actor = &session.actor;
        let (numbers, calls) = session.ledger.try_write(|db| {
            let campaign = actor.campaign(db, &self.name)?;
            let goes = what_goes(db, &campaign)?;
            if campaign.state == CampaignState::Running {
                return Err(runs(&campaign));
            }
            if self.yes {
                campaigns::remove(db, &campaign)?;
                return Ok(goes);
            }
            let (numbers, calls) = goes;
            let what = format!(
                "campaign {} was not removed: {numbers} numbers and the report of {calls} calls would go",
                self.name
            );
            Err(Failure::new(Exit::Failure, what, format!("campanile campaign remove {} --yes", self.name)))
        })?;
        let answer =
            serde_json::json!({"campaign": self.name.as_str(), "removed": true, "numbers": numbers, "calls": calls});
        session.answer(&answer, |out| {
            Ok(writeln!(out, "removed campaign {}, {numbers} numbers and the report of {calls} calls", self.name)?)
        })?;
        Ok(Exit::Ok)
    }
}

fn what_goes(db: &Connection, campaign: &Campaign) -> Result<(u64, u64), Failure> {
    let calls = views::dispositions(db, Some(campaign.id))?.values().sum();
    Ok((contacts::counts(db, campaign.id)?.total(), calls))
}

fn runs(campaign: &Campaign) -> Failure {
    let mend = format!("campanile campaign stop {}", campaign.name);
    Failure::new(Exit::Failure, format!("campaign {} is running", campaign.name), mend)
}
