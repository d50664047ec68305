//! More than a server can take, and less than a caller should say. Each of these has broken a FastAGI server.

use std::future::pending;
use std::sync::atomic::Ordering;
use std::time::Duration;

use campanile::clock;
use campanile_agi::server::{Limits, listen, raise_open_files};
use tokio::time::timeout;

use super::admission::crowd;
use super::asterisk::{Asterisk, environment};
use super::calls::{GO, variables};
use super::program::Program;
use super::world::{SOON, World, usual};

async fn ping(program: &Program) {
    let mut ping = Asterisk::call(program.address, "ping", &[]).await;
    ping.ponged("200 result=1\n").await;
    ping.closed().await;
}

async fn a_second() {
    let never = timeout(Duration::from_secs(1), pending::<()>()).await;
    assert!(never.is_err());
}

#[tokio::test]
async fn a_truncated_connection_uses_no_processor() {
    let program = Program::start(1024);
    let whole = environment("ping", &[]);
    let mut open = vec![];
    for end in [0, 1, 12, whole.len() / 2, whole.len() - 1] {
        for _ in 0..3 {
            let mut cut = Asterisk::connect(program.address).await;
            cut.say(&whole[..end]).await;
            open.push(cut);
            let mut ended = Asterisk::connect(program.address).await;
            ended.say(&whole[..end]).await;
            ended.ends().await;
            ended.closed().await;
            let mut broken = Asterisk::connect(program.address).await;
            broken.say(&whole[..end]).await;
            broken.breaks();
        }
    }
    let mut replying = Asterisk::call(program.address, "ping", &[]).await;
    replying.ponged("200 resu\n").await;
    open.push(replying);
    let mut half = Asterisk::call(program.address, "ping", &[]).await;
    half.ponged("").await;
    half.say("200 resu").await;
    half.ends().await;
    half.closed().await;
    ping(&program).await;
    let before = program.processor_cs();
    a_second().await;
    let spent = program.processor_cs() - before;
    assert!(spent <= 5, "{spent} hundredths of a second for nothing");
    ping(&program).await;
}

#[tokio::test]
async fn a_byte_now_and_then_extends_no_time() {
    let world = World::start(Limits { environment: SOON, reply: SOON, sound: SOON, ..usual() });
    let drip = environment("gate", &[]).repeat(100);
    Asterisk::connect(world.address).await.drips(&drip).await;
    let order = world.order(1, 0, &[("PLAY", "hello")]);
    let mut run = world.call("run", &order).await;
    run.hears(r#"STREAM FILE "hello" "0123456789*#" "0""#).await;
    run.drips("100 result=0 Trying...\n".repeat(1_000).as_str()).await;
}

/// A connection that the kernel drops comes again after a second, too late for its call.
#[tokio::test]
async fn a_burst_beyond_the_usual_backlog_loses_no_connection() {
    raise_open_files().unwrap();
    let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let burst: Result<Vec<_>, _> =
        (0..1_000).map(|_| std::net::TcpStream::connect_timeout(&address, Duration::from_millis(900))).collect();
    assert_eq!(burst.unwrap().len(), 1_000);
}

#[tokio::test]
async fn silent_connections_beyond_the_file_limit_stop_nobody() {
    let program = Program::start(300);
    let mut silent = vec![];
    for _ in 0..500 {
        silent.push(Asterisk::connect(program.address).await);
    }
    ping(&program).await;
    silent.remove(0).closed().await;
    assert!(program.files() < 300);
}

#[tokio::test]
async fn when_no_file_can_be_opened_the_server_rests_says_so_briefly_and_goes_on() {
    let program = Program::start(300);
    ping(&program).await;
    program.allow_files(3);
    let mut waiting = Asterisk::call(program.address, "ping", &[]).await;
    let before = program.processor_cs();
    a_second().await;
    a_second().await;
    let spent = program.processor_cs() - before;
    assert!(spent <= 10, "{spent} hundredths of a second in two seconds");
    let said = program.log().iter().filter(|line| line.contains("cannot accept a connection")).count();
    assert!((1..=10).contains(&said), "{:#?}", program.log());
    program.allow_files(300);
    waiting.ponged("200 result=1\n").await;
    waiting.closed().await;
    ping(&program).await;
}

/// `accept` fails for want of a file also when nobody waits to be accepted.
#[tokio::test]
async fn who_gets_the_last_file_is_served() {
    let program = Program::start(300);
    program.allow_files(program.files() + 2);
    for _ in 0..5 {
        ping(&program).await;
    }
}

#[tokio::test]
async fn strangers_do_not_fill_the_log() {
    let program = Program::start(1024);
    let unknown = "ff".repeat(16);
    for _ in 0..100 {
        Asterisk::call(program.address, "admin", &[]).await.closed().await;
        Asterisk::call(program.address, "gate", &[&unknown]).await.closed().await;
        Asterisk::call(program.address, "gate", &[]).await.closed().await;
        let mut silent = Asterisk::connect(program.address).await;
        silent.ends().await;
        silent.closed().await;
        let mut rude = Asterisk::call(program.address, "ping", &[]).await;
        rude.ponged("no reply at all\n").await;
        rude.closed().await;
    }
    let log = program.log();
    assert!((1..=20).contains(&log.len()), "{} lines: {log:#?}", log.len());
}

/// Asterisk calls a gate a second before its instant.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_comes_back_at_once_keeps_no_gate_from_its_instant() {
    raise_open_files().unwrap();
    let world = World::start(Limits { connections_max: 600, sessions_max: 100, ..usual() });
    let renewed = crowd(&world, 1_200, "");
    let gates: Vec<_> = (0..20)
        .map(|id| {
            let (order, address) = (world.order(id, 1_000, &[]), world.address);
            tokio::spawn(async move {
                let mut gate = Asterisk::call(address, "gate", &[&order.ticket.to_string()]).await;
                variables(&mut gate).await;
                gate.hears(GO).await;
                clock::now().since_ms(order.planned_at)
            })
        })
        .collect();
    let mut late_ms = vec![];
    for gate in gates {
        late_ms.push(gate.await.unwrap());
    }
    late_ms.sort_unstable();
    let turned_out = renewed.load(Ordering::Relaxed);
    assert!(turned_out > 200 && late_ms[19] < 1_000, "{turned_out} turned out, late by {late_ms:?} ms");
}
