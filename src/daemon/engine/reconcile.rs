//! Ledger against spool: what a crash, a lost event or a foreign hand left behind.

use std::collections::{BTreeMap, BTreeSet};

use log::{info, warn};

use super::{Engine, EngineError};
use crate::daemon::port::{Entropy, Place, SpoolPort, Withdrawal};
use crate::domain::attempt::AttemptState;
use crate::domain::evidence::{Evidence, Fact};
use crate::domain::ids::AttemptId;
use crate::domain::instant::UtcMs;
use crate::ledger::attempts::{self, OpenAttempt};
use crate::ledger::evidence;
use crate::spool::SpoolName;

impl<S: SpoolPort, E: Entropy> Engine<S, E> {
    /// Looks at every file of ours and every open attempt, and records what is new as evidence.
    pub(super) fn reconcile(&mut self, now: UtcMs) -> Result<(), EngineError> {
        // The ledger is read first: an attempt planned later cannot be missing from this scan.
        let open = self.ledger.read(|db| attempts::open(db))?;
        // In order: what is done must not depend on how a map happens to lie in memory.
        let found: BTreeMap<SpoolName, Place> = self.spool.scan()?.into_iter().map(|f| (f.file, f.place)).collect();
        let (mut facts, mut published, mut dead) = (Vec::new(), Vec::new(), Vec::new());
        let begun =
            |a: &&OpenAttempt| a.state != AttemptState::Claimed && found.get(&file_of(a)) == Some(&Place::Begun);
        self.begun_unasked = open.iter().filter(begun).map(|a| a.id).collect();
        for attempt in &open {
            let file = file_of(attempt);
            match found.get(&file) {
                Some(Place::Archived) => self.archives.saw(file, now),
                Some(Place::BegunByTheDead) => {
                    facts.push((attempt.id, Fact::Swept));
                    dead.push(file);
                }
                Some(place) if place.shows_published(attempt.state) => published.push(attempt.id),
                Some(_) => {}
                None => facts.push((attempt.id, without_file(attempt.state))),
            }
        }
        if !published.is_empty() {
            self.ledger.write(|db| published.iter().try_for_each(|id| attempts::mark_spooled(db, *id)))?;
        }
        self.note(facts, now)?;
        // Only then: a daemon that died in between would find no trace of the call, and wait long for its report.
        dead.into_iter().for_each(|file| self.sweep(file));
        self.tidy_closed(&open, &found, now)?;
        self.unsettled.extend(open.iter().map(|a| a.id));
        self.rescan_wanted = false;
        self.rescan_at = None;
        self.expire_archives(now)?;
        Ok(())
    }

    /// Removes a file that a dead Asterisk had begun. One that cannot be removed is tried again with the
    /// next scan; what it would dial, the gate refuses.
    fn sweep(&mut self, file: SpoolName) {
        match self.spool.sweep(file) {
            Ok(Withdrawal::Removed) => {
                info!("attempt {}: swept a file that a dead Asterisk had begun", file.attempt());
            }
            Ok(Withdrawal::Begun | Withdrawal::Gone) => {}
            Err(error) => warn!("attempt {}: cannot sweep its file: {error}", file.attempt()),
        }
    }

    /// Records facts that are not known yet.
    fn note(&mut self, facts: Vec<(AttemptId, Fact)>, now: UtcMs) -> Result<(), EngineError> {
        if facts.is_empty() {
            return Ok(());
        }
        self.ledger.write(|db| {
            for (attempt, fact) in facts {
                let kind = evidence::kind(&fact);
                if !evidence::has_by(db, attempt, kind, now)? {
                    evidence::append(db, attempt, &Evidence { at: now, fact })?;
                }
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Files of ours whose attempt is closed already: archived ones go, waiting ones must not be begun.
    fn tidy_closed(
        &mut self,
        open: &[OpenAttempt],
        found: &BTreeMap<SpoolName, Place>,
        now: UtcMs,
    ) -> Result<(), EngineError> {
        let open: BTreeSet<SpoolName> = open.iter().map(file_of).collect();
        for (file, place) in found.iter().filter(|(file, _)| !open.contains(*file)) {
            if !self.ledger.read(|db| attempts::is_ours(db, file.attempt(), file.salt()))? {
                continue;
            }
            match place {
                Place::Archived if self.limits.archive_keep_days == 0 => self.archives.saw(*file, now),
                Place::Waiting => {
                    if let Err(error) = self.spool.withdraw(*file) {
                        warn!("attempt {}: closed, and its file cannot be withdrawn: {error}", file.attempt());
                    }
                }
                Place::BegunByTheDead => self.sweep(*file),
                Place::Archived | Place::Begun | Place::Unreadable => {}
            }
        }
        Ok(())
    }

    /// Removes archived files that were kept long enough, once a tick.
    fn expire_archives(&mut self, now: UtcMs) -> Result<(), EngineError> {
        let days = i64::from(self.limits.archive_keep_days);
        if self.expire_wanted && days > 0 {
            self.spool.expire_archived(now.plus_s(-days * 86_400))?;
        }
        self.expire_wanted = false;
        Ok(())
    }

    /// Withdraws the files of campaigns that were stopped or paused, unless Asterisk has begun them:
    /// then the gate refuses.
    pub(super) fn withdraw_not_running(&mut self, now: UtcMs) -> Result<(), EngineError> {
        let attempts = self.ledger.read(|db| attempts::to_withdraw(db))?;
        self.withdraw(attempts, now)
    }

    /// Withdraws files; one that Asterisk has begun is left to the gate.
    pub(super) fn withdraw(&mut self, attempts: Vec<OpenAttempt>, now: UtcMs) -> Result<(), EngineError> {
        let mut facts = Vec::new();
        for attempt in attempts {
            match self.spool.withdraw(file_of(&attempt)) {
                Ok(Withdrawal::Removed) => {
                    info!("attempt {}: withdrawn before Asterisk began it", attempt.id);
                    facts.push((attempt.id, Fact::Withdrawn));
                }
                Ok(Withdrawal::Begun) => {}
                Ok(Withdrawal::Gone) => self.rescan_wanted = true,
                Err(error) => warn!("attempt {}: cannot withdraw its file: {error}", attempt.id),
            }
        }
        self.note(facts, now)
    }
}

/// What it means that an open attempt has no file anywhere: one that was never marked as published was
/// not (the daemon ended in between), and one that was has lost its file.
fn without_file(state: AttemptState) -> Fact {
    match state {
        AttemptState::Intent => {
            Fact::NotPublished { error: "the daemon ended between the plan and the call file".to_owned() }
        }
        AttemptState::Spooled | AttemptState::Claimed | AttemptState::Closed => Fact::Missing,
    }
}

fn file_of(attempt: &OpenAttempt) -> SpoolName {
    SpoolName::new(attempt.id, attempt.spool_salt)
}
