//! The lab: Campanile's two daemons and its command line against real Asterisk 22 and 16.
//!
//! Each test has a world of its own (an Asterisk, a FastAGI server, a daemon, a ledger, callees) and
//! runs once for each version, so `cargo test --test lab asterisk_22` is the half of it. `make lab`
//! builds what is needed first. See docs/lab.md.

/// Makes a test for each Asterisk of functions that take a [`Version`](harness::Version).
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod asterisk_22 {
            $(#[test] fn $test() { super::$test($crate::harness::Version::V22) })+
        }
        mod asterisk_16 {
            $(#[test] fn $test() { super::$test($crate::harness::Version::V16) })+
        }
    };
}

#[cfg(test)]
mod actions;
#[cfg(test)]
mod caps;
#[cfg(test)]
mod causes;
#[cfg(test)]
mod contacts;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod fates;
#[cfg(test)]
mod floor;
#[cfg(test)]
mod grid;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod process;
#[cfg(test)]
mod retries;
#[cfg(test)]
mod stop;
#[cfg(test)]
mod systems;
#[cfg(test)]
mod traffic;
#[cfg(test)]
mod trunks;
#[cfg(test)]
mod upheavals;
#[cfg(test)]
mod world;
