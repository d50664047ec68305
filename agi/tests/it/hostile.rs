//! What comes from elsewhere than our dialplan.

use campanile_agi::server::{Limits, ListenError, listen};

use super::asterisk::{Asterisk, environment};
use super::world::{SOON, World, usual};

#[tokio::test]
async fn only_this_machine_may_speak_to_us() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let refused = listen(address.parse().unwrap()).unwrap_err();
        assert!(matches!(refused, ListenError::NotLoopback(_)), "{address}");
    }
}

#[tokio::test]
async fn strangers_get_nothing_and_change_nothing() {
    let world = World::start(usual());
    let order = world.order(1, 0, &[]);
    let unknown = "ff".repeat(16);
    for script in ["gate", "run", "report"] {
        for ticket in ["", "x", &unknown, &order.ticket.to_string()[..31]] {
            Asterisk::call(world.address, script, &[ticket]).await.closed().await;
        }
    }
    Asterisk::call(world.address, "admin", &[&order.ticket.to_string()]).await.closed().await;
    assert_eq!((world.facts(&order), world.desk.claimed()), (vec![], vec![]));
}

#[tokio::test]
async fn whoever_says_nothing_is_dropped() {
    let world = World::start(Limits { environment: SOON, ..usual() });
    Asterisk::connect(world.address).await.closed().await;
    let mut asterisk = Asterisk::connect(world.address).await;
    asterisk.say("agi_network: yes\n").await;
    asterisk.closed().await;
}

#[tokio::test]
async fn a_command_that_is_never_answered_ends_the_session() {
    let world = World::start(Limits { reply: SOON, sound: SOON, ..usual() });
    let order = world.order(1, 0, &[("PLAY", "hello")]);
    let mut asterisk = world.call("run", &order).await;
    asterisk.hears(r#"STREAM FILE "hello" "0123456789*#" "0""#).await;
    asterisk.closed().await;
    assert_eq!(world.facts(&order).len(), 2, "answered, and the step that ran");
}

#[tokio::test]
async fn a_ledger_that_never_answers_ends_the_session() {
    let world = World::start(Limits { ledger: SOON, ..usual() });
    let order = world.order(1, 0, &[]);
    world.desk.get_stuck();
    for script in ["gate", "run", "report"] {
        world.call(script, &order).await.closed().await;
    }
}

#[tokio::test]
async fn a_line_of_ten_megabytes_is_refused() {
    let world = World::start(usual());
    let flood = vec![b'a'; 10 * 1024 * 1024];
    let mut asterisk = Asterisk::connect(world.address).await;
    asterisk.shout(&flood).await;
    asterisk.closed().await;
    let order = world.order(1, 0, &[("PLAY", "hello")]);
    let mut asterisk = world.call("run", &order).await;
    asterisk.hears(r#"STREAM FILE "hello" "0123456789*#" "0""#).await;
    asterisk.shout(&flood).await;
    asterisk.closed().await;
}

#[tokio::test]
async fn what_is_no_reply_ends_the_session() {
    let world = World::start(usual());
    let order = world.order(1, 0, &[]);
    let mut asterisk = world.call("gate", &order).await;
    asterisk.answers(super::calls::NAME, "HTTP/1.1 200 OK").await;
    asterisk.closed().await;
    assert_eq!(world.desk.claimed(), []);
}

#[tokio::test]
async fn a_connection_cut_anywhere_in_its_environment_does_nothing() {
    let world = World::start(usual());
    let order = world.order(1, 0, &[]);
    let whole = environment("report", &[&order.ticket.to_string()]);
    for length in 0..whole.len() {
        let mut asterisk = Asterisk::connect(world.address).await;
        asterisk.say(&whole[..length]).await;
        asterisk.ends().await;
        asterisk.closed().await;
    }
    assert_eq!(world.facts(&order), []);
}

#[tokio::test]
async fn beyond_the_cap_connections_wait_and_are_served_in_turn() {
    let mut limits = usual();
    limits.sessions_max = 1;
    let world = World::start(limits);
    let (first, second) = (world.order(1, 0, &[("PLAY", "one")]), world.order(2, 0, &[("PLAY", "two")]));
    let mut talking = world.call("run", &first).await;
    talking.hears(r#"STREAM FILE "one" "0123456789*#" "0""#).await;
    let mut waiting = world.call("run", &second).await;
    let early = tokio::time::timeout(SOON, waiting.hears(r#"STREAM FILE "two" "0123456789*#" "0""#));
    assert!(early.await.is_err(), "served beyond the cap");
    talking.say("200 result=0 endpos=1\n").await;
    talking.closed().await;
    waiting.answers(r#"STREAM FILE "two" "0123456789*#" "0""#, "200 result=0 endpos=1").await;
    waiting.closed().await;
}
