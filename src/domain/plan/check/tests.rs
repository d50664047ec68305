use std::mem::discriminant;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::domain::bar::{Bar, Listed};
use crate::domain::breaker::{Heed, LineLeave};
use crate::domain::calendar::LegalHours;
use crate::domain::contact::Priority;
use crate::domain::plan::plan;
use crate::domain::plan::sample::{any_snapshot, at, campaign, fresh, minute, number, retry, trunk, window};
use crate::domain::plan::types::{Waiting, Why};
use crate::domain::retry::FailReason;

/// Two campaigns on two trunks; a plan of ten calls with contacts left over.
fn good() -> (Snapshot, Plan) {
    let mut snapshot = minute(vec![campaign(1, 8), campaign(2, 8)]);
    snapshot.trunks.push(trunk(2));
    snapshot.campaigns[1].trunks = vec![TrunkId(2)];
    let plan = plan(&snapshot);
    assert_eq!((plan.calls.len(), plan.waiting.len()), (10, 6));
    assert_eq!(check(&snapshot, &plan), []);
    (snapshot, plan)
}

/// A good plan, spoilt, or a snapshot that it does not fit: the breach is found, and no other kind.
#[track_caller]
fn only(spoil: impl FnOnce(&mut Snapshot, &mut Plan), expected: Breach) {
    let (mut snapshot, mut plan) = good();
    spoil(&mut snapshot, &mut plan);
    let breaches = check(&snapshot, &plan);
    assert!(breaches.contains(&expected), "{expected:?} is not in {breaches:?}");
    let others = breaches.iter().filter(|breach| discriminant(*breach) != discriminant(&expected));
    assert_eq!(others.collect::<Vec<_>>(), Vec::<&Breach>::new());
}

const ONE: CampaignId = CampaignId(1);

fn second(s: i64) -> UtcMs {
    at("2026-03-01T08:00:00Z").plus_s(s)
}

/// Nobody waits: what frees a slot then belies no reason.
fn calls_only(snapshot: &mut Snapshot, plan: &mut Plan) {
    let waits: HashSet<ContactId> = plan.waiting.drain(..).map(|waiting| waiting.contact).collect();
    for campaign in &mut snapshot.campaigns {
        campaign.candidates.retain(|candidate| !waits.contains(&candidate.contact));
    }
}

fn moved(snapshot: &mut Snapshot, plan: &mut Plan, call: usize, start_at: UtcMs) {
    calls_only(snapshot, plan);
    plan.calls[call].start_at = start_at;
}

#[test]
fn starts_off_the_grid_are_found_i6() {
    for start_at in [second(18).plus_ms(1), second(18).plus_ms(-1), second(18).plus_ms(500)] {
        only(|s, p| moved(s, p, 3, start_at), Breach::OffGrid(start_at));
    }
}

#[test]
fn starts_outside_the_span_are_found() {
    only(|s, p| moved(s, p, 9, second(60)), Breach::OutsideSpan(second(60)));
    only(|s, p| moved(s, p, 0, second(-6)), Breach::OutsideSpan(second(-6)));
}

#[test]
fn starts_out_of_order_or_in_one_slot_are_found() {
    let swapped = |s: &mut Snapshot, p: &mut Plan| {
        calls_only(s, p);
        p.calls.swap(0, 1);
    };
    only(swapped, Breach::NotAscending(second(0)));
    only(|s, p| moved(s, p, 1, second(0)), Breach::NotAscending(second(0)));
}

#[test]
fn starts_too_near_to_earlier_ones_are_found_i5() {
    for ms in [0, -5_998, 5_998] {
        let taken = second(18).plus_ms(ms);
        only(|s, _| s.taken = vec![taken], Breach::Crowded { start_at: second(18), taken });
    }
}

#[test]
fn calls_of_nobody_on_the_list_are_found() {
    let breach = |contact| Breach::NotACandidate { campaign: ONE, contact: ContactId(contact) };
    only(|_, p| p.calls[0].number = number(77), breach(10_000));
    only(|_, p| p.calls[0].trunk = TrunkId(2), breach(10_000));
    let stranger = |_: &mut Snapshot, p: &mut Plan| {
        p.waiting.push(waiting(10_000, Why::NoSlot { next_at: second(60) }));
        p.calls[0].contact = ContactId(5);
    };
    only(stranger, breach(5));
}

