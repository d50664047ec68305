//! `campanile check-config`: every problem, then the values that hold and where each comes from.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::exit::Exit;

use super::examine;
use super::layers::Entry;
use super::problem::{Fault, Place, Problem, Problems};

/// What was found.
struct Findings {
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    values: Vec<Entry>,
    exit: Exit,
}

/// Tells people about the settings of `file` (`None`: the default one) and the environment.
#[must_use]
pub fn report(file: Option<&Path>, out: &mut impl Write) -> Exit {
    let found = find(file);
    written(tell(&found, out), found.exit)
}

/// The same as one JSON object with `problems`, `warnings` and `values`.
#[must_use]
pub fn report_json(file: Option<&Path>, out: &mut impl Write) -> Exit {
    let found = find(file);
    let document = Document {
        ok: found.exit == Exit::Ok,
        problems: found.problems.iter().map(ProblemRow::from).collect(),
        warnings: found.warnings.iter().map(ProblemRow::from).collect(),
        values: found.values.iter().map(ValueRow::from).collect(),
    };
    let told = serde_json::to_writer_pretty(&mut *out, &document).map_err(io::Error::from);
    written(told.and_then(|()| writeln!(out)), found.exit)
}

fn written(result: io::Result<()>, exit: Exit) -> Exit {
    result.map_or(Exit::IoErr, |()| exit)
}

fn find(file: Option<&Path>) -> Findings {
    let examined = match examine(file, std::env::vars_os()) {
        Ok(examined) => examined,
        Err(all) => return refused(all, vec![], vec![]),
    };
    let values = examined.entries.clone();
    let warnings = examined.warnings.clone();
    match examined.settle() {
        Ok(loaded) => Findings { problems: vec![], warnings: loaded.warnings, values, exit: Exit::Ok },
        Err(all) => refused(all, warnings, values),
    }
}

/// Values whose key has a problem do not hold, so they are not shown.
fn refused(all: Problems, warnings: Vec<Problem>, mut values: Vec<Entry>) -> Findings {
    let exit = all.exit();
    values.retain(|entry| !all.0.iter().any(|p| concerns(&p.fault, entry)));
    Findings { problems: all.0, warnings, values, exit }
}

fn concerns(fault: &Fault, entry: &Entry) -> bool {
    match fault {
        Fault::Value { key, .. } => key.name == entry.key.name,
        Fault::Duplicate { key, .. } => *key == entry.key.name,
        Fault::Unreadable { .. }
        | Fault::Absent
        | Fault::NotText
        | Fault::Section
        | Fault::NotKeyValue
        | Fault::UnknownKey { .. }
        | Fault::Foreign(_) => false,
    }
}

fn tell(found: &Findings, out: &mut impl Write) -> io::Result<()> {
    for problem in &found.problems {
        writeln!(out, "error: {problem}")?;
    }
    for warning in &found.warnings {
        writeln!(out, "warning: {warning}")?;
    }
    let name_width = found.values.iter().map(|e| e.key.name.len()).max().unwrap_or_default();
    let text_width = found.values.iter().map(|e| e.text.len()).max().unwrap_or_default();
    for Entry { key, text, place } in &found.values {
        writeln!(out, "{:name_width$} = {text:text_width$}  ; {place}", key.name)?;
    }
    match found.problems.len() {
        0 => writeln!(out, "The settings are in order."),
        1 => writeln!(out, "1 problem; Campanile will not start with these settings."),
        n => writeln!(out, "{n} problems; Campanile will not start with these settings."),
    }
}

#[derive(Serialize)]
struct Document<'a> {
    ok: bool,
    problems: Vec<ProblemRow<'a>>,
    warnings: Vec<ProblemRow<'a>>,
    values: Vec<ValueRow<'a>>,
}

#[derive(Serialize)]
struct ProblemRow<'a> {
    #[serde(flatten)]
    source: Source,
    text: Option<&'a str>,
    problem: String,
    mend: String,
}

