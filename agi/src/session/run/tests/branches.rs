//! MENU, AMD and OPT-OUT: where a call goes on.

use super::super::super::world::lists;
use super::*;
use crate::protocol::{Answer, Application};

const MENU: &str = "MENU welcome keys=1:sales,12:more,9:again timeout=5 repeats=1 wrong=sorry else=bye";

fn menu() -> Talk {
    let actions = lists(&[
        ("", &[MENU, "PLAY end"]),
        ("sales", &["PLAY sales"]),
        ("more", &["PLAY more", "HANGUP"]),
        ("bye", &["HANGUP"]),
    ]);
    let mut talk = call_lists(actions);
    assert_eq!(sent(&mut talk), [plays("welcome")]);
    talk
}

#[test]
fn a_key_cuts_a_menu_short_and_chooses_and_the_call_comes_back_behind_it() {
    let mut talk = menu();
    talk.hear(500, answer("49", Some(4000)));
    assert_eq!(sent(&mut talk), [listens(5000)], "12 is a choice as well");
    talk.hear(5500, answer("0", None));
    let outputs = talk.take();
    assert_eq!(told(&outputs), ["0 first 0 MENU Done keys 1 → sales"]);
    assert_eq!(commands(&outputs), [plays("sales")]);
    talk.hear(6000, answer("0", Some(1)));
    let outputs = talk.take();
    assert_eq!(told(&outputs), ["1 sales 0 PLAY Done"]);
    assert_eq!(commands(&outputs), [plays("end")], "behind the menu");
    talk.hear(7000, answer("0", Some(1)));
    let outputs = talk.take();
    assert_eq!(told(&outputs), ["2 first 1 PLAY Done"]);
    assert_eq!(outputs.last(), Some(&Output::Close));
}

#[test]
fn several_keys_are_a_choice_as_soon_as_no_longer_one_begins_so() {
    let mut talk = menu();
    talk.hear(1, answer("0", Some(9)));
    assert_eq!(sent(&mut talk), [listens(5000)]);
    talk.hear(2, answer("49", None));
    talk.hear(3, answer("50", None));
    let outputs = talk.take();
    assert_eq!(told(&outputs), ["0 first 0 MENU Done keys 12 → more"]);
    talk.hear(4, answer("0", Some(1)));
    let outputs = talk.take();
    assert_eq!(told(&outputs), ["1 more 0 PLAY Done", "2 more 1 HANGUP Done"]);
    assert_eq!(outputs.last(), Some(&Output::Close));
}

#[test]
fn who_presses_nothing_or_something_wrong_hears_the_menu_again_and_then_it_goes_on_elsewhere() {
    let mut talk = menu();
    talk.hear(1, answer("0", Some(9)));
    talk.hear(5001, answer("0", None));
    assert_eq!(sent(&mut talk), [listens(5000), plays("welcome")]);
    talk.hear(6000, answer("0", Some(9)));
    talk.hear(11_000, answer("0", None));
    let outputs = talk.take();
    assert_eq!(told(&outputs), ["0 first 0 MENU Done → bye", "1 bye 0 HANGUP Done"]);

    let mut talk = menu();
    talk.hear(1, answer("55", Some(9)));
    assert_eq!(sent(&mut talk), [plays("sorry")]);
    talk.hear(2, answer("0", Some(9)));
    assert_eq!(sent(&mut talk), [plays("welcome")]);
    talk.hear(3, answer("55", Some(9)));
    assert_eq!(told(&talk.take()), ["0 first 0 MENU Done keys 77 → bye", "1 bye 0 HANGUP Done"]);
}

#[test]
fn a_key_during_the_word_of_regret_is_the_next_try() {
    let mut talk = menu();
    talk.hear(1, answer("55", Some(9)));
    talk.hear(2, answer("49", Some(9)));
    talk.hear(3, answer("50", Some(9)));
    assert_eq!(told(&talk.take()), ["0 first 0 MENU Done keys 712 → more"]);
}

