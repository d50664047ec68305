use std::collections::BTreeMap;

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::domain::calendar::{Window, Zone};
use crate::domain::campaign::CampaignState;
use crate::domain::cause::Cause;
use crate::domain::evidence::ArchiveStatus;

const ENDED: UtcMs = UtcMs(1_772_352_000_000); // 2026-03-01T08:00:00Z

/// A campaign's rules, its own.
#[derive(Debug)]
struct Rulebook {
    retry: RetryRules,
    outcome: OutcomeRules,
    causes: CauseTable,
}

fn rules(max_retries: u32) -> Rulebook {
    let retry = RetryRules { max_retries, retry_time_s: 300, wait_time_s: 30 };
    Rulebook { retry, outcome: OutcomeRules::default(), causes: CauseTable::default() }
}

impl Rulebook {
    fn with(mut self, cause: &str, verb: Verb, delay_s: Option<u32>, limit: Option<u32>) -> Self {
        self.causes.0.insert(cause.parse().unwrap(), CauseRule { verb, delay_s, limit });
        self
    }

    fn as_rules(&self) -> Rules<'_> {
        Rules { retry: &self.retry, outcome: &self.outcome, causes: &self.causes }
    }
}

/// A contact's life: one conclusion after the other, with what the ledger keeps between them.
#[derive(Default)]
struct Life {
    tally: ContactTally,
    causes: BTreeMap<Cause, u32>,
}

impl Life {
    fn goes_on(&mut self, conclusion: &Conclusion, rules: &Rulebook, calendar: &Calendar) -> ContactNext {
        let cause = rules.causes.rule_for(conclusion).map(|(cause, _)| cause);
        let came = cause.map(|cause| self.causes.entry(cause).or_default());
        let past = Past { tally: self.tally, of_this_cause: came.as_ref().map_or(0, |n| **n), ..Past::default() };
        let told = after(conclusion, past, rules.as_rules(), calendar);
        if let Some(n) = came {
            *n += 1;
        }
        self.tally = told.tally;
        told.next
    }
}

fn always() -> Calendar {
    calendar("00:00", "24:00")
}

fn calendar(start: &str, stop: &str) -> Calendar {
    Calendar::daily(Window::parse(start, stop).unwrap(), Zone::UTC)
}

fn not_dialled(why: NotDialled) -> Conclusion {
    Conclusion::not_dialled(why, ENDED)
}

#[track_caller]
fn runs(max_retries: u32, ends: &[Disposition], expected: ContactNext) {
    let conclusions: Vec<_> = ends.iter().map(|disposition| Conclusion::bare(*disposition, ENDED)).collect();
    runs_by(&rules(max_retries), &conclusions, expected);
}

/// All conclusions but the last lead to another call, the last to what is expected.
#[track_caller]
fn runs_by(rules: &Rulebook, conclusions: &[Conclusion], expected: ContactNext) {
    let mut life = Life::default();
    let nexts: Vec<_> = conclusions.iter().map(|c| life.goes_on(c, rules, &always())).collect();
    let (last, before) = nexts.split_last().unwrap();
    assert!(before.iter().all(|next| matches!(next, ContactNext::Again { .. })), "{nexts:?}");
    assert_eq!(*last, expected);
}

#[track_caller]
fn due_after_s(conclusion: &Conclusion, pause_s: i64) {
    let next = Life::default().goes_on(conclusion, &rules(2), &always());
    assert_eq!(next, ContactNext::Again { due_at: ENDED.plus_s(pause_s) });
}

#[test]
fn a_contact_gets_its_first_call_and_its_retries() {
    use Disposition::{Answered, Busy, NoAnswer, Rejected};
    runs(2, &[Busy, NoAnswer], ContactNext::Again { due_at: ENDED.plus_s(300) });
    runs(2, &[Busy, NoAnswer, Rejected], ContactNext::Failed(FailReason::RetriesUsedUp));
    runs(0, &[NoAnswer], ContactNext::Failed(FailReason::RetriesUsedUp));
    runs(2, &[Busy, Answered], ContactNext::Reached);
}

