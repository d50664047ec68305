//! The script `gate`: holds the dialling leg until its instant, claims the attempt, and says go.
//!
//! The hold comes first and the claim at its end: the claim is the point of no return, so whatever
//! was stopped before it wins. Every doubt closes the connection without `CAMPANILE_GO`, and the
//! dialplan dials only with it.

use std::collections::VecDeque;

use campanile::domain::attempt::Order;
use campanile::domain::evidence::Fact;
use campanile::domain::gate::{GO_LATE_MS_MAX, Refusal};
use campanile::domain::ids::{AttemptId, Ticket};
use campanile::domain::instant::UtcMs;

use super::{Input, LedgerDown, Output, no_order, record};
use crate::protocol::{Command, Reply, Variable};

/// How long before the planned instant the claim begins, in milliseconds: its durable commit is paid
/// before the instant, not after it, also when another has the ledger or the disk stands still for a moment
/// (docs/decisions/0018).
pub const CLAIM_LEAD_MS: i64 = 100;

/// The longest hold, in milliseconds. The file is due one second before its instant, so a longer hold
/// means a clock that jumped or a file that came too early.
pub const HOLD_MS_MAX: i64 = 10_000;

/// The gate of one attempt.
#[derive(Debug)]
pub struct Gate {
    ticket: Ticket,
    state: State,
}

#[derive(Debug)]
enum State {
    LookingUp,
    /// The leg ended before we knew whose it was.
    GoneEarly,
    /// A variable was set; these are left.
    Setting {
        held: Held,
        left: VecDeque<Command>,
    },
    Holding(Held),
    Claiming(Held),
    /// The point of no return is behind us.
    Admitted {
        held: Held,
        start_at: UtcMs,
    },
    Going(AttemptId),
    Closed,
}

#[derive(Debug)]
struct Held {
    attempt: AttemptId,
    planned_at: UtcMs,
    go: Command,
}

impl Gate {
    pub(super) fn new(ticket: Ticket) -> Self {
        Self { ticket, state: State::LookingUp }
    }

    pub(super) fn handle(&mut self, now: UtcMs, input: Input) -> Vec<Output> {
        if let Input::Recorded(Err(down)) = &input {
            return vec![Output::Warn(format!("gate: {:?}: a refusal is not recorded: {down}", self.ticket))];
        }
        let state = std::mem::replace(&mut self.state, State::Closed);
        let (state, outputs) = match (state, input) {
            (State::Closed, _) => (State::Closed, vec![]),
            (State::LookingUp, Input::Order(found)) => self.found(now, found),
            (State::LookingUp, Input::Hangup) => (State::GoneEarly, vec![]),
            (State::GoneEarly, Input::Order(found)) => self.found_too_late(now, found),
            (State::GoneEarly, _) => (State::GoneEarly, vec![]),
            (State::Setting { held, .. } | State::Holding(held), Input::Hangup) => hung_up(now, held.attempt),
            (State::Setting { held, left }, Input::Reply(reply)) => is_set(now, held, left, &reply),
            (State::Holding(held), Input::Timer) => hold(now, held),
            (State::Claiming(held), Input::Claimed(verdict)) => claimed(now, held, verdict),
            (State::Admitted { held, start_at }, Input::Timer) => go(now, held, start_at),
            (State::Going(_), Input::Reply(Reply::Answer(_))) => (State::Closed, vec![Output::Close]),
            (State::Going(attempt), Input::Reply(reply)) => doubt(attempt, &format!("go was answered by {reply:?}")),
            // From the claim on, how it ended is for the report leg to tell.
            (State::Claiming(_) | State::Admitted { .. } | State::Going(_), Input::Hangup) => {
                (State::Closed, vec![Output::Close])
            }
            (state, _) => (state, vec![]),
        };
        self.state = state;
        outputs
    }

