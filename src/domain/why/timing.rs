//! The rules that pass by time: due, hours, pace, turn.

use super::{Judged, OtherFirst, WhyView, pass, stuck, trunks, until};
use crate::domain::bar::Bar;
use crate::domain::calendar::{Calendar, ClosedFor, Schedule};
use crate::domain::campaign::ContactState;
use crate::domain::instant::UtcMs;
use crate::domain::name::Name;
use crate::domain::round::NextRound;

pub(super) fn due(view: &WhyView, now: UtcMs) -> Judged {
    const RULE: &str = "due";
    match view.due_at {
        None if view.contact_state != ContactState::Waiting => pass(RULE, "no next call is due"),
        None => pass(RULE, "was never called"),
        Some(at) if at <= now => pass(RULE, format!("due since {}", local(view, at))),
        Some(at) => until(RULE, format!("its next call is due at {}", local(view, at)), Some(at)),
    }
}

pub(super) fn window(view: &WhyView, now: UtcMs) -> Judged {
    let calendar = view.calendar.window_only();
    let what = format!("the window {} {}", calendar.window, calendar.zone.name());
    hours("window_open", &what, view, &calendar, now)
}

pub(super) fn calendar(view: &WhyView, now: UtcMs) -> Judged {
    const RULE: &str = "calendar_open";
    let (Some(calendar), Some(timetable)) = (view.calendar.timetable_only(), &view.calendar.timetable) else {
        return pass(RULE, "the campaign works by no calendar");
    };
    let name = view.calendar_name.as_ref().map(Name::as_str).unwrap_or_default();
    let holiday = timetable.holiday(timetable.zone.date(now));
    let what = match holiday {
        Some(holiday) => format!("calendar {name} has a holiday, {}, and", holiday.name),
        None => format!("calendar {name} ({} {})", timetable.week, timetable.zone.name()),
    };
    hours(RULE, &what, view, &calendar, now)
}

pub(super) fn schedule(view: &WhyView, now: UtcMs) -> Judged {
    const RULE: &str = "scheduled";
    let calendar = view.calendar.schedule_only();
    let Schedule { starts_at, ends_at } = calendar.schedule;
    if starts_at.is_none() && ends_at.is_none() {
        return pass(RULE, "the campaign has no first and no last instant");
    }
    if calendar.contains(now) {
        return pass(RULE, "the campaign has begun and not ended");
    }
    if let Some(at) = calendar.next_opening(now) {
        return until(RULE, format!("the campaign begins at {}", local(view, at)), Some(at));
    }
    let ends = ends_at.map(|at| local(view, at)).unwrap_or_default();
    let detail = match calendar.closed_for(now) {
        ClosedFor::Ended(_) => format!("the campaign ended at {ends}"),
        _ => format!("the campaign ends at {ends}, and a call needs {} s before that", calendar.reserve_ms / 1000),
    };
    stuck(RULE, detail, format!("campanile campaign set {} --ends-at WHEN", view.campaign))
}

/// The hours where the contact is.
pub(super) fn legal_hours(view: &WhyView, now: UtcMs) -> Judged {
    const RULE: &str = "legal_hours";
    let own = own_hours(view);
    match (own.legal_only(), &view.legal) {
        (Some(calendar), Some(legal)) => hours(
            RULE,
            &format!("the window of the legal hours {legal}, in {},", view.whereabouts),
            view,
            &calendar,
            now,
        ),
        _ => pass(RULE, format!("no legal hours hold for the contact, in {}", view.whereabouts)),
    }
}

/// The campaign's hours and the contact's own.
fn own_hours(view: &WhyView) -> Calendar {
    view.calendar.within(view.legal.as_ref())
}

/// Each of them may open, and never when the others do.
pub(super) fn together(view: &WhyView, now: UtcMs) -> Judged {
    const RULE: &str = "hours_together";
    let calendar = own_hours(view);
    let opens = |part: &Calendar| part.next_opening(now).is_some();
    let each = opens(&calendar.window_only())
        && opens(&calendar.schedule_only())
        && [calendar.timetable_only(), calendar.legal_only()].into_iter().flatten().all(|part| opens(&part));
    if opens(&calendar) || !each {
        return pass(RULE, format!("{} leave hours in common", which(&calendar)));
    }
    let hint = format!("campanile campaign set {} with other hours, or --ends-at none", view.campaign);
    stuck(RULE, format!("{} are not open at once for about a year", which(&calendar)), hint)
}

fn which(calendar: &Calendar) -> &'static str {
    match calendar.legal {
        None => "window, calendar and schedule of the campaign",
        Some(_) => "window, calendar and schedule of the campaign and the contact's legal hours",
    }
}

