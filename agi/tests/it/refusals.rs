//! What Asterisk says instead of running a command (asterisk.md 7). Some servers wait for ever then.

use campanile::domain::evidence::{Fact, StepResult};

use super::asterisk::Asterisk;
use super::calls::{GO, NAME, go, variables};
use super::world::{World, usual};

const PLAY: &str = r#"STREAM FILE "hello" "0123456789*#" "0""#;
const WAIT: &str = r#"WAIT FOR DIGIT "1000""#;

/// Replies that refuse a command, each in the forms that are known of Asterisk.
const REFUSALS: [&str; 5] = [
    "510 Invalid or unknown command",
    "510",
    "520 Invalid command syntax.  Proper usage not available.",
    "520-Invalid command syntax.  Proper usage follows:\nUsage: STREAM FILE <filename> <escape digits>\n520 End of proper usage.",
    "520-Invalid command syntax.  Proper usage follows:\n200 result=0\n510 no\n520 End of proper usage.",
];

#[tokio::test]
async fn a_gate_that_is_refused_a_command_ends_unclaimed() {
    for (id, refusal) in (1..).zip(REFUSALS.into_iter().chain(["511 Command Not Permitted on a dead channel"])) {
        let world = World::start(usual());
        let order = world.order(id, 0, &[]);
        let mut gate = world.call("gate", &order).await;
        gate.answers(NAME, refusal).await;
        gate.closed().await;
        assert_eq!(world.desk.claimed(), [], "{refusal}");
    }
}

#[tokio::test]
async fn a_step_that_is_refused_fails_and_the_next_one_runs() {
    for (id, refusal) in (1..).zip(REFUSALS) {
        let world = World::start(usual());
        let order = world.order(id, 0, &[("PLAY", "hello"), ("WAIT", "1")]);
        let mut run = world.call("run", &order).await;
        run.answers(PLAY, refusal).await;
        run.answers(WAIT, "200 result=0").await;
        run.closed().await;
        let results: Vec<_> = world.facts(&order).into_iter().filter_map(result).collect();
        assert_eq!(results, [StepResult::Failed, StepResult::Done], "{refusal}");
    }
}

fn result(fact: Fact) -> Option<StepResult> {
    match fact {
        Fact::Step(step) => Some(step.result),
        _ => None,
    }
}

#[tokio::test]
async fn usage_that_comes_byte_by_byte_or_unasked_changes_nothing() {
    let world = World::start(usual());
    let order = world.order(1, 0, &[("PLAY", "hello"), ("WAIT", "1")]);
    let mut run = world.call("run", &order).await.byte_by_byte();
    run.answers(PLAY, REFUSALS[3]).await;
    // As after an EXEC whose application returned 1: the answer, and then a usage that belongs to nothing.
    run.answers(WAIT, &format!("200 result=0\n{}", REFUSALS[3])).await;
    run.closed().await;
    assert_eq!(world.facts(&order).len(), 3);
}

#[tokio::test]
async fn usage_without_an_end_does_not_hold_the_session() {
    let limits = campanile_agi::server::Limits { reply: super::world::SOON, sound: super::world::SOON, ..usual() };
    let world = World::start(limits);
    let order = world.order(1, 0, &[("PLAY", "hello")]);
    let mut run = world.call("run", &order).await;
    run.answers(PLAY, "520-Invalid command syntax.  Proper usage follows:\nand follows").await;
    run.closed().await;
    let gate_order = world.order(2, 0, &[]);
    let mut gate = world.call("gate", &gate_order).await;
    gate.answers(NAME, "520-Invalid command syntax.").await;
    gate.closed().await;
    assert_eq!(world.desk.claimed(), []);
}

#[tokio::test]
async fn a_ping_that_is_refused_ends() {
    for refusal in REFUSALS {
        let world = World::start(usual());
        let mut ping = Asterisk::call(world.address, "ping", &[]).await;
        ping.ponged(&format!("{refusal}\n")).await;
        ping.closed().await;
    }
}

#[tokio::test]
async fn a_go_that_is_refused_is_not_said_again() {
    for (id, refusal) in (1..).zip(REFUSALS) {
        let world = World::start(usual());
        let order = world.order(id, 0, &[]);
        let mut gate = world.call("gate", &order).await;
        variables(&mut gate).await;
        gate.answers(GO, refusal).await;
        gate.closed().await;
        // The file comes back after a crash, say.
        let mut again = world.call("gate", &order).await;
        variables(&mut again).await;
        again.closed().await;
        assert_eq!(world.desk.claimed(), [order.attempt]);
        let other = world.order(id + 100, 0, &[]);
        let mut gate = world.call("gate", &other).await;
        variables(&mut gate).await;
        go(&mut gate).await;
        gate.closed().await;
    }
}
