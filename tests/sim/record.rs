//! What the callees saw, and the invariants held against it.

use std::collections::{BTreeMap, BTreeSet};

use campanile::domain::attempt::AttemptState;
use campanile::domain::bar::{OPT_OUT_LIST, Pattern};
use campanile::domain::campaign::{CampaignState, ContactState, Finish};
use campanile::domain::disposition::Disposition;
use campanile::domain::evidence::{Evidence, Fact};
use campanile::domain::ids::{AttemptId, CampaignId, ContactId, Ticket, TrunkId};
use campanile::domain::instant::UtcMs;
use campanile::domain::line::{LineState, allowance};
use campanile::domain::number::Number;
use campanile::domain::retry::dials_max;
use campanile::domain::traffic::{Draw, Nature};
use campanile::domain::trunk::TrunkLine;
use campanile::domain::why::{Daemon, explain};
use campanile::domain::zoning::LegalSwitch;
use campanile::ledger::attempts::OpenAttempt;
use campanile::ledger::dnc::{self, Entry};
use campanile::ledger::views::{AttemptRow, attempts_of, attempts_page};
use campanile::ledger::why::{ServerLimits, view};
use campanile::ledger::{LedgerError, attempts, campaigns, contacts, details, evidence, lines, rounds, trunks};
use campanile::spool::SpoolName;
use campanile_agi::session::HOLD_MS_MAX;

use crate::disk;
use crate::operators::Told;
use crate::world::World;

/// How much earlier than its turn a trunk's start may come (decision 0004).
const JITTER_MS: i64 = 20;
/// How much earlier than it rang a call counts: from the instant that the gate gave, where no report says more.
const DIAL_SEEN_MS: i64 = 1_000;
/// The page of attempts that is looked at; no seed has as many.
const ATTEMPTS_MAX: u32 = 100_000;

#[derive(Debug, Clone)]
pub struct Dialled {
    pub attempt: AttemptId,
    pub campaign: CampaignId,
    pub trunk: TrunkId,
    pub number: String,
    at: Start,
    pub ended: bool,
    pub answered: bool,
}

#[derive(Debug, Clone, Copy)]
struct Start {
    at: UtcMs,
    epoch: u32,
}

/// Calls of one contact in one round of its campaign.
#[derive(Debug, Clone, Copy)]
pub struct Calls {
    pub campaign: CampaignId,
    round: u32,
    count: u32,
}

#[derive(Debug, Default)]
pub struct Record {
    /// Since somebody asked for a contact anew, or a round began.
    pub calls: BTreeMap<ContactId, Calls>,
    /// By ticket.
    pub dialled: BTreeMap<String, Dialled>,
    claimed: BTreeMap<AttemptId, Start>,
    /// Claims whose commit failed: refused, though a recovery may find them in the log.
    doubtful: BTreeSet<AttemptId>,
    /// Facts that a session was told are durable.
    durable: Vec<(AttemptId, Evidence)>,
    /// Contacts who want no further call, and whose wish is durable; until an operator asks for one.
    pub opted_out: BTreeSet<ContactId>,
    /// Contacts that an operator asked to call again, each with the last attempt before.
    pub pardoned: BTreeMap<ContactId, AttemptId>,
    /// Attempts of campaigns that were removed: nothing is known of them any more.
    pub removed: BTreeSet<AttemptId>,
    last_start: Option<Start>,
    last_on_trunk: BTreeMap<TrunkId, Start>,
    /// The starts of each campaign, latest last.
    of_campaign: BTreeMap<CampaignId, Vec<Start>>,
}

impl Record {
    pub fn acknowledged(&mut self, attempt: AttemptId, fact: &Evidence) {
        self.durable.push((attempt, fact.clone()));
    }

    pub fn claim_in_doubt(&mut self, attempt: AttemptId) {
        self.doubtful.insert(attempt);
    }

    pub fn answered(&mut self, ticket: &str) {
        self.dialled.get_mut(ticket).expect("only who was dialled answers").answered = true;
    }

    pub fn line_falls(&mut self, ticket: &str, _at_ms: i64) {
        if let Some(dialled) = self.dialled.get_mut(ticket) {
            dialled.ended = true;
        }
    }

