//! The script `run`: the answered leg plays, waits, keeps every key, and may hand the call on.

use std::fmt;

use campanile::domain::action::{Action, WAIT_S_MAX};
use campanile::domain::attempt::Order;
use campanile::domain::evidence::{Fact, Step, StepResult};
use campanile::domain::ids::{AttemptId, Ticket};
use campanile::domain::instant::UtcMs;
use campanile::domain::name::SoundName;

use super::naming::Naming;
use super::{Input, LedgerDown, Output, no_order, record};
use crate::protocol::{Answer, Command, Reply, Variable};

/// The most keys that are kept of one call; they must fit into one command.
pub const KEYS_MAX: usize = 1_000;

/// The answered leg of one call.
#[derive(Debug)]
pub struct Run {
    ticket: Ticket,
    state: State,
}

#[derive(Debug)]
enum State {
    LookingUp,
    /// The leg ended before we knew whose it was.
    GoneEarly,
    /// Its contact's variables are set first.
    Naming(Leg, Naming),
    Stepping(Leg),
    Closed,
}

/// A call on its way through its actions.
struct Leg {
    attempt: AttemptId,
    actions: Vec<Action>,
    /// The action that runs.
    index: usize,
    began_at: UtcMs,
    /// The keys of the whole call.
    keys: String,
    /// How many of them were pressed before this step.
    keys_before: usize,
    waiting: Waiting,
}

/// What the outstanding command is for.
#[derive(Debug, Clone)]
enum Waiting {
    Key {
        until: UtcMs,
    },
    Sound {
        sound: SoundName,
        offset: u64,
    },
    /// Playback failed: a hang-up says so before the probe is answered, else it was the sound.
    Probe,
    /// The keys are set, then the target is.
    Keys {
        target: String,
    },
    Target,
}

impl Run {
    pub(super) fn new(ticket: Ticket) -> Self {
        Self { ticket, state: State::LookingUp }
    }

    pub(super) fn handle(&mut self, now: UtcMs, input: Input) -> Vec<Output> {
        if let Input::Recorded(Err(down)) = &input {
            return vec![Output::Warn(format!("run: {:?}: a fact is not recorded: {down}", self.ticket))];
        }
        let state = std::mem::replace(&mut self.state, State::Closed);
        let (state, outputs) = match (state, input) {
            (State::LookingUp, Input::Order(found)) => self.found(now, found),
            (State::LookingUp, Input::Hangup) => (State::GoneEarly, vec![]),
            (State::GoneEarly, Input::Order(found)) => self.found_too_late(now, found),
            (State::Naming(leg, _), Input::Hangup | Input::Reply(Reply::DeadChannel)) => leg.gone_before_its_steps(now),
            // A variable that is refused does not take the message with it.
            (State::Naming(leg, naming), Input::Reply(_)) => leg.name(now, naming, vec![]),
            (State::Stepping(leg), Input::Hangup) => leg.hung_up(now),
            (State::Stepping(leg), Input::Reply(Reply::Answer(answer))) => leg.answered(now, &answer),
            (State::Stepping(leg), Input::Reply(Reply::DeadChannel)) => leg.hung_up(now),
            (State::Stepping(leg), Input::Reply(Reply::Unknown | Reply::Usage)) => {
                leg.failed(now, "Asterisk refused it")
            }
            (state, _) => (state, vec![]),
        };
        self.state = state;
        outputs
    }

    fn found(&self, now: UtcMs, found: Result<Option<Box<Order>>, LedgerDown>) -> (State, Vec<Output>) {
        match no_order("run", self.ticket, found) {
            Ok(order) => {
                let answered = record(order.attempt, now, Fact::Answered);
                let naming = Naming::of(&order.variables);
                Leg::of(*order, now).name(now, naming, vec![answered])
            }
            Err(outputs) => (State::Closed, outputs),
        }
    }

    fn found_too_late(&self, now: UtcMs, found: Result<Option<Box<Order>>, LedgerDown>) -> (State, Vec<Output>) {
        let outputs = match no_order("run", self.ticket, found) {
            Ok(order) => vec![record(order.attempt, now, Fact::Answered), Output::Close],
            Err(outputs) => outputs,
        };
        (State::Closed, outputs)
    }
}

/// The keys may be somebody's secret.
impl fmt::Debug for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attempt {} in step {} with {} keys", self.attempt, self.index, self.keys.len())
    }
}

impl Leg {
    fn of(order: Order, now: UtcMs) -> Self {
        Self {
            attempt: order.attempt,
            actions: order.actions,
            index: 0,
            began_at: now,
            keys: String::new(),
            keys_before: 0,
            waiting: Waiting::Probe,
        }
    }

    /// Sets the next of the contact's variables; behind the last one the actions begin.
    fn name(self, now: UtcMs, mut naming: Naming, mut outputs: Vec<Output>) -> (State, Vec<Output>) {
        match naming.next() {
            None => self.act(now, outputs),
            Some(command) => {
                outputs.push(Output::Send(command));
                (State::Naming(self, naming), outputs)
            }
        }
    }

    fn gone_before_its_steps(self, now: UtcMs) -> (State, Vec<Output>) {
        if self.actions.is_empty() { (State::Closed, vec![Output::Close]) } else { self.hung_up(now) }
    }

