//! Reads a call file as Asterisk does (asterisk.md 1). Total: any bytes give a result.

use super::history::{Begun, Mark, MarkWord};
use super::line::{Line, Lines, cut, leading_int, split};
use super::text::Text;
use crate::domain::evidence::ArchiveStatus;

/// What Asterisk makes of a call file, with its defaults for what the file does not say (asterisk.md 1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFile {
    /// Before the first `/` of `Channel`.
    pub tech: Text,
    /// Behind it.
    pub dest: Text,
    /// `CallerID`, not split.
    pub caller_id: Text,
    /// Wins over the extension when both are there.
    pub application: Text,
    /// The application's argument.
    pub data: Text,
    /// Where the answered leg goes.
    pub context: Text,
    /// Where the answered leg goes.
    pub extension: Text,
    /// Where the answered leg goes; at least 1.
    pub priority: i32,
    /// Attempts are one more. Negative: never dialled.
    pub max_retries: i32,
    /// Seconds, at least 1.
    pub retry_time_s: i32,
    /// Seconds from originate until it gives up, at least 1.
    pub wait_time_s: i32,
    /// Account code of the answered leg.
    pub account: Text,
    /// Codecs beside `slin`; the last line counts.
    pub codecs: Text,
    /// Variables in their order, duplicates kept. A name that ends in `)` calls a function.
    pub set: Vec<(Text, Text)>,
    /// Whether the file goes to `outgoing_done`.
    pub archive: bool,
    /// False keeps files for ever (asterisk.md 4.3).
    pub always_delete: bool,
    /// Whether progress counts as an answer.
    pub early_media: bool,
    /// Asterisk's own bookkeeping, in the order of the file.
    pub marks: Vec<Mark>,
    /// `Status:`, which Asterisk writes but does not read. The last one counts, once its line is whole.
    pub status: Option<ArchiveStatus>,
}

impl Default for CallFile {
    /// What an empty file would be (pbx_spool.c:150-160).
    fn default() -> Self {
        Self {
            tech: Text::default(),
            dest: Text::default(),
            caller_id: Text::default(),
            application: Text::default(),
            data: Text::default(),
            context: Text::default(),
            extension: Text::default(),
            priority: 1,
            max_retries: 0,
            retry_time_s: 300,
            wait_time_s: 45,
            account: Text::default(),
            codecs: Text::default(),
            set: Vec::new(),
            archive: false,
            always_delete: true,
            early_media: false,
            marks: Vec::new(),
            status: None,
        }
    }
}

impl CallFile {
    /// Whether Asterisk would take it; it deletes any other (pbx_spool.c:324).
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let target = !self.application.is_empty() || !self.extension.is_empty();
        !self.tech.is_empty() && !self.dest.is_empty() && target
    }

    /// The last value of a variable.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&Text> {
        self.set.iter().rev().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// The attempt that Asterisk began last, if any: from then on the file is Asterisk's alone.
    ///
    /// A file that lost a cancel race holds marks only (asterisk.md 2.2), and so not the RetryTime that
    /// is part of their times: its begin is unknown.
    #[must_use]
    pub fn begun(&self) -> Option<Begun> {
        Begun::from_marks(&self.marks, self.is_valid().then_some(self.retry_time_s))
    }
}

/// Why a line had no effect, or another one than it seems to have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhyIgnored {
    /// More than 1022 bytes, or a NUL; the latter takes the next line with it.
    #[error("too long, or with a NUL byte")]
    Dropped,
    /// No `:`.
    #[error("no colon")]
    NoColon,
    /// No such key. A blank before the colon is part of the key.
    #[error("unknown key `{0}`")]
    UnknownKey(Text),
    /// `Channel` without `/`.
    #[error("no `/` in the channel")]
    NoTech,
    /// Not a number, or too small: the default counts.
    #[error("`{0}` is no number that counts here; the default is taken")]
    Number(Text),
    /// `Set` without `=`.
    #[error("no `=` in the variable")]
    NoEquals,
    /// `Set` with nothing before `=`: Asterisk reads outside its memory (asterisk.md 1.4).
    #[error("a variable without a name")]
    NoName,
}

/// A line that Asterisk ignored or replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// As Asterisk counts them, from 1.
    pub line: usize,
    /// Why.
    pub why: WhyIgnored,
}

/// A call file as read, with what was ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    /// What Asterisk holds.
    pub file: CallFile,
    /// What it warned about, in the order of the lines.
    pub ignored: Vec<Ignored>,
}

/// Reads `bytes` by Asterisk's rules.
#[must_use]
pub fn parse(bytes: &[u8]) -> Parsed {
    let mut parsed = Parsed::default();
    for line in Lines::of(bytes) {
        let (number, result) = match line {
            Line::Dropped(number) => (number, Err(WhyIgnored::Dropped)),
            Line::Whole(number, line) => (number, apply_line(&mut parsed.file, line)),
        };
        if let Err(why) = result {
            parsed.ignored.push(Ignored { line: number, why });
        }
    }
    parsed
}

