//! The disk below SQLite, in memory: what is written, what of it is durable, who holds which lock.
//!
//! A write is in the page cache until a sync of its file; power loss takes away what was not synced, all
//! of it or a part. A process that dies leaves the page cache as it is and its locks free. Each seed runs
//! on one thread, so each thread has a disk of its own.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use rusqlite::ffi;

use crate::chance::Chance;

/// A process that has files open: an incarnation, never used twice.
pub type ProcessId = u32;

/// The lock that a writer takes in WAL mode (WAL_WRITE_LOCK).
const WRITE_LOCK: u8 = 1;

/// The size of a sector: what a write may be torn at.
const SECTOR: usize = 512;

/// A change of a file that is in the page cache only.
#[derive(Debug, Clone)]
enum Pending {
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
}

/// A file.
#[derive(Debug, Default)]
struct Node {
    live: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Pending>,
    /// Its name is on the disk: the folder was synced since it was made.
    named: bool,
    /// The wal-index, in regions that never move. It is no file of the disk: nothing of it outlives power
    /// loss, or the last process that has it.
    regions: Vec<Box<[u64]>>,
}

#[derive(Debug)]
struct Handle {
    node: usize,
    process: ProcessId,
    level: i32,
    shared: u8,
    exclusive: u8,
    maps: Maps,
    fleeting: Fleeting,
    open: bool,
}

/// Whether a handle has the wal-index mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Maps {
    No,
    Yes,
}

/// Whether a file goes when it is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fleeting {
    No,
    Yes,
}

/// When a process dies: around which of its writes.
#[derive(Debug, Clone, Copy)]
pub struct Doom {
    pub process: ProcessId,
    pub writes_left: u64,
    /// Whether the last write is still carried out.
    pub carried_out: bool,
}

/// How much of what was not synced survives power loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Survives {
    Nothing,
    /// Writes up to some point, the last maybe torn.
    Beginning,
    /// Any of them: a disk writes in the order that it likes.
    Some,
}

#[derive(Debug)]
pub struct Disk {
    nodes: Vec<Node>,
    names: BTreeMap<String, usize>,
    /// Removed, and the folder was not synced since.
    removed: BTreeMap<String, usize>,
    handles: Vec<Handle>,
    dead: BTreeSet<ProcessId>,
    doom: Option<Doom>,
    current: ProcessId,
    chance: Chance,
    /// No file can grow.
    pub full: bool,
    /// Somebody else holds the write lock, for longer than anybody waits.
    pub locked: bool,
    /// Syncs that fail, in a thousand.
    pub bad_syncs: i64,
    /// How often a lock was refused: never, because nobody waits for anybody in one thread.
    pub collisions: u32,
    pub syncs: u64,
    pub lost_writes: u64,
}

thread_local! {
    static DISK: RefCell<Disk> = RefCell::new(Disk::new(0));
}

/// The disk of this thread.
pub fn with<T>(look: impl FnOnce(&mut Disk) -> T) -> T {
    DISK.with(|disk| look(&mut disk.borrow_mut()))
}

/// An empty disk for the next seed.
pub fn format(seed: u64) {
    with(|disk| *disk = Disk::new(seed));
}

type Code = Result<(), i32>;

impl Disk {
    fn new(seed: u64) -> Self {
        Self {
            nodes: Vec::new(),
            names: BTreeMap::new(),
            removed: BTreeMap::new(),
            handles: Vec::new(),
            dead: BTreeSet::new(),
            doom: None,
            current: 0,
            chance: Chance::new(seed ^ 0xd15c),
            full: false,
            locked: false,
            bad_syncs: 0,
            collisions: 0,
            syncs: 0,
            lost_writes: 0,
        }
    }

    // Processes.

    /// Files that are opened from now on belong to this process.
    pub fn enter(&mut self, process: ProcessId) {
        self.current = process;
    }

    pub fn doom(&mut self, doom: Option<Doom>) {
        self.doom = doom;
    }

