//! How far a call starts from its planned instant, on real Asterisk 22: where the dialplan enters `Dial`.

use campanile_bench::{Goal, quantile, table};

use crate::harness::{Setup, Version};
use crate::world::{CALLEES, callee};

/// Starts a second, and how many are measured.
const RATES: [(u32, usize); 4] = [(1, 20), (10, 100), (50, 400), (100, 400)];

/// Starts a second at which the goal stands.
const GOAL_AT: u32 = 50;
const P99_MS_MAX: f64 = 10.0;

/// Milliseconds from the planned instant to `Dial`. The dialplan cuts its clock to milliseconds.
fn offsets(per_second: u32, calls: usize) -> Vec<i64> {
    let mut lab = Setup::new(Version::V22).calls_one_time(per_second * 60).start_alone();
    // Busy, rejected, no such number, congested: all of these end at once.
    let fates = ["1", "3", "4", "5"];
    let number = |i: usize| callee(&format!("{}{:02}", fates[i % fates.len()], i / fates.len()));
    let numbers: Vec<String> = (0..calls).map(number).collect();
    lab.campaign("pace", CALLEES, &["--retry-time", "3600"]).numbers(&numbers).actions(&["WAIT 1"]).start();
    lab.until("every number was called", 120, |lab| {
        lab.report("pace").iter().filter(|a| !a.disposition.is_empty()).count() >= calls
    });
    let dialled = lab.report("pace").into_iter().filter_map(|a| a.dialled_at.map(|at| at.since_ms(a.planned_at).abs()));
    dialled.collect()
}

pub fn run() {
    let mut rows = Vec::new();
    for (per_second, calls) in RATES {
        let off = offsets(per_second, calls);
        let [middle, p99, worst] = [0.5, 0.99, 1.0].map(|share| quantile(off.clone(), share));
        let missing = calls - off.len().min(calls);
        let row = [i64::from(per_second), i64::try_from(off.len()).unwrap_or_default(), middle, p99, worst];
        let goal = if per_second == GOAL_AT { Goal::AtMost(P99_MS_MAX) } else { Goal::None };
        #[expect(clippy::cast_precision_loss, reason = "milliseconds")]
        let [_, goal, met] = goal.cells(p99 as f64);
        let figures = row.iter().map(ToString::to_string).chain([missing.to_string()]);
        rows.push(figures.chain([goal, met]).collect());
    }
    let head =
        ["starts a second", "calls", "median, ms", "p99, ms", "maximum, ms", "refused as late", "goal for p99", ""];
    table("Off the planned instant at Dial, Asterisk 22", &head, &rows);
}
