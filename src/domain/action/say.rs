//! `SAY`: what a text becomes for Asterisk's voice.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::domain::stored::worded_enum;

/// The largest number that is said; English has no word for what comes behind (say.c).
const NUMBER_MAX: i32 = 999_999_999;

worded_enum! {
    /// How a text is read out.
    pub enum SayForm {
        /// Digit by digit.
        Digits = "digits",
        /// As a whole number.
        Number = "number",
        /// As a date, with or without a time of day.
        Date = "date",
        /// Character by character.
        Characters = "characters",
    }
}

impl SayForm {
    /// A sound of Asterisk's voice without which it says nothing.
    pub(super) fn voice(self) -> &'static str {
        match self {
            Self::Digits | Self::Number | Self::Date => "digits/1",
            Self::Characters => "letters/a",
        }
    }
}

/// What Asterisk is asked to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Utterance {
    /// Each digit; a leading `+` is not heard.
    Digits(String),
    /// A whole number.
    Number(i32),
    /// A day: the epoch second of its beginning in UTC.
    Day(i64),
    /// A day and a time of day, read in UTC.
    Moment(i64),
    /// Each character.
    Characters(String),
}

/// Why a text cannot be said. The text is a person's, so it is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SayRefusal {
    /// Something else than digits.
    #[error("digits are 0-9, with or without a + before them")]
    Digits,
    /// No whole number.
    #[error("a number is a whole one from -999999999 to 999999999")]
    Number,
    /// No date.
    #[error("a date is YYYY-MM-DD or YYYY-MM-DD HH:MM")]
    Date,
    /// A character without a sound.
    #[error("characters are A-Z a-z 0-9 space and * # ! @ - . + /")]
    Characters,
}

/// What `text` is in Asterisk's voice. A date is read in UTC at both ends, so that it is said as it is written,
/// whatever the machine's zone.
pub fn utterance(form: SayForm, text: &str) -> Result<Utterance, SayRefusal> {
    match form {
        SayForm::Digits => {
            let digits = text.strip_prefix('+').unwrap_or(text);
            let spoken = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            spoken.then(|| Utterance::Digits(digits.to_owned())).ok_or(SayRefusal::Digits)
        }
        SayForm::Number => {
            let number = text.parse().ok().filter(|n| (-NUMBER_MAX..=NUMBER_MAX).contains(n));
            number.map(Utterance::Number).ok_or(SayRefusal::Number)
        }
        SayForm::Date => date(text).ok_or(SayRefusal::Date),
        SayForm::Characters => {
            let spoken = |c: char| c.is_ascii_alphanumeric() || " *#!@-.+/".contains(c);
            let all = !text.is_empty() && text.chars().all(spoken);
            all.then(|| Utterance::Characters(text.to_owned())).ok_or(SayRefusal::Characters)
        }
    }
}

fn date(text: &str) -> Option<Utterance> {
    let second = |moment: DateTime| moment.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp().as_second());
    if let Ok(day) = Date::strptime("%Y-%m-%d", text) {
        return second(day.at(0, 0, 0, 0)).map(Utterance::Day);
    }
    second(DateTime::strptime("%Y-%m-%d %H:%M", text).ok()?).map(Utterance::Moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_said_as_they_are_written() {
        let said = |form, text| utterance(form, text).unwrap();
        assert_eq!(said(SayForm::Digits, "+4930123"), Utterance::Digits("4930123".to_owned()));
        assert_eq!(said(SayForm::Number, "-20000"), Utterance::Number(-20_000));
        assert_eq!(said(SayForm::Date, "1970-01-02"), Utterance::Day(86_400));
        assert_eq!(said(SayForm::Date, "2026-03-01 08:00"), Utterance::Moment(1_772_352_000));
        assert_eq!(said(SayForm::Characters, "AB-12 c"), Utterance::Characters("AB-12 c".to_owned()));
    }

    #[test]
    fn what_has_no_sound_is_refused() {
        for (form, texts) in [
            (SayForm::Digits, &["", "+", "12a", "*1", "1 2", "-1"][..]),
            (SayForm::Number, &["", "3.50", "1000000000", "99999999999", "x", "1 000"]),
            (SayForm::Date, &["", "2026-02-30", "01.12.2026", "2026-12-01 25:00", "2026-12-01T09:30:00Z", "tomorrow"]),
            (SayForm::Characters, &["", "Jürgen", "a_b", "a'b", "a%b"]),
        ] {
            for text in texts {
                assert!(utterance(form, text).is_err(), "{form} {text:?}");
            }
        }
    }
}
