//! The FastAGI server: the real sessions, their timers and questions, and a connection each.

use std::collections::BTreeMap;

use campanile::daemon::engine::EngineLimits;
use campanile::domain::evidence::{Evidence, Fact};
use campanile::domain::ids::{AttemptId, Ticket};
use campanile::domain::instant::UtcMs;
use campanile::ledger::claims::{ServerRate, ServerRules, claim};
use campanile::ledger::{Db, Ledger, LedgerError, Result as LedgerResult, attempts, evidence};
use campanile::wake::Change;
use campanile_agi::protocol::{Answer, Command, Reply, Request};
use campanile_agi::session::{Input, LedgerDown, Output, Session};

use crate::asterisk::CallStep;
use crate::disk::{self, ProcessId};
use crate::world::{Happening, World, open_ledger};

/// The call of a client that is no Asterisk.
const NO_CALL: u64 = 0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    Gate,
    Run,
    Report,
}

/// One connection and its session.
#[derive(Debug)]
pub struct Talk {
    session: Session,
    script: Script,
    call: u64,
    timer: Option<UtcMs>,
    /// The dialplan still waits for it.
    open: bool,
    /// A command is being carried out: whether the channel's death ends it.
    commands: u64,
}

#[derive(Debug, Clone)]
pub enum Heard {
    Lookup(Ticket),
    Claim(AttemptId),
    Record(AttemptId, Box<Evidence>),
    Input(Input),
    /// The answer to the command of this number, unless it was answered before.
    Answer(u64, Reply),
}

pub struct Fastagi {
    pub up: bool,
    process: ProcessId,
    ledger: Option<Ledger>,
    /// Counts its lives: what a dead one had in hand does not happen.
    pub life: u32,
    talks: BTreeMap<u64, Talk>,
    next_talk: u64,
}

impl Fastagi {
    pub fn new(process: ProcessId, ledger: Ledger) -> Self {
        Self { up: true, process, ledger: Some(ledger), life: 0, talks: BTreeMap::new(), next_talk: 0 }
    }

    pub fn process(&self) -> ProcessId {
        self.process
    }

    pub fn next_timer(&self) -> Option<UtcMs> {
        self.talks.values().filter_map(|talk| talk.timer).min()
    }
}

fn down(error: LedgerError) -> LedgerDown {
    LedgerDown(error.to_string())
}

fn fine(result: &str) -> Reply {
    Reply::Answer(Answer { result: result.to_owned(), ..Answer::default() })
}

impl World {
    /// A connection for a script; `None` when nobody listens.
    pub fn connect(&mut self, call: u64, script: Script, request: &Request) -> Option<u64> {
        if !self.fastagi.up {
            self.say(|_| format!("call {call}: nobody answers {script:?}"));
            return None;
        }
        let (session, opening) = Session::open(request).expect("the dialplan asks for scripts that are there");
        self.fastagi.next_talk += 1;
        let id = self.fastagi.next_talk;
        self.fastagi.talks.insert(id, Talk { session, script, call, timer: None, open: true, commands: 0 });
        self.perform(id, opening);
        Some(id)
    }

    /// Another client of the port asks the gate with the ticket of a call, before that call does or after it.
    pub fn replay_a_ticket(&mut self) {
        let used = self.record.dialled.keys().cloned().rev().take(8);
        let waiting = self.folders.borrow().tickets();
        let tickets: Vec<String> = used.chain(waiting).collect();
        if !tickets.is_empty() {
            let ticket = self.chance.one_of(&tickets).clone();
            self.show_ticket(&ticket);
        }
    }

    pub fn show_ticket(&mut self, ticket: &str) {
        self.connect(NO_CALL, Script::Gate, &Request::new("gate", &[ticket]));
    }

    pub fn start_fastagi(&mut self) {
        if self.fastagi.up {
            return;
        }
        let process = self.new_process();
        match open_ledger(process) {
            Ok(ledger) => {
                (self.fastagi.up, self.fastagi.process, self.fastagi.ledger) = (true, process, Some(ledger));
                self.say(|_| "the FastAGI server starts".to_owned());
                self.wake(Change::Gate);
            }
            Err(error) => {
                self.say(|_| format!("the FastAGI server cannot start: {error}"));
                self.after(1_000, Happening::FastagiStarts);
            }
        }
    }

    /// A transaction of its writer; whoever dies in it is dead.
    fn agi_commit<T>(&mut self, verbs: impl FnOnce(&Db) -> LedgerResult<T>) -> Result<T, LedgerDown> {
        let Some(ledger) = self.fastagi.ledger.as_mut() else { return Err(LedgerDown("gone".to_owned())) };
        let done = ledger.write(|db| verbs(db)).map_err(down);
        match &done {
            Ok(_) => self.wake(Change::Evidence),
            Err(error) => self.say(|_| format!("the FastAGI server's commit failed: {error}")),
        }
        done
    }

