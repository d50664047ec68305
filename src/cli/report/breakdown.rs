//! `campanile report --by`: what became of calls, counted by one of their features.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use serde::Serialize;

use super::super::failure::{Failure, Result};
use super::super::present::chart::{self, Column};
use super::super::present::{or_dash, table};
use super::super::session::Session;
use super::{PAGE, csv_line, text};
use crate::domain::breakdown::{Breakdown, Counted, Group, Grouping, Sum};
use crate::domain::campaign::Campaign;
use crate::domain::ids::{AttemptId, TrunkId};
use crate::ledger::views::{self, AttemptRow};
use crate::ledger::{Connection, trunks};

/// How it is asked for.
pub struct Wanted<'a> {
    pub by: Grouping,
    /// A file for a chart.
    pub svg: Option<&'a Path>,
    pub form: BreakdownForm,
}

/// In which form it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakdownForm {
    Text,
    Json,
    Csv,
}

#[derive(Serialize)]
struct Row {
    group: String,
    attempts: u64,
    dialled: u64,
    answered: u64,
    answer_rate: Option<f64>,
    mean_ring_ms: Option<i64>,
    mean_talk_ms: Option<i64>,
    talk_ms: i64,
}

impl Row {
    fn new(group: &str, sum: &Sum) -> Self {
        Self {
            group: group.to_owned(),
            attempts: sum.attempts,
            dialled: sum.dialled,
            answered: sum.answered,
            answer_rate: sum.answer_rate().map(|rate| (rate * 10_000.0).round() / 10_000.0),
            mean_ring_ms: sum.mean_ring_ms(),
            mean_talk_ms: sum.mean_talk_ms(),
            talk_ms: sum.talk_ms,
        }
    }

    fn cells(&self) -> [String; 8] {
        let seconds = |ms: i64| format!("{}.{}s", ms / 1000, ms % 1000 / 100);
        [
            self.group.clone(),
            self.attempts.to_string(),
            self.dialled.to_string(),
            self.answered.to_string(),
            or_dash(self.answer_rate.map(|rate| format!("{:.1}%", rate * 100.0))),
            or_dash(self.mean_ring_ms.map(seconds)),
            or_dash(self.mean_talk_ms.map(seconds)),
            seconds(self.talk_ms),
        ]
    }
}

#[derive(Serialize)]
struct Document {
    campaign: String,
    by: Grouping,
    groups: Vec<Row>,
    all: Row,
}

/// Counts all calls of a campaign that have ended, and tells what they come to.
pub fn tell(session: &mut Session, campaign: &Campaign, wanted: &Wanted) -> Result<()> {
    let breakdown = count(session, campaign, wanted.by)?;
    if let Some(path) = wanted.svg {
        write_svg(path, campaign, wanted.by, &breakdown)?;
    }
    let groups: Vec<Row> = breakdown.groups.iter().map(|(group, sum)| Row::new(&group.name, sum)).collect();
    let document =
        Document { campaign: campaign.name.to_string(), by: wanted.by, groups, all: Row::new("all", &breakdown.all) };
    match wanted.form {
        BreakdownForm::Json => super::super::present::json_document(&mut session.out, &document),
        BreakdownForm::Csv => write_csv(&mut session.out, &document),
        BreakdownForm::Text => write_text(&mut session.out, &document),
    }
}

fn count(session: &mut Session, campaign: &Campaign, by: Grouping) -> Result<Breakdown> {
    let mut breakdown = Breakdown::new(by, campaign.calendar.zone.clone());
    let mut names = BTreeMap::new();
    let mut after = AttemptId(0);
    loop {
        let page = session.ledger.try_read(|db| {
            let page = views::attempts_page(db, campaign.id, after, PAGE)?;
            page.iter().try_for_each(|attempt| know(db, &mut names, attempt.trunk))?;
            Ok::<_, Failure>(page)
        })?;
        let Some(last) = page.last() else { return Ok(breakdown) };
        after = last.id;
        for attempt in &page {
            if let Some(call) = counted(attempt, &names) {
                breakdown.add(&call);
            }
        }
    }
}

fn know(db: &Connection, names: &mut BTreeMap<TrunkId, String>, id: TrunkId) -> Result<()> {
    if let std::collections::btree_map::Entry::Vacant(entry) = names.entry(id) {
        entry.insert(trunks::get(db, id)?.name.to_string());
    }
    Ok(())
}

/// An attempt that has ended.
fn counted<'a>(attempt: &AttemptRow, trunks: &'a BTreeMap<TrunkId, String>) -> Option<Counted<'a>> {
    Some(Counted {
        began_at: attempt.dialled_at.unwrap_or(attempt.planned_at),
        disposition: attempt.disposition?,
        cause: attempt.cause,
        sip_code: attempt.sip_code,
        trunk: trunks.get(&attempt.trunk).map(String::as_str).unwrap_or_default(),
        ring_ms: attempt.ring_ms,
        talk_ms: attempt.talk_ms,
    })
}

fn write_text(out: &mut dyn Write, document: &Document) -> Result<()> {
    let by = document.by.to_string();
    let heading = [by.as_str(), "attempts", "dialled", "answered", "answer rate", "mean ring", "mean talk", "talk"];
    let rows: Vec<Vec<String>> =
        document.groups.iter().chain([&document.all]).map(|row| row.cells().to_vec()).collect();
    table::write(out, &heading, &rows)
}

fn write_csv(out: &mut dyn Write, document: &Document) -> Result<()> {
    let by = document.by.to_string();
    let heading =
        [by.as_str(), "attempts", "dialled", "answered", "answer_rate", "mean_ring_ms", "mean_talk_ms", "talk_ms"];
    csv_line(out, &heading.map(str::to_owned))?;
    document.groups.iter().try_for_each(|row| {
        let cells = [
            row.group.clone(),
            row.attempts.to_string(),
            row.dialled.to_string(),
            row.answered.to_string(),
            text(row.answer_rate),
            text(row.mean_ring_ms),
            text(row.mean_talk_ms),
            row.talk_ms.to_string(),
        ];
        csv_line(out, &cells)
    })
}

fn write_svg(path: &Path, campaign: &Campaign, by: Grouping, breakdown: &Breakdown) -> Result<()> {
    let column =
        |(group, sum): (&Group, &Sum)| Column { label: group.name.clone(), whole: sum.attempts, part: sum.answered };
    let columns: Vec<Column> = breakdown.groups.iter().map(column).collect();
    let title = format!("Calls of {} by {by}", campaign.name);
    let svg = chart::columns(&title, ("attempts", "answered"), &columns)?;
    chart::write(path, &svg)
}
