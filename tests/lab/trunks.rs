//! Two trunks of a campaign, of which the first goes dark and comes back.

use serde_json::Value;

use crate::harness::{Lab, Setup, Version};
use crate::world::{CALLEES, callee};

on_both!(calls_go_over_the_second_trunk_while_the_first_is_dark_and_come_back_after_a_trial);

/// Congested while the file `dark` is there.
const FIRST: &str = "Local/{number}@dark-or-callees";
/// A start a second, and nobody stays longer than four.
const CALLS_ONE_TIME: u32 = 60;
/// More than an interval has slots: a trial needs somebody who is not planned over the second trunk yet.
const NUMBERS: u32 = 70;
/// Who comes when the first trunk is back.
const MORE: u32 = 5;

fn calls_go_over_the_second_trunk_while_the_first_is_dark_and_come_back_after_a_trial(version: Version) {
    let mut lab = Setup::new(version).calls_one_time(CALLS_ONE_TIME).start();
    let dark = lab.folder().join("dark");
    std::fs::write(&dark, "").unwrap();
    let breaker = ["--breaker-calls-min", "3", "--breaker-rest", "5"];
    lab.campanile(&[&["trunk", "add", "first", "--dial", FIRST], &breaker[..]].concat());
    lab.campanile(&["trunk", "add", "second", "--dial", CALLEES]);
    let numbers: Vec<String> = (1..=NUMBERS).map(|n| callee(&format!("7{n:02}"))).collect();
    lab.campaign_over("both", "first,second", &["--max-retries", "0"]).numbers(&numbers).actions(&["WAIT 1"]).start();

    lab.until("the breaker is open", 30, |lab| breaker_of_first(lab)["state"] != "closed");
    assert_eq!(calls_over(&lab, "first"), (3, 0), "three that failed opened it");
    lab.until("calls go over the second trunk", 30, |lab| calls_over(lab, "second").1 > 2);
    std::fs::remove_file(&dark).unwrap();
    lab.until("a trial closes it", 75, |lab| breaker_of_first(lab)["state"] == "closed");
    // What is planned over the second trunk by now goes over it.
    let more: Vec<String> = (NUMBERS + 1..=NUMBERS + MORE).map(|n| callee(&format!("7{n:02}"))).collect();
    lab.import("both", &more);
    lab.until_completed("both", 120);

    let (first, second) = (calls_over(&lab, "first"), calls_over(&lab, "second"));
    println!(
        "{version}: of {} calls over the first trunk {} were answered, of {} over the second {}",
        first.0, first.1, second.0, second.1
    );
    assert!(first.1 > u64::from(MORE), "the trial, and all who came later: {first:?}");
    assert!((3..=6).contains(&(first.0 - first.1)), "three, and trials 5 s apart: {first:?}");
    assert_eq!(second.0, second.1, "the second carries all");
    assert_eq!(
        lab.callees().len(),
        numbers.len() + more.len(),
        "each was called once, and what failed over the first was not charged"
    );
    let sums = &lab.campanile(&["campaign", "show", "both"])["numbers"];
    assert_eq!(sums["reached"], NUMBERS + MORE, "{sums}");
}

fn breaker_of_first(lab: &Lab) -> Value {
    lab.campanile(&["trunk", "show", "first"])["breaker"].clone()
}

/// How many calls over a trunk were dialled and have ended, and how many of them were answered.
fn calls_over(lab: &Lab, trunk: &str) -> (u64, u64) {
    let report = lab.campanile(&["report", "both", "--by", "trunk"]);
    let groups = report["groups"].as_array().expect("a report has groups");
    let group = groups.iter().find(|group| group["group"] == trunk);
    let count = |what: &str| group.and_then(|group| group[what].as_u64()).unwrap_or_default();
    (count("dialled"), count("answered"))
}
