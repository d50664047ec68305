//! Campanile: the auto-dialer that is installed next to Asterisk.
pub mod clock;
pub mod domain;
#[cfg(feature = "companion")]
pub mod intake;