    pub fn is_dead(&self, process: ProcessId) -> bool {
        self.dead.contains(&process)
    }

    /// `kill -9`: nothing more is written, all locks are free.
    pub fn kill(&mut self, process: ProcessId) {
        self.dead.insert(process);
        for handle in self.handles.iter_mut().filter(|h| h.process == process) {
            (handle.level, handle.shared, handle.exclusive, handle.maps) = (0, 0, 0, Maps::No);
        }
        if self.doom.is_some_and(|doom| doom.process == process) {
            self.doom = None;
        }
        self.forget_unused_regions();
    }

    /// The machine loses power: all processes die, and what was not synced is gone.
    pub fn lose_power(&mut self, survives: Survives) {
        let all: BTreeSet<ProcessId> = self.handles.iter().map(|h| h.process).collect();
        all.into_iter().for_each(|process| self.kill(process));
        for (name, node) in std::mem::take(&mut self.removed) {
            if survives == Survives::Nothing && self.chance.per_mille(500) {
                self.names.entry(name).or_insert(node);
            }
        }
        let nodes: Vec<(String, usize)> = self.names.iter().map(|(name, node)| (name.clone(), *node)).collect();
        for (name, at) in nodes {
            if !self.nodes[at].named && (survives == Survives::Nothing || self.chance.per_mille(500)) {
                self.names.remove(&name);
            }
            self.revert(at, survives);
        }
    }

    fn revert(&mut self, at: usize, survives: Survives) {
        let node = &mut self.nodes[at];
        let pending = std::mem::take(&mut node.pending);
        self.lost_writes += pending.len() as u64;
        let beginning = self.chance.below(pending.len() as i64 + 1) as usize;
        for (i, change) in pending.into_iter().enumerate() {
            match survives {
                Survives::Nothing => {}
                Survives::Beginning if i < beginning => apply(&mut node.durable, &change),
                Survives::Beginning if i == beginning => apply(&mut node.durable, &torn(change, &mut self.chance)),
                Survives::Some if self.chance.per_mille(500) => apply(&mut node.durable, &change),
                Survives::Beginning | Survives::Some => {}
            }
        }
        node.live = node.durable.clone();
        node.named = true;
    }

    /// The wal-index goes with the last process that has it; the next one recovers it from the log.
    fn forget_unused_regions(&mut self) {
        for (at, node) in self.nodes.iter_mut().enumerate().filter(|(_, node)| !node.regions.is_empty()) {
            let used = self.handles.iter().any(|h| h.open && h.maps == Maps::Yes && h.node == at);
            if !used {
                // Not freed: a connection of the dead may still look there. It sees zeros and no lock.
                node.regions.iter_mut().for_each(|region| region.fill(0));
            }
        }
    }

    // Files.

    pub fn open(&mut self, name: Option<&str>, fleeting: Fleeting) -> usize {
        let node = match name.and_then(|name| self.names.get(name)) {
            Some(node) => *node,
            None => {
                self.nodes.push(Node::default());
                let node = self.nodes.len() - 1;
                name.map(|name| self.names.insert(name.to_owned(), node));
                node
            }
        };
        let (process, open) = (self.current, true);
        self.handles.push(Handle { node, process, level: 0, shared: 0, exclusive: 0, maps: Maps::No, fleeting, open });
        self.handles.len() - 1
    }