    pub fn all_lines_fall(&mut self, _at_ms: i64) {
        self.dialled.values_mut().for_each(|dialled| dialled.ended = true);
    }

    /// The next campaign may have the number of one that was removed.
    pub fn forget(&mut self, campaign: CampaignId) {
        self.of_campaign.remove(&campaign);
    }

    fn live(&self, of: impl Fn(&Dialled) -> bool) -> Vec<AttemptId> {
        self.dialled.values().filter(|d| !d.ended && of(d)).map(|d| d.attempt).collect()
    }
}

impl World {
    /// At the claim: the operators' last word, the window, the caps, the rates.
    pub fn check_claim(&mut self, attempt: AttemptId, start_at: UtcMs) {
        let start = Start { at: start_at, epoch: self.epoch };
        assert!(self.record.claimed.insert(attempt, start).is_none(), "I1: attempt {attempt} is claimed twice");
        let open = self.ledger.read(|db| attempts::open_one(db, attempt)).unwrap().expect("a claimed attempt is open");
        self.check_callee(open.campaign, attempt, start_at);
        self.check_breaker((attempt, open.campaign), open.trunk, start_at);
        self.check_contact(attempt, open.contact, start_at);
        self.check_traffic(&open, attempt);
        let unwanted = open.contact.filter(|contact| self.record.opted_out.contains(contact));
        assert_eq!(unwanted, None, "I4: attempt {attempt} is claimed for a contact who opted out");
        self.check_legal_hours(open.campaign, attempt, open.contact, start_at);
        let told = self.operators.told[&open.campaign].campaign.clone();
        assert_eq!(told.state, CampaignState::Running, "I4: claimed though {} was acknowledged", told.state);
        assert!(told.calendar.contains(start_at), "I4: claimed for {start_at}, outside the window");
        assert!(start_at >= open.planned_at, "I6: claimed for {start_at}, before its slot {}", open.planned_at);
        let live = self.live(|d| d.campaign == open.campaign);
        let cap = told.channels.map_or(usize::MAX, |cap| cap as usize);
        assert!(live.len() < cap, "I5: attempt {attempt} beside {live:?} of campaign {}", told.name);
        let trunk = open.trunk;
        let (channels, per_second) = self.operators.trunks[&trunk];
        let live = self.live(|d| d.trunk == trunk);
        let cap = channels.map_or(usize::MAX, |cap| cap as usize);
        assert!(live.len() < cap, "I5: attempt {attempt} beside {live:?} of trunk {trunk}");
        let live = self.live(|_| true);
        let cap = self.limits.channels_max.map_or(usize::MAX, |cap| cap as usize);
        assert!(live.len() < cap, "I5: attempt {attempt} beside {live:?} of the server, whose cap is {cap}");
        if start_at.since_ms(self.now()) > HOLD_MS_MAX {
            // Planned before the clock was set back: the gate does not wait so long, and does not dial.
            return;
        }
        self.check_campaign(open.campaign, start);
        let spacing_ms = 60_000 / i64::from(self.limits.calls_one_time);
        check_gap(self.record.last_start, start, spacing_ms * 4 / 5, "the server");
        self.record.last_start = Some(start);
        if let Some(per_second) = per_second {
            let last = self.record.last_on_trunk.insert(trunk, start);
            check_gap(last, start, 1000 / i64::from(per_second) - JITTER_MS, "a trunk");
        }
    }

    /// Calls that are up, but for those that no daemon can know to be: steps of the clock made them look older than their
    /// Asterisk, and the daemon that had seen their files wait is dead.
    fn live(&mut self, of: impl Fn(&Dialled) -> bool) -> Vec<AttemptId> {
        let mut live = self.record.live(of);
        live.retain(|id| {
            let stepped = self.record.claimed.get(id).is_some_and(|start| start.epoch != self.epoch);
            let facts = self.ledger.read(|db| evidence::of(db, *id)).unwrap();
            !(stepped && facts.iter().any(|evidence| evidence.fact == Fact::Swept))
        });
        live
    }

