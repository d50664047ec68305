//! Whole sessions: any inputs in any order.
//!
//! The first line is the script. Then each byte is something that happens: see [`happens`].

use campanile::domain::action::{Action, Actions};
use campanile::domain::attempt::Order;
use campanile::domain::evidence::Fact;
use campanile::domain::gate::Refusal;
use campanile::domain::ids::{AttemptId, CampaignId, ContactId, Ticket, TrunkId};
use campanile::domain::instant::UtcMs;
use campanile::domain::number::Number;
use campanile::domain::trunk::DialString;
use campanile_agi::protocol::{Command, Decoder, Event, Request, Variable};
use campanile_agi::session::{Input, LedgerDown, Output, RECORD_TRIES_MAX, Session};

const BEGIN: UtcMs = UtcMs(1_772_352_000_000);
const ATTEMPT: AttemptId = AttemptId(7);
const TICKET: [u8; 16] = [0xab; 16];

pub fn check(data: &[u8]) {
    let line = data.iter().position(|b| *b == b'\n').unwrap_or(data.len());
    let script = String::from_utf8_lossy(&data[..line]).into_owned();
    let ticket = Ticket::new(TICKET).to_string();
    let request =
        Request::new(&script, &[&ticket, "1772352000123", "ANSWER", "16", "16", "2400", "30000", "32500", "200"]);
    let Ok((session, opening)) = Session::open(&request) else {
        assert!(!["gate", "run", "report", "ping"].contains(&script.as_str()));
        return;
    };
    // Not every place is a right one for every input; a server keeps to the contract, and a session
    // should not depend on it.
    for manners in [Manners::Kept, Manners::Broken] {
        let mut talk = Talk::new(session_again(&request, &session), manners);
        talk.take(opening.clone());
        for (place, byte) in data.iter().skip(line + 1).enumerate() {
            talk.happens(*byte, place);
        }
        talk.end();
    }
}

/// Sessions cannot be cloned: the same request opens the same one.
fn session_again(request: &Request, session: &Session) -> Session {
    let (again, _) = Session::open(request).expect("it opened before");
    assert_eq!(format!("{again:?}"), format!("{session:?}"));
    again
}

/// Whether inputs come only when they are owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manners {
    Kept,
    Broken,
}

struct Talk {
    session: Session,
    manners: Manners,
    decoder: Decoder,
    now: UtcMs,
    replies_owed: usize,
    lookups_owed: usize,
    claims_owed: usize,
    records_owed: usize,
    opt_outs_owed: usize,
    claims: usize,
    timer: Option<UtcMs>,
    admitted: bool,
    gone: bool,
    closed: bool,
    lookups: usize,
    reports: usize,
    answered: usize,
}

impl Talk {
    fn new(session: Session, manners: Manners) -> Self {
        let mut decoder = Decoder::default();
        decoder.push(b"agi_network_script: x\n\n");
        assert!(matches!(decoder.next_event(), Ok(Some(Event::Request(_)))));
        Self {
            session,
            manners,
            decoder,
            now: BEGIN,
            replies_owed: 0,
            lookups_owed: 0,
            claims_owed: 0,
            records_owed: 0,
            opt_outs_owed: 0,
            claims: 0,
            timer: None,
            admitted: false,
            gone: false,
            closed: false,
            lookups: 0,
            reports: 0,
            answered: 0,
        }
    }

    /// Letters are inputs; everything else lets time pass, also backwards.
    fn happens(&mut self, byte: u8, place: usize) {
        match byte {
            b'o' => self.order(Ok(Some(Box::new(order(place))))),
            b'm' => self.order(Ok(Some(Box::new(branching(place))))),
            b'O' => self.order(Ok(None)),
            b'd' => self.order(Err(down())),
            b'c' => self.claimed(Ok(Ok(BEGIN.plus_ms(1000)))),
            b'C' => self.claimed(Ok(Ok(self.now.plus_ms(30_000)))),
            b'r' => self.claimed(Ok(Err(Refusal::Rate))),
            b'R' => self.claimed(Err(down())),
            b'k' => self.recorded(Ok(())),
            b'K' => self.recorded(Err(down())),
            b'y' => self.opted_out(Ok(())),
            b'Y' => self.opted_out(Err(down())),
            b't' => self.timer(),
            b'h' => self.hear(Input::Hangup),
            b'0' => self.line("200 result=0\n"),
            b'1' => self.line("200 result=1 endpos=8000\n"),
            b'5' => self.line("200 result=53 endpos=16000\n"),
            b'#' => self.line("200 result=35 endpos=18446744073709551615\n"),
            b'-' => self.line("200 result=-1 endpos=0\n"),
            b'2' => self.line("200 result=-2\n"),
            b'a' => self.line("200 result=1 (MACHINE LONGGREETING-1500-1500)\n"),
            b's' => self.line("200 result=1 (/var/spool/asterisk)\n"),
            b'w' => self.line("200 result=-1 (writefile)\n"),
            b'A' => self.line("200 result=1 (HUMAN HUMAN-800-800)\n"),
            b'n' => self.line("200 result=nonsense (x)\n"),
            b'x' => self.line("511 Command Not Permitted on a dead channel\n"),
            b'u' => self.line("520 Invalid command syntax.\n"),
            b'U' => self.line("510 Invalid or unknown command\n"),
            b'H' => self.line("HANGUP\n"),
            b'z' => self.line("zzz\n"),
            0x80..=0x8f => self.now = self.now.plus_ms(-i64::from(byte - 0x7f) * 700),
            ms => self.now = self.now.plus_ms(i64::from(ms) * 7),
        }
    }

