//! The environment block with which Asterisk opens a session (res_agi.c:2449-2493).

use memchr::memchr_iter;

use super::decoder::Violation;
use super::line::LINE_BYTES_MAX;

/// The most lines of an environment; Asterisk sends about 23 and one for each argument.
pub const ENVIRONMENT_LINES_MAX: usize = 256;
/// The most bytes of an environment; Asterisk's has about 700, and nobody may keep us busy with more.
pub const ENVIRONMENT_BYTES_MAX: usize = 16 * 1024;
/// The most arguments that are kept; our dialplan passes at most nine.
pub const ARGS_MAX: usize = 32;

/// What a session asks for: a script and its arguments, raw.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Request {
    script: String,
    args: Vec<String>,
}

impl Request {
    /// A request for `script` with `args`.
    #[must_use]
    pub fn new(script: &str, args: &[&str]) -> Self {
        Self { script: script.to_owned(), args: args.iter().map(|&arg| arg.to_owned()).collect() }
    }

    /// The path of the URL after its first slash: `gate` of `agi://127.0.0.1:4573/gate`.
    #[must_use]
    pub fn script(&self) -> &str {
        &self.script
    }

    /// The argument at `place`, counted from 1 as `agi_arg_1` is; empty when there is none, because
    /// Asterisk tells an empty variable no differently.
    #[must_use]
    pub fn arg(&self, place: usize) -> &str {
        place.checked_sub(1).and_then(|index| self.args.get(index)).map_or("", String::as_str)
    }
}

/// The arguments hold the ticket, which no log may show.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Request({:?}, {} arguments)", self.script, self.args.len())
    }
}

/// Collects the lines of an environment.
///
/// Values come raw: a line feed in a caller id would inject lines (asterisk.md 7). Asterisk writes the
/// script before anything foreign and the arguments after it, so the first script and the last value
/// of an argument are its own words.
#[derive(Debug, Default)]
pub(super) struct EnvironmentReader {
    lines: usize,
    bytes: usize,
    script: Option<String>,
    args: Vec<String>,
}

impl EnvironmentReader {
    /// Takes whole lines, each with its end, up to the empty one; gives how many bytes those were, and at the empty
    /// one the request.
    pub(super) fn read(&mut self, lines: &[u8]) -> Result<(usize, Option<Request>), Violation> {
        let mut start = 0;
        for end in memchr_iter(b'\n', lines) {
            let line = &lines[start..end];
            start = end + 1;
            if line.len() > LINE_BYTES_MAX {
                return Err(Violation::LineTooLong);
            }
            if let Some(request) = self.line(line.strip_suffix(b"\r").unwrap_or(line))? {
                return Ok((start, Some(request)));
            }
        }
        Ok((start, None))
    }

    /// Takes one line; the empty one ends the environment and gives the request.
    fn line(&mut self, line: &[u8]) -> Result<Option<Request>, Violation> {
        if line.is_empty() {
            let script = self.script.take().unwrap_or_default();
            return Ok(Some(Request { script, args: std::mem::take(&mut self.args) }));
        }
        self.lines += 1;
        self.bytes += line.len();
        if self.lines > ENVIRONMENT_LINES_MAX || self.bytes > ENVIRONMENT_BYTES_MAX {
            return Err(Violation::EnvironmentTooLong);
        }
        self.keep(line);
        Ok(None)
    }

    /// Most lines are none of ours, and cost no more than their first bytes.
    fn keep(&mut self, line: &[u8]) {
        let text = |value| String::from_utf8_lossy(value).into_owned();
        if let Some(value) = line.strip_prefix(b"agi_network_script: ") {
            self.script.get_or_insert_with(|| text(value));
        } else if let Some((index, value)) = line.strip_prefix(b"agi_arg_").and_then(argument) {
            if self.args.len() <= index {
                self.args.resize(index + 1, String::new());
            }
            self.args[index] = text(value);
        }
    }
}

