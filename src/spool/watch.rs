//! Watching: tells at once when one of our files changes, and when to look at everything again.
//!
//! Events are hints. inotify loses them when its queue is full, a watch dies with its folder, and an
//! unmounted folder says nothing at all: then comes [`SpoolEvent::Rescan`], after the watch was set up
//! anew. Whoever listens scans on `Rescan`, and once after [`SpoolWatch::start`].
//!
//! Where events cannot be relied on (a file system that is not known to give them, inotify at its limit),
//! `outgoing_done` is listed each second instead ([`super::poll`]).

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind, RenameMode};
use notify::{Config, Event, RecommendedWatcher, RecursiveMode, Watcher};

use super::check::gives_events;
use super::poll::Poll;
use super::{SpoolDirs, SpoolError, SpoolName};

/// How long the folders may be silent before we look whether they are still the watched ones.
const SILENCE: Duration = Duration::from_secs(5);
/// The same for a busy spool, where one folder's events could hide that the other one is gone.
const EVENTS_PER_CHECK: u32 = 256;
/// Between two tries to watch folders that are gone.
const RETRY: Duration = Duration::from_secs(1);

/// Something happened in the spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpoolEvent {
    /// A file of ours came into `outgoing`, was written to there, or left.
    Changed {
        /// Its name.
        name: SpoolName,
    },
    /// A file of ours came into `outgoing_done`, or was written to there: the first event may come
    /// before its status (asterisk.md 4), another one follows.
    Archived {
        /// Its name.
        name: SpoolName,
    },
    /// Events were lost: look at everything.
    Rescan(RescanWhy),
}

/// Why events were lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RescanWhy {
    /// The kernel's queue was full (`fs.inotify.max_queued_events`).
    Overflow,
    /// A folder was removed, moved, replaced or unmounted; it is watched again.
    FolderReplaced,
    /// The watcher reported an error; it was started anew.
    WatcherFailed,
}

/// A running watch; ends when dropped, after the callback that runs at that moment.
#[derive(Debug)]
pub struct SpoolWatch {
    notes: Sender<Note>,
    thread: Option<JoinHandle<()>>,
}

impl SpoolWatch {
    /// Watches `outgoing` and `outgoing_done`. `on_event` runs on the watch's own thread; it should
    /// only pass the event on.
    ///
    /// # Errors
    /// When there is no thread to be had. Whatever else is in the way is worked around, and logged.
    pub fn start(dirs: &SpoolDirs, on_event: impl FnMut(SpoolEvent) + Send + 'static) -> Result<Self, SpoolError> {
        let folders = Folders { outgoing: absolute(&dirs.outgoing)?, done: absolute(&dirs.done)? };
        let (notes, inbox) = mpsc::channel();
        let eye = if gives_events(&dirs.done) {
            Eye::open(&folders, 0, &notes).inspect_err(|error| {
                let why = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
                log::warn!("{error} ({why}); outgoing_done is listed each second instead");
            })
        } else {
            log::warn!("the file system of `{}` may give no events; it is listed each second", dirs.done.display());
            return Self::poll(folders.done, notes, inbox, on_event);
        };
        let Ok(eye) = eye else { return Self::poll(folders.done, notes, inbox, on_event) };
        let outgoing = folders.outgoing.clone();
        let keeper = Keeper { folders, notes: notes.clone(), inbox, generation: 0, on_event };
        Self::on_thread(&outgoing, notes, move || keeper.run(eye))
    }

    fn poll(
        done: PathBuf,
        notes: Sender<Note>,
        inbox: Receiver<Note>,
        on_event: impl FnMut(SpoolEvent) + Send + 'static,
    ) -> Result<Self, SpoolError> {
        let poll = Poll::new(done.clone());
        Self::on_thread(&done, notes, move || poll.run(&inbox, on_event))
    }

    fn on_thread(path: &Path, notes: Sender<Note>, run: impl FnOnce() + Send + 'static) -> Result<Self, SpoolError> {
        let spawned = thread::Builder::new().name("spool-watch".to_owned()).spawn(run);
        let thread = spawned.map_err(|source| SpoolError::io("start a thread to watch", path, source))?;
        Ok(Self { notes, thread: Some(thread) })
    }
}

