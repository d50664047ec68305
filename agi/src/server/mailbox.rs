//! The ledger's answers on their way to their session.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::session::Input;

/// A queue that costs nothing while it is empty: a channel would keep some 2 KiB for each idle call.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    answers: Mutex<VecDeque<Input>>,
    came: Notify,
}

impl Mailbox {
    /// From any thread.
    pub(super) fn put(&self, answer: Input) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).push_back(answer);
        self.came.notify_one();
    }

    /// The next answer, for the one task that reads. May be dropped while it waits, and loses nothing.
    pub(super) async fn take(&self) -> Input {
        loop {
            let answer = self.answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            match answer {
                Some(answer) => return answer,
                None => self.came.notified().await,
            }
        }
    }
}
