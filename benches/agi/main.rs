//! FastAGI: what a session costs, beside a bare tokio server that says as many lines and judges nothing.
//!
//! Four servers, each in a process of its own: the floor; our server with its orders in memory (the sessions
//! alone); and `campanile-agi` of `make release` with a real ledger on disk, for answered legs and for gates.
//! Only what the servers spend is counted. `TMPDIR` says where the ledger lies; a word such as `processor`,
//! `latency`, `memory` or `crowd` behind `--` measures that alone.

mod client;
mod floor;
mod hold;
mod orders;
mod processors;
mod server;
mod session;

use std::time::Duration;

use campanile::clock;
use campanile::domain::ids::Ticket;
use campanile_bench::{Rounds, goal, quantile, table, wall_clock};

use client::{Call, Heard, arrivals, at_their_time, environment, in_turn};
use hold::Held;
use orders::Orders;
use processors::{Place, Processors};
use server::{Server, Spent};

const ROUNDS: usize = 5;
/// Sessions of a round, for those without a ledger.
const SESSIONS: usize = 10_000;
/// Sessions of a round that write to the disk.
const RECORDED: u32 = 2_000;
const AT_ONCE: usize = 64;
/// Sessions a second that arrive at random.
const ARRIVING: f64 = 1_000.0;
/// Sessions that are held for the figure of memory.
const IDLE: u32 = 10_000;
/// The limit of this machine is 20,000 files.
const CROWD: u32 = 19_500;
/// Commands of every session but a gate.
const COMMANDS: u32 = 4;
/// Of a gate: the number to show, and whom to dial.
const GATE_COMMANDS: u32 = 2;

const PROGRAM: &str = "campanile-agi, answered leg, on any processor";

type Part = fn(&mut Bench);

const PARTS: [(&str, Part); 4] =
    [("processor", Bench::processor), ("latency", Bench::latency), ("memory", Bench::memory), ("crowd", Bench::crowd)];

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[1..] {
        ["floor"] => floor::serve(),
        ["floor-on-one"] => floor::serve_on_one(),
        ["session", log_config] => session::serve(log_config),
        // For a profiler that has one of the servers above in its hands.
        [how @ ("call" | "arrive"), server, count] => {
            let server = server.parse().unwrap_or_else(|e| panic!("{server}: {e}"));
            let count = count.parse().unwrap_or_else(|e| panic!("{count}: {e}"));
            let heard = match *how {
                "call" => in_turn(server, strangers(count), AT_ONCE),
                _ => at_their_time(server, at_random(strangers(count))),
            };
            println!("{:?}", Delay::of(&heard));
            Ok(())
        }
        ["hold", server] => hold::hold(server.parse().unwrap_or_else(|e| panic!("{server}: {e}"))),
        ["renew", server, count] => {
            let number = |e| panic!("{count}: {e}");
            hold::renew(
                server.parse().unwrap_or_else(|e| panic!("{server}: {e}")),
                count.parse().unwrap_or_else(number),
            )
        }
        words => {
            measure(&words.iter().copied().filter(|word| *word != "--bench").collect::<Vec<_>>());
            Ok(())
        }
    }
}

fn measure(only: &[&str]) {
    server::open_files().unwrap_or_else(|e| panic!("open files: {e}"));
    let folder = tempfile::tempdir().unwrap_or_else(|e| panic!("a folder: {e}"));
    let mut bench = Bench {
        processors: Processors::keep_first().unwrap_or_else(|e| panic!("processors: {e}")),
        orders: Orders::new(folder.path().to_owned(), &session::actions()),
    };
    let asked = |name: &str| only.is_empty() || only.contains(&name);
    for (name, part) in PARTS {
        if asked(name) {
            part(&mut bench);
        }
    }
}

struct Bench {
    processors: Processors,
    orders: Orders,
}

/// What a round cost its server.
#[derive(Debug, Clone, Copy)]
struct Cost {
    processor: Duration,
    ledger: Duration,
    wall: Duration,
    /// The 99th percentile of a whole session.
    p99: Duration,
}

/// How long the sessions of a round took.
#[derive(Debug, Clone, Copy)]
struct Delay {
    median: Duration,
    p99: Duration,
    worst: Duration,
    /// Without this side's own delay.
    p99_connected: Duration,
}

impl Delay {
    fn of(heard: &[Heard]) -> Self {
        let took = |share| quantile(heard.iter().map(|h| h.took).collect(), share);
        let p99_connected = quantile(heard.iter().map(|h| h.spoke).collect(), 0.99);
        Self { median: took(0.5), p99: took(0.99), worst: took(1.0), p99_connected }
    }

    fn row(name: &str, rounds: &[Self]) -> Vec<String> {
        let middle = |of: fn(&Self) -> Duration| millis(campanile_bench::median(rounds.iter().map(of).collect()));
        let best = rounds.iter().map(|d| d.p99).min().unwrap_or_default();
        let (p99, worst) = (middle(|d| d.p99), middle(|d| d.worst));
        vec![name.to_owned(), middle(|d| d.median), p99, millis(best), worst, middle(|d| d.p99_connected)]
    }
}