#[test]
fn calls_of_a_campaign_that_does_not_run_are_found_i4() {
    let stop = |s: &mut Snapshot, p: &mut Plan| {
        calls_only(s, p);
        s.campaigns[0].state = CampaignState::Paused;
    };
    only(stop, Breach::NotRunning(ONE));
}

#[test]
fn calls_outside_the_window_are_found_i4() {
    let close = |s: &mut Snapshot, p: &mut Plan| {
        calls_only(s, p);
        s.campaigns[0].calendar = window("07:00", "08:00:48");
    };
    only(close, Breach::WindowClosed { campaign: ONE, start_at: second(48) });
}

/// Hours that a call which rings for 30 s may not reach beyond.
fn legal(snapshot: &mut Snapshot, week: &str) {
    let clock = ("UTC".parse().unwrap(), week.parse().unwrap());
    let view = &mut snapshot.campaigns[0];
    let hours = view.calendar.within(LegalHours::of(vec![clock]).map(Arc::new).as_ref()).with_ring_time(25);
    view.hours = [(view.candidates[0].zones, hours)].into();
}

#[test]
fn calls_outside_the_contacts_legal_hours_are_found_i4() {
    let breach = |contact, s| Breach::LegalHours { contact: ContactId(contact), start_at: second(s) };
    let early = |s: &mut Snapshot, p: &mut Plan| {
        calls_only(s, p);
        legal(s, "daily 08:00:06-24:00");
    };
    only(early, breach(10_000, 0));
    let rings_on = |s: &mut Snapshot, p: &mut Plan| {
        calls_only(s, p);
        legal(s, "daily 00:00-08:01:18");
    };
    only(rings_on, breach(10_004, 48));
}

#[test]
fn calls_before_the_retry_time_are_found() {
    let breach = Breach::NotDue { contact: ContactId(10_000), start_at: second(0) };
    only(|s, _| s.campaigns[0].candidates[0].due_at = Some(second(0).plus_ms(1)), breach);
}

#[test]
fn calls_at_or_after_an_expiry_are_found_i4() {
    let breach = Breach::Expired { contact: ContactId(10_000), start_at: second(0) };
    only(|s, _| s.campaigns[0].candidates[0].expires_at = Some(second(0)), breach);
}

#[test]
fn a_call_that_took_the_turn_of_another_is_found() {
    let high = |s: &mut Snapshot, candidate: usize| {
        s.campaigns[0].candidates[candidate].priority = Priority::new(1).unwrap();
    };
    // Of 8, the first 5 have a call and the others wait; every second slot is the other campaign's.
    let breach = Breach::OutOfTurn { contact: ContactId(10_004), start_at: second(48) };
    only(|s, _| high(s, 7), breach);
    let late = Breach::OutOfTurn { contact: ContactId(10_000), start_at: second(0) };
    only(|s, _| high(s, 1), late.clone());
    only(|s, _| s.campaigns[0].candidates[1].due_at = Some(second(0)), late);
}

#[test]
fn more_calls_than_channels_are_found_i5() {
    let campaign = |s: &mut Snapshot, _: &mut Plan| (s.campaigns[0].channels, s.campaigns[0].open) = (Some(5), 1);
    only(campaign, Breach::CampaignChannels(ONE));
    let trunk = |s: &mut Snapshot, _: &mut Plan| (s.trunks[1].channels, s.trunks[1].open) = (Some(4), 0);
    only(trunk, Breach::TrunkChannels(TrunkId(2)));
    only(|s, _| drop(s.trunks.remove(1)), Breach::TrunkChannels(TrunkId(2)));
    let server = |s: &mut Snapshot, _: &mut Plan| (s.channels, s.open) = (Some(12), 3);
    only(server, Breach::ServerChannels { planned: 10, open: 3, cap: 12 });
}

#[test]
fn a_call_over_a_trunk_though_one_before_it_could_take_it_is_found() {
    let both = |s: &mut Snapshot, order: [i64; 2]| s.campaigns[0].trunks = order.map(TrunkId).to_vec();
    let breach = |contact| Breach::NotFirstTrunk { contact: ContactId(contact), trunk: TrunkId(1), before: TrunkId(2) };
    only(|s, _| both(s, [2, 1]), breach(10_000));
    let failed = |s: &mut Snapshot, _: &mut Plan| {
        both(s, [1, 2]);
        s.campaigns[0].candidates[2].failed_trunk = Some(TrunkId(1));
    };
    only(failed, breach(10_002));
}

