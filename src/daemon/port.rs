//! What the engine needs of the world outside the ledger: a spool, and random bits.
//!
//! The real spool is `crate::spool`; a simulator puts its own behind the same trait.

use std::fmt;

use crate::domain::attempt::AttemptState;
use crate::domain::evidence::ArchiveStatus;
use crate::domain::ids::Ticket;
use crate::domain::instant::UtcMs;
use crate::spool::SpoolName;

/// A call file of ours as a scan found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub file: SpoolName,
    /// Where it stands.
    pub place: Place,
}

/// Where a call file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In `outgoing`, not begun.
    Waiting,
    /// In `outgoing`, begun by the Asterisk that runs, or by one of which nothing is known.
    Begun,
    /// In `outgoing`, begun by an Asterisk that is gone: it would be dialled again some day
    /// (asterisk.md 4.2).
    BegunByTheDead,
    /// In `outgoing_done`.
    Archived,
    /// There, and unreadable: nothing is concluded.
    Unreadable,
}

/// What became of a withdrawal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withdrawal {
    /// Removed before Asterisk began it.
    Removed,
    /// Asterisk has begun it: the gate decides.
    Begun,
    /// It is not in `outgoing`.
    Gone,
}

/// What `outgoing_done` shows of a call file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Archived {
    /// It is not there: removed already, or not ended yet.
    NotThere,
    /// It is there, and Asterisk has not written its `Status:`.
    WithoutStatus,
    /// It is there with its status.
    Ended {
        /// How it ended.
        status: ArchiveStatus,
        /// When Asterisk wrote that.
        at: UtcMs,
    },
}

/// A failure of the spool, for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PortError(pub String);

impl PortError {
    /// From an error of the real spool.
    pub fn new(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// The spool as the engine uses it.
pub trait SpoolPort {
    /// Whether a call file could be published now; leaves nothing behind. The words of a failure stay the
    /// same while its cause does.
    fn probe(&mut self) -> Result<(), PortError> {
        Ok(())
    }
    /// Publishes the call file of a ticket so that Asterisk begins it a second before `start_at`.
    fn publish(&mut self, call: &Publication) -> Result<(), PortError>;
    /// Removes a file unless Asterisk has begun it.
    fn withdraw(&mut self, file: SpoolName) -> Result<Withdrawal, PortError>;
    /// Removes a file that a dead Asterisk had begun; looks again before it does.
    fn sweep(&mut self, file: SpoolName) -> Result<Withdrawal, PortError>;
    /// All files of ours, `outgoing` read before `outgoing_done`.
    fn scan(&mut self) -> Result<Vec<Found>, PortError>;
    /// What `outgoing_done` shows of a file.
    fn archived(&mut self, file: SpoolName) -> Result<Archived, PortError>;
    /// Removes an archived file; one that is gone is fine.
    fn remove_archived(&mut self, file: SpoolName) -> Result<(), PortError>;
    /// Removes our archived files whose calls ended before `before`.
    fn expire_archived(&mut self, before: UtcMs) -> Result<(), PortError>;
}

/// A call file that is to be published.
#[derive(Debug, Clone)]
pub struct Publication {
    /// Its name.
    pub file: SpoolName,
    /// The ticket that it carries.
    pub ticket: Ticket,
    /// How long the call may ring, in seconds.
    pub wait_time_s: u32,
    /// The planned instant.
    pub start_at: UtcMs,
}

/// Random bits; seeded in a simulation.
pub trait Entropy {
    /// Fills `bytes` with fresh ones.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), PortError>;
}

impl Place {
    /// Whether a file at this place shows that an attempt in `Intent` was published after all.
    #[must_use]
    pub fn shows_published(self, state: AttemptState) -> bool {
        state == AttemptState::Intent && matches!(self, Self::Waiting | Self::Begun)
    }
}
