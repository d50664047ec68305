use std::collections::HashSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::check::check;
use super::sample::{any_snapshot, at, campaign, fresh, minute, number, retry, trunk, window};
use super::*;
use crate::domain::bar::{Bar, Listed};
use crate::domain::breaker::{Heed, LineLeave};
use crate::domain::calendar::LegalHours;
use crate::domain::campaign::CampaignState;
use crate::domain::contact::Priority;
use crate::domain::ids::{ContactId, TrunkId, ZoneClassId};
use crate::domain::traffic::Nature;
use crate::domain::trunk::TrunkLine;

/// Plans and has the plan checked.
#[track_caller]
fn planned(snapshot: &Snapshot) -> Plan {
    let plan = plan(snapshot);
    assert_eq!(check(snapshot, &plan), []);
    plan
}

/// Seconds from 08:00 to each start.
fn seconds(plan: &Plan) -> Vec<i64> {
    plan.calls.iter().map(|call| call.start_at.since_ms(at("2026-03-01T08:00:00Z")) / 1000).collect()
}

fn contacts(plan: &Plan) -> Vec<i64> {
    plan.calls.iter().map(|call| call.contact.0).collect()
}

fn whys(plan: &Plan) -> Vec<Why> {
    plan.waiting.iter().map(|waiting| waiting.why.clone()).collect()
}

#[test]
fn mor_example_ten_a_minute_and_cron_interval_1_i6() {
    let snapshot = minute(vec![campaign(1, 20)]);
    assert_eq!(snapshot.horizon, pace::interval_end(snapshot.now, 1));
    let plan = planned(&snapshot);
    assert_eq!(seconds(&plan), [0, 6, 12, 18, 24, 30, 36, 42, 48, 54]);
    assert_eq!(whys(&plan), vec![Why::NoSlot { next_at: at("2026-03-01T08:01:00Z") }; 10]);
    assert_eq!(plan.wake_at, None);
}

#[test]
fn mor_example_five_a_minute_and_cron_interval_2_i6() {
    let mut snapshot = minute(vec![campaign(1, 20)]);
    snapshot.calls_one_time = 5;
    snapshot.horizon = pace::interval_end(snapshot.now, 2);
    assert_eq!(seconds(&planned(&snapshot)), [0, 12, 24, 36, 48, 60, 72, 84, 96, 108]);
}

#[test]
fn the_grid_goes_on_across_ticks_without_a_gap_or_a_slot_used_twice_i6() {
    for (rate, interval) in [(10, 1), (5, 2), (7, 7), (130, 1), (1, 60)] {
        let mut snapshot = minute(vec![campaign(1, 9_000)]);
        snapshot.calls_one_time = rate;
        snapshot.files_free = 9_000;
        for _tick in 0..10 {
            snapshot.horizon = pace::interval_end(snapshot.now, interval);
            let plan = planned(&snapshot);
            snapshot.taken.extend(plan.calls.iter().map(|call| call.start_at));
            snapshot.campaigns[0].candidates.drain(..plan.calls.len());
            snapshot.now = snapshot.horizon.plus_ms(-TICK_AHEAD_MS);
        }
        let from = at("2026-03-01T07:59:57.400Z");
        let grid: Vec<UtcMs> = pace::slots(rate, from, snapshot.horizon).collect();
        assert!(grid.len() >= 10);
        assert_eq!(snapshot.taken, grid, "{rate} a minute, every {interval} minutes");
    }
}

#[test]
fn slots_keep_a_spacing_from_starts_that_lie_off_the_grid_after_a_rate_change_i5() {
    let mut snapshot = minute(vec![campaign(1, 20)]);
    snapshot.taken = vec![at("2026-03-01T08:00:13Z"), at("2026-03-01T08:00:36Z")];
    assert_eq!(seconds(&planned(&snapshot)), [0, 6, 24, 30, 42, 48, 54]);
    // Rounding may cost a millisecond of a spacing, and not two.
    snapshot.taken = vec![at("2026-03-01T08:00:06.001Z"), at("2026-03-01T08:00:30.002Z")];
    assert_eq!(seconds(&planned(&snapshot)), [0, 12, 18, 24, 42, 48, 54]);
}

