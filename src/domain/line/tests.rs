use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::domain::calendar::{Window, Zone};
use crate::domain::cause::CauseTable;
use crate::domain::disposition::NotDialled as WhyNot;
use crate::domain::gate::Refusal;
use crate::domain::retry::{self, ContactTally, Past, Rules, UNCHARGED_DIALS_MAX};

const BEGIN: UtcMs = UtcMs(1_772_352_000_000); // 2026-03-01T08:00:00Z

fn line(place: u32) -> Line {
    let number = Number::from_canonical(&format!("+4930{place:06}")).unwrap();
    Line { place, number, kind: None, state: LineState::Callable, strikes: 0 }
}

/// A contact on its way through calls.
struct Contact {
    lines: Vec<Line>,
    next: usize,
    tally: ContactTally,
    now: UtcMs,
    retry: RetryRules,
    calendar: Calendar,
}

impl Contact {
    fn new(numbers: u32, max_retries: u32) -> Self {
        Self {
            lines: (1..=numbers).map(line).collect(),
            next: 0,
            tally: ContactTally::default(),
            now: BEGIN,
            retry: RetryRules { max_retries, retry_time_s: 300, wait_time_s: 30 },
            calendar: Calendar::daily(Window::ALWAYS, Zone::UTC),
        }
    }

    /// A call of the number whose turn it is, with this end.
    fn call(&mut self, disposition: Disposition) -> ContactNext {
        self.conclude(Conclusion::bare(disposition, self.now))
    }

    fn conclude(&mut self, conclusion: Conclusion) -> ContactNext {
        let rules = allowance(&self.retry, self.lines.len());
        let (outcome, causes) = (OutcomeRules::default(), CauseTable::default());
        let past = Past { tally: self.tally, of_this_cause: 0, ..Past::default() };
        let by = Rules { retry: &rules, outcome: &outcome, causes: &causes };
        let told = retry::after(&conclusion, past, by, &self.calendar);
        let rules = LineRules { retry: &rules, outcome: &outcome, next_number_after_s: 10, calendar: &self.calendar };
        let called = self.lines[self.next].number.clone();
        let onward = after(&conclusion, &called, &mut self.lines, told, &rules);
        self.tally = onward.consequence.tally;
        self.next = onward.moved_to.unwrap_or(self.next);
        if let ContactNext::Again { due_at } = onward.consequence.next {
            self.now = due_at;
        }
        onward.consequence.next
    }

    /// Places and pauses, in seconds, until it is over.
    fn run(&mut self, ends: &[Disposition]) -> (Vec<(u32, i64)>, ContactNext) {
        let mut calls = Vec::new();
        for end in ends {
            let before = self.now;
            let place = self.lines[self.next].place;
            let next = self.call(*end);
            calls.push((place, self.now.since_ms(before) / 1000));
            if !matches!(next, ContactNext::Again { .. }) {
                return (calls, next);
            }
        }
        panic!("it goes on after {calls:?}");
    }
}

use Disposition::{
    Answered, Busy, Indeterminate, InvalidNumber, Machine, NoAnswer, NotDialled, Rejected, TrunkFailure,
};

#[test]
fn each_number_has_its_call_after_a_short_pause_and_a_round_ends_with_the_retry_time() {
    let (calls, next) = Contact::new(3, 2).run(&[Busy, NoAnswer, Rejected, NoAnswer, NoAnswer]);
    assert_eq!(calls, [(1, 10), (2, 10), (3, 300), (1, 10), (2, 0)]);
    assert_eq!(next, ContactNext::Failed(FailReason::RetriesUsedUp), "two retries beside one call for each number");
    let (calls, next) = Contact::new(3, 0).run(&[NoAnswer, NoAnswer, Answered]);
    assert_eq!((calls, next), (vec![(1, 10), (2, 10), (3, 0)], ContactNext::Reached));
}

#[test]
fn a_contact_of_one_number_is_called_as_ever() {
    let (calls, _) = Contact::new(1, 2).run(&[Busy, Busy, Busy]);
    assert_eq!(calls, [(1, 300), (1, 300), (1, 0)]);
}

#[test]
fn a_number_that_is_invalid_is_left_out_and_a_contact_is_only_when_all_are() {
    let mut contact = Contact::new(3, 5);
    let (calls, next) = contact.run(&[InvalidNumber, Busy, Busy, InvalidNumber, Busy, Busy, Busy, Answered]);
    assert_eq!(calls.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [1, 2, 3, 1, 2, 3, 2, 3]);
    assert_eq!(next, ContactNext::Reached);
    assert_eq!(contact.lines[0].state, LineState::Invalid);
    let (calls, next) = Contact::new(2, 9).run(&[InvalidNumber; 4]);
    assert_eq!(calls, [(1, 10), (2, 300), (1, 10), (2, 0)]);
    assert_eq!(next, ContactNext::Failed(FailReason::InvalidNumber));
    let (_, next) = Contact::new(2, 0).run(&[Busy, InvalidNumber]);
    assert_eq!(next, ContactNext::Failed(FailReason::RetriesUsedUp), "the first number does exist");
}