#[test]
fn calls_that_a_breaker_does_not_let_through_are_found() {
    let leaves = [LineLeave::Nothing, LineLeave::OneCall { from: second(0) }, LineLeave::OneCall { from: second(30) }];
    for leave in leaves {
        let open = |s: &mut Snapshot, p: &mut Plan| {
            calls_only(s, p);
            s.trunks[0].leave = leave;
        };
        only(open, Breach::TrunkBreaker(TrunkId(1)));
        let (mut snapshot, mut plan) = good();
        open(&mut snapshot, &mut plan);
        snapshot.campaigns[0].heed = Heed::Exempt;
        assert_eq!(check(&snapshot, &plan), [], "a check of lines passes");
    }
}

#[test]
fn starts_faster_than_the_trunk_allows_are_found_i5() {
    let one_a_second = |s: &mut Snapshot| s.trunks[0].starts_per_second = Some(1);
    let breach = |start_at| Breach::TrunkRate { trunk: TrunkId(1), start_at };
    let before = |s: &mut Snapshot, _: &mut Plan| {
        one_a_second(s);
        s.trunks[0].taken = vec![second(12).plus_ms(-999)];
    };
    only(before, breach(second(12)));
    let after = |s: &mut Snapshot, _: &mut Plan| {
        one_a_second(s);
        s.trunks[0].taken = vec![second(12).plus_ms(999), second(13)];
    };
    only(after, breach(second(12).plus_ms(999)));
}

#[test]
fn two_calls_of_a_number_at_a_time_are_found_i2() {
    let busy = |s: &mut Snapshot, _: &mut Plan| s.busy.extend([number(10_000)]);
    only(busy, Breach::NumberTwice(ContactId(10_000)));
    let shared = |s: &mut Snapshot, p: &mut Plan| {
        s.campaigns[1].candidates[0].number = number(10_000);
        p.calls[1].number = number(10_000);
    };
    only(shared, Breach::NumberTwice(ContactId(20_000)));
}

fn on_a_list(until: Option<UtcMs>) -> Bar {
    Bar::DoNotCall(Listed { list: "never".parse().unwrap(), source: "a letter".to_owned(), until })
}

#[test]
fn calls_to_numbers_that_may_not_be_called_are_found_i4() {
    let used_up = Bar::CallsUsedUp(FailReason::DialCap);
    for bar in [on_a_list(None), on_a_list(Some(second(90))), Bar::FrequencyCap { until: second(90) }, used_up] {
        let contact = ContactId(10_000);
        let breach = Breach::Barred { campaign: ONE, contact };
        only(|s, _| drop(s.barred.insert((ONE, contact), bar)), breach);
    }
}

#[test]
fn who_may_not_be_called_waits_for_the_right_reason_i9() {
    let key = (ONE, ContactId(1));
    let barred = |bar: Bar| move |s: &mut Snapshot| drop(s.barred.insert(key, bar));
    let (until, later) = (second(90), second(91));
    assert!(judged(Why::DoNotCall { until: None }, barred(on_a_list(None))));
    assert!(judged(Why::DoNotCall { until: Some(until) }, barred(on_a_list(Some(until)))));
    assert!(judged(Why::FrequencyCap { until }, barred(Bar::FrequencyCap { until })));
    let used_up = |why| barred(Bar::CallsUsedUp(why));
    assert!(judged(Why::CallsUsedUp(FailReason::DialCap), used_up(FailReason::DialCap)));
    assert!(!judged(Why::CallsUsedUp(FailReason::DialCap), used_up(FailReason::RetriesUsedUp)));
    assert!(!judged(Why::CallsUsedUp(FailReason::DialCap), barred(on_a_list(None))));
    assert!(!judged(Why::DoNotCall { until: None }, barred(on_a_list(Some(until)))));
    assert!(!judged(Why::FrequencyCap { until }, barred(on_a_list(Some(until)))));
    assert!(!judged(Why::FrequencyCap { until: later }, barred(Bar::FrequencyCap { until })));
}

