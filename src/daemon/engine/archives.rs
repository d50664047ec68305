//! Files in `outgoing_done`: the backstop for a report that got lost.

use std::collections::BTreeMap;

use log::{debug, warn};

use super::{Engine, EngineError};
use crate::daemon::port::{Archived, Entropy, SpoolPort};
use crate::domain::evidence::{ArchiveStatus, Evidence, Fact};
use crate::domain::ids::AttemptId;
use crate::domain::instant::UtcMs;
use crate::ledger::{attempts, evidence};
use crate::spool::SpoolName;

/// How long a `Status:` line is waited for: Asterisk appends it after the rename (asterisk.md 4), and
/// one that died in between never does.
const STATUS_WAIT_MS: i64 = 2_000;

/// What is told of a file whose end nobody wrote down.
const WITHOUT_STATUS: Fact = Fact::Archived { status: ArchiveStatus::Unknown, ended_at: None };

/// How soon it is looked for again.
const LOOK_AGAIN_MS: i64 = 100;

/// Archived files on their way to being evidence, and then to being removed.
#[derive(Debug, Default)]
pub(super) struct Archives {
    /// Seen in `outgoing_done`, not yet evidence: since when.
    fresh: BTreeMap<SpoolName, UtcMs>,
    /// Evidence is durable; to be removed when the attempt is closed.
    noted: BTreeMap<AttemptId, SpoolName>,
    look_again_at: Option<UtcMs>,
}

impl Archives {
    /// Notes a file that was seen in `outgoing_done`.
    pub(super) fn saw(&mut self, file: SpoolName, now: UtcMs) {
        if !self.noted.contains_key(&file.attempt()) {
            self.fresh.entry(file).or_insert(now);
        }
    }

    /// The clock was set back: waits begin again, and facts that are from the future now are noted anew.
    pub(super) fn begin_again(&mut self, now: UtcMs) {
        self.fresh.extend(std::mem::take(&mut self.noted).into_values().map(|file| (file, now)));
        self.fresh.values_mut().for_each(|since| *since = now);
        self.look_again_at = None;
    }

    pub(super) fn look_again_at(&self) -> Option<UtcMs> {
        self.look_again_at
    }
}

impl<S: SpoolPort, E: Entropy> Engine<S, E> {
    /// Turns archived files into evidence, durably, and removes those that are not needed any more.
    pub(super) fn take_archives(&mut self, now: UtcMs) -> Result<(), EngineError> {
        let mut facts = Vec::new();
        let spool = &mut self.spool;
        self.archives.fresh.retain(|file, since| {
            let waited = now.since_ms(*since) >= STATUS_WAIT_MS;
            match spool.archived(*file) {
                Ok(Archived::NotThere) => return false,
                Ok(Archived::Ended { status, at }) => {
                    facts.push((*file, Fact::Archived { status, ended_at: Some(at) }))
                }
                Ok(Archived::WithoutStatus) if waited => facts.push((*file, WITHOUT_STATUS)),
                Ok(Archived::WithoutStatus) => {}
                Err(error) if waited => {
                    warn!("attempt {}: its file in outgoing_done cannot be read: {error}", file.attempt());
                    facts.push((*file, WITHOUT_STATUS));
                }
                Err(_) => {}
            }
            true
        });
        if !facts.is_empty() {
            self.note_archived(&facts, now)?;
            for (file, _) in &facts {
                self.archives.fresh.remove(file);
            }
        }
        self.archives.look_again_at = (!self.archives.fresh.is_empty()).then(|| now.plus_ms(LOOK_AGAIN_MS));
        Ok(())
    }

    fn note_archived(&mut self, facts: &[(SpoolName, Fact)], now: UtcMs) -> Result<(), EngineError> {
        let ours = self.ledger.write(|db| {
            let mut ours = Vec::new();
            for &(file, ref fact) in facts {
                if !attempts::is_ours(db, file.attempt(), file.salt())? {
                    debug!("attempt {}: its file in outgoing_done is of another ledger, and stays", file.attempt());
                    continue;
                }
                let open = attempts::open_one(db, file.attempt())?.is_some();
                if !evidence::has_by(db, file.attempt(), "archived", now)? {
                    evidence::append(db, file.attempt(), &Evidence { at: now, fact: fact.clone() })?;
                }
                ours.push((file, open));
            }
            Ok(ours)
        })?;
        for (file, open) in ours {
            if open {
                self.unsettled.insert(file.attempt());
                self.archives.noted.insert(file.attempt(), file);
            } else {
                self.discard(file);
            }
        }
        Ok(())
    }

    /// Removes the archived file of an attempt that is closed.
    pub(super) fn discard_of(&mut self, attempt: AttemptId) {
        if let Some(file) = self.archives.noted.remove(&attempt) {
            self.discard(file);
        }
    }

    /// What cannot be removed now is found again by the next scan.
    fn discard(&mut self, file: SpoolName) {
        if self.limits.archive_keep_days > 0 {
            return;
        }
        if let Err(error) = self.spool.remove_archived(file) {
            warn!("attempt {}: cannot remove its file from outgoing_done: {error}", file.attempt());
        }
    }
}
