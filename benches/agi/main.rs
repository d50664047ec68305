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
mod server;
mod session;

use std::sync::Arc;
use std::time::Duration;

use campanile::clock;
use campanile::domain::ids::Ticket;
use campanile_bench::{Rounds, goal, quantile, table, wall_clock};
use tokio::runtime::Runtime;

use client::{Heard, arrivals, at_their_time, environment, in_turn};
use hold::Held;
use orders::Orders;
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
/// Commands of every session here.
const COMMANDS: u32 = 4;

type Part = fn(&mut Bench);

const PARTS: [(&str, Part); 4] =
    [("processor", Bench::processor), ("latency", Bench::latency), ("memory", Bench::memory), ("crowd", Bench::crowd)];

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[1..] {
        ["floor"] => floor::serve(),
        ["session", log_config] => session::serve(log_config),
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
        runtime: Runtime::new().unwrap_or_else(|e| panic!("a runtime: {e}")),
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
    runtime: Runtime,
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

impl Bench {
    fn floor(&self) -> Server {
        Server::role("bare tokio", &["floor"])
    }

    /// Logs as the program does with this file.
    fn session(&self, log: &str) -> Server {
        Server::role("our sessions alone", &["session", &self.orders.folder.join(log).to_string_lossy()])
    }

    fn program(&self) -> Server {
        Server::program(&self.orders.folder)
    }

    /// The cost of a session in one round.
    fn round(&self, server: &Server, count: usize, work: impl FnOnce(&Runtime) -> Vec<Heard>) -> Cost {
        let (before, began) = (server.spent(), wall_clock());
        let heard = work(&self.runtime);
        let wall = began.elapsed();
        let after = server.spent();
        assert_eq!(heard.len(), count);
        let short = heard.iter().filter(|h| h.commands != COMMANDS).count();
        assert_eq!(short, 0, "{}: of {count} sessions this many were cut short", server.name);
        let sessions = u32::try_from(count).unwrap_or(1);
        let each = |of: fn(&Spent) -> Duration| (of(&after) - of(&before)) / sessions;
        let p99 = quantile(heard.iter().map(|h| h.took).collect(), 0.99);
        Cost { processor: each(|s| s.all), ledger: each(|s| s.ledger), wall: wall / sessions, p99 }
    }

    fn closed_loop(&self, server: &Server, environments: Vec<String>) -> Cost {
        self.round(server, environments.len(), |runtime| {
            runtime.block_on(in_turn(server.address, Arc::new(environments), AT_ONCE))
        })
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
        let calls: Vec<_> = at.zip(environments).collect();
        let cost = self.round(server, calls.len(), |runtime| at_their_time(runtime.handle(), server.address, calls));
        Cost { p99: cost.p99.saturating_sub(second), ..cost }
    }

    fn processor(&mut self) {
        let (floor, session, program) = (self.floor(), self.session("log4rs.yaml"), self.program());
        let quiet = self.session("quiet.yaml");
        let (mut rounds, mut costs) = (Rounds::default(), [const { Vec::new() }; 5]);
        for _ in 0..ROUNDS {
            let bare = self.closed_loop(&floor, strangers(SESSIONS));
            let ours = self.closed_loop(&session, strangers(SESSIONS));
            let quiet = self.closed_loop(&quiet, strangers(SESSIONS));
            let legs = self.legs(RECORDED);
            let legs = self.closed_loop(&program, legs);
            let gates = self.gates(&program, RECORDED, 1);
            rounds.note(ours.processor, bare.processor);
            for (costs, cost) in costs.iter_mut().zip([bare, quiet, ours, legs, gates]) {
                costs.push(cost);
            }
        }
        let names = [
            "bare tokio",
            "our sessions, orders in memory, no log",
            "our sessions, orders in memory",
            "campanile-agi, answered leg",
            "campanile-agi, gate",
        ];
        let rows: Vec<_> = names.into_iter().zip(&costs).map(|(name, costs)| row(name, costs)).collect();
        let head = ["server", "processor time a session, µs", "of it the ledger's threads", "sessions a second"];
        table(
            &format!("FastAGI: {AT_ONCE} sessions at once, {COMMANDS} commands each, median of {ROUNDS} rounds"),
            &head,
            &rows,
        );
        goal("processor time of a session beside bare tokio", rounds.ratio(), 1.15);
    }

    fn latency(&mut self) {
        let (floor, session, program) = (self.floor(), self.session("log4rs.yaml"), self.program());
        let legs = self.legs(5 * RECORDED);
        let mut rows = Vec::new();
        let mut judged = Duration::ZERO;
        for (server, environments) in [
            (&floor, strangers(SESSIONS)),
            (&session, strangers(SESSIONS)),
            (&program, legs),
            (&floor, strangers(SESSIONS)),
            (&session, strangers(SESSIONS)),
        ] {
            let calls = arrivals(environments.len(), ARRIVING).zip(environments).collect();
            let heard = at_their_time(self.runtime.handle(), server.address, calls);
            let took: Vec<_> = heard.iter().map(|h| h.took).collect();
            let [middle, p99, worst] = [0.5, 0.99, 1.0].map(|share| quantile(took.clone(), share));
            rows.push([vec![server.name.to_owned()], [middle, p99, worst].map(millis).to_vec()].concat());
            judged = if server.name == session.name { p99 } else { judged };
        }
        let head = ["server", "median, ms", "99th percentile, ms", "maximum, ms"];
        table(&format!("FastAGI: whole sessions, {ARRIVING} a second arriving at random"), &head, &rows);
        goal("99th percentile of whole sessions, ms", judged.as_secs_f64() * 1e3, 1.2);
    }

    fn memory(&mut self) {
        let (floor, program) = (self.floor(), self.program());
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