#[test]
fn a_number_is_invalid_at_the_second_strike() {
    use Disposition::{Busy, InvalidNumber};
    runs(9, &[InvalidNumber], ContactNext::Again { due_at: ENDED.plus_s(300) });
    runs(9, &[InvalidNumber, Busy, InvalidNumber], ContactNext::Failed(FailReason::InvalidNumber));
    runs(0, &[InvalidNumber], ContactNext::Failed(FailReason::InvalidNumber));
}

#[test]
fn a_failing_trunk_costs_the_contact_nothing_up_to_the_cap() {
    use Disposition::{NotDialled, TrunkFailure};
    runs(0, &[TrunkFailure; 3], ContactNext::Again { due_at: ENDED.plus_s(300) });
    runs(0, &[TrunkFailure; 4], ContactNext::Failed(FailReason::DialCap));
    runs(2, &[TrunkFailure; 6], ContactNext::Failed(FailReason::DialCap));
    runs(0, &[NotDialled; 50], ContactNext::Again { due_at: ENDED.plus_s(60) });
}

#[test]
fn each_reason_for_not_dialling_has_its_next_instant_i9() {
    let refused = |refusal| not_dialled(NotDialled::Refused(refusal));
    let opens_at = ENDED.plus_s(7_200);
    due_after_s(&refused(Refusal::WindowClosed { opens_at: Some(opens_at) }), 7_200);
    due_after_s(&refused(Refusal::NotRunning { state: CampaignState::Stopped }), 0);
    due_after_s(&not_dialled(NotDialled::Withdrawn), 0);
    let until = opens_at;
    due_after_s(&refused(Refusal::FrequencyCap { until }), 7_200);
    let list: crate::domain::name::Name = "never".parse().unwrap();
    due_after_s(&refused(Refusal::DoNotCall { list: list.clone(), until: Some(until) }), 7_200);
    let for_good = refused(Refusal::DoNotCall { list, until: None });
    assert_eq!(Life::default().goes_on(&for_good, &rules(2), &always()), ContactNext::Excluded);
    let full = [Refusal::CampaignChannels, Refusal::TrunkChannels, Refusal::ServerChannels];
    for refusal in [Refusal::Late { by_ms: 6_000 }, Refusal::Rate].into_iter().chain(full) {
        due_after_s(&refused(refusal), 10);
    }
    due_after_s(&not_dialled(NotDialled::NotPublished { error: "disk full".into() }), 60);
    due_after_s(&not_dialled(NotDialled::GateSilent), 10);
    due_after_s(&not_dialled(NotDialled::GateNotAsked(Gone::Archived(ArchiveStatus::Expired))), 10);
    due_after_s(&not_dialled(NotDialled::GateNotAsked(Gone::Missing)), 60);
}

#[test]
fn what_may_have_rung_waits_long() {
    due_after_s(&Conclusion::bare(Disposition::Indeterminate, ENDED), 600);
}

#[test]
fn a_retry_outside_the_window_waits_for_its_opening_i4() {
    let conclusion = Conclusion::bare(Disposition::Busy, ENDED);
    let next = Life::default().goes_on(&conclusion, &rules(2), &calendar("06:00", "08:03"));
    assert_eq!(next, ContactNext::Again { due_at: ENDED.plus_s(22 * 3600) });
}

fn again_after_s(pause_s: i64) -> ContactNext {
    ContactNext::Again { due_at: ENDED.plus_s(pause_s) }
}

fn busy() -> Conclusion {
    Conclusion { cause: Some(17), sip_code: Some(486), ..Conclusion::bare(Disposition::Busy, ENDED) }
}

fn invalid() -> Conclusion {
    Conclusion { cause: Some(1), sip_code: Some(404), ..Conclusion::bare(Disposition::InvalidNumber, ENDED) }
}

fn trunk_down() -> Conclusion {
    Conclusion { cause: Some(34), sip_code: Some(503), ..Conclusion::bare(Disposition::TrunkFailure, ENDED) }
}

