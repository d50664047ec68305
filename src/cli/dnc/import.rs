//! `campanile dnc import`.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::super::failure::{Outcome, Result};
use super::super::numbers::{self, RefusedRow};
use super::super::session::Session;
use super::entries::Kind;
use super::{changeable, expiry, wait_for_the_gate};
use crate::domain::bar::{Pattern, SOURCE_MAX};
use crate::domain::ids::DncListId;
use crate::domain::instant::UtcMs;
use crate::domain::name::Name;
use crate::domain::number::NumberRules;
use crate::exit::Exit;
use crate::intake::{self, Column, Format, Intake, Options, RowError, Separator};
use crate::ledger::Result as LedgerResult;
use crate::ledger::dnc::{self, Entry, Noted};

/// Rows of one transaction: a claim at the gate waits no longer than they take.
const TURN_ROWS: usize = 500;
/// How long the ledger is left to others after each.
const PAUSE: Duration = Duration::from_millis(3);
/// The most refusals that are told.
const REFUSALS_MAX: usize = 1_000;
const REFUSALS_SHOWN: usize = 20;

#[derive(Debug, Args)]
#[command(after_help = "\
The file is read as `campanile numbers import` reads it: text or CSV in any common character set, with what is not given found out. What is refused is told with its line, and what was added before a failure stays.

Examples:
  campanile dnc import robinson robinson.csv --column Telefon --source 'register of 2026-11'
  campanile dnc import premium prefixes.txt --prefix

JSON: {list, file, added, known, refused, refusals: [{line, text, reason}] (the first 1000)}. \
Ends with 65 when rows were refused and nothing was found.")]
pub struct Import {
    /// The list.
    list: Name,
    /// The file, or - for standard input.
    file: PathBuf,
    #[command(flatten)]
    kind: Kind,
    /// Where this is from [default: the file's name].
    #[arg(long, value_name = "TEXT", value_parser = super::source)]
    source: Option<String>,
    /// Until when it holds: to the end of a date, or to 'DATE HH:MM', in the time zone of the settings [default: for good].
    #[arg(long, value_name = "DATE")]
    expires: Option<String>,
    /// What stands between cells: ',' ';' '|' or tab; means CSV [default: found out].
    #[arg(long, value_name = "C", value_parser = numbers::separator)]
    separator: Option<Separator>,
    /// The character set, such as utf-8, utf-16le or windows-1252 [default: found out].
    #[arg(long, value_name = "NAME")]
    charset: Option<String>,
    /// The column with the numbers: its header, or its place from 1 [default: found out].
    #[arg(long, value_name = "NAME|N", value_parser = numbers::column)]
    column: Option<Column>,
}

#[derive(Serialize)]
struct Tally {
    list: String,
    file: String,
    added: u64,
    known: u64,
    refused: u64,
    refusals: Vec<RefusedRow>,
}

/// What all entries of an import have in common.
struct Target {
    list: DncListId,
    rules: NumberRules,
    source: String,
    added_at: UtcMs,
    expires_at: Option<UtcMs>,
}

/// Rows of a turn, and how the file ended if it did.
struct Turn {
    patterns: Vec<Pattern>,
    end: Option<Result<()>>,
}

impl Import {
    pub fn run(self, session: &mut Session) -> Outcome {
        let target = self.target(session)?;
        let mut intake = self.open()?;
        let mut tally = Tally::new(self.list.to_string(), self.file.display().to_string());
        let ended = loop {
            let turn = self.turn(&mut intake, &target.rules, &mut tally);
            write(session, &target, &turn.patterns, &mut tally)?;
            match turn.end {
                None => std::thread::sleep(PAUSE),
                Some(end) => break end,
            }
        };
        wait_for_the_gate(session, |_| true)?;
        session.answer(&tally, |out| tally.tell(out))?;
        ended?;
        Ok(tally.exit())
    }

