//! How the server ends.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use campanile::domain::evidence::{Fact, StepResult};
use campanile_agi::server::{Limits, Stop};
use tokio::net::TcpStream;

use super::asterisk::{Asterisk, environment};
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
async fn a_call_that_rings_keeps_the_server_until_its_report() {
    let world = World::start(usual());
    let order = world.order(1, 0, &[]);
    let mut gate = world.call("gate", &order).await;
    variables(&mut gate).await;
    go(&mut gate).await;
    gate.closed().await;
    world.stop.send_replace(Stop::Finish);
    // It rings, and between these reports of others nobody is connected.
    for id in 2..6 {
        let other = world.order(id, 0, &[]);
        world.call("report", &other).await.closed().await;
    }
    world.call("report", &order).await.closed().await;
    assert!(matches!(&world.facts(&order)[..], [Fact::Reported(_)]));
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

#[test]
fn a_connection_that_came_before_the_server_is_answered_on_the_inherited_socket() {
    let dir = tempfile::tempdir().unwrap();
    let kept = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = kept.local_addr().unwrap();
    let mut early = std::net::TcpStream::connect(address).unwrap();
    early.write_all(environment("ping", &[]).as_bytes()).unwrap();
    // The socket becomes the shell's standard input, and the server's descriptor 3.
    let script = format!("LISTEN_FDS=1 LISTEN_PID=$$ exec {} 3<&0", env!("CARGO_BIN_EXE_campanile-agi"));
    let mut server = Command::new("sh")
        .args(["-c", &script])
        .env_remove("CAMPANILE_CONFIG")
        .env("CAMPANILE_STATE_DIR", dir.path())
        .env("CAMPANILE_AGI_LISTEN", address.to_string())
        .env("CAMPANILE_LOG_CONFIG", dir.path().join("none.yaml"))
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(kept.try_clone().unwrap())))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    early.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut line = String::new();
    BufReader::new(&early).read_line(&mut line).unwrap();
    assert!(line.starts_with("SET VARIABLE \"CAMPANILE_PONG\""), "{line:?}");
    drop(early);
    assert!(Command::new("kill").args(["-TERM", &server.id().to_string()]).status().unwrap().success());
    assert!(server.wait().unwrap().success());
    std::net::TcpStream::connect(address).expect("whoever comes now waits for the next server");
}
