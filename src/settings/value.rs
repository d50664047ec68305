//! From the text of a value to its type; a refusal says what is wrong in a sentence.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::domain::calendar::Zone;
use crate::domain::zoning::LegalRules;

use super::keys::{Allowed, KeySpec};

/// A country, by its two letters (ISO 3166 alpha-2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Country(String);

impl Country {
    /// The two letters, in capitals.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A language as Asterisk names the folders of its sounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Language(String);

impl Language {
    /// The name, such as `en_AU`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A folder whose sockets have names short enough for the kernel.
pub(super) struct StateDir(pub PathBuf);

/// A type that a value is read into.
pub trait Setting: Sized {
    /// Reads `text` as the value of `key`.
    ///
    /// # Errors
    /// What is wrong with it.
    fn read(key: &KeySpec, text: &str) -> Result<Self, String>;
}

/// Reads a value; what is wrong with every kind of value alike is said here.
pub(super) fn read<T: Setting>(key: &KeySpec, text: &str) -> Result<T, String> {
    if text.is_empty() {
        return Err(format!("{} has no value", key.name));
    }
    if text.starts_with(['"', '\'']) {
        return Err(format!("{} has quotation marks, which would be part of the value", key.name));
    }
    if let Some(c) = text.chars().find(|c| c.is_control()) {
        return Err(format!("{} has the control character {c:?}", key.name));
    }
    T::read(key, text)
}

/// `1 minute`, `2 minutes`; `1 call a minute`.
fn counted(n: u32, unit: &str) -> String {
    let (things, rest) = unit.split_at(unit.find(' ').unwrap_or(unit.len()));
    let things = if n == 1 { things.strip_suffix('s').unwrap_or(things) } else { things };
    format!("{n} {things}{rest}")
}

impl Setting for u32 {
    fn read(key: &KeySpec, text: &str) -> Result<Self, String> {
        let (min, max, unit) = match key.allowed {
            Allowed::Whole { min, max, unit } | Allowed::WholeOrNone { min, max, unit } => (min, max, unit),
            _ => (0, Self::MAX, "things"),
        };
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(format!("{} is not a whole number of {unit}", key.name));
        }
        match text.parse() {
            Ok(n) if n < min => Err(format!("{} is less than {}", key.name, counted(min, unit))),
            Ok(n) if n <= max => Ok(n),
            _ if text.starts_with('-') => Err(format!("{} is less than {}", key.name, counted(min, unit))),
            _ => Err(format!("{} is more than {}", key.name, counted(max, unit))),
        }
    }
}

impl Setting for Option<u32> {
    fn read(key: &KeySpec, text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("none") { Ok(None) } else { u32::read(key, text).map(Some) }
    }
}

impl Setting for PathBuf {
    fn read(key: &KeySpec, text: &str) -> Result<Self, String> {
        let path = Self::from(text);
        if path.is_absolute() { Ok(path) } else { Err(format!("{} is not an absolute path", key.name)) }
    }
}

impl Setting for StateDir {
    fn read(key: &KeySpec, text: &str) -> Result<Self, String> {
        // A socket's path has 108 bytes, unix(7); ours adds "/serve.wake" and a closing zero.
        const MAX: usize = 108 - "/serve.wake".len() - 1;
        if text.len() > MAX {
            return Err(format!("{} is longer than {MAX} bytes, too long for a socket in it", key.name));
        }
        PathBuf::read(key, text).map(Self)
    }
}

impl Setting for Vec<PathBuf> {
    fn read(key: &KeySpec, text: &str) -> Result<Self, String> {
        text.split(':').map(|path| PathBuf::read(key, path.trim())).collect()
    }
}

impl Setting for SocketAddr {
    fn read(key: &KeySpec, text: &str) -> Result<Self, String> {
        match text.parse::<Self>() {
            Err(_) => Err(format!("{} is not an address with a port", key.name)),
            // FastAGI knows no password: whoever reaches the port may speak for Asterisk (asterisk.md 9).
            Ok(address) if !address.ip().is_loopback() => {
                Err(format!("{} can be reached from other machines, and FastAGI knows no password", key.name))
            }
            Ok(address) => Ok(address),
        }
    }
}

impl Setting for Language {
    fn read(key: &KeySpec, text: &str) -> Result<Self, String> {
        // 39 is what Asterisk keeps of a language (MAX_LANGUAGE, channel.h).
        let known = text.len() <= 39 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        if known { Ok(Self(text.to_owned())) } else { Err(format!("{} is not the name of a language", key.name)) }
    }
}

impl Setting for Option<Country> {
    fn read(key: &KeySpec, text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("none") {
            return Ok(None);
        }
        let letters = text.to_ascii_uppercase();
        let region = letters.parse::<rlibphonenumber::Region>().ok();
        match region.filter(|r| rlibphonenumber::PHONE_NUMBER_UTIL.get_supported_regions().any(|s| s == *r)) {
            Some(_) if letters.len() == 2 => Ok(Some(Country(letters))),
            _ if letters == "UK" => Err(format!("{}: the United Kingdom's letters are GB", key.name)),
            _ => Err(format!("{} is not a country whose numbers are known", key.name)),
        }
    }
}

impl Setting for Zone {
    fn read(key: &KeySpec, text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("system") {
            return Ok(machine_zone());
        }
        text.parse().map_err(|_| format!("{} is not in the time zone database", key.name))
    }
}

impl Setting for LegalRules {
    fn read(key: &KeySpec, text: &str) -> Result<Self, String> {
        text.parse().map_err(|refusal| format!("{}: {refusal}", key.name))
    }
}

/// The machine's zone, or UTC when it has none with a name.
fn machine_zone() -> Zone {
    let zone = jiff::tz::TimeZone::system();
    zone.iana_name().and_then(|name| name.parse().ok()).unwrap_or(Zone::UTC)
}

#[cfg(test)]
mod tests {
    use super::super::keys::find;
    use super::*;
    use proptest::prelude::*;

