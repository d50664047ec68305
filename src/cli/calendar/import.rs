//! `campanile calendar import`.

use std::io::Read;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::super::failure::{Failure, Outcome, Result};
use super::super::present::counted;
use super::super::session::Session;
use super::holidays::join;
use super::show::in_words;
use super::{change, own};
use crate::domain::calendar::Holiday;
use crate::domain::name::Name;
use crate::exit::Exit;
use crate::intake::holidays::{self, FILE_BYTES_MAX};

#[derive(Debug, Args)]
#[command(after_help = "\
Every event (VEVENT) of the file becomes a holiday on its days, whatever its time of day. One that repeats each year \
on the same date does so for ever; any other rule is followed for ten years. If one event cannot be understood, \
nothing is taken over: a holiday that is left out is a day on which people are called.

Examples:
  campanile calendar import office holidays.ics --dry-run
  campanile calendar import office holidays.ics

JSON: {calendar, file, found, new, dry_run, holidays: [{name, first, last, repeats}]}.
Ends with 65 when the file cannot be understood.")]
pub struct Import {
    /// The calendar's name.
    calendar: Name,
    /// The file, or - for standard input.
    file: PathBuf,
    /// Show what would be taken over, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Imported {
    calendar: String,
    file: String,
    found: usize,
    new: usize,
    dry_run: bool,
    holidays: Vec<Holiday>,
}

impl Import {
    pub fn run(self, session: &mut Session) -> Outcome {
        let bytes = self.read()?;
        let now = session.now();
        let actor = &session.actor;
        let calendar = session.ledger.try_read(|db| own(db, actor, &self.calendar))?;
        let zone = &calendar.timetable.zone;
        let found = holidays::read(&bytes, zone, zone.date(now)).map_err(|why| {
            let what = format!("{}: {why}", self.file.display());
            Failure::new(Exit::DataErr, what, "nothing was taken over; mend the file and import it again")
        })?;
        let new = if self.dry_run {
            join(&mut calendar.timetable.holidays.clone(), found.clone())?
        } else {
            let mut new = 0;
            change(session, &self.calendar, |calendar| {
                new = join(&mut calendar.timetable.holidays, found.clone())?;
                Ok(())
            })?;
            new
        };
        self.tell(session, found, new)
    }

    fn read(&self) -> Result<Vec<u8>> {
        let source: Box<dyn Read> = if self.file.as_os_str() == "-" {
            Box::new(std::io::stdin())
        } else {
            Box::new(std::fs::File::open(&self.file).map_err(|error| self.unreadable(&error))?)
        };
        let mut bytes = Vec::new();
        // One more than may be, so that more is seen.
        source.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(|error| self.unreadable(&error))?;
        Ok(bytes)
    }

    fn unreadable(&self, error: &std::io::Error) -> Failure {
        let what = format!("cannot read `{}`: {error}", self.file.display());
        Failure::new(
            Exit::from(error.kind()),
            what,
            "name a file that exists and that this user may read, or - for standard input",
        )
    }

    fn tell(self, session: &mut Session, holidays: Vec<Holiday>, new: usize) -> Outcome {
        let answer = Imported {
            calendar: self.calendar.to_string(),
            file: self.file.display().to_string(),
            found: holidays.len(),
            new,
            dry_run: self.dry_run,
            holidays,
        };
        session.answer(&answer, |out| {
            answer.holidays.iter().try_for_each(|holiday| writeln!(out, "  {}", in_words(holiday)))?;
            let done = if answer.dry_run { "would be taken over" } else { "taken over" };
            let told = match (answer.new, answer.found) {
                (new, found) if new == found => format!("{} {done}", counted(found as u64, "holiday")),
                (new, found) => format!("{new} of {found} holidays {done}, the others are there already"),
            };
            Ok(writeln!(out, "{told}")?)
        })?;
        Ok(Exit::Ok)
    }
}
