//! Transcripts of answered legs.

use campanile::domain::action::Action;
use campanile::domain::evidence::{Evidence, Finding, Step, StepResult};

use super::super::world::{ATTEMPT, Talk, answer, at, ended, order, ticket};
use super::super::{LedgerDown, Session};
use super::*;
use crate::protocol::{Command, Reply, Request, Variable};

fn call(actions: &[(&str, &str)]) -> Talk {
    let request = Request::new("run", &[&ticket().to_string()]);
    let mut talk = Talk::open(&request);
    assert_eq!(talk.take(), [Output::Lookup(ticket())]);
    talk.hear(0, Input::Order(Ok(Some(Box::new(order(actions))))));
    talk
}

fn answered(ms: i64) -> Output {
    record(ATTEMPT, at(ms), Fact::Answered)
}

fn step(ms: i64, index: u32, action: (&str, &str), result: StepResult, digits: &str, ran_ms: i64) -> Output {
    let action = Action::parse(action.0, action.1).unwrap();
    let digits = digits.to_owned();
    let step = Step { ordinal: index, list: None, index, action, result, digits, ran_ms, finding: None };
    record(ATTEMPT, at(ms), Fact::Step(step))
}

fn stream(sound: &str, offset: u64) -> Output {
    Output::Send(Command::StreamFile { sound: sound.parse().unwrap(), offset })
}

fn wait_for_digit(timeout_ms: u32) -> Output {
    Output::Send(Command::WaitForDigit { timeout_ms })
}

fn set(name: Variable, value: &str) -> Output {
    Output::Send(Command::SetVariable { name, value: value.to_owned() })
}

const WAIT: (&str, &str) = ("WAIT", "2");
const PLAY: (&str, &str) = ("PLAY", "hello");
const IVR: (&str, &str) = ("IVR", "main,s,1");

#[test]
fn actions_run_in_their_order_and_each_is_recorded() {
    let mut talk = call(&[WAIT, PLAY]);
    assert_eq!(talk.take(), [answered(0), wait_for_digit(2000)]);
    talk.hear(2001, answer("0", None));
    assert_eq!(talk.take(), [step(2001, 0, WAIT, StepResult::Done, "", 2001), stream("hello", 0)]);
    talk.hear(5000, answer("0", Some(24_000)));
    assert_eq!(talk.take(), [step(5000, 1, PLAY, StepResult::Done, "", 2999), Output::Close]);
}

#[test]
fn a_call_without_actions_is_answered_and_ended() {
    assert_eq!(call(&[]).take(), [answered(0), Output::Close]);
}

/// A made-up call that lasts for three seconds.
fn lasting(actions: &[(&str, &str)]) -> Talk {
    let mut talk = Talk::open(&Request::new("run", &[&ticket().to_string()]));
    talk.take();
    let mut order = order(actions);
    order.draw.talk_ms = Some(3_000);
    talk.hear(0, Input::Order(Ok(Some(Box::new(order)))));
    talk
}

#[test]
fn a_made_up_call_stays_behind_its_actions_until_dial_ends_it() {
    let mut talk = lasting(&[WAIT]);
    assert_eq!(talk.take(), [answered(0), wait_for_digit(2000)]);
    talk.hear(2000, answer("0", None));
    assert_eq!(talk.take(), [step(2000, 0, WAIT, StepResult::Done, "", 2000), wait_for_digit(3000)]);
    talk.hear(2500, answer("49", None));
    assert_eq!(talk.take(), [wait_for_digit(3000)], "a key does not end it");
    talk.hear(3001, Input::Hangup);
    assert_eq!(talk.take(), [Output::Close], "and no step is cut off");
}

#[test]
fn a_made_up_call_without_actions_stays_and_ends_whatever_asterisk_says() {
    for ending in [
        answer("0", None),
        answer("-1", None),
        answer("", None),
        Input::Reply(Reply::Usage),
        Input::Reply(Reply::DeadChannel),
    ] {
        let mut talk = lasting(&[]);
        assert_eq!(talk.take(), [answered(0), wait_for_digit(3000)]);
        talk.hear(3001, ending);
        assert_eq!(talk.take(), [Output::Close]);
    }
    let mut talk = lasting(&[WAIT]);
    talk.take();
    talk.hear(700, Input::Hangup);
    assert_eq!(talk.take(), [step(700, 0, WAIT, StepResult::HungUp, "", 700), Output::Close], "a step is cut off");
}

/// A call of a contact with two variables.
fn named(actions: &[(&str, &str)]) -> Talk {
    let mut talk = Talk::open(&Request::new("run", &[&ticket().to_string()]));
    talk.take();
    let mut order = order(actions);
    for (name, value) in [("language", "de"), ("debt", "20 000")] {
        order.variables.set(name.parse().unwrap(), value.parse().unwrap());
    }
    talk.hear(0, Input::Order(Ok(Some(Box::new(order)))));
    talk
}

