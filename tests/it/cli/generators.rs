//! Call generators on the command line: rounds, algorithms, checks of lines.

use campanile::domain::action::{Action, Listen};
use campanile::domain::disposition::{Conclusion, Disposition};
use campanile::domain::evidence::{DialStatus, Evidence, Fact, Finding, Report, Step, StepResult};
use campanile::domain::ids::{AttemptId, ContactId, Ticket};
use campanile::domain::instant::UtcMs;
use campanile::ledger::attempts::{self, Intent};
use campanile::ledger::{Ledger, campaigns, contacts, evidence, settle, trunks};
use serde_json::{Value, json};

use super::machine::Machine;

#[test]
fn rounds_are_set_shown_and_cleared_and_what_makes_no_sense_is_refused() {
    let machine = Machine::with_campaign();
    let told = machine.json("campaign set spring --repeat 600 --rounds-max 3 --after-pickup delete --when-done remove");
    let expected = json!({"repeat_s": 600, "rounds_max": 3, "round": 1, "begins": false, "next_round_at": null,
        "after_pickup": "delete", "when_done": "remove", "picked_up": 0});
    assert_eq!(told["rounds"], expected);
    let page = machine.ok("campaign show spring");
    assert!(page.contains("round 1 of 3, the next 600 s after its end"), "{page}");
    assert!(page.contains("deleted from the list, 0 so far") && page.contains("removed, but for its report"), "{page}");
    assert_eq!(machine.json("campaign set spring --repeat off")["rounds"]["repeat_s"], Value::Null);
    machine.ok("campaign set spring --rounds-max none");
    machine.fails("campaign set spring --rounds-max 5", 64, "--repeat SECONDS");
    machine.fails("campaign set spring --repeat 10m", 64, "seconds from 1 to");
    machine.fails("campaign set spring --rounds-max 0", 64, "whole number from 1");
    machine.fails("campaign set spring --after-pickup remove", 64, "keep, delete");
    machine.fails("campaign set spring --when-done delete", 64, "keep, remove");
}

#[test]
fn a_campaign_is_made_from_telemarketing_in_one_command_and_says_which_sounds_it_lacks() {
    let machine = Machine::with_campaign();
    let add = "campaign add offer --algorithm telemarketing --trunk gw1 --sound offer --connect default,200";
    let told = machine.json(&format!("{add} --max-retries 2 --stop 18:00"));
    assert_eq!((&told["max_retries"], &told["wait_time_s"], &told["max_dials"]), (&json!(2), &json!(25), &json!(3)));
    assert_eq!((&told["window"]["start"], &told["window"]["stop"]), (&json!("09:00:00"), &json!("18:00:00")));
    assert_eq!(told["actions"][0], "PLAY offer");
    assert!(told["actions"][1].as_str().unwrap().starts_with("MENU offer-menu keys=1:connect,9:opt-out"), "{told}");
    assert_eq!(told["action_lists"]["opt-out"], json!(["OPT-OUT", "HANGUP"]));
    assert_eq!(told["action_lists"]["connect"], json!(["DIAL default,200 ring=30"]));
    for sound in ["offer", "offer-menu", "offer-bye"] {
        machine.fails("campaign start offer", 1, &format!("the sound `{sound}` of the action"));
    }
    let added = machine.ok("campaign add again --algorithm telemarketing --trunk gw1");
    for lacks in [
        "  it has no numbers\n    campanile numbers import again FILE\n",
        "`message`",
        "`message-menu`",
        "`message-bye`",
    ] {
        assert!(added.split_once("What it needs").unwrap().1.contains(lacks), "{lacks}: {added}");
    }
    machine.fails("campaign add x --algorithm telemarketin --trunk gw1", 66, "there is no algorithm `telemarketin`");
    machine.fails("campaign add x --sound offer --trunk gw1", 64, "--algorithm");
    machine.fails("campaign add x --algorithm telemarketing --connect 200 --trunk gw1", 65, "--connect: ");
    machine.fails(
        "campaign add x --algorithm provider-checking --connect default,200 --trunk gw1",
        64,
        "only telemarketing",
    );
    machine.fails("campaign show x", 66, "no campaign");
}

