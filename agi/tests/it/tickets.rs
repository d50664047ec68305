//! A ticket is all that a caller has to show: what may be done with one that was seen, guessed or used.

use campanile::domain::evidence::{Fact, Step};

use super::admission::crowd;
use super::asterisk::Asterisk;
use super::calls::{GO, variables};
use super::world::{World, usual};
use campanile_agi::server::Limits;

const OK: &str = "200 result=1\n";

/// Plays a gate to its end; gives whether it said go.
async fn went(mut gate: Asterisk) -> bool {
    let mut said_go = false;
    while let Some(command) = gate.next_command().await {
        said_go |= command.trim_end() == GO;
        gate.shout(OK.as_bytes()).await;
    }
    said_go
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_that_is_shown_many_times_at_once_in_a_crowd_goes_once_i1() {
    let world = World::start(Limits { connections_max: 400, sessions_max: 100, ..usual() });
    crowd(&world, 600, "agi_network: yes\n");
    for id in 0..5 {
        let order = world.order(id, 50, &[]);
        let replays: Vec<_> = (0..60)
            .map(|_| {
                let (ticket, address) = (order.ticket.to_string(), world.address);
                tokio::spawn(async move { went(Asterisk::call(address, "gate", &[&ticket]).await).await })
            })
            .collect();
        let mut gone = 0;
        for replay in replays {
            gone += usize::from(replay.await.unwrap());
        }
        assert_eq!(gone, 1, "ticket {id}");
    }
    assert_eq!(world.desk.claimed().len(), 5);
}

#[tokio::test]
async fn a_ticket_that_was_used_up_opens_no_gate_again_i1() {
    let world = World::start(usual());
    let order = world.order(1, 0, &[]);
    assert!(went(world.call("gate", &order).await).await);
    world.call("report", &order).await.closed().await;
    for _ in 0..10 {
        assert!(!went(world.call("gate", &order).await).await);
    }
    assert_eq!(world.desk.claimed(), [order.attempt]);
}

/// What Campanile says to a leg comes from the ticket's order alone, and what the leg says counts for it alone.
#[tokio::test]
async fn the_ticket_of_another_campaign_speaks_for_its_own_call_only() {
    let world = World::start(usual());
    let (mine, other) = (world.order(1, 0, &[("PLAY", "mine")]), world.order(2, 0, &[("PLAY", "other")]));
    let mut run = world.call("run", &other).await;
    run.answers(r#"STREAM FILE "other" "0123456789*#" "0""#, "200 result=0 endpos=1").await;
    run.closed().await;
    assert!(went(world.call("gate", &other).await).await);
    // More tickets behind the first one are only words.
    let both = [&*other.ticket.to_string(), &*mine.ticket.to_string()];
    Asterisk::call(world.address, "report", &both).await.closed().await;
    assert_eq!(world.facts(&mine), []);
    assert!(matches!(&world.facts(&other)[..], [Fact::Answered, Fact::Step(Step { .. }), Fact::Reported(_)]));
    let mut gate = world.call("gate", &mine).await;
    variables(&mut gate).await;
    assert!(went(gate).await, "it kept its one claim");
    assert_eq!(world.desk.claimed(), [other.attempt, mine.attempt]);
}

#[tokio::test]
async fn tickets_that_are_nearly_right_are_no_tickets() {
    let world = World::start(usual());
    let order = world.order(0x0a0b_0c0d, 0, &[]);
    let right = order.ticket.to_string();
    let mut guesses: Vec<String> = (0..right.len())
        .map(|place| {
            let digit = if &right[place..=place] == "f" { "e" } else { "f" };
            format!("{}{digit}{}", &right[..place], &right[place + 1..])
        })
        .collect();
    guesses.extend([right.to_uppercase(), format!("{right}0"), format!("{right}?x=1"), format!(" {right}")]);
    for guess in guesses {
        assert!(!went(Asterisk::call(world.address, "gate", &[&guess]).await).await, "{guess}");
    }
    assert_eq!((world.desk.claimed(), world.facts(&order)), (vec![], vec![]));
}
