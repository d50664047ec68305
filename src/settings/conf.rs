//! Reads the text of a settings file, line by line, and misses no problem.
//!
//! Two dialects are told apart. In a `campanile.conf` everything must be understood, because a key that
//! is silently ignored is a setting that silently does not hold. A real `mor.conf` is shared with MOR and
//! accepted as it is: what is not ours is named once, and as in MOR's own reader the first word is the
//! value and the last of several lines wins.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::keys;
use super::layers::Entry;
use super::problem::{Fault, Place, Problem};

/// Keys that MOR knows and we do not. Two of them make a file a mor.conf, whatever its name: one alone
/// may be a slip in ours.
const MOR_KEYS: &[&str] =
    &["host", "db", "user", "secret", "port", "show_sql", "debug", "server_id", "web_dir", "web_url"];

/// Whose rules a file follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `campanile.conf`: strict.
    Campanile,
    /// `mor.conf`: MOR's, which we only read along.
    Mor,
}

/// What a file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Conf {
    /// The keys it sets, each once.
    pub entries: Vec<Entry>,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// What should be said and does no harm.
    pub warnings: Vec<Problem>,
}

/// A line that is neither empty nor a comment.
struct Line<'a> {
    number: usize,
    text: String,
    content: Result<(&'a str, &'a str), Fault>,
}

/// Reads the bytes of `file`.
#[must_use]
pub fn read(file: &Path, bytes: &[u8]) -> Conf {
    let lines: Vec<Line<'_>> = lines(bytes).collect();
    match dialect(file, &lines) {
        Dialect::Campanile => judge_ours(file, lines),
        Dialect::Mor => judge_mor(file, lines),
    }
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.split(|b| *b == b'\n').enumerate().filter_map(|(i, bytes)| {
        let number = i + 1;
        match std::str::from_utf8(bytes) {
            Err(_) => {
                let text = String::from_utf8_lossy(bytes).trim().to_owned();
                Some(Line { number, text, content: Err(Fault::NotText) })
            }
            Ok(line) => {
                let text = without_comment(line);
                (!text.is_empty()).then(|| Line { number, text: text.to_owned(), content: key_and_value(text) })
            }
        }
    })
}

/// `;` and `#` begin a comment at the start of a line or after a blank: `a#b` is a value.
fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (i, c) in line.char_indices() {
        if matches!(c, ';' | '#') && before.is_whitespace() {
            return line[..i].trim();
        }
        before = c;
    }
    line.trim()
}

fn key_and_value(text: &str) -> Result<(&str, &str), Fault> {
    if text.starts_with('[') {
        return Err(Fault::Section);
    }
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim(), value.trim())),
        _ => Err(Fault::NotKeyValue),
    }
}

