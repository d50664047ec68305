//! End to end on real Asterisk 22: calls with every outcome recorded, beside the same Asterisk fed bare call files.
//!
//! Three ways to make the same calls to the same Local callees, never more than [`AT_ONCE`] at a time, in turn in one
//! Asterisk:
//!
//! * ours: a campaign; dialling leg with gate and report, answered leg with the action list;
//! * the same legs: a loop that writes call files to a dialplan that only dials. Asterisk has the channels of ours to
//!   work for, and nobody to ask: what is between the two is the price of being asked;
//! * bare: a loop that writes call files straight to the callee. Two channels less for each call, no gate, no cause.
//!
//! Rates by the clock depend on what else the machine does; calls for a second of Asterisk's processor time do not.

use std::fs;
use std::path::Path;
use std::time::Duration;

use campanile::clock;
use campanile_bench::{Goal, cost, median, table};
use nix::unistd::{Gid, Uid, chown};

use crate::harness::{Lab, Program, Setup, Version};
use crate::world::{CALLEES, callee};

/// Calls of a round.
const CALLS: usize = 400;
/// As many calls at once, in each way.
const AT_ONCE: usize = 40;
const ROUNDS: usize = 3;
const RATE_GOAL: Goal = Goal::AtLeast(0.9);

/// What a round took.
#[derive(Debug, Clone, Copy)]
struct Round {
    wall: Duration,
    asterisk: Duration,
    serve: Duration,
    agi: Duration,
}

/// A quarter each: answers and is left after a second, is busy, rejects, answers and leaves within ten seconds.
fn numbers() -> Vec<String> {
    let fates = ["0", "1", "3", "7"];
    (0..CALLS).map(|i| callee(&format!("{}{:02}", fates[i % fates.len()], i / fates.len()))).collect()
}

fn measure(lab: &mut Lab, work: impl FnOnce(&mut Lab)) -> Round {
    let programs = [Program::Asterisk, Program::Serve, Program::Agi];
    let before = programs.map(|program| lab.processor_time(program));
    let (took, ()) = cost(|| work(lab));
    let mut spent = programs.map(|program| lab.processor_time(program));
    for (spent, before) in spent.iter_mut().zip(before) {
        *spent -= before;
    }
    let [asterisk, serve, agi] = spent;
    Round { wall: took.wall, asterisk, serve, agi }
}

fn ours(lab: &mut Lab, name: &str, numbers: &[String]) {
    let at_once = AT_ONCE.to_string();
    lab.campaign(name, CALLEES, &["--channels", &at_once]).numbers(numbers).actions(&["WAIT 1"]).start();
    lab.until_completed(name, 300);
    let report = lab.report(name);
    let open = report.iter().filter(|a| a.disposition.is_empty() || a.disposition == "not_dialled").count();
    assert_eq!((report.len() - open, open), (CALLS, 0), "every call was made once and has its outcome");
}

/// The loop without a companion: as many files in the spool as calls are allowed at once.
fn bare(lab: &mut Lab, channel: &str, numbers: &[String]) {
    let spool = Path::new(lab.path()).join("spool");
    let staging = spool.join("campanile");
    let before = lab.callees().len();
    for (i, number) in numbers.iter().enumerate() {
        while lab.outgoing().len() >= AT_ONCE {
            std::thread::sleep(Duration::from_millis(1));
        }
        let text =
            format!("Channel: {}\nApplication: Wait\nData: 1\nWaitTime: 30\n", channel.replace("{number}", number));
        let (file, name) = (staging.join("bare"), format!("bare-{i}.call"));
        let written = fs::write(&file, text).and_then(|()| Ok(chown(&file, owner(lab).0, owner(lab).1)?));
        written.and_then(|()| fs::rename(&file, spool.join("outgoing").join(name))).unwrap_or_else(|e| panic!("{e}"));
    }
    lab.until("all bare calls have ended", 60, |lab| lab.outgoing().is_empty());
    assert_eq!(lab.callees().len() - before, CALLS, "every call was made once");
}

