//! `campanile dnc create`, `list` and `delete`.

use clap::Args;
use serde::Serialize;

use super::super::failure::{Failure, Outcome, Result};
use super::super::present::{or_dash, table};
use super::super::session::Session;
use super::super::user;
use super::{changeable, is_theirs};
use crate::domain::bar::{OPT_OUT_LIST, Scope};
use crate::domain::name::Name;
use crate::exit::Exit;
use crate::ledger::dnc::{self, DncList};
use crate::ledger::{Connection, LedgerError, campaigns, users};

#[derive(Debug, Args)]
#[command(after_help = "\
A list holds for all campaigns of the server (of an admin), for all of a user (of a user), or for one campaign. There always is the list opt-out of the server: callees who ask to be called no more come onto it.

Examples:
  campanile dnc create robinson
  campanile dnc create partners --campaign spring

JSON: {list, scope, of}.")]
pub struct Create {
    /// The list's name: A-Z a-z 0-9 _ -
    name: Name,
    /// It holds for this campaign only.
    #[arg(long, value_name = "CAMPAIGN", conflicts_with = "user")]
    campaign: Option<Name>,
    /// It holds for all campaigns of this user (admin).
    #[arg(long, value_name = "USER")]
    user: Option<Name>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
A user sees the lists of the server without what stands on them.

JSON: [{list, scope, of, numbers, prefixes}].")]
pub struct List {}

#[derive(Debug, Args)]
#[command(after_help = "\
Without --yes it only tells what would go. The list opt-out cannot be deleted.

JSON: {list, deleted, numbers, prefixes}.")]
pub struct Delete {
    /// The list.
    list: Name,
    /// Really delete it.
    #[arg(long)]
    yes: bool,
}

#[derive(Serialize)]
struct ListRow {
    list: String,
    scope: &'static str,
    of: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    numbers: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefixes: Option<u64>,
}

impl ListRow {
    fn new(db: &Connection, list: &DncList) -> Result<Self> {
        let (scope, of) = match list.scope {
            Scope::Server => ("server", None),
            Scope::User(user) => ("user", Some(users::get(db, user)?.name.to_string())),
            Scope::Campaign(id) => ("campaign", campaigns::get(db, id)?.map(|campaign| campaign.name.to_string())),
        };
        Ok(Self { list: list.name.to_string(), scope, of, numbers: None, prefixes: None })
    }

    fn counted(db: &Connection, list: &DncList) -> Result<Self> {
        let counts = dnc::counts(db, list.id)?;
        Ok(Self { numbers: Some(counts.numbers), prefixes: Some(counts.prefixes), ..Self::new(db, list)? })
    }
}

impl Create {
    pub fn run(self, session: &mut Session) -> Outcome {
        let now = session.now();
        let actor = &session.actor;
        let row = session.ledger.try_write(|db| {
            let scope = match (&self.campaign, &self.user) {
                (Some(name), _) => Scope::Campaign(actor.campaign(db, name)?.id),
                (None, Some(name)) if actor.is_admin() => Scope::User(user::named(db, name)?.id),
                (None, Some(_)) => return Err(Failure::admin_only("say whose a list is (--user)")),
                (None, None) if actor.is_admin() => Scope::Server,
                (None, None) => Scope::User(actor.id()),
            };
            let id = dnc::create(db, &self.name, scope, now)?;
            ListRow::new(db, &DncList { id, name: self.name.clone(), scope })
        })?;
        session.answer(&row, |out| {
            let of = row.of.as_ref().map_or_else(String::new, |of| format!(" {of}"));
            Ok(writeln!(out, "made the do-not-call list {}, which holds for the {}{of}", row.list, row.scope)?)
        })?;
        Ok(Exit::Ok)
    }
}

pub fn list(session: &mut Session) -> Outcome {
    let actor = &session.actor;
    let rows = session.ledger.try_read(|db| {
        let mut rows = Vec::new();
        for list in dnc::all(db)? {
            if is_theirs(db, actor, list.scope)? {
                rows.push(ListRow::counted(db, &list)?);
            } else if list.scope == Scope::Server {
                rows.push(ListRow::new(db, &list)?);
            }
        }
        Ok::<_, Failure>(rows)
    })?;
    session.answer(&rows, |out| {
        let cells = |row: &ListRow| {
            let of = or_dash(row.of.as_ref());
            vec![row.list.clone(), row.scope.to_owned(), of, or_dash(row.numbers), or_dash(row.prefixes)]
        };
        let heading = ["list", "holds for", "of", "numbers", "prefixes"];
        table::write(out, &heading, &rows.iter().map(cells).collect::<Vec<_>>())
    })?;
    Ok(Exit::Ok)
}

impl Delete {
    pub fn run(self, session: &mut Session) -> Outcome {
        let actor = &session.actor;
        let counts = session.ledger.try_write(|db| {
            let list = changeable(db, actor, &self.list)?;
            if list.name.as_str() == OPT_OUT_LIST {
                let by = "callees who opt out".to_owned();
                return Err(LedgerError::InUse { what: "do-not-call list", name: self.list.to_string(), by }.into());
            }
            let counts = dnc::counts(db, list.id)?;
            if self.yes {
                dnc::remove_list(db, list.id)?;
                return Ok(counts);
            }
            let goes = format!("{} numbers and {} prefixes would go", counts.numbers, counts.prefixes);
            let what = format!("the do-not-call list {} was not deleted: {goes}", self.list);
            Err(Failure::new(Exit::Failure, what, format!("campanile dnc delete {} --yes", self.list)))
        })?;
        let (name, numbers, prefixes) = (self.list.as_str(), counts.numbers, counts.prefixes);
        let answer = serde_json::json!({"list": name, "deleted": true, "numbers": numbers, "prefixes": prefixes});
        session.answer(&answer, |out| {
            Ok(writeln!(out, "deleted the do-not-call list {name} with {numbers} numbers and {prefixes} prefixes")?)
        })?;
        Ok(Exit::Ok)
    }
}
