//! The ledger's answers on their way to their session.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::session::Input;

/// A queue that costs nearly nothing while it is empty: a channel would keep some 2 KiB for each idle call.
#[derive(Debug, Default)]
pub(super) struct Mailbox(Mutex<Letters>);

#[derive(Debug, Default)]
struct Letters {
    answers: VecDeque<Input>,
    /// Of the one task that reads, while it waits.
    reader: Option<Waker>,
}

impl Mailbox {
    /// From any thread.
    pub(super) fn put(&self, answer: Input) {
        let reader = {
            let mut letters = self.letters();
            letters.answers.push_back(answer);
            letters.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// The next answer, for the one task that reads. May be dropped while it waits, and loses nothing.
    pub(super) fn take(&self) -> impl Future<Output = Input> {
        poll_fn(|context| self.poll_take(context))
    }

    fn poll_take(&self, context: &mut Context<'_>) -> Poll<Input> {
        let mut letters = self.letters();
        if let Some(answer) = letters.answers.pop_front() {
            return Poll::Ready(answer);
        }
        match &mut letters.reader {
            Some(reader) => reader.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    fn letters(&self) -> MutexGuard<'_, Letters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
