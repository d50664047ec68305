//! What follows from a cause, as a campaign's table says it; and nobody who is on a list.

use crate::harness::{Setup, Version};
use crate::world::{SIPP, sip_callee};

on_both!(webitels_verbs_hold_on_real_causes_and_who_is_on_a_list_is_not_called);

fn webitels_verbs_hold_on_real_causes_and_who_is_on_a_list_is_not_called(version: Version) {
    let mut lab = Setup::new(version).with_sip().start();
    let options = ["--wait-time", "3", "--max-retries", "1", "--retry-time", "60", "--max-dials", "4"];
    let codes = [404, 486, 503, 603, 180, 484];
    let numbers: Vec<String> = codes.into_iter().map(sip_callee).collect();
    let campaign = lab.campaign("verbs", SIPP, &options).numbers(&numbers).actions(&["WAIT 1"]);
    for rule in [
        &["error", "sip:404"][..],
        &["minus", "USER_BUSY", "sip:503", "--delay", "1"],
        &["ok", "CALL_REJECTED"],
        &["retry", "NO_ANSWER", "--delay", "1"],
    ] {
        lab.campanile(&[&["causes", "set", "verbs"], rule].concat());
    }
    lab.campanile(&["dnc", "add", "opt-out", &sip_callee(484)]);
    campaign.start();
    lab.until_completed("verbs", 90);

    let report = lab.report("verbs");
    let calls = |code| report.iter().filter(|a| a.number == sip_callee(code)).count();
    assert_eq!((calls(404), calls(603)), (1, 1), "error and ok are final: {report:#?}");
    assert_eq!((calls(486), calls(503)), (4, 4), "minus ends at the absolute cap: {report:#?}");
    assert_eq!((calls(180), calls(484)), (2, 0), "retry is charged, and who is on a list is not called: {report:#?}");
    let numbers = &lab.campanile(&["campaign", "show", "verbs"])["numbers"];
    let sums = [&numbers["reached"], &numbers["failed"], &numbers["excluded"]];
    assert_eq!(sums, [1, 4, 1], "{numbers}");
}
