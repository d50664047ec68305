//! Settings: defaults, overlaid by `campanile.conf`, overlaid by `CAMPANILE_<KEY>` variables.
//!
//! Typed once, here; nobody else reads the file or the environment. Every problem is reported at once,
//! with its place and its mend. The table of keys is [`keys::KEYS`].

pub mod check;
mod conf;
mod difference;
pub mod keys;
mod layers;
mod problem;
mod value;

use std::ffi::OsString;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::domain::bar::FrequencyCap;
use crate::domain::calendar::Zone;
use crate::domain::zoning::LegalRules;

pub use difference::Difference;
use layers::Entry;
pub use problem::{Fault, Place, Problem, Problems};
pub use value::{Country, Language};

/// Where the settings are unless `--config` names another file.
pub const DEFAULT_FILE: &str = "/etc/campanile/campanile.conf";

/// Where the package keeps its own call-file templates, for when nobody has changed them.
const SHIPPED_TEMPLATES: &str = "/usr/share/campanile/spool-templates";

/// The settings of this machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Calls spread over one minute, all campaigns together.
    pub calls_one_time: u32,
    /// Minutes between two plannings; also how far ahead files are written.
    pub cron_interval: u32,
    /// The most calls at the same time, all campaigns and trunks together; `None` for no cap.
    pub channels_max: Option<u32>,
    /// The country whose numbers are written without `+`.
    pub country: Option<Country>,
    /// The most calls to one number in a rolling period, over all campaigns; 0 for no cap.
    pub attempts_per_number_max: u32,
    /// That period, in hours.
    pub attempts_per_number_hours: u32,
    /// The zone of a new campaign that names none.
    pub time_zone: Zone,
    /// The hours in which people may be called, on the clock where they are.
    pub legal_hours: LegalRules,
    /// Asterisk's spool, which holds `outgoing` and `outgoing_done`.
    pub spool_dir: PathBuf,
    /// The most call files of ours in `outgoing` at once.
    pub spool_files_max: u32,
    /// Days that finished call files are kept; 0 removes each as soon as the ledger holds its evidence.
    pub archive_keep_days: u32,
    /// The templates of call files.
    pub template_dir: PathBuf,
    /// Where Asterisk keeps `asterisk.pid` and `asterisk.ctl`.
    pub asterisk_run_dir: PathBuf,
    /// Where sounds are looked for, in this order.
    pub sounds_dirs: Vec<PathBuf>,
    /// The language of the sounds.
    pub sound_language: Language,
    /// Our own folder.
    pub state_dir: PathBuf,
    /// Where the FastAGI server listens: always a loopback address.
    pub agi_listen: SocketAddr,
    /// The most calls that the FastAGI server serves at once.
    pub agi_sessions_max: u32,
    /// The configuration of log4rs.
    pub log_config: PathBuf,
}

/// Settings that hold, with what should be said about them.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// What does no harm but should be known.
    pub warnings: Vec<Problem>,
}

impl Settings {
    /// Reads the file (`None`: [`DEFAULT_FILE`], which may be absent) and the environment.
    ///
    /// # Errors
    /// Every problem there is; nothing is taken from settings that are partly wrong.
    pub fn load(file: Option<&Path>) -> Result<Loaded, Problems> {
        examine(file, std::env::vars_os())?.settle()
    }

