//! FastAGI's codec: any bytes in any segments, and commands that stay one line.
//!
//! The bytes are what Asterisk says. In them, `\x01` stands for a command that goes out there (its
//! reply is awaited from then on) and `\x02` for the last line a hundred times over: up to 150 kB, or
//! beyond what a session may send when the first byte is one.

use campanile_agi::protocol::{
    ARGS_MAX, COMMAND_BYTES_MAX, Command, Decoder, Event, Reply, SESSION_BYTES_MAX, Variable, Violation,
};

const SEGMENTS: [usize; 5] = [1, 2, 7, 64, usize::MAX];
/// For what is longer than this many bytes, because byte by byte it takes its time.
const LONG: usize = 32 * 1024;
const LONG_SEGMENTS: [usize; 3] = [997, 16 * 1024, usize::MAX];

pub fn check(data: &[u8]) {
    let spoken = spoken(data);
    let length: usize = spoken.iter().map(Vec::len).sum();
    let sizes = if length > LONG { &LONG_SEGMENTS[..] } else { &SEGMENTS[..] };
    let first = heard(&spoken, sizes[0]);
    for size in &sizes[1..] {
        same(&first, &heard(&spoken, *size), *size);
    }
    bounded(&spoken, &first);
    environment(data);
    reply_reads_back(data);
    commands(&String::from_utf8_lossy(data));
}

/// What is said between one command and the next.
fn spoken(data: &[u8]) -> Vec<Vec<u8>> {
    let mut spoken = vec![Vec::new()];
    let mut room = if data.first() == Some(&2) { SESSION_BYTES_MAX + 100_000 } else { 150_000 };
    for &byte in data {
        let last = spoken.last_mut().expect("never empty");
        match byte {
            1 => spoken.push(Vec::new()),
            2 => {
                let line =
                    last[..last.len().saturating_sub(1)].iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
                let added = (last.len() - line) * 100;
                if added <= room {
                    room -= added;
                    last.extend(last[line..].repeat(100));
                }
            }
            _ => last.push(byte),
        }
    }
    spoken
}

/// What was heard, and how it ended when it did.
struct Heard {
    events: Vec<Event>,
    end: Option<Violation>,
}

fn heard(spoken: &[Vec<u8>], size: usize) -> Heard {
    let mut decoder = Decoder::default();
    let mut heard = Heard { events: Vec::new(), end: None };
    for (place, part) in spoken.iter().enumerate() {
        let expected = if place == 0 { Ok(()) } else { decoder.expect_reply() };
        let listened = expected.and_then(|()| {
            part.chunks(size).try_for_each(|segment| {
                decoder.push(segment);
                while let Some(event) = decoder.next_event()? {
                    heard.events.push(event);
                }
                Ok(())
            })
        });
        if let Err(violation) = listened {
            heard.end = Some(violation);
            break;
        }
    }
    heard
}

/// However it was cut: the same events and the same end. Only a session that is too long may be given up
/// before all of its beginning was looked at.
fn same(one: &Heard, other: &Heard, size: usize) {
    if [one.end, other.end].contains(&Some(Violation::SessionTooLong)) {
        assert!(one.end.is_some() && other.end.is_some());
        let common = one.events.len().min(other.events.len());
        assert_eq!(one.events[..common], other.events[..common], "segments of {size}");
        return;
    }
    assert_eq!(one.events, other.events, "segments of {size}");
    assert_eq!(one.end, other.end, "segments of {size}");
}

/// No more answers than commands, no more events than lines, one request and that first.
fn bounded(spoken: &[Vec<u8>], heard: &Heard) {
    let count = |kind: fn(&Event) -> bool| heard.events.iter().filter(|event| kind(event)).count();
    assert!(count(|event| matches!(event, Event::Reply(_))) < spoken.len(), "more replies than commands");
    let requests = count(|event| matches!(event, Event::Request(_)));
    assert!(requests <= 1);
    assert!(heard.events.first().is_none_or(|first| matches!(first, Event::Request(_))));
    let lines: usize = spoken.iter().map(|part| part.iter().filter(|b| **b == b'\n').count()).sum();
    assert!(heard.events.len() <= 2 * lines, "events out of nothing");
    let said: usize = spoken.iter().map(Vec::len).sum();
    assert!(heard.end.is_some() || said <= SESSION_BYTES_MAX);
}

