//! What goes wrong: each seed draws its own, and how often.

use campanile::ledger::rest;
use campanile::spool::SpoolName;

use crate::chance::Chance;
use crate::disk::{self, Doom, ProcessId, Survives};
use crate::folders::Moment;
use crate::world::{Happening, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plague {
    DaemonDies,
    DaemonDiesInAStep,
    FastagiDies,
    AsteriskDies,
    AllDie,
    PowerFails,
    ClockSteps,
    DiskFull,
    LedgerLocked,
    SyncsFail,
    /// Somebody on the machine shows a ticket that is not theirs, or shows it once more.
    TicketReplayed,
    /// Somebody removes a call file, whatever its call does.
    FileRemoved,
    /// A trunk carries no call for a while.
    TrunkDark,
}

const ALL: [Plague; 13] = [
    Plague::DaemonDies,
    Plague::DaemonDiesInAStep,
    Plague::FastagiDies,
    Plague::AsteriskDies,
    Plague::AllDie,
    Plague::PowerFails,
    Plague::ClockSteps,
    Plague::DiskFull,
    Plague::LedgerLocked,
    Plague::SyncsFail,
    Plague::TicketReplayed,
    Plague::FileRemoved,
    Plague::TrunkDark,
];

#[derive(Debug, Default)]
pub struct Plagues {
    drawn: Vec<(Plague, i64)>,
    pub loses_wake_ups: bool,
    pub loses_spool_events: bool,
    pub slow_ledger: bool,
    /// Tickets are overheard while their calls ask the gate.
    pub overhears: bool,
    pub over: bool,
}

impl Plagues {
    pub fn draw(chance: &mut Chance) -> Self {
        let often = [20_000, 60_000, 200_000];
        let drawn = ALL.into_iter().filter(|_| chance.per_mille(400)).collect::<Vec<_>>();
        Self {
            drawn: drawn.into_iter().map(|plague| (plague, *chance.one_of(&often))).collect(),
            loses_wake_ups: chance.per_mille(300),
            loses_spool_events: chance.per_mille(300),
            slow_ledger: chance.per_mille(300),
            overhears: chance.per_mille(300),
            over: false,
        }
    }
}

impl World {
    pub fn begin_plagues(&mut self) {
        self.plagues.drawn.clone().into_iter().for_each(|(plague, mean_ms)| self.again(plague, mean_ms));
    }

    fn again(&mut self, plague: Plague, mean_ms: i64) {
        let ms = self.chance.between(1, 2 * mean_ms);
        self.after(ms, Happening::Plague(plague));
    }

    pub fn strike(&mut self, plague: Plague) {
        if self.plagues.over {
            return;
        }
        if let Some((_, mean_ms)) = self.plagues.drawn.iter().find(|(drawn, _)| *drawn == plague).copied() {
            self.again(plague, mean_ms);
        }
        self.say(|_| format!("plague: {plague:?}"));
        match plague {
            Plague::DaemonDies => self.daemon_dies(),
            Plague::DaemonDiesInAStep => {
                let kill = (self.chance.below(8) as u32, *self.chance.one_of(&[Moment::Before, Moment::After]));
                match self.chance.below(3) {
                    0 => self.folders.borrow_mut().kill = Some(kill),
                    1 => self.doom(self.daemon),
                    _ => self.doom(self.fastagi.process()),
                }
            }
            Plague::FastagiDies => self.fastagi_dies(),
            Plague::AsteriskDies => self.asterisk_dies(),
            Plague::AllDie => {
                self.daemon_dies();
                self.asterisk_dies();
                self.fastagi_dies();
                self.recover_ledger();
            }
            Plague::PowerFails => self.power_fails(),
            Plague::ClockSteps => self.clock_steps(),
            Plague::TicketReplayed => self.replay_a_ticket(),
            Plague::FileRemoved => self.remove_a_file(),
            Plague::TrunkDark => {
                self.a_trunk_goes_dark();
                self.ends_within(plague, 120_000);
            }
            Plague::DiskFull => {
                self.folders.borrow_mut().full = true;
                disk::with(|disk| disk.full = true);
                self.ends_within(plague, 60_000);
            }
            Plague::LedgerLocked => {
                disk::with(|disk| disk.locked = true);
                self.ends_within(plague, 30_000);
            }
            Plague::SyncsFail => {
                disk::with(|disk| disk.bad_syncs = 300);
                self.ends_within(plague, 30_000);
            }
        }
    }

    pub fn relieve(&mut self, plague: Plague) {
        match plague {
            Plague::DiskFull => {
                self.folders.borrow_mut().full = false;
                disk::with(|disk| disk.full = false);
            }
            Plague::LedgerLocked => disk::with(|disk| disk.locked = false),
            Plague::SyncsFail => disk::with(|disk| disk.bad_syncs = 0),
            Plague::TrunkDark => self.lines.all_are_well(),
            _ => {}
        }
    }

    fn ends_within(&mut self, plague: Plague, ms_max: i64) {
        let ms = self.chance.between(1_000, ms_max);
        self.after(ms, Happening::PlagueEnds(plague));
    }

    fn remove_a_file(&mut self) {
        let names: Vec<SpoolName> = self.folders.borrow().outgoing.keys().copied().collect();
        if !names.is_empty() {
            let name = *self.chance.one_of(&names);
            self.folders.borrow_mut().outgoing.remove(&name);
            self.say(|_| format!("somebody removes {name}"));
        }
    }

    /// A process dies around one of its next writes to the ledger's files, the log's frames among them.
    fn doom(&mut self, process: ProcessId) {
        let (writes_left, carried_out) = (self.chance.below(40) as u64, self.chance.per_mille(500));
        disk::with(|disk| disk.doom(Some(Doom { process, writes_left, carried_out })));
    }

    fn daemon_dies(&mut self) {
        if self.engine.is_some() {
            self.kill_daemon();
            let ms = self.down_ms();
            self.after(ms, Happening::DaemonStarts);
        }
    }

    fn fastagi_dies(&mut self) {
        if self.fastagi.up {
            self.kill_fastagi();
            let ms = self.down_ms();
            self.after(ms, Happening::FastagiStarts);
        }
    }

    fn asterisk_dies(&mut self) {
        if self.asterisk.alive {
            self.kill_asterisk();
            let ms = self.down_ms();
            self.after(ms, Happening::AsteriskStarts);
        }
    }

    fn power_fails(&mut self) {
        self.daemon_dies();
        self.asterisk_dies();
        self.fastagi_dies();
        let mut luck = self.chance.fork();
        self.folders.borrow_mut().lose_power(|| luck.per_mille(100));
        let survives = *self.chance.one_of(&[Survives::Nothing, Survives::Beginning, Survives::Some]);
        disk::with(|disk| disk.lose_power(survives));
        self.recover_ledger();
    }

    fn clock_steps(&mut self) {
        let ms = match self.chance.below(4) {
            0 => self.chance.between(-3_000, 3_000),
            1 => self.chance.between(-70_000, 70_000),
            2 => self.chance.between(-7_200_000, 7_200_000),
            _ => *self.chance.one_of(&[-1_000, 1_000, -3_600_000, 3_600_000]),
        };
        self.step_clock(ms);
        self.check_rest();
    }

    fn down_ms(&mut self) -> i64 {
        match self.chance.below(4) {
            0 => self.chance.between(0, 300),
            1 => self.chance.between(60_000, 900_000),
            _ => self.chance.between(300, 30_000),
        }
    }

    /// A rest that was noted stays readable, wherever the clock went.
    fn check_rest(&mut self) {
        let now = self.now();
        self.ledger.read(|db| rest::until(db, now)).unwrap();
    }

    /// From now on everything runs, and goes on running.
    pub fn end_plagues(&mut self) {
        self.plagues.over = true;
        (self.plagues.loses_wake_ups, self.plagues.loses_spool_events) = (false, false);
        (self.plagues.slow_ledger, self.plagues.overhears) = (false, false);
        {
            let mut folders = self.folders.borrow_mut();
            (folders.full, folders.kill) = (false, None);
        }
        disk::with(|disk| {
            (disk.full, disk.locked, disk.bad_syncs) = (false, false, 0);
            disk.doom(None);
        });
        self.lines.all_are_well();
        self.start_fastagi();
        self.start_asterisk();
        if self.engine.is_none() {
            self.serve();
        }
        self.say(|_| "the plagues end".to_owned());
    }
}
