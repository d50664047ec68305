//! The clock: the one file that asks what time it is.

use crate::domain::instant::UtcMs;

/// Now, by the machine's wall clock.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the file that may")]
pub fn now() -> UtcMs {
    jiff::Timestamp::now().into()
}
