//! `campanile forecast`.

use serde_json::json;

use super::machine::Machine;

fn with_numbers(count: u32) -> Machine {
    let machine = Machine::with_campaign();
    machine.import(&(0..count).map(|n| format!("+4416329600{n:02}\n")).collect::<String>());
    machine
}

#[test]
fn a_forecast_says_when_a_campaign_ends_and_on_how_many_channels() {
    let machine = with_numbers(30);
    let spring = machine.json("forecast spring --answer-rate 100% --ring 5 --talk 20 --runs 5");
    assert_eq!(
        (&spring["campaign"], &spring["basis"], &spring["runs"]),
        (&json!("spring"), &json!("given"), &json!(5))
    );
    let all = json!({"low": 30, "median": 30, "high": 30});
    assert_eq!((&spring["calls"], &spring["reached"]), (&all, &all));
    assert!(spring["ends_at"]["median"].is_string() && spring["channels_max"].as_u64().unwrap() >= 1, "{spring}");
    let starts: u64 = spring["channels"].as_array().unwrap().iter().map(|row| row["starts"].as_u64().unwrap()).sum();
    assert_eq!(starts, 30);
    let told = machine.ok("forecast spring");
    assert!(told.contains("assumed") && told.contains("--answer-rate"), "{told}");
    assert!(told.contains("ends ") && told.contains("in eight of ten runs"), "{told}");
    assert_eq!(machine.json("campaign show spring")["state"], "stopped", "it changes nothing");
}

#[test]
fn whoever_will_not_be_reached_is_told_with_the_reason() {
    let machine = with_numbers(30);
    machine.ok("campaign set spring --finish 10");
    let told = machine.ok("forecast spring --answer-rate 0%");
    assert!(told.contains("reached     0") && told.contains("failed      10: 100% "), "{told}");
    assert!(told.contains("left        20 ") && told.contains("--finish"), "{told}");
    let set = ["campaign", "set", "spring", "--finish", "all", "--ends-at", "2020-01-01 12:00"];
    assert_eq!(machine.run_words(&set).code, 0);
    let over = machine.json("forecast spring");
    assert_eq!((&over["calls"]["high"], &over["left"]["low"]), (&json!(0), &json!(30)));
    assert_eq!((&over["left_by"], &over["ends_at"]), (&json!("hours_over"), &json!(null)));
    machine.ok("campaign set spring --ends-at none");
    machine.ok("dnc create robinson");
    machine.ok("dnc add robinson +441632960001");
    assert_eq!(machine.json("forecast spring")["listed"], 1);
    let nobody = Machine::with_campaign();
    assert!(nobody.ok("forecast spring").contains("nobody is left to call"));
}

#[test]
fn a_forecast_ends_with_the_round_and_says_so() {
    let machine = with_numbers(3);
    assert!(!machine.ok("forecast spring").contains("of this round"));
    machine.ok("campaign set spring --repeat 600");
    let told = machine.ok("forecast spring --answer-rate 100%");
    assert!(told.contains("of this round") && told.contains("calls       3\n"), "{told}");
}

#[test]
fn a_forecast_is_drawn_as_a_chart() {
    let machine = with_numbers(3);
    machine.ok(&format!("forecast spring --svg {}", machine.path("f.svg").display()));
    let svg = std::fs::read_to_string(machine.path("f.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("Channels of spring, forecast"), "{svg}");
    machine.fails("forecast spring --svg /nowhere/f.svg", 74, "name a file that this user may write");
}

#[test]
fn what_makes_no_forecast_is_refused_with_its_mend() {
    let machine = Machine::with_campaign();
    machine.fails("forecast spring --answer-rate 101%", 64, "write a share from 0% to 100%");
    machine.fails("forecast spring --answer-rate often", 64, "write a share from 0% to 100%");
    machine.fails("forecast spring --talk soon", 64, "--talk");
    machine.fails("forecast sprnig", 66, "there is no campaign `sprnig`");
}