    /// What is made up goes over the test line only, and a call that was cancelled is not made again.
    fn check_traffic(&mut self, open: &OpenAttempt, attempt: AttemptId) {
        // Its own: the campaign may go over others since it was planned.
        let test = self.operators.lab == Some((open.trunk, TrunkLine::Test));
        assert!(test || open.draw.nature() == Nature::Genuine, "I4: attempt {attempt} is made up, over a real line");
        let Some(contact) = open.contact else { return };
        let round = self.ledger.read(|db| rounds::counted(db, open.campaign)).unwrap();
        if self.record.calls.get(&contact).is_some_and(|calls| calls.round != round) {
            // What came of it in an earlier round counts no more.
            self.record.pardoned.insert(contact, AttemptId(attempt.0 - 1));
        }
        let pardoned = self.record.pardoned.get(&contact).copied().unwrap_or(AttemptId(0));
        let contact = self.ledger.read(|db| contacts::get(db, contact)).unwrap().expect("it was not deleted");
        let calls = self.ledger.read(|db| attempts_of(db, &contact, ATTEMPTS_MAX)).unwrap();
        let cancelled = calls.iter().find(|row| row.id > pardoned && row.disposition == Some(Disposition::Cancelled));
        assert_eq!(cancelled, None, "attempt {attempt} is made to a contact whose call was cancelled");
    }

    /// I10: a campaign keeps its own delay, and has no more calls in a row than a batch without its pause.
    /// I11: it makes no more calls than it was to make since it was started.
    fn check_campaign(&mut self, id: CampaignId, start: Start) {
        let told = self.operators.told.get_mut(&id).unwrap();
        told.calls += 1;
        if let Finish::AfterCalls(calls) = told.campaign.finish {
            assert!(told.calls <= calls, "I11: call {} of campaign {id}, which was to make {calls}", told.calls);
        }
        let rhythm = told.campaign.pacing.rhythm;
        let starts = self.record.of_campaign.entry(id).or_default();
        starts.push(start);
        let gaps: Vec<i64> = starts.windows(2).map(|pair| gap_ms(pair[0], pair[1])).collect();
        let last_ms = gaps.last().copied().unwrap_or(i64::MAX);
        assert!(last_ms >= i64::from(rhythm.delay_ms), "I10: {last_ms} ms after the call before it of campaign {id}");
        if let Some(batch) = rhythm.batch {
            let row = gaps.iter().rev().take_while(|gap| **gap < i64::from(batch.pause_s) * 1000).count() + 1;
            assert!(row <= batch.calls as usize, "I10: {row} calls in a row of campaign {id}");
        }
    }

    /// I14: within a round nobody is called more often than the rules say.
    fn check_round(&mut self, campaign: CampaignId, contact: Option<ContactId>) {
        let Some(contact) = contact else { return };
        let round = self.ledger.read(|db| rounds::counted(db, campaign)).unwrap();
        let numbers = self.ledger.read(|db| lines::of(db, contact)).unwrap().len();
        let told = &self.operators.told[&campaign].campaign;
        let most = dials_max(&allowance(&told.retry, numbers), &told.outcome);
        let calls = self.record.calls.entry(contact).or_insert(Calls { campaign, round, count: 0 });
        if calls.round != round {
            *calls = Calls { campaign, round, count: 0 };
        }
        calls.count += 1;
        let count = calls.count;
        assert!(count <= most, "I14: call {count} of contact {contact} in round {round}, {most} are the most");
    }

    /// At the claim: nobody who is on a do-not-call list, and nobody who was called too often.
    fn check_callee(&mut self, campaign: CampaignId, attempt: AttemptId, start_at: UtcMs) {
        let row = self.rows_of(campaign).into_iter().find(|row| row.id == attempt).expect("a claimed attempt is there");
        let told = self.operators.do_not_call.get(&row.number);
        let barred = told.is_some_and(|until| until.is_none_or(|until| until > start_at));
        assert!(!barred, "I4: attempt {attempt} is claimed for {start_at}, and its number is on a list: {told:?}");
        let Some(cap) = self.limits.frequency else { return };
        let counts = |d: &&Dialled| {
            d.number == row.number.as_str()
                && d.at.epoch == self.epoch
                && d.at.at > cap.since(start_at).plus_ms(DIAL_SEEN_MS)
                && !self.record.removed.contains(&d.attempt)
        };
        let dials = self.record.dialled.values().filter(counts).count();
        assert!(dials < cap.attempts_max as usize, "I5: attempt {attempt} calls a number after {dials} calls");
    }

