//! `campanile campaign stop` and `pause`.

use std::io::Write;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::super::failure::{Failure, Outcome, Result};
use super::super::present::{Moment, counted};
use super::super::session::{Session, warn};
use crate::domain::calendar::Zone;
use crate::domain::campaign::CampaignState;
use crate::domain::gate::{GO_LATE_MS_MAX, LATE_MS_MAX};
use crate::domain::instant::UtcMs;
use crate::domain::name::Name;
use crate::exit::Exit;
use crate::ledger::{attempts, campaigns, views};

#[derive(Debug, Args)]
#[command(after_help = "\
It holds at the gate from the instant at which this command answers: calls that are up go on, no further \
one starts, and the files of planned calls are withdrawn. Where the gate has just admitted a call, the answer \
comes when that call has started or cannot start any more: within a second as a rule, within six after a \
stall. Stopping a stopped campaign is no error.

JSON: {campaign, state, stopped, no_start_after, withdrawn, calls_up}.")]
pub struct Stop {
    /// The campaign's name.
    name: Name,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The same at the gate as `stop`; the list shows that it is meant to go on. `campaign start` resumes it.

JSON: {campaign, state, stopped, no_start_after, withdrawn, calls_up}.")]
pub struct Pause {
    /// The campaign's name.
    name: Name,
}

#[derive(Serialize)]
struct Stopped {
    campaign: String,
    state: CampaignState,
    /// Whether this command changed anything.
    stopped: bool,
    no_start_after: Moment,
    withdrawn: u64,
    calls_up: u64,
}

struct Seen {
    before: CampaignState,
    planned: u64,
    up: u64,
    last_start: Option<UtcMs>,
    zone: Zone,
}

impl Stop {
    pub fn run(self, session: &mut Session) -> Outcome {
        leave(session, &self.name, CampaignState::Stopped)
    }
}

impl Pause {
    pub fn run(self, session: &mut Session) -> Outcome {
        leave(session, &self.name, CampaignState::Paused)
    }
}

/// What a campaign that does not run becomes: a paused one may be stopped, all else stays.
fn after(before: CampaignState, wanted: CampaignState) -> CampaignState {
    match (before, wanted) {
        (CampaignState::Running, _) | (CampaignState::Paused, CampaignState::Stopped) => wanted,
        (before, _) => before,
    }
}

fn leave(session: &mut Session, name: &Name, wanted: CampaignState) -> Outcome {
    let actor = &session.actor;
    let seen = session.ledger.try_write(|db| {
        let campaign = actor.campaign(db, name)?;
        campaigns::set_state(db, campaign.id, after(campaign.state, wanted))?;
        let live = views::live(db, Some(campaign.id), 0)?;
        let last_start = attempts::last_start_of(db, campaign.id)?;
        Ok::<_, Failure>(Seen {
            before: campaign.state,
            planned: live.planned,
            up: live.ringing + live.talking,
            last_start,
            zone: campaign.calendar.zone,
        })
    })?;
    session.wake_daemon();
    let no_start_after = no_start_after(seen.last_start, session.now());
    wait_until(no_start_after, session.now(), &seen.zone);
    let state = after(seen.before, wanted);
    let document = Stopped {
        campaign: name.to_string(),
        state,
        stopped: state != seen.before,
        no_start_after: Moment(no_start_after),
        withdrawn: seen.planned,
        calls_up: seen.up,
    };
    session.answer(&document, |out| tell(out, &document, &seen.zone))?;
    Ok(Exit::Ok)
}

/// The claim is the point of no return: a call that was admitted before the stop was committed may still be
/// about to start, as long as its admission is good.
pub fn no_start_after(last_start: Option<UtcMs>, committed_at: UtcMs) -> UtcMs {
    last_start.map_or(committed_at, |start_at| start_at.plus_ms(GO_LATE_MS_MAX).max(committed_at))
}

/// What was ordered is durable already; the answer is given when it is true (I4).
pub fn wait_until(instant: UtcMs, now: UtcMs, zone: &Zone) {
    // No admission lies further ahead, unless the clock was set back.
    let left_ms = instant.since_ms(now).clamp(0, LATE_MS_MAX + GO_LATE_MS_MAX);
    if left_ms > GO_LATE_MS_MAX {
        let until = last_instant(instant, zone);
        warn(&format!("it is committed; calls that the gate had admitted already may start until {until}"));
    }
    std::thread::sleep(Duration::from_millis(left_ms.unsigned_abs()));
}

/// An instant after which nothing starts, on a clock of full seconds: a part of one is counted up.
pub fn last_instant(instant: UtcMs, zone: &Zone) -> String {
    format!("{} {}", zone.local(instant.plus_ms(999)), zone.name())
}

fn tell(out: &mut dyn Write, stopped: &Stopped, zone: &Zone) -> Result<()> {
    let Stopped { campaign, state, .. } = stopped;
    if !stopped.stopped {
        writeln!(out, "campaign {campaign} is {state} already")?;
    } else {
        let last = last_instant(stopped.no_start_after.0, zone);
        writeln!(out, "campaign {campaign} is {state}; no call starts after {last}")?;
    }
    if stopped.withdrawn > 0 {
        writeln!(out, "{} not dialled, the daemon withdraws the files", counted(stopped.withdrawn, "planned call"))?;
    }
    if stopped.calls_up > 0 {
        writeln!(out, "{} still up, to their end", counted(stopped.calls_up, "call"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_instant_is_told_on_the_local_clock_and_never_too_early() {
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        assert_eq!(last_instant(UtcMs(1_772_352_000_001), &berlin), "2026-03-01 09:00:01 Europe/Berlin");
        assert_eq!(last_instant(UtcMs(1_772_352_000_000), &berlin), "2026-03-01 09:00:00 Europe/Berlin");
    }

    #[test]
    fn a_stop_counts_in_what_was_just_admitted_i4() {
        let committed = UtcMs(100_000);
        assert_eq!(no_start_after(None, committed), committed);
        // A call that is up for long.
        assert_eq!(no_start_after(Some(UtcMs(50_000)), committed), committed);
        // Its gate may not have heard of its admission yet.
        assert_eq!(no_start_after(Some(UtcMs(99_990)), committed), UtcMs(99_990 + GO_LATE_MS_MAX));
        assert_eq!(no_start_after(Some(UtcMs(102_000)), committed), UtcMs(102_000 + GO_LATE_MS_MAX));
    }
}
