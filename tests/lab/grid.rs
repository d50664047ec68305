//! Calls are spread evenly: measured where the dialplan enters `Dial`.

use crate::floor::Floor;
use crate::harness::{Setup, Version};
use crate::world::{CALLEES, callee};

on_both!(a_hundred_calls_at_600_a_minute_lie_on_the_grid_i6);

const CALLS: usize = 100;
/// 600 calls a minute.
const SPACING_MS: i64 = 100;
/// Far more than it takes on a quiet machine. The figure is what the test prints.
const P99_MS_MAX: i64 = 50;
/// From the slot to `Dial` a thread of the server, one of its ledger, a disk and two of Asterisk wake up in turn:
/// the worst that the floor shows of one such turn, other work on the machine may do to each of them.
const TURNS: i64 = 5;
/// Half of the calls meet no such stall, on a busy machine neither.
const MEDIAN_MS_MAX: i64 = 10;

fn a_hundred_calls_at_600_a_minute_lie_on_the_grid_i6(version: Version) {
    let mut lab = Setup::new(version).start_alone();
    let numbers: Vec<String> = (0..CALLS).map(|i| callee(&format!("1{i:02}"))).collect();
    let floor = Floor::measure(lab.folder());
    lab.campaign("grid", CALLEES, &[]).numbers(&numbers).actions(&["WAIT 1"]).start();
    lab.until_completed("grid", 60);
    let floor = floor.end();

    let (report, refused): (Vec<_>, Vec<_>) = lab.report("grid").into_iter().partition(|a| a.dialled_at.is_some());
    let mut called: Vec<_> = report.iter().map(|a| &a.number).collect();
    called.sort();
    called.dedup();
    assert_eq!((report.len(), called.len()), (CALLS, CALLS), "each number was called once");
    // The gate refuses what comes too late to keep the rate; only a machine that stands still brings that about.
    assert!(refused.is_empty() || floor.most_ms > P99_MS_MAX, "{floor:?} {refused:#?}");
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
         99th percentile {p99}, maximum {maximum} ({CALLS} calls at 600 a minute); a thread that wakes and syncs: {floor:?}"
    );
    // The dialplan cuts its clock to milliseconds, so -1 is on time.
    assert!(minimum >= -1, "no call is early: {off:?}");
    assert!(median <= MEDIAN_MS_MAX + floor.p99_ms, "{floor:?} {off:?}");
    assert!(p99 <= P99_MS_MAX + TURNS * floor.most_ms, "{floor:?} {off:?}");
}