    fn bury_fastagi(&mut self) {
        if self.fastagi.up && disk::with(|disk| disk.is_dead(self.fastagi.process)) {
            self.kill_fastagi();
            let ms = self.chance.between(0, 20_000);
            self.after(ms, Happening::FastagiStarts);
        }
    }

    pub fn kill_fastagi(&mut self) {
        disk::with(|disk| disk.kill(self.fastagi.process));
        self.fastagi.ledger = None;
        self.fastagi.up = false;
        self.fastagi.life += 1;
        let talks = std::mem::take(&mut self.fastagi.talks);
        self.say(|_| format!("the FastAGI server is killed with {} session(s)", talks.len()));
        for talk in talks.into_values().filter(|talk| talk.open) {
            self.dialplan_goes_on(talk.script, talk.call);
        }
    }

    fn dialplan_goes_on(&mut self, script: Script, call: u64) {
        match script {
            Script::Gate => self.later(call, 1, CallStep::AfterGate),
            Script::Run => self.later(call, 1, CallStep::HangUp),
            Script::Report => {}
        }
    }

    /// Asterisk is gone, and with it the other end.
    pub fn connection_breaks(&mut self, id: u64) {
        if let Some(talk) = self.fastagi.talks.get_mut(&id).filter(|talk| talk.open) {
            talk.open = false;
            self.tell(id, Input::Hangup);
        }
    }

    /// The channel hangs up: `HANGUP` is sent, and a command in progress is answered.
    pub fn channel_dies(&mut self, id: u64) {
        let Some(talk) = self.fastagi.talks.get(&id).filter(|talk| talk.open) else { return };
        let (commands, life) = (talk.commands, self.fastagi.life);
        self.tell(id, Input::Hangup);
        self.after(1, Happening::Talk { talk: id, life, heard: Heard::Answer(commands, fine("-1")) });
    }

    pub fn ring_timers(&mut self) {
        let now = self.now();
        let due: Vec<u64> =
            self.fastagi.talks.iter().filter(|(_, t)| t.timer.is_some_and(|at| at <= now)).map(|(id, _)| *id).collect();
        for id in due {
            if let Some(talk) = self.fastagi.talks.get_mut(&id) {
                talk.timer = None;
                self.tell(id, Input::Timer);
            }
        }
    }

    fn tell(&mut self, id: u64, input: Input) {
        let now = self.now();
        let Some(talk) = self.fastagi.talks.get_mut(&id) else { return };
        let outputs = talk.session.handle(now, input);
        self.perform(id, outputs);
    }

