//! The engine: one serial loop body. Evidence in, conclusions, withdrawals, a plan, call files out.
//!
//! Everything that wakes it may be lost or repeated, so a step does not act on what an event says but
//! looks at the ledger and the spool. The order of effects is what survives a crash: an intent is
//! durable before its file exists, evidence is durable before its archived file is removed.

mod archives;
mod breaking;
mod clock;
mod planning;
mod reconcile;
mod resting;
mod rounds;
mod settling;
mod sharing;

use std::collections::{BTreeMap, BTreeSet};

use log::warn;

use self::archives::Archives;
use self::resting::Resting;
use super::event::Event;
use super::port::{Entropy, PortError, SpoolPort};
use crate::domain::attempt::OVERDUE_MS;
use crate::domain::bar::FrequencyCap;
use crate::domain::ids::AttemptId;
use crate::domain::instant::UtcMs;
use crate::domain::plan::sharing::Sharing;
use crate::domain::zoning::LegalRules;
use crate::ledger::{Ledger, LedgerError, attempts, evidence};
use crate::settings::Settings;
use crate::wake::Change;

/// How soon the spool is looked at again while something there is overdue: a file that Asterisk has not
/// begun, a call whose report has not come. What is overdue for longer is looked at after a tenth of that.
const OVERDUE_RESCAN_MS: i64 = 15_000;

/// How soon the spool is looked at again when a step found it different from what it should be.
const RESCAN_SOON_MS: i64 = 1_000;

/// What the settings say to the engine.
#[derive(Debug, Clone)]
pub struct EngineLimits {
    /// The server's rate: calls a minute.
    pub calls_one_time: u32,
    /// Minutes of an interval.
    pub cron_interval: u32,
    /// The most calls at the same time, over all campaigns and trunks; `None` for no cap.
    pub channels_max: Option<u32>,
    /// The most files in the spool.
    pub spool_files_max: u32,
    /// Days that archived files are kept; 0 removes them as soon as their evidence is durable.
    pub archive_keep_days: u32,
    /// The most calls to one number over all campaigns; `None` for no cap.
    pub frequency: Option<FrequencyCap>,
    /// The hours in which people may be called where they are.
    pub legal: LegalRules,
}

impl EngineLimits {
    /// Those of these settings.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        Self {
            calls_one_time: settings.calls_one_time,
            cron_interval: settings.cron_interval,
            channels_max: settings.channels_max,
            spool_files_max: settings.spool_files_max,
            archive_keep_days: settings.archive_keep_days,
            frequency: settings.frequency_cap(),
            legal: settings.legal_hours.clone(),
        }
    }
}

/// Why a step failed; nothing is lost, the next step tries again.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The spool.
    #[error("spool: {0}")]
    Spool(#[from] PortError),
    /// A plan that its second opinion refused: nothing of it was carried out.
    #[error("the plan was refused by its check, and nothing of it was carried out: {0}")]
    Plan(String),
}

/// The engine and what it remembers between steps; all of it can be rebuilt from ledger and spool.
pub struct Engine<S, E> {
    ledger: Ledger,
    spool: S,
    entropy: E,
    limits: EngineLimits,
    /// Where the evidence that was looked at ends.
    evidence_seen: Option<i64>,
    /// Open attempts to be looked at in this step.
    unsettled: BTreeSet<AttemptId>,
    /// Open attempts that are to be looked at again by time alone.
    check_again: BTreeMap<AttemptId, UtcMs>,
    /// Attempts that Asterisk had begun at the last scan, and that the gate had not admitted.
    begun_unasked: BTreeSet<AttemptId>,
    archives: Archives,
    rescan_wanted: bool,
    expire_wanted: bool,
    plan_wanted: bool,
    sharing: Sharing,
    plan_at: Option<UtcMs>,
    /// When the next contact expires.
    expiry_at: Option<UtcMs>,
    /// When the next round begins, or goes on to begin.
    round_at: Option<UtcMs>,
    rescan_at: Option<UtcMs>,
    resting: Resting,
    /// What the spool said when it took no file.
    spool_trouble: Option<String>,
    /// When the last step was.
    stepped_at: Option<UtcMs>,
    /// At the start, and after the clock was set back: what others noted or planned for later than now
    /// ever plans is not waited for.
    later_is_doubted: bool,
    stalled: bool,
}

impl<S: SpoolPort, E: Entropy> Engine<S, E> {
    /// An engine that will look at everything in its first step: start-up is not special.
    pub fn new(ledger: Ledger, spool: S, entropy: E, limits: EngineLimits) -> Self {
        Self {
            ledger,
            spool,
            entropy,
            limits,
            evidence_seen: None,
            unsettled: BTreeSet::new(),
            check_again: BTreeMap::new(),
            begun_unasked: BTreeSet::new(),
            archives: Archives::default(),
            rescan_wanted: true,
            expire_wanted: true,
            plan_wanted: true,
            sharing: Sharing::default(),
            plan_at: None,
            expiry_at: None,
            round_at: None,
            rescan_at: None,
            resting: Resting::default(),
            spool_trouble: None,
            stepped_at: None,
            later_is_doubted: true,
            stalled: false,
        }
    }