    fn polite(&self, owed: usize) -> bool {
        self.manners == Manners::Broken || owed > 0
    }

    fn order(&mut self, found: Result<Option<Box<Order>>, LedgerDown>) {
        if self.polite(self.lookups_owed) {
            self.lookups_owed = self.lookups_owed.saturating_sub(1);
            self.hear(Input::Order(found));
        }
    }

    fn claimed(&mut self, verdict: Result<Result<UtcMs, Refusal>, LedgerDown>) {
        if self.polite(self.claims_owed) {
            self.claims_owed = self.claims_owed.saturating_sub(1);
            self.admitted |= self.claims > 0 && matches!(verdict, Ok(Ok(_)));
            self.hear(Input::Claimed(verdict));
        }
    }

    fn recorded(&mut self, kept: Result<(), LedgerDown>) {
        if self.polite(self.records_owed) {
            self.records_owed = self.records_owed.saturating_sub(1);
            self.hear(Input::Recorded(kept));
        }
    }

    fn opted_out(&mut self, kept: Result<(), LedgerDown>) {
        if self.polite(self.opt_outs_owed) {
            self.opt_outs_owed = self.opt_outs_owed.saturating_sub(1);
            self.hear(Input::OptedOut(kept));
        }
    }

    fn timer(&mut self) {
        let set = self.timer.take();
        if self.manners == Manners::Broken || set.is_some_and(|at| at <= self.now) {
            self.hear(Input::Timer);
        } else {
            self.timer = set;
        }
    }

    /// A line of Asterisk's, through the real decoder.
    fn line(&mut self, line: &str) {
        if self.gone {
            return;
        }
        self.decoder.push(line.as_bytes());
        loop {
            match self.decoder.next_event() {
                Ok(Some(Event::Reply(reply))) => {
                    assert!(self.replies_owed > 0, "a reply that nobody waited for");
                    self.replies_owed -= 1;
                    self.hear(Input::Reply(reply));
                }
                Ok(Some(Event::Hangup)) => self.hear(Input::Hangup),
                Ok(Some(Event::Request(_))) => panic!("a second request"),
                Ok(None) => break,
                Err(_) => {
                    self.gone = true;
                    self.hear(Input::Hangup);
                    break;
                }
            }
        }
    }

    fn hear(&mut self, input: Input) {
        // Behind the end a server only tells what became of records.
        if self.closed && self.manners == Manners::Kept && !matches!(input, Input::Recorded(_) | Input::OptedOut(_)) {
            return;
        }
        let outputs = self.session.handle(self.now, input);
        self.take(outputs);
    }

