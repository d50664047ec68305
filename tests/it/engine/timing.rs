//! Calendars, schedules, priorities, a campaign's own pace, and when it is done.

use std::sync::Arc;

use campanile::daemon::engine::EngineLimits;
use campanile::domain::calendar::{Holiday, Repeats, Schedule, Timetable};
use campanile::domain::campaign::CampaignState::{Completed, Running, Stopped};
use campanile::domain::campaign::{Campaign, Finish, Phase};
use campanile::domain::disposition::Disposition::NotDialled;
use campanile::domain::ids::{CalendarId, CampaignId};
use campanile::domain::rhythm::{Batch, Rhythm};
use campanile::ledger::{calendars, campaigns};

use super::asterisk::{ANSWERS, BUSY};
use super::world::{LIMITS, NOON, World};

/// Weekdays in the afternoon. The world begins on a Sunday at noon.
fn office() -> Timetable {
    Timetable {
        zone: "UTC".parse().unwrap(),
        week: "Mon-Fri 13:00-13:02".parse().unwrap(),
        first_day: None,
        last_day: None,
        holidays: Vec::new(),
    }
}

fn add_calendar(w: &mut World, timetable: &Timetable) -> CalendarId {
    let owner = w.owner;
    w.command(|db| calendars::add(db, &"office".parse()?, owner, timetable, NOON))
}

fn works_by(id: CalendarId, timetable: &Timetable) -> impl FnOnce(&mut Campaign) {
    let timetable = Some(Arc::new(timetable.clone()));
    move |campaign| {
        campaign.calendar_id = Some(id);
        campaign.calendar.timetable = timetable;
    }
}

fn holiday(day: &str) -> Holiday {
    let day = day.parse().unwrap();
    Holiday { name: "Strike".parse().unwrap(), first: day, last: day, repeats: Repeats::Once }
}

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;

#[test]
fn a_campaign_dials_in_the_hours_of_its_calendar_and_not_on_holidays_i4() {
    let mut w = World::with(EngineLimits { cron_interval: 60, ..LIMITS });
    let mut timetable = office();
    timetable.holidays = vec![holiday("2026-03-03")];
    let id = add_calendar(&mut w, &timetable);
    let spring = w.running_with("spring", 1..=30, works_by(id, &timetable));
    w.pass_until_done(24 * 5);
    // Monday, and Wednesday: fifteen calls in 85 of the 120 seconds, because each may ring for 30.
    let days: Vec<i64> = w.dials_ms().iter().map(|ms| ms / DAY_MS).collect();
    assert_eq!((days.iter().filter(|day| **day == 1).count(), days.iter().filter(|day| **day == 3).count()), (15, 15));
    let offsets: Vec<i64> = w.dials_ms().iter().map(|ms| ms % DAY_MS - HOUR_MS).collect();
    assert!(offsets.iter().all(|ms| (0..85_000).contains(ms)), "{offsets:?}");
    assert_eq!(w.counts(spring).reached, 30);
}

#[test]
fn a_holiday_that_is_declared_while_calls_are_planned_holds_at_the_gate_i4() {
    let mut w = World::new();
    let mut timetable = office();
    timetable.week = "daily 12:00-14:00".parse().unwrap();
    let id = add_calendar(&mut w, &timetable);
    let spring = w.running_with("spring", 1..=9, works_by(id, &timetable));
    w.pass_ms(13_000);
    let before = w.dialled.len();
    assert!(before > 0 && w.names().len() > 3);
    timetable.holidays = vec![holiday("2026-03-01")];
    w.command(|db| calendars::update(db, id, &timetable));
    w.pass_s(600);
    assert_eq!(w.dialled.len(), before, "not one more");
    assert!(w.ends(spring).contains(&Some(NotDialled)));
    assert!(w.rows(spring).iter().any(|row| row.detail.as_deref().is_some_and(|why| why.contains("2026-03-02T12:00"))));
    w.pass_until_done(26);
    assert_eq!((w.dialled.len(), w.counts(spring).reached), (9, 9), "the next day the rest, each once");
}

#[test]
fn a_scheduled_campaign_begins_to_the_second_and_is_completed_at_its_end() {
    let mut w = World::new();
    let schedule = Schedule { starts_at: Some(NOON.plus_s(3_605)), ends_at: Some(NOON.plus_s(3_700)) };
    let spring = w.running_with("spring", 1..=30, |c| c.calendar.schedule = schedule);
    w.pass_s(60);
    let phase = |w: &mut World| {
        let now = w.now;
        w.ledger
            .read(|db| Ok(campaigns::get(db, spring)?.unwrap().phase(campaigns::activity(db, spring)?, now)))
            .unwrap()
    };
    assert_eq!((w.dialled.len(), phase(&mut w)), (0, Phase::Ready));
    w.pass_s(3_560);
    assert_eq!(phase(&mut w), Phase::Running);
    w.pass_until_done(1);
    // The first slot behind its beginning; the last start leaves 35 s to ring.
    assert_eq!(w.dials_ms(), (0..10).map(|i| 3_606_000 + i * 6_000).collect::<Vec<_>>());
    assert_eq!((w.state(spring), phase(&mut w)), (Completed, Phase::Completed));
    assert_eq!((w.counts(spring).reached, w.counts(spring).waiting), (10, 20));
}

