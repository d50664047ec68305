//! `campanile numbers import`.
//!
//! A thread reads the file in batches, this one writes each batch in one transaction, and Ctrl-C comes
//! down the same channel: it takes effect between two batches, even while the reader waits for a pipe.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::super::failure::{Failure, Outcome, Result};
use super::super::interrupt::{self, Listening};
use super::super::session::{Form, Session, warn};
use super::tally::{FileFormat, RefusedFile, RefusedRow, Tally};
use crate::domain::campaign::CampaignState;
use crate::domain::ids::{CampaignId, ContactId};
use crate::domain::name::Name;
use crate::domain::number::{Number, NumberRules};
use crate::exit::Exit;
use crate::intake::{self, Column, Description, Format, Header, Intake, IntakeError, Options, RowError, Separator};
use crate::ledger::contacts::{self, Imported};
use crate::ledger::{Connection, Ledger, LedgerError, trunks};

/// Rows in one transaction: large enough that the commit's flush does not count, small enough that the
/// gate never waits for it.
const BATCH_ROWS: usize = 2_000;
/// Batches that are read ahead.
const BATCHES_AHEAD: usize = 4;

#[derive(Debug, Args)]
#[command(after_help = "\
Text (one number a line) and CSV are told apart, and charset, separator, header and the column with the \
numbers are found out, unless they are given. Numbers are read as people write them, +49 (30) 1234-567 or \
0049…, and without a country code as numbers of the setting country; extensions and short codes are numbers \
where the campaign's trunk says so. What is refused is told with its line, text and reason.

The import is written in batches: Ctrl-C keeps those that were written and says how many.

Examples:
  campanile numbers import spring numbers.txt
  campanile numbers import spring customers.csv --column Mobile --refused-to refused.csv
  grep -v '^#' numbers.txt | campanile numbers import spring -

JSON: {campaign, file, format: {charset, separator, header, column}, imported, duplicates_in_file, \
duplicates_in_campaign, refused, refusals: [{line, text, reason}] (the first 1000), refusals_left_out, \
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

fn separator(text: &str) -> std::result::Result<Separator, &'static str> {
    match text {
        "," | "comma" => Ok(Separator::Comma),
        ";" | "semicolon" => Ok(Separator::Semicolon),
        "|" | "bar" => Ok(Separator::Bar),
        "\t" | "\\t" | "tab" => Ok(Separator::Tab),
        _ => Err("write one of , ; | tab"),
    }
}

fn column(text: &str) -> std::result::Result<Column, &'static str> {
    match text.parse() {
        Ok(0) => Err("columns are counted from 1"),
        Ok(place) => Ok(Column::Place(place)),
        Err(_) => Ok(Column::Named(text.to_owned())),
    }
}

/// What comes to the writing thread.
enum Event {
    Described(Description, Option<u64>),
    Batch { rows: Vec<RowOrRefusal>, bytes_read: u64 },
    Unopened(IntakeError),
    Unreadable(std::io::Error),
    End,
    Interrupted,
}

/// A row as the reader gives it on.
enum RowOrRefusal {
    Number { number: Number },
    Refused(RefusedRow),
}

/// Where the numbers go.
struct Target {
    campaign: CampaignId,
    rules: NumberRules,
    /// The last contact before this run: duplicates of later ones are duplicates within the file.
    before: ContactId,
    state: CampaignState,
}

impl Import {
    pub fn run(self, session: &mut Session) -> Outcome {
        let target = self.target(session)?;
        let refused_file = self.refused_to.as_deref().map(RefusedFile::create).transpose()?;
        let mut run = Run {
            tally: Tally::new(self.campaign.to_string(), self.file.display().to_string()),
            refused_file,
            progress: ProgressBar::hidden(),
        };
        let events = self.start_reading(target.rules)?;
        let ended = run.write_all(&mut session.ledger, &target, &events);
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
        // Batches that were committed before a failure stay, so their count is told in any case.
        session.answer(&tally, |out| tally.tell(out))?;
        ended?;
        self.hint(session, &tally, target.state);
        Ok(tally.exit())
    }

