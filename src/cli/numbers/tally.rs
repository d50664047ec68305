//! What an import did: counted as it goes, told at the end.

use std::fmt;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use serde::Serialize;

use super::super::failure::{Failure, Result};
use super::super::present::{or_dash, table};
use super::import::Field;
use crate::domain::ids::ImportId;
use crate::exit::Exit;
use crate::intake::Description;

/// The most refusals in the JSON result; `--refused-to` has them all.
const REFUSALS_MAX: usize = 1_000;
/// The most refusals on the screen.
const REFUSALS_SHOWN: usize = 20;
/// The most of a refused text that is kept.
const TEXT_MAX: usize = 80;

/// A row that gives no contact, or a cell of one that does.
#[derive(Debug, Clone, Serialize)]
pub struct RefusedRow {
    /// The line of the file, from 1.
    pub line: u64,
    /// What the cell was to become, where there is a mapping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What it says, cut; empty where it is no text.
    pub text: String,
    /// Why it is not what it was to become.
    pub reason: String,
    #[serde(skip)]
    of_a_number: bool,
}

impl RefusedRow {
    /// A refusal with its text cut to what a screen bears.
    pub fn new(line: u64, text: &str, reason: impl ToString) -> Self {
        let text = text.chars().take(TEXT_MAX).collect();
        Self { line, column: None, text, reason: reason.to_string(), of_a_number: false }
    }

    /// Of what was to become `field`.
    pub fn in_column(self, field: &Field) -> Self {
        Self { column: Some(field.to_string()), of_a_number: matches!(field, Field::Number(..)), ..self }
    }

    /// Whether a number was refused, and no other part of its contact.
    pub fn is_of_a_number(&self) -> bool {
        self.of_a_number
    }
}

impl fmt::Display for RefusedRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = self.column.as_ref().map(|column| format!(", {column}")).unwrap_or_default();
        write!(f, "line {}{column}: {:?}: {}", self.line, self.text, self.reason)
    }
}

/// The result of an import.
#[derive(Debug, Serialize)]
pub struct Tally {
    pub campaign: String,
    pub file: String,
    /// What was found out about the file; `null` when it was interrupted before.
    pub format: Option<FileFormat>,
    pub imported: u64,
    pub duplicates_in_file: u64,
    pub duplicates_in_campaign: u64,
    pub refused: u64,
    /// Those of the refused that are on a do-not-call list.
    pub do_not_call: u64,
    /// Further numbers that contacts did not get.
    pub numbers_left_out: u64,
    pub refusals: Vec<RefusedRow>,
    /// Refusals that `refusals` leaves out.
    pub refusals_left_out: u64,
    pub interrupted: bool,
    /// By which it can be undone.
    pub import: Option<ImportId>,
    /// Nothing was written.
    pub dry_run: bool,
    /// What each column became; none where only the numbers were wanted.
    pub columns: Vec<ToldColumn>,
    /// What headers say that was not asked for.
    #[serde(skip)]
    pub not_taken: Vec<String>,
}

/// A column and what it became.
#[derive(Debug, Serialize)]
pub struct ToldColumn {
    /// From 1.
    pub column: usize,
    pub header: Option<String>,
    pub becomes: Vec<String>,
    pub example: String,
}

/// A file's format in JSON.
#[derive(Debug, Serialize)]
pub struct FileFormat {
    pub charset: &'static str,
    pub separator: Option<String>,
    pub header: Option<String>,
    pub column: usize,
    #[serde(skip)]
    told: String,
}

impl From<&Description> for FileFormat {
    fn from(found: &Description) -> Self {
        Self {
            charset: found.charset,
            separator: found.separator.map(|s| s.to_string()),
            header: found.header.clone(),
            column: found.column,
            told: found.to_string(),
        }
    }
}

impl Tally {
    /// Nothing done yet.
    pub fn new(campaign: String, file: String) -> Self {
        Self {
            campaign,
            file,
            format: None,
            imported: 0,
            duplicates_in_file: 0,
            duplicates_in_campaign: 0,
            refused: 0,
            do_not_call: 0,
            numbers_left_out: 0,
            refusals: Vec::new(),
            refusals_left_out: 0,
            interrupted: false,
            import: None,
            dry_run: false,
            columns: Vec::new(),
            not_taken: Vec::new(),
        }
    }

    /// Keeps a refusal while there is room.
    pub fn keep(&mut self, row: RefusedRow) {
        if self.refusals.len() < REFUSALS_MAX {
            self.refusals.push(row);
        } else {
            self.refusals_left_out += 1;
        }
    }

