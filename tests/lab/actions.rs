//! What happens when a call is answered really happens, and is recorded as it does.

use crate::harness::{Setup, Version};
use crate::world::{Attempt, CALLEES, Step, callee};

on_both!(
    wait_and_play_run_to_their_end,
    keys_pressed_while_playing_arrive_in_the_step_and_in_the_menu,
    a_hang_up_in_mid_message_is_a_step_cut_short,
    a_menu_leads_where_the_key_says_and_what_is_there_is_said,
    a_callee_opts_out_by_a_key_and_hears_the_end_of_the_list,
    callees_are_connected_with_an_extension_a_queue_and_a_conference_or_transferred,
    amd_tells_a_machine_from_a_human,
    what_a_callee_says_is_recorded,
);

/// Calls one callee, and returns its only attempt.
#[track_caller]
fn call(lab: &mut crate::harness::Lab, fate: &str, actions: &[&str]) -> Attempt {
    lab.campaign(fate, CALLEES, &[]).numbers(&[callee(fate)]).actions(actions).start();
    lab.until_completed(fate, 60);
    let report = lab.report(fate);
    let [attempt] = report.as_slice() else { panic!("one call was to be made: {report:#?}") };
    assert_eq!(attempt.disposition, "answered", "{attempt:?}");
    attempt.clone()
}

#[track_caller]
fn assert_step(step: &Step, action: &str, result: &str, ran_ms: std::ops::Range<i64>) {
    assert_eq!((step.action.as_str(), step.result.as_str()), (action, result), "{step:?}");
    assert!(ran_ms.contains(&step.ran_ms), "{step:?} was to run for {ran_ms:?} ms");
}

fn wait_and_play_run_to_their_end(version: Version) {
    let mut lab = Setup::new(version).start();
    // hello-world lasts 1.42 s; the callee would stay for 30.
    let attempt = call(&mut lab, "030", &["WAIT 1", "PLAY hello-world", "WAIT 2"]);

    let [first, sound, last] = attempt.steps.as_slice() else { panic!("three steps: {attempt:?}") };
    assert_step(first, "WAIT 1", "done", 950..2_000);
    assert_step(sound, "PLAY hello-world", "done", 1_300..2_500);
    assert_step(last, "WAIT 2", "done", 1_950..3_000);
    assert!((4_300..8_000).contains(&attempt.talk_ms.unwrap()), "we hung up at the end of the list: {attempt:?}");
    let callees = lab.callees();
    let [seen] = callees.as_slice() else { panic!("one callee: {callees:?}") };
    assert_eq!((seen.number.as_str(), seen.account.as_str()), (callee("030").as_str(), "\"acc1\""));
    assert_eq!(seen.caller, "\"+442079460000\" \"Camp Anile\"");
    assert!(lab.outgoing().is_empty(), "{:?}", lab.outgoing());
}

fn keys_pressed_while_playing_arrive_in_the_step_and_in_the_menu(version: Version) {
    let mut lab = Setup::new(version).start();
    // The callee presses 4 and 2 while the sound of 2.96 s plays.
    let attempt = call(&mut lab, "642", &["PLAY tt-weasels", "IVR ivr,100,1"]);

    let [sound, ..] = attempt.steps.as_slice() else { panic!("the sound is a step: {attempt:?}") };
    assert_step(sound, "PLAY tt-weasels", "done", 2_800..4_500);
    assert_eq!(sound.digits, "42", "{sound:?}");
    // UTC ms, ticket, extension, keys pressed before, key pressed there.
    let menu = lab.read("ivr.log");
    let words: Vec<&str> = menu.split_whitespace().skip(2).collect();
    assert_eq!(words, ["100", "\"42\"", "\"\""], "{menu}");
    // The menu waits a second and hangs up.
    assert!((3_800..7_000).contains(&attempt.talk_ms.unwrap()), "{attempt:?}");
}

