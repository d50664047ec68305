//! A campaign as it is shown, in JSON and to people.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::failure::Result;
use super::super::present::{Moment, moment};
use super::options::CallerId;
use super::outcome::Outcome;
use super::rounds::Rounds;
use super::timing::pace_in_words;
use super::traffic_options::Traffic;
use crate::domain::action::Action;
use crate::domain::calendar::{Calendar, ClosedFor, Schedule, short_time_of_day, time_of_day};
use crate::domain::campaign::{Campaign, CampaignState, Pacing, Phase};
use crate::domain::contact::CallingOrder;
use crate::domain::disposition::Disposition;
use crate::domain::instant::UtcMs;
use crate::domain::name::Name;
use crate::domain::zoning::{LegalRules, LegalSwitch};
use crate::ledger::contacts::{self, Counts};
use crate::ledger::{Connection, actions, attempts, calendars, campaigns, trunks, users, views};

/// What a list shows of a campaign.
#[derive(Serialize)]
pub struct Overview {
    pub campaign: String,
    pub user: String,
    pub trunk: String,
    /// All of them, the first choice first.
    pub trunks: Vec<String>,
    pub state: CampaignState,
    pub phase: Phase,
    pub run_time: String,
    pub window: WindowNow,
    pub numbers: NumberCounts,
}

/// A campaign's window and how it stands now.
#[derive(Serialize)]
pub struct WindowNow {
    pub start: String,
    pub stop: String,
    pub time_zone: String,
    pub open: bool,
    pub opens_at: Option<Moment>,
    pub closes_at: Option<Moment>,
}

/// A campaign's numbers by state. I3: they sum to the total.
#[derive(Serialize)]
pub struct NumberCounts {
    pub total: u64,
    #[serde(flatten)]
    pub counts: Counts,
}

impl From<Counts> for NumberCounts {
    fn from(counts: Counts) -> Self {
        Self { total: counts.total(), counts }
    }
}

/// Everything about a campaign.
#[derive(Serialize)]
pub struct Page {
    #[serde(flatten)]
    pub overview: Overview,
    pub max_retries: u32,
    pub retry_time_s: u32,
    #[serde(flatten)]
    pub outcome: Outcome,
    pub wait_time_s: u32,
    pub channels: Option<u32>,
    pub timing: Timing,
    pub rounds: Rounds,
    pub caller_id: Option<String>,
    pub order: CallingOrder,
    pub next_number_after_s: u32,
    pub variables: BTreeMap<String, String>,
    pub traffic: Traffic,
    pub actions: Vec<String>,
    /// Those that the actions lead to.
    pub action_lists: BTreeMap<Name, Vec<String>>,
    pub open_calls: u32,
    pub dispositions: BTreeMap<Disposition, u64>,
}

/// What a list shows of this campaign at `now`.
pub fn overview(db: &Connection, campaign: &Campaign, now: UtcMs) -> Result<Overview> {
    let names = campaign.trunks().into_iter().map(|id| Ok(trunks::get(db, id)?.name.to_string()));
    let names = names.collect::<Result<Vec<String>>>()?;
    Ok(Overview {
        campaign: campaign.name.to_string(),
        user: users::get(db, campaign.owner)?.name.to_string(),
        trunk: names.first().cloned().unwrap_or_default(),
        trunks: names,
        state: campaign.state,
        phase: campaign.phase(campaigns::activity(db, campaign.id)?, now),
        run_time: run_time(&campaign.calendar, now),
        window: window(&campaign.calendar, now),
        numbers: contacts::counts(db, campaign.id)?.into(),
    })
}

/// Everything about this campaign at `now`, on a server with these legal hours.
pub fn page(db: &Connection, campaign: &Campaign, rules: &LegalRules, now: UtcMs) -> Result<Page> {
    let caller = CallerId::of(campaign);
    let lists = actions::get(db, campaign.actions)?;
    let in_words = |list: &[Action]| list.iter().map(Action::to_string).collect::<Vec<_>>();
    Ok(Page {
        overview: overview(db, campaign, now)?,
        max_retries: campaign.retry.max_retries,
        retry_time_s: campaign.retry.retry_time_s,
        outcome: Outcome::of(db, campaign)?,
        wait_time_s: campaign.retry.wait_time_s,
        channels: campaign.channels,
        timing: timing(db, campaign, rules)?,
        rounds: Rounds::of(db, campaign, now)?,
        caller_id: (caller != CallerId::default()).then(|| caller.to_string()),
        order: campaign.contacts.order,
        next_number_after_s: campaign.contacts.next_number_after_s,
        variables: campaign.variables.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        traffic: Traffic::of(campaign),
        actions: in_words(lists.list(None)),
        action_lists: lists.named().map(|(name, list)| (name.clone(), in_words(list))).collect(),
        open_calls: attempts::open_of(db, campaign.id)?,
        dispositions: views::dispositions(db, Some(campaign.id))?,
    })
}

/// When it dials and at what pace, beside its window.
#[derive(Serialize)]
pub struct Timing {
    pub calendar: Option<String>,
    /// Whether the server's hold: on, off, or the campaign's own.
    pub legal_hours: String,
    pub starts_at: Option<Moment>,
    pub ends_at: Option<Moment>,
    pub priority: u32,
    pub delay_ms: u32,
    pub batch_calls: Option<u32>,
    pub batch_pause_s: Option<u32>,
    pub finish: String,
    pub calls_started: u32,
    #[serde(skip)]
    pub legal: String,
    #[serde(skip)]
    pub schedule: String,
    #[serde(skip)]
    pub pace: String,
}

