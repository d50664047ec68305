//! The gate: may this attempt dial at this instant?
//!
//! [`judge`] is asked inside the transaction that claims the attempt, so what it saw is still true
//! when the claim is durable (I1, I4, I5).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::attempt::AttemptState;
use super::bar::Bar;
use super::breaker::{Heed, LineLeave};
use super::calendar::{Calendar, LegalHours};
use super::campaign::CampaignState;
use super::instant::UtcMs;
use super::line::LineState;
use super::name::Name;
use super::retry::FailReason;
use super::rhythm::{Beat, Rhythm};
use super::traffic::Draw;
use super::trunk::TrunkLine;
use super::zoning::LegalSwitch;

/// How long after its planned instant an attempt may still start. Later ones are planned anew: after
/// an outage the spool would otherwise start all its files at once (asterisk.md 2.5).
pub const LATE_MS_MAX: i64 = 5_000;

/// How long after its instant an admission is still good. The gate judges before the commit and says go
/// after it: one that hears of its commit later than this does not dial, because the campaign may have
/// been stopped meanwhile. Who stops a campaign waits as long (docs/decisions/0019).
pub const GO_LATE_MS_MAX: i64 = 1_000;

/// How much earlier than its strict turn a start over a trunk may come: scheduling jitter, and no more.
pub const JITTER_MS: i64 = 20;

/// Why the gate said no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Refusal {
    /// It was claimed or closed before: a second look at the same file.
    AlreadyUsed,
    /// The campaign was stopped, paused or is completed.
    NotRunning {
        /// What it is instead.
        state: CampaignState,
    },
    /// Its contact or campaign was removed.
    Removed,
    /// The window is closed.
    WindowClosed {
        /// When it opens again; `None` when it never does.
        opens_at: Option<UtcMs>,
    },
    /// The window is open, and the contact's legal hours are closed where it is.
    LegalHours {
        /// When both are open again; `None` when that is not so for about a year.
        opens_at: Option<UtcMs>,
    },
    /// The contact has expired.
    Expired {
        /// When.
        at: UtcMs,
    },
    /// Somebody said that this number of the contact is not to be called any more.
    NumberStopped,
    /// More than [`LATE_MS_MAX`] after the planned instant.
    Late {
        /// How late, in milliseconds.
        by_ms: i64,
    },
    /// The contact's calls were used up after this one was planned: somebody has set less.
    CallsUsedUp {
        /// Which of them.
        why: FailReason,
    },
    /// The number is on a do-not-call list.
    DoNotCall {
        /// Which.
        list: Name,
        /// When its entry holds no longer; `None` for never.
        until: Option<UtcMs>,
    },
    /// The number was called as often as the server lets it in a rolling period.
    FrequencyCap {
        /// When it may be called again.
        until: UtcMs,
    },
    /// The campaign's channels are all in use.
    CampaignChannels,
    /// The trunk's channels are all in use.
    TrunkChannels,
    /// The server's channels are all in use.
    ServerChannels,
    /// The trunk's breaker is open.
    TrunkBreaker {
        /// When a trial may start; `None` while one is under way.
        trial_at: Option<UtcMs>,
    },
    /// The server's or the trunk's rate leaves no start within [`LATE_MS_MAX`].
    Rate,
    /// The campaign's own delay or the pause of its batches.
    CampaignPace {
        /// When its next call may start.
        next_at: UtcMs,
    },
    /// The campaign has made all the calls that it was to make.
    CallsMade,
    /// The call was made up for a test line, and its trunk is none.
    RealLine,
    /// The dialling leg ended while it was held.
    HungUp,
}

