//! The world that the engine runs in on a real machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;

use log::{error, warn};

use super::event::Event;
use super::port::{Archived, Entropy, Found, Place, PortError, Publication, SpoolPort, Withdrawal};
use super::pulse::Pulse;
use crate::callfile::{Begun, Template, Ticketed, file_wait_time_s, render};
use crate::domain::instant::UtcMs;
use crate::exit::Exit;
use crate::settings::Settings;
use crate::spool::{
    Acquaintance, AsteriskRun, FileState, Judged, RescanWhy, Spool, SpoolDirs, SpoolError, SpoolEvent, SpoolName,
    SpoolWatch, Swept, Withdrawn, asterisk_watches, make_recordings_folder, running_asterisk,
};

/// The template's file name below `template_dir`.
const TEMPLATE_NAME: &str = "default.call";

/// Why the spool could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The folders.
    #[error("{}", with_sources(.0))]
    Spool(#[from] SpoolError),
    /// The template cannot be read.
    #[error("read the call-file template `{}`: {source}; the setting `template_dir` names its folder", path.display())]
    Template {
        /// Where.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The template is not one.
    #[error("the call-file template `{}` cannot be used:\n{problems}", path.display())]
    BadTemplate {
        /// Where.
        path: PathBuf,
        /// All of its problems.
        problems: String,
    },
}

impl SetUpError {
    /// How a program ends that cannot go on because of it.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Spool(error) => error.exit(),
            Self::Template { .. } | Self::BadTemplate { .. } => Exit::Config,
        }
    }
}

/// An error with all of its causes in one line.
fn with_sources(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}

/// Asterisk keeps its watch on the folder that it opened at its start, wherever that is now.
/// What a lost watch means for Asterisk, which has a watch of its own there.
fn for_asterisk(why: RescanWhy, outgoing: &Path, run_dir: &Path) -> &'static str {
    if why != RescanWhy::FolderReplaced {
        return "";
    }
    let asterisk = running_asterisk(run_dir, crate::clock::now()).unwrap_or_default();
    match asterisk.and_then(|run| asterisk_watches(run.pid, outgoing)) {
        Some(true) => "",
        Some(false) => {
            ". Asterisk does not read this `outgoing`: it watches the folder that was there before, and dials nothing \
             until it is restarted (`asterisk -rx 'core restart gracefully'`)"
        }
        None => {
            ". If `outgoing` itself was replaced, Asterisk reads it only after a restart (`core restart gracefully`)"
        }
    }
}

fn port_error(error: &SpoolError) -> PortError {
    PortError::new(with_sources(error))
}

/// Reads and checks the call-file template.
///
/// # Errors
/// Names the file, and every problem with its line.
pub fn load_template(template_dir: &Path) -> Result<Template, SetUpError> {
    let path = template_dir.join(TEMPLATE_NAME);
    let bytes = std::fs::read(&path).map_err(|source| SetUpError::Template { path: path.clone(), source })?;
    Template::parse(&bytes).map_err(|problems| SetUpError::BadTemplate { path, problems: problems.to_string() })
}

/// Asterisk's spool.
pub struct RealSpool {
    spool: Spool,
    template: Template,
    asterisk_run_dir: PathBuf,
    pulse: Pulse,
    known: Acquaintance,
}

impl RealSpool {
    /// Opens the spool folders and the template.
    pub fn open(settings: &Settings) -> Result<Self, SetUpError> {
        let template = load_template(&settings.template_dir)?;
        let spool = Spool::open(SpoolDirs::below(&settings.spool_dir))?;
        if let Err(error) = make_recordings_folder(&settings.spool_dir) {
            log::warn!("RECORD actions will fail: {error}");
        }
        let asterisk_run_dir = settings.asterisk_run_dir.clone();
        Ok(Self { spool, template, asterisk_run_dir, pulse: Pulse::default(), known: Acquaintance::default() })
    }

    /// Takes what was read again; the folders stay.
    pub fn use_template(&mut self, template: Template, asterisk_run_dir: &Path) {
        self.template = template;
        asterisk_run_dir.clone_into(&mut self.asterisk_run_dir);
    }

