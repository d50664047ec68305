//! What happens after a call, as it is typed and shown.

use campanile::domain::campaign::ContactState;
use campanile::domain::disposition::Disposition;
use campanile::domain::number::Number;
use campanile::domain::retry::ContactTally;
use campanile::ledger::{campaigns, contacts};
use serde_json::{Value, json};

use super::machine::Machine;

#[test]
fn causes_are_set_by_name_number_and_sip_code_and_shown_with_the_campaign() {
    let machine = Machine::with_campaign();
    machine.ok("causes set spring minus USER_BUSY --delay 120 --limit 5");
    let told = machine.json("causes set spring error sip:404 1");
    let row = |cause: &str, verb: &str, delay: Value, limit: Value| json!({"cause": cause, "verb": verb, "delay_s": delay, "limit": limit});
    let all = json!([
        row("sip:404", "error", Value::Null, Value::Null),
        row("UNALLOCATED_NUMBER", "error", Value::Null, Value::Null),
        row("USER_BUSY", "minus", json!(120), json!(5))
    ]);
    assert_eq!(told, all);
    assert_eq!(machine.json("campaign show spring")["causes"], all);
    let shown = machine.ok("campaign show spring");
    assert!(shown.contains("USER_BUSY: minus, again after 120 s, failed at number 5"), "{shown}");
    machine.ok("causes remove spring 17 sip:404");
    machine.ok("causes set spring Ok 1");
    assert_eq!(machine.json("causes list spring"), json!([row("UNALLOCATED_NUMBER", "ok", Value::Null, Value::Null)]));
    machine.ok("campaign remove spring --yes");
}

#[test]
fn a_cause_that_does_not_exist_is_refused_with_the_nearest_that_does() {
    let machine = Machine::with_campaign();
    machine.fails("causes set spring error USR_BUSY", 64, "did you mean USER_BUSY?");
    machine.fails("causes set spring error 486", 64, "a SIP code is written sip:486");
    machine.fails("causes set spring error sip:200", 64, "300 to 699");
    machine.fails("causes set spring dance USER_BUSY", 64, "ok, retry, error, minus");
    machine.fails("causes set spring error", 64, "");
    machine.fails("causes set spring error USER_BUSY --delay 5", 64, "final");
    machine.fails("causes remove spring USER_BUSY", 66, "no cause USER_BUSY of its own");
    machine.fails("causes set autumn error USER_BUSY", 66, "no campaign `autumn`");
    machine.ok("user add bob");
    machine.fails("--as bob causes set spring error USER_BUSY", 66, "no campaign `spring`");
    assert_eq!(machine.json("causes list spring"), json!([]));
}

#[test]
fn growing_pauses_the_cap_and_the_least_talk_time_are_set_shown_and_cleared() {
    let machine = Machine::with_campaign();
    let told = machine.json("campaign show spring");
    assert_eq!((&told["retry_time_s"], &told["retry_times_s"]), (&json!(300), &json!([300])));
    assert_eq!((&told["max_dials"], &told["min_talk_s"]), (&Value::Null, &json!(0)));
    let line = "campaign set spring --max-retries 5 --retry-time 300,900,3600 --max-dials 7 --min-talk 10";
    let told = machine.json(line);
    assert_eq!((&told["retry_time_s"], &told["retry_times_s"]), (&json!(300), &json!([300, 900, 3600])));
    assert_eq!((&told["max_dials"], &told["min_talk_s"]), (&json!(7), &json!(10)));
    let shown = machine.ok("campaign show spring");
    assert!(shown.contains("5, 300,900,3600 s after the call") && shown.contains("at most 7"), "{shown}");
    let told = machine.json("campaign set spring --retry-time 60 --max-dials none --min-talk 0");
    assert_eq!((&told["retry_times_s"], &told["max_dials"]), (&json!([60]), &Value::Null));
    assert!(machine.ok("campaign show spring").contains("at most 9"), "one, five retries, and three");
    for wrong in ["--retry-time 300,", "--retry-time 0", "--retry-time 5,x", "--max-dials 0", "--min-talk -1"] {
        machine.fails(&format!("campaign set spring {wrong}"), 64, "");
    }
}

