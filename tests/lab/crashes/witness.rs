//! What the callees' side saw, against what the ledger says.

use std::collections::{BTreeMap, BTreeSet};

use campanile::domain::disposition::Disposition;
use campanile::domain::evidence::{Evidence, Fact};
use campanile::domain::ids::AttemptId;
use campanile::domain::instant::UtcMs;
use campanile::ledger::views::{self, AttemptRow};
use campanile::ledger::{Ledger, attempts, campaigns, contacts, evidence};

use crate::harness::Lab;
use crate::world::Callee;

/// When an Asterisk ended, and its calls with it: a kill is an instant, a restart takes a while.
#[derive(Debug, Clone, Copy)]
pub struct Death {
    pub from: UtcMs,
    pub to: UtcMs,
}

/// An attempt with all that is known of it.
struct Told {
    row: AttemptRow,
    facts: Vec<Evidence>,
}

impl Told {
    fn admissions(&self) -> usize {
        self.facts.iter().filter(|e| matches!(e.fact, Fact::Admitted { .. })).count()
    }

    /// When the dialling leg dialled, and when it told so.
    fn dial(&self) -> Option<(UtcMs, UtcMs)> {
        self.facts.iter().find_map(|e| match &e.fact {
            Fact::Reported(report) => Some((report.dialled_at?, e.at)),
            _ => None,
        })
    }

    /// Whether it dialled, by its own report, and lived to the end of the call: an Asterisk that ends may report a
    /// dial that it did not come to.
    fn dialled_to_its_end(&self, deaths: &[Death]) -> bool {
        let cut = |(dialled_at, told_at)| deaths.iter().any(|death| dialled_at <= death.to && death.from <= told_at);
        self.dial().is_some_and(|dial| !cut(dial))
    }
}

/// All that is compared; each check panics with what does not agree.
pub struct Witness {
    told: BTreeMap<AttemptId, Told>,
    callees: Vec<Callee>,
    gone: BTreeMap<String, UtcMs>,
    /// Calls that reached the SIP peer, by number: one line for each new INVITE.
    invites: BTreeMap<String, usize>,
}

impl Witness {
    pub fn call(lab: &Lab, ledger: &mut Ledger, names: &[&str]) -> Self {
        let told = names.iter().flat_map(|name| told(ledger, name)).map(|t| (t.row.id, t)).collect();
        let mut invites = BTreeMap::new();
        for line in lab.read("log/sipp.log").lines() {
            *invites.entry(line.split('|').next().unwrap().to_owned()).or_default() += 1;
        }
        Self { told, callees: lab.callees(), gone: lab.gone().into_iter().collect(), invites }
    }

    /// I1: every call that a callee saw has one admitted attempt, and none was seen twice.
    pub fn assert_no_attempt_was_dialled_twice_i1(&self, ledger: &mut Ledger, deaths: &[Death]) -> BTreeSet<AttemptId> {
        let mut seen = BTreeSet::new();
        for callee in &self.callees {
            let ticket = callee.ticket.parse().unwrap_or_else(|_| panic!("a call without a ticket: {callee:?}"));
            let order = ledger.read(|db| attempts::order(db, &ticket)).unwrap();
            let id = order.unwrap_or_else(|| panic!("a call that the ledger does not know: {callee:?}")).attempt;
            let told = &self.told[&id];
            assert_eq!(told.row.number.to_string(), callee.number);
            assert!(seen.insert(id), "attempt {id} reached its callee twice: {callee:?} {:#?}", told.facts);
            assert_eq!(told.admissions(), 1, "attempt {id}: {:#?}", told.facts);
            let closed_as = told.row.disposition.unwrap();
            assert_ne!(
                closed_as,
                Disposition::NotDialled,
                "attempt {id} rang: {:?} {:#?}",
                told.row.detail,
                told.facts
            );
        }
        let local = |t: &&Told| t.row.number.as_str().starts_with("+441632");
        for told in self.told.values().filter(local).filter(|t| t.dialled_to_its_end(deaths)) {
            assert!(seen.contains(&told.row.id), "reported as dialled, and no callee saw it: {:#?}", told.facts);
        }
        seen
    }

    /// The SIP peer saw at least the calls whose leg reported a dial, at most those that the gate admitted.
    pub fn assert_invites_agree_i1(&self, deaths: &[Death]) {
        let mut bounds: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for told in self.told.values().filter(|t| !t.row.number.as_str().starts_with("+441632")) {
            let (least, most) = bounds.entry(told.row.number.to_string()).or_default();
            *least += usize::from(told.dialled_to_its_end(deaths));
            *most += told.admissions();
        }
        for (number, (least, most)) in &bounds {
            let seen = self.invites.get(number).copied().unwrap_or_default();
            assert!((*least..=*most).contains(&seen), "{number}: {seen} INVITEs, reported {least}, admitted {most}");
        }
        let strangers: Vec<_> = self.invites.keys().filter(|number| !bounds.contains_key(*number)).collect();
        assert!(strangers.is_empty(), "called, and not in any campaign: {strangers:?}");
    }

