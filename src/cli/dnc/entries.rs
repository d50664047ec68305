//! `campanile dnc add`, `remove`, `show` and `check`.

use std::io::Write;

use clap::Args;
use serde::Serialize;

use super::super::failure::{Failure, Outcome, Result};
use super::super::numbers;
use super::super::present::{JsonArray, Moment, moment, or_dash, table};
use super::super::session::{Form, Session};
use super::{changeable, expiry, holds, is_theirs, not_on, wait_for_the_gate};
use crate::domain::bar::{Pattern, PatternKind, Scope};
use crate::domain::name::Name;
use crate::domain::trunk::ShortNumbers;
use crate::exit::Exit;
use crate::ledger::dnc::{self, Entry, Noted};

#[derive(Debug, Args)]
#[command(after_help = "\
It holds at the gate from the instant at which this command answers, also for calls that are planned already. A number that is on a list is excluded from its campaigns when its turn comes; one whose entry expires waits for that instead. One that is there already holds as long as the longer of both entries says.

Examples:
  campanile dnc add opt-out '+49 30 1234567' --source 'letter of 3 May'
  campanile dnc add robinson +49301234567 --expires 2027-01-31
  campanile dnc add premium --prefix +49900 +491805

JSON: {list, added, known}.")]
pub struct Add {
    /// The list (`campanile dnc list` shows them).
    list: Name,
    /// Numbers as people write them, or with --prefix the beginnings of numbers.
    #[arg(required = true, value_name = "NUMBER")]
    numbers: Vec<String>,
    #[command(flatten)]
    kind: Kind,
    /// Where this is from [default: who acts].
    #[arg(long, value_name = "TEXT", value_parser = super::source)]
    source: Option<String>,
    /// Until when it holds: to the end of a date, or to 'DATE HH:MM', in the time zone of the settings [default: for good].
    #[arg(long, value_name = "DATE")]
    expires: Option<String>,
}

/// How what is typed is read.
#[derive(Debug, Args)]
pub struct Kind {
    /// These are beginnings of numbers, such as +49900: all numbers that begin so are meant.
    #[arg(long)]
    prefix: bool,
    /// Extensions and short codes (201, *97) are numbers here.
    #[arg(long, conflicts_with = "prefix")]
    short_numbers: bool,
}

impl Kind {
    pub fn patterns(&self) -> PatternKind {
        if self.prefix { PatternKind::Prefixes } else { PatternKind::Numbers }
    }

    pub fn short_numbers(&self) -> ShortNumbers {
        if self.short_numbers { ShortNumbers::Allowed } else { ShortNumbers::Refused }
    }

