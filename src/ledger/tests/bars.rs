//! Who may not be called: look-ups, scopes, and the gate.

use proptest::prelude::*;

use super::*;
use crate::domain::bar::{Bar, FrequencyCap, OPT_OUT_LIST, Pattern, Scope};
use crate::domain::campaign::ContactState;
use crate::domain::contact::Exclusion;
use crate::domain::retry::ContactTally;
use crate::ledger::bars::{self, Bars, Callee};
use crate::ledger::claims;
use crate::ledger::dnc::{Caller, Entry, Noted, Stock};

fn entry(pattern: Pattern, expires_at: Option<UtcMs>) -> Entry {
    Entry { pattern, source: "a letter".to_owned(), added_at: NOON, expires_at }
}

fn one(digits: u32) -> Pattern {
    Pattern::Number(number(digits))
}

impl World {
    fn list(&mut self, name: &str, scope: Scope) -> crate::domain::ids::DncListId {
        self.ledger.write(|db| dnc::create(db, &name.parse()?, scope, NOON)).unwrap()
    }

    fn listed(&mut self, campaign: CampaignId, digits: u32, at: UtcMs) -> Option<(String, Option<UtcMs>)> {
        let caller = Caller { campaign, owner: self.owner };
        self.ledger
            .read(|db| dnc::listed(db, Stock::read(db)?, caller, &number(digits), at))
            .unwrap()
            .map(|listed| (listed.list.to_string(), listed.until))
    }

    /// Closes a call that was dialled.
    fn dialled(&mut self, attempt: AttemptId, at: UtcMs) {
        let conclusion = Conclusion { dialled_at: Some(at), ..Conclusion::bare(Disposition::Busy, at) };
        self.ledger.write(|db| settle::close(db, attempt, &conclusion, at)).unwrap();
    }
}

#[test]
fn a_list_holds_for_the_campaigns_of_its_scope_and_until_its_entry_expires_i4() {
    let mut w = World::new(trunk(None, None));
    let (spring, autumn) = (w.campaign("spring"), w.campaign("autumn"));
    let other = w.ledger.write(|db| users::add(db, &"bob".parse()?, Role::User, NOON)).unwrap();
    let later = NOON.plus_s(60);
    for (n, scope) in
        [Scope::Server, Scope::User(w.owner), Scope::User(other), Scope::Campaign(spring)].iter().enumerate()
    {
        let n = u32::try_from(n).unwrap();
        let list = w.list(&format!("list-{n}"), *scope);
        w.ledger.write(|db| dnc::add(db, list, &entry(one(n), Some(later)))).unwrap();
    }
    let held = |w: &mut World, campaign| (0..4).map(|n| w.listed(campaign, n, NOON).is_some()).collect::<Vec<_>>();
    assert_eq!(held(&mut w, spring), [true, true, false, true]);
    assert_eq!(held(&mut w, autumn), [true, true, false, false]);
    assert_eq!(w.listed(spring, 0, NOON), Some(("list-0".to_owned(), Some(later))));
    assert_eq!(w.listed(spring, 0, later), None, "expired");
}

