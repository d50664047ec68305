//! The reading side of a session: bytes in, events out.

use std::borrow::Cow;

use super::line::LineBuffer;
use super::reply::{self, Reply};
use super::request::{EnvironmentReader, Request};

/// The most bytes that one session may send. Ours exchange some hundred short lines at most.
pub const SESSION_BYTES_MAX: usize = 1024 * 1024;

/// Something that Asterisk said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The environment is complete.
    Request(Request),
    /// The answer to the outstanding command.
    Reply(Reply),
    /// The channel hung up. The connection may stay; only commands that need no channel still work.
    Hangup,
}

/// Why what came is not FastAGI; the session ends. Says nothing of the content: it is foreign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A line longer than [`LINE_BYTES_MAX`](super::LINE_BYTES_MAX).
    #[error("a line is too long")]
    LineTooLong,
    /// More bytes than [`SESSION_BYTES_MAX`].
    #[error("a session sent too much")]
    SessionTooLong,
    /// An environment with too many lines or bytes.
    #[error("the environment is too long")]
    EnvironmentTooLong,
    /// A line that is no reply.
    #[error("a line is no reply")]
    NotAReply,
}

/// Reads one session.
///
/// After [`push`](Self::push), call [`next_event`](Self::next_event) until it gives `None`. Call
/// [`expect_reply`](Self::expect_reply) when a command goes out: what came before it is no answer to
/// it, and a reply that nobody waits for is dropped (an EXEC may bring a second one, asterisk.md 7).
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: LineBuffer,
    received: usize,
    phase: Phase,
    ready: Ready,
}

/// What was read and not given out yet. A line brings both at most, and a second hang-up says no more than
/// the first.
#[derive(Debug, Default)]
struct Ready {
    hangup: bool,
    /// A request or a reply.
    other: Option<Event>,
}

impl Ready {
    fn take(&mut self) -> Option<Event> {
        if std::mem::take(&mut self.hangup) { Some(Event::Hangup) } else { self.other.take() }
    }
}

#[derive(Debug)]
enum Phase {
    Environment(EnvironmentReader),
    Replies { awaited: Awaited, block: Block },
}

impl Default for Phase {
    fn default() -> Self {
        Self::Environment(EnvironmentReader::default())
    }
}

/// Whether a command is outstanding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    Nothing,
    Reply,
}

/// The place in a `520-` block, which ends with its `520 ` line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Outside,
    /// In one that answers the outstanding command.
    Answering,
    /// In one that nobody asked for.
    Unasked,
}

impl Decoder {
    /// Takes bytes as they came, however they were cut.
    pub fn push(&mut self, segment: &[u8]) {
        self.received = self.received.saturating_add(segment.len());
        if self.received <= SESSION_BYTES_MAX {
            self.buffer.push(segment);
        }
    }

    /// A command was sent: from here on the next reply is its answer.
    pub fn expect_reply(&mut self) -> Result<(), Violation> {
        // Whatever reply is already here was written before Asterisk could read the command.
        let mut hangup = false;
        while let Some(event) = self.next_event()? {
            hangup |= event == Event::Hangup;
        }
        self.ready.hangup = hangup;
        if let Phase::Replies { awaited, .. } = &mut self.phase {
            *awaited = Awaited::Reply;
        }
        Ok(())
    }

    /// The next event; `None` until more bytes come.
    pub fn next_event(&mut self) -> Result<Option<Event>, Violation> {
        if self.received > SESSION_BYTES_MAX {
            return Err(Violation::SessionTooLong);
        }
        loop {
            if let Some(event) = self.ready.take() {
                return Ok(Some(event));
            }
            match &mut self.phase {
                Phase::Environment(reader) => {
                    let lines = self.buffer.whole_lines().map_err(|_| Violation::LineTooLong)?;
                    let (read, request) = reader.read(lines)?;
                    self.buffer.pass(read);
                    let Some(request) = request else {
                        if read == 0 {
                            return Ok(None);
                        }
                        continue;
                    };
                    self.phase = Phase::Replies { awaited: Awaited::Nothing, block: Block::Outside };
                    // Replies are short: a call keeps no room for an environment.
                    self.buffer.shrink();
                    self.ready.other = Some(Event::Request(request));
                }
                Phase::Replies { awaited, block } => {
                    let line = self.buffer.next_line().map_err(|_| Violation::LineTooLong)?;
                    let Some(line) = line else { return Ok(None) };
                    let text = str::from_utf8(line).map_or_else(|_| String::from_utf8_lossy(line), Cow::Borrowed);
                    hear(&text, awaited, block, &mut self.ready)?;
                }
            }
        }
    }
}

