//! What wakes the engine. Every event may get lost or come twice: the engine looks, it does not trust.

use crate::spool::SpoolName;
use crate::wake::Change;

/// A wake-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The cron tick: a new interval is to be planned.
    Tick,
    /// Something was committed: by a command, or by the FastAGI server.
    Changed(Change),
    /// A file of ours came to, or changed in, `outgoing_done`.
    Archived(SpoolName),
    /// The watch may have missed something: look at everything.
    Rescan,
    /// The settings are to be read again.
    Reload,
    /// The daemon is to end.
    Stop,
}

impl Event {
    /// Whether it only tells of a call: nobody waits for an answer.
    #[must_use]
    pub fn is_news(&self) -> bool {
        matches!(self, Self::Changed(Change::Evidence) | Self::Archived(_))
    }
}
