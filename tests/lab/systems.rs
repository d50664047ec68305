//! The five systems of docs/features.md, each in its own words and examples.

use campanile::domain::instant::UtcMs;
use serde_json::{Value, json};

use crate::harness::{Lab, Setup, Version};
use crate::world::{Attempt, CALLEES, callee};

on_both!(
    mor_auto_dialer,
    mirta_pbx_call_campaigns,
    webitel_progressive_dialer,
    mod_dialer_mass_calls,
    call_generators_telemarketing,
    call_generators_provider_checking,
);

/// MOR: `calls_one_time = 10` and `cron_interval = 1` put calls at 6 s intervals. Two retries' worth of one number is
/// used up, and "Redial all failed calls" calls it again.
fn mor_auto_dialer(version: Version) {
    let mut lab = Setup::new(version).calls_one_time(10).start();
    let options =
        ["--start", "00:00", "--stop", "24:00", "--max-retries", "1", "--retry-time", "6", "--wait-time", "5"];
    let numbers = ["000", "101", "700", "702"].map(callee);
    lab.campaign("mor", CALLEES, &options).numbers(&numbers).actions(&["WAIT 1", "PLAY beep", "IVR ivr,100,1"]).start();
    lab.until_completed("mor", 90);

    let attempts = lab.report("mor");
    let planned: Vec<i64> = attempts.iter().map(|attempt| attempt.planned_at.0).collect();
    assert!(planned.iter().all(|ms| ms % 6_000 == 0), "6 s intervals from the minute on: {planned:?}");
    assert!(planned.windows(2).all(|pair| pair[1] - pair[0] >= 6_000), "one at a time: {planned:?}");
    assert_eq!(to(&attempts, &numbers[1]).count(), 2, "the first call and Max Retries");
    assert_eq!(lab.campanile(&["numbers", "list", "mor", "--state", "failed"]).as_array().unwrap().len(), 1);

    assert_eq!(lab.campanile(&["redial-failed", "mor"])["campaign"], "mor");
    lab.campanile(&["campaign", "start", "mor"]);
    lab.until_completed("mor", 60);
    assert_eq!(to(&lab.report("mor"), &numbers[1]).count(), 4);
}

/// MiRTA: a scheduled campaign with a weektime condition, a do-not-call list, "on connect" an extension, max channels,
/// max attempts, and a delay between calls in ms.
fn mirta_pbx_call_campaigns(version: Version) {
    let mut lab = Setup::new(version).start();
    let (opted_out, busy) = (callee("009"), callee("100"));
    lab.campanile(&["dnc", "create", "marketing"]);
    lab.campanile(&["calendar", "add", "weektime", "--hours", "daily 00:00-24:00", "--time-zone", "UTC"]);
    let starts_at = UtcMs(lab_now().0 / 1000 * 1000).plus_s(6);
    let (from, until) = (starts_at.to_string(), starts_at.plus_s(3_600).to_string());
    let schedule = ["--calendar", "weektime", "--starts-at", &from, "--ends-at", &until];
    let limits =
        ["--channels", "2", "--delay", "700ms", "--max-retries", "1", "--retry-time", "2", "--wait-time", "10"];
    let numbers: Vec<String> =
        ["001", "002", "003"].map(callee).into_iter().chain([busy.clone(), opted_out.clone()]).collect();
    lab.campaign("mirta", CALLEES, &[&schedule[..], &limits[..]].concat())
        .numbers(&numbers)
        .actions(&["DIAL agents,100"])
        .start();
    // Who asked after the list was loaded is not called either.
    lab.campanile(&["dnc", "add", "marketing", &opted_out]);
    assert_eq!(phase(&lab, "mirta"), "READY");
    lab.until("it dials", 30, |lab| phase(lab, "mirta") == "RUNNING");
    lab.until_completed("mirta", 90);
    assert_eq!(phase(&lab, "mirta"), "COMPLETED");

    let mut starts: Vec<UtcMs> = lab.callees().into_iter().map(|callee| callee.at).collect();
    starts.sort_unstable();
    // The callee's side is a few ms behind the gate, the one call more than the other.
    assert!(starts[0] >= starts_at, "not before its start");
    assert!(starts.windows(2).all(|pair| pair[1].since_ms(pair[0]) >= 600), "700 ms between calls: {starts:?}");
    let attempts = lab.report("mirta");
    assert_eq!((to(&attempts, &opted_out).count(), to(&attempts, &busy).count()), (0, 2));
    let excluded = lab.campanile(&["numbers", "list", "mirta", "--state", "excluded"]);
    assert_eq!((&excluded[0]["number"], &excluded[0]["excluded"]), (&json!(opted_out), &json!("do_not_call")));
    assert_eq!(lab.read("ivr.log").lines().count(), 3, "each who answered was connected with the extension");
}

