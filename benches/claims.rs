//! Durable claims at the gate, from 1, 64 and 1,024 callers at once: group commit beside one commit each.
//!
//! Ours is the desk that the FastAGI server uses. The floor is the same claim, the same SQL and the same
//! `synchronous=FULL`, in a transaction of its own each, one after the other on one connection: callers that fight
//! for the lock with connections of their own are slower still.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use campanile::clock;
use campanile::domain::ids::AttemptId;
use campanile::ledger::Ledger;
use campanile::ledger::claims::claim;
use campanile_bench::desk::{self, RATE};
use campanile_bench::machine::{Machine, done, scratch};
use campanile_bench::{Goal, Rounds, median, quantile, shown, table, wall_clock};

/// Callers at once, and how many claims they make in all.
const CALLERS: [(usize, usize); 3] = [(1, 300), (64, 2_000), (1_024, 4_000)];
const ROUNDS: usize = 5;

/// What a round took: all of it, and each claim from its asking to its answer.
struct Round {
    wall: Duration,
    waits: Vec<Duration>,
}

fn ours(ledger: &Path, callers: usize, attempts: &[AttemptId]) -> Round {
    let desk = desk::open(ledger);
    let (answer, answers) = channel::<(Instant, bool)>();
    let ask = |attempt: &AttemptId| {
        let (asked, answer) = (wall_clock(), answer.clone());
        desk.claim(*attempt, move |verdict| {
            let _gone_when_done = answer.send((asked, matches!(verdict, Ok(Ok(_)))));
        });
    };
    let begun = wall_clock();
    let (first, rest) = attempts.split_at(callers.min(attempts.len()));
    first.iter().for_each(ask);
    let mut rest = rest.iter();
    let mut waits = Vec::with_capacity(attempts.len());
    for (asked, admitted) in answers.iter().take(attempts.len()) {
        assert!(admitted, "a claim was refused");
        waits.push(asked.elapsed());
        rest.next().into_iter().for_each(ask);
    }
    Round { wall: begun.elapsed(), waits }
}

fn floor(ledger: &Path, callers: usize, attempts: &[AttemptId]) -> Round {
    let mut connection = done(ledger, Ledger::open(ledger));
    let begun = wall_clock();
    // Whoever was answered stands in line again.
    let mut line: VecDeque<Instant> = (0..callers).map(|_| begun).collect();
    let mut waits = Vec::with_capacity(attempts.len());
    for attempt in attempts {
        let verdict = done(ledger, connection.write(|db| claim(db, *attempt, RATE, clock::now())));
        assert!(verdict.is_ok(), "a claim was refused: {verdict:?}");
        waits.extend(line.pop_front().map(|asked| asked.elapsed()));
        line.push_back(wall_clock());
    }
    Round { wall: begun.elapsed(), waits }
}

fn round(who: fn(&Path, usize, &[AttemptId]) -> Round, callers: usize, claims: usize) -> Round {
    let machine = Machine::fresh(&scratch().join("claims"));
    let file = machine.ledger();
    let attempts = desk::planned(&file, claims);
    who(&file, callers, &attempts)
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand claims")]
pub fn run() {
    let mut rows = Vec::new();
    for (callers, claims) in CALLERS {
        let mut rounds = Rounds::default();
        let mut p99 = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            let [ours, floor] = [round(ours, callers, claims), round(floor, callers, claims)];
            rounds.note(ours.wall, floor.wall);
            p99[0].push(quantile(ours.waits, 0.99));
            p99[1].push(quantile(floor.waits, 0.99));
        }
        let rate = |wall: Duration| format!("{:.0}", claims as f64 / wall.as_secs_f64());
        let [own, each] = p99.map(|p99| shown(median(p99)));
        // Alone there is nobody to share a commit with: the thread that writes must not cost much.
        let goal = if callers == 1 { Goal::AtMost(1.1) } else { Goal::AtMost(0.5) };
        let figures = [callers.to_string(), rate(rounds.floor()), rate(rounds.ours()), each, own];
        rows.push(figures.into_iter().chain(goal.cells(rounds.ratio())).collect());
    }
    let head = [
        "callers at once",
        "one commit each, claims/s",
        "group commit, claims/s",
        "one commit each, p99",
        "group commit, p99",
        "ratio of times",
        "goal",
        "",
    ];
    table("Durable claims at the gate", &head, &rows);
}
