//! Contacts with more than a number: their import, its preview and its undoing.

use campanile::domain::campaign::ContactState;
use campanile::domain::disposition::Disposition;
use serde_json::{Value, json};

use super::calls::{close, plan};
use super::machine::Machine;

const CUSTOMERS: &str = "Name;Telefon;Handy;Prio;Zeitzone;Gültig bis;Schulden\r\n\
    Jürgen Müller;030 1234567;0171 2345678;5;Europe/Vienna;31.12.2099;20000\r\n\
    Ann;030 1234568;0171 2345678;;;;\r\n";

fn counts(told: &Value) -> [u64; 5] {
    let keys = ["imported", "duplicates_in_file", "duplicates_in_campaign", "refused", "numbers_left_out"];
    keys.map(|key| told[key].as_u64().unwrap())
}

impl Machine {
    fn import_mapped(&self, text: impl AsRef<[u8]>, options: &str) -> Value {
        self.write("customers.csv", text);
        let file = self.path("customers.csv").display().to_string();
        self.json(&format!("numbers import spring {file} {options}"))
    }

    fn total(&self) -> u64 {
        self.json("campaign show spring")["numbers"]["total"].as_u64().unwrap()
    }
}

#[test]
fn columns_become_what_the_mapping_says_and_a_contact_shows_all_of_it() {
    let machine = Machine::with_campaign();
    let told = machine.import_mapped(CUSTOMERS, "--map auto --map var:debt=Schulden,number2=Handy:private");
    assert_eq!(counts(&told), [2, 0, 0, 0, 1]);
    let refusal = &told["refusals"][0];
    assert_eq!((&refusal["line"], &refusal["column"]), (&json!(3), &json!("number 2 (private)")));
    assert!(refusal["reason"].as_str().unwrap().starts_with("another contact of the file has this number"), "{told}");
    let shown = machine.json("numbers show spring 01712345678");
    let numbers = json!([
        {"number": "+49301234567", "kind": null, "state": "callable", "next": true},
        {"number": "+491712345678", "kind": "private", "state": "callable", "next": false},
    ]);
    assert_eq!(shown["numbers"], numbers);
    assert_eq!(
        [&shown["name"], &shown["priority"], &shown["time_zone"], &shown["expires_at"], &shown["variables"]["debt"]],
        [
            &json!("Jürgen Müller"),
            &json!(5),
            &json!("Europe/Vienna"),
            &json!("2099-12-31T23:00:00.000Z"),
            &json!("20000")
        ]
    );
    let listed = machine.json("numbers list spring");
    assert_eq!((&listed[0]["numbers"], &listed[1]["name"]), (&numbers, &json!("Ann")));
    assert_eq!(counts(&machine.import_mapped(CUSTOMERS, "--map auto")), [0, 0, 2, 0, 0], "the same file adds nothing");
    let why = machine.json("why 01712345678");
    let rules = why["campaigns"][0]["rules"].as_array().unwrap();
    let turn = rules.iter().find(|rule| rule["rule"] == "number_turn").unwrap();
    assert_eq!(turn["detail"], "another number of its contact is called first, number 1");
}

#[test]
fn without_a_mapping_only_numbers_are_taken_and_what_headers_say_is_told() {
    let machine = Machine::with_campaign();
    machine.write("customers.csv", CUSTOMERS);
    let said = machine.ok(&format!("numbers import spring {}", machine.path("customers.csv").display()));
    let not_taken = "Name (name), Handy (number 2 (mobile)), Prio (priority), Zeitzone (zone), Gültig bis (expires)";
    assert!(said.contains(not_taken) && said.contains("--map auto"), "{said}");
    assert_eq!(machine.json("numbers list spring")[0]["name"], Value::Null);
}

#[test]
fn a_dry_run_tells_what_an_import_would_and_writes_nothing() {
    let machine = Machine::with_campaign();
    machine.import("030 1234568\n");
    let (map, file) = ("--map auto", format!("{CUSTOMERS}Bob;030 1234567;;;;;\r\nCid;030 1234560;;zz;;;\r\n"));
    let dry = machine.import_mapped(&file, &format!("{map} --dry-run"));
    assert_eq!((counts(&dry), &dry["import"], &dry["dry_run"]), ([1, 1, 1, 1, 0], &Value::Null, &json!(true)));
    let columns: Vec<_> = dry["columns"].as_array().unwrap().iter().map(|c| c["becomes"].clone()).collect();
    let becomes = |field: &str| json!([field]);
    assert_eq!(columns[..3], [becomes("name"), becomes("number 1"), becomes("number 2 (mobile)")]);
    assert_eq!((&columns[6], &dry["columns"][6]["example"]), (&json!([]), &json!("20000")));
    assert_eq!((machine.total(), machine.json("numbers imports spring").as_array().unwrap().len()), (1, 1));
    let done = machine.import_mapped(&file, map);
    assert_eq!((counts(&done), &done["refusals"]), (counts(&dry), &dry["refusals"]));
}

