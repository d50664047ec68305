//! The FastAGI round trip: asks `campanile-agi` as Asterisk would.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::Finding;
use crate::settings::Settings;

const PATIENCE: Duration = Duration::from_secs(3);
const ENVIRONMENT: &str = "agi_network: yes\nagi_network_script: ping\nagi_request: agi://127.0.0.1/ping\n\n";
const ANSWER_BYTES_MAX: u64 = 2_000;

pub(super) fn round_trip(settings: &Settings) -> Vec<Finding> {
    let listen = settings.agi_listen;
    vec![match ask(settings) {
        Ok(answer) if answer.contains("CAMPANILE_PONG") => {
            Finding::ok("fastagi", format!("campanile-agi answers on {listen}"))
        }
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
            "see what it is (`ss -ltnp`); a campanile-agi that is at agi_sessions_max answers when calls end: raise it, \
             or restart campanile-agi if it hangs",
        ),
        Err(error) => Finding::problem(
            "fastagi",
            format!("campanile-agi does not answer on {listen} ({error}): the gate would refuse every call"),
            "systemctl start campanile-agi, or `campanile-agi` as Asterisk's user",
        ),
    }]
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
