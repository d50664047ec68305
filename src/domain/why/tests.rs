use super::*;
use crate::domain::bar::Listed;
use crate::domain::breaker::{BreakerRules, Heed, LineLeave, Share};
use crate::domain::calendar::{Holiday, LegalHours, Repeats, Schedule, Timetable, Window};
use crate::domain::trunk::TrunkLine;
use crate::domain::zoning::{ZoneSource, Zones};

fn at(text: &str) -> UtcMs {
    text.parse::<jiff::Timestamp>().unwrap().into()
}

fn now() -> UtcMs {
    at("2026-03-02T09:00:00Z")
}

/// A contact that nothing holds back.
fn free() -> WhyView {
    WhyView {
        campaign: "spring".parse().unwrap(),
        number: Number::from_canonical("+493012345601").unwrap(),
        daemon: Daemon::Running,
        files_overdue: 0,
        gate: Gate::Answers,
        rests: None,
        campaign_state: CampaignState::Running,
        calendar: Calendar::daily(Window::parse("08:00", "18:00").unwrap(), "Europe/Berlin".parse().unwrap()),
        calendar_name: None,
        whereabouts: Whereabouts { zones: "Europe/Berlin".parse().unwrap(), source: ZoneSource::Column },
        legal: None,
        calls_left: None,
        next_by_pace: None,
        next_round: NextRound::Never,
        campaign_channels: Channels { open: 3, cap: Some(10) },
        trunks: vec![trunk("gw1", None)],
        server_channels: Channels { open: 8, cap: None },
        heed: Heed::Bound,
        nature: Nature::Genuine,
        contact_state: ContactState::Waiting,
        due_at: None,
        expires_at: None,
        excluded: None,
        failed: None,
        number_turn: NumberTurn::Only,
        calls_used: 0,
        max_retries: 2,
        dials: 0,
        dials_max: 9,
        result_until: None,
        bar: None,
        busy_in: None,
        files_free: 900,
        other_first: None,
        ahead: 0,
        calls_one_time: 10,
    }
}

fn trunk(name: &str, cap: Option<u32>) -> TrunkWhy {
    let channels = Channels { open: 5, cap };
    let breaker = Some((BreakerRules::default(), Share { calls: 4, failures: 1 }));
    let line = TrunkLine::Real;
    TrunkWhy { name: name.parse().unwrap(), line, channels, starts: None, leave: LineLeave::All, breaker }
}

/// The one rule that fails after an edit, with the explanation.
#[track_caller]
fn failing(edit: impl FnOnce(&mut WhyView)) -> (RuleVerdict, Explanation) {
    let mut view = free();
    edit(&mut view);
    let explanation = explain(&view, now());
    let failed: Vec<RuleVerdict> =
        explanation.rules.iter().filter(|rule| rule.verdict == Verdict::Fail).cloned().collect();
    let [rule] = &failed[..] else { panic!("{failed:?}") };
    (rule.clone(), explanation)
}

/// Only `rule` fails, with these words, until somebody follows the hint.
#[track_caller]
fn stuck_at(rule: &str, detail: &str, hint: &str, edit: impl FnOnce(&mut WhyView)) {
    let (failed, explanation) = failing(edit);
    assert_eq!((failed.rule, failed.detail.as_str(), failed.next_at), (rule, detail, None));
    assert_eq!((explanation.hint.as_deref(), explanation.callable_at), (Some(hint), None));
}

/// Only `rule` fails, with these words, until `next_at`, when the number can be called.
#[track_caller]
fn passes_at(rule: &str, detail: &str, next_at: &str, edit: impl FnOnce(&mut WhyView)) {
    let (failed, explanation) = failing(edit);
    assert_eq!((failed.rule, failed.detail.as_str(), failed.next_at), (rule, detail, Some(at(next_at))));
    assert_eq!((explanation.hint, explanation.callable_at), (None, Some(at(next_at))));
}