#[test]
fn an_algorithm_keeps_the_rules_of_a_campaign_and_says_what_it_leaves_behind() {
    let machine = Machine::with_campaign();
    machine.ok("actions add spring PLAY hello");
    machine.ok("causes set spring minus USER_BUSY --delay 60 --limit 4");
    machine.ok(
        "campaign set spring --repeat 900 --retry-time 60,300 --max-retries 2 --delay 2s --order random --finish 9",
    );
    machine.ok("algorithm add mine --from spring");
    let made = machine.json("campaign add summer --algorithm mine --trunk gw1 --finish never");
    let spring = machine.json("campaign show spring");
    for same in ["max_retries", "retry_times_s", "causes", "order", "actions", "wait_time_s", "rounds", "window"] {
        assert_eq!(made[same], spring[same], "{same}");
    }
    assert_eq!((&made["timing"]["delay_ms"], &made["timing"]["finish"]), (&json!(2_000), &json!("never")));
    let set = machine.json("algorithm set mine --max-retries 1 --sound hello");
    assert_eq!((&set["rules"]["retry"]["max_retries"], &set["rules"]["sound"]), (&json!(1), &json!("hello")));
    assert_eq!(set["rules"]["outcome"]["later_retry_times_s"], json!([300]), "the rest stays");
    let renamed = machine.json("campaign add autumn --algorithm mine --trunk gw1 --sound hi");
    assert_eq!(renamed["actions"], json!(["PLAY hi"]));
    assert_eq!(machine.json("campaign show summer")["max_retries"], 2, "what was made stays as it is");
    machine.fails("algorithm set mine --caller-id +4930123", 64, "has no user, time zone, calendar");
    machine.fails("algorithm set mine --time-zone Europe/London", 64, "give these to the campaigns");
    for option in ["--header X-A:b", "--codecs alaw", "--var a=b", "--duration 5s", "--cancel-ratio 5%"] {
        let refused = "caller id, variables, legal hours, headers, codecs, durations or cancel ratio";
        machine.fails(&format!("algorithm set mine {option}"), 64, refused);
    }
    for help in ["help algorithm add", "help algorithm set"].map(|line| machine.ok(line)) {
        let own = ["--user", "--time-zone", "--calendar", "--starts-at", "--legal-hours", "--header", "--cancel-ratio"];
        assert!(help.contains("--max-retries") && !own.iter().any(|option| help.contains(option)), "{help}");
    }
    machine.ok("trunk set gw1 --line test");
    machine.ok("campaign set spring --duration 20s --caller-id +4930123");
    let said = machine.run("algorithm set mine --from spring");
    assert!(said.code == 0 && said.err.contains("campaign spring: caller id, duration"), "{}", said.err);
    machine.fails("algorithm add mine --from spring", 1, "there is already an algorithm `mine`");
    machine.fails("algorithm add mien --from sprnig", 66, "no algorithm and no campaign `sprnig`");
    assert_eq!(machine.json("algorithm remove mine")["removed"], true);
    machine.fails("algorithm show mine", 66, "there is no algorithm `mine`");
}

#[test]
fn algorithms_that_come_with_campanile_are_shown_and_copied_and_stay_as_they_are() {
    let machine = Machine::with_campaign();
    let listed = machine.json("algorithm list");
    let names: Vec<&str> = listed.as_array().unwrap().iter().map(|a| a["algorithm"].as_str().unwrap()).collect();
    assert_eq!(names, ["telemarketing", "provider-checking"]);
    machine.fails("algorithm set telemarketing --max-retries 9", 77, "comes with Campanile");
    machine.fails("algorithm remove provider-checking", 77, "algorithm add NAME --from provider-checking");
    machine.fails("algorithm add telemarketing --from spring", 1, "comes with Campanile");
    machine.ok("algorithm add mine --from telemarketing --max-retries 0");
    assert!(machine.ok("algorithm show mine").contains("9 → opt-out"));
}

#[test]
fn everybody_may_use_the_algorithms_of_admins_and_nobody_gets_the_pbx_by_one() {
    let machine = Machine::with_campaign();
    machine.ok("user add alice");
    machine.ok("user add bob");
    machine.ok("actions add spring IVR main,s,1");
    machine.ok("algorithm add pbx --from spring");
    machine.ok("--as alice algorithm add hers --from telemarketing");
    machine.fails("--as bob algorithm show hers", 66, "there is no algorithm `hers`");
    machine.fails("--as bob algorithm set pbx --max-retries 1", 77, "is an admin's");
    machine.ok("--as bob campaign add his --algorithm pbx --trunk gw1");
    machine.fails("--as bob algorithm add copy --from his", 77, "only an admin may make an algorithm with IVR actions");
    let connects = "--as bob campaign add other --algorithm telemarketing --connect default,200 --trunk gw1";
    machine.fails(connects, 77, "only an admin may");
    machine.fails("user remove alice", 1, "1 algorithm(s)");
}

