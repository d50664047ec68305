//! Campanile's FastAGI server.
pub mod protocol;