#[test]
fn a_number_that_nothing_holds_back_can_be_called_now_i9() {
    let explanation = explain(&free(), now());
    let names: Vec<&str> = explanation.rules.iter().map(|rule| rule.rule).collect();
    let expected = [
        "daemon_running",
        "gate_answers",
        "campaign_running",
        "calls_to_make",
        "contact_waiting",
        "not_expired",
        "number_turn",
        "calls_left",
        "do_not_call",
        "frequency_cap",
        "number_free",
        "campaign_channels",
        "test_line",
        "trunk_channels",
        "trunk_starts",
        "trunk_breaker",
        "server_channels",
        "spool_room",
        "asterisk_takes_files",
        "planning_goes_on",
        "due",
        "scheduled",
        "calendar_open",
        "window_open",
        "legal_hours",
        "hours_together",
        "campaign_pace",
        "priority",
        "turn",
    ];
    assert_eq!(names, expected);
    assert!(explanation.rules.iter().all(|rule| rule.verdict == Verdict::Pass && rule.next_at.is_none()));
    assert_eq!((explanation.callable_at, explanation.hint), (Some(now()), None));
}

#[test]
fn a_campaign_that_does_not_run_wants_to_be_started() {
    let start = "campanile campaign start spring";
    for state in [CampaignState::Stopped, CampaignState::Paused, CampaignState::Completed] {
        let detail = format!("campaign spring is {state}");
        stuck_at("campaign_running", &detail, start, |view| view.campaign_state = state);
    }
}

#[test]
fn a_number_that_is_done_needs_more_than_a_start() {
    let view = WhyView { campaign_state: CampaignState::Completed, contact_state: ContactState::Reached, ..free() };
    let hint = explain(&view, now()).hint;
    assert_eq!(hint.as_deref(), Some("campanile numbers reactivate spring +493012345601"));
}

#[test]
fn made_up_calls_want_a_test_line() {
    let hint = "campanile campaign set spring --cancel-ratio 0% --duration none";
    let detail = "the campaign makes up cancels or durations, and trunk gw1 is no test line";
    stuck_at("test_line", detail, hint, |view| view.nature = Nature::MadeUp);
    let trunks = vec![TrunkWhy { line: TrunkLine::Test, ..trunk("gw1", None) }];
    let view = WhyView { nature: Nature::MadeUp, trunks, ..free() };
    assert_eq!(explain(&view, now()).callable_at, Some(now()));
}

#[test]
fn a_rest_of_planning_says_when_it_ends_i9() {
    let (failed, explanation) = failing(|view| view.rests = Some((now().plus_s(30), RestWhy::Gate)));
    assert_eq!((failed.rule, failed.next_at), ("planning_goes_on", Some(now().plus_s(30))));
    assert_eq!(explanation.callable_at, Some(now().plus_s(30)));
}

#[test]
fn nothing_is_called_without_daemon_gate_or_asterisk_i9() {
    let stopped = "campanile serve does not run: nothing is planned";
    stuck_at("daemon_running", stopped, "systemctl start campanile", |view| view.daemon = Daemon::Stopped);
    let (problem, mend) = ("campanile-agi does not answer", "systemctl start campanile-agi");
    stuck_at("gate_answers", problem, mend, |view| {
        view.gate = Gate::Fails { problem: problem.to_owned(), mend: mend.to_owned() };
    });
    stuck_at(
        "asterisk_takes_files",
        "Asterisk has left 3 due call files lying, so nothing further is planned",
        "start Asterisk, or let campanile doctor find out why it does not read the spool",
        |view| view.files_overdue = 3,
    );
}

fn listed(until: Option<UtcMs>) -> Option<Bar> {
    Some(Bar::DoNotCall(Listed { list: "robinson".parse().unwrap(), source: "a letter".to_owned(), until }))
}

#[test]
fn a_number_on_a_list_names_the_list_its_source_and_when_its_entry_expires_i9() {
    stuck_at(
        "do_not_call",
        "is on the do-not-call list robinson (a letter)",
        "if it may be called: campanile dnc remove robinson +493012345601, then campanile numbers reactivate spring +493012345601",
        |view| view.bar = listed(None),
    );
    let detail = "is on the do-not-call list robinson (a letter) until 2026-03-02 11:00:00 Europe/Berlin";
    passes_at("do_not_call", detail, "2026-03-02T10:00:00Z", |view| {
        view.bar = listed(Some(at("2026-03-02T10:00:00Z")))
    });
}

#[test]
fn a_number_that_was_called_too_often_says_when_it_is_free_again_i9() {
    let until = at("2026-03-02T10:00:00Z");
    let detail = "was called as often as attempts_per_number_max lets it, over all campaigns, until 2026-03-02 11:00:00 \
        Europe/Berlin";
    passes_at("frequency_cap", detail, "2026-03-02T10:00:00Z", |view| view.bar = Some(Bar::FrequencyCap { until }));
}

