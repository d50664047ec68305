//! When a campaign may dial: its own daily window, the calendar that it works by, and its first and last instant,
//! all at once; and for one of its contacts, the legal hours where that is.
//!
//! Each of these says at an instant whether it is open and for how long that lasts at least; everything else is
//! followed from one such answer to the next. A call needs time to ring, so what closes too soon is closed already.

mod legal;
mod stance;
#[cfg(test)]
mod tests;
mod timetable;
mod week;
mod window;
mod zone;

use std::sync::Arc;

pub use legal::LegalHours;
use stance::Stance;
pub use timetable::{HOLIDAY_DAYS_MAX, HOLIDAYS_MAX, Holiday, HolidayName, Repeats, Timetable};
pub use week::{Week, WeekRefusal};
pub use window::{Window, short_time_of_day, time_of_day};
pub use zone::Zone;

use super::instant::UtcMs;

/// What a call gets beyond its ring time before the hours end, in seconds: a callee who answers at the last moment
/// hears the beginning of the message within the hours.
pub const RING_MARGIN_S: u32 = 5;

/// How many changes a calendar is followed through: about a year of days with two of them each.
const CHANGES_MAX: usize = 1_000;

/// Why a text is no time of day, window or zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarRefusal {
    /// Not `HH:MM` or `HH:MM:SS`.
    #[error("`{0}` is no time of day; write HH:MM or HH:MM:SS, from 00:00 to 23:59:59 (24:00 as a stop time)")]
    TimeOfDay(String),
    /// Not a name in the time zone database.
    #[error("`{0}` is no time zone; write an IANA name such as Europe/Berlin or UTC")]
    Zone(String),
}

/// The instants between which a scheduled campaign dials; both `None` for one that is started and stopped on demand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Not before.
    pub starts_at: Option<UtcMs>,
    /// No longer.
    pub ends_at: Option<UtcMs>,
}

impl Schedule {
    fn stance(self, at: UtcMs) -> Stance {
        match (self.starts_at, self.ends_at) {
            (Some(starts_at), _) if at < starts_at => Stance::closed(Some(starts_at)),
            (_, Some(ends_at)) if ends_at <= at => Stance::closed(None),
            (_, ends_at) => Stance::open(ends_at),
        }
    }
}

/// Why no call can start for about a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosedFor {
    /// The campaign's last instant, or the last day of its calendar, has passed.
    Ended(UtcMs),
    /// The hours open, and never for as long as a call needs.
    TooShort {
        /// That long.
        needed_s: i64,
    },
    /// They do not open.
    AYear,
}

/// When calls of a campaign may start.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    /// The campaign's own local times of day.
    pub window: Window,
    /// Whose clock the window is on.
    pub zone: Zone,
    /// The named calendar that the campaign works by.
    pub timetable: Option<Arc<Timetable>>,
    /// From when and until when.
    pub schedule: Schedule,
    /// The hours in which a contact may be called; `None` for none, and for the calendar of a whole campaign.
    pub legal: Option<Arc<LegalHours>>,
    /// How long it must stay open behind the start of a call, in milliseconds.
    pub reserve_ms: i64,
}

impl Calendar {
    /// A daily window and nothing else.
    #[must_use]
    pub fn daily(window: Window, zone: Zone) -> Self {
        Self { window, zone, timetable: None, schedule: Schedule::default(), legal: None, reserve_ms: 0 }
    }

    /// The same for calls that may ring so many seconds.
    #[must_use]
    pub fn with_ring_time(self, wait_time_s: u32) -> Self {
        Self { reserve_ms: i64::from(wait_time_s.saturating_add(RING_MARGIN_S)) * 1000, ..self }
    }

    /// The same for a contact with these legal hours.
    #[must_use]
    pub fn within(&self, legal: Option<&Arc<LegalHours>>) -> Self {
        Self { legal: legal.cloned(), ..self.clone() }
    }

    /// The contact's legal hours alone, if it has any, with the time that a call needs.
    #[must_use]
    pub fn legal_only(&self) -> Option<Self> {
        self.legal.as_ref()?;
        Some(Self { window: Window::ALWAYS, timetable: None, schedule: Schedule::default(), ..self.clone() })
    }

    /// The campaign's own window alone, with the time that a call needs.
    #[must_use]
    pub fn window_only(&self) -> Self {
        Self { timetable: None, schedule: Schedule::default(), legal: None, ..self.clone() }
    }

    /// The named calendar alone, if there is one, with the time that a call needs.
    #[must_use]
    pub fn timetable_only(&self) -> Option<Self> {
        self.timetable.as_ref()?;
        Some(Self { window: Window::ALWAYS, schedule: Schedule::default(), legal: None, ..self.clone() })
    }

