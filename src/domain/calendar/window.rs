//! Ranges of local times of day.

use std::fmt;

use super::CalendarRefusal;

pub(super) const DAY_S: u32 = 86_400;

/// A daily range of local times; may cross midnight; start = stop is the whole day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    start_s: u32,
    stop_s: u32,
}

impl Window {
    /// The whole day.
    pub const ALWAYS: Self = Self { start_s: 0, stop_s: 0 };

    /// A window from seconds after local midnight; both are taken modulo a day.
    #[must_use]
    pub fn new(start_s: u32, stop_s: u32) -> Self {
        Self { start_s: start_s % DAY_S, stop_s: stop_s % DAY_S }
    }

    /// A window from two times of day as typed, such as `08:00` and `21:00`.
    pub fn parse(start: &str, stop: &str) -> Result<Self, CalendarRefusal> {
        Ok(Self::new(parse_time_of_day(start)?, parse_time_of_day(stop)?))
    }

    /// Start, in seconds after local midnight.
    #[must_use]
    pub fn start_s(self) -> u32 {
        self.start_s
    }

    /// Stop (exclusive), in seconds after local midnight.
    #[must_use]
    pub fn stop_s(self) -> u32 {
        self.stop_s
    }

    pub(super) fn contains(self, second_of_day: u32) -> bool {
        if self.start_s < self.stop_s {
            (self.start_s..self.stop_s).contains(&second_of_day)
        } else {
            second_of_day >= self.start_s || second_of_day < self.stop_s
        }
    }

    /// The first second of the day behind `second_of_day` at which the window may open or close; the end of the
    /// day at the latest.
    pub(super) fn edge_after(self, second_of_day: u32) -> u32 {
        let edges = [self.start_s, self.stop_s, DAY_S];
        edges.into_iter().filter(|edge| *edge > second_of_day).min().unwrap_or(DAY_S)
    }
}

/// Seconds after midnight of a time of day as typed: `HH:MM` or `HH:MM:SS`, up to 24:00.
pub(super) fn parse_time_of_day(text: &str) -> Result<u32, CalendarRefusal> {
    let refused = || CalendarRefusal::TimeOfDay(text.chars().take(40).collect());
    let fields: Vec<&str> = text.trim().split(':').collect();
    let field = |i: usize| -> Option<u32> {
        let digits = fields.get(i)?;
        let plain = (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse().ok())?
    };
    let (Some(h), Some(m)) = (field(0), field(1)) else { return Err(refused()) };
    let s = match fields.len() {
        2 => 0,
        3 => field(2).ok_or_else(refused)?,
        _ => return Err(refused()),
    };
    let in_day = h < 24 && m < 60 && s < 60;
    if in_day || (h, m, s) == (24, 0, 0) { Ok(h * 3600 + m * 60 + s) } else { Err(refused()) }
}

/// `08:00:00-21:00:00`, or `all day`.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.start_s == self.stop_s {
            return f.pad("all day");
        }
        f.pad(&format!("{}-{}", time_of_day(self.start_s), time_of_day(self.stop_s)))
    }
}

/// Seconds after midnight as `HH:MM:SS`.
#[must_use]
pub fn time_of_day(s: u32) -> String {
    format!("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
}

/// The same without seconds where there are none.
#[must_use]
pub fn short_time_of_day(s: u32) -> String {
    let long = time_of_day(s);
    long.strip_suffix(":00").map(str::to_owned).unwrap_or(long)
}
