//! Asterisk's side: one thread, epoll, and bytes that were made before. Its processor time is not counted, but
//! on a machine with two processors whatever it does not need is the servers'.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use campanile_bench::wall_clock;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

/// What one session was to its caller.
#[derive(Debug, Clone, Copy, Default)]
pub struct Heard {
    /// From when it was to begin to its end.
    pub took: Duration,
    /// From when this side began to connect to its end; the rest of `took` is this side's own delay.
    pub spoke: Duration,
    pub commands: u32,
}

/// A session to be.
#[derive(Debug)]
pub struct Call {
    /// When, counted from the beginning.
    pub at: Duration,
    pub environment: String,
}

/// The environment of a real Asterisk.
pub fn environment(script: &str, ticket: &str) -> String {
    format!(
        "agi_network: yes\nagi_network_script: {script}\nagi_request: agi://127.0.0.1:4573/{script}\n\
         agi_channel: Local/dial@campanile-dial-00000001;2\nagi_language: en\nagi_type: Local\n\
         agi_uniqueid: 1700000000.1\nagi_version: 22.10.1\nagi_callerid: unknown\nagi_calleridname: unknown\n\
         agi_callingpres: 0\nagi_callingani2: 0\nagi_callington: 0\nagi_callingtns: 0\nagi_dnid: unknown\n\
         agi_rdnis: unknown\nagi_context: campanile-dial\nagi_extension: dial\nagi_priority: 6\n\
         agi_enhanced: 0.0\nagi_accountcode: \nagi_threadid: 140000000000000\nagi_arg_1: {ticket}\n\n"
    )
}

/// Arrivals at random, `per_second` on average.
pub fn arrivals(count: usize, per_second: f64) -> impl Iterator<Item = Duration> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut at = 0.0;
    std::iter::repeat_with(move || {
        // xorshift64*; its upper bits are good enough for a logarithm.
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let bits = u32::try_from(state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32).unwrap_or(1);
        at -= f64::ln((f64::from(bits) + 1.0) / 4_294_967_296.0) / per_second;
        Duration::from_secs_f64(at)
    })
    .take(count)
}

/// All of these, `at_once` at a time, each beginning as soon as one ends.
pub fn in_turn(server: SocketAddr, environments: Vec<String>, at_once: usize) -> Vec<Heard> {
    let calls = environments.into_iter().map(|environment| Call { at: Duration::ZERO, environment }).collect();
    heard(server, calls, at_once)
}

/// Each at its instant, whether the ones before have ended or not.
pub fn at_their_time(server: SocketAddr, calls: Vec<Call>) -> Vec<Heard> {
    heard(server, calls, usize::MAX)
}

fn heard(server: SocketAddr, calls: Vec<Call>, at_once: usize) -> Vec<Heard> {
    let mut caller = Caller::new(server, calls, at_once).unwrap_or_else(|e| panic!("a caller: {e}"));
    caller.talk().unwrap_or_else(|e| panic!("talk with {server}: {e}"));
    caller.lines.into_iter().map(|line| line.heard).collect()
}

/// What the epoll says of the timer; sessions have their number.
const TIMER: u64 = u64::MAX;
/// What is said to every command.
const REPLY: &[u8] = b"200 result=0 endpos=8000\n";

struct Caller {
    server: SocketAddr,
    calls: Vec<Call>,
    at_once: usize,
    epoll: Epoll,
    /// Rings when the next session is to begin, to the microsecond: epoll itself counts milliseconds.
    timer: TimerFd,
    rings_at: Duration,
    began: Instant,
    /// Those that began.
    lines: Vec<Line>,
    ended: usize,
}

#[derive(Debug)]
struct Line {
    stream: Option<TcpStream>,
    connected_at: Duration,
    heard: Heard,
}

impl Caller {
    fn new(server: SocketAddr, calls: Vec<Call>, at_once: usize) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_CLOEXEC)?;
        epoll.add(&timer, EpollEvent::new(EpollFlags::EPOLLIN, TIMER))?;
        let lines = Vec::with_capacity(calls.len());
        Ok(Self { server, calls, at_once, epoll, timer, rings_at: Duration::MAX, began: wall_clock(), lines, ended: 0 })
    }

    fn talk(&mut self) -> io::Result<()> {
        let mut events = [EpollEvent::empty(); 64];
        while self.ended < self.calls.len() {
            self.begin_due()?;
            let ready = self.epoll.wait(&mut events, EpollTimeout::NONE)?;
            for event in &events[..ready] {
                // Whoever is due goes first: its clock runs already.
                self.begin_due()?;
                if event.data() != TIMER {
                    self.hear(event.data())?;
                }
            }
        }
        Ok(())
    }

    /// Begins whoever is due, and has the timer ring for the next.
    fn begin_due(&mut self) -> io::Result<()> {
        while let Some(next) = self.calls.get(self.lines.len()) {
            if self.lines.len() - self.ended >= self.at_once {
                return Ok(());
            }
            let at = next.at;
            if at > self.began.elapsed() {
                return self.ring_at(at);
            }
            self.begin()?;
        }
        self.ring_at(Duration::MAX)
    }

    /// Setting the timer anew also silences it.
    fn ring_at(&mut self, at: Duration) -> io::Result<()> {
        if self.rings_at == at {
            return Ok(());
        }
        self.rings_at = at;
        if at == Duration::MAX {
            return Ok(self.timer.unset()?);
        }
        let left = at.saturating_sub(self.began.elapsed()).max(Duration::from_nanos(1));
        let once = Expiration::OneShot(TimeSpec::from_duration(left));
        Ok(self.timer.set(once, TimerSetTimeFlags::empty())?)
    }

    fn begin(&mut self) -> io::Result<()> {
        let number = self.lines.len();
        let connected_at = self.began.elapsed();
        let mut stream = TcpStream::connect(self.server)?;
        stream.write_all(self.calls[number].environment.as_bytes())?;
        let token = u64::try_from(number).unwrap_or(TIMER);
        self.epoll.add(&stream, EpollEvent::new(EpollFlags::EPOLLIN, token))?;
        self.lines.push(Line { stream: Some(stream), connected_at, heard: Heard::default() });
        Ok(())
    }

    /// Each command is answered at once; none is longer than these bytes.
    fn hear(&mut self, token: u64) -> io::Result<()> {
        let Some(number) = usize::try_from(token).ok() else { return Ok(()) };
        let Some(line) = self.lines.get_mut(number) else { return Ok(()) };
        let Some(stream) = &mut line.stream else { return Ok(()) };
        let mut bytes = [0; 1024];
        if stream.read(&mut bytes)? > 0 {
            line.heard.commands += 1;
            return stream.write_all(REPLY);
        }
        let now = self.began.elapsed();
        let due = match self.calls[number].at {
            Duration::ZERO => line.connected_at,
            at => at,
        };
        line.heard = Heard { took: now - due, spoke: now - line.connected_at, ..line.heard };
        line.stream = None;
        self.ended += 1;
        Ok(())
    }
}
