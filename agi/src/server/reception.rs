//! Accepts connections and keeps account of them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinError, JoinSet};

use super::calls::Calls;
use super::connection::{Surroundings, converse};
use super::desk::Desk;
use super::lobby::Lobby;

/// How many of those who were turned out may still be on their way; covered by the reserve of files.
const LEAVING_MAX: usize = 64;

/// Whoever has just come shows within this time that it is a call. A gate that went unnoticed would tell a call
/// to go whose answer and report find nobody.
const QUIET: Duration = Duration::from_millis(250);

/// Everybody who is connected, and those whose last words the ledger still has to take.
pub(super) struct Reception<D> {
    around: Arc<Surroundings<D>>,
    lobby: Lobby,
    tasks: JoinSet<()>,
    calls: Calls,
    turned_out: u64,
}

impl<D: Desk> Reception<D> {
    pub(super) fn new(around: Surroundings<D>, calls: Calls) -> Self {
        Self { around: Arc::new(around), lobby: Lobby::default(), tasks: JoinSet::new(), calls, turned_out: 0 }
    }

    /// Accepts for ever.
    pub(super) async fn receive(&mut self, listener: &TcpListener) {
        loop {
            self.step(listener).await;
        }
    }

    /// Accepts as long as a call is in progress, and until none has been for [`QUIET`].
    pub(super) async fn receive_until_idle(&mut self, listener: &TcpListener) {
        loop {
            while self.in_progress() > 0 {
                self.step(listener).await;
            }
            let quiet = async {
                while self.in_progress() == 0 {
                    self.step(listener).await;
                }
            };
            let _over = tokio::time::timeout(QUIET, quiet).await;
            if self.in_progress() == 0 {
                return;
            }
        }
    }

    /// How many calls ring or talk, or how many have shown a ticket and are not done, whichever are more.
    pub(super) fn in_progress(&self) -> usize {
        self.tasks.len().saturating_sub(self.lobby.len()).max(self.calls.len())
    }

    /// Returns when everybody is done.
    pub(super) async fn all_ended(&mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            note(ended);
        }
    }

    /// Waits for one to come or to end. Only the acceptance itself may be dropped unfinished.
    async fn step(&mut self, listener: &TcpListener) {
        let crowded = self.tasks.len() >= self.around.limits.connections_max + LEAVING_MAX;
        tokio::select! {
            Some(ended) = self.tasks.join_next() => note(ended),
            accepted = listener.accept(), if !crowded => match accepted {
                Ok((stream, _)) => self.welcome(stream),
                Err(error) => self.pause(&error).await,
            },
        }
    }

    fn welcome(&mut self, stream: TcpStream) {
        // Commands are short and each waits for its reply: nothing may be held back to be joined.
        if let Err(error) = stream.set_nodelay(true) {
            return log::debug!("a connection broke at once: {error}");
        }
        if self.tasks.len() >= self.around.limits.connections_max {
            self.make_room(self.lobby.youngest());
        }
        let around = Arc::clone(&self.around);
        self.lobby.enter(&mut self.tasks, |place| converse(stream, place, around));
    }

    fn make_room(&mut self, youngest: u64) {
        if self.lobby.turn_out_oldest(youngest) {
            self.turned_out += 1;
            // Whoever fills the server must not fill the log as well.
            if self.turned_out.is_power_of_two() {
                log::warn!("full: turned out {} connections that showed no known ticket", self.turned_out);
            }
        }
    }

    /// Somebody else has used up the machine's files, say: what is queued stays queued. An accept fails like
    /// this even when nobody is queued, so whoever came just now gets the pause to show a ticket.
    async fn pause(&mut self, error: &io::Error) {
        self.around.complaints.tell(format_args!("cannot accept a connection: {error}"));
        let youngest = self.lobby.youngest();
        tokio::time::sleep(self.around.limits.accept_pause).await;
        self.make_room(youngest);
    }
}

fn note(ended: Result<(), JoinError>) {
    match ended {
        Err(error) if !error.is_cancelled() => log::error!("a session broke: {error}"),
        _ => {}
    }
}
