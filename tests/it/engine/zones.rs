//! Contacts around the world, and the hours in which they may be called there.

use campanile::daemon::engine::EngineLimits;
use campanile::domain::campaign::CampaignState::{Completed, Running};
use campanile::domain::contact::Priority;
use campanile::domain::disposition::Disposition::{Answered, NotDialled};
use campanile::domain::ids::{CampaignId, ContactId};
use campanile::domain::number::Number;
use campanile::ledger::details::Details;
use campanile::ledger::newcomers::{self, NewContact};

use super::asterisk::BUSY;
use super::world::{LIMITS, World, number};

fn e164(text: &str) -> Number {
    Number::from_canonical(text).unwrap()
}

/// It is noon in London, 13:00 in Berlin, 04:00 in Los Angeles, 21:00 in Tokyo.
fn daytime() -> EngineLimits {
    EngineLimits { legal: "08:00-21:00".parse().unwrap(), ..LIMITS }
}

impl World {
    fn called_by(&mut self, campaign: CampaignId, numbers: &[Number], zone: Option<&str>) {
        let newcomer = NewContact {
            numbers: numbers.iter().map(|number| (number.clone(), None)).collect(),
            priority: Priority::default(),
            expires_at: None,
            details: Details { zone: zone.map(|zone| zone.parse().unwrap()), ..Details::default() },
        };
        self.command(|db| newcomers::add_all(db, campaign, &[newcomer], ContactId(0)));
    }

    /// Each number that was dialled, with the whole hours from noon.
    fn hours_of_dials(&self) -> Vec<(&str, i64)> {
        self.dialled.iter().zip(self.dials_ms()).map(|(call, ms)| (call.number.as_str(), ms / 3_600_000)).collect()
    }
}

#[test]
fn each_contact_is_called_in_its_own_morning_and_none_waits_for_another_i4() {
    let mut w = World::with(daytime());
    let spring = w.campaign("spring", |_| {});
    for text in ["+13105550101", "+12085550101", "+819012345678", "+4930123456"] {
        w.called_by(spring, &[e164(text)], None);
    }
    w.called_by(spring, &[e164("+4930123457")], Some("Asia/Tokyo"));
    w.set(spring, Running);
    w.pass_until_done(24);
    let (japan, column) = (("+819012345678", 11), ("+4930123457", 11));
    assert_eq!(w.hours_of_dials(), [("+4930123456", 0), ("+13105550101", 4), ("+12085550101", 4), japan, column]);
    assert_eq!((w.ends(spring).len(), w.state(spring)), (5, Completed), "nobody was refused at the gate");
}

#[test]
fn a_longer_list_of_those_who_sleep_keeps_no_slot_from_the_others() {
    let mut w = World::with(daytime());
    let spring = w.campaign("spring", |c| c.channels = Some(2));
    (0..400).for_each(|n| w.called_by(spring, &[e164(&format!("+1310555{n:04}"))], None));
    (1..=5).for_each(|n| w.called_by(spring, &[number(n)], None));
    w.set(spring, Running);
    w.pass_s(600);
    assert_eq!((w.dialled.len(), w.counts(spring).waiting), (5, 400));
}

#[test]
fn the_next_number_of_a_contact_has_the_hours_of_its_own_region_i4() {
    let mut w = World::with(daytime());
    w.fate(1, &[BUSY]);
    let spring = w.campaign("spring", |_| {});
    w.called_by(spring, &[number(1), e164("+13105550101")], None);
    w.set(spring, Running);
    w.pass_until_done(24);
    let first = number(1);
    assert_eq!(w.hours_of_dials(), [(first.as_str(), 0), ("+13105550101", 4)]);
}

#[test]
fn the_gate_refuses_who_may_not_be_called_any_more_and_the_next_opening_calls_again_i4() {
    let mut w = World::new();
    let spring = w.running("spring", 1..=1);
    // The gate has read other settings than the planner.
    w.limits.legal = "09:00-12:00 | FR none".parse().unwrap();
    w.pass_s(60);
    assert_eq!((w.dialled.len(), w.ends(spring)), (0, vec![Some(NotDialled)]));
    let detail = w.last_detail(spring);
    assert_eq!(detail, "the contact's legal hours are closed until 2026-03-02T09:00:00.000Z");
    w.pass_until_done(24);
    assert_eq!((w.dials_ms()[0] / 3_600_000, w.ends(spring)), (21, vec![Some(NotDialled), Some(Answered)]));
}

#[test]
fn alerts_are_exempt_and_a_campaign_may_be_stricter() {
    let mut w = World::with(daytime());
    for (name, switch) in [("alerts", "off"), ("polite", "14:00-18:00")] {
        let campaign = w.campaign(name, |c| c.legal_hours = switch.parse().unwrap());
        w.called_by(campaign, &[e164("+1310555010")], None);
        w.called_by(campaign, &[e164("+4930123450")], None);
        w.set(campaign, Running);
    }
    w.pass_until_done(24);
    let (german, american) = ("+4930123450", "+1310555010");
    assert_eq!(w.hours_of_dials(), [(american, 0), (german, 0), (german, 1), (american, 10)]);
}