    /// At the claim: it is not too early or too late where the contact is, nor while the call may ring.
    fn check_legal_hours(
        &mut self,
        campaign: CampaignId,
        attempt: AttemptId,
        contact: Option<ContactId>,
        start_at: UtcMs,
    ) {
        let Some(contact) = contact else { return };
        let row = self.rows_of(campaign).into_iter().find(|row| row.id == attempt).expect("a claimed attempt is there");
        let told = &self.operators.told[&campaign].campaign;
        let column = self.ledger.read(|db| details::of(db, contact)).unwrap().zone;
        let names: &[&str] = match row.number.as_str() {
            american if american.starts_with("+1208") => &["America/Denver", "America/Los_Angeles"],
            nepalese if nepalese.starts_with("+977") => &["Asia/Kathmandu"],
            _ => &["Europe/Berlin"],
        };
        let zones = column.map_or_else(|| names.iter().map(|name| name.parse().unwrap()).collect(), |zone| vec![zone]);
        for zone in zones {
            let lull = match &told.legal_hours {
                LegalSwitch::Off => continue,
                LegalSwitch::Own(_) => self.lulls.own,
                LegalSwitch::On if self.limits.legal.is_none() => continue,
                LegalSwitch::On if zone.name().starts_with("America/") => self.lulls.america,
                LegalSwitch::On => self.lulls.others,
            };
            let rings_until = start_at.plus_s(i64::from(told.retry.wait_time_s));
            let open = lull.open(&zone, start_at) && lull.open(&zone, rings_until);
            assert!(
                open,
                "I4: attempt {attempt} is claimed for {start_at}, outside the legal hours in {}",
                zone.name()
            );
        }
    }

    /// No table of causes and no uncharged failure lets a contact be dialled more often than its campaign says.
    fn check_dials(&mut self) {
        for (id, told) in self.operators.told.clone() {
            for contact in self.ledger.read(|db| contacts::page(db, id, None, ContactId(0), 1_000)).unwrap() {
                let numbers = self.ledger.read(|db| lines::of(db, contact.id)).unwrap().len();
                let most = dials_max(&allowance(&told.campaign.retry, numbers), &told.campaign.outcome);
                let dials = contact.tally.dials;
                assert!(dials <= most, "I5: contact {} was dialled {dials} times, {most} are the most", contact.id);
            }
        }
    }

    /// No start at or after a contact's expiry, and one call of a contact at a time, over all of its numbers.
    fn check_contact(&mut self, attempt: AttemptId, contact: Option<ContactId>, start_at: UtcMs) {
        let Some(id) = contact else { return };
        let contact = self.ledger.read(|db| contacts::get(db, id)).unwrap().expect("it was not deleted");
        let expired = contact.expires_at.is_some_and(|expires_at| expires_at <= start_at);
        assert!(!expired, "I4: attempt {attempt} is claimed for {start_at}, after its contact's expiry");
        let open = self.ledger.read(|db| attempts::open(db)).unwrap();
        let others: Vec<_> = open.iter().filter(|a| a.contact == Some(id) && a.id != attempt).collect();
        assert!(others.is_empty(), "I2: contact {id} has attempt {attempt} beside {others:?}");
        let lines = self.ledger.read(|db| lines::of(db, id)).unwrap();
        let next = lines.iter().find(|line| line.number == contact.number);
        let callable = next.is_none_or(|line| line.state == LineState::Callable);
        assert!(
            callable && next.is_some() != lines.is_empty(),
            "contact {id} is called by a number that is none of its"
        );
        let others = lines.iter().any(|line| line.state == LineState::Callable && line.number != contact.number);
        let calls = self.ledger.read(|db| attempts_of(db, &contact, 2)).unwrap();
        let last = calls.iter().find(|row| row.id != attempt).filter(|_| others && contact.tally.charged > 0);
        let Some(last) = last else { return };
        let unsuccessful = matches!(last.disposition, Some(Disposition::Busy | Disposition::NoAnswer));
        let again = unsuccessful && last.number == contact.number;
        assert!(!again, "contact {id} was not reached by attempt {}, and is called by the same number again", last.id);
    }