#[test]
fn a_machine_at_one_number_leads_to_the_next() {
    let (calls, next) = Contact::new(2, 1).run(&[Machine, Answered]);
    assert_eq!((calls, next), (vec![(1, 10), (2, 0)], ContactNext::Reached));
}

#[test]
fn a_number_on_a_list_is_left_out_and_its_contact_goes_on_with_the_others_i4() {
    let listed = |at| {
        let why = Refusal::DoNotCall { list: "robinson".parse().unwrap(), until: None };
        Conclusion::not_dialled(WhyNot::Refused(why), at)
    };
    let mut contact = Contact::new(2, 1);
    assert_eq!(contact.conclude(listed(BEGIN)), ContactNext::Again { due_at: BEGIN }, "nobody was called");
    assert_eq!((contact.next, contact.lines[0].state), (1, LineState::Stopped));
    assert_eq!(contact.conclude(listed(BEGIN)), ContactNext::Excluded, "both are");
}

#[test]
fn what_says_nothing_about_a_number_moves_to_no_other() {
    for (disposition, pause_s) in [(NotDialled, 60), (TrunkFailure, 300), (Indeterminate, 600)] {
        let mut contact = Contact::new(2, 1);
        contact.call(disposition);
        assert_eq!((contact.next, contact.now), (0, BEGIN.plus_s(pause_s)), "{disposition}");
    }
}

#[test]
fn a_number_that_was_stopped_is_passed_over() {
    let mut contact = Contact::new(3, 2);
    contact.lines[1].state = LineState::Stopped;
    let (calls, _) = contact.run(&[Busy, Busy, Busy, Answered]);
    assert_eq!(calls, [(1, 10), (3, 300), (1, 10), (3, 0)]);
}

#[test]
fn a_number_that_is_stopped_in_mid_call_is_left_whatever_became_of_it() {
    for end in [Busy, NotDialled, TrunkFailure, Indeterminate] {
        let mut contact = Contact::new(3, 2);
        assert_eq!(stop(&mut contact.lines, 0, 0), Some(1));
        contact.call(end);
        assert_eq!(contact.next, 1, "{end}");
    }
    let mut contact = Contact::new(2, 2);
    assert_eq!(stop(&mut contact.lines, 1, 0), Some(0), "it was not its turn");
    assert_eq!(stop(&mut contact.lines, 0, 0), None);
    assert_eq!(contact.call(NotDialled), ContactNext::Failed(FailReason::InvalidNumber), "none is left");
}

#[test]
fn the_next_number_waits_for_the_window_too_i4() {
    let mut contact = Contact::new(2, 0);
    contact.calendar.window = Window::parse("07:00", "08:00:05").unwrap();
    contact.call(Busy);
    assert_eq!(contact.now, BEGIN.plus_s(23 * 3600));
}

proptest! {
    #[test]
    fn no_sequence_of_calls_passes_the_absolute_cap_or_a_number_that_is_not_callable(
        ends in vec(select(Disposition::ALL), 1..80),
        numbers in 1_u32..=9,
        max_retries in 0_u32..5,
        stopped in vec(any::<bool>(), 9),
    ) {
        let mut contact = Contact::new(numbers, max_retries);
        for line in contact.lines.iter_mut().skip(1).filter(|line| stopped[line.place as usize - 1]) {
            line.state = LineState::Stopped;
        }
        let mut dials = 0;
        for end in ends {
            let before = contact.now;
            prop_assert_eq!(contact.lines[contact.next].state, LineState::Callable);
            prop_assert_eq!(contact.tally.invalid_strikes, contact.lines[contact.next].strikes);
            dials += u32::from(end != NotDialled);
            prop_assert!(dials <= max_retries + numbers + UNCHARGED_DIALS_MAX, "{dials} dials");
            let next = contact.call(end);
            match next {
                ContactNext::Again { due_at } => prop_assert!(due_at >= before),
                ContactNext::Failed(FailReason::InvalidNumber) => {
                    let callable = |line: &&Line| line.state == LineState::Callable;
                    let others = contact.lines.iter().filter(callable).filter(|line| line.strikes == 0).count();
                    prop_assert_eq!(others, 0, "another number is callable");
                    break;
                }
                ContactNext::Reached | ContactNext::Failed(_) | ContactNext::Excluded => break,
            }
        }
    }
}
