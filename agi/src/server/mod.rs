//! The tokio shell around the sessions: sockets, timers, the ledger; it carries out and decides nothing.

mod calls;
mod complaints;
mod connection;
mod desk;
mod limits;
mod listener;
mod lobby;
mod mailbox;
mod peer;
mod reception;
mod wall_clock;

use std::io;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout, timeout_at};

use calls::{Calls, Counting};
use complaints::Complaints;
use connection::{Closing, Surroundings};
use reception::Reception;
use wall_clock::WallClock;

pub use desk::Desk;
pub use limits::{Limits, raise_open_files};
pub use listener::{BACKLOG, ListenError, inherit, listen};

/// How the server is to end; each is faster than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Not yet.
    NotYet,
    /// When no call is in progress, or after [`Limits::grace`]; until then all are served (decision 0012).
    Finish,
    /// Now: calls in progress lose their connection, and the dialplan ends them.
    Quit,
}

/// Answers Asterisk until told to stop. An error means that it did not begin.
pub async fn serve<D: Desk>(
    listener: TcpListener,
    desk: D,
    limits: Limits,
    mut stop: watch::Receiver<Stop>,
) -> io::Result<()> {
    let (closing, closes) = watch::channel(Closing::Open);
    let wall_clock = Arc::new(WallClock::start()?);
    let slots = Arc::new(Semaphore::new(limits.sessions_max));
    let waiting_reports = Arc::new(Semaphore::new(limits.reports_waiting_max));
    let calls = Calls::default();
    let desk = Counting { desk, calls: calls.clone() };
    let (waited, complaints) = (Arc::default(), Complaints::default());
    let around = Surroundings { desk, limits, wall_clock, slots, waiting_reports, waited, closing: closes, complaints };
    let mut reception = Reception::new(around, calls);
    tokio::select! {
        () = reception.receive(&listener) => {}
        () = reached(&mut stop, Stop::Finish) => {}
    }
    let deadline = Instant::now() + limits.grace;
    log::info!("stopping with {} calls in progress", reception.in_progress());
    tokio::select! {
        _ = timeout_at(deadline, reception.receive_until_idle(&listener)) => {}
        () = reached(&mut stop, Stop::Quit) => {}
    }
    drop(listener);
    tokio::select! {
        () = dismiss(&mut reception, &closing, deadline, limits) => {}
        () = reached(&mut stop, Stop::Quit) => {}
    }
    closing.send_replace(Closing::All);
    if timeout(limits.ledger, reception.all_ended()).await.is_err() {
        log::warn!("sessions were cut off; what they saw last is not recorded");
    }
    Ok(())
}

/// Waits for whoever is left; from `deadline` on only for gates and reports.
async fn dismiss<D: Desk>(
    reception: &mut Reception<D>,
    closing: &watch::Sender<Closing>,
    deadline: Instant,
    limits: Limits,
) {
    if timeout_at(deadline, reception.all_ended()).await.is_err() {
        closing.send_replace(Closing::Runs);
        let _ = timeout(limits.farewell, reception.all_ended()).await;
    }
}

/// Returns when the server is to end at least as fast as `how`, or nobody is left to say so.
async fn reached(stop: &mut watch::Receiver<Stop>, how: Stop) {
    let _ = stop.wait_for(|stop| *stop >= how).await;
}
