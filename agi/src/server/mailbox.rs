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
    good_news: GoodNews,
    /// How many pieces of good news were only counted.
    counted: usize,
    /// Of the one task that reads, while it waits.
    reader: Option<Waker>,
}

/// What becomes of the word that a fact is durable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum GoodNews {
    /// It is told like everything else.
    #[default]
    Told,
    /// It is counted: nobody waits for it, and each word would wake the thread that serves all calls.
    Counted,
}

impl Mailbox {
    pub(super) fn new(good_news: GoodNews) -> Self {
        Self(Mutex::new(Letters { good_news, ..Letters::default() }))
    }

    /// From any thread.
    pub(super) fn put(&self, answer: Input) {
        let reader = {
            let mut letters = self.letters();
            if letters.good_news == GoodNews::Counted && matches!(answer, Input::Recorded(Ok(()))) {
                letters.counted += 1;
                return;
            }
            letters.answers.push_back(answer);
            letters.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// How many pieces of good news were counted; those that are still to come are told.
    pub(super) fn stop_counting(&self) -> usize {
        let mut letters = self.letters();
        letters.good_news = GoodNews::Told;
        std::mem::take(&mut letters.counted)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::LedgerDown;

    #[tokio::test]
    async fn good_news_is_counted_until_somebody_waits_for_it_and_bad_news_is_told() {
        let mailbox = Mailbox::new(GoodNews::Counted);
        (0..3).for_each(|_| mailbox.put(Input::Recorded(Ok(()))));
        mailbox.put(Input::Recorded(Err(LedgerDown("full".to_owned()))));
        assert!(matches!(mailbox.take().await, Input::Recorded(Err(_))));
        assert_eq!(mailbox.stop_counting(), 3);
        mailbox.put(Input::Recorded(Ok(())));
        assert!(matches!(mailbox.take().await, Input::Recorded(Ok(()))));
        assert_eq!(mailbox.stop_counting(), 0);
    }
}
