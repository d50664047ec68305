//! Writes what the reader brings, in transactions that suit whoever else needs the ledger.

use std::sync::atomic::Ordering;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::super::super::failure::{Failure, Result};
use super::super::super::session::{Daemon, Session};
use super::super::tally::{FileFormat, RefusedFile, Tally};
use super::reader::{Chunk, Event, Reading};
use super::{Target, unopened, unreadable};
use crate::domain::number::Packed;
use crate::exit::Exit;
use crate::intake::Description;
use crate::ledger::importing;

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
    pub progress: ProgressBar,
    /// Rows that take about [`TURN_MS`].
    turn_rows: usize,
}

impl Run {
    pub fn new(tally: Tally, refused_file: Option<RefusedFile>) -> Self {
        Self { tally, refused_file, progress: ProgressBar::hidden(), turn_rows: TURN_ROWS_MIN }
    }

    pub fn write_all(&mut self, session: &mut Session, target: &Target, reading: &Reading) -> Result<()> {
        loop {
            match reading.events.recv() {
                Ok(Event::Described(found, bytes)) => self.described(&found, bytes),
                Ok(Event::Chunk(chunk)) => {
                    self.write_chunk(session, target, &chunk.numbers, reading)?;
                    self.note_refused(chunk)?;
                    if self.tally.interrupted {
                        return Ok(());
                    }
                }
                Ok(Event::Interrupted) => {
                    self.tally.interrupted = true;
                    return Ok(());
                }
                Ok(Event::Unscreened(error)) => return Err(error.into()),
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

    /// Writes a chunk in one transaction when nobody dials, else a turn at a time, in the order of the file.
    fn write_chunk(
        &mut self,
        session: &mut Session,
        target: &Target,
        mut numbers: &[Packed],
        reading: &Reading,
    ) -> Result<()> {
        while !numbers.is_empty() && !self.tally.interrupted {
            let dialling = is_dialling(session)?;
            let rows = if dialling { self.turn_rows.min(numbers.len()) } else { numbers.len() };
            let (part, rest) = numbers.split_at(rows);
            let begun = session.now();
            let added = session.ledger.write(|db| importing::add_all(db, target.campaign.id, part, target.before))?;
            self.tally.imported += added.new;
            self.tally.duplicates_in_file += added.in_run;
            self.tally.duplicates_in_campaign += added.in_campaign;
            if dialling {
                let took = session.now().since_ms(begun);
                self.turn_rows = next_turn(rows, took);
                std::thread::sleep(PAUSE);
            }
            numbers = rest;
            self.tally.interrupted = reading.interrupted.load(Ordering::Relaxed);
        }
        Ok(())
    }

    fn note_refused(&mut self, chunk: Chunk) -> Result<()> {
        self.tally.do_not_call += chunk.do_not_call;
        for row in chunk.refused {
            if let Some(file) = &mut self.refused_file {
                file.write(&row)?;
            }
            self.tally.refuse(row);
        }
        self.progress.set_position(chunk.bytes_read);
        Ok(())
    }

    pub fn finish(self) -> Result<Tally> {
        self.refused_file.map(RefusedFile::finish).transpose()?;
        Ok(self.tally)
    }
}

/// Whether a claim or a plan may need the ledger at any moment.
fn is_dialling(session: &mut Session) -> Result<bool> {
    Ok(session.daemon() == Daemon::Runs || session.ledger.read(|db| importing::any_open_attempt(db))?)
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