fn a_hang_up_in_mid_message_is_a_step_cut_short(version: Version) {
    let mut lab = Setup::new(version).start();
    // The callee leaves after half a second of a message of 30 s; what follows does not run.
    let attempt = call(&mut lab, "705", &["PLAY demo-congrats", "WAIT 1"]);

    let [sound] = attempt.steps.as_slice() else { panic!("one step: {attempt:?}") };
    assert_step(sound, "PLAY demo-congrats", "hung_up", 300..2_000);
    assert!((400..2_000).contains(&attempt.talk_ms.unwrap()), "{attempt:?}");
}

fn a_menu_leads_where_the_key_says_and_what_is_there_is_said(version: Version) {
    let mut lab = Setup::new(version).start();
    // The callee presses 4 and 2 as the sound of 2.96 s plays: 4 cuts it short, 2 is pressed into what follows.
    let said =
        ["SET code A1", "SAY digits 42", "SAY number -20000", "SAY date 2026-03-01 08:00", "SAY characters {code}"];
    let campaign = lab.campaign("642", CALLEES, &[]).numbers(&[callee("642")]).list("four", &said);
    campaign.actions(&["MENU tt-weasels keys=4:four,9:hangup else=hangup", "SAY number {debt}", "WAIT 1"]).start();
    lab.until_completed("642", 60);
    let [attempt] = lab.report("642").try_into().unwrap();

    let steps: Vec<(&str, &str)> = attempt.steps.iter().map(|s| (s.action.as_str(), s.result.as_str())).collect();
    let menu = steps[0];
    assert!(menu.0.starts_with("MENU tt-weasels") && menu.1 == "done", "{attempt:#?}");
    assert_eq!(attempt.steps[0].finding["to"], "four", "{attempt:#?}");
    assert!(attempt.steps[0].ran_ms < 2_800, "the key cuts it short: {attempt:#?}");
    let spoken = said.map(|action| (action, "done"));
    assert_eq!(
        steps[1..],
        [&spoken[..], &[("SAY number {debt}", "failed"), ("WAIT 1", "done")]].concat(),
        "{attempt:#?}"
    );
    // Each word lasts some 0.5 s.
    for (step, least_ms) in attempt.steps[2..6].iter().zip([700, 1_500, 3_000, 700]) {
        assert!((least_ms..15_000).contains(&step.ran_ms), "{step:?} was to run for {least_ms} ms at least");
    }
    let keys: String = attempt.steps.iter().map(|step| step.digits.as_str()).collect();
    assert_eq!(keys, "42", "no key is lost: {attempt:#?}");
}

fn a_callee_opts_out_by_a_key_and_hears_the_end_of_the_list(version: Version) {
    let mut lab = Setup::new(version).start();
    let campaign = lab.campaign("699", CALLEES, &["--max-retries", "3"]).numbers(&[callee("699")]);
    let campaign = campaign.list("no-more", &["OPT-OUT", "PLAY hello-world", "HANGUP"]);
    campaign.actions(&["MENU demo-congrats keys=9:no-more", "PLAY demo-congrats"]).start();
    lab.until_completed("699", 60);
    let [attempt] = lab.report("699").try_into().unwrap();
    let steps: Vec<&str> = attempt.steps.iter().map(|step| step.action.split(' ').next().unwrap()).collect();
    assert_eq!(steps, ["MENU", "OPT-OUT", "PLAY", "HANGUP"], "{attempt:#?}");
    assert!(attempt.steps.iter().all(|step| step.result == "done"), "{attempt:#?}");
    assert!(attempt.steps[1].ran_ms < 1_000, "the ledger takes it at once: {attempt:#?}");
}

