//! Priority, then fair turn: who gets the next slot.
//!
//! Campaigns stand in line at their trunk, those of a higher priority before the others. A campaign that cannot use a slot keeps its turn; one that
//! is served goes behind all others of its priority. What lasts until an instant (a closed window, a retry time) puts
//! it to sleep until then, what lasts for the whole plan (a full cap, no candidate left) takes it out:
//! a plan costs slots times trunks, and a little for each candidate.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashSet};

use super::pace::Spacing;
use super::queue::{Head, Queue};
use super::types::{CampaignView, Candidate, PlannedCall, Snapshot, TrunkView};
use crate::domain::campaign::CampaignState;
use crate::domain::ids::TrunkId;
use crate::domain::instant::UtcMs;
use crate::domain::number::Number;
use crate::domain::rhythm::Beat;

/// Every campaign that may still be served, in turn.
#[derive(Debug)]
pub(super) struct Turns<'a> {
    lines: Vec<Line<'a>>,
    in_use: HashSet<&'a Number>,
    next_turn: usize,
}

/// The campaigns of one trunk.
#[derive(Debug)]
struct Line<'a> {
    ready: BinaryHeap<Reverse<Turn>>,
    asleep: BinaryHeap<Reverse<(UtcMs, Turn)>>,
    dialers: Vec<Dialer<'a>>,
    starts: Spacing<'a>,
    channels_left: u32,
}

/// The priority, highest first; a place in the order of all campaigns of it; which of its line's dialers holds it.
type Turn = (Reverse<u32>, usize, usize);

/// A running campaign while it is planned.
#[derive(Debug)]
struct Dialer<'a> {
    view: &'a CampaignView,
    queue: Queue<'a>,
    beat: Beat,
    /// Of its channels and of the calls that it is still to make.
    calls_left: u32,
}

/// Whether a campaign can use a slot.
enum Stance<'a> {
    Ready(&'a Candidate),
    AsleepUntil(UtcMs),
    Over,
}

impl<'a> Turns<'a> {
    pub(super) fn new(snapshot: &'a Snapshot) -> Self {
        let mut lines: Vec<Line> = snapshot.trunks.iter().map(Line::new).collect();
        let places: BTreeMap<TrunkId, usize> = snapshot.trunks.iter().enumerate().map(|(i, t)| (t.id, i)).collect();
        let running = snapshot.campaigns.iter().filter(|c| c.state == CampaignState::Running);
        for (turn, view) in running.enumerate() {
            // A campaign whose trunk is not in the snapshot has no channel.
            let place = places.get(&view.trunk).filter(|place| view.nature.may_go_over(snapshot.trunks[**place].line));
            if let Some(place) = place {
                lines[*place].join(turn, view, snapshot);
            }
        }
        let candidates: usize = snapshot.campaigns.iter().map(|c| c.candidates.len()).sum();
        let mut in_use = HashSet::with_capacity(snapshot.busy.len() + candidates.min(snapshot.files_free as usize));
        in_use.extend(&snapshot.busy);
        Self { lines, in_use, next_turn: snapshot.campaigns.len() }
    }

    /// Whether no campaign can use any slot that is left.
    pub(super) fn are_over(&self) -> bool {
        self.lines.iter().all(Line::is_over)
    }

    /// Gives `slot` to the campaign whose turn it is among those that can use it. Slots must ascend.
    pub(super) fn serve(&mut self, slot: UtcMs) -> Option<PlannedCall> {
        let in_use = &self.in_use;
        let offers = self.lines.iter_mut().filter_map(|line| {
            let (turn, candidate) = line.offer(slot, in_use)?;
            Some((turn, candidate, line))
        });
        let ((_, _, dialer), candidate, line) = offers.min_by_key(|(turn, ..)| *turn)?;
        let campaign = line.take(dialer, slot, self.next_turn);
        self.next_turn += 1;
        self.in_use.insert(&candidate.number);
        Some(PlannedCall {
            campaign: campaign.id,
            contact: candidate.contact,
            number: candidate.number.clone(),
            trunk: campaign.trunk,
            start_at: slot,
        })
    }
}

impl<'a> Line<'a> {
    fn new(trunk: &'a TrunkView) -> Self {
        Self {
            ready: BinaryHeap::new(),
            asleep: BinaryHeap::new(),
            dialers: Vec::new(),
            starts: Spacing::of_trunk(&trunk.taken, trunk.starts_per_second),
            channels_left: channels_left(trunk.channels, trunk.open),
        }
    }

    fn join(&mut self, turn: usize, view: &'a CampaignView, snapshot: &'a Snapshot) {
        self.ready.push(Reverse((Reverse(view.priority), turn, self.dialers.len())));
        let calls_left = channels_left(view.channels, view.open).min(view.calls_left.unwrap_or(u32::MAX));
        self.dialers.push(Dialer { view, queue: Queue::new(view, snapshot), beat: view.beat, calls_left });
    }

    fn is_over(&self) -> bool {
        self.channels_left == 0 || (self.ready.is_empty() && self.asleep.is_empty())
    }

    /// The first turn of this line that can use `slot`, and whom it would call.
    fn offer(&mut self, slot: UtcMs, in_use: &HashSet<&Number>) -> Option<(Turn, &'a Candidate)> {
        if self.is_over() || !self.starts.admits(slot) {
            return None;
        }
        self.wake(slot);
        while let Some(Reverse(turn)) = self.ready.peek().copied() {
            match self.dialers[turn.2].stance(slot, in_use) {
                Stance::Ready(candidate) => return Some((turn, candidate)),
                Stance::AsleepUntil(at) => self.asleep.push(Reverse((at, turn))),
                Stance::Over => {}
            }
            self.ready.pop();
        }
        None
    }

    fn wake(&mut self, slot: UtcMs) {
        while let Some(Reverse((at, turn))) = self.asleep.peek().copied() {
            if at > slot {
                return;
            }
            self.asleep.pop();
            self.ready.push(Reverse(turn));
        }
    }

    /// Uses `slot` for what was offered; the campaign goes behind all others of its priority.
    fn take(&mut self, dialer: usize, slot: UtcMs, next_turn: usize) -> &'a CampaignView {
        self.ready.pop();
        let priority = self.dialers[dialer].view.priority;
        self.ready.push(Reverse((Reverse(priority), next_turn, dialer)));
        self.starts.give(slot);
        self.channels_left -= 1;
        let dialer = &mut self.dialers[dialer];
        dialer.calls_left -= 1;
        dialer.beat = dialer.view.rhythm.after(dialer.beat, slot);
        dialer.queue.pop();
        dialer.view
    }
}

impl<'a> Dialer<'a> {
    fn stance(&mut self, slot: UtcMs, in_use: &HashSet<&Number>) -> Stance<'a> {
        if self.calls_left == 0 {
            return Stance::Over;
        }
        if let Some(next_at) = self.view.rhythm.earliest(self.beat).filter(|next_at| *next_at > slot) {
            return Stance::AsleepUntil(next_at);
        }
        let head = self.queue.head(slot, in_use);
        match head {
            Head::Empty => Stance::Over,
            Head::From(due_at) => Stance::AsleepUntil(due_at),
            Head::Ready(candidate) if self.view.calendar.contains(slot) => Stance::Ready(candidate),
            Head::Ready(_) => self.view.calendar.next_opening(slot).map_or(Stance::Over, Stance::AsleepUntil),
        }
    }
}

fn channels_left(cap: Option<u32>, open: u32) -> u32 {
    cap.map_or(u32::MAX, |cap| cap.saturating_sub(open))
}
