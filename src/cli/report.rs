//! `campanile report`.

mod breakdown;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use self::breakdown::{BreakdownForm, Wanted};
use super::failure::{Failure, Outcome, Result};
use super::present::{JsonArray, Moment, moment, or_dash};
use super::session::{Form, Session};
use crate::domain::attempt::AttemptState;
use crate::domain::breakdown::Grouping;
use crate::domain::campaign::{Campaign, CampaignState};
use crate::domain::disposition::Disposition;
use crate::domain::evidence::{Finding, Step, StepResult};
use crate::domain::ids::AttemptId;
use crate::domain::name::Name;
use crate::exit::Exit;
use crate::ledger::campaigns;
use crate::ledger::contacts::{self, Counts};
use crate::ledger::views::{self, AttemptRow};

/// Attempts that are read at once.
const PAGE: u32 = 500;
/// Above the rows of the text, after the planned instant.
const HEADING: [&str; 7] = ["NUMBER", "DISPOSITION", "CAUSE", "SIP", "RING", "TALK", "STEPS, DETAIL"];

/// What became of a campaign's calls, one row for each attempt.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  campanile report spring
  campanile report spring --csv > spring.csv
  campanile report spring --by hour --svg hours.svg
  campanile report spring --json | jq '.[] | select(.disposition == \"busy\").number'

JSON, and the columns of CSV: [{number, planned_at, dialled_at, answered_at, ended_at, disposition, detail, \
cause (Q.850), sip_code, ring_ms, talk_ms, planned_talk_ms, planned_cancel_s, state, steps: [{list, place, action, result, digits, ran_ms, finding}]}], in the \
order of planning. planned_talk_ms and planned_cancel_s are what was made up for the call: how long it was to last, and at \
which second of ringing it was to be cancelled. disposition is null (empty) while a call is open; dispositions are answered, machine, \
cancelled (as was made up for it), busy, no_answer, rejected, invalid_number, trunk_failure, not_dialled, indeterminate. finding is null, \
or {kind: chose, to} of a MENU, {kind: heard, who: human | machine | unsure, cause, to} of AMD, {kind: sound, after_ms} of LISTEN, {kind: recorded, file} \
of RECORD.

With --by, JSON is {campaign, by, groups: [{group, attempts, dialled, answered, answer_rate, mean_ring_ms, \
mean_talk_ms, talk_ms}], all: {…}} and CSV has a line for each group: calls that have ended, at the instant at which \
they began, on the campaign's clock. answer_rate is answered of dialled.")]
pub struct Report {
    /// The campaign.
    campaign: Name,
    /// Write CSV.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Count the calls by disposition, cause, sip, trunk, hour, weekday or day instead.
    #[arg(long, value_name = "FEATURE")]
    by: Option<Grouping>,
    /// Write a chart of the counts to this file, as SVG.
    #[arg(long, value_name = "FILE", requires = "by")]
    svg: Option<PathBuf>,
}

#[derive(Serialize)]
struct ReportRow {
    number: String,
    planned_at: Moment,
    dialled_at: Option<Moment>,
    answered_at: Option<Moment>,
    ended_at: Option<Moment>,
    disposition: Option<Disposition>,
    detail: Option<String>,
    cause: Option<u16>,
    sip_code: Option<u16>,
    ring_ms: Option<i64>,
    talk_ms: Option<i64>,
    planned_talk_ms: Option<u32>,
    planned_cancel_s: Option<u32>,
    state: AttemptState,
    steps: Vec<StepRow>,
}

#[derive(Serialize)]
struct StepRow {
    /// `None` for the list that begins.
    list: Option<Name>,
    /// From 1, as `actions list` counts.
    place: u32,
    action: String,
    result: StepResult,
    digits: String,
    ran_ms: i64,
    /// What it found out, and where the call went on.
    finding: Option<Finding>,
}

impl From<(AttemptRow, Vec<Step>)> for ReportRow {
    fn from((attempt, steps): (AttemptRow, Vec<Step>)) -> Self {
        Self {
            number: attempt.number.to_string(),
            planned_at: Moment(attempt.planned_at),
            dialled_at: moment(attempt.dialled_at),
            answered_at: moment(attempt.answered_at),
            ended_at: moment(attempt.ended_at),
            disposition: attempt.disposition,
            detail: attempt.detail,
            cause: attempt.cause,
            sip_code: attempt.sip_code,
            ring_ms: attempt.ring_ms,
            talk_ms: attempt.talk_ms,
            planned_talk_ms: attempt.draw.talk_ms,
            planned_cancel_s: attempt.draw.cancel_after_s,
            state: attempt.state,
            steps: steps.into_iter().map(StepRow::from).collect(),
        }
    }
}

