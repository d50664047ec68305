//! Worlds for the planner's tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::collection::{btree_map, hash_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::types::{CampaignView, Candidate, Snapshot, TrunkView};
use crate::domain::bar::{Bar, Listed};
use crate::domain::breaker::{Heed, LineLeave};
use crate::domain::calendar::{Calendar, LegalHours, Window, Zone};
use crate::domain::campaign::CampaignState;
use crate::domain::contact::Priority;
use crate::domain::ids::{CampaignId, ContactId, TrunkId, ZoneClassId};
use crate::domain::instant::UtcMs;
use crate::domain::number::Number;
use crate::domain::retry::FailReason;
use crate::domain::rhythm::{Batch, Beat, Rhythm};
use crate::domain::traffic::Nature;
use crate::domain::trunk::TrunkLine;

pub(super) fn at(text: &str) -> UtcMs {
    text.parse::<jiff::Timestamp>().unwrap().into()
}

pub(super) fn number(n: i64) -> Number {
    Number::from_canonical(&format!("+4930{n:06}")).unwrap()
}

pub(super) fn fresh(contact: i64) -> Candidate {
    Candidate {
        contact: ContactId(contact),
        number: number(contact),
        due_at: None,
        priority: Priority::default(),
        expires_at: None,
        failed_trunk: None,
        zones: ZoneClassId(1),
    }
}

pub(super) fn retry(contact: i64, due_at: UtcMs) -> Candidate {
    Candidate { due_at: Some(due_at), ..fresh(contact) }
}

pub(super) fn window(start: &str, stop: &str) -> Calendar {
    Calendar::daily(Window::parse(start, stop).unwrap(), Zone::UTC)
}

/// A trunk without limits.
pub(super) fn trunk(id: i64) -> TrunkView {
    TrunkView {
        id: TrunkId(id),
        channels: None,
        starts_per_second: None,
        line: TrunkLine::Real,
        open: 0,
        taken: Vec::new(),
        leave: LineLeave::All,
    }
}

/// A running campaign without limits, on trunk 1, with `count` fresh numbers that are its own.
pub(super) fn campaign(id: i64, count: i64) -> CampaignView {
    CampaignView {
        id: CampaignId(id),
        state: CampaignState::Running,
        priority: 0,
        rhythm: Rhythm::default(),
        beat: Beat::default(),
        calls_left: None,
        trunks: vec![TrunkId(1)],
        heed: Heed::Bound,
        nature: Nature::Genuine,
        calendar: Calendar::daily(Window::ALWAYS, Zone::UTC),
        hours: BTreeMap::new(),
        channels: None,
        open: 0,
        candidates: (0..count).map(|i| fresh(id * 10_000 + i)).collect(),
        next_due: None,
    }
}

/// A minute of which all is ahead, at ten calls a minute.
pub(super) fn minute(campaigns: Vec<CampaignView>) -> Snapshot {
    Snapshot {
        now: at("2026-03-01T07:59:57Z"),
        horizon: at("2026-03-01T08:01:00Z"),
        calls_one_time: 10,
        files_free: 1000,
        channels: None,
        open: 0,
        taken: Vec::new(),
        trunks: vec![trunk(1)],
        campaigns,
        busy: std::collections::HashSet::new(),
        barred: std::collections::BTreeMap::new(),
    }
}

