//! Every program dies in every state of a call, while a mixed campaign goes on: nobody is called twice, nothing is
//! lost, and the callees' side agrees with the ledger.

mod moments;
mod witness;

use std::collections::BTreeMap;
use std::time::Duration;

use campanile::clock;
use campanile::ledger::attempts;

use self::moments::{Census, Eye, STATES, State};
use self::witness::{Death, Witness};
use crate::harness::{Lab, Program, Setup, Version};
use crate::world::{CALLEES, SIPP, callee};

on_both!(every_program_dies_in_every_state_and_nothing_is_lost_or_called_twice_i1_i2_i3);

/// Who dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Victim {
    Serve,
    Agi,
    Asterisk,
    All,
}

const VICTIMS: [Victim; 4] = [Victim::Agi, Victim::Serve, Victim::Asterisk, Victim::All];

impl Victim {
    fn programs(self) -> &'static [Program] {
        match self {
            Self::Serve => &[Program::Serve],
            Self::Asterisk => &[Program::Asterisk],
            Self::Agi => &[Program::Agi],
            Self::All => &[Program::Agi, Program::Serve, Program::Asterisk],
        }
    }
}

/// Kills of each victim that are not aimed at any state.
const BLIND: usize = 1;

/// Of each version: over both at least sixty.
const KILLS_MIN: usize = 30;

/// How often `core restart now` strikes: Asterisk executes itself anew, with the same process number.
const RESTARTS: usize = 3;

/// How long a state may let itself be waited for.
const STATE_S: i64 = 60;

/// The longest that a dead program is missing, in milliseconds.
const ABSENCE_MS_MAX: u64 = 400;

/// A campaign that has to end by itself.
const ONCE: &[&str] = &["--wait-time", "3", "--max-retries", "0", "--retry-time", "1"];
/// The background: busy and silent numbers again and again, in few channels.
const AGAIN: &[&str] = &["--wait-time", "3", "--max-retries", "3", "--retry-time", "2", "--channels", "6"];

fn fates(ranges: &[(u32, std::ops::RangeInclusive<u32>)]) -> Vec<String> {
    let of = |(fate, range): &(u32, std::ops::RangeInclusive<u32>)| -> Vec<String> {
        range.clone().map(|n| callee(&format!("{fate}{n:02}"))).collect()
    };
    mixed(ranges.iter().flat_map(of).collect())
}

/// In an order in which neighbours differ: calls are made in the order of the list.
fn mixed(mut numbers: Vec<String>) -> Vec<String> {
    // Knuth's multiplicative hash of the fate.
    numbers.sort_by_key(|n| n[n.len() - 3..].parse::<u32>().unwrap().wrapping_mul(2_654_435_761));
    numbers
}

/// Numbers that are kept free for drama in eleven cities, so that the SIP peer has enough of them.
fn sip_numbers() -> Vec<String> {
    let cities = ["113", "114", "115", "116", "117", "118", "121", "131", "141", "151", "161"];
    let codes = ["200", "180", "486", "404", "480", "603", "503"];
    cities.iter().flat_map(|city| codes.iter().map(move |code| format!("+44{city}4960{code}"))).collect()
}

/// Three campaigns at once; `once` and `again` share numbers.
fn start_the_mix(lab: &Lab) -> BTreeMap<&'static str, usize> {
    let once = fates(&[
        (0, 1..=4),
        (1, 0..=29),
        (2, 0..=19),
        (3, 0..=9),
        (4, 0..=4),
        (5, 0..=2),
        (6, 10..=19),
        (7, 1..=39),
        (8, 1..=29),
    ]);
    let again = fates(&[(0, 50..=53), (1, 30..=99), (2, 20..=59), (7, 30..=99), (8, 20..=29)]);
    let sip = sip_numbers();
    let actions = ["WAIT 1", "PLAY hello-world"];
    lab.campaign("once", CALLEES, &[ONCE, &["--channels", "20"]].concat()).numbers(&once).actions(&actions).start();
    lab.campaign("again", CALLEES, AGAIN).numbers(&again).actions(&actions).start();
    lab.campaign("sip", SIPP, &[ONCE, &["--channels", "10"]].concat()).numbers(&sip).actions(&actions).start();
    BTreeMap::from([("once", once.len()), ("again", again.len()), ("sip", sip.len())])
}

/// The crashes so far.
struct Crashes {
    lab: Lab,
    eye: Eye,
    deaths: Vec<Death>,
    /// The calls that each kill found in each state.
    found: BTreeMap<(Victim, State), Vec<usize>>,
    kills: usize,
    entropy: u64,
}

impl Crashes {
    /// Waits for a call in this state, stops everything while it is there, and lets the victim die.
    fn strike(&mut self, state: State, victim: Victim) {
        let end = clock::now().plus_s(STATE_S);
        let began_at = clock::now();
        let census = loop {
            assert!(clock::now() < end, "{}: no call was seen {state:?} within {STATE_S} s", self.lab.version);
            if !self.eye.glimpses(&self.lab, state) {
                // Planning is over in milliseconds; the other states leave time to breathe.
                std::thread::sleep(Duration::from_micros(if state == State::Planning { 200 } else { 2_000 }));
                continue;
            }
            let delay_us = self.draw(state.spread_us());
            std::thread::sleep(Duration::from_micros(delay_us));
            self.lab.freeze();
            let census = self.eye.census(&self.lab);
            if census.contains_key(&state) {
                break census;
            }
            self.lab.thaw();
        };
        let waited_ms = clock::now().since_ms(began_at);
        println!("  {state:?} {victim:?} after {waited_ms} ms: {census:?}");
        self.kill(victim, &census);
    }