    /// The schedule alone, with the time that a call needs.
    #[must_use]
    pub fn schedule_only(&self) -> Self {
        Self { window: Window::ALWAYS, timetable: None, legal: None, ..self.clone() }
    }

    /// Whether the hours are open at `at`, whatever a call needs.
    #[must_use]
    pub fn is_open(&self, at: UtcMs) -> bool {
        self.stance(at).open
    }

    /// Whether a call may start at `at`.
    #[must_use]
    pub fn contains(&self, at: UtcMs) -> bool {
        let stance = self.stance(at);
        stance.open && self.lasts(at, stance)
    }

    /// The earliest instant at or after `at` at which a call may start; `None` when there is none for about a year.
    #[must_use]
    pub fn next_opening(&self, at: UtcMs) -> Option<UtcMs> {
        let mut at = at;
        for _ in 0..CHANGES_MAX {
            let stance = self.stance(at);
            if !stance.open {
                at = stance.until?;
            } else if self.lasts(at, stance) {
                return Some(at);
            } else {
                at = self.raw_close(at, stance)?;
            }
        }
        None
    }

    /// The earliest instant after `at` at which no call may start any more, where one may at `at`; `None` when that
    /// stays so for about a year.
    #[must_use]
    pub fn closes(&self, at: UtcMs) -> Option<UtcMs> {
        self.closes_before(at, UtcMs(i64::MAX))
    }

    /// As [`closes`](Self::closes), where it is before `until`: what stays open for months is not followed for months.
    #[must_use]
    pub fn closes_before(&self, at: UtcMs, until: UtcMs) -> Option<UtcMs> {
        let closes_at = self.raw_close_by(at, self.stance(at), until.plus_ms(self.reserve_ms))?;
        Some(closes_at.plus_ms(-self.reserve_ms)).filter(|closes_at| *closes_at > at && *closes_at < until)
    }

    /// When the last instant of the campaign or the last day of its calendar has passed; `None` for neither.
    #[must_use]
    pub fn ends_at(&self) -> Option<UtcMs> {
        let timetable = self.timetable.as_ref().and_then(|timetable| timetable.ends_at());
        [timetable, self.schedule.ends_at].into_iter().flatten().min()
    }

    /// Why no call can start, where [`next_opening`](Self::next_opening) finds nothing.
    #[must_use]
    pub fn closed_for(&self, at: UtcMs) -> ClosedFor {
        let for_no_time = Self { reserve_ms: 0, ..self.clone() };
        match self.ends_at().filter(|ends_at| *ends_at <= at) {
            Some(ended_at) => ClosedFor::Ended(ended_at),
            None if for_no_time.next_opening(at).is_some() => ClosedFor::TooShort { needed_s: self.reserve_ms / 1000 },
            None => ClosedFor::AYear,
        }
    }

    fn stance(&self, at: UtcMs) -> Stance {
        let timetable = self.timetable.as_ref().map(|timetable| timetable.stance(at));
        let legal = self.legal.as_ref().map(|legal| legal.stance(at));
        let stance = self.schedule.stance(at).and(self.window_stance(at));
        [timetable, legal].into_iter().flatten().fold(stance, Stance::and)
    }

    fn window_stance(&self, at: UtcMs) -> Stance {
        if self.window.start_s() == self.window.stop_s() {
            return Stance::open(None);
        }
        let wall = self.zone.wall(at);
        let until = self.zone.runs_evenly_to(at, wall, self.window.edge_after(wall.second_of_day));
        if self.window.contains(wall.second_of_day) { Stance::open(Some(until)) } else { Stance::closed(Some(until)) }
    }

    /// Whether what is open at `at` stays so for as long as a call needs.
    fn lasts(&self, at: UtcMs, stance: Stance) -> bool {
        let needed = at.plus_ms(self.reserve_ms);
        let (mut stance, mut changes) = (stance, 0);
        while let Some(until) = stance.until.filter(|until| stance.open && *until <= needed && changes < CHANGES_MAX) {
            stance = self.stance(until);
            changes += 1;
        }
        stance.open
    }

    /// When what is open at `at` closes, whatever a call needs.
    fn raw_close(&self, at: UtcMs, stance: Stance) -> Option<UtcMs> {
        self.raw_close_by(at, stance, UtcMs(i64::MAX))
    }

    /// The same, as far as `until`.
    fn raw_close_by(&self, at: UtcMs, stance: Stance, until: UtcMs) -> Option<UtcMs> {
        let (mut at, mut stance) = (at, stance);
        for _ in 0..CHANGES_MAX {
            if !stance.open {
                return Some(at);
            }
            at = stance.until.filter(|change_at| *change_at < until)?;
            stance = self.stance(at);
        }
        None
    }
}