    fn found(&self, now: UtcMs, found: Result<Option<Box<Order>>, LedgerDown>) -> (State, Vec<Output>) {
        match no_order("gate", self.ticket, found) {
            Ok(order) => {
                let held = Held { attempt: order.attempt, planned_at: order.planned_at, go: go_command(&order) };
                set_next(now, held, variables(&order))
            }
            Err(outputs) => (State::Closed, outputs),
        }
    }

    fn found_too_late(&self, now: UtcMs, found: Result<Option<Box<Order>>, LedgerDown>) -> (State, Vec<Output>) {
        match no_order("gate", self.ticket, found) {
            Ok(order) => hung_up(now, order.attempt),
            Err(outputs) => (State::Closed, outputs),
        }
    }
}

/// The one word that lets the dialplan dial, and whom and how long. A dial string has no comma
/// ([`DialString`](campanile::domain::trunk::DialString)), so these are `Dial`'s first two arguments. A call that
/// is to be cancelled rings until then: `Dial` takes it back as it does when the wait time is over.
fn go_command(order: &Order) -> Command {
    let value = format!("{},{}", order.dial_string.as_str(), order.draw.ring_time_s(order.wait_time_s));
    Command::SetVariable { name: Variable::Go, value }
}

/// What the callee, the bill and the INVITE have, set while there is time.
fn variables(order: &Order) -> VecDeque<Command> {
    let texts = [
        (Variable::CallerNumber, order.caller_number.as_ref().map(ToString::to_string)),
        (Variable::CallerName, order.caller_name.as_ref().map(ToString::to_string)),
        (Variable::AccountCode, order.account.as_ref().map(ToString::to_string)),
        (Variable::Headers, (!order.invite.headers.is_empty()).then(|| order.invite.headers.as_dialplan())),
        (Variable::Codecs, (!order.invite.codecs.is_empty()).then(|| order.invite.codecs.to_string())),
        (Variable::DialOptions, dial_options(order)),
    ];
    let set = |(name, value): (Variable, Option<String>)| value.map(|value| Command::SetVariable { name, value });
    texts.into_iter().filter_map(set).collect()
}

/// Further options for `Dial`: L ends the call so many milliseconds after its answer, and b has the dialplan write
/// headers and codecs into the INVITE. There is nothing in them but numbers and our own words.
fn dial_options(order: &Order) -> Option<String> {
    let limit = order.draw.talk_ms.map(|ms| format!("L({ms})"));
    let invite = (!order.invite.is_plain()).then(|| "b(campanile-invite^s^1)".to_owned());
    (limit.is_some() || invite.is_some()).then(|| limit.into_iter().chain(invite).collect())
}

fn set_next(now: UtcMs, held: Held, mut left: VecDeque<Command>) -> (State, Vec<Output>) {
    match left.pop_front() {
        Some(command) => (State::Setting { held, left }, vec![Output::Send(command)]),
        None => hold(now, held),
    }
}

fn is_set(now: UtcMs, held: Held, left: VecDeque<Command>, reply: &Reply) -> (State, Vec<Output>) {
    match reply {
        Reply::Answer(_) => set_next(now, held, left),
        other => doubt(held.attempt, &format!("a variable was answered by {other:?}")),
    }
}

/// Waits for the claim's instant, or claims when it has come. A timer is believed only as far as the
/// clock agrees: it may have been set back meanwhile.
fn hold(now: UtcMs, held: Held) -> (State, Vec<Output>) {
    let claim_at = held.planned_at.plus_ms(-CLAIM_LEAD_MS);
    if now >= claim_at {
        let claim = Output::Claim(held.attempt);
        return (State::Claiming(held), vec![claim]);
    }
    if claim_at.since_ms(now) > HOLD_MS_MAX {
        return doubt(held.attempt, &format!("its instant {} is too far ahead", held.planned_at));
    }
    (State::Holding(held), vec![Output::WaitUntil(claim_at)])
}

