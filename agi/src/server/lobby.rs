//! Where a connection waits until it shows a ticket that the ledger knows.
//!
//! FastAGI knows no passwords, so any program of this machine may connect. What it may not do is take
//! a call's place: whoever has shown nothing yet makes room for whoever came later (decision 0011).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::{AbortHandle, JoinSet};

/// The connections that nobody knows yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Lobby(Arc<Mutex<Newcomers>>);

#[derive(Debug, Default)]
struct Newcomers {
    /// In the order in which they came; without a handle only while one is being started.
    waiting: BTreeMap<u64, Option<AbortHandle>>,
    came: u64,
}

/// A newcomer's place; given up when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    lobby: Lobby,
    number: u64,
}

impl Lobby {
    /// Starts the task of a newcomer.
    pub(super) fn enter<F>(&self, tasks: &mut JoinSet<()>, newcomer: impl FnOnce(Place) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let number = {
            let mut newcomers = self.newcomers();
            newcomers.came += 1;
            let number = newcomers.came;
            newcomers.waiting.insert(number, None);
            number
        };
        let handle = tasks.spawn(newcomer(Place { lobby: self.clone(), number }));
        // It may have left already.
        if let Some(entry) = self.newcomers().waiting.get_mut(&number) {
            *entry = Some(handle);
        }
    }

    /// Ends the task that has waited longest, if it is no younger than `youngest`; false when there is none.
    /// From here on its [`Place::leave`] fails, so that it does nothing more even if it is just running.
    pub(super) fn turn_out_oldest(&self, youngest: u64) -> bool {
        let oldest = {
            let mut newcomers = self.newcomers();
            let old = newcomers.waiting.first_key_value().is_some_and(|(number, _)| *number <= youngest);
            if old { newcomers.waiting.pop_first() } else { None }
        };
        if let Some((_, Some(handle))) = &oldest {
            handle.abort();
        }
        oldest.is_some()
    }

    /// The number of the youngest who ever came.
    pub(super) fn youngest(&self) -> u64 {
        self.newcomers().came
    }

    pub(super) fn len(&self) -> usize {
        self.newcomers().waiting.len()
    }

    fn newcomers(&self) -> MutexGuard<'_, Newcomers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Leaves as somebody known, who is not turned out any more; false when that has happened already.
    #[must_use]
    pub(super) fn leave(self) -> bool {
        self.give_up()
    }

    fn give_up(&self) -> bool {
        self.lobby.newcomers().waiting.remove(&self.number).is_some()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.give_up();
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::sync::oneshot;

    use super::*;

    /// A newcomer who waits for ever, and its place.
    fn come(lobby: &Lobby, tasks: &mut JoinSet<()>) -> Place {
        let mut given = None;
        lobby.enter(tasks, |place| {
            given = Some(place);
            pending()
        });
        given.unwrap()
    }

    #[tokio::test]
    async fn the_oldest_is_turned_out_first_and_may_not_leave_as_known() {
        let (lobby, mut tasks) = (Lobby::default(), JoinSet::new());
        let (oldest, next) = (come(&lobby, &mut tasks), come(&lobby, &mut tasks));
        assert!(!lobby.turn_out_oldest(0), "who just came may stay");
        assert!(lobby.turn_out_oldest(lobby.youngest()));
        assert!(tasks.join_next().await.unwrap().unwrap_err().is_cancelled());
        assert!(!oldest.leave());
        assert!(next.leave());
        assert!(!lobby.turn_out_oldest(lobby.youngest()), "who is known stays");
        assert_eq!(tasks.len(), 1);
    }

    #[tokio::test]
    async fn a_place_ends_with_its_task() {
        let (lobby, mut tasks) = (Lobby::default(), JoinSet::new());
        let (end, ends) = oneshot::channel::<()>();
        lobby.enter(&mut tasks, |place| async move {
            let _ = ends.await;
            drop(place);
        });
        assert_eq!(lobby.len(), 1);
        end.send(()).unwrap();
        tasks.join_next().await.unwrap().unwrap();
        assert_eq!(lobby.len(), 0);
    }
}