    /// How the program is to end.
    pub fn exit(&self) -> Exit {
        let found_any = self.imported + self.duplicates_in_file + self.duplicates_in_campaign + self.do_not_call > 0;
        match (self.interrupted, self.refused > 0 && !found_any) {
            (true, _) => Exit::Interrupted,
            (false, true) => Exit::DataErr,
            (false, false) => Exit::Ok,
        }
    }

    /// Tells people.
    pub fn tell(&self, out: &mut dyn Write) -> Result<()> {
        if let Some(format) = &self.format {
            writeln!(out, "{}: {}", self.file, format.told)?;
        }
        self.tell_columns(out)?;
        let imported = if self.dry_run { "would be imported into" } else { "imported into" };
        writeln!(out, "{:>9} {imported} {}", self.imported, self.campaign)?;
        let duplicates = if self.duplicates_in_file == 1 { "duplicate" } else { "duplicates" };
        writeln!(out, "{:>9} {duplicates} in the file", self.duplicates_in_file)?;
        writeln!(out, "{:>9} in the campaign already", self.duplicates_in_campaign)?;
        match self.do_not_call {
            0 => writeln!(out, "{:>9} refused", self.refused)?,
            n => writeln!(out, "{:>9} refused, {n} of them on a do-not-call list", self.refused)?,
        }
        if self.numbers_left_out > 0 {
            writeln!(out, "{:>9} further numbers left out", self.numbers_left_out)?;
        }
        self.refusals.iter().take(REFUSALS_SHOWN).try_for_each(|row| writeln!(out, "  {row}"))?;
        let all = self.refusals.len() as u64 + self.refusals_left_out;
        let more = all.saturating_sub(REFUSALS_SHOWN as u64);
        if more > 0 {
            writeln!(out, "  and {more} more; --refused-to FILE writes all of them")?;
        }
        if self.interrupted {
            writeln!(out, "Interrupted: what is counted here stays; import the file again for the rest.")?;
        }
        self.tell_further(out)
    }

    fn tell_columns(&self, out: &mut dyn Write) -> Result<()> {
        if self.columns.is_empty() {
            return Ok(());
        }
        let row = |told: &ToldColumn| {
            let becomes = if told.becomes.is_empty() { "(not used)".to_owned() } else { told.becomes.join(", ") };
            vec![told.column.to_string(), or_dash(told.header.as_ref()), becomes, told.example.clone()]
        };
        let rows: Vec<Vec<String>> = self.columns.iter().map(row).collect();
        table::write(out, &["column", "header", "becomes", "first row"], &rows)
    }

    /// What can be done with it.
    fn tell_further(&self, out: &mut dyn Write) -> Result<()> {
        if !self.not_taken.is_empty() {
            let columns = self.not_taken.join(", ");
            writeln!(out, "Not taken: {columns}. --map auto takes what headers say, and --dry-run shows it.")?;
        }
        if self.dry_run {
            writeln!(out, "Nothing was written: this was a dry run.")?;
        }
        if let Some(id) = self.import {
            writeln!(out, "This is import {id}; to take it back: campanile numbers undo {} {id}", self.campaign)?;
        }
        Ok(())
    }
}

/// What is refused: rows of a plain list, or cells with what they were to become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedCells {
    OfAList,
    OfAMapping,
}

/// Where all refusals go: `line,text,reason`, with a mapping `line,column,text,reason`.
pub struct RefusedFile {
    out: csv::Writer<File>,
    with_column: bool,
}

impl RefusedFile {
    /// Creates the file with its header.
    pub fn create(path: &Path, cells: RefusedCells) -> Result<Self> {
        let with_column = cells == RefusedCells::OfAMapping;
        let failed = |error: csv::Error| {
            let what = format!("cannot write `{}`: {error}", path.display());
            Failure::new(Exit::IoErr, what, "name a file that this user may write")
        };
        let mut out = csv::Writer::from_path(path).map_err(failed)?;
        let header = ["line", "column", "text", "reason"];
        out.write_record(header.iter().filter(|name| with_column || **name != "column")).map_err(failed)?;
        Ok(Self { out, with_column })
    }

    /// Writes a row.
    pub fn write(&mut self, row: &RefusedRow) -> Result<()> {
        let column = self.with_column.then(|| row.column.clone().unwrap_or_default());
        let cells = [Some(row.line.to_string()), column, Some(row.text.clone()), Some(row.reason.clone())];
        self.out.write_record(cells.iter().flatten()).map_err(std::io::Error::other)?;
        Ok(())
    }

    /// Makes sure that all rows are there.
    pub fn finish(mut self) -> Result<()> {
        Ok(self.out.flush()?)
    }
}
