//! Whole conversations.

use campanile::clock;
use campanile::domain::evidence::{DialStatus, Fact, Report, Step, StepResult};
use campanile::domain::gate::Refusal;
use campanile::domain::instant::UtcMs;

use campanile_agi::server::Limits;

use super::asterisk::{Asterisk, environment};
use super::world::{World, usual};

const OK: &str = "200 result=1";
/// What a gate says first.
pub const NAME: &str = r#"SET VARIABLE "CALLERID(name)" "Campanile""#;
/// What it says last.
pub const GO: &str = r#"SET VARIABLE "CAMPANILE_GO" "PJSIP/+493012345@gw1,30""#;

pub async fn variables(asterisk: &mut Asterisk) {
    asterisk.answers(NAME, OK).await;
}

pub async fn go(asterisk: &mut Asterisk) {
    asterisk.answers(GO, OK).await;
}

#[tokio::test]
async fn the_gate_says_go_at_the_instant_and_not_before() {
    let world = World::start(usual());
    let order = world.order(1, 60, &[]);
    let mut asterisk = world.call("gate", &order).await;
    variables(&mut asterisk).await;
    assert_eq!(world.desk.claimed(), [], "the claim comes at the end of the hold");
    go(&mut asterisk).await;
    assert!(clock::now() >= order.planned_at);
    assert_eq!(world.desk.claimed(), [order.attempt]);
    asterisk.closed().await;
}

#[tokio::test]
async fn the_same_file_twice_dials_once_i1() {
    let world = World::start(usual());
    let order = world.order(1, 0, &[]);
    let mut first = world.call("gate", &order).await;
    variables(&mut first).await;
    go(&mut first).await;
    first.closed().await;
    let mut second = world.call("gate", &order).await;
    variables(&mut second).await;
    second.closed().await;
}

#[tokio::test]
async fn a_refused_attempt_gets_no_go_i4() {
    let world = World::start(usual());
    world.desk.refuse(Refusal::Removed);
    let order = world.order(1, 0, &[]);
    let mut asterisk = world.call("gate", &order).await;
    variables(&mut asterisk).await;
    asterisk.closed().await;
}

#[tokio::test]
async fn a_leg_that_hangs_up_while_it_is_held_is_never_claimed() {
    let world = World::start(usual());
    for (id, farewell) in [(1, "HANGUP\n"), (2, "")] {
        let order = world.order(id, 5_000, &[]);
        let mut asterisk = world.call("gate", &order).await;
        variables(&mut asterisk).await;
        asterisk.say(farewell).await;
        if farewell.is_empty() {
            asterisk.ends().await;
        }
        asterisk.closed().await;
        assert_eq!(world.facts(&order), [Fact::Refused { why: Refusal::HungUp }]);
        assert_eq!(world.desk.claimed(), []);
    }
}

#[tokio::test]
async fn without_the_ledger_nothing_is_dialled() {
    let world = World::start(usual());
    let order = world.order(1, 0, &[]);
    world.desk.break_down();
    for script in ["gate", "run", "report"] {
        world.call(script, &order).await.closed().await;
    }
    assert_eq!(world.desk.claimed(), []);
}

#[tokio::test]
async fn the_ledger_may_break_down_in_the_hold() {
    let world = World::start(usual());
    let order = world.order(1, 60, &[]);
    let mut asterisk = world.call("gate", &order).await;
    variables(&mut asterisk).await;
    world.desk.break_down();
    asterisk.closed().await;
}

