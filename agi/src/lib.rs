//! Campanile's FastAGI server: it answers Asterisk while a call runs.
//!
//! - [`protocol`]: FastAGI as bytes, pure.
//! - [`session`]: what is said in which order, pure: the gate, the answered leg, the report, the ping.
//! - [`server`]: sockets, timers and the ledger around them.
//!
//! The dialplan (`etc/asterisk/extensions_campanile.conf`) is the other side of all three.

pub mod protocol;
pub mod server;
pub mod session;
mod start;
mod wiring;

pub use start::agi_main;
