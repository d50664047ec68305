//! `campanile numbers import`.
//!
//! A thread reads the file in chunks, this one writes them, and Ctrl-C comes down the same channel: it takes
//! effect between two transactions, even while the reader waits for a pipe.

mod reader;
mod screen;
mod writing;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use self::screen::Screen;
use self::writing::Run;
use super::super::failure::{Failure, Outcome, Result};
use super::super::session::{Form, Session, warn};
use super::tally::{RefusedFile, Tally};
use crate::domain::campaign::{Campaign, CampaignState};
use crate::domain::ids::ContactId;
use crate::domain::name::Name;
use crate::domain::number::NumberRules;
use crate::exit::Exit;
use crate::intake::{Column, Format, Header, IntakeError, Options, Separator};
use crate::ledger::{contacts, trunks};

/// SQLite's page cache for an import. An index is walked in its order, so it need not hold all of it.
const CACHE_KIB: u32 = 8 * 1024;

#[derive(Debug, Args)]
#[command(after_help = "\
Text (one number a line) and CSV are told apart, and charset, separator, header and the column with the \
numbers are found out, unless they are given. Numbers are read as people write them, +49 (30) 1234-567 or \
0049…, and without a country code as numbers of the setting country; extensions and short codes are numbers \
where the campaign's trunk says so. Numbers on a do-not-call list are refused. What is refused is told with its line, text and reason.

The import is written in parts: Ctrl-C keeps those that were written and says how many. While calls are made \
the parts are small, so that no call waits for them.

Examples:
  campanile numbers import spring numbers.txt
  campanile numbers import spring customers.csv --column Mobile --refused-to refused.csv
  grep -v '^#' numbers.txt | campanile numbers import spring -

JSON: {campaign, file, format: {charset, separator, header, column}, imported, duplicates_in_file, \
duplicates_in_campaign, refused, do_not_call (those of the refused that are on a list), refusals: [{line, text, reason}] (the first 1000), refusals_left_out, \
interrupted}.
Ends with 65 when rows were refused and no number was found, and with 130 after Ctrl-C.")]
pub struct Import {
    /// The campaign.
    campaign: Name,
    /// The file, or - for standard input.
    file: PathBuf,
    /// Text with one number a line, or CSV [default: found out].
    #[arg(long, value_enum)]
    format: Option<FormatName>,
    /// What stands between cells: ',' ';' '|' or tab; means CSV [default: found out].
    #[arg(long, value_name = "C", value_parser = separator)]
    separator: Option<Separator>,
    /// The character set, such as utf-8, utf-16le or windows-1252 [default: found out].
    #[arg(long, value_name = "NAME")]
    charset: Option<String>,
    /// Whether the first row names the columns [default: found out].
    #[arg(long, value_enum, value_name = "yes|no")]
    header: Option<YesNo>,
    /// The column with the numbers: its header, or its place from 1 [default: found out].
    #[arg(long, value_name = "NAME|N", value_parser = column)]
    column: Option<Column>,
    /// Write every refused row to this file, as CSV: line,text,reason.
    #[arg(long, value_name = "FILE")]
    refused_to: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatName {
    /// One number a line.
    Txt,
    /// Cells between separators.
    Csv,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum YesNo {
    Yes,
    No,
}

pub fn separator(text: &str) -> std::result::Result<Separator, &'static str> {
    match text {
        "," | "comma" => Ok(Separator::Comma),
        ";" | "semicolon" => Ok(Separator::Semicolon),
        "|" | "bar" => Ok(Separator::Bar),
        "\t" | "\\t" | "tab" => Ok(Separator::Tab),
        _ => Err("write one of , ; | tab"),
    }
}

pub fn column(text: &str) -> std::result::Result<Column, &'static str> {
    match text.parse() {
        Ok(0) => Err("columns are counted from 1"),
        Ok(place) => Ok(Column::Place(place)),
        Err(_) => Ok(Column::Named(text.to_owned())),
    }
}

/// Where the numbers go.
struct Target {
    campaign: Campaign,
    rules: NumberRules,
    /// The last contact before this run: duplicates of later ones are duplicates within the file.
    before: ContactId,
}

impl Import {
    pub fn run(self, session: &mut Session) -> Outcome {
        let target = self.target(session)?;
        let refused_file = self.refused_to.as_deref().map(RefusedFile::create).transpose()?;
        let mut run = Run::new(Tally::new(self.campaign.to_string(), self.file.display().to_string()), refused_file);
        let screen = Screen::open(session, &target.campaign)?;
        let reading = reader::start(self.file.clone(), self.options(), target.rules, screen)?;
        session.ledger.set_cache_kib(CACHE_KIB)?;
        let ended = run.write_all(session, &target, &reading);
        run.progress.finish_and_clear();
        let tally = run.finish()?;
        let ended = match ended {
            // Nothing was opened, so there is nothing to count.
            Err(failure) if tally.format.is_none() => return Err(failure),
            ended => ended,
        };
        if tally.imported > 0 {
            session.wake_daemon();
        }
        // Parts that were committed before a failure stay, so their count is told in any case.
        session.answer(&tally, |out| tally.tell(out))?;
        ended?;
        self.hint(session, &tally, target.campaign.state);
        Ok(tally.exit())
    }

    fn target(&self, session: &mut Session) -> Result<Target> {
        let (actor, settings) = (&session.actor, &session.settings);
        session.ledger.try_read(|db| {
            let campaign = actor.campaign(db, &self.campaign)?;
            let short_numbers = trunks::get(db, campaign.trunk)?.short_numbers;
            let rules = super::rules(short_numbers, settings)?;
            Ok(Target { campaign, rules, before: contacts::last_id(db)? })
        })
    }

    fn options(&self) -> Options {
        Options {
            charset: self.charset.clone(),
            format: match (self.separator, self.format) {
                (Some(separator), _) => Format::Csv(separator),
                (None, Some(FormatName::Txt)) => Format::List,
                (None, Some(FormatName::Csv)) => Format::Csv(Separator::Comma),
                (None, None) => Format::Guess,
            },
            header: match self.header {
                None => Header::Guess,
                Some(YesNo::Yes) => Header::Present,
                Some(YesNo::No) => Header::Absent,
            },
            column: self.column.clone().unwrap_or_default(),
        }
    }

    fn hint(&self, session: &Session, tally: &Tally, state: CampaignState) {
        if session.form == Form::Text && tally.imported > 0 && state != CampaignState::Running {
            warn(&format!(
                "the campaign is {state}; to call these numbers: campanile campaign start {}",
                self.campaign
            ));
        }
    }
}

pub fn unopened(error: &IntakeError) -> Failure {
    match error {
        IntakeError::Open { path, source } => Failure::new(
            Exit::from(source.kind()),
            format!("cannot open `{}`: {source}", path.display()),
            "name a file that exists and that this user may read, or - for standard input",
        ),
        IntakeError::Read(source) => unreadable(source),
        error => Failure::new(
            Exit::DataErr,
            error.to_string(),
            "nothing was imported; `campanile help numbers import` has the options",
        ),
    }
}

pub fn unreadable(error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::IoErr,
        format!("cannot read the numbers: {error}"),
        "what was imported stays; import the file again",
    )
}
