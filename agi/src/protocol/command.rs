//! What we ask of Asterisk: typed, quoted, refused rather than repaired (I7).

use std::fmt;

use campanile::domain::action::{Beep, Utterance};
use campanile::domain::name::SoundName;
use campanile::domain::variable::{CHANNEL_PREFIX, VariableName, VariableValue};

/// The longest command line with its line feed, in bytes. Asterisk up to 22.5 cuts at 2,048 and runs
/// the remainder as the next command (asterisk.md 7).
pub const COMMAND_BYTES_MAX: usize = 2000;

/// The keys that may interrupt a sound: all of a telephone's.
pub const KEYS: &str = "0123456789*#";

/// How long a sound lasts before it counts as one, in milliseconds: three frames, so that a click is none.
pub const SOUND_MS: u32 = 60;

/// The variables that we set, beside those that a contact or a list brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variable {
    /// The number shown to the callee.
    CallerNumber,
    /// The name shown to the callee.
    CallerName,
    /// The account code of the call detail record.
    AccountCode,
    /// What `Dial` gets, dial string and seconds, at the instant to dial at: without it the dialplan hangs up.
    Go,
    /// Further options for `Dial`, of a call that is traffic.
    DialOptions,
    /// The headers that its INVITE gets, as `Name:text,Name:text`; the channel to the callee inherits it.
    Headers,
    /// The codecs that its INVITE offers; inherited as well.
    Codecs,
    /// The keys pressed before the call is handed over.
    Digits,
    /// Where the dialplan goes on after the answered leg.
    Ivr,
    /// With whom the dialplan connects the callee there.
    Connect,
    /// The answer to a ping: our version.
    Pong,
}

impl Variable {
    /// Every variable.
    pub const ALL: [Self; 11] = [
        Self::CallerNumber,
        Self::CallerName,
        Self::AccountCode,
        Self::Go,
        Self::DialOptions,
        Self::Headers,
        Self::Codecs,
        Self::Digits,
        Self::Ivr,
        Self::Connect,
        Self::Pong,
    ];

    /// Its name in Asterisk.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CallerNumber => "CALLERID(num)",
            Self::CallerName => "CALLERID(name)",
            Self::AccountCode => "CHANNEL(accountcode)",
            Self::Go => "CAMPANILE_GO",
            Self::DialOptions => "CAMPANILE_OPTIONS",
            Self::Headers => "_CAMPANILE_HEADERS",
            Self::Codecs => "_CAMPANILE_CODECS",
            Self::Digits => "CAMPANILE_DIGITS",
            Self::Ivr => "CAMPANILE_IVR",
            Self::Connect => "CAMPANILE_CONNECT",
            Self::Pong => "CAMPANILE_PONG",
        }
    }
}

/// The keys that interrupt what is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// Any of [`KEYS`].
    Keys,
    /// None; a key that is pressed meanwhile is lost.
    Nothing,
}

/// The applications that we run; there are no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Application {
    /// Listens whether a machine answered, by `amd.conf`; leaves `AMDSTATUS` and `AMDCAUSE`.
    Amd,
    /// `AMD` too, told to end at the first sound of the callee: a "word" may be no longer than [`SOUND_MS`].
    /// `WaitForNoise` would not do: it takes a line without any audio for noise (app_waitforsilence.c).
    FirstSound {
        /// At most so long.
        timeout_s: u32,
    },
}

impl Application {
    /// Its name, and its arguments where it has any: of `AMD` initial silence, greeting, silence after it, whole time,
    /// shortest word, silence between words, most words, threshold (as in `amd.conf`), longest word.
    fn words(self) -> Vec<String> {
        match self {
            Self::Amd => vec!["AMD".to_owned()],
            Self::FirstSound { timeout_s } => {
                let ms = timeout_s.saturating_mul(1000);
                vec!["AMD".to_owned(), format!("{ms},{ms},{ms},{ms},{SOUND_MS},{SOUND_MS},0,,{SOUND_MS}")]
            }
        }
    }
}

