//! The hours in which people may be called, on the clock where they are.

use super::stance::Stance;
use super::{Week, Zone};
use crate::domain::instant::UtcMs;

/// Legal hours of one contact: those of each zone that it may be in. It is called only when all of them are open.
#[derive(Debug, Clone, PartialEq)]
pub struct LegalHours(Vec<(Zone, Week)>);

impl LegalHours {
    /// These hours on these clocks; `None` for no clock, which leaves every instant open.
    #[must_use]
    pub fn of(clocks: Vec<(Zone, Week)>) -> Option<Self> {
        (!clocks.is_empty()).then_some(Self(clocks))
    }

    /// The hours of each zone.
    pub fn clocks(&self) -> impl Iterator<Item = (&Zone, &Week)> {
        self.0.iter().map(|(zone, week)| (zone, week))
    }

    pub(super) fn stance(&self, at: UtcMs) -> Stance {
        let each = self.clocks().map(|(zone, week)| week.stance(zone, at));
        each.reduce(Stance::and).unwrap_or(Stance::open(None))
    }
}
