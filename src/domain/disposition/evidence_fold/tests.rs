use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::domain::action::{Action, Target};
use crate::domain::campaign::CampaignState;
use crate::domain::disposition::Learned;
use crate::domain::evidence::{DialStatus, Finding, Step, StepResult, WhoAnswered};

const PLANNED: UtcMs = UtcMs(1_000_000);
const MUCH_LATER: UtcMs = UtcMs(9_000_000);

fn at(ms: i64, fact: Fact) -> Evidence {
    Evidence { at: UtcMs(ms), fact }
}

fn admitted() -> Evidence {
    at(999_950, Fact::Admitted { start_at: PLANNED })
}

fn dialled(status: DialStatus) -> Report {
    Report { dialled_at: Some(UtcMs(1_000_002)), dial_status: Some(status), ..Report::default() }
}

fn reported(ms: i64, report: Report) -> Evidence {
    at(ms, Fact::Reported(report))
}

fn archived(ms: i64, status: ArchiveStatus) -> Evidence {
    at(ms, Fact::Archived { status, ended_at: Some(UtcMs(ms)) })
}

#[track_caller]
fn closed(evidence: &[Evidence], now: UtcMs) -> Conclusion {
    match conclude(PLANNED, evidence, now) {
        Verdict::Closed(conclusion) => conclusion,
        open @ Verdict::Open { .. } => panic!("still {open:?}"),
    }
}

#[track_caller]
fn ends(evidence: &[Evidence], expected: Disposition) -> Conclusion {
    let conclusion = closed(evidence, MUCH_LATER);
    assert_eq!(conclusion.disposition, expected, "{conclusion:?}");
    assert_eq!(conclusion.not_dialled.is_some(), expected == Disposition::NotDialled);
    conclusion
}

#[track_caller]
fn open(evidence: &[Evidence], now: i64, line: Line, check_again_at: Option<i64>) {
    let expected = Verdict::Open { line, check_again_at: check_again_at.map(UtcMs) };
    assert_eq!(conclude(PLANNED, evidence, UtcMs(now)), expected);
}

#[test]
fn an_answered_call_is_told_by_its_report_to_the_millisecond() {
    let report = Report {
        ring_after_ms: Some(200),
        // Counted from the leg's beginning, which the gate held for a second.
        dial_ms: Some(10_500),
        talk_ms: Some(6_400),
        cause: Some(16),
        ..dialled(DialStatus::Answer)
    };
    let told = ends(&[admitted(), at(1_003_150, Fact::Answered), reported(1_009_502, report)], Disposition::Answered);
    assert_eq!(told.dialled_at, Some(UtcMs(1_000_002)));
    assert_eq!(told.answered_at, Some(UtcMs(1_003_102)));
    assert_eq!(told.ended_at, UtcMs(1_009_502));
    assert_eq!((told.ring_ms, told.talk_ms, told.detail), (Some(2_900), Some(6_400), None));
}

#[test]
fn a_late_report_does_not_make_a_call_longer() {
    let report = Report { ring_after_ms: Some(0), talk_ms: Some(6_400), ..dialled(DialStatus::Answer) };
    let told = ends(&[admitted(), at(1_003_104, Fact::Answered), reported(1_011_000, report)], Disposition::Answered);
    assert_eq!((told.answered_at, told.ended_at), (Some(UtcMs(1_003_104)), UtcMs(1_009_504)));
    assert_eq!((told.ring_ms, told.talk_ms), (Some(3_102), Some(6_400)));
}

#[test]
fn without_durations_the_answered_leg_tells_when() {
    let evidence = [admitted(), at(1_003_150, Fact::Answered), reported(1_009_510, dialled(DialStatus::Answer))];
    let told = ends(&evidence, Disposition::Answered);
    assert_eq!((told.answered_at, told.ended_at), (Some(UtcMs(1_003_150)), UtcMs(1_009_510)));
}

#[test]
fn an_unanswered_call_has_no_answer_and_no_talk() {
    let report = Report { talk_ms: Some(0), dial_ms: Some(500), cause: Some(17), ..dialled(DialStatus::Busy) };
    let told = ends(&[admitted(), reported(1_000_600, report)], Disposition::Busy);
    assert_eq!((told.answered_at, told.talk_ms, told.cause), (None, None, Some(17)));
}

