//! The files that come with Campanile: each is read as the program or the machine would read it.

use std::path::PathBuf;

use campanile::exit::Exit;
use campanile::logging::{self, Sink};
use campanile::settings::{Fault, Settings, check, keys::KEYS};

fn shipped(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(shipped(path)).unwrap()
}

#[test]
fn the_sample_sets_nothing_and_is_in_order() {
    let sample = Settings::load(Some(&shipped("etc/campanile.conf"))).unwrap();
    let empty = tempfile::NamedTempFile::new().unwrap();
    assert_eq!(sample, Settings::load(Some(empty.path())).unwrap());
    assert_eq!(sample.warnings, []);
}

#[test]
fn the_sample_shows_every_key_once_in_order_with_its_default() {
    let sample = read("etc/campanile.conf");
    let shown: Vec<&str> =
        sample.lines().filter(|l| l.starts_with(';') && !l.starts_with("; ")).filter(|l| *l != ";").collect();
    let expected: Vec<String> = KEYS.iter().map(|k| format!(";{} = {}", k.name, k.default)).collect();
    assert_eq!(shown, expected);
}

#[test]
fn the_sample_is_in_order_with_every_line_taken_in() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let open: String = read("etc/campanile.conf")
        .lines()
        .map(|l| if l.starts_with("; ") { l.to_owned() } else { l.replacen(';', "", 1) } + "\n")
        .collect();
    std::fs::write(file.path(), open).unwrap();
    let mut out = Vec::new();
    assert_eq!(check::report(Some(file.path()), &mut out), Exit::Ok);
    assert!(!String::from_utf8(out).unwrap().contains("; default"));
}

#[test]
fn a_real_mor_conf_is_accepted_and_its_password_is_never_shown() {
    let mor = shipped("tests/fixtures/settings/mor.conf");
    let loaded = Settings::load(Some(&mor)).unwrap();
    assert_eq!((loaded.settings.calls_one_time, loaded.settings.cron_interval), (10, 1));
    let [warning] = &loaded.warnings[..] else { panic!("one warning: {:?}", loaded.warnings) };
    let Fault::Foreign(foreign) = &warning.fault else { panic!("{warning}") };
    assert!(foreign.contains(&"secret".to_owned()) && foreign.contains(&"billing_currency".to_owned()));
    let mut out = Vec::new();
    assert_eq!(check::report(Some(&mor), &mut out), Exit::Ok);
    assert_eq!(check::report_json(Some(&mor), &mut out), Exit::Ok);
    let out = String::from_utf8(out).unwrap();
    assert!(read("tests/fixtures/settings/mor.conf").contains("Horse") && !out.contains("Horse"), "{out}");
}

#[test]
fn log4rs_reads_its_file_and_logrotate_covers_what_it_writes() {
    let dir = tempfile::tempdir().unwrap();
    let yaml = read("etc/log4rs.yaml");
    let file = dir.path().join("log4rs.yaml");
    std::fs::write(&file, yaml.replace("/var/log/campanile", &dir.path().to_string_lossy())).unwrap();
    assert_eq!(logging::examine(&file), Sink::Configured);
    assert!(dir.path().join("campanile.log").exists());
    assert!(read("etc/logrotate/campanile").contains("\n/var/log/campanile/*.log {"));
}

#[test]
fn the_units_start_programs_that_exist_as_asterisks_user() {
    for (unit, manifest) in [("campanile", "Cargo.toml"), ("campanile-agi", "agi/Cargo.toml")] {
        let text = read(&format!("etc/systemd/{unit}.service"));
        let start = text.lines().find_map(|l| l.strip_prefix("ExecStart=/usr/bin/")).unwrap();
        let program = start.split(' ').next().unwrap();
        assert_eq!(program, unit);
        assert!(read(manifest).contains(&format!("name = \"{program}\"")), "{program}");
        for line in ["Type=notify", "User=asterisk", "Restart=on-failure", "NoNewPrivileges=yes"] {
            assert!(text.lines().any(|l| l == line), "{unit}: {line}");
        }
        let prevented = format!("RestartPreventExitStatus={}", Exit::Config.code());
        assert!(text.contains(&prevented), "{unit}: {prevented}");
    }
}

#[test]
fn the_package_installs_every_file_below_etc_and_no_other() {
    let install = read("debian/install");
    let sources: Vec<&str> = install.lines().filter_map(|l| l.split_whitespace().next()).collect();
    for source in sources.iter().filter(|s| s.starts_with("etc/")) {
        assert!(shipped(source).exists(), "{source}");
    }
    for folder in ["etc", "etc/asterisk", "etc/systemd", "etc/logrotate"] {
        for entry in std::fs::read_dir(shipped(folder)).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            assert!(entry.path().is_dir() || sources.contains(&path.as_str()), "{path} is not installed");
        }
    }
}

#[test]
fn the_package_has_the_programs_version() {
    let newest = read("debian/changelog").lines().next().unwrap().to_owned();
    assert!(newest.starts_with(&format!("campanile ({}-", env!("CARGO_PKG_VERSION"))), "{newest}");
}
