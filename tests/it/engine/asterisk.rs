//! Asterisk, the FastAGI server and the callees, as happenings on the world's agenda.
//!
//! It obeys asterisk.md: a file is begun at its mtime, stays in `outgoing` for the whole call, is renamed
//! at its end, and only then gets its `Status:`. The claim is the real one, at the end of the hold.

use std::collections::BTreeSet;

use campanile::daemon::event::Event;
use campanile::daemon::port::Place;
use campanile::domain::campaign::CampaignState;
use campanile::domain::evidence::{ArchiveStatus, DialStatus, Fact, Report};
use campanile::domain::ids::TrunkId;
use campanile::domain::instant::UtcMs;
use campanile::ledger::campaigns;
use campanile::ledger::claims::{ServerRate, ServerRules, claim};
use campanile::spool::SpoolName;

use super::world::{Dialled, World};

/// How much earlier than the planned instant the gate claims.
const CLAIM_AHEAD_MS: i64 = 5;

/// How the callee behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callee {
    Answers { after_ms: i64, talks_ms: i64 },
    Busy,
    RingsOut,
    Rejects,
    NoSuchNumber,
    TrunkFails,
}

impl Callee {
    /// `Dial` takes the call back when its time to ring is over, and ends a call of a planned duration.
    fn as_dial_lets(self, ring_ms: i64, talk_ms: Option<u32>) -> Self {
        match self {
            Self::Answers { after_ms, .. } if after_ms >= ring_ms => Self::RingsOut,
            Self::Answers { after_ms, talks_ms } => {
                Self::Answers { after_ms, talks_ms: talk_ms.map_or(talks_ms, |most| talks_ms.min(i64::from(most))) }
            }
            other => other,
        }
    }
}

/// What becomes of a piece of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comes {
    AfterMs(i64),
    Never,
}

/// How one call goes, and how much of it is seen.
#[derive(Debug, Clone, Copy)]
pub struct Fate {
    pub callee: Callee,
    /// After the end of the call.
    pub report: Comes,
    /// After the end of the call; `Never`: the file vanishes.
    pub archive: Comes,
    /// After the rename.
    pub status: Comes,
}

impl Fate {
    pub const fn of(callee: Callee) -> Self {
        Self { callee, report: Comes::AfterMs(1), archive: Comes::AfterMs(3), status: Comes::AfterMs(1) }
    }
}

pub const ANSWERS: Fate = Fate::of(Callee::Answers { after_ms: 2_000, talks_ms: 5_000 });
pub const BUSY: Fate = Fate::of(Callee::Busy);
pub const RINGS_OUT: Fate = Fate::of(Callee::RingsOut);

impl Default for Fate {
    fn default() -> Self {
        ANSWERS
    }
}

/// Whether Asterisk runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pulse {
    #[default]
    Runs,
    /// It runs and does not look at its spool.
    Asleep,
    Dead,
}

/// Whether the FastAGI server answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Gate {
    #[default]
    Answers,
    Down,
}

#[derive(Debug, Default)]
pub struct Asterisk {
    pub pulse: Pulse,
    pub gate: Gate,
    /// Trunks that carry no call.
    pub dark: BTreeSet<TrunkId>,
    /// Counts its lives: what a dead one had in hand does not happen.
    life: u32,
}

#[derive(Debug, Clone, Copy)]
pub enum Happening {
    Due(SpoolName),
    Claim(SpoolName, u32),
    Dial(SpoolName, u32),
    Answered(SpoolName, u32),
    Hangup(SpoolName, u32, Fate, UtcMs),
    Reported(SpoolName, Option<Ended>),
    Archived(SpoolName, u32, ArchiveStatus, Comes),
    Status(SpoolName, ArchiveStatus),
    Vanished(SpoolName),
}

/// What the dialling leg saw.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    pub callee: Callee,
    pub dialled_at: UtcMs,
}