#[derive(Serialize)]
struct ValueRow<'a> {
    key: &'static str,
    value: &'a str,
    #[serde(flatten)]
    source: Source,
}

/// A place, in JSON: `source` says which kind.
#[derive(Serialize)]
#[serde(tag = "source", rename_all = "lowercase")]
enum Source {
    Default,
    File {
        file: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        line: Option<usize>,
    },
    Environment {
        variable: String,
    },
}

impl From<&Place> for Source {
    fn from(place: &Place) -> Self {
        match place {
            Place::Default => Self::Default,
            Place::File(file) => Self::File { file: file.display().to_string(), line: None },
            Place::Line { file, line } => Self::File { file: file.display().to_string(), line: Some(*line) },
            Place::Variable(variable) => Self::Environment { variable: variable.clone() },
        }
    }
}

impl<'a> From<&'a Problem> for ProblemRow<'a> {
    fn from(problem: &'a Problem) -> Self {
        Self {
            source: Source::from(&problem.place),
            text: problem.text.as_deref(),
            problem: problem.fault.to_string(),
            mend: problem.mend(),
        }
    }
}

impl<'a> From<&'a Entry> for ValueRow<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self { key: entry.key.name, value: &entry.text, source: Source::from(&entry.place) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str, check: fn(Option<&Path>, &mut Vec<u8>) -> Exit) -> (Exit, String) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("c.conf");
        std::fs::write(&file, text).unwrap();
        let mut out = Vec::new();
        let exit = check(Some(&file), &mut out);
        (exit, String::from_utf8(out).unwrap().replace(&*dir.path().to_string_lossy(), "DIR"))
    }

    #[test]
    fn good_settings_are_shown_with_their_source() {
        let (exit, out) = checked("calls_one_time = 20\n", report);
        assert_eq!(exit, Exit::Ok);
        let line = |key: &str| out.lines().find(|l| l.starts_with(key)).unwrap().split_whitespace().collect::<Vec<_>>();
        assert_eq!(line("calls_one_time"), ["calls_one_time", "=", "20", ";", "DIR/c.conf:1"]);
        assert_eq!(line("cron_interval"), ["cron_interval", "=", "5", ";", "default"]);
        assert!(out.ends_with("The settings are in order.\n"), "{out}");
    }

    #[test]
    fn problems_come_first_and_values_that_do_not_hold_are_left_out() {
        let (exit, out) = checked("\ncalls_one_time = 0\nx = 1\n", report);
        assert_eq!(exit, Exit::Config);
        assert!(out.starts_with("error: DIR/c.conf:2: calls_one_time is less than 1"), "{out}");
        assert!(out.contains("error: DIR/c.conf:3: unknown key \"x\"") && out.contains("2 problems;"), "{out}");
        assert!(!out.contains("\ncalls_one_time"), "{out}");
    }

    #[test]
    fn json_says_the_same() {
        let (exit, out) = checked("calls_one_time = 0\ncron_interval = 1\n", report_json);
        let told: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!((exit, &told["ok"]), (Exit::Config, &serde_json::json!(false)));
        assert_eq!(
            told["problems"][0],
            serde_json::json!({
                "source": "file", "file": "DIR/c.conf", "line": 1, "text": "0",
                "problem": "calls_one_time is less than 1 call a minute",
                "mend": "write a whole number of calls a minute from 1 to 60000",
            })
        );
        let interval = serde_json::json!({"key": "cron_interval", "value": "1", "source": "file", "file": "DIR/c.conf", "line": 2});
        assert!(told["values"].as_array().unwrap().contains(&interval), "{out}");
    }

    #[test]
    fn a_file_that_is_not_there_is_a_problem_of_its_own() {
        let mut out = Vec::new();
        assert_eq!(report(Some(Path::new("/nowhere/c.conf")), &mut out), Exit::NoInput);
        assert!(String::from_utf8(out).unwrap().starts_with("error: /nowhere/c.conf: cannot be read"));
    }
}
