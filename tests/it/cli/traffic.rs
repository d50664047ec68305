//! Calls as traffic, as they are typed, refused and shown.

use campanile::domain::disposition::Disposition;
use campanile::domain::traffic::Draw;
use serde_json::{Value, json};

use super::calls::{close, plan_with};
use super::machine::Machine;
use campanile::domain::campaign::ContactState;

/// With campaign `load` over the test line `lab`.
fn with_a_test_line() -> Machine {
    let machine = Machine::with_campaign();
    machine.ok("trunk add lab --dial PJSIP/{number}@lab --line test");
    machine.ok("campaign add load --trunk lab");
    machine
}

#[test]
fn traffic_is_set_shown_and_taken_away() {
    let machine = with_a_test_line();
    let told = |line: &str| machine.json(line)["traffic"].clone();
    let nothing = json!({"headers": [], "codecs": null, "duration": null, "cancel_percent": 0});
    assert_eq!(told("campaign show load"), nothing);
    let line = "campaign set load --codecs PCMA,opus --duration gauss:30s,10s,20s-60s --cancel-ratio 50%";
    assert_eq!(
        told(line),
        json!({"headers": [], "codecs": "alaw,opus", "duration": "gauss:30s,10s,20s-60s", "cancel_percent": 50})
    );
    for (header, after) in [
        ("P-Campaign-Name: spring sale", json!(["P-Campaign-Name: spring sale"])),
        ("X-Tag:a=b:c", json!(["P-Campaign-Name: spring sale", "X-Tag: a=b:c"])),
        ("p-campaign-name: 2", json!(["p-campaign-name: 2", "X-Tag: a=b:c"])),
        ("x-tag:", json!(["p-campaign-name: 2"])),
    ] {
        let said = machine.run_words(&["campaign", "set", "load", "--header", header, "--json"]);
        assert_eq!(said.code, 0, "{header}: {}", said.err);
        let told: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(told["traffic"]["headers"], after, "{header}");
    }
    let shown = machine.ok("campaign show load");
    for part in ["headers     p-campaign-name: 2", "alaw,opus", "gauss:30s,10s,20s-60s", "50% of its calls"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let none = "--header P-Campaign-Name: --codecs none --duration none --cancel-ratio 0%";
    assert_eq!(told(&format!("campaign set load {none}")), nothing);
    assert!(!machine.ok("campaign show load").contains("cancels"), "nothing is said of what is not there");
}

#[test]
fn what_is_made_up_is_refused_on_a_real_trunk_with_the_mend() {
    let machine = with_a_test_line();
    for option in ["--cancel-ratio 50%", "--duration 30s"] {
        let test_line = "campanile trunk set gw1 --line test";
        machine.fails(&format!("campaign set spring {option}"), 1, test_line);
        machine.fails(&format!("campaign set spring {option}"), 1, "trunk gw1 is a real one");
        machine.fails(&format!("campaign add other --trunk gw1 {option}"), 1, test_line);
        machine.ok(&format!("campaign set load {option}"));
        machine.fails("campaign set load --trunk gw1", 1, "gw1 is a real one");
        machine.fails("trunk set lab --line real", 1, "campaign load goes over this trunk");
        machine.fails("trunk set lab --line real", 1, "campanile campaign set load --cancel-ratio 0% --duration none");
        machine.ok("campaign set load --cancel-ratio 0% --duration none");
    }
    assert_eq!(machine.json("campaign list").as_array().unwrap().len(), 2, "nothing was added");
    assert_eq!(machine.json("campaign set spring --cancel-ratio 0%")["traffic"]["cancel_percent"], 0);
    assert_eq!(machine.json("trunk set lab --line real")["line"], "real");
    machine.fails("campaign set load --cancel-ratio 1%", 1, "lab is a real one");
    let trunks = machine.json("trunk list");
    assert!(trunks.as_array().unwrap().iter().all(|trunk| trunk["line"] == "real"), "{trunks}");
    machine.ok("user add bob");
    machine.fails("--as bob trunk set lab --line test", 77, "only an admin may");
    machine.fails("trunk set nosuch --line test", 66, "nosuch");
    machine.fails("trunk set lab --line tst", 64, "real, test");
}

#[test]
fn headers_and_codecs_go_over_real_trunks_with_an_invite_only() {
    let machine = with_a_test_line();
    machine.ok("campaign set spring --header X-Tag:1 --codecs ulaw");
    machine.ok("trunk add pbx --dial Local/{number}@from-internal");
    machine.fails("campaign set spring --trunk pbx", 1, "neither PJSIP/ nor SIP/");
    machine.fails("campaign add other --trunk pbx --codecs ulaw", 1, "a list of codecs goes into the INVITE");
}

#[test]
fn misspelt_traffic_is_refused_with_what_can_be_written_i7() {
    let machine = with_a_test_line();
    for (option, value, says) in [
        ("--header", "From: me", "belongs to the call, and Asterisk writes it"),
        ("--header", "Content-Type: text/plain", "belongs to the call"),
        ("--header", "X-Tag", "write NAME: TEXT"),
        ("--header", "X-Tag: ${SHELL(id)}", "header text"),
        ("--header", "X-Tag: a,b", "header text"),
        ("--header", "X Tag: a", "header name"),
        ("--codecs", "alaw,g711", "alaw,ulaw,opus"),
        ("--codecs", "alaw,PCMA", "stands there twice"),
        ("--codecs", "!all", ""),
        ("--duration", "30", "with their unit"),
        ("--duration", "60s-20s", "MIN-MAX"),
        ("--duration", "gauss:30s", "gauss:MEAN,DEVIATION,MIN-MAX"),
        ("--duration", "gauss:90s,1s,20s-60s", "the mean lies outside"),
        ("--duration", "normal", "30s for all calls"),
        ("--cancel-ratio", "50", "such as 50%"),
        ("--cancel-ratio", "0.5", "such as 50%"),
        ("--cancel-ratio", "101%", "from 0% to 100%"),
    ] {
        let said = machine.run_words(&["campaign", "set", "load", option, value]);
        assert!(said.code == 64 && said.err.contains(says), "{option} {value}: {} {}", said.code, said.err);
    }
    let many: Vec<String> = (0..9).map(|n| format!("X-{n}: 1")).collect();
    let mut args = vec!["campaign", "set", "load"];
    many.iter().for_each(|header| args.extend(["--header", header]));
    let said = machine.run_words(&args);
    assert!(said.code == 64 && said.err.contains("at most 8 headers"), "{}", said.err);
}

#[test]
fn a_number_brings_its_own_duration() {
    let machine = with_a_test_line();
    let list =
        "number,seconds\n+493012345601,12\n+493012345602,1500ms\n+493012345603,0\n+493012345604,\n+493012345605,x\n";
    machine.write("durations.csv", list);
    let file = machine.path("durations.csv").display().to_string();
    let told = machine.json(&format!("numbers import load {file} --map number=number,duration=seconds"));
    assert_eq!((&told["imported"], &told["refused"]), (&json!(4), &json!(1)), "{told}");
    assert_eq!(told["refusals"][0]["column"], "duration");
    let listed = machine.json("numbers list load");
    let durations: Vec<&Value> = listed.as_array().unwrap().iter().map(|row| &row["duration_ms"]).collect();
    assert_eq!(durations, [&json!(12_000), &json!(1_500), &Value::Null, &Value::Null]);
    assert!(machine.ok("numbers show load 03012345601").contains("duration    12s"));
}

#[test]
fn a_load_without_actions_can_be_started_when_its_calls_have_a_duration() {
    let machine = with_a_test_line();
    machine.write("numbers.txt", "+493012345601\n");
    machine.ok(&format!("numbers import load {}", machine.path("numbers.txt").display()));
    machine.fails("campaign start load", 1, "campanile actions add load PLAY SOUND");
    machine.ok("campaign set load --duration 30s");
    machine.ok("campaign start load");
    assert!(machine.ok("why 03012345601").contains("it goes over test lines only: lab"));
}

#[test]
fn a_report_tells_what_was_made_up_beside_what_was_and_counts_cancelled_calls() {
    let machine = Machine::with_running_campaign();
    let mut ledger = machine.ledger();
    let draw = Draw { talk_ms: Some(34_567), cancel_after_s: Some(7) };
    let attempt = plan_with(&mut ledger, 0, draw);
    close(&mut ledger, attempt, Disposition::Cancelled, ContactState::Reached);
    let row = &machine.json("report spring")[0];
    assert_eq!((&row["planned_talk_ms"], &row["planned_cancel_s"]), (&json!(34_567), &json!(7)));
    assert_eq!(row["disposition"], "cancelled");
    let text = machine.ok("report spring");
    assert!(text.contains("to last 34.5s; to be cancelled after 7s"), "{text}");
    assert!(machine.ok("report spring --csv").contains(",34567,7,"));
    let groups = machine.json("report spring --by disposition");
    let cancelled = groups["groups"].as_array().unwrap().iter().find(|group| group["group"] == "cancelled");
    assert_eq!(cancelled.map(|group| &group["attempts"]), Some(&json!(1)), "{groups}");
}
