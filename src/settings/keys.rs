//! The one table of keys: it drives reading, the help for misspellings, the sample file's test and the manual.

/// A key of the settings file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySpec {
    /// As written in the file; `CAMPANILE_` and this in capitals is its environment variable.
    pub name: &'static str,
    /// Its value when nobody sets it, as one would write it.
    pub default: &'static str,
    /// What a value may be.
    pub allowed: Allowed,
    /// What it is for, in one sentence.
    pub doc: &'static str,
}

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// A whole number.
    Whole {
        /// The least.
        min: u32,
        /// The most.
        max: u32,
        /// What is counted.
        unit: &'static str,
    },
    /// A whole number or `none`.
    WholeOrNone {
        /// The least.
        min: u32,
        /// The most.
        max: u32,
        /// What is counted.
        unit: &'static str,
    },
    /// An absolute path.
    Path,
    /// Absolute paths, separated by `:`.
    Paths,
    /// An address of this machine and a port.
    Loopback,
    /// A language as Asterisk writes it.
    Language,
    /// An ISO 3166 alpha-2 code or `none`.
    Country,
    /// An IANA name or `system`.
    Zone,
    /// Hours, also by country, or `none`.
    LegalHours,
}

impl std::fmt::Display for Allowed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole { min, max, unit } => write!(f, "a whole number of {unit} from {min} to {max}"),
            Self::WholeOrNone { min, max, unit } => write!(f, "a whole number of {unit} from {min} to {max}, or none"),
            Self::Path => f.write_str("an absolute path, such as /var/spool/asterisk"),
            Self::Paths => f.write_str("absolute paths with : between them"),
            Self::Loopback => f.write_str("a loopback address and a port, such as 127.0.0.1:4573"),
            Self::Language => f.write_str("a language as Asterisk names its sounds, such as en or en_AU"),
            Self::Country => f.write_str("a country's two letters (ISO 3166), such as LT, or none"),
            Self::Zone => f.write_str("an IANA time zone, such as Europe/Vilnius, or system"),
            Self::LegalHours => {
                f.write_str("hours, such as 08:00-21:00 | FR Mon-Fri 10:00-13:00,14:00-20:00 | DE none, or none")
            }
        }
    }
}

const fn whole(min: u32, max: u32, unit: &'static str) -> Allowed {
    Allowed::Whole { min, max, unit }
}

const fn key(name: &'static str, default: &'static str, allowed: Allowed, doc: &'static str) -> KeySpec {
    KeySpec { name, default, allowed, doc }
}

