//! Chance that comes again: one seed, one world.

use campanile::daemon::port::{Entropy, PortError};

/// splitmix64.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `end`, without it.
    pub fn below(&mut self, end: i64) -> i64 {
        (self.bits() >> 1) as i64 % end.max(1)
    }

    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below(high - low + 1)
    }

    /// True in so many of a thousand cases.
    pub fn per_mille(&mut self, cases: i64) -> bool {
        self.below(1000) < cases
    }

    pub fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len() as i64) as usize]
    }

    /// A stream of its own that this one's later draws do not change.
    pub fn fork(&mut self) -> Self {
        Self(self.bits())
    }
}

impl Entropy for Chance {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), PortError> {
        for part in bytes.chunks_mut(8) {
            part.copy_from_slice(&Chance::bits(self).to_le_bytes()[..part.len()]);
        }
        Ok(())
    }
}
