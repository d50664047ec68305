//! The forecast beside what the engine then does: the same campaigns, the same callees, two clocks.

use campanile::daemon::engine::EngineLimits;
use campanile::domain::calendar::{Calendar, Window, Zone};
use campanile::domain::campaign::{CampaignState, Finish};
use campanile::domain::forecast::{self, AnswerRate, Course, Ending, Odds, Outlook, Range, Scene, ServerRules};
use campanile::domain::ids::CampaignId;
use campanile::domain::instant::UtcMs;
use campanile::domain::rhythm::{Batch, Rhythm};
use campanile::ledger::campaigns;
use campanile::ledger::forecast::prospect;
use proptest::prelude::*;

use super::asterisk::{ANSWERS, BUSY, Callee, Comes, Fate, RINGS_OUT};
use super::world::{LIMITS, World};

/// A slot, and what lies between the end of a call and its conclusion.
const NEAR_MS: i64 = 6_100;

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

/// A campaign of callees who are all alike.
#[derive(Debug, Clone)]
struct Alike {
    count: u32,
    fate: Fate,
    channels: Option<u32>,
    /// How often, and after how many seconds.
    retries: (u32, u32),
    rhythm: Rhythm,
    priority: u32,
    /// How long its hours are open from noon on.
    minutes: Option<u32>,
}

impl Alike {
    fn start(&self, w: &mut World, place: u32) -> CampaignId {
        let first = place * 100 + 1;
        let numbers = first..=first + self.count - 1;
        numbers.clone().for_each(|n| w.fate(n, &[self.fate]));
        w.running_with(&format!("spring{place}"), numbers, |campaign| {
            campaign.channels = self.channels;
            (campaign.retry.max_retries, campaign.retry.retry_time_s) = self.retries;
            campaign.pacing.rhythm = self.rhythm;
            campaign.pacing.priority = self.priority;
            if let Some(minutes) = self.minutes {
                let noon_s = 12 * 3600;
                campaign.calendar = Calendar::daily(Window::new(noon_s, noon_s + minutes * 60), Zone::UTC);
            }
        })
    }

    fn odds(&self) -> Odds {
        let rate = AnswerRate::Given(if self.fate.callee == ANSWERS.callee { 1.0 } else { 0.0 });
        Odds { rate, answered: vec![ending(self.fate)], others: vec![ending(self.fate)] }
    }
}

prop_compose! {
    fn alike()(
        count in 1_u32..25,
        fate in prop::sample::select(vec![ANSWERS, BUSY, RINGS_OUT]),
        channels in prop::option::of(1_u32..4),
        retries in (0_u32..3, 5_u32..200),
        delay_ms in prop_oneof![Just(0), 1_u32..20_000],
        batch in prop::option::of((1_u32..5, 10_u32..60)),
        priority in 0_u32..3,
        minutes in prop::option::of(3_u32..30),
    ) -> Alike {
        // No millisecond of a report comes between the end of a call and its conclusion.
        let fate = Fate { report: Comes::AfterMs(0), ..fate };
        let batch = batch.map(|(calls, pause_s)| Batch { calls, pause_s });
        Alike { count, fate, channels, retries, rhythm: Rhythm { delay_ms, batch }, priority, minutes }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn the_forecast_of_callees_who_are_all_alike_is_what_happens(
        alike in prop::collection::vec(alike(), 1..4),
        calls_one_time in prop::sample::select(vec![10, 60, 300]),
        (trunk_channels, channels_max) in (prop::option::of(1_u32..5), prop::option::weighted(0.3, 1_u32..6)),
    ) {
        let mut w = World::with(EngineLimits { calls_one_time, channels_max, ..LIMITS });
        let trunk = w.trunk;
        let sql = "UPDATE trunks SET channels = ?2 WHERE id = ?1";
        w.command(|db| db.execute(sql, (trunk.0, trunk_channels)).map_err(Into::into).map(drop));
        let campaigns: Vec<CampaignId> = (0..).zip(&alike).map(|(place, one)| one.start(&mut w, place)).collect();
        let odds = |id| campaigns.iter().position(|campaign| *campaign == id).map(|place| alike[place].odds()).unwrap();
        let foreseen: Vec<_> = campaigns.iter().map(|id| foreseen(&forecast::run(&scene(&mut w, *id, odds), 1))).collect();
        w.pass_until_done(24 * 30);
        let made: Vec<_> = campaigns.iter().map(|id| made(&mut w, *id)).collect();
        prop_assert_eq!(made, foreseen);
    }
}

#[test]
fn a_campaign_that_is_started_beside_one_that_has_planned_all_slots_ends_as_foreseen() {
    for (priority, finish) in [(0, Finish::WhenDone), (1, Finish::WhenDone), (0, Finish::AfterCalls(7))] {
        let mut w = World::new();
        let busy = Fate { report: Comes::AfterMs(0), ..BUSY };
        (1..=50).for_each(|n| w.fate(n, &[busy]));
        w.running_with("summer", 1..=30, |campaign| {
            campaign.pacing.rhythm = Rhythm { delay_ms: 1_000, batch: Some(Batch { calls: 4, pause_s: 30 }) };
        });
        // All slots of a minute are planned, and no call is up.
        w.pass_s(9);
        let spring = w.campaign("spring", |campaign| (campaign.pacing.priority, campaign.finish) = (priority, finish));
        w.import(spring, 31..=50);
        let odds = Odds { rate: AnswerRate::Given(0.0), answered: Vec::new(), others: vec![ending(busy)] };
        let course = forecast::run(&scene(&mut w, spring, |_| odds.clone()), 1);
        w.set(spring, CampaignState::Running);
        w.pass_until_done(24);
        assert_eq!(made(&mut w, spring), foreseen(&course));
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
