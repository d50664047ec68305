//! Contacts with priorities, expiries and several numbers, from the plan to the end of the last call.

use campanile::domain::campaign::CampaignState::{Completed, Running, Stopped};
use campanile::domain::contact::{CallingOrder, Exclusion, Priority};
use campanile::domain::disposition::Disposition::{Answered, Busy, InvalidNumber, NoAnswer, NotDialled};
use campanile::domain::ids::{CampaignId, ContactId};
use campanile::domain::instant::UtcMs;
use campanile::ledger::details::Details;
use campanile::ledger::newcomers::{self, NewContact};
use campanile::ledger::{attempts, contacts, lines};

use super::asterisk::{ANSWERS, BUSY, Callee, Fate, RINGS_OUT};
use super::world::{NOON, World, number};

pub fn contact(numbers: &[u32]) -> NewContact {
    NewContact {
        numbers: numbers.iter().map(|n| (number(*n), None)).collect(),
        priority: Priority::default(),
        expires_at: None,
        details: Details::default(),
    }
}

fn expiring(n: u32, at: UtcMs) -> NewContact {
    NewContact { expires_at: Some(at), ..contact(&[n]) }
}

impl World {
    pub fn bring(&mut self, campaign: CampaignId, newcomers: &[NewContact]) {
        self.command(|db| newcomers::add_all(db, campaign, newcomers, ContactId(0)));
    }

    /// The last digits of the numbers that were dialled, in their order.
    fn dialled_numbers(&self) -> Vec<u32> {
        let digits = |number: &str| number["+44163296".len()..].parse().unwrap();
        self.dialled.iter().map(|dialled| digits(dialled.number.as_str())).collect()
    }
}

#[test]
fn a_contacts_numbers_are_called_one_after_the_other_and_then_from_the_first_again() {
    let mut w = World::new();
    (1..=3).for_each(|n| w.fate(n, &[BUSY]));
    w.fate(2, &[RINGS_OUT, ANSWERS]);
    let spring = w.campaign("spring", |c| (c.retry.max_retries, c.retry.retry_time_s) = (3, 300));
    w.bring(spring, &[contact(&[1, 2, 3])]);
    w.set(spring, Running);
    w.pass_until_done(1);
    assert_eq!(w.dialled_numbers(), [1, 2, 3, 1, 2]);
    let at = w.dials_ms();
    let gaps: Vec<i64> = at.windows(2).map(|pair| (pair[1] - pair[0]) / 1000).collect();
    assert!(gaps[0] <= 24 && gaps[1] <= 60 && gaps[2] >= 300 && gaps[3] <= 24, "a pause only after the last: {gaps:?}");
    assert_eq!(w.ends(spring), [Busy, NoAnswer, Busy, Busy, Answered].map(Some));
    let counts = w.counts(spring);
    assert_eq!((counts.reached, counts.total(), w.state(spring)), (1, 1, Completed));
}

#[test]
fn a_contact_fails_as_invalid_only_when_all_of_its_numbers_are() {
    let nobody = Fate::of(Callee::NoSuchNumber);
    let mut w = World::new();
    (1..=4).for_each(|n| w.fate(n, &[nobody]));
    w.fate(2, &[BUSY, BUSY, ANSWERS]);
    let spring = w.campaign("spring", |c| (c.retry.max_retries, c.retry.retry_time_s) = (9, 60));
    w.bring(spring, &[contact(&[1, 2]), contact(&[3, 4])]);
    w.set(spring, Running);
    w.pass_until_done(1);
    let of = |w: &World, numbers: [u32; 2]| -> Vec<u32> {
        w.dialled_numbers().into_iter().filter(|n| numbers.contains(n)).collect()
    };
    assert_eq!(of(&w, [1, 2]), [1, 2, 1, 2, 2]);
    assert_eq!(of(&w, [3, 4]), [3, 4, 3, 4]);
    let counts = w.counts(spring);
    assert_eq!((counts.reached, counts.failed, w.state(spring)), (1, 1, Completed));
    assert!(w.ends(spring).contains(&Some(InvalidNumber)));
}

#[test]
fn a_contact_of_which_one_number_is_on_a_list_is_called_by_the_other_i4() {
    let mut w = World::new();
    let spring = w.campaign("spring", |_| {});
    w.bring(spring, &[contact(&[1, 2]), contact(&[3, 4]), contact(&[5, 6])]);
    for n in [1, 5, 6] {
        w.do_not_call_number(n, None);
    }
    w.set(spring, Running);
    w.pass_s(2);
    // And one while its call is planned.
    assert!(w.rows(spring).iter().any(|row| row.number == number(3)));
    w.do_not_call_number(3, None);
    w.pass_until_done(1);
    let mut dialled = w.dialled_numbers();
    dialled.sort_unstable();
    assert_eq!(dialled, [2, 4]);
    let counts = w.counts(spring);
    assert_eq!((counts.reached, counts.excluded, counts.total(), w.state(spring)), (2, 1, 3, Completed));
}

#[test]
fn who_expires_before_a_call_is_excluded_and_the_campaign_completes_i3_i4() {
    let mut w = World::new();
    w.fate(3, &[BUSY]);
    let spring = w.campaign("spring", |c| (c.retry.max_retries, c.retry.retry_time_s) = (5, 600));
    let at = |s| NOON.plus_s(s);
    w.bring(spring, &[contact(&[1]), expiring(2, at(12)), expiring(3, at(300)), expiring(4, at(2_000))]);
    w.set(spring, Running);
    w.pass_until_done(1);
    assert_eq!(w.dialled_numbers(), [1, 3, 4], "its slot at 12 s is too late for the second");
    let counts = w.counts(spring);
    assert_eq!((counts.reached, counts.excluded, counts.total()), (2, 2, 4));
    assert!(w.now < at(600), "nobody waited for a retry that would come too late: {}", w.now);
    let third = w.ledger.read(|db| contacts::find(db, spring, &number(3))).unwrap().unwrap();
    assert_eq!(third.excluded, Some(Exclusion::MemberExpired));
}

