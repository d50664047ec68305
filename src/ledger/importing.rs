//! Many numbers into a campaign at once: what an import writes in one transaction.
//!
//! Numbers come in any order, and an index that is filled in that order has every row on another page.
//! So the rows of the index are inserted in the order of the numbers, those of the contacts in the order
//! of the file, which is the order of calling: each page is written about once, whatever the ledger holds.

use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use super::rows::{first, parsed};
use super::zones::Classes;
use super::{LedgerError, Result, contacts};
use crate::domain::contact::CallingOrder;
use crate::domain::ids::{CampaignId, ContactId};
use crate::domain::number::Packed;

/// Rows in one statement: what a statement costs before its first row does not count.
const ROWS: usize = 64;

/// What became of the numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Added {
    /// New contacts.
    pub new: u64,
    /// Those that this run of the import had brought already.
    pub in_run: u64,
    /// Those that the campaign had before.
    pub in_campaign: u64,
}

/// Adds `numbers` to a campaign, but for those that are there; new contacts follow each other as the numbers
/// do. What stands behind the contact `before` is of this run.
///
/// # Errors
/// [`LedgerError::Absent`] when somebody has deleted the campaign.
pub fn add_all(db: &Connection, campaign: CampaignId, numbers: &[Packed], before: ContactId) -> Result<Added> {
    let order = order_of(db, campaign)?;
    let first_id = contacts::last_id(db)?.0 + 1;
    let mut places: Vec<u32> = (0..).take(numbers.len()).collect();
    places.sort_unstable_by_key(|place| (number_at(numbers, *place), *place));
    let job = Job { db, campaign, numbers, first_id, order, classes: Classes::new(db) };
    let mut new = vec![true; numbers.len()];
    let mut added = Added::default();
    for block in places.chunks(ROWS) {
        if job.insert_numbers(block)? < block.len() {
            job.sort_out(block, before, &mut new, &mut added)?;
        }
    }
    places.clear();
    places.extend((0..).zip(&new).filter(|(_, new)| **new).map(|(place, _)| place));
    for block in places.chunks(ROWS) {
        job.insert_contacts(block)?;
    }
    added.new = places.len() as u64;
    Ok(added)
}

/// Whether a contact of the campaign has this number.
pub fn is_known(db: &Connection, campaign: CampaignId, number: Packed) -> Result<bool> {
    let mut text = String::new();
    number.write_to(&mut text);
    let sql = "SELECT EXISTS (SELECT 1 FROM contact_numbers WHERE number = ?1 AND campaign = ?2)";
    Ok(db.prepare_cached(sql)?.query_row(params![text, campaign.0], |row| row.get(0))?)
}

/// In which order the campaign calls its contacts, which decides their places.
pub(super) fn order_of(db: &Connection, campaign: CampaignId) -> Result<CallingOrder> {
    let mut statement = db.prepare_cached("SELECT calling_order FROM campaigns WHERE id = ?1")?;
    let found = first(statement.query([campaign.0])?, |row| parsed(row, "calling_order"))?;
    found.ok_or_else(|| LedgerError::absent("campaign", campaign.to_string()))
}

/// Whether a call is planned or on its way, so that a claim may come at any moment.
pub fn any_open_attempt(db: &Connection) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM attempts WHERE closed_at IS NULL)";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

fn number_at(numbers: &[Packed], place: u32) -> Packed {
    numbers[place as usize]
}

struct Job<'a> {
    db: &'a Connection,
    campaign: CampaignId,
    numbers: &'a [Packed],
    /// Of the number in the first place.
    first_id: i64,
    order: CallingOrder,
    classes: Classes<'a>,
}

/// What is inserted, a row for each number.
#[derive(Clone, Copy)]
enum Rows {
    Numbers,
    /// In the order of the file.
    Contacts,
    /// Each with a place of its own.
    Shuffled,
}

impl Rows {
    /// The table with its columns, a row, what happens to one that is there, and the values of a row.
    fn sql(self) -> (&'static str, &'static str, &'static str, usize) {
        match self {
            Self::Numbers => ("contact_numbers (campaign, number, contact)", "(?1, ?, ?)", "ON CONFLICT DO NOTHING", 2),
            Self::Contacts => ("contacts (campaign, number, id, state, zone_class)", "(?1, ?, ?, 'waiting', ?)", "", 3),
            Self::Shuffled => {
                ("contacts (campaign, number, id, state, zone_class, place)", "(?1, ?, ?, 'waiting', ?, ?)", "", 4)
            }
        }
    }
}

impl Job<'_> {
    fn insert_numbers(&self, block: &[u32]) -> Result<usize> {
        self.insert(block, Rows::Numbers)
    }

    fn insert_contacts(&self, block: &[u32]) -> Result<usize> {
        match self.order {
            CallingOrder::Sequential => self.insert(block, Rows::Contacts),
            CallingOrder::Random => self.insert(block, Rows::Shuffled),
        }
    }

    /// Inserts number and id of each place, all in one statement; the last block, row by row.
    fn insert(&self, block: &[u32], what: Rows) -> Result<usize> {
        let rows = if block.len() == ROWS { ROWS } else { 1 };
        let (table, row, conflict, _) = what.sql();
        let sql = format!("INSERT INTO {table} VALUES {} {conflict}", vec![row; rows].join(", "));
        let mut statement = self.db.prepare_cached(&sql)?;
        let mut text = String::new();
        let mut inserted = 0;
        for places in block.chunks(rows) {
            statement.raw_bind_parameter(1, self.campaign.0)?;
            self.bind(&mut statement, places, what, &mut text)?;
            inserted += statement.raw_execute()?;
        }
        Ok(inserted)
    }

    fn bind(&self, statement: &mut CachedStatement<'_>, places: &[u32], what: Rows, text: &mut String) -> Result<()> {
        let (.., values) = what.sql();
        for (row, place) in places.iter().enumerate() {
            let id = self.first_id + i64::from(*place);
            number_at(self.numbers, *place).write_to(text);
            statement.raw_bind_parameter(2 + values * row, text.as_str())?;
            statement.raw_bind_parameter(3 + values * row, id)?;
            if let Rows::Contacts | Rows::Shuffled = what {
                statement.raw_bind_parameter(4 + values * row, self.classes.of(None, text)?.0)?;
            }
            if let Rows::Shuffled = what {
                statement.raw_bind_parameter(5 + values * row, self.order.place(ContactId(id)))?;
            }
        }
        Ok(())
    }

    /// Not all of a block were new: finds out which were not, and whose they are.
    fn sort_out(&self, block: &[u32], before: ContactId, new: &mut [bool], added: &mut Added) -> Result<()> {
        let sql = "SELECT contact FROM contact_numbers WHERE number = ?1 AND campaign = ?2";
        let mut holder = self.db.prepare_cached(sql)?;
        let mut text = String::new();
        for place in block {
            number_at(self.numbers, *place).write_to(&mut text);
            let holder: Option<i64> = holder.query_row(params![text, self.campaign.0], |row| row.get(0)).optional()?;
            match holder {
                Some(id) if id == self.first_id + i64::from(*place) => continue,
                Some(id) if id > before.0 => added.in_run += 1,
                _ => added.in_campaign += 1,
            }
            new[*place as usize] = false;
        }
        Ok(())
    }
}
