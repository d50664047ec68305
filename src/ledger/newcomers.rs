//! Contacts with more than a number into a campaign: what an import with a mapping writes in one transaction.

use rusqlite::{Connection, OptionalExtension, params};

use super::details::Details;
use super::zones::Classes;
use super::{Result, contacts, details, importing, lines};
use crate::domain::contact::{CallingOrder, NumberKind, Priority};
use crate::domain::ids::{CampaignId, ContactId};
use crate::domain::instant::UtcMs;
use crate::domain::line::{Line, LineState};
use crate::domain::number::Number;

/// A contact that is to be added.
#[derive(Debug, Clone, PartialEq)]
pub struct NewContact {
    /// Its numbers in the order in which they are called, at least one, each with its kind.
    pub numbers: Vec<(Number, Option<NumberKind>)>,
    /// How early it is called.
    pub priority: Priority,
    /// No start at or after this instant.
    pub expires_at: Option<UtcMs>,
    /// What else is known of it.
    pub details: Details,
}

/// Who has a number already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// A contact that this run of the import has brought.
    InRun,
    /// One that the campaign had before.
    InCampaign,
}

/// What became of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    /// It is new, without those of its numbers that another contact has: their indexes, and whose they are.
    New {
        /// The numbers that it did not get.
        without: Vec<(usize, Holder)>,
    },
    /// Its first number is there: it is known, and nothing was changed.
    Known(Holder),
}

/// Adds contacts to a campaign, but for those that are there. What stands behind the contact `before` is of this run.
///
/// # Errors
/// [`LedgerError::Absent`](super::LedgerError::Absent) when somebody has deleted the campaign.
pub fn add_all(
    db: &Connection,
    campaign: CampaignId,
    newcomers: &[NewContact],
    before: ContactId,
) -> Result<Vec<Added>> {
    let mut desk = Desk::open(db, campaign, before)?;
    newcomers.iter().map(|newcomer| desk.add(newcomer)).collect()
}

/// Where contacts are added one by one, in one transaction.
pub struct Desk<'a> {
    db: &'a Connection,
    campaign: CampaignId,
    order: CallingOrder,
    classes: Classes<'a>,
    before: ContactId,
    next: ContactId,
}

impl<'a> Desk<'a> {
    /// For contacts of this campaign; as [`add_all`].
    pub fn open(db: &'a Connection, campaign: CampaignId, before: ContactId) -> Result<Self> {
        let order = importing::order_of(db, campaign)?;
        let next = ContactId(contacts::last_id(db)?.0 + 1);
        Ok(Self { db, campaign, order, classes: Classes::new(db), before, next })
    }

    /// Adds a contact, unless it is there.
    pub fn add(&mut self, newcomer: &NewContact) -> Result<Added> {
        let (mut without, mut kept) = (Vec::new(), Vec::new());
        for (i, (number, kind)) in newcomer.numbers.iter().enumerate() {
            match self.take(number)? {
                None => kept.push((number, kind)),
                Some(holder) if i == 0 => return Ok(Added::Known(holder)),
                Some(holder) => without.push((i, holder)),
            }
        }
        self.insert(newcomer, &kept)?;
        self.next = ContactId(self.next.0 + 1);
        Ok(Added::New { without })
    }

    /// Gives the number to the next contact, unless another has it.
    fn take(&self, number: &Number) -> Result<Option<Holder>> {
        let sql = "INSERT INTO contact_numbers (number, campaign, contact) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        let values = params![number.as_str(), self.campaign.0, self.next.0];
        if self.db.prepare_cached(sql)?.execute(values)? == 1 {
            return Ok(None);
        }
        let sql = "SELECT contact FROM contact_numbers WHERE number = ?1 AND campaign = ?2";
        let mut holder = self.db.prepare_cached(sql)?;
        let id: Option<i64> =
            holder.query_row(params![number.as_str(), self.campaign.0], |row| row.get(0)).optional()?;
        Ok(Some(if id > Some(self.before.0) { Holder::InRun } else { Holder::InCampaign }))
    }

    fn insert(&self, newcomer: &NewContact, kept: &[(&Number, &Option<NumberKind>)]) -> Result<()> {
        let Some((first, _)) = kept.first() else { return Ok(()) };
        let sql = "INSERT INTO contacts (id, campaign, number, state, priority, place, expires_at, zone_class)
            VALUES (?1, ?2, ?3, 'waiting', ?4, ?5, ?6, ?7)";
        self.db.prepare_cached(sql)?.execute(params![
            self.next.0,
            self.campaign.0,
            first.as_str(),
            newcomer.priority.get(),
            self.order.place(self.next),
            newcomer.expires_at.map(|at| at.0),
            self.classes.of(newcomer.details.zone.as_ref(), first.as_str())?.0,
        ])?;
        if kept.len() > 1 || kept.iter().any(|(_, kind)| kind.is_some()) {
            lines::add(self.db, self.next, &numbered(kept))?;
        }
        if !newcomer.details.is_empty() {
            details::add(self.db, self.next, &newcomer.details)?;
        }
        Ok(())
    }
}

fn numbered(kept: &[(&Number, &Option<NumberKind>)]) -> Vec<Line> {
    let line = |(place, (number, kind)): (u32, &(&Number, &Option<NumberKind>))| Line {
        place,
        number: (*number).clone(),
        kind: (*kind).clone(),
        state: LineState::Callable,
        strikes: 0,
    };
    (1..).zip(kept).map(line).collect()
}
