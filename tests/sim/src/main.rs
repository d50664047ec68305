//! Campanile in a simulated world: one thread, virtual time, one seed decides everything.

fn main() {}
