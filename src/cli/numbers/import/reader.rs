//! Reads the numbers on a thread of its own, ahead of the one that writes them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::super::super::failure::Result;
use super::super::super::interrupt::{self, Listening};
use super::super::tally::RefusedRow;
use super::screen::Screen;
use crate::domain::number::{Number, NumberRules, Packed};
use crate::intake::{self, Description, Intake, IntakeError, Options, RowError};
use crate::ledger::LedgerError;

/// Rows of the first chunk: something is written soon, also of a slow pipe.
const CHUNK_ROWS_MIN: usize = 2_000;
/// The most rows of a chunk: 8 MiB of numbers.
const CHUNK_ROWS_MAX: usize = 500_000;
/// A chunk is a quarter of what came before it: few enough that reading and writing overlap, many enough that
/// a chunk has several numbers for each page of the index.
const CHUNK_SHARE: usize = 4;
/// The most refused rows of a chunk; each has its text.
const CHUNK_REFUSED_MAX: usize = 2_000;

/// What comes to the writing thread.
pub(super) enum Event {
    Described(Description, Option<u64>),
    Chunk(Chunk),
    Unopened(IntakeError),
    /// The do-not-call lists could not be read.
    Unscreened(LedgerError),
    Unreadable(std::io::Error),
    End,
    Interrupted,
}

/// Rows as the reader gives them on.
#[derive(Default)]
pub(super) struct Chunk {
    pub numbers: Vec<Packed>,
    pub refused: Vec<RefusedRow>,
    /// Those of the refused that are on a do-not-call list.
    pub do_not_call: u64,
    /// Of the whole file, up to here.
    pub bytes_read: u64,
}

/// The reader's end of the import.
pub(super) struct Reading {
    pub events: Receiver<Event>,
    /// Ctrl-C was pressed: told at once, while the event waits behind chunks that were read already.
    pub interrupted: Arc<AtomicBool>,
}

/// Starts to read `file`, or standard input for `-`.
pub(super) fn start(file: PathBuf, options: Options, rules: NumberRules, screen: Option<Screen>) -> Result<Reading> {
    // No chunk waits: one is being written, one is being read.
    let (events, received) = sync_channel(0);
    let interrupted = Arc::new(AtomicBool::new(false));
    let (interrupts, flag) = (events.clone(), Arc::clone(&interrupted));
    interrupt::listen(move || {
        flag.store(true, Ordering::Relaxed);
        match interrupts.send(Event::Interrupted) {
            Ok(()) => Listening::Still,
            Err(_) => Listening::NoMore,
        }
    })?;
    thread::Builder::new().name("intake".to_owned()).spawn(move || {
        let opened = if file.as_os_str() == "-" {
            intake::from_reader(std::io::stdin(), &options)
        } else {
            intake::open(&file, &options)
        };
        // A writer that is gone has failed, and says so itself.
        let _ = match opened {
            Ok(intake) => read_all(intake, &rules, screen, &events),
            Err(error) => events.send(Event::Unopened(error)),
        };
    })?;
    Ok(Reading { events: received, interrupted })
}

type Sent = std::result::Result<(), std::sync::mpsc::SendError<Event>>;

fn read_all(mut intake: Intake, rules: &NumberRules, mut screen: Option<Screen>, events: &SyncSender<Event>) -> Sent {
    events.send(Event::Described(intake.describe().clone(), intake.bytes_total()))?;
    let mut rows_read = 0;
    loop {
        let rows_max = (rows_read / CHUNK_SHARE).clamp(CHUNK_ROWS_MIN, CHUNK_ROWS_MAX);
        let mut lines = screen.as_ref().map(|_| Vec::with_capacity(rows_max));
        let (mut chunk, end) = read_chunk(&mut intake, rules, rows_max, &mut lines);
        rows_read += chunk.numbers.len();
        if let (Some(screen), Some(lines)) = (&mut screen, lines)
            && let Err(error) = screen.sift(&mut chunk, &lines)
        {
            return events.send(Event::Unscreened(error));
        }
        events.send(Event::Chunk(chunk))?;
        if let Some(end) = end {
            return events.send(end);
        }
    }
}

/// The lines of the numbers go to `lines` where somebody wants them.
fn read_chunk(
    intake: &mut Intake,
    rules: &NumberRules,
    rows_max: usize,
    lines: &mut Option<Vec<u64>>,
) -> (Chunk, Option<Event>) {
    let mut chunk = Chunk { numbers: Vec::with_capacity(rows_max), ..Chunk::default() };
    let mut end = None;
    while chunk.numbers.len() < rows_max && chunk.refused.len() < CHUNK_REFUSED_MAX && end.is_none() {
        match intake.next() {
            None => end = Some(Event::End),
            Some(Err(RowError::Unreadable(error))) => end = Some(Event::Unreadable(error)),
            Some(Err(RowError::Refused { line, why })) => chunk.refused.push(RefusedRow::new(line, "", why)),
            Some(Ok(row)) => match Number::canonical(&row.text, rules) {
                Ok(number) => {
                    chunk.numbers.push(Packed::from(&number));
                    lines.iter_mut().for_each(|lines| lines.push(row.line));
                }
                Err(why) => chunk.refused.push(RefusedRow::new(row.line, row.text.trim(), why)),
            },
        }
    }
    chunk.bytes_read = intake.bytes_read();
    (chunk, end)
}
