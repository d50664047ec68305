//! Priorities, places, expiries, several numbers, imports and their undoing.

use super::*;
use crate::domain::campaign::ContactState;
use crate::domain::contact::{CallingOrder, Exclusion, Priority};
use crate::domain::line::LineState;
use crate::domain::plan::Snapshot;
use crate::ledger::details::Details;
use crate::ledger::imports::Dialled;
use crate::ledger::newcomers::{Added, Holder, NewContact};
use crate::ledger::snapshot::PlanLimits;

fn newcomer(numbers: &[u32]) -> NewContact {
    NewContact {
        numbers: numbers.iter().map(|n| (number(*n), None)).collect(),
        priority: Priority::default(),
        expires_at: None,
        details: Details::default(),
    }
}

fn ranked(n: u32, priority: i16) -> NewContact {
    NewContact { priority: Priority::new(priority).unwrap(), ..newcomer(&[n]) }
}

impl World {
    fn bring(&mut self, campaign: CampaignId, newcomers: &[NewContact]) -> Vec<Added> {
        self.ledger.write(|db| newcomers::add_all(db, campaign, newcomers, ContactId(0))).unwrap()
    }

    fn found(&mut self, campaign: CampaignId, n: u32) -> contacts::Contact {
        self.ledger.read(|db| contacts::find(db, campaign, &number(n))).unwrap().unwrap()
    }

    fn settle(&mut self, campaign: CampaignId, n: u32, state: ContactState, due_at: Option<UtcMs>) {
        let id = self.found(campaign, n).id;
        let settle = |db: &Db| contacts::settle(db, id, state, due_at, Default::default(), Disposition::Busy);
        self.ledger.write(|db| settle(db)).unwrap();
    }

    fn snapshot(&mut self, room: u32) -> Snapshot {
        let limits = PlanLimits {
            now: NOON,
            horizon: NOON.plus_s(60),
            calls_one_time: 60_000,
            channels_max: None,
            spool_files_max: 1000,
            calls_max: room,
            frequency: None,
            slots: 60_000,
            legal: LegalRules::NONE,
        };
        self.ledger.read(|db| snapshot::take(db, &limits)).unwrap()
    }

    /// The last digits of the candidates' numbers.
    fn candidates(&mut self, room: u32) -> Vec<u32> {
        let snapshot = self.snapshot(room);
        let digits = |number: &Number| number.as_str()["+44163296".len()..].parse().unwrap();
        snapshot.campaigns[0].candidates.iter().map(|candidate| digits(&candidate.number)).collect()
    }
}

#[test]
fn candidates_come_by_priority_then_due_ones_then_fresh_ones() {
    let mut w = World::new(trunk(None, None));
    let spring = w.campaign("spring");
    w.bring(spring, &[(1, 0), (2, 9), (3, -9), (4, 0), (5, 9), (6, 0), (7, 9)].map(|(n, p)| ranked(n, p)));
    w.settle(spring, 4, ContactState::Waiting, Some(NOON.plus_s(-10)));
    w.settle(spring, 5, ContactState::Waiting, Some(NOON.plus_s(-5)));
    w.settle(spring, 7, ContactState::Waiting, Some(NOON.plus_s(30)));
    assert_eq!(w.candidates(100), [5, 7, 2, 4, 1, 6, 3]);
    assert_eq!(w.candidates(3), [5, 7, 2, 4], "who is due later leaves the room to others");
    w.settle(spring, 6, ContactState::Waiting, Some(NOON.plus_s(90)));
    w.settle(spring, 3, ContactState::Waiting, Some(NOON.plus_s(70)));
    assert_eq!(w.snapshot(100).campaigns[0].next_due, Some(NOON.plus_s(70)), "over all priorities");
    for (n, ahead) in [(5, 0), (2, 1), (4, 2), (1, 3)] {
        let contact = w.found(spring, n);
        let classes: Vec<_> = w.ledger.read(|db| zones::Present::read(db, spring)).unwrap().all().into_iter().collect();
        let counted = w.ledger.read(|db| contacts::ahead_of(db, &contact, &classes, NOON)).unwrap();
        assert_eq!(counted, ahead, "{n}");
    }
}

