//! `campanile campaign start`.

use std::io::Write;

use clap::Args;
use serde::Serialize;

use super::super::failure::{Failure, Outcome, Result};
use super::super::present::{Moment, moment};
use super::super::session::{Daemon, Form, Session, warn};
use super::readiness::{self, Missing};
use crate::doctor;
use crate::domain::breaker::LineLeave;
use crate::domain::campaign::{Campaign, CampaignState};
use crate::domain::instant::UtcMs;
use crate::domain::name::Name;
use crate::domain::plan::{LEAD_MS, SHARED_AFTER_MS, pace};
use crate::domain::why::Gate;
use crate::exit::Exit;
use crate::ledger::{Connection, LedgerError, breakers, campaigns, snapshot, views, zones};

#[derive(Debug, Args)]
#[command(after_help = "\
A campaign starts only when it has free numbers and actions and every sound exists; otherwise everything \
that is missing is listed with the command that mends it, and nothing changes. It dials at once when its \
window is open. Starting a running campaign changes nothing and is no error. A completed campaign starts \
again when it has free numbers again.

Example:
  campanile campaign start spring

JSON: {campaign, state, started, already, missing: [{what, mend}], first_call_at, opens_at, daemon_runs}. \
Ends with 1 when something is missing.")]
pub struct Start {
    /// The campaign's name.
    name: Name,
}

#[derive(Serialize)]
struct Started {
    campaign: String,
    state: CampaignState,
    started: bool,
    already: bool,
    missing: Vec<Missing>,
    first_call_at: Option<Moment>,
    opens_at: Option<Moment>,
    daemon_runs: bool,
}

enum Verdict {
    Already,
    Lacks(Vec<Missing>),
    Runs,
}

impl Start {
    pub fn run(self, session: &mut Session) -> Outcome {
        let now = session.now();
        let (actor, settings) = (&session.actor, &session.settings);
        let (campaign, verdict) = session.ledger.try_write(|db| {
            let campaign = actor.campaign(db, &self.name)?;
            if campaign.state == CampaignState::Running {
                return Ok((campaign, Verdict::Already));
            }
            let missing = readiness::missing(db, settings, &campaign, now)?;
            if !missing.is_empty() {
                return Ok((campaign, Verdict::Lacks(missing)));
            }
            campaigns::start(db, &campaign, now)?;
            Ok::<_, Failure>((campaign, Verdict::Runs))
        })?;
        match verdict {
            Verdict::Lacks(missing) => refuse(session, &campaign, missing),
            Verdict::Already => told(session, &campaign, now, "runs already"),
            Verdict::Runs => {
                session.wake_daemon();
                told(session, &campaign, now, "started")
            }
        }
    }
}

fn refuse(session: &mut Session, campaign: &Campaign, missing: Vec<Missing>) -> Outcome {
    let what: Vec<String> = missing.iter().map(|m| format!("{}\n{}", m.what, indented(&m.mend))).collect();
    if session.form == Form::Json {
        let document = Started {
            campaign: campaign.name.to_string(),
            state: campaign.state,
            started: false,
            already: false,
            missing,
            first_call_at: None,
            opens_at: None,
            daemon_runs: session.daemon() == Daemon::Runs,
        };
        session.answer(&document, |_| Ok(()))?;
    }
    Err(Failure::new(Exit::Failure, format!("campaign {} cannot start", campaign.name), what.join("\n")))
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

fn told(session: &mut Session, campaign: &Campaign, now: UtcMs, what: &str) -> Outcome {
    let rules = &session.settings.legal_hours;
    let opens_at = session.ledger.read(|db| zones::next_opening(db, campaign, rules, now))?.filter(|at| *at > now);
    let rate = session.settings.calls_one_time;
    let first_call_at = match opens_at {
        Some(at) => pace::slot_from(rate, at),
        None => session.ledger.read(|db| first_call(db, campaign, rate, now))?,
    };
    let daemon = session.daemon();
    let document = Started {
        campaign: campaign.name.to_string(),
        state: CampaignState::Running,
        started: what == "started",
        already: what != "started",
        missing: Vec::new(),
        first_call_at: (daemon == Daemon::Runs).then_some(Moment(first_call_at)),
        opens_at: moment(opens_at),
        daemon_runs: daemon == Daemon::Runs,
    };
    session.answer(&document, |out| tell(out, campaign, what, opens_at, (daemon, first_call_at)))?;
    if daemon == Daemon::Absent {
        warn("`campanile serve` does not run: nothing is dialled until it does");
    }
    if let Gate::Fails { problem, mend } = doctor::gate(&session.settings) {
        warn(&format!("{problem}; {mend}"));
    }
    warn_of_breakers(session, campaign, now)?;
    Ok(Exit::Ok)
}

/// Says when no trunk of the campaign takes calls as they come.
fn warn_of_breakers(session: &mut Session, campaign: &Campaign, now: UtcMs) -> Result<()> {
    let trunks = campaign.trunks().into_iter();
    let leaves: Vec<LineLeave> = session.ledger.read(|db| trunks.map(|id| breakers::leave(db, id, now)).collect())?;
    if leaves.iter().all(|leave| campaign.heed().leave(*leave) != LineLeave::All) {
        warn("the breakers of all its trunks are open: only a call at a time is tried; see `campanile trunk list`");
    }
    Ok(())
}

/// The campaign's next planned call; before the daemon has planned one, the first slot that no other
/// campaign has.
fn first_call(db: &Connection, campaign: &Campaign, rate: u32, now: UtcMs) -> Result<UtcMs, LedgerError> {
    let planned = views::live(db, Some(campaign.id), 1)?.next_starts;
    match planned.first() {
        Some(at) if *at > now => Ok(*at),
        _ => {
            // What is further ahead, the daemon shares out anew.
            let mut taken = snapshot::taken_slots(db, None, now)?;
            taken.retain(|at| *at <= now.plus_ms(SHARED_AFTER_MS));
            Ok(pace::free_slot_from(rate, &taken, now.plus_ms(LEAD_MS)))
        }
    }
}

fn tell(
    out: &mut dyn Write,
    campaign: &Campaign,
    what: &str,
    opens_at: Option<UtcMs>,
    first: (Daemon, UtcMs),
) -> Result<()> {
    let zone = &campaign.calendar.zone;
    writeln!(out, "campaign {} {what}", campaign.name)?;
    match (opens_at, first) {
        (Some(at), _) => writeln!(out, "its hours are closed now and open at {} {}", zone.local(at), zone.name())?,
        (None, (Daemon::Runs, at)) => {
            writeln!(out, "calls are expected from {} {} on", zone.local(at), zone.name())?;
        }
        (None, (Daemon::Absent, _)) => {}
    }
    Ok(())
}