fn names(name: &str, value: &str) -> Output {
    let (name, value) = (name.parse().unwrap(), value.parse().unwrap());
    Output::Send(Command::SetContactVariable { name, value })
}

#[test]
fn the_contacts_variables_are_set_before_the_first_action_and_a_refused_one_harms_nothing() {
    let mut talk = named(&[WAIT]);
    assert_eq!(talk.take(), [answered(0), names("debt", "20 000")]);
    talk.hear(1, Input::Reply(Reply::Usage));
    assert_eq!(talk.take(), [names("language", "de")]);
    talk.hear(2, answer("1", None));
    assert_eq!(talk.take(), [wait_for_digit(2000)]);
}

#[test]
fn a_callee_who_is_gone_before_the_variables_are_set_is_gone() {
    for (actions, steps) in [(&[WAIT][..], 1), (&[], 0)] {
        let mut talk = named(actions);
        talk.take();
        talk.hear(5, Input::Hangup);
        let said = talk.take();
        assert_eq!((said.len(), said.last()), (steps + 1, Some(&Output::Close)), "{said:?}");
    }
}

#[test]
fn a_key_neither_cuts_the_message_nor_gets_lost() {
    let mut talk = call(&[PLAY]);
    talk.take();
    talk.hear(500, answer("49", Some(4000)));
    assert_eq!(talk.take(), [stream("hello", 4000)]);
    talk.hear(900, answer("35", Some(7200)));
    assert_eq!(talk.take(), [stream("hello", 7200)]);
    talk.hear(950, answer("42", None));
    assert_eq!(talk.take(), [stream("hello", 7200)], "no place given: go on from the last one");
    talk.hear(3000, answer("0", Some(24_000)));
    assert_eq!(talk.take(), [step(3000, 0, PLAY, StepResult::Done, "1#*", 3000), Output::Close]);
}

#[test]
fn keys_pressed_while_waiting_do_not_shorten_the_wait() {
    let mut talk = call(&[WAIT]);
    talk.take();
    talk.hear(300, answer("53", None));
    assert_eq!(talk.take(), [wait_for_digit(1700)]);
    talk.hear(400, answer("1", None));
    assert_eq!(talk.take(), [wait_for_digit(1600)], "1 says interrupted, the key 1 is 49");
    talk.hear(2000, answer("68", None));
    assert_eq!(talk.take(), [step(2000, 0, WAIT, StepResult::Done, "5D", 2000), Output::Close]);
}

#[test]
fn an_ivr_gets_the_keys_and_the_call() {
    let mut talk = call(&[PLAY, IVR]);
    talk.hear(500, answer("55", Some(4000)));
    talk.hear(900, answer("0", Some(24_000)));
    talk.take();
    assert_eq!(talk.sent(), Some(Command::SetVariable { name: Variable::Digits, value: "7".to_owned() }));
    talk.hear(901, answer("1", None));
    assert_eq!(talk.take(), [set(Variable::Ivr, "main,s,1")]);
    talk.hear(902, answer("1", None));
    let facts = [step(902, 1, IVR, StepResult::Done, "", 2), record(ATTEMPT, at(902), Fact::HandedOver)];
    assert_eq!(talk.take(), [&facts[..], &[Output::Close]].concat());
}

#[test]
fn a_missing_sound_fails_its_step_and_the_rest_goes_on() {
    let mut talk = call(&[PLAY, WAIT]);
    talk.take();
    talk.hear(5, answer("-1", Some(0)));
    assert_eq!(talk.take(), [Output::Send(Command::Noop)], "gone, or only the file?");
    talk.hear(6, answer("0", None));
    let outputs = talk.take();
    assert!(matches!(&outputs[0], Output::Warn(why) if why.contains("PLAY hello")), "{outputs:?}");
    assert_eq!(outputs[1..], [step(6, 0, PLAY, StepResult::Failed, "", 6), wait_for_digit(2000)]);
}

#[test]
fn a_hangup_during_a_sound_is_no_missing_sound() {
    let mut talk = call(&[PLAY, WAIT]);
    talk.hear(500, answer("57", Some(4000)));
    talk.hear(700, answer("-1", Some(5600)));
    talk.take();
    talk.hear(701, Input::Hangup);
    assert_eq!(talk.take(), [step(701, 0, PLAY, StepResult::HungUp, "9", 701), Output::Close]);
}

#[test]
fn a_hangup_at_any_point_records_the_step_and_closes() {
    let mut talk = call(&[WAIT]);
    talk.take();
    talk.hear(700, Input::Hangup);
    assert_eq!(talk.take(), [step(700, 0, WAIT, StepResult::HungUp, "", 700), Output::Close]);
    for reply in [answer("-1", None), Input::Reply(Reply::DeadChannel)] {
        let mut talk = call(&[WAIT]);
        talk.take();
        talk.hear(700, reply);
        assert_eq!(talk.take(), [step(700, 0, WAIT, StepResult::HungUp, "", 700), Output::Close]);
    }
    let mut talk = call(&[IVR]);
    talk.hear(1, answer("1", None));
    talk.take();
    talk.hear(2, Input::Hangup);
    assert_eq!(talk.take(), [step(2, 0, IVR, StepResult::HungUp, "", 2), Output::Close], "not handed over");
}

