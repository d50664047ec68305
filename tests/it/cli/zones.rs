//! Legal hours and the zones of contacts, on the command line.

use serde_json::json;

use super::machine::Machine;

fn with_legal_hours(hours: &str) -> Machine {
    let machine = Machine::with_campaign();
    let conf = std::fs::read_to_string(machine.path("campanile.conf")).unwrap();
    machine.write("campanile.conf", format!("{conf}legal_hours = {hours}\n"));
    machine
}

fn rule(machine: &Machine, number: &str) -> serde_json::Value {
    let told = machine.json(&format!("why {number}"));
    let rules = told["campaigns"][0]["rules"].as_array().unwrap();
    rules.iter().find(|rule| rule["rule"] == "legal_hours").unwrap().clone()
}

#[test]
fn a_contact_is_shown_with_its_zone_where_it_is_from_and_its_hours() {
    let machine = with_legal_hours("08:00-21:00 | JP none");
    let list = "phone,zone\n+493012345601,America/New_York\n+12085550101,\n+819012345678,\n";
    machine.write("list.csv", list);
    let import =
        format!("numbers import spring {} --map number=phone --map zone=zone", machine.path("list.csv").display());
    assert_eq!(machine.json(&import)["imported"], 3);
    let place = |number: &str| {
        let shown = machine.json(&format!("numbers show spring {number}"));
        json!([shown["zones"], shown["zone_source"], shown["legal_hours"]])
    };
    let always = "Mon-Sun 08:00-21:00";
    assert_eq!(place("+493012345601"), json!([["America/New_York"], "column", always]));
    assert_eq!(place("+12085550101"), json!([["America/Denver", "America/Los_Angeles"], "number", always]));
    assert_eq!(place("+819012345678"), json!([["Asia/Tokyo"], "number", null]));
    let text = machine.ok("numbers show spring +12085550101");
    assert!(
        text.contains("zone        any of America/Denver, America/Los_Angeles (from the region of its number)"),
        "{text}"
    );
    assert!(text.contains("legal hours Mon-Sun 08:00-21:00"), "{text}");
    let japan = rule(&machine, "+819012345678");
    assert_eq!(japan["detail"], "no legal hours hold for the contact, in Asia/Tokyo (from the region of its number)");
}

#[test]
fn what_a_campaign_makes_of_the_legal_hours_is_set_and_shown() {
    let machine = with_legal_hours("08:00-21:00 | FR Mon-Fri 10:00-13:00,14:00-20:00");
    let shown = machine.ok("campaign show spring");
    let line = "legal hours on, where each contact is: Mon-Sun 08:00-21:00 | FR Mon-Fri 10:00-13:00,14:00-20:00";
    assert!(shown.contains(line), "{shown}");
    assert!(
        machine.ok("campaign set spring --legal-hours off").contains("legal hours off: its contacts may be called")
    );
    let own = machine.run_words(&["campaign", "set", "spring", "--legal-hours", "Mon-Fri 9:00-20:00; Sat 9:00-17:00"]);
    assert!(own.out.contains("legal hours where each contact is: Mon-Fri 09:00-20:00; Sat 09:00-17:00"), "{}", own.out);
    assert_eq!(machine.json("campaign show spring")["timing"]["legal_hours"], "Mon-Fri 09:00-20:00; Sat 09:00-17:00");
    machine.fails("campaign set spring --legal-hours 9-20", 64, "9-20");
    machine.fails("campaign set spring --legal-hours yes", 64, "yes");
    assert_eq!(machine.json("campaign set spring --legal-hours on")["timing"]["legal_hours"], "on");
}

#[test]
fn legal_hours_that_are_none_are_named_with_their_line_and_the_others() {
    let machine = with_legal_hours("08:00-21:00 | UK 09:00-20:00");
    let said = machine.run("check-config");
    assert_eq!(said.code, 78, "{}", said.err);
    assert!(said.out.contains("campanile.conf:8") && said.out.contains("`UK` is no country"), "{}", said.out);
    let machine = with_legal_hours("8 to 21\ncalls_one_time = ten");
    let said = machine.run("check-config");
    assert!(said.out.contains("legal_hours: ") && said.out.contains("calls_one_time is not"), "{}", said.out);
}

#[test]
fn a_campaign_that_never_opens_where_its_contacts_are_does_not_start() {
    let machine = with_legal_hours("08:00-21:00");
    machine.ok("actions add spring PLAY hello");
    machine.import("+819012345678\n");
    machine.ok("campaign set spring --start 16:00 --stop 22:00");
    machine.fails("campaign start spring", 1, "the legal hours where its contacts are do not open together");
    machine.ok("campaign set spring --legal-hours off");
    machine.ok("campaign start spring");
}
