//! Checks of lines: how often calls over a trunk are answered, how soon they ring, how soon they are heard.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::cause::Cause;
use super::disposition::Disposition;
use super::number::Number;
use super::stored::worded_enum;

worded_enum! {
    /// What a check comes to; the later, the worse.
    pub enum Verdict {
        /// All was measured and keeps its limits.
        Ok = "ok",
        /// A limit was asked for of which there is nothing to say.
        NotMeasured = "not_measured",
        /// A limit was missed.
        Missed = "missed",
    }
}

/// What an answered call that was listened to came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Milliseconds from the answer to the first sound.
    AfterMs(i64),
    /// Nothing, as long as it was listened to.
    Nothing,
}

/// A call that was dialled and has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// How it ended.
    pub disposition: Disposition,
    /// Q.850 cause.
    pub cause: Option<u16>,
    /// SIP code.
    pub sip_code: Option<u16>,
    /// From `Dial` to the first ringing or progress, else to the answer.
    pub post_dial_ms: Option<i64>,
    /// What was heard; `None` when nobody listened.
    pub heard: Option<Heard>,
}

/// Durations of several calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Durations {
    /// How many.
    pub count: u64,
    sum_ms: i64,
    /// The longest.
    pub max_ms: i64,
}

impl Durations {
    fn add(&mut self, ms: i64) {
        self.count += 1;
        self.sum_ms = self.sum_ms.saturating_add(ms);
        self.max_ms = self.max_ms.max(ms);
    }

    /// Their mean; `None` of none.
    #[must_use]
    pub fn mean_ms(&self) -> Option<i64> {
        (self.count > 0).then(|| self.sum_ms / i64::try_from(self.count).unwrap_or(i64::MAX))
    }
}

/// What the calls over one trunk to one prefix come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measures {
    /// Calls that were dialled.
    pub dialled: u64,
    /// Of these, those that were answered.
    pub answered: u64,
    /// Post-dial delay.
    pub post_dial: Durations,
    /// From the answer to the first audio.
    pub first_audio: Durations,
    /// Answered calls that were listened to.
    pub listened: u64,
    /// Why the others were not answered.
    pub causes: BTreeMap<String, u64>,
}

impl Measures {
    /// Counts a call.
    pub fn add(&mut self, probe: &Probe) {
        self.dialled += 1;
        if matches!(probe.disposition, Disposition::Answered | Disposition::Machine) {
            self.answered += 1;
        } else {
            *self.causes.entry(why_not(probe)).or_default() += 1;
        }
        if let Some(ms) = probe.post_dial_ms {
            self.post_dial.add(ms);
        }
        self.listened += u64::from(probe.heard.is_some());
        if let Some(Heard::AfterMs(ms)) = probe.heard {
            self.first_audio.add(ms);
        }
    }

    /// Answered of dialled (answer-seizure ratio), in percent; `None` when none was dialled.
    #[must_use]
    pub fn asr_percent(&self) -> Option<f64> {
        percent(self.answered, self.dialled)
    }

    /// Calls with a sound of those that were listened to, in percent.
    #[must_use]
    pub fn heard_percent(&self) -> Option<f64> {
        percent(self.first_audio.count, self.listened)
    }