fn owner(lab: &Lab) -> (Option<Uid>, Option<Gid>) {
    let uid = lab.read("uid").trim().parse().unwrap_or_else(|e| panic!("uid: {e}"));
    (Some(Uid::from_raw(uid)), Some(Gid::from_raw(uid)))
}

/// The lab logs each step of the dialplan, which no Asterisk does as it is installed: it would pay for ours most.
fn log_as_installed(lab: &Lab) {
    let file = lab.folder().join("etc/logger.conf");
    let kept: Vec<_> =
        lab.read("etc/logger.conf").lines().filter(|line| !line.contains("verbose")).map(str::to_owned).collect();
    fs::write(&file, kept.join("\n") + "\n").unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    lab.asterisk_cli("logger reload");
}

pub fn run() {
    let began_at = clock::now();
    let mut lab = Setup::new(Version::V22).calls_one_time(12_000).start_alone();
    log_as_installed(&lab);
    let numbers = numbers();
    let mut ways: [Vec<Round>; 3] = Default::default();
    for round in 0..ROUNDS {
        let name = format!("round{round}");
        ways[0].push(measure(&mut lab, |lab| ours(lab, &name, &numbers)));
        ways[1].push(measure(&mut lab, |lab| bare(lab, "Local/{number}@bare-dial/n", &numbers)));
        ways[2].push(measure(&mut lab, |lab| bare(lab, "Local/{number}@callees/n", &numbers)));
    }
    print(&ways);
    println!("\n{} s in all", clock::now().since_ms(began_at) / 1_000);
}

fn middle(rounds: &[Round], of: impl Fn(&Round) -> Duration) -> f64 {
    median(rounds.iter().map(of).collect()).as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred calls")]
fn print(ways: &[Vec<Round>; 3]) {
    let calls = CALLS as f64;
    let per_call = |seconds: f64| format!("{:.2}", seconds / calls * 1_000.0);
    let row = |(name, rounds): (&str, &Vec<Round>)| {
        let asterisk = middle(rounds, |r| r.asterisk);
        let rates = [middle(rounds, |r| r.wall), asterisk].map(|seconds| format!("{:.0}", calls / seconds));
        let times = [asterisk, middle(rounds, |r| r.serve), middle(rounds, |r| r.agi)].map(per_call);
        [name.to_owned()].into_iter().chain(rates).chain(times).collect()
    };
    let names = ["Campanile", "the same legs, nobody asked", "bare call files"];
    let rows: Vec<_> = names.into_iter().zip(ways).map(row).collect();
    let head = [
        "way",
        "calls/s",
        "calls for a second of Asterisk's processor",
        "Asterisk, ms a call",
        "campanile serve, ms a call",
        "campanile-agi, ms a call",
    ];
    table(&format!("{CALLS} calls, {AT_ONCE} at once, Asterisk 22, median of {ROUNDS} rounds"), &head, &rows);
    let asterisk = ways.each_ref().map(|rounds| middle(rounds, |r| r.asterisk));
    let own = middle(&ways[0], |r| r.serve + r.agi);
    let judged = |what: &str, floor: f64, ours: f64, ratio: f64, goal: Goal| {
        let times = [what.to_owned(), per_call(floor), per_call(ours)];
        times.into_iter().chain(goal.cells(ratio)).collect::<Vec<String>>()
    };
    let rate = |floor: f64| floor / asterisk[0];
    let rows = [
        judged("calls for Asterisk's work, of the same legs", asterisk[1], asterisk[0], rate(asterisk[1]), RATE_GOAL),
        judged("calls for Asterisk's work, of bare", asterisk[2], asterisk[0], rate(asterisk[2]), RATE_GOAL),
        judged("Campanile's work, of Asterisk's", asterisk[0], own, own / asterisk[0], Goal::AtMost(0.1)),
    ];
    table("What it costs to be asked", &["", "floor, ms a call", "ours, ms a call", "ratio", "goal", ""], &rows);
}