impl World {
    pub fn happen(&mut self, happening: Happening) {
        let life = self.asterisk.life;
        match happening {
            Happening::Due(file) => self.begin(file),
            Happening::Claim(file, of) if of == life => self.ask_gate(file),
            Happening::Dial(file, of) if of == life => self.dial(file),
            Happening::Answered(file, of) if of == life => {
                let attempt = file.attempt();
                self.append(attempt, Fact::Answered);
            }
            Happening::Hangup(file, of, fate, dialled_at) if of == life => self.hang_up(file, fate, dialled_at),
            Happening::Archived(file, of, status, comes) if of == life => self.archive(file, status, comes),
            Happening::Reported(file, ended) => self.append(file.attempt(), Fact::Reported(report(ended))),
            Happening::Status(file, status) => self.write_status(file, status),
            Happening::Vanished(file) => drop(self.spool.0.borrow_mut().files.remove(&file)),
            Happening::Claim(..)
            | Happening::Dial(..)
            | Happening::Answered(..)
            | Happening::Hangup(..)
            | Happening::Archived(..) => {}
        }
    }

    fn begin(&mut self, file: SpoolName) {
        let mut folder = self.spool.0.borrow_mut();
        let Some(found) = folder.files.get_mut(&file) else { return };
        if self.asterisk.pulse != Pulse::Runs || found.place != Place::Waiting {
            return;
        }
        found.place = Place::Begun;
        let claim_at = found.start_at.plus_ms(-CLAIM_AHEAD_MS);
        drop(folder);
        self.later(claim_at, Happening::Claim(file, self.asterisk.life));
    }

    /// The gate at the end of its hold; without an answer the dialplan hangs up.
    pub fn ask_gate(&mut self, file: SpoolName) {
        if self.asterisk.gate == Gate::Down {
            self.later(self.now.plus_ms(2), self.archived(file, ArchiveStatus::Expired, Comes::AfterMs(1)));
            return;
        }
        let order = self.order(file);
        let rules = ServerRules {
            rate: ServerRate(self.limits.calls_one_time),
            channels_max: self.limits.channels_max,
            frequency: self.limits.frequency,
            legal: self.limits.legal.clone(),
        };
        let now = self.now;
        let (verdict, campaign) = self
            .ledger
            .write(|db| Ok((claim(db, order.attempt, rules, now)?, campaigns::get(db, order.campaign)?)))
            .unwrap();
        self.hear(Event::Changed(campanile::wake::Change::Evidence));
        let life = self.asterisk.life;
        match verdict {
            Ok(start_at) => {
                let campaign = campaign.unwrap();
                assert_eq!(campaign.state, CampaignState::Running, "I4: dialled after a stop");
                assert!(campaign.calendar.contains(start_at), "I4: dialled outside the window");
                self.later(start_at, Happening::Dial(file, life));
            }
            Err(_) => {
                self.later(now.plus_ms(1), Happening::Reported(file, None));
                self.later(now.plus_ms(3), self.archived(file, ArchiveStatus::Expired, Comes::AfterMs(1)));
            }
        }
    }

    fn archived(&self, file: SpoolName, status: ArchiveStatus, comes: Comes) -> Happening {
        Happening::Archived(file, self.asterisk.life, status, comes)
    }

    fn dial(&mut self, file: SpoolName) {
        let order = self.order(file);
        let number = order.number.clone();
        let again = self.dialled.iter().any(|d| d.attempt == order.attempt);
        assert!(!again, "I1: attempt {} is dialled twice", order.attempt);
        let other = self.up.insert(number.clone(), order.attempt);
        assert_eq!(other, None, "I2: the number is in a call already");
        let (attempt, trunk) = (order.attempt, order.trunk);
        self.dialled.push(Dialled { attempt, number: number.clone(), trunk, at: self.now });
        let ring_s = order.draw.ring_time_s(order.wait_time_s);
        let is_dark = self.asterisk.dark.contains(&trunk);
        let fate = if is_dark { Fate::of(Callee::TrunkFails) } else { self.fate_of(&number) };
        let fate = Fate { callee: fate.callee.as_dial_lets(i64::from(ring_s) * 1000, order.draw.talk_ms), ..fate };
        let (now, life) = (self.now, self.asterisk.life);
        let ends_after_ms = match fate.callee {
            Callee::Answers { after_ms, talks_ms } => {
                self.later(now.plus_ms(after_ms), Happening::Answered(file, life));
                after_ms + talks_ms
            }
            Callee::RingsOut => i64::from(ring_s) * 1000,
            Callee::Busy | Callee::Rejects | Callee::NoSuchNumber | Callee::TrunkFails => 100,
        };
        self.later(now.plus_ms(ends_after_ms), Happening::Hangup(file, life, fate, now));
    }

