//! Asterisk as asterisk.md 2 to 6 has it: its spool thread, and the dialplan in `etc/asterisk`.

use std::collections::{BTreeMap, BTreeSet};

use campanile::callfile::{self, MarkWord, TICKET_VARIABLE};
use campanile::daemon::event::Event;
use campanile::domain::evidence::DialStatus;
use campanile::domain::instant::UtcMs;
use campanile::spool::{AsteriskRun, SpoolName};
use campanile_agi::protocol::Request;

use crate::agi::Script;
use crate::chance::Chance;
use crate::folders::File;
use crate::world::{Happening, World};

/// What a callee does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Answers { after_ms: i64, patience_ms: i64 },
    Busy,
    RingsOut,
    Rejects,
    NoSuchNumber,
    TrunkFails,
}

/// Whether an append reaches the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disk {
    Fine,
    Full,
}

/// One attempt of Asterisk at one file.
#[derive(Debug)]
pub struct Call {
    pub name: SpoolName,
    pub ticket: String,
    pub vars: BTreeMap<&'static str, String>,
    pub gate: Option<u64>,
    pub run: Option<u64>,
    fate: Option<Fate>,
    dialled_at_ms: Option<i64>,
    dialled_mono: i64,
    answered_mono: Option<i64>,
    /// `L` of `Dial`.
    lasts_ms: Option<i64>,
    pub over: bool,
}

#[derive(Debug, Clone, Copy)]
pub enum CallStep {
    AskGate,
    AfterGate,
    Answered,
    HangUp,
    Report,
    Archive,
    Status,
}

#[derive(Debug)]
pub struct Asterisk {
    pub alive: bool,
    /// It has booted, and watches the spool.
    reads: bool,
    /// Counts its lives: what a dead one had in hand does not happen.
    pub life: u32,
    pid: i64,
    /// By both clocks.
    started: (i64, UtcMs),
    /// Every life has the same pid, as in a container.
    container: bool,
    /// Where within the second its spool thread wakes.
    pub phase_ms: i64,
    /// Its list of files, with the instants that it remembers.
    list: BTreeSet<(i64, SpoolName)>,
    pub calls: BTreeMap<u64, Call>,
    next_call: u64,
}

impl Asterisk {
    pub fn new(chance: &mut Chance) -> Self {
        Self {
            alive: false,
            reads: false,
            life: 0,
            pid: 100,
            started: (0, UtcMs(0)),
            container: chance.per_mille(60),
            phase_ms: 0,
            list: BTreeSet::new(),
            calls: BTreeMap::new(),
            next_call: 0,
        }
    }

    pub fn next_due_s(&self) -> Option<i64> {
        self.list.first().filter(|_| self.alive).map(|(when, _)| *when)
    }
}

impl World {
    pub fn start_asterisk(&mut self) {
        if self.asterisk.alive {
            return;
        }
        let phase_ms = self.chance.below(1000);
        let asterisk = &mut self.asterisk;
        asterisk.alive = true;
        asterisk.pid += i64::from(!asterisk.container);
        asterisk.phase_ms = phase_ms;
        let (pid, life) = (asterisk.pid, asterisk.life);
        self.asterisk.started = (self.mono_ms, self.now());
        self.show_asterisk();
        self.say(|_| format!("asterisk {pid} starts"));
        // Its spool thread sleeps for a second before it looks (asterisk.md 2.1).
        let boot_ms = self.chance.between(1_000, 3_000);
        self.after(boot_ms, Happening::AsteriskLooks { life });
    }

    /// What pid file and process table tell of it: the earlier of the file's time and of now less its age.
    pub fn show_asterisk(&mut self) {
        let (mono, wall) = self.asterisk.started;
        let since = wall.min(self.now().plus_ms(mono - self.mono_ms));
        let run = AsteriskRun { pid: self.asterisk.pid, since, started_ticks: Some(mono / 10) };
        self.folders.borrow_mut().asterisk = self.asterisk.alive.then_some(run);
    }