    /// What the limits say of it, with a word for each that is not kept. A limit of something that no call measured is
    /// neither kept nor missed.
    #[must_use]
    pub fn judge(&self, limits: &Limits) -> (Verdict, Vec<String>) {
        let seconds = |ms: i64| format!("{}.{:03} s", ms / 1000, ms % 1000);
        let least = |name: &str, value: Option<f64>, limit: Option<Percent>| {
            limit.map(|Percent(limit)| match value {
                None => (Verdict::NotMeasured, format!("{name} was not measured")),
                Some(value) if value < limit => (Verdict::Missed, format!("{name} {value:.1}% < {limit}%")),
                Some(_) => (Verdict::Ok, String::new()),
            })
        };
        let most = |name: &str, value: Option<i64>, limit: Option<i64>| {
            limit.map(|limit| match value {
                None => (Verdict::NotMeasured, format!("{name} was not measured")),
                Some(ms) if ms > limit => (Verdict::Missed, format!("{name} {} > {}", seconds(ms), seconds(limit))),
                Some(_) => (Verdict::Ok, String::new()),
            })
        };
        let dialled = (self.dialled == 0).then(|| (Verdict::NotMeasured, "no call".to_owned()));
        let told = [
            dialled,
            least("ASR", self.asr_percent(), limits.asr_min),
            most("post-dial delay", self.post_dial.mean_ms(), limits.post_dial_max_ms),
            most("first audio", self.first_audio.mean_ms(), limits.first_audio_max_ms),
            least("heard", self.heard_percent(), limits.heard_min),
        ];
        let told: Vec<(Verdict, String)> = told.into_iter().flatten().filter(|(v, _)| *v != Verdict::Ok).collect();
        let worst = told.iter().map(|(verdict, _)| *verdict).max().unwrap_or(Verdict::Ok);
        let kept = told.into_iter().map(|(_, word)| word);
        // Without a call each limit would say the same.
        (worst, if self.dialled == 0 { kept.take(1).collect() } else { kept.collect() })
    }
}

fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 * 100.0 / whole as f64)
}

/// The other side's final code, else Asterisk's cause, else how it ended.
fn why_not(probe: &Probe) -> String {
    let sip = probe.sip_code.filter(|code| *code >= 300).map(Cause::Sip);
    let cause = sip.or(probe.cause.map(Cause::Q850));
    cause.map_or_else(|| probe.disposition.to_string(), |cause| cause.to_string())
}

/// What calls have to keep.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Limits {
    /// The least answer-seizure ratio.
    pub asr_min: Option<Percent>,
    /// The longest mean post-dial delay.
    pub post_dial_max_ms: Option<i64>,
    /// The longest mean time from the answer to the first audio.
    pub first_audio_max_ms: Option<i64>,
    /// The least share of calls in which something was heard.
    pub heard_min: Option<Percent>,
}

/// A share, 0 to 100, as typed: `80%` or `80`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percent(pub f64);

impl FromStr for Percent {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_suffix('%').unwrap_or(text);
        let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let share = digits.parse().ok().filter(|share| plain && (0.0..=100.0).contains(share));
        share.map(Self).ok_or("write a percentage from 0 to 100, such as 80%")
    }
}

/// A time as typed: `4s`, `1500ms`, `90m`, `24h`, `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// In milliseconds.
    pub ms: i64,
}

impl FromStr for Span {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
        let read = units.iter().find_map(|(unit, ms)| {
            let n = text.strip_suffix(unit).filter(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))?;
            n.parse::<i64>().ok()?.checked_mul(*ms)
        });
        let ms = read.filter(|ms| *ms <= 10 * 366 * 86_400_000);
        ms.map(|ms| Self { ms }).ok_or("write a time with its unit, such as 1500ms, 4s, 90m, 24h or 7d")
    }
}

/// How numbers are put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prefixes {
    /// By their country code.
    Countries,
    /// By the longest of these that they begin with, without `+`.
    Given(Vec<String>),
}

