//! Several trunks of a campaign, and their breakers, as they are typed and shown.

use campanile::domain::campaign::ContactState;
use campanile::domain::disposition::{Conclusion, Disposition};
use campanile::domain::retry::ContactTally;
use campanile::ledger::{attempts, breakers, contacts, settle};
use serde_json::{Value, json};

use super::calls::plan;
use super::machine::Machine;

fn with_two_trunks() -> Machine {
    let machine = Machine::with_campaign();
    machine.ok("trunk add gw2 --dial PJSIP/{number}@gw2 --breaker-failures none");
    machine
}

/// The trunk of `spring` fails as many calls as there are numbers.
fn fail_calls(machine: &Machine, count: usize) {
    let numbers: String = (10..10 + count).map(|n| format!("+4930123456{n}\n")).collect();
    machine.import(&numbers);
    let (mut ledger, now) = (machine.ledger(), campanile::clock::now());
    for place in 0..count {
        let id = plan(&mut ledger, place);
        let failed = Conclusion {
            disposition: Disposition::TrunkFailure,
            not_dialled: None,
            detail: None,
            cause: Some(34),
            sip_code: Some(503),
            dialled_at: Some(now),
            answered_at: None,
            ended_at: now,
            ring_ms: None,
            talk_ms: None,
            learned: None,
        };
        let end = |db: &_| {
            let attempt = attempts::open_one(db, id)?.unwrap();
            settle::close(db, id, &failed, now)?;
            let (contact, tally) = (attempt.contact.unwrap(), ContactTally { dials: 4, ..ContactTally::default() });
            contacts::settle(db, contact, ContactState::Failed, None, tally, Disposition::TrunkFailure)?;
            breakers::count(db, &attempt, &failed, now)
        };
        ledger.write(|db| end(db)).unwrap();
    }
}

#[test]
fn a_campaign_has_its_trunks_in_order_and_one_trunk_looks_as_before() {
    let machine = with_two_trunks();
    let told = machine.json("campaign show spring");
    assert_eq!((&told["trunk"], &told["trunks"]), (&json!("gw1"), &json!(["gw1"])));
    let told = machine.json("campaign set spring --trunk gw2,gw1");
    assert_eq!((&told["trunk"], &told["trunks"]), (&json!("gw2"), &json!(["gw2", "gw1"])));
    assert!(machine.ok("campaign show spring").contains("trunk       gw2, gw1"));
    assert!(machine.ok("campaign list").contains("gw2,gw1"));
    let told = machine.json("campaign add autumn --trunk gw1,gw2");
    assert_eq!(told["trunks"], json!(["gw1", "gw2"]));
    let told = machine.json("campaign set spring --channels 3");
    assert_eq!(told["trunks"], json!(["gw2", "gw1"]), "what is not given does not change");
    assert_eq!(machine.json("campaign set spring --trunk gw1")["trunks"], json!(["gw1"]));
}

#[test]
fn a_list_of_trunks_that_cannot_be_is_refused() {
    let machine = with_two_trunks();
    machine.fails("campaign set spring --trunk gw1,gw1", 64, "gw1 is twice");
    machine.fails("campaign set spring --trunk gw1,gw3", 66, "no trunk `gw3`");
    machine.fails("campaign set spring --trunk gw1,,gw2", 64, "");
    machine.fails("campaign set spring --trunk ,", 64, "");
    machine.fails("campaign add autumn --trunk", 64, "");
    assert_eq!(machine.json("campaign show spring")["trunks"], json!(["gw1"]));
    machine.ok("campaign set spring --trunk gw1,gw2");
    machine.fails("trunk remove gw2", 1, "in use by campaign(s) spring");
    machine.ok("campaign set spring --trunk gw1");
    machine.ok("trunk remove gw2");
}

#[test]
fn short_numbers_come_only_where_all_trunks_take_them() {
    let machine = Machine::with_campaign();
    machine.ok("trunk add pbx --dial Local/{number}@internal --short-numbers");
    machine.ok("campaign set spring --trunk pbx,gw1");
    machine.write("short.txt", "101\n");
    let import = format!("numbers import spring {}", machine.path("short.txt").display());
    assert_eq!(machine.run(&import).code, 65, "gw1 may get the call");
    machine.ok("campaign set spring --trunk pbx");
    machine.ok(&import);
    machine.fails("campaign set spring --trunk pbx,gw1", 1, "trunk gw1 allows no short numbers");
}