/// Index and value of an argument whose line goes on with `rest`.
fn argument(rest: &[u8]) -> Option<(usize, &[u8])> {
    let colon = rest.iter().position(|b| *b == b':')?;
    let (place, value) = (&rest[..colon], rest[colon..].strip_prefix(b": ")?);
    Some((arg_index(std::str::from_utf8(place).ok()?)?, value))
}

fn arg_index(digits: &str) -> Option<usize> {
    let canonical = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    let place: usize = canonical.then(|| digits.parse().ok())??;
    (1..=ARGS_MAX).contains(&place).then(|| place - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(block: &[u8]) -> Request {
        let mut reader = EnvironmentReader::default();
        block.split(|b| *b == b'\n').find_map(|line| reader.line(line).unwrap()).unwrap()
    }

    #[test]
    fn the_environment_of_a_real_asterisk_22_reads_as_meant() {
        let request = read(
            b"agi_network: yes\nagi_network_script: report\nagi_request: agi://127.0.0.1:4573/report\n\
              agi_channel: Local/dial@campanile-dial-00000001;2\nagi_language: en\nagi_type: Local\n\
              agi_uniqueid: 1700000000.1\nagi_version: 22.10.1\nagi_callerid: unknown\n\
              agi_calleridname: unknown\nagi_callingpres: 0\nagi_callingani2: 0\nagi_callington: 0\n\
              agi_callingtns: 0\nagi_dnid: unknown\nagi_rdnis: unknown\nagi_context: campanile-report\n\
              agi_extension: s\nagi_priority: 6\nagi_enhanced: 0.0\nagi_accountcode: \n\
              agi_threadid: 140000000000000\nagi_arg_1: t\nagi_arg_2: \nagi_arg_3: BUSY\n\n",
        );
        assert_eq!(request, Request::new("report", &["t", "", "BUSY"]));
        assert_eq!(
            [request.arg(0), request.arg(1), request.arg(2), request.arg(3), request.arg(4)],
            ["", "t", "", "BUSY", ""]
        );
    }

    #[test]
    fn lines_injected_through_a_caller_id_change_nothing() {
        let request = read(
            b"agi_network_script: gate\nagi_callerid: x\nagi_network_script: report\nagi_arg_1: forged\n\
              SET VARIABLE A B\nagi_Big: 1\nagi_: 1\nagi_arg_1:unspaced\nagi_arg_1: mine\n\n",
        );
        assert_eq!(request, Request::new("gate", &["mine"]));
    }

    #[test]
    fn arguments_are_bounded() {
        let request =
            read(b"agi_arg_33: a\nagi_arg_0: b\nagi_arg_01: c\nagi_arg_999999999999999999999: d\nagi_arg_+1: e\n\n");
        assert_eq!(request, Request::default());
        assert_eq!(read(b"agi_arg_32: a\n\n").arg(ARGS_MAX), "a");
    }

    #[test]
    fn an_environment_without_an_end_is_given_up() {
        let mut reader = EnvironmentReader::default();
        let verdicts: Vec<_> = (0..=ENVIRONMENT_LINES_MAX).map(|_| reader.line(b"agi_x: y")).collect();
        assert_eq!(verdicts.iter().position(Result::is_err), Some(ENVIRONMENT_LINES_MAX));
        let mut reader = EnvironmentReader::default();
        assert!((0..3).map(|_| reader.line(&[b'a'; 8 * 1024])).any(|verdict| verdict.is_err()));
    }

    #[test]
    fn bytes_that_are_no_text_become_no_ticket() {
        let request = read(b"agi_arg_1: \xff\xfe\n\n");
        assert_eq!(request.arg(1), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn debug_does_not_give_a_ticket_away() {
        assert_eq!(format!("{:?}", Request::new("gate", &["secret"])), "Request(\"gate\", 1 arguments)");
    }
}
