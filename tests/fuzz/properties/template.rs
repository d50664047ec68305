//! Templates of call files, and what is rendered with those that are accepted (I7).

use campanile::callfile::{
    DEFAULT_TEMPLATE, RETRY_TIME_S_MAX, RETRY_TIME_S_MIN, SETS_MAX, Template, Ticketed, WAIT_TIME_S_MAX, parse, render,
};
use campanile::domain::ids::Ticket;

/// The keys of every file in their order; `Codecs` may stand before the first `Set`.
const KEYS: [&str; 9] =
    ["Channel", "Context", "Extension", "Priority", "MaxRetries", "RetryTime", "WaitTime", "Archive", "Set"];

pub fn check(data: &[u8]) {
    judged(data);
    // A whole template is improbable: so also whatever stands behind the usual one.
    judged(&[DEFAULT_TEMPLATE.as_bytes(), data].concat());
}

fn judged(text: &[u8]) {
    match Template::parse(text) {
        Ok(template) => rendered(&template, text),
        Err(problems) => {
            assert!(!problems.0.is_empty());
            let lines = text.split(|b| *b == b'\n').count();
            assert!(problems.0.iter().all(|p| p.line.is_none_or(|line| (1..=lines).contains(&line))));
            for problem in &problems.0 {
                let told = problem.to_string();
                assert!(!told.chars().any(char::is_control), "{told:?}");
                assert!(told.contains([';', ':', ',']), "no mend: {told}");
            }
        }
    }
}

fn rendered(template: &Template, text: &[u8]) {
    assert!((RETRY_TIME_S_MIN..=RETRY_TIME_S_MAX).contains(&template.retry_time_s()));
    for wait_time_s in [1, 75, WAIT_TIME_S_MAX] {
        let ticket =
            Ticket::new(std::array::from_fn(|i| text.get(text.len() - 1 - i % text.len()).copied().unwrap_or(0)));
        let bytes = render(template, &Ticketed { ticket, wait_time_s }).expect("an accepted template renders");
        let file = std::str::from_utf8(&bytes).expect("a file is ASCII");
        assert!(file.ends_with('\n') && file.bytes().all(|b| b == b'\n' || (b' '..=b'~').contains(&b)), "{file}");
        let keys: Vec<&str> = file.lines().map(|line| line.split_once(": ").expect("a key").0).collect();
        let codecs = keys.iter().filter(|key| **key == "Codecs").count();
        let sets = keys.iter().filter(|key| **key == "Set").count();
        assert!(codecs <= 1 && (1..=SETS_MAX + 1).contains(&sets), "{file}");
        let fixed: Vec<&str> = keys.iter().copied().filter(|key| *key != "Codecs").take(KEYS.len()).collect();
        assert_eq!(fixed, KEYS, "{file}");
        assert_eq!(keys.len(), KEYS.len() - 1 + codecs + sets, "{file}");
        carries_the_ticket(&bytes, ticket);
    }
}

/// Whatever the template says, the file is ours: our leg, our ticket once, nothing that runs.
fn carries_the_ticket(bytes: &[u8], ticket: Ticket) {
    let read = parse(bytes);
    assert_eq!(read.ignored, []);
    let file = read.file;
    assert!(file.is_valid() && file.archive && file.always_delete && !file.early_media);
    assert_eq!((file.max_retries, file.priority, file.begun(), file.status), (0, 1, None, None));
    assert!(file.tech == "Local" && file.dest == "dial@campanile-dial/n");
    assert!(file.context == "campanile-answered" && file.extension == "s");
    assert!([&file.application, &file.data, &file.caller_id, &file.account].iter().all(|text| text.is_empty()));
    let ours = file
        .set
        .iter()
        .filter(|(name, _)| name.to_str().is_some_and(|n| n.trim_start_matches('_').starts_with("CAMPANILE")));
    assert_eq!(ours.count(), 1);
    let carried = file.variable("__CAMPANILE_TICKET").and_then(|text| text.to_str()?.parse().ok());
    assert_eq!(carried, Some(ticket));
}
