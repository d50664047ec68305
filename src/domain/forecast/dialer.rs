//! A campaign while it is forecast: who waits, how its calls end, and what follows.

use std::collections::{BTreeMap, BTreeSet};

use super::chance::Chance;
use super::odds::{Dice, Ending};
use super::people::{People, Person};
use super::run::Course;
use super::series::Series;
use super::{Standing, TrunkRules};
use crate::domain::bar::FrequencyCap;
use crate::domain::campaign::{CampaignState, Finish};
use crate::domain::disposition::{Conclusion, Disposition, NotDialled};
use crate::domain::ids::{CampaignId, TrunkId};
use crate::domain::instant::UtcMs;
use crate::domain::line::{self, LineRules, Onward};
use crate::domain::outcome::OutcomeRules;
use crate::domain::plan::{CampaignView, TrunkView};
use crate::domain::retry::{self, ContactNext, Past, Rules};
use crate::domain::rhythm::Beat;

/// A call that is planned or up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub dialer: usize,
    pub person: usize,
    pub trunk: TrunkId,
    pub start_at: UtcMs,
    /// When its contact was due; `None` for one that was never called.
    pub due_at: Option<UtcMs>,
    pub ending: Ending,
    pub ends_at: UtcMs,
}

/// A campaign while it is forecast.
pub(super) struct Dialer<'a> {
    pub standing: &'a Standing,
    pub outcome: OutcomeRules,
    pub dice: Dice<'a>,
    pub people: People,
    /// How far it is in its pace with the calls that have begun.
    beat: Beat,
    /// When those that are planned begin.
    planned: BTreeSet<UtcMs>,
    pub calls_left: Option<u32>,
    pub open: u32,
    pub served_at: Option<UtcMs>,
    pub done: bool,
    pub course: Course,
}

impl<'a> Dialer<'a> {
    pub(super) fn new(standing: &'a Standing, now: UtcMs, chance: &mut Chance) -> Self {
        // Whoever reports results may say what they like: an answered call counts as successful.
        let outcome = OutcomeRules { wrap_up_s: None, ..standing.campaign.outcome.clone() };
        let course = Course {
            ended_at: None,
            calls: 0,
            reached: 0,
            failed_by: BTreeMap::new(),
            expired: 0,
            left: 0,
            left_by: None,
            series: Series::new(now),
        };
        Self {
            standing,
            outcome,
            dice: Dice::new(&standing.odds, chance),
            people: People::new(standing.campaign.id, &standing.groups),
            beat: standing.beat,
            planned: BTreeSet::new(),
            calls_left: standing.calls_left,
            open: 0,
            served_at: standing.served_at,
            done: false,
            course,
        }
    }

    pub(super) fn id(&self) -> CampaignId {
        self.standing.campaign.id
    }

    /// Takes somebody out of those that wait, for a slot.
    pub(super) fn take(&mut self, person: usize, due_at: Option<UtcMs>, start_at: UtcMs) {
        self.people.take(person, due_at);
        self.calls_left = self.calls_left.map(|left| left.saturating_sub(1));
        self.served_at = Some(start_at);
    }

    pub(super) fn plan(&mut self, start_at: UtcMs) {
        self.planned.insert(start_at);
    }

    pub(super) fn begin(&mut self, start_at: UtcMs) {
        self.planned.remove(&start_at);
        self.beat = self.standing.campaign.pacing.rhythm.after(self.beat, start_at);
        self.course.series.begin(start_at);
    }

    pub(super) fn priority(&self) -> u32 {
        self.standing.campaign.pacing.priority
    }

    /// How many calls are planned from `at` on.
    pub(super) fn planned_from(&self, at: UtcMs) -> usize {
        self.planned.range(at..).count()
    }

    /// Where it will be in its pace when all that is planned has begun.
    fn beat_to_come(&self) -> Beat {
        let rhythm = self.standing.campaign.pacing.rhythm;
        self.planned.iter().fold(self.beat, |beat, at| rhythm.after(beat, *at))
    }

    /// Whether it is there to share slots: also one that goes on when nobody is left to call.
    pub(super) fn runs(&self) -> bool {
        !self.done || self.standing.campaign.finish == Finish::Never
    }

    /// Whether nobody of those that wait may be called from `at` on, for about a year.
    pub(super) fn never_opens(&self, at: UtcMs) -> bool {
        let Standing { campaign, hours, .. } = self.standing;
        let of = |zones| hours.get(&zones).unwrap_or(&campaign.calendar);
        self.people.zones().all(|zones| of(zones).next_opening(at).is_none())
    }

    pub(super) fn is_over(&self, now: UtcMs) -> bool {
        let ends_at = self.standing.campaign.calendar.ends_at();
        let calls_made = matches!(self.standing.campaign.finish, Finish::AfterCalls(_)) && self.calls_left == Some(0);
        calls_made || ends_at.is_some_and(|ends_at| ends_at <= now)
    }

    /// Whether it has none of its own, or no trunk with one.
    pub(super) fn has_no_channel(&self, trunks: &[TrunkRules]) -> bool {
        let own = self.standing.campaign.trunks();
        let without = |trunk: &TrunkRules| trunk.channels == Some(0);
        self.standing.campaign.channels == Some(0) || trunks.iter().filter(|trunk| own.contains(&trunk.id)).all(without)
    }

