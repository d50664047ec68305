//! Calls as traffic: what a campaign adds to its INVITEs, and what it makes up to load a line.
//!
//! Headers and codecs may go anywhere. Calls that are cancelled while they ring, and calls that last as long as a
//! die says, are for lines that end at a test: on a real one they would be missed calls and silence for people.
//! What is made up is drawn once, when the call is planned, and frozen with it.

mod codec;
mod duration;
mod header;

use std::fmt;
use std::str::FromStr;

use super::name::Name;
use super::trunk::{Trunk, TrunkLine};

pub use codec::{Codec, Codecs, CodecsRefusal};
pub use duration::{DURATION_MS_MAX, DURATION_MS_MIN, DurationRefusal, DurationRule, time_in_words, time_ms};
pub use header::{HEADERS_MAX, Header, HeaderName, HeaderRefusal, HeaderText, Headers, TypedHeader};

/// The part of a campaign's calls that is cancelled while they ring, in percent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CancelRatio(u8);

/// A text that is no share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no share of the calls: write whole percent, such as 50%, from 0% to 100%")]
pub struct NoRatio(String);

impl CancelRatio {
    /// So many percent; `None` for more than all.
    #[must_use]
    pub fn of_percent(percent: u8) -> Option<Self> {
        (percent <= 100).then_some(Self(percent))
    }

    /// In percent.
    #[must_use]
    pub fn percent(self) -> u8 {
        self.0
    }
}

impl FromStr for CancelRatio {
    type Err = NoRatio;

    fn from_str(text: &str) -> Result<Self, NoRatio> {
        let refused = || NoRatio(text.chars().take(40).collect());
        let number = text.strip_suffix('%').ok_or_else(refused)?;
        let digits = number.bytes().all(|b| b.is_ascii_digit()).then(|| number.parse().ok()).flatten();
        digits.and_then(Self::of_percent).ok_or_else(refused)
    }
}

impl fmt::Display for CancelRatio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}%", self.0))
    }
}

/// What an INVITE carries beyond what the trunk says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invite {
    /// Headers that are added.
    pub headers: Headers,
    /// The codecs that are offered.
    pub codecs: Codecs,
}

impl Invite {
    /// Whether it is as the trunk has it.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.headers.is_empty() && self.codecs.is_empty()
    }
}

/// A campaign's calls as traffic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traffic {
    /// What its INVITEs carry.
    pub invite: Invite,
    /// How long its calls last; `None` for as long as their actions.
    pub duration: Option<DurationRule>,
    /// How many of them are cancelled.
    pub cancel: CancelRatio,
}

/// Whether anything about calls is made up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Nature {
    /// Nothing: they may go anywhere.
    #[default]
    Genuine,
    /// Something: they are for test lines.
    MadeUp,
}

impl Nature {
    /// Whether such calls may go over such a line: asked when a campaign or a trunk is changed, by plan and gate and
    /// by `why`.
    #[must_use]
    pub fn may_go_over(self, line: TrunkLine) -> bool {
        match (self, line) {
            (Self::Genuine, _) | (Self::MadeUp, TrunkLine::Test) => true,
            (Self::MadeUp, TrunkLine::Real) => false,
        }
    }
}

/// What was made up for a call, drawn as it was planned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Draw {
    /// How long the callee stays connected, in milliseconds; `None` for as long as the actions last.
    pub talk_ms: Option<u32>,
    /// When it is cancelled if nobody answers before, in seconds of `Dial`. Whole ones: Asterisk 16 takes no others.
    pub cancel_after_s: Option<u32>,
}

impl Draw {
    /// Whether it makes anything up.
    #[must_use]
    pub fn nature(self) -> Nature {
        if self == Self::default() { Nature::Genuine } else { Nature::MadeUp }
    }

    /// How long the call rings at most, of a campaign with this wait time.
    #[must_use]
    pub fn ring_time_s(self, wait_time_s: u32) -> u32 {
        self.cancel_after_s.map_or(wait_time_s, |cancel_s| cancel_s.min(wait_time_s))
    }
}

/// The random bytes of a draw.
pub const DICE_BYTES: usize = 24;

/// Why a campaign's traffic may not go over its trunks; the text says how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// Made-up calls over a line to people.
    #[error("{what} is for test lines only, and trunk {trunk} is a real one: calls over it reach people")]
    RealLine {
        /// The option.
        what: &'static str,
        /// The trunk.
        trunk: Name,
    },
    /// There is no INVITE in which it could go.
    #[error("{what} goes into the INVITE of a SIP call, and trunk {trunk} dials neither PJSIP/ nor SIP/")]
    NoInvite {
        /// The option.
        what: &'static str,
        /// The trunk.
        trunk: Name,
    },
}

impl Traffic {
    /// Whether anything about its calls is made up.
    #[must_use]
    pub fn nature(&self) -> Nature {
        if self.made_up().is_some() { Nature::MadeUp } else { Nature::Genuine }
    }

