//! How long made-up calls last after their answer, as in mod_dialer.

use std::fmt;
use std::str::FromStr;

/// The shortest made-up call, in milliseconds.
pub const DURATION_MS_MIN: u32 = 100;
/// The longest: a day.
pub const DURATION_MS_MAX: u32 = 86_400_000;

/// How long calls last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DurationRule {
    /// From the one to the other, each alike; the same twice is fixed. A contact's own duration goes before it.
    Uniform {
        /// The shortest, in milliseconds.
        min_ms: u32,
        /// The longest.
        max_ms: u32,
    },
    /// By a normal distribution; what lies outside the bounds is put onto them. A contact's own is not asked for.
    Gaussian {
        /// The mean, in milliseconds, within the bounds.
        mean_ms: u32,
        /// The standard deviation.
        deviation_ms: u32,
        /// The shortest.
        min_ms: u32,
        /// The longest.
        max_ms: u32,
    },
}

/// Why a text is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationRefusal {
    /// Not of the form.
    #[error(
        "`{0}` is no duration: write 30s for all calls, 20s-60s for each between these, or \
         gauss:MEAN,DEVIATION,MIN-MAX such as gauss:30s,10s,20s-60s; none for as long as the actions last"
    )]
    Form(String),
    /// A part that is no time.
    #[error("`{0}` is no time: write milliseconds, seconds or minutes with their unit, 100ms to 1440m, such as 30s")]
    Time(String),
    /// The bounds are in the wrong order.
    #[error("the longest duration is shorter than the shortest one: write them as MIN-MAX, such as 20s-60s")]
    Bounds,
    /// A Gaussian whose mean is not between its bounds: most calls would lie on one of them.
    #[error("the mean lies outside MIN-MAX, so that most calls would be of the same duration")]
    Mean,
}

/// A time as typed, such as `30s`, `1500ms` or `2m`, in milliseconds.
pub fn time_ms(text: &str) -> Result<u32, DurationRefusal> {
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000)];
    let text = text.trim_matches(' ');
    let typed = units.iter().find_map(|(unit, ms)| Some((text.strip_suffix(unit)?, *ms)));
    let digits = typed.filter(|(number, _)| number.bytes().all(|b| b.is_ascii_digit()));
    let ms = digits.and_then(|(number, ms)| number.parse::<u32>().ok()?.checked_mul(ms));
    ms.filter(|ms| (DURATION_MS_MIN..=DURATION_MS_MAX).contains(ms))
        .ok_or_else(|| DurationRefusal::Time(text.chars().take(40).collect()))
}

/// As it is typed: `30s`, `1500ms`.
#[must_use]
pub fn time_in_words(ms: u32) -> String {
    if ms.is_multiple_of(1_000) { format!("{}s", ms / 1_000) } else { format!("{ms}ms") }
}

fn bounds(text: &str) -> Result<(u32, u32), DurationRefusal> {
    let (min, max) = text.split_once('-').unwrap_or((text, text));
    let (min_ms, max_ms) = (time_ms(min)?, time_ms(max)?);
    if min_ms <= max_ms { Ok((min_ms, max_ms)) } else { Err(DurationRefusal::Bounds) }
}

impl FromStr for DurationRule {
    type Err = DurationRefusal;

    fn from_str(text: &str) -> Result<Self, DurationRefusal> {
        let form = || DurationRefusal::Form(text.chars().take(40).collect());
        let Some(gauss) = text.strip_prefix("gauss:") else {
            if !text.starts_with(|c: char| c.is_ascii_digit()) {
                return Err(form());
            }
            let (min_ms, max_ms) = bounds(text)?;
            return Ok(Self::Uniform { min_ms, max_ms });
        };
        let parts: Vec<&str> = gauss.split(',').collect();
        let [mean, deviation, within] = parts[..] else { return Err(form()) };
        let (mean_ms, deviation_ms) = (time_ms(mean)?, time_ms(deviation)?);
        let (min_ms, max_ms) = bounds(within)?;
        if !(min_ms..=max_ms).contains(&mean_ms) {
            return Err(DurationRefusal::Mean);
        }
        Ok(Self::Gaussian { mean_ms, deviation_ms, min_ms, max_ms })
    }
}