    fn refusal<T: Setting + std::fmt::Debug>(key: &str, text: &str) -> String {
        read::<T>(find(key).unwrap(), text).unwrap_err()
    }

    #[test]
    fn numbers_are_held_to_their_bounds_and_name_their_unit() {
        let rate = |text| read::<u32>(find("calls_one_time").unwrap(), text);
        assert_eq!((rate("1"), rate("60000"), rate("007")), (Ok(1), Ok(60_000), Ok(7)));
        for (text, why) in [
            ("0", "calls_one_time is less than 1 call a minute"),
            ("-1", "calls_one_time is less than 1 call a minute"),
            ("60001", "calls_one_time is more than 60000 calls a minute"),
            ("99999999999999999999", "calls_one_time is more than 60000 calls a minute"),
            ("ten", "calls_one_time is not a whole number of calls a minute"),
            ("+5", "calls_one_time is not a whole number of calls a minute"),
            ("1.5", "calls_one_time is not a whole number of calls a minute"),
            ("10 20", "calls_one_time is not a whole number of calls a minute"),
            ("", "calls_one_time has no value"),
            ("\"10\"", "calls_one_time has quotation marks, which would be part of the value"),
            ("1\u{7}", "calls_one_time has the control character '\\u{7}'"),
        ] {
            assert_eq!(rate(text), Err(why.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_number_that_may_be_missing_is_none_or_within_its_bounds() {
        let channels = |text| read::<Option<u32>>(find("channels_max").unwrap(), text);
        assert_eq!((channels("none"), channels("None")), (Ok(None), Ok(None)));
        assert_eq!((channels("1"), channels("100000")), (Ok(Some(1)), Ok(Some(100_000))));
        assert_eq!(channels("0"), Err("channels_max is less than 1 channel".to_owned()));
        assert_eq!(channels("100001"), Err("channels_max is more than 100000 channels".to_owned()));
        assert_eq!(channels("no"), Err("channels_max is not a whole number of channels".to_owned()));
    }

    #[test]
    fn the_gate_listens_to_this_machine_only() {
        let key = find("agi_listen").unwrap();
        assert!(read::<SocketAddr>(key, "127.0.0.9:0").is_ok() && read::<SocketAddr>(key, "[::1]:4573").is_ok());
        for text in ["0.0.0.0:4573", "[::]:4573", "192.0.2.1:4573"] {
            assert!(refusal::<SocketAddr>("agi_listen", text).contains("other machines"), "{text}");
        }
        for text in ["localhost:4573", "4573", "127.0.0.1"] {
            assert_eq!(refusal::<SocketAddr>("agi_listen", text), "agi_listen is not an address with a port");
        }
    }

    #[test]
    fn countries_and_zones_must_exist() {
        let country = find("country").unwrap();
        assert_eq!(read::<Option<Country>>(country, "lt"), Ok(Some(Country("LT".into()))));
        assert_eq!(read::<Option<Country>>(country, "none"), Ok(None));
        assert_eq!(refusal::<Option<Country>>("country", "UK"), "country: the United Kingdom's letters are GB");
        for text in ["XX", "LTU", "37", "001"] {
            assert!(read::<Option<Country>>(country, text).is_err(), "{text}");
        }
        let zone = find("time_zone").unwrap();
        assert_eq!(read::<Zone>(zone, "Europe/Vilnius").unwrap().name(), "Europe/Vilnius");
        assert!(read::<Zone>(zone, "system").is_ok() && read::<Zone>(zone, "Mars/Base").is_err());
    }

    #[test]
    fn paths_are_absolute() {
        let key = find("sounds_dirs").unwrap();
        assert_eq!(read::<Vec<PathBuf>>(key, "/a: /b"), Ok(vec!["/a".into(), "/b".into()]));
        assert!(read::<Vec<PathBuf>>(key, "/a:b").is_err() && read::<Vec<PathBuf>>(key, "/a:").is_err());
        assert_eq!(refusal::<PathBuf>("spool_dir", "var/spool"), "spool_dir is not an absolute path");
    }

    #[test]
    fn the_wake_socket_fits_into_the_state_folder() {
        let key = find("state_dir").unwrap();
        assert!(read::<StateDir>(key, &format!("/{}", "a".repeat(95))).is_ok());
        assert!(read::<StateDir>(key, &format!("/{}", "a".repeat(96))).is_err());
    }

    proptest! {
        #[test]
        fn what_is_read_as_a_number_is_that_number(n in 0u32..70_000) {
            let got = read::<u32>(find("calls_one_time").unwrap(), &n.to_string());
            prop_assert_eq!(got.ok(), (1..=60_000).contains(&n).then_some(n));
        }
    }
}
