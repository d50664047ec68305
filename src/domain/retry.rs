//! What follows from a disposition: again, and when, or a final state.

/// What a contact's calls have cost so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ContactTally {
    pub charged: u32,
    pub dials: u32,
    pub invalid_strikes: u32,
}