    /// The first option that makes anything up.
    fn made_up(&self) -> Option<&'static str> {
        let cancels = (self.cancel != CancelRatio::default()).then_some("a cancel ratio");
        cancels.or(self.duration.map(|_| "a made-up duration"))
    }

    /// Why this may not go over the campaign's trunks, of which one may not take it.
    pub fn fits<'t>(&self, trunks: impl IntoIterator<Item = &'t Trunk>) -> Result<(), Misfit> {
        for trunk in trunks {
            if let Some(what) = self.made_up().filter(|_| !self.nature().may_go_over(trunk.line)) {
                return Err(Misfit::RealLine { what, trunk: trunk.name.clone() });
            }
            let header = (!self.invite.headers.is_empty()).then_some("a header");
            let added = header.or((!self.invite.codecs.is_empty()).then_some("a list of codecs"));
            if let Some(what) = added.filter(|_| !trunk.template.is_sip()) {
                return Err(Misfit::NoInvite { what, trunk: trunk.name.clone() });
            }
        }
        Ok(())
    }

    /// What is made up for one call, of random bytes, the contact's own duration and the seconds that it may ring. A
    /// cancel comes at a second before the wait time is over; a call that may ring for one only is cancelled with it.
    #[must_use]
    pub fn draw(&self, own_ms: Option<u32>, wait_time_s: u32, dice: [u8; DICE_BYTES]) -> Draw {
        let [talk, whether, when] = std::array::from_fn(|i| {
            let bytes = dice.as_chunks::<8>().0.get(i).copied().unwrap_or_default();
            u64::from_le_bytes(bytes)
        });
        let cancelled = duration::uniform(1, 100, whether) <= u32::from(self.cancel.percent());
        let last_s = wait_time_s.saturating_sub(1).max(1);
        Draw {
            talk_ms: self.duration.map(|rule| rule.draw(own_ms, talk)),
            cancel_after_s: cancelled.then(|| duration::uniform(1, last_s, when)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::ids::TrunkId;
    use crate::domain::trunk::ShortNumbers;

    fn trunk(name: &str, template: &str, line: TrunkLine) -> Trunk {
        Trunk {
            id: TrunkId(1),
            name: name.parse().unwrap(),
            template: template.parse().unwrap(),
            channels: None,
            starts_per_second: None,
            account: None,
            short_numbers: ShortNumbers::Refused,
            line,
            breaker: None,
        }
    }

    fn cancelling(percent: u8) -> Traffic {
        Traffic { cancel: CancelRatio::of_percent(percent).unwrap(), ..Traffic::default() }
    }

    #[test]
    fn what_is_made_up_goes_over_test_lines_only() {
        let test = trunk("lab", "PJSIP/{number}@lab", TrunkLine::Test);
        let real = trunk("gw1", "PJSIP/{number}@gw1", TrunkLine::Real);
        let lasting = Traffic { duration: Some("30s".parse().unwrap()), ..Traffic::default() };
        for traffic in [cancelling(1), lasting] {
            assert_eq!(traffic.fits([&test]), Ok(()));
            let misfit = traffic.fits([&test, &real]).unwrap_err();
            assert!(
                matches!(&misfit, Misfit::RealLine { trunk, .. } if trunk.as_str() == "gw1"),
                "one of them is enough"
            );
        }
        assert_eq!(cancelling(0).fits([&real]), Ok(()), "0% makes nothing up");
    }

    #[test]
    fn headers_and_codecs_go_over_real_lines_with_an_invite() {
        let mut headers = Headers::default();
        headers.set(&"P-Campaign-Name: spring".parse().unwrap()).unwrap();
        let header = Traffic { invite: Invite { headers, ..Invite::default() }, ..Traffic::default() };
        let codecs =
            Traffic { invite: Invite { codecs: "alaw".parse().unwrap(), ..Invite::default() }, ..Traffic::default() };
        let [pjsip, sip] = ["PJSIP/{number}@gw1", "SIP/gw1/{number}"].map(|t| trunk("gw1", t, TrunkLine::Real));
        let local = trunk("pbx", "Local/{digits}@from-internal", TrunkLine::Test);
        for traffic in [header, codecs] {
            assert_eq!(traffic.fits([&pjsip, &sip]), Ok(()));
            assert!(matches!(traffic.fits([&local]), Err(Misfit::NoInvite { .. })));
        }
    }

    #[test]
    fn shares_read_back_as_shown() {
        for text in ["0%", "1%", "50%", "100%"] {
            assert_eq!(text.parse::<CancelRatio>().unwrap().to_string(), text);
        }
        for text in ["", "%", "50", "101%", "-1%", "+1%", "0.5", "50 %", "half", "1000%"] {
            assert!(text.parse::<CancelRatio>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn calls_are_cancelled_within_their_wait_time_and_none_or_all_at_the_ends(
            (percent, wait_time_s, dice) in (0..=100_u8, 1..=300_u32, any::<[u8; DICE_BYTES]>()),
        ) {
            let draw = |percent| cancelling(percent).draw(None, wait_time_s, dice);
            prop_assert_eq!(draw(0), Draw::default());
            prop_assert!(draw(100).cancel_after_s.is_some());
            if let Some(s) = draw(percent).cancel_after_s {
                prop_assert!(s >= 1 && s <= wait_time_s && (s < wait_time_s || wait_time_s == 1));
                prop_assert_eq!(draw(percent).ring_time_s(wait_time_s), s);
            }
        }
    }

    #[test]
    fn a_share_of_the_calls_is_cancelled_at_all_seconds() {
        let of = |whether: u64, when: u64| {
            let mut dice = [0; DICE_BYTES];
            dice[8..16].copy_from_slice(&whether.to_le_bytes());
            dice[16..].copy_from_slice(&when.to_le_bytes());
            cancelling(30).draw(None, 10, dice).cancel_after_s
        };
        let step = u64::MAX / 1_000;
        assert_eq!((0..1_000).filter(|n| of(n * step + step / 2, 0).is_some()).count(), 300);
        let seconds: std::collections::BTreeSet<_> = (0..1_000).filter_map(|n| of(0, n * step + step / 2)).collect();
        assert!(seconds.into_iter().eq(1..=9));
    }
}