/// Webitel: a calendar with a holiday, subscribers with name, priority, expiry, variables and several communications,
/// a minimum succeed call duration, and the four kinds of causes.
fn webitel_progressive_dialer(version: Version) {
    let mut lab = Setup::new(version).start();
    lab.campanile(&["calendar", "add", "work", "--hours", "daily 00:00-24:00", "--first-day", "2020-01-01"]);
    let today = lab_now().timestamp().strftime("%Y-%m-%d").to_string();
    lab.campanile(&["calendar", "add-holiday", "work", &today, "Strike", "--to", &today]);
    let options = [
        "--calendar",
        "work",
        "--max-retries",
        "1",
        "--retry-time",
        "2",
        "--min-talk",
        "1",
        "--next-number-after",
        "1",
    ];
    lab.campaign("webitel", CALLEES, &options).actions(&["SAY digits {debt}", "WAIT 2"]);
    lab.campanile(&["causes", "set", "webitel", "error", "CALL_REJECTED"]);
    lab.campanile(&["causes", "set", "webitel", "minus", "USER_BUSY", "--delay", "1", "--limit", "3"]);
    let (short, fine, rejects, busy, second) =
        (callee("702"), callee("009"), callee("300"), callee("100"), callee("008"));
    let (nobody, late) = (callee("400"), callee("007"));
    let list = format!(
        "name;priority;phone;phone2;expires;debt\n\
         Short talk;0;{short};;;20000\nFine;5;{fine};;;300\nRejects;0;{rejects};;;1\nNobody, then by the other;0;{nobody};{second};;2\n\
         Busy;0;{busy};;;3\nLate;0;{late};;{};4\n",
        lab_now().plus_s(2).timestamp()
    );
    let file = format!("{}/members.csv", lab.path());
    std::fs::write(&file, list).unwrap();
    let map = "name=name,priority=priority,number=phone,number2=phone2:mobile,expires=expires,var:debt=debt";
    let preview = lab.campanile(&["numbers", "import", "webitel", &file, "--map", map, "--dry-run"]);
    assert_eq!((&preview["imported"], &preview["dry_run"]), (&json!(6), &json!(true)), "{preview}");
    assert_eq!(lab.campanile(&["numbers", "import", "webitel", &file, "--map", map])["imported"], 6);
    lab.campanile(&["campaign", "start", "webitel"]);

    let why = lab.campanile(&["why", &fine]);
    let rules = why["campaigns"][0]["rules"].as_array().unwrap_or_else(|| panic!("{why}")).clone();
    let holiday = rules.iter().find(|rule| rule["rule"] == "calendar_open").unwrap();
    assert!(holiday["verdict"] == "fail" && holiday["detail"].as_str().unwrap().contains("Strike"), "{holiday}");
    lab.until("the late one has expired", 10, |lab| states(lab, "webitel", "excluded") == [late.clone()]);
    assert_eq!(lab.report("webitel").len(), 0, "nobody is called on a holiday");
    lab.campanile(&["calendar", "remove-holiday", "work", "--all"]);
    lab.until_completed("webitel", 90);

    let attempts = lab.report("webitel");
    assert_eq!(attempts[0].number, fine, "the priority goes first");
    assert_eq!(to(&attempts, &short).count(), 2, "answered and too short: tried again");
    assert_eq!(to(&attempts, &rejects).count(), 1, "Error: stopped at once");
    assert_eq!(to(&attempts, &busy).count(), 3, "Minus: not counted, up to its limit");
    assert_eq!(to(&attempts, &late).count(), 0, "MEMBER EXPIRED");
    let mut reached = states(&lab, "webitel", "reached");
    reached.sort();
    assert_eq!(reached, [second, fine.clone()], "one by the other communication");
    let said = &to(&attempts, &fine).next().unwrap().steps[0];
    assert_eq!((said.action.as_str(), said.result.as_str()), ("SAY digits {debt}", "done"));
}

