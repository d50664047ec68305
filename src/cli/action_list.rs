//! `campanile actions`.

use clap::{Args, Subcommand};

use super::actor::Actor;
use super::failure::{Failure, Outcome, Result};
use super::session::Session;
use super::sounds;
use crate::domain::action::{Action, ActionRefusal, check_list};
use crate::domain::campaign::CampaignState;
use crate::domain::name::Name;
use crate::exit::Exit;
use crate::ledger::actions;
use crate::settings::Settings;

/// What happens when a call is answered: an ordered list of WAIT, PLAY and IVR.
#[derive(Debug, Subcommand)]
#[command(after_help = ACTIONS)]
pub enum ActionsVerb {
    /// List the actions.
    List(List),
    /// Add an action at the end, or at a place.
    Add(Add),
    /// Replace the action at a place.
    Set(Set),
    /// Move an action to another place.
    Move(Move),
    /// Remove an action.
    Remove(Remove),
}

const ACTIONS: &str = "\
Actions:
  WAIT SECONDS                      stay silent; keys pressed meanwhile are kept
  PLAY SOUND                        play a sound below the folders of the setting sounds_dirs, such as
                                    hello-world, or an absolute path; keys pressed meanwhile are kept
  IVR CONTEXT,EXTENSION,PRIORITY    hand the call to the dialplan; the last action; admin only

Calls that are planned already keep the list that they were planned with.

Examples:
  campanile actions add spring PLAY hello-world
  campanile actions add spring WAIT 2 --at 1
  campanile actions add spring IVR ivr-main,s,1
  campanile actions move spring 3 1

JSON: {campaign, actions: [{place, action, kind, …}]}, the list as it is then.";

#[derive(Debug, Args)]
#[command(after_help = "JSON: {campaign, actions: [{place, action, kind, …}]}.")]
pub struct List {
    /// The campaign.
    campaign: Name,
}

#[derive(Debug, Args)]
#[command(after_help = ACTIONS)]
pub struct Add {
    /// The campaign.
    campaign: Name,
    /// WAIT, PLAY or IVR.
    action: String,
    /// Seconds, a sound, or context,extension,priority.
    argument: String,
    /// The place, from 1 [default: at the end].
    #[arg(long, value_name = "N")]
    at: Option<usize>,
}

#[derive(Debug, Args)]
#[command(after_help = ACTIONS)]
pub struct Set {
    /// The campaign.
    campaign: Name,
    /// The place, from 1.
    place: usize,
    /// WAIT, PLAY or IVR.
    action: String,
    /// Seconds, a sound, or context,extension,priority.
    argument: String,
}

#[derive(Debug, Args)]
#[command(after_help = ACTIONS)]
pub struct Move {
    /// The campaign.
    campaign: Name,
    /// From this place, from 1.
    from: usize,
    /// To this place, from 1.
    to: usize,
}

#[derive(Debug, Args)]
#[command(after_help = ACTIONS)]
pub struct Remove {
    /// The campaign.
    campaign: Name,
    /// The place, from 1.
    place: usize,
}

impl ActionsVerb {
    pub fn run(self, session: &mut Session) -> Outcome {
        match self {
            Self::List(verb) => edit(session, &verb.campaign, |_| Ok(())),
            Self::Add(verb) => {
                let action = typed(&session.settings, &session.actor, &verb.action, &verb.argument)?;
                edit(session, &verb.campaign, |list| insert(list, verb.at.unwrap_or(list.len() + 1), action))
            }
            Self::Set(verb) => {
                let action = typed(&session.settings, &session.actor, &verb.action, &verb.argument)?;
                edit(session, &verb.campaign, |list| {
                    let i = place(list.len(), verb.place)?;
                    list[i] = action;
                    Ok(())
                })
            }
            Self::Move(verb) => edit(session, &verb.campaign, |list| {
                let (from, to) = (place(list.len(), verb.from)?, place(list.len(), verb.to)?);
                let action = list.remove(from);
                list.insert(to, action);
                Ok(())
            }),
            Self::Remove(verb) => edit(session, &verb.campaign, |list| {
                list.remove(place(list.len(), verb.place)?);
                Ok(())
            }),
        }
    }
}

/// An action as typed; a sound must be there, and only an admin may use IVR.
fn typed(settings: &Settings, actor: &Actor, verb: &str, argument: &str) -> Result<Action> {
    let action = Action::parse(verb, argument).map_err(refused)?;
    if action.needs_admin() {
        actor.must_be_admin("use IVR actions")?;
    }
    Ok(match action {
        Action::Play { sound } => Action::Play { sound: sounds::resolve(settings, &sound)?.sound },
        action => action,
    })
}

fn refused(why: ActionRefusal) -> Failure {
    Failure::new(Exit::DataErr, why.to_string(), "`campanile help actions add` has examples")
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

fn insert(list: &mut Vec<Action>, at: usize, action: Action) -> Result<()> {
    list.insert(place(list.len() + 1, at)?, action);
    Ok(())
}

/// Reads the list, lets `change` change it, writes it if it did, and shows it.
fn edit(session: &mut Session, campaign: &Name, change: impl FnOnce(&mut Vec<Action>) -> Result<()>) -> Outcome {
    let actor = &session.actor;
    let list = session.ledger.try_write(|db| {
        let campaign = actor.campaign(db, campaign)?;
        let before = actions::get(db, campaign.actions)?;
        let mut list = before.clone();
        change(&mut list)?;
        check_list(&list).map_err(refused)?;
        if list.is_empty() && !before.is_empty() && campaign.state == CampaignState::Running {
            return Err(would_be_silent(&campaign.name));
        }
        if list != before {
            actions::replace(db, campaign.id, &list)?;
        }
        Ok::<_, Failure>(list)
    })?;
    show(session, campaign, &list)
}

fn show(session: &mut Session, campaign: &Name, list: &[Action]) -> Outcome {
    let rows: Vec<_> = list.iter().enumerate().map(|(i, action)| row(i + 1, action)).collect();
    let answer = serde_json::json!({"campaign": campaign.as_str(), "actions": rows});
    session.answer(&answer, |out| {
        if list.is_empty() {
            writeln!(
                out,
                "campaign {campaign} has no actions; to add one: campanile actions add {campaign} PLAY SOUND"
            )?;
        }
        list.iter().enumerate().try_for_each(|(i, action)| Ok(writeln!(out, "{:>3}. {action}", i + 1)?))
    })?;
    Ok(Exit::Ok)
}

/// An action with its parts, its place and its text.
fn row(place: usize, action: &Action) -> serde_json::Value {
    let mut row = serde_json::json!({"place": place, "action": action.to_string()});
    if let (Some(row), Ok(serde_json::Value::Object(parts))) = (row.as_object_mut(), serde_json::to_value(action)) {
        row.extend(parts);
    }
    row
}