    fn take(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            assert!(!self.closed || matches!(output, Output::Warn(_)), "{output:?} after the end");
            match output {
                Output::Send(command) => self.sent(&command),
                Output::WaitUntil(at) => self.timer = Some(at),
                Output::Pause(pause) => self.timer = Some(self.now.plus_s(pause.as_secs().cast_signed())),
                Output::Lookup(ticket) => {
                    assert_eq!(ticket, Ticket::new(TICKET));
                    self.lookups += 1;
                    self.lookups_owed += 1;
                }
                Output::Claim(attempt) => {
                    assert_eq!(attempt, ATTEMPT);
                    self.claims += 1;
                    self.claims_owed += 1;
                }
                Output::Record(attempt, evidence) => {
                    let waited = matches!(evidence.fact, Fact::Reported(_)) && evidence.at < self.now;
                    assert!(attempt == ATTEMPT && (evidence.at == self.now || waited), "{evidence:?}");
                    self.recording(&evidence.fact);
                }
                Output::Warn(why) => assert!(!why.contains(&Ticket::new(TICKET).to_string()), "{why}"),
                Output::Close => self.closed = true,
            }
        }
        assert!(self.claims <= 1 && self.lookups <= 1, "I1: {} claims, {} lookups", self.claims, self.lookups);
    }

    fn sent(&mut self, command: &Command) {
        assert!(command.render().is_ok(), "{command:?} cannot be sent");
        let go = matches!(command, Command::SetVariable { name: Variable::Go, .. });
        assert!(!go || self.admitted, "I1: go without a claim");
        self.replies_owed += 1;
        if self.manners == Manners::Kept {
            assert_eq!(self.replies_owed, 1, "two commands at once");
        }
        let _ = self.decoder.expect_reply();
    }

    fn recording(&mut self, fact: &Fact) {
        match fact {
            Fact::OptedOut { .. } => self.opt_outs_owed += 1,
            _ => self.records_owed += 1,
        }
        match fact {
            Fact::Answered => self.answered += 1,
            Fact::Reported(_) => self.reports += 1,
            Fact::Step(step) => assert!(step.ran_ms >= 0 && step.digits.len() <= 1_000),
            _ => {}
        }
        assert!(self.answered <= 1 && self.reports <= RECORD_TRIES_MAX as usize);
    }

    /// It is over, or something is owed to it: nobody waits for ever.
    fn end(&mut self) {
        let owed = self.replies_owed + self.lookups_owed + self.claims_owed + self.records_owed + self.opt_outs_owed;
        if self.manners == Manners::Kept {
            assert!(self.closed || owed > 0 || self.timer.is_some(), "{:?} is stuck", self.session);
        }
        let shown = format!("{:?}", self.session);
        assert!(!shown.contains("493012345") && !shown.contains(&Ticket::new(TICKET).to_string()), "{shown}");
    }
}

fn down() -> LedgerDown {
    LedgerDown("down".to_owned())
}

fn order(place: usize) -> Order {
    const ACTIONS: [(&str, &str); 4] = [("WAIT", "2"), ("PLAY", "hello"), ("PLAY", "en/bye"), ("IVR", "main,s,1")];
    let actions = ACTIONS.iter().skip(place % 5).map(|(verb, argument)| Action::parse(verb, argument).unwrap());
    order_of(actions.collect::<Vec<_>>().into())
}

/// One with every other action, and lists that lead one into the other.
fn branching(place: usize) -> Order {
    const FIRST: [(&str, &str); 7] = [
        ("MENU", "menu keys=1:talk,5:no-more,55:again,#:hangup wrong=sorry else=next"),
        ("AMD", "human=talk machine=no-more"),
        ("SAY", "date 2026-12-01 09:30"),
        ("SET", "debt 42"),
        ("RECORD", "seconds=9 silence=2"),
        ("SAY", "number {debt}"),
        ("MENU", "menu keys=#5:no-more repeats=0 else=talk"),
    ];
    const LAST: [(&str, &str); 5] =
        [("HANGUP", ""), ("TRANSFER", "main,s"), ("DIAL", "agents,100"), ("QUEUE", "q wait=9"), ("CONFERENCE", "1")];
    let read = |(verb, argument): &(&str, &str)| Action::parse(verb, argument).unwrap();
    let mut actions = Actions::default();
    actions.replace(None, FIRST.iter().skip(place % 7).chain(&LAST[place % 5..=place % 5]).map(read).collect());
    let talk = [("SAY", "characters A1"), ("SAY", "digits {pin}"), ("PLAY", "bye")];
    actions.replace("talk".parse().ok().as_ref(), talk.iter().map(read).collect());
    let no_more = [("OPT-OUT", "never"), ("AMD", "human=talk"), ("OPT-OUT", ""), ("HANGUP", "")];
    actions.replace("no-more".parse().ok().as_ref(), no_more.iter().map(read).collect());
    assert_eq!(actions.check(), Ok(()));
    let mut order = order_of(actions);
    if place % 2 == 1 {
        order.variables.set("pin".parse().unwrap(), "4711".parse().unwrap());
    }
    order
}

fn order_of(actions: Actions) -> Order {
    Order {
        attempt: ATTEMPT,
        ticket: Ticket::new(TICKET),
        campaign: CampaignId(1),
        contact: Some(ContactId(1)),
        trunk: TrunkId(1),
        number: Number::from_canonical("+493012345").unwrap(),
        planned_at: BEGIN.plus_ms(1000),
        dial_string: DialString::from_ledger("PJSIP/+493012345@gw1").unwrap(),
        wait_time_s: 30,
        caller_number: "+442079460000".parse().ok(),
        caller_name: "Lab".parse().ok(),
        account: None,
        actions,
        variables: Default::default(),
        invite: Default::default(),
        draw: Default::default(),
    }
}
