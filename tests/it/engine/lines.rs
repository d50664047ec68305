//! Several trunks of a campaign, and their breakers.

use std::ops::RangeInclusive;

use campanile::daemon::engine::EngineLimits;
use campanile::domain::breaker::{BreakerRules, LineLeave};
use campanile::domain::campaign::Campaign;
use campanile::domain::campaign::CampaignState::Completed;
use campanile::domain::disposition::Disposition::{NotDialled, TrunkFailure};
use campanile::domain::ids::{CampaignId, TrunkId};
use campanile::domain::instant::UtcMs;
use campanile::domain::trunk::{ShortNumbers, Trunk};
use campanile::domain::why::{Daemon, Verdict, explain};
use campanile::domain::zoning::LegalRules;
use campanile::ledger::why::{ServerLimits, view};
use campanile::ledger::{breakers, contacts, line_checks, trunks};

use super::asterisk::RINGS_OUT;
use super::world::{LIMITS, NOON, World, number};

const RULES: BreakerRules = BreakerRules { failures_percent: 50, window_s: 60, calls_min: 3, rest_s: 60 };

impl World {
    /// Gives the trunk `gw` a breaker, and brings a second trunk, which has none.
    fn two_trunks(&mut self) -> [TrunkId; 2] {
        let first = self.trunk;
        let second = trunks::NewTrunk {
            name: "gw2".parse().unwrap(),
            template: "PJSIP/{number}@gw2".parse().unwrap(),
            channels: None,
            starts_per_second: None,
            account: None,
            short_numbers: ShortNumbers::Refused,
            line: campanile::domain::trunk::TrunkLine::Real,
            breaker: None,
        };
        self.set_trunk(first, |trunk| trunk.breaker = Some(RULES));
        [first, self.command(|db| trunks::add(db, &second, NOON))]
    }

    fn set_trunk(&mut self, id: TrunkId, with: impl FnOnce(&mut Trunk)) {
        let mut trunk = self.ledger.read(|db| trunks::get(db, id)).unwrap();
        with(&mut trunk);
        self.command(|db| trunks::update(db, &trunk));
    }

    fn dials_over(&self, trunk: TrunkId) -> Vec<UtcMs> {
        self.dialled.iter().filter(|d| d.trunk == trunk).map(|d| d.at).collect()
    }

    fn leave(&mut self, trunk: TrunkId) -> LineLeave {
        let now = self.now;
        self.ledger.read(|db| breakers::leave(db, trunk, now)).unwrap()
    }

    /// Lets time pass until a trunk's breaker is open.
    fn pass_until_open(&mut self, trunk: TrunkId) {
        (0..600).find(|_| {
            self.pass_ms(200);
            self.leave(trunk) != LineLeave::All
        });
        assert!(matches!(self.leave(trunk), LineLeave::OneCall { .. }), "its breaker did not open");
    }
}

fn over([first, second]: [TrunkId; 2]) -> impl Fn(&mut Campaign) {
    move |campaign| (campaign.trunk, campaign.further_trunks) = (first, vec![second])
}

#[test]
fn calls_overflow_to_the_next_trunk_when_the_first_is_full_i5() {
    let mut w = World::new();
    let both = w.two_trunks();
    w.set_trunk(both[0], |trunk| trunk.channels = Some(1));
    (1..=4).for_each(|n| w.fate(n, &[RINGS_OUT]));
    let spring = w.running_with("spring", 1..=4, over(both));
    w.pass_until_done(1);
    let trunks: Vec<TrunkId> = w.rows(spring).iter().map(|row| row.trunk).collect();
    assert_eq!(trunks, [both[0], both[1], both[1], both[1]]);
}

