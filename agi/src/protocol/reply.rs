//! What Asterisk answers to a command (asterisk.md 7 and 8).

use memchr::{memchr, memrchr};

/// The answer to one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// `200`: it ran, whatever came of it.
    Answer(Answer),
    /// `510`: Asterisk does not know the command.
    Unknown,
    /// `511`: the channel is gone, and the command needs one.
    DeadChannel,
    /// `520`: the command's arguments were wrong.
    Usage,
}

/// The parts of a `200` line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// What stands after `result=`: a number, the digits of GET DATA, or nothing.
    pub result: String,
    /// What stands between the first `(` and the last `)`; it is not escaped.
    pub value: Option<String>,
    /// `endpos=`: where playback ended, in samples.
    pub endpos: Option<u64>,
}

impl Answer {
    /// The result as a number; `None` when it is none.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.result.parse().ok()
    }

    /// The key that ended the command, when one did. Result 1 is no key: it says that bytes from our
    /// side interrupted the command, and the key `1` is 49 (asterisk.md 8).
    #[must_use]
    pub fn key(&self) -> Option<char> {
        let key = char::from(u8::try_from(self.code()?).ok()?);
        matches!(key, '0'..='9' | '*' | '#' | 'A'..='D').then_some(key)
    }
}

fn endpos(word: &str) -> Option<u64> {
    word.strip_prefix("endpos=")?.parse().ok()
}

/// A reply in one line; `None` when it is none.
pub(super) fn parse(line: &str) -> Option<Reply> {
    let (code, rest) = line.split_at_checked(3)?;
    match (code, rest.chars().next()) {
        ("200", _) => answer(rest.strip_prefix(" result=")?).map(Reply::Answer),
        ("510", None | Some(' ')) => Some(Reply::Unknown),
        ("511", None | Some(' ')) => Some(Reply::DeadChannel),
        ("520", None | Some(' ')) => Some(Reply::Usage),
        _ => None,
    }
}

fn answer(text: &str) -> Option<Answer> {
    let (result, rest) = memchr(b' ', text.as_bytes()).map_or((text, ""), |at| (&text[..at], &text[at + 1..]));
    let bytes = rest.as_bytes();
    let (value, after) = match (memchr(b'(', bytes), memrchr(b')', bytes)) {
        (Some(open), Some(close)) if open < close => (Some(rest[open + 1..close].to_owned()), &rest[close + 1..]),
        _ => (None, rest),
    };
    // It is the only word, or there is none, but for speech.
    let endpos = endpos(after).or_else(|| after.split(' ').find_map(endpos));
    Some(Answer { result: result.to_owned(), value, endpos })
}