#[test]
fn the_dials_of_a_contact_end_above_all_other_rules_i9() {
    stuck_at(
        "calls_left",
        "1 of 3 calls used, and 6 dials, of which 6 are the most",
        "give campaign spring more dials (--max-dials)",
        |view| (view.calls_used, view.dials, view.dials_max) = (1, 6, 6),
    );
}

#[test]
fn only_a_waiting_contact_is_called() {
    for (state, detail, hint) in [
        (ContactState::InProgress, "has an open call", "wait for the open call to end"),
        (ContactState::Reached, "was reached: this is final", "campanile numbers reactivate spring +493012345601"),
        (
            ContactState::Failed,
            "was given up: its calls are used up, its number is invalid, or a cause was final; this is final",
            "campanile numbers reactivate spring +493012345601, or campanile redial-failed spring",
        ),
    ] {
        stuck_at("contact_waiting", detail, hint, |view| view.contact_state = state);
    }
    let hint = "campanile numbers reactivate spring +493012345601, or campanile redial-failed spring";
    for (why, detail) in [
        (FailReason::RetriesUsedUp, "was given up: its calls are used up; this is final"),
        (FailReason::InvalidNumber, "was given up: its number does not exist; this is final"),
        (FailReason::DialCap, "was given up: it was dialled as often as it may be; this is final"),
    ] {
        stuck_at("contact_waiting", detail, hint, |view| {
            (view.contact_state, view.failed) = (ContactState::Failed, Some(why));
        });
    }
}

#[test]
fn an_expiry_that_has_come_or_comes_first_ends_it_i9() {
    let import = "import it into another campaign, with a later expiry";
    let expired = "expired at 2026-03-02 10:00:00 Europe/Berlin";
    stuck_at("not_expired", expired, import, |view| view.expires_at = Some(now()));
    let mut view = free();
    (view.expires_at, view.due_at) = (Some(now().plus_s(60)), Some(now().plus_s(60)));
    let rules = explain(&view, now()).rules;
    let rule = rules.iter().find(|rule| rule.rule == "not_expired").unwrap();
    assert_eq!((rule.verdict, rule.next_at), (Verdict::Fail, None), "{}", rule.detail);
    view.expires_at = Some(now().plus_s(61));
    assert!(explain(&view, now()).callable_at.is_some(), "a second is left");
    let detail = "is excluded (member_expired): this is final";
    stuck_at("contact_waiting", detail, "import it again into another campaign", |view| {
        (view.contact_state, view.excluded) = (ContactState::Excluded, Some(Exclusion::MemberExpired));
    });
}

#[test]
fn of_several_numbers_the_one_that_was_asked_about_has_its_turn_or_not_i9() {
    let wait = "wait: it is called when those before it were not reached";
    stuck_at("number_turn", "another number of its contact is called first, number 2", wait, |view| {
        view.number_turn = NumberTurn::Later { next_place: 2 };
    });
    let show = "campanile numbers show spring +493012345601 has the contact's other numbers";
    stuck_at("number_turn", "is not called any more: invalid", show, |view| {
        view.number_turn = NumberTurn::Never(LineState::Invalid);
    });
}

#[test]
fn a_contact_has_one_call_and_its_retries() {
    stuck_at("calls_left", "3 of 3 calls used", "give campaign spring more retries", |view| view.calls_used = 3);
    let mut view = free();
    view.calls_used = 2;
    assert_eq!(explain(&view, now()).callable_at, Some(now()));
    (view.calls_used, view.max_retries) = (u32::MAX, u32::MAX);
    assert_eq!(explain(&view, now()).callable_at, Some(now()));
}

#[test]
fn a_number_that_is_called_elsewhere_is_not_free_i2() {
    let detail = "the number has an open call in campaign autumn";
    stuck_at("number_free", detail, "wait for the open call to end", |view| {
        view.busy_in = Some("autumn".parse().unwrap());
    });
}

#[test]
fn full_channels_wait_for_a_call_to_end_i5() {
    let of_campaign = "wait for a call of campaign spring to end, or give it more channels";
    stuck_at("campaign_channels", "campaign spring uses 3 of 3 channels", of_campaign, |view| {
        view.campaign_channels.cap = Some(3);
    });
    let of_trunk = "wait for a call of trunk gw1 to end, or give it more channels";
    stuck_at("trunk_channels", "trunk gw1 uses 5 of 4 channels", of_trunk, |view| {
        view.trunks[0].channels.cap = Some(4);
    });
    stuck_at("trunk_channels", "trunk gw1 has no channel", "give trunk gw1 channels", |view| {
        view.trunks[0].channels.cap = Some(0);
    });
}