impl From<Step> for StepRow {
    fn from(step: Step) -> Self {
        Self {
            list: step.list,
            place: step.index + 1,
            action: step.action.to_string(),
            result: step.result,
            digits: step.digits,
            ran_ms: step.ran_ms,
            finding: step.finding,
        }
    }
}

impl Report {
    pub fn run(self, session: &mut Session) -> Outcome {
        let actor = &session.actor;
        let campaign = session.ledger.try_read(|db| actor.campaign(db, &self.campaign))?;
        if let Some(by) = self.by {
            let form = match (session.form, self.csv) {
                (_, true) => BreakdownForm::Csv,
                (Form::Json, false) => BreakdownForm::Json,
                (Form::Text, false) => BreakdownForm::Text,
            };
            breakdown::tell(session, &campaign, &Wanted { by, svg: self.svg.as_deref(), form })?;
            session.out.flush()?;
            return Ok(Exit::Ok);
        }
        match (session.form, self.csv) {
            (_, true) => write_csv(session, &campaign)?,
            (Form::Json, false) => write_json(session, &campaign)?,
            (Form::Text, false) => write_text(session, &campaign)?,
        }
        session.out.flush()?;
        Ok(Exit::Ok)
    }
}

/// Reads page by page, so that memory stays flat whatever the campaign holds.
fn each(
    session: &mut Session,
    campaign: &Campaign,
    mut row: impl FnMut(&mut dyn Write, ReportRow) -> Result<()>,
) -> Result<()> {
    let mut after = AttemptId(0);
    loop {
        let page = session.ledger.read(|db| {
            let attempts = views::attempts_page(db, campaign.id, after, PAGE)?;
            attempts.into_iter().map(|a| Ok((views::steps(db, a.id)?, a))).collect::<Result<Vec<_>, _>>()
        })?;
        let Some((_, last)) = page.last() else { return Ok(()) };
        after = last.id;
        page.into_iter().try_for_each(|(steps, attempt)| row(&mut session.out, (attempt, steps).into()))?;
    }
}

fn write_json(session: &mut Session, campaign: &Campaign) -> Result<()> {
    let mut array = JsonArray::default();
    each(session, campaign, |out, row| array.row(out, &row))?;
    array.end(&mut session.out)
}

fn write_csv(session: &mut Session, campaign: &Campaign) -> Result<()> {
    let heading = [
        "number",
        "planned_at",
        "dialled_at",
        "answered_at",
        "ended_at",
        "disposition",
        "detail",
        "cause",
        "sip_code",
        "ring_ms",
        "talk_ms",
        "planned_talk_ms",
        "planned_cancel_s",
        "state",
        "steps",
    ];
    csv_line(&mut session.out, &heading.map(str::to_owned))?;
    each(session, campaign, |out, row| csv_line(out, &csv_cells(&row)))
}

fn csv_line(out: &mut dyn Write, cells: &[String]) -> Result<()> {
    let mut line = csv::Writer::from_writer(Vec::new());
    line.write_record(cells).map_err(std::io::Error::other)?;
    Ok(out.write_all(&line.into_inner().map_err(|error| std::io::Error::other(error.to_string()))?)?)
}

fn csv_cells(row: &ReportRow) -> [String; 15] {
    let at = |moment: Option<Moment>| text(moment.map(|m| m.0));
    [
        row.number.clone(),
        row.planned_at.0.to_string(),
        at(row.dialled_at),
        at(row.answered_at),
        at(row.ended_at),
        text(row.disposition),
        text(row.detail.as_ref()),
        text(row.cause),
        text(row.sip_code),
        text(row.ring_ms),
        text(row.talk_ms),
        text(row.planned_talk_ms),
        text(row.planned_cancel_s),
        row.state.to_string(),
        told_steps(&row.steps),
    ]
}

fn text(value: Option<impl ToString>) -> String {
    value.map(|v| v.to_string()).unwrap_or_default()
}

/// `PLAY hello done keys 12; MENU … done keys 2 → no-more; no-more: OPT-OUT done`.
fn told_steps(steps: &[StepRow]) -> String {
    steps.iter().map(told_step).collect::<Vec<_>>().join("; ")
}