fn claimed(now: UtcMs, held: Held, verdict: Result<Result<UtcMs, Refusal>, LedgerDown>) -> (State, Vec<Output>) {
    match verdict {
        Ok(Ok(start_at)) => go(now, held, start_at),
        Ok(Err(_)) => (State::Closed, vec![Output::Close]),
        Err(down) => doubt(held.attempt, &down.to_string()),
    }
}

/// Says go when the admitted instant has come, unless the ledger took so long to say so that the
/// campaign may have been stopped meanwhile (I4).
fn go(now: UtcMs, held: Held, start_at: UtcMs) -> (State, Vec<Output>) {
    let late_ms = now.since_ms(start_at);
    if late_ms > GO_LATE_MS_MAX {
        let why = format!(
            "it was admitted for {start_at}, and the ledger said so {late_ms} ms later; a stop may have come since, so it \
             is not dialled, and planned anew"
        );
        return doubt(held.attempt, &why);
    }
    if now >= start_at {
        return (State::Going(held.attempt), vec![Output::Send(held.go)]);
    }
    if start_at.since_ms(now) > HOLD_MS_MAX {
        return doubt(held.attempt, &format!("it was admitted for {start_at}, which is too far ahead"));
    }
    (State::Admitted { held, start_at }, vec![Output::WaitUntil(start_at)])
}

fn hung_up(now: UtcMs, attempt: AttemptId) -> (State, Vec<Output>) {
    (State::Closed, vec![record(attempt, now, Fact::Refused { why: Refusal::HungUp }), Output::Close])
}

fn doubt(attempt: AttemptId, why: &str) -> (State, Vec<Output>) {
    (State::Closed, vec![Output::Warn(format!("attempt {attempt}: gate: {why}")), Output::Close])
}

#[cfg(test)]
mod tests {
    use super::super::world::{ATTEMPT, Talk, answer, at, ended, order, ticket};
    use super::*;
    use crate::protocol::Request;
    use campanile::domain::traffic::Draw;

    const CLAIM_MS: i64 = 1000 - CLAIM_LEAD_MS;

    fn open() -> Talk {
        let mut talk = Talk::open(&Request::new("gate", &[&ticket().to_string()]));
        assert_eq!(talk.take(), [Output::Lookup(ticket())]);
        talk
    }

    fn found(order: Order) -> Input {
        Input::Order(Ok(Some(Box::new(order))))
    }

    fn set(name: Variable, value: &str) -> Output {
        Output::Send(Command::SetVariable { name, value: value.to_owned() })
    }

    fn goes() -> [Output; 1] {
        [set(Variable::Go, "PJSIP/+493012345@gw1,30")]
    }

    /// An order whose caller has a name, which is set before the hold.
    fn named() -> Order {
        let mut order = order(&[]);
        order.caller_name = Some("Campanile".parse().unwrap());
        order
    }

    /// A gate that waits for the claim's instant.
    fn holding() -> Talk {
        let mut talk = open();
        talk.hear(0, found(order(&[])));
        assert_eq!(talk.take(), [Output::WaitUntil(at(CLAIM_MS))]);
        talk
    }

    fn claiming() -> Talk {
        let mut talk = holding();
        talk.hear(CLAIM_MS, Input::Timer);
        assert_eq!(talk.take(), [Output::Claim(ATTEMPT)]);
        talk
    }

    fn admitted() -> Talk {
        let mut talk = claiming();
        talk.hear(CLAIM_MS + 5, Input::Claimed(Ok(Ok(at(1000)))));
        assert_eq!(talk.take(), [Output::WaitUntil(at(1000))]);
        talk
    }

    fn refused_hung_up(ms: i64) -> [Output; 2] {
        [record(ATTEMPT, at(ms), Fact::Refused { why: Refusal::HungUp }), Output::Close]
    }

    #[test]
    fn it_holds_first_claims_at_the_end_and_goes_on_the_instant() {
        let mut talk = admitted();
        talk.hear(1000, Input::Timer);
        assert_eq!(talk.take(), goes());
        talk.hear(1001, answer("1", None));
        assert_eq!(talk.take(), [Output::Close]);
    }

