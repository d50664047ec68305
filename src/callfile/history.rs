//! The marks that Asterisk leaves in a call file while it works on it (asterisk.md 4).

use super::line::{leading_number, skip_blanks};
use crate::domain::instant::UtcMs;

/// What a mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MarkWord {
    /// An attempt began; it lasts until another mark or until the file is gone.
    StartRetry,
    /// An attempt failed and another one follows.
    EndRetry,
    /// An attempt of an Asterisk that is gone was written off; it is dialled again.
    AbortRetry,
    /// It was due again while its attempt still ran.
    DelayedRetry,
}

impl MarkWord {
    /// The word of a key, in any case.
    pub(super) fn of(key: &[u8]) -> Option<Self> {
        let words = [
            (Self::StartRetry, "StartRetry"),
            (Self::EndRetry, "EndRetry"),
            (Self::AbortRetry, "AbortRetry"),
            (Self::DelayedRetry, "DelayedRetry"),
        ];
        words.into_iter().find(|(_, word)| key.eq_ignore_ascii_case(word.as_bytes())).map(|(mark, _)| mark)
    }
}

/// One line `<Word>: <pid> <retry> (<time>)` (pbx_spool.c:347).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// What happened.
    pub word: MarkWord,
    /// The Asterisk that wrote it; 0 when unreadable.
    pub pid: i64,
    /// The attempt's number, from 1.
    pub retry: Option<i64>,
    /// The number in parentheses, in seconds since the epoch. For [`MarkWord::StartRetry`] it is the
    /// begin *plus* RetryTime; for the others it is the instant itself.
    pub at_s: Option<i64>,
}

impl Mark {
    /// A mark whose line has no end yet: Asterisk has the file, but half a number is another one.
    pub(super) fn torn(word: MarkWord) -> Self {
        Self { word, pid: 0, retry: None, at_s: None }
    }

    pub(super) fn read(word: MarkWord, value: &[u8]) -> Self {
        let (pid, rest) = next_number(value);
        let (retry, rest) = next_number(rest);
        let at_s = skip_blanks(rest).strip_prefix(b"(").and_then(leading_number);
        Self { word, pid: pid.unwrap_or(0), retry, at_s }
    }
}

fn next_number(text: &[u8]) -> (Option<i64>, &[u8]) {
    let text = skip_blanks(text);
    let end = text.iter().position(|b| *b < 33).unwrap_or(text.len());
    (leading_number(&text[..end]), &text[end..])
}

/// An attempt that Asterisk began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// The process id of that Asterisk, in its own pid namespace; 0 when unreadable.
    pub pid: i64,
    /// When, in whole seconds, cut; `None` when the file does not tell.
    pub began_at: Option<UtcMs>,
    /// How long after its begin that Asterisk, or one with the same pid, last found it still running
    /// (`DelayedRetry`), in seconds; 0 when it never looked.
    pub held_s: i64,
}

impl Begun {
    /// From the last `StartRetry`; `retry_time_s` is what that Asterisk added to the instant, `None`
    /// when the file lost it.
    pub(super) fn from_marks(marks: &[Mark], retry_time_s: Option<i32>) -> Option<Self> {
        let mark = marks.iter().rev().find(|mark| mark.word == MarkWord::StartRetry)?;
        let began_s = mark.at_s.zip(retry_time_s).map(|(at_s, added)| at_s.saturating_sub(i64::from(added)));
        let delayed = marks.iter().rev().find(|m| m.word == MarkWord::DelayedRetry && m.pid == mark.pid);
        let held_s = delayed.and_then(|m| m.at_s).zip(began_s).map_or(0, |(at, began)| at.saturating_sub(began));
        Some(Self { pid: mark.pid, began_at: began_s.map(|s| UtcMs(0).plus_s(s)), held_s })
    }
}
