//! The call-file template: which lines a file has. Read at start, refused with every problem at once.
//!
//! A template looks like a call file with two placeholders, but it is no text that is filled in: what
//! may differ from one to the next (RetryTime, codecs, extra variables) is read into types, and
//! [`super::render()`] writes from those.

use super::line::{leading_int, split};
use super::template_fault::{TemplateFault, TemplateProblem, TemplateProblems, needed};
use super::text::Text;
use super::{TICKET_VARIABLE, render};

/// The template that the package installs.
pub const DEFAULT_TEMPLATE: &str = include_str!("../../spool-templates/default.call");

/// Below an hour, a file that Asterisk cannot write to is dialled again soon (asterisk.md 3), and the
/// sweeper has too little time after a crash of Asterisk (asterisk.md 4.2).
pub const RETRY_TIME_S_MIN: i32 = 3_600;
/// Just under 24 days: `poll` takes 31 bits of milliseconds (asterisk.md 2.3).
pub const RETRY_TIME_S_MAX: i32 = 24 * 86_400 - 1;
/// The most extra variables.
pub const SETS_MAX: usize = 20;
/// A template is a page, not a book.
pub(super) const TEMPLATE_BYTES_MAX: usize = 16 * 1024;

/// Every key of a call file (asterisk.md 1.3), as we write it.
const KEYS: [&str; 22] = [
    "Channel",
    "Context",
    "Extension",
    "Priority",
    "MaxRetries",
    "RetryTime",
    "WaitTime",
    "Archive",
    "Codecs",
    "Set",
    "Setvar",
    "CallerID",
    "Application",
    "Data",
    "Account",
    "AlwaysDelete",
    "Early_media",
    "Retry",
    "StartRetry",
    "EndRetry",
    "AbortRetry",
    "DelayedRetry",
];

/// The keys that a template must have.
const REQUIRED: [&str; 9] =
    ["Channel", "Context", "Extension", "Priority", "MaxRetries", "RetryTime", "WaitTime", "Archive", "Set"];

/// A checked template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pub(super) retry_time_s: i32,
    pub(super) codecs: Option<String>,
    /// Beside the ticket, in the order of the template.
    pub(super) sets: Vec<(String, String)>,
}

impl Template {
    /// Reads a template, or says everything that is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, TemplateProblems> {
        let mut reader = Reader::default();
        if bytes.len() > TEMPLATE_BYTES_MAX {
            reader.problem(None, TemplateFault::TooLarge(bytes.len()));
            return Err(TemplateProblems(reader.problems));
        }
        for (index, line) in bytes.split(|&b| b == b'\n').enumerate() {
            if let Err(fault) = reader.line(line) {
                reader.problem(Some(index + 1), fault);
            }
        }
        reader.finish()
    }

    /// How long Asterisk leaves a begun file alone, in seconds.
    #[must_use]
    pub fn retry_time_s(&self) -> i32 {
        self.retry_time_s
    }
}

#[derive(Default)]
struct Reader {
    seen: Vec<&'static str>,
    retry_time_s: i32,
    codecs: Option<String>,
    sets: Vec<(String, String)>,
    problems: Vec<TemplateProblem>,
}

impl Reader {
    fn problem(&mut self, line: Option<usize>, fault: TemplateFault) {
        self.problems.push(TemplateProblem { line, fault });
    }

    fn line(&mut self, line: &[u8]) -> Result<(), TemplateFault> {
        let line = line.trim_ascii_end();
        if matches!(line.trim_ascii_start().first(), None | Some(b'#' | b';')) {
            return Ok(());
        }
        if !line.iter().all(|b| (b' '..=b'~').contains(b)) {
            return Err(TemplateFault::NotPrintable(line.into()));
        }
        if line.contains(&b';') || line.windows(2).any(|pair| pair == b" #") {
            return Err(TemplateFault::CommentInLine(line.into()));
        }
        let (key, value) = split(line).ok_or_else(|| TemplateFault::NoColon(line.into()))?;
        let known = KEYS.into_iter().find(|known| key.eq_ignore_ascii_case(known.as_bytes()));
        let key = known.ok_or_else(|| TemplateFault::UnknownKey(key.into()))?;
        self.key(key, value)
    }