#[tokio::test]
async fn an_answered_call_plays_keeps_keys_and_is_handed_over() {
    let world = World::start(usual());
    let order = world.order(1, 0, &[("WAIT", "1"), ("PLAY", "hello"), ("IVR", "main,s,1")]);
    let mut asterisk = world.call("run", &order).await;
    asterisk.answers(r#"WAIT FOR DIGIT "1000""#, "200 result=0").await;
    asterisk.answers(r#"STREAM FILE "hello" "0123456789*#" "0""#, "200 result=49 endpos=800").await;
    asterisk.answers(r#"STREAM FILE "hello" "0123456789*#" "800""#, "200 result=0 endpos=8000").await;
    asterisk.answers(r#"SET VARIABLE "CAMPANILE_DIGITS" "1""#, OK).await;
    asterisk.answers(r#"SET VARIABLE "CAMPANILE_IVR" "main,s,1""#, OK).await;
    asterisk.closed().await;
    let steps: Vec<_> = world.facts(&order).into_iter().map(shortened).collect();
    assert_eq!(steps, ["Answered", "0 Done ``", "1 Done `1`", "2 Done ``", "HandedOver"]);
}

/// A step without its duration, which differs from run to run.
fn shortened(fact: Fact) -> String {
    match fact {
        Fact::Step(Step { index, result, digits, .. }) => format!("{index} {result:?} `{digits}`"),
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn a_callee_who_hangs_up_ends_the_step_that_ran() {
    let world = World::start(usual());
    for (id, farewell) in [
        (1, "200 result=-1 endpos=4000\nHANGUP\n"),
        (2, "HANGUP\n200 result=-1 endpos=4000\n"),
        (3, "HANGUP200 result=-1 endpos=4000\n"),
        (4, "HANGUP\n"),
        (5, "511 Command Not Permitted on a dead channel or intercept routine\n"),
    ] {
        let order = world.order(id, 0, &[("PLAY", "hello"), ("WAIT", "1")]);
        let mut asterisk = world.call("run", &order).await;
        asterisk.hears(r#"STREAM FILE "hello" "0123456789*#" "0""#).await;
        asterisk.say(farewell).await;
        asterisk.closed_but_for_a_probe().await;
        let facts = world.facts(&order);
        let Some(Fact::Step(step)) = facts.get(1) else { panic!("{farewell:?}: {facts:?}") };
        assert_eq!((step.index, step.result, facts.len()), (0, StepResult::HungUp, 2), "{farewell:?}");
    }
}

#[tokio::test]
async fn a_missing_sound_does_not_end_the_call() {
    let world = World::start(usual());
    let order = world.order(1, 0, &[("PLAY", "gone"), ("PLAY", "hello")]);
    let mut asterisk = world.call("run", &order).await;
    asterisk.answers(r#"STREAM FILE "gone" "0123456789*#" "0""#, "200 result=-1 endpos=0").await;
    asterisk.answers("NOOP", "200 result=0").await;
    asterisk.answers(r#"STREAM FILE "hello" "0123456789*#" "0""#, "200 result=0 endpos=8000").await;
    asterisk.closed().await;
    let steps: Vec<_> = world.facts(&order).into_iter().map(shortened).collect();
    assert_eq!(steps, ["Answered", "0 Failed ``", "1 Done ``"]);
}

#[tokio::test]
async fn a_report_is_durable_when_the_connection_closes_i8() {
    let world = World::start(usual());
    let order = world.order(1, 0, &[]);
    let ticket = order.ticket.to_string();
    let args = [&*ticket, "1772352000123", "BUSY", "17", "17", "2400", "", "3100", "486", "350"];
    let asterisk = Asterisk::call(world.address, "report", &args).await;
    asterisk.closed().await;
    let report = Report {
        dialled_at: Some(UtcMs(1_772_352_000_123)),
        dial_status: Some(DialStatus::Busy),
        cause: Some(17),
        sip_code: Some(486),
        ring_after_ms: Some(2400),
        progress_after_ms: Some(350),
        dial_ms: Some(3100),
        talk_ms: None,
    };
    assert_eq!(world.facts(&order), [Fact::Reported(report)]);
}

#[tokio::test]
async fn a_ping_is_answered_without_a_ticket() {
    let world = World::start(usual());
    let mut asterisk = Asterisk::call(world.address, "ping", &[]).await;
    let (version, sessions) = (env!("CARGO_PKG_VERSION"), usual().sessions_max);
    asterisk.answers(&format!(r#"SET VARIABLE "CAMPANILE_PONG" "{version} sessions 0 of {sessions}""#), OK).await;
    asterisk.closed().await;
}

#[tokio::test]
async fn segments_of_one_byte_change_nothing() {
    let world = World::start(usual());
    let order = world.order(1, 0, &[]);
    let mut asterisk = Asterisk::connect(world.address).await.byte_by_byte();
    asterisk.say(&environment("gate", &[&order.ticket.to_string()])).await;
    variables(&mut asterisk).await;
    go(&mut asterisk).await;
    asterisk.closed().await;
}

#[tokio::test]
async fn a_report_waits_for_room_on_the_disk_and_too_many_do_not_wait_i8() {
    let world = World::start(Limits { reports_waiting_max: 1, ..usual() });
    let (waiting, lost) = (world.order(1, 0, &[]), world.order(2, 0, &[]));
    world.desk.fill_up(1);
    let first = world.call("report", &waiting).await;
    while world.desk.full_for() > 0 {
        tokio::task::yield_now().await;
    }
    world.desk.fill_up(1);
    world.call("report", &lost).await.closed().await;
    assert_eq!((world.facts(&waiting).len(), world.facts(&lost).len()), (0, 0));
    // The disk has room again.
    first.closed().await;
    assert_eq!((world.facts(&waiting).len(), world.facts(&lost).len()), (1, 0));
}

#[tokio::test]
async fn three_hundred_calls_at_once_all_start() {
    let world = World::start(usual());
    let calls: Vec<_> = (0..300)
        .map(|id| {
            let (order, address) = (world.order(id, 300, &[]), world.address);
            tokio::spawn(async move {
                let mut asterisk = Asterisk::call(address, "gate", &[&order.ticket.to_string()]).await;
                variables(&mut asterisk).await;
                go(&mut asterisk).await;
                asterisk.closed().await;
                assert!(clock::now() >= order.planned_at);
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!(world.desk.claimed().len(), 300);
}
