//! The FastAGI round trip: asks `campanile-agi` as Asterisk would.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::{Finding, Level};
use crate::clock::Monotonic;
use crate::domain::why::Gate;
use crate::settings::Settings;

const PATIENCE: Duration = Duration::from_secs(3);
/// Asterisk begins a file a second before its slot, and the way to the gate has several answers.
const SLOW_MS: u128 = 300;
const ENVIRONMENT: &str = "agi_network: yes\nagi_network_script: ping\nagi_request: agi://127.0.0.1/ping\n\n";
const ANSWER_BYTES_MAX: u64 = 2_000;

pub(super) fn round_trip(settings: &Settings) -> Vec<Finding> {
    let since = Monotonic::now();
    let answer = ask(settings);
    vec![found(settings.agi_listen, answer, since.elapsed())]
}

/// The same for whoever asks why a number is not called.
#[must_use]
pub fn gate(settings: &Settings) -> Gate {
    let finding = round_trip(settings).pop();
    match finding {
        Some(Finding { level: Level::Problem, text, mend, .. }) => {
            Gate::Fails { problem: text, mend: mend.unwrap_or_default() }
        }
        Some(Finding { level: Level::Warning, text, .. }) => Gate::Late { detail: text },
        _ => Gate::Answers,
    }
}

fn found(listen: SocketAddr, answer: std::io::Result<String>, took: Duration) -> Finding {
    let ms = took.as_millis();
    match answer {
        Ok(answer) if answer.contains("CAMPANILE_PONG") => match sessions(&answer) {
            Some((in_use, most)) if in_use >= most => Finding::problem(
                "fastagi",
                format!(
                    "campanile-agi has all of its {most} sessions in use: calls wait for one, and not longer than 5 s"
                ),
                "raise agi_sessions_max, or give trunks and campaigns fewer channels",
            ),
            _ if ms > SLOW_MS => Finding::warning(
                "fastagi",
                format!("campanile-agi answers on {listen} only after {ms} ms: calls start late, or not at all"),
                "see what slows it down: the machine's load, its log, the disk of the ledger",
            ),
            Some((in_use, most)) => Finding::ok(
                "fastagi",
                format!("campanile-agi answers on {listen} after {ms} ms, {in_use} of {most} sessions in use"),
            ),
            None => Finding::ok("fastagi", format!("campanile-agi answers on {listen} after {ms} ms")),
        },
        Ok(answer) => Finding::problem(
            "fastagi",
            format!("something else answers on {listen}: {:?}", answer.chars().take(80).collect::<String>()),
            "end it, or choose another `agi_listen` and the same address in extensions_campanile.conf",
        ),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Finding::problem(
            "fastagi",
            format!(
                "something listens on {listen} and says nothing for {} s: every call would wait there and not be dialled",
                PATIENCE.as_secs()
            ),
            "see what it is (`ss -ltnp`), and restart campanile-agi if it hangs",
        ),
        Err(error) => Finding::problem(
            "fastagi",
            format!("campanile-agi does not answer on {listen} ({error}): nothing is dialled without it"),
            "systemctl start campanile-agi, or `campanile-agi` as Asterisk's user",
        ),
    }
}

/// `... sessions 3 of 2000`, as our server says it.
fn sessions(answer: &str) -> Option<(u64, u64)> {
    let mut words = answer.split("sessions ").nth(1)?.split(|c: char| !c.is_ascii_alphanumeric());
    let in_use = words.next()?.parse().ok()?;
    Some((in_use, words.nth(1)?.parse().ok()?))
}

fn ask(settings: &Settings) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&settings.agi_listen, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(ENVIRONMENT.as_bytes())?;
    let mut line = String::new();
    BufReader::new((&stream).take(ANSWER_BYTES_MAX)).read_line(&mut line)?;
    stream.write_all(b"200 result=1\n")?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_full_it_is_and_how_slow_is_told() {
        let listen = "127.0.0.1:4573".parse().unwrap();
        let level = |line: &str, ms| found(listen, Ok(line.to_owned()), Duration::from_millis(ms)).level;
        let pong = |sessions| format!("SET VARIABLE \"CAMPANILE_PONG\" \"0.1.0{sessions}\"");
        assert_eq!(level(&pong(" sessions 4 of 5"), 3), Level::Ok);
        assert_eq!(level(&pong(" sessions 5 of 5"), 3), Level::Problem);
        assert_eq!(level(&pong(" sessions 4 of 5"), 2_000), Level::Warning);
        assert_eq!(level(&pong(""), 3), Level::Ok, "an older server");
        assert_eq!(level("HTTP/1.1 400 Bad Request", 3), Level::Problem);
    }
}
