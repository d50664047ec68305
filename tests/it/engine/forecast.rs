//! The forecast beside what the engine then does: the same campaigns, the same callees, two clocks.

use campanile::daemon::engine::EngineLimits;
use campanile::domain::calendar::{Calendar, Window, Zone};
use campanile::domain::forecast::{self, AnswerRate, Course, Ending, Odds, Outlook, Range, Scene, ServerRules};
use campanile::domain::ids::CampaignId;
use campanile::domain::instant::UtcMs;
use campanile::domain::rhythm::{Batch, Rhythm};
use campanile::ledger::campaigns;
use campanile::ledger::forecast::prospect;
use proptest::prelude::*;

use super::asterisk::{ANSWERS, BUSY, Callee, Fate, RINGS_OUT};
use super::world::{LIMITS, NOON, World};

/// A slot, and what lies between the end of a call and its conclusion; a campaign's own pace comes on top.
const NEAR_MS: i64 = 6_100;
/// Beside another campaign turns may come in another order, so only the end of both together is near: some slots, and a quarter of the time.
const SLOTS_APART: i64 = 4;

/// How a callee's calls end, in the forecast's words.
fn ending(fate: Fate) -> Ending {
    match fate.callee {
        Callee::Answers { after_ms, talks_ms } => Ending::answered(after_ms, talks_ms),
        Callee::RingsOut => Ending::no_answer(30_000),
        _ => Ending {
            cause: Some(17),
            disposition: campanile::domain::disposition::Disposition::Busy,
            ..Ending::no_answer(100)
        },
    }
}

fn scene(w: &mut World, target: CampaignId, odds: impl Fn(CampaignId) -> Odds) -> Scene {
    let server = ServerRules {
        calls_one_time: w.limits.calls_one_time,
        cron_interval_min: w.limits.cron_interval,
        channels_max: w.limits.channels_max,
        spool_files_max: w.limits.spool_files_max,
        frequency: w.limits.frequency,
    };
    let (now, legal) = (w.now, w.limits.legal.clone());
    let look = w.ledger.read(|db| {
        let campaign = campaigns::get(db, target)?.unwrap();
        prospect(db, &campaign, (server, &legal), (now, now.plus_s(30 * 86_400)))
    });
    let mut scene = look.unwrap().scene;
    scene.campaigns.iter_mut().for_each(|standing| standing.odds = odds(standing.campaign.id));
    scene
}

/// What the engine made of a campaign.
fn made(w: &mut World, campaign: CampaignId) -> (Option<UtcMs>, u64, u64, u64) {
    let rows = w.rows(campaign);
    let dialled = rows.iter().filter(|row| row.dialled_at.is_some()).count() as u64;
    let counts = w.counts(campaign);
    (rows.iter().filter_map(|row| row.ended_at).max(), dialled, counts.reached, counts.failed)
}

