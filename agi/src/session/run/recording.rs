//! `RECORD`: what the callee says becomes a file of Asterisk's.

use campanile::domain::action::{Action, Recording, Target};
use campanile::domain::evidence::{Finding, StepResult};
use campanile::domain::instant::UtcMs;
use campanile::domain::name::SoundName;

use super::Turn;
use super::leg::{Leg, Waiting};
use crate::protocol::{Answer, Command, KEYS};

/// Asterisk's own folder for what is written beside calls.
const FOLDER: &str = "${ASTSPOOLDIR}";

impl Leg {
    pub(super) fn record(self: Box<Self>) -> Turn {
        self.send(Waiting::Folder, Command::GetFullVariable { expression: FOLDER }, vec![])
    }

    /// The file's name is made of the attempt, the step and the time: nothing foreign is in it.
    pub(super) fn folder_told(self: Box<Self>, now: UtcMs, answer: &Answer) -> Turn {
        let folder = answer.value.as_deref().unwrap_or_default();
        let name = format!("campanile-{}-{}-{}", self.attempt, self.ordinal(), now.0);
        let file = format!("{folder}/monitor/{name}.wav").parse::<SoundName>().ok();
        let file = file.filter(|file| folder.starts_with('/') && !file.as_str().contains(".."));
        let (Some(file), Some(Action::Record(recording))) = (file, self.action()) else {
            return self.failed(now, "Asterisk did not tell a folder that can be written to");
        };
        let command = command(&file, recording);
        self.send(Waiting::Recording(file), command, vec![])
    }

    pub(super) fn recorded(mut self: Box<Self>, now: UtcMs, answer: &Answer, file: SoundName) -> Turn {
        match (answer.code(), answer.value.as_deref()) {
            (Some(-1), Some("writefile")) => {
                let why = format!("Asterisk cannot write {file}: is its folder there, and its own?");
                self.failed(now, &why)
            }
            // The beep could not be played, or nobody was there to hear it: nothing was recorded.
            (Some(-1), Some("randomerror")) => self.probe(),
            // What was recorded until then is there.
            (Some(code), _) if code < 0 => self.hung_up_with(now, Some(Finding::Recorded { file })),
            (Some(_), _) => {
                let outputs = self.keep(answer);
                self.leave(now, StepResult::Done, Some(Finding::Recorded { file }), &Target::Next, outputs)
            }
            (None, _) => self.failed(now, "Asterisk gave no result"),
        }
    }
}

fn command(file: &SoundName, recording: &Recording) -> Command {
    Command::RecordFile {
        file: file.clone(),
        stop: recording.stop.keys(KEYS).to_owned(),
        timeout_ms: recording.seconds.saturating_mul(1000),
        silence_s: recording.silence_s,
        beep: recording.beep,
    }
}