    /// At any moment.
    fn strike_blindly(&mut self, victim: Victim) {
        let delay_us = self.draw(2_000_000);
        std::thread::sleep(Duration::from_micros(delay_us));
        self.lab.freeze();
        let census = self.eye.census(&self.lab);
        println!("  blind {victim:?}: {census:?}");
        self.kill(victim, &census);
    }

    fn kill(&mut self, victim: Victim, census: &Census) {
        for (state, calls) in census {
            self.found.entry((victim, *state)).or_default().push(*calls);
        }
        self.kills += 1;
        let from = clock::now();
        self.lab.kill(victim.programs());
        if victim.programs().contains(&Program::Asterisk) {
            self.deaths.push(Death { from, to: clock::now() });
        }
        let absence_ms = self.draw(ABSENCE_MS_MAX);
        std::thread::sleep(Duration::from_millis(absence_ms));
        self.lab.start(victim.programs());
        // Nothing of ours may have ended by itself meanwhile.
        self.lab.until("all goes on", 10, |_| true);
    }

    /// While somebody talks, and others ring.
    fn restart_asterisk(&mut self) {
        let eye = &mut self.eye;
        self.lab.until("somebody talks", STATE_S, |lab| eye.census(lab).contains_key(&State::Talking));
        let from = clock::now();
        self.lab.restart_asterisk();
        self.deaths.push(Death { from, to: clock::now() });
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.entropy = self.entropy.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.entropy >> 33) % below
    }

    /// What the kills hit: each victim in each state, with the calls that were in it.
    fn assert_every_victim_died_in_every_state(&self) {
        println!("{}: {} kills; calls in each state at the kills of each victim", self.lab.version, self.kills);
        for victim in VICTIMS {
            let of = |state: &State| self.found.get(&(victim, *state)).cloned().unwrap_or_default();
            let line = STATES.map(|state| {
                let calls = of(&state);
                format!("{state:?} {} in {} kills", calls.iter().sum::<usize>(), calls.len())
            });
            println!("  {:<9}{}", format!("{victim:?}"), line.join(", "));
            assert!(STATES.iter().all(|state| !of(state).is_empty()), "{victim:?} did not die in every state");
        }
    }
}

fn every_program_dies_in_every_state_and_nothing_is_lost_or_called_twice_i1_i2_i3(version: Version) {
    let lab = Setup::new(version).with_sip().calls_one_time(360).start();
    let imported = start_the_mix(&lab);
    let eye = Eye::of(&lab);
    let entropy = clock::now().0.unsigned_abs();
    let mut crashes = Crashes { lab, eye, deaths: Vec::new(), found: BTreeMap::new(), kills: 0, entropy };
    let began_at = clock::now();
    for state in STATES {
        VICTIMS.iter().for_each(|victim| crashes.strike(state, *victim));
    }
    for _ in 0..BLIND {
        VICTIMS.iter().for_each(|victim| crashes.strike_blindly(*victim));
    }
    for _ in 0..RESTARTS {
        crashes.restart_asterisk();
    }
    let struck_at = clock::now();
    settle(&mut crashes);
    println!(
        "  crashes took {} s, settling {} s",
        struck_at.since_ms(began_at) / 1000,
        clock::now().since_ms(struck_at) / 1000
    );
    let spent = [Program::Serve, Program::Agi, Program::Asterisk].map(|program| crashes.lab.processor_time(program));
    println!("  processor time of daemon, FastAGI server, Asterisk since their last start: {spent:?}");
    crashes.assert_every_victim_died_in_every_state();
    assert!(crashes.kills >= KILLS_MIN, "{} kills", crashes.kills);
    judge(&mut crashes, &imported);
}

/// The background is stopped; the others run to their ends.
fn settle(crashes: &mut Crashes) {
    let lab = &mut crashes.lab;
    lab.campanile(&["campaign", "stop", "again"]);
    lab.until_completed("once", 150);
    lab.until_completed("sip", 60);
    let ledger = &mut crashes.eye.ledger;
    lab.until("every attempt is closed", 60, |_| ledger.read(|db| attempts::open_count(db)).unwrap() == 0);
    lab.until("nothing of ours is left in the spool", 20, |lab| lab.outgoing().is_empty() && lab.archived().is_empty());
}

fn judge(crashes: &mut Crashes, imported: &BTreeMap<&'static str, usize>) {
    let Crashes { lab, eye, deaths, .. } = crashes;
    for (campaign, imported) in imported {
        let shown = lab.campanile(&["campaign", "show", campaign]);
        let count = |state: &str| shown["numbers"][state].as_u64().unwrap();
        let sum = count("waiting") + count("in_progress") + count("reached") + count("failed");
        assert_eq!((sum, count("total"), count("in_progress")), (*imported as u64, *imported as u64, 0), "{shown}");
        let report = lab.report(campaign);
        let dialled = report.iter().filter(|a| a.dialled_at.is_some()).count();
        println!("  {campaign}: {}, {} attempts, {dialled} dialled", shown["numbers"], report.len());
    }
    let names: Vec<&str> = imported.keys().copied().collect();
    let witness = Witness::call(lab, &mut eye.ledger, &names);
    let seen = witness.assert_no_attempt_was_dialled_twice_i1(&mut eye.ledger, deaths);
    println!("  {}", witness.figures(&seen));
    witness.assert_invites_agree_i1(deaths);
    witness.assert_no_number_was_in_two_calls_i2(deaths);
    witness.assert_outcomes_are_the_callees(deaths);
}
