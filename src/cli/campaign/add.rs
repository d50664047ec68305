//! `campanile campaign add`.

use clap::Args;

use super::super::actor::Actor;
use super::super::algorithm::AlgorithmOptions;
use super::super::failure::{Failure, Outcome};
use super::super::session::Session;
use super::super::trunk;
use super::options::CampaignOptions;
use super::show;
use crate::domain::calendar::{Calendar, Window, Zone};
use crate::domain::campaign::{Campaign, CampaignState, ContactRules, Finish, Pacing, RetryRules};
use crate::domain::ids::{CampaignId, TrunkId};
use crate::domain::name::Name;
use crate::domain::outcome::OutcomeRules;
use crate::domain::round::RoundRules;
use crate::exit::Exit;
use crate::ledger::{algorithms, campaigns};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  campanile campaign add spring --trunk gw1
  campanile campaign add spring --trunk gw1 --start 09:00 --stop 18:00 --time-zone Europe/Berlin \\
      --max-retries 2 --retry-time 1800 --caller-id 'Spring Shop <+493012345>'
  campanile campaign add offer --trunk gw1 --algorithm telemarketing --sound offer --connect default,200

JSON: as `campaign show`.")]
pub struct Add {
    /// The campaign's name: A-Z a-z 0-9 _ -
    name: Name,
    /// The line out: a trunk (`campanile trunk list` shows them).
    #[arg(long, value_name = "TRUNK")]
    trunk: Name,
    #[command(flatten)]
    algorithm: AlgorithmOptions,
    #[command(flatten)]
    options: CampaignOptions,
}

impl Add {
    pub fn run(self, session: &mut Session) -> Outcome {
        let now = session.now();
        let zone = session.settings.time_zone.clone();
        let actor = &session.actor;
        session.ledger.try_write(|db| {
            let mut campaign = new(&self.name, actor, trunk::named(db, &self.trunk)?.id, zone);
            let algorithm = self.algorithm.read(db, actor)?;
            if let Some(algorithm) = &algorithm {
                algorithm.apply(&mut campaign);
            }
            self.options.apply(db, actor, None, &mut campaign)?;
            match &algorithm {
                None => campaigns::add(db, &campaign, now)?,
                Some(algorithm) => algorithms::add_campaign(db, &campaign, algorithm, now)?,
            };
            Ok::<_, Failure>(())
        })?;
        self.options.warn();
        show::show_new(session, &self.name)?;
        Ok(Exit::Ok)
    }
}

/// A campaign as it is without any option.
pub fn new(name: &Name, actor: &Actor, trunk: TrunkId, zone: Zone) -> Campaign {
    Campaign {
        id: CampaignId(0),
        name: name.clone(),
        owner: actor.id(),
        trunk,
        state: CampaignState::Stopped,
        calendar: Calendar::daily(Window::ALWAYS, zone),
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
    }
}
