//! Verbs over calls that were made: the ledger is filled as the daemon and the gate would.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};

use campanile::domain::action::Action;
use campanile::domain::attempt::AttemptState;
use campanile::domain::campaign::ContactState;
use campanile::domain::disposition::{Conclusion, Disposition};
use campanile::domain::evidence::{Evidence, Fact, Step, StepResult};
use campanile::domain::ids::{AttemptId, ContactId, Ticket};
use campanile::domain::instant::UtcMs;
use campanile::domain::retry::ContactTally;
use campanile::domain::traffic::Draw;
use campanile::ledger::attempts::{self, Intent};
use campanile::ledger::{Ledger, campaigns, claims, contacts, evidence, settle, trunks};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use super::machine::Machine;

const AT: UtcMs = UtcMs(1_772_352_000_250);

/// Plans a call to the number at this place of the import.
pub fn plan(ledger: &mut Ledger, place: usize) -> AttemptId {
    plan_with(ledger, place, Draw::default())
}

/// The same, with what is made up for it.
pub fn plan_with(ledger: &mut Ledger, place: usize, draw: Draw) -> AttemptId {
    ledger
        .write(|db| {
            let campaign = campaigns::find(db, "spring")?.unwrap();
            let trunk = trunks::get(db, campaign.trunk)?;
            let contact = contacts::page(db, campaign.id, None, ContactId(0), 100)?.swap_remove(place);
            let intent = Intent {
                ticket: Ticket::new([u8::try_from(place).unwrap(); 16]),
                spool_salt: u32::try_from(place).unwrap(),
                campaign: campaign.id,
                contact: contact.id,
                trunk: trunk.id,
                dial_string: trunk.template.dial_string(&contact.number),
                number: contact.number,
                planned_at: AT,
                wait_time_s: 30,
                caller_number: None,
                caller_name: None,
                account: None,
                actions: campaign.actions,
                variables: Default::default(),
                invite: Default::default(),
                draw,
            };
            Ok(attempts::record_intents(db, &[intent])?[0])
        })
        .unwrap()
}

pub fn close(ledger: &mut Ledger, attempt: AttemptId, disposition: Disposition, state: ContactState) {
    let conclusion = Conclusion {
        disposition,
        not_dialled: None,
        detail: None,
        cause: Some(16),
        sip_code: Some(200),
        dialled_at: Some(AT),
        answered_at: Some(AT.plus_ms(1500)),
        ended_at: AT.plus_ms(4000),
        ring_ms: Some(1400),
        talk_ms: Some(2500),
        learned: None,
    };
    let tally = ContactTally { dials: 1, ..ContactTally::default() };
    ledger
        .write(|db| {
            let contact = attempts::open_one(db, attempt)?.unwrap().contact.unwrap();
            settle::close(db, attempt, &conclusion, AT.plus_ms(4001))?;
            contacts::settle(db, contact, state, None, tally, disposition)
        })
        .unwrap();
}

fn press(ledger: &mut Ledger, attempt: AttemptId) {
    let step = Step {
        ordinal: 0,
        list: None,
        index: 0,
        action: Action::parse("PLAY", "hello").unwrap(),
        result: StepResult::Done,
        digits: "1".into(),
        ran_ms: 900,
        finding: None,
    };
    ledger.write(|db| evidence::append(db, attempt, &Evidence { at: AT, fact: Fact::Step(step) })).unwrap();
}

#[test]
fn a_report_has_one_row_for_each_attempt_with_every_field() {
    let machine = Machine::with_running_campaign();
    let mut ledger = machine.ledger();
    let attempt = plan(&mut ledger, 0);
    press(&mut ledger, attempt);
    close(&mut ledger, attempt, Disposition::Answered, ContactState::Reached);
    plan(&mut ledger, 1);
    let rows = machine.json("report spring");
    let expected = json!({
        "number": "+493012345601", "planned_at": "2026-03-01T08:00:00.250Z", "dialled_at": "2026-03-01T08:00:00.250Z",
        "answered_at": "2026-03-01T08:00:01.750Z", "ended_at": "2026-03-01T08:00:04.250Z", "disposition": "answered",
        "detail": null, "cause": 16, "sip_code": 200, "ring_ms": 1400, "talk_ms": 2500,
        "planned_talk_ms": null, "planned_cancel_s": null, "state": "closed",
        "steps": [{
            "list": null, "place": 1, "action": "PLAY hello", "result": "done", "digits": "1", "ran_ms": 900, "finding": null,
        }],
    });
    assert_eq!((&rows[0], &rows[1]["disposition"], &rows[1]["state"]), (&expected, &json!(null), &json!("intent")));
    let text = machine.ok("report spring");
    assert!(text.contains("2 numbers = 0 waiting + 1 in progress + 1 reached + 0 failed"), "{text}");
    assert!(text.starts_with("PLANNED (Europe/Berlin)"), "{text}");
    assert_eq!(text.lines().last(), Some("1 calls ended = 1 answered"), "the sums are what a terminal shows: {text}");
    assert!(text.contains("PLAY hello done keys 1") && text.contains("2026-03-01 09:00:00"), "{text}");
    let csv = machine.ok("report spring --csv");
    assert!(csv.contains("\n+493012345601,2026-03-01T08:00:00.250Z,"), "{csv}");
    assert_eq!(csv.lines().count(), 3);
}

