//! Who acts, and what they may see.

use super::failure::{Failure, Result};
use crate::domain::campaign::Campaign;
use crate::domain::ids::UserId;
use crate::domain::instant::UtcMs;
use crate::domain::name::Name;
use crate::domain::user::{Role, User};
use crate::exit::Exit;
use crate::ledger::{Connection, Ledger, LedgerError, campaigns, users};

/// The admin that there always is: whoever can open the ledger's file is its authority.
pub const BUILT_IN_ADMIN: &str = "admin";

/// The user for whom a verb runs.
#[derive(Debug, Clone)]
pub struct Actor(User);

impl Actor {
    /// The user of this name; without one the built-in admin, who is created on first use.
    pub fn admit(ledger: &mut Ledger, name: Option<&Name>, now: UtcMs) -> Result<Self> {
        let wanted = name.map_or(BUILT_IN_ADMIN, Name::as_str);
        if let Some(user) = ledger.read(|db| users::find(db, wanted))? {
            return Ok(Self(user));
        }
        if wanted == BUILT_IN_ADMIN {
            return ledger.try_write(|db| built_in(db, now)).map(Self);
        }
        let mend = "`campanile user list` shows those that there are; leave --as out to act as the admin";
        Err(Failure::new(Exit::NoPerm, format!("there is no user `{wanted}`"), mend))
    }

    /// Its row.
    pub fn id(&self) -> UserId {
        self.0.id
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        &self.0.name
    }

    /// Whether it sees and does all.
    pub fn is_admin(&self) -> bool {
        self.0.role == Role::Admin
    }

    /// Refuses all but an admin.
    pub fn must_be_admin(&self, what: &str) -> Result<()> {
        if self.is_admin() { Ok(()) } else { Err(Failure::admin_only(what)) }
    }

    /// The campaign of this name, if it may see it.
    pub fn campaign(&self, db: &Connection, name: &Name) -> Result<Campaign> {
        let found = campaigns::find(db, name.as_str())?.filter(|campaign| self.sees(campaign));
        found.ok_or_else(|| Failure::no_campaign(name.as_str()))
    }

    /// All campaigns that it may see, by name.
    pub fn campaigns(&self, db: &Connection) -> Result<Vec<Campaign>> {
        let mut all = campaigns::all(db)?;
        all.retain(|campaign| self.sees(campaign));
        Ok(all)
    }

    /// Whether a campaign is theirs, or they are an admin.
    pub fn sees(&self, campaign: &Campaign) -> bool {
        self.is_admin() || campaign.owner == self.0.id
    }
}

/// Looks again inside the transaction: two first commands may run at once.
fn built_in(db: &Connection, now: UtcMs) -> Result<User> {
    if let Some(user) = users::find(db, BUILT_IN_ADMIN)? {
        return Ok(user);
    }
    let name: Name = BUILT_IN_ADMIN.parse().map_err(LedgerError::from)?;
    let id = users::add(db, &name, Role::Admin, now)?;
    Ok(users::get(db, id)?)
}
