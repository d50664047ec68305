//! `campanile actions`: lists, trees, and what is refused.

use serde_json::{Value, json};

use super::machine::Machine;

/// A campaign with these sounds beside `hello`.
fn with_sounds(names: &[&str]) -> Machine {
    let machine = Machine::with_campaign();
    for name in names {
        let file = machine.path(&format!("sounds/en/{name}.wav"));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, "").unwrap();
    }
    machine
}

fn words(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|a| a["action"].as_str().unwrap()).collect()
}

#[test]
fn actions_are_an_ordered_list_whose_sounds_exist() {
    let machine = Machine::with_campaign();
    machine.ok("actions add spring PLAY hello.wav");
    machine.ok("actions add spring WAIT 2 --at 1");
    machine.ok("actions add spring IVR main,s,1");
    let list = || {
        let told = machine.json("actions list spring");
        told["actions"].as_array().unwrap().iter().map(|a| a["action"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(list(), ["WAIT 2", "PLAY hello", "IVR main,s,1"]);
    machine.ok("actions move spring 2 1");
    machine.ok("actions set spring 2 WAIT 5");
    assert_eq!(list(), ["PLAY hello", "WAIT 5", "IVR main,s,1"]);
    machine.fails("actions add spring PLAY helo", 65, "there is no sound `helo`");
    machine.fails("actions add spring WAIT 2", 65, "nothing can follow IVR");
    machine.fails("actions add spring DANCE x", 65, "no action");
    machine.fails("actions remove spring 4", 65, "no place 4");
    machine.ok("actions remove spring 3");
    assert_eq!(list(), ["PLAY hello", "WAIT 5"]);
    let sound = machine.path("sounds/en/hello").display().to_string();
    assert!(machine.ok(&format!("actions add spring PLAY {sound}")).contains(&sound));
}

#[test]
fn a_menu_and_its_lists_are_shown_as_a_tree() {
    let machine = with_sounds(&["menu", "bye", "sorry"]);
    machine.ok("actions add spring:sales DIAL agents,100");
    machine.ok("actions add spring:no-more OPT-OUT never");
    machine.ok("actions add spring:no-more PLAY bye");
    machine.ok("actions add spring:spare WAIT 1");
    let typed = "actions add spring MENU menu.wav keys=1:sales,2:no-more,9:again wrong=sorry else=no-more";
    let tree = machine.ok(typed);
    let expected = "  \
  1. MENU menu keys=1:sales,2:no-more,9:again timeout=5 repeats=2 wrong=sorry else=no-more
     1 → sales
       1. DIAL agents,100 ring=30
     2 → no-more
       1. OPT-OUT never
       2. PLAY bye
     else → no-more   (above)

spare   (nothing leads here yet)
  1. WAIT 1
";
    assert_eq!(tree, expected, "{tree}");
    let told = machine.json("actions list spring");
    assert_eq!(told["unreached"], json!(["spare"]));
    assert_eq!(words(&told["lists"]["no-more"]), ["OPT-OUT never", "PLAY bye"]);
    assert_eq!(told["actions"][0]["keys"], json!({"1": "sales", "2": "no-more", "9": "again"}));
    assert_eq!(words(&machine.json("actions list spring:sales")["actions"]), ["DIAL agents,100 ring=30"]);
    let shown = machine.json("campaign show spring");
    assert_eq!(shown["action_lists"]["sales"], json!(["DIAL agents,100 ring=30"]));
    assert!(machine.ok("campaign show spring").contains("no-more   OPT-OUT never; PLAY bye"));
}

#[test]
fn an_opt_out_onto_a_list_that_is_not_there_is_told_at_once_and_before_the_start() {
    let machine = Machine::with_campaign();
    machine.import("+493012345601\n");
    machine.ok("actions add spring PLAY hello");
    let warns = |line: &str| {
        let said = machine.run(line);
        assert_eq!(said.code, 0, "{line}: {}", said.err);
        said.err.contains("campanile dnc create wishes")
    };
    assert!(warns("actions add spring OPT-OUT wishes") && warns("actions set spring 2 OPT-OUT wishes"));
    machine.fails("campaign start spring", 1, "the do-not-call list `wishes` of the action at place 2 does not exist");
    machine.fails("campaign start spring", 1, "campanile dnc create wishes");
    machine.ok("dnc create wishes");
    assert!(!warns("actions set spring 2 OPT-OUT wishes") && !warns("actions add spring OPT-OUT"));
    machine.ok("campaign start spring");
}

#[test]
fn an_edit_that_would_break_a_call_is_refused_and_says_where_and_how_to_mend_it() {
    let machine = with_sounds(&["menu"]);
    let menu = "actions add spring MENU menu keys=1:sales";
    machine.fails(menu, 65, "place 1 leads to the list `sales`, which is empty or not there");
    machine.fails(menu, 65, "campanile actions add spring:sales PLAY SOUND");
    machine.ok("actions add spring:sales PLAY hello");
    machine.ok(menu);
    machine.fails("actions remove spring:sales 1", 65, "place 1 leads to the list `sales`");
    machine.fails("actions add spring:sales MENU menu keys=1:sales", 65, "in a circle: sales → sales");
    machine.fails("actions add spring:again PLAY hello", 65, "cannot be called `again`");
    machine.fails("actions list spring:sails", 66, "has no list `sails`; it has: sales");
    machine.fails("actions add spring:sa/les PLAY hello", 64, "");
    machine.fails("actions add spring MENU menu keys=1:sales speed=2", 65, "MENU has no `speed=`");
    machine.fails("actions add spring MENU menyu keys=1:sales", 65, "there is no sound `menyu`");
    machine.fails("actions add spring MENU menu keys=1:sales wrong=menyu", 65, "there is no sound `menyu`");
    machine.fails(
        "actions add spring JUMP",
        65,
        "`JUMP` is no action; there are: WAIT, PLAY, SAY, MENU, AMD, LISTEN, OPT-OUT",
    );
    machine.fails("actions add spring HANGUP now", 65, "HANGUP takes nothing");
    machine.fails("actions add spring SAY number -1.5", 65, "a number is a whole one");
    machine.ok("actions set spring 1 WAIT 1");
    machine.ok("actions remove spring:sales 1");
    assert_eq!(machine.json("actions list spring")["lists"], json!({}));
}

#[test]
fn actions_are_typed_with_or_without_quotes() {
    let machine = Machine::with_campaign();
    machine.ok("actions add spring SAY number {debt}");
    assert_eq!(machine.run_words(&["actions", "add", "spring", "say", "characters AB 12"]).code, 0);
    machine.ok("actions add spring SAY number -5 --at 1");
    machine.ok("actions add spring SET tier gold plus");
    machine.ok("actions add spring AMD");
    machine.ok("actions add spring HANGUP");
    let told = machine.json("actions list spring");
    let expected = [
        "SAY number -5",
        "SAY number {debt}",
        "SAY characters AB 12",
        "SET tier gold plus",
        "AMD human=next machine=hangup unsure=next",
        "HANGUP",
    ];
    assert_eq!(words(&told["actions"]), expected);
}

#[test]
fn only_an_admin_connects_callees_with_the_pbx() {
    let machine = Machine::with_campaign();
    machine.ok("user add alice");
    machine.ok("--as alice campaign add hers --trunk gw1");
    for action in ["IVR main,s,1", "TRANSFER main,s", "DIAL agents,100", "QUEUE support", "CONFERENCE 8000"] {
        machine.fails(&format!("--as alice actions add hers {action}"), 77, "only an admin may use");
        machine.ok(&format!("actions add hers {action}"));
        machine.ok("--as alice actions remove hers 1");
    }
    for action in ["SAY digits 1", "OPT-OUT", "AMD", "SET a b"] {
        machine.ok(&format!("--as alice actions add hers {action}"));
    }
}

#[test]
fn a_campaign_starts_only_with_every_sound_of_every_branch() {
    let machine = with_sounds(&["menu", "bye", "sorry"]);
    machine.import("+493012345601\n");
    machine.ok("actions add spring:end PLAY bye");
    machine.ok("actions add spring MENU menu keys=1:end wrong=sorry");
    machine.ok("actions add spring SAY digits 42");
    for name in ["bye", "sorry"] {
        std::fs::remove_file(machine.path(&format!("sounds/en/{name}.wav"))).unwrap();
    }
    machine.fails("campaign start spring", 1, "campanile actions set spring:end 1 PLAY SOUND");
    machine.fails("campaign start spring", 1, "the sound `sorry` of the action at place 1 does not exist");
    machine.fails("campaign start spring", 1, "the sound `digits/1` of the action at place 2 does not exist");
}
