//! What happens when a call is answered: lists of actions.

mod amd;
mod listen;
mod lists;
mod menu;
mod record;
mod refusal;
mod say;
mod target;
mod text;
mod transfer;
mod typed;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::name::{DialplanWord, Name, SoundName};
use super::stored::worded_enum;
use super::variable::VariableName;

pub use amd::Amd;
pub use listen::{LISTEN_S_MAX, Listen};
pub use lists::{ACTIONS_MAX, Actions, DEPTH_MAX, Place, STEPS_MAX, TOTAL_MAX};
pub use menu::{Heard, MENU_REPEATS_MAX, MENU_TIMEOUT_S_MAX, Menu, MenuKeys};
pub use record::{Beep, RECORD_S_MAX, Recording, StopKeys};
pub use refusal::ActionRefusal;
pub use say::{SayForm, SayRefusal, Utterance, utterance};
pub use target::Target;
pub use text::Text;
pub use transfer::{HandOver, RING_S_MAX};

worded_enum! {
    /// The word that an action begins with.
    pub enum ActionVerb {
        /// Wait.
        Wait = "WAIT",
        /// Play a sound.
        Play = "PLAY",
        /// Say a text.
        Say = "SAY",
        /// Play a sound and wait for a key.
        Menu = "MENU",
        /// Tell a machine from a human.
        Amd = "AMD",
        /// Wait until something is heard.
        Listen = "LISTEN",
        /// No further call is wanted.
        OptOut = "OPT-OUT",
        /// Give the call a variable.
        Set = "SET",
        /// Record the callee.
        Record = "RECORD",
        /// End the call.
        Hangup = "HANGUP",
        /// Hand the call to a place of the dialplan.
        Ivr = "IVR",
        /// Hand the call to an extension.
        Transfer = "TRANSFER",
        /// Connect with an extension.
        Dial = "DIAL",
        /// Connect with a queue.
        Queue = "QUEUE",
        /// Connect with a conference.
        Conference = "CONFERENCE",
    }
}

/// The longest `WAIT`, in seconds: an hour.
pub const WAIT_S_MAX: u32 = 3600;

/// One step of an answered call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Action {
    /// Stay silent for some seconds; keys pressed meanwhile are kept.
    Wait {
        /// 1 to [`WAIT_S_MAX`].
        seconds: u32,
    },
    /// Play a sound to its end; keys pressed meanwhile are kept.
    Play {
        /// What `STREAM FILE` gets.
        sound: SoundName,
    },
    /// Say a text in Asterisk's own voice; keys pressed meanwhile are kept.
    Say {
        /// How it is read.
        form: SayForm,
        /// What is said.
        text: Text,
    },
    /// Play a sound, and go on as the keys say.
    Menu(Menu),
    /// Find out whether a machine answered, and go on accordingly.
    Amd(Amd),
    /// Wait until something is heard of the callee, and keep how long that took.
    Listen(Listen),
    /// The callee wants no further call.
    #[serde(rename = "opt-out")]
    OptOut {
        /// The do-not-call list; `None` for the campaign's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        list: Option<Name>,
    },
    /// Give the call a variable, for later steps and for the dialplan.
    Set {
        /// Its name; in the channel it has a prefix, as all of ours.
        name: VariableName,
        /// Its text.
        text: Text,
    },
    /// Record what the callee says.
    Record(Recording),
    /// End the call.
    Hangup,
    /// Hand the call to the dialplan. Nothing can follow it; only an admin may use it.
    Ivr {
        /// Dialplan context.
        context: DialplanWord,
        /// Extension in that context.
        extension: DialplanWord,
        /// Numeric priority, from 1.
        priority: u32,
    },
    /// The same, at the beginning of the extension.
    Transfer {
        /// Dialplan context.
        context: DialplanWord,
        /// Extension in that context.
        extension: DialplanWord,
    },
    /// Connect the callee with an extension.
    Dial {
        /// Dialplan context.
        context: DialplanWord,
        /// Extension in that context.
        extension: DialplanWord,
        /// How long it may ring, in seconds.
        ring_s: u32,
    },
    /// Connect the callee with whoever serves a queue.
    Queue {
        /// Its name in `queues.conf`.
        queue: DialplanWord,
        /// How long the callee may wait there, in seconds; as long as it takes without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait_s: Option<u32>,
    },
    /// Bring the callee into a conference.
    Conference {
        /// Its number or name.
        room: DialplanWord,
    },
}

