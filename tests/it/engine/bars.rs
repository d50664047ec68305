//! Who may not be called: do-not-call lists, and a cap on calls to one number over all campaigns.

use campanile::daemon::engine::EngineLimits;
use campanile::domain::bar::{FrequencyCap, OPT_OUT_LIST, Pattern, Scope};
use campanile::domain::campaign::CampaignState::{Completed, Running};
use campanile::domain::campaign::ContactState;
use campanile::domain::disposition::Disposition::{Busy, NotDialled};
use campanile::domain::instant::UtcMs;
use campanile::ledger::contacts;
use campanile::ledger::dnc::{self, Entry};

use super::asterisk::BUSY;
use super::world::{LIMITS, NOON, World, number};

impl World {
    fn do_not_call(&mut self, pattern: Pattern, expires_at: Option<UtcMs>) {
        let entry = Entry { pattern, source: "a letter".to_owned(), added_at: self.now, expires_at };
        self.command(|db| {
            let list = dnc::find(db, &OPT_OUT_LIST.parse()?)?.unwrap();
            dnc::add(db, list.id, &entry)
        });
    }

    pub fn do_not_call_number(&mut self, n: u32, expires_at: Option<UtcMs>) {
        self.do_not_call(Pattern::Number(number(n)), expires_at);
    }
}

#[test]
fn numbers_on_a_list_are_excluded_and_cost_the_others_no_slot_i3_i4() {
    let mut w = World::new();
    (3..=7).for_each(|n| w.do_not_call_number(n, None));
    let spring = w.running("spring", 1..=10);
    w.pass_until_done(1);
    assert_eq!(w.dials_ms(), [6_000, 12_000, 18_000, 24_000, 30_000], "five numbers, slot by slot");
    let counts = w.counts(spring);
    assert_eq!((counts.reached, counts.excluded, counts.total()), (5, 5, 10), "I3");
    assert_eq!(w.state(spring), Completed);
}

#[test]
fn a_campaign_of_which_nobody_may_be_called_is_completed_at_once() {
    let mut w = World::new();
    w.do_not_call(Pattern::Prefix("+441632".parse().unwrap()), None);
    let spring = w.running_with("spring", 1..=3_000, |c| c.channels = Some(1));
    w.pass_s(60);
    assert_eq!((w.dialled.len(), w.counts(spring).excluded, w.state(spring)), (0, 3_000, Completed));
    w.command(|db| {
        let contact = contacts::find(db, spring, &number(1))?.unwrap();
        contacts::reactivate(db, &contact, NOON)
    });
    w.set(spring, Running);
    w.pass_s(60);
    assert_eq!((w.dialled.len(), w.counts(spring).excluded), (0, 3_000), "it is on the list still");
}

#[test]
fn a_number_waits_until_its_entry_expires_and_is_called_then_i4() {
    let mut w = World::new();
    let expires_at = w.now.plus_s(3 * 3600);
    w.do_not_call_number(1, Some(expires_at));
    let spring = w.running("spring", 1..=2);
    w.pass_until_done(4);
    assert_eq!(w.dials_to(2).len(), 1);
    assert_eq!(w.dials_to(1), [expires_at], "at the first slot after it");
    assert_eq!((w.counts(spring).reached, w.state(spring)), (2, Completed));
}

#[test]
fn who_comes_onto_a_list_after_the_plan_is_refused_at_the_gate_and_excluded_i4() {
    let mut w = World::new();
    let spring = w.running("spring", 1..=3);
    w.pass_s(8);
    assert_eq!((w.dials_to(1).len(), w.names().len()), (1, 3), "all are planned");
    w.do_not_call_number(2, None);
    w.pass_until_done(1);
    assert_eq!((w.dials_to(2).len(), w.dials_to(3).len()), (0, 1));
    let counts = w.counts(spring);
    assert_eq!((counts.reached, counts.excluded, counts.total()), (2, 1, 3));
    assert_eq!(w.ends(spring)[1], Some(NotDialled));
    let contact = w.ledger.read(|db| contacts::find(db, spring, &number(2))).unwrap().unwrap();
    assert_eq!(contact.state, ContactState::Excluded);
}

#[test]
fn a_list_of_one_campaign_leaves_the_number_to_the_others() {
    let mut w = World::new();
    let spring = w.running("spring", 1..=1);
    let list = w.command(|db| dnc::create(db, &"of-spring".parse()?, Scope::Campaign(spring), w_now()));
    let entry = Entry { pattern: Pattern::Number(number(1)), source: String::new(), added_at: w.now, expires_at: None };
    w.command(|db| dnc::add(db, list, &entry));
    let autumn = w.running("autumn", 1..=1);
    w.pass_until_done(1);
    assert_eq!((w.counts(spring).excluded, w.counts(autumn).reached, w.dialled.len()), (1, 1, 1));
}

fn w_now() -> UtcMs {
    super::world::NOON
}

#[test]
fn a_number_is_called_no_more_often_than_the_server_lets_it_over_all_campaigns_i5() {
    let mut w = World::with(EngineLimits { frequency: FrequencyCap::of(2, 1), ..LIMITS });
    w.fate(1, &[BUSY]);
    let spring = w.running_with("spring", 1..=1, |c| (c.retry.max_retries, c.retry.retry_time_s) = (2, 60));
    let autumn = w.running_with("autumn", 1..=1, |c| (c.retry.max_retries, c.retry.retry_time_s) = (1, 60));
    w.pass_until_done(4);
    let dials = w.dials_to(1);
    assert_eq!(dials.len(), 5, "all calls are made in the end");
    assert!(dials.windows(3).all(|three| three[2].since_ms(three[0]) >= 3_600_000), "{dials:?}");
    assert!(dials[2].since_ms(dials[0]) < 3_700_000, "and as soon as the cap lets them: {dials:?}");
    assert_eq!((w.ends(spring), w.ends(autumn)), (vec![Some(Busy); 3], vec![Some(Busy); 2]));
}
