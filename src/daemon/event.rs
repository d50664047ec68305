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
