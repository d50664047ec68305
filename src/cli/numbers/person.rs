//! A contact with all that is known of it, in JSON and to people.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::present::{Moment, moment};
use crate::domain::campaign::ContactState;
use crate::domain::contact::{Exclusion, Priority};
use crate::domain::disposition::Disposition;
use crate::domain::line::{Line, LineState};
use crate::domain::retry::FailReason;
use crate::ledger::contacts::Contact;
use crate::ledger::details::Details;

/// A contact of a list.
#[derive(Serialize)]
pub struct Person {
    /// The number that is called next.
    pub number: String,
    pub state: ContactState,
    pub due_at: Option<Moment>,
    pub dials: u32,
    pub charged: u32,
    pub disposition: Option<Disposition>,
    /// When nobody may say any more that its last call was successful.
    pub result_until: Option<Moment>,
    pub comment: Option<String>,
    pub priority: Priority,
    pub expires_at: Option<Moment>,
    pub excluded: Option<Exclusion>,
    pub failed: Option<FailReason>,
    pub name: Option<String>,
    pub time_zone: Option<String>,
    pub caller_id: Option<String>,
    /// How long a made-up call of it lasts.
    pub duration_ms: Option<u32>,
    pub variables: BTreeMap<String, String>,
    /// All of its numbers, in the order in which they are called.
    pub numbers: Vec<PersonNumber>,
}

/// One of a contact's numbers.
#[derive(Serialize)]
pub struct PersonNumber {
    pub number: String,
    pub kind: Option<String>,
    pub state: LineState,
    /// Whether it is called next.
    pub next: bool,
}

impl Person {
    pub fn of(contact: &Contact, details: Option<&Details>, lines: &[&Line]) -> Self {
        let caller_id = details.and_then(|details| match (&details.caller_name, &details.caller_number) {
            (_, None) => None,
            (None, Some(number)) => Some(number.to_string()),
            (Some(name), Some(number)) => Some(format!("{name} <{number}>")),
        });
        let variables = details.map(|details| {
            details.variables.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
        });
        Self {
            number: contact.number.to_string(),
            state: contact.state,
            due_at: moment(contact.due_at),
            dials: contact.tally.dials,
            charged: contact.tally.charged,
            disposition: contact.disposition,
            result_until: moment(contact.result_until),
            comment: contact.comment.clone(),
            priority: contact.priority,
            expires_at: moment(contact.expires_at),
            excluded: contact.excluded,
            failed: contact.failed,
            name: details.and_then(|details| details.name.as_ref()).map(ToString::to_string),
            time_zone: details.and_then(|details| details.zone.as_ref()).map(|zone| zone.name().to_owned()),
            caller_id,
            duration_ms: details.and_then(|details| details.duration_ms),
            variables: variables.unwrap_or_default(),
            numbers: numbers(contact, lines),
        }
    }

    /// How it ended, or how its last call did.
    pub fn last(&self) -> Option<String> {
        self.excluded.map(|why| why.to_string()).or_else(|| self.disposition.map(|last| last.to_string()))
    }
}

fn numbers(contact: &Contact, lines: &[&Line]) -> Vec<PersonNumber> {
    let next = |number: &str| number == contact.number.as_str();
    if lines.is_empty() {
        let number = contact.number.to_string();
        return vec![PersonNumber { number, kind: None, state: LineState::Callable, next: true }];
    }
    let one = |line: &&Line| PersonNumber {
        number: line.number.to_string(),
        kind: line.kind.as_ref().map(ToString::to_string),
        state: line.state,
        next: next(line.number.as_str()),
    };
    lines.iter().map(one).collect()
}
