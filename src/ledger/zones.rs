//! The zones that contacts may be in, and the hours in which they may be called there.
//!
//! Contacts of the same zones are of one class. A contact gets its class when it is imported, and anew when it is called
//! by another number; one of a ledger from before that gets it when its campaign has legal hours.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::rows::{collect, first, number, parsed_or_null};
use super::{LedgerError, Result};
use crate::domain::calendar::{Calendar, LegalHours, Zone};
use crate::domain::campaign::Campaign;
use crate::domain::ids::{CampaignId, ContactId, ZoneClassId};
use crate::domain::instant::UtcMs;
use crate::domain::number::Number;
use crate::domain::zoning::{LegalRules, LegalSwitch, Region, Whereabouts, Zones};

/// Contacts of which nobody knows yet in which zones they may be.
pub(super) const UNKNOWN: ZoneClassId = ZoneClassId(0);
/// Contacts that are taken to be where their campaign is.
const CAMPAIGN: ZoneClassId = ZoneClassId(1);

/// The classes of contacts, for many look-ups in one transaction.
pub(super) struct Classes<'a> {
    db: &'a Connection,
    of_regions: RefCell<HashMap<Region, ZoneClassId>>,
}

impl<'a> Classes<'a> {
    pub fn new(db: &'a Connection) -> Self {
        Self { db, of_regions: RefCell::default() }
    }

    /// The class of a contact with this zone in its list, if it had one there, while it is called by this number.
    pub fn of(&self, column: Option<&Zone>, number: &str) -> Result<ZoneClassId> {
        match (column, Region::of(number)) {
            (Some(zone), _) => self.named(zone.name()),
            (None, Some(region)) => self.of_region(region),
            (None, None) => Ok(CAMPAIGN),
        }
    }

    fn note(&self, contact: ContactId, number: &Number) -> Result<()> {
        let class = self.of(column(self.db, contact)?.as_ref(), number.as_str())?;
        let mut set = self.db.prepare_cached("UPDATE contacts SET zone_class = ?2 WHERE id = ?1")?;
        set.execute([contact.0, class.0])?;
        Ok(())
    }

    fn of_region(&self, region: Region) -> Result<ZoneClassId> {
        if let Some(class) = self.of_regions.borrow().get(&region) {
            return Ok(*class);
        }
        let class = self.named(region.zones())?;
        self.of_regions.borrow_mut().insert(region, class);
        Ok(class)
    }

    fn named(&self, zones: &str) -> Result<ZoneClassId> {
        let mut known = self.db.prepare_cached("SELECT id FROM zone_classes WHERE zones = ?1")?;
        if let Some(id) = known.query_row([zones], |row| row.get(0)).optional()? {
            return Ok(ZoneClassId(id));
        }
        let mut add = self.db.prepare_cached("INSERT INTO zone_classes (zones) VALUES (?1) RETURNING id")?;
        Ok(ZoneClassId(add.query_row([zones], |row| row.get(0))?))
    }
}

/// The classes of the contacts of a campaign that wait: of those that were never called, and of the others. A step in
/// the index for each.
pub(super) struct Present {
    pub fresh: BTreeSet<ZoneClassId>,
    pub due: BTreeSet<ZoneClassId>,
}

impl Present {
    pub fn read(db: &Connection, campaign: CampaignId) -> Result<Self> {
        Ok(Self { fresh: classes(db, campaign, "due_at IS NULL")?, due: classes(db, campaign, "due_at IS NOT NULL")? })
    }

    pub fn all(&self) -> BTreeSet<ZoneClassId> {
        self.fresh.union(&self.due).copied().collect()
    }
}

fn classes(db: &Connection, campaign: CampaignId, list: &'static str) -> Result<BTreeSet<ZoneClassId>> {
    let sql = format!(
        "SELECT zone_class FROM contacts WHERE campaign = ?1 AND state = 'waiting' AND {list} AND zone_class > ?2
         ORDER BY zone_class LIMIT 1"
    );
    let mut next = db.prepare_cached(&sql)?;
    let mut found = BTreeSet::new();
    let mut above = -1;
    while let Some(class) = next.query_row([campaign.0, above], |row| row.get(0)).optional()? {
        found.insert(ZoneClassId(class));
        above = class;
    }
    Ok(found)
}

/// When contacts of a class may be called; `None` where only the campaign's calendar counts, and where nobody knows yet.
pub(super) fn hours_of(
    db: &Connection,
    campaign: &Campaign,
    class: ZoneClassId,
    rules: &LegalRules,
) -> Result<Option<Calendar>> {
    if class == UNKNOWN || !rules.bind(&campaign.legal_hours) {
        return Ok(None);
    }
    let mut statement = db.prepare_cached("SELECT zones FROM zone_classes WHERE id = ?1")?;
    let names: String = statement.query_row([class.0], |row| row.get(0))?;
    let zones: Zones = match names.as_str() {
        "" => campaign.calendar.zone.clone().into(),
        names => names.parse().map_err(|problem| LedgerError::corrupt("zones", problem))?,
    };
    let legal = rules.hours(&campaign.legal_hours, &zones);
    Ok(legal.map(|legal| campaign.calendar.within(Some(&legal))))
}

