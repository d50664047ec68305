use proptest::prelude::*;

use super::*;
use crate::domain::calendar::{Calendar, LegalHours, Window, Zone};
use crate::domain::campaign::{CampaignState, Finish};
use crate::domain::cause::{CauseRule, Verb};
use crate::domain::disposition::Disposition;
use crate::domain::ids::{UserId, ZoneClassId};
use crate::domain::retry::FailReason;
use crate::domain::rhythm::Rhythm;

/// 2026-03-01T12:00:00Z, a Sunday.
const NOON: UtcMs = UtcMs(1_772_366_400_000);

fn always(ending: Ending) -> Odds {
    let share = if ending.disposition == Disposition::Answered { 1.0 } else { 0.0 };
    Odds { rate: AnswerRate::Given(share), answered: vec![ending], others: vec![ending] }
}

fn campaign() -> Campaign {
    Campaign {
        id: CampaignId(1),
        state: CampaignState::Running,
        ..Campaign::new("spring".parse().unwrap(), UserId(1), TrunkId(1), Zone::UTC)
    }
}

/// One campaign of so many fresh contacts, ten slots a minute.
fn scene(contacts: u64, odds: Odds, with: impl FnOnce(&mut Standing)) -> Scene {
    let mut standing = Standing {
        campaign: campaign(),
        causes: CauseTable::default(),
        hours: BTreeMap::new(),
        served_at: None,
        beat: Beat::default(),
        calls_left: None,
        groups: vec![Group::fresh(contacts)],
        open: Vec::new(),
        odds,
    };
    with(&mut standing);
    Scene {
        now: NOON,
        until: NOON.plus_s(400 * 86_400),
        server: ServerRules {
            calls_one_time: 10,
            cron_interval_min: 1,
            channels_max: None,
            spool_files_max: 1000,
            frequency: None,
        },
        trunks: vec![TrunkRules { id: TrunkId(1), line: TrunkLine::Real, channels: None, starts_per_second: None }],
        campaigns: vec![standing],
        target: CampaignId(1),
    }
}

fn ends_after_s(course: &Course) -> i64 {
    course.ended_at.unwrap().since_ms(NOON) / 1000
}

#[test]
fn ten_a_minute_take_six_seconds_each_and_the_last_one_its_talk() {
    let course = run(&scene(100, always(Ending::answered(2_000, 5_000)), |_| {}), 1);
    assert_eq!((course.calls, course.reached, course.left), (100, 100, 0));
    // The first slot is the one after the lead of a file.
    assert_eq!(ends_after_s(&course), 6 * 100 + 7);
    assert_eq!(course.series.channels_max(), 2);
}

#[test]
fn a_channel_that_is_free_is_used_at_once() {
    let one_channel = |standing: &mut Standing| standing.campaign.channels = Some(1);
    let course = run(&scene(10, always(Ending::answered(0, 60_000)), one_channel), 1);
    assert_eq!((course.calls, course.series.channels_max()), (10, 1));
    // The slot on which a call ends is too near to be planned: the next one is 6 s later.
    assert_eq!(ends_after_s(&course), 6 + 9 * 66 + 60);
}

#[test]
fn retries_are_made_and_used_up() {
    let twice = |standing: &mut Standing| standing.campaign.retry.max_retries = 2;
    let course = run(&scene(20, always(Ending::no_answer(30_000)), twice), 1);
    assert_eq!((course.calls, course.reached, course.failed()), (60, 0, 20));
    assert_eq!(course.failed_by, [(FailReason::RetriesUsedUp, 20)].into());
    assert_eq!(
        ends_after_s(&course),
        120 + 330 + 330 + 30,
        "each retry 300 s after the end of the call before, on a slot"
    );
}

#[test]
fn the_night_is_waited_out_and_an_end_that_comes_first_leaves_the_others() {
    let hours = |standing: &mut Standing| {
        standing.campaign.calendar = Calendar::daily(Window::new(11 * 3600, 13 * 3600), Zone::UTC);
    };
    let course = run(&scene(1_000, always(Ending::answered(0, 1_000)), hours), 1);
    assert_eq!((course.calls, course.left), (1_000, 0));
    // 600 fit before 13:00 today, the others need 40 minutes from 11:00 on.
    let tomorrow_at_eleven_s = 23 * 3600;
    assert!((ends_after_s(&course) - tomorrow_at_eleven_s - 2_400).abs() < 15, "{}", ends_after_s(&course));
    let ending = |standing: &mut Standing| {
        hours(standing);
        standing.campaign.calendar.schedule.ends_at = Some(NOON.plus_s(7200));
    };
    let course = run(&scene(1_000, always(Ending::answered(0, 1_000)), ending), 1);
    assert_eq!((course.calls + course.left, course.left_by), (1_000, Some(Left::HoursOver)));
}

