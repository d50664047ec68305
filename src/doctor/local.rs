//! What can be seen without asking anybody: settings, ledger, folders, locks.

use std::path::Path;

use super::{Finding, Level};
use crate::daemon::{load_template, lock};
use crate::ledger::{Ledger, LedgerError};
use crate::settings::Settings;
use crate::spool::{self, SpoolDirs};

pub(super) fn settings(settings: &Settings) -> Vec<Finding> {
    let rate = format!("{} calls a minute, planned every {} min", settings.calls_one_time, settings.cron_interval);
    let mut found = vec![Finding::ok("settings", rate)];
    found.push(match load_template(&settings.template_dir) {
        Ok(_) => Finding::ok("settings", "the call-file template is usable"),
        Err(error) => Finding::problem("settings", error.to_string(), "install spool-templates/default.call there"),
    });
    found
}

pub(super) fn ledger(settings: &Settings) -> Vec<Finding> {
    let path = settings.ledger();
    let sound = Ledger::open(&path).and_then(|mut ledger| ledger.first_damage());
    vec![match sound {
        Ok(None) => Finding::ok("ledger", format!("`{}` opens and is sound", path.display())),
        Ok(Some(damage)) => {
            Finding::problem("ledger", format!("`{}` is damaged: {damage}", path.display()), LedgerError::DAMAGED_MEND)
        }
        Err(error) => Finding::problem("ledger", error.to_string(), error.mend()),
    }]
}

pub(super) fn spool(settings: &Settings) -> Vec<Finding> {
    let dirs = SpoolDirs::below(&settings.spool_dir);
    let uid = nix::unistd::geteuid().as_raw();
    let found = spool::check_dirs(&dirs, uid).into_iter();
    found.map(|f| Finding { level: level(f.level), area: "spool", text: f.text, mend: f.mend }).collect()
}

fn level(level: spool::Level) -> Level {
    match level {
        spool::Level::Ok => Level::Ok,
        spool::Level::Warning => Level::Warning,
        spool::Level::Problem => Level::Problem,
    }
}

pub(super) fn sounds(settings: &Settings) -> Vec<Finding> {
    let language = settings.sound_language.as_str().to_owned();
    let there = |dir: &&std::path::PathBuf| dir.is_dir() && any_sound(&dir.join(&language));
    match settings.sounds_dirs.iter().find(there) {
        Some(dir) => vec![Finding::ok("sounds", format!("sounds in `{}`", dir.join(&language).display()))],
        None => {
            let dirs: Vec<String> =
                settings.sounds_dirs.iter().map(|d| d.join(&language).display().to_string()).collect();
            let text = format!("no sounds in {}", dirs.join(", "));
            vec![Finding::warning(
                "sounds",
                text,
                "install Asterisk's core sounds, or correct `sounds_dirs` and `sound_language`",
            )]
        }
    }
}

fn any_sound(dir: &Path) -> bool {
    std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some())
}

pub(super) fn daemon(settings: &Settings) -> Vec<Finding> {
    vec![match lock::running(&settings.serve_lock()) {
        Some(pid) => Finding::ok("daemon", format!("`campanile serve` runs (process {pid})")),
        None => Finding::problem(
            "daemon",
            "`campanile serve` does not run: nothing is planned",
            "systemctl start campanile, or `campanile serve` as Asterisk's user",
        ),
    }]
}
