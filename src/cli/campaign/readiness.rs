//! What a campaign lacks before it can start, with the command that mends each.

use serde::Serialize;

use super::super::dnc;
use super::super::failure::Result;
use super::super::session::warn;
use super::super::sounds;
use crate::domain::action::{Action, Place};
use crate::domain::calendar::{Calendar, ClosedFor};
use crate::domain::campaign::Campaign;
use crate::domain::instant::UtcMs;
use crate::ledger::contacts::{self, Counts};
use crate::ledger::{Connection, actions, zones};
use crate::settings::Settings;

/// Something that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// What.
    pub what: String,
    /// How to mend it.
    pub mend: String,
}

/// Everything that keeps a campaign from starting; empty when it can.
pub fn missing(db: &Connection, settings: &Settings, campaign: &Campaign, now: UtcMs) -> Result<Vec<Missing>> {
    let actions = actions::get(db, campaign.actions)?;
    let mut missing = Vec::new();
    missing.extend(numbers(campaign, contacts::counts(db, campaign.id)?));
    if actions.is_empty() && campaign.traffic.duration.is_none() {
        let mend = format!("campanile actions add {} PLAY SOUND", campaign.name);
        missing.push(Missing { what: "it has no actions: an answered call would be silent".to_owned(), mend });
    }
    missing.extend(actions.all().flat_map(|(place, action)| missing_sounds(settings, campaign, &place, action)));
    for (place, action) in actions.all() {
        missing.extend(opt_out_list(db, campaign, &place, action)?);
    }
    missing.extend(hours(campaign, now));
    missing.extend(legal_hours(db, settings, campaign, now)?);
    Ok(missing)
}

/// Hours in which no call can start, because they never come or are too short.
fn hours(campaign: &Campaign, now: UtcMs) -> Option<Missing> {
    let (calendar, name) = (&campaign.calendar, &campaign.name);
    if calendar.next_opening(now).is_some() {
        return None;
    }
    let what = match calendar.closed_for(now) {
        ClosedFor::Ended(at) => format!("its end has come, at {} {}", calendar.zone.local(at), calendar.zone.name()),
        ClosedFor::TooShort { needed_s } => format!("its hours are too short for the {needed_s} s that a call needs"),
        ClosedFor::AYear => "its hours do not open for about a year".to_owned(),
    };
    let set = |options: &str| format!("campanile campaign set {name} {options}");
    let mends: Vec<String> = at_fault(calendar, now).into_iter().map(set).collect();
    Some(Missing { what, mend: mends.join("\nor: ") })
}

/// The options that mend hours in which no call can start: of those that never open by themselves, if there are such.
fn at_fault(calendar: &Calendar, now: UtcMs) -> Vec<&'static str> {
    let parts = [
        (
            Some(calendar.window_only()).filter(|own| own.window.start_s() != own.window.stop_s()),
            "--start HH:MM --stop HH:MM",
        ),
        (calendar.timetable_only(), "--calendar none"),
        (Some(calendar.schedule_only()).filter(|own| own.schedule.ends_at.is_some()), "--ends-at none"),
    ];
    let parts: Vec<_> = parts.into_iter().filter_map(|(part, mend)| Some((part?, mend))).collect();
    let never = |part: &Calendar| part.next_opening(now).is_none();
    let any = parts.iter().any(|(part, _)| never(part));
    parts.into_iter().filter(|(part, _)| !any || never(part)).map(|(_, mend)| mend).collect()
}

/// Says that a campaign calls nobody, whatever else it has.
pub fn warn_of_hours(campaign: &Campaign, now: UtcMs) {
    // As it will be read again.
    let calendar = campaign.calendar.clone().with_ring_time(campaign.retry.wait_time_s);
    if calendar.next_opening(now).is_some() {
        return;
    }
    warn(&match calendar.closed_for(now) {
        ClosedFor::Ended(at) => {
            format!("the campaign ended at {} {}: it calls nobody", calendar.zone.local(at), calendar.zone.name())
        }
        ClosedFor::TooShort { needed_s } => {
            format!("its hours are too short for the {needed_s} s that a call needs: it calls nobody")
        }
        ClosedFor::AYear => "its hours do not open for about a year: it calls nobody".to_owned(),
    });
}