impl Action {
    /// Reads an action as an operator types it: the verb in any case, then its argument.
    pub fn parse(verb: &str, argument: &str) -> Result<Self, ActionRefusal> {
        typed::parse(verb, argument.trim())
    }

    /// Whether only an admin may put this action into a list: it reaches the PBX's own extensions, and through
    /// them perhaps its lines; or it fills the PBX's disk with what people said, for which the admin answers.
    #[must_use]
    pub fn needs_admin(&self) -> bool {
        matches!(self, Self::Record(_)) || self.hand_over().is_some()
    }

    /// Whether the call does not come back from it, so that nothing can follow.
    #[must_use]
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Hangup) || self.hand_over().is_some()
    }

    /// The word that it begins with.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        let verb = match self {
            Self::Wait { .. } => ActionVerb::Wait,
            Self::Play { .. } => ActionVerb::Play,
            Self::Say { .. } => ActionVerb::Say,
            Self::Menu(_) => ActionVerb::Menu,
            Self::Amd(_) => ActionVerb::Amd,
            Self::Listen(_) => ActionVerb::Listen,
            Self::OptOut { .. } => ActionVerb::OptOut,
            Self::Set { .. } => ActionVerb::Set,
            Self::Record(_) => ActionVerb::Record,
            Self::Hangup => ActionVerb::Hangup,
            Self::Ivr { .. } => ActionVerb::Ivr,
            Self::Transfer { .. } => ActionVerb::Transfer,
            Self::Dial { .. } => ActionVerb::Dial,
            Self::Queue { .. } => ActionVerb::Queue,
            Self::Conference { .. } => ActionVerb::Conference,
        };
        verb.as_str()
    }

    /// The sounds that must be there for it; of Asterisk's own voice one that stands for all.
    #[must_use]
    pub fn sounds(&self) -> Vec<SoundName> {
        match self {
            Self::Play { sound } => vec![sound.clone()],
            Self::Menu(menu) => std::iter::once(&menu.sound).chain(&menu.wrong).cloned().collect(),
            Self::Say { form, .. } => form.voice().parse().into_iter().collect(),
            Self::Record(Recording { beep: Beep::Yes, .. }) => "beep".parse().into_iter().collect(),
            _ => vec![],
        }
    }

    /// The sounds that its list names, to put others in their places.
    pub fn sounds_mut(&mut self) -> Vec<&mut SoundName> {
        match self {
            Self::Play { sound } => vec![sound],
            Self::Menu(menu) => std::iter::once(&mut menu.sound).chain(&mut menu.wrong).collect(),
            _ => vec![],
        }
    }

    /// Where it may go on: when, as shown (`1`, `else`, `machine`), and where.
    #[must_use]
    pub fn ways(&self) -> Vec<(String, &Target)> {
        match self {
            Self::Menu(menu) => menu.ways(),
            Self::Amd(amd) => amd.ways(),
            _ => vec![],
        }
    }
}

/// As typed: `WAIT 2`, `PLAY welcome`, `IVR main,s,1`.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verb())?;
        match self {
            Self::Wait { seconds } => write!(f, " {seconds}"),
            Self::Play { sound } => write!(f, " {sound}"),
            Self::Say { form, text } => write!(f, " {form} {text}"),
            Self::Menu(menu) => write!(f, " {menu}"),
            Self::Amd(amd) => write!(f, "{amd}"),
            Self::Listen(listen) => write!(f, " timeout={}", listen.timeout_s),
            Self::OptOut { list: Some(list) } => write!(f, " {list}"),
            Self::OptOut { list: None } | Self::Hangup => Ok(()),
            Self::Set { name, text } => write!(f, " {name} {text}"),
            Self::Record(recording) => write!(f, " {recording}"),
            Self::Ivr { context, extension, priority } => write!(f, " {context},{extension},{priority}"),
            Self::Transfer { context, extension } => write!(f, " {context},{extension}"),
            Self::Dial { context, extension, ring_s } => write!(f, " {context},{extension} ring={ring_s}"),
            Self::Queue { queue, wait_s: Some(wait_s) } => write!(f, " {queue} wait={wait_s}"),
            Self::Queue { queue, wait_s: None } => write!(f, " {queue}"),
            Self::Conference { room } => write!(f, " {room}"),
        }
    }
}

#[cfg(test)]
mod tests;
