//! What an import did: counted as it goes, told at the end.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use serde::Serialize;

use super::super::failure::{Failure, Result};
use crate::exit::Exit;
use crate::intake::Description;

/// The most refusals in the JSON result; `--refused-to` has them all.
const REFUSALS_MAX: usize = 1_000;
/// The most refusals on the screen.
const REFUSALS_SHOWN: usize = 20;
/// The most of a refused text that is kept.
const TEXT_MAX: usize = 80;

/// A row that is no number.
#[derive(Debug, Clone, Serialize)]
pub struct RefusedRow {
    /// The line of the file, from 1.
    pub line: u64,
    /// What it says, cut; empty where it is no text.
    pub text: String,
    /// Why it is no number.
    pub reason: String,
}

impl RefusedRow {
    /// A refusal with its text cut to what a screen bears.
    pub fn new(line: u64, text: &str, reason: impl ToString) -> Self {
        Self { line, text: text.chars().take(TEXT_MAX).collect(), reason: reason.to_string() }
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
    pub refusals: Vec<RefusedRow>,
    /// Refusals that `refusals` leaves out.
    pub refusals_left_out: u64,
    pub interrupted: bool,
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
            refusals: Vec::new(),
            refusals_left_out: 0,
            interrupted: false,
        }
    }

    /// Counts a refusal and keeps it while there is room.
    pub fn refuse(&mut self, row: RefusedRow) {
        self.refused += 1;
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
        writeln!(out, "{:>9} imported into {}", self.imported, self.campaign)?;
        writeln!(out, "{:>9} duplicates in the file", self.duplicates_in_file)?;
        writeln!(out, "{:>9} in the campaign already", self.duplicates_in_campaign)?;
        match self.do_not_call {
            0 => writeln!(out, "{:>9} refused", self.refused)?,
            n => writeln!(out, "{:>9} refused, {n} of them on a do-not-call list", self.refused)?,
        }
        for row in self.refusals.iter().take(REFUSALS_SHOWN) {
            writeln!(out, "  line {}: {:?}: {}", row.line, row.text, row.reason)?;
        }
        let more = self.refused.saturating_sub(REFUSALS_SHOWN as u64);
        if more > 0 {
            writeln!(out, "  and {more} more; --refused-to FILE writes all of them")?;
        }
        if self.interrupted {
            writeln!(out, "Interrupted: what is counted here stays; import the file again for the rest.")?;
        }
        Ok(())
    }
}

/// Where all refused rows go: `line,text,reason`.
pub struct RefusedFile(csv::Writer<File>);

impl RefusedFile {
    /// Creates the file with its header.
    pub fn create(path: &Path) -> Result<Self> {
        let failed = |error: csv::Error| {
            let what = format!("cannot write `{}`: {error}", path.display());
            Failure::new(Exit::IoErr, what, "name a file that this user may write")
        };
        let mut writer = csv::Writer::from_path(path).map_err(failed)?;
        writer.write_record(["line", "text", "reason"]).map_err(failed)?;
        Ok(Self(writer))
    }

    /// Writes a row.
    pub fn write(&mut self, row: &RefusedRow) -> Result<()> {
        self.0.write_record([row.line.to_string().as_str(), &row.text, &row.reason]).map_err(std::io::Error::other)?;
        Ok(())
    }

    /// Makes sure that all rows are there.
    pub fn finish(mut self) -> Result<()> {
        Ok(self.0.flush()?)
    }
}
