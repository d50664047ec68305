//! A program dies in the midst of calls: nobody is called twice, nobody is forgotten.

use std::collections::BTreeMap;

use campanile::clock;

use crate::harness::{Lab, Setup, Version};
use crate::world::{CALLEES, callee};

on_both!(
    without_the_fastagi_server_nothing_is_dialled_and_all_is_when_it_is_back,
    calls_go_on_while_the_daemon_is_dead_i1_i3,
    a_call_that_rang_when_asterisk_died_is_not_dialled_again_i1,
);

/// How often each number was called, by the callees' own log.
fn calls(lab: &Lab) -> BTreeMap<String, u32> {
    let mut calls = BTreeMap::new();
    lab.callees().into_iter().for_each(|c| *calls.entry(c.number).or_default() += 1);
    calls
}

fn without_the_fastagi_server_nothing_is_dialled_and_all_is_when_it_is_back(version: Version) {
    let mut lab = Setup::new(version).start_asterisk();
    lab.start_serve();
    let numbers = ["001", "010", "100", "101", "102"].map(callee);
    lab.campaign("dark", CALLEES, &[]).numbers(&numbers).actions(&["WAIT 1"]).start();
    lab.until("all five calls are closed", 40, |lab| {
        lab.report("dark").iter().filter(|a| !a.disposition.is_empty()).count() == numbers.len()
    });
    for attempt in lab.report("dark") {
        assert_eq!((attempt.disposition.as_str(), attempt.dialled_at), ("not_dialled", None), "{attempt:?}");
        assert!(attempt.detail.contains("campanile-agi running"), "it says where to look: {attempt:?}");
    }
    assert!(lab.callees().is_empty(), "{:?}", lab.callees());

    lab.start_agi();
    // A number that this machine could not call rests for a minute.
    lab.until_completed("dark", 150);
    assert_eq!(calls(&lab), numbers.into_iter().map(|n| (n, 1)).collect(), "each was called once");
}

fn calls_go_on_while_the_daemon_is_dead_i1_i3(version: Version) {
    let mut lab = Setup::new(version).start();
    let numbers: Vec<String> = (0..60).map(|i| callee(&format!("1{i:02}"))).chain([callee("002")]).collect();
    lab.campaign("orphan", CALLEES, &[]).numbers(&numbers).actions(&["WAIT 1"]).start();
    lab.until("10 calls were made", 30, |lab| lab.callees().len() >= 10);
    lab.kill_serve();
    let at_death = lab.callees().len();
    lab.until("the gate lets 10 further calls go", 30, |lab| lab.callees().len() >= at_death + 10);
    lab.start_serve();
    lab.until_completed("orphan", 90);

    assert_eq!(calls(&lab), numbers.iter().map(|n| (n.clone(), 1)).collect(), "each was called once");
    let report = lab.report("orphan");
    assert_eq!(report.iter().filter(|a| a.disposition == "busy").count(), 60, "{report:#?}");
    assert_eq!(report.iter().filter(|a| a.disposition == "answered").count(), 1, "{report:#?}");
}

fn a_call_that_rang_when_asterisk_died_is_not_dialled_again_i1(version: Version) {
    let mut lab = Setup::new(version).start();
    lab.campaign("crash", CALLEES, &["--wait-time", "60"]).numbers(&[callee("200")]).actions(&["WAIT 1"]).start();
    lab.until("it rings", 30, |lab| lab.callees().len() == 1);
    lab.kill_asterisk();
    assert_eq!(lab.outgoing().len(), 1, "Asterisk leaves the file behind");
    lab.start_asterisk();
    lab.until("the call is closed", 90, |lab| lab.report("crash").iter().all(|a| !a.disposition.is_empty()));

    let report = lab.report("crash");
    let [attempt] = report.as_slice() else { panic!("one attempt: {report:#?}") };
    assert_eq!(attempt.disposition, "indeterminate", "{attempt:?}");
    assert!(lab.outgoing().is_empty(), "the file was swept: {:?}", lab.outgoing());
    let closed_at = clock::now();
    lab.until("Asterisk has looked at its spool again", 10, |_| clock::now().since_ms(closed_at) > 2_000);
    assert_eq!(lab.callees().len(), 1, "the old file did not dial again");
}
