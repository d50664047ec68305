//! One call: the file, the dialling leg with its gate, the answered leg, the report, the archive.
//! The dialplan is etc/asterisk/extensions_campanile.conf, by hand.

use std::cell::Cell;
use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use campanile::callfile::parse;
use campanile::domain::instant::UtcMs;

use super::agi::{self, Answer};
use super::callee::{self, Callee, Greeting};
use super::{Power, Reached, Switchboard};

/// How long every sound is.
const SOUND_MS: i64 = 200;
/// How long AMD listens.
const AMD_MS: i64 = 100;
/// Samples of a sound in a millisecond.
const SAMPLES: i64 = 8;

/// What the report leg passes, beside the ticket.
#[derive(Default)]
struct Report {
    dialled_at: String,
    status: &'static str,
    cause_after_dial: &'static str,
    cause: &'static str,
    ring_ms: String,
    talk_ms: String,
    dial_ms: String,
}

pub fn run(board: &Switchboard, path: &Path) {
    // Withdrawn before it was due: ENOENT, and nothing happens (asterisk.md 2.2).
    let Ok(bytes) = fs::read(path) else { return };
    let file = parse(&bytes).file;
    assert!(file.is_valid(), "Asterisk would delete {}", path.display());
    assert_eq!((file.max_retries, file.archive), (0, true));
    assert_eq!(file.dest.to_str(), Some("dial@campanile-dial/n"));
    let now_s = campanile::clock::now().0 / 1000;
    let retry_at = now_s + i64::from(file.retry_time_s);
    append(path, &format!("\nStartRetry: {} 1 ({retry_at})\n", std::process::id()));
    let ticket = file.variable("__CAMPANILE_TICKET").unwrap().to_str().unwrap().to_owned();
    let answered = dialling_leg(board, &ticket, i64::from(file.wait_time_s));
    let done = board.spool.join("outgoing_done").join(path.file_name().unwrap());
    if fs::rename(path, &done).is_ok() {
        append(&done, if answered { "\nStatus: Completed\n" } else { "\nStatus: Expired\n" });
    }
}

fn append(path: &Path, line: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(line.as_bytes()).unwrap();
}

/// `[campanile-dial]`; returns whether it was answered.
fn dialling_leg(board: &Switchboard, ticket: &str, wait_time_s: i64) -> bool {
    let gives_up_at = campanile::clock::now().plus_s(wait_time_s);
    let mut variables = HashMap::new();
    agi::run(board.agi_port, "gate", &[ticket], Some(gives_up_at), |words| set_variable(words, &mut variables));
    let report = match variables.get("CAMPANILE_GO") {
        Some(go) => dial(board, ticket, go, &variables),
        None => Report { cause: "16", ..Report::default() },
    };
    let args = [
        ticket,
        &report.dialled_at,
        report.status,
        report.cause_after_dial,
        report.cause,
        &report.ring_ms,
        &report.talk_ms,
        &report.dial_ms,
        "",
    ];
    agi::run(board.agi_port, "report", &args, None, |words| set_variable(words, &mut HashMap::new()));
    report.status == "ANSWER"
}

fn set_variable(words: &[String], variables: &mut HashMap<String, String>) -> Answer {
    let known = match words {
        [set, variable, name, value] if set == "SET" && variable == "VARIABLE" => {
            variables.insert(name.clone(), value.clone());
            true
        }
        [noop] => noop == "NOOP",
        _ => false,
    };
    let reply = if known { "200 result=1" } else { "510 Invalid or unknown command" };
    Answer::Line(reply.to_owned())
}

