//! Calendars, and when a campaign dials, on the command line.

use serde_json::json;

use super::machine::Machine;

fn with_office() -> Machine {
    let machine = Machine::with_campaign();
    let said = machine.run_words(&["calendar", "add", "office", "--hours", "Mon-Fri 09:00-12:00,13:00-18:00"]);
    assert_eq!(said.code, 0, "{}", said.err);
    machine
}

#[test]
fn a_calendar_is_made_shown_given_to_a_campaign_and_kept_while_it_is_in_use() {
    let machine = with_office();
    machine.ok("calendar add-holiday office 2026-12-25 Christmas --to 2026-12-26 --yearly");
    let shown = machine.json("calendar show office");
    assert_eq!(
        (&shown["hours"], &shown["time_zone"]),
        (&json!("Mon-Fri 09:00-12:00,13:00-18:00"), &json!("Europe/Berlin"))
    );
    assert_eq!(
        shown["holidays"],
        json!([{"name": "Christmas", "first": "2026-12-25", "last": "2026-12-26", "repeats": "yearly"}])
    );
    assert_eq!(machine.json("campaign set spring --calendar office")["timing"]["calendar"], "office");
    machine.fails("calendar remove office", 1, "in use by campaign(s) spring");
    machine.ok("campaign set spring --calendar none");
    assert_eq!(machine.json("calendar remove office")["removed"], true);
}

#[test]
fn what_makes_no_calendar_is_refused_with_its_mend() {
    let machine = with_office();
    let refused = |words: &[&str], why: &str| {
        let said = machine.run_words(words);
        assert!(said.code != 0 && said.err.contains(why), "{words:?}: {}", said.err);
    };
    refused(&["calendar", "set", "office", "--hours", "Mon 18:00-09:00"], "until 24:00");
    refused(&["calendar", "set", "office", "--hours", "Mon 09:00-12:00,11:00-13:00"], "overlap");
    refused(&["calendar", "set", "office", "--time-zone", "Europe/Atlantis"], "no time zone");
    refused(&["calendar", "set", "office", "--first-day", "2026-02-30"], "a day that exists");
    refused(
        &["calendar", "set", "office", "--first-day", "2026-12-02", "--last-day", "2026-12-01"],
        "before the first",
    );
    refused(&["calendar", "add-holiday", "office", "2026-12-25", "X", "--to", "2026-12-24"], "does not work");
    machine.fails("calendar remove-holiday office 2026-01-01", 66, "no holiday that begins on");
    machine.fails("calendar add office", 1, "there is already a calendar");
    machine.fails("campaign set spring --calendar ofice", 66, "there is no calendar `ofice`");
    assert_eq!(machine.json("calendar show office")["hours"], "Mon-Fri 09:00-12:00,13:00-18:00", "nothing changed");
}

#[test]
fn holidays_are_taken_over_from_an_icalendar_file_all_or_none() {
    let machine = with_office();
    let event = |day: &str| format!("BEGIN:VEVENT\r\nSUMMARY:Feiertag\r\nDTSTART;VALUE=DATE:{day}\r\nEND:VEVENT\r\n");
    let file = |events: &str| machine.write("h.ics", format!("BEGIN:VCALENDAR\r\n{events}END:VCALENDAR\r\n"));
    let import = format!("calendar import office {}", machine.path("h.ics").display());
    let ten_years: String =
        (2026..2036).map(|year| event(&format!("{year}0101")) + &event(&format!("{year}1225"))).collect();
    file(&ten_years);
    assert_eq!(machine.json(&format!("{import} --dry-run"))["new"], 20);
    assert_eq!(machine.json("calendar show office")["holidays"], json!([]), "a dry run changes nothing");
    assert_eq!(machine.json(&import)["new"], 20);
    assert_eq!(machine.json(&import)["new"], 0, "a second time there is nothing new");
    file(&(event("20361225") + &event("someday")));
    machine.fails(&import, 65, "no date: someday");
    assert_eq!(machine.json("calendar show office")["holidays"].as_array().unwrap().len(), 20);
}