/// Every key, in the order of the sample file.
pub const KEYS: &[KeySpec] = &[
    key(
        "calls_one_time",
        "10",
        whole(1, 60_000, "calls a minute"),
        "How many calls are spread over one minute, all campaigns together.",
    ),
    key(
        "cron_interval",
        "5",
        whole(1, 60, "minutes"),
        "How often calls are planned; files are never written for longer than this ahead.",
    ),
    key(
        "channels_max",
        "none",
        Allowed::WholeOrNone { min: 1, max: 100_000, unit: "channels" },
        "The most calls at the same time, all campaigns and trunks together.",
    ),
    key(
        "attempts_per_number_max",
        "0",
        whole(0, 1_000, "calls"),
        "The most calls to one number in attempts_per_number_hours, all campaigns together; 0 for no cap.",
    ),
    key(
        "attempts_per_number_hours",
        "24",
        whole(1, 8_760, "hours"),
        "How long a call to a number counts for attempts_per_number_max.",
    ),
    key("country", "none", Allowed::Country, "Numbers without + are read as numbers of this country."),
    key("time_zone", "system", Allowed::Zone, "The time zone of a new campaign that names none."),
    key(
        "legal_hours",
        "none",
        Allowed::LegalHours,
        "The hours in which people may be called, on the clock where they are; others for a country behind |.",
    ),
    key("spool_dir", "/var/spool/asterisk", Allowed::Path, "Asterisk's spool: holds outgoing and outgoing_done."),
    key(
        "spool_files_max",
        "1000",
        whole(1, 100_000, "files"),
        "The most call files of ours that lie in outgoing at once.",
    ),
    key(
        "archive_keep_days",
        "0",
        whole(0, 3650, "days"),
        "How long finished call files stay in outgoing_done; 0 removes each as soon as the ledger holds its evidence.",
    ),
    key("template_dir", "/etc/campanile/spool-templates", Allowed::Path, "The templates that call files are made of."),
    key(
        "asterisk_run_dir",
        "/var/run/asterisk",
        Allowed::Path,
        "Where a running Asterisk keeps asterisk.pid and asterisk.ctl.",
    ),
    key(
        "sounds_dirs",
        "/usr/share/asterisk/sounds:/var/lib/asterisk/sounds",
        Allowed::Paths,
        "Where sounds are looked for when an action list is checked.",
    ),
    key("sound_language", "en", Allowed::Language, "The language of the sounds that are played."),
    key(
        "state_dir",
        "/var/lib/campanile",
        Allowed::Path,
        "Campanile's own folder: the ledger, the lock, the wake socket.",
    ),
    key("agi_listen", "127.0.0.1:4573", Allowed::Loopback, "Where campanile-agi waits for Asterisk."),
    key(
        "agi_sessions_max",
        "2000",
        whole(1, 100_000, "sessions"),
        "The most calls that campanile-agi serves at once; more wait.",
    ),
    key("log_config", "/etc/campanile/log4rs.yaml", Allowed::Path, "What is logged, and where."),
];

/// What a variable that sets a key begins with.
pub const VARIABLE_PREFIX: &str = "CAMPANILE_";

/// Variables that begin like ours and set no key: they belong to the command line and the tests.
const OTHER_VARIABLES: &[&str] = &["CAMPANILE_AS", "CAMPANILE_CONFIG", "CAMPANILE_LAB_CACHE"];

impl KeySpec {
    /// The environment variable that overrides it.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.name.to_ascii_uppercase())
    }
}

/// The key of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static KeySpec> {
    KEYS.iter().find(|k| k.name == name)
}

/// Whether a variable is known to be for something else than a key.
pub(super) fn is_other_variable(name: &str) -> bool {
    OTHER_VARIABLES.contains(&name)
}

/// The key that was probably meant: at most a third of its letters differ.
#[must_use]
pub fn nearest(name: &str) -> Option<&'static str> {
    // Longer ones are no misspelling, and the distance costs their length, for each line of any file.
    const BYTES_MAX: usize = 64;
    if name.len() > BYTES_MAX {
        return None;
    }
    let meant = name.to_lowercase().replace('-', "_");
    let distance = |key: &KeySpec| strsim::osa_distance(&meant, key.name);
    let near = KEYS.iter().min_by_key(|k| distance(k))?;
    (distance(near) * 3 <= near.name.len()).then_some(near.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelling_finds_its_key_and_a_stranger_finds_none() {
        for (written, meant) in [
            ("calls_on_time", Some("calls_one_time")),
            ("call_one_tmie", Some("calls_one_time")),
            ("Cron-Interval", Some("cron_interval")),
            ("spooldir", Some("spool_dir")),
            ("contry", Some("country")),
            ("favourite_colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(written), meant, "{written}");
        }
    }

    #[test]
    fn names_are_unique_and_made_for_variables() {
        for (i, key) in KEYS.iter().enumerate() {
            assert!(key.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", key.name);
            assert!(KEYS[..i].iter().all(|k| k.name != key.name), "{} twice", key.name);
            assert!(key.doc.ends_with('.') && !key.default.is_empty(), "{}", key.name);
        }
        assert_eq!(KEYS[0].variable(), "CAMPANILE_CALLS_ONE_TIME");
    }
}