#[test]
fn a_random_order_is_another_than_that_of_the_file_and_stays() {
    let mut w = World::new(trunk(None, None));
    let spring = w.campaign("spring");
    let mut campaign = w.ledger.read(|db| campaigns::get(db, spring)).unwrap().unwrap();
    campaign.contacts.order = CallingOrder::Random;
    w.ledger.write(|db| campaigns::update(db, &campaign)).unwrap();
    let packed: Vec<Packed> = (1..=100).map(|n| Packed::from(&number(n))).collect();
    w.ledger.write(|db| importing::add_all(db, spring, &packed, ContactId(0))).unwrap();
    w.bring(spring, &(101..=150).map(|n| newcomer(&[n])).collect::<Vec<_>>());
    let order = w.candidates(200);
    let ascents = order.windows(2).filter(|pair| pair[0] < pair[1]).count();
    assert!((50..100).contains(&ascents), "{order:?}");
    assert_eq!(w.candidates(200), order);
    campaign.contacts.order = CallingOrder::Sequential;
    w.ledger.write(|db| campaigns::update(db, &campaign)).unwrap();
    let all = w.ledger.write(|db| contacts::place_all(db, &campaign, ContactId(0), 1_000)).unwrap();
    assert_eq!(all, None, "nobody is left");
    assert_eq!(w.candidates(200), (1..=150).collect::<Vec<_>>());
}

#[test]
fn who_has_expired_is_excluded_with_the_reason_and_not_claimed_i3_i4() {
    let mut w = World::new(trunk(None, None));
    let spring = w.campaign("spring");
    let expiring = |n, s| NewContact { expires_at: Some(NOON.plus_s(s)), ..newcomer(&[n]) };
    w.bring(spring, &[expiring(1, 60), expiring(2, 30), newcomer(&[3]), expiring(4, 10)]);
    let attempt = w.intent(spring, 4).unwrap();
    assert_eq!(w.claim(attempt, FAST, NOON.plus_s(4)), Ok(NOON.plus_s(4)));
    let attempt = w.intent(spring, 2).unwrap();
    w.ledger.write(|db| Ok(db.execute("UPDATE contacts SET expires_at = ?1", [NOON.0])?)).unwrap();
    assert_eq!(w.claim(attempt, FAST, NOON), Err(Refusal::Expired { at: NOON }), "as it is now");
    assert_eq!(w.ledger.read(|db| expiry::next(db)).unwrap(), Some(NOON));
    assert_eq!(w.ledger.write(|db| expiry::exclude(db, NOON.plus_ms(-1), 10)).unwrap(), 0);
    assert_eq!(w.ledger.write(|db| expiry::exclude(db, NOON, 1)).unwrap(), 1);
    assert_eq!(w.ledger.write(|db| expiry::exclude(db, NOON, 10)).unwrap(), 1, "two are in calls");
    let counts = w.ledger.read(|db| contacts::counts(db, spring)).unwrap();
    assert_eq!((counts.excluded, counts.in_progress, counts.total()), (2, 2, 4));
    let excluded = w.found(spring, 1);
    assert_eq!((excluded.state, excluded.excluded), (ContactState::Excluded, Some(Exclusion::MemberExpired)));
    assert!(w.ledger.write(|db| contacts::reactivate(db, &excluded, NOON)).is_err());
}

