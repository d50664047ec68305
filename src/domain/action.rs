//! What happens when a call is answered: an ordered list of `WAIT`, `PLAY` and `IVR`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::name::{DialplanWord, SoundName, TextRefusal};

/// The longest `WAIT`, in seconds: an hour.
pub const WAIT_S_MAX: u32 = 3600;
/// The most actions in one list.
pub const ACTIONS_MAX: usize = 100;

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
    /// Hand the call to the dialplan. Nothing can follow it; only an admin may use it.
    Ivr {
        /// Dialplan context.
        context: DialplanWord,
        /// Extension in that context.
        extension: DialplanWord,
        /// Numeric priority, from 1.
        priority: u32,
    },
}

/// Why a text is no action, or a list of actions does not work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionRefusal {
    /// Neither WAIT, PLAY nor IVR.
    #[error("`{0}` is no action; there are: WAIT seconds, PLAY sound, IVR context,extension,priority")]
    Unknown(String),
    /// WAIT without a usable number of seconds.
    #[error("WAIT takes whole seconds from 1 to {WAIT_S_MAX}, not `{0}`")]
    Seconds(String),
    /// PLAY with a name that cannot be handed to Asterisk.
    #[error(transparent)]
    Sound(TextRefusal),
    /// IVR without its three parts.
    #[error("IVR takes context,extension,priority (such as ivr-main,s,1), not `{0}`")]
    Ivr(String),
    /// An action behind an IVR would never run.
    #[error("nothing can follow IVR at place {place}: it hands the call away; move IVR to the end")]
    AfterIvr {
        /// The place of the IVR, counted from 1.
        place: usize,
    },
    /// More than [`ACTIONS_MAX`].
    #[error("a campaign has at most {ACTIONS_MAX} actions")]
    TooMany,
}

impl Action {
    /// Reads an action as an operator types it: the verb in any case, then its argument.
    pub fn parse(verb: &str, argument: &str) -> Result<Self, ActionRefusal> {
        let argument = argument.trim();
        match verb.to_ascii_uppercase().as_str() {
            "WAIT" => parse_wait(argument),
            "PLAY" => argument.parse().map(|sound| Self::Play { sound }).map_err(ActionRefusal::Sound),
            "IVR" => parse_ivr(argument).ok_or_else(|| ActionRefusal::Ivr(shortened(argument))),
            _ => Err(ActionRefusal::Unknown(shortened(verb))),
        }
    }

    /// Whether only an admin may put this action into a list.
    #[must_use]
    pub fn needs_admin(&self) -> bool {
        matches!(self, Self::Ivr { .. })
    }
}

fn parse_wait(argument: &str) -> Result<Action, ActionRefusal> {
    match argument.parse() {
        Ok(seconds @ 1..=WAIT_S_MAX) => Ok(Action::Wait { seconds }),
        _ => Err(ActionRefusal::Seconds(shortened(argument))),
    }
}

fn parse_ivr(argument: &str) -> Option<Action> {
    let mut parts = argument.split(',').map(str::trim);
    let (context, extension, priority) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let priority = priority.parse().ok().filter(|p| (1..=100_000).contains(p))?;
    Some(Action::Ivr { context: context.parse().ok()?, extension: extension.parse().ok()?, priority })
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}

/// Checks a whole list: its length, and that nothing follows an IVR.
pub fn check_list(actions: &[Action]) -> Result<(), ActionRefusal> {
    if actions.len() > ACTIONS_MAX {
        return Err(ActionRefusal::TooMany);
    }
    let ivr = actions.iter().position(|a| matches!(a, Action::Ivr { .. }));
    match ivr {
        Some(at) if at + 1 < actions.len() => Err(ActionRefusal::AfterIvr { place: at + 1 }),
        _ => Ok(()),
    }
}

/// As typed: `WAIT 2`, `PLAY welcome`, `IVR main,s,1`.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wait { seconds } => write!(f, "WAIT {seconds}"),
            Self::Play { sound } => write!(f, "PLAY {sound}"),
            Self::Ivr { context, extension, priority } => write!(f, "IVR {context},{extension},{priority}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(verb: &str, argument: &str) -> Result<Action, ActionRefusal> {
        Action::parse(verb, argument)
    }

    #[test]
    fn actions_read_back_as_shown() {
        for (verb, argument) in [("WAIT", "2"), ("PLAY", "en/welcome-2"), ("IVR", "main,s,1")] {
            assert_eq!(action(verb, argument).unwrap().to_string(), format!("{verb} {argument}"));
        }
        assert_eq!(action("wait", " 5 "), Ok(Action::Wait { seconds: 5 }));
    }

    #[test]
    fn what_is_no_action_is_refused() {
        for (verb, argument) in [
            ("DANCE", ""),
            ("WAIT", ""),
            ("WAIT", "0"),
            ("WAIT", "-1"),
            ("WAIT", "3601"),
            ("WAIT", "1.5"),
            ("PLAY", ""),
            ("PLAY", "a&b"),
            ("PLAY", "a b"),
            ("PLAY", "a\nb"),
            ("IVR", "main"),
            ("IVR", "main,s"),
            ("IVR", "main,s,0"),
            ("IVR", "main,s,1,2"),
            ("IVR", "main,${x},1"),
            ("IVR", "main,s,n"),
        ] {
            assert!(action(verb, argument).is_err(), "{verb} {argument}");
        }
    }

    #[test]
    fn nothing_follows_an_ivr() {
        let ivr = action("IVR", "main,s,1").unwrap();
        let wait = action("WAIT", "1").unwrap();
        assert_eq!(check_list(&[wait.clone(), ivr.clone()]), Ok(()));
        assert_eq!(check_list(&[ivr, wait]), Err(ActionRefusal::AfterIvr { place: 1 }));
    }
}
