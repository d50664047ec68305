//! `campanile numbers import`.
//!
//! A thread reads the file in chunks, this one writes them, and Ctrl-C comes down the same channel: it takes
//! effect between two transactions, even while the reader waits for a pipe.

mod mapping;
mod preview;
mod reader;
mod row;
mod screen;
mod writing;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

pub use self::mapping::Field;
use self::mapping::{MapRefusal, Part};
use self::preview::Preview;
use self::reader::Rules;
use self::row::RowRules;
use self::screen::Screen;
use self::writing::Run;
use super::super::failure::{Failure, Outcome, Result};
use super::super::session::{Form, Session, warn};
use super::super::trunk;
use super::tally::{RefusedCells, RefusedFile, Tally};
use crate::domain::campaign::{Campaign, CampaignState};
use crate::domain::ids::ContactId;
use crate::domain::name::Name;
use crate::exit::Exit;
use crate::intake::{Column, Format, Header, IntakeError, Options, Separator};
use crate::ledger::contacts;

/// SQLite's page cache for an import. An index is walked in its order, so it need not hold all of it.
const CACHE_KIB: u32 = 8 * 1024;

#[derive(Debug, Args)]
#[command(after_help = "\
Text (one number a line) and CSV are told apart, and charset, separator, header and the column with the \
numbers are found out, unless they are given. Numbers are read as people write them, +49 (30) 1234-567 or \
0049…, and without a country code as numbers of the setting country; extensions and short codes are numbers \
where all trunks of the campaign say so. Numbers on a do-not-call list are refused. What is refused is told with its line, text and reason.

Of each row the number is taken and nothing else, unless --map says what the other columns become: \
FIELD=COLUMN, with the column's header or its place from 1, or `auto` for what headers say beyond doubt. The fields:

  name          the contact's name
  number        the first number; number2 to number9 are called after it, in this order. A kind may follow the column: \
number2=Office:work
  priority      -100 to 100, 0 where the cell is empty; higher ones are called first
  zone          the contact's time zone, such as Europe/Berlin
  expires       2026-12-31, 2026-12-31 18:00, 31.12.2026 18:00, or an instant such as 2026-12-31T17:00:00Z; a date alone \
is good to its end, on the clock of the contact's zone, else of the campaign's. No call starts at or after it.
  caller-id     what the contact sees, in place of what the campaign shows
  duration      how long a call of a campaign with --duration lasts, in seconds or with a unit (45, 45s, 1500ms); empty or 0 \
for what the campaign says
  var:NAME      a variable; in the channel it is CAMPANILE_VAR_NAME
  variables     several, as a JSON object: {\"debt\": 20, \"product\": \"gas\"}

Within a campaign a number belongs to one contact. A row whose first number is there already is a duplicate; of a further \
number that another contact has, or that cannot be read, the contact goes without. A row is refused when it has no \
number that can be read, or when anything else of it cannot be read, an expiry in the past included.

The import is written in parts: Ctrl-C keeps those that were written and says how many. While calls are made \
the parts are small, so that no call waits for them.

Examples:
  campanile numbers import spring numbers.txt
  campanile numbers import spring customers.csv --column Mobile --refused-to refused.csv
  campanile numbers import spring customers.csv --map auto --dry-run
  campanile numbers import spring customers.csv --map name=Name,number=Mobile,number2=Office:work --map var:debt=Schulden
  grep -v '^#' numbers.txt | campanile numbers import spring -

JSON: {campaign, file, format: {charset, separator, header, column}, imported, duplicates_in_file, \
duplicates_in_campaign, refused, do_not_call (those of the refused that are on a list), numbers_left_out, refusals: [{line, column, text, reason}] (the first 1000), \
refusals_left_out, interrupted, import, dry_run, columns: [{column, header, becomes, example}]}.
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
    /// What columns become, such as name=Name,number2=Office:work, or auto [default: only numbers are taken].
    ///
    /// A column whose header has a comma is named by its place.
    #[arg(long, value_name = "FIELD=COLUMN,…", value_delimiter = ',')]
    map: Vec<Part>,
    /// Write nothing: show what each column becomes, and what would be refused.
    #[arg(long)]
    dry_run: bool,
    /// Write every refusal to this file, as CSV: line,text,reason, or with --map line,column,text,reason.
    #[arg(long, value_name = "FILE")]
    refused_to: Option<PathBuf>,
    /// What to do about a file that cannot be understood.
    #[arg(skip = "nothing was imported; `campanile help numbers import` has the options")]
    mend: &'static str,
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
    rules: RowRules,
    /// The last contact before this run: duplicates of later ones are duplicates within the file.
    before: ContactId,
    mend: &'static str,
}

