//! Hours, as the slots of a plan ask for them: ascending, and no further than the plan goes.

use crate::domain::calendar::Calendar;
use crate::domain::instant::UtcMs;

/// Hours, and what they said last.
#[derive(Debug)]
pub(super) struct Hours<'a> {
    calendar: &'a Calendar,
    /// Slots end there.
    horizon: UtcMs,
    said: Option<Stance>,
}

/// Whether hours are open, and until when that stays so.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stance {
    /// They are.
    Open(UtcMs),
    /// They are not; [`NEVER`] for about a year.
    Closed(UtcMs),
}

/// Behind all that can be planned.
pub(super) const NEVER: UtcMs = UtcMs(i64::MAX);

impl<'a> Hours<'a> {
    pub(super) fn new(calendar: &'a Calendar, horizon: UtcMs) -> Self {
        Self { calendar, horizon, said: None }
    }

    /// The calendar is asked anew only when what it said last holds no longer.
    pub(super) fn stance_at(&mut self, slot: UtcMs) -> Stance {
        if let Some(stance @ (Stance::Open(until) | Stance::Closed(until))) = self.said
            && slot < until
        {
            return stance;
        }
        let calendar = self.calendar;
        let stance = if calendar.contains(slot) {
            Stance::Open(calendar.closes_before(slot, self.horizon).unwrap_or(self.horizon))
        } else {
            Stance::Closed(calendar.next_opening(slot).unwrap_or(NEVER))
        };
        self.said = Some(stance);
        stance
    }
}
