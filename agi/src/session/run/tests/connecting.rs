//! The actions that hand the call to the dialplan, and HANGUP.

use super::super::super::world::lists;
use super::*;

/// What is set when this action hands the call over, and what is told at the end.
fn hands_over(action: &str) -> (Vec<Command>, Vec<Output>) {
    let mut talk = call_lists(lists(&[("", &[action])]));
    let mut all = vec![];
    for ms in 1.. {
        let outputs = talk.take();
        all.extend(commands(&outputs));
        if outputs.contains(&Output::Close) {
            return (all, outputs);
        }
        talk.hear(ms, answer("1", None));
    }
    unreachable!()
}

fn sets(name: Variable, value: &str) -> Command {
    Command::SetVariable { name, value: value.to_owned() }
}

#[test]
fn on_connect_of_mirta_and_transfer_on_answer_of_mod_dialer_are_lists_of_one_action() {
    let keys = sets(Variable::Digits, "");
    for (action, connect, target) in [
        ("TRANSFER default,8888", None, "default,8888,1"),
        ("DIAL agents,100 ring=20", Some("Local/100@agents/n,20"), "campanile-connect,dial,1"),
        ("QUEUE support", Some("support"), "campanile-connect,queue,1"),
        ("QUEUE support wait=60", Some("support,,,,60"), "campanile-connect,queue,1"),
        ("CONFERENCE 8000", Some("8000"), "campanile-connect,conference,1"),
    ] {
        let (commands, outputs) = hands_over(action);
        let connect = connect.map(|with| sets(Variable::Connect, with));
        let expected: Vec<Command> =
            std::iter::once(keys.clone()).chain(connect).chain([sets(Variable::Ivr, target)]).collect();
        assert_eq!(commands, expected, "{action}");
        assert!(told(&outputs)[0].ends_with("Done"), "{outputs:?}");
        assert!(matches!(&outputs[1], Output::Record(_, Evidence { fact: Fact::HandedOver, .. })), "{outputs:?}");
    }
}

#[test]
fn a_hangup_before_all_is_set_hands_nothing_over() {
    let mut talk = call_lists(lists(&[("", &["QUEUE support"])]));
    talk.hear(1, answer("1", None));
    talk.take();
    talk.hear(2, Input::Hangup);
    let outputs = talk.take();
    assert_eq!(told(&outputs), ["0 first 0 QUEUE HungUp"]);
    assert_eq!(outputs.len(), 2, "{outputs:?}");
}

#[test]
fn hangup_ends_the_call_in_whatever_list() {
    let mut talk = call_lists(lists(&[("", &["WAIT 1", "HANGUP"])]));
    talk.take();
    talk.hear(1000, answer("0", None));
    let outputs = talk.take();
    assert_eq!(told(&outputs), ["0 first 0 WAIT Done", "1 first 1 HANGUP Done"]);
    assert_eq!(outputs.last(), Some(&Output::Close));
}