#[test]
fn webitels_four_verbs_say_what_follows_from_a_cause() {
    runs_by(&rules(3).with("USER_BUSY", Verb::Ok, None, None), &[busy()], ContactNext::Reached);
    let error = rules(3).with("sip:404", Verb::Error, None, None);
    runs_by(&error, &[invalid()], ContactNext::Failed(FailReason::CauseError));
    let retry = rules(2).with("UNALLOCATED_NUMBER", Verb::Retry, None, None);
    runs_by(&retry, &[invalid(), invalid()], again_after_s(300));
    runs_by(&retry, &[invalid(), invalid(), invalid()], ContactNext::Failed(FailReason::RetriesUsedUp));
    let charged = rules(1).with("34", Verb::Retry, None, None);
    runs_by(&charged, &[trunk_down(), trunk_down()], ContactNext::Failed(FailReason::RetriesUsedUp));
    let minus = rules(0).with("USER_BUSY", Verb::Minus, None, None);
    runs_by(&minus, &[busy(), busy(), busy()], again_after_s(300));
    runs_by(&minus, &[busy(), busy(), busy(), busy()], ContactNext::Failed(FailReason::DialCap));
}

#[test]
fn a_cause_may_have_a_delay_and_a_limit_of_its_own() {
    let own = rules(9).with("USER_BUSY", Verb::Retry, Some(20), Some(3));
    runs_by(&own, &[busy(), busy()], again_after_s(20));
    runs_by(&own, &[busy(), invalid(), busy()], again_after_s(20));
    runs_by(&own, &[busy(), busy(), busy()], ContactNext::Failed(FailReason::CauseLimit));
    let minus = rules(9).with("USER_BUSY", Verb::Minus, None, Some(1));
    runs_by(&minus, &[busy()], ContactNext::Failed(FailReason::CauseLimit));
}

#[test]
fn what_the_table_does_not_name_is_decided_as_without_it() {
    let table = rules(9).with("CALL_REJECTED", Verb::Error, None, None);
    runs_by(&table, &[busy(), invalid()], again_after_s(300));
    runs_by(&table, &[invalid(), invalid()], ContactNext::Failed(FailReason::InvalidNumber));
}

#[test]
fn pauses_grow_with_the_unsuccessful_calls_and_not_with_what_is_not_charged() {
    let mut growing = rules(9);
    growing.outcome.later_retry_times_s = vec![900, 3600];
    runs_by(&growing, &[busy()], again_after_s(300));
    runs_by(&growing, &[busy(), busy()], again_after_s(900));
    runs_by(&growing, &[busy(), trunk_down()], again_after_s(300));
    runs_by(&growing, &[busy(), busy(), busy(), busy()], again_after_s(3600));
}

#[test]
fn a_call_shorter_than_the_least_was_unsuccessful_and_one_of_unknown_length_was_not() {
    let mut least = rules(1);
    least.outcome.min_talk_s = 10;
    let talked = |talk_ms| Conclusion { talk_ms, ..Conclusion::bare(Disposition::Answered, ENDED) };
    runs_by(&least, &[talked(Some(9_999))], again_after_s(300));
    runs_by(&least, &[talked(Some(0)), talked(Some(0))], ContactNext::Failed(FailReason::RetriesUsedUp));
    runs_by(&least, &[talked(Some(10_000))], ContactNext::Reached);
    runs_by(&least, &[talked(None)], ContactNext::Reached);
    runs_by(&rules(1), &[talked(Some(0))], ContactNext::Reached);
}

#[test]
fn an_answered_call_waits_for_its_result_and_without_one_was_unsuccessful() {
    let mut asked = rules(1);
    (asked.outcome.wrap_up_s, asked.outcome.min_talk_s) = (Some(900), 10);
    let answered = Conclusion { talk_ms: Some(60_000), ..Conclusion::bare(Disposition::Answered, ENDED) };
    assert_eq!(result_until(&answered, &asked.outcome), Some(ENDED.plus_s(900)));
    assert_eq!(result_until(&busy(), &asked.outcome), None);
    runs_by(&asked, std::slice::from_ref(&answered), again_after_s(900));
    runs_by(&asked, &[answered.clone(), answered], again_after_s(900));
    asked.outcome.wrap_up_s = Some(10);
    let unknown = Conclusion::bare(Disposition::Answered, ENDED);
    runs_by(&asked, &[unknown], again_after_s(300));
}