/// Reads a line after the environment.
fn hear(text: &str, awaited: &mut Awaited, block: &mut Block, ready: &mut Ready) -> Result<(), Violation> {
    // Asterisk ends HANGUP with a line feed; old versions glued the next reply to it.
    let (hangup, text) = text.strip_prefix("HANGUP").map_or((false, text), |rest| (true, rest));
    if hangup {
        ready.hangup = true;
    }
    if !(hangup && text.is_empty()) {
        ready.other = reply_line(text, awaited, block)?.map(Event::Reply);
    }
    Ok(())
}

/// Reads a line or the rest of one; gives the reply when one is complete and somebody waits for it.
fn reply_line(text: &str, awaited: &mut Awaited, block: &mut Block) -> Result<Option<Reply>, Violation> {
    let reply = match *block {
        Block::Outside if text.starts_with("520-") => {
            *block = if *awaited == Awaited::Reply { Block::Answering } else { Block::Unasked };
            return Ok(None);
        }
        // 100 only says that a reply will follow.
        Block::Outside if text.starts_with("100 ") => return Ok(None),
        Block::Outside => reply::parse(text).ok_or(Violation::NotAReply)?,
        Block::Answering | Block::Unasked if !text.starts_with("520 ") => return Ok(None),
        Block::Answering => Reply::Usage,
        Block::Unasked => {
            *block = Block::Outside;
            return Ok(None);
        }
    };
    *block = Block::Outside;
    Ok((std::mem::replace(awaited, Awaited::Nothing) == Awaited::Reply).then_some(reply))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::reply::Answer;
    use super::super::{ENVIRONMENT_BYTES_MAX, LINE_BYTES_MAX};
    use super::*;

    fn answer(result: &str, value: Option<&str>, endpos: Option<u64>) -> Event {
        Event::Reply(Reply::Answer(Answer { result: result.to_owned(), value: value.map(str::to_owned), endpos }))
    }

    /// A decoder past the environment that waits for a reply.
    fn awaiting() -> Decoder {
        let mut decoder = Decoder::default();
        decoder.push(b"agi_network_script: run\n\n");
        assert_eq!(decoder.next_event(), Ok(Some(Event::Request(Request::new("run", &[])))));
        decoder.expect_reply().unwrap();
        decoder
    }

    fn events(decoder: &mut Decoder, bytes: &[u8], size: usize) -> Vec<Event> {
        let mut events = Vec::new();
        for segment in bytes.chunks(size) {
            decoder.push(segment);
            while let Some(event) = decoder.next_event().unwrap() {
                events.push(event);
            }
        }
        events
    }

    /// What is heard of `bytes` while a command is outstanding, in one segment and in segments of one.
    #[track_caller]
    fn hears(bytes: &str, expected: &[Event]) {
        for size in [1, 7, usize::MAX] {
            assert_eq!(events(&mut awaiting(), bytes.as_bytes(), size), expected, "{bytes:?} in segments of {size}");
        }
    }

    #[test]
    fn replies_read_as_asterisk_means_them() {
        hears("200 result=0\n", &[answer("0", None, None)]);
        hears("200 result=1\r\n", &[answer("1", None, None)]);
        hears("200 result=-1 endpos=0\n", &[answer("-1", None, Some(0))]);
        hears("200 result=49 endpos=8000\n", &[answer("49", None, Some(8000))]);
        hears("200 result=49 endpos=-8\n", &[answer("49", None, None)]);
        hears("200 result=99999999999999999999\n", &[answer("99999999999999999999", None, None)]);
        hears("200 result=-2\n", &[answer("-2", None, None)]);
        hears("200 result=\n", &[answer("", None, None)]);
        hears("200 result= (timeout)\n", &[answer("", Some("timeout"), None)]);
        hears("200 result=123 (timeout)\n", &[answer("123", Some("timeout"), None)]);
        hears("200 result=1 (a (b) \"c\\\")\n", &[answer("1", Some("a (b) \"c\\\""), None)]);
        hears("200 result=1 ()\n", &[answer("1", Some(""), None)]);
        hears("200 result=1 )(\n", &[answer("1", None, None)]);
        hears("200 result=1 ((hello)(world)) endpos=2240\n", &[answer("1", Some("(hello)(world)"), Some(2240))]);
        hears("200 result=1 (endpos=5)\n", &[answer("1", Some("endpos=5"), None)]);
        hears(
            "200 result=1 (speech) endpos=0 results=1 score0=969 text0=\"hi \\\"joe!\\\"\" grammar0=digits\n",
            &[answer("1", Some("speech"), Some(0))],
        );
        hears("200 result=0 endpos=7 results=1\n", &[answer("0", None, Some(7))]);
        hears("200 result=0 Gosub complete\n", &[answer("0", None, None)]);
        hears("510 Invalid or unknown command\n", &[Event::Reply(Reply::Unknown)]);
        hears(
            "511 Command Not Permitted on a dead channel or intercept routine\n",
            &[Event::Reply(Reply::DeadChannel)],
        );
    }

    #[test]
    fn usage_comes_in_one_line_or_in_a_block() {
        let usage = [Event::Reply(Reply::Usage)];
        hears("520 Invalid command syntax.  Proper usage not available.\n", &usage);
        hears("520-Invalid command syntax.  Proper usage follows:\n520 End of proper usage.\n", &usage);
        hears(
            "520-Invalid command syntax.  Proper usage follows:\nUsage: STREAM FILE <name>\n\n200 result=1\nHANG UP\n520 End of proper usage.\n",
            &usage,
        );
    }

    #[test]
    fn a_hangup_is_heard_before_after_and_instead_of_a_reply() {
        let reply = answer("-1", None, None);
        hears("HANGUP\n", &[Event::Hangup]);
        hears("200 result=-1\nHANGUP\n", &[reply.clone(), Event::Hangup]);
        hears("HANGUP\n200 result=-1\n", &[Event::Hangup, reply.clone()]);
        hears("HANGUP200 result=-1\nHANGUP\n", &[Event::Hangup, reply, Event::Hangup]);
        hears("HANGUP\n511 Command Not Permitted\n", &[Event::Hangup, Event::Reply(Reply::DeadChannel)]);
    }

    #[test]
    fn trying_announces_the_reply() {
        hears("100 Trying...\n200 result=0 Gosub complete\n", &[answer("0", None, None)]);
    }

    #[test]
    fn a_second_reply_is_nobody_s_answer() {
        let block = "520-Invalid command syntax.  Proper usage follows:\nUsage: x\n520 End of proper usage.\n";
        hears(&format!("200 result=1\n{block}HANGUP\n"), &[answer("1", None, None), Event::Hangup]);
        hears("200 result=1\n200 result=2\n", &[answer("1", None, None)]);
    }

    #[test]
    fn what_came_before_a_command_does_not_answer_it() {
        let mut decoder = awaiting();
        decoder.push(b"200 result=1\nHANGUP\n520-Usage:\n");
        assert_eq!(decoder.next_event(), Ok(Some(answer("1", None, None))));
        decoder.expect_reply().unwrap();
        assert_eq!(decoder.next_event(), Ok(Some(Event::Hangup)));
        decoder.push(b"520 End of proper usage.\n200 result=7\n");
        assert_eq!(decoder.next_event(), Ok(Some(answer("7", None, None))));
    }

    #[test]
    fn what_is_no_reply_ends_the_session() {
        for line in
            ["", " ", "200", "200 ok", "200result=1", "404 x", "hangup", "agi_arg_1: x", "5200", "ä", "2é0 result="]
        {
            let mut decoder = awaiting();
            decoder.push(format!("{line}\n").as_bytes());
            assert_eq!(decoder.next_event(), Err(Violation::NotAReply), "{line:?}");
        }
    }

    #[test]
    fn everything_is_bounded() {
        let mut decoder = Decoder::default();
        decoder.push(&vec![b'a'; LINE_BYTES_MAX + 1]);
        assert_eq!(decoder.next_event(), Err(Violation::LineTooLong));
        let mut decoder = Decoder::default();
        decoder.push(&b"agi_x: y\n".repeat(ENVIRONMENT_BYTES_MAX / 9 + 1));
        assert_eq!(decoder.next_event(), Err(Violation::EnvironmentTooLong));
        let mut decoder = awaiting();
        decoder.push(&b"HANGUP\n".repeat(SESSION_BYTES_MAX / 7 + 1));
        assert_eq!(decoder.next_event(), Err(Violation::SessionTooLong));
    }

    proptest! {
        #[test]
        fn no_bytes_panic_or_wait_for_ever(bytes in proptest::collection::vec(any::<u8>(), 0..2000), size in 1..64_usize) {
            for mut decoder in [Decoder::default(), awaiting()] {
                for segment in bytes.chunks(size) {
                    decoder.push(segment);
                    while let Ok(Some(_)) = decoder.next_event() {}
                }
            }
        }

        #[test]
        fn segments_do_not_matter(text in "(HANGUP|200 result=|520-|520 |100 |agi_arg_1: |x|\n){0,60}", size in 1..9_usize) {
            let read = |size: usize| -> Result<Vec<Event>, Violation> {
                let (mut decoder, mut events) = (awaiting(), Vec::new());
                for segment in text.as_bytes().chunks(size) {
                    decoder.push(segment);
                    while let Some(event) = decoder.next_event()? {
                        events.push(event);
                    }
                }
                Ok(events)
            };
            prop_assert_eq!(read(size), read(usize::MAX));
        }
    }
}
