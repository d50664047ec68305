//! What happens after a call, as it is typed and shown.

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