#[test]
fn a_result_says_whether_a_contact_is_done_and_when_it_is_called_next() {
    let mut asked = rules(1);
    asked.outcome.wrap_up_s = Some(900);
    let tally = ContactTally { charged: 2, dials: 2, invalid_strikes: 0 };
    let told = |result, due_at| after_result(result, tally, due_at, asked.as_rules(), ENDED);
    let no = |retries, next_after_s| CallResult::NoSuccess { retries, next_after_s };
    let reached = told(CallResult::Success, None);
    assert_eq!((reached.next, reached.tally.charged), (ContactNext::Reached, 1));
    assert_eq!(told(no(Retries::Count, None), None).next, ContactNext::Failed(FailReason::RetriesUsedUp));
    let anew = told(no(Retries::Reset, None), None);
    assert_eq!((anew.next, anew.tally.charged, anew.tally.dials), (again_after_s(300), 0, 2));
    assert_eq!(told(no(Retries::Reset, Some(5)), None).next, again_after_s(5));
    assert_eq!(told(no(Retries::Reset, None), Some(ENDED.plus_s(77))).next, again_after_s(77));
}

#[test]
fn a_contact_that_the_gate_refused_because_its_calls_are_used_up_is_failed() {
    let why = FailReason::DialCap;
    let refused = not_dialled(NotDialled::Refused(Refusal::CallsUsedUp { why }));
    let mut few = rules(9);
    few.outcome.max_dials = Some(2);
    runs_by(&few, &[trunk_down(), trunk_down()], ContactNext::Failed(why));
    let tally = ContactTally { dials: 5, ..ContactTally::default() };
    let told = after(&refused, Past { tally, of_this_cause: 0, ..Past::default() }, few.as_rules(), &always());
    assert_eq!(told.next, ContactNext::Failed(why));
    few.outcome.max_dials = None;
    let told = after(&refused, Past { tally, of_this_cause: 0, ..Past::default() }, few.as_rules(), &always());
    assert_eq!(told.next, again_after_s(0), "somebody has set more again");
}

fn any_conclusion() -> impl Strategy<Value = Conclusion> {
    let why = select(vec![
        NotDialled::Withdrawn,
        NotDialled::GateSilent,
        NotDialled::Refused(Refusal::Rate),
        NotDialled::Refused(Refusal::WindowClosed { opens_at: None }),
        NotDialled::Refused(Refusal::WindowClosed { opens_at: Some(ENDED.plus_s(40_000)) }),
    ]);
    (select(Disposition::ALL), why, 0_i64..10_000_000).prop_map(|(disposition, why, later_ms)| {
        let ended_at = ENDED.plus_ms(later_ms);
        match disposition {
            Disposition::NotDialled => Conclusion::not_dialled(why, ended_at),
            other => Conclusion::bare(other, ended_at),
        }
    })
}

/// Any cause that any side may give, also those that no table of ours knows.
fn any_cause() -> impl Strategy<Value = Cause> {
    prop_oneof![
        (1_u16..=127).prop_map(Cause::Q850),
        select(vec![Cause::Q850(17), Cause::Q850(19), Cause::Sip(486), Cause::Sip(404)]),
        (300_u16..=699).prop_map(Cause::Sip)
    ]
}

fn any_rule() -> impl Strategy<Value = CauseRule> {
    (select(Verb::ALL), option::of(0_u32..100_000), option::of(1_u32..50))
        .prop_map(|(verb, delay_s, limit)| CauseRule { verb, delay_s, limit })
}

fn any_rulebook() -> impl Strategy<Value = Rulebook> {
    let table = proptest::collection::btree_map(any_cause(), any_rule(), 0..12);
    let later = proptest::collection::vec(1_u32..100_000, 0..4);
    (0_u32..6, 0_u32..100_000, table, later, option::of(1_u32..12), (0_u32..60, option::of(1_u32..600))).prop_map(
        |(max_retries, retry_time_s, causes, later_retry_times_s, max_dials, (min_talk_s, wrap_up_s))| Rulebook {
            retry: RetryRules { max_retries, retry_time_s, wait_time_s: 30 },
            outcome: OutcomeRules { later_retry_times_s, max_dials, min_talk_s, wrap_up_s },
            causes: CauseTable(causes),
        },
    )
}