/// The request, read a second time by the words of asterisk.md 7: the first script, the last value of
/// each argument, and nothing from lines of another form.
fn environment(data: &[u8]) {
    let block = [data, b"\n\n"].concat();
    let mut decoder = Decoder::default();
    decoder.push(&block);
    let Ok(Some(Event::Request(request))) = decoder.next_event() else { return };
    let text: Vec<u8> = block
        .split(|b| *b == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .take_while(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(&b'\n');
    let told = String::from_utf8_lossy(&text).into_owned();
    let value = |key: &str| -> Vec<&str> {
        told.split('\n').filter_map(|line| line.strip_prefix(key)?.strip_prefix(": ")).collect()
    };
    assert_eq!(request.script(), value("agi_network_script").first().copied().unwrap_or_default());
    for place in 1..=ARGS_MAX {
        assert_eq!(request.arg(place), value(&format!("agi_arg_{place}")).last().copied().unwrap_or_default());
    }
    assert_eq!((request.arg(0), request.arg(ARGS_MAX + 1)), ("", ""));
}

/// A reply that is written from its parts is read as them.
fn reply_reads_back(data: &[u8]) {
    let text: String = String::from_utf8_lossy(data)
        .chars()
        .filter(|c| !matches!(c, '\n' | '\r' | '\u{1}' | '\u{2}'))
        .take(200)
        .collect();
    let result: String = text.chars().filter(|c| !matches!(c, ' ' | '(' | ')')).take(20).collect();
    let endpos = u64::try_from(data.len()).expect("small") * 8000;
    let said = format!("agi_network_script: run\n\n\u{1}200 result={result} ({text}) endpos={endpos}\n");
    let heard = heard(&spoken(said.as_bytes()), 5);
    let [Event::Request(_), Event::Reply(Reply::Answer(answer))] = &heard.events[..] else {
        panic!("{:?} of {said:?}", heard.events)
    };
    assert_eq!((&answer.result, answer.value.as_ref(), answer.endpos), (&result, Some(&text), Some(endpos)));
    assert_eq!(answer.code(), result.parse().ok());
    assert!(answer.key().is_none_or(|key| answer.code() == Some(key as i32)));
}

/// A command is refused, or it is one line that Asterisk takes apart into the same words (I7).
fn commands(value: &str) {
    for name in Variable::ALL {
        let command = Command::SetVariable { name, value: value.to_owned() };
        assert_eq!(format!("{command:?}"), format!("SET VARIABLE {} …", name.as_str()));
        match command.render() {
            Err(_) => assert!(value.contains(['\r', '\n', '\0']) || value.len() * 2 > COMMAND_BYTES_MAX - 100),
            Ok(line) => {
                assert!(line.len() < COMMAND_BYTES_MAX);
                let (end, body) = line.split_last().expect("a line");
                assert!(*end == b'\n' && !body.iter().any(|b| matches!(b, b'\n' | b'\r' | 0)));
                assert_eq!(words(body), [b"SET".as_slice(), b"VARIABLE", name.as_str().as_bytes(), value.as_bytes()]);
            }
        }
    }
}

/// Asterisk's words of a line (asterisk.md 7): blanks separate, `"` quotes, `\` takes the next byte as it is.
fn words(line: &[u8]) -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    let (mut quoted, mut inside) = (false, false);
    let mut bytes = line.iter().copied();
    while let Some(byte) = bytes.next() {
        let plain = match byte {
            b'\\' => bytes.next(),
            b'"' => {
                quoted = !quoted;
                None
            }
            b' ' | b'\t' if !quoted => {
                inside = false;
                continue;
            }
            other => Some(other),
        };
        if !inside {
            words.push(Vec::new());
            inside = true;
        }
        words.last_mut().expect("just pushed").extend(plain);
    }
    words
}