#[test]
fn a_call_that_its_trunk_failed_goes_soon_over_the_next_one_and_is_not_charged() {
    let mut w = World::new();
    let both = w.two_trunks();
    w.asterisk.dark.insert(both[0]);
    let spring = w.running_with("spring", 1..=1, over(both));
    w.pass_until_done(1);
    let ways: Vec<TrunkId> = w.dialled.iter().map(|d| d.trunk).collect();
    assert_eq!(ways, both);
    let pause_ms = w.dialled[1].at.since_ms(w.dialled[0].at);
    assert!((10_000..20_000).contains(&pause_ms), "{pause_ms} ms");
    assert_eq!(w.counts(spring).reached, 1, "without retries");
}

#[test]
fn a_breaker_opens_calls_go_over_the_next_trunk_and_a_trial_brings_them_back() {
    let mut w = World::new();
    let both = w.two_trunks();
    w.asterisk.dark.insert(both[0]);
    let spring = w.running_with("spring", 1..=60, over(both));
    w.pass_until_open(both[0]);
    let opened_at = w.now;
    assert_eq!(w.dials_over(both[0]).len(), 3);
    w.pass_until_dials(both[0], 4);
    assert!(w.now.since_ms(opened_at) >= 59_000, "the trial comes after the rest");
    assert!(w.dials_over(both[1]).len() >= 8, "calls went on over the other trunk");
    w.asterisk.dark.clear();
    w.pass_until_dials(both[0], 5);
    let trials = w.dials_over(both[0])[3..].to_vec();
    assert!(trials[1].since_ms(trials[0]) >= 60_000, "one that fails is followed by another rest");
    w.pass_s(4);
    assert_eq!(w.leave(both[0]), LineLeave::All, "closed as soon as the trial is answered");
    // What is planned over the other trunk goes over it.
    w.pass_s(60);
    let before = w.dialled.len();
    w.pass_until_done(2);
    assert!(w.dialled.len() > before + 5, "some are left");
    assert!(w.dialled[before..].iter().all(|d| d.trunk == both[0]), "the first choice again");
    let counts = w.counts(spring);
    assert_eq!((counts.reached, counts.failed, w.state(spring)), (60, 0, Completed), "nobody was charged");
}

impl World {
    fn pass_until_dials(&mut self, trunk: TrunkId, count: usize) {
        (0..2_000).find(|_| {
            self.pass_ms(200);
            self.dials_over(trunk).len() >= count
        });
        assert_eq!(self.dials_over(trunk).len(), count);
    }
}

#[test]
fn what_was_planned_over_a_trunk_whose_breaker_opens_is_withdrawn_or_refused_and_made_over_the_next() {
    let mut w = World::with(EngineLimits { calls_one_time: 60, ..LIMITS });
    let both = w.two_trunks();
    w.asterisk.dark.insert(both[0]);
    let spring = w.running_with("spring", 1..=30, over(both));
    w.pass_until_open(both[0]);
    w.pass_s(20);
    let rows = w.rows(spring);
    let not_dialled: Vec<_> = rows.iter().filter(|row| row.disposition == Some(NotDialled)).collect();
    assert!(not_dialled.iter().all(|row| row.trunk == both[0]));
    let says = |part: &str| not_dialled.iter().any(|row| row.detail.as_deref().is_some_and(|d| d.contains(part)));
    assert!(says("the trunk's breaker is open"), "Asterisk had begun it: {not_dialled:#?}");
    assert!(says("withdrawn"), "it had not begun these: {not_dialled:#?}");
    let failed = rows.iter().filter(|row| row.disposition == Some(TrunkFailure)).count();
    assert_eq!((w.dials_over(both[0]).len(), failed), (3, 3));
    w.pass_until_done(1);
    assert_eq!(w.counts(spring).reached, 30);
}

#[test]
fn trials_over_a_trunk_do_not_overlap_over_its_campaigns_and_outlive_a_restart() {
    let mut w = World::new();
    let [first, _] = w.two_trunks();
    w.asterisk.dark.insert(first);
    for (name, numbers) in [("spring", 1..=20), ("autumn", 21..=40)] {
        w.running_with(name, numbers, |_| {});
    }
    w.pass_until_open(first);
    w.serve();
    w.pass_s(600);
    let trials = w.dials_over(first)[3..].to_vec();
    assert!((8..=10).contains(&trials.len()), "one a minute: {trials:?}");
    assert!(trials.windows(2).all(|pair| pair[1].since_ms(pair[0]) >= 60_000), "{trials:?}");
    w.asterisk.dark.clear();
    w.pass_s(120);
    assert!(w.dials_over(first).len() > 3 + trials.len() + 5, "all go on");
}

