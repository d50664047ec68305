//! `campanile algorithm add`, `set` and `remove`.

use std::str::FromStr;

use clap::Args;

use super::super::actor::Actor;
use super::super::campaign::CampaignOptions;
use super::super::failure::{Failure, Outcome, Result};
use super::super::session::Session;
use super::{own, refused, show, usable};
use crate::domain::algorithm::{Algorithm, BuiltIn};
use crate::domain::calendar::Zone;
use crate::domain::campaign::Campaign;
use crate::domain::ids::TrunkId;
use crate::domain::name::{Name, SoundName, TextRefusal};
use crate::exit::Exit;
use crate::ledger::{Connection, algorithms};

#[derive(Debug, Args)]
#[command(after_help = "\
An algorithm has a campaign's action lists, hours, retries, causes, pace, channels, order, rounds and end. It has no \
numbers, user, trunk, caller id, variables, time zone, calendar or schedule: those are each campaign's own.

Examples:
  campanile algorithm add mine --from spring
  campanile algorithm add gentle --from telemarketing --max-retries 0 --start 10:00 --stop 18:00
  campanile campaign add summer --algorithm mine --trunk gw1

JSON: as `algorithm show`.")]
pub struct Add {
    /// The algorithm's name: A-Z a-z 0-9 _ -
    name: Name,
    /// A campaign, or an algorithm; an algorithm goes first where there are both.
    #[arg(long, value_name = "CAMPAIGN|ALGORITHM")]
    from: Name,
    #[command(flatten)]
    changes: Changes,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Only what is given changes; --from takes over all of a campaign again, such as its changed action lists.

Examples:
  campanile algorithm set mine --repeat 3600 --rounds-max 3
  campanile algorithm set mine --from spring

JSON: as `algorithm show`.")]
pub struct Set {
    /// The algorithm's name.
    name: Name,
    /// A campaign, or an algorithm, to take all over from.
    #[arg(long, value_name = "CAMPAIGN|ALGORITHM")]
    from: Option<Name>,
    #[command(flatten)]
    changes: Changes,
}

#[derive(Debug, Args)]
#[command(after_help = "JSON: {algorithm, removed}.")]
pub struct Remove {
    /// The algorithm's name.
    name: Name,
}

/// What is said otherwise than before.
#[derive(Debug, Args)]
struct Changes {
    /// The sound for which a campaign may name another with --sound, or none.
    #[arg(long, value_name = "SOUND|none")]
    sound: Option<SoundOrNone>,
    #[command(flatten)]
    options: CampaignOptions,
}

#[derive(Debug, Clone)]
struct SoundOrNone(Option<SoundName>);

impl FromStr for SoundOrNone {
    type Err = TextRefusal;

    fn from_str(text: &str) -> std::result::Result<Self, TextRefusal> {
        if text == "none" { Ok(Self(None)) } else { text.parse().map(|sound| Self(Some(sound))) }
    }
}

impl Changes {
    /// The options are those of a campaign, so they are applied to one that nobody keeps.
    fn apply(&self, db: &Connection, actor: &Actor, rules: Algorithm) -> Result<Algorithm> {
        let name = BuiltIn::Telemarketing.as_str().parse().map_err(|why| refused(&why))?;
        let mut before = Campaign::new(name, actor.id(), TrunkId(0), Zone::UTC);
        rules.apply(&mut before);
        let mut after = before.clone();
        self.options.apply(db, actor, &[], &mut after)?;
        let changed = Algorithm { sound: rules.sound.clone(), ..Algorithm::of(&after, rules.causes, rules.actions) };
        let mut kept = before;
        changed.apply(&mut kept);
        if kept != after {
            let what = "an algorithm has no user, time zone, calendar, schedule or caller id";
            return Err(Failure::new(Exit::Usage, what, "give these to the campaigns that are made from it"));
        }
        Ok(match &self.sound {
            None => changed,
            Some(SoundOrNone(sound)) => Algorithm { sound: sound.clone(), ..changed },
        })
    }
}

/// That of an algorithm, or of a campaign. Who may not put an action into a list may not copy it into an algorithm
/// either, which would put it into any number of campaigns.
fn taken_from(db: &Connection, actor: &Actor, from: &Name) -> Result<Algorithm> {
    let rules = match usable(db, actor, from) {
        Ok(found) => found.rules,
        Err(_) => {
            let campaign = actor.campaign(db, from).map_err(|_| {
                let what = format!("there is no algorithm and no campaign `{from}`");
                let mend = "`campanile algorithm list` and `campanile campaign list` show those that you may use";
                Failure::new(Exit::NoInput, what, mend)
            })?;
            algorithms::of_campaign(db, &campaign)?
        }
    };
    let needs_admin = rules.actions.all().find(|(_, action)| action.needs_admin());
    if let Some((_, action)) = needs_admin {
        actor.must_be_admin(&format!("make an algorithm with {} actions", action.verb()))?;
    }
    Ok(rules)
}

impl Add {
    pub fn run(self, session: &mut Session) -> Outcome {
        let now = session.now();
        let actor = &session.actor;
        session.ledger.try_write(|db| {
            if self.name.as_str().parse::<BuiltIn>().is_ok() {
                let what = format!("there is already an algorithm `{}`, which comes with Campanile", self.name);
                return Err(Failure::new(Exit::Failure, what, "choose another name"));
            }
            let rules = self.changes.apply(db, actor, taken_from(db, actor, &self.from)?)?;
            Ok::<_, Failure>(algorithms::add(db, &self.name, actor.id(), &rules, now)?)
        })?;
        show::show(session, &self.name)
    }
}

impl Set {
    pub fn run(self, session: &mut Session) -> Outcome {
        let actor = &session.actor;
        session.ledger.try_write(|db| {
            let kept = own(db, actor, &self.name)?;
            let rules = match &self.from {
                None => kept.rules,
                Some(from) => taken_from(db, actor, from)?,
            };
            let rules = self.changes.apply(db, actor, rules)?;
            Ok::<_, Failure>(algorithms::update(db, kept.id, &rules)?)
        })?;
        show::show(session, &self.name)
    }
}

impl Remove {
    pub fn run(self, session: &mut Session) -> Outcome {
        let actor = &session.actor;
        session.ledger.try_write(|db| {
            let kept = own(db, actor, &self.name)?;
            Ok::<_, Failure>(algorithms::remove(db, kept.id)?)
        })?;
        let answer = serde_json::json!({"algorithm": self.name.as_str(), "removed": true});
        session.answer(&answer, |out| Ok(writeln!(out, "removed algorithm {}", self.name)?))?;
        Ok(Exit::Ok)
    }
}
