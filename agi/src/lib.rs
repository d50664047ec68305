//! Campanile's FastAGI server.
pub mod protocol;
pub mod session;
