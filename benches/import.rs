//! `campanile numbers import` beside `sqlite3 .import` of the same file into a table with a unique index, and what
//! claims at the gate wait while an import runs.
//!
//! `NUMBERS` says how many (a million); `make release` comes before, `sqlite3` must be installed.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use campanile_bench::desk;
use campanile_bench::machine::{CAMPAIGN, Machine, Took, done, measured, scratch, write_numbers};
use campanile_bench::{Goal, Rounds, quantile, shown, table, wall_clock};

const ROUNDS: usize = 3;
const MIB: f64 = 1024.0;
/// Between two claims.
const CLAIM_EVERY: Duration = Duration::from_millis(20);
/// Claims without an import, and the most that are made beside one.
const CLAIMS: usize = 500;
const CLAIMS_MAX: usize = 6_000;

pub fn run() {
    let count: u64 =
        std::env::var("NUMBERS").map_or(1_000_000, |n| n.parse().unwrap_or_else(|e| panic!("NUMBERS: {e}")));
    let machine = Machine::fresh(&scratch().join("import"));
    let file = machine.path("numbers.csv");
    write_numbers(&file, count);
    let numbers = scratch().join("numbers.csv");
    done(&file, std::fs::rename(&file, &numbers));
    beside_sqlite3(count, &numbers);
    beside_claims(count, &numbers);
    done(&numbers, std::fs::remove_file(&numbers));
}

fn beside_sqlite3(count: u64, numbers: &Path) {
    let mut rounds = Rounds::default();
    let mut rows = Vec::new();
    for round in 1..=ROUNDS {
        let machine = Machine::fresh(&scratch().join("import"));
        let floor = measured(sqlite3(&machine.path("floor.db"), numbers));
        let ours = measured(machine.campanile(&["numbers", "import", CAMPAIGN, &numbers.display().to_string()]));
        rounds.note(ours.wall, floor.wall);
        rows.push(row(round, &floor, &ours));
    }
    let head = [
        "round",
        "sqlite3",
        "processor",
        "campanile",
        "processor",
        "ratio",
        "goal",
        "",
        "peak memory, MiB",
        "goal",
        "",
    ];
    table(&format!("Import of {count} numbers"), &head, &rows);
    println!("\nmedian ratio {:.2}", rounds.ratio());
}

fn row(round: usize, floor: &Took, ours: &Took) -> Vec<String> {
    let times = [floor.wall, floor.processor, ours.wall, ours.processor].map(shown);
    let ratio = Goal::AtMost(0.6).cells(ours.wall.as_secs_f64() / floor.wall.as_secs_f64());
    #[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
    let memory = Goal::AtMost(64.0).cells(ours.peak_kib as f64 / MIB);
    [round.to_string()].into_iter().chain(times).chain(ratio).chain(memory).collect()
}

fn sqlite3(ledger: &Path, numbers: &Path) -> Command {
    let mut command = Command::new("sqlite3");
    command.arg(ledger).arg("CREATE TABLE c (name TEXT, phone TEXT, UNIQUE (phone));");
    command.arg(".mode csv").arg(format!(".import {} c", numbers.display()));
    command
}

/// Claims fifty times a second, alone and then until an import has ended.
fn beside_claims(count: u64, numbers: &Path) {
    let machine = Machine::fresh(&scratch().join("import"));
    let ledger = machine.ledger();
    let mut attempts = desk::planned(&ledger, CLAIMS + CLAIMS_MAX).into_iter();
    let desk = desk::open(&ledger);
    let mut claim = || {
        std::thread::sleep(CLAIM_EVERY);
        attempts.next().map(|attempt| desk::claimed(&desk, attempt))
    };
    let alone: Vec<Duration> = (0..CLAIMS).map_while(|_| claim()).collect();
    let mut import = machine.campanile(&["numbers", "import", CAMPAIGN, &numbers.display().to_string()]);
    let begun = wall_clock();
    let mut import = done(numbers, import.stdout(Stdio::null()).stderr(Stdio::null()).spawn());
    let mut beside = Vec::new();
    let ended = loop {
        if let Some(ended) = done(numbers, import.try_wait()) {
            break ended;
        }
        // Whoever imports for longer than there are claims is only waited for.
        beside.extend(claim());
    };
    let took = begun.elapsed();
    assert!(ended.success(), "the import failed: {ended}");
    let row = |name: &str, waits: &[Duration]| -> Vec<String> {
        let [middle, p99, worst] = [0.5, 0.99, 1.0].map(|share| shown(quantile(waits.to_vec(), share)));
        // The gate begins to claim 100 ms before the planned instant; a claim may take a small part of that.
        let goal = Goal::AtMost(15.0).cells(quantile(waits.to_vec(), 0.99).as_secs_f64() * 1e3);
        let figures = [name.to_owned(), waits.len().to_string(), middle, p99, worst];
        figures.into_iter().chain(goal.into_iter().skip(1)).collect()
    };
    let rows = [row("alone", &alone), row(&format!("while {count} numbers come in, {}", shown(took)), &beside)];
    table(
        "A claim at the gate, fifty a second",
        &["", "claims", "median", "p99", "maximum", "goal for p99, ms", ""],
        &rows,
    );
}
