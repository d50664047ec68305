//! `campanile campaign add`.

use clap::Args;

use super::super::algorithm::AlgorithmOptions;
use super::super::failure::{Failure, Outcome};
use super::super::session::Session;
use super::super::trunk;
use super::options::CampaignOptions;
use super::readiness::warn_of_hours;
use super::show;
use super::traffic_options::keep_to_its_lines;
use crate::domain::campaign::Campaign;
use crate::domain::name::Name;
use crate::exit::Exit;
use crate::ledger::{algorithms, campaigns};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  campanile campaign add spring --trunk gw1
  campanile campaign add spring --trunk gw1,gw2
  campanile campaign add spring --trunk gw1 --start 09:00 --stop 18:00 --time-zone Europe/Berlin \\
      --max-retries 2 --retry-time 1800 --caller-id 'Spring Shop <+493012345>'
  campanile campaign add offer --trunk gw1 --algorithm telemarketing --sound offer --connect default,200

JSON: as `campaign show`.")]
pub struct Add {
    /// The campaign's name: A-Z a-z 0-9 _ -
    name: Name,
    /// The line out: a trunk (`campanile trunk list` shows them), or several with commas.
    ///
    /// Of several, a call goes over the first that may take it: its breaker is not open, a channel is free, and its
    /// starts a second leave room. So calls overflow to the next trunk when the first is full; and a call that a trunk
    /// failed is soon tried over the next one.
    #[arg(long, value_name = "TRUNK[,…]", value_delimiter = ',', num_args = 1, required = true)]
    trunk: Vec<Name>,
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
        let campaign = session.ledger.try_write(|db| {
            let trunks = trunk::all_named(db, &self.trunk)?;
            let Some((first, further)) = trunks.split_first() else { return Err(no_trunk()) };
            let mut campaign = Campaign {
                further_trunks: further.to_vec(),
                ..Campaign::new(self.name.clone(), actor.id(), *first, zone)
            };
            let algorithm = self.algorithm.read(db, actor)?;
            if let Some(algorithm) = &algorithm {
                algorithm.apply(&mut campaign);
            }
            self.options.apply(db, actor, &[], &mut campaign)?;
            keep_to_its_lines(db, &campaign)?;
            match &algorithm {
                None => campaigns::add(db, &campaign, now)?,
                Some(algorithm) => algorithms::add_campaign(db, &campaign, algorithm, now)?,
            };
            Ok::<_, Failure>(campaign)
        })?;
        self.options.warn();
        warn_of_hours(&campaign, now);
        show::show_new(session, &self.name)?;
        Ok(Exit::Ok)
    }
}

fn no_trunk() -> Failure {
    Failure::new(Exit::Usage, "a campaign needs a trunk", "name one with --trunk; `campanile trunk list` shows them")
}
