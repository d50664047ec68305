//! Call files: what Asterisk would hold of them.

use std::fmt::Write as _;

use campanile::callfile::{CallFile, Parsed, Text, parse};
use campanile::domain::evidence::ArchiveStatus;

/// The longest line that Asterisk reads, without its newline (asterisk.md 1.1).
const LINE_BYTES_MAX: usize = 1022;

pub fn check(data: &[u8]) {
    let read = parse(data);
    in_range(data, &read);
    shown_safely(&read);
    let again = written(&read.file);
    if again.split(|b| *b == b'\n').all(|line| line.len() <= LINE_BYTES_MAX) {
        let back = parse(&again);
        assert_eq!(back.ignored, [], "written again, lines are ignored: {}", again.escape_ascii());
        assert_eq!(back.file, read.file, "written again: {}", again.escape_ascii());
    }
}

fn in_range(data: &[u8], read: &Parsed) {
    let file = &read.file;
    assert!(file.priority >= 1 && file.retry_time_s >= 1 && file.wait_time_s >= 1);
    assert!(file.set.iter().all(|(name, _)| !name.is_empty()));
    let lines = data.len() + 1;
    assert!(read.ignored.is_sorted_by_key(|i| i.line) && read.ignored.iter().all(|i| (1..=lines).contains(&i.line)));
    let texts = [&file.tech, &file.dest, &file.context, &file.extension, &file.application, &file.data];
    assert!(texts.iter().all(|text| !text.as_bytes().contains(&b'\n') && !text.as_bytes().contains(&0)));
    let begun = file.begun();
    let unknown = begun.is_some_and(|b| b.began_at.is_none());
    assert!(file.is_valid() || begun.is_none() || unknown, "a begin without the RetryTime that is part of it");
}

/// A log may show whatever was ignored.
fn shown_safely(read: &Parsed) {
    for ignored in &read.ignored {
        let told = ignored.why.to_string();
        assert!(told.bytes().all(|b| (b' '..=b'~').contains(&b)), "{told:?}");
    }
}

/// The file as Asterisk's user would write it, so that Asterisk holds the same.
fn written(file: &CallFile) -> Vec<u8> {
    let mut out = Vec::new();
    if !file.tech.is_empty() || !file.dest.is_empty() {
        line(&mut out, "Channel", &[file.tech.as_bytes(), b"/", file.dest.as_bytes()]);
    }
    for (key, text) in [
        ("CallerID", &file.caller_id),
        ("Application", &file.application),
        ("Data", &file.data),
        ("Context", &file.context),
        ("Extension", &file.extension),
        ("Account", &file.account),
        ("Codecs", &file.codecs),
    ] {
        line(&mut out, key, &[text.as_bytes()]);
    }
    for (key, number) in [
        ("Priority", file.priority),
        ("MaxRetries", file.max_retries),
        ("RetryTime", file.retry_time_s),
        ("WaitTime", file.wait_time_s),
    ] {
        line(&mut out, key, &[number.to_string().as_bytes()]);
    }
    for (key, flag) in
        [("Archive", file.archive), ("AlwaysDelete", file.always_delete), ("Early_media", file.early_media)]
    {
        line(&mut out, key, &[if flag { b"yes" } else { b"no" }]);
    }
    for (name, value) in &file.set {
        line(&mut out, "Set", &[name.as_bytes(), b"=", value.as_bytes()]);
    }
    write_history(&mut out, file);
    out
}

fn write_history(out: &mut Vec<u8>, file: &CallFile) {
    for mark in &file.marks {
        let mut told = mark.pid.to_string();
        match (mark.retry, mark.at_s) {
            (Some(retry), Some(at_s)) => write!(told, " {retry} ({at_s})").unwrap(),
            (Some(retry), None) => write!(told, " {retry}").unwrap(),
            // What is not a number counts as read all the same, and takes its place.
            (None, Some(at_s)) => write!(told, " - ({at_s})").unwrap(),
            (None, None) => {}
        }
        line(out, &format!("{:?}", mark.word), &[told.as_bytes()]);
    }
    if let Some(status) = file.status {
        let word = if status == ArchiveStatus::Unknown { "?" } else { status.as_str() };
        line(out, "Status", &[word.as_bytes()]);
    }
}

/// No blank after the colon: a `#` behind it would begin a comment.
fn line(out: &mut Vec<u8>, key: &str, value: &[&[u8]]) {
    out.extend_from_slice(key.as_bytes());
    out.push(b':');
    for byte in value.concat() {
        if byte == b';' {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'\n');
}

/// What we hold, in the words of `oracle/spool.c`.
#[must_use]
pub fn as_the_oracle_tells_it(data: &[u8]) -> Vec<u8> {
    let Parsed { file, ignored } = parse(data);
    let mut out = Vec::new();
    let mut put = |key: &str, value: &[u8]| out.extend([key.as_bytes(), b"=", value, b"\n"].concat());
    let texts: [(&str, &Text); 9] = [
        ("tech", &file.tech),
        ("dest", &file.dest),
        ("callerid", &file.caller_id),
        ("application", &file.application),
        ("data", &file.data),
        ("context", &file.context),
        ("extension", &file.extension),
        ("account", &file.account),
        ("codecs", &file.codecs),
    ];
    texts.iter().for_each(|(key, text)| put(key, text.as_bytes()));
    for (key, number) in [
        ("priority", file.priority),
        ("maxretries", file.max_retries),
        ("retrytime", file.retry_time_s),
        ("waittime", file.wait_time_s),
        ("archive", file.archive.into()),
        ("alwaysdelete", file.always_delete.into()),
        ("early_media", file.early_media.into()),
    ] {
        put(key, number.to_string().as_bytes());
    }
    file.set.iter().for_each(|(name, value)| put("set", &[name.as_bytes(), b"=", value.as_bytes()].concat()));
    ignored.iter().for_each(|i| put("ignored", i.line.to_string().as_bytes()));
    out
}
