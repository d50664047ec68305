//! The tokio shell: cron, signals and the wake-up socket. It only sends events into the engine's loop.

use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;

use log::{info, warn};
use tokio::net::UnixDatagram;
use tokio::signal::unix::{SignalKind, signal};
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use super::event::Event;
use crate::domain::plan::pace;
use crate::wake::Change;

/// Why the shell could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum ShellError {
    /// The cron scheduler.
    #[error("start the cron tick: {0}")]
    Cron(#[from] JobSchedulerError),
    /// The wake-up socket.
    #[error("listen on the wake-up socket `{}`: {source}", path.display())]
    Wake {
        /// Where.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Signals or the runtime.
    #[error("listen for signals: {0}")]
    Signals(#[from] std::io::Error),
}

/// Sends a [`Event::Tick`] a little before each interval begins, as cron would.
pub async fn start_cron(cron_interval: u32, events: Sender<Event>) -> Result<JobScheduler, ShellError> {
    let scheduler = JobScheduler::new().await?;
    let job = Job::new(pace::wake_cron(cron_interval).as_str(), move |_, _| {
        // The engine is gone only when the daemon ends.
        let _ = events.send(Event::Tick);
    })?;
    scheduler.add(job).await?;
    scheduler.start().await?;
    Ok(scheduler)
}

/// Binds the wake-up socket; one that a dead daemon left is replaced (we hold the lock).
pub fn bind_wake(path: &Path) -> Result<UnixDatagram, ShellError> {
    let failed = |source| ShellError::Wake { path: path.to_owned(), source };
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    UnixDatagram::bind(path).map_err(failed)
}

/// Turns datagrams and signals into events until a signal asks for the end.
pub async fn listen(wake: UnixDatagram, events: Sender<Event>) -> Result<(), ShellError> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut datagram = [0; 8];
    loop {
        let event = tokio::select! {
            _ = terminate.recv() => Event::Stop,
            _ = interrupt.recv() => Event::Stop,
            _ = hangup.recv() => Event::Reload,
            received = wake.recv(&mut datagram) => match received {
                Ok(length) => Event::Changed(Change::of_datagram(&datagram[..length])),
                Err(error) => {
                    warn!("the wake-up socket failed ({error}); the ledger is looked at every second instead");
                    std::future::pending().await
                }
            },
        };
        let stop = event == Event::Stop;
        if events.send(event).is_err() || stop {
            info!("ending: planned calls stay in the spool, and campanile-agi goes on answering for them");
            return Ok(());
        }
    }
}