fn apply_line(file: &mut CallFile, line: &[u8]) -> Result<(), WhyIgnored> {
    let finished = line.ends_with(b"\n");
    let line = cut(line);
    if line.is_empty() {
        return Ok(());
    }
    let (key, value) = split(&line).ok_or(WhyIgnored::NoColon)?;
    if let Some(word) = MarkWord::of(key) {
        file.marks.push(if finished { Mark::read(word, value) } else { Mark::torn(word) });
        return Ok(());
    }
    // Asterisk ends its status with a newline: without one the word may go on.
    if !finished && key.eq_ignore_ascii_case(b"status") {
        return Ok(());
    }
    apply(file, key, value)
}

/// One key (pbx_spool.c:216-291).
fn apply(file: &mut CallFile, key: &[u8], value: &[u8]) -> Result<(), WhyIgnored> {
    // No key is longer than this; a longer one stays what it is, unknown.
    let mut small = [0; 16];
    let lower = match small.get_mut(..key.len()) {
        Some(lower) => {
            lower.copy_from_slice(key);
            lower.make_ascii_lowercase();
            &*lower
        }
        None => key,
    };
    match lower {
        b"channel" => return set_channel(file, value),
        b"callerid" => file.caller_id = value.into(),
        b"application" => file.application = value.into(),
        b"data" => file.data = value.into(),
        b"context" => file.context = value.into(),
        b"extension" => file.extension = value.into(),
        b"priority" => return number(&mut file.priority, value, 1, 1),
        b"maxretries" => return number(&mut file.max_retries, value, i32::MIN, 0),
        b"retrytime" => return number(&mut file.retry_time_s, value, 1, 300),
        b"waittime" => return number(&mut file.wait_time_s, value, 1, 45),
        b"account" => file.account = value.into(),
        b"codecs" => file.codecs = value.into(),
        b"set" | b"setvar" => return set_variable(file, value),
        b"archive" => file.archive = ast_true(value),
        b"alwaysdelete" => file.always_delete = ast_true(value),
        b"early_media" => file.early_media = ast_true(value),
        // Only counts attempts, which we never read.
        b"retry" => {}
        b"status" => file.status = Some(status(value)),
        _ => return Err(WhyIgnored::UnknownKey(key.into())),
    }
    Ok(())
}

fn set_channel(file: &mut CallFile, value: &[u8]) -> Result<(), WhyIgnored> {
    let slash = value.iter().position(|&b| b == b'/').ok_or(WhyIgnored::NoTech)?;
    file.tech = value[..slash].into();
    file.dest = value[slash + 1..].into();
    Ok(())
}

fn number(field: &mut i32, value: &[u8], min: i32, default: i32) -> Result<(), WhyIgnored> {
    let read = leading_int(value).filter(|number| *number >= min);
    *field = read.unwrap_or(default);
    read.map(drop).ok_or_else(|| WhyIgnored::Number(value.into()))
}

/// `strsep` at the first `=`; neither side is trimmed (asterisk.md 1.4).
fn set_variable(file: &mut CallFile, value: &[u8]) -> Result<(), WhyIgnored> {
    let equals = value.iter().position(|&b| b == b'=').ok_or(WhyIgnored::NoEquals)?;
    if equals == 0 {
        return Err(WhyIgnored::NoName);
    }
    file.set.push((value[..equals].into(), value[equals + 1..].into()));
    Ok(())
}

fn ast_true(value: &[u8]) -> bool {
    ["yes", "true", "y", "t", "1", "on"].iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
}

