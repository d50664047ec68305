use super::*;

fn load(text: &str, variables: &[(&str, &str)]) -> Result<Loaded, Problems> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("campanile.conf");
    std::fs::write(&file, text).unwrap();
    let variables = variables.iter().map(|(k, v)| (OsString::from(k), OsString::from(v)));
    examine(Some(&file), variables)?.settle()
}

#[test]
fn an_empty_file_gives_the_defaults() {
    let Loaded { settings, warnings } = load("", &[]).unwrap();
    assert_eq!(warnings, []);
    assert_eq!((settings.calls_one_time, settings.cron_interval, settings.spool_files_max), (10, 5, 1000));
    assert_eq!(settings.ledger(), Path::new("/var/lib/campanile/campanile.db"));
    assert_eq!(settings.serve_lock(), Path::new("/var/lib/campanile/serve.lock"));
    assert_eq!(settings.serve_wake(), Path::new("/var/lib/campanile/serve.wake"));
    assert_eq!((settings.agi_listen.to_string().as_str(), settings.country), ("127.0.0.1:4573", None));
    assert_eq!(settings.sounds_dirs.len(), 2);
}

#[test]
fn the_environment_stands_above_the_file_and_the_file_above_the_defaults() {
    let variables = [("CAMPANILE_CALLS_ONE_TIME", "30"), ("HOME", "/root"), ("CAMPANILE_CONFIG", "x")];
    let Loaded { settings, warnings } = load("calls_one_time = 20\ncron_interval = 1\n", &variables).unwrap();
    assert_eq!((settings.calls_one_time, settings.cron_interval, settings.archive_keep_days), (30, 1, 0));
    assert_eq!(warnings, []);
}

#[test]
fn problems_of_file_and_environment_come_together() {
    let variables = [("CAMPANILE_CRON_INTERVAL", "0"), ("CAMPANILE_SPOOL_DIR", "spool")];
    let Problems(problems) = load("calls_one_time = many\nsound_languag = en\n", &variables).unwrap_err();
    let told: Vec<String> = problems
        .iter()
        .map(|p| p.to_string().rsplit_once("campanile.conf").map_or(p.to_string(), |s| s.1.into()))
        .collect();
    assert_eq!(
        told,
        [
            ":1: calls_one_time is not a whole number of calls a minute: `many`: \
             write a whole number of calls a minute from 1 to 60000",
            ":2: unknown key \"sound_languag\": `sound_languag = en`: did you mean sound_language?",
            "environment variable CAMPANILE_CRON_INTERVAL: cron_interval is less than 1 minute: `0`: \
             write a whole number of minutes from 1 to 60",
            "environment variable CAMPANILE_SPOOL_DIR: spool_dir is not an absolute path: `spool`: \
             write an absolute path, such as /var/spool/asterisk",
        ]
    );
}

#[test]
fn every_key_of_the_table_is_read() {
    for key in keys::KEYS {
        let Problems(problems) = load("", &[(&key.variable(), "\u{1}")]).unwrap_err();
        assert!(matches!(&problems[..], [Problem { fault: Fault::Value { key: k, .. }, .. }] if k.name == key.name));
    }
}

#[test]
fn every_default_is_allowed() {
    for key in keys::KEYS {
        assert!(load(&format!("{} = {}\n", key.name, key.default), &[]).is_ok(), "{}", key.name);
    }
}

#[test]
fn a_strange_variable_is_a_warning_with_the_variable_that_was_meant() {
    let warnings = load("", &[("CAMPANILE_CALL_ONE_TIME", "30")]).unwrap().warnings;
    let told: Vec<String> = warnings.iter().map(Problem::to_string).collect();
    assert_eq!(
        told,
        ["environment variable CAMPANILE_CALL_ONE_TIME: unknown key \"call_one_time\": \
          did you mean CAMPANILE_CALLS_ONE_TIME?"]
    );
}

#[test]
fn a_file_that_was_named_must_exist() {
    let problems = Settings::load(Some(Path::new("/nowhere/campanile.conf"))).unwrap_err();
    assert_eq!(problems.exit(), crate::exit::Exit::NoInput);
    assert!(problems.to_string().contains("leave --config out"), "{problems}");
    let none = [(OsString::new(), OsString::new())];
    assert_eq!(absent(Path::new(DEFAULT_FILE)).problems, []);
    assert!(examine(Some(Path::new("/")), none).is_err());
}

#[test]
fn a_text_stands_for_itself() {
    let settings = Settings::from_text("state_dir = /x\nagi_listen = 127.0.0.1:0\n").unwrap().settings;
    assert_eq!((settings.ledger(), settings.agi_listen.port()), (PathBuf::from("/x/campanile.db"), 0));
    assert!(Settings::from_text("state_dir = x").is_err());
}

#[test]
fn what_a_terminal_would_obey_is_not_shown() {
    let problems = Settings::from_text("spool_dir = /a\u{1b}[2J\n").unwrap_err().to_string();
    assert!(problems.starts_with("settings:1: ") && !problems.contains('\u{1b}'), "{problems:?}");
}

#[test]
fn own_templates_are_never_replaced_by_the_shipped_ones() {
    let own = load("template_dir = /nowhere\n", &[]).unwrap().settings;
    assert_eq!(own.template_dir, Path::new("/nowhere"));
}
