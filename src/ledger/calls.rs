//! The façade that the FastAGI server uses: look an order up, claim it, append evidence.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::claims::{ServerRules, claim};
use super::writer::{Haste, Writer};
use super::{Ledger, LedgerError, Result, attempts, evidence};
use crate::domain::attempt::{Order, OrderPart};
use crate::domain::evidence::Evidence;
use crate::domain::gate::Refusal;
use crate::domain::ids::{AttemptId, Ticket};
use crate::domain::instant::UtcMs;

type Lookup = (Ticket, OrderPart, Box<dyn FnOnce(Result<Option<Order>>) + Send>);

/// Cheap to clone; every method returns at once and answers through its callback.
#[derive(Clone)]
pub struct CallDesk {
    writer: Writer,
    lookups: Sender<Lookup>,
    /// Shared by all clones.
    rules: Arc<Mutex<ServerRules>>,
}

impl CallDesk {
    /// Opens the ledger for calls. `committed` runs after each commit: it wakes the daemon.
    pub fn open(path: &Path, rules: impl Into<ServerRules>, committed: impl Fn() + Send + 'static) -> Result<Self> {
        let writer = Writer::start(path, committed)?;
        let mut reader = Ledger::open(path)?;
        let (lookups, waiting) = channel();
        std::thread::Builder::new()
            .name("ledger-reader".to_owned())
            .spawn(move || answer_lookups(&mut reader, &waiting))
            .map_err(|_| LedgerError::Stopped)?;
        Ok(Self { writer, lookups, rules: Arc::new(Mutex::new(rules.into())) })
    }

    /// Other rules hold from the next claim on.
    pub fn use_rules(&self, rules: ServerRules) {
        *self.rules() = rules;
    }

    /// Nobody holds them for longer than a copy takes, nor panics meanwhile.
    fn rules(&self) -> MutexGuard<'_, ServerRules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The order behind a ticket; `None` for a ticket that nobody gave out.
    pub fn order(&self, ticket: Ticket, part: OrderPart, done: impl FnOnce(Result<Option<Order>>) + Send + 'static) {
        // A reader that is gone drops `done`, and the caller's channel closes.
        let _ = self.lookups.send((ticket, part, Box::new(done)));
    }

    /// Claims an attempt at the instant of the transaction; durable when `done` hears of it.
    pub fn claim(
        &self,
        attempt: AttemptId,
        done: impl FnOnce(Result<std::result::Result<UtcMs, Refusal>>) + Send + 'static,
    ) {
        let rules = self.rules().clone();
        self.writer.submit(Haste::Urgent, move |db| claim(db, attempt, rules, crate::clock::now()), done);
    }

    /// Appends a fact about an attempt; durable when `done` hears of it. No call is held for that, so the commit
    /// waits a little for others.
    pub fn append(&self, attempt: AttemptId, fact: Evidence, done: impl FnOnce(Result<()>) + Send + 'static) {
        self.writer.submit(Haste::Patient, move |db| evidence::append(db, attempt, &fact), done);
    }
}

fn answer_lookups(reader: &mut Ledger, waiting: &Receiver<Lookup>) {
    while let Ok((ticket, part, done)) = waiting.recv() {
        done(reader.read(|db| attempts::part_of_order(db, &ticket, part)));
    }
}
