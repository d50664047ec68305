use super::*;

fn action(verb: &str, argument: &str) -> Result<Action, ActionRefusal> {
    Action::parse(verb, argument)
}

/// Lists as typed: the name (or nothing), then actions.
fn lists(lists: &[(&str, &[&str])]) -> Actions {
    let mut actions = Actions::default();
    for (name, typed) in lists {
        let read = |text: &&str| {
            let (verb, argument) = text.split_once(' ').unwrap_or((text, ""));
            action(verb, argument).unwrap()
        };
        let name = (!name.is_empty()).then(|| name.parse().unwrap());
        actions.replace(name.as_ref(), typed.iter().map(read).collect());
    }
    actions
}

#[track_caller]
fn refused(actions: &Actions, said: &str) {
    let refusal = actions.check().unwrap_err().to_string();
    assert!(refusal.contains(said), "{refusal}");
}

#[test]
fn actions_read_back_as_shown() {
    for typed in [
        "WAIT 2",
        "PLAY en/welcome-2",
        "IVR main,s,1",
        "SAY number {debt}",
        "SAY characters AB 12",
        "MENU m keys=1:sales,2:again,45#:hangup timeout=3 repeats=0 wrong=no-such-key else=next",
        "AMD human=next machine=hangup unsure=next",
        "OPT-OUT",
        "OPT-OUT never",
        "SET greeting {name}",
        "SET tier gold plus",
        "HANGUP",
        "RECORD seconds=60 stop=# beep=yes",
        "RECORD seconds=5 silence=2 stop=none beep=no",
        "TRANSFER main,s",
        "DIAL agents,100 ring=20",
        "QUEUE support",
        "QUEUE support wait=60",
        "CONFERENCE 8000",
    ] {
        let (verb, argument) = typed.split_once(' ').unwrap_or((typed, ""));
        let read = action(verb, argument).unwrap();
        assert_eq!(read.to_string(), typed);
        let stored = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<Action>(&stored).unwrap(), read, "{stored}");
    }
    assert_eq!(action("wait", " 5 "), Ok(Action::Wait { seconds: 5 }));
    let shown = |verb, argument| action(verb, argument).unwrap().to_string();
    assert_eq!(shown("MENU", "m keys=1:next"), "MENU m keys=1:next timeout=5 repeats=2 else=next");
    assert_eq!(shown("amd", "human=talk"), "AMD human=talk machine=hangup unsure=talk", "not sure counts as human");
    assert_eq!(shown("DIAL", "agents,100"), "DIAL agents,100 ring=30");
}

#[test]
fn what_is_no_action_is_refused() {
    for (verb, argument) in [
        ("DANCE", ""),
        ("WAIT", ""),
        ("WAIT", "0"),
        ("WAIT", "-1"),
        ("WAIT", "3601"),
        ("WAIT", "1.5"),
        ("PLAY", ""),
        ("PLAY", "a&b"),
        ("PLAY", "a b"),
        ("PLAY", "a\nb"),
        ("IVR", "main"),
        ("IVR", "main,s"),
        ("IVR", "main,s,0"),
        ("IVR", "main,s,1,2"),
        ("IVR", "main,${x},1"),
        ("IVR", "main,s,n"),
        ("SAY", "number"),
        ("SAY", "loudly 5"),
        ("SAY", "number five"),
        ("SAY", "digits {FILE(x)}"),
        ("SAY", "characters ${X}"),
        ("MENU", "m"),
        ("MENU", "keys=1:a"),
        ("MENU", "m keys=1"),
        ("MENU", "m keys=1:a,1:b"),
        ("MENU", "m keys=x:a"),
        ("MENU", "m keys=1:a b"),
        ("MENU", "m keys=1:a timeout=0"),
        ("MENU", "m keys=1:a repeats=11"),
        ("MENU", "m keys=1:a else=again"),
        ("MENU", "m keys=1:a loud=yes"),
        ("MENU", "m keys=1:a keys=2:b"),
        ("MENU", "a&b keys=1:a"),
        ("AMD", "machine=again"),
        ("AMD", "robot=x"),
        ("OPT-OUT", "a b"),
        ("SET", "x"),
        ("SET", "FILE(/etc/passwd) x"),
        ("SET", "x ${Y}"),
        ("HANGUP", "now"),
        ("RECORD", "seconds=0"),
        ("RECORD", "seconds=3601"),
        ("RECORD", "beep=loud"),
        ("RECORD", "stop=x"),
        ("RECORD", "file=/etc/passwd"),
        ("RECORD", "/tmp/x"),
        ("TRANSFER", "main"),
        ("TRANSFER", "main,s,1"),
        ("TRANSFER", "main,s&t"),
        ("DIAL", "agents"),
        ("DIAL", "agents,100 ring=0"),
        ("DIAL", "agents,PJSIP/100"),
        ("QUEUE", ""),
        ("QUEUE", "a,t"),
        ("QUEUE", "a wait=0"),
        ("CONFERENCE", "1,x"),
    ] {
        assert!(action(verb, argument).is_err(), "{verb} {argument}");
    }
}

#[test]
fn a_refusal_names_what_is_wrong_and_what_there_is() {
    let said = |verb, argument| action(verb, argument).unwrap_err().to_string();
    assert!(said("MENU", "m keys=1:a speed=2").contains("MENU has no `speed=`; it has keys="));
    assert!(said("MENU", "m keys=1:a timeout=x").contains("timeout= takes whole numbers from 1 to 60, not `x`"));
    assert!(said("SAY", "aloud 1").contains("digits, number, date, characters"));
}