/// A command.
#[derive(Clone, PartialEq, Eq)]
pub enum Command {
    /// `SET VARIABLE`. Works on a dead channel too.
    SetVariable {
        /// Which.
        name: Variable,
        /// To what.
        value: String,
    },
    /// `SET VARIABLE` of one that a contact or a list brings. Its name has the prefix of all ours, and is no function.
    SetContactVariable {
        /// Its name, without the prefix.
        name: VariableName,
        /// To what.
        value: VariableValue,
    },
    /// `SAY DIGITS`, `SAY NUMBER`, `SAY DATETIME` or `SAY ALPHA`.
    Say {
        /// What is said.
        utterance: Utterance,
        /// Which keys end it.
        interrupt: Interrupt,
    },
    /// `EXEC`. Works on a dead channel too.
    Exec {
        /// Which.
        application: Application,
    },
    /// `STREAM FILE`: plays a sound; any of [`KEYS`] interrupts it.
    StreamFile {
        /// What is played.
        sound: SoundName,
        /// Where playback begins, in samples: an earlier reply's `endpos`.
        offset: u64,
    },
    /// `RECORD FILE`, as WAV.
    RecordFile {
        /// The file with its ending, which Asterisk adds.
        file: SoundName,
        /// The keys that end it.
        stop: String,
        /// At most so long, in milliseconds.
        timeout_ms: u32,
        /// Silence that ends it, in seconds.
        silence_s: Option<u32>,
        /// Whether it begins with a beep.
        beep: Beep,
    },
    /// `WAIT FOR DIGIT`.
    WaitForDigit {
        /// How long to wait for a key, in milliseconds.
        timeout_ms: u32,
    },
    /// `GET FULL VARIABLE`. Works on a dead channel too.
    GetFullVariable {
        /// What is evaluated, such as `${HANGUPCAUSE}`. Never anything foreign: it can run functions.
        expression: &'static str,
    },
    /// `NOOP`. Works on a dead channel too, so it tells a living session from a closed one.
    Noop,
}

/// Why a command was not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommandRefusal {
    /// A carriage return, line feed or NUL would end the command early.
    #[error("an argument holds a line end or NUL")]
    LineEnd,
    /// Longer than [`COMMAND_BYTES_MAX`].
    #[error("a command of {0} bytes is too long for Asterisk")]
    TooLong(usize),
}

impl Command {
    /// The line for Asterisk with its line feed: one write must carry it whole, because Asterisk spins
    /// on a partial line (asterisk.md 7).
    pub fn render(&self) -> Result<Vec<u8>, CommandRefusal> {
        // Room for nearly all of them.
        let mut line = String::with_capacity(128);
        match self {
            Self::SetVariable { name, value } => write_words(&mut line, "SET VARIABLE", &[name.as_str(), value]),
            Self::SetContactVariable { name, value } => {
                write_words(&mut line, "SET VARIABLE", &[&format!("{CHANNEL_PREFIX}{name}"), value.as_str()])
            }
            Self::Say { utterance, interrupt } => write_say(&mut line, utterance, *interrupt),
            Self::Exec { application } => {
                let words = application.words();
                write_words(&mut line, "EXEC", &words.iter().map(String::as_str).collect::<Vec<_>>());
            }
            Self::StreamFile { sound, offset } => {
                write_words(&mut line, "STREAM FILE", &[sound.as_str(), KEYS, &offset.to_string()])
            }
            Self::RecordFile { file, stop, timeout_ms, silence_s, beep } => {
                let name = file.as_str().strip_suffix(".wav").unwrap_or(file.as_str());
                write_words(&mut line, "RECORD FILE", &[name, "wav", stop, &timeout_ms.to_string()]);
                let silence = silence_s.map(|s| format!("s={s}"));
                let rest = (*beep == Beep::Yes).then_some("BEEP").into_iter().chain(silence.as_deref());
                write_words(&mut line, "", &rest.collect::<Vec<_>>());
            }
            Self::WaitForDigit { timeout_ms } => write_words(&mut line, "WAIT FOR DIGIT", &[&timeout_ms.to_string()]),
            Self::GetFullVariable { expression } => write_words(&mut line, "GET FULL VARIABLE", &[expression]),
            Self::Noop => line.push_str("NOOP"),
        }
        if line.bytes().any(|byte| matches!(byte, b'\r' | b'\n' | b'\0')) {
            return Err(CommandRefusal::LineEnd);
        }
        line.push('\n');
        if line.len() >= COMMAND_BYTES_MAX {
            return Err(CommandRefusal::TooLong(line.len()));
        }
        Ok(line.into_bytes())
    }
}