#[test]
fn whatever_cannot_be_read_refuses_its_row_with_line_and_column() {
    let machine = Machine::with_campaign();
    let csv = "phone,phone2,priority,timezone,expires,callerid,v\n\
        foo,,1,,,,\n\
        ,,2,,,,\n\
        +49301234501,foo,,,,,\n\
        foo,+49301234502,,,,,\n\
        +49301234503,,high,Mars/Phobos,3/4/2026,ann,${X}\n\
        +49301234504,,,,2020-01-01,,\n";
    let told = machine.import_mapped(csv, "--map auto,number=phone,number2=phone2,var:v=v");
    assert_eq!(counts(&told), [2, 0, 0, 4, 2]);
    let refusals: Vec<String> = told["refusals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| format!("{} {}", r["line"], r["column"].as_str().unwrap_or("-")))
        .collect();
    let wrong = ["6 priority", "6 zone", "6 caller id", "6 variable v", "6 expires", "7 expires"];
    let numbers = ["2 number 1", "3 -", "4 number 2", "5 number 1"];
    assert_eq!(refusals, [&numbers[..], &wrong[..]].concat());
    let reasons = told["refusals"].to_string();
    for words in ["the contact has no number", "no time zone", "may be two dates", "it expired at", "character '$'"] {
        assert!(reasons.contains(words), "{words}: {reasons}");
    }
    assert_eq!(machine.json("numbers list spring")[1]["number"], "+49301234502", "its second is its only one");
}

#[test]
fn a_column_of_json_brings_several_variables_and_no_name_of_a_function_i7() {
    let machine = Machine::with_campaign();
    let csv = "phone,v,city\n\
        +49301234501,\"{\"\"debt\"\": 20, \"\"product\"\": \"\"gas\"\", \"\"city\"\": \"\"Ulm\"\", \"\"old\"\": null}\",Bonn\n\
        +49301234502,,\n\
        +49301234503,debt=20,\n\
        +49301234504,\"{\"\"FILE(/etc/passwd)\"\": 1}\",\n\
        +49301234505,\"{\"\"debt\"\": \"\"${X}\"\"}\",\n\
        +49301234506,\"{\"\"debt\"\": [1]}\",\n";
    let told = machine.import_mapped(csv, "--map number=phone,variables=v,var:city=city");
    assert_eq!(counts(&told), [2, 0, 0, 4, 0]);
    let variables = machine.json("numbers list spring")[0]["variables"].clone();
    assert_eq!(variables, json!({"debt": "20", "product": "gas", "city": "Bonn"}), "a column of its own goes before");
    let refused: Vec<&str> =
        told["refusals"].as_array().unwrap().iter().map(|r| r["reason"].as_str().unwrap()).collect();
    for (reason, words) in
        refused.iter().zip(["no JSON object", "character '('", "variable debt: ", "a list or an object"])
    {
        assert!(reason.contains(words), "{words}: {reason}");
    }
    assert!(told["refusals"].as_array().unwrap().iter().all(|r| r["column"] == "variables"), "{told}");
}

#[test]
fn a_mapping_that_cannot_be_is_refused_with_what_there_is_i7() {
    let machine = Machine::with_campaign();
    machine.write("customers.csv", CUSTOMERS);
    let file = machine.path("customers.csv").display().to_string();
    for (map, code, words) in [
        ("var:FILE(/etc/passwd)=Schulden", 64, "variable name has the character '('"),
        ("nmae=Name", 64, "the fields are: name, number"),
        ("name", 64, "FIELD=COLUMN"),
        ("name=Nmae", 65, "the columns are: Name, Telefon"),
        ("priority=9", 65, "the file has 7"),
        ("name=1,name=2", 65, "two columns would become name"),
        ("number=Telefon --column 2", 64, "say the same"),
    ] {
        machine.fails(&format!("numbers import spring {file} --map {map}"), code, words);
    }
    assert_eq!(machine.total(), 0);
}

#[test]
fn a_spreadsheets_latin_1_with_semicolons_keeps_the_letters_of_names() {
    let machine = Machine::with_campaign();
    let text = CUSTOMERS.replace("0171", "0172");
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let told = machine.import_mapped(latin, "--map auto");
    assert_eq!((counts(&told)[0], &told["format"]["charset"]), (2, &json!("windows-1252")));
    assert_eq!(machine.json("numbers list spring")[0]["name"], "Jürgen Müller");
}

#[test]
fn an_import_is_taken_back_until_one_of_its_numbers_is_dialled() {
    let machine = Machine::with_campaign();
    assert_eq!(machine.import("+493012345601\n")["import"], 1);
    assert_eq!(machine.import_mapped(CUSTOMERS, "--map auto")["import"], 2);
    assert_eq!(machine.json("numbers undo spring")["deleted"], 2);
    assert_eq!(machine.total(), 1);
    machine.fails("numbers undo spring 2", 1, "taken back already");
    machine.fails("numbers undo spring 7", 66, "has no import 7");
    let mut ledger = machine.ledger();
    let attempt = plan(&mut ledger, 0);
    machine.fails("numbers undo spring", 1, "its number +493012345601 is in a call");
    close(&mut ledger, attempt, Disposition::Busy, ContactState::Failed);
    machine.fails("numbers undo spring 1", 1, "its number +493012345601 was dialled");
    assert_eq!(machine.total(), 1);
    let told = machine.json("numbers imports spring");
    let told: Vec<_> = told.as_array().unwrap().iter().map(|i| (&i["import"], i["undone_at"].is_null())).collect();
    assert_eq!(told, [(&json!(2), false), (&json!(1), true)]);
    assert_eq!(machine.import("+493012345602\n")["import"], 3);
    assert!(machine.ok("numbers imports spring").contains("numbers.txt"));
}

#[test]
fn a_contacts_numbers_are_stopped_one_by_one_and_one_can_be_preferred() {
    let machine = Machine::with_campaign();
    machine.import_mapped(CUSTOMERS, "--map auto");
    assert_eq!(machine.json("numbers next spring 01712345678")["next"], "+491712345678");
    assert!(machine.ok("numbers show spring 0301234567").contains("+491712345678 (mobile), callable, called next"));
    assert_eq!(machine.json("numbers stop spring 01712345678")["next"], "+49301234567");
    let left = machine.json("numbers stop spring 0301234567");
    assert_eq!((&left["state"], &left["next"]), (&json!("excluded"), &Value::Null));
    machine.fails("numbers reactivate spring 0301234567", 1, "campanile numbers next spring +49301234567");
    assert_eq!(machine.json("numbers stop spring 0301234568")["state"], "excluded");
    assert_eq!(machine.json("numbers list spring --state excluded")[1]["excluded"], "numbers_stopped");
    machine.fails("numbers stop spring 0309999999", 66, "has no number +49309999999");
}

#[test]
fn a_stop_of_the_last_number_is_taken_back_as_why_says() {
    let machine = Machine::with_running_campaign();
    let number = "+493012345601";
    let waiting = || {
        let why = machine.json(&format!("why {number}"));
        let rules = why["campaigns"][0]["rules"].as_array().unwrap().clone();
        let rule = rules.iter().find(|rule| rule["rule"] == "contact_waiting").unwrap();
        (rule["verdict"].clone(), rule["detail"].as_str().unwrap().to_owned())
    };
    assert_eq!(machine.json(&format!("numbers stop spring {number}"))["state"], "excluded");
    assert_eq!(waiting(), (json!("fail"), "is excluded (numbers_stopped): this is final".to_owned()));
    machine.fails(&format!("numbers reactivate spring {number}"), 1, "campanile numbers next spring +493012345601");
    assert_eq!(
        machine.json(&format!("numbers next spring {number}")),
        json!({"campaign": "spring", "number": number, "state": "waiting", "next": number})
    );
    assert_eq!(waiting(), (json!("pass"), "waits for its call".to_owned()));
    assert_eq!(machine.json("numbers list spring")[0]["excluded"], Value::Null);
}

#[test]
fn a_campaigns_order_can_be_changed_for_those_that_are_there() {
    let machine = Machine::with_campaign();
    let numbers: Vec<String> = (0..50).map(|n| format!("+4930123456{n:02}\n")).collect();
    machine.import(&numbers.concat());
    assert_eq!(machine.json("campaign set spring --order random --next-number-after 60")["order"], "random");
    let shown = machine.ok("campaign show spring");
    assert!(shown.contains("order       random; the next number of a contact after 60 s"), "{shown}");
    machine.fails("campaign set spring --order rnadom", 64, "sequential, random");
    let ahead = |n: usize| {
        let why = machine.json(&format!("why +4930123456{n:02}"));
        let rules = why["campaigns"][0]["rules"].as_array().unwrap().clone();
        rules.iter().find(|rule| rule["rule"] == "turn").unwrap()["detail"].as_str().unwrap().to_owned()
    };
    let places: Vec<String> = (0..6).map(ahead).collect();
    machine.ok("campaign set spring --order sequential");
    let sequential: Vec<String> = (0..6).map(ahead).collect();
    assert_ne!(places, sequential);
    assert_eq!(sequential[0], "is the next of its campaign");
}