#[test]
fn nothing_follows_an_action_that_hands_the_call_away() {
    let follow = |last: &str| lists(&[("", &[last, "WAIT 1"])]);
    for last in ["IVR main,s,1", "TRANSFER main,s", "DIAL agents,100", "QUEUE q", "CONFERENCE 1"] {
        refused(&follow(last), "at place 1: it hands the call away");
    }
    refused(&follow("HANGUP"), "nothing can follow HANGUP at place 1: it ends the call");
    refused(&lists(&[("", &["WAIT 1"]), ("bye", &["HANGUP", "WAIT 1"])]), "at place 1 of bye");
    assert_eq!(lists(&[("", &["WAIT 1", "IVR main,s,1"])]).check(), Ok(()));
}

#[test]
fn every_list_that_is_led_to_is_there_and_no_call_goes_in_circles() {
    let menu = &["MENU m keys=1:sales,2:next else=bye"][..];
    refused(&lists(&[("", menu), ("bye", &["HANGUP"])]), "place 1 leads to the list `sales`");
    assert_eq!(lists(&[("", menu), ("bye", &["HANGUP"]), ("sales", &["WAIT 1"])]).check(), Ok(()));
    let circle =
        lists(&[("", &["WAIT 1"]), ("a", &["MENU m keys=1:b"]), ("b", &["AMD human=c"]), ("c", &["MENU m keys=*:a"])]);
    refused(&circle, "circle: a → b → c → a");
    refused(&lists(&[("again", &["WAIT 1"])]), "cannot be called `again`");
}

#[test]
fn lists_are_bounded_in_length_depth_and_steps() {
    refused(&lists(&[("", &["WAIT 1"; ACTIONS_MAX + 1])]), "at most 100 actions");
    let mut deep = lists(&[("l0", &["WAIT 1"])]);
    for i in 1..=DEPTH_MAX {
        let menu = action("MENU", &format!("m keys=1:l{}", i - 1)).unwrap();
        deep.replace(Some(&format!("l{i}").parse().unwrap()), vec![menu]);
    }
    refused(&deep, "more than 10 lists");
    let long = ["MENU m keys=1:b,2:b,3:b"; 40];
    let many = lists(&[("", &long[..]), ("b", &["WAIT 1"; 30])]);
    refused(&many, "more than 1000 steps");
    let wide = ["MENU m keys=1:b,2:b,3:b"; 20];
    assert_eq!(lists(&[("", &wide[..]), ("b", &["WAIT 1"; 30])]).check(), Ok(()));
    let mut all = Actions::default();
    for i in 0..6 {
        all.replace(Some(&format!("l{i}").parse().unwrap()), vec![Action::Wait { seconds: 1 }; ACTIONS_MAX]);
    }
    refused(&all, "at most 500 actions");
}

#[test]
fn lists_stored_before_there_were_named_ones_are_read_as_they_were() {
    let stored = r#"[{"kind":"wait","seconds":2},{"kind":"play","sound":"en/hello"},
        {"kind":"ivr","context":"main","extension":"s","priority":1}]"#;
    let read: Actions = serde_json::from_str(stored).unwrap();
    assert_eq!(read, lists(&[("", &["WAIT 2", "PLAY en/hello", "IVR main,s,1"])]));
    assert!(serde_json::to_string(&read).unwrap().starts_with("[{\"kind\":\"wait\""), "and are written so");
    let tree = lists(&[("", &["MENU m keys=1:bye"]), ("bye", &["OPT-OUT never", "HANGUP"])]);
    let stored = serde_json::to_string(&tree).unwrap();
    assert_eq!(serde_json::from_str::<Actions>(&stored).unwrap(), tree, "{stored}");
}

#[test]
fn only_an_admin_reaches_the_pbx_or_its_disk() {
    let needs = |text: &str| {
        let (verb, argument) = text.split_once(' ').unwrap_or((text, ""));
        action(verb, argument).unwrap().needs_admin()
    };
    assert!(["RECORD", "IVR a,s,1", "TRANSFER a,s", "DIAL a,1", "QUEUE q", "CONFERENCE 1"].into_iter().all(needs));
    let free = ["WAIT 1", "PLAY a", "SAY digits 1", "MENU m keys=1:next", "AMD", "OPT-OUT", "SET a b", "HANGUP"];
    assert!(!free.into_iter().any(needs));
}

#[test]
fn what_the_dialplan_gets_is_made_of_words_only_i7() {
    let gets = |verb, argument| {
        let over = action(verb, argument).unwrap().hand_over().unwrap();
        (over.argument.unwrap_or_default(), over.target)
    };
    let is = |argument: &str, target: &str| (argument.to_owned(), target.to_owned());
    assert_eq!(gets("TRANSFER", "main,s"), is("", "main,s,1"));
    assert_eq!(gets("DIAL", "agents,100"), is("Local/100@agents/n,30", "campanile-connect,dial,1"));
    assert_eq!(gets("QUEUE", "support wait=60"), is("support,,,,60", "campanile-connect,queue,1"));
    assert_eq!(gets("CONFERENCE", "8000"), is("8000", "campanile-connect,conference,1"));
}
