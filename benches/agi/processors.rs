//! Who runs where. Servers and clients that share two processors push each other off them, and what is measured
//! is the scheduler.

use std::io;
use std::process::{Child, Command};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// Where a server runs; clients run on the first processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Alone on the last processor.
    Apart,
    /// Where the system puts it, also beside the clients.
    Anywhere,
}

/// The processors that this program was given.
#[derive(Debug, Clone)]
pub struct Processors(Vec<usize>);

impl Processors {
    /// Leaves all but the first to the servers.
    pub fn keep_first() -> io::Result<Self> {
        let given = sched_getaffinity(this_thread())?;
        let all = Self((0..CpuSet::count()).filter(|processor| given.is_set(*processor) == Ok(true)).collect());
        all.stay_on(all.first())?;
        Ok(all)
    }

    /// Starts a server: a child runs where its parent may when it is started.
    pub fn start(&self, command: &mut Command, place: Place) -> io::Result<Child> {
        match place {
            Place::Apart => self.stay_on(&self.0[self.0.len().saturating_sub(1)..])?,
            Place::Anywhere => self.stay_on(&self.0)?,
        }
        let child = command.spawn();
        self.stay_on(self.first())?;
        child
    }

    fn first(&self) -> &[usize] {
        &self.0[..self.0.len().min(1)]
    }

    fn stay_on(&self, processors: &[usize]) -> io::Result<()> {
        let mut set = CpuSet::new();
        processors.iter().try_for_each(|processor| set.set(*processor))?;
        Ok(sched_setaffinity(this_thread(), &set)?)
    }
}

fn this_thread() -> Pid {
    Pid::from_raw(0)
}