    /// I2: a number's next call begins after the one before has ended, or its Asterisk has.
    pub fn assert_no_number_was_in_two_calls_i2(&self, deaths: &[Death]) {
        let mut last: BTreeMap<&str, &Callee> = BTreeMap::new();
        for callee in &self.callees {
            let Some(before) = last.insert(&callee.number, callee) else { continue };
            let left = self.gone.get(&before.ticket).is_some_and(|at| *at <= callee.at);
            let died = deaths.iter().any(|death| before.at <= death.to && death.from <= callee.at);
            assert!(left || died, "in two calls at once: {before:?} {callee:?}");
        }
    }

    /// What the ledger says of a reported call is what this callee does, unless Asterisk ended in its midst.
    pub fn assert_outcomes_are_the_callees(&self, deaths: &[Death]) {
        for told in self.told.values().filter(|t| t.dialled_to_its_end(deaths)) {
            let (number, disposition) = (told.row.number.as_str(), told.row.disposition.unwrap());
            let expected = if let Some(fate) = number.strip_prefix("+441632960") {
                by_fate(fate)
            } else {
                by_sip_code(&number[number.len() - 3..])
            };
            assert_eq!(disposition, expected, "{number}: {:#?}", told.facts);
        }
        for callee in &self.callees {
            let Some(told) = self.told.values().find(|t| t.facts.iter().any(|e| is_talk(&e.fact)) && same(t, callee))
            else {
                continue;
            };
            let Some(gone) = self.gone.get(&callee.ticket) else { continue };
            let (talk_ms, there_ms) = (told.row.talk_ms.unwrap(), gone.since_ms(callee.at));
            assert!(talk_ms <= there_ms + 500, "{callee:?} was there for {there_ms} ms: {:#?}", told.facts);
        }
    }

    /// One line of figures.
    pub fn figures(&self, seen: &BTreeSet<AttemptId>) -> String {
        let count = |is: &dyn Fn(&Told) -> bool| self.told.values().filter(|t| is(t)).count();
        let mut dispositions: BTreeMap<String, usize> = BTreeMap::new();
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        for told in self.told.values() {
            *dispositions.entry(told.row.disposition.unwrap().to_string()).or_default() += 1;
        }
        for told in self.told.values().filter(|t| t.row.disposition == Some(Disposition::NotDialled)) {
            *reasons.entry(told.row.detail.clone().unwrap_or_default()).or_default() += 1;
        }
        format!(
            "{} attempts, {} admitted, {} reported a dial; {} calls seen by local callees, {} INVITEs; {dispositions:?}; {reasons:#?}",
            self.told.len(),
            count(&|t| t.admissions() > 0),
            count(&|t| t.dial().is_some()),
            seen.len(),
            self.invites.values().sum::<usize>(),
        )
    }
}

fn is_talk(fact: &Fact) -> bool {
    matches!(fact, Fact::Reported(report) if report.talk_ms.is_some())
}

/// The gate's start and the callee's first line lie close together.
fn same(told: &Told, callee: &Callee) -> bool {
    let near = |at: UtcMs| (-50..400).contains(&callee.at.since_ms(at));
    told.row.number.as_str() == callee.number && told.row.talk_ms.is_some() && told.row.dialled_at.is_some_and(near)
}

fn by_fate(fate: &str) -> Disposition {
    match fate.as_bytes()[0] {
        b'1' => Disposition::Busy,
        b'2' => Disposition::NoAnswer,
        b'3' => Disposition::Rejected,
        b'4' => Disposition::InvalidNumber,
        b'5' | b'9' => Disposition::TrunkFailure,
        _ => Disposition::Answered,
    }
}

fn by_sip_code(code: &str) -> Disposition {
    match code {
        "200" => Disposition::Answered,
        "180" | "480" => Disposition::NoAnswer,
        "404" => Disposition::InvalidNumber,
        "486" => Disposition::Busy,
        "503" => Disposition::TrunkFailure,
        "603" => Disposition::Rejected,
        _ => panic!("no such SIP callee: {code}"),
    }
}

/// All attempts of a campaign. I3: each is closed, and every contact was charged for each of its dials once.
fn told(ledger: &mut Ledger, name: &str) -> Vec<Told> {
    let campaign = ledger.read(|db| campaigns::find(db, name)).unwrap().expect("the campaign is there").id;
    let rows = ledger.read(|db| views::attempts_page(db, campaign, AttemptId(0), 100_000)).unwrap();
    let mut dials = BTreeMap::new();
    for row in &rows {
        let disposition = row.disposition.unwrap_or_else(|| panic!("attempt {} is open: {row:?}", row.id));
        *dials.entry(row.number.clone()).or_insert(0) += u32::from(disposition != Disposition::NotDialled);
    }
    for (number, dials) in dials {
        let contact = ledger.read(|db| contacts::find(db, campaign, &number)).unwrap().expect("the contact is there");
        assert_eq!(contact.tally.dials, dials, "{name}: {contact:?} was counted as often as it was closed as dialled");
    }
    let facts = |row: AttemptRow| Told { facts: ledger.read(|db| evidence::of(db, row.id)).unwrap(), row };
    rows.into_iter().map(facts).collect()
}