/// Any snapshot: three trunks, a few campaigns, numbers that several of them share, windows that open
/// and close within the span.
pub(super) fn any_snapshot() -> impl Strategy<Value = Snapshot> {
    let span = (0_i64..60_000, 1_i64..180_000);
    let rate = prop_oneof![6 => 1_u32..130, 3 => 1_u32..=3_000, 1 => Just(60_000)];
    let files = prop_oneof![0_u32..20, Just(1000)];
    let channels = (option::weighted(0.3, 1_u32..20), 0_u32..6);
    let taken = vec(-60_000_i64..200_000, 0..12);
    let campaigns = vec(any_campaign(), 0..6);
    let busy = hash_set(0_i64..40, 0..8);
    let bars = hash_set(0_usize..100, 0..10);
    (span, rate, (files, channels), taken, vec(any_trunk(), 3), campaigns, (busy, bars)).prop_map(
        |(
            (now, ahead),
            calls_one_time,
            (files_free, (channels, open)),
            taken,
            mut trunks,
            mut campaigns,
            (busy, bars),
        )| {
            let now = at("2026-03-01T08:00:00Z").plus_ms(now);
            (1..).zip(&mut trunks).for_each(|(id, trunk)| trunk.id = TrunkId(id));
            (1..).zip(&mut campaigns).for_each(|(id, campaign)| own(campaign, id));
            let barred = bars.iter().filter_map(|place| barred(&campaigns, *place)).collect();
            Snapshot {
                now,
                horizon: now.plus_ms(ahead),
                calls_one_time,
                files_free,
                channels,
                open,
                taken: instants(taken),
                trunks,
                campaigns,
                busy: busy.into_iter().map(number).collect(),
                barred,
            }
        },
    )
}

/// The candidate at this place of all is barred, one way or another.
fn barred(campaigns: &[CampaignView], place: usize) -> Option<((CampaignId, ContactId), Bar)> {
    let mut keys = campaigns.iter().flat_map(|c| c.candidates.iter().map(|k| (c.id, k.contact)));
    let until = at("2026-03-02T08:00:00Z");
    let listed = |until| Bar::DoNotCall(Listed { list: "never".parse().unwrap(), source: String::new(), until });
    let used_up = Bar::CallsUsedUp(FailReason::DialCap);
    let bar = [listed(None), listed(Some(until)), Bar::FrequencyCap { until }, used_up][place % 4].clone();
    Some((keys.nth(place)?, bar))
}

/// Contacts belong to one campaign, numbers to whom they like.
fn own(campaign: &mut CampaignView, id: i64) {
    campaign.id = CampaignId(id);
    campaign.candidates.iter_mut().for_each(|candidate| candidate.contact.0 += id * 10_000);
}

fn any_trunk() -> impl Strategy<Value = TrunkView> {
    let taken = vec(-60_000_i64..200_000, 0..6);
    let line = prop::sample::select(TrunkLine::ALL);
    (option::of(0_u32..30), option::of(1_u32..40), 0_u32..6, taken, any_leave(), line).prop_map(
        |(channels, starts_per_second, open, taken, leave, line)| TrunkView {
            leave,
            line,
            channels,
            starts_per_second,
            open,
            taken: instants(taken),
            ..trunk(0)
        },
    )
}

fn any_leave() -> impl Strategy<Value = LineLeave> {
    let from = (-60_000_i64..200_000).prop_map(|ms| at("2026-03-01T08:00:00Z").plus_ms(ms));
    prop_oneof![
        4 => Just(LineLeave::All),
        2 => from.prop_map(|from| LineLeave::OneCall { from }),
        1 => Just(LineLeave::Nothing),
    ]
}