#[test]
fn a_breaker_is_set_shown_and_turned_off() {
    let machine = with_two_trunks();
    let breaker = |line: &str| machine.json(line)["breaker"].clone();
    let new = breaker("trunk show gw1");
    let rules = ["failures_percent", "window_s", "calls_min", "rest_s"].map(|key| new[key].clone());
    assert_eq!(rules, [json!(50), json!(60), json!(5), json!(60)]);
    assert_eq!((&new["state"], &new["calls"], &new["failed_percent"]), (&json!("closed"), &json!(0), &Value::Null));
    assert_eq!(breaker("trunk show gw2"), Value::Null);
    let set =
        breaker("trunk set gw1 --breaker-failures 30 --breaker-window 90s --breaker-calls-min 2 --breaker-rest 5");
    let rules = ["failures_percent", "window_s", "calls_min", "rest_s"].map(|key| set[key].clone());
    assert_eq!(rules, [json!(30), json!(90), json!(2), json!(5)]);
    let text = machine.ok("trunk show gw1");
    let line = "closed; opens for 5 s at 30% failures of at least 2 calls in 90 s";
    assert!(text.contains(line), "{text}");
    assert_eq!(breaker("trunk set gw1 --breaker-failures none"), Value::Null);
    assert!(machine.ok("trunk show gw1").contains("breaker          none"));
    machine.fails("trunk set gw1 --breaker-rest 5", 64, "--breaker-failures");
    for wrong in ["failures 0", "failures 101%", "failures half", "window 0", "window 5m", "calls-min 0", "rest -1"] {
        machine.fails(&format!("trunk set gw2 --breaker-{wrong}"), 64, "");
    }
    machine.fails("trunk set gw9 --breaker-rest 5", 66, "no trunk `gw9`");
}

#[test]
fn the_other_settings_of_a_trunk_change_one_by_one() {
    let machine = Machine::with_campaign();
    let told = machine.json("trunk set gw1 --channels none --starts-per-second 3 --account acc1");
    assert_eq!((&told["channels"], &told["starts_per_second"]), (&Value::Null, &json!(3)));
    assert_eq!((&told["account"], &told["dial"]), (&json!("acc1"), &json!("PJSIP/{number}@gw1")));
    let told = machine.json("trunk set gw1 --starts-per-second none --account none --dial PJSIP/9{digits}@gw1");
    assert_eq!((&told["account"], &told["dial"]), (&Value::Null, &json!("PJSIP/9{digits}@gw1")));
    assert_eq!(told["starts_per_second"], Value::Null);
    machine.fails("trunk set gw1 --starts-per-second 1001", 64, "1 to 1000");
    machine.fails("trunk set gw1 --dial PJSIP/x", 64, "");
    machine.ok("user add alice");
    machine.fails("--as alice trunk set gw1 --channels 1", 77, "only an admin");
}

#[test]
fn an_open_breaker_is_seen_in_the_list_in_why_and_at_the_start() {
    let machine = with_two_trunks();
    fail_calls(&machine, 5);
    let told = machine.json("trunk list")[0]["breaker"].clone();
    assert_eq!(told["state"], "open");
    assert!(told["since"].is_string() && told["trial_at"].is_string(), "{told}");
    let text = machine.ok("trunk list");
    assert!(text.contains("open until"), "{text}");
    machine.ok("numbers reactivate spring +493012345610");
    let why = machine.ok("why +493012345610");
    assert!(why.contains("the breaker of trunk gw1 is open until"), "{why}");
    machine.ok("actions add spring PLAY hello");
    let said = machine.run("campaign start spring");
    assert!(said.code == 0 && said.err.contains("breakers of all its trunks are open"), "{}", said.err);
    machine.ok("campaign set spring --trunk gw1,gw2");
    let why = machine.json("why +493012345610 --campaign spring");
    let rules = why["campaigns"][0]["rules"].as_array().unwrap();
    let rule = rules.iter().find(|rule| rule["rule"] == "trunk_breaker").unwrap();
    assert_eq!(rule["verdict"], "pass", "{rule}");
    assert!(!machine.run("campaign start spring").err.contains("breakers"));
}

#[test]
fn the_share_of_failures_is_shown_before_the_breaker_opens() {
    let machine = with_two_trunks();
    fail_calls(&machine, 2);
    let told = machine.json("trunk show gw1")["breaker"].clone();
    assert_eq!((&told["calls"], &told["failures"], &told["failed_percent"]), (&json!(2), &json!(2), &json!(100)));
    assert!(machine.ok("trunk list").contains("closed, 2 of 2 failed"));
}
