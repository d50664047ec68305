//! What must hold for any bytes: one function `check` for each target. It panics when something
//! does not hold. The fuzzers call it with what they invent, `make test` with the seeds.

pub mod agi_codec;
pub mod agi_session;
pub mod archive;
pub mod call_file;
pub mod holidays;
pub mod numbers;
pub mod settings;
pub mod template;
