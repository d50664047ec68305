//! `campanile algorithm add`, `set` and `remove`.

use std::str::FromStr;

use clap::Args;

use super::super::actor::Actor;
use super::super::campaign::CampaignOptions;
use super::super::failure::{Failure, Outcome, Result};
use super::super::session::{Session, warn};
use super::{own, refused, show, usable};
use crate::domain::algorithm::{Algorithm, BuiltIn};
use crate::domain::calendar::Zone;
use crate::domain::campaign::Campaign;
use crate::domain::ids::TrunkId;
use crate::domain::name::{Name, SoundName, TextRefusal};
use crate::domain::zoning::LegalSwitch;
use crate::exit::Exit;
use crate::ledger::{Connection, algorithms};

#[derive(Debug, Args)]
#[command(after_help = "\
An algorithm has a campaign's action lists, hours, retries, causes, pace, channels, order, rounds and end. It has no \
numbers, user, trunk, time zone, calendar, schedule, caller id, variables, legal hours, headers, codecs, durations or \
cancel ratio: those are each campaign's own.

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

/// Options of campaigns that an algorithm refuses: they are each campaign's own.
const OF_CAMPAIGNS: [&str; 12] = [
    "user",
    "time-zone",
    "calendar",
    "starts-at",
    "ends-at",
    "caller-id",
    "var",
    "legal-hours",
    "header",
    "codecs",
    "duration",
    "cancel-ratio",
];

/// The help does not offer what is refused; that it is, is better said than that there is no such option.
fn without_those_of_campaigns(arg: clap::Arg) -> clap::Arg {
    let is_of_campaigns = arg.get_long().is_some_and(|long| OF_CAMPAIGNS.contains(&long));
    if is_of_campaigns { arg.hide(true) } else { arg }
}

/// What is said otherwise than before.
#[derive(Debug, Args)]
#[command(mut_args(without_those_of_campaigns))]
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
            let what = "an algorithm has no user, time zone, calendar, schedule, caller id, variables, legal hours, \
                headers, codecs, durations or cancel ratio";
            return Err(Failure::new(Exit::Usage, what, "give these to the campaigns that are made from it"));
        }
        Ok(match &self.sound {
            None => changed,
            Some(SoundOrNone(sound)) => Algorithm { sound: sound.clone(), ..changed },
        })
    }
}

/// Rules that were taken over, and what of a campaign was left behind.
type Taken = (Algorithm, Vec<&'static str>);

/// What a campaign has of its own and an algorithm does not, beside what every campaign has.
fn left_behind(campaign: &Campaign) -> Vec<&'static str> {
    let (schedule, traffic) = (campaign.calendar.schedule, &campaign.traffic);
    let all = [
        ("calendar", campaign.calendar_id.is_some()),
        ("schedule", schedule.starts_at.is_some() || schedule.ends_at.is_some()),
        ("caller id", campaign.caller_name.is_some() || campaign.caller_number.is_some()),
        ("variables", campaign.variables.iter().next().is_some()),
        ("legal hours", campaign.legal_hours != LegalSwitch::On),
        ("headers", traffic.invite.headers.iter().next().is_some()),
        ("codecs", !traffic.invite.codecs.is_empty()),
        ("duration", traffic.duration.is_some()),
        ("cancel ratio", traffic.cancel.percent() > 0),
    ];
    all.into_iter().filter_map(|(what, has)| has.then_some(what)).collect()
}

fn warn_of_left_behind(from: &Name, left: &[&'static str]) {
    if !left.is_empty() {
        let left = left.join(", ");
        warn(&format!(
            "left behind in campaign {from}: {left}; give these to the campaigns that are made from the algorithm"
        ));
    }
}

/// That of an algorithm, or of a campaign. Who may not put an action into a list may not copy it into an algorithm
/// either, which would put it into any number of campaigns.
fn taken_from(db: &Connection, actor: &Actor, from: &Name) -> Result<Taken> {
    let (rules, left) = match usable(db, actor, from) {
        Ok(found) => (found.rules, Vec::new()),
        Err(_) => {
            let campaign = actor.campaign(db, from).map_err(|_| {
                let what = format!("there is no algorithm and no campaign `{from}`");
                let mend = "`campanile algorithm list` and `campanile campaign list` show those that you may use";
                Failure::new(Exit::NoInput, what, mend)
            })?;
            (algorithms::of_campaign(db, &campaign)?, left_behind(&campaign))
        }
    };
    let needs_admin = rules.actions.all().find(|(_, action)| action.needs_admin());
    if let Some((_, action)) = needs_admin {
        actor.must_be_admin(&format!("make an algorithm with {} actions", action.verb()))?;
    }
    Ok((rules, left))
}

impl Add {
    pub fn run(self, session: &mut Session) -> Outcome {
        let now = session.now();
        let actor = &session.actor;
        let left = session.ledger.try_write(|db| {
            if self.name.as_str().parse::<BuiltIn>().is_ok() {
                let what = format!("there is already an algorithm `{}`, which comes with Campanile", self.name);
                return Err(Failure::new(Exit::Failure, what, "choose another name"));
            }
            let (rules, left) = taken_from(db, actor, &self.from)?;
            let rules = self.changes.apply(db, actor, rules)?;
            algorithms::add(db, &self.name, actor.id(), &rules, now)?;
            Ok::<_, Failure>(left)
        })?;
        warn_of_left_behind(&self.from, &left);
        show::show(session, &self.name)
    }
}

impl Set {
    pub fn run(self, session: &mut Session) -> Outcome {
        let actor = &session.actor;
        let left = session.ledger.try_write(|db| {
            let kept = own(db, actor, &self.name)?;
            let (rules, left) = match &self.from {
                None => (kept.rules, Vec::new()),
                Some(from) => taken_from(db, actor, from)?,
            };
            let rules = self.changes.apply(db, actor, rules)?;
            algorithms::update(db, kept.id, &rules)?;
            Ok::<_, Failure>(left)
        })?;
        warn_of_left_behind(self.from.as_ref().unwrap_or(&self.name), &left);
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