/// A check over gw1 and gw2 of two numbers.
fn with_check() -> Machine {
    let machine = Machine::with_campaign();
    machine.ok("trunk add gw2 --dial PJSIP/{number}@gw2");
    machine.write("probes.txt", "+493012345601\n+12015550123\n");
    let file = machine.path("probes.txt");
    machine.ok(&format!("line-check add carriers --trunks gw1,gw2 --numbers {} --repeat 3600", file.display()));
    machine
}

#[test]
fn a_check_is_a_campaign_for_each_trunk_that_are_started_and_stopped_and_removed_together() {
    let machine = with_check();
    let listed = machine.json("line-check list");
    let line = |trunk: &str| json!({"campaign": format!("carriers-{trunk}"), "trunk": trunk, "state": "stopped", "numbers": 2});
    assert_eq!(listed, json!([{"line_check": "carriers", "user": "admin", "campaigns": [line("gw1"), line("gw2")]}]));
    let shown = machine.json("campaign show carriers-gw2");
    assert_eq!(
        (&shown["rounds"]["repeat_s"], &shown["actions"]),
        (&json!(3600), &json!(["LISTEN timeout=10", "HANGUP"]))
    );
    let started = machine.json("line-check start carriers");
    assert!(started["campaigns"].as_array().unwrap().iter().all(|c| c["state"] == "running"), "{started}");
    machine.fails("line-check remove carriers --yes", 1, "is running");
    assert!(machine.json("line-check stop carriers")["no_start_after"].is_string());
    machine.fails("line-check remove carriers", 1, "campaigns carriers-gw1, carriers-gw2");
    machine.ok("line-check remove carriers --yes");
    assert_eq!(machine.json("campaign list").as_array().unwrap().len(), 1);
    machine.fails("line-check report carriers", 66, "there is no line check `carriers`");
}

#[test]
fn where_a_check_cannot_be_added_nothing_of_it_stays() {
    let machine = with_check();
    machine.write("none.txt", "no number\n");
    let (good, none) = (machine.path("probes.txt"), machine.path("none.txt"));
    let add = |rest: &str| format!("line-check add other --trunks {rest}");
    machine.fails(&add(&format!("gw1,gw3 --numbers {}", good.display())), 66, "no trunk `gw3`");
    machine.fails(&add(&format!("gw1,gw2 --numbers {}", none.display())), 65, "no check was added");
    machine.write("some.txt", "+493011112222\n+331234\nfoo\n");
    let some = machine.run(&add(&format!("gw1 --numbers {}", machine.path("some.txt").display())));
    let lines = ["line 2: \"+331234\": ", "line 3: \"foo\": ", "has 2 refused lines", "mend these lines"];
    assert!(some.code == 65 && lines.iter().all(|words| some.err.contains(words)), "{}: {}", some.code, some.err);
    machine.fails(&add("gw1 --numbers /dev/null"), 65, "name a file with a number on each line");
    machine.fails(&add("gw1 --numbers /nowhere/probes.txt"), 66, "/nowhere/probes.txt");
    machine.fails(&add(&format!("gw1,gw1 --numbers {}", good.display())), 64, "gw1 is twice");
    assert_eq!(machine.json("campaign list").as_array().unwrap().len(), 3);
    assert_eq!(machine.json("line-check list").as_array().unwrap().len(), 1);
    machine.ok("user add alice");
    machine.fails("--as alice line-check start carriers", 66, "there is no line check `carriers`");
}

/// A call of the check's campaign over a trunk, to the number at this place, a minute ago: answered, with how long it
/// was until it rang and until something was heard; or refused with 503.
fn call(machine: &Machine, trunk: &str, place: u8, answered: Option<(i64, i64)>) {
    let at = UtcMs(campanile::clock::now().0 - 60_000);
    let mut ledger = machine.ledger();
    let attempt = plan(&mut ledger, trunk, place, at);
    let report = Report { dialled_at: Some(at), dial_status: Some(DialStatus::Congestion), ..Report::default() };
    let mut facts = vec![Fact::Reported(report.clone())];
    let mut end = Conclusion {
        disposition: Disposition::TrunkFailure,
        not_dialled: None,
        detail: None,
        cause: Some(34),
        sip_code: Some(503),
        dialled_at: Some(at),
        answered_at: None,
        ended_at: at.plus_ms(4_000),
        ring_ms: None,
        talk_ms: None,
        learned: None,
    };
    if let Some((rings_ms, heard_ms)) = answered {
        let dial_status = Some(DialStatus::Answer);
        let report = Report { dial_status, ring_after_ms: Some(rings_ms), ..report };
        facts = vec![Fact::Step(listened(heard_ms)), Fact::Reported(report)];
        (end.disposition, end.cause, end.sip_code) = (Disposition::Answered, Some(16), Some(200));
        end.answered_at = Some(at.plus_ms(rings_ms + 1_000));
    }
    ledger
        .write(|db| {
            facts.into_iter().try_for_each(|fact| evidence::append(db, attempt, &Evidence { at, fact }))?;
            settle::close(db, attempt, &end, at.plus_ms(4_001))
        })
        .unwrap();
}

