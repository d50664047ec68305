//! What changed between two readings of the settings, in words.

use std::fmt;

use super::Settings;

/// A key with another value than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The key.
    pub key: &'static str,
    /// Its value until now.
    pub old: String,
    /// The value that was read.
    pub new: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {} to {}", self.key, self.old, self.new)
    }
}

impl Settings {
    /// The keys whose values differ in `newer`, in the order of the sample file.
    #[must_use]
    pub fn differences(&self, newer: &Self) -> Vec<Difference> {
        let pairs = self.told().into_iter().zip(newer.told());
        let changed = pairs.filter(|((_, old), (_, new))| old != new);
        changed.map(|((key, old), (_, new))| Difference { key, old, new }).collect()
    }

    fn told(&self) -> [(&'static str, String); 19] {
        let sounds: Vec<String> = self.sounds_dirs.iter().map(|dir| dir.display().to_string()).collect();
        [
            ("calls_one_time", self.calls_one_time.to_string()),
            ("cron_interval", self.cron_interval.to_string()),
            ("channels_max", self.channels_max.map_or_else(|| "none".to_owned(), |max| max.to_string())),
            ("attempts_per_number_max", self.attempts_per_number_max.to_string()),
            ("attempts_per_number_hours", self.attempts_per_number_hours.to_string()),
            ("country", self.country.as_ref().map_or_else(|| "none".to_owned(), |c| c.as_str().to_owned())),
            ("time_zone", self.time_zone.name().to_owned()),
            ("legal_hours", self.legal_hours.to_string()),
            ("spool_dir", self.spool_dir.display().to_string()),
            ("spool_files_max", self.spool_files_max.to_string()),
            ("archive_keep_days", self.archive_keep_days.to_string()),
            ("template_dir", self.template_dir.display().to_string()),
            ("asterisk_run_dir", self.asterisk_run_dir.display().to_string()),
            ("sounds_dirs", sounds.join(":")),
            ("sound_language", self.sound_language.as_str().to_owned()),
            ("state_dir", self.state_dir.display().to_string()),
            ("agi_listen", self.agi_listen.to_string()),
            ("agi_sessions_max", self.agi_sessions_max.to_string()),
            ("log_config", self.log_config.display().to_string()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::keys::KEYS;

    fn settings(text: &str) -> Settings {
        Settings::from_text(text).unwrap().settings
    }

    #[test]
    fn every_key_is_compared_and_named_as_in_the_file() {
        let told = settings("").told().map(|(key, _)| key);
        assert_eq!(told.to_vec(), KEYS.iter().map(|key| key.name).collect::<Vec<_>>());
    }

    #[test]
    fn a_cap_that_is_taken_away_is_told_as_none() {
        let (old, new) = (settings("channels_max = 30\n"), settings(""));
        let told: Vec<String> = old.differences(&new).iter().map(ToString::to_string).collect();
        assert_eq!(told, ["channels_max from 30 to none"]);
    }

    #[test]
    fn what_differs_is_told_with_both_values() {
        let (old, new) = (settings("calls_one_time = 20\n"), settings("calls_one_time = 30\nspool_dir = /srv\n"));
        let told: Vec<String> = old.differences(&new).iter().map(ToString::to_string).collect();
        assert_eq!(told, ["calls_one_time from 20 to 30", "spool_dir from /var/spool/asterisk to /srv"]);
        assert!(old.differences(&old).is_empty());
    }
}