#[test]
fn more_calls_than_files_are_found() {
    only(|s, _| s.files_free = 9, Breach::Files { planned: 10, free: 9 });
}

#[test]
fn a_candidate_forgotten_or_counted_twice_is_found_i3() {
    let breach = |contact, outcomes| Breach::Outcomes { campaign: ONE, contact: ContactId(contact), outcomes };
    let forget = |_: &mut Snapshot, p: &mut Plan| p.waiting.retain(|w| w.contact != ContactId(10_005));
    only(forget, breach(10_005, 0));
    only(|_, p| p.waiting.push(p.waiting[0].clone()), breach(10_005, 2));
    only(|_, p| p.waiting.push(waiting(10_000, Why::NumberBusy)), breach(10_000, 2));
}

#[test]
fn a_stranger_who_waits_is_found() {
    let breach = Breach::StrangerWaits { campaign: ONE, contact: ContactId(5) };
    only(|_, p| p.waiting.push(waiting(5, Why::SpoolFull)), breach);
}

#[test]
fn a_wake_up_that_has_passed_is_found() {
    let now = at("2026-03-01T07:59:57Z");
    only(|s, p| (s.now, p.wake_at) = (now, Some(now)), Breach::WakePassed(now));
}

fn waiting(contact: i64, why: Why) -> Waiting {
    Waiting { campaign: ONE, contact: ContactId(contact), why }
}

#[test]
fn a_reason_that_does_not_hold_is_found_i9() {
    for why in [
        Why::DoNotCall { until: None },
        Why::FrequencyCap { until: second(60) },
        Why::NotRunning(CampaignState::Stopped),
        Why::NotRunning(CampaignState::Running),
        Why::WindowClosed { opens_at: None },
        Why::WindowClosed { opens_at: Some(second(60)) },
        Why::LegalHours { opens_at: Some(second(60)) },
        Why::Cooling { until: second(60) },
        Why::NumberBusy,
        Why::CampaignChannels { cap: 5 },
        Why::TrunkChannels { cap: 0 },
        Why::ServerChannels { cap: 10 },
        Why::TrunkBreaker { trial_at: None },
        Why::SpoolFull,
        Why::NoSlot { next_at: second(54) },
        Why::NoSlot { next_at: second(61) },
    ] {
        let breach = Breach::FalseReason { campaign: ONE, contact: ContactId(10_005) };
        only(|_, p| p.waiting[0].why = why, breach);
    }
}

/// One candidate that waits for `why` in a minute of its own, and whether that passes.
#[track_caller]
fn judged(why: Why, edit: impl FnOnce(&mut Snapshot)) -> bool {
    let mut snapshot = minute(vec![campaign(1, 0)]);
    snapshot.campaigns[0].candidates = vec![fresh(1)];
    edit(&mut snapshot);
    let plan = Plan { calls: Vec::new(), waiting: vec![waiting(1, why)], wake_at: None };
    match check(&snapshot, &plan)[..] {
        [] => true,
        [Breach::FalseReason { campaign: ONE, contact: ContactId(1) }] => false,
        ref others => panic!("{others:?}"),
    }
}

