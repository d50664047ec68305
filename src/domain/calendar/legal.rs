//! The hours in which people may be called, on the clock where they are.

use std::fmt;

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

/// Each week once: `Mon-Sun 08:00-21:00`.
impl fmt::Display for LegalHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut weeks: Vec<String> = self.clocks().map(|(_, week)| week.to_string()).collect();
        weeks.dedup();
        f.pad(&weeks.join(" and "))
    }
}