#[test]
fn a_hangup_before_the_order_is_known_still_counts_as_answered() {
    let mut talk = Talk::open(&Request::new("run", &[&ticket().to_string()]));
    talk.take();
    talk.hear(1, Input::Hangup);
    talk.hear(2, Input::Order(Ok(Some(Box::new(order(&[PLAY]))))));
    assert_eq!(talk.take(), [answered(2), Output::Close]);
}

#[test]
fn what_asterisk_refuses_fails_the_step() {
    for reply in [Input::Reply(Reply::Usage), Input::Reply(Reply::Unknown), answer("", None)] {
        let mut talk = call(&[PLAY]);
        talk.take();
        talk.hear(3, reply);
        let outputs = talk.take();
        assert_eq!(outputs[1..], [step(3, 0, PLAY, StepResult::Failed, "", 3), Output::Close]);
    }
}

#[test]
fn keys_are_bounded_and_fit_into_one_command() {
    let mut talk = call(&[WAIT, IVR]);
    for _ in 0..=KEYS_MAX {
        talk.hear(1, answer("49", None));
    }
    assert!(talk.take().iter().any(|output| matches!(output, Output::Warn(_))));
    talk.hear(2000, answer("0", None));
    let keys = Command::SetVariable { name: Variable::Digits, value: "1".repeat(KEYS_MAX) };
    assert_eq!(talk.sent(), Some(keys.clone()));
    assert!(keys.render().is_ok());
}

#[test]
fn debug_shows_no_keys() {
    let mut talk = call(&[PLAY]);
    talk.hear(1, answer("57", Some(4000)));
    let shown = format!("{:?}", talk.session);
    assert!(shown.contains("attempt 7 in step 0 with 1 keys"), "{shown}");
}

#[test]
fn nothing_runs_without_an_order() {
    for found in [Ok(None), Err(LedgerDown("disk full".to_owned()))] {
        let mut talk = Talk::open(&Request::new("run", &[&ticket().to_string()]));
        talk.take();
        talk.hear(0, Input::Order(found));
        ended(&talk.take());
    }
}

#[test]
fn a_fact_that_is_not_recorded_is_told_even_after_the_end() {
    let mut talk = call(&[]);
    talk.take();
    talk.hear(1, Input::Recorded(Err(LedgerDown("disk full".to_owned()))));
    assert!(matches!(&talk.take()[..], [Output::Warn(why)] if why.contains("disk full")));
    assert!(matches!(talk.session, Session::Run(_)));
}

mod branches;
mod connecting;
mod recordings;
mod speech;

/// A call that runs these lists.
fn call_lists(actions: campanile::domain::action::Actions) -> Talk {
    let mut talk = Talk::open(&Request::new("run", &[&ticket().to_string()]));
    talk.take();
    talk.hear(0, Input::Order(Ok(Some(Box::new(campanile::domain::attempt::Order { actions, ..order(&[]) })))));
    talk
}

/// The steps among outputs, in words: `main 0 PLAY hello Done`, with keys and finding where there are any.
fn told(outputs: &[Output]) -> Vec<String> {
    let steps = outputs.iter().filter_map(|output| match output {
        Output::Record(_, Evidence { fact: Fact::Step(step), .. }) => Some(step),
        _ => None,
    });
    let shown = |step: &Step| {
        let list = step.list.as_ref().map_or("first", |list| list.as_str());
        let keys = if step.digits.is_empty() { String::new() } else { format!(" keys {}", step.digits) };
        let finding = match &step.finding {
            None => String::new(),
            Some(Finding::Chose { to }) => format!(" → {to}"),
            Some(Finding::Sound { after_ms }) => format!(" {after_ms:?}"),
            Some(Finding::Recorded { file }) => format!(" in {file}"),
            Some(Finding::Heard { who, cause, to }) => format!(" {who} {} → {to}", cause.as_deref().unwrap_or("-")),
        };
        format!("{} {list} {} {} {:?}{keys}{finding}", step.ordinal, step.index, step.action.verb(), step.result)
    };
    steps.map(shown).collect()
}

fn sent(talk: &mut Talk) -> Vec<Command> {
    commands(&talk.take())
}

fn commands(outputs: &[Output]) -> Vec<Command> {
    let commands = outputs.iter().filter_map(|output| match output {
        Output::Send(command) => Some(command.clone()),
        _ => None,
    });
    commands.collect()
}

fn plays(sound: &str) -> Command {
    Command::StreamFile { sound: sound.parse().unwrap(), offset: 0 }
}

fn listens(timeout_ms: u32) -> Command {
    Command::WaitForDigit { timeout_ms }
}