    /// Starts the watch; it ends when the returned value is dropped.
    pub fn watch(&self, events: Sender<Event>) -> Result<SpoolWatch, SetUpError> {
        let (outgoing, run_dir) = (self.spool.dirs().outgoing.clone(), self.asterisk_run_dir.clone());
        let forward = move |seen: SpoolEvent| {
            let event = match seen {
                SpoolEvent::Archived { name } => Event::Archived(name),
                SpoolEvent::Changed { .. } => return,
                SpoolEvent::Rescan(why) => {
                    warn!("spool: {why:?}; everything is looked at again{}", for_asterisk(why, &outgoing, &run_dir));
                    Event::Rescan
                }
            };
            // The engine is gone only when the daemon ends.
            let _ = events.send(event);
        };
        Ok(SpoolWatch::start(self.spool.dirs(), forward)?)
    }

    /// Whether an Asterisk runs that did not at the last look.
    pub fn another_asterisk_runs(&mut self) -> bool {
        self.pulse.is_of_another(&self.asterisk_run_dir, crate::clock::now())
    }

    fn asterisk(&self) -> Option<AsteriskRun> {
        running_asterisk(&self.asterisk_run_dir, crate::clock::now())
            .inspect_err(|error| warn!("cannot tell which Asterisk runs: {}", with_sources(error)))
            .unwrap_or_default()
    }
}

impl SpoolPort for RealSpool {
    fn probe(&mut self) -> Result<(), PortError> {
        self.spool.probe().map_err(|e| port_error(&e))
    }

    fn publish(&mut self, call: &Publication) -> Result<(), PortError> {
        let ticketed = Ticketed { ticket: call.ticket, wait_time_s: file_wait_time_s(call.wait_time_s) };
        let bytes = render(&self.template, &ticketed).map_err(PortError::new)?;
        self.spool.publish(call.file, &bytes, call.start_at).map_err(|e| port_error(&e))?;
        self.known.published(call.file);
        Ok(())
    }

    fn withdraw(&mut self, file: SpoolName) -> Result<Withdrawal, PortError> {
        match self.spool.withdraw(file).map_err(|e| port_error(&e))? {
            Withdrawn::Removed => Ok(Withdrawal::Removed),
            Withdrawn::Begun(_) => Ok(Withdrawal::Begun),
            Withdrawn::Gone => Ok(Withdrawal::Gone),
        }
    }

    fn sweep(&mut self, file: SpoolName) -> Result<Withdrawal, PortError> {
        let asterisk = self.asterisk();
        match self.spool.sweep(file, asterisk.as_ref()).map_err(|e| port_error(&e))? {
            Swept::Removed => Ok(Withdrawal::Removed),
            Swept::Left => Ok(Withdrawal::Begun),
            Swept::Gone => Ok(Withdrawal::Gone),
        }
    }

    fn scan(&mut self) -> Result<Vec<Found>, PortError> {
        let asterisk = self.asterisk();
        let scan = self.spool.scan().map_err(|e| port_error(&e))?;
        self.known.saw(asterisk.as_ref(), &scan.files);
        let is_dead = |name: SpoolName, begun: &Begun| self.known.judge(name, begun, asterisk.as_ref()) == Judged::Dead;
        let place = |name: SpoolName, state: FileState| match state {
            FileState::Waiting => Place::Waiting,
            FileState::Begun(begun) if is_dead(name, &begun) => Place::BegunByTheDead,
            FileState::Begun(_) => Place::Begun,
            FileState::Archived { .. } => Place::Archived,
        };
        let mut places: BTreeMap<SpoolName, Place> = BTreeMap::new();
        for (name, source) in scan.unreadable {
            error!("`{name}` in the spool cannot be read, and nothing is concluded from it: {source}");
            places.insert(name, Place::Unreadable);
        }
        places.extend(scan.files.into_iter().map(|(name, state)| (name, place(name, state))));
        Ok(places.into_iter().map(|(file, place)| Found { file, place }).collect())
    }

    fn archived(&mut self, file: SpoolName) -> Result<Archived, PortError> {
        match self.spool.look(file).map_err(|e| port_error(&e))? {
            Some(FileState::Archived { status, ended_at: at }) => {
                Ok(status.map_or(Archived::WithoutStatus, |status| Archived::Ended { status, at }))
            }
            _ => Ok(Archived::NotThere),
        }
    }

    fn remove_archived(&mut self, file: SpoolName) -> Result<(), PortError> {
        self.spool.remove_archived(file).map_err(|e| port_error(&e))
    }

    fn expire_archived(&mut self, before: UtcMs) -> Result<(), PortError> {
        let older = self.spool.archived_older_than(before).map_err(|e| port_error(&e))?;
        older.into_iter().try_for_each(|name| self.remove_archived(name))
    }
}

/// The kernel's random bits.
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), PortError> {
        getrandom::fill(bytes).map_err(|error| PortError::new(format!("no random bits: {error}")))
    }
}