    fn read(&self, texts: &[String], session: &Session) -> Result<Vec<Pattern>> {
        let rules = numbers::rules(self.short_numbers(), &session.settings)?;
        let read = |text: &String| {
            Pattern::read(text, self.patterns(), &rules).map_err(|why| {
                let shown: String = text.chars().take(60).collect();
                let mend = "write it with its country code, such as +49301234567; nothing was changed";
                Failure::new(Exit::DataErr, format!("{shown:?}: {why}"), mend)
            })
        };
        texts.iter().map(read).collect()
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
A number that was excluded for it is called again only after `campanile numbers reactivate`.

JSON: {list, removed}.")]
pub struct Remove {
    /// The list.
    list: Name,
    /// Numbers as people write them, or with --prefix the beginnings of numbers.
    #[arg(required = true, value_name = "NUMBER")]
    numbers: Vec<String>,
    #[command(flatten)]
    kind: Kind,
}

#[derive(Debug, Args)]
#[command(after_help = "JSON: [{number or prefix, source, added_at, expires_at}].")]
pub struct Show {
    /// The list.
    list: Name,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Only lists that you may see; whether a campaign may call the number: `campanile why`.

JSON: {number, entries: [{list, number or prefix, source, added_at, expires_at}]}. Ends with 1 when it is on a list.")]
pub struct Check {
    /// A number as people write it.
    #[arg(allow_hyphen_values = true)]
    number: String,
}

#[derive(Serialize)]
struct EntryRow {
    #[serde(skip_serializing_if = "Option::is_none")]
    list: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
    source: String,
    added_at: Moment,
    expires_at: Option<Moment>,
}

impl From<&Entry> for EntryRow {
    fn from(entry: &Entry) -> Self {
        let (number, prefix) = match &entry.pattern {
            Pattern::Number(number) => (Some(number.to_string()), None),
            Pattern::Prefix(prefix) => (None, Some(prefix.as_str().to_owned())),
        };
        Self {
            list: None,
            number,
            prefix,
            source: entry.source.clone(),
            added_at: Moment(entry.added_at),
            expires_at: moment(entry.expires_at),
        }
    }
}

impl Add {
    pub fn run(self, session: &mut Session) -> Outcome {
        let now = session.now();
        let patterns = self.kind.read(&self.numbers, session)?;
        let zone = &session.settings.time_zone;
        let expires_at = self.expires.as_deref().map(|text| expiry::read(text, zone, now)).transpose()?;
        let actor = &session.actor;
        let source = self.source.clone().unwrap_or_else(|| actor.name().to_string());
        let noted = session.ledger.try_write(|db| {
            let list = changeable(db, actor, &self.list)?;
            let entry = |pattern: &Pattern| Entry {
                pattern: pattern.clone(),
                source: source.clone(),
                added_at: now,
                expires_at,
            };
            let noted = patterns.iter().map(|pattern| dnc::add(db, list.id, &entry(pattern)));
            Ok::<Vec<Noted>, Failure>(noted.collect::<std::result::Result<_, _>>()?)
        })?;
        wait_for_the_gate(session, |number| patterns.iter().any(|pattern| holds(pattern, number)))?;
        let added = noted.iter().filter(|noted| **noted == Noted::New).count();
        let (name, known) = (self.list.as_str(), noted.len() - added);
        let answer = serde_json::json!({"list": name, "added": added, "known": known});
        session.answer(&answer, |out| Ok(writeln!(out, "{added} added to {name}, {known} were on it already")?))?;
        Ok(Exit::Ok)
    }
}

impl Remove {
    pub fn run(self, session: &mut Session) -> Outcome {
        let patterns = self.kind.read(&self.numbers, session)?;
        let actor = &session.actor;
        session.ledger.try_write(|db| {
            let list = changeable(db, actor, &self.list)?;
            patterns.iter().try_for_each(|pattern| {
                let there = dnc::remove(db, list.id, pattern)?;
                if there { Ok(()) } else { Err(not_on(&self.list, pattern)) }
            })
        })?;
        session.wake_daemon();
        let (name, removed) = (self.list.as_str(), patterns.len());
        let answer = serde_json::json!({"list": name, "removed": removed});
        session.answer(&answer, |out| Ok(writeln!(out, "{removed} taken off {name}")?))?;
        Ok(Exit::Ok)
    }
}

impl Show {
    pub fn run(self, session: &mut Session) -> Outcome {
        let Session { ledger, actor, form, out, settings } = session;
        let zone = &settings.time_zone;
        ledger.try_read(|db| {
            let list = changeable(db, actor, &self.list)?;
            if *form == Form::Json {
                let mut array = JsonArray::default();
                dnc::each_entry::<Failure>(db, list.id, |entry| array.row(out, &EntryRow::from(&entry)))?;
                return array.end(out);
            }
            writeln!(out, "{:<20} {:<20} {:<20} SOURCE", "NUMBER", "ADDED", "EXPIRES")?;
            dnc::each_entry::<Failure>(db, list.id, |Entry { pattern, source, added_at, expires_at }| {
                let (added, expires) = (zone.local(added_at), expires_at.map(|at| zone.local(at)));
                let pattern = pattern.to_string();
                Ok(writeln!(out, "{pattern:<20} {added:<20} {:<20} {source}", or_dash(expires))?)
            })
        })?;
        out.flush()?;
        Ok(Exit::Ok)
    }
}

impl Check {
    pub fn run(self, session: &mut Session) -> Outcome {
        let number = numbers::canonical(&self.number, ShortNumbers::Allowed, &session.settings)?;
        let now = session.now();
        let actor = &session.actor;
        let rows = session.ledger.try_read(|db| {
            let mut rows = Vec::new();
            for (list, entry) in dnc::entries_for(db, &number, now)? {
                if list.scope == Scope::Server || is_theirs(db, actor, list.scope)? {
                    rows.push(EntryRow { list: Some(list.name.to_string()), ..EntryRow::from(&entry) });
                }
            }
            Ok::<_, Failure>(rows)
        })?;
        let answer = serde_json::json!({"number": number.as_str(), "entries": rows});
        let zone = session.settings.time_zone.clone();
        session.answer(&answer, |out| {
            if rows.is_empty() {
                return Ok(writeln!(out, "{number} is on no do-not-call list")?);
            }
            let cells = |row: &EntryRow| {
                let prefix = row.prefix.as_ref().map(|prefix| format!("{prefix}…"));
                let expires = row.expires_at.map(|Moment(at)| zone.local(at));
                vec![
                    or_dash(row.list.as_ref()),
                    or_dash(row.number.clone().or(prefix)),
                    or_dash(expires),
                    row.source.clone(),
                ]
            };
            let heading = ["list", "number", "expires", "source"];
            table::write(out, &heading, &rows.iter().map(cells).collect::<Vec<_>>())
        })?;
        Ok(if rows.is_empty() { Exit::Ok } else { Exit::Failure })
    }
}