/// A campaign with a wrap-up time whose first number was just answered.
fn answered(machine: &Machine) {
    machine.import("+493012345601\n+493012345602\n");
    machine.ok("campaign set spring --wrap-up 900 --max-retries 1");
    machine
        .ledger()
        .write(|db| {
            let spring = campaigns::find(db, "spring")?.unwrap();
            let contact = contacts::find(db, spring.id, &Number::from_canonical("+493012345601").unwrap())?.unwrap();
            let tally = ContactTally { charged: 1, dials: 1, invalid_strikes: 0 };
            let until = campanile::clock::now().plus_s(900);
            contacts::settle(db, contact.id, ContactState::Waiting, Some(until), tally, Disposition::Answered)?;
            contacts::await_result(db, contact.id, Some(until))
        })
        .unwrap();
}

#[test]
fn a_result_says_by_which_number_a_contact_is_called_next_and_by_which_no_more() {
    let result = "numbers result spring 03012345601 --no-success";
    let numbers = |machine: &Machine| {
        let shown = machine.json("numbers show spring 03012345601")["numbers"].clone();
        let told = |n: &Value| {
            format!("{} {} {}", &n["number"].as_str().unwrap()[11..], n["state"].as_str().unwrap(), n["next"])
        };
        shown.as_array().unwrap().iter().map(told).collect::<Vec<_>>()
    };
    let machine = Machine::with_campaign();
    answered(&machine);
    let told = machine.json(&format!("{result} --next-after 60 --next-number 03012345609 --stop-numbers all"));
    assert_eq!((&told["state"], &told["next"]), (&json!("waiting"), &json!("+493012345609")));
    assert_eq!(numbers(&machine), ["01 stopped false", "09 callable true"], "a new number is added");
    assert_eq!(machine.json("why 03012345609")["campaigns"][0]["campaign"], "spring");
    for (turn, code, words) in [
        ("--next-number 03012345602", 1, "another contact of the campaign"),
        ("--stop-numbers 03012345602", 66, "has no number +493012345602 to stop"),
        ("--stop-numbers foo", 65, "foo"),
    ] {
        let machine = Machine::with_campaign();
        answered(&machine);
        machine.fails(&format!("{result} {turn}"), code, words);
        assert!(!machine.json("numbers list spring")[0]["result_until"].is_null(), "nothing was changed");
    }
    let machine = Machine::with_campaign();
    answered(&machine);
    let told = machine.json(&format!("{result} --stop-numbers 03012345601"));
    assert_eq!((&told["state"], &told["next"]), (&json!("excluded"), &Value::Null));
    machine.fails("numbers result spring 03012345602 --success --stop-numbers all", 64, "cannot be used with");
}

#[test]
fn a_result_within_the_wrap_up_time_ends_a_contact_or_says_when_it_is_called_next() {
    let machine = Machine::with_campaign();
    answered(&machine);
    let told = machine.json("numbers result spring 03012345601 --no-success --next-after 60 --reset-retries");
    assert_eq!((&told["success"], &told["state"]), (&json!(false), &json!("waiting")));
    let row = &machine.json("numbers list spring")[0];
    assert_eq!((&row["charged"], &row["dials"], &row["result_until"]), (&json!(0), &json!(1), &Value::Null));
    machine.fails("numbers result spring 03012345601 --success", 1, "no result of a call to +493012345601 is awaited");
    let machine = Machine::with_campaign();
    answered(&machine);
    machine.ok("numbers result spring 03012345601 --success --comment thanks");
    let row = &machine.json("numbers list spring")[0];
    assert_eq!((&row["state"], &row["comment"], &row["charged"]), (&json!("reached"), &json!("thanks"), &json!(0)));
    assert_eq!(machine.json("campaign show spring")["wrap_up_s"], json!(900));
    machine.fails("numbers result spring 03012345602 --success", 1, "is awaited");
    machine.fails("numbers result spring 03012345602", 64, "");
    machine.fails("numbers result spring 03012345602 --success --no-success", 64, "");
    machine.fails("numbers result spring 03099999999 --success", 66, "has no number");
}
