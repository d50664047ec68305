//! The command line, with the real binary.

mod actions;
mod calendars;
mod calls;
mod dnc;
mod forecast;
mod generators;
pub mod machine;
mod outcomes;
mod people;
mod traffic;
mod trunks;
mod zones;

use std::process::Stdio;

use campanile::daemon::lock::ServeLock;
use machine::Machine;
use serde_json::{Value, json};

#[test]
fn a_user_sees_and_does_only_what_is_theirs() {
    let machine = Machine::with_campaign();
    machine.ok("user add alice");
    machine.ok("user add bob");
    machine.ok("--as alice campaign add hers --trunk gw1");
    let names = |who: &str| {
        let all = machine.json(&format!("--as {who} campaign list"));
        all.as_array().unwrap().iter().map(|c| c["campaign"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((names("alice"), names("bob")), (vec!["hers".to_owned()], vec![]));
    assert_eq!(names("admin"), ["hers", "spring"]);
    for verb in [
        "campaign show",
        "campaign start",
        "campaign stop",
        "campaign pause",
        "campaign set",
        "campaign remove",
        "numbers list",
        "numbers imports",
        "numbers undo",
        "numbers delete-all",
        "actions list",
        "report",
        "redial-failed",
        "watch",
    ] {
        machine.fails(&format!("--as bob {verb} hers"), 66, "there is no campaign `hers`");
    }
    machine.fails("--as nobody campaign list", 77, "there is no user `nobody`");
}

#[test]
fn what_is_an_admins_is_refused_to_a_user() {
    let machine = Machine::with_campaign();
    machine.ok("user add alice");
    machine.ok("--as alice campaign add hers --trunk gw1");
    assert!(machine.ok("--as alice trunk list").contains("gw1"));
    for line in [
        "user list",
        "user add eve",
        "trunk add gw2 --dial PJSIP/{number}@gw2",
        "trunk show gw1",
        "trunk remove gw1",
        "trunk test gw1 +493012345",
        "actions add hers IVR main,s,1",
        "campaign set hers --user admin",
        "doctor",
    ] {
        machine.fails(&format!("--as alice {line}"), 77, "only an admin may");
    }
    machine.ok("actions add hers IVR main,s,1");
}

#[test]
fn a_campaign_that_lacks_something_is_not_started_and_says_how_to_mend_it() {
    let machine = Machine::with_campaign();
    machine.fails("campaign start spring", 1, "campanile numbers import spring FILE");
    machine.fails("campaign start spring", 1, "campanile actions add spring PLAY SOUND");
    machine.import("+493012345601\n");
    machine.ok("actions add spring PLAY hello");
    std::fs::remove_file(machine.path("sounds/en/hello.wav")).unwrap();
    machine.fails("campaign start spring", 1, "campanile actions set spring 1 PLAY SOUND");
    let said = machine.run("campaign start spring --json");
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, &told["started"], told["missing"].as_array().unwrap().len()), (1, &json!(false), 1));
    assert_eq!(machine.json("campaign show spring")["state"], "stopped");
}

#[test]
fn starting_and_stopping_twice_is_said_and_no_error() {
    let machine = Machine::with_running_campaign();
    assert_eq!(machine.json("campaign start spring")["already"], true);
    let stopped = machine.json("campaign stop spring");
    assert_eq!(
        (&stopped["stopped"], &stopped["state"], &stopped["calls_up"]),
        (&json!(true), &json!("stopped"), &json!(0))
    );
    assert_eq!(machine.json("campaign stop spring")["stopped"], false);
    assert!(machine.ok("campaign pause spring").contains("is stopped already"));
    machine.ok("campaign start spring");
    assert_eq!(machine.json("campaign pause spring")["state"], "paused");
    assert_eq!(machine.json("campaign stop spring")["state"], "stopped");
}

#[test]
fn a_start_without_a_daemon_or_with_a_closed_window_says_so() {
    let machine = Machine::with_running_campaign();
    let said = machine.run("campaign start spring");
    assert!(said.code == 0 && said.err.contains("`campanile serve` does not run"), "{}", said.err);
    // A window that has room for a call in one second only is closed now, unless this test hits that very second.
    machine.ok("campaign set spring --start 03:33:33 --stop 03:34:09");
    let _runs = ServeLock::take(&machine.path("state/serve.lock")).unwrap();
    let told = machine.json("campaign start spring");
    assert_eq!(told["daemon_runs"], true);
    assert!(told["opens_at"].as_str().is_some_and(|at| at.ends_with(":33:33.000Z")), "{told}");
}

#[test]
fn an_import_tells_duplicates_of_the_file_from_those_of_the_campaign_and_refusals_with_their_lines() {
    let machine = Machine::with_campaign();
    let text = "+49 (30) 1234-5601\n030 12345601\n0049 30 12345602\nfoo\n4.93E+11\n";
    let first = machine.import(text);
    let counts = |told: &Value| {
        ["imported", "duplicates_in_file", "duplicates_in_campaign", "refused"].map(|key| told[key].as_u64().unwrap())
    };
    assert_eq!(counts(&first), [2, 1, 0, 2]);
    assert_eq!((&first["refusals"][0]["line"], &first["refusals"][0]["text"]), (&json!(4), &json!("foo")));
    assert!(first["refusals"][1]["reason"].as_str().unwrap().contains("spreadsheet"), "{first}");
    assert_eq!(counts(&machine.import(text)), [0, 0, 3, 2]);
    let listed = machine.json("numbers list spring --state waiting");
    assert_eq!(listed[0]["number"], "+493012345601");
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(machine.json("numbers list spring --limit 1").as_array().unwrap().len(), 1);
    assert_eq!(machine.json("numbers list spring --state failed"), json!([]));
}

#[test]
fn refused_rows_go_to_a_file_and_an_import_of_nothing_but_those_fails() {
    let machine = Machine::with_campaign();
    machine.write("bad.txt", "foo\nbar, \"baz\"\n");
    let line = format!(
        "numbers import spring {} --format txt --refused-to {}",
        machine.path("bad.txt").display(),
        machine.path("refused.csv").display()
    );
    assert_eq!(machine.run(&line).code, 65);
    let refused = std::fs::read_to_string(machine.path("refused.csv")).unwrap();
    assert!(refused.starts_with("line,text,reason\n1,foo,"), "{refused}");
    assert!(refused.contains("\n2,\"bar, \"\"baz\"\"\","), "{refused}");
}

#[test]
fn a_numbers_file_that_cannot_be_one_is_refused_with_a_reason() {
    let machine = Machine::with_campaign();
    machine.write("empty.txt", "");
    machine.fails(&format!("numbers import spring {}", machine.path("empty.txt").display()), 65, "empty");
    machine.fails("numbers import spring /nowhere/numbers.txt", 66, "/nowhere/numbers.txt");
    assert_eq!(machine.run("numbers import spring /nowhere/numbers.txt").out, "", "nothing was counted");
    machine.fails(
        &format!("numbers import autumn {}", machine.path("empty.txt").display()),
        66,
        "no campaign `autumn`",
    );
}

#[test]
fn a_spreadsheet_export_in_utf_16_is_read_by_its_header() {
    let machine = Machine::with_campaign();
    let text = "Name;Telefon\r\nÄnne;030 12345601\r\nBert;030 12345602\r\n";
    let utf_16: Vec<u8> = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    machine.write("export.csv", utf_16);
    let told = machine.json(&format!("numbers import spring {}", machine.path("export.csv").display()));
    assert_eq!((&told["imported"], &told["refused"]), (&json!(2), &json!(0)));
    assert_eq!(
        told["format"],
        json!({"charset": "UTF-16LE", "separator": "semicolon", "header": "Telefon", "column": 2})
    );
}

#[test]
fn settings_of_a_campaign_are_set_shown_and_cleared() {
    let machine = Machine::with_campaign();
    let words = ["campaign", "set", "spring", "--channels", "5", "--caller-id", "Shop <+4930123>", "--start", "09:00"];
    assert_eq!(machine.run_words(&words).code, 0);
    machine.ok("campaign set spring --stop 18:00 --time-zone Europe/London --max-retries 2 --retry-time 60");
    let told = machine.json("campaign show spring");
    assert_eq!((&told["channels"], &told["caller_id"]), (&json!(5), &json!("Shop <+4930123>")));
    assert_eq!((&told["window"]["start"], &told["window"]["stop"]), (&json!("09:00:00"), &json!("18:00:00")));
    assert!(told["run_time"].as_str().unwrap().starts_with("09:00-18:00 Europe/London, "), "{told}");
    assert_eq!(
        (&told["max_retries"], &told["retry_time_s"], &told["wait_time_s"]),
        (&json!(2), &json!(60), &json!(30))
    );
    let cleared = machine.json("campaign set spring --channels none --caller-id none");
    assert_eq!((&cleared["channels"], &cleared["caller_id"]), (&Value::Null, &Value::Null));
    let hasty = machine.run("campaign set spring --wait-time 10");
    assert!(hasty.code == 0 && hasty.err.contains("missed calls"), "{}", hasty.err);
}

#[test]
fn a_wrong_command_line_ends_with_64_in_our_own_voice() {
    let machine = Machine::with_campaign();
    for line in [
        "campain list",
        "campaign add a;b --trunk gw1",
        "campaign set spring --wait-time 0",
        "campaign set spring --start 25:00",
        "campaign set spring --time-zone Mars/Base",
        "trunk add x --dial PJSIP/{number}&PJSIP/1",
        "trunk add x --dial PJSIP/x",
        "numbers list spring --state lost",
        "report spring --csv --json",
        "campaign add spring2",
    ] {
        machine.fails(line, 64, "");
    }
}

#[test]
fn what_is_taken_in_use_or_absent_is_said() {
    let machine = Machine::with_campaign();
    machine.fails("trunk add gw1 --dial PJSIP/{number}@gw1", 1, "already a trunk");
    machine.fails("campaign add spring --trunk gw1", 1, "already a campaign");
    machine.fails("campaign add autumn --trunk gw2", 66, "no trunk `gw2`");
    machine.fails("trunk remove gw1", 1, "in use by campaign(s) spring");
    machine.fails("user remove admin", 1, "built-in admin");
    machine.fails("user remove eve", 66, "no user `eve`");
    machine.fails("numbers reactivate spring +493012345601", 66, "has no number");
    machine.fails("trunk test gw1 4.93E+11", 65, "spreadsheet");
}

#[test]
fn a_running_campaign_keeps_its_last_action() {
    let machine = Machine::with_running_campaign();
    machine.fails("actions remove spring 1", 1, "silent");
    machine.ok("actions add spring WAIT 1");
    machine.ok("actions remove spring 1");
    machine.ok("campaign pause spring");
    machine.ok("actions remove spring 1");
}

#[test]
fn short_numbers_do_not_come_to_a_trunk_that_refuses_them() {
    let machine = Machine::with_campaign();
    machine.ok("trunk add pbx --dial Local/{number}@internal --short-numbers");
    machine.ok("campaign set spring --trunk pbx");
    machine.import("101\n");
    machine.fails("campaign set spring --trunk gw1", 1, "no short numbers");
    machine.ok("campaign set spring --channels 1");
    machine.ok("numbers delete-all spring --yes");
    machine.ok("campaign set spring --trunk gw1");
}

#[test]
fn a_state_folder_that_is_not_there_is_named_by_the_daemon() {
    let machine = Machine::new();
    std::fs::remove_dir(machine.path("state")).unwrap();
    let said = machine.run("serve");
    assert!(said.code == 73 && said.err.contains("setting state_dir"), "{}: {}", said.code, said.err);
}

#[test]
fn nothing_goes_without_yes() {
    let machine = Machine::with_running_campaign();
    machine.fails("campaign remove spring --yes", 1, "is running");
    machine.ok("campaign stop spring");
    machine.fails("campaign remove spring", 1, "2 numbers");
    machine.fails("numbers delete-all spring", 1, "2 numbers would go");
    let deleted = machine.json("numbers delete-all spring --yes");
    assert_eq!(deleted, json!({"campaign": "spring", "deleted": 2, "kept_in_progress": 0}));
    machine.ok("campaign remove spring --yes");
    assert_eq!(machine.json("campaign list"), json!([]));
    machine.ok("trunk remove gw1");
}

#[test]
fn why_judges_every_rule_for_every_campaign_that_has_the_number_i9() {
    let machine = Machine::with_running_campaign();
    machine.ok("campaign add autumn --trunk gw1");
    machine.write("a.txt", "+493012345601\n");
    machine.ok(&format!("numbers import autumn {}", machine.path("a.txt").display()));
    let alone = machine.json("why 03012345601 --campaign spring");
    assert_eq!(
        (&alone["campaigns"][0]["callable_at"], &alone["campaigns"][0]["rules"][0]["rule"]),
        (&Value::Null, &json!("daemon_running"))
    );
    let _runs = ServeLock::take(&machine.path("state/serve.lock")).unwrap();
    let told = machine.json("why 03012345601 --campaign spring");
    assert_eq!(told["campaigns"][0]["hint"], "systemctl start campanile-agi, or `campanile-agi` as Asterisk's user");
    machine.opens_a_gate();
    let told = machine.json("why 03012345601");
    let campaigns = told["campaigns"].as_array().unwrap();
    let of = |name: &str| campaigns.iter().find(|c| c["campaign"] == name).unwrap();
    assert!(of("spring")["callable_at"].as_str().unwrap().ends_with('Z'), "{told}");
    assert_eq!(of("autumn")["hint"], "campanile campaign start autumn");
    assert_eq!(
        (&of("autumn")["rules"][1]["verdict"], &of("autumn")["rules"][2]["verdict"]),
        (&json!("pass"), &json!("fail"))
    );
    assert_eq!(machine.json("why 03012345601 --campaign spring")["campaigns"].as_array().unwrap().len(), 1);
    machine.fails("why +493012345699", 66, "no campaign has the number");
}

#[test]
fn wrong_settings_are_told_by_every_verb() {
    let machine = Machine::new();
    let conf = std::fs::read_to_string(machine.path("campanile.conf")).unwrap();
    machine.write("campanile.conf", format!("{conf}calls_on_time = 5\n"));
    machine.fails("campaign list", 78, "did you mean calls_one_time?");
    assert_eq!(machine.run("check-config").code, 78);
    machine.write("campanile.conf", conf);
    assert_eq!(machine.json("check-config")["ok"], true);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let machine = Machine::with_running_campaign();
    for line in
        ["report spring", "numbers list spring --json", "campaign show spring", "--help", "watch", "check-config"]
    {
        let mut command = machine.command();
        let mut child = command.args(line.split(' ')).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), err.as_str()), (Some(0), ""), "{line}");
    }
}

#[test]
fn watching_a_stopped_campaign_until_done_ends_at_once() {
    let machine = Machine::with_running_campaign();
    machine.ok("campaign stop spring");
    let told = machine.json("watch spring --until-done");
    assert_eq!((&told["campaign"], &told["state"], &told["waiting"]), (&json!("spring"), &json!("stopped"), &json!(2)));
    let idle = machine.ok("watch --until-done");
    assert!(idle.ends_with("no campaign runs\n") && idle.lines().count() == 1, "{idle}");
}