#[test]
fn at_a_slot_every_millisecond_a_taken_one_is_still_taken_i6() {
    let mut snapshot = minute(vec![campaign(1, 5)]);
    snapshot.calls_one_time = 60_000;
    let first = snapshot.now.plus_ms(LEAD_MS);
    snapshot.horizon = first.plus_ms(4);
    snapshot.taken = vec![first.plus_ms(1)];
    let starts: Vec<UtcMs> = planned(&snapshot).calls.iter().map(|call| call.start_at).collect();
    assert_eq!(starts, [first, first.plus_ms(2), first.plus_ms(3)]);
}

#[test]
fn campaigns_take_turns() {
    let plan = planned(&minute(vec![campaign(3, 20), campaign(1, 3), campaign(2, 20)]));
    let served: Vec<i64> = plan.calls.iter().map(|call| call.campaign.0).collect();
    assert_eq!(served, [3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
}

#[test]
fn a_campaign_that_could_not_use_its_turn_keeps_it() {
    let mut late = campaign(1, 20);
    late.calendar = window("08:00:20", "09:00");
    let plan = planned(&minute(vec![late, campaign(2, 20), campaign(3, 20)]));
    let served: Vec<i64> = plan.calls.iter().map(|call| call.campaign.0).collect();
    assert_eq!(served, [2, 3, 2, 3, 1, 2, 3, 1, 2, 3]);
}

#[test]
fn who_may_not_be_called_has_no_slot_and_leaves_it_to_the_next_i4() {
    let mut snapshot = minute(vec![campaign(1, 12)]);
    let (one, until) = (snapshot.campaigns[0].id, at("2026-03-02T08:00:00Z"));
    let listed = |until| Bar::DoNotCall(Listed { list: "never".parse().unwrap(), source: String::new(), until });
    for (contact, bar) in [(10_000, listed(None)), (10_003, listed(Some(until))), (10_004, Bar::FrequencyCap { until })]
    {
        snapshot.barred.insert((one, ContactId(contact)), bar);
    }
    let plan = planned(&snapshot);
    assert_eq!(contacts(&plan), [10_001, 10_002, 10_005, 10_006, 10_007, 10_008, 10_009, 10_010, 10_011]);
    let expected = [Why::DoNotCall { until: None }, Why::DoNotCall { until: Some(until) }, Why::FrequencyCap { until }];
    assert_eq!(whys(&plan), expected);
}

#[test]
fn due_retries_come_before_fresh_numbers_and_no_earlier_than_due() {
    let mut one = campaign(1, 0);
    let due = |text| at(&format!("2026-03-01T{text}Z"));
    one.candidates =
        vec![retry(5, due("07:59:00")), retry(4, due("07:58:00")), retry(6, due("08:00:10")), fresh(7), fresh(8)];
    assert_eq!(contacts(&planned(&minute(vec![one]))), [5, 4, 6, 7, 8]);

    let mut exact = campaign(1, 0);
    exact.candidates = vec![retry(1, due("08:00:06"))];
    assert_eq!(seconds(&planned(&minute(vec![exact]))), [6]);

    let mut crowded_out = campaign(1, 0);
    crowded_out.candidates = vec![retry(1, due("08:00:54"))];
    let mut snapshot = minute(vec![crowded_out]);
    snapshot.taken = vec![due("08:00:54")];
    assert_eq!(whys(&planned(&snapshot)), [Why::NoSlot { next_at: due("08:01:00") }]);

    let mut two = campaign(1, 0);
    two.candidates = vec![retry(1, due("08:00:06.001")), retry(2, due("08:01:00")), fresh(3)];
    let plan = planned(&minute(vec![two]));
    assert_eq!((contacts(&plan), seconds(&plan)), (vec![3, 1], vec![0, 12]));
    assert_eq!(whys(&plan), [Why::Cooling { until: due("08:01:00") }]);
    assert_eq!(plan.wake_at, Some(due("08:00:57")));
}

#[test]
fn higher_priorities_come_first_and_retries_before_fresh_numbers_only_within_one() {
    let high = |candidate: Candidate| Candidate { priority: Priority::new(5).unwrap(), ..candidate };
    let due = |text| at(&format!("2026-03-01T{text}Z"));
    let mut one = campaign(1, 0);
    one.candidates = vec![
        high(retry(9, due("08:00:20"))),
        high(fresh(7)),
        high(fresh(8)),
        retry(5, due("07:59:00")),
        fresh(1),
        fresh(2),
    ];
    assert_eq!(contacts(&planned(&minute(vec![one]))), [7, 8, 5, 1, 9, 2], "who is not due holds nobody up");
}

#[test]
fn nobody_is_planned_at_or_after_their_expiry_i4() {
    let mut one = campaign(1, 3);
    let expiries = ["08:00:12", "08:00:06", "07:59:00"].map(|text| at(&format!("2026-03-01T{text}Z")));
    for (candidate, expires_at) in one.candidates.iter_mut().zip(expiries) {
        candidate.expires_at = Some(expires_at);
    }
    one.candidates.push(fresh(7));
    let plan = planned(&minute(vec![one]));
    assert_eq!((contacts(&plan), seconds(&plan)), (vec![10_000, 7], vec![0, 6]), "6 s is too late for the second");
    assert_eq!(whys(&plan), [Why::Expired { at: expiries[1] }, Why::Expired { at: expiries[2] }]);
}

#[test]
fn a_number_is_called_once_at_a_time_over_all_campaigns_i2() {
    let mut snapshot = minute(vec![campaign(1, 0), campaign(2, 0)]);
    snapshot.campaigns[0].candidates = vec![fresh(1), fresh(2)];
    snapshot.campaigns[1].candidates = vec![fresh(1), fresh(3)];
    snapshot.busy = HashSet::from([number(2)]);
    let plan = planned(&snapshot);
    assert_eq!(contacts(&plan), [1, 3]);
    assert_eq!(whys(&plan), [Why::NumberBusy, Why::NumberBusy]);
}

#[test]
fn a_campaign_fills_its_channels_and_no_more_i5() {
    let mut snapshot = minute(vec![campaign(1, 5)]);
    snapshot.campaigns[0].channels = Some(3);
    snapshot.campaigns[0].open = 1;
    snapshot.campaigns[0].next_due = Some(at("2026-03-01T08:05:00Z"));
    let plan = planned(&snapshot);
    assert_eq!(seconds(&plan), [0, 6]);
    assert_eq!(whys(&plan), vec![Why::CampaignChannels { cap: 3 }; 3]);
    assert_eq!(plan.wake_at, None, "only a call that closes frees a channel");
}

#[test]
fn a_trunk_fills_its_channels_over_all_its_campaigns_i5() {
    let mut snapshot = minute(vec![campaign(1, 5), campaign(2, 5)]);
    snapshot.trunks[0].channels = Some(3);
    snapshot.trunks[0].open = 1;
    let plan = planned(&snapshot);
    assert_eq!(plan.calls.len(), 2);
    assert_eq!(whys(&plan), vec![Why::TrunkChannels { cap: 3 }; 8]);
}

#[test]
fn the_server_fills_its_channels_over_all_campaigns_and_trunks_in_fair_turn_i5() {
    let mut snapshot = minute(vec![campaign(1, 5), campaign(2, 5)]);
    snapshot.trunks.push(trunk(2));
    snapshot.campaigns[1].trunks = vec![TrunkId(2)];
    (snapshot.channels, snapshot.open) = (Some(5), 2);
    let plan = planned(&snapshot);
    assert_eq!(plan.calls.iter().map(|call| call.campaign.0).collect::<Vec<_>>(), [1, 2, 1]);
    assert_eq!(whys(&plan), vec![Why::ServerChannels { cap: 5 }; 7]);
    assert_eq!(plan.wake_at, None, "only a call that closes frees a channel");
    snapshot.channels = Some(1);
    assert_eq!(planned(&snapshot).calls, [], "a cap that was lowered ends no call, and begins none");
}

#[test]
fn of_several_caps_the_one_next_to_the_campaign_is_told() {
    let mut snapshot = minute(vec![campaign(1, 5)]);
    (snapshot.channels, snapshot.files_free) = (Some(3), 3);
    assert_eq!(whys(&planned(&snapshot)), vec![Why::ServerChannels { cap: 3 }; 2]);
    snapshot.trunks[0].channels = Some(3);
    assert_eq!(whys(&planned(&snapshot)), vec![Why::TrunkChannels { cap: 3 }; 2]);
    snapshot.campaigns[0].channels = Some(3);
    assert_eq!(whys(&planned(&snapshot)), vec![Why::CampaignChannels { cap: 3 }; 2]);
}

#[test]
fn a_trunk_that_nobody_knows_has_no_channel() {
    let mut snapshot = minute(vec![campaign(1, 1)]);
    snapshot.campaigns[0].trunks = vec![TrunkId(9)];
    assert_eq!(whys(&planned(&snapshot)), [Why::TrunkChannels { cap: 0 }]);
}

#[test]
fn a_trunk_keeps_its_rate_and_leaves_the_other_slots_to_other_trunks_i5() {
    let mut snapshot = minute(vec![campaign(1, 50), campaign(2, 50)]);
    snapshot.calls_one_time = 600;
    snapshot.horizon = at("2026-03-01T07:59:58.400Z");
    snapshot.trunks = vec![TrunkView { starts_per_second: Some(3), ..trunk(1) }, trunk(2)];
    snapshot.trunks[0].taken = vec![at("2026-03-01T07:59:57.066Z"), at("2026-03-01T07:59:58.234Z")];
    snapshot.campaigns[1].trunks = vec![TrunkId(2)];
    let plan = planned(&snapshot);
    let ms = |call: &&PlannedCall| call.start_at.since_ms(snapshot.now);
    // 334 ms after 57.066 and before 58.234, on the grid of 100 ms.
    let (slow, fast): (Vec<_>, Vec<_>) = plan.calls.iter().partition(|call| call.trunk == TrunkId(1));
    assert_eq!(slow.iter().map(ms).collect::<Vec<_>>(), [400, 800]);
    assert_eq!(fast.iter().map(ms).collect::<Vec<_>>(), [500, 600, 700, 900, 1000, 1100, 1200, 1300]);
}

/// A campaign of five on the trunks 1 and 2.
fn over_two() -> Snapshot {
    let mut snapshot = minute(vec![campaign(1, 5)]);
    snapshot.trunks.push(trunk(2));
    snapshot.campaigns[0].trunks = vec![TrunkId(1), TrunkId(2)];
    snapshot
}

fn lines(plan: &Plan) -> Vec<i64> {
    plan.calls.iter().map(|call| call.trunk.0).collect()
}

#[test]
fn a_call_goes_over_the_first_trunk_that_may_take_it_i5() {
    let mut snapshot = over_two();
    assert_eq!(lines(&planned(&snapshot)), [1, 1, 1, 1, 1]);
    snapshot.trunks[0].channels = Some(2);
    assert_eq!(lines(&planned(&snapshot)), [1, 1, 2, 2, 2]);
    snapshot.trunks[1].channels = Some(1);
    let plan = planned(&snapshot);
    assert_eq!(lines(&plan), [1, 1, 2]);
    assert_eq!(whys(&plan), vec![Why::TrunkChannels { cap: 2 }; 2]);
}

#[test]
fn who_was_failed_by_a_trunk_begins_behind_it() {
    let mut snapshot = over_two();
    snapshot.campaigns[0].candidates[1].failed_trunk = Some(TrunkId(1));
    snapshot.campaigns[0].candidates[2].failed_trunk = Some(TrunkId(2));
    snapshot.campaigns[0].candidates[3].failed_trunk = Some(TrunkId(9));
    assert_eq!(lines(&planned(&snapshot)), [1, 2, 1, 1, 1]);
    snapshot.trunks[1].leave = LineLeave::Nothing;
    assert_eq!(lines(&planned(&snapshot)), [1, 1, 1, 1, 1], "better than not at all");
}

#[test]
fn an_open_breaker_has_one_trial_and_not_before_its_instant() {
    let mut snapshot = over_two();
    let from = at("2026-03-01T08:00:07Z");
    snapshot.trunks[0].leave = LineLeave::OneCall { from };
    assert_eq!(lines(&planned(&snapshot)), [2, 2, 1, 2, 2]);
    snapshot.campaigns[0].trunks.pop();
    let plan = planned(&snapshot);
    assert_eq!(seconds(&plan), [12]);
    assert_eq!(whys(&plan), vec![Why::TrunkBreaker { trial_at: None }; 4]);
    let later = at("2026-03-01T08:05:00Z");
    snapshot.trunks[0].leave = LineLeave::OneCall { from: later };
    assert_eq!(whys(&planned(&snapshot)), vec![Why::TrunkBreaker { trial_at: Some(later) }; 5]);
}

#[test]
fn a_check_of_lines_is_planned_over_an_open_breaker_and_is_not_its_trial() {
    let mut snapshot = minute(vec![campaign(1, 3), campaign(2, 3)]);
    snapshot.campaigns[1].heed = Heed::Exempt;
    for leave in [LineLeave::Nothing, LineLeave::OneCall { from: at("2026-03-01T08:05:00Z") }] {
        snapshot.trunks[0].leave = leave;
        let plan = planned(&snapshot);
        assert_eq!(plan.calls.iter().map(|call| call.campaign.0).collect::<Vec<_>>(), [2, 2, 2]);
        assert_eq!(whys(&plan), vec![Why::TrunkBreaker { trial_at: leave.trial_at() }; 3]);
    }
    snapshot.trunks[0].leave = LineLeave::OneCall { from: at("2026-03-01T08:00:07Z") };
    let plan = planned(&snapshot);
    let turns: Vec<i64> = plan.calls.iter().map(|call| call.campaign.0).collect();
    assert_eq!(turns, [2, 2, 1, 2], "the trial waits for its instant, and goes behind them");
    assert_eq!(whys(&plan), vec![Why::TrunkBreaker { trial_at: None }; 2]);
    snapshot.trunks[0].channels = Some(2);
    assert_eq!(planned(&snapshot).calls.len(), 2, "a cap binds it");
}

#[test]
fn campaigns_with_other_lists_of_trunks_share_the_slots_in_turn() {
    let mut snapshot = minute(vec![campaign(1, 5), campaign(2, 5), campaign(3, 5)]);
    snapshot.trunks.push(trunk(2));
    snapshot.trunks[0].channels = Some(3);
    snapshot.campaigns[1].trunks = vec![TrunkId(1), TrunkId(2)];
    snapshot.campaigns[2].trunks = vec![TrunkId(2), TrunkId(1)];
    let plan = planned(&snapshot);
    let turns: Vec<(i64, i64)> = plan.calls.iter().map(|call| (call.campaign.0, call.trunk.0)).collect();
    let expected = [(1, 1), (2, 1), (3, 2), (1, 1), (2, 2), (3, 2), (2, 2), (3, 2), (2, 2), (3, 2)];
    assert_eq!(turns, expected);
}

#[test]
fn a_full_spool_ends_the_plan() {
    let mut snapshot = minute(vec![campaign(1, 5)]);
    snapshot.files_free = 2;
    let plan = planned(&snapshot);
    assert_eq!(plan.calls.len(), 2);
    assert_eq!(whys(&plan), vec![Why::SpoolFull; 3]);
}

#[test]
fn nothing_is_planned_outside_the_window_and_its_opening_wakes_the_planner_i4() {
    let mut snapshot = minute(vec![campaign(1, 20)]);
    snapshot.campaigns[0].calendar = window("08:00:06", "08:00:18");
    let plan = planned(&snapshot);
    assert_eq!(seconds(&plan), [6, 12]);
    let tomorrow = at("2026-03-02T08:00:06Z");
    assert_eq!(whys(&plan), vec![Why::WindowClosed { opens_at: Some(tomorrow) }; 18]);
    assert_eq!(plan.wake_at, Some(tomorrow.plus_ms(-TICK_AHEAD_MS)));
}

#[test]
fn only_running_campaigns_are_planned_i4() {
    for state in [CampaignState::Stopped, CampaignState::Paused, CampaignState::Completed] {
        let mut snapshot = minute(vec![campaign(1, 2)]);
        snapshot.campaigns[0].state = state;
        snapshot.campaigns[0].next_due = Some(at("2026-03-01T09:00:00Z"));
        let plan = planned(&snapshot);
        assert_eq!(whys(&plan), vec![Why::NotRunning(state); 2]);
        assert_eq!((plan.calls.len(), plan.wake_at), (0, None));
    }
}

#[test]
fn the_planner_wakes_for_the_earliest_instant_that_could_give_more() {
    let day = |text: &str| Some(at(&format!("2026-03-01T{text}Z")));
    let wake = |edit: fn(&mut Snapshot)| {
        let mut snapshot = minute(vec![campaign(1, 0), campaign(2, 0)]);
        edit(&mut snapshot);
        planned(&snapshot).wake_at
    };
    assert_eq!(wake(|_| ()), None);
    assert_eq!(wake(|s| s.campaigns[1].next_due = Some(at("2026-03-01T08:30:00Z"))), day("08:29:57"));
    let late_window = wake(|s| {
        s.campaigns[0].next_due = Some(at("2026-03-01T08:30:00Z"));
        s.campaigns[0].calendar = window("08:45", "09:00");
        s.campaigns[1].next_due = Some(at("2026-03-01T09:30:00Z"));
    });
    assert_eq!(late_window, day("08:44:57"));
    let imminent = wake(|s| s.campaigns[0].next_due = Some(s.now.plus_ms(10)));
    assert_eq!(imminent, day("07:59:57.010"));
    let passed = wake(|s| s.campaigns[0].next_due = Some(s.now));
    assert_eq!(passed, None);
}

#[test]
fn no_start_is_nearer_than_the_lead() {
    let mut snapshot = minute(vec![campaign(1, 5)]);
    snapshot.now = at("2026-03-01T08:00:05.600Z");
    assert_eq!(seconds(&planned(&snapshot))[0], 6);
    snapshot.now = at("2026-03-01T08:00:05.601Z");
    assert_eq!(seconds(&planned(&snapshot))[0], 12);
    snapshot.now = at("2026-03-01T08:00:59.900Z");
    assert_eq!(whys(&planned(&snapshot)), vec![Why::NoSlot { next_at: at("2026-03-01T08:01:06Z") }; 5]);
}

proptest! {
    #[test]
    fn a_plan_has_no_breach(snapshot in any_snapshot()) {
        prop_assert_eq!(check(&snapshot, &plan(&snapshot)), []);
    }

    #[test]
    fn what_is_planned_again_after_a_plan_adds_nothing(snapshot in any_snapshot()) {
        let first = plan(&snapshot);
        let mut after = snapshot.clone();
        after.files_free -= first.calls.len() as u32;
        after.open += first.calls.len() as u32;
        for call in &first.calls {
            after.taken.push(call.start_at);
            after.busy.insert(call.number.clone());
            for trunk in after.trunks.iter_mut().filter(|trunk| trunk.id == call.trunk) {
                trunk.taken.push(call.start_at);
                trunk.open += 1;
                let bound = snapshot.campaigns.iter().any(|c| c.id == call.campaign && c.heed == Heed::Bound);
                if bound && trunk.leave != LineLeave::All {
                    trunk.leave = LineLeave::Nothing;
                }
            }
            for campaign in after.campaigns.iter_mut().filter(|campaign| campaign.id == call.campaign) {
                campaign.open += 1;
                campaign.beat = campaign.rhythm.after(campaign.beat, call.start_at);
                campaign.calls_left = campaign.calls_left.map(|left| left - 1);
                campaign.candidates.retain(|candidate| candidate.contact != call.contact);
            }
        }
        after.taken.sort_unstable();
        after.trunks.iter_mut().for_each(|trunk| trunk.taken.sort_unstable());
        let second = plan(&after);
        prop_assert_eq!(second.calls, []);
        prop_assert_eq!(second.wake_at, first.wake_at);
    }
}

#[test]
fn who_is_outside_their_legal_hours_waits_and_costs_the_others_nothing_i4() {
    let mut snapshot = minute(vec![campaign(1, 6)]);
    let legal = |hours: &str| {
        let clock = ("UTC".parse().unwrap(), hours.parse().unwrap());
        Some(Arc::new(LegalHours::of(vec![clock]).unwrap()))
    };
    let view = &mut snapshot.campaigns[0];
    let hours = [(2, "daily 00:00-08:00:18"), (3, "daily 08:00:30-24:00"), (4, "daily 09:00-24:00")];
    view.hours = hours.map(|(zones, hours)| (ZoneClassId(zones), view.calendar.within(legal(hours).as_ref()))).into();
    let zones = [2, 2, 3, 3, 1, 4];
    for (candidate, zones) in view.candidates.iter_mut().zip(zones) {
        candidate.zones = ZoneClassId(zones);
    }
    let plan = planned(&snapshot);
    let called: Vec<i64> = plan.calls.iter().map(|call| call.contact.0 - 10_000).collect();
    assert_eq!((called, seconds(&plan)), (vec![0, 1, 4, 2, 3], vec![0, 6, 12, 30, 36]));
    let nine = at("2026-03-01T09:00:00Z");
    assert_eq!(whys(&plan), [Why::LegalHours { opens_at: Some(nine) }]);
    assert_eq!(plan.wake_at, Some(nine.plus_ms(-TICK_AHEAD_MS)));
}

#[test]
fn made_up_calls_are_planned_over_test_lines_only_and_say_so() {
    let mut made_up = campaign(1, 2);
    made_up.nature = Nature::MadeUp;
    let genuine = campaign(2, 1);
    let mut snapshot = minute(vec![made_up, genuine]);
    let plan = planned(&snapshot);
    assert_eq!(plan.calls.iter().map(|call| call.campaign.0).collect::<Vec<_>>(), [2]);
    assert_eq!(whys(&plan), [Why::RealLine, Why::RealLine]);
    snapshot.trunks[0].line = TrunkLine::Test;
    let plan = planned(&snapshot);
    assert_eq!(plan.calls.len(), 3);
    snapshot.trunks[0].line = TrunkLine::Real;
    let one = snapshot.campaigns[0].id;
    assert!(check(&snapshot, &plan).contains(&super::check::Breach::RealLine(one)), "the second opinion");
    snapshot.trunks = vec![TrunkView { line: TrunkLine::Test, ..trunk(1) }, trunk(2)];
    snapshot.campaigns[0].trunks = vec![TrunkId(1), TrunkId(2)];
    let plan = planned(&snapshot);
    assert_eq!(whys(&plan), [Why::RealLine, Why::RealLine], "one real line among its trunks is enough");
}