fn foreseen(course: &Course) -> (Option<UtcMs>, u64, u64, u64) {
    (course.ended_at, course.calls, course.reached, course.failed())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn the_forecast_of_callees_who_are_all_alike_is_what_happens(
        fates in prop::array::uniform2(prop::sample::select(vec![ANSWERS, BUSY, RINGS_OUT])),
        sizes in (1_u32..20, prop_oneof![Just(0_u32), 1_u32..15]),
        (channels, trunk_channels, channels_max) in
            (prop::option::of(1_u32..4), prop::option::of(2_u32..5), prop::option::weighted(0.3, 2_u32..5)),
        // Not in steps of a slot: where a retry is due at a slot, the millisecond of a report would decide.
        (retries, retry_time_s) in (0_u32..3, (5_u32..33).prop_map(|n| n * 6 + 1)),
        (delay_ms, batch) in (0_u32..20_000, prop::option::of((1_u32..5, 10_u32..60))),
        priority in 0_u32..2,
        minutes in prop::option::of(3_u32..30),
    ) {
        let mut w = World::with(EngineLimits { channels_max, ..LIMITS });
        let trunk = w.trunk;
        w.command(|db| db.execute("UPDATE trunks SET channels = ?2 WHERE id = ?1", (trunk.0, trunk_channels)).map_err(Into::into).map(drop));
        let batch = batch.map(|(calls, pause_s)| Batch { calls, pause_s });
        let spring = w.running_with("spring", 1..=sizes.0, |campaign| {
            campaign.channels = channels;
            campaign.retry.max_retries = retries;
            campaign.retry.retry_time_s = retry_time_s;
            campaign.pacing.rhythm = Rhythm { delay_ms, batch };
            // Nobody gives way to a campaign with a pace of its own.
            campaign.pacing.priority = if campaign.pacing.rhythm.is_free() { priority } else { 0 };
            if let Some(minutes) = minutes.filter(|_| sizes.1 == 0) {
                let noon_s = 12 * 3600;
                campaign.calendar = Calendar::daily(Window::new(noon_s, noon_s + minutes * 60), Zone::UTC);
            }
        });
        let other = w.running_with("other", 101..=100 + sizes.1, |_| {});
        (1..=sizes.0).for_each(|n| w.fate(n, &[fates[0]]));
        (101..=100 + sizes.1).for_each(|n| w.fate(n, &[fates[1]]));
        let odds = |id: CampaignId| {
            let fate = if id == spring { fates[0] } else { fates[1] };
            Odds { rate: AnswerRate::Given(if fate.callee == ANSWERS.callee { 1.0 } else { 0.0 }), answered: vec![ending(fate)], others: vec![ending(fate)] }
        };
        let courses = [spring, other].map(|target| (target, forecast::run(&scene(&mut w, target, odds), 1)));
        w.pass_until_done(24 * 30);
        let (mut last_made, mut last_foreseen) = (None, None);
        for (target, course) in courses {
            let (made, foreseen) = (made(&mut w, target), foreseen(&course));
            prop_assert_eq!((made.1, made.2, made.3), (foreseen.1, foreseen.2, foreseen.3));
            (last_made, last_foreseen) = (last_made.max(made.0), last_foreseen.max(foreseen.0));
        }
        let turns_ms = last_made.map_or(0, |made| NEAR_MS * SLOTS_APART + made.since_ms(NOON) / 4);
        let slots_ms = if sizes.1 == 0 { NEAR_MS } else { turns_ms };
        let near_ms = slots_ms + i64::from(delay_ms) + batch.map_or(0, |batch| i64::from(batch.pause_s) * 1000);
        let apart_ms = last_made.zip(last_foreseen).map(|(made, foreseen)| made.since_ms(foreseen).abs());
        prop_assert!(apart_ms.is_none_or(|ms| ms <= near_ms), "{:?} {:?}", last_made, last_foreseen);
    }
}

/// Four of ten are answered, which ones the seed says.
fn by_luck(seed: u64, call: u64) -> Fate {
    let mixed = (seed << 32 | call).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    if (mixed ^ (mixed >> 29)) % 10 < 4 { ANSWERS } else { BUSY }
}

#[test]
fn what_happens_by_luck_lies_near_the_range_of_the_forecast() {
    for seed in 1..=4 {
        let mut w = World::new();
        let spring = w.running_with("spring", 1..=40, |campaign| {
            campaign.channels = Some(2);
            campaign.retry.max_retries = 2;
            campaign.retry.retry_time_s = 60;
        });
        (1..=40).for_each(|n| w.fate(n, &[0, 1, 2].map(|call| by_luck(seed, u64::from(n) * 3 + call))));
        let odds = Odds { rate: AnswerRate::Given(0.4), answered: vec![ending(ANSWERS)], others: vec![ending(BUSY)] };
        let scene = scene(&mut w, spring, |_| odds.clone());
        let outlook = Outlook::of((1..=20).map(|run| forecast::run(&scene, run)).collect()).unwrap();
        w.pass_until_done(24);
        let (ended_at, calls, reached, failed) = made(&mut w, spring);
        let near = |range: Range<u64>, made: u64| {
            let apart = range.high - range.low + 1;
            (range.low.saturating_sub(apart)..=range.high + apart).contains(&made)
        };
        assert!(near(outlook.calls, calls), "{calls} {:?}", outlook.calls);
        assert!(near(outlook.reached, reached), "{reached} {:?}", outlook.reached);
        assert!(near(outlook.failed, failed), "{failed} {:?}", outlook.failed);
        let (ends_at, ended_at) = (outlook.ends_at.unwrap(), ended_at.unwrap());
        let apart_ms = ends_at.high.since_ms(ends_at.low) + NEAR_MS;
        let range = ends_at.low.plus_ms(-apart_ms)..=ends_at.high.plus_ms(apart_ms);
        assert!(range.contains(&ended_at), "{ended_at} {ends_at:?}");
    }
}
