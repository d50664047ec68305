//! What a verb works with: the settings, the ledger, who acts, and where its answer goes.

use std::io::{self, BufWriter, Stdout, Write};

use serde::Serialize;

use super::actor::Actor;
use super::failure::Result;
use super::{Global, present};
use crate::daemon::lock;
use crate::domain::instant::UtcMs;
use crate::ledger::{Ledger, importing};
use crate::settings::Settings;
use crate::wake::{self, Change};

/// In which form a verb answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// One JSON document, or where the help says so one document a line.
    Json,
}

/// Everything that a verb needs.
pub struct Session {
    /// The settings.
    pub settings: Settings,
    /// The ledger, open.
    pub ledger: Ledger,
    /// Who acts.
    pub actor: Actor,
    /// In which form to answer.
    pub form: Form,
    /// Where the answer goes.
    pub out: BufWriter<Stdout>,
}

impl Session {
    /// Reads the settings, opens the ledger and admits the user.
    pub fn open(global: &Global) -> Result<Self> {
        let settings = Settings::load(global.config.as_deref())?.settings;
        let mut ledger = Ledger::open(&settings.ledger())?;
        let actor = Actor::admit(&mut ledger, global.acting.as_ref(), crate::clock::now())?;
        Ok(Self { settings, ledger, actor, form: global.form(), out: BufWriter::new(io::stdout()) })
    }

    /// The instant at which a verb looks at the world.
    pub fn now(&self) -> UtcMs {
        crate::clock::now()
    }

    /// Answers: the document as JSON, or the text for people.
    pub fn answer<T: Serialize>(
        &mut self,
        document: &T,
        text: impl FnOnce(&mut dyn Write) -> Result<()>,
    ) -> Result<()> {
        match self.form {
            Form::Json => present::json_document(&mut self.out, document)?,
            Form::Text => text(&mut self.out)?,
        }
        Ok(self.out.flush()?)
    }

    /// Tells the daemon that there is something new to plan.
    pub fn wake_daemon(&self) {
        wake::wake(&self.settings.serve_wake(), Change::Command);
    }

    /// Whether a claim or a plan may need the ledger at any moment.
    pub fn is_dialling(&mut self) -> Result<bool> {
        Ok(self.daemon() == Daemon::Runs || self.ledger.read(|db| importing::any_open_attempt(db))?)
    }

    /// How many rows of a long change go into one transaction: few while calls are made, for a claim waits until it
    /// ends.
    pub fn rows_at_once(&mut self) -> Result<u32> {
        Ok(if self.is_dialling()? { 500 } else { 100_000 })
    }

    /// Whether `campanile serve` runs.
    pub fn daemon(&self) -> Daemon {
        lock::running(&self.settings.serve_lock()).map_or(Daemon::Absent, |_pid| Daemon::Runs)
    }
}

/// Whether `campanile serve` runs for this ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Daemon {
    /// It holds its lock.
    Runs,
    /// Nobody holds the lock: nothing is dialled.
    Absent,
}

/// Says on stderr what does no harm but should be known.
pub fn warn(text: &str) {
    eprintln!("campanile: warning: {text}");
}
