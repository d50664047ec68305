//! The integration tests: one binary, so that they link once.

#[cfg(test)]
mod cli;
#[cfg(test)]
mod engine;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod tidy;