/// What the gate looks at, read in the transaction of the claim.
#[derive(Debug, Clone, PartialEq)]
pub struct GateView {
    /// Now.
    pub now: UtcMs,
    /// How far the attempt came.
    pub state: AttemptState,
    /// Its planned instant.
    pub planned_at: UtcMs,
    /// The campaign as it is now; `None` when it or the contact was removed.
    pub campaign: Option<GateCampaign>,
    /// Why the contact or its number may not be called, now at least.
    pub bar: Option<Bar>,
    /// The contact's legal hours, as the settings and its campaign say now; `None` for at any time.
    pub legal: Option<Arc<LegalHours>>,
    /// No start at or after this instant: the contact's expiry as it is now.
    pub expires_at: Option<UtcMs>,
    /// Whether its number may still be called; `None` for the only one of a contact.
    pub line: Option<LineState>,
    /// The campaign's calls that the gate admitted and that have not ended, counted up to its cap.
    pub campaign_live: u32,
    /// The trunk's calls that the gate admitted and that have not ended, counted up to its cap.
    pub trunk_live: u32,
    /// The trunk's cap as it is now.
    pub trunk_channels: Option<u32>,
    /// The calls of all campaigns that the gate admitted and that have not ended, counted up to the server's cap.
    pub server_live: u32,
    /// The server's cap as the settings have it now.
    pub server_channels: Option<u32>,
    /// What the trunk's breaker lets through.
    pub trunk_leave: LineLeave,
    /// The server's pace.
    pub server: Pace,
    /// The trunk's pace, when it has one.
    pub trunk: Option<Pace>,
    /// Who answers at the trunk's other end, as it is said now.
    pub trunk_line: TrunkLine,
    /// What was made up for the call.
    pub draw: Draw,
}

/// The part of a campaign that the gate looks at.
#[derive(Debug, Clone, PartialEq)]
pub struct GateCampaign {
    /// What was asked of it.
    pub state: CampaignState,
    /// When it may dial.
    pub calendar: Calendar,
    /// Its cap.
    pub channels: Option<u32>,
    /// Its own pace.
    pub rhythm: Rhythm,
    /// How far it is in its pace.
    pub beat: Beat,
    /// How many more calls it is to make; `None` for no such end.
    pub calls_left: Option<u32>,
    /// What it makes of the server's legal hours.
    pub legal_hours: LegalSwitch,
    /// What breakers are to its calls.
    pub heed: Heed,
}

impl GateView {
    /// What the trunk's breaker lets through of this campaign's calls.
    #[must_use]
    pub fn leave(&self) -> LineLeave {
        let heed = self.campaign.as_ref().map(|campaign| campaign.heed);
        heed.unwrap_or_default().leave(self.trunk_leave)
    }
}

impl GateCampaign {
    /// The beat after a start that is admitted at `now`.
    #[must_use]
    pub fn beat_after(&self, start_at: UtcMs, now: UtcMs) -> Beat {
        self.rhythm.after(self.believed_beat(now), start_at)
    }

    fn believed_beat(&self, now: UtcMs) -> Beat {
        self.rhythm.believed(self.beat, now.plus_ms(LATE_MS_MAX))
    }
}

/// What a rate is kept for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaceKind {
    /// A trunk's cap: the generic cell rate algorithm in its virtual-scheduling form (ITU-T I.371), with
    /// [`JITTER_MS`] as its tolerance. A late start delays those behind it.
    Cap,
    /// The server's grid. A late start is caught up, with distances that are at least four fifths of the
    /// grid's: otherwise one stall would shift every later start of a campaign that uses each slot.
    Grid,
}

/// A rate that starts must keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// What it is kept for.
    pub kind: PaceKind,
    /// Milliseconds between two starts.
    pub spacing_ms: i64,
    /// The strict turn of the next start.
    pub next_at: UtcMs,
}

impl Pace {
    /// The earliest instant at or after `at` that keeps the rate.
    #[must_use]
    pub fn earliest(self, at: UtcMs) -> UtcMs {
        let early_ms = match self.kind {
            PaceKind::Cap => JITTER_MS,
            PaceKind::Grid => (self.spacing_ms / 5).max(1),
        };
        at.max(self.next_at.plus_ms(-early_ms))
    }

    /// The pace after a start at `at`.
    #[must_use]
    pub fn after(self, at: UtcMs) -> Self {
        let turn = match self.kind {
            PaceKind::Cap => self.next_at.max(at),
            PaceKind::Grid => at,
        };
        Self { next_at: turn.plus_ms(self.spacing_ms), ..self }
    }
}

