//! Campanile: the auto-dialer that is installed next to Asterisk.
pub mod clock;
pub mod domain;
pub mod exit;
pub mod logging;
pub mod settings;
