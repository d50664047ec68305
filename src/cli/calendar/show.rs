//! `campanile calendar show` and `list`.

use std::io::Write;

use clap::Args;
use serde::Serialize;

use super::super::failure::{Failure, Outcome, Result};
use super::super::present::{Moment, moment, or_dash, table};
use super::super::session::Session;
use super::{sees, usable};
use crate::domain::calendar::{Calendar, Holiday, Repeats, Window};
use crate::domain::instant::UtcMs;
use crate::domain::name::Name;
use crate::exit::Exit;
use crate::ledger::calendars::{self, NamedCalendar};
use crate::ledger::{Connection, users};

#[derive(Debug, Args)]
#[command(after_help = "\
JSON: [{calendar, user, time_zone, hours, first_day, last_day, open, opens_at, closes_at, campaigns, holidays}], \
each as in `calendar show`.")]
pub struct List {}

#[derive(Debug, Args)]
#[command(after_help = "\
JSON: {calendar, user, time_zone, hours, first_day, last_day, open, opens_at, closes_at, campaigns: [name, …], \
holidays: [{name, first, last, repeats}]}.")]
pub struct Show {
    /// The calendar's name.
    name: Name,
}

#[derive(Serialize)]
struct Page {
    calendar: String,
    user: String,
    time_zone: String,
    hours: String,
    first_day: Option<jiff::civil::Date>,
    last_day: Option<jiff::civil::Date>,
    open: bool,
    opens_at: Option<Moment>,
    closes_at: Option<Moment>,
    campaigns: Vec<String>,
    holidays: Vec<Holiday>,
    #[serde(skip)]
    stands: String,
}

fn page(db: &Connection, session_sees: impl Fn(&str) -> bool, named: NamedCalendar, now: UtcMs) -> Result<Page> {
    let timetable = named.timetable;
    let zone = timetable.zone.clone();
    let calendar =
        Calendar { timetable: Some(timetable.clone().into()), ..Calendar::daily(Window::ALWAYS, zone.clone()) };
    let open = calendar.contains(now);
    let (opens_at, closes_at) = if open { (None, calendar.closes(now)) } else { (calendar.next_opening(now), None) };
    let stands = match (open, closes_at, opens_at) {
        (true, Some(at), _) => format!("open until {}", zone.local(at)),
        (true, None, _) => "open".to_owned(),
        (false, _, Some(at)) => format!("opens at {}", zone.local(at)),
        (false, _, None) => "does not open for about a year".to_owned(),
    };
    let mut campaigns = calendars::campaigns_of(db, named.id)?;
    campaigns.retain(|name| session_sees(name));
    Ok(Page {
        calendar: named.name.to_string(),
        user: users::get(db, named.owner)?.name.to_string(),
        time_zone: zone.name().to_owned(),
        hours: timetable.week.to_string(),
        first_day: timetable.first_day,
        last_day: timetable.last_day,
        open,
        opens_at: moment(opens_at),
        closes_at: moment(closes_at),
        campaigns,
        holidays: timetable.holidays,
        stands,
    })
}

impl Show {
    pub fn run(self, session: &mut Session) -> Outcome {
        show(session, &self.name)
    }
}

/// Shows everything about a calendar.
pub fn show(session: &mut Session, name: &Name) -> Outcome {
    let now = session.now();
    let actor = &session.actor;
    let page = session.ledger.try_read(|db| {
        let mine: Vec<String> = actor.campaigns(db)?.into_iter().map(|c| c.name.to_string()).collect();
        page(db, |name| mine.iter().any(|own| own == name), usable(db, actor, name)?, now)
    })?;
    session.answer(&page, |out| tell(out, &page))?;
    Ok(Exit::Ok)
}

fn tell(out: &mut dyn Write, page: &Page) -> Result<()> {
    writeln!(out, "calendar    {}", page.calendar)?;
    writeln!(out, "user        {}", page.user)?;
    writeln!(out, "hours       {}", page.hours)?;
    writeln!(out, "time zone   {}", page.time_zone)?;
    writeln!(out, "first day   {}", or_dash(page.first_day))?;
    writeln!(out, "last day    {}", or_dash(page.last_day))?;
    writeln!(out, "now         {}", page.stands)?;
    writeln!(
        out,
        "campaigns   {}",
        if page.campaigns.is_empty() { "-".to_owned() } else { page.campaigns.join(", ") }
    )?;
    for (i, holiday) in page.holidays.iter().enumerate() {
        writeln!(out, "{:<11} {}", if i == 0 { "holidays" } else { "" }, in_words(holiday))?;
    }
    if page.holidays.is_empty() {
        writeln!(out, "holidays    none")?;
    }
    Ok(())
}

/// `2026-12-25 to 2026-12-26, each year: Christmas`.
pub fn in_words(holiday: &Holiday) -> String {
    let last = if holiday.last == holiday.first { String::new() } else { format!(" to {}", holiday.last) };
    let yearly = if holiday.repeats == Repeats::Yearly { ", each year" } else { "" };
    format!("{}{last}{yearly}: {}", holiday.first, holiday.name)
}

impl List {
    pub fn run(self, session: &mut Session) -> Outcome {
        let now = session.now();
        let actor = &session.actor;
        let pages = session.ledger.try_read(|db| {
            let mine: Vec<String> = actor.campaigns(db)?.into_iter().map(|c| c.name.to_string()).collect();
            let mut pages = Vec::new();
            for calendar in calendars::all(db)? {
                if sees(db, actor, &calendar)? {
                    pages.push(page(db, |name| mine.iter().any(|own| own == name), calendar, now)?);
                }
            }
            Ok::<_, Failure>(pages)
        })?;
        session.answer(&pages, |out| {
            let heading = ["calendar", "user", "hours", "time zone", "first day", "last day", "holidays", "now"];
            table::write(out, &heading, &pages.iter().map(cells).collect::<Vec<_>>())
        })?;
        Ok(Exit::Ok)
    }
}

fn cells(page: &Page) -> Vec<String> {
    vec![
        page.calendar.clone(),
        page.user.clone(),
        page.hours.clone(),
        page.time_zone.clone(),
        or_dash(page.first_day),
        or_dash(page.last_day),
        page.holidays.len().to_string(),
        page.stands.clone(),
    ]
}
