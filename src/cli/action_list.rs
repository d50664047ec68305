//! `campanile actions`.

mod address;
mod manual;
mod show;

use clap::{Args, Subcommand};

use super::actor::Actor;
use super::dnc;
use super::failure::{Failure, Outcome, Result};
use super::session::{Session, warn};
use super::sounds;
use crate::domain::action::{Action, ActionRefusal, Actions};
use crate::domain::bar::OPT_OUT_LIST;
use crate::domain::campaign::CampaignState;
use crate::domain::name::Name;
use crate::exit::Exit;
use crate::ledger::actions;
use crate::settings::Settings;

use address::Address;
use manual::{ACTIONS, JSON};
pub use show::tree;

/// What happens when a call is answered: lists of actions.
#[derive(Debug, Subcommand)]
#[command(after_help = ACTIONS)]
pub enum ActionsVerb {
    /// List the actions, with all lists that they lead to.
    List(List),
    /// Add an action at the end, or at a place.
    Add(Add),
    /// Replace the action at a place.
    Set(Set),
    /// Move an action to another place of its list.
    Move(Move),
    /// Remove an action; a list without actions is no more.
    Remove(Remove),
}

#[derive(Debug, Args)]
#[command(after_help = JSON)]
pub struct List {
    /// The campaign, or one of its lists.
    #[arg(value_name = "CAMPAIGN[:LIST]")]
    at: Address,
}

#[derive(Debug, Args)]
#[command(after_help = ACTIONS)]
pub struct Add {
    /// The campaign, or one of its lists; a list is made by its first action.
    #[arg(value_name = "CAMPAIGN[:LIST]")]
    to: Address,
    #[command(flatten)]
    action: Typed,
    /// The place, from 1 [default: at the end].
    #[arg(long, value_name = "N")]
    at: Option<usize>,
}

#[derive(Debug, Args)]
#[command(after_help = ACTIONS)]
pub struct Set {
    /// The campaign, or one of its lists.
    #[arg(value_name = "CAMPAIGN[:LIST]")]
    at: Address,
    /// The place, from 1.
    place: usize,
    #[command(flatten)]
    action: Typed,
}

#[derive(Debug, Args)]
#[command(after_help = ACTIONS)]
pub struct Move {
    /// The campaign, or one of its lists.
    #[arg(value_name = "CAMPAIGN[:LIST]")]
    at: Address,
    /// From this place, from 1.
    from: usize,
    /// To this place, from 1.
    to: usize,
}

#[derive(Debug, Args)]
#[command(after_help = ACTIONS)]
pub struct Remove {
    /// The campaign, or one of its lists.
    #[arg(value_name = "CAMPAIGN[:LIST]")]
    at: Address,
    /// The place, from 1.
    place: usize,
}

/// An action as typed.
#[derive(Debug, Args)]
pub struct Typed {
    /// WAIT, PLAY, SAY, MENU, AMD, LISTEN, OPT-OUT, SET, RECORD, HANGUP, IVR, TRANSFER, DIAL, QUEUE or CONFERENCE.
    action: String,
    /// What the action takes; see below.
    #[arg(allow_negative_numbers = true)]
    argument: Vec<String>,
}

impl ActionsVerb {
    pub fn run(self, session: &mut Session) -> Outcome {
        match self {
            Self::List(verb) => list(session, &verb.at),
            Self::Add(verb) => {
                let action = verb.action.read(&session.settings, &session.actor)?;
                let exit = edit(session, &verb.to, |list| {
                    let at = verb.at.unwrap_or(list.len() + 1);
                    list.insert(place(list.len() + 1, at)?, action.clone());
                    Ok(())
                })?;
                warn_of_absent_list(session, &action)?;
                Ok(exit)
            }
            Self::Set(verb) => {
                let action = verb.action.read(&session.settings, &session.actor)?;
                let exit = edit(session, &verb.at, |list| {
                    let i = place(list.len(), verb.place)?;
                    list[i] = action.clone();
                    Ok(())
                })?;
                warn_of_absent_list(session, &action)?;
                Ok(exit)
            }
            Self::Move(verb) => edit(session, &verb.at, |list| {
                let (from, to) = (place(list.len(), verb.from)?, place(list.len(), verb.to)?);
                let action = list.remove(from);
                list.insert(to, action);
                Ok(())
            }),
            Self::Remove(verb) => edit(session, &verb.at, |list| {
                list.remove(place(list.len(), verb.place)?);
                Ok(())
            }),
        }
    }
}