/// A date is said in UTC, in which it was read. Day of the week, month, day, year; hours, minutes, AM or PM.
fn write_say(line: &mut String, utterance: &Utterance, interrupt: Interrupt) {
    let keys = match interrupt {
        Interrupt::Keys => KEYS,
        Interrupt::Nothing => "",
    };
    match utterance {
        Utterance::Digits(digits) => write_words(line, "SAY DIGITS", &[digits, keys]),
        Utterance::Number(number) => write_words(line, "SAY NUMBER", &[&number.to_string(), keys]),
        Utterance::Day(s) => write_words(line, "SAY DATETIME", &[&s.to_string(), keys, "ABdY", "UTC"]),
        Utterance::Moment(s) => {
            write_words(line, "SAY DATETIME", &[&s.to_string(), keys, "ABdY 'digits/at' IMp", "UTC"])
        }
        Utterance::Characters(text) => write_words(line, "SAY ALPHA", &[text, keys]),
    }
}

/// Every argument is quoted, also the harmless ones: an empty one would vanish otherwise.
fn write_words(line: &mut String, verb: &str, arguments: &[&str]) {
    line.push_str(verb);
    for argument in arguments {
        line.push_str(" \"");
        if !argument.bytes().any(|byte| matches!(byte, b'\\' | b'"')) {
            line.push_str(argument);
        } else {
            argument.chars().for_each(|char| {
                if matches!(char, '\\' | '"') {
                    line.push('\\');
                }
                line.push(char);
            });
        }
        line.push('"');
    }
}