#[test]
fn within_a_campaign_a_number_belongs_to_one_contact() {
    let mut w = World::new(trunk(None, None));
    let (spring, autumn) = (w.campaign("spring"), w.campaign("autumn"));
    let run = [newcomer(&[1, 2]), newcomer(&[3, 2, 4]), newcomer(&[2, 5]), newcomer(&[3])];
    let known = Added::Known(Holder::InRun);
    let none = || Added::New { without: vec![] };
    let without = Added::New { without: vec![(1, Holder::InRun)] };
    assert_eq!(w.bring(spring, &run), [none(), without, known.clone(), known]);
    assert_eq!(w.bring(autumn, &run[..1]), [none()], "another campaign may call it, too");
    let (one, three) = (w.found(spring, 2), w.found(spring, 4));
    assert_eq!((&one.number, &three.number), (&number(1), &number(3)), "each is found by any of its numbers");
    let numbers = |w: &mut World, id| -> Vec<Number> {
        w.ledger.read(|db| lines::of(db, id)).unwrap().into_iter().map(|line| line.number).collect()
    };
    assert_eq!(numbers(&mut w, three.id), [number(3), number(4)]);
    w.ledger.write(|db| contacts::delete_all(db, spring)).unwrap();
    assert_eq!(w.bring(spring, &[newcomer(&[4, 2])]), [none()], "what was deleted has no numbers any more");
}

#[test]
fn short_numbers_are_counted_among_the_further_ones_too() {
    let mut w = World::new(trunk(None, None));
    let (spring, autumn) = (w.campaign("spring"), w.campaign("autumn"));
    let mut newcomers = vec![newcomer(&[1]), newcomer(&[2]), newcomer(&[3])];
    for (newcomer, short) in newcomers.iter_mut().zip(["4711", "*97"]) {
        newcomer.numbers.push((Number::from_canonical(short).unwrap(), None));
    }
    w.bring(spring, &newcomers);
    w.bring(autumn, &[newcomer(&[4])]);
    let short = |w: &mut World, id| w.ledger.read(|db| contacts::short_numbers(db, id)).unwrap();
    assert_eq!((short(&mut w, spring), short(&mut w, autumn)), (2, 0));
}

#[test]
fn a_contact_that_is_called_again_begins_with_its_first_number_that_may_be() {
    let mut w = World::new(trunk(None, None));
    let spring = w.campaign("spring");
    w.bring(spring, &[newcomer(&[1, 2, 3]), newcomer(&[4])]);
    let contact = w.found(spring, 1);
    let mut all = w.ledger.read(|db| lines::of(db, contact.id)).unwrap();
    (all[0].state, all[1].state, all[1].strikes) = (LineState::Stopped, LineState::Invalid, 2);
    for redial in [true, false] {
        w.ledger.write(|db| lines::settle(db, contact.id, &all, Some(2))).unwrap();
        assert_eq!(w.found(spring, 1).number, number(3));
        w.settle(spring, 1, ContactState::Failed, None);
        let failed = w.found(spring, 1);
        let again = |db: &Db| match redial {
            true => contacts::redial_failed(db, spring).map(drop),
            false => contacts::reactivate(db, &failed, NOON),
        };
        w.ledger.write(|db| again(db)).unwrap();
        let (contact, lines) = (w.found(spring, 1), w.ledger.read(|db| lines::of(db, contact.id)).unwrap());
        assert_eq!((contact.number, contact.state), (number(2), ContactState::Waiting));
        let states: Vec<_> = lines.iter().map(|line| (line.state, line.strikes)).collect();
        assert_eq!(states, [(LineState::Stopped, 0), (LineState::Callable, 0), (LineState::Callable, 0)]);
    }
}

