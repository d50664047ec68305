//! Whole calls: real programs, real ledger, real files, a fake Asterisk and callees with known fates.

use serde_json::Value;

use crate::machine::{Machine, until};

/// The ends of all attempts, by the last digits of their numbers.
fn ends(m: &Machine, campaign: &str) -> Vec<String> {
    let end = |row: &Value| {
        let number = row["number"].as_str().unwrap();
        let word = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
        format!("{} {} {}", &number[number.len() - 3..], word("disposition"), row["cause"])
    };
    let mut ends: Vec<String> = m.report(campaign).iter().map(end).collect();
    ends.sort();
    ends
}

fn closed(m: &Machine, campaign: &str) -> usize {
    m.report(campaign).iter().filter(|row| row["state"] == "closed").count()
}

fn steps(row: &Value) -> Vec<String> {
    let step = |s: &Value| {
        let word = |key: &str| s[key].as_str().unwrap().to_owned();
        format!("{} {} {}", word("action"), word("result"), word("digits"))
    };
    row["steps"].as_array().unwrap().iter().map(step).collect()
}

#[test]
fn every_fate_gives_its_disposition_and_cause() {
    let m = Machine::new();
    let fates = ["000", "002", "100", "200", "300", "400", "500", "705", "810", "900"];
    m.campaign("spring", &["--wait-time", "1"], &fates);
    m.start("spring");
    // A failure of the trunk is not charged, so these wait for their retry and the campaign goes on.
    until("all calls end", || (closed(&m, "spring") == 10).then_some(()));
    assert_eq!(
        ends(&m, "spring"),
        [
            "000 answered 16",
            "002 answered 16",
            "100 busy 17",
            "200 no_answer null",
            "300 rejected 21",
            "400 invalid_number 1",
            "500 trunk_failure 34",
            "705 answered 16",
            "810 answered 16",
            "900 trunk_failure 38",
        ]
    );
    assert_eq!((m.count("spring", "reached"), m.count("spring", "failed"), m.count("spring", "waiting")), (4, 4, 2));
    let seen = m.asterisk.seen();
    assert_eq!(seen.reached.len(), 10);
    until("no file is left", || (m.files() == 0).then_some(()));
    let report = m.report("spring");
    let rang = |fate: &str| {
        let row = report.iter().find(|row| row["number"].as_str().unwrap().ends_with(fate)).unwrap();
        row["ring_ms"].as_i64().unwrap()
    };
    assert!((290..600).contains(&rang("810")) && (990..1500).contains(&rang("200")), "{report:?}");
}

#[test]
fn calls_reach_the_line_at_their_planned_instants_and_never_before_i6() {
    let m = Machine::new();
    let fates: Vec<String> = (0..40).map(|n| format!("1{n:02}")).collect();
    m.campaign("spring", &[], &fates.iter().map(String::as_str).collect::<Vec<_>>());
    m.start("spring");
    m.completed("spring");
    let report = m.report("spring");
    let instant = |text: &Value| text.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond();
    let mut planned: Vec<i64> = report.iter().map(|row| instant(&row["planned_at"])).collect();
    planned.sort_unstable();
    assert!(planned.iter().all(|at| at % 50 == 0), "1,200 a minute is a slot each 50 ms");
    assert!(planned.windows(2).all(|pair| pair[1] > pair[0]), "a slot is given once");
    for row in &report {
        let late = instant(&row["dialled_at"]) - instant(&row["planned_at"]);
        assert!((0..=5_000).contains(&late), "{late} ms after its slot");
    }
}

#[test]
fn an_answered_call_waits_plays_keeps_keys_and_is_handed_over() {
    let m = Machine::new();
    m.campaign("spring", &["--caller-id", "Spring Shop <+442079460000>"], &["642"]);
    m.ok(&["actions", "add", "spring", "WAIT", "1"]);
    m.ok(&["actions", "add", "spring", "IVR", "ivr,101,1"]);
    m.start("spring");
    m.completed("spring");
    let rows = m.report("spring");
    // The first key comes after 150 ms of the sound; the second while it is waited.
    let steps = steps(&rows[0]);
    assert_eq!(steps.len(), 3, "{steps:?}");
    assert!(steps[0].starts_with("PLAY hello done") && steps[1].starts_with("WAIT 1 done"), "{steps:?}");
    let seen = m.asterisk.seen();
    assert_eq!(seen.handed_over, [("ivr,101,1".to_owned(), "42".to_owned())]);
    let reached = &seen.reached[0];
    assert_eq!((reached.caller_number.as_str(), reached.caller_name.as_str()), ("+442079460000", "Spring Shop"));
    let talk_ms = rows[0]["talk_ms"].as_i64().unwrap();
    assert!((1_200..3_000).contains(&talk_ms), "{talk_ms}");
}