    fn perform(&mut self, id: u64, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send(command) => self.send(id, &command),
                Output::WaitUntil(at) => {
                    if let Some(talk) = self.fastagi.talks.get_mut(&id) {
                        talk.timer = Some(at);
                    }
                }
                Output::Pause(pause) => {
                    let (ms, life) = (i64::try_from(pause.as_millis()).unwrap_or(i64::MAX), self.fastagi.life);
                    self.after(ms, Happening::Talk { talk: id, life, heard: Heard::Input(Input::Timer) });
                }
                Output::Lookup(ticket) => self.ask(id, 2, Heard::Lookup(ticket)),
                Output::Claim(attempt) => self.ask(id, 12, Heard::Claim(attempt)),
                Output::Record(attempt, fact) => self.ask(id, 12, Heard::Record(attempt, Box::new(fact))),
                Output::Warn(why) => self.say(|_| format!("FastAGI warns: {why}")),
                Output::Close => self.close(id),
            }
        }
    }

    fn close(&mut self, id: u64) {
        let Some(talk) = self.fastagi.talks.get_mut(&id).filter(|talk| talk.open) else { return };
        talk.open = false;
        talk.timer = None;
        let (script, call) = (talk.script, talk.call);
        self.dialplan_goes_on(script, call);
    }

    /// A question to the ledger; its thread may be slow.
    fn ask(&mut self, id: u64, ms_max: i64, heard: Heard) {
        let slow = self.plagues.slow_ledger && self.chance.per_mille(150);
        let ms = if slow { self.chance.between(0, 9_000) } else { self.chance.between(0, ms_max) };
        let life = self.fastagi.life;
        self.after(ms, Happening::Talk { talk: id, life, heard });
    }

    fn send(&mut self, id: u64, command: &Command) {
        let line = command.render().expect("a command that can be written");
        assert!(line.iter().filter(|b| **b == b'\n').count() == 1, "I7: a command of several lines");
        let Some(talk) = self.fastagi.talks.get_mut(&id) else { return };
        talk.commands += 1;
        let (number, call) = (talk.commands, talk.call);
        let dead = self.asterisk.calls.get(&call).is_none_or(|call| call.over);
        let (ms, reply) = match command {
            Command::SetVariable { name, value } => {
                if let Some(call) = self.asterisk.calls.get_mut(&call) {
                    call.vars.insert(name.as_str(), value.clone());
                }
                (1, fine("1"))
            }
            Command::Noop => (1, fine("0")),
            // What AMD heard.
            Command::GetFullVariable { .. } => {
                let status =
                    if self.chance.per_mille(400) { "MACHINE LONGGREETING-1500-1500" } else { "HUMAN HUMAN-9-9" };
                let (result, value) = ("1".to_owned(), Some(status.to_owned()));
                (1, Reply::Answer(Answer { result, value, endpos: None }))
            }
            Command::SetContactVariable { .. } => (1, fine("1")),
            Command::Exec { .. } if dead => (1, fine("-1")),
            Command::Exec { .. } => (self.chance.between(500, 5_000), fine("0")),
            Command::StreamFile { .. }
            | Command::Say { .. }
            | Command::RecordFile { .. }
            | Command::WaitForDigit { .. }
                if dead =>
            {
                (1, Reply::DeadChannel)
            }
            Command::RecordFile { timeout_ms, .. } => (i64::from(*timeout_ms), fine("0")),
            Command::Say { .. } => (self.chance.between(500, 3_000), fine("0")),
            Command::StreamFile { .. } => {
                let ms = self.chance.between(500, 6_000);
                (ms, Reply::Answer(Answer { result: "0".to_owned(), value: None, endpos: Some(8 * ms as u64) }))
            }
            // Behind a menu; no other step waits for so long.
            Command::WaitForDigit { timeout_ms: 5_000 } if self.chance.per_mille(500) => (700, fine("49")),
            Command::WaitForDigit { timeout_ms } => (i64::from(*timeout_ms), fine("0")),
        };
        let life = self.fastagi.life;
        self.after(ms, Happening::Talk { talk: id, life, heard: Heard::Answer(number, reply) });
    }

    pub fn talk_goes_on(&mut self, id: u64, heard: Heard) {
        match heard {
            Heard::Input(input) => self.tell(id, input),
            Heard::Answer(number, reply) => {
                let asked = self.fastagi.talks.get(&id).filter(|talk| talk.open && talk.commands == number);
                if asked.is_some() {
                    self.tell(id, Input::Reply(reply));
                }
            }
            Heard::Lookup(ticket) => {
                let Some(ledger) = self.fastagi.ledger.as_mut() else { return };
                let order = ledger.read(|db| attempts::order(db, &ticket)).map_err(down);
                self.tell(id, Input::Order(order.map(|order| order.map(Box::new))));
            }
            Heard::Claim(attempt) => self.claim(id, attempt),
            Heard::Record(attempt, fact) => {
                let kept = self.agi_commit(|db| evidence::append(db, attempt, &fact));
                if kept.is_ok() {
                    self.record.acknowledged(attempt, &fact);
                }
                let opts_out = matches!(fact.fact, Fact::OptedOut { .. });
                if opts_out && kept.is_ok() {
                    self.opts_out(attempt);
                }
                self.answer(id, if opts_out { Input::OptedOut(kept) } else { Input::Recorded(kept) });
                self.bury_fastagi();
            }
        }
    }

    /// The claim is durable here; whether the session lives to hear of it is another matter.
    fn claim(&mut self, id: u64, attempt: AttemptId) {
        let rate = ServerRate(self.limits.calls_one_time);
        let EngineLimits { channels_max, frequency, ref legal, .. } = self.limits;
        let (now, rules) = (self.now(), ServerRules { rate, channels_max, frequency, legal: legal.clone() });
        let verdict = self.agi_commit(|db| claim(db, attempt, rules, now));
        self.say(|_| format!("claim of attempt {attempt}: {verdict:?}"));
        match &verdict {
            Ok(Ok(start_at)) => self.check_claim(attempt, *start_at),
            Ok(Err(_)) => {}
            Err(_) => self.record.claim_in_doubt(attempt),
        }
        self.answer(id, Input::Claimed(verdict));
        self.bury_fastagi();
    }

    fn answer(&mut self, id: u64, input: Input) {
        let ms = self.chance.between(0, 6);
        let life = self.fastagi.life;
        self.after(ms, Happening::Talk { talk: id, life, heard: Heard::Input(input) });
    }
}
