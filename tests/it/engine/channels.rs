//! How many calls there are at the same time on the whole server.

use campanile::daemon::engine::EngineLimits;
use campanile::domain::campaign::Campaign;
use campanile::domain::disposition::Disposition::NotDialled;
use campanile::domain::instant::UtcMs;
use campanile::domain::trunk::{ShortNumbers, TrunkLine};
use campanile::domain::why::{Daemon, Verdict, explain};
use campanile::domain::zoning::LegalRules;
use campanile::ledger::why::{ServerLimits, view};
use campanile::ledger::{contacts, trunks};

use super::world::{LIMITS, NOON, World, number};

/// Ten slots a second, so that calls of seven seconds would pile up.
fn capped(channels: u32) -> EngineLimits {
    EngineLimits { calls_one_time: 600, channels_max: Some(channels), ..LIMITS }
}

/// Of a trunk of its own.
fn over_another(w: &mut World) -> impl FnOnce(&mut Campaign) + use<> {
    let other = trunks::NewTrunk {
        name: "other".parse().unwrap(),
        template: "PJSIP/{number}@other".parse().unwrap(),
        channels: None,
        starts_per_second: None,
        account: None,
        short_numbers: ShortNumbers::Refused,
        breaker: None,
        line: TrunkLine::Real,
    };
    let other = w.command(|db| trunks::add(db, &other, NOON));
    move |campaign| campaign.trunk = other
}

/// Whose turn each dial was: the first campaign has the numbers up to 100.
fn turns(w: &World) -> String {
    let first: Vec<_> = (1..=100).map(number).collect();
    w.dialled.iter().map(|dialled| if first.contains(&dialled.number) { '1' } else { '2' }).collect()
}

#[test]
fn the_servers_channels_hold_over_campaigns_and_trunks_and_are_shared_in_fair_turn_i5() {
    let mut w = World::with(capped(4));
    let over_another = over_another(&mut w);
    let spring = w.running("spring", 1..=12);
    let autumn = w.running_with("autumn", 101..=112, over_another);
    w.pass_until_done(1);
    let dials = w.dials_ms();
    assert!(dials.windows(5).all(|five| five[4] - five[0] >= 7_000), "a call takes seven seconds: {dials:?}");
    // Six rounds of four channels; a call that ends lets the next begin at the slot after its file's lead.
    assert!(dials[23] - dials[0] <= 5 * 8_000, "each channel is used again at once: {dials:?}");
    let turns = turns(&w);
    let most = |whose: char| turns.split(|c| c != whose).map(str::len).max();
    assert!(most('1') <= Some(3) && most('2') <= Some(3), "nobody waits for all of the other: {turns}");
    for campaign in [spring, autumn] {
        assert_eq!(w.counts(campaign).reached, 12);
        assert!(!w.ends(campaign).contains(&Some(NotDialled)), "what has no channel is not even planned");
    }
}

#[test]
fn a_campaign_of_a_higher_priority_has_the_next_channel_of_a_full_server() {
    let mut w = World::with(EngineLimits { cron_interval: 60, ..capped(2) });
    w.running("low", 1..=20);
    let high = w.running_with("high", 101..=101, |campaign| campaign.pacing.priority = 1);
    w.pass_ms(60_000);
    w.import(high, 102..=105);
    w.set(high, campanile::domain::campaign::CampaignState::Running);
    let before = w.dialled.len();
    w.pass_until_done(1);
    let after: String = turns(&w).chars().skip(before).collect();
    assert!(after.find("2222").is_some_and(|at| at <= 1), "{after}");
}

#[test]
fn a_cap_that_is_lowered_holds_at_the_gate_for_what_is_planned_and_costs_no_call_i5() {
    let mut w = World::with(EngineLimits { calls_one_time: 60, ..LIMITS });
    let spring = w.running("spring", 1..=20);
    w.pass_ms(300);
    // The FastAGI server hears of it before the daemon does.
    w.limits.channels_max = Some(2);
    w.most_live = Some(2);
    w.pass_s(12);
    let refused = w.ends(spring).iter().filter(|end| **end == Some(NotDialled)).count();
    assert!(refused > 0, "one a second was planned");
    assert_eq!(w.last_refusal(spring), "as many calls were up as channels_max lets the server make");
    w.serve();
    w.pass_until_done(1);
    assert_eq!((w.counts(spring).reached, w.dialled.len()), (20, 20));
}

#[test]
fn why_says_that_the_server_is_full_and_what_to_do_i9() {
    let mut w = World::with(capped(2));
    let spring = w.running("spring", 1..=5);
    w.pass_ms(3_000);
    let full_at: UtcMs = w.now;
    let contact = w.ledger.read(|db| contacts::find(db, spring, &number(5))).unwrap().unwrap();
    let limits = ServerLimits {
        calls_one_time: w.limits.calls_one_time,
        channels_max: w.limits.channels_max,
        spool_files_max: w.limits.spool_files_max,
        frequency: None,
        legal: LegalRules::NONE,
        daemon: Daemon::Running,
    };
    let told = explain(&w.ledger.read(|db| view(db, &contact, &limits, full_at)).unwrap(), full_at);
    let failed: Vec<_> = told.rules.iter().filter(|rule| rule.verdict == Verdict::Fail).collect();
    let detail = "the server uses 2 of 2 channels, over all campaigns and trunks";
    assert_eq!(
        failed.iter().map(|rule| (rule.rule, rule.detail.as_str())).collect::<Vec<_>>()[..1],
        [("server_channels", detail)]
    );
    assert_eq!(told.hint.as_deref(), Some("wait for a call to end, or raise channels_max"));
}
