//! The façade that the FastAGI server uses: look an order up, claim it, append evidence.

use std::path::Path;

use super::claims::{ServerRate, ServerRules, claim};
use super::writer::{Haste, Writer};
use super::{Ledger, LedgerError, Result, attempts, evidence};
use crate::domain::attempt::{Order, OrderPart};
use crate::domain::bar::FrequencyCap;
use crate::domain::evidence::Evidence;
use crate::domain::gate::Refusal;
use crate::domain::ids::{AttemptId, Ticket};
use crate::domain::instant::UtcMs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

type Lookup = (Ticket, OrderPart, Box<dyn FnOnce(Result<Option<Order>>) + Send>);

/// Cheap to clone; every method returns at once and answers through its callback.
#[derive(Clone)]
pub struct CallDesk {
    writer: Writer,
    lookups: Sender<Lookup>,
    /// Shared by all clones.
    rules: Arc<SharedRules>,
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
        Ok(Self { writer, lookups, rules: Arc::new(SharedRules::new(rules.into())) })
    }

    /// Other rules hold from the next claim on.
    pub fn use_rules(&self, rules: ServerRules) {
        self.rules.store(rules);
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
        let rules = self.rules.load();
        self.writer.submit(Haste::Urgent, move |db| claim(db, attempt, rules, crate::clock::now()), done);
    }

    /// Appends a fact about an attempt; durable when `done` hears of it. No call is held for that, so the commit
    /// waits a little for others.
    pub fn append(&self, attempt: AttemptId, fact: Evidence, done: impl FnOnce(Result<()>) + Send + 'static) {
        self.writer.submit(Haste::Patient, move |db| evidence::append(db, attempt, &fact), done);
    }
}

/// The rules of the server, which a SIGHUP changes while claims go on. A claim in the midst of a change may see the
/// cap's calls of one reading with its hours of the other.
struct SharedRules {
    /// Calls a minute.
    rate: AtomicU32,
    /// 0 for no cap.
    attempts_max: AtomicU32,
    hours: AtomicU32,
}

impl SharedRules {
    fn new(rules: ServerRules) -> Self {
        let shared = Self { rate: AtomicU32::new(0), attempts_max: AtomicU32::new(0), hours: AtomicU32::new(0) };
        shared.store(rules);
        shared
    }

    fn store(&self, rules: ServerRules) {
        self.rate.store(rules.rate.0, Ordering::Relaxed);
        self.hours.store(rules.frequency.map_or(0, |cap| cap.hours), Ordering::Relaxed);
        self.attempts_max.store(rules.frequency.map_or(0, |cap| cap.attempts_max), Ordering::Relaxed);
    }

    fn load(&self) -> ServerRules {
        let (attempts_max, hours) = (self.attempts_max.load(Ordering::Relaxed), self.hours.load(Ordering::Relaxed));
        ServerRules {
            rate: ServerRate(self.rate.load(Ordering::Relaxed)),
            frequency: FrequencyCap::of(attempts_max, hours),
        }
    }
}

fn answer_lookups(reader: &mut Ledger, waiting: &Receiver<Lookup>) {
    while let Ok((ticket, part, done)) = waiting.recv() {
        done(reader.read(|db| attempts::part_of_order(db, &ticket, part)));
    }
}