    pub fn exists(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    pub fn close(&mut self, handle: usize) {
        let closed = &mut self.handles[handle];
        (closed.open, closed.level, closed.shared, closed.exclusive, closed.maps) = (false, 0, 0, 0, Maps::No);
        let (node, fleeting) = (closed.node, closed.fleeting);
        if fleeting == Fleeting::Yes {
            self.names.retain(|_, at| *at != node);
        }
        self.forget_unused_regions();
    }

    /// Fills `bytes`; what lies behind the end reads as zeros, and is short.
    pub fn read(&mut self, handle: usize, at: usize, bytes: &mut [u8]) -> Code {
        self.alive(handle)?;
        let live = &self.nodes[self.handles[handle].node].live;
        bytes.fill(0);
        let there = live.len().saturating_sub(at).min(bytes.len());
        bytes[..there].copy_from_slice(&live[at.min(live.len())..at.min(live.len()) + there]);
        if there == bytes.len() { Ok(()) } else { Err(ffi::SQLITE_IOERR_SHORT_READ) }
    }

    pub fn write(&mut self, handle: usize, at: usize, bytes: &[u8]) -> Code {
        let node = self.handles[handle].node;
        if self.full && at + bytes.len() > self.nodes[node].live.len() {
            self.alive(handle)?;
            return Err(ffi::SQLITE_FULL);
        }
        let change = Pending::Write { at, bytes: bytes.to_vec() };
        self.change(handle, |disk| disk.put(node, change))
    }

    pub fn truncate(&mut self, handle: usize, to: usize) -> Code {
        let node = self.handles[handle].node;
        self.change(handle, |disk| disk.put(node, Pending::Truncate(to)))
    }

    fn put(&mut self, node: usize, change: Pending) -> Code {
        let node = &mut self.nodes[node];
        apply(&mut node.live, &change);
        node.pending.push(change);
        Ok(())
    }

    /// Makes a file durable.
    pub fn sync(&mut self, handle: usize) -> Code {
        let node = self.handles[handle].node;
        if self.chance.per_mille(self.bad_syncs) {
            self.alive(handle)?;
            return Err(ffi::SQLITE_IOERR_FSYNC);
        }
        self.change(handle, |disk| {
            disk.syncs += 1;
            let is_log = disk.names.iter().any(|(name, at)| *at == node && name.ends_with("-wal"));
            if is_log && !disk.nodes[node].named {
                // SQLite syncs the folder with the first sync of a log that it made.
                disk.nodes.iter_mut().for_each(|node| node.named = true);
                disk.removed.clear();
            }
            let node = &mut disk.nodes[node];
            for change in node.pending.drain(..) {
                apply(&mut node.durable, &change);
            }
            Ok(())
        })
    }

    pub fn size(&self, handle: usize) -> usize {
        self.nodes[self.handles[handle].node].live.len()
    }

    /// Removes a file; `synced` says whether its folder is synced with it.
    pub fn remove(&mut self, name: &str, synced: Synced) -> Code {
        if self.dead.contains(&self.current) {
            return Err(ffi::SQLITE_IOERR);
        }
        let Some(node) = self.names.remove(name) else { return Err(ffi::SQLITE_IOERR_DELETE_NOENT) };
        if synced == Synced::No && self.nodes[node].named {
            self.removed.insert(name.to_owned(), node);
        }
        Ok(())
    }

    fn alive(&self, handle: usize) -> Code {
        if self.dead.contains(&self.handles[handle].process) { Err(ffi::SQLITE_IOERR) } else { Ok(()) }
    }

    /// Carries out a change, unless the process is dead or dies of it.
    fn change(&mut self, handle: usize, change: impl FnOnce(&mut Self) -> Code) -> Code {
        self.alive(handle)?;
        let process = self.handles[handle].process;
        let Some(doom) = self.doom.as_mut().filter(|doom| doom.process == process) else { return change(self) };
        if doom.writes_left > 0 {
            doom.writes_left -= 1;
            return change(self);
        }
        let carried_out = doom.carried_out;
        let done = if carried_out { change(self) } else { Ok(()) };
        self.kill(process);
        done.and(Err(ffi::SQLITE_IOERR))
    }

    // Locks of the database file (os.h: 1 shared, 2 reserved, 3 pending, 4 exclusive).

    pub fn lock(&mut self, handle: usize, level: i32) -> Code {
        self.alive(handle)?;
        let node = self.handles[handle].node;
        let others = self.handles.iter().enumerate().filter(|(at, h)| *at != handle && h.node == node && h.open);
        let most = others.map(|(_, h)| h.level).max().unwrap_or(0);
        let refused = match level {
            ffi::SQLITE_LOCK_SHARED => most >= ffi::SQLITE_LOCK_PENDING,
            ffi::SQLITE_LOCK_EXCLUSIVE => most >= ffi::SQLITE_LOCK_SHARED,
            _ => most >= ffi::SQLITE_LOCK_RESERVED,
        };
        if refused {
            return Err(ffi::SQLITE_BUSY);
        }
        self.handles[handle].level = self.handles[handle].level.max(level);
        Ok(())
    }

    pub fn unlock(&mut self, handle: usize, level: i32) {
        self.handles[handle].level = self.handles[handle].level.min(level);
    }

    pub fn is_reserved(&self, handle: usize) -> bool {
        let node = self.handles[handle].node;
        self.handles.iter().any(|h| h.open && h.node == node && h.level >= ffi::SQLITE_LOCK_RESERVED)
    }

    // The wal-index.

    /// The address of a region; null when it is not there and is not to be made.
    pub fn region(&mut self, handle: usize, at: usize, bytes: usize, make: Make) -> Result<*mut u64, i32> {
        self.alive(handle)?;
        self.handles[handle].maps = Maps::Yes;
        let regions = &mut self.nodes[self.handles[handle].node].regions;
        while regions.len() <= at && make == Make::Yes {
            regions.push(vec![0; bytes / 8].into_boxed_slice());
        }
        Ok(regions.get_mut(at).map_or(std::ptr::null_mut(), |region| region.as_mut_ptr()))
    }

    pub fn unmap(&mut self, handle: usize) {
        self.handles[handle].maps = Maps::No;
        self.forget_unused_regions();
    }

    pub fn index_lock(&mut self, handle: usize, mask: u8, flags: i32) -> Code {
        self.alive(handle)?;
        if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
            let held = &mut self.handles[handle];
            (held.shared, held.exclusive) = (held.shared & !mask, held.exclusive & !mask);
            return Ok(());
        }
        let exclusive = flags & ffi::SQLITE_SHM_EXCLUSIVE != 0;
        if exclusive && self.locked && mask & WRITE_LOCK != 0 {
            // Not BUSY, for which the ledger would wait in real time: the end of its patience.
            return Err(ffi::SQLITE_IOERR_SHMLOCK);
        }
        let node = self.handles[handle].node;
        let others = self.handles.iter().enumerate().filter(|(at, h)| *at != handle && h.node == node && h.open);
        let (shared, exclusively) = others.fold((0, 0), |(s, e), (_, h)| (s | h.shared, e | h.exclusive));
        if mask & exclusively != 0 || (exclusive && mask & shared != 0) {
            self.collisions += 1;
            return Err(ffi::SQLITE_BUSY);
        }
        let held = &mut self.handles[handle];
        if exclusive {
            held.exclusive |= mask
        } else {
            held.shared |= mask
        }
        Ok(())
    }

    pub fn random(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.chance.bits().to_le_bytes()[0];
        }
    }
}

/// Whether a folder is synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synced {
    No,
    Yes,
}

/// Whether what is missing is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Make {
    No,
    Yes,
}

fn apply(file: &mut Vec<u8>, change: &Pending) {
    match change {
        Pending::Write { at, bytes } => {
            if file.len() < *at {
                file.resize(*at, 0);
            }
            let over = (file.len() - at).min(bytes.len());
            file[*at..at + over].copy_from_slice(&bytes[..over]);
            file.extend_from_slice(&bytes[over..]);
        }
        Pending::Truncate(to) => file.resize(*to, 0),
    }
}

/// A write of which only the first sectors got to the disk.
fn torn(change: Pending, chance: &mut Chance) -> Pending {
    match change {
        Pending::Write { at, mut bytes } => {
            let sectors = bytes.len() / SECTOR;
            bytes.truncate(chance.below(sectors as i64 + 1) as usize * SECTOR);
            Pending::Write { at, bytes }
        }
        truncate @ Pending::Truncate(_) => truncate,
    }
}
