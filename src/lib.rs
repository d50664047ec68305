//! Campanile: the auto-dialer that is installed next to Asterisk.
//!
//! The way of one call, and where it is written down:
//!
//! * [`domain`] holds the rules, pure: numbers, calendars, the plan, the gate, dispositions, retries.
//! * [`ledger`] is the order book, in SQLite; [`callfile`] and [`spool`] turn an order into a ticket that
//!   Asterisk finds at the right second.
//! * [`daemon`] is `campanile serve`: wake-ups in, one serial engine, effects out.
//! * [`cli`] is everything else that `campanile` can be told.
//! * The package `campanile-agi` answers Asterisk while a call runs; it uses [`domain`], [`ledger`] and
//!   [`settings`], and builds without the rest (feature `companion`).

pub mod callfile;
#[cfg(feature = "companion")]
pub mod cli;
pub mod clock;
#[cfg(feature = "companion")]
pub mod daemon;
#[cfg(feature = "companion")]
pub mod doctor;
pub mod domain;
pub mod exit;
#[cfg(feature = "companion")]
pub mod intake;
pub mod ledger;
pub mod logging;
pub mod settings;
#[cfg(feature = "companion")]
pub mod spool;
pub mod wake;