    #[test]
    fn what_the_callee_sees_is_set_where_it_is_known() {
        let mut order = order(&[]);
        order.caller_number = Some("+49301".parse().unwrap());
        order.caller_name = Some("Campanile".parse().unwrap());
        order.account = Some("acct".parse().unwrap());
        let mut talk = open();
        talk.hear(0, found(order));
        for _ in 0..3 {
            talk.hear(0, answer("1", None));
        }
        let expected = [
            set(Variable::CallerNumber, "+49301"),
            set(Variable::CallerName, "Campanile"),
            set(Variable::AccountCode, "acct"),
            Output::WaitUntil(at(CLAIM_MS)),
        ];
        assert_eq!(talk.take(), expected);
    }

    #[test]
    fn calls_as_traffic_get_their_options_headers_and_codecs_in_words_of_ours_i7() {
        let mut order = order(&[]);
        for header in ["P-Campaign-Name: spring 2026", "X-Tag: a=b:c"] {
            order.invite.headers.set(&header.parse().unwrap()).unwrap();
        }
        order.invite.codecs = "alaw,opus".parse().unwrap();
        order.draw = Draw { talk_ms: Some(34_567), cancel_after_s: Some(7) };
        let mut talk = open();
        talk.hear(0, found(order));
        for _ in 0..3 {
            talk.hear(0, answer("1", None));
        }
        let expected = [
            set(Variable::Headers, "P-Campaign-Name:spring 2026,X-Tag:a=b:c"),
            set(Variable::Codecs, "alaw,opus"),
            set(Variable::DialOptions, "L(34567)b(campanile-invite^s^1)"),
            Output::WaitUntil(at(CLAIM_MS)),
        ];
        assert_eq!(talk.take(), expected);
        talk.hear(CLAIM_MS, Input::Timer);
        talk.hear(CLAIM_MS + 5, Input::Claimed(Ok(Ok(at(1000)))));
        talk.hear(1000, Input::Timer);
        assert_eq!(talk.take().last(), Some(&set(Variable::Go, "PJSIP/+493012345@gw1,7")), "it rings until its cancel");
    }

    #[test]
    fn a_call_for_which_nothing_is_made_up_costs_no_command_more() {
        let options = |order: Order| dial_options(&order);
        let mut lasts = order(&[]);
        lasts.draw.talk_ms = Some(100);
        let mut codecs = order(&[]);
        codecs.invite.codecs = "ulaw".parse().unwrap();
        assert_eq!(options(order(&[])), None);
        assert_eq!(options(lasts).as_deref(), Some("L(100)"));
        assert_eq!(options(codecs).as_deref(), Some("b(campanile-invite^s^1)"));
        assert!(variables(&order(&[])).is_empty());
    }

    #[test]
    fn a_late_leg_claims_at_once_and_the_ledger_judges() {
        let mut talk = open();
        talk.hear(9000, found(named()));
        talk.hear(9001, answer("1", None));
        assert_eq!(talk.take().last(), Some(&Output::Claim(ATTEMPT)));
        talk.hear(9003, Input::Claimed(Ok(Err(Refusal::Late { by_ms: 8000 }))));
        assert_eq!(talk.take(), [Output::Close]);
    }

    #[test]
    fn a_start_that_the_ledger_moved_is_waited_for() {
        let mut talk = claiming();
        talk.hear(CLAIM_MS + 5, Input::Claimed(Ok(Ok(at(1250)))));
        assert_eq!(talk.take(), [Output::WaitUntil(at(1250))]);
        talk.hear(1250, Input::Timer);
        assert_eq!(talk.take(), goes());
    }

    #[test]
    fn an_admission_that_was_heard_too_late_is_not_used_i4_i5() {
        let claimed = || Input::Claimed(Ok(Ok(at(1000))));
        let mut talk = claiming();
        talk.hear(1000 + GO_LATE_MS_MAX, claimed());
        assert_eq!(talk.take(), goes());
        let mut talk = claiming();
        talk.hear(1001 + GO_LATE_MS_MAX, claimed());
        ended(&talk.take());
    }

