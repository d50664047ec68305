//! `AMD`: Asterisk listens, and the call goes on as it heard.

use campanile::domain::action::Action;
use campanile::domain::evidence::{Finding, StepResult, WhoAnswered};
use campanile::domain::instant::UtcMs;

use super::Turn;
use super::leg::{Leg, Waiting};
use crate::protocol::{Answer, Application, Command};

/// Both at once; neither holds a blank (app_amd.c).
const HEARD: &str = "${AMDSTATUS} ${AMDCAUSE}";
/// The longest `AMDCAUSE` that is kept.
const CAUSE_CHARS_MAX: usize = 60;

/// How far `AMD` is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Listening {
    /// It listens.
    ToCallee,
    /// It has listened; what did it hear?
    ToAsterisk,
}

impl Leg {
    pub(super) fn listen(self: Box<Self>) -> Turn {
        self.send(Waiting::Amd(Listening::ToCallee), Command::Exec { application: Application::Amd }, vec![])
    }

    pub(super) fn listened(self: Box<Self>, now: UtcMs, answer: &Answer, listening: Listening) -> Turn {
        match (listening, answer.code()) {
            (Listening::ToCallee, Some(-2)) => self.failed(now, "Asterisk has no AMD: load app_amd and its amd.conf"),
            (Listening::ToCallee, Some(-1)) => self.probe(),
            (Listening::ToCallee, Some(_)) => {
                let command = Command::GetFullVariable { expression: HEARD };
                self.send(Waiting::Amd(Listening::ToAsterisk), command, vec![])
            }
            (Listening::ToAsterisk, Some(_)) => self.understood(now, answer.value.as_deref().unwrap_or_default()),
            (_, None) => self.failed(now, "Asterisk gave no result"),
        }
    }

    /// Not sure, silent for too long (`NOTSURE`, also without any audio), and nothing at all count as unsure.
    fn understood(self: Box<Self>, now: UtcMs, heard: &str) -> Turn {
        let (status, cause) = heard.split_once(' ').unwrap_or((heard, ""));
        let who = match status {
            "HUMAN" => WhoAnswered::Human,
            "MACHINE" => WhoAnswered::Machine,
            "HANGUP" => return self.hung_up(now),
            _ => WhoAnswered::Unsure,
        };
        let target = match self.action() {
            Some(Action::Amd(amd)) => amd.target(who).clone(),
            _ => return self.failed(now, "it does not run"),
        };
        let word = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let cause =
            (!cause.is_empty() && cause.len() <= CAUSE_CHARS_MAX && cause.chars().all(word)).then(|| cause.to_owned());
        let finding = Finding::Heard { who, cause, to: target.clone() };
        self.leave(now, StepResult::Done, Some(finding), &target, vec![])
    }
}
