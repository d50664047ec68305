//! The tokio shell around the sessions: sockets, timers, the ledger; it carries out and decides nothing.

mod connection;
mod desk;
mod limits;
mod listener;
mod peer;
mod wall_clock;

use std::io;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;

use connection::Surroundings;
use wall_clock::WallClock;

pub use desk::Desk;
pub use limits::{Limits, raise_open_files};
pub use listener::{BACKLOG, ListenError, listen};

/// How the server is to end; each is faster than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Not yet.
    NotYet,
    /// No new calls; those in progress may end in their own time, up to [`Limits::grace`].
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
    let (quit, quitting) = watch::channel(());
    let around = Surroundings { desk, limits, wall_clock: Arc::new(WallClock::start()?), quit: quitting };
    let mut sessions = JoinSet::new();
    tokio::select! {
        () = accept_all(&listener, &around, &mut sessions) => {}
        () = reached(&mut stop, Stop::Finish) => {}
    }
    drop(listener);
    log::info!("stopping with {} sessions in progress", sessions.len());
    tokio::select! {
        _ = timeout(limits.grace, all_ended(&mut sessions)) => {}
        () = reached(&mut stop, Stop::Quit) => {}
    }
    quit.send_replace(());
    if timeout(limits.ledger, all_ended(&mut sessions)).await.is_err() {
        log::warn!("sessions were cut off; what they saw last is not recorded");
    }
    Ok(())
}

/// Accepts for ever.
async fn accept_all<D: Desk>(listener: &TcpListener, around: &Surroundings<D>, sessions: &mut JoinSet<()>) {
    let slots = Arc::new(Semaphore::new(around.limits.sessions_max));
    loop {
        tokio::select! {
            Some(ended) = sessions.join_next() => note(ended),
            accepted = accept(listener, &slots) => match accepted {
                Ok((stream, slot)) => {
                    let session = connection::converse(stream, around.clone());
                    sessions.spawn(async move {
                        session.await;
                        drop(slot);
                    });
                }
                Err(error) => {
                    // Out of descriptors, say: what is queued stays queued, and a session's end helps.
                    log::warn!("cannot accept a connection: {error}");
                    tokio::time::sleep(around.limits.accept_pause).await;
                }
            },
        }
    }
}

/// Returns when the server is to end at least as fast as `how`, or nobody is left to say so.
async fn reached(stop: &mut watch::Receiver<Stop>, how: Stop) {
    let _ = stop.wait_for(|stop| *stop >= how).await;
}

async fn all_ended(sessions: &mut JoinSet<()>) {
    while let Some(ended) = sessions.join_next().await {
        note(ended);
    }
}

/// The next connection, as soon as there is room for it; until then it waits in the backlog.
async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    // Commands are short and each waits for its reply: nothing may be held back to be joined.
    stream.set_nodelay(true)?;
    Ok((stream, slot))
}

fn note(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        log::error!("a session broke: {error}");
    }
}
