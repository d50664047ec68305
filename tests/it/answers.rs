//! What happens on answer, from the command line to the report: menus, opt-outs, machines, connections.

use serde_json::Value;

use crate::machine::Machine;

/// A machine with these sounds and a campaign to these callees that does nothing yet but these lists (each with its
/// name, `spring` for the one that begins).
fn campaign(sounds: &[&str], fates: &[&str], lists: &[(&str, &[&str])]) -> Machine {
    let m = Machine::new();
    m.campaign("spring", &["--retry-time", "3600"], fates);
    for sound in sounds {
        m.sound(sound);
    }
    for (list, actions) in lists {
        for action in *actions {
            let words: Vec<&str> = ["actions", "add", list].into_iter().chain(action.split(' ')).collect();
            m.ok(&words);
        }
    }
    m.ok(&["actions", "remove", "spring", "1"]);
    m.start("spring");
    m
}

/// The steps of a call in words: list, action, result, keys, and where it went on.
fn steps(row: &Value) -> Vec<String> {
    let step = |s: &Value| {
        let word = |key: &str| s[key].as_str().unwrap_or("-").to_owned();
        let verb = word("action").split(' ').next().unwrap().to_owned();
        let to = s["finding"]["to"].as_str().map(|to| format!("→ {to}"));
        let words = [format!("{}:", word("list")), verb, word("result"), word("digits"), to.unwrap_or_default()];
        words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    };
    row["steps"].as_array().unwrap().iter().map(step).collect()
}

#[test]
fn a_key_in_a_menu_opts_the_callee_out_and_the_call_ends_politely() {
    let m = campaign(
        &["menu", "bye"],
        &["624"],
        &[
            ("spring:no-more", &["OPT-OUT", "PLAY bye"]),
            ("spring", &["MENU menu keys=1:next,2:no-more else=hangup", "HANGUP"]),
        ],
    );
    m.completed("spring");
    let rows = m.report("spring");
    assert_eq!(rows[0]["disposition"], "answered");
    let expected = ["-: MENU done 2 → no-more", "no-more: OPT-OUT done", "no-more: PLAY done 4", "-: HANGUP done"];
    assert_eq!(steps(&rows[0]), expected);
    assert_eq!(m.asterisk.seen().played, ["menu", "bye", "bye"], "the key 4 interrupts and does not cut");
    assert_eq!((m.count("spring", "reached"), m.count("spring", "excluded")), (0, 1));
    let told = m.ok(&["report", "spring"]);
    assert!(told.contains("keys 2 → no-more; no-more: OPT-OUT done"), "{told}");
}

#[test]
fn who_presses_nothing_hears_the_menu_again_and_is_let_go() {
    let m = campaign(&["menu"], &["010"], &[("spring", &["MENU menu keys=1:next timeout=1 repeats=1 else=hangup"])]);
    m.completed("spring");
    assert_eq!(steps(&m.report("spring")[0]), ["-: MENU done → hangup"]);
    assert_eq!(m.asterisk.seen().played, ["menu", "menu"]);
}

#[test]
fn a_machine_is_left_alone_and_called_again_and_a_human_and_one_not_sure_are_served() {
    let m = campaign(&["talk"], &["998", "999", "010"], &[("spring", &["AMD", "PLAY talk", "HANGUP"])]);
    crate::machine::until("three calls end", || {
        m.report("spring").iter().filter(|row| row["state"] == "closed").count().eq(&3).then_some(())
    });
    let rows = m.report("spring");
    let by = |fate: &str| rows.iter().find(|row| row["number"].as_str().unwrap().ends_with(fate)).unwrap();
    assert_eq!((&by("998")["disposition"], steps(by("998")).len()), (&"answered".into(), 3));
    assert_eq!(by("999")["disposition"], "machine");
    assert_eq!(steps(by("999")), ["-: AMD done → hangup"]);
    assert_eq!(by("999")["steps"][0]["finding"]["cause"], "LONGGREETING-1500-1500");
    assert_eq!(
        (&by("010")["disposition"], &by("010")["steps"][0]["finding"]["who"]),
        (&"answered".into(), &"unsure".into())
    );
    assert_eq!((m.count("spring", "reached"), m.count("spring", "failed")), (2, 1), "and max_retries are 0");
}

#[test]
fn a_machine_that_heard_the_message_is_reached() {
    let m = campaign(
        &["talk", "leave"],
        &["999"],
        &[("spring:leave", &["PLAY leave", "HANGUP"]), ("spring", &["AMD machine=leave", "PLAY talk"])],
    );
    m.completed("spring");
    assert_eq!(m.report("spring")[0]["disposition"], "machine");
    assert_eq!((m.asterisk.seen().played, m.count("spring", "reached")), (vec!["leave".to_owned()], 1));
}

#[test]
fn on_connect_of_mirta_and_action_on_answer_of_mod_dialer_are_lists_of_one_action() {
    for (action, handed_over) in [
        ("DIAL agents,100", "campanile-connect,dial,1 Local/100@agents/n,30"),
        ("QUEUE support", "campanile-connect,queue,1 support"),
        ("CONFERENCE 8000", "campanile-connect,conference,1 8000"),
        ("TRANSFER default,8888", "default,8888,1"),
    ] {
        let m = campaign(&[], &["010"], &[("spring", &[action])]);
        m.completed("spring");
        assert_eq!(m.asterisk.seen().handed_over, [(handed_over.to_owned(), String::new())]);
    }
}

#[test]
fn what_is_set_reaches_the_channel_under_a_safe_name_and_can_be_said() {
    let m = campaign(
        &["digits/1"],
        &["010"],
        &[(
            "spring",
            &["SET tier 3", "SAY number {tier}", "SAY date 2026-03-01", "SAY number {debt}", "TRANSFER main,s"],
        )],
    );
    m.completed("spring");
    let seen = m.asterisk.seen();
    assert_eq!(seen.played, ["NUMBER 3", "DATETIME 1772323200"]);
    assert_eq!(seen.set, [("CAMPANILE_VAR_tier".to_owned(), "3".to_owned())]);
    let results: Vec<String> = steps(&m.report("spring")[0]);
    assert_eq!(results[3..], ["-: SAY failed", "-: TRANSFER done"], "a contact without the variable hears the rest");
}

#[test]
fn what_a_callee_says_is_recorded_and_the_report_names_the_file() {
    let m = campaign(&["beep"], &["010", "701"], &[("spring", &["RECORD seconds=1", "HANGUP"])]);
    m.completed("spring");
    for row in m.report("spring") {
        let (step, hung_up) = (&row["steps"][0], row["number"].as_str().unwrap().ends_with("701"));
        assert_eq!(step["result"], if hung_up { "hung_up" } else { "done" }, "{row}");
        let file = step["finding"]["file"].as_str().unwrap();
        assert!(file.contains("/spool/monitor/campanile-") && file.ends_with(".wav"), "{file}");
        assert!(std::fs::exists(file).unwrap(), "{file}");
        assert!(m.ok(&["report", "spring"]).contains(file));
    }
}
