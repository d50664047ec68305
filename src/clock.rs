//! The clock: the one file that asks what time it is.

use std::time::{Duration, Instant};

use crate::domain::instant::UtcMs;

/// Now, by the machine's wall clock.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the file that may")]
pub fn now() -> UtcMs {
    jiff::Timestamp::now().into()
}

/// An instant of a clock that nobody sets: for how long something has waited.
#[derive(Debug, Clone, Copy)]
pub struct Monotonic(Instant);

impl Monotonic {
    /// Now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the file that may")]
    pub fn now() -> Self {
        Self(Instant::now())
    }

    /// How long ago it was.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