/// Values hold people's numbers and keys.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetVariable { name, .. } => write!(f, "SET VARIABLE {} …", name.as_str()),
            Self::SetContactVariable { name, .. } => write!(f, "SET VARIABLE {CHANNEL_PREFIX}{name} …"),
            Self::Say { .. } => f.write_str("SAY …"),
            Self::Exec { application } => write!(f, "EXEC {}", application.words().join(" ")),
            Self::StreamFile { sound, offset } => write!(f, "STREAM FILE {sound} at {offset}"),
            Self::RecordFile { file, timeout_ms, .. } => write!(f, "RECORD FILE {file} {timeout_ms}"),
            Self::WaitForDigit { timeout_ms } => write!(f, "WAIT FOR DIGIT {timeout_ms}"),
            Self::GetFullVariable { expression } => write!(f, "GET FULL VARIABLE {expression}"),
            Self::Noop => f.write_str("NOOP"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Asterisk's `parse_args` (res_agi.c:4124-4185), with its rules and their order.
    fn parse_args(line: &[u8]) -> Vec<Vec<u8>> {
        let (mut words, mut quoted, mut escaped, mut between): (Vec<Vec<u8>>, _, _, _) = (vec![], false, false, true);
        for &byte in line {
            match byte {
                b'"' if !escaped => {
                    quoted = !quoted;
                    if quoted && between {
                        words.push(vec![]);
                        between = false;
                    }
                }
                b' ' | b'\t' if !quoted && !escaped => between = true,
                b'\\' if !escaped => escaped = true,
                _ => {
                    if between {
                        words.push(vec![]);
                        between = false;
                    }
                    words.last_mut().unwrap().push(byte);
                    escaped = false;
                }
            }
        }
        words
    }

    #[track_caller]
    fn renders(command: &Command, expected: &str) {
        assert_eq!(String::from_utf8(command.render().unwrap()).unwrap(), expected);
    }

    fn set(name: Variable, value: &str) -> Command {
        Command::SetVariable { name, value: value.to_owned() }
    }

    #[test]
    fn commands_read_as_documented() {
        renders(&set(Variable::Go, "PJSIP/+4930@gw,30"), "SET VARIABLE \"CAMPANILE_GO\" \"PJSIP/+4930@gw,30\"\n");
        renders(&set(Variable::CallerName, "a\"b\\"), "SET VARIABLE \"CALLERID(name)\" \"a\\\"b\\\\\"\n");
        renders(&set(Variable::Digits, ""), "SET VARIABLE \"CAMPANILE_DIGITS\" \"\"\n");
        let sound = "en/welcome".parse().unwrap();
        renders(&Command::StreamFile { sound, offset: 8000 }, "STREAM FILE \"en/welcome\" \"0123456789*#\" \"8000\"\n");
        renders(&Command::WaitForDigit { timeout_ms: 2000 }, "WAIT FOR DIGIT \"2000\"\n");
        renders(&Command::GetFullVariable { expression: "${X}" }, "GET FULL VARIABLE \"${X}\"\n");
        renders(&Command::Noop, "NOOP\n");
        renders(&Command::Exec { application: Application::Amd }, "EXEC \"AMD\"\n");
        let application = Application::FirstSound { timeout_s: 10 };
        renders(&Command::Exec { application }, "EXEC \"AMD\" \"10000,10000,10000,10000,60,60,0,,60\"\n");
        let (name, value) = ("debt".parse().unwrap(), "20 000".parse().unwrap());
        renders(&Command::SetContactVariable { name, value }, "SET VARIABLE \"CAMPANILE_VAR_debt\" \"20 000\"\n");
    }

    #[test]
    fn a_recording_reads_as_documented() {
        let record = |silence_s, beep, expected: &str| {
            let file = "/var/spool/asterisk/monitor/campanile-7-0-1.wav".parse().unwrap();
            renders(&Command::RecordFile { file, stop: "#".to_owned(), timeout_ms: 5000, silence_s, beep }, expected);
        };
        let line = "RECORD FILE \"/var/spool/asterisk/monitor/campanile-7-0-1\" \"wav\" \"#\" \"5000\"";
        record(None, Beep::No, &format!("{line}\n"));
        record(Some(3), Beep::Yes, &format!("{line} \"BEEP\" \"s=3\"\n"));
    }

    #[test]
    fn what_is_said_reads_as_documented() {
        let say = |utterance, interrupt, expected| renders(&Command::Say { utterance, interrupt }, expected);
        let keys = Interrupt::Keys;
        say(Utterance::Digits("0042".to_owned()), keys, "SAY DIGITS \"0042\" \"0123456789*#\"\n");
        say(Utterance::Number(-7), Interrupt::Nothing, "SAY NUMBER \"-7\" \"\"\n");
        say(Utterance::Characters("A 1".to_owned()), Interrupt::Nothing, "SAY ALPHA \"A 1\" \"\"\n");
        say(Utterance::Day(86_400), Interrupt::Nothing, "SAY DATETIME \"86400\" \"\" \"ABdY\" \"UTC\"\n");
        let moment = "SAY DATETIME \"60\" \"\" \"ABdY 'digits/at' IMp\" \"UTC\"\n";
        say(Utterance::Moment(60), Interrupt::Nothing, moment);
    }

    #[test]
    fn what_would_become_a_second_command_is_refused_i7() {
        for value in ["a\nEXEC System x", "a\rb", "a\0b", "\n"] {
            assert_eq!(set(Variable::Go, value).render(), Err(CommandRefusal::LineEnd), "{value:?}");
        }
        let line = set(Variable::Go, "").render().unwrap().len();
        assert!(set(Variable::Go, &"a".repeat(COMMAND_BYTES_MAX - line - 1)).render().is_ok());
        let refused = set(Variable::Go, &"a".repeat(COMMAND_BYTES_MAX - line)).render();
        assert_eq!(refused, Err(CommandRefusal::TooLong(COMMAND_BYTES_MAX)));
        assert!(set(Variable::Go, &"\"".repeat(1000)).render().is_err());
    }

    #[test]
    fn debug_shows_no_value() {
        assert_eq!(format!("{:?}", set(Variable::Go, "PJSIP/+49301234567@gw,30")), "SET VARIABLE CAMPANILE_GO …");
    }

    proptest! {
        #[test]
        fn a_command_is_one_line_that_asterisk_reads_back_i7(which in 0..Variable::ALL.len(), value in any::<String>()) {
            let name = Variable::ALL[which];
            let Ok(line) = set(name, &value).render() else {
                prop_assert!(value.contains(['\r', '\n', '\0']) || value.len() > 900);
                return Ok(());
            };
            let (end, body) = line.split_last().unwrap();
            prop_assert_eq!(*end, b'\n');
            prop_assert!(!body.contains(&b'\n') && line.len() < COMMAND_BYTES_MAX);
            let expected = [&b"SET"[..], b"VARIABLE", name.as_str().as_bytes(), value.as_bytes()];
            prop_assert_eq!(parse_args(body), expected);
        }

        #[test]
        fn quotes_and_escapes_survive_i7(value in "[\"\\\\ \ta]{0,40}") {
            let line = set(Variable::Go, &value).render().unwrap();
            prop_assert_eq!(&parse_args(&line[..line.len() - 1])[3], value.as_bytes());
        }
    }
}