#[test]
fn a_user_has_calendars_of_their_own_and_uses_those_of_admins() {
    let machine = with_office();
    machine.ok("user add alice");
    machine.ok("user add bob");
    machine.ok("--as alice calendar add hers");
    machine.ok("--as alice campaign add call-us --trunk gw1 --calendar office");
    machine.fails("--as alice calendar set office --last-day 2026-12-31", 77, "is an admin's");
    machine.fails("--as bob calendar show hers", 66, "there is no calendar `hers`");
    let names = |who: &str| {
        let all = machine.json(&format!("--as {who} calendar list"));
        all.as_array().unwrap().iter().map(|c| c["calendar"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((names("alice"), names("bob")), (vec!["hers".into(), "office".into()], vec!["office".to_owned()]));
    assert_eq!(
        machine.json("--as bob calendar show office")["campaigns"],
        json!([]),
        "whose campaigns use it is theirs"
    );
}

#[test]
fn when_a_campaign_dials_and_how_fast_is_set_and_shown() {
    let machine = with_office();
    let set = [
        "campaign",
        "set",
        "spring",
        "--starts-at",
        "2036-12-01 09:00:05",
        "--ends-at",
        "2036-12-02 09:00",
        "--priority",
        "7",
        "--delay",
        "1500ms",
        "--batch",
        "5",
        "--batch-pause",
        "60",
        "--finish",
        "100",
        "--json",
    ];
    let said = machine.run_words(&set);
    let page: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let timing = json!({"calendar": null, "legal_hours": "on", "starts_at": "2036-12-01T08:00:05.000Z", "ends_at": "2036-12-02T08:00:00.000Z",
        "priority": 7, "delay_ms": 1500, "batch_calls": 5, "batch_pause_s": 60, "finish": "100", "calls_started": 0});
    assert_eq!((&page["timing"], &page["phase"]), (&timing, &json!("READY")));
    let none = "campaign set spring --starts-at none --ends-at none --delay none --batch none --finish never";
    let timing = &machine.json(none)["timing"];
    assert_eq!(
        (&timing["starts_at"], &timing["batch_calls"], &timing["finish"]),
        (&json!(null), &json!(null), &json!("never"))
    );
    machine.fails("campaign set spring --batch 5", 64, "a batch needs its pause");
    machine.fails("campaign set spring --priority 101", 64, "101");
    machine.fails("campaign set spring --delay 3", 64, "1500ms or 2s");
    machine.fails(
        "campaign set spring --ends-at 2026-01-01T00:00 --starts-at 2026-01-02T00:00",
        65,
        "before it starts",
    );
}

#[test]
fn variables_of_all_contacts_are_set_shown_and_taken_away() {
    let machine = Machine::with_campaign();
    let set = machine.run_words(&[
        "campaign",
        "set",
        "spring",
        "--var",
        "language=ru",
        "--var",
        "shop=Main Street",
        "--json",
    ]);
    let page: serde_json::Value = serde_json::from_str(&set.out).unwrap();
    assert_eq!(page["variables"], json!({"language": "ru", "shop": "Main Street"}));
    assert_eq!(machine.json("campaign set spring --var shop=")["variables"], json!({"language": "ru"}));
    machine.fails("campaign set spring --var FILE(/etc/passwd)=x", 64, "variable name has the character '('");
    machine.fails("campaign set spring --var language=${X}", 64, "variable has the character");
    machine.fails("campaign set spring --var language", 64, "NAME=TEXT");
}

#[test]
fn a_campaign_whose_end_has_come_is_not_started() {
    let machine = Machine::with_campaign();
    machine.import("+493012345601\n");
    machine.ok("actions add spring PLAY hello");
    machine.ok("campaign set spring --ends-at 2026-01-01T00:00");
    machine.fails("campaign start spring", 1, "its end has come");
}

#[test]
fn hours_in_which_no_call_can_start_are_told_when_they_are_given_and_the_mend_fits() {
    let machine = Machine::with_running_campaign();
    machine.ok("campaign stop spring");
    let warning = |words: &[&str]| {
        let said = machine.run_words(words);
        assert_eq!(said.code, 0, "{}", said.err);
        said.err
    };
    let past = warning(&["campaign", "add", "past", "--trunk", "gw1", "--ends-at", "2020-11-30 09:00"]);
    assert!(past.contains("the campaign ended at 2020-11-30 09:00:00 Europe/Berlin: it calls nobody"), "{past}");
    assert_eq!(machine.json("campaign show past")["run_time"], "all day, ended at 2020-11-30 09:00:00");
    let short = warning(&["campaign", "set", "spring", "--start", "09:00", "--stop", "09:00:30"]);
    assert!(short.contains("its hours are too short for the 35 s that a call needs"), "{short}");
    assert_eq!(warning(&["campaign", "set", "spring", "--channels", "2"]), "", "what did not change is not told again");
    let told = machine.run("campaign start spring --json");
    let told: serde_json::Value = serde_json::from_str(&told.out).unwrap();
    let mend = "campanile campaign set spring --start HH:MM --stop HH:MM";
    let what = "its hours are too short for the 35 s that a call needs";
    assert_eq!(told["missing"], json!([{"what": what, "mend": mend}]));
    let quick = warning(&["campaign", "set", "spring", "--wait-time", "20"]);
    assert_eq!(quick, "", "30 s are enough for it");
}
