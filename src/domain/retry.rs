//! What follows from a disposition: again, and when, or a final state.

use super::calendar::Calendar;
use super::campaign::RetryRules;
use super::disposition::{Conclusion, Disposition, Gone, NotDialled};
use super::gate::Refusal;
use super::instant::UtcMs;
use super::stored::worded_enum;

/// Dials of a contact beyond those that its retries allow, for trunk failures that are not charged to
/// it. Above all rules: a contact is never dialled more than `max_retries + 1 + UNCHARGED_DIALS_MAX` times.
pub const UNCHARGED_DIALS_MAX: u32 = 3;

/// Reports of "no such number" that end a contact. One does not: providers send it for calls that
/// were merely not answered.
pub const INVALID_STRIKES_MAX: u32 = 2;

/// The least pause after a call that may have rung, in seconds: somebody may just have been called.
pub const INDETERMINATE_PAUSE_S: u32 = 600;

/// The pause after an attempt that was not dialled for want of a slot or a channel, or because a program
/// died over it, in seconds: enough that a full line is not asked again and again.
pub const TURNED_AWAY_PAUSE_S: u32 = 10;

/// The pause after an attempt that this machine could not carry out, in seconds: a full disk or a
/// missing dialplan is not mended in a moment.
pub const MACHINE_PAUSE_S: u32 = 60;

worded_enum! {
    /// Why a contact is called no more.
    pub enum FailReason {
        /// The first call and all retries were unsuccessful.
        RetriesUsedUp = "retries_used_up",
        /// The number does not exist.
        InvalidNumber = "invalid_number",
        /// Too many dials in all, most of them failures of the trunk.
        DialCap = "dial_cap",
    }
}

/// What was done about a contact so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ContactTally {
    /// Unsuccessful calls that count against its retries.
    pub charged: u32,
    /// Times that `Dial` was entered for it, or may have been.
    pub dials: u32,
    /// Reports that its number does not exist.
    pub invalid_strikes: u32,
}

/// What is to become of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactNext {
    /// Final: a call was answered.
    Reached,
    /// Final: no further call.
    Failed(FailReason),
    /// To be called again.
    Again {
        /// Not before this instant, which lies in the calendar's window.
        due_at: UtcMs,
    },
}

/// The tally with the concluded attempt counted, and what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the ledger keeps both"]
pub struct Consequence {
    /// What to store as the contact's tally.
    pub tally: ContactTally,
    /// What is to become of it.
    pub next: ContactNext,
}

/// What follows for a contact from the conclusion of an attempt; `before` is its tally without it.
///
/// The pause counts from the end of the call. Where the window is closed then, the next opening
/// counts; where it never opens, the bare instant, and the planner says why nothing happens.
pub fn after(conclusion: &Conclusion, before: ContactTally, rules: &RetryRules, calendar: &Calendar) -> Consequence {
    let tally = before.counting(conclusion.disposition);
    let done = conclusion.learned.map(|_| ContactNext::Reached);
    let next = match done.or_else(|| final_state(conclusion.disposition, tally, rules)) {
        Some(state) => state,
        None => {
            let due_at = earliest(conclusion, rules);
            ContactNext::Again { due_at: calendar.next_opening(due_at).unwrap_or(due_at) }
        }
    };
    Consequence { tally, next }
}

impl ContactTally {
    fn counting(self, disposition: Disposition) -> Self {
        let (charged, dials, strikes) = match disposition {
            Disposition::Answered | Disposition::TrunkFailure => (0, 1, 0),
            Disposition::Busy
            | Disposition::NoAnswer
            | Disposition::Rejected
            | Disposition::Machine
            | Disposition::Indeterminate => (1, 1, 0),
            Disposition::InvalidNumber => (1, 1, 1),
            Disposition::NotDialled => (0, 0, 0),
        };
        Self {
            charged: self.charged.saturating_add(charged),
            dials: self.dials.saturating_add(dials),
            invalid_strikes: self.invalid_strikes.saturating_add(strikes),
        }
    }
}

fn final_state(disposition: Disposition, tally: ContactTally, rules: &RetryRules) -> Option<ContactNext> {
    let calls = rules.max_retries.saturating_add(1);
    if disposition == Disposition::Answered {
        return Some(ContactNext::Reached);
    }
    let used_up = tally.charged >= calls;
    let reason =
        if tally.invalid_strikes >= INVALID_STRIKES_MAX || (used_up && disposition == Disposition::InvalidNumber) {
            FailReason::InvalidNumber
        } else if used_up {
            FailReason::RetriesUsedUp
        } else if tally.dials >= calls.saturating_add(UNCHARGED_DIALS_MAX) {
            FailReason::DialCap
        } else {
            return None;
        };
    Some(ContactNext::Failed(reason))
}

