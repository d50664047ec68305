//! `campanile line-check add`.

use std::path::PathBuf;

use clap::Args;

use super::super::actor::Actor;
use super::super::algorithm;
use super::super::campaign::{self, CampaignOptions};
use super::super::failure::{Failure, Outcome, Result};
use super::super::numbers;
use super::super::present::counted;
use super::super::session::Session;
use super::super::trunk;
use super::{named, show};
use crate::domain::algorithm::BuiltIn;
use crate::domain::calendar::Zone;
use crate::domain::campaign::Campaign;
use crate::domain::instant::UtcMs;
use crate::domain::name::Name;
use crate::exit::Exit;
use crate::ledger::{Connection, algorithms, line_checks};

/// The most refused lines that are told.
const REFUSALS_SHOWN: usize = 20;

#[derive(Debug, Args)]
#[command(after_help = "\
The numbers are imported into a campaign for each trunk, as `numbers import` does it; where that fails, no check is \
added; one refused number is enough. Without --repeat each number is called once over each trunk. The breakers of its trunks are no matter of a check: it \
calls over a trunk whose breaker is open, too, and what comes of its calls neither opens nor closes one.

Examples:
  campanile line-check add carriers --trunks gw1,gw2 --numbers probes.txt --repeat 3600
  campanile line-check add carriers --trunks gw1,gw2 --numbers probes.txt --repeat 900 --calendar office --wait-time 30

JSON: {line_check, user, campaigns: [{campaign, trunk, state, numbers}]}.")]
pub struct Add {
    /// The check's name: A-Z a-z 0-9 _ -
    name: Name,
    /// The trunks, with ',' between.
    #[arg(long, value_name = "TRUNK,…", value_delimiter = ',', required = true)]
    trunks: Vec<Name>,
    /// The file with the numbers that are called over each trunk.
    #[arg(long, value_name = "FILE")]
    numbers: PathBuf,
    /// The algorithm that its campaigns are made from [default: provider-checking].
    #[arg(long, value_name = "ALGORITHM")]
    algorithm: Option<Name>,
    #[command(flatten)]
    options: CampaignOptions,
}

impl Add {
    pub fn run(self, session: &mut Session) -> Outcome {
        if let Err(error) = std::fs::File::open(&self.numbers) {
            let what = format!("cannot open `{}`: {error}", self.numbers.display());
            return Err(Failure::new(error.kind().into(), what, "name a file that exists and that this user may read"));
        }
        let (now, zone) = (session.now(), session.settings.time_zone.clone());
        let actor = &session.actor;
        let campaigns = session.ledger.try_write(|db| self.add(db, actor, &zone, now))?;
        for campaign in campaigns {
            let loaded = self.load(session, &campaign);
            if let Err(failure) = loaded {
                session.ledger.try_write(|db| {
                    let (check, _) = named(db, &session.actor, &self.name)?;
                    Ok::<_, Failure>(line_checks::remove(db, check.id)?)
                })?;
                return Err(failure);
            }
        }
        self.options.warn();
        show(session, &self.name)
    }

    /// A campaign for each trunk, in one transaction.
    fn add(&self, db: &Connection, actor: &Actor, zone: &Zone, now: UtcMs) -> Result<Vec<Name>> {
        let trunks = trunk::all_named(db, &self.trunks)?;
        let check = line_checks::add(db, &self.name, actor.id(), now)?;
        let rules = match &self.algorithm {
            Some(name) => algorithm::usable(db, actor, name)?.rules,
            None => algorithm::built_in(BuiltIn::ProviderChecking)?,
        };
        let mut names = Vec::new();
        for (trunk, id) in self.trunks.iter().zip(trunks) {
            let name = self.campaign_over(trunk)?;
            let mut campaign = Campaign::new(name.clone(), actor.id(), id, zone.clone());
            rules.apply(&mut campaign);
            self.options.apply(db, actor, &[], &mut campaign)?;
            campaign.line_check = Some(check);
            campaign::keep_to_its_lines(db, &campaign)?;
            algorithms::add_campaign(db, &campaign, &rules, now)?;
            names.push(name);
        }
        Ok(names)
    }

    fn campaign_over(&self, trunk: &Name) -> Result<Name> {
        let named = format!("{}-{trunk}", self.name).parse();
        named.map_err(|why| {
            let what = format!("its campaign over trunk {trunk} would have no good name: {why}");
            Failure::new(Exit::DataErr, what, "choose a shorter name")
        })
    }

    fn load(&self, session: &mut Session, campaign: &Name) -> Result<()> {
        let tally = numbers::load(session, campaign, &self.numbers)?;
        let file = self.numbers.display();
        match (tally.interrupted, tally.refused, tally.imported) {
            (true, ..) => {
                Err(Failure::new(Exit::Interrupted, "no check was added: interrupted", "nothing was changed"))
            }
            // A probe that monitoring relies on must not be missing unseen.
            (false, 1.., _) => {
                let what = format!("no check was added: {file} has {}", counted(tally.refused, "refused line"));
                let mut lines: Vec<String> =
                    tally.refusals.iter().take(REFUSALS_SHOWN).map(ToString::to_string).collect();
                let more = tally.refused.saturating_sub(REFUSALS_SHOWN as u64);
                lines.extend((more > 0).then(|| format!("and {more} more")));
                lines.push("mend these lines or take them out".to_owned());
                Err(Failure::new(Exit::DataErr, what, lines.join("\n")))
            }
            (false, 0, 0) => Err(Failure::new(
                Exit::DataErr,
                format!("no check was added: {file} has no number"),
                "name another file",
            )),
            (false, 0, _) => Ok(()),
        }
    }
}
