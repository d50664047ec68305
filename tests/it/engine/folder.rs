//! A spool in memory behind the engine's own trait, with the faults of a real one.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::rc::Rc;

use campanile::daemon::port::{Archived, Entropy, Found, Place, PortError, Publication, SpoolPort, Withdrawal};
use campanile::domain::evidence::ArchiveStatus;
use campanile::domain::ids::Ticket;
use campanile::domain::instant::UtcMs;
use campanile::spool::SpoolName;

/// One call file.
#[derive(Debug, Clone)]
pub struct File {
    pub ticket: Ticket,
    pub start_at: UtcMs,
    pub place: Place,
    pub status: Option<ArchiveStatus>,
    pub archived_at: Option<UtcMs>,
}

/// Where, around which effect, the daemon is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Before,
    After,
}

/// What the folders do with what is asked of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Health {
    #[default]
    Fine,
    /// No space left.
    Full,
    /// Room for a trial, and not for the files of a plan.
    NearlyFull,
    /// Nothing can be removed.
    Sticky,
    /// Archived files cannot be read.
    Opaque,
}

#[derive(Debug, Default)]
pub struct Folder {
    pub files: BTreeMap<SpoolName, File>,
    /// Every name that was ever published: none may come twice (asterisk.md 2.2).
    pub published: BTreeSet<SpoolName>,
    pub health: Health,
    pub scans: u32,
    /// Effects so far, and the one around which the daemon is killed.
    pub effects: u32,
    pub kill: Option<(u32, Moment)>,
}

/// What unwinds through a daemon that is killed.
pub struct Killed;

impl Folder {
    fn effect<T>(&mut self, effect: impl FnOnce(&mut Self) -> Result<T, PortError>) -> Result<T, PortError> {
        let number = self.effects;
        self.effects += 1;
        self.die_at(number, Moment::Before);
        let done = effect(self);
        self.die_at(number, Moment::After);
        done
    }

    fn die_at(&mut self, number: u32, moment: Moment) {
        if self.kill == Some((number, moment)) {
            self.kill = None;
            // No panic hook runs: nothing is printed for a death that was asked for.
            resume_unwind(Box::new(Killed));
        }
    }

    fn refuse(&self, health: Health, words: &str) -> Result<(), PortError> {
        if self.health == health { Err(PortError(words.to_owned())) } else { Ok(()) }
    }
}

/// The engine's end of the folder.
#[derive(Clone, Default)]
pub struct SimSpool(pub Rc<RefCell<Folder>>);

impl SpoolPort for SimSpool {
    fn probe(&mut self) -> Result<(), PortError> {
        self.0.borrow().refuse(Health::Full, "no space left on device")
    }

    fn publish(&mut self, call: &Publication) -> Result<(), PortError> {
        self.0.borrow_mut().effect(|folder| {
            folder.refuse(Health::Full, "no space left on device")?;
            folder.refuse(Health::NearlyFull, "no space left on device")?;
            assert!(folder.published.insert(call.file), "{} is published twice", call.file);
            let (ticket, start_at) = (call.ticket, call.start_at);
            let place = Place::Waiting;
            folder.files.insert(call.file, File { ticket, start_at, place, status: None, archived_at: None });
            Ok(())
        })
    }

    fn withdraw(&mut self, file: SpoolName) -> Result<Withdrawal, PortError> {
        self.0.borrow_mut().effect(|folder| match folder.files.get(&file).map(|f| f.place) {
            Some(Place::Waiting) => {
                folder.refuse(Health::Sticky, "operation not permitted")?;
                folder.files.remove(&file);
                Ok(Withdrawal::Removed)
            }
            None | Some(Place::Archived) => Ok(Withdrawal::Gone),
            Some(_) => Ok(Withdrawal::Begun),
        })
    }

    fn sweep(&mut self, file: SpoolName) -> Result<Withdrawal, PortError> {
        self.0.borrow_mut().effect(|folder| match folder.files.get(&file).map(|f| f.place) {
            Some(Place::BegunByTheDead) => {
                folder.refuse(Health::Sticky, "operation not permitted")?;
                folder.files.remove(&file);
                Ok(Withdrawal::Removed)
            }
            None | Some(Place::Archived) => Ok(Withdrawal::Gone),
            Some(_) => Ok(Withdrawal::Begun),
        })
    }

    fn scan(&mut self) -> Result<Vec<Found>, PortError> {
        let mut folder = self.0.borrow_mut();
        folder.scans += 1;
        Ok(folder.files.iter().map(|(file, f)| Found { file: *file, place: f.place }).collect())
    }

    fn archived(&mut self, file: SpoolName) -> Result<Archived, PortError> {
        let folder = self.0.borrow();
        folder.refuse(Health::Opaque, "permission denied")?;
        let found = folder.files.get(&file).filter(|f| f.place == Place::Archived);
        Ok(found.map_or(Archived::NotThere, |f| {
            f.status.map_or(Archived::WithoutStatus, |status| Archived::Ended { status, at: f.archived_at.unwrap() })
        }))
    }

    fn remove_archived(&mut self, file: SpoolName) -> Result<(), PortError> {
        self.0.borrow_mut().effect(|folder| {
            folder.refuse(Health::Sticky, "operation not permitted")?;
            let removed = folder.files.remove(&file);
            assert!(removed.is_none_or(|f| f.place == Place::Archived), "{file} was not archived");
            Ok(())
        })
    }

    fn expire_archived(&mut self, before: UtcMs) -> Result<(), PortError> {
        self.0.borrow_mut().effect(|folder| {
            folder.files.retain(|_, f| f.archived_at.is_none_or(|at| at >= before));
            Ok(())
        })
    }
}

/// Random bits that come again (splitmix64).
pub struct Seeded(pub u64);

impl Seeded {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Entropy for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), PortError> {
        for part in bytes.chunks_mut(8) {
            part.copy_from_slice(&self.next().to_le_bytes()[..part.len()]);
        }
        Ok(())
    }
}