    fn hang_up(&mut self, file: SpoolName, fate: Fate, dialled_at: UtcMs) {
        self.up.retain(|_, attempt| *attempt != file.attempt());
        let now = self.now;
        if let Comes::AfterMs(ms) = fate.report {
            let ended = Ended { callee: fate.callee, dialled_at };
            self.later(now.plus_ms(ms), Happening::Reported(file, Some(ended)));
        }
        let answered = matches!(fate.callee, Callee::Answers { .. });
        let status = if answered { ArchiveStatus::Completed } else { ArchiveStatus::Expired };
        match fate.archive {
            Comes::AfterMs(ms) => self.later(now.plus_ms(ms), self.archived(file, status, fate.status)),
            Comes::Never => self.later(now, Happening::Vanished(file)),
        }
    }

    fn archive(&mut self, file: SpoolName, status: ArchiveStatus, comes: Comes) {
        let now = self.now;
        if let Some(found) = self.spool.0.borrow_mut().files.get_mut(&file) {
            found.place = Place::Archived;
            found.archived_at = Some(now);
        }
        self.hear(Event::Archived(file));
        if let Comes::AfterMs(ms) = comes {
            self.later(now.plus_ms(ms), Happening::Status(file, status));
        }
    }

    /// Appends the line and closes the file. An append to a file that was removed makes a new one.
    fn write_status(&mut self, file: SpoolName, status: ArchiveStatus) {
        let mut folder = self.spool.0.borrow_mut();
        let found = folder.files.get_mut(&file);
        found.expect("an archived file was removed before its status was written").status = Some(status);
        drop(folder);
        self.hear(Event::Archived(file));
    }

    /// Asterisk dies with all of its calls; the sweeper can tell once another one runs.
    pub fn asterisk_dies(&mut self) {
        self.asterisk.pulse = Pulse::Dead;
        self.asterisk.life += 1;
        self.up.clear();
    }

    /// Asterisk starts (or wakes): what is due is begun at once.
    pub fn asterisk_starts(&mut self) {
        let was_dead = self.asterisk.pulse == Pulse::Dead;
        self.asterisk.pulse = Pulse::Runs;
        let mut waiting = Vec::new();
        for (name, file) in &mut self.spool.0.borrow_mut().files {
            match file.place {
                Place::Begun if was_dead => file.place = Place::BegunByTheDead,
                Place::Waiting => waiting.push((file.start_at, *name)),
                _ => {}
            }
        }
        for (start_at, name) in waiting {
            self.later(start_at.plus_s(-1), Happening::Due(name));
        }
    }
}

/// What the dialplan's hangup handler sends (the values of a real Asterisk 22).
fn report(ended: Option<Ended>) -> Report {
    let Some(Ended { callee, dialled_at }) = ended else { return Report { cause: Some(16), ..Report::default() } };
    let (dial_status, cause, sip_code) = match callee {
        Callee::Answers { .. } => (DialStatus::Answer, Some(16), Some(200)),
        Callee::Busy => (DialStatus::Busy, Some(17), Some(486)),
        Callee::RingsOut => (DialStatus::NoAnswer, None, Some(180)),
        Callee::Rejects => (DialStatus::ChanUnavail, Some(21), Some(603)),
        Callee::NoSuchNumber => (DialStatus::ChanUnavail, Some(1), Some(404)),
        Callee::TrunkFails => (DialStatus::Congestion, Some(34), Some(503)),
    };
    let times = match callee {
        Callee::Answers { after_ms, talks_ms } => Some((after_ms + talks_ms, talks_ms)),
        _ => None,
    };
    Report {
        dialled_at: Some(dialled_at),
        dial_status: Some(dial_status),
        cause,
        sip_code,
        ring_after_ms: matches!(callee, Callee::Answers { .. } | Callee::RingsOut).then_some(0),
        progress_after_ms: None,
        dial_ms: times.map(|(dial, _)| dial),
        talk_ms: times.map(|(_, talk)| talk),
    }
}