    fn target(&self, session: &mut Session) -> Result<Target> {
        let now = session.now();
        let zone = &session.settings.time_zone;
        let expires_at = self.expires.as_deref().map(|text| expiry::read(text, zone, now)).transpose()?;
        let rules = numbers::rules(self.kind.short_numbers(), &session.settings)?;
        let actor = &session.actor;
        let list = session.ledger.try_read(|db| changeable(db, actor, &self.list))?.id;
        let file = || self.file.display().to_string().chars().filter(|c| !c.is_control()).take(SOURCE_MAX).collect();
        let source = self.source.clone().unwrap_or_else(file);
        Ok(Target { list, rules, source, added_at: now, expires_at })
    }

    fn open(&self) -> Result<Intake> {
        let options = Options {
            charset: self.charset.clone(),
            format: self.separator.map_or(Format::Guess, Format::Csv),
            column: self.column.clone().unwrap_or_default(),
            ..Options::default()
        };
        let opened = match self.file.as_os_str() == "-" {
            true => intake::from_reader(std::io::stdin(), &options),
            false => intake::open(&self.file, &options),
        };
        let mend = "nothing was added; `campanile help dnc import` has the options";
        opened.map_err(|error| numbers::unopened(&error, mend))
    }

    fn turn(&self, intake: &mut Intake, rules: &NumberRules, tally: &mut Tally) -> Turn {
        let mut patterns = Vec::with_capacity(TURN_ROWS);
        for row in intake.by_ref().take(TURN_ROWS) {
            match row {
                Err(RowError::Unreadable(error)) => {
                    return Turn { patterns, end: Some(Err(numbers::unreadable(&error))) };
                }
                Err(RowError::Refused { line, why }) => tally.refuse(RefusedRow::new(line, "", why)),
                Ok(row) => match Pattern::read(&row.text, self.kind.patterns(), rules) {
                    Ok(pattern) => patterns.push(pattern),
                    Err(why) => tally.refuse(RefusedRow::new(row.line, row.text.trim(), why)),
                },
            }
        }
        let end = intake.is_over().then_some(Ok(()));
        Turn { patterns, end }
    }
}

fn write(session: &mut Session, target: &Target, patterns: &[Pattern], tally: &mut Tally) -> Result<()> {
    let noted = session.ledger.write(|db| {
        let entry = |pattern: &Pattern| Entry {
            pattern: pattern.clone(),
            source: target.source.clone(),
            added_at: target.added_at,
            expires_at: target.expires_at,
        };
        patterns.iter().map(|pattern| dnc::add(db, target.list, &entry(pattern))).collect::<LedgerResult<Vec<_>>>()
    })?;
    let added = noted.iter().filter(|noted| **noted == Noted::New).count() as u64;
    tally.added += added;
    tally.known += noted.len() as u64 - added;
    Ok(())
}

impl Tally {
    fn new(list: String, file: String) -> Self {
        Self { list, file, added: 0, known: 0, refused: 0, refusals: Vec::new() }
    }

    fn refuse(&mut self, row: RefusedRow) {
        self.refused += 1;
        if self.refusals.len() < REFUSALS_MAX {
            self.refusals.push(row);
        }
    }

    fn exit(&self) -> Exit {
        if self.refused > 0 && self.added + self.known == 0 { Exit::DataErr } else { Exit::Ok }
    }

    fn tell(&self, out: &mut dyn Write) -> Result<()> {
        writeln!(out, "{:>9} added to {}", self.added, self.list)?;
        writeln!(out, "{:>9} were on it already", self.known)?;
        writeln!(out, "{:>9} refused", self.refused)?;
        for row in self.refusals.iter().take(REFUSALS_SHOWN) {
            writeln!(out, "  line {}: {:?}: {}", row.line, row.text, row.reason)?;
        }
        let more = self.refused.saturating_sub(REFUSALS_SHOWN as u64);
        if more > 0 {
            writeln!(out, "  and {more} more")?;
        }
        Ok(())
    }
}
