//! Campanile in a simulated world: the real engine, ledger and FastAGI sessions; a simulated Asterisk,
//! callees, operators and disasters; one thread, virtual time, and one seed that decides everything.
//!
//! After each step the invariants I1 to I9 are held against what the callees saw. When the disasters
//! end, everything must come to rest. A seed that fails is shown with its trace, and can be run again
//! alone: `campanile-sim --from SEED --seeds 1`.

mod agi;
mod asterisk;
mod chance;
mod disk;
#[cfg(test)]
mod disk_tests;
mod folders;
mod lines;
mod lulls;
mod operators;
mod plagues;
mod record;
mod vfs;
mod world;

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Parser;

use world::World;

/// Seeds that failed once; every run begins with them.
const KNOWN: &str = include_str!("seeds");
/// The longest that a world may take to come to rest, in turns.
const REST_TURNS_MAX: u64 = 100_000;

#[derive(Debug, Parser)]
struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 500)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Turns with disasters, in each seed: a happening or a step of the engine.
    #[arg(long, default_value_t = 500)]
    turns: u64,
    /// Where seeds that fail are kept, so that every later run begins with them.
    #[arg(long)]
    keep: Option<PathBuf>,
}

/// What one seed came to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Ran {
    turns: u64,
    steps: u64,
    dials: u64,
    hash: u64,
}

fn main() -> ExitCode {
    vfs::install();
    // What fails is told with its seed and trace, once.
    std::panic::set_hook(Box::new(|_| {}));
    let arguments = Arguments::parse();
    let seeds: Vec<u64> = known().chain(arguments.from..arguments.from + arguments.seeds).collect();
    let next = AtomicUsize::new(0);
    let (total, failed) = (Mutex::new(Total::default()), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match run(*seed, arguments.turns) {
                        Ok(ran) => total.lock().unwrap().add(*seed, ran),
                        Err(told) => failed.lock().unwrap().push((*seed, told)),
                    }
                }
            });
        }
    });
    let (total, mut failed) = (total.into_inner().unwrap(), failed.into_inner().unwrap());
    failed.sort();
    for (seed, told) in failed.iter().take(5) {
        println!("seed {seed} failed: {told}");
    }
    println!(
        "{} seeds, {} failed; {} turns, {} steps of the engine, {} calls dialled; the longest, seed {}, took {} turns",
        seeds.len(),
        failed.len(),
        total.ran.turns,
        total.ran.steps,
        total.ran.dials,
        total.longest.1,
        total.longest.0
    );
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    let list: Vec<String> = failed.iter().map(|(seed, _)| seed.to_string()).collect();
    println!("failed: {}", list.join(" "));
    if let Some(file) = &arguments.keep {
        keep(file, &failed);
    }
    ExitCode::FAILURE
}

/// Adds those that are not kept yet, each with the first line of what it told.
fn keep(file: &Path, failed: &[(u64, String)]) {
    let known: BTreeSet<u64> = known().collect();
    let lines = failed.iter().filter(|(seed, _)| !known.contains(seed));
    let lines: String = lines.map(|(seed, told)| format!("{seed} {}\n", told.lines().next().unwrap_or(""))).collect();
    let kept = OpenOptions::new().append(true).open(file).and_then(|mut f| f.write_all(lines.as_bytes()));
    match kept {
        Ok(()) => println!("kept in {}: mend what they found, and commit them with it", file.display()),
        Err(error) => println!("cannot keep them in {}: {error}", file.display()),
    }
}

fn known() -> impl Iterator<Item = u64> {
    KNOWN.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok())
}

/// What all seeds came to.
#[derive(Debug, Default)]
struct Total {
    ran: Ran,
    /// The seed that took the most turns, and how many.
    longest: (u64, u64),
}

impl Total {
    fn add(&mut self, seed: u64, ran: Ran) {
        self.ran.turns += ran.turns;
        self.ran.steps += ran.steps;
        self.ran.dials += ran.dials;
        self.longest = self.longest.max((ran.turns, seed));
    }
}

/// Runs one seed; what was broken, and the last that happened, if it fails.
fn run(seed: u64, turns: u64) -> Result<Ran, String> {
    disk::format(seed);
    let mut world = World::new(seed);
    let ran = catch_unwind(AssertUnwindSafe(|| live(&mut world, turns)));
    ran.map_err(|broken| {
        let words = broken.downcast_ref::<String>().map(String::as_str).or(broken.downcast_ref::<&str>().copied());
        format!("{}\n{}", words.unwrap_or("a panic without words"), world.trace())
    })
}

fn live(world: &mut World, turns: u64) -> Ran {
    (0..turns).for_each(|_| world.turn());
    world.end_plagues();
    world.open_all();
    let mut rest = 0;
    while !world.is_settled() {
        for _ in 0..50 {
            world.turn();
        }
        rest += 50;
        assert!(rest < REST_TURNS_MAX, "it does not come to rest");
    }
    // What belongs to the last call, and the scan of the next tick.
    let end = world.mono_ms + (60 * i64::from(world.limits.cron_interval) + 60) * 1000;
    while world.mono_ms < end {
        world.turn();
    }
    world.check_end();
    let dials = world.record.dialled.len() as u64;
    Ran { turns: turns + rest, steps: world.steps, dials, hash: world.hash }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_is_one_world() {
        vfs::install();
        for seed in [3, 7] {
            assert_eq!(run(seed, 400).unwrap(), run(seed, 400).unwrap());
        }
    }
}
