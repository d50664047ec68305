//! Writes what the reader brings, in transactions that suit whoever else needs the ledger.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::super::super::failure::{Failure, Result};
use super::super::super::session::Session;
use super::super::tally::{FileFormat, RefusedFile, RefusedRow, Tally, ToldColumn};
use super::mapping::{Field, Mapping};
use super::preview::Preview;
use super::reader::{Brought, Chunk, Event, Reading};
use super::{Target, unmapped, unopened, unreadable};
use crate::exit::Exit;
use crate::intake::Description;
use crate::ledger::newcomers::{Added, Desk, Holder, NewContact};
use crate::ledger::{self, Connection, contacts, importing, imports};

/// How long a transaction works while calls are made: a claim at the gate waits no longer.
const TURN_MS: i64 = 10;
/// How long the ledger is left to others after each: they ask for it every millisecond.
const PAUSE: Duration = Duration::from_millis(3);
/// Bounds for the rows of such a transaction.
const TURN_ROWS_MIN: usize = 100;
const TURN_ROWS_MAX: usize = 10_000;

/// An import on its way.
pub(super) struct Run {
    pub tally: Tally,
    pub refused_file: Option<RefusedFile>,
    /// In place of writing.
    preview: Option<Preview>,
    pub progress: ProgressBar,
    /// Rows that take about [`TURN_MS`].
    turn_rows: usize,
}

impl Run {
    pub fn new(tally: Tally, refused_file: Option<RefusedFile>, preview: Option<Preview>) -> Self {
        Self { tally, refused_file, preview, progress: ProgressBar::hidden(), turn_rows: TURN_ROWS_MIN }
    }

    pub fn write_all(&mut self, session: &mut Session, target: &Target, reading: &Reading) -> Result<()> {
        loop {
            match reading.events.recv() {
                Ok(Event::Described(file, bytes)) => self.described(&file.0, file.1.as_ref(), bytes),
                Ok(Event::Unmapped(why)) => return Err(unmapped(&why)),
                Ok(Event::Chunk(chunk)) => {
                    match &mut self.preview {
                        Some(preview) => {
                            let written = preview.of(session, target, &chunk.brought)?;
                            self.count(written)?;
                        }
                        None => self.write_chunk(session, target, &chunk.brought, reading)?,
                    }
                    self.note_refused(chunk)?;
                    if self.tally.interrupted {
                        return Ok(());
                    }
                }
                Ok(Event::Interrupted) => {
                    self.tally.interrupted = true;
                    return Ok(());
                }
                Ok(Event::Unopened(error)) => return Err(unopened(&error, target.mend)),
                Ok(Event::Unscreened(error)) => return Err(error.into()),
                Ok(Event::Unreadable(error)) => return Err(unreadable(&error)),
                Ok(Event::End) => return Ok(()),
                Err(_) => {
                    return Err(Failure::new(Exit::Software, "the reader of the file ended", "please report this"));
                }
            }
        }
    }

    /// From here on there is something to show; `indicatif` draws on a terminal only.
    fn described(&mut self, found: &Description, mapping: Option<&Mapping>, bytes: Option<u64>) {
        self.tally.format = Some(FileFormat::from(found));
        self.tell_columns(found, mapping);
        let style = "{bar:40} {bytes} of {total_bytes}, {eta} left";
        if let (Some(bytes), Ok(style)) = (bytes, ProgressStyle::with_template(style)) {
            self.progress = ProgressBar::new(bytes).with_style(style);
        }
    }

    fn tell_columns(&mut self, found: &Description, mapping: Option<&Mapping>) {
        let plain = Mapping::of(&[], found).unwrap_or_default();
        let told = mapping.or(self.preview.is_some().then_some(&plain));
        if let Some(mapping) = told {
            self.tally.columns = columns(found, mapping);
        }
        if mapping.is_none() {
            let unused = Mapping::found(&found.headers, found.column - 1);
            let name = |(field, place): &(Field, usize)| format!("{} ({field})", found.headers[*place]);
            self.tally.not_taken = unused.iter().map(name).collect();
        }
    }

    /// Writes a chunk in one transaction when nobody dials, else a turn at a time, in the order of the file.
    fn write_chunk(
        &mut self,
        session: &mut Session,
        target: &Target,
        brought: &Brought,
        reading: &Reading,
    ) -> Result<()> {
        let mut done = 0;
        while done < brought.len() && !self.tally.interrupted {
            let dialling = session.is_dialling()?;
            let left = brought.len() - done;
            let rows = if dialling { self.turn_rows.min(left) } else { left };
            let begun = session.now();
            self.write_rows(session, target, brought, done..done + rows)?;
            if dialling {
                let took = session.now().since_ms(begun);
                self.turn_rows = next_turn(rows, took);
                std::thread::sleep(PAUSE);
            }
            done += rows;
            self.tally.interrupted = reading.interrupted.load(Ordering::Relaxed);
        }
        Ok(())
    }