#[test]
fn a_retry_that_fell_due_where_it_is_night_is_called_in_the_morning() {
    let asleep = |standing: &mut Standing| {
        let zones = ZoneClassId(7);
        let legal = LegalHours::of(vec![(Zone::UTC, "Mon-Sun 09:00-11:00".parse().unwrap())]).unwrap();
        standing.hours.insert(zones, standing.campaign.calendar.within(Some(&legal.into())));
        standing.groups = vec![Group { zones, due_at: Some(NOON.plus_s(-600)), ..Group::fresh(2) }];
    };
    let course = run(&scene(0, always(Ending::answered(0, 1_000)), asleep), 1);
    assert_eq!((course.reached, course.left), (2, 0));
    let nine_tomorrow_s = 21 * 3600;
    assert!((nine_tomorrow_s..nine_tomorrow_s + 30).contains(&ends_after_s(&course)), "{}", ends_after_s(&course));
}

#[test]
fn whoever_is_left_is_left_for_a_reason() {
    let answers = || always(Ending::answered(0, 1_000));
    let three = |standing: &mut Standing| {
        standing.campaign.finish = Finish::AfterCalls(3);
        standing.calls_left = Some(3);
    };
    let course = run(&scene(10, answers(), three), 1);
    assert_eq!((course.calls, course.left, course.left_by), (3, 7, Some(Left::CallsMade)));
    let course = run(&scene(10, answers(), |standing| standing.campaign.channels = Some(0)), 1);
    assert_eq!((course.calls, course.left, course.left_by), (0, 10, Some(Left::NoChannel)));
    let mut short = scene(1_000, answers(), |_| {});
    short.until = NOON.plus_s(600);
    let course = run(&short, 1);
    assert_eq!((course.calls + course.left, course.left_by), (1_000, Some(Left::NotByThen)));
}

#[test]
fn who_expires_is_not_called_and_a_cause_may_end_it() {
    let expiring = |standing: &mut Standing| {
        standing.groups = vec![
            Group { expires_at: Some(NOON.plus_s(60)), ..Group::fresh(50) },
            Group { priority: crate::domain::contact::Priority::new(5).unwrap(), ..Group::fresh(5) },
        ];
    };
    let course = run(&scene(0, always(Ending::answered(0, 1_000)), expiring), 1);
    assert_eq!((course.reached, course.left), (5 + 4, 0), "the others first, then four slots are left in the minute");
    assert_eq!(course.expired, 46);
    let error = |standing: &mut Standing| {
        standing.campaign.retry.max_retries = 5;
        let rule = CauseRule { verb: Verb::Error, delay_s: None, limit: None };
        standing.causes.0.insert("USER_BUSY".parse().unwrap(), rule);
    };
    let busy = Ending { disposition: Disposition::Busy, cause: Some(17), ..Ending::no_answer(1_000) };
    let course = run(&scene(4, always(busy), error), 1);
    assert_eq!((course.calls, course.failed_by), (4, [(FailReason::CauseError, 4)].into()));
}

#[test]
fn each_further_number_brings_a_call_and_a_cap_puts_calls_off() {
    let numbers = |standing: &mut Standing| standing.groups[0].numbers = 3;
    let course = run(&scene(2, always(Ending::no_answer(30_000)), numbers), 1);
    assert_eq!((course.calls, course.failed()), (6, 2));
    let mut capped = scene(1, always(Ending::no_answer(30_000)), |standing| standing.campaign.retry.max_retries = 1);
    capped.server.frequency = FrequencyCap::of(1, 24);
    let course = run(&capped, 1);
    assert_eq!(course.calls, 2);
    assert!(ends_after_s(&course) >= 24 * 3600, "{}", ends_after_s(&course));
}

#[test]
fn other_campaigns_take_their_share() {
    let alone = run(&scene(100, always(Ending::answered(0, 1_000)), |_| {}), 1);
    let mut shared = scene(100, always(Ending::answered(0, 1_000)), |_| {});
    let mut other = shared.campaigns[0].clone();
    other.campaign.id = CampaignId(2);
    shared.campaigns.push(other);
    let course = run(&shared, 1);
    assert!((ends_after_s(&course) - 2 * ends_after_s(&alone)).abs() <= 12);
    shared.campaigns[1].campaign.pacing.priority = 1;
    assert!(run(&shared, 1).ended_at > course.ended_at, "those of the other go first");
}