#[test]
fn a_refusal_is_not_dialled_and_says_why_i9() {
    let refused = at(1_000_000, Fact::Refused { why: Refusal::NotRunning { state: CampaignState::Paused } });
    let told = ends(std::slice::from_ref(&refused), Disposition::NotDialled);
    assert_eq!(told.detail.as_deref(), Some("the campaign is paused"));
    let told = ends(&[reported(1_000_010, Report::default()), refused.clone()], Disposition::NotDialled);
    assert_eq!(
        told.not_dialled,
        Some(NotDialled::Refused(Refusal::NotRunning { state: CampaignState::Paused })),
        "the empty report of the refused leg adds nothing"
    );
    let second_look = at(999_000, Fact::Refused { why: Refusal::AlreadyUsed });
    assert_eq!(
        ends(&[second_look, refused], Disposition::NotDialled).detail.as_deref(),
        Some("the campaign is paused")
    );
}

#[test]
fn a_second_look_at_the_file_never_undoes_a_call_i1() {
    let second_look = || at(1_001_000, Fact::Refused { why: Refusal::AlreadyUsed });
    let empty = || reported(1_001_020, Report::default());
    open(&[admitted(), second_look(), empty()], 1_600_000, Line::Live, None);
    ends(&[admitted(), second_look(), empty(), at(1_002_000, Fact::Swept)], Disposition::Indeterminate);
    let busy = reported(1_003_000, dialled(DialStatus::Busy));
    ends(&[admitted(), second_look(), empty(), busy], Disposition::Busy);
}

#[test]
fn an_empty_report_long_after_the_go_is_another_legs_also_where_its_refusal_was_lost_i1() {
    // The ledger was down as the second leg was refused; its report was kept until there was room.
    let empty = reported(1_100_000, Report::default());
    open(&[admitted(), empty.clone()], 1_600_000, Line::Live, None);
    ends(&[admitted(), empty, at(1_101_000, Fact::Swept)], Disposition::Indeterminate);
}

#[test]
fn admitted_and_never_dialled_is_told_by_the_empty_report() {
    let told = ends(&[admitted(), reported(1_000_010, Report::default())], Disposition::NotDialled);
    assert_eq!(told.not_dialled, Some(NotDialled::DialNotEntered));
    assert_eq!(told.dialled_at, None);
    let silent = ends(&[reported(1_000_010, Report::default())], Disposition::NotDialled);
    assert_eq!(silent.not_dialled, Some(NotDialled::GateSilent));
}

#[test]
fn a_file_that_ends_without_a_report_waits_for_a_late_one() {
    let evidence = [admitted(), archived(1_030_000, ArchiveStatus::Expired)];
    open(&evidence, 1_034_999, Line::Idle, Some(1_035_000));
    let told = closed(&evidence, UtcMs(1_035_000));
    assert_eq!((told.disposition, told.ended_at), (Disposition::Indeterminate, UtcMs(1_030_000)));
    let late = [&evidence[..], &[reported(1_033_000, dialled(DialStatus::Busy))]].concat();
    assert_eq!(closed(&late, UtcMs(1_033_000)).disposition, Disposition::Busy);
}

#[test]
fn without_a_report_what_was_admitted_may_have_rung() {
    let gone = |fact| at(1_030_000, fact);
    ends(&[admitted(), archived(1_030_000, ArchiveStatus::Completed)], Disposition::Answered);
    ends(&[admitted(), at(1_003_000, Fact::Answered), gone(Fact::Swept)], Disposition::Answered);
    for fact in [Fact::Missing, Fact::Swept, Fact::Withdrawn, Fact::NotPublished { error: "disk full".into() }] {
        ends(&[admitted(), gone(fact)], Disposition::Indeterminate);
    }
    for status in [ArchiveStatus::Expired, ArchiveStatus::Failed, ArchiveStatus::Unknown] {
        ends(&[admitted(), archived(1_030_000, status)], Disposition::Indeterminate);
    }
    // `Status:` comes after the rename (asterisk.md 4), so a later look may know more than the first.
    let both = [archived(1_030_000, ArchiveStatus::Unknown), archived(1_031_000, ArchiveStatus::Completed), admitted()];
    assert_eq!(ends(&both, Disposition::Answered).ended_at, UtcMs(1_030_000));
    open(&[admitted(), gone(Fact::Missing)], 1_629_999, Line::Live, Some(1_630_000));
}

