//! `MENU`: a sound, and what the keys lead to.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Target;
use crate::domain::name::{SoundName, checked_text};

/// The longest wait for a key, in seconds.
pub const MENU_TIMEOUT_S_MAX: u32 = 60;
/// The most repeats of a menu.
pub const MENU_REPEATS_MAX: u32 = 10;

checked_text! {
    /// The keys of one choice: mostly one.
    MenuKeys, MENU_KEYS_RULE = {
        what: "keys of a choice", max: 8, allowed: "0-9 * #",
        allows: |c| c.is_ascii_digit() || matches!(c, '*' | '#')
    }
}

/// A sound, and what the keys lead to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Menu {
    /// What is played; a key cuts it short.
    pub sound: SoundName,
    /// Where each choice leads.
    pub keys: BTreeMap<MenuKeys, Target>,
    /// How long it waits for a key, behind the sound and between two keys, in seconds.
    pub timeout_s: u32,
    /// How often it is played again when no choice was made.
    pub repeats: u32,
    /// What is played when the keys were no choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrong: Option<SoundName>,
    /// Where it goes on when no choice was made in the end.
    #[serde(rename = "else")]
    pub otherwise: Target,
}

/// What the keys pressed so far are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard<'m> {
    /// A choice, and no longer one begins with it.
    Choice(&'m Target),
    /// The beginning of a choice, or a choice and the beginning of a longer one.
    Unfinished,
    /// No choice, and none begins so.
    Wrong,
}

impl Menu {
    /// What `keys` are, while more may come.
    #[must_use]
    pub fn hear(&self, keys: &str) -> Heard<'_> {
        let longer =
            self.keys.keys().any(|choice| choice.as_str().len() > keys.len() && choice.as_str().starts_with(keys));
        match self.chosen(keys) {
            _ if longer => Heard::Unfinished,
            Some(target) => Heard::Choice(target),
            None => Heard::Wrong,
        }
    }

    /// Where `keys` lead when no more come.
    #[must_use]
    pub fn chosen(&self, keys: &str) -> Option<&Target> {
        self.keys.iter().find(|(choice, _)| choice.as_str() == keys).map(|(_, target)| target)
    }

    pub(super) fn ways(&self) -> Vec<(String, &Target)> {
        let choices = self.keys.iter().map(|(keys, target)| (keys.to_string(), target));
        choices.chain([("else".to_owned(), &self.otherwise)]).collect()
    }
}

impl fmt::Display for Menu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let choices: Vec<String> = self.keys.iter().map(|(keys, target)| format!("{keys}:{target}")).collect();
        write!(f, "{} keys={} timeout={} repeats={}", self.sound, choices.join(","), self.timeout_s, self.repeats)?;
        if let Some(wrong) = &self.wrong {
            write!(f, " wrong={wrong}")?;
        }
        write!(f, " else={}", self.otherwise)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::action::Action;

    #[test]
    fn keys_are_a_choice_as_soon_as_no_longer_one_begins_so() {
        let Ok(Action::Menu(menu)) = Action::parse("MENU", "m keys=1:sales,12:more,3#:next") else { panic!() };
        let list = |name: &str| Target::List(name.parse().unwrap());
        assert_eq!(menu.hear("1"), Heard::Unfinished);
        assert_eq!(menu.chosen("1"), Some(&list("sales")));
        assert_eq!(menu.hear("12"), Heard::Choice(&list("more")));
        assert_eq!((menu.hear("3"), menu.chosen("3")), (Heard::Unfinished, None));
        assert_eq!(menu.hear("3#"), Heard::Choice(&Target::Next));
        for keys in ["2", "13", "122", "A"] {
            assert_eq!(menu.hear(keys), Heard::Wrong, "{keys}");
        }
    }
}
