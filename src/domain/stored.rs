//! What is stored and shown as text: enums by a fixed word each, others as they are typed.

/// Declares an enum with one word for each variant, used alike in the ledger, in JSON and on the
/// screen: `as_str`, `ALL`, `Display`, `FromStr` and serde agree because they come from one list.
macro_rules! worded_enum {
    ($(#[$doc:meta])* $vis:vis enum $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        $vis enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),* }

        impl $name {
            /// Every variant, in the order of the declaration.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word of this variant.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::stored::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|v| v.as_str() == text).ok_or_else(|| {
                    $crate::domain::stored::UnknownWord { text: text.chars().take(40).collect(), known: &[$($word),*] }
                })
            }
        }
    };
}

pub(crate) use worded_enum;

/// Has serde write a type as it is shown and read it as it is typed: with `#[serde(try_from = "String", into = "String")]`.
macro_rules! stored_as_text {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = <Self as std::str::FromStr>::Err;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    };
}

pub(crate) use stored_as_text;

/// A word that names no variant; says which words do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is none of: {}", known.join(", "))]
pub struct UnknownWord {
    /// The offending word, cut to 40 characters.
    pub text: String,
    /// The words that are known.
    pub known: &'static [&'static str],
}
