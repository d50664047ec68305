//! Calls are spread evenly: measured where the dialplan enters `Dial`.

use crate::harness::{Setup, Version};
use crate::world::{CALLEES, callee};

on_both!(a_hundred_calls_at_600_a_minute_lie_on_the_grid_i6);

const CALLS: usize = 100;
/// 600 calls a minute.
const SPACING_MS: i64 = 100;
/// Far more than it takes: other work on the machine must not fail the test. The figure is what it prints.
const P99_MS_MAX: i64 = 250;

fn a_hundred_calls_at_600_a_minute_lie_on_the_grid_i6(version: Version) {
    let mut lab = Setup::new(version).start_alone();
    let numbers: Vec<String> = (0..CALLS).map(|i| callee(&format!("1{i:02}"))).collect();
    lab.campaign("grid", CALLEES, &[]).numbers(&numbers).actions(&["WAIT 1"]).start();
    lab.until_completed("grid", 60);

    let report = lab.report("grid");
    assert_eq!(report.len(), CALLS, "each number was called once");
    let off_grid: Vec<_> = report.iter().filter(|a| a.planned_at.0 % SPACING_MS != 0).collect();
    assert!(off_grid.is_empty(), "{off_grid:#?}");
    let mut slots: Vec<_> = report.iter().map(|a| a.planned_at).collect();
    slots.sort();
    slots.dedup();
    assert_eq!(slots.len(), CALLS, "one call for each slot");

    let mut off: Vec<i64> = report.iter().map(|a| a.dialled_at.unwrap().since_ms(a.planned_at)).collect();
    off.sort_unstable();
    let [minimum, median, p99, maximum] = [0, CALLS / 2, CALLS * 99 / 100 - 1, CALLS - 1].map(|i| off[i]);
    println!(
        "{version}: Dial entered after the planned instant, ms: minimum {minimum}, median {median}, \
         99th percentile {p99}, maximum {maximum} ({CALLS} calls at 600 a minute)"
    );
    // The dialplan cuts its clock to milliseconds, so -1 is on time.
    assert!(minimum >= -1, "no call is early: {off:?}");
    assert!(p99 <= P99_MS_MAX, "{off:?}");
}
