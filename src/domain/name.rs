//! Names and texts that may reach Asterisk or a screen: refused, never repaired (I7).

/// Why a text was refused; `what` names the kind of text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextRefusal {
    /// Nothing but emptiness.
    #[error("{what} is empty")]
    Empty {
        /// The kind of text.
        what: &'static str,
    },
    /// Longer than its place in Asterisk or the ledger.
    #[error("{what} has {length} characters; at most {max} fit")]
    TooLong {
        /// The kind of text.
        what: &'static str,
        /// Its length in characters.
        length: usize,
        /// The most that fit.
        max: usize,
    },
    /// A character outside the allowed set.
    #[error("{what} has the character {character:?} at place {place}; allowed are {allowed}")]
    Character {
        /// The kind of text.
        what: &'static str,
        /// The first character that is not allowed.
        character: char,
        /// Its place, counted from 1.
        place: usize,
        /// The allowed characters, in words.
        allowed: &'static str,
    },
}

/// The rule of one kind of text.
pub(crate) struct TextRule {
    pub what: &'static str,
    pub max: usize,
    pub allowed: &'static str,
    pub allows: fn(char) -> bool,
}

impl TextRule {
    /// Accepts `text` whole or says what is wrong with it.
    pub(crate) fn check(&self, text: &str) -> Result<(), TextRefusal> {
        let what = self.what;
        let length = text.chars().count();
        if length == 0 {
            return Err(TextRefusal::Empty { what });
        }
        if length > self.max {
            return Err(TextRefusal::TooLong { what, length, max: self.max });
        }
        match text.chars().enumerate().find(|(_, c)| !(self.allows)(*c)) {
            None => Ok(()),
            Some((i, character)) => {
                Err(TextRefusal::Character { what, character, place: i + 1, allowed: self.allowed })
            }
        }
    }
}

/// Declares a kind of text with its rule.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $rule:ident = { what: $what:literal, max: $max:literal, allowed: $allowed:literal, allows: $allows:expr }) => {
        pub(crate) const $rule: $crate::domain::name::TextRule = $crate::domain::name::TextRule { what: $what, max: $max, allowed: $allowed, allows: $allows };

        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::name::TextRefusal;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $rule.check(text).map(|()| Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::domain::name::TextRefusal;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                $rule.check(&text).map(|()| Self(text))
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

pub(crate) use checked_text;

checked_text! {
    /// The name of a user, trunk or campaign. 79 is what Asterisk keeps of a context (channel.h:134).
    Name, NAME_RULE = {
        what: "name", max: 79, allowed: "A-Z a-z 0-9 _ -",
        allows: |c| c.is_ascii_alphanumeric() || c == '_' || c == '-'
    }
}

checked_text! {
    /// A dialplan context, extension or priority label that an `IVR` action hands the call to.
    DialplanWord, DIALPLAN_RULE = {
        what: "dialplan name", max: 79, allowed: "A-Z a-z 0-9 _ - * #",
        allows: |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '*' | '#')
    }
}

checked_text! {
    /// The number shown to the callee: `CALLERID(num)`.
    CallerNumber, CALLER_NUMBER_RULE = {
        what: "caller id number", max: 32, allowed: "+ and digits",
        allows: |c| c.is_ascii_digit() || c == '+'
    }
}

checked_text! {
    /// The name shown to the callee: `CALLERID(name)`; asterisk.md 9 gives the set.
    CallerName, CALLER_NAME_RULE = {
        what: "caller id name", max: 40, allowed: "A-Z a-z 0-9 space . _ -",
        allows: |c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | '_' | '-')
    }
}

checked_text! {
    /// The account code that billing finds in the call detail record.
    AccountCode, ACCOUNT_RULE = {
        what: "account code", max: 20, allowed: "A-Z a-z 0-9 _ - .",
        allows: |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
    }
}

checked_text! {
    /// A sound for `STREAM FILE`: a name below Asterisk's sounds folder or an absolute path, either
    /// without its ending. `&` would join files and a blank would end the argument.
    SoundName, SOUND_RULE = {
        what: "sound", max: 200, allowed: "A-Z a-z 0-9 _ - . /",
        allows: |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_texts_are_refused_with_a_reason_i7() {
        let hostile = ["a\nb", "a\0b", "a;b", "a b#", "a&b", "a,b", "a@b", "${a}", "$[1]", "\u{fffd}", "ä", "a\"b"];
        for text in hostile {
            assert!(matches!(text.parse::<Name>(), Err(TextRefusal::Character { .. })), "{text:?}");
            assert!(matches!(text.parse::<SoundName>(), Err(TextRefusal::Character { .. })), "{text:?}");
            assert!(matches!(text.parse::<CallerNumber>(), Err(TextRefusal::Character { .. })), "{text:?}");
            assert!(text.parse::<CallerName>().is_err(), "{text:?}");
            assert!(text.parse::<AccountCode>().is_err(), "{text:?}");
            assert!(text.parse::<DialplanWord>().is_err(), "{text:?}");
        }
        let long = "a".repeat(2000);
        assert_eq!(long.parse::<Name>(), Err(TextRefusal::TooLong { what: "name", length: 2000, max: 79 }));
        assert_eq!("".parse::<Name>(), Err(TextRefusal::Empty { what: "name" }));
    }

    #[test]
    fn a_refusal_names_the_place() {
        let refusal = "spring 2026".parse::<Name>().unwrap_err();
        assert_eq!(refusal.to_string(), "name has the character ' ' at place 7; allowed are A-Z a-z 0-9 _ -");
    }
}