#[test]
fn a_full_server_waits_for_a_call_of_any_campaign_to_end_i5() {
    let detail = "the server uses 8 of 8 channels, over all campaigns and trunks";
    let hint = "wait for a call to end, or raise channels_max";
    stuck_at("server_channels", detail, hint, |view| view.server_channels.cap = Some(8));
    let view = WhyView { server_channels: Channels { open: 7, cap: Some(8) }, ..free() };
    assert_eq!(explain(&view, now()).callable_at, Some(now()));
}

#[test]
fn of_several_trunks_one_with_a_free_channel_is_enough_i5() {
    let mut view = free();
    view.trunks = vec![trunk("gw1", Some(5)), trunk("gw2", Some(9))];
    let rule = |view: &WhyView| explain(view, now()).rules.into_iter().find(|r| r.rule == "trunk_channels").unwrap();
    let told = rule(&view);
    let detail = "trunk gw1 uses 5 of 5 channels; trunk gw2 uses 5 of 9 channels";
    assert_eq!((told.verdict, told.detail.as_str()), (Verdict::Pass, detail));
    // The one with free channels is kept from calls by its breaker.
    view.trunks[1].leave = LineLeave::Nothing;
    assert_eq!(rule(&view).verdict, Verdict::Fail);
}

#[test]
fn an_open_breaker_says_when_a_call_is_tried_i9() {
    let detail = "the breaker of trunk gw1 is open until 2026-03-02 10:01:00 Europe/Berlin, when one call is tried";
    passes_at("trunk_breaker", detail, "2026-03-02T09:01:00Z", |view| {
        view.trunks[0].leave = LineLeave::OneCall { from: at("2026-03-02T09:01:00Z") };
    });
    let detail = "the breaker of trunk gw1 is open, and another call is tried";
    stuck_at("trunk_breaker", detail, "wait for the trial call to end", |view| {
        view.trunks[0].leave = LineLeave::Nothing;
    });
}

#[test]
fn an_open_breaker_of_one_trunk_leaves_the_other() {
    let mut view = free();
    view.trunks = vec![trunk("gw1", None), trunk("gw2", None)];
    view.trunks[0].leave = LineLeave::OneCall { from: at("2026-03-02T09:01:00Z") };
    view.trunks[1].breaker = None;
    let told = explain(&view, now());
    let rule = told.rules.iter().find(|rule| rule.rule == "trunk_breaker").unwrap();
    let detail = "the breaker of trunk gw1 is open until 2026-03-02 10:01:00 Europe/Berlin, when one call is tried; \
                  trunk gw2 has no breaker";
    assert_eq!((rule.verdict, rule.detail.as_str()), (Verdict::Pass, detail));
    assert_eq!(told.callable_at, Some(now()));
}

#[test]
fn no_breaker_keeps_a_check_of_lines_from_its_calls() {
    let mut view = free();
    view.heed = Heed::Exempt;
    view.trunks[0].leave = LineLeave::Nothing;
    let told = explain(&view, now());
    let rule = told.rules.iter().find(|rule| rule.rule == "trunk_breaker").unwrap();
    let detail = "breakers do not bind a check of lines: the breaker of trunk gw1 is open, and another call is tried";
    assert_eq!((rule.verdict, rule.detail.as_str(), told.callable_at), (Verdict::Pass, detail, Some(now())));
    view.trunks[0].channels.cap = Some(5);
    assert_eq!(explain(&view, now()).callable_at, None, "a cap does");
}

#[test]
fn a_full_spool_waits_for_a_call_to_end() {
    let hint = "wait for a call to end, or raise spool_files_max";
    stuck_at("spool_room", "as many files lie in the spool as may", hint, |view| view.files_free = 0);
}