#[test]
fn few_measured_calls_make_a_wide_range() {
    let endings = |answered: usize, others: usize| {
        let mut calls = vec![Ending::answered(1_000, 9_000); answered];
        calls.extend(vec![Ending::no_answer(30_000); others]);
        calls
    };
    let width = |calls: &[Ending]| {
        let (odds, basis) = Odds::best(calls, &[]);
        assert_eq!(basis, Basis::Campaign);
        let scene = scene(500, odds, |_| {});
        let reached = Outlook::of((0..21).map(|seed| run(&scene, seed)).collect()).unwrap().reached;
        assert!(reached.low <= reached.median && reached.median <= reached.high);
        reached.high - reached.low
    };
    assert!(width(&endings(15, 15)) > 2 * width(&endings(2_000, 2_000)));
    assert_eq!(Odds::best(&endings(3, 3), &endings(20, 20)).1, Basis::Server);
    assert_eq!(Odds::best(&endings(3, 3), &[]).1, Basis::Assumed);
}

prop_compose! {
    fn any_ending()(
        disposition in prop::sample::select(vec![
            Disposition::Answered, Disposition::Busy, Disposition::NoAnswer, Disposition::InvalidNumber,
            Disposition::TrunkFailure, Disposition::Machine,
        ]),
        ring_ms in 0_i64..40_000,
        talk_ms in 0_i64..90_000,
    ) -> Ending {
        Ending { disposition, cause: None, sip_code: None, ring_ms, talk_ms }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn nobody_is_lost_and_no_cap_is_passed_i3_i5(
        endings in prop::collection::vec(any_ending(), 1..20),
        contacts in 0_u64..150,
        due in 0_u64..20,
        (retries, channels, trunk_channels, server_channels) in (0_u32..3, 1_u32..5, 1_u32..5, prop::option::of(1_u32..5)),
        (delay_ms, numbers, seed) in (0_u32..20_000, 1_u32..4, any::<u64>()),
        expires_s in prop::option::of(0_i64..3_000),
    ) {
        let mut scene = scene(contacts, Odds::measured(&endings), |standing| {
            standing.campaign.retry.max_retries = retries;
            standing.campaign.channels = Some(channels);
            standing.campaign.pacing.rhythm = Rhythm { delay_ms, batch: None };
            standing.groups[0].numbers = numbers;
            standing.groups[0].expires_at = expires_s.map(|s| NOON.plus_s(s));
            standing.groups.push(Group { due_at: Some(NOON.plus_s(90)), ..Group::fresh(due) });
            let start_at = NOON.plus_s(-5);
            standing.open.push(OpenCall { start_at, trunk: TrunkId(1), group: Group::fresh(1) });
        });
        scene.trunks[0].channels = Some(trunk_channels);
        scene.server.channels_max = server_channels;
        let course = run(&scene, seed);
        prop_assert_eq!(course.reached + course.failed() + course.expired + course.left, contacts + due + 1);
        prop_assert_eq!(course.left, 0);
        prop_assert!(course.series.channels_max() <= channels.min(trunk_channels).min(server_channels.unwrap_or(u32::MAX)));
        prop_assert_eq!(run(&scene, seed), course, "the same luck, the same course");
    }
}

#[test]
fn who_sleeps_is_called_when_it_is_day_there_and_takes_nobodys_slot() {
    let (there, here) = (ZoneClassId(7), ZoneClassId(8));
    let scene = scene(10, always(Ending::answered(2_000, 5_000)), |standing| {
        standing.groups = vec![Group { zones: there, ..Group::fresh(300) }, Group { zones: here, ..Group::fresh(10) }];
        let noon_s = 12 * 3600;
        let hours = Calendar::daily(Window::new(noon_s + 3600, noon_s + 7200), Zone::UTC);
        standing.hours.insert(there, hours);
    });
    let course = run(&scene, 1);
    let starts: Vec<i64> = (0..)
        .zip(&course.series.spans)
        .filter(|(_, span)| span.starts > 0)
        .map(|(at, _)| at * course.series.span_ms / 60_000)
        .collect();
    assert_eq!((course.reached, course.left), (310, 0));
    assert!(starts[0] == 0 && starts.iter().all(|minute| *minute <= 1 || (60..=91).contains(minute)), "{starts:?}");
}
