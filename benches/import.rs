//! `campanile numbers import` beside `sqlite3 .import` of the same file into a table with a unique index.
//!
//! `NUMBERS` says how many (a million); `make release` comes before, `sqlite3` must be installed.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use campanile_bench::{Rounds, cost, goal, table};
use nix::sys::resource::{UsageWho, getrusage};

const ROUNDS: usize = 3;
const MIB: f64 = 1024.0;

/// What a program took.
struct Took {
    wall: Duration,
    processor: Duration,
    peak_kib: u64,
}

fn main() {
    let count: u64 =
        std::env::var("NUMBERS").map_or(1_000_000, |n| n.parse().unwrap_or_else(|e| panic!("NUMBERS: {e}")));
    let root = std::env::temp_dir().join(format!("campanile-bench-import-{}", std::process::id()));
    let mut rounds = Rounds::default();
    let (mut rows, mut peak) = (Vec::new(), 0);
    for round in 1..=ROUNDS {
        fresh_machine(&root);
        let file = root.join("numbers.csv");
        write_numbers(&file, count);
        let floor = measured(sqlite3(&root, &file));
        let ours = measured(campanile(&root).args(["numbers", "import", "spring"]).arg(&file));
        rounds.note(ours.wall, floor.wall);
        peak = peak.max(ours.peak_kib);
        rows.extend([row(round, "sqlite3", &floor), row(round, "campanile", &ours)]);
    }
    fs::remove_dir_all(&root).unwrap_or_else(|e| panic!("{}: {e}", root.display()));
    table(&format!("Import of {count} numbers"), &["round", "program", "time", "processor", "peak memory"], &rows);
    goal("time beside sqlite3", rounds.ratio(), 0.6);
    #[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
    goal("MiB of memory", peak as f64 / MIB, 64.0);
}

fn row(round: usize, program: &str, took: &Took) -> Vec<String> {
    let seconds = |d: Duration| format!("{:.2} s", d.as_secs_f64());
    let memory = format!("{} MiB", took.peak_kib / 1024);
    vec![round.to_string(), program.to_owned(), seconds(took.wall), seconds(took.processor), memory]
}

/// Numbers that are all different, in an order that looks random.
fn write_numbers(file: &Path, count: u64) {
    let mut text = String::from("name,phone\n");
    for n in 0..count {
        // A multiplication by an odd number that is no multiple of 5 only shuffles the residues of a power of ten.
        let number = n * 618_033_989 % 1_000_000_000;
        let _ = writeln!(text, "Customer {n},+4930{number:09}");
    }
    fs::write(file, text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
}

fn fresh_machine(root: &Path) {
    let _ = fs::remove_dir_all(root);
    for folder in ["state", "spool/outgoing", "spool/outgoing_done", "run"] {
        fs::create_dir_all(root.join(folder)).unwrap_or_else(|e| panic!("{folder}: {e}"));
    }
    let at = root.display();
    let conf = format!(
        "state_dir = {at}/state\nspool_dir = {at}/spool\nasterisk_run_dir = {at}/run\ntime_zone = UTC\ncountry = DE\n"
    );
    fs::write(root.join("campanile.conf"), conf).unwrap_or_else(|e| panic!("campanile.conf: {e}"));
    measured(campanile(root).args(["trunk", "add", "gw1", "--dial", "PJSIP/{number}@gw1"]));
    measured(campanile(root).args(["campaign", "add", "spring", "--trunk", "gw1"]));
}

fn campanile(root: &Path) -> Command {
    let program = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/release/campanile"));
    let mut command = Command::new(program);
    command.arg("--config").arg(root.join("campanile.conf"));
    command
}

fn sqlite3(root: &Path, file: &Path) -> Command {
    let mut command = Command::new("sqlite3");
    command.arg(root.join("floor.db")).arg("CREATE TABLE c (name TEXT, phone TEXT, UNIQUE (phone));");
    command.arg(".mode csv").arg(format!(".import {} c", file.display()));
    command
}

fn measured(mut command: impl std::borrow::BorrowMut<Command>) -> Took {
    let command = command.borrow_mut().stdout(Stdio::null()).stderr(Stdio::null());
    let before = children_processor();
    let (cost, peak_kib) = cost(|| {
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}; type make release first"));
        watched(&mut child)
    });
    Took { wall: cost.wall, processor: children_processor().saturating_sub(before), peak_kib }
}

/// Waits for a program; its peak of memory in KiB as the kernel last told it.
fn watched(child: &mut Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let told = fs::read_to_string(&status).unwrap_or_default();
        let line = told.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|l| l.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(peak);
        match child.try_wait() {
            Ok(None) => std::thread::sleep(Duration::from_millis(10)),
            Ok(Some(status)) if status.success() => return peak,
            ended => panic!("a program failed: {ended:?}"),
        }
    }
}

fn children_processor() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap_or_else(|e| panic!("getrusage: {e}"));
    let micros = |t: nix::sys::time::TimeVal| u64::try_from(t.tv_sec() * 1_000_000 + t.tv_usec()).unwrap_or_default();
    Duration::from_micros(micros(usage.user_time()) + micros(usage.system_time()))
}
