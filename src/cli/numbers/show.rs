//! `campanile numbers show`.

use std::io::Write;

use clap::Args;
use serde::Serialize;

use super::super::failure::{Failure, Outcome, Result};
use super::super::present::{Moment, moment, or_dash};
use super::super::session::Session;
use super::person::Person;
use crate::domain::calendar::Zone;
use crate::domain::campaign::Campaign;
use crate::domain::disposition::Disposition;
use crate::domain::name::Name;
use crate::domain::traffic::time_in_words;
use crate::domain::trunk::ShortNumbers;
use crate::domain::zoning::{LegalRules, ZoneSource};
use crate::exit::Exit;
use crate::ledger::contacts::Contact;
use crate::ledger::views::{self, AttemptRow};
use crate::ledger::{Connection, contacts, details, lines, zones};

/// The most calls that are shown.
const CALLS_MAX: u32 = 20;

#[derive(Debug, Args)]
#[command(after_help = "\
The contact that has this number, with all of its numbers, in the order in which they are called, and its last 20 calls.

Example:
  campanile numbers show spring +49301234567

JSON: as `numbers list`, with zones, zone_source (column, number or campaign), legal_hours, and calls: [{number, planned_at, disposition, detail}].")]
pub struct Show {
    /// The campaign.
    campaign: Name,
    /// One of the contact's numbers, as people write it.
    #[arg(allow_hyphen_values = true)]
    number: String,
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    person: Person,
    #[serde(flatten)]
    place: Place,
    calls: Vec<Call>,
}

/// Where the contact is while it is called by the number that is next, and when it may be called there.
#[derive(Serialize)]
struct Place {
    zones: Vec<String>,
    zone_source: ZoneSource,
    legal_hours: Option<String>,
    #[serde(skip)]
    zone: String,
}

impl Place {
    fn of(db: &Connection, campaign: &Campaign, contact: &Contact, rules: &LegalRules) -> Result<Self> {
        let whereabouts = zones::whereabouts(db, &campaign.calendar.zone, contact.id, &contact.number)?;
        let legal = rules.hours(&campaign.legal_hours, &whereabouts.zones);
        Ok(Self {
            zones: whereabouts.zones.all().iter().map(|zone| zone.name().to_owned()).collect(),
            zone_source: whereabouts.source,
            legal_hours: legal.map(|legal| legal.to_string()),
            zone: whereabouts.to_string(),
        })
    }
}

#[derive(Serialize)]
struct Call {
    number: String,
    planned_at: Moment,
    disposition: Option<Disposition>,
    detail: Option<String>,
}

impl From<AttemptRow> for Call {
    fn from(row: AttemptRow) -> Self {
        let (number, planned_at) = (row.number.to_string(), Moment(row.planned_at));
        Self { number, planned_at, disposition: row.disposition, detail: row.detail }
    }
}

impl Show {
    pub fn run(self, session: &mut Session) -> Outcome {
        // A short code is a number for some trunk, and here it can do no harm.
        let number = super::canonical(&self.number, ShortNumbers::Allowed, &session.settings)?;
        let (actor, rules) = (&session.actor, &session.settings.legal_hours);
        let (zone, shown) = session.ledger.try_read(|db| {
            let campaign = actor.campaign(db, &self.campaign)?;
            let contact =
                contacts::find(db, campaign.id, &number)?.ok_or_else(|| super::no_number(&campaign.name, &number))?;
            let (details, lines) = (details::of(db, contact.id)?, lines::of(db, contact.id)?);
            let calls = views::attempts_of(db, &contact, CALLS_MAX)?.into_iter().map(Call::from).collect();
            let person = Person::of(&contact, Some(&details), &lines.iter().collect::<Vec<_>>());
            let place = Place::of(db, &campaign, &contact, rules)?;
            Ok::<_, Failure>((campaign.calendar.zone, Shown { person, place, calls }))
        })?;
        session.answer(&shown, |out| tell(out, &shown, &zone))?;
        Ok(Exit::Ok)
    }
}

fn tell(out: &mut dyn Write, Shown { person, place, calls }: &Shown, zone: &Zone) -> Result<()> {
    let local = |at: Option<Moment>| or_dash(at.map(|at| format!("{} {}", zone.local(at.0), zone.name())));
    writeln!(out, "name        {}", or_dash(person.name.as_ref()))?;
    let why = person.excluded.map(|why| why.to_string()).or(person.failed.map(|why| why.to_string()));
    writeln!(out, "state       {}{}", person.state, why.map_or(String::new(), |why| format!(" ({why})")))?;
    for (i, number) in person.numbers.iter().enumerate() {
        let kind = number.kind.as_ref().map(|kind| format!(" ({kind})")).unwrap_or_default();
        let next = if number.next && person.numbers.len() > 1 { ", called next" } else { "" };
        writeln!(out, "number {:<4} {}{kind}, {}{next}", i + 1, number.number, number.state)?;
    }
    writeln!(out, "priority    {}", person.priority)?;
    writeln!(out, "due         {}", local(moment(person.due_at.map(|at| at.0))))?;
    writeln!(out, "expires     {}", local(person.expires_at))?;
    writeln!(out, "zone        {}", place.zone)?;
    writeln!(out, "legal hours {}", place.legal_hours.as_deref().unwrap_or("none: at any time"))?;
    writeln!(out, "caller id   {}", or_dash(person.caller_id.as_ref()))?;
    if let Some(ms) = person.duration_ms {
        writeln!(out, "duration    {}", time_in_words(ms))?;
    }
    writeln!(out, "dials       {}", person.dials)?;
    for (name, value) in &person.variables {
        writeln!(out, "variable    {name} = {value}")?;
    }
    for call in calls {
        let ended = call.disposition.map_or_else(|| "open".to_owned(), |ended| ended.to_string());
        writeln!(out, "call        {} {} {ended}", zone.local(call.planned_at.0), call.number)?;
    }
    Ok(())
}
