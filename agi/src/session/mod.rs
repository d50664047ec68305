//! The four conversations that Asterisk can ask for, as pure state machines.
//!
//! The contract: [`Session::open`] with the request, then [`Session::handle`] with each input; carry
//! out the outputs in their order before the next input. A session has one command outstanding at
//! most (asterisk.md 7), claims once at most (I1), and after [`Output::Close`] only reports what the
//! ledger failed to take. A lost connection and a reply that never comes are told as
//! [`Input::Hangup`].

mod gate;
mod naming;
mod ping;
mod report;
mod run;
#[cfg(test)]
mod world;

use std::time::Duration;

use campanile::domain::attempt::Order;
use campanile::domain::evidence::{Evidence, Fact};
use campanile::domain::gate::Refusal;
use campanile::domain::ids::{AttemptId, Ticket};
use campanile::domain::instant::UtcMs;

use crate::protocol::{Command, Reply, Request};

pub use gate::{CLAIM_LEAD_MS, HOLD_MS_MAX};
pub use report::RECORD_TRIES_MAX;
pub use run::{KEYS_MAX, OPT_OUT_PATIENCE};

/// Something that a session learns.
#[derive(Debug, Clone)]
pub enum Input {
    /// The answer to the outstanding command.
    Reply(Reply),
    /// The channel or the connection is gone.
    Hangup,
    /// The instant of the last [`Output::WaitUntil`] has come, or the last [`Output::Pause`] is over.
    Timer,
    /// What the ledger has for the ticket.
    Order(Result<Option<Box<Order>>, LedgerDown>),
    /// What the ledger says to the claim: the instant to dial at, or why not.
    Claimed(Result<Result<UtcMs, Refusal>, LedgerDown>),
    /// Whether a fact is durable. Of an answered leg's facts only bad news need be told, and maybe late.
    Recorded(Result<(), LedgerDown>),
    /// Whether [`Fact::OptedOut`] is durable.
    OptedOut(Result<(), LedgerDown>),
}

/// Something that a session wants.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Send this command; its reply comes as [`Input::Reply`].
    Send(Command),
    /// Say [`Input::Timer`] at this instant.
    WaitUntil(UtcMs),
    /// Say [`Input::Timer`] after so long, whatever is done to the clock meanwhile.
    Pause(Duration),
    /// Look the ticket up; answered by [`Input::Order`].
    Lookup(Ticket),
    /// Claim the attempt; answered by [`Input::Claimed`]. The ledger records a refusal itself.
    Claim(AttemptId),
    /// Record a fact; answered by [`Input::Recorded`], or [`Input::OptedOut`] for that one.
    Record(AttemptId, Evidence),
    /// Something an operator should know.
    Warn(String),
    /// Close the connection: the dialplan goes on.
    Close,
}

/// The ledger could not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the ledger is down: {0}")]
pub struct LedgerDown(pub String);

/// Why a request starts no session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unwelcome {
    /// A script that we do not have.
    #[error("no script `{0}`; there are gate, run, report and ping")]
    Script(String),
    /// The first argument is no ticket. It may be a mistyped one, so it is not shown.
    #[error("{script} came without a ticket")]
    NoTicket {
        /// The script.
        script: &'static str,
    },
}

/// One conversation.
#[derive(Debug)]
pub enum Session {
    /// May this attempt dial?
    Gate(gate::Gate),
    /// The answered leg.
    Run(run::Run),
    /// How the dialling leg ended.
    Report(report::Reporting),
    /// Is anybody there?
    Ping(ping::Ping),
}

/// How many gates and answered legs are in progress, and how many may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct House {
    /// In progress.
    pub sessions: usize,
    /// The most; further ones wait.
    pub sessions_max: usize,
}

impl Session {
    /// Begins the conversation that `request` asks for, in an empty house.
    pub fn open(request: &Request) -> Result<(Self, Vec<Output>), Unwelcome> {
        Self::open_in(House::default(), request)
    }

    /// Begins the conversation that `request` asks for.
    pub fn open_in(house: House, request: &Request) -> Result<(Self, Vec<Output>), Unwelcome> {
        let ticket = |script| request.arg(1).parse().map_err(|_| Unwelcome::NoTicket { script });
        match request.script() {
            "gate" => ticket("gate").map(|ticket| (Self::Gate(gate::Gate::new(ticket)), vec![Output::Lookup(ticket)])),
            "run" => ticket("run").map(|ticket| (Self::Run(run::Run::new(ticket)), vec![Output::Lookup(ticket)])),
            "report" => ticket("report")
                .map(|ticket| (Self::Report(report::Reporting::new(ticket, request)), vec![Output::Lookup(ticket)])),
            "ping" => Ok((Self::Ping(ping::Ping::default()), vec![ping::pong(house)])),
            other => Err(Unwelcome::Script(other.chars().take(40).filter(|c| !c.is_control()).collect())),
        }
    }