#[test]
fn a_campaign_is_about_to_start_until_its_first_call_is_planned() {
    let mut w = World::new();
    let spring = w.campaign("spring", |_| {});
    w.import(spring, 1..=2);
    let phase = |w: &mut World| {
        let now = w.now;
        w.ledger
            .read(|db| Ok(campaigns::get(db, spring)?.unwrap().phase(campaigns::activity(db, spring)?, now)))
            .unwrap()
    };
    assert_eq!(phase(&mut w), Phase::Ready);
    w.leave_daemon_down();
    start(&mut w, spring);
    assert_eq!(phase(&mut w), Phase::StartNow);
    w.serve();
    w.pass_s(1);
    assert_eq!(phase(&mut w), Phase::Running);
}

fn start(w: &mut World, id: CampaignId) {
    let now = w.now;
    w.command(|db| campaigns::start(db, &campaigns::get(db, id)?.unwrap(), now));
}

#[test]
fn a_higher_priority_has_the_slots_and_equal_ones_share_them() {
    let mut w = World::new();
    let low = w.running("low", 1..=40);
    w.pass_s(20);
    let high = w.running_with("high", 101..=110, |c| c.pacing.priority = 5);
    let other = w.running_with("other", 201..=210, |c| c.pacing.priority = 5);
    w.pass_until_done(1);
    assert_eq!(w.dialled.len(), 60);
    let of = |w: &mut World, id| w.rows(id).iter().filter_map(|row| row.dialled_at).collect::<Vec<_>>();
    let (low, high, other) = (of(&mut w, low), of(&mut w, high), of(&mut w, other));
    let last_high = *high.iter().chain(&other).max().unwrap();
    let first_high = *high.iter().chain(&other).min().unwrap();
    let between = low.iter().filter(|at| (first_high..last_high).contains(at)).count();
    assert_eq!(between, 0, "nobody of a lower priority is called meanwhile");
    assert_eq!(last_high.since_ms(first_high), 19 * 6_000, "every slot is theirs");
    assert!(high.iter().zip(&other).all(|(a, b)| a.since_ms(*b).abs() == 6_000), "in fair turn: {high:?} {other:?}");
}

#[test]
fn numbers_that_come_into_a_campaign_of_higher_priority_need_not_wait_for_the_interval() {
    let mut w = World::with(EngineLimits { cron_interval: 30, ..LIMITS });
    w.running("low", 1..=200);
    let high = w.running_with("high", 301..=301, |c| {
        c.pacing.priority = 5;
        c.finish = Finish::Never;
    });
    w.pass_s(120);
    w.import(high, 302..=306);
    let at = w.now;
    w.pass_s(60);
    let dials: Vec<_> = w.rows(high).iter().filter_map(|row| row.dialled_at).filter(|dialled| *dialled > at).collect();
    assert_eq!(dials.len(), 5, "within a minute, though the interval was planned full: {dials:?}");
}

#[test]
fn a_campaign_keeps_its_delay_and_its_batches_over_ticks_and_restarts_i5() {
    let mut w = World::with(EngineLimits { calls_one_time: 600, ..LIMITS });
    (1..=40).for_each(|n| w.fate(n, &[BUSY, ANSWERS]));
    let spring = w.running_with("spring", 1..=40, |c| {
        c.pacing.rhythm = Rhythm { delay_ms: 1_500, batch: Some(Batch { calls: 4, pause_s: 30 }) };
        (c.retry.max_retries, c.retry.retry_time_s) = (1, 60);
    });
    for _ in 0..20 {
        w.pass_ms(20_700);
        w.serve();
    }
    w.pass_until_done(3);
    let dials = w.dials_ms();
    assert_eq!((dials.len(), w.counts(spring).reached), (80, 40));
    assert!(dials.windows(2).all(|pair| pair[1] - pair[0] >= 1_500), "{dials:?}");
    let pauses: Vec<i64> = dials.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap >= 30_000).collect();
    assert_eq!(pauses.len(), 19, "twenty batches of four: {dials:?}");
    assert!(dials.windows(5).all(|five| five.windows(2).any(|pair| pair[1] - pair[0] >= 30_000)), "{dials:?}");
}

#[test]
fn a_campaign_ends_after_as_many_calls_as_it_was_to_make() {
    let mut w = World::new();
    let spring = w.campaign("spring", |c| c.finish = Finish::AfterCalls(3));
    w.import(spring, 1..=9);
    start(&mut w, spring);
    w.pass_until_done(1);
    assert_eq!((w.dialled.len(), w.state(spring), w.counts(spring).waiting), (3, Completed, 6));
    start(&mut w, spring);
    w.pass_until_done(1);
    assert_eq!(w.dialled.len(), 6, "started again, it makes three more");
}

#[test]
fn a_campaign_that_never_finishes_waits_for_more_numbers() {
    let mut w = World::new();
    let spring = w.running_with("spring", 1..=1, |c| c.finish = Finish::Never);
    w.pass_s(600);
    assert_eq!((w.dialled.len(), w.state(spring)), (1, Running));
    w.import(spring, 2..=2);
    w.pass_s(60);
    assert_eq!((w.dialled.len(), w.state(spring)), (2, Running));
    w.set(spring, Stopped);
}