    /// The callee was told that no call will follow.
    pub fn opts_out(&mut self, attempt: AttemptId) {
        let open = self.ledger.read(|db| attempts::open_one(db, attempt)).unwrap();
        self.record.opted_out.extend(open.and_then(|open| open.contact));
        // The ledger has put the number on the list in the same transaction, also when the call is over and closed.
        let row = self.rows().into_iter().find(|row| row.id == attempt);
        self.operators.do_not_call.extend(row.map(|row| (row.number, None)));
    }

    /// A call file is there only if its order is durable: else nobody would know of it (I8).
    pub fn check_ordered(&mut self, name: SpoolName, ticket: &str) {
        let ticket: Ticket = ticket.parse().expect("a file carries a ticket");
        let order = self.ledger.read(|db| attempts::order(db, &ticket)).unwrap();
        let removed = self.record.removed.contains(&name.attempt());
        assert!(order.is_some() || removed, "I8: the ledger knows nothing of {name}");
    }

    /// At the dial: once, claimed, the right number, nobody who is in a call, and not before its slot.
    pub fn check_dial(&mut self, ticket: &str, dial: &str, ring_s: i64, options: &str) -> Draw {
        let parsed: Ticket = ticket.parse().expect("a file carries a ticket");
        let order = self.ledger.read(|db| attempts::order(db, &parsed)).unwrap().expect("only orders are dialled");
        let number = order.number.as_str().to_owned();
        assert_eq!(dial, order.dial_string.as_str(), "the gate gave another dial string");
        let draw = order.draw;
        assert_eq!(
            ring_s,
            i64::from(draw.cancel_after_s.unwrap_or(order.wait_time_s)),
            "not the cancel that was drawn"
        );
        let lasts = draw.talk_ms.map(|ms| format!("L({ms})")).unwrap_or_default();
        assert_eq!(options, lasts, "not the duration that was drawn");
        let claimed = self.record.claimed.get(&order.attempt).copied();
        let claimed = claimed.unwrap_or_else(|| panic!("I1: attempt {} is dialled without a claim", order.attempt));
        assert!(claimed.epoch != self.epoch || self.now() >= claimed.at, "I6: dialled before its instant");
        let busy = self.record.live(|d| d.number == number);
        assert_eq!(busy, [], "I2: attempt {} has a number that is in a call", order.attempt);
        let dialled = Dialled {
            attempt: order.attempt,
            campaign: order.campaign,
            trunk: order.trunk,
            number,
            at: Start { at: self.now(), epoch: self.epoch },
            ended: false,
            answered: false,
        };
        self.say(|_| format!("attempt {} is dialled", order.attempt));
        let open = self.ledger.read(|db| attempts::open_one(db, order.attempt)).unwrap();
        self.check_round(order.campaign, open.and_then(|open| open.contact));
        let twice = self.record.dialled.insert(ticket.to_owned(), dialled);
        assert!(twice.is_none(), "I1: attempt {} is dialled twice", order.attempt);
        draw
    }

    /// Whatever was lost, what was acknowledged is there: settings and states, numbers, claims, facts (I8).
    pub fn check_acknowledged(&mut self) {
        self.note_who_left();
        if self.operators.in_doubt {
            return self.believe_the_ledger();
        }
        for (id, told) in self.operators.told.clone() {
            let mut there = self.ledger.read(|db| campaigns::get(db, id)).unwrap().expect("I8: a campaign is lost");
            if there.state == CampaignState::Completed && told.campaign.state == CampaignState::Running {
                there.state = CampaignState::Running;
            }
            there.actions = None;
            assert_eq!(there, told.campaign, "I8: an acknowledged setting is lost");
            let there = self.numbers_of(id);
            assert_eq!(there, told.imported, "I8: acknowledged numbers of campaign {id}");
        }
        assert_eq!(self.listed(), self.operators.do_not_call, "I8: acknowledged entries of the do-not-call list");
        self.check_facts();
    }

    /// The numbers of a campaign, with those that were deleted because they were reached.
    fn numbers_of(&mut self, id: CampaignId) -> u64 {
        let sums = |db: &_| Ok((contacts::counts(db, id)?.total(), rounds::picked_up(db, id)?));
        let (there, picked_up) = self.ledger.read(|db| sums(db)).unwrap();
        there + picked_up
    }

