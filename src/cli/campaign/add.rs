//! `campanile campaign add`.

use clap::Args;

use super::super::failure::{Failure, Outcome};
use super::super::session::Session;
use super::super::trunk;
use super::options::CampaignOptions;
use super::show;
use crate::domain::calendar::{Calendar, Window};
use crate::domain::campaign::{Campaign, CampaignState, ContactRules, Finish, Pacing, RetryRules};
use crate::domain::ids::CampaignId;
use crate::domain::name::Name;
use crate::domain::outcome::OutcomeRules;
use crate::domain::round::RoundRules;
use crate::exit::Exit;
use crate::ledger::campaigns;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  campanile campaign add spring --trunk gw1
  campanile campaign add spring --trunk gw1 --start 09:00 --stop 18:00 --time-zone Europe/Berlin \\
      --max-retries 2 --retry-time 1800 --caller-id 'Spring Shop <+493012345>'

JSON: as `campaign show`.")]
pub struct Add {
    /// The campaign's name: A-Z a-z 0-9 _ -
    name: Name,
    /// The line out: a trunk (`campanile trunk list` shows them).
    #[arg(long, value_name = "TRUNK")]
    trunk: Name,
    #[command(flatten)]
    options: CampaignOptions,
}

impl Add {
    pub fn run(self, session: &mut Session) -> Outcome {
        let now = session.now();
        let calendar = Calendar::daily(Window::ALWAYS, session.settings.time_zone.clone());
        let actor = &session.actor;
        session.ledger.try_write(|db| {
            let mut campaign = Campaign {
                id: CampaignId(0),
                name: self.name.clone(),
                owner: actor.id(),
                trunk: trunk::named(db, &self.trunk)?.id,
                state: CampaignState::Stopped,
                calendar,
                calendar_id: None,
                pacing: Pacing::default(),
                finish: Finish::default(),
                variables: Default::default(),
                retry: RetryRules { max_retries: 0, retry_time_s: 300, wait_time_s: 30 },
                outcome: OutcomeRules::default(),
                channels: None,
                caller_number: None,
                caller_name: None,
                actions: None,
                contacts: ContactRules::default(),
                rounds: RoundRules::default(),
            };
            self.options.apply(db, actor, None, &mut campaign)?;
            Ok::<_, Failure>(campaigns::add(db, &campaign, now)?)
        })?;
        self.options.warn();
        show::show_new(session, &self.name)?;
        Ok(Exit::Ok)
    }
}