fn plan(ledger: &mut Ledger, trunk: &str, place: u8, planned_at: UtcMs) -> AttemptId {
    ledger
        .write(|db| {
            let campaign = campaigns::find(db, &format!("carriers-{trunk}"))?.unwrap();
            let contact = contacts::page(db, campaign.id, None, ContactId(0), 100)?.swap_remove(place.into());
            let trunk = trunks::get(db, campaign.trunk)?;
            let mark = u8::try_from(campaign.id.0 * 16).unwrap() + place;
            let intent = Intent {
                ticket: Ticket::new([mark; 16]),
                spool_salt: mark.into(),
                campaign: campaign.id,
                contact: contact.id,
                trunk: trunk.id,
                dial_string: trunk.template.dial_string(&contact.number),
                number: contact.number,
                planned_at,
                wait_time_s: 30,
                caller_number: None,
                caller_name: None,
                account: None,
                actions: campaign.actions,
                variables: Default::default(),
                invite: Default::default(),
                draw: Default::default(),
            };
            Ok(attempts::record_intents(db, &[intent])?[0])
        })
        .unwrap()
}

fn listened(after_ms: i64) -> Step {
    Step {
        ordinal: 0,
        list: None,
        index: 0,
        action: Action::Listen(Listen { timeout_s: 10 }),
        result: StepResult::Done,
        digits: String::new(),
        ran_ms: after_ms,
        finding: Some(Finding::Sound { after_ms: Some(after_ms) }),
    }
}

/// What the report says, with its exit code.
fn report(machine: &Machine, options: &str) -> (i32, Value) {
    let said = machine.run(format!("line-check report carriers --json {options}").trim_end());
    (said.code, serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}", said.err)))
}

#[test]
fn a_checks_report_has_a_row_for_each_trunk_and_prefix_and_an_exit_code_for_monitoring() {
    let machine = with_check();
    let (code, told) = report(&machine, "");
    assert_eq!((code, &told["verdict"], &told["groups"][1]["why"]), (3, &json!("not_measured"), &json!(["no call"])));
    call(&machine, "gw1", 0, Some((1_500, 240)));
    assert_eq!(report(&machine, "").0, 3, "nothing is known of gw2");
    call(&machine, "gw1", 1, Some((2_500, 360)));
    call(&machine, "gw2", 0, None);
    let (code, told) = report(&machine, "");
    assert_eq!((code, told["groups"].as_array().unwrap().len()), (0, 3), "no limit: {told}");
    let good = &told["groups"][0];
    assert_eq!(
        (&good["prefix"], &good["mean_post_dial_ms"], &good["mean_first_audio_ms"]),
        (&json!("1"), &json!(2_500), &json!(360))
    );
    assert_eq!((&good["asr_percent"], &good["heard_percent"]), (&json!(100.0), &json!(100.0)));
    assert_eq!(told["groups"][2]["causes"], json!({"sip:503": 1}));
    assert_eq!(report(&machine, "--since 30s").0, 3, "they are older");

    let (code, told) = report(&machine, "--prefix 49,1 --asr-min 80%");
    assert_eq!((code, &told["groups"][2]["why"]), (2, &json!(["ASR 0.0% < 80%"])));
    assert_eq!(report(&machine, "--pdd-max 2s").0, 2, "the one took 2.5 s");
    assert_eq!(report(&machine, "--pdd-max 4s --audio-max 1s").0, 3, "nothing rang over gw2");
    let table = machine.run("line-check report carriers --asr-min 80%");
    let lines: Vec<&str> = table.out.lines().collect();
    assert_eq!((table.code, lines.len()), (2, 4), "{}", table.out);
    assert!(lines[1].starts_with("gw1    1 ") && lines[1].contains("2.500s  0.360s"), "{}", table.out);
    assert!(lines[3].contains("1 sip:503") && lines[3].ends_with("ASR 0.0% < 80%"), "{}", table.out);
    machine.fails("line-check report carriers --asr-min 120", 64, "0 to 100");
    machine.fails("line-check report carriers --pdd-max 4", 64, "with its unit");
    machine.fails("line-check report carriers --prefix 49,x", 64, "digits with which numbers begin");
    machine.fails("line-check report carrier", 66, "there is no line check `carrier`");
}
