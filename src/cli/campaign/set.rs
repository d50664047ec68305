//! `campanile campaign set`.

use clap::Args;

use super::super::failure::{Failure, Outcome, Result};
use super::super::session::Session;
use super::super::trunk;
use super::options::CampaignOptions;
use super::readiness::warn_of_hours;
use super::show;
use super::traffic_options::keep_to_its_lines;
use crate::domain::campaign::Campaign;
use crate::domain::ids::ContactId;
use crate::domain::name::Name;

use crate::exit::Exit;
use crate::ledger::{Connection, campaigns, contacts};

#[derive(Debug, Args)]
#[command(after_help = "\
Only what is given changes. Window, channels and state hold at the gate at once, also for calls that are \
planned already; trunk, wait time, caller id, headers, codecs, duration and cancel ratio hold for calls that are planned \
from now on.

Examples:
  campanile campaign set spring --stop 20:00
  campanile campaign set spring --channels none --caller-id none
  campanile campaign set load --header 'P-Campaign-Name: load' --duration gauss:30s,10s,20s-60s --cancel-ratio 50%

JSON: as `campaign show`.")]
pub struct Set {
    /// The campaign's name.
    name: Name,
    /// The line out: a trunk, or several with commas, the first choice first; see `campaign add`.
    #[arg(long, value_name = "TRUNK[,…]", value_delimiter = ',', num_args = 1)]
    trunk: Vec<Name>,
    #[command(flatten)]
    options: CampaignOptions,
}

impl Set {
    pub fn run(self, session: &mut Session) -> Outcome {
        let actor = &session.actor;
        let (before, campaign) = session.ledger.try_write(|db| {
            let before = actor.campaign(db, &self.name)?;
            let mut campaign = before.clone();
            self.options.apply(db, actor, &self.trunk, &mut campaign)?;
            keep_short_numbers_in(db, &campaign)?;
            keep_to_its_lines(db, &campaign)?;
            campaigns::update(db, &campaign)?;
            Ok::<_, Failure>((before, campaign))
        })?;
        if before.contacts.order != campaign.contacts.order {
            place_all(session, &campaign)?;
        }
        session.wake_daemon();
        self.options.warn();
        if before.calendar != campaign.calendar || before.retry.wait_time_s != campaign.retry.wait_time_s {
            warn_of_hours(&campaign, session.now());
        }
        show::show(session, &self.name)
    }
}

/// Another order holds for the contacts that are there, too.
fn place_all(session: &mut Session, campaign: &Campaign) -> Result<()> {
    let mut after = Some(ContactId(0));
    while let Some(from) = after {
        let rows = session.rows_at_once()?;
        after = session.ledger.write(|db| contacts::place_all(db, campaign, from, rows))?;
    }
    Ok(())
}

/// A short code of our PBX is somebody else's number outside, an emergency line at worst.
fn keep_short_numbers_in(db: &Connection, campaign: &Campaign) -> Result<()> {
    let Some(trunk) = trunk::refusing_short_numbers(db, campaign)? else { return Ok(()) };
    let short = contacts::short_numbers(db, campaign.id)?;
    if short == 0 {
        return Ok(());
    }
    let what = format!("trunk {} allows no short numbers, and campaign {} has {short}", trunk.name, campaign.name);
    let mend = format!("choose another trunk, or first: campanile numbers delete-all {} --yes", campaign.name);
    Err(Failure::new(Exit::Failure, what, mend))
}
