//! Numbers on do-not-call lists are refused as they come in.

use super::super::super::failure::Result;
use super::super::super::session::Session;
use super::super::tally::RefusedRow;
use super::reader::{Brought, Chunk};
use crate::domain::bar::Listed;
use crate::domain::campaign::Campaign;
use crate::domain::instant::UtcMs;
use crate::domain::number::{Number, Packed};
use crate::ledger::dnc::{self, Caller, Stock};
use crate::ledger::newcomers::NewContact;
use crate::ledger::{Ledger, LedgerError};

/// The reading thread's own look at the lists. There is none where nothing stands on any: a list of numbers is
/// imported as fast as ever then.
pub(super) struct Screen {
    ledger: Ledger,
    caller: Caller,
    stock: Stock,
    at: UtcMs,
}

impl Screen {
    /// For numbers of this campaign; `None` where nothing stands on any list.
    pub fn open(session: &mut Session, campaign: &Campaign) -> Result<Option<Self>> {
        let stock = session.ledger.read(|db| Stock::read(db))?;
        if stock.is_empty() {
            return Ok(None);
        }
        let ledger = Ledger::open_existing(&session.settings.ledger())?;
        Ok(Some(Self { ledger, caller: Caller::of(campaign), stock, at: session.now() }))
    }

    /// Moves what is on a list from a chunk's numbers to its refusals; `lines` has the line of each number of a plain
    /// list. A contact goes without its numbers that are on a list, and is refused when it has no other.
    pub fn sift(&mut self, chunk: &mut Chunk, lines: &[u64]) -> std::result::Result<(), LedgerError> {
        let (caller, stock, at) = (self.caller, self.stock, self.at);
        self.ledger.read(|db| {
            let listed = |number: &Number| dnc::listed(db, stock, caller, number, at);
            match std::mem::take(&mut chunk.brought) {
                Brought::Numbers(numbers) => sift_numbers(chunk, numbers, lines, listed),
                Brought::Contacts(contacts) => sift_contacts(chunk, contacts, listed),
            }
        })?;
        chunk.refusals.sort_by_key(|row| row.line);
        Ok(())
    }
}

type Sifted = std::result::Result<(), LedgerError>;

fn refusal(line: u64, number: &str, listed: &Listed) -> RefusedRow {
    RefusedRow::new(line, number, format!("on the do-not-call list {} ({})", listed.list, listed.source))
}

fn sift_numbers(
    chunk: &mut Chunk,
    numbers: Vec<Packed>,
    lines: &[u64],
    listed: impl Fn(&Number) -> std::result::Result<Option<Listed>, LedgerError>,
) -> Sifted {
    let mut text = String::new();
    let mut kept = Vec::with_capacity(numbers.len());
    for (packed, line) in numbers.into_iter().zip(lines) {
        packed.write_to(&mut text);
        match Number::from_canonical(&text).map(|number| listed(&number)).transpose()?.flatten() {
            None => kept.push(packed),
            Some(listed) => {
                chunk.refusals.push(refusal(*line, &text, &listed));
                chunk.refused += 1;
                chunk.do_not_call += 1;
            }
        }
    }
    chunk.brought = Brought::Numbers(kept);
    Ok(())
}

fn sift_contacts(
    chunk: &mut Chunk,
    contacts: Vec<(u64, NewContact)>,
    listed: impl Fn(&Number) -> std::result::Result<Option<Listed>, LedgerError>,
) -> Sifted {
    let mut kept = Vec::with_capacity(contacts.len());
    for (line, mut contact) in contacts {
        let mut numbers = Vec::with_capacity(contact.numbers.len());
        let mut without = 0;
        for (number, kind) in contact.numbers {
            match listed(&number)? {
                None => numbers.push((number, kind)),
                Some(listed) => {
                    chunk.refusals.push(refusal(line, number.as_str(), &listed));
                    without += 1;
                }
            }
        }
        if numbers.is_empty() {
            chunk.refused += 1;
            chunk.do_not_call += 1;
            continue;
        }
        chunk.left_out += without;
        contact.numbers = numbers;
        kept.push((line, contact));
    }
    chunk.brought = Brought::Contacts(kept);
    Ok(())
}
