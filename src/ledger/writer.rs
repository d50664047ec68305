//! Group commit: many callers, one writer thread, one durable transaction for all that wait.
//!
//! A commit with `synchronous=FULL` costs a flush of the disk, whatever it holds. The writer takes all
//! jobs that wait, runs each in a savepoint of its own (one that fails leaves nothing behind), commits
//! once, and only then answers: what a caller hears is durable (I8).

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use super::{Ledger, LedgerError, Result};

/// The most jobs in one transaction: bounds how long the first of them waits.
const JOBS_PER_COMMIT_MAX: usize = 256;

/// Why nothing of a transaction happened that SQLite gave up by itself.
const ROLLED_BACK: &str = "it was rolled back, because the disk is full or broken";
/// How long a commit waits for others' jobs while it has none that is urgent, in milliseconds.
const LINGER_MS: i64 = 20;

/// How soon a job is to be durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Haste {
    /// A call is held meanwhile.
    Urgent,
    /// Within some hundredths of a second: the commit may be shared.
    Patient,
}

/// Runs after the commit, with its outcome.
type Answer = Box<dyn FnOnce(&std::result::Result<(), String>) + Send>;
/// Runs inside the transaction; `None` when it could not begin.
type Job = Box<dyn FnOnce(Option<&Connection>) -> Answer + Send>;

/// A handle to the writer thread; the thread ends when the last handle is gone.
#[derive(Clone)]
pub struct Writer {
    jobs: Sender<(Haste, Job)>,
}

impl Writer {
    /// Opens the ledger and starts the thread. `committed` runs after each commit that had a job.
    pub fn start(path: &Path, committed: impl Fn() + Send + 'static) -> Result<Self> {
        let mut ledger = Ledger::open(path)?;
        let (jobs, waiting) = channel::<(Haste, Job)>();
        thread::Builder::new()
            .name("ledger-writer".to_owned())
            .spawn(move || write_all(&mut ledger.connection, &waiting, &committed))
            .map_err(|_| LedgerError::Stopped)?;
        Ok(Self { jobs })
    }

    /// Queues `work`; `done` hears its result once it is durable, or why it did not happen.
    pub fn submit<T: Send + 'static>(
        &self,
        haste: Haste,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
        done: impl FnOnce(Result<T>) + Send + 'static,
    ) {
        let job: Job = Box::new(move |db| match db.map(|db| in_savepoint(db, work)) {
            Some(Err(error)) => Box::new(move |_| done(Err(error))),
            outcome => Box::new(move |committed| match (committed, outcome) {
                (Ok(()), Some(value)) => done(value),
                (Ok(()), None) => done(Err(LedgerError::Stopped)),
                (Err(reason), _) => done(Err(LedgerError::NotCommitted(reason.clone()))),
            }),
        });
        // A writer that is gone drops the job, and `done` with it: the caller's channel closes.
        let _ = self.jobs.send((haste, job));
    }
}

fn in_savepoint<T>(db: &Connection, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    db.prepare_cached("SAVEPOINT job")?.execute([])?;
    let result = work(db);
    if result.is_err() {
        db.prepare_cached("ROLLBACK TO job")?.execute([])?;
    }
    db.prepare_cached("RELEASE job")?.execute([])?;
    result
}

fn write_all(connection: &mut Connection, waiting: &Receiver<(Haste, Job)>, committed: &impl Fn()) {
    while let Ok(first) = waiting.recv() {
        let jobs = gather(first, waiting);
        let (answers, outcome) = commit(connection, jobs);
        if outcome.is_ok() {
            committed();
        }
        answers.into_iter().for_each(|answer| answer(&outcome));
    }
}

/// All jobs that wait; while none of them is urgent, those that come within [`LINGER_MS`], too.
fn gather((mut haste, first): (Haste, Job), waiting: &Receiver<(Haste, Job)>) -> Vec<Job> {
    let mut jobs = vec![first];
    let end = crate::clock::now().plus_ms(LINGER_MS);
    while jobs.len() < JOBS_PER_COMMIT_MAX {
        let left_ms = match haste {
            Haste::Urgent => 0,
            // A clock that is set back must not make anybody wait longer.
            Haste::Patient => end.since_ms(crate::clock::now()).clamp(0, LINGER_MS),
        };
        let left = Duration::from_millis(left_ms.unsigned_abs());
        let next = if left.is_zero() { waiting.try_recv().ok() } else { waiting.recv_timeout(left).ok() };
        let Some((next, job)) = next else { break };
        if next == Haste::Urgent {
            haste = next;
        }
        jobs.push(job);
    }
    jobs
}

/// Every job has an answer, also when no transaction began.
fn commit(connection: &mut Connection, jobs: Vec<Job>) -> (Vec<Answer>, std::result::Result<(), String>) {
    match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(transaction) => {
            // A full disk makes SQLite roll all of it back by itself: what came after would be a
            // transaction of its own.
            let alive = |db: &Connection| !db.is_autocommit();
            let run = |job: Job| job(Some(&*transaction).filter(|db| alive(db)));
            let answers = jobs.into_iter().map(run).collect();
            if !alive(&transaction) {
                return (answers, Err(ROLLED_BACK.to_owned()));
            }
            (answers, transaction.commit().map_err(|error| error.to_string()))
        }
        Err(error) => (jobs.into_iter().map(|job| job(None)).collect(), Err(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn when_no_transaction_begins_every_caller_hears_why() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("BEGIN").unwrap();
        let (jobs, waiting) = channel();
        let writer = Writer { jobs };
        let (heard, told) = channel();
        for place in 0..3 {
            let heard = heard.clone();
            writer.submit(
                Haste::Patient,
                |_| -> Result<()> { panic!("nothing began") },
                move |result| {
                    heard.send((place, result)).unwrap();
                },
            );
        }
        drop((writer, heard));
        write_all(&mut connection, &waiting, &|| panic!("nothing was committed"));
        let told: Vec<_> = told.iter().collect();
        let because = |r: &Result<()>| matches!(r, Err(LedgerError::NotCommitted(why)) if why.contains("transaction"));
        assert!(told.len() == 3 && told.iter().all(|(_, result)| because(result)), "{told:?}");
    }
}