    #[test]
    fn a_timer_that_comes_early_is_set_again() {
        let mut talk = holding();
        talk.hear(500, Input::Timer);
        assert_eq!(talk.take(), [Output::WaitUntil(at(CLAIM_MS))]);
        let mut talk = admitted();
        talk.hear(999, Input::Timer);
        assert_eq!(talk.take(), [Output::WaitUntil(at(1000))]);
    }

    #[test]
    fn every_doubt_closes_without_go_i1() {
        let down = || LedgerDown("disk full".to_owned());
        for input in [Input::Order(Ok(None)), Input::Order(Err(down()))] {
            let mut talk = open();
            talk.hear(0, input);
            ended(&talk.take());
        }
        for reply in [Reply::Usage, Reply::Unknown, Reply::DeadChannel] {
            let mut talk = open();
            talk.hear(0, found(named()));
            talk.take();
            talk.hear(1, Input::Reply(reply));
            ended(&talk.take());
        }
        let mut talk = claiming();
        talk.hear(CLAIM_MS + 5, Input::Claimed(Err(down())));
        ended(&talk.take());
        let mut talk = claiming();
        talk.hear(CLAIM_MS + 5, Input::Claimed(Ok(Ok(at(1000 + 2 * HOLD_MS_MAX)))));
        ended(&talk.take());
    }

    #[test]
    fn an_instant_far_ahead_is_not_held_for() {
        let mut order = order(&[]);
        order.planned_at = at(HOLD_MS_MAX + CLAIM_LEAD_MS + 3);
        let mut talk = open();
        talk.hear(0, found(order));
        ended(&talk.take());
    }

    #[test]
    fn a_clock_set_back_in_the_hold_ends_it() {
        let mut talk = holding();
        talk.hear(-2 * HOLD_MS_MAX, Input::Timer);
        ended(&talk.take());
    }

    #[test]
    fn a_hangup_before_the_claim_is_recorded_as_a_refusal() {
        let mut talk = open();
        talk.hear(0, Input::Hangup);
        assert_eq!(talk.take(), [], "whose leg it was is not known yet");
        talk.hear(1, found(order(&[])));
        assert_eq!(talk.take(), refused_hung_up(1));

        let mut talk = open();
        talk.hear(0, found(named()));
        talk.take();
        talk.hear(3, Input::Hangup);
        assert_eq!(talk.take(), refused_hung_up(3));

        let mut talk = holding();
        talk.hear(500, Input::Hangup);
        assert_eq!(talk.take(), refused_hung_up(500));
        talk.hear(CLAIM_MS, Input::Timer);
        assert_eq!(talk.take(), [], "no claim follows");
    }

    #[test]
    fn after_the_claim_a_hangup_is_for_the_report_to_tell() {
        let mut talk = claiming();
        talk.hear(990, Input::Hangup);
        assert_eq!(talk.take(), [Output::Close]);
        talk.hear(991, Input::Claimed(Ok(Ok(at(1000)))));
        assert_eq!(talk.take(), [], "no go into a dead leg");

        let mut talk = admitted();
        talk.hear(995, Input::Hangup);
        assert_eq!(talk.take(), [Output::Close]);

        let mut talk = admitted();
        talk.hear(1000, Input::Timer);
        talk.take();
        talk.hear(1001, Input::Hangup);
        assert_eq!(talk.take(), [Output::Close]);
    }

    #[test]
    fn a_stranger_s_ticket_is_masked_in_the_warning() {
        let mut talk = open();
        talk.hear(0, Input::Order(Ok(None)));
        let Output::Warn(why) = &talk.take()[0] else { panic!("no warning") };
        assert!(why.contains("Ticket(abab…)") && !why.contains("ababab"), "{why}");
    }
}