    /// Reads a text as if it were the whole file, and no environment: for a world of its own, such as a
    /// test or a demonstration.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn from_text(text: &str) -> Result<Loaded, Problems> {
        let file = Path::new("settings");
        overlay(file, conf::read(file, text.as_bytes()), [])?.settle()
    }

    /// The ledger's file.
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        self.state_dir.join("campanile.db")
    }

    /// The most calls to one number over all campaigns; `None` for no cap.
    #[must_use]
    pub fn frequency_cap(&self) -> Option<FrequencyCap> {
        FrequencyCap::of(self.attempts_per_number_max, self.attempts_per_number_hours)
    }

    /// The lock that only one `campanile serve` can hold.
    #[must_use]
    pub fn serve_lock(&self) -> PathBuf {
        self.state_dir.join("serve.lock")
    }

    /// The socket that wakes `campanile serve`.
    #[must_use]
    pub fn serve_wake(&self) -> PathBuf {
        self.state_dir.join("serve.wake")
    }

    /// Types every value; those that refuse become problems, and then there are no settings.
    fn read(from: &mut Examined) -> Option<Self> {
        let calls_one_time = from.take("calls_one_time");
        let cron_interval = from.take("cron_interval");
        let channels_max = from.take("channels_max");
        let attempts_per_number_max = from.take("attempts_per_number_max");
        let attempts_per_number_hours = from.take("attempts_per_number_hours");
        let country = from.take("country");
        let time_zone = from.take("time_zone");
        let legal_hours = from.take("legal_hours");
        let spool_dir = from.take("spool_dir");
        let spool_files_max = from.take("spool_files_max");
        let archive_keep_days = from.take("archive_keep_days");
        let template_dir = from.take("template_dir");
        let asterisk_run_dir = from.take("asterisk_run_dir");
        let sounds_dirs = from.take("sounds_dirs");
        let sound_language = from.take("sound_language");
        let state_dir = from.take::<value::StateDir>("state_dir");
        let agi_listen = from.take("agi_listen");
        let agi_sessions_max = from.take("agi_sessions_max");
        let log_config = from.take("log_config");
        Some(Self {
            calls_one_time: calls_one_time?,
            cron_interval: cron_interval?,
            channels_max: channels_max?,
            attempts_per_number_max: attempts_per_number_max?,
            attempts_per_number_hours: attempts_per_number_hours?,
            country: country?,
            time_zone: time_zone?,
            legal_hours: legal_hours?,
            spool_dir: spool_dir?,
            spool_files_max: spool_files_max?,
            archive_keep_days: archive_keep_days?,
            template_dir: template_dir?,
            asterisk_run_dir: asterisk_run_dir?,
            sounds_dirs: sounds_dirs?,
            sound_language: sound_language?,
            state_dir: state_dir?.0,
            agi_listen: agi_listen?,
            agi_sessions_max: agi_sessions_max?,
            log_config: log_config?,
        })
    }
}

/// The value of each key with its place, and what is wrong.
#[derive(Debug)]
struct Examined {
    entries: Vec<Entry>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Examined {
    fn settle(mut self) -> Result<Loaded, Problems> {
        match Settings::read(&mut self) {
            Some(settings) if self.problems.is_empty() => Ok(Loaded { settings, warnings: self.warnings }),
            _ => {
                self.problems.sort_by(|a, b| a.place.cmp(&b.place));
                Err(Problems(self.problems))
            }
        }
    }

    fn take<T: value::Setting>(&mut self, name: &'static str) -> Option<T> {
        let entry = self.entries.iter().find(|e| e.key.name == name)?;
        match value::read(entry.key, &entry.text) {
            Ok(value) => Some(value),
            Err(why) => {
                let fault = Fault::Value { key: entry.key, why };
                self.problems.push(Problem { place: entry.place.clone(), text: Some(entry.text.clone()), fault });
                None
            }
        }
    }
}

fn examine(
    named: Option<&Path>,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Examined, Problems> {
    let file = named.unwrap_or(Path::new(DEFAULT_FILE));
    let conf = match std::fs::read(file) {
        Ok(bytes) => conf::read(file, &bytes),
        Err(error) if named.is_none() && error.kind() == ErrorKind::NotFound => absent(file),
        Err(error) => return Err(Problems::unreadable(file, &error)),
    };
    overlay(file, conf, variables)
}

fn overlay(
    file: &Path,
    mut conf: conf::Conf,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Examined, Problems> {
    let (environment, problems, warnings) = layers::environment(variables);
    conf.problems.extend(problems);
    conf.warnings.extend(warnings);
    let mut entries = layers::lay(conf.entries, environment)
        .map_err(|error| Problems::unreadable(file, &std::io::Error::other(error)))?;
    entries.iter_mut().for_each(fall_back_to_shipped_templates);
    Ok(Examined { entries, problems: conf.problems, warnings: conf.warnings })
}

fn absent(file: &Path) -> conf::Conf {
    let warning = Problem { place: Place::File(file.to_owned()), text: None, fault: Fault::Absent };
    conf::Conf { warnings: vec![warning], ..conf::Conf::default() }
}

fn fall_back_to_shipped_templates(entry: &mut Entry) {
    let untouched = entry.key.name == "template_dir" && entry.place == Place::Default;
    if untouched && !Path::new(&entry.text).is_dir() {
        SHIPPED_TEMPLATES.clone_into(&mut entry.text);
    }
}

#[cfg(test)]
mod tests;
