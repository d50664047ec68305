//! The planner: [`plan`] turns a snapshot into calls at slots, with a reason for everything that is
//! not called.
//!
//! Slots lie on one grid for the whole server (I6): each UTC minute is cut into `calls_one_time` equal
//! parts, so slot `i` of a minute begins at `60000 * i / calls_one_time` ms (rounded down). The grid
//! depends on nothing but the clock and the setting: it continues across ticks and restarts, and two
//! planners would agree on it.
//!
//! [`sharing`] says what of earlier plans is taken back for another campaign. [`check`](check::check) judges each plan with
//! code of its own.

pub mod check;
mod hours;
mod lanes;
pub mod pace;
mod queue;
#[cfg(test)]
mod sample;
pub mod sharing;
#[cfg(test)]
mod tests;
mod turns;
mod types;
mod waiting;

use lanes::channels_left;
use pace::Spacing;
use turns::Turns;
pub use types::{CampaignView, Candidate, Plan, PlannedCall, Snapshot, TrunkView, Waiting, Why};

use super::instant::UtcMs;

/// How far ahead of a call its file is published at least: Asterisk must see the file, start the
/// dialling leg and reach the gate before the planned instant. A file whose mtime has passed starts
/// within milliseconds of the rename (asterisk.md 2.3).
pub const LEAD_MS: i64 = 400;

/// How long before an interval begins its calls are planned, so that its first slot, at the very
/// beginning, is not missed.
pub const TICK_AHEAD_MS: i64 = 3_000;

/// Calls further ahead than this are planned anew when another campaign is started, so that it has its
/// fair turn at once; nearer ones are about to begin and stay.
pub const SHARED_AFTER_MS: i64 = 3_000;

/// Gives each free slot before the horizon to the campaign whose turn it is, and says of every
/// candidate that got none why.
pub fn plan(snapshot: &Snapshot) -> Plan {
    let calls_max = snapshot.files_free.min(channels_left(snapshot.channels, snapshot.open)) as usize;
    let mut turns = Turns::new(snapshot);
    let mut calls = Vec::new();
    for slot in free_slots(snapshot) {
        if turns.are_over() || calls.len() >= calls_max {
            break;
        }
        calls.extend(turns.serve(slot));
    }
    let (waiting, wake_at) = waiting::explain(snapshot, &calls);
    Plan { calls, waiting, wake_at }
}

fn free_slots(snapshot: &Snapshot) -> impl Iterator<Item = UtcMs> {
    let rate = snapshot.calls_one_time;
    let mut starts = Spacing::of_server(&snapshot.taken, rate);
    let earliest = snapshot.now.plus_ms(LEAD_MS);
    pace::slots(rate, earliest, snapshot.horizon).filter(move |slot| starts.admits(*slot))
}