impl Prefixes {
    /// The prefix of a number; `-` when it has none of them.
    #[must_use]
    pub fn of(&self, number: &Number) -> String {
        let digits = number.as_str().trim_start_matches('+');
        let prefix = match self {
            Self::Countries => number.country_code().map(|code| code.to_string()),
            Self::Given(all) => {
                all.iter().filter(|prefix| digits.starts_with(*prefix)).max_by_key(|prefix| prefix.len()).cloned()
            }
        };
        prefix.unwrap_or_else(|| "-".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(disposition: Disposition, sip_code: u16) -> Probe {
        Probe { disposition, cause: None, sip_code: Some(sip_code), post_dial_ms: None, heard: None }
    }

    fn answered(post_dial_ms: i64, heard: Heard) -> Probe {
        Probe { post_dial_ms: Some(post_dial_ms), heard: Some(heard), ..probe(Disposition::Answered, 200) }
    }

    fn some() -> Measures {
        let mut measures = Measures::default();
        measures.add(&answered(1_000, Heard::AfterMs(200)));
        measures.add(&answered(3_000, Heard::Nothing));
        measures.add(&probe(Disposition::TrunkFailure, 503));
        measures.add(&Probe { cause: Some(17), sip_code: Some(180), ..probe(Disposition::Busy, 0) });
        measures
    }

    #[test]
    fn calls_are_counted_with_what_was_measured_in_each() {
        let measures = some();
        assert_eq!((measures.dialled, measures.answered, measures.asr_percent()), (4, 2, Some(50.0)));
        assert_eq!((measures.post_dial.mean_ms(), measures.post_dial.max_ms), (Some(2_000), 3_000));
        assert_eq!((measures.first_audio.mean_ms(), measures.heard_percent()), (Some(200), Some(50.0)));
        let causes: Vec<(&str, u64)> = measures.causes.iter().map(|(cause, n)| (cause.as_str(), *n)).collect();
        assert_eq!(causes, [("USER_BUSY", 1), ("sip:503", 1)]);
    }

    #[test]
    fn limits_are_kept_or_missed_or_were_not_measured() {
        let judge = |limits| some().judge(&limits);
        let asr = |share| Limits { asr_min: Some(Percent(share)), ..Limits::default() };
        assert_eq!(judge(Limits::default()), (Verdict::Ok, vec![]));
        assert_eq!(judge(asr(50.0)), (Verdict::Ok, vec![]));
        assert_eq!(judge(asr(50.1)), (Verdict::Missed, vec!["ASR 50.0% < 50.1%".to_owned()]));
        let slow = Limits { post_dial_max_ms: Some(1_999), heard_min: Some(Percent(60.0)), ..Limits::default() };
        let words = ["post-dial delay 2.000 s > 1.999 s", "heard 50.0% < 60%"];
        assert_eq!(judge(slow), (Verdict::Missed, words.map(str::to_owned).to_vec()));
        let mut unheard = Measures::default();
        unheard.add(&probe(Disposition::Busy, 486));
        let audio = Limits { first_audio_max_ms: Some(500), ..Limits::default() };
        assert_eq!(unheard.judge(&audio), (Verdict::NotMeasured, vec!["first audio was not measured".to_owned()]));
        assert_eq!(Measures::default().judge(&asr(10.0)), (Verdict::NotMeasured, vec!["no call".to_owned()]));
    }

    #[test]
    fn numbers_belong_to_their_country_or_to_the_longest_prefix_that_is_given() {
        let number = |text| Number::from_canonical(text).unwrap();
        assert_eq!(Prefixes::Countries.of(&number("+493012345601")), "49");
        assert_eq!(Prefixes::Countries.of(&number("+12015550123")), "1");
        assert_eq!(Prefixes::Countries.of(&number("200")), "-");
        let given = Prefixes::Given(vec!["4930".to_owned(), "49".to_owned()]);
        assert_eq!(given.of(&number("+493012345601")), "4930");
        assert_eq!(given.of(&number("+494012345601")), "49");
        assert_eq!(given.of(&number("+12015550123")), "-");
    }

    #[test]
    fn shares_and_times_are_typed_with_their_units() {
        let ms = |text: &str| text.parse::<Span>().map(|span| span.ms);
        assert_eq!(
            [ms("1500ms"), ms("4s"), ms("90m"), ms("2h"), ms("1d")].map(Result::unwrap),
            [1_500, 4_000, 5_400_000, 7_200_000, 86_400_000]
        );
        for text in ["", "4", "s", "-4s", "+4s", "4 s", "4w", "99999999999999999999d", "9999999999d"] {
            assert!(ms(text).is_err(), "{text}");
        }
        assert_eq!("80%".parse(), Ok(Percent(80.0)));
        assert_eq!("99.5".parse(), Ok(Percent(99.5)));
        for text in ["", "%", "-1", "101%", "NaN", "inf", "1e1", "80 %"] {
            assert!(text.parse::<Percent>().is_err(), "{text}");
        }
    }
}
