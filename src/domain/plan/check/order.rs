//! Whether each call was the turn of its contact within its campaign.

use std::collections::{BTreeMap, HashMap};

use super::{Breach, Case};
use crate::domain::contact::Priority;
use crate::domain::ids::{CampaignId, ZoneClassId};
use crate::domain::instant::UtcMs;
use crate::domain::number::Number;
use crate::domain::plan::types::{CampaignView, Candidate};

/// Since when somebody of a priority could be called who was not, at the earliest; fresh numbers always could.
#[derive(Default)]
struct PassedOver {
    any: BTreeMap<Priority, UtcMs>,
    retries: BTreeMap<Priority, UtcMs>,
}

type Passed = BTreeMap<CampaignId, BTreeMap<ZoneClassId, PassedOver>>;

/// Whether contacts of these zones may be called, as far as legal hours go.
fn is_open(view: &CampaignView, zones: ZoneClassId, at: UtcMs) -> bool {
    view.hours.get(&zones).is_none_or(|hours| hours.contains(at))
}

impl PassedOver {
    fn add(&mut self, who: &Candidate) {
        let since = who.due_at.unwrap_or(UtcMs(i64::MIN));
        let earlier = |kept: &mut UtcMs| *kept = since.min(*kept);
        self.any.entry(who.priority).and_modify(earlier).or_insert(since);
        if who.due_at.is_some() {
            self.retries.entry(who.priority).and_modify(earlier).or_insert(since);
        }
    }

    /// Whether one of these comes before `who` at this start.
    fn comes_before(&self, who: &Candidate, start_at: UtcMs) -> bool {
        let higher = self.any.iter().rev().take_while(|(priority, _)| **priority > who.priority);
        let due = self.retries.get(&who.priority).filter(|_| who.due_at.is_none());
        higher.map(|(_, since)| since).chain(due).any(|since| *since <= start_at)
    }
}

impl Case<'_> {
    /// Goes back through the calls of each campaign: at each start, whoever was called later, or not at all, must not
    /// come first, unless its legal hours are closed. Who has an expiry, or a number that others have, may have been
    /// passed over for that.
    pub(super) fn order(&self) -> Vec<Breach> {
        let mut times: HashMap<&Number, u32> = HashMap::with_capacity(self.plan.calls.len());
        for number in self.plan.calls.iter().map(|call| &call.number).chain(&self.snapshot.busy) {
            *times.entry(number).or_default() += 1;
        }
        let mut passed: Passed = BTreeMap::new();
        for waiting in self.plan.waiting.iter() {
            let key = (waiting.campaign, waiting.contact);
            let Some(who) = self.candidates.get(&key).filter(|_| !self.snapshot.barred.contains_key(&key)) else {
                continue;
            };
            if who.expires_at.is_none() && !times.contains_key(&who.number) {
                passed.entry(waiting.campaign).or_default().entry(who.zones).or_default().add(who);
            }
        }
        let mut breaches = Vec::new();
        for call in self.plan.calls.iter().rev() {
            let Some(who) = self.candidates.get(&(call.campaign, call.contact)) else { continue };
            let Some(view) = self.campaigns.get(&call.campaign) else { continue };
            let passed = passed.entry(call.campaign).or_default();
            let open = |zones: &ZoneClassId| is_open(view, *zones, call.start_at);
            let before = passed.iter().any(|(zones, those)| those.comes_before(who, call.start_at) && open(zones));
            breaches.extend(before.then_some(Breach::OutOfTurn { contact: call.contact, start_at: call.start_at }));
            if who.expires_at.is_none() && times.get(&who.number) == Some(&1) {
                passed.entry(who.zones).or_default().add(who);
            }
        }
        breaches
    }
}