/// MiRTA: "connect to an extension, queue, conference room"; mod_dialer: `transfer_on_answer`.
fn callees_are_connected_with_an_extension_a_queue_and_a_conference_or_transferred(version: Version) {
    let mut lab = Setup::new(version).start();
    let actions =
        ["DIAL agents,100", "QUEUE support wait=20", "CONFERENCE 8000", "TRANSFER ivr,100", "DIAL agents,101 ring=1"];
    for (name, action) in ["dial", "queue", "conference", "transfer", "nobody"].into_iter().zip(actions) {
        // The callee stays for four seconds.
        lab.campaign(name, CALLEES, &[])
            .numbers(&[callee(&format!("0{:02}", 4 + name.len()))])
            .actions(&[action])
            .start();
    }
    let mut talked = Vec::new();
    for (name, action) in ["dial", "queue", "conference", "transfer", "nobody"].into_iter().zip(actions) {
        lab.until_completed(name, 60);
        let [attempt] = lab.report(name).try_into().unwrap();
        let steps: Vec<_> = attempt.steps.iter().map(|s| (s.action.clone(), s.result.clone())).collect();
        let shown = if name == "dial" { format!("{action} ring=30") } else { action.to_owned() };
        assert_eq!(steps, [(shown, "done".to_owned())], "{attempt:#?}");
        talked.push(attempt.talk_ms.unwrap());
    }
    // The agent stays two seconds; a conference lasts as long as its guest; an extension that nobody answers one.
    let [dial, queue, conference, transfer, nobody] = talked.try_into().unwrap();
    assert!((1_900..7_000).contains(&dial) && (1_900..8_000).contains(&queue), "{dial} {queue}");
    assert!((13_000..17_000).contains(&conference), "until the guest goes: {conference}");
    assert!((900..3_000).contains(&transfer) && (900..3_000).contains(&nobody), "{transfer} {nobody}");
    let menu = lab.read("ivr.log");
    assert_eq!(menu.lines().filter(|line| line.contains(" 100 ")).count(), 3, "two agents and a menu: {menu}");
    lab.until("no file is left", 10, |lab| lab.archived().len() + lab.outgoing().len() == 0);
}

fn amd_tells_a_machine_from_a_human(version: Version) {
    let mut lab = Setup::new(version).start();
    let numbers = [callee("998"), callee("999")];
    let campaign = lab.campaign("amd", CALLEES, &[]).numbers(&numbers).list("leave", &["PLAY hello-world"]);
    campaign.actions(&["AMD machine=leave", "PLAY hello-world"]).start();
    lab.until_completed("amd", 60);
    let mut report = lab.report("amd");
    report.sort_by(|a, b| a.number.cmp(&b.number));
    let [human, machine] = report.try_into().unwrap();
    assert_eq!((human.disposition.as_str(), machine.disposition.as_str()), ("answered", "machine"), "{machine:#?}");
    assert_eq!(human.steps[0].finding["who"], "human", "{human:#?}");
    assert_eq!(machine.steps[0].finding["who"], "machine", "{machine:#?}");
    assert!(machine.steps[0].finding["cause"].as_str().is_some_and(|cause| cause.contains('-')), "{machine:#?}");
    assert_eq!(machine.steps.len(), 3, "its own list, and then the rest: {machine:#?}");
    assert_eq!(lab.campanile(&["campaign", "show", "amd"])["numbers"]["reached"], 2);
}

fn what_a_callee_says_is_recorded(version: Version) {
    let mut lab = Setup::new(version).start();
    // A callee who talks for half a minute; one who presses 4 and 2; one who leaves after a second and a half.
    let numbers = [callee("999"), callee("642"), callee("715")];
    let campaign = lab.campaign("record", CALLEES, &[]).numbers(&numbers);
    campaign.actions(&["RECORD seconds=3 stop=any", "WAIT 1"]).start();
    lab.until_completed("record", 60);
    for attempt in lab.report("record") {
        let file = attempt.steps[0].finding["file"].as_str().unwrap_or_else(|| panic!("a file: {attempt:#?}"));
        let recorded = std::fs::metadata(file).unwrap_or_else(|e| panic!("{file}: {e}")).len();
        let (result, ran_ms) = (attempt.steps[0].result.as_str(), attempt.steps[0].ran_ms);
        match &attempt.number[attempt.number.len() - 3..] {
            "999" => {
                // A beep of some 0.3 s, and then 16,000 bytes a second.
                assert!(result == "done" && (3_000..5_500).contains(&ran_ms), "{attempt:#?}");
                assert!((40_000..52_000).contains(&recorded), "3 s of 16 bit at 8 kHz are 48,000: {recorded}");
            }
            "642" => assert!(result == "done" && attempt.steps[0].digits == "4", "{attempt:#?}"),
            _ => assert!(result == "hung_up" && (500..3_000).contains(&ran_ms), "{attempt:#?}"),
        }
    }
}