impl Bench {
    fn floor(&self, place: Place) -> Server {
        Server::role(&self.processors, place, "bare tokio", &["floor"])
    }

    fn floor_on_one(&self, place: Place) -> Server {
        Server::role(&self.processors, place, "bare tokio on one thread", &["floor-on-one"])
    }

    /// Logs as the program does with this file.
    fn session(&self, place: Place, log: &str) -> Server {
        let log = self.orders.folder.join(log);
        Server::role(&self.processors, place, "our sessions", &["session", &log.to_string_lossy()])
    }

    fn program(&self) -> Server {
        Server::program(&self.processors, &self.orders.folder)
    }

    /// The cost of a session in one round.
    fn round(&self, server: &Server, (count, commands): (usize, u32), work: impl FnOnce() -> Vec<Heard>) -> Cost {
        let (before, began) = (server.spent(), wall_clock());
        let heard = work();
        let wall = began.elapsed();
        let after = server.spent();
        assert_eq!(heard.len(), count);
        let short = heard.iter().filter(|h| h.commands != commands).count();
        assert_eq!(short, 0, "{}: of {count} sessions this many were cut short", server.name);
        let sessions = u32::try_from(count).unwrap_or(1);
        let each = |of: fn(&Spent) -> Duration| (of(&after) - of(&before)) / sessions;
        let p99 = quantile(heard.iter().map(|h| h.took).collect(), 0.99);
        Cost { processor: each(|s| s.all), ledger: each(|s| s.ledger), wall: wall / sessions, p99 }
    }

    fn closed_loop(&self, server: &Server, environments: Vec<String>) -> Cost {
        self.round(server, (environments.len(), COMMANDS), || in_turn(server.address, environments, AT_ONCE))
    }

    /// Answered legs in the ledger.
    fn legs(&mut self, count: u32) -> Vec<String> {
        said("run", &self.orders.prepare(count, clock::now(), 1))
    }

    /// Gates, one `every_ms`, each called a second before its instant as Asterisk does; the session's
    /// time counts from its instant.
    fn gates(&mut self, server: &Server, count: u32, every_ms: u32) -> Cost {
        let second = Duration::from_secs(1);
        let begin = wall_clock();
        let first_at = clock::now().plus_ms(2_500);
        let environments = said("gate", &self.orders.prepare(count, first_at, every_ms));
        let first = (second * 3 / 2).checked_sub(begin.elapsed()).unwrap_or_else(|| panic!("the disk is too slow"));
        let at = (0..count).map(|n| first + Duration::from_millis((n * every_ms).into()));
        let calls: Vec<_> = at.zip(environments).map(|(at, environment)| Call { at, environment }).collect();
        let cost = self.round(server, (calls.len(), GATE_COMMANDS), || at_their_time(server.address, calls));
        Cost { p99: cost.p99.saturating_sub(second), ..cost }
    }

    fn processor(&mut self) {
        let (floor, on_one) = (self.floor(Place::Apart), self.floor_on_one(Place::Apart));
        let (session, quiet) = (self.session(Place::Apart, "log4rs.yaml"), self.session(Place::Apart, "quiet.yaml"));
        let (free, program) = (self.floor(Place::Anywhere), self.program());
        let (mut rounds, mut stricter, mut costs) = (Rounds::default(), Rounds::default(), [const { Vec::new() }; 7]);
        for _ in 0..ROUNDS {
            let [free, bare, one, ours, quiet] =
                [&free, &floor, &on_one, &session, &quiet].map(|server| self.closed_loop(server, strangers(SESSIONS)));
            let legs = self.legs(RECORDED);
            let legs = self.closed_loop(&program, legs);
            let gates = self.gates(&program, RECORDED, 1);
            rounds.note(ours.processor, bare.processor);
            stricter.note(ours.processor, one.processor);
            for (costs, cost) in costs.iter_mut().zip([free, bare, one, quiet, ours, legs, gates]) {
                costs.push(cost);
            }
        }
        let names = [
            "bare tokio, on any processor",
            "bare tokio",
            "bare tokio on one thread",
            "our sessions, no log",
            "our sessions, with their log",
            PROGRAM,
            "campanile-agi, gate, on any processor",
        ];
        let rows: Vec<_> = names.into_iter().zip(&costs).map(|(name, costs)| row(name, costs)).collect();
        let head = ["server", "processor time a session, µs", "of it the ledger's threads", "sessions a second"];
        table(
            &format!("FastAGI: {AT_ONCE} sessions at once, {COMMANDS} commands each, median of {ROUNDS} rounds"),
            &head,
            &rows,
        );
        goal("processor time of a session beside bare tokio", rounds.ratio(), 1.15);
        println!("beside bare tokio on one thread: {:.2}", stricter.ratio());
    }