impl Typed {
    /// The action; its sounds must be there, and only an admin may reach the PBX.
    fn read(&self, settings: &Settings, actor: &Actor) -> Result<Action> {
        let mut action = Action::parse(&self.action, &self.argument.join(" ")).map_err(|why| refused(None, why))?;
        if action.needs_admin() {
            actor.must_be_admin(&format!("use {} actions", action.verb()))?;
        }
        for sound in action.sounds_mut() {
            *sound = sounds::resolve(settings, sound)?.sound;
        }
        Ok(action)
    }
}

/// Says that who opts out comes onto another list than was meant, until somebody makes that one.
fn warn_of_absent_list(session: &mut Session, action: &Action) -> Result<()> {
    let absent = session.ledger.try_read(|db| Ok::<_, Failure>(dnc::absent_list(db, action)?.cloned()))?;
    if let Some(list) = absent {
        warn(&format!(
            "there is no do-not-call list `{list}`: until there is one, who opts out comes onto {OPT_OUT_LIST}; \
             to make it: campanile dnc create {list}"
        ));
    }
    Ok(())
}

fn refused(campaign: Option<&Name>, why: ActionRefusal) -> Failure {
    let mend = match (campaign, &why) {
        (Some(campaign), ActionRefusal::NoList { list, .. }) => {
            format!("make it first: campanile actions add {campaign}:{list} PLAY SOUND")
        }
        _ => "`campanile help actions add` has examples".to_owned(),
    };
    Failure::new(Exit::DataErr, why.to_string(), mend)
}

/// Without actions a campaign cannot start, so none that runs comes to be without them.
fn would_be_silent(campaign: &Name) -> Failure {
    let what = format!("campaign {campaign} is running and this is its last action: answered calls would be silent");
    let mend = format!(
        "put another in its place: campanile actions set {campaign} 1 PLAY SOUND\nor first: campanile campaign pause {campaign}"
    );
    Failure::new(Exit::Failure, what, mend)
}

/// The index of a place counted from 1.
fn place(length: usize, place: usize) -> Result<usize> {
    if (1..=length).contains(&place) {
        return Ok(place - 1);
    }
    let what = if length == 0 {
        "the list is empty".to_owned()
    } else {
        format!("there is no place {place}; the list has 1 to {length}")
    };
    Err(Failure::new(Exit::DataErr, what, "`campanile actions list CAMPAIGN` shows the places"))
}

fn list(session: &mut Session, address: &Address) -> Outcome {
    let actor = &session.actor;
    let lists = session.ledger.try_read(|db| {
        let campaign = actor.campaign(db, &address.campaign)?;
        Ok::<_, Failure>(actions::get(db, campaign.actions)?)
    })?;
    match lists.list(address.list.as_ref()) {
        [] if address.list.is_some() => Err(address.no_list(&lists)),
        _ => show(session, address, &lists),
    }
}

/// Reads the lists, lets `change` change the one at `address`, writes them if it did, and shows them.
fn edit(session: &mut Session, address: &Address, change: impl FnOnce(&mut Vec<Action>) -> Result<()>) -> Outcome {
    let actor = &session.actor;
    let after = session.ledger.try_write(|db| {
        let campaign = actor.campaign(db, &address.campaign)?;
        let before = actions::get(db, campaign.actions)?;
        let mut list = before.list(address.list.as_ref()).to_vec();
        change(&mut list)?;
        let mut after = before.clone();
        after.replace(address.list.as_ref(), list);
        if after == before {
            return Ok::<_, Failure>(after);
        }
        after.check().map_err(|why| refused(Some(&campaign.name), why))?;
        if after.is_empty() && !before.is_empty() && campaign.state == CampaignState::Running {
            return Err(would_be_silent(&campaign.name));
        }
        actions::replace(db, campaign.id, &after)?;
        Ok(after)
    })?;
    // A list without actions is no more.
    let gone = address.list.is_some() && after.list(address.list.as_ref()).is_empty();
    let shown = if gone { &Address { list: None, ..address.clone() } } else { address };
    show(session, shown, &after)
}

fn show(session: &mut Session, address: &Address, lists: &Actions) -> Outcome {
    session.answer(&show::json(address, lists), |out| show::text(out, address, lists))?;
    Ok(Exit::Ok)
}
