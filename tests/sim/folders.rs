//! The spool folders in memory: real call files, whole-second mtimes, and a power failure that undoes
//! what was not yet on the disk.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::rc::Rc;

use campanile::callfile::{self, TICKET_VARIABLE, Template, Ticketed, file_wait_time_s};
use campanile::daemon::port::{Archived, Found, Place, PortError, Publication, SpoolPort, Withdrawal};
use campanile::domain::instant::UtcMs;
use campanile::spool::{Acquaintance, AsteriskRun, FileState, Judged, SpoolName, judge};

use crate::disk::{self, ProcessId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub bytes: Vec<u8>,
    pub mtime_s: i64,
    /// When `Status:` was written, which is finer than whole seconds.
    pub ended_at: Option<UtcMs>,
}

type Folder = BTreeMap<SpoolName, File>;

/// Where, around an effect, the daemon dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Before,
    After,
}

/// What unwinds through a daemon that is killed.
pub struct Killed;

#[derive(Debug, Default)]
pub struct Folders {
    pub outgoing: Folder,
    pub done: Folder,
    /// What a power failure leaves.
    on_disk: (Folder, Folder),
    /// Came into `outgoing` since Asterisk looked: its inotify queue.
    pub moved_in: Vec<SpoolName>,
    pub full: bool,
    /// The pid file's Asterisk.
    pub asterisk: Option<AsteriskRun>,
    /// Effects left until the daemon dies.
    pub kill: Option<(u32, Moment)>,
    /// Every call that was ever published, with its slot.
    pub published: BTreeMap<SpoolName, UtcMs>,
    /// Those of them whose slots nobody has looked at yet.
    pub unseen: Vec<(SpoolName, UtcMs)>,
}

impl Folders {
    /// The file system's own commit, every few seconds.
    pub fn reach_disk(&mut self) {
        self.on_disk = (self.outgoing.clone(), self.done.clone());
    }

    /// Power fails: folders as they last reached the disk; a fresh file may be there without its data.
    pub fn lose_power(&mut self, mut emptied: impl FnMut() -> bool) {
        (self.outgoing, self.done) = self.on_disk.clone();
        self.moved_in.clear();
        for file in self.outgoing.values_mut().filter(|_| emptied()) {
            file.bytes.clear();
        }
    }

    /// The tickets of the files that lie in `outgoing`.
    pub fn tickets(&self) -> Vec<String> {
        let ticket =
            |file: &File| callfile::parse(&file.bytes).file.variable(TICKET_VARIABLE)?.to_str().map(str::to_owned);
        self.outgoing.values().filter_map(ticket).collect()
    }

    fn effect<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, PortError>) -> Result<T, PortError> {
        self.die_at(Moment::Before);
        let done = work(self);
        self.die_at(Moment::After);
        if let Some((left, _)) = &mut self.kill {
            *left = left.saturating_sub(1);
        }
        done
    }

    fn die_at(&mut self, moment: Moment) {
        if self.kill == Some((0, moment)) {
            self.kill = None;
            resume_unwind(Box::new(Killed));
        }
    }

    fn place(&self, file: &File) -> Place {
        match callfile::parse(&file.bytes).file.begun() {
            None => Place::Waiting,
            Some(begun) if judge(&begun, self.asterisk.as_ref()) == Judged::Dead => Place::BegunByTheDead,
            Some(_) => Place::Begun,
        }
    }

    fn remove_if(&mut self, name: SpoolName, wanted: Place) -> Withdrawal {
        match self.outgoing.get(&name).map(|file| self.place(file)) {
            None => Withdrawal::Gone,
            Some(place) if place == wanted => {
                self.outgoing.remove(&name);
                Withdrawal::Removed
            }
            Some(_) => Withdrawal::Begun,
        }
    }
}

/// The engine's end of the folders.
pub struct Port {
    pub folders: Rc<RefCell<Folders>>,
    pub template: Template,
    pub process: ProcessId,
    /// What this daemon saw of Asterisk.
    pub known: Acquaintance,
}

fn state(file: &File) -> FileState {
    callfile::parse(&file.bytes).file.begun().map_or(FileState::Waiting, FileState::Begun)
}

