//! The server over real TCP, with a fake Asterisk on the other side and a ledger in memory.
#![expect(clippy::unwrap_used, reason = "all of this crate is tests, also what is no #[test] itself")]

mod admission;
mod asterisk;
mod calls;
mod desk;
mod hostile;
mod overload;
mod program;
mod refusals;
mod seeds;
mod shutdown;
mod tickets;
mod world;
