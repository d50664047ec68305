//! `campanile numbers list`.

use std::collections::BTreeMap;
use std::io::Write;

use clap::Args;

use super::super::failure::{Outcome, Result};
use super::super::present::{JsonArray, or_dash};
use super::super::session::{Form, Session};
use super::person::Person;
use crate::domain::campaign::ContactState;
use crate::domain::ids::{CampaignId, ContactId};
use crate::domain::line::Line;
use crate::domain::name::Name;
use crate::exit::Exit;
use crate::ledger::contacts::{self, Contact};
use crate::ledger::{self, Connection, details, lines};

/// Rows that are read at once.
const PAGE: u32 = 1_000;

#[derive(Debug, Args)]
#[command(after_help = "\
States: waiting, in_progress, reached, failed, excluded. NUMBER is the one that is called next; of a contact with several \
`campanile numbers show` tells all.

Examples:
  campanile numbers list spring
  campanile numbers list spring --state failed --limit 50

JSON: [{number, state, due_at, dials, charged, disposition, result_until, comment, priority, expires_at, excluded, failed, name, time_zone, caller_id, duration_ms, \
variables: {name: text}, numbers: [{number, kind, state, next}]}].")]
pub struct List {
    /// The campaign.
    campaign: Name,
    /// Only numbers in this state.
    #[arg(long, value_name = "STATE")]
    state: Option<ContactState>,
    /// The most numbers [default: all].
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

impl List {
    pub fn run(self, session: &mut Session) -> Outcome {
        let actor = &session.actor;
        let campaign = session.ledger.try_read(|db| actor.campaign(db, &self.campaign))?;
        match session.form {
            Form::Json => {
                let mut array = JsonArray::default();
                self.each(session, campaign.id, |out, person| array.row(out, person))?;
                array.end(&mut session.out)?;
            }
            Form::Text => {
                writeln!(session.out, "{}", line("NUMBER", "STATE", "DIALS", "LAST", "DUE"))?;
                let zone = campaign.calendar.zone;
                self.each(session, campaign.id, |out, person| {
                    let due = person.due_at.map(|at| zone.local(at.0));
                    let (state, dials) = (person.state.as_str(), person.dials.to_string());
                    let last = or_dash(person.last());
                    Ok(writeln!(out, "{}", line(&person.number, state, &dials, &last, &or_dash(due)))?)
                })?;
            }
        }
        session.out.flush()?;
        Ok(Exit::Ok)
    }

    /// A page of contacts, each with what the other tables have of it.
    fn page(
        &self,
        db: &Connection,
        campaign: CampaignId,
        after: ContactId,
        limit: u32,
    ) -> ledger::Result<Vec<(ContactId, Person)>> {
        let page = contacts::page(db, campaign, self.state, after, limit)?;
        let (Some(first), Some(last)) = (page.first(), page.last()) else { return Ok(Vec::new()) };
        let details: BTreeMap<_, _> = details::of_span(db, first.id, last.id)?.into_iter().collect();
        let lines = lines::of_span(db, first.id, last.id)?;
        let person = |contact: &Contact| {
            let from = lines.partition_point(|(id, _)| *id < contact.id);
            let own: Vec<&Line> =
                lines[from..].iter().take_while(|(id, _)| *id == contact.id).map(|(_, line)| line).collect();
            (contact.id, Person::of(contact, details.get(&contact.id), &own))
        };
        Ok(page.iter().map(person).collect())
    }

    fn each(
        &self,
        session: &mut Session,
        campaign: CampaignId,
        mut row: impl FnMut(&mut dyn Write, &Person) -> Result<()>,
    ) -> Result<()> {
        let mut after = ContactId(0);
        let mut left = self.limit.unwrap_or(u64::MAX);
        while left > 0 {
            let limit = u32::try_from(left).unwrap_or(PAGE).min(PAGE);
            let page = session.ledger.read(|db| self.page(db, campaign, after, limit))?;
            let Some((last, _)) = page.last() else { break };
            after = *last;
            left -= page.len() as u64;
            page.iter().try_for_each(|(_, person)| row(&mut session.out, person))?;
        }
        Ok(())
    }
}

fn line(number: &str, state: &str, dials: &str, last: &str, due: &str) -> String {
    format!("{number:<17} {state:<12} {dials:>5}  {last:<15} {due}").trim_end().to_owned()
}
