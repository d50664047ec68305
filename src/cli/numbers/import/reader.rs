//! Reads the numbers on a thread of its own, ahead of the one that writes them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::super::super::failure::Result;
use super::super::super::interrupt::{self, Listening};
use super::super::tally::RefusedRow;
use super::mapping::{MapRefusal, Mapping, Part};
use super::row::{self, RowRules};
use super::screen::Screen;
use crate::domain::number::{Number, NumberRules, Packed};
use crate::intake::{self, Description, Intake, IntakeError, Options, RowError};
use crate::ledger::LedgerError;
use crate::ledger::newcomers::NewContact;

/// Rows of the first chunk: something is written soon, also of a slow pipe.
const CHUNK_ROWS_MIN: usize = 2_000;
/// The most rows of a chunk: 8 MiB of numbers.
const CHUNK_ROWS_MAX: usize = 500_000;
/// A chunk is a quarter of what came before it: few enough that reading and writing overlap, many enough that
/// a chunk has several numbers for each page of the index.
const CHUNK_SHARE: usize = 4;
/// The most contacts of a chunk: each has more than a number.
const CHUNK_CONTACTS_MAX: usize = 20_000;
/// The most refused rows of a chunk; each has its text.
const CHUNK_REFUSED_MAX: usize = 2_000;

/// What comes to the writing thread.
pub(super) enum Event {
    /// What was found out, what columns become, and how many bytes there are.
    Described(Box<(Description, Option<Mapping>)>, Option<u64>),
    Unmapped(MapRefusal),
    Chunk(Chunk),
    Unopened(IntakeError),
    /// The do-not-call lists could not be read.
    Unscreened(LedgerError),
    Unreadable(std::io::Error),
    End,
    Interrupted,
}

/// What came of rows.
pub(super) enum Brought {
    /// Of a plain list.
    Numbers(Vec<Packed>),
    /// With a mapping, each with its line.
    Contacts(Vec<(u64, NewContact)>),
}

impl Default for Brought {
    fn default() -> Self {
        Self::Numbers(Vec::new())
    }
}

impl Brought {
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Contacts(contacts) => contacts.len(),
        }
    }
}

/// How rows are read.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub rows: RowRules,
    /// None for a plain list.
    pub map: Vec<Part>,
}

/// Rows as the reader gives them on.
#[derive(Default)]
pub(super) struct Chunk {
    pub brought: Brought,
    /// Rows that were refused.
    pub refused: u64,
    /// Those of the refused that are on a do-not-call list.
    pub do_not_call: u64,
    /// Further numbers that were refused, of contacts that were not.
    pub left_out: u64,
    /// What was wrong with them.
    pub refusals: Vec<RefusedRow>,
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
pub(super) fn start(file: PathBuf, options: Options, rules: Rules, screen: Option<Screen>) -> Result<Reading> {
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

fn read_all(mut intake: Intake, rules: &Rules, mut screen: Option<Screen>, events: &SyncSender<Event>) -> Sent {
    let mapping = match rules.map.is_empty() {
        true => Ok(None),
        false => Mapping::of(&rules.map, intake.describe()).map(Some),
    };
    let mapping = match mapping {
        Ok(mapping) => mapping,
        Err(why) => return events.send(Event::Unmapped(why)),
    };
    let described = Box::new((intake.describe().clone(), mapping.clone()));
    events.send(Event::Described(described, intake.bytes_total()))?;
    let mut rows_read = 0;
    loop {
        let mut lines = screen.as_ref().map(|_| Vec::new());
        let (mut chunk, end) = match &mapping {
            None => {
                let rows_max = (rows_read / CHUNK_SHARE).clamp(CHUNK_ROWS_MIN, CHUNK_ROWS_MAX);
                read_numbers(&mut intake, &rules.rows.numbers, rows_max, &mut lines)
            }
            Some(mapping) => read_contacts(&mut intake, mapping, &rules.rows),
        };
        rows_read += chunk.brought.len();
        if let Some(Err(error)) = screen.as_mut().map(|screen| screen.sift(&mut chunk, &lines.unwrap_or_default())) {
            return events.send(Event::Unscreened(error));
        }
        events.send(Event::Chunk(chunk))?;
        if let Some(end) = end {
            return events.send(end);
        }
    }
}

/// The lines of the numbers go to `lines` where somebody wants them.
fn read_numbers(
    intake: &mut Intake,
    rules: &NumberRules,
    rows_max: usize,
    lines: &mut Option<Vec<u64>>,
) -> (Chunk, Option<Event>) {
    let mut numbers = Vec::with_capacity(rows_max);
    let mut refusals = Vec::new();
    let mut end = None;
    while numbers.len() < rows_max && refusals.len() < CHUNK_REFUSED_MAX && end.is_none() {
        match intake.next() {
            None => end = Some(Event::End),
            Some(Err(RowError::Unreadable(error))) => end = Some(Event::Unreadable(error)),
            Some(Err(RowError::Refused { line, why })) => refusals.push(RefusedRow::new(line, "", why)),
            Some(Ok(row)) => match Number::canonical(&row.text, rules) {
                Ok(number) => {
                    numbers.push(Packed::from(&number));
                    lines.iter_mut().for_each(|lines| lines.push(row.line));
                }
                Err(why) => refusals.push(RefusedRow::new(row.line, row.text.trim(), why)),
            },
        }
    }
    let (brought, refused) = (Brought::Numbers(numbers), refusals.len() as u64);
    (Chunk { brought, refused, refusals, bytes_read: intake.bytes_read(), ..Chunk::default() }, end)
}

fn read_contacts(intake: &mut Intake, mapping: &Mapping, rules: &RowRules) -> (Chunk, Option<Event>) {
    let places = mapping.places();
    let mut contacts = Vec::new();
    let mut chunk = Chunk::default();
    let mut end = None;
    while contacts.len() < CHUNK_CONTACTS_MAX && chunk.refusals.len() < CHUNK_REFUSED_MAX && end.is_none() {
        match intake.next_cells(&places) {
            None => end = Some(Event::End),
            Some(Err(RowError::Unreadable(error))) => end = Some(Event::Unreadable(error)),
            Some(Err(RowError::Refused { line, why })) => {
                chunk.refused += 1;
                chunk.refusals.push(RefusedRow::new(line, "", why));
            }
            Some(Ok(cells)) => {
                let read = row::read(&cells, mapping, rules);
                match read.contact {
                    Some(contact) => {
                        contacts.push((read.line, contact));
                        chunk.left_out += read.refusals.len() as u64;
                    }
                    None => chunk.refused += 1,
                }
                chunk.refusals.extend(read.refusals);
            }
        }
    }
    chunk.brought = Brought::Contacts(contacts);
    chunk.bytes_read = intake.bytes_read();
    (chunk, end)
}