#[test]
fn calls_are_counted_by_a_feature_as_text_json_csv_and_a_chart() {
    let machine = Machine::with_running_campaign();
    let mut ledger = machine.ledger();
    let attempt = plan(&mut ledger, 0);
    close(&mut ledger, attempt, Disposition::Answered, ContactState::Reached);
    plan(&mut ledger, 1);
    let svg = machine.path("hours.svg");
    let by_hour = machine.json(&format!("report spring --by hour --svg {}", svg.display()));
    let nine = json!({"group": "09", "attempts": 1, "dialled": 1, "answered": 1, "answer_rate": 1.0, "mean_ring_ms": 1400,
        "mean_talk_ms": 2500, "talk_ms": 2500});
    assert_eq!((&by_hour["groups"][9], by_hour["groups"].as_array().unwrap().len()), (&nine, 24));
    assert_eq!(by_hour["all"]["attempts"], 1, "an open call is not counted");
    let chart = std::fs::read_to_string(svg).unwrap();
    assert!(chart.starts_with("<svg") && chart.contains("Calls of spring by hour"), "{chart}");
    let text = machine.ok("report spring --by trunk");
    assert!(text.lines().any(|line| line.starts_with("gw1  ") && line.contains("100.0%")), "{text}");
    assert_eq!(machine.ok("report spring --by cause --csv").lines().nth(1), Some("16,1,1,1,1,1400,2500,2500"));
    for feature in ["disposition", "sip", "weekday", "day"] {
        machine.ok(&format!("report spring --by {feature}"));
    }
    machine.fails("report spring --by phase", 64, "disposition, cause, sip, trunk, hour, weekday, day");
    machine.fails("report spring --svg x.svg", 64, "--by");
    machine.fails("report spring --by hour --svg /nosuch/x.svg", 74, "cannot write");
}

#[test]
fn a_stop_says_what_is_withdrawn_what_is_up_and_after_when_nothing_starts_i4() {
    let machine = Machine::with_running_campaign();
    let mut ledger = machine.ledger();
    let (up, _planned) = (plan(&mut ledger, 0), plan(&mut ledger, 1));
    let admitted = ledger.write(|db| claims::claim(db, up, claims::ServerRate(60), AT)).unwrap();
    assert_eq!(admitted, Ok(AT));
    let told = machine.json("campaign stop spring");
    assert_eq!((&told["withdrawn"], &told["calls_up"]), (&json!(1), &json!(1)));
    assert!(told["no_start_after"].as_str().is_some_and(|at| at.ends_with('Z')), "{told}");
    machine.fails("campaign remove spring --yes", 1, "2 open call(s)");
    let state = ledger.read(|db| attempts::open_one(db, up)).unwrap().unwrap().state;
    assert_eq!(state, AttemptState::Claimed);
}

#[test]
fn redial_failed_and_reactivate_bring_numbers_back() {
    let machine = Machine::with_running_campaign();
    let mut ledger = machine.ledger();
    let (lost, reached) = (plan(&mut ledger, 0), plan(&mut ledger, 1));
    close(&mut ledger, lost, Disposition::Busy, ContactState::Failed);
    close(&mut ledger, reached, Disposition::Answered, ContactState::Reached);
    machine.ok("campaign stop spring");
    machine.fails("campaign start spring", 1, "campanile redial-failed spring");
    assert_eq!(machine.json("redial-failed spring")["callable_again"], 1);
    assert_eq!(machine.json("redial-failed spring")["callable_again"], 0);
    assert_eq!(machine.json("numbers reactivate spring 03012345602")["state"], "waiting");
    machine.fails("numbers reactivate spring 03012345602", 1, "waits for its call already");
    assert_eq!(machine.json("campaign show spring")["numbers"]["waiting"], 2);
}

#[test]
fn a_user_does_not_learn_in_whose_campaign_a_number_is_being_called() {
    let machine = Machine::with_running_campaign();
    machine.ok("user add alice");
    machine.ok("--as alice campaign add hers --trunk gw1");
    machine.ok(&format!("--as alice numbers import hers {}", machine.path("numbers.txt").display()));
    plan(&mut machine.ledger(), 0);
    let told = machine.ok("--as alice why 03012345601");
    assert!(told.contains("of-another-user") && !told.contains("spring"), "{told}");
}

fn interrupt(child: &Child) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
    kill(pid, Signal::SIGINT).unwrap();
}

#[test]
fn ctrl_c_leaves_a_watch_cleanly() {
    let machine = Machine::with_running_campaign();
    for (line, code) in [("watch spring --json", 0), ("watch spring --json --until-done", 130)] {
        let mut child = machine.command().args(line.split(' ')).stdout(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
        assert!(first.contains("\"waiting\":2"), "{first}");
        interrupt(&child);
        assert_eq!(child.wait().unwrap().code(), Some(code), "{line}");
    }
}

#[test]
fn ctrl_c_in_the_midst_of_an_import_keeps_the_batches_that_were_committed_i8() {
    let machine = Machine::with_campaign();
    let mut command = machine.command();
    command.args(["numbers", "import", "spring", "-", "--json"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let rows: String = (0..12_000).map(|n| format!("+4930{:08}\n", 12_340_000 + n)).collect();
    stdin.write_all(rows.as_bytes()).unwrap();
    // The pipe stays open: the import now waits for more.
    let mut ledger = machine.ledger();
    let campaign = ledger.read(|db| campaigns::find(db, "spring")).unwrap().unwrap().id;
    let mut count = || ledger.read(|db| contacts::counts(db, campaign)).unwrap().total();
    while count() < 2_000 {
        std::thread::yield_now();
    }
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &told["interrupted"]), (Some(130), &json!(true)));
    assert_eq!(told["imported"].as_u64(), Some(count()));
    drop(stdin);
}