    pub fn kill_asterisk(&mut self) {
        (self.asterisk.alive, self.asterisk.reads) = (false, false);
        self.asterisk.life += 1;
        self.asterisk.list.clear();
        self.folders.borrow_mut().asterisk = None;
        self.folders.borrow_mut().moved_in.clear();
        let calls = std::mem::take(&mut self.asterisk.calls);
        self.record.all_lines_fall(self.mono_ms);
        self.say(|_| format!("asterisk is killed with {} call(s)", calls.len()));
        for call in calls.into_values() {
            [call.gate, call.run].into_iter().flatten().for_each(|talk| self.connection_breaks(talk));
        }
    }

    /// At boot: every file that lies there; due ones all at once.
    pub fn read_spool(&mut self) {
        self.asterisk.reads = true;
        self.folders.borrow_mut().moved_in.clear();
        let names: Vec<SpoolName> = self.folders.borrow().outgoing.keys().copied().collect();
        names.into_iter().for_each(|name| self.queue(name));
    }

    /// inotify: what was renamed in since.
    pub fn asterisk_hears(&mut self) {
        let came = std::mem::take(&mut self.folders.borrow_mut().moved_in);
        if self.asterisk.reads {
            came.into_iter().for_each(|name| self.queue(name));
        }
    }

    fn queue(&mut self, name: SpoolName) {
        let Some(mtime_s) = self.folders.borrow().outgoing.get(&name).map(|f| f.mtime_s) else { return };
        if mtime_s > self.now().0.div_euclid(1000) {
            self.asterisk.list.insert((mtime_s, name));
        } else {
            self.service(name);
        }
    }

    /// An entry is served at the instant that it came with; the file is not looked at again.
    pub fn begin_due_files(&mut self) {
        let now_s = self.now().0.div_euclid(1000);
        while self.asterisk.alive && self.asterisk.list.first().is_some_and(|(when, _)| *when <= now_s) {
            let (_, name) = self.asterisk.list.pop_first().unwrap();
            self.service(name);
        }
    }

    fn service(&mut self, name: SpoolName) {
        let (now_s, pid) = (self.now().0.div_euclid(1000), self.asterisk.pid);
        let mut folders = self.folders.borrow_mut();
        let disk = if folders.full { Disk::Full } else { Disk::Fine };
        let Some(file) = folders.outgoing.get_mut(&name) else { return };
        let read = callfile::parse(&file.bytes).file;
        if !read.is_valid() {
            folders.outgoing.remove(&name);
            drop(folders);
            return self.say(|_| format!("asterisk deletes the invalid {name}"));
        }
        let retry_s = i64::from(read.retry_time_s);
        let begun_by = read.marks.last().filter(|m| m.word != MarkWord::EndRetry).map(|m| m.pid);
        match begun_by {
            Some(by) if by == pid => append(file, disk, "DelayedRetry", pid, now_s, now_s + retry_s),
            Some(by) => {
                // RetryTime leaves the sweeper days for this.
                assert!(by == pid, "I1: {name}, which a dead asterisk had begun, is begun again");
                append(file, disk, "AbortRetry", pid, now_s, now_s + retry_s);
                append(file, disk, "StartRetry", pid, now_s + retry_s, now_s + 2 * retry_s);
            }
            None => append(file, disk, "StartRetry", pid, now_s + retry_s, now_s + 2 * retry_s),
        }
        drop(folders);
        self.asterisk.list.insert((now_s + retry_s, name));
        if begun_by != Some(pid) {
            let ticket = read.variable(TICKET_VARIABLE).and_then(|t| t.to_str()).unwrap_or_default().to_owned();
            self.originate(name, ticket);
        }
    }

    fn originate(&mut self, name: SpoolName, ticket: String) {
        self.check_ordered(name, &ticket);
        self.asterisk.next_call += 1;
        let id = self.asterisk.next_call;
        let call = Call {
            name,
            ticket,
            vars: BTreeMap::new(),
            gate: None,
            run: None,
            fate: None,
            dialled_at_ms: None,
            dialled_mono: 0,
            answered_mono: None,
            lasts_ms: None,
            over: false,
        };
        self.asterisk.calls.insert(id, call);
        self.say(|_| format!("asterisk begins {name} as call {id}"));
        let ms = self.chance.between(1, 5);
        self.later(id, ms, CallStep::AskGate);
    }

