//! What a rule about time says at an instant, and for how long.

use crate::domain::instant::UtcMs;

/// Open or closed, and until when at least that stays so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stance {
    pub open: bool,
    /// Later than the instant that was asked about; `None` for ever.
    pub until: Option<UtcMs>,
}

impl Stance {
    pub(super) fn open(until: Option<UtcMs>) -> Self {
        Self { open: true, until }
    }

    pub(super) fn closed(until: Option<UtcMs>) -> Self {
        Self { open: false, until }
    }

    /// Both must be open: open until one of them changes, closed as long as any closed one stays so.
    pub(super) fn and(self, other: Self) -> Self {
        match (self.open, other.open) {
            (true, true) => Self::open([self.until, other.until].into_iter().flatten().min()),
            (false, true) => self,
            (true, false) => other,
            // `None` is for ever.
            (false, false) => Self::closed(self.until.zip(other.until).map(|(a, b)| a.max(b))),
        }
    }
}