    fn key(&mut self, key: &'static str, value: &[u8]) -> Result<(), TemplateFault> {
        if let Some(why) = forbidden(key) {
            return Err(TemplateFault::Forbidden { key, why });
        }
        if matches!(key, "Set" | "Setvar") {
            return self.set(value);
        }
        if self.seen.contains(&key) {
            return Err(TemplateFault::Twice(key));
        }
        self.seen.push(key);
        match key {
            "RetryTime" => self.retry_time_s = retry_time_s(value)?,
            "Codecs" => self.codecs = Some(codecs(value)?),
            key => fixed(key, value)?,
        }
        Ok(())
    }

    fn set(&mut self, value: &[u8]) -> Result<(), TemplateFault> {
        let text = std::str::from_utf8(value).map_err(|_| TemplateFault::NotPrintable(value.into()))?;
        let (name, value) = text.split_once('=').ok_or_else(|| TemplateFault::SetShape(value.into()))?;
        if name == TICKET_VARIABLE {
            return self.ticket(value);
        }
        render::check_set(name, value)?;
        if self.sets.len() >= SETS_MAX {
            return Err(TemplateFault::TooManySets);
        }
        if self.sets.iter().any(|(known, _)| known == name) {
            return Err(TemplateFault::Twice("Set"));
        }
        self.sets.push((name.to_owned(), value.to_owned()));
        Ok(())
    }

    fn ticket(&mut self, value: &str) -> Result<(), TemplateFault> {
        if self.seen.contains(&"Set") {
            return Err(TemplateFault::Twice("Set"));
        }
        self.seen.push("Set");
        if value == "{ticket}" {
            return Ok(());
        }
        let needed = format!("{TICKET_VARIABLE}={{ticket}}");
        Err(TemplateFault::Fixed { key: "Set", found: value.into(), needed, why: "each call has its own ticket" })
    }

    fn finish(mut self) -> Result<Template, TemplateProblems> {
        for key in REQUIRED {
            if !self.seen.contains(&key) {
                self.problem(None, TemplateFault::missing(key));
            }
        }
        if !self.problems.is_empty() {
            return Err(TemplateProblems(self.problems));
        }
        Ok(Template { retry_time_s: self.retry_time_s, codecs: self.codecs, sets: self.sets })
    }
}

/// Why a key has no place in a template.
fn forbidden(key: &str) -> Option<&'static str> {
    Some(match key {
        "Application" | "Data" => "an application overrides the answered leg and needs no answer from the gate",
        "CallerID" => "the caller id belongs to the trunk or the campaign; the gate sets it",
        "Account" => "the account code belongs to the campaign; the gate sets it",
        "AlwaysDelete" => "with `no`, Asterisk never removes the file and dials it again after a restart",
        "Early_media" => "a ringing tone would count as an answer",
        "Retry" | "StartRetry" | "EndRetry" | "AbortRetry" | "DelayedRetry" => "it is Asterisk's own bookkeeping",
        _ => return None,
    })
}

fn fixed(key: &'static str, value: &[u8]) -> Result<(), TemplateFault> {
    match needed(key) {
        Some((needed, why)) if needed.as_bytes() != value => {
            Err(TemplateFault::Fixed { key, found: value.into(), needed, why })
        }
        _ => Ok(()),
    }
}

fn retry_time_s(value: &[u8]) -> Result<i32, TemplateFault> {
    let digits = !value.is_empty() && value.len() <= 9 && value.iter().all(u8::is_ascii_digit);
    leading_int(value)
        .filter(|s| digits && (RETRY_TIME_S_MIN..=RETRY_TIME_S_MAX).contains(s))
        .ok_or_else(|| TemplateFault::RetryTime(value.into()))
}