    pub fn later(&mut self, call: u64, ms: i64, step: CallStep) {
        let life = self.asterisk.life;
        self.after(ms, Happening::Call { call, life, step });
    }

    pub fn call_goes_on(&mut self, id: u64, step: CallStep) {
        let Some(call) = self.asterisk.calls.get(&id) else { return };
        let name = call.name;
        match step {
            CallStep::AskGate => {
                let ticket = call.ticket.clone();
                let request = Request::new("gate", &[&ticket]);
                let talk = self.connect(id, Script::Gate, &request);
                match talk {
                    None => self.later(id, 1, CallStep::AfterGate),
                    Some(talk) => self.with_call(id, |call| call.gate = Some(talk)),
                }
                self.stop_at_the_last_moment();
                if self.plagues.overhears && self.chance.per_mille(200) {
                    let ms = self.chance.between(0, 3_000);
                    self.after(ms, Happening::Overheard(ticket));
                }
            }
            CallStep::AfterGate if call.over => {}
            CallStep::AfterGate => match call.vars.get("CAMPANILE_GO").cloned() {
                Some(go) => self.dial(id, &go),
                None => self.hang_up(id),
            },
            CallStep::Answered if call.over => {}
            CallStep::Answered => self.answered(id),
            CallStep::HangUp => self.hang_up(id),
            CallStep::Report => self.report(id),
            CallStep::Archive => self.archive(id, name),
            CallStep::Status => self.write_status(id, name),
        }
    }

    fn with_call(&mut self, id: u64, change: impl FnOnce(&mut Call)) {
        if let Some(call) = self.asterisk.calls.get_mut(&id) {
            change(call);
        }
    }

    /// `Dial(${CAMPANILE_GO},i${CAMPANILE_OPTIONS})`.
    fn dial(&mut self, id: u64, go: &str) {
        let (now, mono) = (self.now(), self.mono_ms);
        let call = &self.asterisk.calls[&id];
        let ticket = call.ticket.clone();
        let options = call.vars.get("CAMPANILE_OPTIONS").cloned().unwrap_or_default();
        let (dial, ring_s) = go.split_once(',').expect("a go has a ring time");
        let ring_s: i64 = ring_s.parse().expect("a ring time is a number");
        let draw = self.check_dial(&ticket, dial, ring_s, &options);
        let fate = self.draw_fate(&ticket);
        self.with_call(id, |call| {
            (call.fate, call.dialled_at_ms, call.dialled_mono) = (Some(fate), Some(now.0), mono);
            call.lasts_ms = draw.talk_ms.map(i64::from);
        });
        match fate {
            Fate::Answers { after_ms, .. } if after_ms < ring_s * 1000 => self.later(id, after_ms, CallStep::Answered),
            Fate::Answers { .. } | Fate::RingsOut => self.later(id, ring_s * 1000, CallStep::HangUp),
            Fate::Busy | Fate::Rejects | Fate::NoSuchNumber | Fate::TrunkFails => self.later(id, 80, CallStep::HangUp),
        }
    }

    fn draw_fate(&mut self, ticket: &str) -> Fate {
        if self.lines.is_dark(self.record.dialled[ticket].trunk) {
            return Fate::TrunkFails;
        }
        match self.chance.below(10) {
            0..4 => {
                Fate::Answers { after_ms: self.chance.between(5, 12_000), patience_ms: self.chance.between(1, 15_000) }
            }
            4 => Fate::Busy,
            5 | 6 => Fate::RingsOut,
            7 => Fate::Rejects,
            8 => Fate::NoSuchNumber,
            _ => Fate::TrunkFails,
        }
    }

    fn answered(&mut self, id: u64) {
        let mono = self.mono_ms;
        let call = &self.asterisk.calls[&id];
        let (ticket, fate, lasts_ms) = (call.ticket.clone(), call.fate, call.lasts_ms);
        self.with_call(id, |call| call.answered_mono = Some(mono));
        self.record.answered(&ticket);
        if let Some(Fate::Answers { patience_ms, .. }) = fate {
            self.later(id, lasts_ms.map_or(patience_ms, |ms| ms.min(patience_ms)), CallStep::HangUp);
        }
        let run = self.connect(id, Script::Run, &Request::new("run", &[&ticket]));
        match run {
            None => self.later(id, 1, CallStep::HangUp),
            Some(talk) => self.with_call(id, |call| call.run = Some(talk)),
        }
    }

