//! The benches, by name: `campanile-bench plan publish`; all of them without a name. `make bench` builds it first.

mod calls;
mod claims;
mod import;
mod plan;
mod precision;
mod publish;

#[path = "../tests/lab/harness.rs"]
#[expect(dead_code, clippy::unwrap_used, clippy::expect_used, reason = "the tests' harness: they use all of it")]
mod harness;
#[path = "../tests/lab/process.rs"]
#[expect(clippy::unwrap_used, clippy::expect_used, reason = "the tests' harness: they use all of it")]
mod process;
#[path = "../tests/lab/world.rs"]
#[expect(dead_code, clippy::unwrap_used, clippy::expect_used, reason = "the tests' harness: they use all of it")]
mod world;

/// In the order of what they leave behind: those that fill a disk come last.
const BENCHES: [(&str, fn()); 7] = [
    ("agi", agi),
    ("precision", precision::run),
    ("calls", calls::run),
    ("claims", claims::run),
    ("publish", publish::run),
    ("plan", plan::run),
    ("import", import::run),
];

/// A program of its own: it plays the servers beside ours itself.
fn agi() {
    let this = std::env::current_exe().unwrap_or_else(|e| panic!("this program: {e}"));
    let program = this.with_file_name("campanile-bench-agi");
    let ended = std::process::Command::new(&program).status();
    let ended = ended.unwrap_or_else(|e| panic!("{}: {e}", program.display()));
    assert!(ended.success(), "the bench of FastAGI ended with {ended}");
}

fn main() {
    let named: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = named.iter().find(|name| !BENCHES.iter().any(|(known, _)| known == name)) {
        eprintln!("no bench `{unknown}`; there are {}", BENCHES.map(|(name, _)| name).join(", "));
        std::process::exit(64);
    }
    for (name, run) in BENCHES {
        if named.is_empty() || named.iter().any(|wanted| wanted == name) {
            run();
        }
    }
}
