//! What happens when a call is answered really happens, and is recorded as it does.

use crate::harness::{Setup, Version};
use crate::world::{Attempt, CALLEES, Step, callee};

on_both!(
    wait_and_play_run_to_their_end,
    keys_pressed_while_playing_arrive_in_the_step_and_in_the_menu,
    a_hang_up_in_mid_message_is_a_step_cut_short,
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