#[test]
fn reasons_are_judged_to_their_last_detail_i9() {
    let opens_at = Some(second(120));
    let evening = |s: &mut Snapshot| s.campaigns[0].calendar = window("08:02", "09:00");
    assert!(judged(Why::WindowClosed { opens_at }, evening));
    assert!(!judged(Why::WindowClosed { opens_at: opens_at.map(|at| at.plus_ms(-1)) }, evening));
    let lawful = |s: &mut Snapshot| legal(s, "daily 08:02-24:00");
    assert!(judged(Why::LegalHours { opens_at }, lawful));
    assert!(!judged(Why::LegalHours { opens_at: opens_at.map(|at| at.plus_ms(-1)) }, lawful));
    let due = |s: &mut Snapshot| s.campaigns[0].candidates = vec![retry(1, second(60))];
    assert!(judged(Why::Cooling { until: second(60) }, due));
    assert!(!judged(Why::Cooling { until: second(61) }, due));
    let due_soon = |s: &mut Snapshot| s.campaigns[0].candidates = vec![retry(1, second(54))];
    assert!(!judged(Why::Cooling { until: second(54) }, due_soon));
    let campaign_full = |s: &mut Snapshot| (s.campaigns[0].channels, s.campaigns[0].open) = (Some(2), 2);
    assert!(judged(Why::CampaignChannels { cap: 2 }, campaign_full));
    assert!(!judged(Why::CampaignChannels { cap: 1 }, campaign_full));
    assert!(!judged(Why::CampaignChannels { cap: 2 }, |s| s.campaigns[0].channels = Some(2)));
    let trunk_full = |s: &mut Snapshot| (s.trunks[0].channels, s.trunks[0].open) = (Some(2), 2);
    assert!(judged(Why::TrunkChannels { cap: 2 }, trunk_full));
    assert!(!judged(Why::TrunkChannels { cap: 3 }, trunk_full));
    let server_full = |s: &mut Snapshot| (s.channels, s.open) = (Some(2), 2);
    assert!(judged(Why::ServerChannels { cap: 2 }, server_full));
    assert!(!judged(Why::ServerChannels { cap: 1 }, server_full));
    assert!(!judged(Why::ServerChannels { cap: 2 }, |s| s.channels = Some(2)));
    assert!(judged(Why::SpoolFull, |s| s.files_free = 0));
    assert!(judged(Why::NumberBusy, |s| s.busy.extend([number(1)])));
    let paused = |s: &mut Snapshot| s.campaigns[0].state = CampaignState::Paused;
    assert!(judged(Why::NotRunning(CampaignState::Paused), paused));
    assert!(!judged(Why::NotRunning(CampaignState::Stopped), paused));
}

#[test]
fn a_slot_left_unused_belies_that_there_is_none_i9() {
    let no_slot = || Why::NoSlot { next_at: second(60) };
    assert!(!judged(no_slot(), |_| ()));
    let all_but_one = |s: &mut Snapshot| s.taken = (0..9).map(|i| second(6 * i)).collect();
    assert!(!judged(no_slot(), all_but_one));
    assert!(judged(no_slot(), |s| s.taken = (0..10).map(|i| second(6 * i)).collect()));
    let too_late_for_it = |s: &mut Snapshot| {
        s.taken = (5..10).map(|i| second(6 * i)).collect();
        s.campaigns[0].candidates = vec![retry(1, second(25))];
    };
    assert!(judged(no_slot(), too_late_for_it));
    let trunk_at_its_rate = |s: &mut Snapshot| {
        s.calls_one_time = 60;
        s.horizon = second(0);
        s.trunks[0].starts_per_second = Some(1);
        s.trunks[0].taken = vec![at("2026-03-01T07:59:57.900Z"), at("2026-03-01T07:59:59.100Z")];
    };
    assert!(judged(no_slot(), trunk_at_its_rate));
}

#[test]
fn a_breach_says_what_is_wrong_without_a_number() {
    let (mut snapshot, plan) = good();
    snapshot.busy.insert(number(10_000));
    let [breach] = &check(&snapshot, &plan)[..] else { panic!("one breach") };
    assert_eq!(breach.to_string(), "the number of contact 10000 would have two calls at a time");
}

proptest! {
    #[test]
    fn a_call_taken_out_of_any_plan_is_missed(snapshot in any_snapshot(), which: prop::sample::Index) {
        let mut plan = plan(&snapshot);
        prop_assume!(!plan.calls.is_empty());
        let call = plan.calls.remove(which.index(plan.calls.len()));
        let key = (call.campaign, call.contact);
        plan.waiting.push(Waiting { campaign: key.0, contact: key.1, why: Why::NoSlot { next_at: snapshot.horizon } });
        prop_assert!(!check(&snapshot, &plan).is_empty());
    }

    #[test]
    fn a_call_moved_in_any_plan_is_found_i6(mut snapshot in any_snapshot(), which: prop::sample::Index, ms in 1_i64..900) {
        snapshot.calls_one_time = 1 + snapshot.calls_one_time % 60;
        let mut plan = plan(&snapshot);
        prop_assume!(!plan.calls.is_empty());
        let which = which.index(plan.calls.len());
        let moved = plan.calls[which].start_at.plus_ms(ms);
        plan.calls[which].start_at = moved;
        prop_assert!(check(&snapshot, &plan).contains(&Breach::OffGrid(moved)));
    }
}
