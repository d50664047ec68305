//! Priority, then fair turn: who gets the next slot.
//!
//! Campaigns stand in line at their trunks, one line for each list of trunks (and one more for checks of lines, to which
//! breakers are nothing), those of a higher priority before the others. A campaign that cannot use a slot keeps its turn; one that is served goes behind all others of its priority.
//! What lasts until an instant (a closed window, a retry time) puts it to sleep until then, what lasts for the whole
//! plan (a full cap, no candidate left) takes it out: a plan costs slots times lines, and a little for each candidate.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashSet};

use super::hours::{self, Hours, NEVER};
use super::lanes::{self, Lanes};
use super::queue::{Head, Queue};
use super::types::{CampaignView, Candidate, PlannedCall, Snapshot};
use crate::domain::breaker::Heed;
use crate::domain::campaign::CampaignState;
use crate::domain::ids::TrunkId;
use crate::domain::instant::UtcMs;
use crate::domain::number::Number;
use crate::domain::rhythm::Beat;
use crate::domain::traffic::Nature;
use crate::domain::trunk::TrunkLine;

/// Every campaign that may still be served, in turn.
#[derive(Debug)]
pub(super) struct Turns<'a> {
    lines: Vec<Line<'a>>,
    lanes: Lanes<'a>,
    in_use: HashSet<&'a Number>,
    next_turn: usize,
}

/// The campaigns with the same trunks, to which breakers are the same.
#[derive(Debug)]
struct Line<'a> {
    trunks: &'a [TrunkId],
    heed: Heed,
    ready: BinaryHeap<Reverse<Turn>>,
    asleep: BinaryHeap<Reverse<(UtcMs, Turn)>>,
    dialers: Vec<Dialer<'a>>,
}

/// The priority, highest first; a place in the order of all campaigns of it; which of its line's dialers holds it.
type Turn = (Reverse<u32>, usize, usize);

/// A running campaign while it is planned.
#[derive(Debug)]
struct Dialer<'a> {
    view: &'a CampaignView,
    queue: Queue<'a>,
    hours: Hours<'a>,
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
        let mut lines: Vec<Line> = Vec::new();
        let mut places: BTreeMap<(&[TrunkId], Heed), usize> = BTreeMap::new();
        let real: HashSet<TrunkId> =
            snapshot.trunks.iter().filter(|t| t.line == TrunkLine::Real).map(|t| t.id).collect();
        let may =
            |view: &&CampaignView| view.nature == Nature::Genuine || view.trunks.iter().all(|id| !real.contains(id));
        let running = snapshot.campaigns.iter().filter(|c| c.state == CampaignState::Running).filter(may);
        for (turn, view) in running.enumerate() {
            let place = *places.entry((&view.trunks, view.heed)).or_insert(lines.len());
            if place == lines.len() {
                lines.push(Line::new(&view.trunks, view.heed));
            }
            lines[place].join(turn, view, snapshot);
        }
        let candidates: usize = snapshot.campaigns.iter().map(|c| c.candidates.len()).sum();
        let mut in_use = HashSet::with_capacity(snapshot.busy.len() + candidates.min(snapshot.files_free as usize));
        in_use.extend(&snapshot.busy);
        Self { lines, lanes: Lanes::new(&snapshot.trunks), in_use, next_turn: snapshot.campaigns.len() }
    }

    /// Whether no campaign can use any slot that is left.
    pub(super) fn are_over(&self) -> bool {
        self.lines.iter().all(|line| line.is_over(&self.lanes))
    }

    /// Gives `slot` to the campaign whose turn it is among those that can use it. Slots must ascend.
    pub(super) fn serve(&mut self, slot: UtcMs) -> Option<PlannedCall> {
        let (in_use, lanes) = (&self.in_use, &mut self.lanes);
        let offers = self.lines.iter_mut().filter_map(|line| {
            let (turn, candidate) = line.offer(slot, lanes, in_use)?;
            Some((turn, candidate, line))
        });
        let ((_, _, dialer), candidate, line) = offers.min_by_key(|(turn, ..)| *turn)?;
        let campaign = line.take(dialer, slot, self.next_turn);
        // One of them admits it, or there were no offer.
        let trunk = self.lanes.first(campaign.trunks_after(candidate.failed_trunk), campaign.heed, slot)?;
        self.lanes.give(trunk, campaign.heed, slot);
        self.next_turn += 1;
        self.in_use.insert(&candidate.number);
        Some(PlannedCall {
            campaign: campaign.id,
            contact: candidate.contact,
            number: candidate.number.clone(),
            trunk,
            start_at: slot,
        })
    }
}

impl<'a> Line<'a> {
    fn new(trunks: &'a [TrunkId], heed: Heed) -> Self {
        Self { trunks, heed, ready: BinaryHeap::new(), asleep: BinaryHeap::new(), dialers: Vec::new() }
    }

    fn join(&mut self, turn: usize, view: &'a CampaignView, snapshot: &'a Snapshot) {
        self.ready.push(Reverse((Reverse(view.priority), turn, self.dialers.len())));
        let calls_left = lanes::channels_left(view.channels, view.open).min(view.calls_left.unwrap_or(u32::MAX));
        let hours = Hours::new(&view.calendar, snapshot.horizon);
        self.dialers.push(Dialer { view, queue: Queue::new(view, snapshot), hours, beat: view.beat, calls_left });
    }

    fn is_over(&self, lanes: &Lanes) -> bool {
        (self.ready.is_empty() && self.asleep.is_empty()) || lanes.are_shut(self.trunks, self.heed)
    }

    /// The first turn of this line that can use `slot`, and whom it would call.
    fn offer(&mut self, slot: UtcMs, lanes: &mut Lanes, in_use: &HashSet<&Number>) -> Option<(Turn, &'a Candidate)> {
        if self.is_over(lanes) {
            return None;
        }
        lanes.first(self.trunks.iter().copied(), self.heed, slot)?;
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
            Head::Ready(candidate) => match self.hours.stance_at(slot) {
                hours::Stance::Open(_) => Stance::Ready(candidate),
                hours::Stance::Closed(NEVER) => Stance::Over,
                hours::Stance::Closed(opens_at) => Stance::AsleepUntil(opens_at),
            },
        }
    }
}