/// A menu's choices stand in the list of actions; here is what became of it.
fn told_step(step: &StepRow) -> String {
    let list = step.list.as_ref().map(|list| format!("{list}: ")).unwrap_or_default();
    let keys = if step.digits.is_empty() { String::new() } else { format!(" keys {}", step.digits) };
    let found = match &step.finding {
        None => String::new(),
        Some(Finding::Chose { to }) => format!(" → {to}"),
        Some(Finding::Heard { who, cause, to }) => {
            let cause = cause.as_ref().map(|cause| format!(" ({cause})")).unwrap_or_default();
            format!(" heard {who}{cause} → {to}")
        }
        Some(Finding::Sound { after_ms: Some(ms) }) => format!(" heard after {ms} ms"),
        Some(Finding::Sound { after_ms: None }) => " heard nothing".to_owned(),
        Some(Finding::Recorded { file }) => format!(" in {file}"),
    };
    format!("{list}{} {}{keys}{found}", step.action, step.result)
}

/// The rows first and what they come to last: that is what stands above the prompt of a terminal.
fn write_text(session: &mut Session, campaign: &Campaign) -> Result<()> {
    let zone = campaign.calendar.zone.clone();
    let mut rows = 0_u64;
    each(session, campaign, |out, row| {
        if rows == 0 {
            writeln!(out, "{}", line(&format!("PLANNED ({})", zone.name()), &HEADING.map(str::to_owned)))?;
        }
        rows += 1;
        Ok(writeln!(out, "{}", line(&zone.local(row.planned_at.0), &cells(&row)))?)
    })?;
    // Read after the rows, so that no call that is counted as ended stands above as open.
    let (state, counts, dispositions) = session.ledger.try_read(|db| {
        let state = campaigns::get(db, campaign.id)?.map_or(campaign.state, |campaign| campaign.state);
        Ok::<_, Failure>((state, contacts::counts(db, campaign.id)?, views::dispositions(db, Some(campaign.id))?))
    })?;
    writeln!(session.out, "{}", if rows == 0 { "No calls yet." } else { "" })?;
    tell_sums(&mut session.out, &campaign.name, state, counts, &dispositions)
}

fn tell_sums(
    out: &mut dyn Write,
    name: &Name,
    state: CampaignState,
    counts: Counts,
    dispositions: &BTreeMap<Disposition, u64>,
) -> Result<()> {
    writeln!(out, "Campaign {name} is {state}.")?;
    writeln!(
        out,
        "{} numbers = {} waiting + {} in progress + {} reached + {} failed + {} excluded",
        counts.total(),
        counts.waiting,
        counts.in_progress,
        counts.reached,
        counts.failed,
        counts.excluded
    )?;
    let closed: u64 = dispositions.values().sum();
    let each: Vec<String> = dispositions.iter().map(|(disposition, n)| format!("{n} {disposition}")).collect();
    if closed > 0 {
        writeln!(out, "{closed} calls ended = {}", each.join(" + "))?;
    }
    Ok(())
}

fn cells(row: &ReportRow) -> [String; 7] {
    let ended = row.disposition.map_or_else(|| format!("({})", row.state), |disposition| disposition.to_string());
    let seconds =
        |ms: Option<i64>| ms.map_or_else(|| "-".to_owned(), |ms| format!("{}.{}s", ms / 1000, ms % 1000 / 100));
    let steps = [told_steps(&row.steps), text(row.detail.as_ref()), told_draw(row)];
    let told: Vec<String> = steps.into_iter().filter(|text| !text.is_empty()).collect();
    [
        row.number.clone(),
        ended,
        or_dash(row.cause),
        or_dash(row.sip_code),
        seconds(row.ring_ms),
        seconds(row.talk_ms),
        told.join("; "),
    ]
}

/// What was made up for the call: `to last 34.5s; to be cancelled after 7s`.
fn told_draw(row: &ReportRow) -> String {
    let lasts = row.planned_talk_ms.map(|ms| format!("to last {}.{}s", ms / 1000, ms % 1000 / 100));
    let cancelled = row.planned_cancel_s.map(|s| format!("to be cancelled after {s}s"));
    lasts.into_iter().chain(cancelled).collect::<Vec<_>>().join("; ")
}

/// Columns of a fixed width: rows are written as they are read.
fn line(planned: &str, [number, ended, cause, sip, ring, talk, told]: &[String; 7]) -> String {
    format!("{planned:<23} {number:<17} {ended:<14} {cause:>5} {sip:>4} {ring:>7} {talk:>7}  {told}")
        .trim_end()
        .to_owned()
}
