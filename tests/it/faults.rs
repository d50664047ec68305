//! Faults of the machine: what is said, how it ends, and that nothing is lost (docs/faults.md).

mod disks;
mod fastagi;
mod running;
mod starting;
