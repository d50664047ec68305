//! The actions that hand the call to the dialplan: where it goes, and with what.

use super::Action;
use crate::domain::name::DialplanWord;

/// The longest time that an extension may ring, in seconds.
pub const RING_S_MAX: u32 = 600;

/// The context of `extensions_campanile.conf` whose extensions carry out `DIAL`, `QUEUE` and `CONFERENCE`.
const CONTEXT: &str = "campanile-connect";

/// What the dialplan gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandOver {
    /// What the application there gets, where one of ours is called.
    pub argument: Option<String>,
    /// `context,extension,priority` to go to.
    pub target: String,
}

impl Action {
    /// What the dialplan gets from an action that hands the call to it.
    #[must_use]
    pub fn hand_over(&self) -> Option<HandOver> {
        let ours = |extension: &str, argument: String| HandOver {
            argument: Some(argument),
            target: format!("{CONTEXT},{extension},1"),
        };
        match self {
            Self::Ivr { context, extension, priority } => {
                Some(HandOver { argument: None, target: format!("{context},{extension},{priority}") })
            }
            Self::Transfer { context, extension } => {
                Some(HandOver { argument: None, target: format!("{context},{extension},1") })
            }
            Self::Dial { context, extension, ring_s } => {
                Some(ours("dial", format!("Local/{extension}@{context}/n,{ring_s}")))
            }
            Self::Queue { queue, wait_s } => {
                let wait = wait_s.map(|s| format!(",,,,{s}")).unwrap_or_default();
                Some(ours("queue", format!("{queue}{wait}")))
            }
            Self::Conference { room } => Some(ours("conference", room.to_string())),
            _ => None,
        }
    }

    /// The application of Asterisk that it needs, beside those without which nothing works.
    #[must_use]
    pub fn application(&self) -> Option<&'static str> {
        match self {
            Self::Amd(_) | Self::Listen(_) => Some("AMD"),
            Self::Dial { .. } => Some("Dial"),
            Self::Queue { .. } => Some("Queue"),
            Self::Conference { .. } => Some("ConfBridge"),
            _ => None,
        }
    }

    /// Context and extension that must be in the dialplan for it.
    #[must_use]
    pub fn reaches(&self) -> Option<(&DialplanWord, &DialplanWord)> {
        match self {
            Self::Ivr { context, extension, .. }
            | Self::Transfer { context, extension }
            | Self::Dial { context, extension, .. } => Some((context, extension)),
            _ => None,
        }
    }
}