fn dialect(file: &Path, lines: &[Line<'_>]) -> Dialect {
    let named_so = file.file_name().is_some_and(|n| n == "mor.conf");
    let is_set = |key: &&&str| lines.iter().any(|l| matches!(&l.content, Ok((k, _)) if *k == **key));
    if named_so || MOR_KEYS.iter().filter(is_set).count() >= 2 { Dialect::Mor } else { Dialect::Campanile }
}

fn judge_ours(file: &Path, lines: Vec<Line<'_>>) -> Conf {
    let mut conf = Conf::default();
    let mut first: HashMap<&'static str, usize> = HashMap::new();
    for Line { number, text, content } in lines {
        let fault = match content {
            Err(fault) => fault,
            Ok((key, value)) => match keys::find(key) {
                None => Fault::UnknownKey { key: key.to_owned() },
                Some(spec) => match first.get(spec.name) {
                    Some(first) => Fault::Duplicate { key: spec.name, first: *first },
                    None => {
                        first.insert(spec.name, number);
                        conf.entries.push(Entry { key: spec, text: value.to_owned(), place: at(file, number) });
                        continue;
                    }
                },
            },
        };
        // A key of MOR's that strayed into our file may be its password.
        let secret = matches!(&fault, Fault::UnknownKey { key } if MOR_KEYS.contains(&key.as_str()));
        conf.problems.push(Problem { place: at(file, number), text: (!secret).then_some(text), fault });
    }
    conf
}

fn judge_mor(file: &Path, lines: Vec<Line<'_>>) -> Conf {
    let mut conf = Conf::default();
    let mut foreign: Vec<String> = Vec::new();
    let mut named = HashSet::new();
    for Line { number, content, .. } in lines {
        match content {
            Ok((key, value)) => match keys::find(key) {
                Some(spec) => {
                    conf.entries.retain(|e| e.key.name != spec.name);
                    let word = value.split_whitespace().next().unwrap_or_default();
                    conf.entries.push(Entry { key: spec, text: word.to_owned(), place: at(file, number) });
                }
                None if named.insert(key) => foreign.push(key.to_owned()),
                None => {}
            },
            Err(_) => foreign.push(format!("line {number}")),
        }
    }
    if !foreign.is_empty() {
        let fault = Fault::Foreign(foreign);
        conf.warnings.push(Problem { place: Place::File(file.to_owned()), text: None, fault });
    }
    conf
}

fn at(file: &Path, line: usize) -> Place {
    Place::Line { file: file.to_owned(), line }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ours(text: &str) -> Conf {
        read(Path::new("c.conf"), text.as_bytes())
    }

    fn pairs(conf: &Conf) -> Vec<(&str, &str)> {
        conf.entries.iter().map(|e| (e.key.name, e.text.as_str())).collect()
    }

    #[test]
    fn layout_is_free() {
        for text in [
            "calls_one_time=7\ncron_interval = 2",
            "\u{feff}calls_one_time = 7\r\n\r\n  cron_interval\t=\t2  \r\n",
            "; a\n# b\n  # c\ncalls_one_time = 7 ; seven\ncron_interval = 2 # two\n\n",
        ] {
            let conf = ours(text);
            assert_eq!(pairs(&conf), [("calls_one_time", "7"), ("cron_interval", "2")], "{text:?}");
            assert_eq!((conf.problems, conf.warnings), (vec![], vec![]), "{text:?}");
        }
    }

    #[test]
    fn a_comment_mark_inside_a_word_belongs_to_the_value() {
        assert_eq!(pairs(&ours("spool_dir = /a#b;c =d")), [("spool_dir", "/a#b;c =d")]);
    }

    #[test]
    fn every_problem_is_told_with_its_line() {
        let conf = read(
            Path::new("c.conf"),
            b"[general]\ncalls_on_time = 3\nnonsense\ncron_interval = 1\n = 4\ncron_interval = 2\nspool_dir = /\xff\n",
        );
        let told: Vec<String> = conf.problems.iter().map(Problem::to_string).collect();
        assert_eq!(
            told,
            [
                "c.conf:1: sections have no meaning here: `[general]`: remove this line; keys stand alone",
                "c.conf:2: unknown key \"calls_on_time\": `calls_on_time = 3`: did you mean calls_one_time?",
                "c.conf:3: is not of the form key = value: `nonsense`: \
                 write key = value, or begin the line with ; to make it a comment",
                "c.conf:5: is not of the form key = value: `= 4`: \
                 write key = value, or begin the line with ; to make it a comment",
                "c.conf:6: cron_interval is already set in line 4: `cron_interval = 2`: \
                 keep one of the two lines, 4 or this one",
                "c.conf:7: is not UTF-8 text: `spool_dir = /\u{fffd}`: save the file as UTF-8",
            ]
        );
    }

    #[test]
    fn a_mor_conf_is_known_by_its_name_or_by_two_of_its_keys() {
        let slip = ours("secret = hunter2\ncalls_one_time = 3").problems;
        assert!(slip.len() == 1 && !slip[0].to_string().contains("hunter2"), "{slip:?}");
        assert_eq!(ours("user = mor\ndb = mor\n").problems, []);
        assert_eq!(read(Path::new("/x/mor.conf"), b"favourite = 1\n").problems, []);
    }

    #[test]
    fn a_mor_conf_is_read_as_mor_reads_it_and_no_password_is_told() {
        let conf = ours("user = mor\nsecret = hunter2\nhunter2\ncalls_one_time = 3 x\ncalls_one_time = 4\nuser = b");
        assert_eq!(pairs(&conf), [("calls_one_time", "4")]);
        let told: Vec<String> = conf.warnings.iter().map(Problem::to_string).collect();
        assert_eq!(told, ["c.conf: is a mor.conf; not used here: user, secret, line 3: nothing to do; MOR uses them"]);
    }

    #[test]
    fn what_a_terminal_would_obey_is_not_shown_of_a_foreign_key() {
        let strange = format!("\u{1b}[31m\u{202e}{} = 1\n", "x".repeat(9_000));
        for file in ["c.conf", "mor.conf"] {
            let conf = read(Path::new(file), strange.repeat(100).as_bytes());
            for problem in conf.problems.iter().chain(&conf.warnings) {
                let told = problem.to_string();
                assert!(!told.contains(['\u{1b}', '\u{202e}']) && told.len() < 6_000, "{told:?}");
            }
        }
        let many: String = (0..100).map(|i| format!("k{i} = 1\n")).collect();
        let told = read(Path::new("mor.conf"), many.as_bytes()).warnings[0].to_string();
        assert!(told.contains("k39 and 60 more"), "{told}");
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let conf = read(Path::new("c.conf"), &bytes);
            for problem in conf.problems.iter().chain(&conf.warnings) {
                prop_assert!(!problem.to_string().is_empty());
            }
        }
    }
}