    fn target(&self, session: &mut Session) -> Result<Target> {
        let (actor, settings) = (&session.actor, &session.settings);
        session.ledger.try_read(|db| {
            let campaign = actor.campaign(db, &self.campaign)?;
            let short_numbers = trunks::get(db, campaign.trunk)?.short_numbers;
            let rules = super::rules(short_numbers, settings)?;
            Ok(Target { campaign: campaign.id, rules, before: contacts::last_id(db)?, state: campaign.state })
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

    fn start_reading(&self, rules: NumberRules) -> Result<Receiver<Event>> {
        let (events, received) = sync_channel(BATCHES_AHEAD);
        let interrupts = events.clone();
        interrupt::listen(move || match interrupts.send(Event::Interrupted) {
            Ok(()) => Listening::Still,
            Err(_) => Listening::NoMore,
        })?;
        let (file, options) = (self.file.clone(), self.options());
        thread::Builder::new().name("intake".to_owned()).spawn(move || {
            let opened = if file.as_os_str() == "-" {
                intake::from_reader(std::io::stdin(), &options)
            } else {
                intake::open(&file, &options)
            };
            // A writer that is gone has failed, and says so itself.
            let _ = match opened {
                Ok(intake) => read_all(intake, &rules, &events),
                Err(error) => events.send(Event::Unopened(error)),
            };
        })?;
        Ok(received)
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

type Sent = std::result::Result<(), std::sync::mpsc::SendError<Event>>;

fn read_all(mut intake: Intake, rules: &NumberRules, events: &SyncSender<Event>) -> Sent {
    events.send(Event::Described(intake.describe().clone(), intake.bytes_total()))?;
    loop {
        let mut rows = Vec::with_capacity(BATCH_ROWS);
        let mut ended = None;
        while rows.len() < BATCH_ROWS && ended.is_none() {
            match intake.next() {
                None => ended = Some(Event::End),
                Some(Err(RowError::Unreadable(error))) => ended = Some(Event::Unreadable(error)),
                Some(Err(RowError::Refused { line, why })) => {
                    rows.push(RowOrRefusal::Refused(RefusedRow::new(line, "", why)));
                }
                Some(Ok(row)) => rows.push(judged(&row, rules)),
            }
        }
        events.send(Event::Batch { rows, bytes_read: intake.bytes_read() })?;
        if let Some(end) = ended {
            return events.send(end);
        }
    }
}

fn judged(row: &intake::Row, rules: &NumberRules) -> RowOrRefusal {
    match Number::canonical(&row.text, rules) {
        Ok(number) => RowOrRefusal::Number { number },
        Err(why) => RowOrRefusal::Refused(RefusedRow::new(row.line, row.text.trim(), why)),
    }
}

/// An import on its way.
struct Run {
    tally: Tally,
    refused_file: Option<RefusedFile>,
    progress: ProgressBar,
}

impl Run {
    fn write_all(&mut self, ledger: &mut Ledger, target: &Target, events: &Receiver<Event>) -> Result<()> {
        loop {
            match events.recv() {
                Ok(Event::Described(found, bytes)) => self.described(&found, bytes),
                Ok(Event::Batch { rows, bytes_read }) => {
                    self.write_batch(ledger, target, rows)?;
                    self.progress.set_position(bytes_read);
                }
                Ok(Event::Interrupted) => {
                    self.tally.interrupted = true;
                    return Ok(());
                }
                Ok(Event::Unopened(error)) => return Err(unopened(&error)),
                Ok(Event::Unreadable(error)) => return Err(unreadable(&error)),
                Ok(Event::End) => return Ok(()),
                Err(_) => {
                    return Err(Failure::new(Exit::Software, "the reader of the file ended", "please report this"));
                }
            }
        }
    }

    /// From here on there is something to show; `indicatif` draws on a terminal only.
    fn described(&mut self, found: &Description, bytes: Option<u64>) {
        self.tally.format = Some(FileFormat::from(found));
        let style = "{bar:40} {bytes} of {total_bytes}, {eta} left";
        if let (Some(bytes), Ok(style)) = (bytes, ProgressStyle::with_template(style)) {
            self.progress = ProgressBar::new(bytes).with_style(style);
        }
    }

    fn write_batch(&mut self, ledger: &mut Ledger, target: &Target, rows: Vec<RowOrRefusal>) -> Result<()> {
        let (mut numbers, mut refused) = (Vec::with_capacity(rows.len()), Vec::new());
        for row in rows {
            match row {
                RowOrRefusal::Number { number } => numbers.push(number),
                RowOrRefusal::Refused(row) => refused.push(row),
            }
        }
        let written = ledger.write(|db| write_numbers(db, target, &numbers))?;
        self.tally.imported += written.new;
        self.tally.duplicates_in_file += written.in_file;
        self.tally.duplicates_in_campaign += written.in_campaign;
        for row in refused {
            if let Some(file) = &mut self.refused_file {
                file.write(&row)?;
            }
            self.tally.refuse(row);
        }
        Ok(())
    }

    fn finish(self) -> Result<Tally> {
        self.refused_file.map(RefusedFile::finish).transpose()?;
        Ok(self.tally)
    }
}

#[derive(Default)]
struct Written {
    new: u64,
    in_file: u64,
    in_campaign: u64,
}

fn write_numbers(db: &Connection, target: &Target, numbers: &[Number]) -> Result<Written, LedgerError> {
    let mut written = Written::default();
    for number in numbers {
        match contacts::import(db, target.campaign, number)? {
            Imported::New => written.new += 1,
            Imported::Duplicate if is_of_this_run(db, target, number)? => written.in_file += 1,
            Imported::Duplicate => written.in_campaign += 1,
        }
    }
    Ok(written)
}

fn is_of_this_run(db: &Connection, target: &Target, number: &Number) -> Result<bool, LedgerError> {
    Ok(contacts::find(db, target.campaign, number)?.is_some_and(|contact| contact.id > target.before))
}

fn unopened(error: &IntakeError) -> Failure {
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

fn unreadable(error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::IoErr,
        format!("cannot read the numbers: {error}"),
        "what was imported stays; import the file again",
    )
}