#[test]
fn a_retry_comes_at_its_time_and_in_the_window() {
    let due = |text: &'static str| move |view: &mut WhyView| view.due_at = Some(at(text));
    let detail = "its next call is due at 2026-03-02 10:15:00 Europe/Berlin";
    passes_at("due", detail, "2026-03-02T09:15:00Z", due("2026-03-02T09:15:00Z"));
    let (failed, explanation) = failing(due("2026-03-02T20:00:00Z"));
    assert_eq!(failed.next_at, Some(at("2026-03-02T20:00:00Z")));
    assert_eq!(explanation.callable_at, Some(at("2026-03-03T07:00:00Z")), "the window is closed when it is due");
    let mut view = free();
    due("2026-03-02T08:59:59Z")(&mut view);
    assert_eq!(explain(&view, now()).callable_at, Some(now()));
}

#[test]
fn a_closed_window_says_when_it_opens_i4() {
    let detail = "the window 11:00:00-12:00:00 Europe/Berlin opens at 2026-03-02 11:00:00 Europe/Berlin";
    passes_at("window_open", detail, "2026-03-02T10:00:00Z", |view| {
        view.calendar.window = Window::parse("11:00", "12:00").unwrap();
    });
}

#[test]
fn those_ahead_take_their_time_and_only_while_the_window_is_open() {
    let detail = "25 contacts are called before it, at most 10 a minute: not before 2026-03-02 10:02:30 Europe/Berlin";
    passes_at("turn", detail, "2026-03-02T09:02:30Z", |view| view.ahead = 25);
    // 8 h are left of the first day and a window has 10 h: 19 h of queue end on the third day after 1 h.
    let (_, long) = failing(|view| view.ahead = 19 * 600);
    assert_eq!(long.callable_at, Some(at("2026-03-04T08:00:00Z")));
    // A queue that fills the window to its end leaves the contact to the next opening.
    let (_, whole) = failing(|view| view.ahead = 8 * 600);
    assert_eq!(whole.callable_at, Some(at("2026-03-03T07:00:00Z")));
}

#[test]
fn a_queue_beyond_all_windows_has_no_instant_and_a_hint() {
    let (failed, explanation) = failing(|view| view.ahead = u64::MAX);
    assert_eq!((failed.rule, failed.next_at, explanation.callable_at), ("turn", None, None));
    let hint = "give campaign spring longer hours or a later end, or the server a higher rate";
    assert_eq!(explanation.hint.as_deref(), Some(hint));
}

#[test]
fn all_that_fails_is_named_and_the_first_hint_counts_i9() {
    let mut view = free();
    view.campaign_state = CampaignState::Stopped;
    view.trunks[0].channels.cap = Some(1);
    view.calendar.window = Window::parse("11:00", "12:00").unwrap();
    let explanation = explain(&view, now());
    let failed = explanation.rules.iter().filter(|rule| rule.verdict == Verdict::Fail).map(|rule| rule.rule);
    assert_eq!(failed.collect::<Vec<_>>(), ["campaign_running", "trunk_channels", "window_open"]);
    assert_eq!(explanation.callable_at, None);
    assert_eq!(explanation.hint.as_deref(), Some("campanile campaign start spring"));
}

#[test]
fn an_explanation_is_json_for_machines() {
    let mut view = free();
    view.due_at = Some(now().plus_s(60));
    let json = serde_json::to_value(explain(&view, now())).unwrap();
    assert_eq!(json["callable_at"], now().plus_s(60).0);
    assert_eq!(json["hint"], serde_json::Value::Null);
    let due = json["rules"].as_array().unwrap().iter().find(|rule| rule["rule"] == "due").unwrap();
    assert_eq!((&due["verdict"], &due["next_at"]), (&"fail".into(), &now().plus_s(60).0.into()));
}

#[test]
fn a_holiday_is_named_and_the_calendar_opens_behind_it_i9() {
    let office = Timetable {
        zone: "Europe/Berlin".parse().unwrap(),
        week: "Mon-Fri 09:00-12:00".parse().unwrap(),
        first_day: None,
        last_day: None,
        holidays: vec![Holiday {
            name: "Rose Monday".parse().unwrap(),
            first: "2026-03-02".parse().unwrap(),
            last: "2026-03-02".parse().unwrap(),
            repeats: Repeats::Once,
        }],
    };
    let detail = "calendar office has a holiday, Rose Monday, and opens at 2026-03-03 09:00:00 Europe/Berlin";
    passes_at("calendar_open", detail, "2026-03-03T08:00:00Z", |view| {
        view.calendar.timetable = Some(office.into());
        view.calendar_name = "office".parse().ok();
    });
}

