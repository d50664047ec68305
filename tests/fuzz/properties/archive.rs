//! Archived files: what Asterisk appended to one of ours, whole or torn.

use campanile::callfile::{DEFAULT_TEMPLATE, MarkWord, Template, Ticketed, parse, render};
use campanile::domain::evidence::ArchiveStatus;
use campanile::domain::ids::Ticket;
use campanile::domain::instant::UtcMs;

pub fn check(data: &[u8]) {
    let file = published();
    // As Asterisk wrote it, as far as the bytes say what it wrote.
    let history = history(data);
    let whole = [&file[..], &history.written].concat();
    let read = parse(&whole).file;
    assert_eq!(read.status, history.status, "{}", whole.escape_ascii());
    assert_eq!(read.begun().map(|b| (b.pid, b.began_at)), history.begun, "{}", whole.escape_ascii());
    torn(&file, &history.written);
    // Anything else behind our file.
    foreign_tail(&file, data);
}

/// One of ours, as it lay in `outgoing`.
fn published() -> Vec<u8> {
    let template = Template::parse(DEFAULT_TEMPLATE.as_bytes()).unwrap();
    render(&template, &Ticketed { ticket: Ticket::new([0x5a; 16]), wait_time_s: 60 }).unwrap()
}

/// What an Asterisk appended, and what it says.
#[derive(Default)]
struct History {
    written: Vec<u8>,
    begun: Option<(i64, Option<UtcMs>)>,
    status: Option<ArchiveStatus>,
}

/// Each byte is a deed of Asterisk (asterisk.md 4): its upper bits choose the pid and the instant.
fn history(data: &[u8]) -> History {
    const RETRY_TIME_S: i64 = 86_400;
    let mut history = History::default();
    for (place, byte) in data.iter().take(40).enumerate() {
        let (pid, now_s) = (i64::from(byte >> 4) * 1_000 + 7, 1_800_000_000 + i64::try_from(place).unwrap() * 60);
        let line = match byte % 8 {
            0 => {
                history.begun = Some((pid, Some(UtcMs(now_s * 1000))));
                format!("\nStartRetry: {pid} 1 ({})\n", now_s + RETRY_TIME_S)
            }
            1 => format!("\nEndRetry: {pid} 1 ({now_s})\n"),
            2 => format!("\nAbortRetry: {pid} 1 ({now_s})\n"),
            3 => format!("\nDelayedRetry: {pid} 1 ({now_s})\n"),
            4 => status(&mut history, ArchiveStatus::Completed),
            5 => status(&mut history, ArchiveStatus::Expired),
            6 => status(&mut history, ArchiveStatus::Failed),
            _ => "\n".to_owned(),
        };
        history.written.extend_from_slice(line.as_bytes());
    }
    history
}

fn status(history: &mut History, status: ArchiveStatus) -> String {
    history.status = Some(status);
    format!("Status: {status}\n")
}

/// A tail that is not there yet: wherever it is torn, only whole status lines count, because a torn one
/// would be believed for ever; and a torn mark says that Asterisk has the file, but not which Asterisk,
/// because half a pid is another one's.
fn torn(file: &[u8], history: &[u8]) {
    for end in history.len().saturating_sub(60)..history.len() {
        let (told, half) =
            history[..end].split_at(history[..end].iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1));
        let torn = parse(&[file, told, half].concat()).file;
        let before = parse(&[file, told].concat()).file;
        assert_eq!(torn.status, before.status, "torn at {}", half.escape_ascii());
        let begun = torn.begun().map(|b| (b.pid, b.began_at));
        if half.starts_with(b"StartRetry:") {
            assert_eq!(begun, Some((0, None)), "torn at {}", half.escape_ascii());
        } else {
            assert_eq!(begun, before.begun().map(|b| (b.pid, b.began_at)), "torn at {}", half.escape_ascii());
        }
    }
}

/// Only a line of its own says that a call was answered.
fn foreign_tail(file: &[u8], tail: &[u8]) {
    let read = parse(&[file, tail].concat()).file;
    let says = |word: &[u8]| {
        let whole = tail.len() >= word.len() && tail.windows(word.len()).any(|w| w.eq_ignore_ascii_case(word));
        whole && tail.contains(&b'\n')
    };
    if read.status == Some(ArchiveStatus::Completed) {
        assert!(says(b"status:") && says(b"completed"), "{}", tail.escape_ascii());
    }
    assert!(read.status.is_none() || says(b"status:"), "{}", tail.escape_ascii());
    let begun = read.begun();
    assert!(begun.is_none() || says_start(tail), "{}", tail.escape_ascii());
    let marks = read.marks.iter().filter(|mark| mark.word == MarkWord::StartRetry).count();
    assert_eq!(marks > 0, begun.is_some());
}

fn says_start(tail: &[u8]) -> bool {
    tail.windows(11).any(|w| w.eq_ignore_ascii_case(b"StartRetry:"))
}