impl Port {
    /// The dead do nothing more: a daemon that died while it wrote to the ledger.
    fn alive(&self) {
        if disk::with(|disk| disk.is_dead(self.process)) {
            resume_unwind(Box::new(Killed));
        }
    }
}

impl SpoolPort for Port {
    fn probe(&mut self) -> Result<(), PortError> {
        self.alive();
        let full = self.folders.borrow().full;
        if full { Err(PortError("no space left on device".to_owned())) } else { Ok(()) }
    }

    fn publish(&mut self, call: &Publication) -> Result<(), PortError> {
        self.alive();
        let ticketed = Ticketed { ticket: call.ticket, wait_time_s: file_wait_time_s(call.wait_time_s) };
        let bytes = callfile::render(&self.template, &ticketed).map_err(PortError::new)?;
        let read = callfile::parse(&bytes);
        let carried = read.file.variable(TICKET_VARIABLE).and_then(|t| t.to_str().map(str::to_owned));
        assert_eq!(carried, Some(call.ticket.to_string()), "I7: the file does not carry its ticket");
        assert!(read.ignored.is_empty() && read.file.is_valid(), "I7: {:?}", read.ignored);
        self.folders.borrow_mut().effect(|folders| {
            if folders.full {
                return Err(PortError("no space left on device".to_owned()));
            }
            folders.unseen.push((call.file, call.start_at));
            let twice = folders.published.insert(call.file, call.start_at);
            assert_eq!(twice, None, "{} is published twice", call.file);
            let mtime_s = call.start_at.0.div_euclid(1000) - 1;
            folders.outgoing.insert(call.file, File { bytes, mtime_s, ended_at: None });
            folders.moved_in.push(call.file);
            Ok(())
        })?;
        self.known.published(call.file);
        Ok(())
    }

    fn withdraw(&mut self, file: SpoolName) -> Result<Withdrawal, PortError> {
        self.alive();
        self.folders.borrow_mut().effect(|folders| Ok(folders.remove_if(file, Place::Waiting)))
    }

    fn sweep(&mut self, file: SpoolName) -> Result<Withdrawal, PortError> {
        self.alive();
        self.folders.borrow_mut().effect(|folders| Ok(folders.remove_if(file, Place::BegunByTheDead)))
    }

    fn scan(&mut self) -> Result<Vec<Found>, PortError> {
        self.alive();
        let folders = self.folders.borrow();
        let states: BTreeMap<SpoolName, FileState> =
            folders.outgoing.iter().map(|(name, file)| (*name, state(file))).collect();
        let running = folders.asterisk;
        self.known.saw(running.as_ref(), &states);
        let place = |name, state: &FileState| match state {
            FileState::Begun(begun) if self.known.judge(name, begun, running.as_ref()) == Judged::Dead => {
                Place::BegunByTheDead
            }
            FileState::Begun(_) => Place::Begun,
            _ => Place::Waiting,
        };
        let mut found: BTreeMap<SpoolName, Place> = states.iter().map(|(name, s)| (*name, place(*name, s))).collect();
        found.extend(folders.done.keys().map(|name| (*name, Place::Archived)));
        Ok(found.into_iter().map(|(file, place)| Found { file, place }).collect())
    }

    fn archived(&mut self, file: SpoolName) -> Result<Archived, PortError> {
        self.alive();
        let folders = self.folders.borrow();
        let Some(found) = folders.done.get(&file) else { return Ok(Archived::NotThere) };
        let ended = |status| Archived::Ended { status, at: found.ended_at.expect("a status has its time") };
        Ok(callfile::parse(&found.bytes).file.status.map_or(Archived::WithoutStatus, ended))
    }

    fn remove_archived(&mut self, file: SpoolName) -> Result<(), PortError> {
        self.alive();
        self.folders.borrow_mut().effect(|folders| {
            folders.done.remove(&file);
            Ok(())
        })
    }

    fn expire_archived(&mut self, before: UtcMs) -> Result<(), PortError> {
        self.alive();
        self.folders.borrow_mut().effect(|folders| {
            folders.done.retain(|_, file| file.mtime_s * 1000 >= before.0);
            Ok(())
        })
    }
}