    pub fn hang_up(&mut self, id: u64) {
        let Some(call) = self.asterisk.calls.get_mut(&id).filter(|call| !call.over) else { return };
        call.over = true;
        let (ticket, talks) = (call.ticket.clone(), [call.gate, call.run]);
        self.record.line_falls(&ticket, self.mono_ms);
        self.say(|_| format!("call {id} ends"));
        talks.into_iter().flatten().for_each(|talk| self.channel_dies(talk));
        let (report_ms, archive_ms) = (self.chance.between(0, 2), self.chance.between(0, 5));
        self.later(id, report_ms, CallStep::Report);
        self.later(id, archive_ms, CallStep::Archive);
    }

    fn report(&mut self, id: u64) {
        let call = &self.asterisk.calls[&id];
        let args = self.ending_of(call);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        self.connect(id, Script::Report, &Request::new("report", &args));
    }

    /// The nine arguments of the dialplan's last line, as a real Asterisk 22 gives them.
    fn ending_of(&self, call: &Call) -> Vec<String> {
        let ms = |ms: i64| ms.to_string();
        let mut args = vec![call.ticket.clone(), String::new(), String::new(), String::new(), "16".to_owned()];
        args.extend([const { String::new() }; 4]);
        let (Some(at), Some(fate)) = (call.dialled_at_ms, call.fate) else { return args };
        args[1] = ms(at);
        let (status, after_dial, sip) = match fate {
            _ if call.answered_mono.is_some() => (DialStatus::Answer, "", "200"),
            Fate::Answers { .. } | Fate::RingsOut => (DialStatus::NoAnswer, "0", "180"),
            Fate::Busy => (DialStatus::Busy, "17", "486"),
            Fate::Rejects => (DialStatus::ChanUnavail, "21", "603"),
            Fate::NoSuchNumber => (DialStatus::ChanUnavail, "1", "404"),
            Fate::TrunkFails => (DialStatus::Congestion, "34", "503"),
        };
        (args[2], args[3], args[8]) = (status.as_str().to_owned(), after_dial.to_owned(), sip.to_owned());
        if let Some(answered) = call.answered_mono {
            args[5] = ms(1);
            args[6] = ms(self.mono_ms - answered);
            args[7] = ms(self.mono_ms - call.dialled_mono);
        }
        args
    }

    fn archive(&mut self, id: u64, name: SpoolName) {
        let now_s = self.now().0.div_euclid(1000);
        let mut folders = self.folders.borrow_mut();
        if let Some(mut file) = folders.outgoing.remove(&name) {
            file.mtime_s = now_s;
            folders.done.insert(name, file);
        }
        drop(folders);
        self.spool_event(name);
        let ms = self.chance.between(0, 2);
        self.later(id, ms, CallStep::Status);
    }

    fn write_status(&mut self, id: u64, name: SpoolName) {
        let answered = self.asterisk.calls[&id].answered_mono.is_some();
        let word = if answered { "Completed" } else { "Expired" };
        let now = self.now();
        let mut folders = self.folders.borrow_mut();
        let full = folders.full;
        if let Some(file) = folders.done.get_mut(&name).filter(|_| !full) {
            file.bytes.extend(format!("Status: {word}\n").bytes());
            file.ended_at = Some(now);
        }
        drop(folders);
        self.spool_event(name);
        self.asterisk.calls.remove(&id);
    }

    fn spool_event(&mut self, name: SpoolName) {
        if self.plagues.loses_spool_events && self.chance.per_mille(400) {
            return;
        }
        let overflow = self.plagues.loses_spool_events && self.chance.per_mille(100);
        self.hear(if overflow { Event::Rescan } else { Event::Archived(name) });
    }
}

/// Asterisk's bookkeeping; on a full disk the line is lost silently, and the times are set all the same.
fn append(file: &mut File, disk: Disk, word: &str, pid: i64, at_s: i64, mtime_s: i64) {
    if disk == Disk::Fine {
        file.bytes.extend(format!("\n{word}: {pid} 1 ({at_s})\n").bytes());
    }
    file.mtime_s = mtime_s;
}