fn codecs(value: &[u8]) -> Result<String, TemplateFault> {
    let text = std::str::from_utf8(value).ok().filter(|text| render::check_codecs(text).is_ok());
    text.map(str::to_owned).ok_or_else(|| TemplateFault::Codecs(Text::from(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The default template with one line changed (or dropped, when `line` is empty) or added.
    fn changed(key: &str, line: &str) -> Vec<String> {
        let mut found = false;
        let kept = DEFAULT_TEMPLATE.lines().map(|old| {
            let hit = old.starts_with(&format!("{key}:"));
            found |= hit;
            if hit { line } else { old }
        });
        let mut text = kept.collect::<Vec<_>>().join("\n");
        if !found {
            text.push('\n');
            text.push_str(line);
        }
        match Template::parse(text.as_bytes()) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.0.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn the_default_template_is_accepted() {
        let template = Template::parse(DEFAULT_TEMPLATE.as_bytes()).unwrap();
        assert_eq!(template, Template { retry_time_s: 86_400, codecs: None, sets: Vec::new() });
    }

    #[test]
    fn what_may_be_changed_can_be_changed() {
        assert_eq!(changed("RetryTime", "RetryTime: 7200"), [""; 0]);
        assert_eq!(changed("Codecs", "codecs: alaw,ulaw"), [""; 0]);
        assert_eq!(changed("new", "Set: __SITE=north:1.5+a-b"), [""; 0]);
        assert_eq!(changed("new", "  ; a comment with \u{e9}\r"), [""; 0]);
    }

    #[test]
    fn every_required_line_must_be_there() {
        for key in REQUIRED {
            let problems = changed(key, "");
            assert_eq!(problems.len(), 1, "{key}");
            assert!(problems[0].starts_with(&format!("there is no line `{key}: ")), "{problems:?}");
        }
    }

    #[test]
    fn what_would_harm_is_refused_with_the_mend_i7() {
        for (key, line, told) in [
            ("Channel", "Channel: Local/dial@campanile-dial", "must be `Local/dial@campanile-dial/n`"),
            ("Channel", "Channel: PJSIP/100@trunk", "the gate sits in this context"),
            ("Context", "Context: default", "must be `campanile-answered`"),
            ("Priority", "Priority: 2", "must be `1`"),
            ("MaxRetries", "MaxRetries: 2", "Asterisk's own retries overlap"),
            ("RetryTime", "RetryTime: 300", "best 86400"),
            ("RetryTime", "RetryTime: 2073600", "best 86400"),
            ("RetryTime", "RetryTime: 86400s", "best 86400"),
            ("WaitTime", "WaitTime: 45", "must be `{wait_time_s}`"),
            ("Archive", "Archive: no", "must be `yes`"),
            ("new", "Application: System", "remove the line"),
            ("new", "data: rm", "remove the line"),
            ("new", "CallerID: <1>", "the gate sets it"),
            ("new", "AlwaysDelete: no", "dials it again"),
            ("new", "StartRetry: 1 1 (1)", "bookkeeping"),
            ("new", "Priority: 1", "is there already"),
            ("new", "Chanel: x", "no key of a call file"),
            ("new", "Codecs : alaw", "without a blank"),
            ("new", "Codecs: a;b", "line of its own"),
            ("new", "Codecs: a&b", "names with commas"),
            ("new", "no colon", "has no colon"),
            ("new", "Set: A\u{e9}=1", "printable ASCII"),
            ("new", "Set: A", "has no `=`"),
            ("new", "Set: =1", "no variable name"),
            ("new", "Set: A =1", "no variable name"),
            ("new", "Set: SHELL(rm)=1", "no variable name"),
            ("new", "Set: A={ticket}", "may have"),
            ("new", "Set: A=${B}", "may have"),
            ("new", "Set: A=b # c", "line of its own"),
            ("new", "Set: _CAMPANILE_GO=1", "choose another name"),
            ("new", "Set: AST_OUTGOING_ATTEMPT=1", "choose another name"),
            ("Set", "Set: __CAMPANILE_TICKET=1", "must be `__CAMPANILE_TICKET={ticket}`"),
            ("new", "Set: __CAMPANILE_TICKET={ticket}", "is there already"),
        ] {
            let problems = changed(key, line);
            assert_eq!(problems.len(), 1, "{line}: {problems:?}");
            assert!(problems[0].starts_with("line ") && problems[0].contains(told), "{line}: {problems:?}");
        }
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let problems = Template::parse(b"Channel: SIP/1\n\nApplication: Echo\nContext: a\n").unwrap_err().0;
        let lines: Vec<_> = problems.iter().map(|p| p.line).collect();
        assert_eq!(lines, [Some(1), Some(3), Some(4), None, None, None, None, None, None, None]);
        assert!(Template::parse(&vec![b'#'; TEMPLATE_BYTES_MAX + 1]).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_can_be_judged_i7(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..500)) {
            proptest::prop_assert!(Template::parse(&bytes).is_err());
        }
    }
}