#[test]
fn a_prefix_holds_for_all_numbers_that_begin_so_and_the_longest_bar_counts() {
    let mut w = World::new(trunk(None, None));
    let spring = w.campaign("spring");
    let list = w.list("premium", Scope::Server);
    assert!(w.ledger.read(|db| Ok(Stock::read(db)?.is_empty())).unwrap());
    let prefix = Pattern::Prefix("+441632960".parse().unwrap());
    w.ledger.write(|db| dnc::add(db, list, &entry(prefix, None))).unwrap();
    w.ledger.write(|db| dnc::add(db, list, &entry(one(5), Some(NOON.plus_s(5))))).unwrap();
    assert_eq!(w.listed(spring, 5, NOON), Some(("premium".to_owned(), None)));
    let other = Number::from_canonical("+441632970005").unwrap();
    let caller = Caller { campaign: spring, owner: w.owner };
    let none = w.ledger.read(|db| dnc::listed(db, Stock::read(db)?, caller, &other, NOON)).unwrap();
    assert_eq!(none, None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_number_is_held_by_a_prefix_exactly_when_it_begins_so(
        prefixes in proptest::collection::hash_set("\\+4[12]{1,4}[3]{0,2}", 0..12),
        numbers in proptest::collection::vec("\\+4[12]{1,6}[34]{3}", 1..12),
    ) {
        let mut w = World::new(trunk(None, None));
        let spring = w.campaign("spring");
        let list = w.list("premium", Scope::Server);
        let add = |db: &Db, prefix: &String| {
            dnc::add(db, list, &entry(Pattern::Prefix(prefix.parse().unwrap()), None)).map(drop)
        };
        w.ledger.write(|db| prefixes.iter().try_for_each(|prefix| add(db, prefix))).unwrap();
        let caller = Caller { campaign: spring, owner: w.owner };
        for text in numbers {
            let number = Number::from_canonical(&text).unwrap();
            let held = w.ledger.read(|db| dnc::listed(db, Stock::read(db)?, caller, &number, NOON)).unwrap();
            prop_assert_eq!(held.is_some(), prefixes.iter().any(|prefix| text.starts_with(prefix.as_str())), "{}", text);
        }
    }
}

#[test]
fn an_entry_that_comes_twice_holds_as_long_as_the_longer_says() {
    let mut w = World::new(trunk(None, None));
    let spring = w.campaign("spring");
    let list = w.list("robinson", Scope::Server);
    let (soon, late) = (NOON.plus_s(60), NOON.plus_s(600));
    let mut add = |until| w.ledger.write(|db| dnc::add(db, list, &entry(one(1), until))).unwrap();
    assert_eq!([add(Some(soon)), add(Some(late)), add(Some(soon))], [Noted::New, Noted::Known, Noted::Known]);
    assert_eq!(w.listed(spring, 1, NOON), Some(("robinson".to_owned(), Some(late))));
    let mut add = |until| w.ledger.write(|db| dnc::add(db, list, &entry(one(1), until))).unwrap();
    assert_eq!([add(None), add(Some(late))], [Noted::Known; 2]);
    assert_eq!(w.listed(spring, 1, NOON), Some(("robinson".to_owned(), None)));
}

#[test]
fn the_gate_refuses_who_came_onto_a_list_after_the_call_was_planned_i4() {
    let mut w = World::new(trunk(None, None));
    let spring = w.campaign("spring");
    let attempts = w.intents(spring, 1..=3).unwrap();
    let list = w.list("robinson", Scope::Server);
    w.ledger.write(|db| dnc::add(db, list, &entry(one(1), None))).unwrap();
    w.ledger.write(|db| dnc::add(db, list, &entry(one(2), Some(NOON.plus_s(9))))).unwrap();
    let refused = |until| Err(Refusal::DoNotCall { list: "robinson".parse().unwrap(), until });
    assert_eq!(w.claim(attempts[0], FAST, NOON), refused(None));
    assert_eq!(w.claim(attempts[1], FAST, NOON), refused(Some(NOON.plus_s(9))));
    assert_eq!(w.claim(attempts[2], FAST, NOON), Ok(NOON));
}

#[test]
fn who_opts_out_is_on_the_list_for_good_when_that_is_durable() {
    let mut w = World::new(trunk(None, None));
    let spring = w.campaign("spring");
    let attempts = w.intents(spring, 1..=3).unwrap();
    let named = w.list("wishes", Scope::Campaign(spring));
    w.ledger.write(|db| dnc::opt_out(db, attempts[0], None, NOON)).unwrap();
    w.ledger.write(|db| dnc::opt_out(db, attempts[1], Some(&"wishes".parse()?), NOON)).unwrap();
    w.ledger.write(|db| dnc::opt_out(db, attempts[2], Some(&"gone".parse()?), NOON)).unwrap();
    w.ledger.write(|db| dnc::opt_out(db, attempts[0], None, NOON)).unwrap();
    let on = |w: &mut World, n| w.listed(spring, n, NOON).map(|(list, _)| list);
    assert_eq!(on(&mut w, 1).as_deref(), Some(OPT_OUT_LIST));
    assert_eq!(on(&mut w, 2).as_deref(), Some("wishes"));
    assert_eq!(on(&mut w, 3).as_deref(), Some(OPT_OUT_LIST), "never lost for want of a list");
    let mut sources = Vec::new();
    let note = |entry: Entry| -> Result<()> {
        sources.push(entry.source);
        Ok(())
    };
    w.ledger.read(|db| dnc::each_entry(db, named, note)).unwrap();
    assert_eq!(sources, [format!("opted out in attempt {}", attempts[1])]);
}

#[test]
fn who_opts_out_when_the_call_is_closed_already_is_excluded_at_once_i12() {
    let mut w = World::new(trunk(None, None));
    let spring = w.campaign("spring");
    let attempts = w.intents(spring, 1..=2).unwrap();
    w.close(attempts[0]).unwrap();
    let standing = |w: &mut World, n| {
        let contact = w.ledger.read(|db| contacts::find(db, spring, &number(n))).unwrap().unwrap();
        (contact.state, contact.excluded)
    };
    let settle =
        |db: &Db, id| contacts::settle(db, id, ContactState::Reached, None, Default::default(), Disposition::Answered);
    w.ledger.write(|db| settle(db, contacts::find(db, spring, &number(1))?.unwrap().id)).unwrap();
    attempts.iter().for_each(|attempt| w.ledger.write(|db| dnc::opt_out(db, *attempt, None, NOON)).unwrap());
    assert_eq!(standing(&mut w, 1), (ContactState::Excluded, Some(Exclusion::DoNotCall)));
    assert_eq!(standing(&mut w, 2), (ContactState::InProgress, None), "one whose call is open is excluded by its end");
}

#[test]
fn calls_of_all_campaigns_count_for_the_cap_on_calls_to_a_number_i5() {
    let mut w = World::new(trunk(None, None));
    let (spring, autumn) = (w.campaign("spring"), w.campaign("autumn"));
    let cap = FrequencyCap::of(2, 24).unwrap();
    let rules = ServerRules { rate: FAST, channels_max: None, frequency: Some(cap), legal: LegalRules::NONE };
    let first = w.intent(spring, 1).unwrap();
    w.dialled(first, NOON);
    let second = w.intent(autumn, 1).unwrap();
    let at = NOON.plus_ms(3_000);
    assert_eq!(w.ledger.write(|db| claim(db, second, rules, at)).unwrap(), Ok(at));
    let until = NOON.plus_s(24 * 3600);
    let campaign = w.ledger.read(|db| campaigns::get(db, spring)).unwrap().unwrap();
    let number = number(1);
    let callee = Callee { number: &number, tally: ContactTally::default(), numbers: 1 };
    let bar =
        |w: &mut World, at| w.ledger.read(|db| Bars::read(db, Some(cap), at)?.of(db, &campaign, callee, at)).unwrap();
    assert_eq!(bar(&mut w, at), Some(Bar::FrequencyCap { until }), "an open call counts");
    w.dialled(second, at);
    assert_eq!(bar(&mut w, at), Some(Bar::FrequencyCap { until }));
    assert_eq!(bar(&mut w, until), None);
}

#[test]
fn the_gate_refuses_a_call_too_many_and_what_was_not_dialled_does_not_count_i5() {
    let mut w = World::new(trunk(None, None));
    let (spring, autumn) = (w.campaign("spring"), w.campaign("autumn"));
    let rules =
        ServerRules { rate: FAST, channels_max: None, frequency: FrequencyCap::of(1, 1), legal: LegalRules::NONE };
    let first = w.intent(spring, 1).unwrap();
    w.close(first).unwrap();
    let second = w.intent(autumn, 1).unwrap();
    assert_eq!(
        w.ledger.write(|db| claim(db, second, rules.clone(), NOON)).unwrap(),
        Ok(NOON),
        "the first was not dialled"
    );
    w.dialled(second, NOON);
    let third = {
        let trunk = w.trunk;
        let winter = w.campaign("winter");
        w.ledger.write(|db| Ok(record_intents(db, &[intent(db, winter, trunk, 1)?])?[0])).unwrap()
    };
    let until = NOON.plus_s(3600);
    let verdict = w.ledger.write(|db| claim(db, third, rules, NOON)).unwrap();
    assert_eq!(verdict, Err(Refusal::FrequencyCap { until }));
}

#[test]
fn a_look_up_costs_the_same_for_any_list_and_any_past() {
    let mut w = World::new(trunk(None, None));
    let steps = |db: &Db, sql: &str| -> Result<Vec<String>> {
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
        let places = statement.parameter_count();
        let rows = statement.query_map(rusqlite::params_from_iter(vec![1; places]), |row| row.get(3))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    };
    let all = [dnc::LOOKUP, dnc::PREFIX_BEFORE, bars::LAST_DIALS, claims::LIVE_OF_ALL];
    let told = |db: &Db| all.iter().map(|sql| steps(db, sql)).collect::<Result<Vec<_>>>();
    let told = w.ledger.read(|db| told(db)).unwrap();
    assert!(told[0].iter().any(|s| s == "SEARCH e USING PRIMARY KEY (kind=? AND pattern=?)"), "{told:?}");
    assert_eq!(told[1], ["SEARCH dnc_entries USING PRIMARY KEY (kind=? AND pattern<?)"]);
    for index in ["attempts_closed_number (number=?)", "attempts_open_number (number=?)"] {
        assert!(told[2].iter().any(|s| s.contains(index)), "{index}: {told:?}");
    }
    let live = told[3].iter().find(|s| s.starts_with("SCAN attempts"));
    assert!(live.is_some_and(|s| s.contains("INDEX attempts_claimed_")), "only claimed ones are walked: {told:?}");
    let scans: Vec<_> =
        told[..3].iter().flatten().filter(|s| s.starts_with("SCAN") && !s.starts_with("SCAN (")).collect();
    assert!(scans.iter().all(|s| *s == "SCAN l"), "only the few lists may be walked: {scans:?}");
}
