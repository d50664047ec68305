//! Why a text is no number, and how to mend it. No refusal repeats a number: it may reach a log.

/// How a spreadsheet spoilt a number. The digits that are gone cannot be had back from the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SpreadsheetDamage {
    /// `4.93E+11`.
    #[error("it is in scientific notation, so digits are lost")]
    Scientific,
    /// `493012345.0`.
    #[error("it has decimals, so leading zeros may be lost")]
    Decimal,
    /// `-4930`: `+49-30` taken for a subtraction.
    #[error("it is negative, so the spreadsheet has calculated with it")]
    Negative,
    /// `#####` or `#REF!`.
    #[error("it is what a spreadsheet shows instead of a number")]
    Placeholder,
}

/// Why a text is no number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NumberRefusal {
    /// Nothing but blanks.
    #[error("the number is empty")]
    Empty,
    /// A spreadsheet took it for a quantity.
    #[error("a spreadsheet damaged this number: {0}; format the column as text and export it again")]
    Spreadsheet(SpreadsheetDamage),
    /// `… x12`.
    #[error("the number has an extension; call files cannot dial one, so remove it and let the actions send the keys")]
    Extension,
    /// `1-800-FLOWERS`, or words.
    #[error("the number has letters; write digits instead")]
    Letters,
    /// More than one number in the place of one.
    #[error("there is more than one number here; put each in a row of its own")]
    Several,
    /// A character that belongs to no number.
    #[error(
        "the number has the character {character:?} at place {place}; write digits, with a + in front of a country code"
    )]
    Character {
        /// The first of them.
        character: char,
        /// Its place, counted from 1.
        place: usize,
    },
    /// `*97` or `#31#`, where short codes are refused.
    #[error("the number has * or #; only a trunk that allows short numbers can dial it")]
    ShortCode,
    /// A national number, and no country to read it by.
    #[error("the number has no country code; write it with + and the country code, or name the country of the list")]
    NoCountry,
    /// No country has that code.
    #[error("no country code starts with these digits; check the digits after the +")]
    UnknownCountryCode,
    /// Fewer digits than any number of that country.
    #[error("the number is too short: {digits} digits after the country code +{code}, at least {least} are needed")]
    TooShort {
        /// The country code.
        code: u16,
        /// How many there are.
        digits: usize,
        /// How many there are at least in a number of that country.
        least: usize,
    },
    /// More digits than any number of that country.
    #[error(
        "the number is too long: {digits} digits after the country code +{code}, at most {most} are possible; is it two numbers?"
    )]
    TooLong {
        /// The country code.
        code: u16,
        /// How many there are.
        digits: usize,
        /// How many there are at most in a number of that country.
        most: usize,
    },
    /// A length between those that are possible, or digits that the country's rules cannot read.
    #[error(
        "no number in the country of +{code} has {digits} digits after the country code; check for a missing digit"
    )]
    Impossible {
        /// The country code.
        code: u16,
        /// How many there are.
        digits: usize,
    },
    /// A national number that the country's rules cannot read.
    #[error("this is no number in {country}; write it with + and the country code if it belongs elsewhere")]
    NotNational {
        /// Two letters.
        country: super::Country,
    },
    /// More characters than any number has.
    #[error("the number has more than {max} characters; is the column right?")]
    TooManyCharacters {
        /// The most that are read.
        max: usize,
    },
}