fn timing(db: &Connection, campaign: &Campaign, rules: &LegalRules) -> Result<Timing> {
    let calendar = campaign.calendar_id.map(|id| calendars::get(db, id)).transpose()?;
    let Schedule { starts_at, ends_at } = campaign.calendar.schedule;
    let Pacing { priority, rhythm } = campaign.pacing;
    let local = |at: UtcMs| campaign.calendar.zone.local(at);
    let from = starts_at.map(|at| format!("from {}", local(at)));
    let until = ends_at.map(|at| format!("until {}", local(at)));
    let schedule: Vec<String> = from.into_iter().chain(until).collect();
    Ok(Timing {
        calendar: calendar.map(|calendar| calendar.name.to_string()),
        legal_hours: campaign.legal_hours.to_string(),
        legal: legal_in_words(&campaign.legal_hours, rules),
        starts_at: moment(starts_at),
        ends_at: moment(ends_at),
        priority,
        delay_ms: rhythm.delay_ms,
        batch_calls: rhythm.batch.map(|batch| batch.calls),
        batch_pause_s: rhythm.batch.map(|batch| batch.pause_s),
        finish: campaign.finish.to_string(),
        calls_started: campaigns::activity(db, campaign.id)?.calls_started,
        schedule: if schedule.is_empty() { "on demand".to_owned() } else { schedule.join(" ") },
        pace: pace_in_words(rhythm),
    })
}

fn legal_in_words(switch: &LegalSwitch, rules: &LegalRules) -> String {
    match switch {
        LegalSwitch::Off => "off: its contacts may be called at any time".to_owned(),
        LegalSwitch::On if rules.is_none() => "on, and the server has none".to_owned(),
        LegalSwitch::On => format!("on, where each contact is: {rules}"),
        LegalSwitch::Own(week) => format!("where each contact is: {week}"),
    }
}

fn window(calendar: &Calendar, now: UtcMs) -> WindowNow {
    let open = calendar.contains(now);
    WindowNow {
        start: time_of_day(calendar.window.start_s()),
        stop: time_of_day(calendar.window.stop_s()),
        time_zone: calendar.zone.name().to_owned(),
        open,
        opens_at: if open { None } else { moment(calendar.next_opening(now)) },
        closes_at: if open { moment(calendar.closes(now)) } else { None },
    }
}

/// `09:00-18:00 Europe/Berlin, open now until 18:00`.
pub fn run_time(calendar: &Calendar, now: UtcMs) -> String {
    let zone = &calendar.zone;
    let (start_s, stop_s) = (calendar.window.start_s(), calendar.window.stop_s());
    let own = (start_s != stop_s)
        .then(|| format!("{}-{} {}", short_time_of_day(start_s), short_time_of_day(stop_s), zone.name()));
    let by_calendar = calendar.timetable.as_ref().map(|named| format!("{} {}", named.week, named.zone.name()));
    let hours: Vec<String> = by_calendar.into_iter().chain(own).collect();
    let hours = if hours.is_empty() { "all day".to_owned() } else { hours.join(" and ") };
    if calendar.contains(now) {
        let until = calendar.closes(now).map(|at| format!(" until {}", zone.local(at))).unwrap_or_default();
        return format!("{hours}, open now{until}");
    }
    match calendar.next_opening(now) {
        Some(at) => format!("{hours}, opens at {}", zone.local(at)),
        None => format!("{hours}, {}", closed_in_words(calendar, now)),
    }
}

/// Why hours that never open do not.
pub fn closed_in_words(calendar: &Calendar, now: UtcMs) -> String {
    match calendar.closed_for(now) {
        ClosedFor::Ended(at) => format!("ended at {}", calendar.zone.local(at)),
        ClosedFor::TooShort { needed_s } => format!("too short for the {needed_s} s that a call needs"),
        ClosedFor::AYear => "does not open for about a year".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::calendar::Window;

    #[test]
    fn the_run_time_says_whether_the_window_is_open() {
        let window = Window::parse("09:00", "18:00").unwrap();
        let calendar = Calendar::daily(window, "Europe/Berlin".parse().unwrap());
        let at = |text: &str| UtcMs::from(text.parse::<jiff::Timestamp>().unwrap());
        let open = "09:00-18:00 Europe/Berlin, open now until 2026-03-02 18:00:00";
        assert_eq!(run_time(&calendar, at("2026-03-02T09:00:00Z")), open);
        let closed = "09:00-18:00 Europe/Berlin, opens at 2026-03-03 09:00:00";
        assert_eq!(run_time(&calendar, at("2026-03-02T17:00:00Z")), closed);
        let short = Window::parse("09:00", "09:00:20").unwrap();
        let short = Calendar { window: short, ..calendar.clone() }.with_ring_time(30);
        let told = "09:00-09:00:20 Europe/Berlin, too short for the 35 s that a call needs";
        assert_eq!(run_time(&short, at("2026-03-02T17:00:00Z")), told);
        let ends_at = Some(at("2020-11-30T08:00:00Z"));
        let ended = Calendar { schedule: Schedule { starts_at: None, ends_at }, ..calendar.clone() };
        let told = "09:00-18:00 Europe/Berlin, ended at 2020-11-30 09:00:00";
        assert_eq!(run_time(&ended, at("2026-03-02T09:00:00Z")), told);
        let always = Calendar { window: Window::ALWAYS, ..calendar };
        assert_eq!(run_time(&always, at("2026-03-02T17:00:00Z")), "all day, open now");
    }
}