/// Admits the attempt with the instant at which it may dial, or says why not.
pub fn judge(view: &GateView) -> Result<UtcMs, Refusal> {
    if !matches!(view.state, AttemptState::Intent | AttemptState::Spooled) {
        return Err(Refusal::AlreadyUsed);
    }
    let campaign = view.campaign.as_ref().ok_or(Refusal::Removed)?;
    if campaign.state != CampaignState::Running {
        return Err(Refusal::NotRunning { state: campaign.state });
    }
    if campaign.calls_left == Some(0) {
        return Err(Refusal::CallsMade);
    }
    if !view.draw.nature().may_go_over(view.trunk_line) {
        return Err(Refusal::RealLine);
    }
    let start_at = start_of(view, campaign)?;
    if !campaign.calendar.contains(start_at) {
        return Err(Refusal::WindowClosed { opens_at: campaign.calendar.next_opening(start_at) });
    }
    let hours = campaign.calendar.within(view.legal.as_ref());
    if hours.legal_only().is_some_and(|legal| !legal.contains(start_at)) {
        return Err(Refusal::LegalHours { opens_at: hours.next_opening(start_at) });
    }
    if let Some(bar) = view.bar.as_ref().filter(|bar| bar.holds_at(start_at)) {
        return Err(refusal_of(bar));
    }
    if view.line == Some(LineState::Stopped) {
        return Err(Refusal::NumberStopped);
    }
    if let Some(at) = view.expires_at.filter(|at| *at <= start_at) {
        return Err(Refusal::Expired { at });
    }
    if campaign.channels.is_some_and(|cap| view.campaign_live >= cap) {
        return Err(Refusal::CampaignChannels);
    }
    if view.trunk_channels.is_some_and(|cap| view.trunk_live >= cap) {
        return Err(Refusal::TrunkChannels);
    }
    if view.server_channels.is_some_and(|cap| view.server_live >= cap) {
        return Err(Refusal::ServerChannels);
    }
    if !view.leave().admits(start_at) {
        return Err(Refusal::TrunkBreaker { trial_at: view.leave().trial_at() });
    }
    Ok(start_at)
}

fn refusal_of(bar: &Bar) -> Refusal {
    match bar {
        Bar::DoNotCall(listed) => Refusal::DoNotCall { list: listed.list.clone(), until: listed.until },
        Bar::FrequencyCap { until } => Refusal::FrequencyCap { until: *until },
        Bar::CallsUsedUp(why) => Refusal::CallsUsedUp { why: *why },
    }
}

fn start_of(view: &GateView, campaign: &GateCampaign) -> Result<UtcMs, Refusal> {
    let wanted = view.planned_at.max(view.now);
    let by_ms = wanted.since_ms(view.planned_at);
    if by_ms > LATE_MS_MAX {
        return Err(Refusal::Late { by_ms });
    }
    let server = view.server.earliest(wanted);
    let start_at = view.trunk.map_or(server, |trunk| trunk.earliest(server));
    if start_at.since_ms(view.planned_at) > LATE_MS_MAX {
        return Err(Refusal::Rate);
    }
    match campaign.rhythm.earliest(campaign.believed_beat(view.now)) {
        Some(next_at) if next_at.since_ms(view.planned_at) > LATE_MS_MAX => Err(Refusal::CampaignPace { next_at }),
        Some(next_at) => Ok(start_at.max(next_at)),
        None => Ok(start_at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Starts of calls that are planned every 100 ms, while those before `stalled_until` come late.
    fn offsets(kind: PaceKind, stalled_until: i64, calls: i64) -> Vec<i64> {
        let mut pace = Pace { kind, spacing_ms: 100, next_at: UtcMs(0) };
        let start = |i: i64| {
            let at = pace.earliest(UtcMs((i * 100).max(stalled_until)));
            pace = pace.after(at);
            at.0 - i * 100
        };
        (0..calls).map(start).collect()
    }

    #[test]
    fn after_a_stall_the_grid_is_reached_again_without_a_burst_i5_i6() {
        let off = offsets(PaceKind::Grid, 250, 20);
        assert_eq!(off[..4], [250, 230, 210, 190], "80 ms apart");
        assert_eq!(off[13..], [0; 7]);
    }

    #[test]
    fn a_cap_is_not_exceeded_to_catch_up_i5() {
        assert_eq!(offsets(PaceKind::Cap, 250, 20)[1..], [230; 19]);
    }

    #[test]
    fn on_time_nothing_is_delayed_i6() {
        assert_eq!(offsets(PaceKind::Grid, 0, 20), [0; 20]);
        assert_eq!(offsets(PaceKind::Cap, 0, 20), [0; 20]);
    }
}
