//! The script `run`: the answered leg carries out its actions, keeps every key, and may hand the call on.
//!
//! [`leg`] is the way through the lists; each kind of action has a file of its own beside it.

mod amd;
mod connect;
mod leg;
mod listen;
mod menu;
mod opt_out;
mod recording;
mod sound;
mod stay;
mod variables;

#[cfg(test)]
mod tests;

use campanile::domain::attempt::Order;
use campanile::domain::evidence::Fact;
use campanile::domain::ids::Ticket;
use campanile::domain::instant::UtcMs;

use super::naming::Naming;
use super::{Input, LedgerDown, Output, no_order, record};
use crate::protocol::Reply;
use leg::Leg;

pub use leg::KEYS_MAX;
pub use opt_out::OPT_OUT_PATIENCE;

/// The answered leg of one call.
#[derive(Debug)]
pub struct Run {
    ticket: Ticket,
    state: State,
}

#[derive(Debug)]
enum State {
    LookingUp,
    /// The leg ended before we knew whose it was.
    GoneEarly,
    /// Its contact's variables are set first.
    Naming(Box<Leg>, Naming),
    /// Waits for what the action's command brings.
    Stepping(Box<Leg>),
    /// Is to begin its next action; never lasts. Hundreds of actions may fail at once, one behind the other: they are
    /// begun in a loop and not one by the other.
    Acting(Box<Leg>),
    Closed,
}

/// What an input leads to.
type Turn = (State, Vec<Output>);

impl Run {
    pub(super) fn new(ticket: Ticket) -> Self {
        Self { ticket, state: State::LookingUp }
    }

    pub(super) fn handle(&mut self, now: UtcMs, input: Input) -> Vec<Output> {
        if let Input::Recorded(Err(down)) = &input {
            return vec![Output::Warn(format!("run: {:?}: a fact is not recorded: {down}", self.ticket))];
        }
        let state = std::mem::replace(&mut self.state, State::Closed);
        let (mut state, mut outputs) = match (state, input) {
            (State::LookingUp, Input::Order(found)) => self.found(now, found),
            (State::LookingUp, Input::Hangup) => (State::GoneEarly, vec![]),
            (State::GoneEarly, Input::Order(found)) => self.found_too_late(now, found),
            (State::Naming(leg, _), Input::Hangup | Input::Reply(Reply::DeadChannel)) => leg.gone_before_its_steps(now),
            // A variable that is refused does not take the message with it.
            (State::Naming(leg, naming), Input::Reply(_)) => name(leg, naming, vec![]),
            (State::Stepping(leg), Input::Hangup) => leg.hung_up(now),
            (State::Stepping(leg), Input::Reply(Reply::Answer(answer))) => leg.answered(now, &answer),
            (State::Stepping(leg), Input::Reply(Reply::DeadChannel)) => leg.hung_up(now),
            (State::Stepping(leg), Input::Reply(Reply::Unknown | Reply::Usage)) => {
                leg.failed(now, "Asterisk refused it")
            }
            (State::Stepping(leg), Input::OptedOut(kept)) => leg.opted_out(now, kept),
            (State::Stepping(leg), Input::Timer) => leg.tired(now),
            (state, Input::OptedOut(Err(down))) => (state, vec![self.not_opted_out(&down)]),
            (state, _) => (state, vec![]),
        };
        while let State::Acting(leg) = state {
            let (next, more) = leg.act(now);
            state = next;
            outputs.extend(more);
        }
        self.state = state;
        outputs
    }

    fn found(&self, now: UtcMs, found: Result<Option<Box<Order>>, LedgerDown>) -> Turn {
        match no_order("run", self.ticket, found) {
            Ok(order) => {
                let answered = record(order.attempt, now, Fact::Answered);
                let naming = Naming::of(&order.variables);
                name(Box::new(Leg::of(*order, now)), naming, vec![answered])
            }
            Err(outputs) => (State::Closed, outputs),
        }
    }

    fn found_too_late(&self, now: UtcMs, found: Result<Option<Box<Order>>, LedgerDown>) -> Turn {
        let outputs = match no_order("run", self.ticket, found) {
            Ok(order) => vec![record(order.attempt, now, Fact::Answered), Output::Close],
            Err(outputs) => outputs,
        };
        (State::Closed, outputs)
    }

    fn not_opted_out(&self, down: &LedgerDown) -> Output {
        Output::Warn(format!("run: {:?}: an opt-out is not recorded: {down}", self.ticket))
    }
}

/// Sets the next of the contact's variables; behind the last one the actions begin.
fn name(leg: Box<Leg>, mut naming: Naming, mut outputs: Vec<Output>) -> Turn {
    match naming.next() {
        None => (State::Acting(leg), outputs),
        Some(command) => {
            outputs.push(Output::Send(command));
            (State::Naming(leg, naming), outputs)
        }
    }
}