/// A part of the calendar by itself.
fn hours(rule: &'static str, what: &str, view: &WhyView, calendar: &Calendar, now: UtcMs) -> Judged {
    if calendar.contains(now) {
        return pass(rule, format!("{what} is open"));
    }
    let hint = format!("give campaign {} hours that open", view.campaign);
    let too_soon = if calendar.is_open(now) { " closes too soon for a call to ring and" } else { "" };
    match calendar.next_opening(now) {
        Some(at) => until(rule, format!("{what}{too_soon} opens at {}", local(view, at)), Some(at)),
        None => stuck(rule, format!("{what} {}", never_opens(view, calendar, now)), hint),
    }
}

fn never_opens(view: &WhyView, calendar: &Calendar, now: UtcMs) -> String {
    match calendar.closed_for(now) {
        ClosedFor::Ended(at) => format!("ended at {}", local(view, at)),
        ClosedFor::TooShort { needed_s } => format!("is too short for the {needed_s} s that a call needs"),
        ClosedFor::AYear => "does not open for about a year".to_owned(),
    }
}

pub(super) fn pace(view: &WhyView, now: UtcMs) -> Judged {
    const RULE: &str = "campaign_pace";
    match view.next_by_pace {
        None => pass(RULE, "the campaign has no delay and no batch pause to wait for"),
        Some(at) if at <= now => pass(RULE, "the campaign's delay and batch pause are over"),
        Some(at) => {
            until(RULE, format!("the campaign's delay or batch pause lasts until {}", local(view, at)), Some(at))
        }
    }
}

pub(super) fn priority(view: &WhyView, now: UtcMs) -> Judged {
    const RULE: &str = "priority";
    let Some(OtherFirst { campaign, priority }) = &view.other_first else {
        return pass(RULE, "no campaign of a higher priority waits for its trunks");
    };
    let detail = format!("campaign {campaign} has priority {priority}, and calls over its trunks first");
    until(RULE, detail, turn_comes_at(view, now).or(Some(now)))
}

pub(super) fn turn(view: &WhyView, now: UtcMs) -> Judged {
    const RULE: &str = "turn";
    let detail = match view.ahead {
        0 => "is the next of its campaign".to_owned(),
        n => format!("{n} contacts are called before it, at most {} a minute", trunks::calls_a_minute(view)),
    };
    match turn_comes_at(view, now) {
        Some(_) if view.ahead == 0 => pass(RULE, detail),
        Some(at) => until(RULE, format!("{detail}: not before {}", local(view, at)), Some(at)),
        // That its hours do not open at all is said by rules of their own.
        None if view.ahead == 0 && own_hours(view).next_opening(now).is_none() => pass(RULE, detail),
        None => {
            let hint =
                format!("give campaign {} longer hours or a later end, or the server a higher rate", view.campaign);
            stuck(RULE, format!("{detail}, and its hours end before it could be called"), hint)
        }
    }
}

/// The most windows that a queue is followed through: a quarter of a year of days.
const WINDOWS_MAX: u32 = 92;

/// The earliest instant at which this contact's turn can come: those before it use every slot of the
/// server while the window is open, and it is due. `None` when that is too far away to tell.
pub(super) fn turn_comes_at(view: &WhyView, now: UtcMs) -> Option<UtcMs> {
    let rate = i64::from(trunks::calls_a_minute(view));
    let mut left_ms = i64::try_from(view.ahead).unwrap_or(i64::MAX).saturating_mul(60_000) / rate;
    let goes_on_at = view.rests.map_or(now, |(until, _)| until.max(now));
    let over_trunks_at = [trunks::trial_at(view), trunks::free_start(view)];
    let goes_on_at = over_trunks_at.into_iter().flatten().fold(goes_on_at, UtcMs::max);
    let barred_until = view.bar.as_ref().and_then(Bar::until);
    let own = own_hours(view);
    let next_round_at = match (view.contact_state, view.next_round) {
        (ContactState::Reached | ContactState::Failed, NextRound::At(at)) => Some(at),
        _ => None,
    };
    let not_before = [view.due_at, barred_until, next_round_at];
    let due_at = not_before.into_iter().flatten().fold(goes_on_at, UtcMs::max);
    let mut at = view.next_by_pace.map_or(goes_on_at, |next_at| next_at.max(goes_on_at));
    for _window in 0..WINDOWS_MAX {
        at = view.calendar.next_opening(at)?;
        let Some(closes_at) = view.calendar.closes(at).filter(|closes_at| closes_at.since_ms(at) <= left_ms) else {
            return own.next_opening(at.plus_ms(left_ms).max(due_at));
        };
        left_ms -= closes_at.since_ms(at);
        at = closes_at;
    }
    None
}

/// An instant on the clock of the campaign, with the zone's name.
pub(super) fn local(view: &WhyView, at: UtcMs) -> String {
    let zone = &view.calendar.zone;
    format!("{} {}", zone.local(at), zone.name())
}