/// `Dial(${CAMPANILE_GO},i)`.
fn dial(board: &Switchboard, ticket: &str, go: &str, variables: &HashMap<String, String>) -> Report {
    let of = |name: &str| variables.get(name).cloned().unwrap_or_default();
    let (target, ring_s) = go.split_once(',').unwrap();
    let ring_s: i64 = ring_s.parse().unwrap();
    let number = target.strip_prefix("Local/").and_then(|rest| rest.strip_suffix("@callees")).unwrap().to_owned();
    let (caller_number, caller_name) = (of("CALLERID(num)"), of("CALLERID(name)"));
    let at = campanile::clock::now();
    board.note(|seen| seen.reached.push(Reached { number: number.clone(), caller_number, caller_name, at }));
    let dialled_at = at.0.to_string();
    match callee::of(&number) {
        Callee::Fails { status, cause } => {
            Report { dialled_at, status, cause_after_dial: cause, cause, ..Report::default() }
        }
        Callee::RingsOut => {
            board.wait_until(at.plus_s(ring_s));
            let (status, ring_ms) = ("NOANSWER", "0".to_owned());
            Report { dialled_at, status, cause_after_dial: "0", cause: "16", ring_ms, ..Report::default() }
        }
        Callee::Answers { after_ms, hangs_up_ms, keys } => {
            if board.wait_until(at.plus_ms(after_ms)) == Power::Off {
                return Report { dialled_at, status: "CANCEL", cause: "0", ..Report::default() };
            }
            let answered_at = at.plus_ms(after_ms);
            let greeting = callee::greeting(&number);
            let talk = Talk { answered_at, hangs_up_ms, keys, greeting, first_heard_at: Cell::default() };
            talk.run(board, ticket);
            let talk_ms = campanile::clock::now().since_ms(talk.answered_at);
            Report {
                dialled_at,
                status: "ANSWER",
                cause: "16",
                ring_ms: if after_ms > 0 { "0".to_owned() } else { String::new() },
                talk_ms: talk_ms.to_string(),
                dial_ms: (talk_ms + after_ms).to_string(),
                ..Report::default()
            }
        }
    }
}

/// The answered leg. Keys are heard only while a command listens.
struct Talk {
    answered_at: UtcMs,
    hangs_up_ms: i64,
    /// Each so long after the callee first heard anything: nobody presses keys into silence.
    keys: Vec<(i64, char)>,
    greeting: Greeting,
    first_heard_at: Cell<Option<UtcMs>>,
}

impl Talk {
    /// `[campanile-answered]`.
    fn run(&self, board: &Switchboard, ticket: &str) {
        let mut variables = HashMap::new();
        let ends_at = self.answered_at.plus_ms(self.hangs_up_ms);
        agi::run(board.agi_port, "run", &[ticket], Some(ends_at), |words| self.command(board, words, &mut variables));
        if let Some(target) = variables.remove("CAMPANILE_IVR").filter(|target| !target.is_empty()) {
            let digits = variables.remove("CAMPANILE_DIGITS").unwrap_or_default();
            let with = variables.remove("CAMPANILE_CONNECT").map(|with| format!(" {with}")).unwrap_or_default();
            board.note(|seen| seen.handed_over.push((format!("{target}{with}"), digits)));
        }
        board
            .note(|seen| seen.set.extend(variables.into_iter().filter(|(name, _)| name.starts_with("CAMPANILE_VAR_"))));
    }