    fn latency(&mut self) {
        let servers = [
            ("bare tokio", self.floor(Place::Apart)),
            ("bare tokio on one thread", self.floor_on_one(Place::Apart)),
            ("our sessions, no log", self.session(Place::Apart, "quiet.yaml")),
            ("our sessions, with their log", self.session(Place::Apart, "log4rs.yaml")),
            ("bare tokio, on any processor", self.floor(Place::Anywhere)),
            ("our sessions, on any processor", self.session(Place::Anywhere, "log4rs.yaml")),
            (PROGRAM, self.program()),
        ];
        let mut delays = [const { Vec::new() }; 7];
        for _ in 0..ROUNDS {
            for ((name, server), delays) in servers.iter().zip(&mut delays) {
                let environments = match *name {
                    // All at once: a round of its own would begin with the ledger's work on new orders.
                    PROGRAM if !delays.is_empty() => continue,
                    PROGRAM => self.legs(5 * RECORDED),
                    _ => strangers(RECORDED as usize),
                };
                delays.push(Delay::of(&at_their_time(server.address, at_random(environments))));
            }
        }
        let rows: Vec<_> = servers.iter().zip(&delays).map(|((name, _), delays)| Delay::row(name, delays)).collect();
        let head = [
            "server",
            "median, ms",
            "99th percentile, ms",
            "the best round's",
            "maximum, ms",
            "99th percentile from the connect, ms",
        ];
        table(
            &format!("FastAGI: whole sessions, {ARRIVING} a second arriving at random, median of {ROUNDS} rounds"),
            &head,
            &rows,
        );
        let p99 = |place: usize| campanile_bench::median(delays[place].iter().map(|d: &Delay| d.p99).collect());
        goal("99th percentile of whole sessions, ms", p99(3).as_secs_f64() * 1e3, 1.2);
        println!("beside bare tokio: {:.2}", p99(3).as_secs_f64() / p99(0).as_secs_f64());
    }

    fn memory(&mut self) {
        let (floor, program) = (self.floor(Place::Anywhere), self.program());
        let mut rows = Vec::new();
        let mut judged = 0.0;
        for (server, environments) in [(&floor, strangers(IDLE as usize)), (&program, self.legs(IDLE))] {
            let before = server.memory();
            let held = Held::new(server.address, &environments);
            let after = server.memory();
            drop(held);
            let each = |before: u64, after: u64| (after.saturating_sub(before)) as f64 / f64::from(IDLE);
            let (rss, pss) = (each(before.rss, after.rss), each(before.pss, after.pss));
            rows.push(vec![
                server.name.to_owned(),
                format!("{rss:.2}"),
                format!("{pss:.2}"),
                before.rss.to_string(),
                after.rss.to_string(),
            ]);
            judged = rss;
        }
        let head = ["server", "RSS a session, KiB", "PSS a session, KiB", "RSS before, KiB", "RSS with all, KiB"];
        table(&format!("FastAGI: {IDLE} idle sessions"), &head, &rows);
        goal("KiB of memory for an idle session", judged, 6.0);
    }

    /// Real calls among as many connections as the machine allows.
    fn crowd(&mut self) {
        let program = self.program();
        let quiet = self.gates(&program, RECORDED, 1);
        let renewing = Held::renewing(program.address, CROWD as usize + 500);
        let among_renewing = self.gates(&program, RECORDED, 1);
        drop(renewing);
        drop(program);
        let program = self.program();
        let legs = self.legs(CROWD);
        let before = program.memory();
        let held = Held::new(program.address, &legs);
        let memory = program.memory();
        // The machine has room for some hundred more, and each is there for a second.
        let among_held = self.gates(&program, RECORDED / 10, 20);
        drop(held);
        let row = |meanwhile: String, gates: Cost| vec![meanwhile, millis(gates.p99), micros(gates.processor)];
        let rows = [
            row("nothing".to_owned(), quiet),
            row(format!("{} silent connections that come again at once", CROWD + 500), among_renewing),
            row(
                format!("{CROWD} answered legs held ({} MiB), fifty gates a second", (memory.rss - before.rss) / 1024),
                among_held,
            ),
        ];
        let head = ["meanwhile", "99th percentile behind the instant, ms", "processor time a gate, µs"];
        table("FastAGI: gates, a thousand a second unless said otherwise, every one admitted", &head, &rows);
    }
}

fn said(script: &str, tickets: &[Ticket]) -> Vec<String> {
    tickets.iter().map(|ticket| environment(script, &ticket.to_string())).collect()
}

/// Answered legs for servers that look nothing up.
fn strangers(count: usize) -> Vec<String> {
    vec![environment("run", &"5a".repeat(16)); count]
}

fn at_random(environments: Vec<String>) -> Vec<Call> {
    let at = arrivals(environments.len(), ARRIVING);
    at.zip(environments).map(|(at, environment)| Call { at, environment }).collect()
}

fn row(name: &str, costs: &[Cost]) -> Vec<String> {
    let median = |of: fn(&Cost) -> Duration| campanile_bench::median(costs.iter().map(of).collect());
    let per_second = 1.0 / median(|c| c.wall).as_secs_f64();
    vec![name.to_owned(), micros(median(|c| c.processor)), micros(median(|c| c.ledger)), format!("{per_second:.0}")]
}

fn micros(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e6)
}

fn millis(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e3)
}
