//! `campanile algorithm`.

mod change;
mod show;

use clap::{Args, Subcommand};

use super::actor::Actor;
use super::failure::{Failure, Outcome, Result};
use super::session::Session;
use crate::domain::action::Action;
use crate::domain::algorithm::{Algorithm, BuiltIn, Connect};
use crate::domain::name::{Name, SoundName, TextRefusal};
use crate::domain::user::Role;
use crate::exit::Exit;
use crate::ledger::algorithms::{self, NamedAlgorithm};
use crate::ledger::{Connection, users};

/// Call generation algorithms: action lists with retry, causes, pace and rounds, from which campaigns are made.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
There always are telemarketing (a message that says who calls, with a key to be called no more, and one to be connected \
where `campaign add` has --connect) and provider-checking (short calls that measure a line: see `campanile line-check`). \
Others are made from a campaign or from another algorithm, and belong to who made them; everybody may use those of admins.

Example:
  campanile campaign add offer --algorithm telemarketing --sound offer --connect default,200 --trunk gw1")]
pub enum AlgorithmVerb {
    /// List all algorithms that you may use: those that there always are, those of admins, and your own.
    List(show::List),
    /// Show an algorithm.
    Show(show::Show),
    /// Make an algorithm from a campaign, or from another algorithm.
    Add(change::Add),
    /// Change an algorithm; campaigns that were made from it stay as they are.
    Set(change::Set),
    /// Remove an algorithm; campaigns that were made from it stay.
    Remove(change::Remove),
}

impl AlgorithmVerb {
    pub fn run(self, session: &mut Session) -> Outcome {
        match self {
            Self::List(verb) => verb.run(session),
            Self::Show(verb) => verb.run(session),
            Self::Add(verb) => verb.run(session),
            Self::Set(verb) => verb.run(session),
            Self::Remove(verb) => verb.run(session),
        }
    }
}

/// From which algorithm a new campaign is made.
#[derive(Debug, Args)]
pub struct AlgorithmOptions {
    /// Make it from an algorithm, such as telemarketing; other options change what it says.
    #[arg(long, value_name = "ALGORITHM")]
    algorithm: Option<Name>,
    /// The sound in place of the algorithm's own, such as offer for message; message-menu becomes offer-menu.
    #[arg(long, value_name = "SOUND", requires = "algorithm")]
    sound: Option<SoundName>,
    /// Whom telemarketing connects with who presses 1: CONTEXT,EXTENSION of the dialplan, as of DIAL (admin).
    #[arg(long, value_name = "CONTEXT,EXTENSION", requires = "algorithm")]
    connect: Option<String>,
}

impl AlgorithmOptions {
    /// The algorithm, if one is named.
    pub fn read(&self, db: &Connection, actor: &Actor) -> Result<Option<Algorithm>> {
        let Some(name) = &self.algorithm else { return Ok(None) };
        let mut rules = match &self.connect {
            None => usable(db, actor, name)?.rules,
            Some(typed) => connecting(actor, name, typed)?,
        };
        if let Some(sound) = &self.sound {
            rules = rules.with_sound(sound).map_err(|why| refused(&why))?;
        }
        Ok(Some(rules))
    }
}

fn refused(why: &TextRefusal) -> Failure {
    Failure::new(Exit::DataErr, why.to_string(), "choose a shorter name")
}

fn connecting(actor: &Actor, name: &Name, typed: &str) -> Result<Algorithm> {
    let Ok(built_in @ BuiltIn::Telemarketing) = name.as_str().parse() else {
        let mend = format!("leave --connect out, and add the action: campanile actions add CAMPAIGN DIAL {typed}");
        return Err(Failure::new(Exit::Usage, format!("only telemarketing takes --connect, not {name}"), mend));
    };
    actor.must_be_admin("have callees connected (--connect)")?;
    match Action::parse("DIAL", typed) {
        Ok(Action::Dial { context, extension, .. }) => {
            built_in.algorithm(Some(Connect { context, extension })).map_err(|why| refused(&why))
        }
        Ok(_) => Err(Failure::new(Exit::Software, "DIAL was read as another action", "please report this")),
        Err(why) => Err(Failure::new(Exit::DataErr, format!("--connect: {why}"), "such as --connect default,200")),
    }
}

/// An algorithm that may be used.
pub struct Usable {
    pub name: Name,
    /// `None` for one that there always is.
    pub kept: Option<NamedAlgorithm>,
    pub rules: Algorithm,
}

/// One that there always is.
pub fn built_in(built_in: BuiltIn) -> Result<Algorithm> {
    built_in.algorithm(None).map_err(|why| refused(&why))
}

impl Usable {
    fn built_in(built_in: BuiltIn) -> Result<Self> {
        let name = built_in.as_str().parse().map_err(|why| refused(&why))?;
        Ok(Self { name, kept: None, rules: self::built_in(built_in)? })
    }

    fn kept(kept: NamedAlgorithm) -> Self {
        Self { name: kept.name.clone(), rules: kept.rules.clone(), kept: Some(kept) }
    }
}

/// The algorithm of this name, if the actor may use it.
pub fn usable(db: &Connection, actor: &Actor, name: &Name) -> Result<Usable> {
    if let Ok(built_in) = name.as_str().parse() {
        return Usable::built_in(built_in);
    }
    match algorithms::find(db, name)? {
        Some(kept) if sees(db, actor, &kept)? => Ok(Usable::kept(kept)),
        _ => {
            let what = format!("there is no algorithm `{name}`");
            Err(Failure::new(Exit::NoInput, what, "`campanile algorithm list` shows those that you may use"))
        }
    }
}

/// All that the actor may use, those that there always are first.
fn all_usable(db: &Connection, actor: &Actor) -> Result<Vec<Usable>> {
    let mut all = BuiltIn::ALL.iter().map(|built_in| Usable::built_in(*built_in)).collect::<Result<Vec<_>>>()?;
    for kept in algorithms::all(db)? {
        if sees(db, actor, &kept)? {
            all.push(Usable::kept(kept));
        }
    }
    Ok(all)
}

fn sees(db: &Connection, actor: &Actor, kept: &NamedAlgorithm) -> Result<bool> {
    Ok(may_change(actor, kept) || users::get(db, kept.owner)?.role == Role::Admin)
}

fn may_change(actor: &Actor, kept: &NamedAlgorithm) -> bool {
    actor.is_admin() || kept.owner == actor.id()
}

/// The algorithm of this name, if the actor may change it.
fn own(db: &Connection, actor: &Actor, name: &Name) -> Result<NamedAlgorithm> {
    let mend = format!("copy it: campanile algorithm add NAME --from {name}");
    match usable(db, actor, name)?.kept {
        None => {
            Err(Failure::new(Exit::NoPerm, format!("algorithm {name} comes with Campanile and stays as it is"), mend))
        }
        Some(kept) if may_change(actor, &kept) => Ok(kept),
        Some(_) => Err(Failure::new(Exit::NoPerm, format!("algorithm {name} is an admin's"), mend)),
    }
}