/// As typed.
impl fmt::Display for DurationRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let within = |min_ms: u32, max_ms: u32| format!("{}-{}", time_in_words(min_ms), time_in_words(max_ms));
        let text = match *self {
            Self::Uniform { min_ms, max_ms } if min_ms == max_ms => time_in_words(min_ms),
            Self::Uniform { min_ms, max_ms } => within(min_ms, max_ms),
            Self::Gaussian { mean_ms, deviation_ms, min_ms, max_ms } => {
                let (mean, deviation) = (time_in_words(mean_ms), time_in_words(deviation_ms));
                format!("gauss:{mean},{deviation},{}", within(min_ms, max_ms))
            }
        };
        f.pad(&text)
    }
}

impl DurationRule {
    /// How long a call lasts, in milliseconds: by random bits, of which all are used, and the contact's own duration.
    /// As in mod_dialer a Gaussian goes before the contact's own, and that before what lies between two bounds.
    #[must_use]
    pub fn draw(self, own_ms: Option<u32>, bits: u64) -> u32 {
        match (self, own_ms) {
            (Self::Uniform { .. }, Some(own_ms)) => own_ms,
            (Self::Uniform { min_ms, max_ms }, None) => uniform(min_ms, max_ms, bits),
            (Self::Gaussian { mean_ms, deviation_ms, min_ms, max_ms }, _) => {
                let drawn_ms = f64::from(mean_ms) + f64::from(deviation_ms) * standard_normal(bits);
                // A cast from float saturates, and rounds towards zero.
                let ms = drawn_ms.round().clamp(f64::from(min_ms), f64::from(max_ms));
                ms as u32
            }
        }
    }
}

/// A number from `min` to `max`, both among them, each alike.
pub(super) fn uniform(min: u32, max: u32, bits: u64) -> u32 {
    let span = u128::from(max.saturating_sub(min)) + 1;
    let offset = (u128::from(bits) * span) >> 64;
    // It is less than the span, so the sum is at most `max`.
    min.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX))
}

