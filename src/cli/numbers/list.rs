//! `campanile numbers list`.

use std::io::Write;

use clap::Args;
use serde::Serialize;

use super::super::failure::{Outcome, Result};
use super::super::present::{JsonArray, Moment, moment, or_dash};
use super::super::session::{Form, Session};
use crate::domain::campaign::ContactState;
use crate::domain::disposition::Disposition;
use crate::domain::ids::{CampaignId, ContactId};
use crate::domain::name::Name;
use crate::exit::Exit;
use crate::ledger::contacts::{self, Contact};

/// Rows that are read at once.
const PAGE: u32 = 1_000;

#[derive(Debug, Args)]
#[command(after_help = "\
States: waiting, in_progress, reached, failed, excluded.

Examples:
  campanile numbers list spring
  campanile numbers list spring --state failed --limit 50

JSON: [{number, state, due_at, dials, charged, disposition, result_until, comment}].")]
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

#[derive(Serialize)]
struct NumberRow {
    number: String,
    state: ContactState,
    due_at: Option<Moment>,
    dials: u32,
    charged: u32,
    disposition: Option<Disposition>,
    result_until: Option<Moment>,
    comment: Option<String>,
}

impl From<&Contact> for NumberRow {
    fn from(contact: &Contact) -> Self {
        Self {
            number: contact.number.to_string(),
            state: contact.state,
            due_at: moment(contact.due_at),
            dials: contact.tally.dials,
            charged: contact.tally.charged,
            disposition: contact.disposition,
            result_until: moment(contact.result_until),
            comment: contact.comment.clone(),
        }
    }
}

impl List {
    pub fn run(self, session: &mut Session) -> Outcome {
        let actor = &session.actor;
        let campaign = session.ledger.try_read(|db| actor.campaign(db, &self.campaign))?;
        match session.form {
            Form::Json => {
                let mut array = JsonArray::default();
                self.each(session, campaign.id, |out, contact| array.row(out, &NumberRow::from(contact)))?;
                array.end(&mut session.out)?;
            }
            Form::Text => {
                writeln!(session.out, "{}", line("NUMBER", "STATE", "DIALS", "LAST", "DUE"))?;
                let zone = campaign.calendar.zone;
                self.each(session, campaign.id, |out, contact| {
                    let due = contact.due_at.map(|at| zone.local(at));
                    let (state, dials) = (contact.state.as_str(), contact.tally.dials.to_string());
                    let last = or_dash(contact.disposition);
                    Ok(writeln!(out, "{}", line(contact.number.as_str(), state, &dials, &last, &or_dash(due)))?)
                })?;
            }
        }
        session.out.flush()?;
        Ok(Exit::Ok)
    }

    fn each(
        &self,
        session: &mut Session,
        campaign: CampaignId,
        mut row: impl FnMut(&mut dyn Write, &Contact) -> Result<()>,
    ) -> Result<()> {
        let mut after = ContactId(0);
        let mut left = self.limit.unwrap_or(u64::MAX);
        while left > 0 {
            let limit = u32::try_from(left).unwrap_or(PAGE).min(PAGE);
            let page = session.ledger.read(|db| contacts::page(db, campaign, self.state, after, limit))?;
            let Some(last) = page.last() else { break };
            after = last.id;
            left -= page.len() as u64;
            page.iter().try_for_each(|contact| row(&mut session.out, contact))?;
        }
        Ok(())
    }
}

fn line(number: &str, state: &str, dials: &str, last: &str, due: &str) -> String {
    format!("{number:<17} {state:<12} {dials:>5}  {last:<15} {due}").trim_end().to_owned()
}
