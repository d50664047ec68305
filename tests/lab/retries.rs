//! Max retries and retry time hold.

use crate::harness::{Setup, Version};
use crate::world::{CALLEES, callee};

on_both!(a_busy_number_is_retried_as_often_and_as_late_as_was_set);

fn a_busy_number_is_retried_as_often_and_as_late_as_was_set(version: Version) {
    let mut lab = Setup::new(version).start();
    let options = ["--max-retries", "2", "--retry-time", "3"];
    lab.campaign("busy", CALLEES, &options).numbers(&[callee("100"), callee("001")]).actions(&["WAIT 1"]).start();
    lab.until_completed("busy", 60);

    let report = lab.report("busy");
    let busy: Vec<_> = report.iter().filter(|a| a.number == callee("100")).collect();
    assert_eq!(busy.len(), 3, "the first call and two retries: {busy:#?}");
    for pair in busy.windows(2) {
        let pause_ms = pair[1].dialled_at.unwrap().since_ms(pair[0].ended_at.unwrap());
        assert!((3_000..6_000).contains(&pause_ms), "{pause_ms} ms between {pair:#?}");
    }
    assert_eq!(lab.callees().len(), 4, "who answered was not called again");
    let numbers = &lab.campanile(&["campaign", "show", "busy"])["numbers"];
    assert_eq!((&numbers["reached"], &numbers["failed"]), (&1.into(), &1.into()), "{numbers}");
}