#[test]
fn without_an_admission_nothing_was_dialled() {
    for (fact, words) in [
        (Fact::Withdrawn, "withdrawn before Asterisk began it"),
        (Fact::NotPublished { error: "disk full".into() }, "could not be published: disk full"),
        (Fact::Archived { status: ArchiveStatus::Expired, ended_at: None }, "is extensions_campanile.conf included"),
        (Fact::Swept, "was swept"),
        (Fact::Missing, "vanished from the spool"),
    ] {
        let told = ends(&[at(1_000_000, fact)], Disposition::NotDialled);
        assert!(told.detail.as_deref().unwrap_or_default().contains(words), "{told:?}");
    }
    open(&[archived(1_001_000, ArchiveStatus::Expired)], 1_002_000, Line::Idle, Some(1_006_000));
}

#[test]
fn an_attempt_of_which_nothing_is_heard_asks_to_be_looked_for() {
    open(&[], 990_000, Line::Idle, Some(1_010_000));
    open(&[], 1_010_000, Line::Idle, None);
    open(&[admitted()], 1_900_000, Line::Live, None);
}

fn any_report() -> impl Strategy<Value = Report> {
    (
        proptest::option::of((1_000_000_i64..1_000_010).prop_map(UtcMs)),
        proptest::option::of(select(DialStatus::ALL)),
        proptest::option::of(select(vec![1_u16, 16, 17, 18, 19, 21, 34, 127])),
        proptest::option::of(select(vec![180_u16, 200, 404, 407, 480, 486, 503, 603])),
        proptest::option::of(-1_i64..30_000),
        proptest::option::of(-1_i64..30_000),
    )
        .prop_map(|(dialled_at, dial_status, cause, sip_code, dial_ms, talk_ms)| Report {
            dialled_at,
            dial_status,
            cause,
            sip_code,
            ring_after_ms: None,
            progress_after_ms: None,
            dial_ms,
            talk_ms,
        })
}

#[test]
fn a_call_that_ended_between_its_claim_and_its_instant_was_not_dialled() {
    let ended = |ms: i64| {
        let archived = at(1_000_200, Fact::Archived { status: ArchiveStatus::Expired, ended_at: Some(UtcMs(ms)) });
        closed(&[admitted(), archived], MUCH_LATER).disposition
    };
    assert_eq!(ended(999_950), Disposition::NotDialled, "the gate died before it could say go");
    assert_eq!(ended(999_979), Disposition::NotDialled);
    assert_eq!(ended(999_980), Disposition::Indeterminate, "a file's time may be a little early");
    assert_eq!(ended(1_000_100), Disposition::Indeterminate, "it may have rung");
    assert_eq!(ended(999_949), Disposition::Indeterminate, "before its claim: the clock was set back");
}

fn step(ordinal: u32, action: (&str, &str), finding: Option<Finding>) -> Step {
    let action = Action::parse(action.0, action.1).unwrap();
    let (result, digits) = (StepResult::Done, String::new());
    Step { ordinal, list: None, index: ordinal, action, result, digits, ran_ms: 1, finding }
}

fn played(ordinal: u32) -> Step {
    step(ordinal, ("PLAY", "hello"), None)
}

fn heard(ordinal: u32, who: WhoAnswered) -> Step {
    step(ordinal, ("AMD", ""), Some(Finding::Heard { who, cause: None, to: Target::Next }))
}

fn answered_with(steps: &[Step]) -> Conclusion {
    let report = Report { talk_ms: Some(5_000), ..dialled(DialStatus::Answer) };
    let steps = steps.iter().map(|step| at(1_000_100, Fact::Step(step.clone())));
    let facts = [admitted(), at(1_000_050, Fact::Answered), reported(1_005_000, report)];
    closed(&steps.chain(facts).collect::<Vec<_>>(), MUCH_LATER)
}