#[test]
fn a_scheduled_campaign_begins_and_ends_i9() {
    let detail = "the campaign begins at 2026-03-02 10:30:05 Europe/Berlin";
    passes_at("scheduled", detail, "2026-03-02T09:30:05Z", |view| {
        view.calendar.schedule.starts_at = Some(at("2026-03-02T09:30:05Z"));
    });
    let detail = "the campaign ended at 2026-03-02 10:00:00 Europe/Berlin";
    stuck_at("scheduled", detail, "campanile campaign set spring --ends-at WHEN", |view| {
        view.calendar.schedule.ends_at = Some(now());
    });
    let detail = "the campaign ends at 2026-03-02 11:00:30 Europe/Berlin, and a call needs 35 s before that";
    stuck_at("scheduled", detail, "campanile campaign set spring --ends-at WHEN", |view| {
        let at = |s| Some(now().plus_s(s));
        view.calendar.schedule = Schedule { starts_at: at(3_600), ends_at: at(3_630) };
        view.calendar = view.calendar.clone().with_ring_time(30);
    });
}

#[test]
fn a_window_that_closes_too_soon_for_a_call_is_closed_i9() {
    let detail = "the window 08:00:00-10:00:30 Europe/Berlin closes too soon for a call to ring and opens at \
        2026-03-03 08:00:00 Europe/Berlin";
    passes_at("window_open", detail, "2026-03-03T07:00:00Z", |view| {
        let window = Window::parse("08:00", "10:00:30").unwrap();
        view.calendar = Calendar { window, ..view.calendar.clone() }.with_ring_time(30);
    });
}

#[test]
fn hours_that_are_too_short_or_over_say_so_i9() {
    let detail = "the window 09:00:00-09:00:20 Europe/Berlin is too short for the 35 s that a call needs";
    stuck_at("window_open", detail, "give campaign spring hours that open", |view| {
        let window = Window::parse("09:00", "09:00:20").unwrap();
        view.calendar = Calendar { window, ..view.calendar.clone() }.with_ring_time(30);
    });
    let office = Timetable {
        zone: "Europe/Berlin".parse().unwrap(),
        week: "daily all-day".parse().unwrap(),
        first_day: None,
        last_day: "2026-02-28".parse().ok(),
        holidays: Vec::new(),
    };
    let detail = "calendar office (Mon-Sun 00:00-24:00 Europe/Berlin) ended at 2026-03-01 00:00:00 Europe/Berlin";
    stuck_at("calendar_open", detail, "give campaign spring hours that open", |view| {
        view.calendar.timetable = Some(office.into());
        view.calendar_name = "office".parse().ok();
    });
}

#[test]
fn a_campaigns_own_pace_and_its_number_of_calls_hold_a_number_back_i9() {
    let detail = "the campaign's delay or batch pause lasts until 2026-03-02 10:01:00 Europe/Berlin";
    passes_at("campaign_pace", detail, "2026-03-02T09:01:00Z", |view| view.next_by_pace = Some(now().plus_s(60)));
    let detail = "the campaign has made or planned all the calls that it is to make";
    let hint = "campanile campaign set spring --finish all, or start it again when it is completed";
    stuck_at("calls_to_make", detail, hint, |view| view.calls_left = Some(0));
}

#[test]
fn hours_that_never_open_at_once_are_told_although_each_opens_i9() {
    let mut view = free();
    view.calendar.window = Window::parse("22:00", "23:00").unwrap();
    view.calendar.schedule.ends_at = Some(now().plus_s(3_600));
    let explanation = explain(&view, now());
    let failed = explanation.rules.iter().filter(|rule| rule.verdict == Verdict::Fail).map(|rule| rule.rule);
    assert_eq!(failed.collect::<Vec<_>>(), ["window_open", "hours_together"]);
    assert_eq!(explanation.callable_at, None);
    assert!(explanation.hint.is_some());
}

#[test]
fn a_call_that_is_due_behind_the_end_of_its_campaign_is_told_i9() {
    let detail = "is the next of its campaign, and its hours end before it could be called";
    let hint = "give campaign spring longer hours or a later end, or the server a higher rate";
    let mut view = free();
    view.due_at = Some(now().plus_s(120));
    view.calendar.schedule.ends_at = Some(now().plus_s(60));
    let explanation = explain(&view, now());
    let turn = explanation.rules.iter().find(|rule| rule.rule == "turn").unwrap();
    assert_eq!((turn.verdict, turn.detail.as_str()), (Verdict::Fail, detail));
    assert_eq!((explanation.callable_at, explanation.hint.as_deref()), (None, Some(hint)));
}