    /// Begins the action at `index`; behind the last one the dialplan hangs up.
    fn act(mut self, now: UtcMs, mut outputs: Vec<Output>) -> (State, Vec<Output>) {
        self.began_at = now;
        self.keys_before = self.keys.len();
        match self.actions.get(self.index) {
            None => {
                outputs.push(Output::Close);
                (State::Closed, outputs)
            }
            Some(Action::Wait { seconds }) => {
                let until = now.plus_s(i64::from(*seconds));
                self.wait(now, until, outputs)
            }
            Some(Action::Play { sound }) => {
                let sound = sound.clone();
                self.play(sound, 0, outputs)
            }
            Some(Action::Ivr { context, extension, priority }) => {
                let target = format!("{context},{extension},{priority}");
                let keys = Command::SetVariable { name: Variable::Digits, value: self.keys.clone() };
                self.send(Waiting::Keys { target }, keys, outputs)
            }
        }
    }

    fn wait(self, now: UtcMs, until: UtcMs, outputs: Vec<Output>) -> (State, Vec<Output>) {
        // The clock may have been set back meanwhile; no wait is longer than the longest.
        let timeout_ms = u32::try_from(until.since_ms(now)).unwrap_or(0).min(WAIT_S_MAX * 1000);
        self.send(Waiting::Key { until }, Command::WaitForDigit { timeout_ms }, outputs)
    }

    fn play(self, sound: SoundName, offset: u64, outputs: Vec<Output>) -> (State, Vec<Output>) {
        let command = Command::StreamFile { sound: sound.clone(), offset };
        self.send(Waiting::Sound { sound, offset }, command, outputs)
    }

    fn send(mut self, waiting: Waiting, command: Command, mut outputs: Vec<Output>) -> (State, Vec<Output>) {
        self.waiting = waiting;
        outputs.push(Output::Send(command));
        (State::Stepping(self), outputs)
    }

    fn answered(mut self, now: UtcMs, answer: &Answer) -> (State, Vec<Output>) {
        // Whatever comes next says anew what it waits for.
        match std::mem::replace(&mut self.waiting, Waiting::Probe) {
            Waiting::Key { until } => self.waited(now, answer, until),
            Waiting::Sound { sound, offset } => self.played(now, answer, sound, offset),
            Waiting::Probe => self.failed(now, "Asterisk could not play it"),
            Waiting::Keys { target } => {
                let command = Command::SetVariable { name: Variable::Ivr, value: target };
                self.send(Waiting::Target, command, vec![])
            }
            Waiting::Target => {
                let facts = vec![self.step(now, StepResult::Done), record(self.attempt, now, Fact::HandedOver)];
                (State::Closed, facts.into_iter().chain([Output::Close]).collect())
            }
        }
    }

    fn waited(mut self, now: UtcMs, answer: &Answer, until: UtcMs) -> (State, Vec<Output>) {
        match answer.code() {
            Some(-1) => self.hung_up(now),
            Some(0) => self.next(now, StepResult::Done, vec![]),
            // A key, or result 1: an interruption. Either way the rest of the time is still to wait.
            Some(_) => {
                let outputs = self.keep(answer);
                if now < until { self.wait(now, until, outputs) } else { self.next(now, StepResult::Done, outputs) }
            }
            None => self.failed(now, "Asterisk gave no result"),
        }
    }

    /// A key interrupts the sound, which goes on where it was: the message is never cut.
    fn played(mut self, now: UtcMs, answer: &Answer, sound: SoundName, offset: u64) -> (State, Vec<Output>) {
        match answer.code() {
            Some(-1) => self.send(Waiting::Probe, Command::Noop, vec![]),
            Some(0) => self.next(now, StepResult::Done, vec![]),
            Some(_) => {
                let outputs = self.keep(answer);
                self.play(sound, answer.endpos.unwrap_or(offset).max(offset), outputs)
            }
            None => self.failed(now, "Asterisk gave no result"),
        }
    }

    /// Keeps the key that the answer brought, if any.
    fn keep(&mut self, answer: &Answer) -> Vec<Output> {
        match answer.key() {
            Some(_) if self.keys.len() >= KEYS_MAX => {
                vec![Output::Warn(format!("attempt {}: run: more than {KEYS_MAX} keys; one is lost", self.attempt))]
            }
            key => {
                self.keys.extend(key);
                vec![]
            }
        }
    }

    /// Records the step and begins the next one.
    fn next(mut self, now: UtcMs, result: StepResult, mut outputs: Vec<Output>) -> (State, Vec<Output>) {
        outputs.push(self.step(now, result));
        self.index += 1;
        self.act(now, outputs)
    }

    /// A step that Asterisk refuses does not take the rest of the message with it.
    fn failed(self, now: UtcMs, why: &str) -> (State, Vec<Output>) {
        let action = self.actions.get(self.index).map(ToString::to_string).unwrap_or_default();
        let warning = Output::Warn(format!("attempt {}: run: {action}: {why}", self.attempt));
        self.next(now, StepResult::Failed, vec![warning])
    }

    fn hung_up(self, now: UtcMs) -> (State, Vec<Output>) {
        (State::Closed, vec![self.step(now, StepResult::HungUp), Output::Close])
    }

    fn step(&self, now: UtcMs, result: StepResult) -> Output {
        let step = Step {
            index: u32::try_from(self.index).unwrap_or(u32::MAX),
            action: self.actions[self.index].clone(),
            result,
            digits: self.keys[self.keys_before..].to_owned(),
            ran_ms: now.since_ms(self.began_at).max(0),
        };
        record(self.attempt, now, Fact::Step(step))
    }
}

#[cfg(test)]
mod tests {
    use super::super::world::{ATTEMPT, Talk, answer, at, ended, order, ticket};
    use super::super::{LedgerDown, Session};
    use super::*;
    use crate::protocol::Request;

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
        record(ATTEMPT, at(ms), Fact::Step(Step { index, action, result, digits: digits.to_owned(), ran_ms }))
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
}