    /// Writes rows in one transaction, and notes which import brought them.
    fn write_rows(
        &mut self,
        session: &mut Session,
        target: &Target,
        brought: &Brought,
        rows: Range<usize>,
    ) -> Result<()> {
        let (file, now, known) = (self.tally.file.clone(), session.now(), self.tally.import);
        let (written, import) = session.ledger.write(|db| {
            let before = contacts::last_id(db)?;
            let written = Written::of(db, target, brought, rows)?;
            if written.new == 0 {
                return Ok((written, known));
            }
            let import = known.map_or_else(|| imports::begin(db, target.campaign.id, &file, now), Ok)?;
            imports::note(db, import, before, written.new)?;
            Ok((written, Some(import)))
        })?;
        self.tally.import = import;
        self.count(written)
    }

    /// Counts what became of rows.
    pub fn count(&mut self, written: Written) -> Result<()> {
        self.tally.imported += written.new;
        self.tally.duplicates_in_file += written.in_run;
        self.tally.duplicates_in_campaign += written.in_campaign;
        self.tally.numbers_left_out += written.left_out.len() as u64;
        written.left_out.into_iter().try_for_each(|row| self.note(row))
    }

    fn note_refused(&mut self, chunk: Chunk) -> Result<()> {
        self.tally.refused += chunk.refused;
        self.tally.do_not_call += chunk.do_not_call;
        self.tally.numbers_left_out += chunk.left_out;
        chunk.refusals.into_iter().try_for_each(|row| self.note(row))?;
        self.progress.set_position(chunk.bytes_read);
        Ok(())
    }

    fn note(&mut self, row: RefusedRow) -> Result<()> {
        if let Some(file) = &mut self.refused_file {
            file.write(&row)?;
        }
        self.tally.keep(row);
        Ok(())
    }

    pub fn finish(self) -> Result<Tally> {
        self.refused_file.map(RefusedFile::finish).transpose()?;
        Ok(self.tally)
    }
}

/// What became of rows.
#[derive(Default)]
pub(super) struct Written {
    pub new: u64,
    pub in_run: u64,
    pub in_campaign: u64,
    /// Numbers that other contacts have.
    pub left_out: Vec<RefusedRow>,
}

impl Written {
    fn of(db: &Connection, target: &Target, brought: &Brought, rows: Range<usize>) -> ledger::Result<Self> {
        match brought {
            Brought::Numbers(numbers) => {
                let added = importing::add_all(db, target.campaign.id, &numbers[rows], target.before)?;
                let (new, in_run, in_campaign) = (added.new, added.in_run, added.in_campaign);
                Ok(Self { new, in_run, in_campaign, left_out: Vec::new() })
            }
            Brought::Contacts(contacts) => {
                let mut written = Self::default();
                let mut desk = Desk::open(db, target.campaign.id, target.before)?;
                for (line, contact) in &contacts[rows] {
                    let added = desk.add(contact)?;
                    written.note(*line, contact, added);
                }
                Ok(written)
            }
        }
    }

    pub fn note(&mut self, line: u64, contact: &NewContact, added: Added) {
        match added {
            Added::Known(Holder::InRun) => self.in_run += 1,
            Added::Known(Holder::InCampaign) => self.in_campaign += 1,
            Added::New { without } => {
                self.new += 1;
                let refused = |(i, holder): (usize, Holder)| {
                    let (number, kind) = &contact.numbers[i];
                    let whose = match holder {
                        Holder::InRun => "another contact of the file has this number",
                        Holder::InCampaign => "another contact of the campaign has this number",
                    };
                    let why = format!("{whose}; within a campaign a number belongs to one contact");
                    RefusedRow::new(line, number.as_str(), why).in_column(&Field::Number(i + 1, kind.clone()))
                };
                self.left_out.extend(without.into_iter().map(refused));
            }
        }
    }
}

fn columns(found: &Description, mapping: &Mapping) -> Vec<ToldColumn> {
    let count = found.headers.len().max(found.example.len());
    let told = |place: usize| ToldColumn {
        column: place + 1,
        header: found.headers.get(place).cloned(),
        becomes: mapping.of_column(place).into_iter().map(Field::to_string).collect(),
        example: found.example.get(place).cloned().unwrap_or_default(),
    };
    (0..count).map(told).collect()
}

/// As many rows as take [`TURN_MS`] when `rows` took so long; at most twice as many.
fn next_turn(rows: usize, took_ms: i64) -> usize {
    let took = usize::try_from(took_ms).unwrap_or(0).max(TURN_MS as usize / 2);
    (rows * TURN_MS as usize / took).clamp(TURN_ROWS_MIN, TURN_ROWS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_grows_and_shrinks_with_what_the_last_one_took() {
        assert_eq!(next_turn(1_000, TURN_MS), 1_000);
        assert_eq!(next_turn(1_000, 2 * TURN_MS), 500);
        assert_eq!(next_turn(1_000, 0), 2_000);
        assert_eq!(next_turn(1_000, -5), 2_000, "the clock was set back");
        assert_eq!((next_turn(100, 900), next_turn(9_000, 1)), (TURN_ROWS_MIN, TURN_ROWS_MAX));
    }
}
