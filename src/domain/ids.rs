//! Identities: row ids of the ledger, and the ticket that a call file carries.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! row_id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

row_id! {
    /// A user of the dialer; campaigns belong to one.
    UserId,
    /// A line out.
    TrunkId,
    /// A campaign.
    CampaignId,
    /// A calendar with a name.
    CalendarId,
    /// A call generation algorithm.
    AlgorithmId,
    /// A check of lines.
    LineCheckId,
    /// A contact of a campaign.
    ContactId,
    /// An import of contacts.
    ImportId,
    /// An attempt: one call file, one claim, one disposition.
    AttemptId,
    /// A do-not-call list.
    DncListId,
    /// A set of time zones that contacts have in common.
    ZoneClassId,
    /// A frozen action list; editing a campaign's actions makes a new one.
    ActionListId,
}

/// The random name of an attempt towards Asterisk: 128 bits, of no use twice.
///
/// FastAGI has no authentication, so whoever guesses a ticket could speak for a call
/// (asterisk.md 9): `Debug` shows only its first digits, and comparison takes constant time.
#[derive(Clone, Copy)]
pub struct Ticket([u8; 16]);

/// A text that is not a ticket: anything but 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a ticket is 32 lower-case hexadecimal digits")]
pub struct NotATicket;

impl Ticket {
    /// A ticket of these random bits.
    #[must_use]
    pub fn new(bits: [u8; 16]) -> Self {
        Self(bits)
    }
}

impl PartialEq for Ticket {
    fn eq(&self, other: &Self) -> bool {
        let differing = self.0.iter().zip(other.0).fold(0, |acc, (a, b)| acc | (a ^ b));
        differing == 0
    }
}

impl Eq for Ticket {}

/// All 32 digits: for the call file and the ledger, never for a log.
impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

impl FromStr for Ticket {
    type Err = NotATicket;

    fn from_str(text: &str) -> Result<Self, NotATicket> {
        let digits = text.as_bytes();
        if digits.len() != 32 {
            return Err(NotATicket);
        }
        let mut bits = [0; 16];
        for (bit, pair) in bits.iter_mut().zip(digits.chunks_exact(2)) {
            *bit = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Ok(Self(bits))
    }
}

fn nibble(digit: u8) -> Result<u8, NotATicket> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(NotATicket),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_reads_back_as_written() {
        let ticket = Ticket::new([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xa0, 0xb1, 0xc2, 0xd3, 0xe4, 0xff]);
        assert_eq!(ticket.to_string().parse(), Ok(ticket));
    }

    #[test]
    fn what_is_not_a_ticket_is_refused() {
        for text in ["", "00", &"0".repeat(31), &"0".repeat(33), &"A".repeat(32), &"g".repeat(32), &"é".repeat(16)] {
            assert_eq!(text.parse::<Ticket>(), Err(NotATicket), "{text}");
        }
    }

    #[test]
    fn debug_does_not_give_a_ticket_away() {
        let shown = format!("{:?}", Ticket::new([0xab; 16]));
        assert_eq!(shown, "Ticket(abab…)");
    }
}
