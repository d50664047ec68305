//! `campanile dnc`: do-not-call lists.

mod entries;
mod expiry;
mod import;
mod lists;

use clap::Subcommand;

use super::actor::Actor;
use super::campaign::{no_start_after, wait_until};
use super::failure::{Failure, Outcome, Result};
use super::session::Session;
use crate::domain::action::Action;
use crate::domain::bar::{Pattern, SOURCE_MAX, Scope};
use crate::domain::name::Name;
use crate::domain::number::Number;
use crate::exit::Exit;
use crate::ledger::dnc::{self, DncList};
use crate::ledger::{Connection, LedgerError, attempts, campaigns};

/// Do-not-call lists: of the server, of a user, of a campaign.
#[derive(Debug, Subcommand)]
pub enum DncVerb {
    /// Make a list.
    Create(lists::Create),
    /// List all lists with how much stands on each.
    List(lists::List),
    /// Show what stands on a list.
    Show(entries::Show),
    /// Put numbers or prefixes on a list.
    Add(entries::Add),
    /// Put the numbers of a text or CSV file on a list.
    Import(import::Import),
    /// Take numbers or prefixes off a list.
    Remove(entries::Remove),
    /// On which lists is this number?
    Check(entries::Check),
    /// Delete a list with all that stands on it.
    Delete(lists::Delete),
}

impl DncVerb {
    pub fn run(self, session: &mut Session) -> Outcome {
        match self {
            Self::Create(verb) => verb.run(session),
            Self::List(_) => lists::list(session),
            Self::Show(verb) => verb.run(session),
            Self::Add(verb) => verb.run(session),
            Self::Import(verb) => verb.run(session),
            Self::Remove(verb) => verb.run(session),
            Self::Check(verb) => verb.run(session),
            Self::Delete(verb) => verb.run(session),
        }
    }
}

/// The list of this name, if who acts may change it: an admin all, a user their own and those of their campaigns.
fn changeable(db: &Connection, actor: &Actor, name: &Name) -> Result<DncList> {
    let absent = || LedgerError::Absent { what: "do-not-call list", name: name.to_string() };
    let list = dnc::find(db, name)?.ok_or_else(absent)?;
    match list.scope {
        _ if is_theirs(db, actor, list.scope)? => Ok(list),
        Scope::Server => Err(Failure::admin_only("see and change a do-not-call list of the server")),
        Scope::User(_) | Scope::Campaign(_) => Err(absent().into()),
    }
}

fn is_theirs(db: &Connection, actor: &Actor, scope: Scope) -> Result<bool> {
    Ok(match scope {
        _ if actor.is_admin() => true,
        Scope::Server => false,
        Scope::User(user) => user == actor.id(),
        Scope::Campaign(id) => campaigns::get(db, id)?.is_some_and(|campaign| actor.sees(&campaign)),
    })
}

/// The list of an OPT-OUT that is not there: who asks for no further call comes onto the server's own instead.
pub fn absent_list<'a>(db: &Connection, action: &'a Action) -> Result<Option<&'a Name>> {
    let Action::OptOut { list: Some(list) } = action else { return Ok(None) };
    Ok(if dnc::find(db, list)?.is_some() { None } else { Some(list) })
}

/// Where an entry is from, as somebody types it.
fn source(text: &str) -> std::result::Result<String, String> {
    let text = text.trim();
    if text.chars().count() > SOURCE_MAX || text.chars().any(char::is_control) {
        return Err(format!("a source is one line of at most {SOURCE_MAX} characters"));
    }
    Ok(text.to_owned())
}

/// The entries are durable; the answer is given when it is true that nobody on them is dialled any more (I4): the
/// gate may have admitted a call to one of them just before.
fn wait_for_the_gate(session: &mut Session, holds: impl Fn(&Number) -> bool) -> Result<()> {
    session.wake_daemon();
    let starts = session.ledger.read(|db| attempts::claimed_starts(db))?;
    let last = starts.iter().filter(|(number, _)| holds(number)).map(|(_, start_at)| *start_at).max();
    let now = session.now();
    wait_until(no_start_after(last, now), now, &session.settings.time_zone);
    Ok(())
}

fn holds(pattern: &Pattern, number: &Number) -> bool {
    match pattern {
        Pattern::Number(listed) => listed == number,
        Pattern::Prefix(prefix) => number.as_str().starts_with(prefix.as_str()),
    }
}

fn not_on(list: &Name, pattern: &Pattern) -> Failure {
    let mend = format!("campanile dnc show {list}; nothing was changed");
    Failure::new(Exit::NoInput, format!("{pattern} is not on the do-not-call list {list}"), mend)
}