#[test]
fn a_machine_is_a_disposition_of_its_own_and_done_only_when_it_heard_a_message() {
    let judged = |steps: &[Step]| {
        let conclusion = answered_with(steps);
        (conclusion.disposition, conclusion.learned)
    };
    let machine = heard(1, WhoAnswered::Machine);
    assert_eq!(judged(&[played(0), machine.clone()]), (Disposition::Machine, None));
    assert_eq!(judged(&[machine.clone(), played(2)]), (Disposition::Machine, Some(Learned::MessageLeft)));
    let cut = Step { result: StepResult::HungUp, ..played(2) };
    assert_eq!(judged(&[machine, cut]), (Disposition::Machine, None), "it did not hear it to its end");
    for who in [WhoAnswered::Human, WhoAnswered::Unsure] {
        assert_eq!(judged(&[heard(0, who), played(1)]), (Disposition::Answered, None), "{who}");
    }
}

#[test]
fn a_machine_is_one_also_without_a_report() {
    let facts = [admitted(), at(1_000_050, Fact::Answered), at(1_000_100, Fact::Step(heard(0, WhoAnswered::Machine)))];
    let archived = archived(1_009_000, ArchiveStatus::Completed);
    ends(&[&facts[..], &[archived]].concat(), Disposition::Machine);
}

#[test]
fn who_opted_out_has_answered_and_is_not_to_be_called_whatever_else_was_seen() {
    let opted_out = at(1_000_100, Fact::OptedOut { list: None });
    let lost =
        ends(&[admitted(), opted_out.clone(), archived(1_009_000, ArchiveStatus::Unknown)], Disposition::Answered);
    assert_eq!(lost.learned, Some(Learned::OptedOut));
    let machine = at(1_000_100, Fact::Step(heard(0, WhoAnswered::Machine)));
    let told = reported(1_005_000, dialled(DialStatus::Answer));
    let both = ends(&[admitted(), machine, opted_out, told], Disposition::Machine);
    assert_eq!(both.learned, Some(Learned::OptedOut));
}

fn any_fact() -> impl Strategy<Value = Fact> {
    let refusal = select(vec![
        Refusal::AlreadyUsed,
        Refusal::Removed,
        Refusal::HungUp,
        Refusal::WindowClosed { opens_at: None },
        Refusal::Late { by_ms: 6_000 },
    ]);
    prop_oneof![
        Just(Fact::Admitted { start_at: PLANNED }),
        refusal.prop_map(|why| Fact::Refused { why }),
        Just(Fact::Answered),
        Just(Fact::HandedOver),
        Just(Fact::OptedOut { list: None }),
        select(vec![played(0), heard(1, WhoAnswered::Machine), heard(1, WhoAnswered::Unsure), played(2)])
            .prop_map(Fact::Step),
        any_report().prop_map(Fact::Reported),
        (select(ArchiveStatus::ALL), proptest::option::of(999_900_i64..1_000_050))
            .prop_map(|(status, ended_at)| { Fact::Archived { status, ended_at: ended_at.map(UtcMs) } }),
        select(vec![Fact::Missing, Fact::Swept, Fact::Withdrawn]),
        select(vec!["disk full", "permission denied"]).prop_map(|e| Fact::NotPublished { error: e.to_owned() }),
    ]
}

/// Few instants, so that many facts share one.
fn any_evidence() -> impl Strategy<Value = Vec<Evidence>> {
    let one = (1_000_000_i64..1_000_004, any_fact()).prop_map(|(ms, fact)| at(ms, fact));
    proptest::collection::vec(one, 0..8)
}

fn any_now() -> impl Strategy<Value = UtcMs> {
    (999_000_i64..1_012_000).prop_map(UtcMs)
}

fn is_admitted(evidence: &[Evidence]) -> bool {
    evidence.iter().any(|e| matches!(e.fact, Fact::Admitted { .. }))
}