/// Hours that open, and never while a contact may be called where it is.
fn legal_hours(db: &Connection, settings: &Settings, campaign: &Campaign, now: UtcMs) -> Result<Option<Missing>> {
    let rules = &settings.legal_hours;
    if campaign.calendar.next_opening(now).is_none() || zones::next_opening(db, campaign, rules, now)?.is_some() {
        return Ok(None);
    }
    let name = &campaign.name;
    let what = "its hours and the legal hours where its contacts are do not open together for about a year".to_owned();
    let mend = format!(
        "campanile campaign set {name} --start HH:MM --stop HH:MM\nor: campanile campaign set {name} --legal-hours HOURS"
    );
    Ok(Some(Missing { what, mend }))
}

/// Numbers in progress are as good as free ones: the campaign is merely between two calls.
fn numbers(campaign: &Campaign, counts: Counts) -> Option<Missing> {
    let name = &campaign.name;
    // One that is called in rounds begins the next.
    let calls_again = campaign.rounds.repeat_s.is_some() && counts.reached + counts.failed > 0;
    if counts.waiting + counts.in_progress > 0 || calls_again {
        return None;
    }
    let import = format!("campanile numbers import {name} FILE");
    Some(match (counts.total(), counts.failed) {
        (total, 0) if counts.excluded > 0 => {
            let what = format!("none of its {total} numbers is left to call, and {} are excluded", counts.excluded);
            Missing { what, mend: import }
        }
        (0, _) => Missing { what: "it has no numbers".to_owned(), mend: import },
        (total, 0) => Missing { what: format!("all of its {total} numbers were reached"), mend: import },
        (total, failed) => Missing {
            what: format!("none of its {total} numbers is left to call"),
            mend: format!("campanile redial-failed {name}   (calls the {failed} failed ones again)\n{import}"),
        },
    })
}

/// The sounds of an action that do not exist, wherever its list is reached from.
fn missing_sounds(settings: &Settings, campaign: &Campaign, place: &Place, action: &Action) -> Vec<Missing> {
    let set = set_action(campaign, place);
    let absent = action.sounds().into_iter().filter(|sound| sounds::find(settings, sound).is_none());
    absent
        .map(|sound| {
            let put = match action {
                Action::Say { .. } => "install Asterisk's own sounds (on Debian: asterisk-core-sounds-en)".to_owned(),
                _ => sounds::where_to_put(settings, &sound),
            };
            let mend = format!("{put}\nor: {set} {}", instead(action));
            Missing { what: format!("the sound `{sound}` of the action at {place} does not exist"), mend }
        })
        .collect()
}

/// The do-not-call list of an OPT-OUT, if it does not exist: who opts out would come onto another.
fn opt_out_list(db: &Connection, campaign: &Campaign, place: &Place, action: &Action) -> Result<Option<Missing>> {
    let Some(list) = dnc::absent_list(db, action)? else { return Ok(None) };
    let what = format!("the do-not-call list `{list}` of the action at {place} does not exist");
    let mend = format!("campanile dnc create {list}\nor: {} OPT-OUT", set_action(campaign, place));
    Ok(Some(Missing { what, mend }))
}

fn set_action(campaign: &Campaign, place: &Place) -> String {
    let list = place.list.as_ref().map(|list| format!(":{list}")).unwrap_or_default();
    format!("campanile actions set {}{list} {}", campaign.name, place.number)
}

/// What could stand in the place of an action without its sound.
fn instead(action: &Action) -> &'static str {
    match action {
        Action::Menu(_) => "MENU SOUND …",
        _ => "PLAY SOUND",
    }
}