    /// What stands on the do-not-call list.
    fn listed(&mut self) -> BTreeMap<Number, Option<UtcMs>> {
        let mut listed = BTreeMap::new();
        let note = |entry: Entry| -> Result<(), LedgerError> {
            let Pattern::Number(number) = entry.pattern else { panic!("nobody lists a prefix") };
            listed.insert(number, entry.expires_at);
            Ok(())
        };
        let of = |db: &_| {
            let list = dnc::find(db, &OPT_OUT_LIST.parse()?)?.expect("there always is this list");
            dnc::each_entry(db, list.id, note)
        };
        self.ledger.read(|db| of(db)).unwrap();
        listed
    }

    fn check_facts(&mut self) {
        let removed = &self.record.removed;
        for (attempt, fact) in self.record.durable.iter().filter(|(attempt, _)| !removed.contains(attempt)) {
            let there = self.ledger.read(|db| evidence::of(db, *attempt)).unwrap();
            assert!(there.contains(fact), "I8: an acknowledged fact of attempt {attempt} is lost: {:?}", fact.fact);
        }
        for attempt in self.record.claimed.keys().filter(|attempt| !removed.contains(attempt)) {
            let there = self.ledger.read(|db| evidence::of(db, *attempt)).unwrap();
            let admitted = there.iter().any(|e| matches!(e.fact, Fact::Admitted { .. }));
            assert!(admitted, "I8: the claim of attempt {attempt} is lost");
        }
    }

    /// After a failed commit either state is right, until the next one makes it durable.
    pub fn believe_the_ledger(&mut self) {
        self.note_who_left();
        let ids: Vec<CampaignId> = self.operators.told.keys().copied().collect();
        for id in ids {
            let there = self.ledger.read(|db| campaigns::get(db, id)).unwrap();
            if there.is_none() && self.operators.maybe_removed.contains_key(&id) {
                self.forget_campaign(id);
                continue;
            }
            let mut campaign = there.expect("I8: a campaign is lost");
            campaign.actions = None;
            let imported = self.numbers_of(id);
            let calls = self.ledger.read(|db| campaigns::activity(db, id)).unwrap().calls_started;
            self.operators.told.insert(id, Told { campaign, imported, calls });
        }
        self.operators.do_not_call = self.listed();
        if let Some((trunk, line)) = &mut self.operators.lab {
            *line = self.ledger.read(|db| trunks::get(db, *trunk)).unwrap().line;
        }
        self.check_facts();
    }

    /// After each step of the engine: the sums, the grid, the answers.
    pub fn check_ledger(&mut self) {
        self.note_who_left();
        let ids: Vec<(CampaignId, u64)> = self.operators.told.iter().map(|(id, told)| (*id, told.imported)).collect();
        for (id, imported) in ids {
            let there = self.numbers_of(id);
            assert_eq!(there, imported, "I3: the sums of campaign {id}");
        }
        self.check_grid();
        self.check_turns();
        if self.steps.is_multiple_of(16) {
            self.check_why();
            self.check_dials();
        }
    }

    fn check_grid(&mut self) {
        let rate = i64::from(self.limits.calls_one_time);
        for (name, slot) in self.folders.borrow_mut().unseen.drain(..) {
            let into = slot.0.rem_euclid(60_000);
            let i = (into * rate + 59_999) / 60_000;
            assert_eq!(i * 60_000 / rate, into, "I6: {name} is planned off the grid, for {slot}");
        }
    }

    fn check_why(&mut self) {
        let ids: Vec<CampaignId> = self.operators.told.keys().copied().collect();
        let daemon = if self.engine.is_some() { Daemon::Running } else { Daemon::Stopped };
        let limits = ServerLimits {
            calls_one_time: self.limits.calls_one_time,
            channels_max: self.limits.channels_max,
            spool_files_max: self.limits.spool_files_max,
            frequency: self.limits.frequency,
            legal: self.limits.legal.clone(),
            daemon,
        };
        let now = self.now();
        for id in ids {
            let waiting = |db: &_| contacts::page(db, id, Some(ContactState::Waiting), ContactId(0), 1);
            let Some(contact) = self.ledger.read(|db| waiting(db)).unwrap().pop() else { continue };
            let answer = explain(&self.ledger.read(|db| view(db, &contact, &limits, now)).unwrap(), now);
            assert!(answer.callable_at.is_some() || answer.hint.is_some(), "I9: no answer: {:?}", answer.rules);
        }
    }