fn any_campaign() -> impl Strategy<Value = CampaignView> {
    let state = prop_oneof![4 => Just(CampaignState::Running), 1 => prop::sample::select(CampaignState::ALL)];
    let calendar = prop_oneof![Just((0, 0)), (28_800_u32..29_100, 28_800_u32..29_100)];
    let failed = option::weighted(0.2, 1_i64..=4);
    let expires = option::weighted(0.2, -60_000_i64..200_000);
    let extras = (prop_oneof![3 => Just(0_i16), 1 => -2_i16..3], expires, failed, 1_i64..4);
    let legal = btree_map((2_i64..4).prop_map(ZoneClassId), any_legal_hours(), 0..3);
    let candidates = vec((0_i64..40, option::of(-60_000_i64..240_000), extras), 0..30);
    let next_due = option::of(0_i64..3_600_000);
    // Trunk 4 is in no snapshot.
    let trunks = vec(prop_oneof![9 => 1_i64..=3, 1 => Just(4)], 1..4);
    let nature = prop_oneof![3 => Just(Nature::Genuine), 1 => Just(Nature::MadeUp)];
    let heed = prop_oneof![3 => Just(Heed::Bound), 1 => Just(Heed::Exempt)];
    let pace =
        ((nature, heed), 0_u32..3, any_rhythm(), option::of(-30_000_i64..90_000), 0_u32..4, option::of(0_u32..6));
    (state, trunks, (calendar, legal), option::of(0_u32..12), 0_u32..4, candidates, next_due, pace).prop_map(
        |(state, trunks, ((start, stop), legal), channels, open, candidates, next_due, pace)| CampaignView {
            state,
            nature: pace.0.0,
            heed: pace.0.1,
            priority: pace.1,
            rhythm: pace.2,
            beat: Beat { last_start_at: pace.3.map(|ms| at("2026-03-01T08:00:00Z").plus_ms(ms)), in_batch: pace.4 },
            calls_left: pace.5,
            trunks: distinct(trunks),
            calendar: Calendar::daily(Window::new(start, stop), Zone::UTC),
            channels,
            open,
            candidates: (0..).zip(candidates).map(|(i, (n, due, extras))| candidate(i, n, due, extras)).collect(),
            next_due: next_due.map(|ms| at("2026-03-01T08:00:00Z").plus_ms(ms)),
            hours: hours(&Calendar::daily(Window::new(start, stop), Zone::UTC), legal),
            ..campaign(0, 0)
        },
    )
}

fn distinct(ids: Vec<i64>) -> Vec<TrunkId> {
    let mut seen = std::collections::BTreeSet::new();
    ids.into_iter().filter(|id| seen.insert(*id)).map(TrunkId).collect()
}

fn hours(calendar: &Calendar, legal: BTreeMap<ZoneClassId, LegalHours>) -> BTreeMap<ZoneClassId, Calendar> {
    let within = |(zones, legal): (ZoneClassId, LegalHours)| (zones, calendar.within(Some(&Arc::new(legal))));
    legal.into_iter().map(within).collect()
}

/// Hours that open or close about now, in one zone or in two.
fn any_legal_hours() -> impl Strategy<Value = LegalHours> {
    let edge = |seconds: u32| format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    let week = (28_700_u32..29_100, 1_u32..400).prop_map(move |(opens_s, s)| {
        format!("daily 00:00-{},{}-24:00", edge(opens_s), edge(opens_s + s)).parse().unwrap()
    });
    let clock = (prop::sample::select(vec!["UTC", "Africa/Abidjan", "Europe/London", "Asia/Tokyo"]), week);
    vec(clock.prop_map(|(zone, week)| (zone.parse().unwrap(), week)), 1..3)
        .prop_map(|clocks| LegalHours::of(clocks).unwrap())
}

fn any_rhythm() -> impl Strategy<Value = Rhythm> {
    let batch = option::weighted(0.3, (1_u32..4, 1_u32..60).prop_map(|(calls, pause_s)| Batch { calls, pause_s }));
    prop_oneof![2 => Just(Rhythm::default()), 1 => (0_u32..20_000, batch).prop_map(|(delay_ms, batch)| Rhythm { delay_ms, batch })]
}

fn candidate(
    contact: i64,
    n: i64,
    due: Option<i64>,
    (priority, expires, failed, zones): (i16, Option<i64>, Option<i64>, i64),
) -> Candidate {
    let instant = |ms| at("2026-03-01T08:00:00Z").plus_ms(ms);
    Candidate {
        contact: ContactId(contact),
        number: number(n),
        due_at: due.map(instant),
        priority: Priority::new(priority).unwrap(),
        expires_at: expires.map(instant),
        failed_trunk: failed.map(TrunkId),
        zones: ZoneClassId(zones),
    }
}

fn instants(ms: Vec<i64>) -> Vec<UtcMs> {
    let mut instants: Vec<UtcMs> = ms.into_iter().map(|ms| at("2026-03-01T08:00:00Z").plus_ms(ms)).collect();
    instants.sort_unstable();
    instants
}