fn status(value: &[u8]) -> ArchiveStatus {
    std::str::from_utf8(value).ok().and_then(|word| word.parse().ok()).unwrap_or(ArchiveStatus::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::instant::UtcMs;

    fn file(text: &str) -> CallFile {
        parse(text.as_bytes()).file
    }

    fn why(text: &str) -> Vec<(usize, String)> {
        parse(text.as_bytes()).ignored.into_iter().map(|i| (i.line, i.why.to_string())).collect()
    }

    #[test]
    fn an_archived_file_of_a_real_asterisk_is_read() {
        let read = parse(
            b"Channel: Local/dial@campanile-dial/n\nContext: campanile-answered\nExtension: s\nPriority: 1\n\
              MaxRetries: 0\nRetryTime: 86400\nWaitTime: 5\nArchive: yes\n\
              Set: __CAMPANILE_TICKET=000000000000000005e9388da68be83d\n\
              \nStartRetry: 29926 1 (1795341735)\nStatus: Expired\n",
        );
        assert_eq!(read.ignored, []);
        assert!(read.file.is_valid() && read.file.archive);
        assert_eq!((&read.file.tech, &read.file.dest), (&"Local".into(), &"dial@campanile-dial/n".into()));
        assert_eq!(read.file.variable("__CAMPANILE_TICKET"), Some(&"000000000000000005e9388da68be83d".into()));
        assert_eq!(read.file.status, Some(ArchiveStatus::Expired));
        let began_at = Some(UtcMs((1_795_341_735 - 86_400) * 1000));
        assert_eq!(read.file.begun(), Some(Begun { pid: 29926, began_at, held_s: 0 }));
    }

    #[test]
    fn keys_are_taken_in_any_case_but_not_with_a_blank() {
        assert_eq!(file("CHANNEL: SIP/1\r\nexten: 1\neXtension:\ts \r\n").extension, "s");
        assert_eq!(
            why(" Channel: SIP/1\nChannel : SIP/1\nnothing\n"),
            [
                (1, "unknown key ` Channel`".to_owned()),
                (2, "unknown key `Channel `".to_owned()),
                (3, "no colon".to_owned()),
            ]
        );
    }

    #[test]
    fn bad_numbers_become_the_defaults() {
        let bad = file("Priority: label\nMaxRetries: x\nRetryTime: 0\nWaitTime: -1\n");
        assert_eq!((bad.priority, bad.max_retries, bad.retry_time_s, bad.wait_time_s), (1, 0, 300, 45));
        assert_eq!(file("MaxRetries: -1\nPriority: 7up\n").max_retries, -1);
        assert_eq!(file("Priority: 7up\n").priority, 7);
        assert_eq!(why("Priority: 0\n").len(), 1);
    }

    #[test]
    fn variables_are_split_at_the_first_equals_sign_and_never_trimmed() {
        let read = file("Set: F =x\nSetvar: A= b=c\nSet: I=\nset: A=2\n");
        let pairs: Vec<_> = read.set.iter().map(|(n, v)| (n.to_str().unwrap(), v.to_str().unwrap())).collect();
        assert_eq!(pairs, [("F ", "x"), ("A", " b=c"), ("I", ""), ("A", "2")]);
        assert_eq!(read.variable("A"), Some(&"2".into()));
        assert_eq!(why("Set: I\nSet: =x\n").len(), 2);
    }

    #[test]
    fn a_later_line_can_take_the_call_over_i7() {
        let hostile = file("Channel: Local/1@a/n\nExtension: s\nApplication: System\nData: rm\n");
        assert_eq!(hostile.application, "System");
    }

    #[test]
    fn a_file_without_channel_or_target_is_invalid() {
        for text in ["", "Channel: x\nExtension: s\n", "Channel: /x\nExtension: s\n", "Channel: a/b\nContext: c\n"] {
            assert!(!file(text).is_valid(), "{text:?}");
        }
        assert!(file("Channel: a/b\nApplication: Echo\n").is_valid());
    }

    #[test]
    fn a_glued_status_is_not_a_status() {
        assert_eq!(file("Context: cStatus: Failed\n").status, None);
        assert_eq!(file("Status: Sideways\n").status, Some(ArchiveStatus::Unknown));
    }

    #[test]
    fn a_line_that_is_not_whole_yet_tells_no_status_and_not_who_began() {
        for torn in ["Status: Comp", "Status: Completed", "Status:"] {
            assert_eq!(file(torn).status, None, "{torn}");
        }
        assert_eq!(file("Status: Expired\nStatus: Compl").status, Some(ArchiveStatus::Expired));
        // Half of the pid 29926 would be another Asterisk's.
        assert_eq!(
            file("Channel: a/b\nExtension: s\n\nStartRetry: 299").begun(),
            Some(Begun { pid: 0, began_at: None, held_s: 0 })
        );
    }

    #[test]
    fn marks_without_the_file_they_belong_to_do_not_tell_the_begin() {
        let left = file("\nStartRetry: 7 1 (1000)\n");
        assert_eq!(left.begun(), Some(Begun { pid: 7, began_at: None, held_s: 0 }));
        assert_eq!(file("StartRetry: \n").begun(), Some(Begun { pid: 0, began_at: None, held_s: 0 }));
        assert_eq!(file("EndRetry: 7 1 (1000)\n").begun(), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_can_be_read_i7(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..3000)) {
            let read = parse(&bytes);
            proptest::prop_assert!(read.file.priority >= 1 && read.file.wait_time_s >= 1);
        }

        #[test]
        fn almost_call_files_can_be_read_i7(
            lines in proptest::collection::vec(
                "(Set|Channel|StartRetry|Status|Priority|RetryTime|x)?:?[ =/;#\\\\(0-9a\u{0}\u{e9}\r-]{0,40}\n?", 0..20)
        ) {
            let read = parse(lines.concat().as_bytes());
            proptest::prop_assert!(read.file.set.iter().all(|(name, _)| !name.is_empty()));
        }
    }
}