    pub fn rows(&mut self) -> Vec<AttemptRow> {
        let ids: Vec<CampaignId> = self.operators.told.keys().copied().collect();
        ids.into_iter().flat_map(|id| self.rows_of(id)).collect()
    }

    pub fn rows_of(&mut self, id: CampaignId) -> Vec<AttemptRow> {
        self.ledger.read(|db| attempts_page(db, id, AttemptId(0), ATTEMPTS_MAX)).unwrap()
    }

    /// Whether nothing is left to do.
    pub fn is_settled(&mut self) -> bool {
        let open = self.ledger.read(|db| attempts::open_count(db)).unwrap();
        let ids: Vec<CampaignId> = self.operators.told.keys().copied().collect();
        let gone = self.operators.left.clone().into_iter().all(|id| {
            let counts = self.ledger.read(|db| contacts::counts(db, id)).unwrap();
            counts.total() == 0
        });
        open == 0
            && gone
            && ids.into_iter().all(|id| {
                let counts = self.ledger.read(|db| contacts::counts(db, id)).unwrap();
                counts.waiting + counts.in_progress == 0
            })
    }

    /// At the end: ledger and callees agree.
    pub fn check_end(&mut self) {
        let rows: BTreeMap<AttemptId, AttemptRow> = self.rows().into_iter().map(|row| (row.id, row)).collect();
        for row in rows.values() {
            assert_eq!(row.state, AttemptState::Closed, "I3: attempt {} is open for ever", row.id);
        }
        for dialled in self.record.dialled.values().filter(|d| !self.record.removed.contains(&d.attempt)) {
            let row = &rows[&dialled.attempt];
            assert_ne!(row.disposition, Some(Disposition::NotDialled), "I3: attempt {} was dialled", row.id);
            let as_drawn = row.disposition != Some(Disposition::Cancelled) || row.draw.cancel_after_s.is_some();
            assert!(as_drawn, "attempt {} is cancelled, and nobody had wanted that", row.id);
            let lasts = row.draw.talk_ms.map(i64::from).zip(row.talk_ms);
            // The report comes a moment after the end.
            let longer = lasts.is_some_and(|(drawn, was)| was > drawn + 3);
            assert!(!longer, "attempt {} lasted longer than was drawn: {lasts:?}", row.id);
            let answered = matches!(row.disposition, Some(Disposition::Answered | Disposition::Machine));
            assert!(!answered || dialled.answered, "I3: attempt {} is answered by nobody", row.id);
        }
        for row in rows.values().filter(|row| row.disposition != Some(Disposition::NotDialled)) {
            let may = self.record.claimed.contains_key(&row.id) || self.record.doubtful.contains(&row.id);
            assert!(may, "I3: attempt {} has no claim and {:?}", row.id, row);
        }
        // A dead Asterisk's file of a campaign that was removed since: its retry, up to two days later, is
        // refused by the gate, which does not know its ticket.
        let known = |name: &SpoolName| !self.record.removed.contains(&name.attempt());
        let left: Vec<_> = self.folders.borrow().outgoing.keys().copied().filter(known).collect();
        assert!(left.is_empty(), "files of ours stay in outgoing: {left:?}");
        assert_eq!(self.failed_steps, 0, "steps fail though nothing is wrong");
        assert_eq!(disk::with(|disk| disk.collisions), 0, "the simulated locks collide");
        self.check_acknowledged();
    }
}

/// Between two starts; across a step of the clock nothing is known.
fn gap_ms(last: Start, this: Start) -> i64 {
    if last.epoch == this.epoch { this.at.since_ms(last.at) } else { i64::MAX }
}

fn check_gap(last: Option<Start>, this: Start, least_ms: i64, whose: &str) {
    if let Some(last) = last.filter(|last| last.epoch == this.epoch) {
        let gap = this.at.since_ms(last.at);
        assert!(gap >= least_ms, "I5: {gap} ms between two starts over {whose}; at least {least_ms}");
    }
}
