//! A row with its mapping becomes a contact, or is refused with every reason.

use serde_json::Value;

use super::super::super::campaign::CallerId;
use super::super::tally::RefusedRow;
use super::mapping::{Field, Mapping};
use crate::domain::calendar::Zone;
use crate::domain::contact::{ContactName, ExpiryRefusal, NumberKind, Priority, parse_expiry};
use crate::domain::instant::UtcMs;
use crate::domain::number::{Number, NumberRules};
use crate::domain::traffic::{DurationRefusal, time_ms};
use crate::domain::variable::{VARIABLES_MAX, VariableName, VariableValue};
use crate::intake::Cells;
use crate::ledger::details::Details;
use crate::ledger::newcomers::NewContact;

/// A column of variables that has something else.
const NO_OBJECT: &str = "no JSON object; write {\"NAME\": \"text\", …}, or map each variable's column by var:NAME";

/// How rows of one file are read.
#[derive(Debug, Clone)]
pub struct RowRules {
    pub numbers: NumberRules,
    /// Of contacts that have none of their own.
    pub zone: Zone,
    pub now: UtcMs,
}

/// What became of a row.
#[derive(Debug)]
pub struct ReadRow {
    pub line: u64,
    /// `None` when the row is refused.
    pub contact: Option<NewContact>,
    /// What was refused of it: further numbers of a contact that is taken, or all that is wrong with one that is not.
    pub refusals: Vec<RefusedRow>,
}

/// Reads a row. A number that cannot be read is left out as long as there is another; whatever else cannot be read
/// refuses the row, for it decides when and how somebody is called.
pub fn read(cells: &Cells, mapping: &Mapping, rules: &RowRules) -> ReadRow {
    let mut reading = Reading { line: cells.line, rules, taken: Taken::default(), refusals: Vec::new(), fatal: false };
    for (field, text) in mapping.fields().zip(&cells.texts) {
        match text {
            Ok(text) if text.trim().is_empty() => {}
            Ok(text) => reading.take(field, text.trim()),
            Err(why) => reading.refuse(field, "", why),
        }
    }
    reading.end()
}

#[derive(Default)]
struct Taken {
    numbers: Vec<(Number, Option<NumberKind>)>,
    priority: Priority,
    expires: Option<String>,
    details: Details,
}

struct Reading<'a> {
    line: u64,
    rules: &'a RowRules,
    taken: Taken,
    refusals: Vec<RefusedRow>,
    /// Whether the row is refused for more than a number.
    fatal: bool,
}

impl Reading<'_> {
    fn take(&mut self, field: &Field, text: &str) {
        let problem: Option<String> = match field {
            Field::Number(_, kind) => self.number(text, kind.as_ref()),
            Field::Name => keep(text.parse::<ContactName>(), |name| self.taken.details.name = Some(name)),
            Field::Priority => keep(text.parse(), |priority| self.taken.priority = priority),
            Field::Zone => keep(text.parse::<Zone>(), |zone| self.taken.details.zone = Some(zone)),
            Field::Expires => {
                // Its clock may stand in a later column.
                self.taken.expires = Some(text.to_owned());
                None
            }
            Field::CallerId => keep(text.parse::<CallerId>(), |caller| {
                (self.taken.details.caller_name, self.taken.details.caller_number) = caller.into_parts();
            }),
            Field::Duration => keep(own_duration(text), |ms| self.taken.details.duration_ms = ms),
            Field::Variable(name) => self.variable(name, text),
            Field::Variables => self.variables(text),
        };
        if let Some(problem) = problem {
            self.refuse(field, text, problem);
        }
    }

    fn number(&mut self, text: &str, kind: Option<&NumberKind>) -> Option<String> {
        keep(Number::canonical(text, &self.rules.numbers), |number| {
            // One person's two columns often say the same.
            if self.taken.numbers.iter().all(|(other, _)| *other != number) {
                self.taken.numbers.push((number, kind.cloned()));
            }
        })
    }

    fn variable(&mut self, name: &VariableName, text: &str) -> Option<String> {
        let variables = &mut self.taken.details.variables;
        if variables.len() >= VARIABLES_MAX {
            return Some(format!("a contact has at most {VARIABLES_MAX} variables"));
        }
        keep(text.parse::<VariableValue>(), |value| variables.set(name.clone(), value))
    }

    /// An object of JSON. A variable that has a column of its own is that column's.
    fn variables(&mut self, text: &str) -> Option<String> {
        let Ok(object) = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text) else {
            return Some(NO_OBJECT.to_owned());
        };
        object.iter().find_map(|(name, value)| {
            let text = match value {
                Value::Null => return None,
                Value::String(text) => text.trim().to_owned(),
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                Value::Array(_) | Value::Object(_) => return Some(format!("variable {name} is a list or an object")),
            };
            let name = match name.parse::<VariableName>() {
                Ok(name) => name,
                Err(why) => return Some(why.to_string()),
            };
            let known = text.is_empty() || self.taken.details.variables.get(&name).is_some();
            if known { None } else { self.variable(&name, &text).map(|why| format!("variable {name}: {why}")) }
        })
    }

    fn expiry(&mut self) -> Option<UtcMs> {
        let text = self.taken.expires.take()?;
        let zone = self.taken.details.zone.as_ref().unwrap_or(&self.rules.zone).clone();
        let read = parse_expiry(&text, &zone).and_then(|at| {
            let passed = || ExpiryRefusal::Past(format!("{} {}", zone.local(at), zone.name()));
            if at > self.rules.now { Ok(at) } else { Err(passed()) }
        });
        match read {
            Ok(at) => Some(at),
            Err(why) => {
                self.refuse(&Field::Expires, &text, why);
                None
            }
        }
    }

    fn refuse(&mut self, field: &Field, text: &str, why: impl ToString) {
        self.fatal |= !matches!(field, Field::Number(..));
        self.refusals.push(RefusedRow::new(self.line, text, why).in_column(field));
    }

    fn end(mut self) -> ReadRow {
        let expires_at = self.expiry();
        if self.taken.numbers.is_empty() && !self.refusals.iter().any(RefusedRow::is_of_a_number) {
            self.refusals.push(RefusedRow::new(self.line, "", "the contact has no number"));
        }
        let Taken { numbers, priority, details, .. } = self.taken;
        let usable = !self.fatal && !numbers.is_empty();
        let contact = usable.then_some(NewContact { numbers, priority, expires_at, details });
        ReadRow { line: self.line, contact, refusals: self.refusals }
    }
}

/// Seconds, or a time with its unit; 0 is none, as in mod_dialer's tables.
fn own_duration(text: &str) -> Result<Option<u32>, DurationRefusal> {
    match text {
        "0" => Ok(None),
        _ if text.bytes().all(|b| b.is_ascii_digit()) => time_ms(&format!("{text}s")).map(Some),
        _ => time_ms(text).map(Some),
    }
}

/// Keeps what was read, or says why it was not.
fn keep<T, E: ToString>(read: Result<T, E>, keep: impl FnOnce(T)) -> Option<String> {
    match read {
        Ok(value) => {
            keep(value);
            None
        }
        Err(why) => Some(why.to_string()),
    }
}
