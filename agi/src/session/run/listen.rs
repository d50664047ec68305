//! `LISTEN`: Asterisk waits for a sound of the callee, and how long that took is kept.

use campanile::domain::action::{Listen, Target};
use campanile::domain::evidence::{Finding, StepResult};
use campanile::domain::instant::UtcMs;

use super::Turn;
use super::leg::{Leg, Waiting};
use crate::protocol::{Answer, Application, Command, SOUND_MS};

/// What it came to (app_amd.c).
const HEARD: &str = "${AMDSTATUS} ${AMDCAUSE}";

impl Leg {
    pub(super) fn await_sound(self: Box<Self>, listen: Listen) -> Turn {
        let application = Application::FirstSound { timeout_s: listen.timeout_s };
        self.send(Waiting::FirstSound(None), Command::Exec { application }, vec![])
    }

    /// `waited_ms` is how long Asterisk listened, once it has.
    pub(super) fn sound_awaited(self: Box<Self>, now: UtcMs, answer: &Answer, waited_ms: Option<i64>) -> Turn {
        match (waited_ms, answer.code()) {
            (None, Some(-2)) => self.failed(now, "Asterisk has no AMD, which LISTEN needs: load app_amd"),
            (None, Some(-1)) => self.probe(),
            (None, Some(_)) => {
                let waited_ms = self.runs_ms(now);
                self.send(Waiting::FirstSound(Some(waited_ms)), Command::GetFullVariable { expression: HEARD }, vec![])
            }
            (Some(waited_ms), Some(_)) => self.sound_told(now, answer.value.as_deref().unwrap_or_default(), waited_ms),
            (_, None) => self.failed(now, "Asterisk gave no result"),
        }
    }

    /// Who is silent from the beginning is a machine to `AMD`; a line without audio, and the end of the time, leave it
    /// not sure. All else it concludes from a sound.
    fn sound_told(self: Box<Self>, now: UtcMs, heard: &str, waited_ms: i64) -> Turn {
        let (status, cause) = heard.split_once(' ').unwrap_or((heard, ""));
        let after_ms = match status {
            "HANGUP" => return self.hung_up(now),
            "HUMAN" | "MACHINE" if !cause.starts_with("INITIALSILENCE") => {
                Some(waited_ms.saturating_sub(i64::from(SOUND_MS)).max(0))
            }
            _ => None,
        };
        self.leave(now, StepResult::Done, Some(Finding::Sound { after_ms }), &Target::Next, vec![])
    }
}
