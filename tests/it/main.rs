//! The integration tests: one binary, so that they link once.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod detour;
#[cfg(test)]
mod engine;
#[cfg(test)]
mod fake_asterisk;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod foreign_text;
#[cfg(test)]
mod imports;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod mistakes;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod tidy;