/// In two zones of the US, where it is 04:00 and 02:00 when it is 10:00 in Berlin.
fn in_america(view: &mut WhyView, week: &str) {
    let zones: Zones = "America/New_York America/Denver".parse().unwrap();
    let hours = zones.all().iter().map(|zone| (zone.clone(), week.parse().unwrap()));
    view.legal = LegalHours::of(hours.collect()).map(Arc::new);
    view.whereabouts = Whereabouts { zones, source: ZoneSource::Number };
}

#[test]
fn legal_hours_are_told_with_the_zone_where_it_comes_from_and_the_next_instant_i9() {
    let detail = "the window of the legal hours Mon-Fri 08:00-21:00, in any of America/New_York, America/Denver (from the \
        region of its number), opens at 2026-03-02 16:00:00 Europe/Berlin";
    passes_at("legal_hours", detail, "2026-03-02T15:00:00Z", |view| in_america(view, "Mon-Fri 08:00-21:00"));
    let detail = "the window of the legal hours Sat 08:00-12:00, in any of America/New_York, America/Denver (from the region \
        of its number), opens at 2026-03-07 16:00:00 Europe/Berlin";
    passes_at("legal_hours", detail, "2026-03-07T15:00:00Z", |view| in_america(view, "Sat 08:00-12:00"));
    let passed = explain(&free(), now()).rules.into_iter().find(|rule| rule.rule == "legal_hours").unwrap();
    assert_eq!(passed.detail, "no legal hours hold for the contact, in Europe/Berlin (from its list)");
}

#[test]
fn a_campaign_that_is_open_only_at_night_where_the_contact_is_is_told_so_i9() {
    let mut view = free();
    in_america(&mut view, "daily 13:00-21:00");
    let explanation = explain(&view, now());
    let failed = explanation.rules.iter().filter(|rule| rule.verdict == Verdict::Fail).map(|rule| rule.rule);
    assert_eq!(failed.collect::<Vec<_>>(), ["legal_hours", "hours_together"]);
    assert_eq!(explanation.callable_at, None);
}

#[test]
fn whoever_was_called_is_called_again_in_the_next_round() {
    for state in [ContactState::Reached, ContactState::Failed] {
        let later = now().plus_s(600);
        let next_round = NextRound::At(later);
        let view = WhyView { contact_state: state, calls_used: 1, next_round, ..free() };
        let told = explain(&view, now());
        assert_eq!(told.callable_at, Some(later), "{told:?}");
        let rule = told.rules.iter().find(|rule| rule.rule == "contact_waiting").unwrap();
        assert_eq!((rule.verdict, rule.next_at), (Verdict::Fail, Some(later)));
        let open = WhyView { next_round: NextRound::AfterThis { repeat_s: 600 }, ..view.clone() };
        let told = explain(&open, now());
        assert!(told.callable_at.is_none() && told.hint.is_some_and(|hint| hint.contains("wait")));
    }
}

#[test]
fn the_rate_of_the_trunks_holds_it_back_and_slows_those_before_it_i9() {
    let detail = "trunk gw1 starts at most 1 a second: its next free start is at 2026-03-02 10:00:02 Europe/Berlin";
    let in_two_seconds = |view: &mut WhyView| view.trunks[0].starts = Some((1, now().plus_s(2)));
    passes_at("trunk_starts", detail, "2026-03-02T09:00:02Z", in_two_seconds);
    let mut view = free();
    in_two_seconds(&mut view);
    view.trunks.push(trunk("gw2", None));
    assert_eq!(explain(&view, now()).callable_at, Some(now()), "the other trunk has no limit");
    let detail = "90 contacts are called before it, at most 60 a minute: not before 2026-03-02 10:01:30 Europe/Berlin";
    passes_at("turn", detail, "2026-03-02T09:01:30Z", |view| {
        (view.calls_one_time, view.ahead) = (600, 90);
        view.trunks[0].starts = Some((1, now()));
    });
}

#[test]
fn a_campaign_of_a_higher_priority_is_named_i9() {
    let detail = "campaign alarm has priority 50, and calls over its trunks first";
    passes_at("priority", detail, "2026-03-02T09:00:00Z", |view| {
        view.other_first = Some(OtherFirst { campaign: "alarm".parse().unwrap(), priority: 50 });
    });
}