#[test]
fn a_contact_of_which_all_numbers_were_stopped_is_called_no_more() {
    let mut w = World::new(trunk(None, None));
    let spring = w.campaign("spring");
    w.bring(spring, &[newcomer(&[1, 2]), newcomer(&[3])]);
    let contact = w.found(spring, 1);
    let mut all = w.ledger.read(|db| lines::of(db, contact.id)).unwrap();
    all.iter_mut().for_each(|line| line.state = LineState::Stopped);
    w.ledger.write(|db| lines::settle(db, contact.id, &all, None)).unwrap();
    [1, 3].into_iter().for_each(|n| w.settle(spring, n, ContactState::Failed, None));
    let failed = w.found(spring, 1);
    assert!(w.ledger.write(|db| contacts::reactivate(db, &failed, NOON)).is_err());
    assert_eq!(w.ledger.write(|db| contacts::redial_failed(db, spring)).unwrap(), 1);
    assert_eq!((w.found(spring, 1).state, w.found(spring, 3).state), (ContactState::Failed, ContactState::Waiting));
}

#[test]
fn what_was_frozen_for_a_call_outlives_its_contact() {
    let mut w = World::new(trunk(None, None));
    let spring = w.campaign("spring");
    let mut variables = Variables::default();
    variables.set("debt".parse().unwrap(), "20000".parse().unwrap());
    let attempt = w
        .ledger
        .write(|db| {
            let planned = Intent { variables: variables.clone(), ..intent(db, spring, TrunkId(1), 1)? };
            let ids = record_intents(db, &[planned])?;
            db.execute("DELETE FROM contacts", [])?;
            Ok(ids[0])
        })
        .unwrap();
    let order = w.ledger.read(|db| order(db, &ticket(spring, 1))).unwrap().unwrap();
    assert_eq!((order.attempt, order.contact, &order.variables), (attempt, None, &variables));
}

#[test]
fn an_import_is_undone_while_none_of_its_numbers_was_dialled() {
    let mut w = World::new(trunk(None, None));
    let spring = w.campaign("spring");
    let import = |w: &mut World, name: &str, contacts: &[NewContact]| {
        w.ledger
            .write(|db| {
                let id = imports::begin(db, spring, name, NOON)?;
                for part in contacts.chunks(2) {
                    let before = contacts::last_id(db)?;
                    newcomers::add_all(db, spring, part, before)?;
                    imports::note(db, id, before, part.len() as u64)?;
                }
                Ok(id)
            })
            .unwrap()
    };
    let all = [newcomer(&[1, 2]), newcomer(&[3]), newcomer(&[4])];
    let first = import(&mut w, "a.csv", &all);
    let second = import(&mut w, "b.csv", &[newcomer(&[5])]);
    let undo = |w: &mut World, id| {
        w.ledger
            .write(|db| {
                let deleted = [2, 2, 2].map(|limit| imports::undo_some(db, spring, id, limit));
                imports::end_undo(db, id, NOON)?;
                deleted.into_iter().sum::<Result<u32>>()
            })
            .unwrap()
    };
    let dialled = |w: &mut World, id| w.ledger.read(|db| imports::dialled(db, spring, id)).unwrap();
    assert_eq!(undo(&mut w, first), 3);
    assert_eq!(undo(&mut w, first), 0, "nothing is left of it");
    let kept = w.ledger.read(|db| contacts::page(db, spring, None, ContactId(0), 10)).unwrap();
    assert_eq!(kept.iter().map(|contact| contact.number.clone()).collect::<Vec<_>>(), [number(5)]);
    assert_eq!(undo(&mut w, second), 1);
    let third = import(&mut w, "c.csv", &all);
    assert_eq!(undo(&mut w, second), 0, "no id is given out twice");
    let attempt = w.intent(spring, 1).unwrap();
    assert_eq!(dialled(&mut w, third), Some(Dialled::InCall(number(1))));
    w.close(attempt).unwrap();
    assert_eq!(dialled(&mut w, third), Some(Dialled::Called(number(1))));
    let told: Vec<_> = w.ledger.read(|db| imports::all(db, spring)).unwrap();
    let told: Vec<_> = told.iter().map(|i| (i.file.as_str(), i.imported, i.undone_at.is_some())).collect();
    assert_eq!(told, [("c.csv", 3, false), ("b.csv", 1, true), ("a.csv", 3, true)]);
}
