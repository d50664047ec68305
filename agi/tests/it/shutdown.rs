//! How the server ends.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use campanile::domain::evidence::{Fact, StepResult};
use campanile_agi::server::{Limits, Stop};
use tokio::net::TcpStream;

use super::asterisk::Asterisk;
use super::calls::{go, variables};
use super::world::{World, usual};

const PLAY: &str = r#"STREAM FILE "hello" "0123456789*#" "0""#;

#[tokio::test]
async fn while_a_call_is_in_progress_all_are_served_and_then_the_server_ends() {
    let world = World::start(usual());
    let order = world.order(1, 0, &[("PLAY", "hello")]);
    let mut asterisk = world.call("run", &order).await;
    asterisk.hears(PLAY).await;
    world.stop.send_replace(Stop::Finish);
    let late = world.order(2, 0, &[]);
    let mut gate = world.call("gate", &late).await;
    variables(&mut gate).await;
    go(&mut gate).await;
    gate.closed().await;
    world.call("report", &late).await.closed().await;
    assert!(matches!(&world.facts(&late)[..], [Fact::Reported(_)]));
    // Somebody who says nothing keeps nobody.
    let silent = Asterisk::connect(world.address).await;
    asterisk.say("200 result=0 endpos=1\n").await;
    asterisk.closed().await;
    while TcpStream::connect(world.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    drop(silent);
    world.server.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_gate_still_ends_when_the_grace_of_the_calls_is_over() {
    let world = World::start(Limits { grace: Duration::ZERO, ..usual() });
    let (held, talking) = (world.order(1, 400, &[]), world.order(2, 0, &[("PLAY", "hello")]));
    let mut gate = world.call("gate", &held).await;
    variables(&mut gate).await;
    let mut run = world.call("run", &talking).await;
    run.hears(PLAY).await;
    world.stop.send_replace(Stop::Finish);
    run.closed().await;
    go(&mut gate).await;
    gate.closed().await;
    world.server.await.unwrap().unwrap();
}

#[tokio::test]
async fn calls_that_do_not_finish_are_ended_and_what_ran_is_kept() {
    for (stop, grace) in [(Stop::Quit, Duration::from_secs(3600)), (Stop::Finish, Duration::ZERO)] {
        let mut limits = usual();
        limits.grace = grace;
        let world = World::start(limits);
        let order = world.order(1, 0, &[("PLAY", "hello")]);
        let mut asterisk = world.call("run", &order).await;
        asterisk.hears(PLAY).await;
        world.stop.send_replace(stop);
        asterisk.closed().await;
        world.server.await.unwrap().unwrap();
        let facts = world.desk.facts(order.attempt);
        assert!(
            matches!(&facts[..], [Fact::Answered, Fact::Step(step)] if step.result == StepResult::HungUp),
            "{facts:?}"
        );
    }
}

#[test]
fn sighup_ends_no_call_and_not_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Command::new(env!("CARGO_BIN_EXE_campanile-agi"))
        .env_remove("CAMPANILE_CONFIG")
        .env("CAMPANILE_STATE_DIR", dir.path())
        .env("CAMPANILE_AGI_LISTEN", "127.0.0.1:0")
        .env("CAMPANILE_LOG_CONFIG", dir.path().join("none.yaml"))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(server.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut says = |words: &str| assert!(log.any(|line| line.contains(words)), "it ended without saying {words}");
    let id = server.id().to_string();
    let send = |signal: &str| assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    says("listening on");
    send("-HUP");
    says("SIGHUP");
    send("-TERM");
    assert!(server.wait().unwrap().success());
}
