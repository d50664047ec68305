//! Instants: whole milliseconds since 1970-01-01T00:00:00Z, as the ledger stores them.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How far the clock goes back before anything is made of it, in milliseconds: NTP corrects less at any
/// time, and waiting that out costs nothing.
pub const SET_BACK_MS: i64 = 1_000;

/// A UTC instant in whole milliseconds since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UtcMs(pub i64);

impl UtcMs {
    /// The instant `ms` milliseconds later (earlier when negative); saturates at the ends of `i64`.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// The instant `s` seconds later.
    #[must_use]
    pub fn plus_s(self, s: i64) -> Self {
        self.plus_ms(s.saturating_mul(1000))
    }

    /// Milliseconds from `earlier` to this instant; negative when this one is the earlier.
    #[must_use]
    pub fn since_ms(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The same instant for `jiff`, clamped into the years that `jiff` can write (-9999 to 9999).
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        let (min, max) = (Timestamp::MIN.as_millisecond(), Timestamp::MAX.as_millisecond());
        Timestamp::from_millisecond(self.0.clamp(min, max)).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

impl From<Timestamp> for UtcMs {
    fn from(t: Timestamp) -> Self {
        Self(t.as_millisecond())
    }
}

/// RFC 3339 with milliseconds, in UTC: `2026-03-01T08:00:00.250Z`.
impl fmt::Display for UtcMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.timestamp())
    }
}

impl fmt::Debug for UtcMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_as_rfc_3339_with_milliseconds() {
        assert_eq!(UtcMs(1_772_352_000_250).to_string(), "2026-03-01T08:00:00.250Z");
        assert_eq!(UtcMs(0).to_string(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn survives_the_ends_of_the_scale() {
        assert_eq!(UtcMs(i64::MAX).plus_ms(1), UtcMs(i64::MAX));
        assert!(!UtcMs(i64::MIN).to_string().is_empty());
    }
}
