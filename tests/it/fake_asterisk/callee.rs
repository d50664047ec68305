//! Callees by magic number, as in the lab: `+441632960FNN`.

/// What `AMD` hears of a callee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Greeting {
    Silence,
    /// A short one, then silence.
    Human,
    /// A long one.
    Machine,
}

/// What a callee does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Callee {
    /// Answers after some ringing, presses keys (so long after it first hears anything), and hangs up after a time.
    Answers { after_ms: i64, hangs_up_ms: i64, keys: Vec<(i64, char)> },
    /// `Dial` ends at once with this `DIALSTATUS` and cause.
    Fails { status: &'static str, cause: &'static str },
    /// Rings until `Dial` gives up.
    RingsOut,
}

/// Who has this number.
pub fn of(number: &str) -> Callee {
    let fails = |status, cause| Callee::Fails { status, cause };
    let answers = |after_ms, hangs_up_ms| Callee::Answers { after_ms, hangs_up_ms, keys: Vec::new() };
    let Some(fate) = number.strip_prefix("+441632960").filter(|rest| rest.len() == 3) else {
        return fails("CHANUNAVAIL", "1");
    };
    let nn: i64 = fate[1..].parse().unwrap();
    match &fate[..1] {
        "0" => answers(0, nn * 1000 + 50),
        "1" => fails("BUSY", "17"),
        "2" => Callee::RingsOut,
        "3" => fails("CHANUNAVAIL", "21"),
        "4" => fails("CHANUNAVAIL", "1"),
        "5" => fails("CONGESTION", "34"),
        "6" => {
            let keys: Vec<char> = fate[1..].chars().collect();
            Callee::Answers { after_ms: 0, hangs_up_ms: 60_000, keys: vec![(150, keys[0]), (350, keys[1])] }
        }
        "7" => answers(0, nn * 100 + 50),
        "8" => answers(300, 500),
        _ if nn == 98 || nn == 99 => answers(0, 60_000),
        _ => fails("CHANUNAVAIL", "38"),
    }
}

/// How the callee with this number greets.
pub fn greeting(number: &str) -> Greeting {
    match number.strip_prefix("+441632960") {
        Some("998") => Greeting::Human,
        Some("999") => Greeting::Machine,
        _ => Greeting::Silence,
    }
}
