//! A call on its way through its lists of actions.

use std::fmt;

use campanile::domain::action::{Action, Actions, STEPS_MAX, Target};
use campanile::domain::attempt::Order;
use campanile::domain::evidence::{Fact, Finding, Step, StepResult, WhoAnswered};
use campanile::domain::ids::AttemptId;
use campanile::domain::instant::UtcMs;
use campanile::domain::name::{Name, SoundName};
use campanile::domain::variable::Variables;

use super::super::{Output, record};
use super::amd::Listening;
use super::connect::Connecting;
use super::menu::Choosing;
use super::sound::{Playing, Saying};
use super::stay::over;
use super::{State, Turn};
use crate::protocol::{Answer, Command};

/// The most keys that are kept of one call; they must fit into one command.
pub const KEYS_MAX: usize = 1_000;

/// A call on its way through its lists of actions.
pub(super) struct Leg {
    pub(super) attempt: AttemptId,
    actions: Actions,
    /// What `{NAME}` says; a `SET` adds to it.
    pub(super) variables: Variables,
    /// How long the call stays connected, of a made-up one: `Dial` ends it then.
    pub(super) planned_talk_ms: Option<u32>,
    /// The lists that the call is in, the innermost last.
    frames: Vec<Frame>,
    /// How many steps have ended.
    ordinal: u32,
    began_at: UtcMs,
    /// The keys of the whole call.
    pub(super) keys: String,
    /// How many of them were pressed before this step.
    keys_before: usize,
    waiting: Waiting,
}

/// A place in a list: the action that runs, or that comes when the lists that it led to are at their ends.
struct Frame {
    list: Option<Name>,
    index: usize,
}

/// What the outstanding command, or question, is for.
#[derive(Debug, Clone)]
pub(super) enum Waiting {
    /// `WAIT`, to its end.
    Key { until: UtcMs },
    /// `PLAY`.
    Sound(Playing),
    /// `SAY`.
    Voice(Saying),
    /// `MENU`.
    Choice(Box<Choosing>),
    /// `AMD`.
    Amd(Listening),
    /// `LISTEN`: for the callee, and then, after so many milliseconds, for what Asterisk says of it.
    FirstSound(Option<i64>),
    /// `RECORD`: where does Asterisk keep such files?
    Folder,
    /// `RECORD`, into this file.
    Recording(SoundName),
    /// `SET`.
    Variable,
    /// `OPT-OUT`: the ledger, and nothing of Asterisk.
    OptOut,
    /// Whatever hands the call to the dialplan.
    Dialplan(Connecting),
    /// Something could not be played: a hang-up says so before the probe is answered, else it was the sound.
    Probe,
    /// Nothing: the actions are over, and the made-up call is not.
    Stay,
}

/// The keys may be somebody's secret.
impl fmt::Debug for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Frame { list, index } = self.frame();
        write!(f, "attempt {} in step {index}", self.attempt)?;
        if let Some(list) = list {
            write!(f, " of {list}")?;
        }
        write!(f, " with {} keys", self.keys.len())
    }
}

impl Leg {
    pub(super) fn of(order: Order, now: UtcMs) -> Self {
        Self {
            attempt: order.attempt,
            actions: order.actions,
            variables: order.variables,
            planned_talk_ms: order.draw.talk_ms,
            frames: vec![Frame { list: None, index: 0 }],
            ordinal: 0,
            began_at: now,
            keys: String::new(),
            keys_before: 0,
            waiting: Waiting::Probe,
        }
    }

    /// Begins the action at the innermost place; behind the last one of all the call is over, or only stays.
    pub(super) fn act(mut self: Box<Self>, now: UtcMs) -> Turn {
        self.began_at = now;
        self.keys_before = self.keys.len();
        while self.action().is_none() && self.frames.len() > 1 {
            self.frames.pop();
        }
        // Lists are checked where they are written; this is for one that came into the ledger past that check.
        if self.ordinal as usize >= STEPS_MAX {
            let warning = format!("attempt {}: run: more than {STEPS_MAX} steps", self.attempt);
            return (State::Closed, vec![Output::Warn(warning), Output::Close]);
        }
        let Some(action) = self.action().cloned() else { return self.stay() };
        match action {
            Action::Wait { seconds } => {
                let until = now.plus_s(i64::from(seconds));
                self.wait(now, until, vec![])
            }
            Action::Play { sound } => self.play(Playing::of(sound), vec![]),
            Action::Say { form, text } => self.say(now, form, &text),
            Action::Menu(menu) => self.ask(Choosing::of(menu), vec![]),
            Action::Amd(_) => self.listen(),
            Action::Listen(listen) => self.await_sound(listen),
            Action::OptOut { list } => self.opt_out(now, list),
            Action::Set { name, text } => self.set(now, name, &text),
            Action::Record(_) => self.record(),
            Action::Hangup => self.leave(now, StepResult::Done, None, &Target::Hangup, vec![]),
            Action::Ivr { .. }
            | Action::Transfer { .. }
            | Action::Dial { .. }
            | Action::Queue { .. }
            | Action::Conference { .. } => self.connect(&action),
        }
    }