impl Drop for SpoolWatch {
    fn drop(&mut self) {
        // Both fail only if the thread is gone already.
        let _ = self.notes.send(Note::Stop);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn absolute(path: &Path) -> Result<PathBuf, SpoolError> {
    std::path::absolute(path).map_err(|source| SpoolError::io("find", path, source))
}

/// The watched folders, absolute, as the watcher reports them.
#[derive(Debug, Clone)]
struct Folders {
    outgoing: PathBuf,
    done: PathBuf,
}

impl Folders {
    fn all(&self) -> [&Path; 2] {
        [&self.outgoing, &self.done]
    }

    /// What a watcher's event means for us; most mean nothing, such as our own reading.
    fn interpret(&self, event: &notify::Result<Event>) -> Option<Meaning> {
        let Ok(event) = event else { return Some(Meaning::Lost(RescanWhy::WatcherFailed)) };
        if event.need_rescan() {
            return Some(Meaning::Event(SpoolEvent::Rescan(RescanWhy::Overflow)));
        }
        let path = event.paths.first()?;
        let gone = matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)));
        if self.all().contains(&path.as_path()) {
            return gone.then_some(Meaning::Lost(RescanWhy::FolderReplaced));
        }
        let came = matches!(
            event.kind,
            EventKind::Create(_)
                | EventKind::Modify(ModifyKind::Name(RenameMode::To))
                | EventKind::Access(AccessKind::Close(AccessMode::Write))
        );
        let name = SpoolName::of_entry(path.file_name()?)?;
        let folder = path.parent()?;
        if folder == self.outgoing && (came || gone) {
            return Some(Meaning::Event(SpoolEvent::Changed { name }));
        }
        (folder == self.done && came).then_some(Meaning::Event(SpoolEvent::Archived { name }))
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    Event(SpoolEvent),
    /// The watch is of no more use.
    Lost(RescanWhy),
}

pub(super) enum Note {
    Event(SpoolEvent),
    /// From the watcher of this generation.
    Lost(u64, RescanWhy),
    Stop,
}

/// One inotify instance with the folders it really watches.
struct Eye {
    _watcher: RecommendedWatcher,
    identities: [Option<(u64, u64)>; 2],
}

impl Eye {
    fn open(folders: &Folders, generation: u64, notes: &Sender<Note>) -> Result<Self, SpoolError> {
        // Before the watch: a folder replaced in between is found out at the next check.
        let identities = folders.all().map(identity);
        let (interpreter, notes) = (folders.clone(), notes.clone());
        let handler = move |event: notify::Result<Event>| {
            let note = interpreter.interpret(&event).map(|meaning| match meaning {
                Meaning::Event(event) => Note::Event(event),
                Meaning::Lost(why) => Note::Lost(generation, why),
            });
            // Nobody listens any more when the watch ends.
            let _ = note.map(|note| notes.send(note));
        };
        let failed = |path: &Path, source| SpoolError::Watch { path: path.to_owned(), source };
        let new = RecommendedWatcher::new(handler, Config::default());
        let mut watcher = new.map_err(|source| failed(&folders.outgoing, source))?;
        for path in folders.all() {
            watcher.watch(path, RecursiveMode::NonRecursive).map_err(|source| failed(path, source))?;
        }
        Ok(Self { _watcher: watcher, identities })
    }

    fn is_current(&self, folders: &Folders) -> bool {
        let seen = folders.all().map(identity);
        seen == self.identities && seen.iter().all(Option::is_some)
    }
}

/// Device and inode; `None` when there is nothing.
fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// The watch's thread: passes events on and replaces the eye when it went blind. The watcher's own
/// thread cannot do that, as it would wait for itself.
struct Keeper<F> {
    folders: Folders,
    notes: Sender<Note>,
    inbox: Receiver<Note>,
    generation: u64,
    on_event: F,
}

impl<F: FnMut(SpoolEvent)> Keeper<F> {
    fn run(mut self, first: Eye) {
        let mut eye = Some(first);
        while let Some(open) = eye {
            let Some(why) = self.watch_until_lost(&open) else { return };
            drop(open);
            eye = self.reopen();
            if eye.is_some() {
                (self.on_event)(SpoolEvent::Rescan(why));
            }
        }
    }

