//! `campanile campaign set`.

use clap::Args;

use super::super::failure::{Failure, Outcome};
use super::super::session::Session;
use super::options::CampaignOptions;
use super::show;
use crate::domain::name::Name;
use crate::ledger::campaigns;

#[derive(Debug, Args)]
#[command(after_help = "\
Only what is given changes. Window, channels and state hold at the gate at once, also for calls that are \
planned already; trunk, wait time and caller id hold for calls that are planned from now on.

Examples:
  campanile campaign set spring --stop 20:00
  campanile campaign set spring --channels none --caller-id none

JSON: as `campaign show`.")]
pub struct Set {
    /// The campaign's name.
    name: Name,
    /// The line out: a trunk.
    #[arg(long, value_name = "TRUNK")]
    trunk: Option<Name>,
    #[command(flatten)]
    options: CampaignOptions,
}

impl Set {
    pub fn run(self, session: &mut Session) -> Outcome {
        let actor = &session.actor;
        session.ledger.try_write(|db| {
            let mut campaign = actor.campaign(db, &self.name)?;
            self.options.apply(db, actor, self.trunk.as_ref(), &mut campaign)?;
            campaigns::update(db, &campaign).map_err(Failure::from)
        })?;
        session.wake_daemon();
        self.options.warn();
        show::show(session, &self.name)
    }
}
