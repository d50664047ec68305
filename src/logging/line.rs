//! A line of the log, as cheap as it can be: the pattern encoder of log4rs reads its pattern and reckons the
//! date anew for each line, which took an eighth of what a session of `campanile-agi` did (decision 0016).

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use log::{Level, Record};
use log4rs::config::{Deserialize, Deserializers};
use log4rs::encode::{Encode, Write};

use crate::clock;

/// Writes instant, level, the message (which begins with the attempt's id) and the module that speaks: as the
/// pattern `{d(%Y-%m-%dT%H:%M:%S%.3f%:z)} {l:<5} {m} [{t}]{n}`.
#[derive(Debug, Default)]
pub(super) struct Line(Mutex<Second>);

/// The last second that was written, before and behind its milliseconds.
#[derive(Debug, Default)]
struct Second {
    number: i64,
    date: String,
    offset: String,
}

impl Encode for Line {
    fn encode(&self, w: &mut dyn Write, record: &Record<'_>) -> anyhow::Result<()> {
        let now = clock::now();
        {
            let mut second = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            second.become_that_of(now.0.div_euclid(1_000));
            w.write_all(second.date.as_bytes())?;
            w.write_all(&millis(now.0))?;
            w.write_all(second.offset.as_bytes())?;
        }
        // Piece by piece: each `{}` of a format costs more than what it writes.
        w.write_all(level(record.level()))?;
        w.write_fmt(*record.args())?;
        for piece in [" [", record.target(), "]\n"] {
            w.write_all(piece.as_bytes())?;
        }
        Ok(())
    }
}

/// Those of the second, with their point.
fn millis(now: i64) -> [u8; 4] {
    let ms = now.rem_euclid(1_000);
    let digit = |n: i64| b'0' + u8::try_from(n % 10).unwrap_or_default();
    [b'.', digit(ms / 100), digit(ms / 10), digit(ms)]
}

/// Its name in five places, between blanks.
fn level(level: Level) -> &'static [u8] {
    match level {
        Level::Error => b" ERROR ",
        Level::Warn => b" WARN  ",
        Level::Info => b" INFO  ",
        Level::Debug => b" DEBUG ",
        Level::Trace => b" TRACE ",
    }
}

impl Second {
    fn become_that_of(&mut self, number: i64) {
        if self.number == number && !self.date.is_empty() {
            return;
        }
        let zoned = Timestamp::from_second(number).unwrap_or_default().to_zoned(TimeZone::system());
        *self = Self {
            number,
            date: zoned.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
            offset: zoned.strftime("%:z").to_string(),
        };
    }
}

/// The encoder `kind: line` of a configuration file.
#[derive(Debug)]
pub(super) struct LineKind;

/// It has no settings.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoSettings {}

impl Deserialize for LineKind {
    type Trait = dyn Encode;
    type Config = NoSettings;

    fn deserialize(&self, _: NoSettings, _: &Deserializers) -> anyhow::Result<Box<dyn Encode>> {
        Ok(Box::new(Line::default()))
    }
}

#[cfg(test)]
mod tests {
    use log4rs::encode::pattern::PatternEncoder;
    use log4rs::encode::writer::simple::SimpleWriter;

    use super::*;

    fn written(encoder: &dyn Encode) -> String {
        let mut bytes = SimpleWriter(Vec::new());
        let mut record = Record::builder();
        record.level(Level::Warn).target("campanile::x");
        encoder.encode(&mut bytes, &record.args(format_args!("attempt 7: {}", 1)).build()).unwrap();
        String::from_utf8(bytes.0).unwrap()
    }

    #[test]
    fn a_line_reads_as_the_pattern_of_log4rs_would_write_it() {
        let pattern = PatternEncoder::new("{d(%Y-%m-%dT%H:%M:%S%.3f%:z)} {l:<5} {m} [{t}]{n}");
        let line = Line::default();
        // All but the milliseconds, in a second that both write in.
        let cut = |text: String| format!("{}{}", &text[..19], &text[23..]);
        let alike = (0..10).any(|_| cut(written(&line)) == cut(written(&pattern)));
        assert!(alike, "{} is not like {}", written(&line), written(&pattern));
    }

    #[test]
    fn levels_and_milliseconds_have_their_width() {
        for of in Level::iter() {
            assert_eq!(str::from_utf8(level(of)).unwrap(), format!(" {of:<5} "));
        }
        for ms in [0, 7, 45, 999, 1_000, 1_700_000_000_123, -1] {
            assert_eq!(str::from_utf8(&millis(ms)).unwrap(), format!(".{:03}", ms.rem_euclid(1_000)));
        }
    }

    #[test]
    fn each_second_has_its_own_date() {
        let mut second = Second::default();
        second.become_that_of(0);
        let first = second.date.clone();
        second.become_that_of(86_400 * 366);
        assert!(first.starts_with("19") && second.date.starts_with("197"), "{first} {}", second.date);
        assert_ne!(first, second.date);
    }
}
