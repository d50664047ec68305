//! Why a text is no action, or lists of actions do not work.

use super::lists::{ACTIONS_MAX, DEPTH_MAX, Place, STEPS_MAX, TOTAL_MAX};
use super::menu::{MENU_REPEATS_MAX, MENU_TIMEOUT_S_MAX};
use super::record::RECORD_S_MAX;
use super::say::SayRefusal;
use super::transfer::RING_S_MAX;
use super::{ActionVerb, Target, WAIT_S_MAX};
use crate::domain::name::{Name, TextRefusal};
use crate::domain::stored::UnknownWord;

/// Why a text is no action, or lists of actions do not work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionRefusal {
    /// No such verb.
    #[error("`{0}` is no action; there are: {known}", known = all_verbs())]
    Unknown(String),
    /// WAIT without a usable number of seconds.
    #[error("WAIT takes whole seconds from 1 to {WAIT_S_MAX}, not `{0}`")]
    Seconds(String),
    /// A name or text that cannot be handed to Asterisk.
    #[error(transparent)]
    Text(#[from] TextRefusal),
    /// SAY without its two parts.
    #[error(
        "SAY takes digits, number, date or characters, and then a text or a variable: SAY number {{debt}}; not `{0}`"
    )]
    Say(String),
    /// SAY with a form that there is not.
    #[error("SAY: {0}")]
    SayForm(UnknownWord),
    /// A text that cannot be said.
    #[error("SAY: {0}")]
    Unspeakable(#[from] SayRefusal),
    /// RECORD with something else than yes or no.
    #[error("RECORD: beep={0}")]
    Beep(UnknownWord),
    /// MENU without a sound and keys.
    #[error(
        "MENU takes a sound and keys=KEY:LIST,…: MENU welcome keys=1:sales,2:bye timeout=5 repeats=2 else=bye; not `{0}`"
    )]
    Menu(String),
    /// A choice that is not `KEY:LIST`.
    #[error("MENU: `{0}` is no choice; one is KEY:LIST, such as 1:sales; between two stands a comma and no blank")]
    Choice(String),
    /// The same keys twice.
    #[error("MENU: the keys {0} are there twice")]
    SameKeys(String),
    /// A part that the action does not have.
    #[error("{verb} has no `{word}`; it has {known}")]
    Part {
        /// The action.
        verb: &'static str,
        /// What was typed.
        word: String,
        /// The parts that there are.
        known: &'static str,
    },
    /// A part twice.
    #[error("{verb}: {key}= is there twice")]
    Twice {
        /// The action.
        verb: &'static str,
        /// The part.
        key: String,
    },
    /// A number that is none, or not in its range.
    #[error("{verb}: {key}= takes whole numbers from {least} to {most}, not `{text}`")]
    Range {
        /// The action.
        verb: &'static str,
        /// The part.
        key: &'static str,
        /// What was typed.
        text: String,
        /// The least.
        least: u32,
        /// The most.
        most: u32,
    },
    /// `again` where nothing can be heard again.
    #[error("{verb}: {way} cannot lead to `again`, only a key of a MENU can; to go on behind it, say `next`")]
    Again {
        /// The action.
        verb: &'static str,
        /// When.
        way: String,
    },
    /// SET without a name and a text.
    #[error("SET takes a name and a text or variable: SET greeting {{name}}; not `{0}`")]
    Set(String),
    /// IVR without its three parts.
    #[error("IVR takes context,extension,priority (such as ivr-main,s,1), not `{0}`")]
    Ivr(String),
    /// TRANSFER or DIAL without its two parts.
    #[error("{verb} takes context,extension (such as agents,100), not `{text}`")]
    Extension {
        /// The action.
        verb: &'static str,
        /// What was typed.
        text: String,
    },
    /// An action that takes nothing, and got something.
    #[error("{verb} takes nothing, not `{text}`")]
    Nothing {
        /// The action.
        verb: &'static str,
        /// What was typed.
        text: String,
    },
    /// An action behind one that hands the call away would never run.
    #[error("nothing can follow {verb} at {place}: {why}; what is to run comes before it (--at {})", place.number)]
    Follows {
        /// The action.
        verb: &'static str,
        /// Its place.
        place: Place,
        /// Why.
        why: &'static str,
    },
    /// A list that leads to one that is not there.
    #[error("{place} leads to the list `{list}`, which is empty or not there")]
    NoList {
        /// The action that leads there.
        place: Place,
        /// The list.
        list: Name,
    },
    /// A list that leads back to itself.
    #[error("the lists lead in a circle: {0}; a call must end (a MENU is heard again by KEY:again)")]
    Circle(String),
    /// Too deep.
    #[error("more than {DEPTH_MAX} lists lead one into the other")]
    TooDeep,
    /// A way with too many steps.
    #[error("there is a way of more than {STEPS_MAX} steps through these lists; a call must end")]
    TooLong,
    /// More than [`ACTIONS_MAX`] in a list.
    #[error("a list has at most {ACTIONS_MAX} actions")]
    TooMany,
    /// More than [`TOTAL_MAX`] in all.
    #[error("a campaign has at most {TOTAL_MAX} actions in all its lists")]
    TooManyInAll,
    /// A list with the name of a target.
    #[error("a list cannot be called `{0}`: that word means a place to go on")]
    Reserved(Target),
}

fn all_verbs() -> String {
    ActionVerb::ALL.iter().map(|verb| verb.as_str()).collect::<Vec<_>>().join(", ")
}

/// The ranges of an action's numbers, by the part that they stand in.
pub(super) fn range(verb: &'static str, key: &'static str, text: &str) -> Result<u32, ActionRefusal> {
    let (least, most) = match key {
        "timeout" => (1, MENU_TIMEOUT_S_MAX),
        "repeats" => (0, MENU_REPEATS_MAX),
        "ring" => (1, RING_S_MAX),
        "seconds" | "silence" => (1, RECORD_S_MAX),
        _ => (1, WAIT_S_MAX),
    };
    let number = text.parse().ok().filter(|n| (least..=most).contains(n));
    number.ok_or_else(|| ActionRefusal::Range { verb, key, text: shortened(text), least, most })
}

/// What was typed, as far as an error shows it.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}
