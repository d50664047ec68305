//! A FastAGI server that is down, slow, or full: named by whoever is asked, and nothing is lost.

use std::time::Duration;

use super::running::{nothing_was_lost, under_way};
use crate::machine::{Machine, until};

/// `why` says that the gate fails, with this, and what mends it.
#[track_caller]
fn why_says(m: &Machine, words: &str, mend: &str) {
    let told: serde_json::Value = serde_json::from_str(&m.ok(&["why", "+441632960700", "--json"])).unwrap();
    let answer = &told["campaigns"][0];
    let rules = answer["rules"].as_array().unwrap();
    let rule = rules.iter().find(|rule| rule["rule"] == "gate_answers").unwrap();
    assert!(rule["verdict"] == "fail" && rule["detail"].as_str().unwrap().contains(words), "{told:#}");
    assert!(answer["callable_at"].is_null() && answer["hint"].as_str().unwrap().contains(mend), "{told:#}");
}

/// The first line of `watch` that tells of trouble.
fn watch_says(m: &Machine) -> String {
    m.first_line_of(&["watch"], |line| line.contains("trouble"))
}

#[test]
fn while_it_is_down_why_and_watch_and_start_name_it() {
    let mut m = Machine::new();
    m.kill_agi();
    m.campaign("spring", &[], &["700", "701"]);
    let started = m.campanile(&["campaign", "start", "spring"]);
    let warned = String::from_utf8(started.stderr).unwrap();
    assert!(warned.contains("campanile-agi does not answer on 127.0.0.1:"), "{warned}");
    why_says(&m, "campanile-agi does not answer on", "systemctl start campanile-agi");
    let told = watch_says(&m);
    assert!(told.contains("campanile-agi does not answer") && told.contains("systemctl start campanile-agi"), "{told}");
    until("what came back is closed", || (!m.report("spring").is_empty()).then_some(()));
    until("no call is open", || (m.count("spring", "in_progress") == 0).then_some(()));
    assert!(m.asterisk.seen().reached.is_empty());
    let row = &m.report("spring")[0];
    assert!(row["disposition"] == "not_dialled" && m.count("spring", "failed") == 0, "nobody is charged: {row}");
}

#[test]
fn while_it_is_slow_by_two_seconds_all_are_called_late_and_once_i1_i3() {
    let mut m = Machine::bare();
    m.start_slow_agi(Duration::from_secs(2));
    m.start_serve();
    under_way(&m, 8);
    let doctor = String::from_utf8(m.campanile(&["doctor", "--no-call"]).stdout).unwrap();
    assert!(doctor.contains("answers on") && doctor.contains("only after 2"), "{doctor}");
    nothing_was_lost(&m, 8);
}

#[test]
fn while_all_its_sessions_are_in_use_it_says_so_and_calls_are_planned_anew_i3() {
    let mut m = Machine::bare();
    m.reset("log_config", "agi_sessions_max = 1\nlog_config");
    m.start_agi();
    m.start_serve();
    // One call keeps the gate's only place for a while: the others wait for it.
    m.campaign("spring", &[], &["003", "700", "701"]);
    m.ok(&["actions", "add", "spring", "WAIT", "20"]);
    m.start("spring");
    m.logged("agi.log", "all 1 sessions are in use");
    let doctor = String::from_utf8(m.campanile(&["doctor", "--no-call"]).stdout).unwrap();
    assert!(doctor.contains("has all of its 1 sessions in use"), "{doctor}");
    assert!(doctor.contains("raise agi_sessions_max"), "{doctor}");
    until("all were called", || (m.asterisk.seen().reached.len() == 3).then_some(()));
    m.completed("spring");
    assert_eq!((m.count("spring", "reached"), m.asterisk.seen().reached.len()), (3, 3));
}
