//! `campanile user`.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::actor::BUILT_IN_ADMIN;
use super::failure::{Failure, Outcome, Result};
use super::present::table;
use super::session::Session;
use crate::domain::name::Name;
use crate::domain::user::{Role, User};
use crate::exit::Exit;
use crate::ledger::{Connection, LedgerError, campaigns, users};

/// Users: an admin sees and does all, a user only their own campaigns.
#[derive(Debug, Subcommand)]
pub enum UserVerb {
    /// Add a user.
    Add(Add),
    /// List all users with how many campaigns each has.
    List(List),
    /// Remove a user who owns no campaign.
    Remove(Remove),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  campanile user add alice
  campanile user add bob --admin
  campanile --as alice campaign list

JSON: {user, role}.")]
pub struct Add {
    /// The user's name: A-Z a-z 0-9 _ -
    name: Name,
    /// Make the user an admin.
    #[arg(long)]
    admin: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "JSON: [{user, role, campaigns}].")]
pub struct List {}

#[derive(Debug, Args)]
#[command(after_help = "JSON: {user, removed}.")]
pub struct Remove {
    /// The user's name.
    name: Name,
}

#[derive(Serialize)]
struct UserRow {
    user: String,
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    campaigns: Option<usize>,
}

impl UserVerb {
    pub fn run(self, session: &mut Session) -> Outcome {
        session.actor.must_be_admin("administer users")?;
        match self {
            Self::Add(verb) => verb.run(session),
            Self::List(_) => list(session),
            Self::Remove(verb) => verb.run(session),
        }
    }
}

impl Add {
    fn run(self, session: &mut Session) -> Outcome {
        let role = if self.admin || self.name.as_str() == BUILT_IN_ADMIN { Role::Admin } else { Role::User };
        let now = session.now();
        session.ledger.write(|db| users::add(db, &self.name, role, now))?;
        let row = UserRow { user: self.name.to_string(), role, campaigns: None };
        session.answer(&row, |out| Ok(writeln!(out, "added user {} ({role})", self.name)?))?;
        Ok(Exit::Ok)
    }
}

fn list(session: &mut Session) -> Outcome {
    let rows = session.ledger.try_read(|db| rows(db))?;
    session.answer(&rows, |out| {
        let cells =
            |row: &UserRow| vec![row.user.clone(), row.role.to_string(), super::present::or_dash(row.campaigns)];
        table::write(out, &["user", "role", "campaigns"], &rows.iter().map(cells).collect::<Vec<_>>())
    })?;
    Ok(Exit::Ok)
}

fn rows(db: &Connection) -> Result<Vec<UserRow>> {
    let all = campaigns::all(db)?;
    let row = |user: User| UserRow {
        campaigns: Some(all.iter().filter(|campaign| campaign.owner == user.id).count()),
        user: user.name.to_string(),
        role: user.role,
    };
    Ok(users::all(db)?.into_iter().map(row).collect())
}

impl Remove {
    fn run(self, session: &mut Session) -> Outcome {
        if self.name.as_str() == BUILT_IN_ADMIN {
            let mend = "it acts whenever --as is left out";
            return Err(Failure::new(Exit::Failure, "the built-in admin cannot be removed", mend));
        }
        session.ledger.try_write(|db| users::remove(db, &named(db, &self.name)?).map_err(Failure::from))?;
        let answer = serde_json::json!({"user": self.name.as_str(), "removed": true});
        session.answer(&answer, |out| Ok(writeln!(out, "removed user {}", self.name)?))?;
        Ok(Exit::Ok)
    }
}

/// The user of this name.
pub fn named(db: &Connection, name: &Name) -> Result<User> {
    let found = users::find(db, name.as_str())?;
    Ok(found.ok_or_else(|| LedgerError::Absent { what: "user", name: name.to_string() })?)
}
