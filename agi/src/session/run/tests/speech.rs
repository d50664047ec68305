//! SAY and SET: what is said, and whose it is.

use campanile::domain::action::Utterance;

use super::super::super::world::lists;
use super::*;
use crate::protocol::Interrupt;

fn says(utterance: Utterance, interrupt: Interrupt) -> Command {
    Command::Say { utterance, interrupt }
}

#[test]
fn a_variable_is_said_as_its_contact_has_it() {
    let mut order = order(&[]);
    order.variables.set("debt".parse().unwrap(), "20000".parse().unwrap());
    order.actions = lists(&[("", &["SAY number {debt}", "SAY digits 007"])]);
    let mut talk = Talk::open(&Request::new("run", &[&ticket().to_string()]));
    talk.hear(0, Input::Order(Ok(Some(Box::new(order)))));
    talk.hear(0, answer("1", None));
    assert_eq!(sent(&mut talk).last(), Some(&says(Utterance::Number(20_000), Interrupt::Keys)));
    talk.hear(1000, answer("0", None));
    let outputs = talk.take();
    assert_eq!(told(&outputs), ["0 first 0 SAY Done"]);
    assert_eq!(commands(&outputs), [says(Utterance::Digits("007".to_owned()), Interrupt::Keys)]);
}

#[test]
fn a_variable_that_a_contact_lacks_fails_its_step_and_the_rest_goes_on() {
    let mut talk = call_lists(lists(&[("", &["SAY number {debt}", "SET x {debt}", "PLAY hello"])]));
    let outputs = talk.take();
    assert_eq!(told(&outputs), ["0 first 0 SAY Failed", "1 first 1 SET Failed"]);
    assert!(matches!(&outputs[1], Output::Warn(why) if why.contains("no variable `debt`")), "{outputs:?}");
    assert_eq!(commands(&outputs), [plays("hello")]);
}

#[test]
fn what_is_set_is_in_the_channel_and_can_be_said() {
    let mut talk =
        call_lists(lists(&[("", &["SET tier 3", "SAY number {tier}", "SET tier two", "SAY number {tier}"])]));
    let (name, value) = ("tier".parse().unwrap(), "3".parse().unwrap());
    assert_eq!(sent(&mut talk), [Command::SetContactVariable { name, value }]);
    talk.hear(1, answer("1", None));
    assert_eq!(sent(&mut talk), [says(Utterance::Number(3), Interrupt::Keys)]);
    talk.hear(2, answer("0", None));
    talk.hear(3, answer("1", None));
    assert_eq!(told(&talk.take())[2..], ["3 first 3 SAY Failed"], "two is no number");
}

#[test]
fn a_key_does_not_cut_what_is_said_and_is_kept_and_no_key_makes_it_endless() {
    let mut talk = call_lists(lists(&[("", &["SAY digits 42"])]));
    talk.take();
    let again = |interrupt| says(Utterance::Digits("42".to_owned()), interrupt);
    for (ms, key) in [(1, "49"), (2, "50")] {
        talk.hear(ms, answer(key, None));
        assert_eq!(sent(&mut talk), [again(Interrupt::Keys)]);
    }
    talk.hear(3, answer("51", None));
    assert_eq!(sent(&mut talk), [again(Interrupt::Nothing)], "to its end now");
    talk.hear(4, answer("0", None));
    assert_eq!(told(&talk.take()), ["0 first 0 SAY Done keys 123"]);
}

#[test]
fn a_missing_voice_fails_the_step() {
    let mut talk = call_lists(lists(&[("", &["SAY characters A1", "PLAY hello"])]));
    talk.take();
    talk.hear(1, answer("-1", None));
    assert_eq!(sent(&mut talk), [Command::Noop]);
    talk.hear(2, answer("0", None));
    assert_eq!(told(&talk.take()), ["0 first 0 SAY Failed"]);
}

#[test]
fn debug_shows_nothing_that_is_said() {
    let mut talk = call_lists(lists(&[("", &["SAY digits 4711"])]));
    let outputs = talk.take();
    let shown = format!("{:?} {:?}", talk.session, outputs.last());
    assert!(shown.contains("SAY …") && !shown.contains("4711"), "{shown}");
}

#[test]
fn hundreds_of_steps_that_fail_at_once_fit_on_the_stack() {
    let mut actions = campanile::domain::action::Actions::default();
    for i in 0..5 {
        let says = std::iter::repeat_n("SAY number {debt}", 99).map(super::super::super::world::action);
        let menu = super::super::super::world::action(&format!("MENU m keys=1:l{}", i + 1));
        let list: Vec<Action> = if i == 4 { says.collect() } else { std::iter::once(menu).chain(says).collect() };
        let name = (i > 0).then(|| format!("l{i}").parse().unwrap());
        actions.replace(name.as_ref(), list);
    }
    assert_eq!(actions.check(), Ok(()));
    let mut talk = call_lists(actions);
    for ms in 0..4 {
        talk.take();
        talk.hear(ms, answer("49", Some(1)));
    }
    let outputs = talk.take();
    assert_eq!((told(&outputs).len(), outputs.last()), (1 + 5 * 99, Some(&Output::Close)));
}