#[test]
fn again_is_a_repeat_and_so_has_an_end() {
    let mut talk = menu();
    talk.hear(1, answer("57", Some(9)));
    assert_eq!(sent(&mut talk), [plays("welcome")]);
    talk.hear(2, answer("57", Some(9)));
    assert_eq!(told(&talk.take())[0], "0 first 0 MENU Done keys 99 → bye");
}

#[test]
fn a_menu_without_its_sound_goes_on_as_if_nothing_was_pressed() {
    let mut talk = menu();
    talk.hear(1, answer("-1", Some(0)));
    assert_eq!(sent(&mut talk), [Command::Noop]);
    talk.hear(2, answer("0", None));
    let outputs = talk.take();
    assert!(matches!(&outputs[0], Output::Warn(why) if why.contains("MENU welcome")), "{outputs:?}");
    assert_eq!(told(&outputs), ["0 first 0 MENU Failed → bye", "1 bye 0 HANGUP Done"]);
}

#[test]
fn a_hangup_in_a_menu_is_its_end() {
    for input in [Input::Hangup, answer("-1", None)] {
        let mut talk = menu();
        talk.hear(1, answer("0", Some(9)));
        talk.hear(2, input);
        assert_eq!(told(&talk.take()), ["0 first 0 MENU HungUp"]);
    }
}

fn heard(text: &str) -> Input {
    let answer = Answer { result: "1".to_owned(), value: Some(text.to_owned()), endpos: None };
    Input::Reply(Reply::Answer(answer))
}

/// A call whose AMD has listened.
fn amd(status: &str) -> Vec<String> {
    let actions =
        lists(&[("", &["AMD human=talk machine=leave", "WAIT 1"]), ("talk", &["HANGUP"]), ("leave", &["HANGUP"])]);
    let mut talk = call_lists(actions);
    assert_eq!(sent(&mut talk), [Command::Exec { application: Application::Amd }]);
    talk.hear(3000, answer("0", None));
    assert_eq!(sent(&mut talk), [Command::GetFullVariable { expression: "${AMDSTATUS} ${AMDCAUSE}" }]);
    talk.hear(3001, heard(status));
    told(&talk.take())
}

#[test]
fn amd_leads_to_the_list_of_whom_it_hears_and_who_is_not_sure_is_a_human() {
    assert_eq!(amd("MACHINE LONGGREETING-1500-1500")[0], "0 first 0 AMD Done machine LONGGREETING-1500-1500 → leave");
    assert_eq!(amd("HUMAN HUMAN-800-800")[0], "0 first 0 AMD Done human HUMAN-800-800 → talk");
    for unsure in ["NOTSURE TOOLONG-5000", "NOTSURE NOAUDIODATA-5000", " ", "", "garbage"] {
        assert!(amd(unsure)[0].starts_with("0 first 0 AMD Done unsure"), "{unsure}: {:?}", amd(unsure));
        assert!(amd(unsure)[0].ends_with("→ talk"), "{unsure}");
    }
    assert_eq!(amd("HANGUP "), ["0 first 0 AMD HungUp"]);
    assert!(amd("MACHINE a b\u{1b}[31m")[0].contains("machine - → leave"), "a foreign cause is not kept");
}

#[test]
fn without_amd_everybody_is_a_human() {
    let mut talk = call_lists(lists(&[("", &["AMD human=talk"]), ("talk", &["PLAY talk"])]));
    talk.take();
    talk.hear(1, answer("-2", None));
    let outputs = talk.take();
    assert!(matches!(&outputs[0], Output::Warn(why) if why.contains("load app_amd")), "{outputs:?}");
    assert_eq!(told(&outputs), ["0 first 0 AMD Failed unsure - → talk"]);
    assert_eq!(commands(&outputs), [plays("talk")]);
}

