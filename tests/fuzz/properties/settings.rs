//! Settings: any text gives settings or problems, and settings that are printed are the same again.

use std::cell::OnceCell;
use std::fs;
use std::path::Path;

use campanile::exit::Exit;
use campanile::settings::{Place, Problem, Settings, check as report};
use tempfile::TempDir;

/// A password as a mor.conf has it.
const SECRET: &str = "Wr0ng-Horse";

thread_local! {
    /// A folder for the file, because bytes that are no text come by file only.
    static FOLDER: OnceCell<TempDir> = const { OnceCell::new() };
}

pub fn check(data: &[u8]) {
    let (plain, mor) = FOLDER.with(|folder| {
        let folder = folder.get_or_init(|| tempfile::tempdir().expect("a folder")).path();
        (folder.join("c.conf"), folder.join("mor.conf"))
    });
    loaded(&plain, data);
    loaded(&mor, data);
    if !data.windows(SECRET.len()).any(|w| w == SECRET.as_bytes()) {
        // Both in turn: a report costs most of the time.
        keeps_the_secret(if data.len().is_multiple_of(2) { &plain } else { &mor }, data);
    }
}

fn loaded(file: &Path, data: &[u8]) {
    fs::write(file, data).unwrap();
    let lines = data.split(|b| *b == b'\n').count();
    let loaded = Settings::load(Some(file));
    let (problems, warnings) = match &loaded {
        Ok(loaded) => {
            printed(&loaded.settings);
            (&[][..], &loaded.warnings[..])
        }
        Err(problems) => {
            assert!(!problems.0.is_empty() && problems.exit() == Exit::Config);
            (&problems.0[..], &[][..])
        }
    };
    problems.iter().chain(warnings).for_each(|problem| told(problem, lines));
    let (told, exit) = reported(file);
    assert_eq!(told.lines().filter(|line| line.starts_with("error: ")).count(), problems.len(), "{told}");
    match (loaded, std::str::from_utf8(data)) {
        (Ok(loaded), text) => {
            assert_eq!(exit, Exit::Ok);
            if let (Ok(text), Some("c.conf")) = (text, file.file_name().and_then(|name| name.to_str())) {
                let again = Settings::from_text(text).expect("a text is as good as its file");
                assert_eq!(again.settings, loaded.settings);
            }
            // What check-config shows, comments and all, is a settings file.
            let shown: String = told
                .lines()
                .filter(|l| l.contains(" = ") && !l.starts_with("warning: "))
                .map(|l| format!("{l}\n"))
                .collect();
            let again = Settings::from_text(&shown).unwrap_or_else(|problems| panic!("{problems}\nin\n{shown}"));
            assert_eq!(again.settings, loaded.settings, "{shown}");
        }
        (Err(_), _) => assert_eq!(exit, Exit::Config),
    }
}

fn reported(file: &Path) -> (String, Exit) {
    let mut out = Vec::new();
    let exit = report::report(Some(file), &mut out);
    let told = String::from_utf8(out).expect("a report is text");
    assert!(told.ends_with('\n'));
    assert!(!told.chars().any(|c| c.is_control() && c != '\n'), "{told:?}");
    let mut out = Vec::new();
    assert_eq!(report::report_json(Some(file), &mut out), exit);
    assert!(out.starts_with(b"{") && out.ends_with(b"}\n"));
    (told, exit)
}

/// A problem has its place, and fits on a line.
fn told(problem: &Problem, lines: usize) {
    match &problem.place {
        Place::Line { line, .. } => assert!((1..=lines).contains(line), "line {line} of {lines}"),
        Place::File(_) => {}
        // Those of whoever runs this.
        Place::Variable(_) => {}
        Place::Default => panic!("a default is wrong: {problem}"),
    }
    let told = problem.to_string();
    assert!(!told.chars().any(char::is_control), "{told:?}");
    assert!(!problem.mend().is_empty());
}

fn printed(settings: &Settings) {
    let country = settings.country.as_ref().map_or("none", |country| country.as_str());
    let sounds: Vec<String> = settings.sounds_dirs.iter().map(|dir| dir.display().to_string()).collect();
    let text = [
        ("calls_one_time", settings.calls_one_time.to_string()),
        ("cron_interval", settings.cron_interval.to_string()),
        ("channels_max", settings.channels_max.map_or_else(|| "none".to_owned(), |max| max.to_string())),
        ("attempts_per_number_max", settings.attempts_per_number_max.to_string()),
        ("attempts_per_number_hours", settings.attempts_per_number_hours.to_string()),
        ("country", country.to_owned()),
        ("time_zone", settings.time_zone.name().to_owned()),
        ("legal_hours", settings.legal_hours.to_string()),
        ("spool_dir", settings.spool_dir.display().to_string()),
        ("spool_files_max", settings.spool_files_max.to_string()),
        ("archive_keep_days", settings.archive_keep_days.to_string()),
        ("template_dir", settings.template_dir.display().to_string()),
        ("asterisk_run_dir", settings.asterisk_run_dir.display().to_string()),
        ("sounds_dirs", sounds.join(":")),
        ("sound_language", settings.sound_language.as_str().to_owned()),
        ("state_dir", settings.state_dir.display().to_string()),
        ("agi_listen", settings.agi_listen.to_string()),
        ("agi_sessions_max", settings.agi_sessions_max.to_string()),
        ("log_config", settings.log_config.display().to_string()),
    ]
    .map(|(key, value)| format!("{key} = {value}\n"))
    .concat();
    let again = Settings::from_text(&text).unwrap_or_else(|problems| panic!("{problems}\nin\n{text}"));
    assert_eq!(again.settings, *settings);
    assert!(settings.agi_listen.ip().is_loopback() && settings.spool_dir.is_absolute());
    assert!((1..=60_000).contains(&settings.calls_one_time) && (1..=60).contains(&settings.cron_interval));
}

/// Whatever stands around it, a line `secret = …` is never shown.
fn keeps_the_secret(file: &Path, data: &[u8]) {
    fs::write(file, [data, format!("\nsecret = {SECRET}\n").as_bytes()].concat()).unwrap();
    let (told, _) = reported(file);
    assert!(!told.contains(SECRET), "{told}");
}