    pub(super) fn answered(mut self: Box<Self>, now: UtcMs, answer: &Answer) -> Turn {
        // Whatever comes next says anew what it waits for.
        match std::mem::replace(&mut self.waiting, Waiting::Probe) {
            Waiting::Key { until } => self.waited(now, answer, until),
            Waiting::Sound(playing) => self.played(now, answer, playing),
            Waiting::Voice(saying) => self.said(now, answer, saying),
            Waiting::Choice(choosing) => self.heard(now, answer, *choosing),
            Waiting::Amd(listening) => self.listened(now, answer, listening),
            Waiting::FirstSound(waited_ms) => self.sound_awaited(now, answer, waited_ms),
            Waiting::Folder => self.folder_told(now, answer),
            Waiting::Recording(file) => self.recorded(now, answer, file),
            Waiting::Variable => self.next(now, StepResult::Done, vec![]),
            Waiting::Dialplan(connecting) => self.told(now, connecting),
            Waiting::Probe => self.failed(now, "Asterisk could not play it"),
            Waiting::Stay => self.stayed(answer),
            // No command is outstanding: an answer to nothing.
            waiting @ Waiting::OptOut => {
                self.waiting = waiting;
                (State::Stepping(self), vec![])
            }
        }
    }

    pub(super) fn send(mut self: Box<Self>, waiting: Waiting, command: Command, mut outputs: Vec<Output>) -> Turn {
        self.waiting = waiting;
        outputs.push(Output::Send(command));
        (State::Stepping(self), outputs)
    }

    pub(super) fn pause(mut self: Box<Self>, waiting: Waiting, outputs: Vec<Output>) -> Turn {
        self.waiting = waiting;
        (State::Stepping(self), outputs)
    }

    pub(super) fn waits_for_opt_out(&self) -> bool {
        matches!(self.waiting, Waiting::OptOut)
    }

    /// Asks whether the channel still is there, after something could not be played.
    pub(super) fn probe(self: Box<Self>) -> Turn {
        self.send(Waiting::Probe, Command::Noop, vec![])
    }

    /// Keeps the key that the answer brought, if any.
    pub(super) fn keep(&mut self, answer: &Answer) -> Vec<Output> {
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

    /// Records the step and begins the one behind it.
    pub(super) fn next(self: Box<Self>, now: UtcMs, result: StepResult, outputs: Vec<Output>) -> Turn {
        self.leave(now, result, None, &Target::Next, outputs)
    }

    /// Records the step with what it found out, and goes on at `target`.
    pub(super) fn leave(
        mut self: Box<Self>,
        now: UtcMs,
        result: StepResult,
        finding: Option<Finding>,
        target: &Target,
        mut outputs: Vec<Output>,
    ) -> Turn {
        outputs.push(self.step(now, result, finding));
        self.ordinal += 1;
        if let Some(frame) = self.frames.last_mut() {
            frame.index += 1;
        }
        match target {
            Target::Hangup => {
                outputs.push(Output::Close);
                (State::Closed, outputs)
            }
            Target::List(name) => {
                self.frames.push(Frame { list: Some(name.clone()), index: 0 });
                (State::Acting(self), outputs)
            }
            Target::Next | Target::Again => (State::Acting(self), outputs),
        }
    }

    /// A step that Asterisk refuses does not take the rest of the call with it: a menu that cannot be heard goes on
    /// as if nothing was pressed, and whom nobody can hear is taken for a human.
    pub(super) fn failed(self: Box<Self>, now: UtcMs, why: &str) -> Turn {
        if matches!(self.waiting, Waiting::Stay) {
            return over();
        }
        let action = self.action().cloned();
        let shown = action.as_ref().map(ToString::to_string).unwrap_or_default();
        let warning = Output::Warn(format!("attempt {}: run: {shown}: {why}", self.attempt));
        let (finding, target) = match action {
            Some(Action::Menu(menu)) => (Some(Finding::Chose { to: menu.otherwise.clone() }), menu.otherwise),
            Some(Action::Amd(amd)) => {
                let heard = Finding::Heard { who: WhoAnswered::Unsure, cause: None, to: amd.unsure.clone() };
                (Some(heard), amd.unsure)
            }
            _ => (None, Target::Next),
        };
        self.leave(now, StepResult::Failed, finding, &target, vec![warning])
    }

    pub(super) fn gone_before_its_steps(&self, now: UtcMs) -> Turn {
        if self.actions.is_empty() { over() } else { self.hung_up(now) }
    }

    pub(super) fn hung_up(&self, now: UtcMs) -> Turn {
        let finding = match &self.waiting {
            Waiting::Stay => return over(),
            Waiting::Recording(file) => Some(Finding::Recorded { file: file.clone() }),
            _ => None,
        };
        self.hung_up_with(now, finding)
    }

    pub(super) fn hung_up_with(&self, now: UtcMs, finding: Option<Finding>) -> Turn {
        (State::Closed, vec![self.step(now, StepResult::HungUp, finding), Output::Close])
    }

    /// For how long the step has run.
    pub(super) fn runs_ms(&self, now: UtcMs) -> i64 {
        now.since_ms(self.began_at).max(0)
    }

    pub(super) fn ordinal(&self) -> u32 {
        self.ordinal
    }

    pub(super) fn action(&self) -> Option<&Action> {
        let Frame { list, index } = self.frame();
        self.actions.list(list.as_ref()).get(*index)
    }

    fn frame(&self) -> &Frame {
        const NOWHERE: &Frame = &Frame { list: None, index: usize::MAX };
        self.frames.last().unwrap_or(NOWHERE)
    }

    pub(super) fn step(&self, now: UtcMs, result: StepResult, finding: Option<Finding>) -> Output {
        let Frame { list, index } = self.frame();
        let step = Step {
            ordinal: self.ordinal,
            list: list.clone(),
            index: u32::try_from(*index).unwrap_or(u32::MAX),
            // One runs whenever a step is told.
            action: self.action().cloned().unwrap_or(Action::Hangup),
            result,
            digits: self.keys[self.keys_before..].to_owned(),
            ran_ms: self.runs_ms(now),
            finding,
        };
        record(self.attempt, now, Fact::Step(step))
    }
}
