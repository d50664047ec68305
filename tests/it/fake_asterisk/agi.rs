//! The client end of FastAGI as `res_agi.c` speaks it (asterisk.md 7).

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::TcpStream;
use std::time::Duration;

use campanile::domain::instant::UtcMs;

/// What a command comes to.
pub enum Answer {
    Line(String),
    /// The channel hung up during it: this reply, then `HANGUP`.
    HungUp(String),
}

/// Runs one AGI application; `command` carries out what the server asks. Like the real one it returns
/// whether the server was there, which says nothing about what it did (asterisk.md 7).
pub fn run(
    port: u16,
    script: &str,
    args: &[&str],
    ends_at: Option<UtcMs>,
    mut command: impl FnMut(&[String]) -> Answer,
) {
    // Nobody listens: AGISTATUS=FAILURE, and the dialplan goes on.
    let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) else { return };
    stream.set_nodelay(true).unwrap();
    let mut server = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    if stream.write_all(environment(port, script, args).as_bytes()).is_err() {
        return;
    }
    let mut line = String::new();
    loop {
        let left = ends_at.map(|at| at.since_ms(campanile::clock::now()).max(1).unsigned_abs());
        stream.set_read_timeout(left.map(Duration::from_millis)).unwrap();
        line.clear();
        match server.read_line(&mut line) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                // AGIEXITONHANGUP: told, and closed. The server may have closed first.
                let _gone = stream.write_all(b"HANGUP\nHANGUP\n");
                return;
            }
            Err(_) => return,
        }
        assert!(line.ends_with('\n'), "a partial line makes Asterisk spin: {line:?}");
        assert!(line.len() < 2048, "Asterisk up to 22.5 cuts a line of {} bytes", line.len());
        let sent = match command(&words(&line)) {
            Answer::Line(reply) => stream.write_all(format!("{reply}\n").as_bytes()),
            Answer::HungUp(reply) => {
                let _gone = stream.write_all(format!("{reply}\nHANGUP\nHANGUP\n").as_bytes());
                return;
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

/// The lines that Asterisk 22 sends (tests/lab).
fn environment(port: u16, script: &str, args: &[&str]) -> String {
    let mut lines = format!(
        "agi_network: yes\nagi_network_script: {script}\nagi_request: agi://127.0.0.1:{port}/{script}\n\
         agi_channel: Local/dial@campanile-dial-00000001;2\nagi_language: en\nagi_type: Local\n\
         agi_uniqueid: 1.1\nagi_version: 22.10.1\nagi_callerid: unknown\nagi_calleridname: unknown\n\
         agi_callingpres: 67\nagi_callingani2: 0\nagi_callington: 0\nagi_callingtns: 0\nagi_dnid: unknown\n\
         agi_rdnis: unknown\nagi_context: campanile-dial\nagi_extension: dial\nagi_priority: 4\n\
         agi_enhanced: 0.0\nagi_accountcode: \nagi_threadid: 1\n"
    );
    for (i, arg) in args.iter().enumerate() {
        lines.push_str(&format!("agi_arg_{}: {arg}\n", i + 1));
    }
    lines.push('\n');
    lines
}

/// `parse_args`: blanks separate, `"` quotes, `\` takes the next as it is.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let (mut quoted, mut escaped) = (false, false);
    for c in line.trim_end_matches('\n').chars() {
        match c {
            _ if escaped => {
                word.get_or_insert_default().push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' | '\t' if !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}