proptest! {
    #[test]
    fn order_never_matters_i3((evidence, shuffled) in any_evidence().prop_flat_map(|e| (Just(e.clone()), Just(e).prop_shuffle())), now in any_now()) {
        prop_assert_eq!(conclude(PLANNED, &evidence, now), conclude(PLANNED, &shuffled, now));
    }

    #[test]
    fn what_was_seen_twice_counts_once_i3(evidence in any_evidence(), now in any_now()) {
        let twice = [&evidence[..], &evidence[..]].concat();
        prop_assert_eq!(conclude(PLANNED, &evidence, now), conclude(PLANNED, &twice, now));
    }

    #[test]
    fn a_conclusion_stays_as_time_passes_i3(evidence in any_evidence(), now in any_now(), later_ms in 0_i64..100_000) {
        if let Verdict::Closed(conclusion) = conclude(PLANNED, &evidence, now) {
            prop_assert_eq!(conclude(PLANNED, &evidence, now.plus_ms(later_ms)), Verdict::Closed(conclusion));
        }
    }

    #[test]
    fn looking_again_when_told_is_enough(evidence in any_evidence(), now in any_now()) {
        if let Verdict::Open { check_again_at: Some(again), .. } = conclude(PLANNED, &evidence, now) {
            prop_assert!(again > now);
            let before = conclude(PLANNED, &evidence, again.plus_ms(-1));
            prop_assert_eq!(conclude(PLANNED, &evidence, now), before);
        }
    }

    #[test]
    fn an_admitted_call_reported_as_answered_is_answered(evidence in any_evidence(), report in any_report(), now in any_now()) {
        let report = Report { dial_status: Some(DialStatus::Answer), ..report };
        let all = [&evidence[..], &[admitted(), reported(1_000_002, report)]].concat();
        let Verdict::Closed(conclusion) = conclude(PLANNED, &all, now) else { panic!("open") };
        prop_assert!(matches!(conclusion.disposition, Disposition::Answered | Disposition::Machine), "{conclusion:?}");
    }

    #[test]
    fn what_was_never_admitted_nor_dialled_is_not_dialled_i1(evidence in any_evidence(), now in any_now()) {
        let dialled = |e: &Evidence| matches!(&e.fact, Fact::Reported(r) if r.dialled_at.is_some());
        prop_assume!(!is_admitted(&evidence) && !evidence.iter().any(dialled));
        if let Verdict::Closed(conclusion) = conclude(PLANNED, &evidence, now) {
            prop_assert_eq!(conclusion.disposition, Disposition::NotDialled);
        }
    }

    #[test]
    fn more_evidence_never_makes_a_dialled_call_undialled_i1(
        (all, some) in any_evidence().prop_flat_map(|e| { let n = e.len(); (Just(e.clone()), subsequence(e, 0..=n)) }),
        report in any_report(),
    ) {
        let dial = [admitted(), reported(1_000_002, Report { dialled_at: Some(PLANNED), ..report })];
        for evidence in [all, some] {
            let told = conclude(PLANNED, &[&evidence[..], &dial].concat(), MUCH_LATER);
            prop_assert!(matches!(told, Verdict::Closed(c) if c.disposition != Disposition::NotDialled));
        }
    }
}

#[test]
fn a_call_that_dial_gave_up_at_its_cancel_is_cancelled_and_any_other_is_what_it_was() {
    let cancel = Planned { at: PLANNED, draw: Draw { talk_ms: None, cancel_after_s: Some(7) } };
    let ended = |planned: Planned, report: Report| match conclude(
        planned,
        &[admitted(), reported(1_007_010, report)],
        MUCH_LATER,
    ) {
        Verdict::Closed(conclusion) => conclusion.disposition,
        open @ Verdict::Open { .. } => panic!("still {open:?}"),
    };
    let told = |status, cause, sip_code| Report { cause, sip_code, ..dialled(status) };
    for sip_code in [None, Some(180), Some(183), Some(487)] {
        let rang = told(DialStatus::NoAnswer, None, sip_code);
        assert_eq!(ended(cancel, rang.clone()), Disposition::Cancelled, "{sip_code:?}");
        assert_eq!(ended(PLANNED.into(), rang), Disposition::NoAnswer, "nothing was made up");
    }
    assert_eq!(
        ended(cancel, told(DialStatus::NoAnswer, Some(19), Some(480))),
        Disposition::NoAnswer,
        "the other side ended it"
    );
    assert_eq!(ended(cancel, told(DialStatus::Busy, Some(17), Some(486))), Disposition::Busy);
    assert_eq!(
        ended(cancel, told(DialStatus::Answer, Some(16), Some(200))),
        Disposition::Answered,
        "before its cancel"
    );
    assert_eq!(ended(cancel, told(DialStatus::ChanUnavail, Some(1), Some(404))), Disposition::InvalidNumber);
}
