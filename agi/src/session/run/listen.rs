//! `LISTEN`: Asterisk waits for a sound of the callee, and how long that took is kept.

use campanile::domain::action::{Listen, Target};
use campanile::domain::evidence::{Finding, StepResult};
use campanile::domain::instant::UtcMs;

use super::Turn;
use super::leg::{Leg, Waiting};
use crate::protocol::{Answer, Application, Command};

/// What it came to (app_waitforsilence.c): `NOISE`, `TIMEOUT` or `HANGUP`.
const HEARD: &str = "${WAITSTATUS}";

impl Leg {
    pub(super) fn await_noise(self: Box<Self>, listen: Listen) -> Turn {
        let application = Application::WaitForNoise { timeout_s: listen.timeout_s };
        self.send(Waiting::Noise(None), Command::Exec { application }, vec![])
    }

    pub(super) fn noise_awaited(self: Box<Self>, now: UtcMs, answer: &Answer, heard_after_ms: Option<i64>) -> Turn {
        match (heard_after_ms, answer.code()) {
            (None, Some(-2)) => self.failed(now, "Asterisk has no WaitForNoise: load app_waitforsilence"),
            (None, Some(-1)) => self.probe(),
            (None, Some(_)) => {
                let after_ms = self.runs_ms(now);
                let command = Command::GetFullVariable { expression: HEARD };
                self.send(Waiting::Noise(Some(after_ms)), command, vec![])
            }
            (Some(after_ms), Some(_)) => match answer.value.as_deref() {
                Some("NOISE") => self.noticed(now, Some(after_ms)),
                Some("HANGUP") => self.hung_up(now),
                _ => self.noticed(now, None),
            },
            (_, None) => self.failed(now, "Asterisk gave no result"),
        }
    }

    fn noticed(self: Box<Self>, now: UtcMs, after_ms: Option<i64>) -> Turn {
        self.leave(now, StepResult::Done, Some(Finding::Sound { after_ms }), &Target::Next, vec![])
    }
}
