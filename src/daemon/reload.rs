//! SIGHUP: the settings are read again and, between two steps, applied as far as a running daemon can.

use std::sync::mpsc::Sender;

use log::{error, info, warn};
use tokio::runtime::Handle;
use tokio_cron_scheduler::JobScheduler;

use super::engine::{Engine, EngineLimits};
use super::event::Event;
use super::port::Entropy;
use super::real::{RealSpool, load_template};
use super::shell::{self, ShellError};
use crate::settings::{Difference, Loaded, Problems, Settings};

/// What the running daemon cannot change: folders that it holds open or locked, and its log.
const NEEDS_RESTART: [&str; 3] = ["spool_dir", "state_dir", "log_config"];

/// What only `campanile-agi` uses.
const OF_THE_SERVER: [&str; 2] = ["agi_listen", "agi_sessions_max"];

/// The settings that hold, and how to read them again.
pub(super) struct Reload<'a> {
    settings: Settings,
    read: &'a dyn Fn() -> Result<Loaded, Problems>,
    cron: Cron,
}

impl<'a> Reload<'a> {
    pub(super) fn new(settings: &Settings, read: &'a dyn Fn() -> Result<Loaded, Problems>, cron: Cron) -> Self {
        Self { settings: settings.clone(), read, cron }
    }

    /// Reads the settings and the template again. If anything is wrong with them, all of the old ones hold.
    pub(super) fn apply<E: Entropy>(&mut self, engine: &mut Engine<RealSpool, E>) {
        match self.try_apply(engine) {
            Ok(applied) if applied.is_empty() => info!("SIGHUP: the settings were read again, nothing to apply"),
            Ok(applied) => applied.iter().for_each(|change| info!("SIGHUP: applied {change}")),
            Err(problem) => error!("SIGHUP: the settings stay as they were: {problem}"),
        }
    }

    fn try_apply<E: Entropy>(&mut self, engine: &mut Engine<RealSpool, E>) -> Result<Vec<Difference>, String> {
        let loaded = (self.read)().map_err(|problems| problems.to_string())?;
        loaded.warnings.iter().for_each(|warning| warn!("{warning}"));
        let template = load_template(&loaded.settings.template_dir).map_err(|problem| problem.to_string())?;
        let (held, changed) = self.sort_out(&loaded.settings);
        if changed.iter().any(|change| change.key == "cron_interval") {
            self.cron.restart(loaded.settings.cron_interval).map_err(|problem| problem.to_string())?;
        }
        self.settings = Settings {
            spool_dir: self.settings.spool_dir.clone(),
            state_dir: self.settings.state_dir.clone(),
            log_config: self.settings.log_config.clone(),
            ..loaded.settings
        };
        engine.spool_mut().use_template(template, &self.settings.asterisk_run_dir);
        engine.use_limits(EngineLimits::of(&self.settings));
        held.iter().for_each(|change| warn!("SIGHUP: {change} needs a restart of `campanile serve`"));
        Ok(changed)
    }

    /// The clock was set back, and cron would wait for the instant of its next tick.
    pub(super) fn tick_anew(&mut self) {
        match self.cron.restart(self.settings.cron_interval) {
            Ok(()) => info!("the clock was set back: cron's tick begins anew"),
            Err(problem) => warn!("the clock was set back, and cron's tick cannot begin anew: {problem}"),
        }
    }

    /// What needs a restart, and what is applied here.
    fn sort_out(&self, new: &Settings) -> (Vec<Difference>, Vec<Difference>) {
        let differences = self.settings.differences(new).into_iter();
        let ours = differences.filter(|change| !OF_THE_SERVER.contains(&change.key));
        ours.partition(|change| NEEDS_RESTART.contains(&change.key))
    }
}

/// The cron tick, which can be given another interval.
pub(super) struct Cron {
    runtime: Handle,
    events: Sender<Event>,
    scheduler: JobScheduler,
}

impl Cron {
    pub(super) fn start(runtime: Handle, interval: u32, events: Sender<Event>) -> Result<Self, ShellError> {
        let scheduler = runtime.block_on(shell::start_cron(interval, events.clone()))?;
        Ok(Self { runtime, events, scheduler })
    }

    fn restart(&mut self, interval: u32) -> Result<(), ShellError> {
        let new = self.runtime.block_on(shell::start_cron(interval, self.events.clone()))?;
        let mut old = std::mem::replace(&mut self.scheduler, new);
        // One that does not end costs a look too many.
        if let Err(problem) = self.runtime.block_on(old.shutdown()) {
            warn!("the old cron tick goes on beside the new one: {problem}");
        }
        Ok(())
    }
}
