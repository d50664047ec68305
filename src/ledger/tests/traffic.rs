//! Calls as traffic, kept and judged.

use super::*;
use crate::domain::traffic::{Draw, Traffic};

fn traffic() -> Traffic {
    let mut traffic = Traffic {
        duration: Some("gauss:30s,10s,20s-60s".parse().unwrap()),
        cancel: "50%".parse().unwrap(),
        ..Traffic::default()
    };
    traffic.invite.codecs = "alaw,opus".parse().unwrap();
    for header in ["P-Campaign-Name: spring", "X-Tag: a=b:c"] {
        traffic.invite.headers.set(&header.parse().unwrap()).unwrap();
    }
    traffic
}

/// A world with a test line.
fn world() -> World {
    World::new(trunks::NewTrunk { line: TrunkLine::Test, ..trunk(None, None) })
}

/// An intent with a draw.
fn drawn(w: &mut World, campaign: CampaignId, digits: u32, draw: Draw) -> AttemptId {
    let trunk = w.trunk;
    let record = |db: &Db| {
        let intent = Intent { draw, invite: traffic().invite, ..intent(db, campaign, trunk, digits)? };
        Ok(record_intents(db, &[intent])?[0])
    };
    w.ledger.write(|db| record(db)).unwrap()
}

#[test]
fn traffic_of_a_campaign_and_the_draw_of_a_call_are_read_as_they_were_written() {
    let mut w = world();
    let campaign = w.campaign("spring");
    let read = |w: &mut World| w.ledger.read(|db| campaigns::get(db, campaign)).unwrap().unwrap();
    let plain = read(&mut w);
    assert_eq!(plain.traffic, Traffic::default());
    let changed = Campaign { traffic: traffic(), ..plain.clone() };
    w.ledger.write(|db| campaigns::update(db, &changed)).unwrap();
    assert_eq!(read(&mut w), changed);
    let draw = Draw { talk_ms: Some(34_567), cancel_after_s: Some(7) };
    drawn(&mut w, campaign, 1, draw);
    let order = w.ledger.read(|db| order(db, &ticket(campaign, 1))).unwrap().unwrap();
    assert_eq!((order.invite, order.draw), (traffic().invite, draw));
    w.ledger.write(|db| campaigns::update(db, &plain)).unwrap();
    assert_eq!(read(&mut w), plain);
    let again = w.ledger.read(|db| super::order(db, &ticket(campaign, 1))).unwrap().unwrap();
    assert_eq!(again.draw, draw, "what was drawn stays drawn");
}

#[test]
fn a_made_up_call_is_refused_at_the_gate_of_a_trunk_that_became_a_real_one() {
    let mut w = world();
    let campaign = w.campaign("spring");
    let draws = [
        Draw { talk_ms: Some(1_000), cancel_after_s: None },
        Draw { talk_ms: None, cancel_after_s: Some(1) },
        Draw::default(),
    ];
    let attempts: Vec<_> = (1..).zip(draws).map(|(digits, draw)| drawn(&mut w, campaign, digits, draw)).collect();
    let trunk = w.trunk;
    w.ledger.write(|db| trunks::set_line(db, trunk, TrunkLine::Real)).unwrap();
    assert_eq!(w.claim(attempts[0], FAST, NOON), Err(Refusal::RealLine));
    assert_eq!(w.claim(attempts[1], FAST, NOON), Err(Refusal::RealLine));
    assert_eq!(w.claim(attempts[2], FAST, NOON), Ok(NOON), "nothing about this one is made up");
    w.ledger.write(|db| trunks::set_line(db, trunk, TrunkLine::Test)).unwrap();
    let later = drawn(&mut w, campaign, 4, draws[1]);
    assert!(w.claim(later, FAST, NOON).is_ok());
}

/// What the sample of the migration says.
pub(super) fn is_kept(db: &Db) -> Result<()> {
    let lines: Vec<TrunkLine> = trunks::all(db)?.iter().map(|trunk| trunk.line).collect();
    assert_eq!(lines, [TrunkLine::Real, TrunkLine::Real, TrunkLine::Test], "trunks from before are real");
    let load = campaigns::find(db, "load")?.unwrap();
    let headers: Vec<String> = load.traffic.invite.headers.iter().map(ToString::to_string).collect();
    assert_eq!((headers, load.traffic.cancel.percent()), (vec!["P-Campaign-Name: load".to_owned()], 50));
    let row = views::attempts_page(db, load.id, AttemptId(0), 10)?.remove(0);
    assert_eq!(row.draw, Draw { talk_ms: Some(34_567), cancel_after_s: Some(7) });
    assert_eq!(row.disposition, Some(Disposition::Cancelled));
    assert_eq!(details::of(db, ContactId(90))?.duration_ms, Some(7_000));
    Ok(())
}
