//! Numbers on do-not-call lists are refused as they come in.

use super::super::super::failure::Result;
use super::super::super::session::Session;
use super::super::tally::RefusedRow;
use super::reader::Chunk;
use crate::domain::campaign::Campaign;
use crate::domain::instant::UtcMs;
use crate::domain::number::Number;
use crate::ledger::dnc::{self, Caller, Stock};
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

    /// Moves what is on a list from a chunk's numbers to its refusals; `lines` has the line of each number.
    pub fn sift(&mut self, chunk: &mut Chunk, lines: &[u64]) -> std::result::Result<(), LedgerError> {
        let (caller, stock, at) = (self.caller, self.stock, self.at);
        let mut text = String::new();
        self.ledger.read(|db| {
            let mut kept = Vec::with_capacity(chunk.numbers.len());
            for (packed, line) in chunk.numbers.iter().zip(lines) {
                packed.write_to(&mut text);
                let number = Number::from_canonical(&text);
                let listed = number.map(|number| dnc::listed(db, stock, caller, &number, at)).transpose()?.flatten();
                match listed {
                    None => kept.push(*packed),
                    Some(listed) => {
                        let why = format!("on the do-not-call list {} ({})", listed.list, listed.source);
                        chunk.refused.push(RefusedRow::new(*line, &text, why));
                        chunk.do_not_call += 1;
                    }
                }
            }
            chunk.numbers = kept;
            Ok(())
        })?;
        chunk.refused.sort_by_key(|row| row.line);
        Ok(())
    }
}