/// Imports a file as it is found out to be, and tells nobody.
pub fn load(session: &mut Session, campaign: &Name, file: &Path) -> Result<Tally> {
    let import = Import {
        campaign: campaign.clone(),
        file: file.to_owned(),
        format: None,
        separator: None,
        charset: None,
        header: None,
        column: None,
        map: Vec::new(),
        dry_run: false,
        refused_to: None,
        mend: "name a file with a number on each line",
    };
    let target = import.target(session)?;
    let (tally, ended) = import.load(session, &target)?;
    ended.map(|()| tally)
}

impl Import {
    pub fn run(self, session: &mut Session) -> Outcome {
        let target = self.target(session)?;
        let (tally, ended) = self.load(session, &target)?;
        if tally.import.is_some() {
            session.wake_daemon();
        }
        // Parts that were committed before a failure stay, so their count is told in any case.
        session.answer(&tally, |out| tally.tell(out))?;
        ended?;
        self.hint(session, &tally, target.campaign.state);
        Ok(tally.exit())
    }

    /// What became of the numbers, and whether all of them were read.
    fn load(&self, session: &mut Session, target: &Target) -> Result<(Tally, Result<()>)> {
        let cells = if self.map.is_empty() { RefusedCells::OfAList } else { RefusedCells::OfAMapping };
        let refused_file = self.refused_to.as_deref().map(|path| RefusedFile::create(path, cells)).transpose()?;
        let mut tally = Tally::new(self.campaign.to_string(), self.file.display().to_string());
        tally.dry_run = self.dry_run;
        let mut run = Run::new(tally, refused_file, self.dry_run.then(Preview::default));
        let rules = Rules { rows: target.rules.clone(), map: self.map.clone() };
        let screen = Screen::open(session, &target.campaign)?;
        let reading = reader::start(self.file.clone(), self.options(), rules, screen)?;
        session.ledger.set_cache_kib(CACHE_KIB)?;
        let ended = run.write_all(session, target, &reading);
        run.progress.finish_and_clear();
        let tally = run.finish()?;
        match ended {
            // Nothing was opened, so there is nothing to count.
            Err(failure) if tally.format.is_none() => Err(failure),
            ended => Ok((tally, ended)),
        }
    }

    fn target(&self, session: &mut Session) -> Result<Target> {
        self.refuse_two_first_columns()?;
        let now = session.now();
        let (actor, settings) = (&session.actor, &session.settings);
        session.ledger.try_read(|db| {
            let campaign = actor.campaign(db, &self.campaign)?;
            let short_numbers = trunk::short_numbers_of(db, &campaign)?;
            let numbers = super::rules(short_numbers, settings)?;
            let rules = RowRules { numbers, zone: campaign.calendar.zone.clone(), now };
            Ok(Target { campaign, rules, before: contacts::last_id(db)?, mend: self.mend })
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
                None if mapping::names_headers(&self.map) => Header::Present,
                None => Header::Guess,
                Some(YesNo::Yes) => Header::Present,
                Some(YesNo::No) => Header::Absent,
            },
            column: self.column.clone().or_else(|| mapping::number_column(&self.map)).unwrap_or_default(),
        }
    }

    fn refuse_two_first_columns(&self) -> Result<()> {
        if self.column.is_none() || mapping::number_column(&self.map).is_none() {
            return Ok(());
        }
        let mend = "name the column of the first number once";
        Err(Failure::new(Exit::Usage, "--column and --map number=… say the same", mend))
    }

    fn hint(&self, session: &Session, tally: &Tally, state: CampaignState) {
        if session.form == Form::Text && tally.import.is_some() && state != CampaignState::Running {
            warn(&format!(
                "the campaign is {state}; to call these numbers: campanile campaign start {}",
                self.campaign
            ));
        }
    }
}

/// `mend` is for a file that is there and cannot be understood.
pub fn unopened(error: &IntakeError, mend: &str) -> Failure {
    match error {
        IntakeError::Open { path, source } => Failure::new(
            Exit::from(source.kind()),
            format!("cannot open `{}`: {source}", path.display()),
            "name a file that exists and that this user may read, or - for standard input",
        ),
        IntakeError::Read(source) => unreadable(source),
        error => Failure::new(Exit::DataErr, error.to_string(), mend),
    }
}

fn unmapped(why: &MapRefusal) -> Failure {
    let mend = "nothing was imported; `campanile help numbers import` has the fields, and --dry-run shows the columns";
    Failure::new(Exit::DataErr, why.to_string(), mend)
}

pub fn unreadable(error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::IoErr,
        format!("cannot read the numbers: {error}"),
        "what was imported stays; import the file again",
    )
}
