//! `MENU`: plays a sound that a key cuts short, and goes on as the keys say.

use campanile::domain::action::{Heard, Menu, Target};
use campanile::domain::evidence::{Finding, StepResult};
use campanile::domain::instant::UtcMs;

use super::super::Output;
use super::Turn;
use super::leg::{Leg, Waiting};
use crate::protocol::{Answer, Command};

/// A menu as it is heard.
#[derive(Clone)]
pub(super) struct Choosing {
    menu: Menu,
    /// The keys of this hearing.
    pressed: String,
    /// How often it was heard in vain.
    in_vain: u32,
    at: At,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// The menu's own sound.
    Prompt,
    /// The sound that says that the keys were wrong; the menu comes behind it.
    Wrong,
    /// Silence, until a key or the timeout.
    Silence,
}

/// Why a hearing was in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InVain {
    Wrong,
    /// Nothing was pressed, or it is to be heard again.
    Silent,
}

/// The keys may be somebody's secret.
impl std::fmt::Debug for Choosing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} with {} keys, {} times in vain", self.at, self.pressed.len(), self.in_vain)
    }
}

impl Choosing {
    pub(super) fn of(menu: Menu) -> Self {
        Self { menu, pressed: String::new(), in_vain: 0, at: At::Prompt }
    }
}

impl Leg {
    /// Plays the menu's sound, or the one that says that the keys were wrong.
    pub(super) fn ask(self: Box<Self>, choosing: Choosing, outputs: Vec<Output>) -> Turn {
        let Menu { sound, wrong, .. } = &choosing.menu;
        let sound = wrong.as_ref().filter(|_| choosing.at == At::Wrong).unwrap_or(sound).clone();
        self.send(Waiting::Choice(Box::new(choosing)), Command::StreamFile { sound, offset: 0 }, outputs)
    }

    fn await_key(self: Box<Self>, mut choosing: Choosing, outputs: Vec<Output>) -> Turn {
        choosing.at = At::Silence;
        let command = Command::WaitForDigit { timeout_ms: choosing.menu.timeout_s.saturating_mul(1000) };
        self.send(Waiting::Choice(Box::new(choosing)), command, outputs)
    }

    pub(super) fn heard(mut self: Box<Self>, now: UtcMs, answer: &Answer, mut choosing: Choosing) -> Turn {
        let Some(code) = answer.code() else { return self.failed(now, "Asterisk gave no result") };
        if let Some(key) = answer.key() {
            let outputs = self.keep(answer);
            choosing.pressed.push(key);
            return self.judge(now, choosing, outputs);
        }
        match (choosing.at, code) {
            (At::Silence, -1) => self.hung_up(now),
            (_, -1) => self.probe(),
            (At::Wrong, _) => self.ask(Choosing { at: At::Prompt, ..choosing }, vec![]),
            (At::Prompt, _) => self.await_key(choosing, vec![]),
            (At::Silence, _) => self.timed_out(now, choosing),
        }
    }

    fn judge(self: Box<Self>, now: UtcMs, choosing: Choosing, outputs: Vec<Output>) -> Turn {
        match choosing.menu.hear(&choosing.pressed) {
            Heard::Unfinished => self.await_key(choosing, outputs),
            Heard::Choice(target) => {
                let target = target.clone();
                self.choose(now, choosing, target, outputs)
            }
            Heard::Wrong => self.in_vain(now, choosing, InVain::Wrong, outputs),
        }
    }

    fn timed_out(self: Box<Self>, now: UtcMs, choosing: Choosing) -> Turn {
        match choosing.menu.chosen(&choosing.pressed).cloned() {
            Some(target) => self.choose(now, choosing, target, vec![]),
            None if choosing.pressed.is_empty() => self.in_vain(now, choosing, InVain::Silent, vec![]),
            None => self.in_vain(now, choosing, InVain::Wrong, vec![]),
        }
    }

    fn choose(self: Box<Self>, now: UtcMs, choosing: Choosing, target: Target, outputs: Vec<Output>) -> Turn {
        match target {
            Target::Again => self.in_vain(now, choosing, InVain::Silent, outputs),
            target => self.leave_menu(now, &target, outputs),
        }
    }

    /// The menu is heard again, or given up.
    fn in_vain(self: Box<Self>, now: UtcMs, mut choosing: Choosing, why: InVain, outputs: Vec<Output>) -> Turn {
        choosing.in_vain += 1;
        if choosing.in_vain > choosing.menu.repeats {
            return self.leave_menu(now, &choosing.menu.otherwise, outputs);
        }
        choosing.pressed.clear();
        choosing.at = if why == InVain::Wrong && choosing.menu.wrong.is_some() { At::Wrong } else { At::Prompt };
        self.ask(choosing, outputs)
    }

    fn leave_menu(self: Box<Self>, now: UtcMs, target: &Target, outputs: Vec<Output>) -> Turn {
        let finding = Finding::Chose { to: target.clone() };
        self.leave(now, StepResult::Done, Some(finding), target, outputs)
    }
}