#[test]
fn an_expiry_that_comes_while_a_call_is_planned_is_judged_at_the_gate_i4() {
    let mut w = World::new();
    let spring = w.running("spring", 1..=1);
    w.pass_s(1);
    let expires_at = w.now.plus_ms(100);
    w.command(|db| Ok(db.execute("UPDATE contacts SET expires_at = ?1", [expires_at.0])?));
    w.pass_until_done(1);
    assert_eq!((w.dialled.len(), w.ends(spring)), (0, vec![Some(NotDialled)]));
    assert!(w.last_detail(spring).contains("the contact expired at"), "{}", w.last_detail(spring));
    assert_eq!((w.counts(spring).excluded, w.state(spring)), (1, Completed));
}

#[test]
fn a_number_that_is_stopped_while_its_call_is_planned_is_not_dialled_and_the_others_are_i4() {
    let mut w = World::new();
    let spring = w.campaign("spring", |_| {});
    w.bring(spring, &[contact(&[1, 2]), contact(&[3])]);
    w.set(spring, Running);
    w.pass_s(1);
    for n in [1, 3] {
        let of = w.ledger.read(|db| contacts::find(db, spring, &number(n))).unwrap().unwrap();
        w.command(|db| lines::stop(db, &of, &number(n)));
    }
    w.pass_until_done(1);
    assert_eq!(w.dialled_numbers(), [2]);
    assert!(w.last_detail(spring).is_empty() && w.ends(spring)[..2] == [Some(NotDialled), Some(NotDialled)]);
    let counts = w.counts(spring);
    assert_eq!((counts.reached, counts.excluded, counts.total()), (1, 1, 2));
    let third = w.ledger.read(|db| contacts::find(db, spring, &number(3))).unwrap().unwrap();
    assert_eq!(third.excluded, Some(Exclusion::NumbersStopped));
}

#[test]
fn contacts_of_a_stopped_campaign_expire_too() {
    let mut w = World::new();
    let spring = w.campaign("spring", |_| {});
    w.bring(spring, &[expiring(1, NOON.plus_s(90)), contact(&[2])]);
    w.pass_s(89);
    assert_eq!(w.counts(spring).excluded, 0);
    w.pass_s(2);
    assert_eq!((w.counts(spring).excluded, w.counts(spring).waiting, w.state(spring)), (1, 1, Stopped));
}

#[test]
fn higher_priorities_are_called_first_and_a_due_retry_only_within_its_own() {
    let mut w = World::new();
    let spring = w.campaign("spring", |c| (c.retry.max_retries, c.retry.retry_time_s) = (1, 60));
    let ranked = |n, priority| NewContact { priority: Priority::new(priority).unwrap(), ..contact(&[n]) };
    w.fate(9, &[BUSY, ANSWERS]);
    w.bring(spring, &[ranked(9, -1), ranked(2, 0), ranked(3, 7), ranked(4, 0)]);
    w.set(spring, Running);
    w.pass_s(70);
    w.bring(spring, &[ranked(6, -1), ranked(8, -1), ranked(5, 0), ranked(7, 0)]);
    w.pass_until_done(1);
    assert_eq!(w.dialled_numbers(), [3, 2, 4, 9, 5, 7, 6, 9, 8]);
}

#[test]
fn in_random_order_each_is_called_once() {
    let mut w = World::new();
    let spring = w.campaign("spring", |c| c.contacts.order = CallingOrder::Random);
    w.import(spring, 1..=30);
    w.set(spring, Running);
    w.pass_until_done(1);
    let mut dialled = w.dialled_numbers();
    assert!(!dialled.is_sorted(), "{dialled:?}");
    dialled.sort_unstable();
    assert_eq!(dialled, (1..=30).collect::<Vec<_>>());
}

#[test]
fn caller_id_and_variables_of_a_contact_are_frozen_with_its_call() {
    let mut w = World::new();
    let spring = w.campaign("spring", |c| {
        c.caller_number = Some("+4930".parse().unwrap());
        c.variables.set("debt".parse().unwrap(), "1".parse().unwrap());
        c.variables.set("language".parse().unwrap(), "ru".parse().unwrap());
    });
    let mut own = contact(&[1]);
    own.details.caller_number = Some("+4989".parse().unwrap());
    own.details.variables.set("debt".parse().unwrap(), "20000".parse().unwrap());
    w.bring(spring, &[own.clone(), contact(&[2])]);
    w.set(spring, Running);
    w.pass_ms(100);
    w.command(|db| Ok(db.execute("DELETE FROM contacts", [])?));
    let orders: Vec<_> = w.names().into_iter().map(|file| w.order(file)).collect();
    let callers: Vec<_> = orders.iter().map(|order| order.caller_number.clone().unwrap().to_string()).collect();
    assert_eq!(callers, ["+4989", "+4930"]);
    let variables = |place: usize| -> Vec<(String, String)> {
        orders[place].variables.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    };
    let both = |debt: &str| vec![("debt".to_owned(), debt.to_owned()), ("language".to_owned(), "ru".to_owned())];
    assert_eq!((variables(0), variables(1)), (both("20000"), both("1")), "its own before the campaign's");
    assert_eq!(w.ledger.read(|db| attempts::open_count(db)).unwrap(), 2);
    assert_eq!(w.ledger.read(|db| lines::of(db, ContactId(1))).unwrap(), []);
}
