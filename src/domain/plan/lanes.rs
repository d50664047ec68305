//! What is left of the trunks while a plan is made: channels, rate, and what their breakers let through.

use std::collections::BTreeMap;

use super::pace::Spacing;
use super::types::TrunkView;
use crate::domain::breaker::{Heed, LineLeave};
use crate::domain::ids::TrunkId;
use crate::domain::instant::UtcMs;

/// All trunks of a snapshot.
#[derive(Debug)]
pub(super) struct Lanes<'a>(BTreeMap<TrunkId, Lane<'a>>);

#[derive(Debug)]
struct Lane<'a> {
    starts: Spacing<'a>,
    channels_left: u32,
    leave: LineLeave,
}

impl<'a> Lanes<'a> {
    pub(super) fn new(trunks: &'a [TrunkView]) -> Self {
        let lane = |trunk: &'a TrunkView| Lane {
            starts: Spacing::of_trunk(&trunk.taken, trunk.starts_per_second),
            channels_left: channels_left(trunk.channels, trunk.open),
            leave: trunk.leave,
        };
        Self(trunks.iter().map(|trunk| (trunk.id, lane(trunk))).collect())
    }

    /// Whether none of these takes a call any more. One that is not in the snapshot has no channel.
    pub(super) fn are_shut(&self, trunks: &[TrunkId], heed: Heed) -> bool {
        trunks.iter().filter_map(|id| self.0.get(id)).all(|lane| lane.is_shut(heed))
    }

    /// The first of these that takes a call at `slot`. Slots must ascend.
    pub(super) fn first(
        &mut self,
        mut trunks: impl Iterator<Item = TrunkId>,
        heed: Heed,
        slot: UtcMs,
    ) -> Option<TrunkId> {
        trunks.find(|id| self.0.get_mut(id).is_some_and(|lane| lane.admits(heed, slot)))
    }

    /// Starts a call over this one.
    pub(super) fn give(&mut self, trunk: TrunkId, heed: Heed, slot: UtcMs) {
        if let Some(lane) = self.0.get_mut(&trunk) {
            lane.starts.give(slot);
            lane.channels_left -= 1;
            if heed.leave(lane.leave) != LineLeave::All {
                lane.leave = LineLeave::Nothing;
            }
        }
    }
}

impl Lane<'_> {
    fn is_shut(&self, heed: Heed) -> bool {
        self.channels_left == 0 || heed.leave(self.leave) == LineLeave::Nothing
    }

    fn admits(&mut self, heed: Heed, slot: UtcMs) -> bool {
        !self.is_shut(heed) && heed.leave(self.leave).admits(slot) && self.starts.admits(slot)
    }
}

/// How many more calls a cap lets through.
pub(super) fn channels_left(cap: Option<u32>, open: u32) -> u32 {
    cap.map_or(u32::MAX, |cap| cap.saturating_sub(open))
}
