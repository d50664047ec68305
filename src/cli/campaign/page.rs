//! A campaign as it is shown, in JSON and to people.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::failure::Result;
use super::super::present::{Moment, moment};
use super::options::CallerId;
use crate::domain::action::Action;
use crate::domain::calendar::{Calendar, time_of_day};
use crate::domain::campaign::{Campaign, CampaignState};
use crate::domain::disposition::Disposition;
use crate::domain::instant::UtcMs;
use crate::domain::name::Name;
use crate::ledger::contacts::{self, Counts};
use crate::ledger::{Connection, actions, attempts, trunks, users, views};

/// What a list shows of a campaign.
#[derive(Serialize)]
pub struct Overview {
    pub campaign: String,
    pub user: String,
    pub trunk: String,
    pub state: CampaignState,
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

/// A campaign's numbers by state. I3: the four sum to the total.
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
    pub wait_time_s: u32,
    pub channels: Option<u32>,
    pub caller_id: Option<String>,
    pub actions: Vec<String>,
    /// Those that the actions lead to.
    pub action_lists: BTreeMap<Name, Vec<String>>,
    pub open_calls: u32,
    pub dispositions: BTreeMap<Disposition, u64>,
}

/// What a list shows of this campaign at `now`.
pub fn overview(db: &Connection, campaign: &Campaign, now: UtcMs) -> Result<Overview> {
    Ok(Overview {
        campaign: campaign.name.to_string(),
        user: users::get(db, campaign.owner)?.name.to_string(),
        trunk: trunks::get(db, campaign.trunk)?.name.to_string(),
        state: campaign.state,
        run_time: run_time(&campaign.calendar, now),
        window: window(&campaign.calendar, now),
        numbers: contacts::counts(db, campaign.id)?.into(),
    })
}

/// Everything about this campaign at `now`.
pub fn page(db: &Connection, campaign: &Campaign, now: UtcMs) -> Result<Page> {
    let caller = CallerId::of(campaign);
    let lists = actions::get(db, campaign.actions)?;
    let in_words = |list: &[Action]| list.iter().map(Action::to_string).collect::<Vec<_>>();
    Ok(Page {
        overview: overview(db, campaign, now)?,
        max_retries: campaign.retry.max_retries,
        retry_time_s: campaign.retry.retry_time_s,
        wait_time_s: campaign.retry.wait_time_s,
        channels: campaign.channels,
        caller_id: (caller != CallerId::default()).then(|| caller.to_string()),
        actions: in_words(lists.list(None)),
        action_lists: lists.named().map(|(name, list)| (name.clone(), in_words(list))).collect(),
        open_calls: attempts::open_of(db, campaign.id)?,
        dispositions: views::dispositions(db, Some(campaign.id))?,
    })
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
    let hours = if start_s == stop_s {
        "all day".to_owned()
    } else {
        format!("{}-{} {}", short_time(start_s), short_time(stop_s), zone.name())
    };
    if calendar.contains(now) {
        let until = calendar.closes(now).map(|at| format!(" until {}", zone.local(at))).unwrap_or_default();
        return format!("{hours}, open now{until}");
    }
    match calendar.next_opening(now) {
        Some(at) => format!("{hours}, opens at {}", zone.local(at)),
        None => format!("{hours}, does not open within a week"),
    }
}

/// Without seconds where there are none.
fn short_time(s: u32) -> String {
    let long = time_of_day(s);
    long.strip_suffix(":00").map(str::to_owned).unwrap_or(long)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::calendar::Window;

    #[test]
    fn the_run_time_says_whether_the_window_is_open() {
        let window = Window::parse("09:00", "18:00").unwrap();
        let calendar = Calendar { window, zone: "Europe/Berlin".parse().unwrap() };
        let at = |text: &str| UtcMs::from(text.parse::<jiff::Timestamp>().unwrap());
        let open = "09:00-18:00 Europe/Berlin, open now until 2026-03-02 18:00:00";
        assert_eq!(run_time(&calendar, at("2026-03-02T09:00:00Z")), open);
        let closed = "09:00-18:00 Europe/Berlin, opens at 2026-03-03 09:00:00";
        assert_eq!(run_time(&calendar, at("2026-03-02T17:00:00Z")), closed);
        let always = Calendar { window: Window::ALWAYS, ..calendar };
        assert_eq!(run_time(&always, at("2026-03-02T17:00:00Z")), "all day, open now");
    }
}
