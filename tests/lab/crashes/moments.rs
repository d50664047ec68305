//! The seven states in which a program dies, recognised by what is visible from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use campanile::clock;
use campanile::domain::attempt::AttemptState;
use campanile::domain::ids::AttemptId;
use campanile::domain::instant::UtcMs;
use campanile::ledger::attempts::{self, OpenAttempt};
use campanile::ledger::{Db, Ledger, evidence};
use campanile::spool::SpoolName;

use crate::harness::Lab;

/// How far the call is that a program dies over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Planning,
    Published,
    Holding,
    Ringing,
    Talking,
    Reporting,
    Archiving,
}

pub const STATES: [State; 7] = [
    State::Planning,
    State::Published,
    State::Holding,
    State::Ringing,
    State::Talking,
    State::Reporting,
    State::Archiving,
];

impl State {
    /// Some states last for milliseconds between two effects: the stroke falls up to this long after the edge that
    /// can be seen, so that repeated runs hit other instants within it.
    pub fn spread_us(self) -> u64 {
        match self {
            Self::Planning | Self::Reporting => 3_000,
            Self::Archiving => 8_000,
            Self::Published | Self::Holding | Self::Ringing | Self::Talking => 50_000,
        }
    }
}

/// More calls than can be open at once.
const RECENT: usize = 80;

/// Looks at ledger, spool and callees as anybody could.
pub struct Eye {
    pub ledger: Ledger,
    spool: PathBuf,
}

/// How many calls are in each state.
pub type Census = BTreeMap<State, usize>;

/// What the callee's side has seen of a call.
struct Side {
    reached: bool,
    left: bool,
}

enum Place {
    Waiting,
    Begun,
    Archived,
    Nowhere,
}

/// An end that was seen this long ago is just being reported.
const JUST_MS: i64 = 30;

impl Eye {
    pub fn of(lab: &Lab) -> Self {
        let folder = PathBuf::from(lab.path());
        let ledger = Ledger::open_existing(&folder.join("state/campanile.db")).unwrap();
        Self { ledger, spool: folder.join("spool") }
    }

    /// Whether a call may be in this state now: what can be seen at a glance.
    pub fn glimpses(&mut self, lab: &Lab, state: State) -> bool {
        match state {
            State::Planning => self.open().iter().any(|a| a.state == AttemptState::Intent),
            State::Reporting => {
                let just = |(_, at): &(String, UtcMs)| (0..JUST_MS).contains(&clock::now().since_ms(*at));
                lab.gone().last().is_some_and(just)
            }
            State::Archiving => fs::read_dir(self.spool.join("outgoing_done")).unwrap().next().is_some(),
            _ => self.census(lab).contains_key(&state),
        }
    }

    /// How many calls are in each state. It is exact while nothing moves.
    pub fn census(&mut self, lab: &Lab) -> Census {
        let reached = self.recent(lab.callees().into_iter().map(|c| c.ticket).collect());
        let left = self.recent(lab.gone().into_iter().map(|(ticket, _)| ticket).collect());
        let mut census = Census::new();
        for attempt in self.open() {
            let side = Side { reached: reached.contains(&attempt.id), left: left.contains(&attempt.id) };
            if let Some(state) = self.state(&attempt, side) {
                *census.entry(state).or_default() += 1;
            }
        }
        let archived = self.archived();
        if archived > 0 {
            census.insert(State::Archiving, archived);
        }
        census
    }

    fn open(&mut self) -> Vec<OpenAttempt> {
        self.ledger.read(|db| attempts::open(db)).unwrap()
    }

    /// Files in `outgoing_done` that have to become evidence, or to go; not those of which a late report is waited for.
    fn archived(&mut self) -> usize {
        let entries = fs::read_dir(self.spool.join("outgoing_done")).unwrap();
        let names = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<SpoolName>().ok());
        let waits = |db: &Db, id| Ok(attempts::open_one(db, id)?.is_some() && evidence::has(db, id, "archived")?);
        names.filter(|name| !self.ledger.read(|db| waits(db, name.attempt())).unwrap()).count()
    }

    /// Where an attempt stands that is not archived.
    fn state(&mut self, attempt: &OpenAttempt, side: Side) -> Option<State> {
        let id = attempt.id;
        let [reported, answered] =
            ["reported", "answered"].map(|kind| self.ledger.read(|db| evidence::has(db, id, kind)).unwrap());
        match (attempt.state, self.place(attempt)) {
            (_, Place::Archived) | (AttemptState::Closed, _) => None,
            (AttemptState::Intent, _) => Some(State::Planning),
            (AttemptState::Spooled, Place::Waiting) => Some(State::Published),
            (AttemptState::Spooled, Place::Begun) => Some(State::Holding),
            (AttemptState::Claimed, Place::Begun) if reported || side.left => Some(State::Reporting),
            (AttemptState::Claimed, Place::Begun) if answered => Some(State::Talking),
            (AttemptState::Claimed, Place::Begun) if side.reached => Some(State::Ringing),
            // Admitted and on its way, at the SIP peer, or lost in an earlier crash.
            (AttemptState::Claimed | AttemptState::Spooled, _) => None,
        }
    }

    /// The attempts of the last of these tickets: an open one is among them.
    fn recent(&mut self, tickets: Vec<String>) -> BTreeSet<AttemptId> {
        let recent = tickets.iter().rev().take(RECENT);
        let attempt = |ticket: &String| {
            let ticket = ticket.parse().ok()?;
            Some(self.ledger.read(|db| attempts::order(db, &ticket)).unwrap()?.attempt)
        };
        recent.filter_map(attempt).collect()
    }

    fn place(&self, attempt: &OpenAttempt) -> Place {
        let file = SpoolName::new(attempt.id, attempt.spool_salt).to_string();
        let path = |folder: &str| self.spool.join(folder).join(&file);
        let asterisk = fs::read_to_string(self.spool.with_file_name("run").join("asterisk.pid")).unwrap();
        let asterisk = asterisk.trim();
        match fs::read_to_string(path("outgoing")) {
            Ok(text) if text.contains(&format!("StartRetry: {asterisk} ")) => Place::Begun,
            // By an Asterisk that is gone.
            Ok(text) if text.contains("StartRetry:") => Place::Nowhere,
            Ok(_) => Place::Waiting,
            Err(_) if path("outgoing_done").exists() => Place::Archived,
            Err(_) => Place::Nowhere,
        }
    }
}
