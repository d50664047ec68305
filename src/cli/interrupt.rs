//! Ctrl-C and SIGTERM for the verbs that must end in good order; all others may just die, because the
//! ledger rolls back what was not committed.

use std::io;
use std::thread;

use nix::sys::signal::{SigSet, Signal};

/// From now on Ctrl-C and SIGTERM do not end the program but call `told`, on a thread of its own, until
/// that says that nobody listens any more. Call it before any other thread starts: they inherit the
/// mask that keeps the signals for this one.
pub fn listen(told: impl Fn() -> Listening + Send + 'static) -> io::Result<()> {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGINT);
    signals.add(Signal::SIGTERM);
    signals.thread_block()?;
    let wait = move || {
        let mut listening = Listening::Still;
        while listening == Listening::Still && signals.wait().is_ok() {
            listening = told();
        }
    };
    thread::Builder::new().name("interrupts".to_owned()).spawn(wait)?;
    Ok(())
}

/// Whether the one who asked still wants to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listening {
    /// Yes.
    Still,
    /// No: the thread ends.
    NoMore,
}
