//! Every fate of a call gives its disposition, its cause and its SIP code.

use crate::harness::{Lab, Setup, Version};
use crate::world::{Attempt, CALLEES, SIPP, callee, sip_callee};

on_both!(every_callee_has_its_disposition, every_sip_code_has_its_disposition, a_redirect_is_not_followed_i4);

/// Whom we call, and what the report has to say: disposition, cause, SIP code (0 where there is none).
type Expected<T> = (T, &'static str, u64, u64);

const FATES: &[Expected<&str>] = &[
    ("001", "answered", 16, 0),
    ("100", "busy", 17, 0),
    ("200", "no_answer", 0, 0),
    ("300", "rejected", 21, 0),
    ("400", "invalid_number", 1, 0),
    ("500", "trunk_failure", 34, 0),
    ("642", "answered", 16, 0),
    ("705", "answered", 16, 0),
    ("810", "answered", 16, 0),
    ("900", "trunk_failure", 38, 0),
];

const CODES: &[Expected<u16>] = &[
    (200, "answered", 16, 200),
    (180, "no_answer", 0, 180),
    (404, "invalid_number", 1, 404),
    (408, "no_answer", 18, 408),
    (480, "no_answer", 19, 480),
    (484, "invalid_number", 28, 484),
    (486, "busy", 17, 486),
    (500, "trunk_failure", 38, 500),
    (503, "trunk_failure", 34, 503),
    (603, "rejected", 21, 603),
];

/// Trunk failures are not charged to the number, so those are called again at once until the cap ends it.
const ONCE: &[&str] = &["--wait-time", "3", "--retry-time", "1", "--max-retries", "0"];

/// Compares the first call of each number with what was expected, and prints the table.
#[track_caller]
fn judge(lab: &Lab, report: &[Attempt], expected: impl Iterator<Item = Expected<String>>) {
    let mut wrong = Vec::new();
    println!("{}\n{:<14} {:<15} cause  sip  ring ms  talk ms", lab.version, "number", "disposition");
    for (number, disposition, cause, sip) in expected {
        let calls: Vec<&Attempt> = report.iter().filter(|a| a.number == number).collect();
        let Some(first) = calls.first() else { panic!("{number} was not called: {report:#?}") };
        let show = |n: Option<i64>| n.map_or("-".to_owned(), |n| n.to_string());
        let (ring, talk) = (show(first.ring_ms), show(first.talk_ms));
        let (is, should_be) = (first.outcome(), (disposition, some(cause), some(sip)));
        println!("{number:<14} {:<15} {:>5} {:>4} {ring:>8} {talk:>8}", is.0, is.1.unwrap_or(0), is.2.unwrap_or(0));
        if calls.iter().any(|call| call.outcome() != should_be) {
            wrong.push(format!("{number} should be {should_be:?}: {calls:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}: {}", lab.version, wrong.join("\n"));
}

fn some(n: u64) -> Option<u64> {
    (n != 0).then_some(n)
}

fn every_callee_has_its_disposition(version: Version) {
    let mut lab = Setup::new(version).start();
    let numbers: Vec<String> = FATES.iter().map(|(fate, ..)| callee(fate)).collect();
    lab.campaign("fates", CALLEES, ONCE).numbers(&numbers).actions(&["WAIT 3"]).start();
    lab.until_completed("fates", 60);

    let report = lab.report("fates");
    judge(&lab, &report, FATES.iter().map(|&(fate, disposition, cause, sip)| (callee(fate), disposition, cause, sip)));
    let of = |fate: &str| report.iter().find(|a| a.number == callee(fate)).unwrap();
    // An answered call has its instants in order, and its durations agree with what the callee did.
    let slow = of("810");
    let [dialled, answered, ended] = [slow.dialled_at, slow.answered_at, slow.ended_at].map(Option::unwrap);
    assert!(slow.planned_at <= dialled && dialled < answered && answered < ended, "{slow:?}");
    assert!((950..1_500).contains(&slow.ring_ms.unwrap()), "it rang for a second: {slow:?}");
    assert!((1_900..3_000).contains(&slow.talk_ms.unwrap()), "it stayed for two: {slow:?}");
    assert!((950..1_600).contains(&answered.since_ms(dialled)), "{slow:?}");
    assert!((2_500..4_500).contains(&of("200").ring_ms.unwrap()), "it rang for the wait time: {:?}", of("200"));
    assert!(of("001").talk_ms.unwrap() < 2_000, "the callee left: {:?}", of("001"));
}

fn every_sip_code_has_its_disposition(version: Version) {
    let mut lab = Setup::new(version).with_sip().start();
    let numbers: Vec<String> = CODES.iter().map(|(code, ..)| sip_callee(*code)).collect();
    lab.campaign("sip", SIPP, ONCE).numbers(&numbers).actions(&["WAIT 3"]).start();
    lab.until_completed("sip", 60);

    let expected = CODES.iter().map(|&(code, disposition, cause, sip)| (sip_callee(code), disposition, cause, sip));
    judge(&lab, &lab.report("sip"), expected);
    let seen = lab.read("log/sipp.log");
    let own = format!("{}|\"Camp Anile\" <sip:+442079460000@", sip_callee(200));
    assert!(seen.lines().any(|line| line.starts_with(&own)), "the caller id went out: {seen}");
}

/// The number in a redirect passed no gate: nobody checked its window, or whether it may be called at all.
fn a_redirect_is_not_followed_i4(version: Version) {
    let mut lab = Setup::new(version).with_sip().start();
    lab.campaign("redirect", SIPP, ONCE).numbers(&[sip_callee(302)]).actions(&["WAIT 3"]).start();
    lab.until_completed("redirect", 60);

    let seen = lab.read("log/sipp.log");
    assert_eq!(seen.lines().count(), 1, "only the number itself was called: {seen}");
    assert!(lab.callees().is_empty(), "{:?}", lab.callees());
    assert!(lab.report("redirect").iter().all(|a| a.disposition != "answered"));
}