/// A number of the normal distribution with mean 0 and deviation 1, by Box and Muller.
fn standard_normal(bits: u64) -> f64 {
    const STEPS: f64 = 4_294_967_296.0;
    let (high, low) = (bits >> 32, bits & 0xffff_ffff);
    let [high, low] = [high, low].map(|half| f64::from(u32::try_from(half).unwrap_or(u32::MAX)));
    // Never 0, whose logarithm has no end.
    let radius = (-2.0 * ((high + 1.0) / STEPS).ln()).sqrt();
    radius * (std::f64::consts::TAU * low / STEPS).cos()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(text: &str) -> DurationRule {
        text.parse().unwrap()
    }

    /// Bits that look random, one after the other (SplitMix64).
    fn bits(seed: u64) -> impl Iterator<Item = u64> {
        (1..).map(move |n: u64| {
            let mut z = seed.wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        })
    }

    fn drawn(rule: DurationRule, seed: u64) -> Vec<f64> {
        bits(seed).take(4_000).map(|bits| f64::from(rule.draw(None, bits))).collect()
    }

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).unwrap())
    }

    #[test]
    fn durations_read_back_as_shown() {
        for text in ["30s", "20s-60s", "1500ms", "100ms-86400s", "gauss:30s,10s,20s-60s", "gauss:30s,500ms,1s-60s"] {
            assert_eq!(rule(text).to_string(), text);
        }
        assert_eq!(rule("60s-60s").to_string(), "60s");
        assert_eq!(rule("2m - 3m").to_string(), "120s-180s");
    }

    #[test]
    fn what_is_no_duration_is_refused_with_its_reason() {
        use DurationRefusal::*;
        let refused = |text: &str| text.parse::<DurationRule>().unwrap_err();
        for text in ["", "abc", "gauss", "gauss:30s", "gauss:30s,10s", "normal:1s", "-5s", "none"] {
            assert!(matches!(refused(text), Form(_)), "{text:?}");
        }
        for text in ["30", "0s", "99ms", "1441m", "20s-", "20s-60", "gauss:30,10s,20s-60s", "+30s-40s", "3 0s", "1h"] {
            let why = refused(text);
            assert!(matches!(why, Time(_)) || (text.starts_with('+') && matches!(why, Form(_))), "{text:?}: {why}");
        }
        assert_eq!(refused("60s-20s"), Bounds);
        assert_eq!(refused("gauss:70s,10s,20s-60s"), Mean);
    }

    #[test]
    fn a_contacts_own_duration_goes_before_bounds_and_behind_a_gaussian() {
        assert_eq!(rule("20s-60s").draw(Some(7_000), 5), 7_000);
        assert_eq!(rule("30s").draw(None, 5), 30_000);
        let gauss = rule("gauss:30s,10s,20s-60s");
        assert_eq!(gauss.draw(Some(7_000), 5), gauss.draw(None, 5));
    }

    #[test]
    fn the_outermost_bits_give_the_bounds() {
        let between = rule("20s-60s");
        assert_eq!((between.draw(None, 0), between.draw(None, u64::MAX)), (20_000, 60_000));
        let gauss = rule("gauss:30s,10s,20s-60s");
        assert_eq!(gauss.draw(None, 0), 60_000, "6.7 deviations are clipped");
        assert_eq!(gauss.draw(None, 0x8000_0000), 20_000);
    }

    proptest! {
        #[test]
        fn uniform_durations_fill_their_bounds_and_lie_within(
            (min, span, seed) in (100..50_000_u32, 0..50_000_u32, any::<u64>()),
        ) {
            let max = min + span;
            let drawn = drawn(DurationRule::Uniform { min_ms: min, max_ms: max }, seed);
            prop_assert!(drawn.iter().all(|ms| (f64::from(min)..=f64::from(max)).contains(ms)));
            let middle = f64::from(min) + f64::from(span) / 2.0;
            // Six deviations of the mean of 4000: 0.289 / sqrt(4000) * 6.
            prop_assert!((mean(&drawn) - middle).abs() <= f64::from(span) * 0.0275 + 1.0);
            let quarters = |lower: f64| drawn.iter().filter(|ms| (**ms - f64::from(min)) < f64::from(span) * lower).count();
            prop_assert!(span < 1_000 || (850..1_150).contains(&quarters(0.25)), "{}", quarters(0.25));
        }

        #[test]
        fn gaussian_durations_are_clipped_and_lie_around_their_mean(
            (mean_ms, deviation_ms, seed) in (30_000..60_000_u32, 1_000..5_000_u32, any::<u64>()),
        ) {
            let wide = DurationRule::Gaussian { mean_ms, deviation_ms, min_ms: 100, max_ms: 90_000 };
            let drawn_wide = drawn(wide, seed);
            let of_deviation = (mean(&drawn_wide) - f64::from(mean_ms)) / f64::from(deviation_ms);
            prop_assert!(of_deviation.abs() < 0.1, "{of_deviation}");
            let square = |ms: &f64| (ms - f64::from(mean_ms)).powi(2);
            let deviation = mean(&drawn_wide.iter().map(square).collect::<Vec<_>>()).sqrt() / f64::from(deviation_ms);
            prop_assert!((0.9..1.1).contains(&deviation), "{deviation}");

            let (min_ms, max_ms) = (mean_ms - deviation_ms, mean_ms + deviation_ms);
            let narrow = drawn(DurationRule::Gaussian { mean_ms, deviation_ms, min_ms, max_ms }, seed);
            prop_assert!(narrow.iter().all(|ms| (f64::from(min_ms)..=f64::from(max_ms)).contains(ms)));
            // Beyond one deviation lie 32 of 100: they are on the bounds, half on each.
            let on = |bound: u32| narrow.iter().filter(|ms| **ms == f64::from(bound)).count();
            prop_assert!((500..770).contains(&on(min_ms)) && (500..770).contains(&on(max_ms)));
        }
    }
}
