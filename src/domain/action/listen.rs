//! `LISTEN`: until something is heard of the callee.

use serde::{Deserialize, Serialize};

/// The longest wait for a sound, in seconds.
pub const LISTEN_S_MAX: u32 = 60;

/// How long a call waits for a sound of the callee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listen {
    /// At most so long, in seconds: 1 to [`LISTEN_S_MAX`].
    pub timeout_s: u32,
}