/// A campaign of a check of lines, over one trunk.
fn check(w: &mut World, numbers: RangeInclusive<u32>) -> CampaignId {
    let owner = w.owner;
    let check = w.command(|db| line_checks::add(db, &"carriers".parse().unwrap(), owner, NOON));
    w.running_with("carriers-gw", numbers, |campaign| campaign.line_check = Some(check))
}

#[test]
fn a_check_of_lines_goes_over_a_trunk_whose_breaker_is_open_and_leaves_it_open() {
    let mut w = World::new();
    let [first, _] = w.two_trunks();
    w.asterisk.dark.insert(first);
    w.running_with("spring", 1..=20, |_| {});
    w.pass_until_open(first);
    let of_spring = w.dialled.len();
    let carriers = check(&mut w, 31..=36);
    w.pass_s(55);
    let rows = w.rows(carriers);
    assert_eq!(rows.iter().filter(|row| row.disposition == Some(TrunkFailure)).count(), 6, "{rows:#?}");
    assert_eq!(w.dialled.len(), of_spring + 6, "those of spring wait for their trial");
    let LineLeave::OneCall { from } = w.leave(first) else { panic!("it is open") };
    w.pass_until_dials(first, of_spring + 7);
    let trial = w.dials_over(first).pop().unwrap();
    assert!((0..20_000).contains(&trial.since_ms(from)), "the check does not put it off");
}

#[test]
fn what_comes_of_a_check_of_lines_opens_no_breaker() {
    let mut w = World::new();
    let [first, _] = w.two_trunks();
    w.asterisk.dark.insert(first);
    check(&mut w, 1..=12);
    (0..600).find(|_| {
        w.pass_ms(200);
        w.dials_over(first).len() >= 12
    });
    w.pass_s(4);
    assert!(w.dials_over(first).len() >= 12, "{} calls", w.dials_over(first).len());
    assert_eq!(w.leave(first), LineLeave::All);
}

#[test]
fn a_clock_that_was_set_back_keeps_no_breaker_open() {
    let mut w = World::new();
    let [first, _] = w.two_trunks();
    w.asterisk.dark.insert(first);
    w.running_with("spring", 1..=20, |_| {});
    w.pass_until_open(first);
    w.asterisk.dark.clear();
    let dials = w.dialled.len();
    w.set_back(3);
    w.pass_s(120);
    assert!(w.dialled.len() > dials + 3, "{} calls", w.dialled.len());
}

#[test]
fn why_names_each_trunk_and_when_it_is_tried_i9() {
    let mut w = World::new();
    let [first, _] = w.two_trunks();
    w.asterisk.dark.insert(first);
    let spring = w.running_with("spring", 1..=20, |_| {});
    w.pass_until_open(first);
    let LineLeave::OneCall { from } = w.leave(first) else { panic!("it is open") };
    let (legal, daemon) = (LegalRules::NONE, Daemon::Running);
    let limits =
        ServerLimits { calls_one_time: 10, channels_max: None, spool_files_max: 1000, frequency: None, legal, daemon };
    let (now, last) = (w.now, number(20));
    let told = w.ledger.read(|db| {
        let contact = contacts::find(db, spring, &last)?.unwrap();
        Ok(explain(&view(db, &contact, &limits, now)?, now))
    });
    let told = told.unwrap();
    let rule = told.rules.iter().find(|rule| rule.rule == "trunk_breaker").unwrap();
    assert_eq!(rule.verdict, Verdict::Fail, "{}", rule.detail);
    assert!(rule.detail.contains("the breaker of trunk gw is open until"), "{}", rule.detail);
    assert!(told.callable_at.is_some_and(|at| at >= from), "{told:?}");
}