/// Where a contact is while it is called by this number.
pub fn whereabouts(db: &Connection, campaign: &Zone, contact: ContactId, number: &Number) -> Result<Whereabouts> {
    Ok(Whereabouts::of(column(db, contact)?.as_ref(), number, campaign))
}

fn column(db: &Connection, contact: ContactId) -> Result<Option<Zone>> {
    let mut statement = db.prepare_cached("SELECT time_zone FROM contact_details WHERE contact = ?1")?;
    Ok(first(statement.query([contact.0])?, |row| parsed_or_null(row, "time_zone"))?.flatten())
}

/// The hours in which a contact may be called by this number; `None` for at any time. Nothing is read where a campaign
/// has none.
pub fn legal_hours(
    db: &Connection,
    (switch, zone): (&LegalSwitch, &Zone),
    (contact, number): (ContactId, &Number),
    rules: &LegalRules,
) -> Result<Option<Arc<LegalHours>>> {
    if !rules.bind(switch) {
        return Ok(None);
    }
    let whereabouts = whereabouts(db, zone, contact, number)?;
    Ok(rules.hours(switch, &whereabouts.zones))
}

/// Gives contacts their class that wait in these campaigns, have legal hours and no class yet, at most `limit`, in the
/// order of calling. Says how many.
pub fn find_out(db: &Connection, running: &[Campaign], rules: &LegalRules, limit: u32) -> Result<u32> {
    let classes = Classes::new(db);
    let mut left = limit;
    for campaign in running.iter().filter(|campaign| rules.bind(&campaign.legal_hours)) {
        for (list, order) in [("due_at IS NOT NULL", "due_at"), ("due_at IS NULL", "place")] {
            while left > 0
                && let found = find_out_some(&classes, campaign.id, (list, order), left)?
                && found > 0
            {
                left -= found;
            }
        }
    }
    Ok(limit - left)
}

/// Those of the highest priority.
fn find_out_some(
    classes: &Classes<'_>,
    campaign: CampaignId,
    (list, order): (&'static str, &'static str),
    limit: u32,
) -> Result<u32> {
    let waiting = format!("FROM contacts WHERE campaign = ?1 AND zone_class = ?2 AND state = 'waiting' AND {list}");
    let sql = format!("SELECT priority {waiting} ORDER BY priority DESC LIMIT 1");
    let mut highest = classes.db.prepare_cached(&sql)?;
    let highest: Option<i64> = highest.query_row([campaign.0, UNKNOWN.0], |row| row.get(0)).optional()?;
    let Some(priority) = highest else { return Ok(0) };
    let sql = format!("SELECT id, number {waiting} AND priority = ?3 ORDER BY {order}, id LIMIT ?4");
    let mut statement = classes.db.prepare_cached(&sql)?;
    let unknown = statement.query(params![campaign.0, UNKNOWN.0, priority, limit])?;
    let unknown = collect(unknown, |row| Ok((ContactId(row.get("id")?), number(row, "number")?)))?;
    unknown.iter().try_for_each(|(contact, number)| classes.note(*contact, number))?;
    Ok(u32::try_from(unknown.len()).unwrap_or(limit))
}

/// Notes where a contact is that is called by this number from now on.
pub(super) fn note(db: &Connection, contact: ContactId, number: &Number) -> Result<()> {
    Classes::new(db).note(contact, number)
}

/// Which of the waiting contacts of a campaign may be called at the same instant as one that is called at `at`, as far as
/// their legal hours go.
pub(super) fn open_at(db: &Connection, campaign: &Campaign, rules: &LegalRules, at: UtcMs) -> Result<Vec<ZoneClassId>> {
    let mut open = Vec::new();
    for class in Present::read(db, campaign.id)?.all() {
        if hours_of(db, campaign, class, rules)?.is_none_or(|hours| hours.contains(at)) {
            open.push(class);
        }
    }
    Ok(open)
}

/// The first instant from `now` on at which a waiting contact of a campaign may be called: by the campaign's calendar and
/// where the contact is. `None` when that is not so for about a year.
pub fn next_opening(db: &Connection, campaign: &Campaign, rules: &LegalRules, now: UtcMs) -> Result<Option<UtcMs>> {
    let classes = Present::read(db, campaign.id)?.all();
    if classes.is_empty() {
        return Ok(campaign.calendar.next_opening(now));
    }
    let opens = |class| {
        let hours = hours_of(db, campaign, class, rules)?;
        Ok(hours.as_ref().unwrap_or(&campaign.calendar).next_opening(now))
    };
    let each = classes.into_iter().map(opens).collect::<Result<Vec<_>>>()?;
    Ok(each.into_iter().flatten().min())
}
