//! `AMD`: where a call goes on whoever answered.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Target;
use crate::domain::evidence::WhoAnswered;

/// Where a call goes on when a human answered, when a machine did, and when nobody can say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amd {
    /// A human.
    pub human: Target,
    /// A machine.
    pub machine: Target,
    /// Not sure: it counts as a human, for a person who hears nothing is worse than a machine that hears something.
    pub unsure: Target,
}

impl Amd {
    /// Where it goes on.
    #[must_use]
    pub fn target(&self, who: WhoAnswered) -> &Target {
        match who {
            WhoAnswered::Human => &self.human,
            WhoAnswered::Machine => &self.machine,
            WhoAnswered::Unsure => &self.unsure,
        }
    }

    pub(super) fn ways(&self) -> Vec<(String, &Target)> {
        WhoAnswered::ALL.iter().map(|who| (who.to_string(), self.target(*who))).collect()
    }
}

impl fmt::Display for Amd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ways().into_iter().try_for_each(|(way, target)| write!(f, " {way}={target}"))
    }
}
