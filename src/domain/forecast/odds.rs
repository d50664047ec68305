//! How calls will end, as far as anybody knows: from calls that were made, or as somebody says.

use super::chance::Chance;
use crate::domain::disposition::Disposition;
use crate::domain::stored::worded_enum;

/// How a call ended, or will.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// The one way in which it did.
    pub disposition: Disposition,
    /// Q.850 cause.
    pub cause: Option<u16>,
    /// SIP code.
    pub sip_code: Option<u16>,
    /// How long it rang.
    pub ring_ms: i64,
    /// How long the callee was connected.
    pub talk_ms: i64,
}

impl Ending {
    /// Answered after so long, for so long.
    #[must_use]
    pub fn answered(ring_ms: i64, talk_ms: i64) -> Self {
        Self { disposition: Disposition::Answered, cause: Some(16), sip_code: None, ring_ms, talk_ms }
    }

    /// Rang and was not answered.
    #[must_use]
    pub fn no_answer(ring_ms: i64) -> Self {
        Self { disposition: Disposition::NoAnswer, cause: None, sip_code: None, ring_ms, talk_ms: 0 }
    }

    fn is_answered(&self) -> bool {
        self.disposition == Disposition::Answered
    }

    /// How long its channel is in use.
    #[must_use]
    pub fn lasts_ms(&self) -> i64 {
        self.ring_ms.saturating_add(self.talk_ms)
    }
}

/// How many of the calls that are dialled are answered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AnswerRate {
    /// Somebody said so: from 0 to 1.
    Given(f64),
    /// So many of so many were. What it is in the long run is the less sure the fewer they are.
    Measured {
        /// Calls that were answered.
        answered: u32,
        /// Calls that were dialled.
        dialled: u32,
    },
}

impl AnswerRate {
    /// The share that is most likely; `None` where nothing was measured.
    #[must_use]
    pub fn expected(self) -> Option<f64> {
        match self {
            Self::Given(share) => Some(share),
            Self::Measured { dialled: 0, .. } => None,
            Self::Measured { answered, dialled } => Some(f64::from(answered) / f64::from(dialled)),
        }
    }

    /// A share that it may be in truth. Of what was measured: as many calls once more, each answered with the share
    /// that there was, one answered and one unanswered call added, so that few calls are never quite sure of all.
    fn drawn(self, chance: &mut Chance) -> f64 {
        match self {
            Self::Given(share) => share,
            Self::Measured { answered, dialled } => {
                let (answered, calls) = (f64::from(answered) + 1.0, dialled.saturating_add(2));
                let share = answered / f64::from(calls);
                let again = (0..calls).filter(|_| chance.happens(share)).count();
                again as f64 / f64::from(calls)
            }
        }
    }
}

worded_enum! {
    /// Where the odds are from.
    pub enum Basis {
        /// The campaign's own calls.
        Campaign = "campaign",
        /// The last calls of all campaigns: its own are too few.
        Server = "server",
        /// Nobody has measured anything.
        Assumed = "assumed",
    }
}

/// Fewer calls say nothing.
const MEASURED_MIN: usize = 30;

/// What is assumed where nothing was measured.
const ASSUMED: (f64, Ending) = (
    0.3,
    Ending { disposition: Disposition::Answered, cause: Some(16), sip_code: None, ring_ms: 12_000, talk_ms: 30_000 },
);

/// What calls are drawn from.
#[derive(Debug, Clone, PartialEq)]
pub struct Odds {
    /// How many are answered.
    pub rate: AnswerRate,
    /// Those that are answered end like one of these.
    pub answered: Vec<Ending>,
    /// The others like one of these.
    pub others: Vec<Ending>,
}

impl Odds {
    /// As these calls ended.
    #[must_use]
    pub fn measured(calls: &[Ending]) -> Self {
        let (answered, others): (Vec<Ending>, Vec<Ending>) = calls.iter().partition(|call| call.is_answered());
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let rate = AnswerRate::Measured { answered: count(answered.len()), dialled: count(calls.len()) };
        Self { rate, answered, others }
    }

    /// The best that is known: from the campaign's own calls where they are enough, else from those of all.
    #[must_use]
    pub fn best(own: &[Ending], all: &[Ending]) -> (Self, Basis) {
        if own.len() >= MEASURED_MIN {
            (Self::measured(own), Basis::Campaign)
        } else if all.len() >= MEASURED_MIN {
            (Self::measured(all), Basis::Server)
        } else {
            let (share, answered) = ASSUMED;
            (Self { rate: AnswerRate::Given(share), answered: vec![answered], others: Vec::new() }, Basis::Assumed)
        }
    }

    /// Has each call that is answered take so long, as far as it is said.
    pub fn set_times(&mut self, ring_ms: Option<i64>, talk_ms: Option<i64>) {
        if self.answered.is_empty() {
            self.answered.push(ASSUMED.1);
        }
        for call in &mut self.answered {
            call.ring_ms = ring_ms.unwrap_or(call.ring_ms);
            call.talk_ms = talk_ms.unwrap_or(call.talk_ms);
        }
    }

    /// The mean of something over the calls that are answered; `None` of no calls.
    #[must_use]
    pub fn mean_of_answered(&self, of: impl Fn(&Ending) -> i64) -> Option<i64> {
        let calls = i64::try_from(self.answered.len()).ok().filter(|n| *n > 0)?;
        Some(self.answered.iter().map(of).sum::<i64>() / calls)
    }
}

/// The odds of one run.
#[derive(Debug)]
pub(super) struct Dice<'a> {
    odds: &'a Odds,
    share: f64,
}

impl<'a> Dice<'a> {
    pub(super) fn new(odds: &'a Odds, chance: &mut Chance) -> Self {
        Self { odds, share: odds.rate.drawn(chance) }
    }

    /// How a call ends that may ring for so long.
    pub(super) fn throw(&self, chance: &mut Chance, wait_time_ms: i64) -> Ending {
        let ending = if chance.happens(self.share) {
            chance.one_of(&self.odds.answered).copied().unwrap_or(ASSUMED.1)
        } else {
            chance.one_of(&self.odds.others).copied().unwrap_or(Ending::no_answer(wait_time_ms))
        };
        let ring_ms = match ending.disposition {
            // It rings as long as it may, however long that was before.
            Disposition::NoAnswer => wait_time_ms,
            _ => ending.ring_ms.min(wait_time_ms),
        };
        Ending { ring_ms, ..ending }
    }
}
