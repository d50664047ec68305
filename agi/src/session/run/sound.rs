//! `WAIT`, `PLAY` and `SAY`: a key never cuts them short, and never gets lost.

use campanile::domain::action::{SayForm, Text, Utterance, WAIT_S_MAX, utterance};
use campanile::domain::evidence::StepResult;
use campanile::domain::instant::UtcMs;
use campanile::domain::name::SoundName;

use super::super::Output;
use super::Turn;
use super::leg::{Leg, Waiting};
use crate::protocol::{Answer, Command, Interrupt};

/// How often something is said from its beginning after a key interrupted it. Unlike a sound it cannot go on where
/// it was; said once more after that, it hears no keys, so that it ends.
const SAY_AGAIN_MAX: u32 = 3;

/// A sound, and from where on it is to be played.
#[derive(Debug, Clone)]
pub(super) struct Playing {
    sound: SoundName,
    offset: u64,
}

impl Playing {
    pub(super) fn of(sound: SoundName) -> Self {
        Self { sound, offset: 0 }
    }
}

/// Something that is said, and how often it was begun again.
#[derive(Clone)]
pub(super) struct Saying {
    utterance: Utterance,
    again: u32,
}

/// What is said is a person's.
impl std::fmt::Debug for Saying {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Saying again {}", self.again)
    }
}

impl Leg {
    pub(super) fn wait(self: Box<Self>, now: UtcMs, until: UtcMs, outputs: Vec<Output>) -> Turn {
        // The clock may have been set back meanwhile; no wait is longer than the longest.
        let timeout_ms = u32::try_from(until.since_ms(now)).unwrap_or(0).min(WAIT_S_MAX * 1000);
        self.send(Waiting::Key { until }, Command::WaitForDigit { timeout_ms }, outputs)
    }

    pub(super) fn waited(mut self: Box<Self>, now: UtcMs, answer: &Answer, until: UtcMs) -> Turn {
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

    pub(super) fn play(self: Box<Self>, playing: Playing, outputs: Vec<Output>) -> Turn {
        let command = Command::StreamFile { sound: playing.sound.clone(), offset: playing.offset };
        self.send(Waiting::Sound(playing), command, outputs)
    }

    /// A key interrupts the sound, which goes on where it was: the message is never cut.
    pub(super) fn played(mut self: Box<Self>, now: UtcMs, answer: &Answer, playing: Playing) -> Turn {
        match answer.code() {
            Some(-1) => self.probe(),
            Some(0) => self.next(now, StepResult::Done, vec![]),
            Some(_) => {
                let outputs = self.keep(answer);
                let offset = answer.endpos.unwrap_or(playing.offset).max(playing.offset);
                self.play(Playing { offset, ..playing }, outputs)
            }
            None => self.failed(now, "Asterisk gave no result"),
        }
    }

    pub(super) fn say(self: Box<Self>, now: UtcMs, form: SayForm, text: &Text) -> Turn {
        let said = match text.read(&self.variables) {
            Ok(value) => utterance(form, value.as_str()).map_err(|why| why.to_string()),
            Err(name) => Err(format!("the contact has no variable `{name}`")),
        };
        match said {
            Ok(utterance) => self.speak(Saying { utterance, again: 0 }, vec![]),
            Err(why) => self.failed(now, &why),
        }
    }

    fn speak(self: Box<Self>, saying: Saying, outputs: Vec<Output>) -> Turn {
        let interrupt = if saying.again < SAY_AGAIN_MAX { Interrupt::Keys } else { Interrupt::Nothing };
        let command = Command::Say { utterance: saying.utterance.clone(), interrupt };
        self.send(Waiting::Voice(saying), command, outputs)
    }

    /// A key interrupts what is said, which then begins again.
    pub(super) fn said(mut self: Box<Self>, now: UtcMs, answer: &Answer, saying: Saying) -> Turn {
        match answer.code() {
            Some(-1) => self.probe(),
            Some(0) => self.next(now, StepResult::Done, vec![]),
            Some(_) if saying.again < SAY_AGAIN_MAX => {
                let outputs = self.keep(answer);
                self.speak(Saying { again: saying.again + 1, ..saying }, outputs)
            }
            Some(_) => {
                let outputs = self.keep(answer);
                self.next(now, StepResult::Done, outputs)
            }
            None => self.failed(now, "Asterisk gave no result"),
        }
    }
}
