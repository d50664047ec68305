//! The seven states in which a program dies, recognised by what is visible from outside.

use std::fs;
use std::path::PathBuf;

use campanile::clock;
use campanile::domain::attempt::AttemptState;
use campanile::domain::instant::UtcMs;
use campanile::ledger::attempts::{self, OpenAttempt};
use campanile::ledger::{Ledger, evidence};
use campanile::spool::SpoolName;

use crate::harness::Lab;
use crate::world::Callee;

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
    /// Some states last for milliseconds between two effects; the stroke falls up to this long after the edge that
    /// can be seen, so that repeated runs hit before, within and after.
    pub fn spread_us(self) -> u64 {
        match self {
            Self::Planning => 3_000,
            Self::Reporting => 12_000,
            Self::Archiving => 20_000,
            Self::Published | Self::Holding | Self::Ringing | Self::Talking => 0,
        }
    }
}

/// Looks at ledger, spool and callees as anybody could.
pub struct Eye {
    pub ledger: Ledger,
    spool: PathBuf,
}

/// An end that was seen this long ago is just being reported.
const JUST_MS: i64 = 30;

impl Eye {
    pub fn open(lab: &Lab) -> Self {
        let folder = PathBuf::from(lab.path());
        let ledger = Ledger::open_existing(&folder.join("state/campanile.db")).unwrap();
        Self { ledger, spool: folder.join("spool") }
    }

    /// A call that is in this state now.
    pub fn look(&mut self, lab: &Lab, state: State) -> Option<SpoolName> {
        let now = clock::now();
        match state {
            State::Planning => self.open_one(|_, a| a.state == AttemptState::Intent),
            State::Published => self.open_one(|eye, a| {
                a.state == AttemptState::Spooled && a.planned_at.since_ms(now) > 2_500 && eye.file(a) == "waiting"
            }),
            State::Holding => self.open_one(|eye, a| {
                a.state == AttemptState::Spooled && a.planned_at.since_ms(now) > 50 && eye.file(a) == "begun"
            }),
            State::Ringing => self.at_the_callees(lab, now, "claimed"),
            State::Talking => self.at_the_callees(lab, now, "answered"),
            State::Reporting => {
                let (ticket, at) = lab.gone().pop()?;
                (now.since_ms(at) < JUST_MS).then(|| self.attempt(&ticket)).flatten().map(|a| name(&a))
            }
            State::Archiving => {
                let entries = fs::read_dir(self.spool.join("outgoing_done")).unwrap();
                entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).next()
            }
        }
    }

    fn open_one(&mut self, is_it: impl Fn(&Self, &OpenAttempt) -> bool) -> Option<SpoolName> {
        let open = self.ledger.read(|db| attempts::open(db)).unwrap();
        open.iter().find(|attempt| is_it(self, attempt)).map(name)
    }

    /// A call that its callee sees, and that stands at `stage` in the ledger.
    fn at_the_callees(&mut self, lab: &Lab, now: UtcMs, stage: &str) -> Option<SpoolName> {
        let gone = lab.gone();
        let live = |c: &Callee| {
            (100..5_000).contains(&now.since_ms(c.at)) && !gone.iter().rev().take(60).any(|(t, _)| *t == c.ticket)
        };
        let callees = lab.callees();
        let mut lines = callees.iter().rev().take(40).filter(|c| live(c));
        lines.find_map(|c| self.attempt(&c.ticket).map(|a| name(&a)).filter(|file| self.stage(*file) == stage))
    }

    /// The open attempt of a ticket.
    fn attempt(&mut self, ticket: &str) -> Option<OpenAttempt> {
        let ticket = ticket.parse().ok()?;
        self.ledger
            .read(|db| match attempts::order(db, &ticket)? {
                Some(order) => attempts::open_one(db, order.attempt),
                None => Ok(None),
            })
            .unwrap()
    }

    /// How far the ledger knows the attempt to be.
    fn stage(&mut self, file: SpoolName) -> String {
        let id = file.attempt();
        self.ledger
            .read(|db| {
                let Some(attempt) = attempts::open_one(db, id)? else { return Ok("closed".to_owned()) };
                for kind in ["reported", "answered"] {
                    if evidence::has(db, id, kind)? {
                        return Ok(kind.to_owned());
                    }
                }
                Ok(attempt.state.to_string())
            })
            .unwrap()
    }

    fn file(&self, attempt: &OpenAttempt) -> &'static str {
        self.place(name(attempt))
    }

    fn place(&self, file: SpoolName) -> &'static str {
        let read = |folder: &str| fs::read_to_string(self.spool.join(folder).join(file.to_string())).ok();
        match (read("outgoing"), read("outgoing_done")) {
            (Some(text), _) if text.contains("StartRetry:") => "begun",
            (Some(_), _) => "waiting",
            (None, Some(text)) if text.contains("Status:") => "archived",
            (None, Some(_)) => "archived without status",
            (None, None) => "nowhere",
        }
    }

    /// Ledger and spool over a call, in two words.
    pub fn found(&mut self, file: SpoolName) -> String {
        format!("{}, file {}", self.stage(file), self.place(file))
    }
}

fn name(attempt: &OpenAttempt) -> SpoolName {
    SpoolName::new(attempt.id, attempt.spool_salt)
}
