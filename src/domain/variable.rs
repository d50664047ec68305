//! Variables of a contact: texts that came with its list, and that an action may say or the dialplan read.
//!
//! A name is a name and never a function: `FILE(/etc/passwd)` would write that file (asterisk.md 2.4). In a
//! channel each stands behind [`CHANNEL_PREFIX`], so that none of them overwrites what Asterisk has.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::name::checked_text;

/// What stands before a variable's name in the channel.
pub const CHANNEL_PREFIX: &str = "CAMPANILE_VAR_";

/// The most variables of a contact.
pub const VARIABLES_MAX: usize = 40;

checked_text! {
    /// The name of a contact's variable, such as `debt`.
    VariableName, VARIABLE_NAME_RULE = {
        what: "variable name", max: 40, allowed: "A-Z a-z 0-9 _",
        allows: |c| c.is_ascii_alphanumeric() || c == '_'
    }
}

checked_text! {
    /// The text of a contact's variable: all that neither ends a line nor means anything to Asterisk's parsers
    /// (asterisk.md 9).
    VariableValue, VARIABLE_VALUE_RULE = {
        what: "variable", max: 200, allowed: "letters, digits, space and . : + - _ / @ % * # ' ! ?",
        allows: |c| c.is_alphanumeric() || matches!(c, ' ' | '.' | ':' | '+' | '-' | '_' | '/' | '@' | '%' | '*' | '#' | '\'' | '!' | '?')
    }
}

/// A contact's variables by their names.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Variables(BTreeMap<VariableName, VariableValue>);

impl Variables {
    /// The text of a variable; `None` for one that the contact does not have.
    #[must_use]
    pub fn get(&self, name: &VariableName) -> Option<&VariableValue> {
        self.0.get(name)
    }

    /// Gives the contact a variable; a second text of the same name takes the place of the first.
    pub fn set(&mut self, name: VariableName, value: VariableValue) {
        self.0.insert(name, value);
    }

    /// These, and of `others` those that have another name.
    #[must_use]
    pub fn before(mut self, others: &Self) -> Self {
        for (name, value) in &others.0 {
            self.0.entry(name.clone()).or_insert_with(|| value.clone());
        }
        self
    }

    /// Takes a variable away.
    pub fn unset(&mut self, name: &VariableName) {
        self.0.remove(name);
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&VariableName, &VariableValue)> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What they say is a person's.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} variables", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_asterisk_would_take_for_a_function_is_refused_i7() {
        for text in ["FILE(/etc/passwd)", "SHELL(x)", "a b", "a=b", "${x}", "", "ä", "a\n", "a-b"] {
            assert!(text.parse::<VariableName>().is_err(), "{text:?}");
        }
        assert_eq!("productID".parse::<VariableName>().unwrap().as_str(), "productID");
    }

    #[test]
    fn a_text_that_could_end_a_line_or_be_evaluated_is_refused_i7() {
        for text in ["a\nb", "a\0", "${X}", "$[1]", "a;b", "a,b", "a&b", "\"", "\\", "(", "a|b", "\u{fffd}", "\u{202e}"]
        {
            assert!(text.parse::<VariableValue>().is_err(), "{text:?}");
        }
        for text in ["8fd26a17-eb28-4c74-aa6f-a3794f4f466c", "20000", "Jürgen Müller", "3.50", "2026-12-01 09:30"] {
            assert!(text.parse::<VariableValue>().is_ok(), "{text:?}");
        }
    }
}