    fn command(&self, board: &Switchboard, words: &[String], variables: &mut HashMap<String, String>) -> Answer {
        let line: Vec<&str> = words.iter().map(String::as_str).collect();
        match line[..] {
            ["WAIT", "FOR", "DIGIT", ms] => {
                let reply = |result: i64, _| format!("200 result={result}");
                self.listen(board, ms.parse().unwrap(), reply)
            }
            ["STREAM", "FILE", sound, keys, offset] => {
                assert_eq!(keys, "0123456789*#", "keys outside the set are lost");
                if sound.contains("missing") {
                    return Answer::Line("200 result=-1 endpos=0".to_owned());
                }
                board.note(|seen| seen.played.push(sound.to_owned()));
                let offset: i64 = offset.parse().unwrap();
                let left_ms = (SOUND_MS - offset / SAMPLES).max(0);
                self.listen(board, left_ms, |result, ran_ms| {
                    format!("200 result={result} endpos={}", offset + ran_ms * SAMPLES)
                })
            }
            ["SAY", what, text, keys] | ["SAY", what, text, keys, _, "UTC"] => {
                assert!(keys.is_empty() || keys == "0123456789*#", "keys outside the set are lost");
                board.note(|seen| seen.played.push(format!("{what} {text}")));
                self.listen(board, SOUND_MS, |result, _| format!("200 result={result}"))
            }
            ["EXEC", "AMD"] => {
                variables.insert("AMDSTATUS".to_owned(), self.amd_status().to_owned());
                let until = campanile::clock::now().plus_ms(AMD_MS);
                if until.since_ms(self.answered_at) >= self.hangs_up_ms || board.wait_until(until) == Power::Off {
                    return Answer::HungUp("200 result=0".to_owned());
                }
                Answer::Line("200 result=0".to_owned())
            }
            ["GET", "FULL", "VARIABLE", "${ASTSPOOLDIR}"] => {
                Answer::Line(format!("200 result=1 ({})", board.spool.display()))
            }
            ["RECORD", "FILE", name, "wav", stop, ms, ..] => {
                // Asterisk makes no folder (file.c, ast_writefile).
                if fs::write(format!("{name}.wav"), b"RIFF").is_err() {
                    return Answer::Line("200 result=-1 (writefile)".to_owned());
                }
                let how = |result: i64, ms: i64| match result {
                    -1 => format!("200 result=-1 (hangup) endpos={}", ms * SAMPLES),
                    0 => format!("200 result=0 (timeout) endpos={}", ms * SAMPLES),
                    key => format!("200 result={key} (dtmf) endpos={}", ms * SAMPLES),
                };
                assert!(stop == "0123456789*#" || self.keys.is_empty(), "other keys would be lost");
                self.listen(board, ms.parse().unwrap(), how)
            }
            ["GET", "FULL", "VARIABLE", "${AMDSTATUS} ${AMDCAUSE}"] => {
                let status = variables.get("AMDSTATUS").map_or(" ", String::as_str);
                Answer::Line(format!("200 result=1 ({status})"))
            }
            _ => set_variable(words, variables),
        }
    }

    /// `AMDSTATUS` and `AMDCAUSE` (asterisk.md 8).
    fn amd_status(&self) -> &'static str {
        match self.greeting {
            Greeting::Silence => "NOTSURE TOOLONG-5000",
            Greeting::Human => "HUMAN HUMAN-800-800",
            Greeting::Machine => "MACHINE LONGGREETING-1500-1500",
        }
    }

    /// Runs a command of `ms` until its end, a key, or the callee's end.
    fn listen(&self, board: &Switchboard, ms: i64, reply: impl Fn(i64, i64) -> String) -> Answer {
        let began = campanile::clock::now();
        let first_heard_at = self.first_heard_at.get().unwrap_or(began);
        self.first_heard_at.set(Some(first_heard_at));
        let heard_ms = began.since_ms(first_heard_at);
        let key = self.keys.iter().find(|(at, _)| *at >= heard_ms).filter(|(at, _)| at - heard_ms < ms);
        let until_key = key.map(|(at, _)| at - heard_ms);
        let until_end = self.hangs_up_ms - began.since_ms(self.answered_at);
        let runs_ms = until_key.unwrap_or(ms);
        if until_end <= runs_ms || board.wait_until(began.plus_ms(runs_ms)) == Power::Off {
            board.wait_until(began.plus_ms(until_end));
            return Answer::HungUp(reply(-1, until_end.max(0)));
        }
        let result = key.map_or(0, |(_, key)| i64::from(u32::from(*key)));
        // A moment later, so that the same key is not heard twice.
        board.wait_until(began.plus_ms(runs_ms + 1));
        Answer::Line(reply(result, runs_ms))
    }
}
