//! How the server ends.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use campanile::domain::evidence::{Fact, StepResult};
use campanile_agi::server::Stop;
use tokio::net::TcpStream;

use super::world::{World, usual};

const PLAY: &str = r#"STREAM FILE "hello" "0123456789*#" "0""#;

#[tokio::test]
async fn calls_in_progress_may_finish_but_no_new_ones_begin() {
    let world = World::start(usual());
    let order = world.order(1, 0, &[("PLAY", "hello")]);
    let mut asterisk = world.call("run", &order).await;
    asterisk.hears(PLAY).await;
    world.stop.send_replace(Stop::Finish);
    while TcpStream::connect(world.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    asterisk.say("200 result=0 endpos=1\n").await;
    asterisk.closed().await;
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
