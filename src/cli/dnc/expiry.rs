//! When an entry holds no longer, as somebody types it.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::super::failure::{Failure, Result};
use crate::domain::calendar::Zone;
use crate::domain::instant::UtcMs;
use crate::exit::Exit;

/// Reads `2027-01-31`, which holds to its end, `2027-01-31 12:00` on the clock of `zone`, or RFC 3339; refuses what is
/// over.
pub fn read(text: &str, zone: &Zone, now: UtcMs) -> Result<UtcMs> {
    let refused = |what: String| {
        Failure::new(Exit::Usage, what, "write 2027-01-31, which holds to its end, or '2027-01-31 18:00'")
    };
    let shown: String = text.chars().take(40).collect();
    let instant = instant(text.trim(), zone).ok_or_else(|| refused(format!("`{shown}` is no date")))?;
    if instant <= now {
        return Err(refused(format!("{shown} is over: the entry would hold nobody")));
    }
    Ok(instant)
}

fn instant(text: &str, zone: &Zone) -> Option<UtcMs> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant.into());
    }
    let zone = TimeZone::get(zone.name()).ok()?;
    let local = match text.parse::<Date>() {
        // Who asked for no call up to a day is not called on that day.
        Ok(date) if !text.contains(':') => date.tomorrow().ok()?.to_datetime(jiff::civil::Time::midnight()),
        _ => text.parse::<DateTime>().ok()?,
    };
    Some(zone.to_timestamp(local).ok()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_holds_to_its_end_on_the_clock_of_the_zone() {
        let zone: Zone = "Europe/Berlin".parse().unwrap();
        let now = UtcMs(1_772_352_000_000); // 2026-03-01T08:00:00Z
        let told = |text: &str| read(text, &zone, now).map(|at| at.to_string()).ok();
        assert_eq!(told("2027-01-31").as_deref(), Some("2027-01-31T23:00:00.000Z"));
        assert_eq!(told("2027-01-31 18:00").as_deref(), Some("2027-01-31T17:00:00.000Z"));
        assert_eq!(told("2027-01-31T18:00:00Z").as_deref(), Some("2027-01-31T18:00:00.000Z"));
        assert_eq!(told("2026-03-01").as_deref(), Some("2026-03-01T23:00:00.000Z"), "today");
        assert_eq!(told("2026-03-29").as_deref(), Some("2026-03-29T22:00:00.000Z"), "a day of 23 hours");
        for text in
            ["2026-02-28", "2026-03-01 08:00", "9999-12-31", "2025-01-01", "tomorrow", "", "2027-02-30", "31.01.2027"]
        {
            assert_eq!(told(text), None, "{text}");
        }
    }
}