    /// Passes events on until the eye is lost (why) or the watch ends (`None`).
    fn watch_until_lost(&mut self, eye: &Eye) -> Option<RescanWhy> {
        let mut unchecked = 0;
        loop {
            match self.inbox.recv_timeout(SILENCE) {
                Ok(Note::Event(event)) => (self.on_event)(event),
                Ok(Note::Lost(generation, why)) if generation == self.generation => return Some(why),
                Ok(Note::Lost(..)) => {}
                Ok(Note::Stop) | Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => unchecked = EVENTS_PER_CHECK,
            }
            unchecked += 1;
            if unchecked >= EVENTS_PER_CHECK {
                unchecked = 0;
                if !eye.is_current(&self.folders) {
                    return Some(RescanWhy::FolderReplaced);
                }
            }
        }
    }

    /// Tries until the folders can be watched again; `None` when the watch ends before.
    fn reopen(&mut self) -> Option<Eye> {
        self.generation += 1;
        let mut told = false;
        loop {
            match Eye::open(&self.folders, self.generation, &self.notes) {
                Ok(eye) => return Some(eye),
                Err(error) if !told => {
                    log::error!("the spool is not watched: {error}; trying again");
                    told = true;
                }
                Err(_) => {}
            }
            match self.inbox.recv_timeout(RETRY) {
                Ok(Note::Stop) | Err(RecvTimeoutError::Disconnected) => return None,
                // The rescan that follows sees what these told.
                Ok(Note::Event(_) | Note::Lost(..)) | Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, DataChange, Flag, MetadataKind, RemoveKind};

    use super::*;
    use crate::domain::ids::AttemptId;

    const OURS: &str = "campanile-7-0000beef.call";

    fn meaning(kind: EventKind, path: &str) -> Option<Meaning> {
        let folders = Folders { outgoing: "/spool/outgoing".into(), done: "/spool/outgoing_done".into() };
        folders.interpret(&Ok(Event::new(kind).add_path(path.into())))
    }

    #[test]
    fn events_mean_what_asterisk_did() {
        let name = SpoolName::new(AttemptId(7), 0xbeef);
        let changed = Some(Meaning::Event(SpoolEvent::Changed { name }));
        let archived = Some(Meaning::Event(SpoolEvent::Archived { name }));
        let lost = Some(Meaning::Lost(RescanWhy::FolderReplaced));
        let to = EventKind::Modify(ModifyKind::Name(RenameMode::To));
        let from = EventKind::Modify(ModifyKind::Name(RenameMode::From));
        let written = EventKind::Access(AccessKind::Close(AccessMode::Write));
        let removed = EventKind::Remove(RemoveKind::File);
        let (out, done) = (format!("/spool/outgoing/{OURS}"), format!("/spool/outgoing_done/{OURS}"));
        for (kind, path, expected) in [
            (to, &*out, &changed),
            (from, &out, &changed),
            (written, &out, &changed),
            (removed, &out, &changed),
            (EventKind::Create(CreateKind::File), &out, &changed),
            (to, &done, &archived),
            (written, &done, &archived),
            (removed, &done, &None),
            (EventKind::Modify(ModifyKind::Name(RenameMode::Both)), &out, &None),
            (EventKind::Modify(ModifyKind::Data(DataChange::Any)), &out, &None),
            (EventKind::Access(AccessKind::Open(AccessMode::Any)), &out, &None),
            (to, "/spool/outgoing/other.call", &None),
            (to, "/spool/campanile/campanile-7-0000beef.call", &None),
            (EventKind::Remove(RemoveKind::Folder), "/spool/outgoing", &lost),
            (from, "/spool/outgoing_done", &lost),
            (EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any)), "/spool/outgoing", &None),
        ] {
            assert_eq!(&meaning(kind, path), expected, "{kind:?} {path}");
        }
    }

    #[test]
    fn an_overflow_asks_for_a_rescan_and_an_error_for_a_new_watch() {
        let folders = Folders { outgoing: "/a".into(), done: "/b".into() };
        let overflow = Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan));
        let rescan = Meaning::Event(SpoolEvent::Rescan(RescanWhy::Overflow));
        assert_eq!(folders.interpret(&overflow), Some(rescan));
        let failed = Err(notify::Error::generic("gone"));
        assert_eq!(folders.interpret(&failed), Some(Meaning::Lost(RescanWhy::WatcherFailed)));
    }
}
