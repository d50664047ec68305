//! Contacts by their zones: who is a candidate, and what that costs.

use super::*;
use crate::domain::contact::Priority;
use crate::domain::zoning::{LegalRules, ZoneSource};
use crate::ledger::claims::ServerRules;
use crate::ledger::details::Details;
use crate::ledger::newcomers::{self, NewContact};

/// Noon in London, 13:00 in Berlin, 04:00 in Los Angeles, 21:00 in Tokyo.
const DAYTIME: &str = "08:00-21:00";

fn newcomer(number: &str, priority: i16, zone: Option<&str>) -> NewContact {
    NewContact {
        numbers: vec![(Number::from_canonical(number).unwrap(), None)],
        priority: Priority::new(priority).unwrap(),
        expires_at: None,
        details: Details { zone: zone.map(|zone| zone.parse().unwrap()), ..Details::default() },
    }
}

impl World {
    fn take_in(&mut self, campaign: CampaignId, newcomers: &[NewContact]) {
        self.ledger.write(|db| newcomers::add_all(db, campaign, newcomers, ContactId(0))).unwrap();
    }

    /// The numbers of the candidates, and when others may be called.
    fn seen(&mut self, legal: &str, room: u32) -> (Vec<String>, Option<UtcMs>) {
        let snapshot = self.snapshot(legal.parse().unwrap(), room);
        let view = &snapshot.campaigns[0];
        (view.candidates.iter().map(|candidate| candidate.number.to_string()).collect(), view.next_due)
    }
}

#[test]
fn only_those_are_candidates_whose_hours_are_open_in_all_of_their_zones_i4() {
    let mut w = World::new(trunk(None, None));
    let spring = w.campaign("spring");
    let from_their_number = ["+13105550101", "+819012345678", "+4930123456", "+12085550101", "+441632960001"];
    w.take_in(spring, &from_their_number.map(|number| newcomer(number, 0, None)));
    w.take_in(
        spring,
        &[newcomer("+441632960002", 0, Some("Asia/Tokyo")), newcomer("+13105550102", 9, Some("Europe/Paris"))],
    );
    let (mut candidates, next_due) = w.seen(DAYTIME, 10);
    candidates.sort();
    assert_eq!(candidates, ["+13105550102", "+441632960001", "+4930123456"]);
    assert_eq!(next_due, Some(NOON.plus_s(4 * 3600)), "08:00 in Los Angeles");
    assert_eq!(w.seen(DAYTIME, 1).0, ["+13105550102"], "in their order, whatever stands before them in the list");
    assert_eq!((w.seen("none", 10).0.len(), w.seen("GB none | US,JP 08:00-21:00", 10).0.len()), (7, 3));
}

#[test]
fn a_campaign_may_have_no_legal_hours_or_its_own() {
    let mut w = World::new(trunk(None, None));
    let spring = w.campaign("spring");
    w.take_in(spring, &["+13105550101", "+4930123456"].map(|number| newcomer(number, 0, None)));
    let set = |w: &mut World, switch: &str| {
        let mut campaign = w.ledger.read(|db| campaigns::get(db, spring)).unwrap().unwrap();
        campaign.legal_hours = switch.parse().unwrap();
        w.ledger.write(|db| campaigns::update(db, &campaign)).unwrap();
        assert_eq!(w.ledger.read(|db| campaigns::get(db, spring)).unwrap().unwrap(), campaign);
        w.seen(DAYTIME, 10).0.len()
    };
    assert_eq!((set(&mut w, "on"), set(&mut w, "off"), set(&mut w, "03:00-05:00")), (1, 2, 1));
}

#[test]
fn where_old_contacts_are_is_found_out_in_the_order_of_calling() {
    let mut w = World::new(trunk(None, None));
    let spring = w.campaign("spring");
    let old = [("+4930123456", 0), ("+13105550101", 0), ("+441632960001", 5), ("101", 0)];
    w.take_in(spring, &old.map(|(number, priority)| newcomer(number, priority, None)));
    w.ledger.write(|db| Ok(db.execute("UPDATE contacts SET zone_class = 0", [])?)).unwrap();
    assert_eq!(w.seen(DAYTIME, 10), (vec![], None), "nobody knows yet where they are");
    assert_eq!(w.seen("none", 10).0.len(), 4, "nor needs to");
    let rules: LegalRules = DAYTIME.parse().unwrap();
    let find_out = |w: &mut World, limit| {
        w.ledger.write(|db| zones::find_out(db, &campaigns::running(db)?, &rules, limit)).unwrap()
    };
    assert_eq!((find_out(&mut w, 2), w.seen(DAYTIME, 10).0), (2, vec!["+441632960001".into(), "+4930123456".into()]));
    assert_eq!((find_out(&mut w, 10), find_out(&mut w, 10)), (2, 0));
    assert_eq!(
        w.seen(DAYTIME, 10).0,
        ["+441632960001", "+4930123456", "101"],
        "a short number is where its campaign is"
    );
}

#[test]
fn the_gate_knows_the_legal_hours_in_the_transaction_of_the_claim_i4() {
    let mut w = World::new(trunk(None, None));
    let spring = w.campaign("spring");
    let attempt = w.intent(spring, 1).unwrap();
    let rules =
        |hours: &str| ServerRules { rate: FAST, channels_max: None, frequency: None, legal: hours.parse().unwrap() };
    let verdict = w.ledger.write(|db| claim(db, attempt, rules("FR 08:00-21:00 | GB 13:00-20:00"), NOON)).unwrap();
    assert_eq!(verdict, Err(Refusal::LegalHours { opens_at: Some(NOON.plus_s(3600)) }));
    let soon = w.intent(spring, 2).unwrap();
    let verdict = w.ledger.write(|db| claim(db, soon, rules("09:00-12:00:34"), NOON)).unwrap();
    let tomorrow = Some(NOON.plus_s(21 * 3600));
    assert_eq!(verdict, Err(Refusal::LegalHours { opens_at: tomorrow }), "35 s are needed for a call that rings 30 s");
    let open = w.intent(spring, 3).unwrap();
    assert_eq!(w.ledger.write(|db| claim(db, open, rules("09:00-12:00:36"), NOON)).unwrap(), Ok(NOON));
}

#[test]
fn a_contact_that_is_called_by_another_number_is_where_that_number_is() {
    let mut w = World::new(trunk(None, None));
    let spring = w.campaign("spring");
    let two = ["+441632960001", "+13105550101"].map(|number| (Number::from_canonical(number).unwrap(), None));
    w.take_in(spring, &[NewContact { numbers: two.to_vec(), ..newcomer("+441632960001", 0, None) }]);
    assert_eq!(w.seen(DAYTIME, 10).0.len(), 1);
    let contact = w.ledger.read(|db| contacts::find(db, spring, &two[0].0)).unwrap().unwrap();
    let all = w.ledger.read(|db| lines::of(db, contact.id)).unwrap();
    w.ledger.write(|db| lines::settle(db, contact.id, &all, Some(1))).unwrap();
    assert_eq!(w.seen(DAYTIME, 10), (vec![], Some(NOON.plus_s(4 * 3600))));
    let found = w.ledger.read(|db| zones::whereabouts(db, &Zone::UTC, contact.id, &two[1].0)).unwrap();
    assert_eq!((found.source, found.zones.to_string().as_str()), (ZoneSource::Number, "America/Los_Angeles"));
}