/// The step of a `LISTEN` whose `AMD` took two seconds and said so much.
fn listened(status: &str) -> String {
    let mut talk = call_lists(lists(&[("", &["LISTEN timeout=5", "HANGUP"])]));
    assert_eq!(sent(&mut talk), [Command::Exec { application: Application::FirstSound { timeout_s: 5 } }]);
    talk.hear(2000, answer("0", None));
    assert_eq!(sent(&mut talk), [Command::GetFullVariable { expression: "${AMDSTATUS} ${AMDCAUSE}" }]);
    talk.hear(2001, heard(status));
    told(&talk.take()).remove(0)
}

#[test]
fn listen_keeps_when_the_first_sound_began_and_silence_is_none() {
    for sound in ["MACHINE MAXWORDLENGTH-60", "MACHINE MAXWORDS-1-0", "HUMAN HUMAN-800-800"] {
        assert_eq!(listened(sound), "0 first 0 LISTEN Done Some(1940)", "{sound}");
    }
    for silence in ["MACHINE INITIALSILENCE-5000-5000", "NOTSURE NOAUDIODATA-5000", "NOTSURE TOOLONG-5000", "", "x y"] {
        assert_eq!(listened(silence), "0 first 0 LISTEN Done None", "{silence}");
    }
    assert_eq!(listened("HANGUP "), "0 first 0 LISTEN HungUp");
    let mut talk = call_lists(lists(&[("", &["LISTEN", "PLAY talk"])]));
    talk.take();
    talk.hear(1, answer("-2", None));
    let outputs = talk.take();
    assert!(matches!(&outputs[0], Output::Warn(why) if why.contains("load app_amd")), "{outputs:?}");
    assert_eq!(told(&outputs), ["0 first 0 LISTEN Failed"]);
}

fn opting_out() -> Talk {
    let mut talk = call_lists(lists(&[("", &["OPT-OUT never", "PLAY goodbye"])]));
    let fact = Fact::OptedOut { list: Some("never".parse().unwrap()) };
    let expected = [answered(0), record(ATTEMPT, at(0), fact), Output::Pause(OPT_OUT_PATIENCE)];
    assert_eq!(talk.take(), expected);
    talk
}

#[test]
fn a_callee_who_opts_out_hears_so_only_when_it_is_durable_i8() {
    let mut talk = opting_out();
    talk.hear(1, Input::Recorded(Ok(())));
    assert_eq!(talk.take(), [], "that was another fact");
    talk.hear(2, Input::OptedOut(Ok(())));
    let outputs = talk.take();
    assert_eq!(
        (told(&outputs), commands(&outputs)),
        (vec!["0 first 0 OPT-OUT Done".to_owned()], vec![plays("goodbye")])
    );
    talk.hear(5000, Input::Timer);
    assert_eq!(talk.take(), [], "nobody waits for it any more");
}

#[test]
fn an_opt_out_that_the_ledger_does_not_take_is_told_and_the_call_ends_politely() {
    for input in [Input::OptedOut(Err(LedgerDown("disk full".to_owned()))), Input::Timer] {
        let mut talk = opting_out();
        talk.hear(5000, input);
        let outputs = talk.take();
        assert!(matches!(&outputs[0], Output::Warn(why) if why.contains("OPT-OUT never")), "{outputs:?}");
        assert_eq!(told(&outputs), ["0 first 0 OPT-OUT Failed"]);
        assert_eq!(commands(&outputs), [plays("goodbye")]);
        talk.hear(6000, Input::OptedOut(Err(LedgerDown("disk full".to_owned()))));
        assert!(matches!(&talk.take()[..], [Output::Warn(why)] if why.contains("not recorded: the ledger is down")));
    }
}

#[test]
fn who_hangs_up_while_the_ledger_takes_the_wish_has_said_it() {
    let mut talk = opting_out();
    talk.hear(1, Input::Hangup);
    let outputs = talk.take();
    assert_eq!(told(&outputs), ["0 first 0 OPT-OUT HungUp"]);
    assert_eq!(outputs.last(), Some(&Output::Close));
    talk.hear(2, Input::OptedOut(Err(LedgerDown("disk full".to_owned()))));
    assert!(matches!(&talk.take()[..], [Output::Warn(_)]), "even after the end");
}