    /// The most calls that its own channels and those of its trunks leave it.
    pub(super) fn channels_free(&self, trunks: &[TrunkView]) -> u32 {
        let free = |cap: Option<u32>, open: u32| cap.map_or(u32::MAX, |cap| cap.saturating_sub(open));
        let own = self.standing.campaign.trunks();
        let mine = trunks.iter().filter(|trunk| own.contains(&trunk.id));
        let over_trunks = mine.fold(0_u32, |sum, trunk| sum.saturating_add(free(trunk.channels, trunk.open)));
        free(self.standing.campaign.channels, self.open).min(over_trunks)
    }

    pub(super) fn view(&mut self, room: u32, now: UtcMs, horizon: UtcMs) -> CampaignView {
        let Standing { campaign, hours, .. } = self.standing;
        let room = room.min(self.calls_left.unwrap_or(u32::MAX));
        CampaignView {
            id: campaign.id,
            state: CampaignState::Running,
            priority: campaign.pacing.priority,
            rhythm: campaign.pacing.rhythm,
            beat: self.beat_to_come(),
            calls_left: self.calls_left,
            trunks: campaign.trunks(),
            heed: campaign.heed(),
            nature: campaign.traffic.nature(),
            calendar: campaign.calendar.clone(),
            hours: hours.clone(),
            channels: campaign.channels,
            open: self.open,
            candidates: self.people.candidates(room as usize, (now, horizon), hours),
            next_due: self.people.next_due(now, horizon, hours),
        }
    }

    /// Concludes a call as the engine would. When its contact is due again, if it is.
    pub(super) fn settle(&mut self, call: Call, frequency: Option<FrequencyCap>) -> Option<UtcMs> {
        self.open -= 1;
        self.course.calls += 1;
        self.course.ended_at = self.course.ended_at.max(Some(call.ends_at));
        self.course.series.end(call.ends_at);
        self.follow(&concluded(call.ending, call.ends_at), call, frequency)
    }

    /// Takes a call back that was planned: its contact waits again.
    pub(super) fn withdraw(&mut self, call: Call, at: UtcMs) {
        self.open -= 1;
        self.planned.remove(&call.start_at);
        self.calls_left = self.calls_left.map(|left| left.saturating_add(1));
        self.follow(&Conclusion::not_dialled(NotDialled::Withdrawn, at), call, None);
    }

    fn follow(&mut self, conclusion: &Conclusion, call: Call, frequency: Option<FrequencyCap>) -> Option<UtcMs> {
        let Onward { consequence, moved_to } = self.what_follows(conclusion, call);
        let person = self.people.person(call.person);
        person.tally = consequence.tally;
        person.calling = moved_to.unwrap_or(person.calling);
        match consequence.next {
            ContactNext::Again { due_at } => {
                let due_at = match (&conclusion.not_dialled, frequency) {
                    // A retry is not called early because a call was taken back.
                    (Some(_), _) => call.due_at.map_or(due_at, |was_due_at| was_due_at.max(due_at)),
                    (None, Some(cap)) => put_off(person, call.start_at, cap, due_at),
                    (None, None) => due_at,
                };
                if person.expires_at.is_some_and(|expires_at| expires_at <= conclusion.ended_at) {
                    self.course.expired += 1;
                    self.people.leave(call.person);
                    return None;
                }
                self.people.wait(call.person, due_at);
                return Some(due_at);
            }
            ContactNext::Reached => self.course.reached += 1,
            ContactNext::Failed(why) => *self.course.failed_by.entry(why).or_default() += 1,
            // Nobody on a list is called.
            ContactNext::Excluded => {}
        }
        self.people.leave(call.person);
        None
    }

    fn what_follows(&mut self, conclusion: &Conclusion, call: Call) -> Onward {
        let campaign = &self.standing.campaign;
        let person = self.people.person(call.person);
        if conclusion.not_dialled.is_none() {
            person.failed_trunk = Some(call.trunk).filter(|_| conclusion.disposition == Disposition::TrunkFailure);
        }
        let retry = line::allowance(&campaign.retry, person.lines.len());
        let cause = self.standing.causes.rule_for(conclusion).map(|(cause, _)| cause);
        let came = person.causes.iter().filter(|known| Some(**known) == cause).count();
        person.causes.extend(cause);
        let of_this_cause = u32::try_from(came).unwrap_or(u32::MAX);
        let past = Past { tally: person.tally, of_this_cause, next_trunk: campaign.next_trunk(call.trunk) };
        let rules = Rules { retry: &retry, outcome: &self.outcome, causes: &self.standing.causes };
        let told = retry::after(conclusion, past, rules, &campaign.calendar);
        let next_number_after_s = campaign.contacts.next_number_after_s;
        let rules =
            LineRules { retry: &retry, outcome: &self.outcome, next_number_after_s, calendar: &campaign.calendar };
        let called = person.lines[person.calling].number.clone();
        line::after(conclusion, &called, &mut person.lines, told, &rules)
    }
}

fn concluded(ending: Ending, ended_at: UtcMs) -> Conclusion {
    Conclusion {
        cause: ending.cause,
        sip_code: ending.sip_code,
        ring_ms: Some(ending.ring_ms),
        talk_ms: (ending.talk_ms > 0).then_some(ending.talk_ms),
        ..Conclusion::bare(ending.disposition, ended_at)
    }
}

/// When somebody may be called again whose number may not be called more often than `cap` says.
fn put_off(person: &mut Person, dialled_at: UtcMs, cap: FrequencyCap, due_at: UtcMs) -> UtcMs {
    person.dials.insert(0, dialled_at);
    person.dials.truncate(usize::try_from(cap.attempts_max).unwrap_or(usize::MAX));
    cap.full_until(&person.dials, due_at, due_at).unwrap_or(due_at)
}
