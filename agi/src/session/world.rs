//! A call for the sessions' tests.

use campanile::domain::action::{Action, Actions};
use campanile::domain::attempt::Order;
use campanile::domain::ids::{AttemptId, CampaignId, ContactId, Ticket, TrunkId};
use campanile::domain::instant::UtcMs;
use campanile::domain::number::Number;
use campanile::domain::trunk::DialString;

use super::{Input, Output, Session};
use crate::protocol::{Answer, Command, Reply, Request};

pub(super) const ATTEMPT: AttemptId = AttemptId(7);

/// The instant `ms` after the test's beginning.
pub(super) fn at(ms: i64) -> UtcMs {
    UtcMs(1_772_352_000_000 + ms)
}

pub(super) fn ticket() -> Ticket {
    Ticket::new([0xab; 16])
}

/// An order for one second after the beginning.
pub(super) fn order(actions: &[(&str, &str)]) -> Order {
    Order {
        attempt: ATTEMPT,
        ticket: ticket(),
        campaign: CampaignId(1),
        contact: Some(ContactId(1)),
        trunk: TrunkId(1),
        number: Number::from_canonical("+493012345").unwrap(),
        planned_at: at(1000),
        dial_string: DialString::from_ledger("PJSIP/+493012345@gw1").unwrap(),
        wait_time_s: 30,
        caller_number: None,
        caller_name: None,
        account: None,
        actions: actions
            .iter()
            .map(|(verb, argument)| Action::parse(verb, argument).unwrap())
            .collect::<Vec<_>>()
            .into(),
        variables: Default::default(),
        invite: Default::default(),
        draw: Default::default(),
    }
}

/// Lists as typed: the name (none for the one that begins), then actions.
#[track_caller]
pub(super) fn lists(lists: &[(&str, &[&str])]) -> Actions {
    let mut actions = Actions::default();
    for (name, typed) in lists {
        let name = (!name.is_empty()).then(|| name.parse().unwrap());
        actions.replace(name.as_ref(), typed.iter().map(|text| action(text)).collect());
    }
    assert_eq!(actions.check(), Ok(()));
    actions
}

#[track_caller]
pub(super) fn action(text: &str) -> Action {
    let (verb, argument) = text.split_once(' ').unwrap_or((text, ""));
    Action::parse(verb, argument).unwrap()
}

pub(super) fn answer(result: &str, endpos: Option<u64>) -> Input {
    Input::Reply(Reply::Answer(Answer { result: result.to_owned(), value: None, endpos }))
}

/// Asserts that a session ended with a word to the operator and did nothing else.
#[track_caller]
pub(super) fn ended(outputs: &[Output]) {
    assert!(matches!(outputs, [Output::Warn(_), Output::Close]), "{outputs:?}");
}

/// A session and what it said since the last look.
pub(super) struct Talk {
    pub(super) session: Session,
    said: Vec<Output>,
    sent: Option<Command>,
}

impl Talk {
    #[track_caller]
    pub(super) fn open(request: &Request) -> Self {
        let (session, said) = Session::open(request).unwrap();
        Self { session, said, sent: None }
    }

    pub(super) fn hear(&mut self, ms: i64, input: Input) {
        self.said.extend(self.session.handle(at(ms), input));
    }

    /// All that it said since the last look.
    pub(super) fn take(&mut self) -> Vec<Output> {
        let sent = self.said.iter().rev().find_map(|output| match output {
            Output::Send(command) => Some(command.clone()),
            _ => None,
        });
        self.sent = sent.or(self.sent.take());
        std::mem::take(&mut self.said)
    }

    /// The last command of all.
    pub(super) fn sent(&mut self) -> Option<Command> {
        let said = self.take();
        self.said = said;
        self.sent.clone()
    }
}