/// Any conclusion with any codes, so that tables have something to say.
fn any_ending() -> impl Strategy<Value = Conclusion> {
    let codes = (option::of(any_cause()), option::of(any_cause()), option::of(0_i64..90_000));
    (any_conclusion(), codes).prop_map(|(mut conclusion, (a, b, talk_ms))| {
        for code in [a, b].into_iter().flatten() {
            match code {
                Cause::Sip(code) => conclusion.sip_code = Some(code),
                Cause::Q850(cause) => conclusion.cause = Some(cause),
            }
        }
        conclusion.talk_ms = talk_ms.filter(|_| conclusion.disposition == Disposition::Answered);
        conclusion
    })
}

proptest! {
    #[test]
    fn no_sequence_of_causes_ever_exceeds_the_absolute_cap(
        conclusions in proptest::collection::vec((any_ending(), any::<bool>()), 1..80),
        rules in any_rulebook(),
        edges in (0_u32..86_400, 0_u32..86_400),
    ) {
        let calendar = Calendar::daily(Window::new(edges.0, edges.1), "Europe/Berlin".parse().unwrap());
        let calls = rules.retry.max_retries + 1;
        let cap = rules.outcome.max_dials.unwrap_or(calls + UNCHARGED_DIALS_MAX);
        let mut life = Life::default();
        let mut dialled = 0;
        let mut awaited = false;
        // What somebody says of answered calls: it was for nothing, and its retries are to begin anew.
        let anew = CallResult::NoSuccess { retries: Retries::Reset, next_after_s: Some(0) };
        for (conclusion, said) in &conclusions {
            let dials = conclusion.disposition != Disposition::NotDialled;
            if dials && used_up(life.tally, &rules.retry, &rules.outcome).is_some() {
                // The planner fails it, and the gate refuses it.
                prop_assert!(awaited, "only who waits for a result waits with its calls used up");
                break;
            }
            dialled += u32::from(dials);
            let mut next = life.goes_on(conclusion, &rules, &calendar);
            let asked = result_until(conclusion, &rules.outcome).is_some();
            awaited = (asked && !said) || (awaited && !dials);
            if asked && *said {
                let due_at = calendar.next_opening(conclusion.ended_at);
                let told = after_result(anew, life.tally, due_at, rules.as_rules(), conclusion.ended_at);
                life.tally = told.tally;
                next = match told.next {
                    ContactNext::Again { .. } => ContactNext::Again { due_at: due_at.unwrap() },
                    next => next,
                };
            }
            prop_assert!(dialled <= cap, "dialled {dialled} times, and {cap} are the most");
            prop_assert_eq!(life.tally.dials, dialled);
            prop_assert!(life.tally.charged <= calls);
            match next {
                ContactNext::Again { due_at } => {
                    prop_assert!(dialled < cap || awaited, "another call after {dialled} of {cap}");
                    prop_assert!(calendar.contains(due_at), "{due_at} is outside");
                    prop_assert!(due_at >= conclusion.ended_at);
                }
                ContactNext::Reached | ContactNext::Failed(_) | ContactNext::Excluded => break,
            }
        }
    }
}

#[test]
fn a_cancelled_call_is_what_was_wanted_it_is_neither_charged_nor_made_again() {
    runs(2, &[Disposition::Cancelled], ContactNext::Reached);
    let mut life = Life::default();
    let cancelled = Conclusion::bare(Disposition::Cancelled, ENDED);
    // Nor does a table of causes ask for it again.
    let rules = rules(2).with("NO_ANSWER", Verb::Retry, None, None).with("sip:487", Verb::Retry, None, None);
    assert_eq!(life.goes_on(&cancelled, &rules, &always()), ContactNext::Reached);
    assert_eq!((life.tally.charged, life.tally.dials), (0, 1));
}
