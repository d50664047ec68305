//! Do-not-call lists at the command line.

use serde_json::json;

use super::machine::Machine;

#[test]
fn entries_are_added_shown_and_removed_with_their_source_and_expiry() {
    let machine = Machine::with_campaign();
    machine.ok("dnc create robinson");
    let told = machine.json("dnc add robinson 03012345601 +493012345602 --source letter --expires 2099-01-31");
    assert_eq!(told, json!({"list": "robinson", "added": 2, "known": 0}));
    machine.ok("dnc add robinson --prefix +49900");
    let told = machine.json("dnc add robinson +493012345601");
    assert_eq!((&told["added"], &told["known"]), (&json!(0), &json!(1)));
    let shown = machine.json("dnc show robinson");
    let rows = shown.as_array().unwrap();
    assert_eq!(rows.len(), 3);
    let first = (&rows[0]["number"], &rows[0]["source"], &rows[0]["expires_at"]);
    assert_eq!(first, (&json!("+493012345601"), &json!("letter"), &json!(null)), "the longer entry counts");
    assert_eq!(rows[1]["expires_at"], json!("2099-01-31T23:00:00.000Z"));
    assert_eq!((&rows[2]["prefix"], &rows[2]["source"]), (&json!("+49900"), &json!("admin")));
    assert!(machine.ok("dnc show robinson").contains("+49900…"));
    let lists = machine.json("dnc list");
    assert_eq!(lists[1], json!({"list": "robinson", "scope": "server", "of": null, "numbers": 2, "prefixes": 1}));
    machine.ok("dnc remove robinson 03012345601");
    machine.fails("dnc remove robinson 03012345601", 66, "is not on the do-not-call list robinson");
    assert!(machine.ok("dnc check 03012345601").contains("no do-not-call list"));
    let check = machine.run("dnc check 03012345602 --json");
    assert_eq!(check.code, 1);
    assert!(check.out.contains("robinson"), "{}", check.out);
    machine.fails("dnc delete robinson", 1, "1 numbers and 1 prefixes would go");
    machine.ok("dnc delete robinson --yes");
    machine.fails("dnc delete opt-out --yes", 1, "callees who opt out");
}

#[test]
fn what_is_no_entry_no_date_or_no_list_is_refused_with_the_mend() {
    let machine = Machine::with_campaign();
    machine.fails("dnc add robinson +493012345601", 66, "no do-not-call list `robinson`");
    machine.fails("dnc add opt-out 12", 65, "with its country code");
    machine.fails("dnc add opt-out --prefix 0900", 65, "a prefix is +");
    machine.fails("dnc add opt-out --prefix +4", 65, "a prefix is +");
    machine.fails("dnc add opt-out +493012345601 --expires 2020-01-01", 64, "is over");
    machine.fails("dnc add opt-out +493012345601 --expires soon", 64, "is no date");
    machine.fails("dnc add opt-out", 64, "");
    machine.fails("dnc create opt-out", 1, "already a do-not-call list");
    assert_eq!(machine.json("dnc show opt-out"), json!([]), "nothing was added");
}

#[test]
fn a_user_has_lists_of_their_own_and_sees_of_the_servers_only_that_they_are() {
    let machine = Machine::with_campaign();
    machine.ok("user add alice");
    machine.ok("user add bob");
    machine.ok("--as alice dnc create hers");
    machine.ok("--as alice dnc add hers +493012345601");
    machine.fails("--as bob dnc show hers", 66, "no do-not-call list `hers`");
    machine.fails("--as bob dnc add hers +493012345602", 66, "no do-not-call list `hers`");
    machine.fails("--as alice dnc show opt-out", 77, "only an admin may");
    machine.fails("--as alice dnc add opt-out +493012345601", 77, "only an admin may");
    machine.fails("--as alice dnc create x --campaign spring", 66, "no campaign `spring`");
    machine.fails("--as alice dnc create x --user bob", 77, "only an admin may");
    let lists = machine.json("--as bob dnc list");
    assert_eq!(lists, json!([{"list": "opt-out", "scope": "server", "of": null}]));
    machine.fails("user remove alice", 1, "1 do-not-call list(s)");
    machine.ok("--as alice dnc delete hers --yes");
    machine.ok("user remove alice");
}

#[test]
fn numbers_on_a_list_are_refused_at_the_import_by_its_name() {
    let machine = Machine::with_campaign();
    machine.ok("dnc create robinson");
    machine.ok("dnc create hers --campaign spring");
    machine.ok("dnc add robinson +493012345602 --source letter");
    machine.ok("dnc add hers --prefix +49900");
    let told = machine.import("+493012345601\n+493012345602\nfoo\n+4990012345\n+493012345603\n");
    assert_eq!((&told["imported"], &told["refused"], &told["do_not_call"]), (&json!(2), &json!(3), &json!(2)));
    let rows = told["refusals"].as_array().unwrap();
    assert_eq!(
        rows[0],
        json!({"line": 2, "text": "+493012345602", "reason": "on the do-not-call list robinson (letter)"})
    );
    assert_eq!((&rows[1]["line"], &rows[2]["line"]), (&json!(3), &json!(4)));
    assert_eq!(rows[2]["reason"], json!("on the do-not-call list hers (admin)"));
    let again = machine.run(&format!("numbers import spring {}", machine.path("numbers.txt").display()));
    assert!(again.out.contains("3 refused, 2 of them on a do-not-call list"), "{}", again.out);
}

#[test]
fn a_list_is_imported_from_a_spreadsheet_with_what_is_wrong_named_by_its_line() {
    let machine = Machine::with_campaign();
    let text = "Name;Telefon\r\nÄnne;030 12345601\r\nBert;-\r\nCarl;030 12345602\r\n";
    let utf_16: Vec<u8> = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    machine.write("export.csv", utf_16);
    let line = format!("dnc import opt-out {} --source register", machine.path("export.csv").display());
    let told = machine.json(&line);
    assert_eq!((&told["added"], &told["known"], &told["refused"]), (&json!(2), &json!(0), &json!(1)));
    assert_eq!(told["refusals"][0]["line"], json!(3));
    assert_eq!(machine.json(&line)["known"], json!(2));
    machine.write("prefixes.txt", "+49900\n0900\n");
    let told = machine.json(&format!("dnc import opt-out {} --prefix", machine.path("prefixes.txt").display()));
    assert_eq!((&told["added"], &told["refused"]), (&json!(1), &json!(1)));
    let fax = format!("dnc import opt-out {} --column Fax", machine.path("export.csv").display());
    machine.fails(&fax, 65, "`campanile help dnc import` has the options");
    machine.fails("dnc import opt-out /nowhere/x.txt", 66, "/nowhere/x.txt");
}

#[test]
fn why_names_the_list_and_the_cap_i9() {
    let machine = Machine::with_running_campaign();
    machine.ok("dnc add opt-out +493012345601 --source letter --expires 2099-01-31");
    let told = machine.json("why +493012345601");
    let rules = told["campaigns"][0]["rules"].as_array().unwrap();
    let rule = rules.iter().find(|rule| rule["rule"] == "do_not_call").unwrap();
    assert_eq!((&rule["verdict"], &rule["next_at"]), (&json!("fail"), &json!("2099-01-31T23:00:00.000Z")));
    assert!(rule["detail"].as_str().unwrap().contains("opt-out (letter) until 2099-02-01 00:00:00"), "{rule}");
    for rule in ["frequency_cap", "server_channels"] {
        assert!(rules.iter().any(|told| told["rule"] == rule && told["verdict"] == "pass"), "{rule}: {rules:?}");
    }
}