    /// Takes an input that came at `now`.
    pub fn handle(&mut self, now: UtcMs, input: Input) -> Vec<Output> {
        match self {
            Self::Gate(gate) => gate.handle(now, input),
            Self::Run(run) => run.handle(now, input),
            Self::Report(reporting) => reporting.handle(now, input),
            Self::Ping(ping) => ping.handle(&input),
        }
    }
}

fn record(attempt: AttemptId, at: UtcMs, fact: Fact) -> Output {
    Output::Record(attempt, Evidence { at, fact })
}

/// What every session does when its lookup brings no order: nothing, and says so.
fn no_order(
    script: &str,
    ticket: Ticket,
    found: Result<Option<Box<Order>>, LedgerDown>,
) -> Result<Box<Order>, Vec<Output>> {
    let why = match found {
        Ok(Some(order)) => return Ok(order),
        Ok(None) => format!("{script}: nobody knows {ticket:?}"),
        Err(down) => format!("{script}: {ticket:?}: {down}"),
    };
    Err(vec![Output::Warn(why), Output::Close])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use campanile::domain::gate::GO_LATE_MS_MAX;

    use super::world::{Talk, answer, at, lists, order, ticket};
    use super::*;
    use crate::protocol::{Answer, Variable};

    #[test]
    fn unknown_scripts_are_unwelcome_and_shown_short() {
        for script in ["", "Gate", "gate/", "gate?x", "../gate", "\u{1b}[31m"] {
            assert!(matches!(Session::open(&Request::new(script, &[])), Err(Unwelcome::Script(_))), "{script:?}");
        }
        let Err(Unwelcome::Script(shown)) = Session::open(&Request::new(&"x\n".repeat(99), &[])) else { panic!() };
        assert_eq!(shown, "x".repeat(20));
    }

    #[test]
    fn a_ping_is_answered_by_our_version() {
        let mut talk = Talk::open(&Request::new("ping", &[]));
        assert_eq!(talk.take(), [ping::pong(House::default())]);
        talk.hear(0, answer("1", None));
        talk.hear(1, Input::Hangup);
        assert_eq!(talk.take(), [Output::Close]);
    }

    /// What a session still has to be told.
    #[derive(Debug, Default)]
    struct Owed {
        reply: usize,
        order: usize,
        claim: usize,
        record: usize,
        opt_out: usize,
        timer: Option<UtcMs>,
        claims: usize,
        admitted: Option<UtcMs>,
        closed: bool,
    }

    impl Owed {
        fn take(&mut self, now: UtcMs, outputs: &[Output]) {
            for output in outputs {
                assert!(!self.closed || matches!(output, Output::Warn(_)), "{output:?} after the end");
                match output {
                    Output::Send(command) => {
                        assert_eq!(self.reply, 0, "two commands at once");
                        assert!(command.render().is_ok(), "{command:?}");
                        let go = matches!(command, Command::SetVariable { name: Variable::Go, .. });
                        let good = self
                            .admitted
                            .is_some_and(|start_at| now >= start_at && now.since_ms(start_at) <= GO_LATE_MS_MAX);
                        assert!(!go || good, "go without a claim, or not at its time");
                        self.reply += 1;
                    }
                    Output::WaitUntil(at) => self.timer = Some(*at),
                    Output::Pause(pause) => self.timer = Some(now.plus_s(pause.as_secs().cast_signed())),
                    Output::Lookup(_) => self.order += 1,
                    Output::Claim(_) => {
                        self.claim += 1;
                        self.claims += 1;
                    }
                    Output::Record(_, Evidence { fact: Fact::OptedOut { .. }, .. }) => self.opt_out += 1,
                    Output::Record(..) => self.record += 1,
                    Output::Warn(_) => {}
                    Output::Close => self.closed = true,
                }
            }
            assert!(self.claims <= 1, "two claims");
        }

        fn waits(&self) -> bool {
            self.reply + self.order + self.claim + self.record + self.opt_out > 0 || self.timer.is_some()
        }

        /// Notes that the input comes; `None` when it cannot.
        fn allow(&mut self, input: Input) -> Option<Input> {
            let owed = match &input {
                Input::Reply(_) => &mut self.reply,
                Input::Order(_) => &mut self.order,
                Input::Claimed(_) => &mut self.claim,
                Input::Recorded(_) => &mut self.record,
                Input::OptedOut(_) => &mut self.opt_out,
                Input::Timer => return self.timer.take().map(|_| input),
                Input::Hangup => return Some(input),
            };
            *owed = owed.checked_sub(1)?;
            if let Input::Claimed(Ok(Ok(start_at))) = &input {
                self.admitted = Some(*start_at);
            }
            Some(input)
        }
    }

    fn any_order() -> impl Strategy<Value = Input> {
        let list = |ends: bool, steps: &'static [&'static str]| {
            let last: &'static [&'static str] = if ends { &LAST } else { &["WAIT 1"] };
            let steps = proptest::collection::vec(proptest::sample::select(steps), 0..4);
            (steps, proptest::sample::select(last)).prop_map(|(mut steps, last)| {
                steps.push(last);
                steps
            })
        };
        let actions = any::<bool>().prop_flat_map(move |ends| (list(ends, &STEPS), list(ends, &SIMPLE)));
        (actions, any::<bool>(), any::<bool>()).prop_map(|((first, branch), known, named)| {
            let mut order = order(&[]);
            if named {
                order.variables.set("debt".parse().unwrap(), "42".parse().unwrap());
            }
            order.actions = lists(&[("", &first), ("branch", &branch)]);
            Input::Order(Ok(known.then(|| Box::new(order))))
        })
    }

    const LAST: [&str; 6] =
        ["HANGUP", "IVR main,s,1", "TRANSFER main,s", "DIAL agents,100", "QUEUE support wait=60", "CONFERENCE 8000"];
    const SIMPLE: [&str; 8] = [
        "WAIT 2",
        "PLAY hello",
        "SAY digits 42",
        "SAY date 2026-12-01",
        "SAY number {debt}",
        "SET debt 5",
        "SET debt {debt}",
        "OPT-OUT",
    ];
    const STEPS: [&str; 6] = [
        "RECORD seconds=5",
        "PLAY hello",
        "MENU m keys=1:branch,23:again,5:hangup wrong=sorry else=next",
        "MENU m keys=*:branch,#:next repeats=0 else=branch",
        "AMD human=branch machine=branch",
        "OPT-OUT never",
    ];

    fn any_input() -> impl Strategy<Value = Input> {
        let down = || LedgerDown("down".to_owned());
        let heard = |status: &str| {
            let answer = Answer { result: "1".to_owned(), value: Some(status.to_owned()), endpos: None };
            Input::Reply(Reply::Answer(answer))
        };
        prop_oneof![
            2 => prop_oneof![Just("MACHINE MAXWORDS-3-3"), Just("HUMAN HUMAN-1-2"), Just(" "), Just("HANGUP "), Just("/var/spool")].prop_map(heard),
            8 => (-2..70_i32, proptest::option::of(0..9000_u64)).prop_map(|(code, endpos)| answer(&code.to_string(), endpos)),
            1 => prop_oneof![Just(Reply::Unknown), Just(Reply::DeadChannel), Just(Reply::Usage)].prop_map(Input::Reply),
            1 => Just(Input::Hangup),
            6 => Just(Input::Timer),
            6 => any_order(),
            4 => (0..3000_i64).prop_map(|ms| Input::Claimed(Ok(Ok(at(ms))))),
            1 => Just(Input::Claimed(Ok(Err(Refusal::Rate)))),
            1 => Just(Input::Claimed(Err(down()))),
            4 => Just(Input::Recorded(Ok(()))),
            1 => Just(Input::Recorded(Err(down()))),
            6 => Just(Input::OptedOut(Ok(()))),
            1 => Just(Input::OptedOut(Err(down()))),
        ]
    }

    proptest! {
        #[test]
        fn every_session_ends_or_waits_and_never_dials_unclaimed_or_late_i1_i4(
            script in prop_oneof![Just("gate"), Just("run"), Just("report"), Just("ping")],
            inputs in proptest::collection::vec((any_input(), 0..700_i64), 0..120),
        ) {
            let (mut session, opening) = Session::open(&Request::new(script, &[&ticket().to_string()])).unwrap();
            let (mut owed, mut now) = (Owed::default(), at(0));
            owed.take(now, &opening);
            for (input, later_ms) in inputs {
                now = now.plus_ms(later_ms);
                if let Some(input) = owed.allow(input) {
                    owed.take(now, &session.handle(now, input));
                }
                prop_assert!(owed.closed || owed.waits(), "{session:?} is stuck");
            }
        }
    }
}