/// mod_dialer: `max_concurrent_calls`, `time_between_calls`, `attempts_per_number`, `calling_strategy` random,
/// `transfer_on_answer` 8888-like, `finish_on` n.
fn mod_dialer_mass_calls(version: Version) {
    let mut lab = Setup::new(version).start();
    let options = [
        "--channels",
        "3",
        "--delay",
        "1s",
        "--max-retries",
        "0",
        "--wait-time",
        "5",
        "--order",
        "random",
        "--finish",
        "4",
    ];
    let numbers: Vec<String> = (0..9).map(|i| callee(&format!("00{i}"))).collect();
    lab.campaign("mass", CALLEES, &options).numbers(&numbers).actions(&["TRANSFER ivr,100"]).start();
    lab.until_completed("mass", 60);

    let callees = lab.callees();
    assert_eq!(callees.len(), 4, "finish_on 4");
    let starts: Vec<UtcMs> = callees.iter().map(|callee| callee.at).collect();
    assert!(starts.windows(2).all(|pair| pair[1].since_ms(pair[0]) >= 900), "a second between calls: {starts:?}");
    assert_eq!(lab.read("ivr.log").lines().count(), 4, "each was transferred");
    assert_eq!(states(&lab, "mass", "waiting").len(), 5, "the others are left");
}

/// Call generators, the scheme "telemarketing": an activation time to the second, batches with a pause, a message with
/// a menu, and disabled when all calls are generated.
fn call_generators_telemarketing(version: Version) {
    let mut lab = Setup::new(version).start();
    let activation = UtcMs(lab_now().0 / 1000 * 1000).plus_s(5);
    let at = activation.to_string();
    let options = ["--starts-at", &at, "--batch", "2", "--batch-pause", "4", "--wait-time", "5"];
    // The first presses 1 and 1.
    let numbers = ["611", "001", "002", "003", "100"].map(callee);
    lab.campaign("offer", CALLEES, &options)
        .numbers(&numbers)
        .list("yes", &["SAY digits 1", "WAIT 1"])
        .actions(&["MENU beep keys=1:yes timeout=2 repeats=0"])
        .start();
    lab.until_completed("offer", 60);

    let attempts = lab.report("offer");
    let starts: Vec<UtcMs> = attempts.iter().filter_map(|attempt| attempt.dialled_at).collect();
    assert_eq!(starts.len(), 5);
    assert!(starts[0] >= activation && starts[0].since_ms(activation) < 1_500, "activated at {activation}: {starts:?}");
    let gaps: Vec<i64> = starts.windows(2).map(|pair| pair[1].since_ms(pair[0])).collect();
    // The gate's starts are exact; Asterisk notes the dial some milliseconds behind them, not always as many.
    let paused: Vec<bool> = gaps.iter().map(|gap| *gap >= 3_900).collect();
    assert_eq!(paused, [false, true, false, true], "two calls, and a pause: {gaps:?}");
    let yes = to(&attempts, &numbers[0]).next().unwrap();
    assert_eq!(yes.steps[0].finding["to"], "yes", "{:?}", yes.steps);
    assert_eq!(lab.state("offer"), "completed", "disabled when all calls are generated");
}

