//! Who gets a place when there are more connections than places.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use campanile::domain::evidence::Fact;
use campanile_agi::server::Limits;

use super::asterisk::{Asterisk, environment};
use super::calls::{go, variables};
use super::world::{SOON, World, usual};

const PLAY: &str = r#"STREAM FILE "hello" "0123456789*#" "0""#;

/// Few places, so that a test can fill them.
fn few() -> Limits {
    Limits { connections_max: 20, sessions_max: 5, ..usual() }
}

/// Connections that say `greeting` and no more; each one that is closed is replaced. Ends with the test.
pub fn crowd(world: &World, size: usize, greeting: &'static str) -> Arc<AtomicUsize> {
    let renewed = Arc::new(AtomicUsize::new(0));
    for _ in 0..size {
        let (address, renewed) = (world.address, Arc::clone(&renewed));
        tokio::spawn(async move {
            loop {
                let mut silent = Asterisk::connect(address).await;
                silent.shout(greeting.as_bytes()).await;
                silent.closed().await;
                renewed.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    renewed
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_connections_beyond_every_limit_keep_no_call_out() {
    for greeting in ["", "agi_network: yes\n"] {
        let world = World::start(few());
        let mut older = vec![];
        for _ in 0..few().connections_max {
            let mut silent = Asterisk::connect(world.address).await;
            silent.say(greeting).await;
            older.push(silent);
        }
        for id in 0..30 {
            older.push(Asterisk::connect(world.address).await);
            let order = world.order(id, 0, &[]);
            let mut gate = world.call("gate", &order).await;
            variables(&mut gate).await;
            go(&mut gate).await;
            gate.closed().await;
            world.call("report", &order).await.closed().await;
            assert!(matches!(&world.facts(&order)[..], [Fact::Reported(_)]));
        }
        older.remove(0).closed().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_comes_back_at_once_keeps_no_call_in_progress_from_ending() {
    let world = World::start(few());
    let order = world.order(1, 0, &[("PLAY", "hello")]);
    let mut run = world.call("run", &order).await;
    run.hears(PLAY).await;
    let renewed = crowd(&world, 3 * few().connections_max, "");
    until(|| renewed.load(Ordering::Relaxed) > 500).await;
    run.say("200 result=0 endpos=1\n").await;
    run.closed().await;
    assert_eq!(world.facts(&order).len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_tickets_and_pings_never_take_a_slot() {
    let world = World::start(Limits { sessions_max: 1, ..few() });
    let unknown = environment("gate", &[&"ff".repeat(16)]);
    let mut pings = vec![];
    for _ in 0..10 {
        pings.push(Asterisk::call(world.address, "ping", &[]).await);
        let mut stranger = Asterisk::connect(world.address).await;
        stranger.shout(unknown.as_bytes()).await;
        stranger.closed().await;
    }
    let order = world.order(1, 0, &[]);
    let mut gate = world.call("gate", &order).await;
    variables(&mut gate).await;
    go(&mut gate).await;
    gate.closed().await;
}

#[tokio::test]
async fn pings_make_room_as_the_silent_do() {
    let world = World::start(few());
    let mut ping = Asterisk::call(world.address, "ping", &[]).await;
    ping.hears(&format!(r#"SET VARIABLE "CAMPANILE_PONG" "{} sessions 0 of 5""#, env!("CARGO_PKG_VERSION"))).await;
    let mut crowd = vec![];
    for _ in 0..few().connections_max {
        crowd.push(Asterisk::connect(world.address).await);
    }
    ping.closed().await;
}

#[tokio::test]
async fn who_is_known_is_never_turned_out() {
    let world = World::start(few());
    let mut known = vec![];
    // More than there are slots: the others wait for one, and keep their connection.
    for id in 0..10 {
        let order = world.order(id, 0, &[("PLAY", "hello")]);
        known.push(world.call("run", &order).await);
    }
    for talking in &mut known[..few().sessions_max] {
        talking.hears(PLAY).await;
    }
    let mut crowd = vec![];
    for _ in 0..10 * few().connections_max {
        crowd.push(Asterisk::connect(world.address).await);
    }
    for (place, mut talking) in known.into_iter().enumerate() {
        if place >= few().sessions_max {
            talking.hears(PLAY).await;
        }
        talking.say("200 result=0 endpos=1\n").await;
        talking.closed().await;
    }
}

#[tokio::test]
async fn a_report_needs_no_slot() {
    let world = World::start(Limits { sessions_max: 1, ..few() });
    let order = world.order(1, 0, &[("PLAY", "hello")]);
    let mut run = world.call("run", &order).await;
    run.hears(PLAY).await;
    let other = world.order(2, 0, &[]);
    world.call("report", &other).await.closed().await;
    assert!(matches!(&world.facts(&other)[..], [Fact::Reported(_)]));
}

#[tokio::test]
async fn who_hangs_up_while_waiting_for_a_slot_is_recorded_without_one_i8() {
    let world = World::start(Limits { sessions_max: 1, ..few() });
    let order = world.order(1, 0, &[("PLAY", "hello")]);
    let mut run = world.call("run", &order).await;
    run.hears(PLAY).await;
    let other = world.order(2, 0, &[]);
    let mut gate = world.call("gate", &other).await;
    assert!(tokio::time::timeout(SOON, gate.hears("nothing")).await.is_err(), "served beyond the cap");
    gate.ends().await;
    gate.closed().await;
    until(|| matches!(&world.facts(&other)[..], [Fact::Refused { .. }])).await;
    assert_eq!(world.desk.claimed(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_connections_at_once_are_all_served() {
    let world = World::start(usual());
    let calls: Vec<_> = (0..1_000)
        .map(|id| {
            let (order, address) = (world.order(id, 0, &[]), world.address);
            tokio::spawn(async move {
                Asterisk::call(address, "report", &[&order.ticket.to_string(), "", "BUSY"]).await.closed().await;
                order
            })
        })
        .collect();
    for call in calls {
        let order = call.await.unwrap();
        assert!(matches!(&world.facts(&order)[..], [Fact::Reported(_)]));
    }
}
