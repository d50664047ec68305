//! `campanile line-check start`, `stop` and `remove`.

use clap::Args;
use serde_json::json;

use super::super::campaign::{last_instant, missing, no_start_after, wait_until};
use super::super::failure::{Failure, Outcome};
use super::super::present::Moment;
use super::super::session::{Daemon, Session, warn};
use super::{named, show};
use crate::domain::campaign::CampaignState;
use crate::domain::name::Name;
use crate::exit::Exit;
use crate::ledger::{attempts, campaigns, line_checks};

#[derive(Debug, Args)]
#[command(after_help = "\
All of its campaigns start or none. Those that run go on.

JSON: as `line-check add`.")]
pub struct Start {
    /// The check's name.
    name: Name,
}

#[derive(Debug, Args)]
#[command(after_help = "\
It holds as of `campaign stop`: calls that are up go on, and no further one starts.

JSON: {line_check, no_start_after}.")]
pub struct Stop {
    /// The check's name.
    name: Name,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Without --yes it only tells what would go. It refuses while a campaign of it runs or has open calls.

JSON: {line_check, removed}.")]
pub struct Remove {
    /// The check's name.
    name: Name,
    /// Really remove it.
    #[arg(long)]
    yes: bool,
}

impl Start {
    pub fn run(self, session: &mut Session) -> Outcome {
        let now = session.now();
        let (actor, settings) = (&session.actor, &session.settings);
        session.ledger.try_write(|db| {
            let (_, mut all) = named(db, actor, &self.name)?;
            all.retain(|campaign| campaign.state != CampaignState::Running);
            let mut lacks = Vec::new();
            for campaign in &all {
                let told = missing(db, settings, campaign, now)?;
                lacks.extend(told.into_iter().map(|m| format!("{}: {}\n  {}", campaign.name, m.what, m.mend)));
            }
            if !lacks.is_empty() {
                let what = format!("line check {} cannot start", self.name);
                return Err(Failure::new(Exit::Failure, what, lacks.join("\n")));
            }
            all.iter().try_for_each(|campaign| campaigns::start(db, campaign, now))?;
            Ok::<_, Failure>(())
        })?;
        session.wake_daemon();
        if session.daemon() == Daemon::Absent {
            warn("`campanile serve` does not run: nothing is dialled until it does");
        }
        show(session, &self.name)
    }
}

impl Stop {
    pub fn run(self, session: &mut Session) -> Outcome {
        let actor = &session.actor;
        let last_start = session.ledger.try_write(|db| {
            let (_, all) = named(db, actor, &self.name)?;
            let mut last_start = None;
            for campaign in all {
                if matches!(campaign.state, CampaignState::Running | CampaignState::Paused) {
                    campaigns::set_state(db, campaign.id, CampaignState::Stopped)?;
                }
                last_start = last_start.max(attempts::last_start_of(db, campaign.id)?);
            }
            Ok::<_, Failure>(last_start)
        })?;
        session.wake_daemon();
        let no_start_after = no_start_after(last_start, session.now());
        let zone = session.settings.time_zone.clone();
        wait_until(no_start_after, session.now(), &zone);
        let document = json!({"line_check": self.name.as_str(), "no_start_after": Moment(no_start_after)});
        session.answer(&document, |out| {
            let last = last_instant(no_start_after, &zone);
            Ok(writeln!(out, "line check {} is stopped; no call starts after {last}", self.name)?)
        })?;
        Ok(Exit::Ok)
    }
}

impl Remove {
    pub fn run(self, session: &mut Session) -> Outcome {
        let actor = &session.actor;
        session.ledger.try_write(|db| {
            let (check, all) = named(db, actor, &self.name)?;
            if all.iter().any(|campaign| campaign.state == CampaignState::Running) {
                let mend = format!("campanile line-check stop {}", self.name);
                return Err(Failure::new(Exit::Failure, format!("line check {} is running", self.name), mend));
            }
            if !self.yes {
                let names: Vec<&str> = all.iter().map(|campaign| campaign.name.as_str()).collect();
                let names = names.join(", ");
                let what =
                    format!("line check {} was not removed: campaigns {names} and their reports would go", self.name);
                return Err(Failure::new(
                    Exit::Failure,
                    what,
                    format!("campanile line-check remove {} --yes", self.name),
                ));
            }
            Ok::<_, Failure>(line_checks::remove(db, check.id)?)
        })?;
        let document = json!({"line_check": self.name.as_str(), "removed": true});
        session.answer(&document, |out| Ok(writeln!(out, "removed line check {}", self.name)?))?;
        Ok(Exit::Ok)
    }
}