/// Call generators, the scheme "Provider checking": a prepared list through every provider, repeated every so many
/// seconds; of the two providers one fails.
fn call_generators_provider_checking(version: Version) {
    let mut lab = Setup::new(version).start();
    lab.campanile(&["trunk", "add", "good", "--dial", CALLEES]);
    lab.campanile(&["trunk", "add", "bad", "--dial", "Local/{number}@down"]);
    // One rings for a second and never says a word; one says something at once; one is busy.
    let (silent, talks, busy) = (callee("810"), callee("998"), callee("100"));
    let file = format!("{}/probes.txt", lab.path());
    std::fs::write(&file, [&*silent, &*talks, &*busy].join("\n")).unwrap();
    let options = ["--repeat", "3", "--rounds-max", "2", "--wait-time", "10"];
    let add = ["line-check", "add", "carriers", "--trunks", "good,bad", "--numbers", &file];
    lab.campanile(&[&add[..], &options[..]].concat());
    lab.campanile(&["line-check", "start", "carriers"]);
    lab.until("both rounds are over", 120, |lab| {
        lab.state("carriers-good") == "completed" && lab.state("carriers-bad") == "completed"
    });

    for number in [&silent, &talks, &busy] {
        assert_eq!(to(&lab.report("carriers-good"), number).count(), 2, "once a round: {number}");
        assert_eq!(to(&lab.report("carriers-bad"), number).count(), 2, "once a round: {number}");
    }
    let report = |limits: &[&str]| {
        let output = lab.try_campanile(&[&["line-check", "report", "carriers", "--json"], limits].concat());
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), told)
    };
    let (code, told) = report(&["--asr-min", "60%", "--pdd-max", "4s"]);
    let (good, bad) = (&told["groups"][0], &told["groups"][1]);
    assert_eq!((code, &good["verdict"], &bad["verdict"]), (Some(2), &json!("ok"), &json!("missed")), "{told}");
    assert_eq!(
        (&good["trunk"], &good["prefix"], &good["dialled"], &good["answered"]),
        (&json!("good"), &json!("44"), &json!(6), &json!(4))
    );
    assert_eq!((&bad["dialled"], &bad["answered"]), (&json!(6), &json!(0)), "{bad}");
    assert_eq!(good["causes"], json!({"USER_BUSY": 2}));
    // Both ring, or answer, at once; the one of them answers a second later.
    assert!((0..900).contains(&good["mean_post_dial_ms"].as_i64().unwrap()), "{good}");
    assert_eq!(
        (&good["listened"], &good["heard"]),
        (&json!(4), &json!(2)),
        "a line without audio is not heard: {good}"
    );
    assert!((0..2_000).contains(&good["mean_first_audio_ms"].as_i64().unwrap()), "{good}");
    assert_eq!(report(&["--prefix", "44", "--pdd-max", "4s"]).0, Some(3), "nothing rang over the bad one");
    assert_eq!(lab.try_campanile(&["line-check", "report", "carriers", "--since", "0s"]).status.code(), Some(3));
}

fn lab_now() -> UtcMs {
    campanile::clock::now()
}

fn to<'a>(attempts: &'a [Attempt], number: &'a str) -> impl Iterator<Item = &'a Attempt> {
    attempts.iter().filter(move |attempt| attempt.number == number)
}

#[track_caller]
fn phase(lab: &Lab, campaign: &str) -> String {
    lab.campanile(&["campaign", "show", campaign])["phase"].as_str().unwrap().to_owned()
}

/// The numbers of a campaign in a state.
#[track_caller]
fn states(lab: &Lab, campaign: &str, state: &str) -> Vec<String> {
    let list = lab.campanile(&["numbers", "list", campaign, "--state", state]);
    let number = |row: &Value| row["number"].as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(number).collect()
}