/// The earliest next instant, whatever the window.
fn earliest(conclusion: &Conclusion, rules: &RetryRules) -> UtcMs {
    let ended_at = conclusion.ended_at;
    match conclusion.disposition {
        Disposition::NotDialled => conclusion
            .not_dialled
            .as_ref()
            .map_or_else(|| ended_at.plus_s(i64::from(MACHINE_PAUSE_S)), |why| after_no_dial(why, ended_at)),
        Disposition::Indeterminate => ended_at.plus_s(i64::from(rules.retry_time_s.max(INDETERMINATE_PAUSE_S))),
        Disposition::Answered
        | Disposition::Machine
        | Disposition::Busy
        | Disposition::NoAnswer
        | Disposition::Rejected
        | Disposition::InvalidNumber
        | Disposition::TrunkFailure => ended_at.plus_s(i64::from(rules.retry_time_s)),
    }
}

fn after_no_dial(why: &NotDialled, ended_at: UtcMs) -> UtcMs {
    let pause_s = match why {
        NotDialled::Refused(Refusal::WindowClosed { opens_at }) => {
            return opens_at.map_or(ended_at, |t| t.max(ended_at));
        }
        // Somebody asked for it: as soon as the campaign runs again.
        NotDialled::Refused(Refusal::NotRunning { .. } | Refusal::Removed) | NotDialled::Withdrawn => 0,
        NotDialled::Refused(
            Refusal::Late { .. }
            | Refusal::CampaignChannels
            | Refusal::TrunkChannels
            | Refusal::Rate
            | Refusal::HungUp
            | Refusal::AlreadyUsed,
        ) => TURNED_AWAY_PAUSE_S,
        // A program died in the midst of it, and is started again; while it is not, planning itself rests.
        NotDialled::GateSilent | NotDialled::GateNotAsked(Gone::Archived(_) | Gone::Swept) => TURNED_AWAY_PAUSE_S,
        NotDialled::NotPublished { .. } | NotDialled::DialNotEntered | NotDialled::GateNotAsked(Gone::Missing) => {
            MACHINE_PAUSE_S
        }
    };
    ended_at.plus_s(i64::from(pause_s))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::domain::calendar::{Window, Zone};
    use crate::domain::campaign::CampaignState;
    use crate::domain::disposition::Learned;
    use crate::domain::evidence::ArchiveStatus;

    const ENDED: UtcMs = UtcMs(1_772_352_000_000); // 2026-03-01T08:00:00Z

    fn rules(max_retries: u32) -> RetryRules {
        RetryRules { max_retries, retry_time_s: 300, wait_time_s: 30 }
    }

    fn calendar(start: &str, stop: &str) -> Calendar {
        Calendar { window: Window::parse(start, stop).unwrap(), zone: Zone::UTC }
    }

    fn not_dialled(why: NotDialled) -> Conclusion {
        Conclusion::not_dialled(why, ENDED)
    }

    #[track_caller]
    fn runs(max_retries: u32, ends: &[Disposition], expected: ContactNext) {
        let mut tally = ContactTally::default();
        for (i, disposition) in ends.iter().enumerate() {
            let conclusion = Conclusion::bare(*disposition, ENDED);
            let told = after(&conclusion, tally, &rules(max_retries), &calendar("00:00", "24:00"));
            tally = told.tally;
            let last = i + 1 == ends.len();
            assert_eq!(
                matches!(told.next, ContactNext::Again { .. }),
                !last || matches!(expected, ContactNext::Again { .. }),
                "{i}"
            );
            if last {
                assert_eq!(told.next, expected);
            }
        }
    }

    #[track_caller]
    fn due_after_s(conclusion: &Conclusion, pause_s: i64) {
        let told = after(conclusion, ContactTally::default(), &rules(2), &calendar("00:00", "24:00"));
        assert_eq!(told.next, ContactNext::Again { due_at: ENDED.plus_s(pause_s) });
    }

    #[test]
    fn a_contact_gets_its_first_call_and_its_retries() {
        use Disposition::{Answered, Busy, NoAnswer, Rejected};
        runs(2, &[Busy, NoAnswer], ContactNext::Again { due_at: ENDED.plus_s(300) });
        runs(2, &[Busy, NoAnswer, Rejected], ContactNext::Failed(FailReason::RetriesUsedUp));
        runs(0, &[NoAnswer], ContactNext::Failed(FailReason::RetriesUsedUp));
        runs(2, &[Busy, Answered], ContactNext::Reached);
    }

    #[test]
    fn a_number_is_invalid_at_the_second_strike() {
        use Disposition::{Busy, InvalidNumber};
        runs(9, &[InvalidNumber], ContactNext::Again { due_at: ENDED.plus_s(300) });
        runs(9, &[InvalidNumber, Busy, InvalidNumber], ContactNext::Failed(FailReason::InvalidNumber));
        runs(0, &[InvalidNumber], ContactNext::Failed(FailReason::InvalidNumber));
    }

    #[test]
    fn a_failing_trunk_costs_the_contact_nothing_up_to_the_cap() {
        use Disposition::{NotDialled, TrunkFailure};
        runs(0, &[TrunkFailure; 3], ContactNext::Again { due_at: ENDED.plus_s(300) });
        runs(0, &[TrunkFailure; 4], ContactNext::Failed(FailReason::DialCap));
        runs(2, &[TrunkFailure; 6], ContactNext::Failed(FailReason::DialCap));
        runs(0, &[NotDialled; 50], ContactNext::Again { due_at: ENDED.plus_s(60) });
    }

    #[test]
    fn a_machine_is_called_again_and_one_that_heard_a_message_or_who_opted_out_is_not() {
        let again = ContactNext::Again { due_at: ENDED.plus_s(300) };
        runs(1, &[Disposition::Machine], again);
        runs(1, &[Disposition::Machine; 2], ContactNext::Failed(FailReason::RetriesUsedUp));
        for (learned, disposition) in [
            (Learned::MessageLeft, Disposition::Machine),
            (Learned::OptedOut, Disposition::Machine),
            (Learned::OptedOut, Disposition::Answered),
        ] {
            let conclusion = Conclusion { learned: Some(learned), ..Conclusion::bare(disposition, ENDED) };
            let next = after(&conclusion, ContactTally::default(), &rules(3), &calendar("00:00", "24:00")).next;
            assert_eq!(next, ContactNext::Reached, "{learned:?}");
        }
    }

    #[test]
    fn each_reason_for_not_dialling_has_its_next_instant_i9() {
        let refused = |refusal| not_dialled(NotDialled::Refused(refusal));
        let opens_at = ENDED.plus_s(7_200);
        due_after_s(&refused(Refusal::WindowClosed { opens_at: Some(opens_at) }), 7_200);
        due_after_s(&refused(Refusal::NotRunning { state: CampaignState::Stopped }), 0);
        due_after_s(&not_dialled(NotDialled::Withdrawn), 0);
        for refusal in
            [Refusal::Late { by_ms: 6_000 }, Refusal::Rate, Refusal::TrunkChannels, Refusal::CampaignChannels]
        {
            due_after_s(&refused(refusal), 10);
        }
        due_after_s(&not_dialled(NotDialled::NotPublished { error: "disk full".into() }), 60);
        due_after_s(&not_dialled(NotDialled::GateSilent), 10);
        due_after_s(&not_dialled(NotDialled::GateNotAsked(Gone::Archived(ArchiveStatus::Expired))), 10);
        due_after_s(&not_dialled(NotDialled::GateNotAsked(Gone::Missing)), 60);
    }

    #[test]
    fn what_may_have_rung_waits_long() {
        due_after_s(&Conclusion::bare(Disposition::Indeterminate, ENDED), 600);
    }

    #[test]
    fn a_retry_outside_the_window_waits_for_its_opening_i4() {
        let conclusion = Conclusion::bare(Disposition::Busy, ENDED);
        let told = after(&conclusion, ContactTally::default(), &rules(2), &calendar("06:00", "08:03"));
        assert_eq!(told.next, ContactNext::Again { due_at: ENDED.plus_s(22 * 3600) });
    }

    fn any_conclusion() -> impl Strategy<Value = Conclusion> {
        let why = select(vec![
            NotDialled::Withdrawn,
            NotDialled::GateSilent,
            NotDialled::Refused(Refusal::Rate),
            NotDialled::Refused(Refusal::WindowClosed { opens_at: None }),
            NotDialled::Refused(Refusal::WindowClosed { opens_at: Some(ENDED.plus_s(40_000)) }),
        ]);
        (select(Disposition::ALL), why, 0_i64..10_000_000).prop_map(|(disposition, why, later_ms)| {
            let ended_at = ENDED.plus_ms(later_ms);
            match disposition {
                Disposition::NotDialled => Conclusion::not_dialled(why, ended_at),
                other => Conclusion::bare(other, ended_at),
            }
        })
    }

    proptest! {
        #[test]
        fn no_sequence_of_conclusions_exceeds_the_caps(
            conclusions in proptest::collection::vec(any_conclusion(), 1..60),
            max_retries in 0_u32..6,
            retry_time_s in 0_u32..100_000,
            edges in (0_u32..86_400, 0_u32..86_400),
        ) {
            let rules = RetryRules { max_retries, retry_time_s, wait_time_s: 30 };
            let calendar = Calendar { window: Window::new(edges.0, edges.1), zone: "Europe/Berlin".parse().unwrap() };
            let mut tally = ContactTally::default();
            for conclusion in &conclusions {
                let told = after(conclusion, tally, &rules, &calendar);
                tally = told.tally;
                prop_assert!(tally.charged <= max_retries + 1);
                prop_assert!(tally.dials <= max_retries + 1 + UNCHARGED_DIALS_MAX);
                match told.next {
                    ContactNext::Again { due_at } => {
                        prop_assert!(calendar.contains(due_at), "{due_at} is outside");
                        prop_assert!(due_at >= conclusion.ended_at);
                    }
                    ContactNext::Reached | ContactNext::Failed(_) => break,
                }
            }
        }
    }
}
