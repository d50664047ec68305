//! Waking the daemon: a datagram of one byte to its socket, which says what kind of thing changed.
//!
//! It may get lost (no daemon, a full queue); the daemon also looks at the ledger's change counter, so
//! a lost one costs a second, never a call.

use std::os::unix::net::UnixDatagram;
use std::path::Path;

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A command changed what is to be called: plan anew.
    Command,
    /// A call brought evidence: settle it, and plan only if that frees something.
    Evidence,
    /// The FastAGI server began to listen: what rested for want of it goes on.
    Gate,
}

impl Change {
    /// What a datagram says; anything unknown is taken for the change that costs more.
    #[must_use]
    pub fn of_datagram(bytes: &[u8]) -> Self {
        match bytes {
            b"e" => Self::Evidence,
            b"g" => Self::Gate,
            _ => Self::Command,
        }
    }

    fn datagram(self) -> &'static [u8] {
        match self {
            Self::Command => b"c",
            Self::Evidence => b"e",
            Self::Gate => b"g",
        }
    }
}

/// Wakes the daemon behind the socket at `path`, if there is one.
pub fn wake(path: &Path, change: Change) {
    if let Ok(socket) = UnixDatagram::unbound() {
        let ready = socket.set_nonblocking(true);
        let _lost_is_fine = ready.and_then(|()| socket.send_to(change.datagram(), path));
    }
}
