//! Legal hours that close for a few minutes of each hour, so that every run meets them.

use campanile::domain::calendar::{Week, Zone};
use campanile::domain::instant::UtcMs;
use campanile::domain::zoning::LegalRules;

use crate::chance::Chance;

/// How long they are closed.
const MINUTES: u32 = 4;

/// The minute of each hour at which they close.
#[derive(Debug, Clone, Copy)]
pub struct Lull(u32);

impl Lull {
    fn draw(chance: &mut Chance, now: UtcMs) -> Self {
        let minute = now.0.div_euclid(60_000) + chance.between(1, 40);
        Self(minute.rem_euclid(60).min(i64::from(60 - MINUTES)) as u32)
    }

    /// From the end of the first one of a day to the begin of the last.
    pub fn week(self) -> Week {
        let opens = (self.0 + MINUTES) % 60;
        let after = (self.0 + MINUTES) / 60;
        let hours = (0..22).map(|h| format!("{:02}:{opens:02}-{:02}:{:02}", h + after, h + 1, self.0));
        format!("daily {}", hours.collect::<Vec<_>>().join(",")).parse().unwrap()
    }

    /// Whether they are open when the clock of a zone shows this instant, told from its minutes alone.
    pub fn open(self, zone: &Zone, at: UtcMs) -> bool {
        let shown = zone.on_the_wall(at);
        let minute = u32::try_from(shown.hour()).unwrap() * 60 + u32::try_from(shown.minute()).unwrap();
        minute < 22 * 60 + self.0 && minute.checked_sub(self.0).is_some_and(|since| since % 60 >= MINUTES)
    }
}

/// Those of one world: of contacts in the US, of all others, and of campaigns with hours of their own.
#[derive(Debug, Clone, Copy)]
pub struct Lulls {
    pub america: Lull,
    pub others: Lull,
    pub own: Lull,
}

impl Lulls {
    pub fn draw(chance: &mut Chance, now: UtcMs) -> Self {
        let [america, others, own] = [(); 3].map(|()| Lull::draw(chance, now));
        Self { america, others, own }
    }

    pub fn rules(&self) -> LegalRules {
        format!("{} | US {}", self.others.week(), self.america.week()).parse().unwrap()
    }
}