#[test]
fn a_callee_who_hangs_up_ends_the_actions() {
    let m = Machine::new();
    m.campaign("spring", &[], &["704"]);
    m.ok(&["actions", "add", "spring", "WAIT", "30"]);
    m.start("spring");
    m.completed("spring");
    let rows = m.report("spring");
    let steps = steps(&rows[0]);
    assert!(steps[1].starts_with("WAIT 30 hung_up"), "{steps:?}");
    assert_eq!(m.count("spring", "reached"), 1);
}

#[test]
fn after_a_stop_was_acknowledged_no_call_starts_i4() {
    let m = Machine::new();
    let fates: Vec<String> = (0..100).map(|n| format!("0{n:02}")).collect();
    m.campaign("spring", &[], &fates.iter().map(String::as_str).collect::<Vec<_>>());
    m.start("spring");
    until("some calls", || (m.asterisk.seen().reached.len() >= 5).then_some(()));
    m.ok(&["campaign", "stop", "spring"]);
    let stopped_at = campanile::clock::now();
    until("nothing is left in the spool but calls", || (m.state("spring")["open_calls"] == 0).then_some(()));
    let late: Vec<_> = m.asterisk.seen().reached.into_iter().filter(|r| r.at > stopped_at).collect();
    assert!(late.is_empty(), "{late:?} after {stopped_at}");
    let (waiting, reached) = (m.count("spring", "waiting"), m.count("spring", "reached"));
    assert_eq!((waiting + reached, reached), (100, m.asterisk.seen().reached.len() as u64));
}

#[test]
fn without_the_fastagi_server_nobody_is_called_i1() {
    let mut m = Machine::new();
    m.kill_agi();
    m.campaign("spring", &[], &["000", "001", "002"]);
    m.start("spring");
    until("the files come back", || (closed(&m, "spring") >= 3).then_some(()));
    assert!(m.asterisk.seen().reached.is_empty(), "fails closed");
    assert!(m.report("spring")[0]["detail"].as_str().unwrap().contains("without asking the gate"));
    assert_eq!((m.count("spring", "waiting"), m.count("spring", "failed")), (3, 0), "and nobody is charged");
    m.start_agi();
}

#[test]
fn a_daemon_killed_between_plan_and_call_costs_nothing_i1_i3() {
    let mut m = Machine::new();
    m.campaign("spring", &[], &["000", "001", "100", "700", "701", "702", "703", "704", "705", "706"]);
    m.start("spring");
    // Whatever is called was published at least 400 ms before, with all the others.
    until("the first call", || (!m.asterisk.seen().reached.is_empty()).then_some(()));
    m.kill_serve();
    until("the calls go on without it", || (m.asterisk.seen().reached.len() >= 3).then_some(()));
    m.start_serve();
    m.completed("spring");
    let mut numbers: Vec<String> = m.asterisk.seen().reached.into_iter().map(|r| r.number).collect();
    numbers.sort();
    numbers.dedup();
    assert_eq!((numbers.len(), m.asterisk.seen().reached.len()), (10, 10), "each once");
    assert_eq!((m.count("spring", "reached"), m.count("spring", "failed")), (9, 1));
    until("no file is left", || (m.files() == 0).then_some(()));
}

#[test]
fn a_daemon_started_after_everything_was_over_finds_it_i3() {
    let mut m = Machine::new();
    m.campaign("spring", &[], &["000", "100", "300"]);
    m.start("spring");
    until("the first call", || (!m.asterisk.seen().reached.is_empty()).then_some(()));
    m.kill_serve();
    until("all are called", || (m.asterisk.seen().reached.len() == 3).then_some(()));
    m.start_serve();
    m.completed("spring");
    assert_eq!(ends(&m, "spring"), ["000 answered 16", "100 busy 17", "300 rejected 21"]);
    until("no file is left", || (m.files() == 0).then_some(()));
}

#[test]
fn a_busy_number_is_called_again_after_its_retry_time() {
    let m = Machine::new();
    m.campaign("spring", &["--max-retries", "1", "--retry-time", "1"], &["100"]);
    m.start("spring");
    m.completed("spring");
    let reached = m.asterisk.seen().reached;
    assert_eq!(reached.len(), 2);
    assert!(reached[1].at.since_ms(reached[0].at) >= 1_000);
}