    /// The ledger, for the loop's backstop.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The spool, for settings of its own.
    pub fn spool_mut(&mut self) -> &mut S {
        &mut self.spool
    }

    /// Other limits hold from the next step on, which plans anew. Calls that are planned keep their instants.
    pub fn use_limits(&mut self, limits: EngineLimits) {
        self.limits = limits;
        self.plan_wanted = true;
        self.rescan_wanted = true;
        self.expire_wanted = true;
    }

    /// One step at `now`; returns the instant of the next by time alone.
    ///
    /// # Errors
    /// What could not be done; call again, nothing is half done that the next step would not find.
    pub fn step(&mut self, now: UtcMs, events: &[Event]) -> Result<Option<UtcMs>, EngineError> {
        self.take_in(now, events);
        self.mind_the_clock(now);
        let stepped = self.look_and_act(now);
        if stepped.is_err() {
            // What was published may not be marked, and what was not may not be noted.
            self.rescan_wanted = true;
        }
        stepped
    }

    fn look_and_act(&mut self, now: UtcMs) -> Result<Option<UtcMs>, EngineError> {
        self.start_reading()?;
        if self.rescan_wanted || self.rescan_at.is_some_and(|t| t <= now) {
            self.reconcile(now)?;
        }
        self.doubt_what_is_later(now)?;
        self.take_archives(now)?;
        self.withdraw_not_running(now)?;
        self.share_with_newcomers(now)?;
        self.settle(now)?;
        self.withdraw_from_open_breakers(now)?;
        self.expiry_at = self.exclude_expired(now)?;
        self.round_at = self.turn_rounds(now)?;
        self.complete_campaigns(now)?;
        if self.plan_wanted || self.plan_at.is_some_and(|t| t <= now) {
            self.plan_at = self.plan(now)?;
            self.plan_wanted = false;
        }
        self.rescan_at = self.next_rescan(now)?;
        Ok(self.next_wake(now))
    }

    /// Evidence of before this engine belongs to attempts that are closed, or open: the first reconcile
    /// looks at all of these.
    fn start_reading(&mut self) -> Result<(), EngineError> {
        if self.evidence_seen.is_none() {
            self.evidence_seen = Some(self.ledger.read(|db| evidence::end(db))?);
        }
        Ok(())
    }

    fn take_in(&mut self, now: UtcMs, events: &[Event]) {
        for event in events {
            match event {
                Event::Tick => {
                    self.rescan_wanted = true;
                    self.expire_wanted = true;
                    self.plan_wanted = true;
                }
                Event::Rescan => self.rescan_wanted = true,
                Event::Archived(file) => self.archives.saw(*file, now),
                Event::Changed(Change::Command) => self.plan_wanted = true,
                Event::Changed(Change::Gate) => self.heard_the_gate(now),
                Event::Changed(Change::Evidence) | Event::Reload | Event::Stop => {}
            }
        }
    }

    fn next_wake(&self, now: UtcMs) -> Option<UtcMs> {
        let rescan = self.rescan_wanted.then(|| now.plus_ms(RESCAN_SOON_MS)).or(self.rescan_at);
        let again = self.check_again.values().min().copied();
        [self.plan_at, self.expiry_at, self.round_at, again, self.archives.look_again_at(), rescan]
            .into_iter()
            .flatten()
            .min()
    }

    /// When to look at the spool again because the oldest open attempt is overdue; one that is agreed
    /// already is not put off.
    fn next_rescan(&mut self, now: UtcMs) -> Result<Option<UtcMs>, EngineError> {
        let oldest = self.ledger.read(|db| attempts::oldest_open(db))?;
        let wanted = oldest.map(|planned_at| {
            let tenth_ms = now.since_ms(planned_at) / 10;
            planned_at.plus_ms(OVERDUE_MS).max(now.plus_ms(tenth_ms.max(OVERDUE_RESCAN_MS)))
        });
        Ok(match (wanted, self.rescan_at) {
            (Some(wanted), Some(agreed)) => Some(wanted.min(agreed)),
            (wanted, _) => wanted,
        })
    }

    /// Says once that Asterisk does not take files, and once that it does again.
    fn note_stalled(&mut self, overdue: usize) {
        let stalled = overdue > 0;
        if stalled && !self.stalled {
            warn!(
                "Asterisk has not taken {overdue} call file(s) that are due: does it run, and does it read this spool? \
                 No further call is planned until it does; `campanile doctor` says more"
            );
        }
        self.stalled = stalled;
    }
}
