//! One connection: inputs in, outputs carried out.

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;

use campanile::clock;
use campanile::domain::evidence::{Evidence, Fact};
use campanile::domain::ids::AttemptId;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::desk::Desk;
use super::limits::Limits;
use super::peer::{Lost, Peer};
use super::wall_clock::WallClock;
use crate::protocol::{Event, Request};
use crate::session::{Input, Output, Session};

/// What every connection works with.
#[derive(Clone)]
pub(super) struct Surroundings<D> {
    pub(super) desk: D,
    pub(super) limits: Limits,
    pub(super) wall_clock: Arc<WallClock>,
    /// Changes when the server stops.
    pub(super) quit: watch::Receiver<()>,
}

/// Speaks with one peer to the end, and outlives the connection until the ledger has answered.
pub(super) async fn converse<D: Desk>(stream: TcpStream, around: Surroundings<D>) {
    let mut peer = Peer::new(stream);
    let Some(request) = greet(&mut peer, around.limits, around.quit.clone()).await else { return };
    match Session::open(&request) {
        Ok((session, opening)) => Connection::new(peer, around).run(session, opening).await,
        Err(unwelcome) => log::warn!("a request was turned away: {unwelcome}"),
    }
}

/// Reads the environment; all of it must come in time, not each byte.
async fn greet(peer: &mut Peer, limits: Limits, mut quit: watch::Receiver<()>) -> Option<Request> {
    let greeting = tokio::select! {
        greeting = timeout(limits.environment, peer.next_event()) => greeting,
        _ = quit.changed() => return None,
    };
    match greeting {
        Ok(Ok(Event::Request(request))) => return Some(request),
        Ok(Ok(event)) => log::warn!("a connection began with {event:?}"),
        Ok(Err(lost)) => log::warn!("a connection asked for nothing: {lost}"),
        Err(_) => log::warn!("a connection asked for nothing in {:?}", limits.environment),
    }
    None
}

struct Connection<D> {
    /// `None` once the connection is closed by either side.
    peer: Option<Peer>,
    around: Surroundings<D>,
    answers: mpsc::UnboundedReceiver<Input>,
    /// Where the ledger's answers go in.
    answer: mpsc::UnboundedSender<Input>,
    /// Questions to the ledger that are not answered yet.
    asked: usize,
    timer: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// By when something must have happened.
    deadline: Instant,
}

/// What happened next.
enum Happened {
    Input(Input),
    /// Nothing, for too long.
    Silence,
    /// The server stops.
    Quit,
}

/// Whether the session goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Open,
    Closed,
}

impl<D: Desk> Connection<D> {
    fn new(peer: Peer, around: Surroundings<D>) -> Self {
        let (answer, answers) = mpsc::unbounded_channel();
        let deadline = Instant::now() + around.limits.ledger;
        Self { peer: Some(peer), around, answers, answer, asked: 0, timer: None, deadline }
    }

    async fn run(mut self, mut session: Session, opening: Vec<Output>) {
        let mut flow = self.perform(opening).await;
        while flow == Flow::Open {
            match self.next().await {
                Happened::Input(input) => flow = self.perform(session.handle(clock::now(), input)).await,
                last @ (Happened::Silence | Happened::Quit) => {
                    if matches!(last, Happened::Silence) {
                        log::warn!("a session fell silent: {session:?}");
                    }
                    self.perform(session.handle(clock::now(), Input::Hangup)).await;
                    flow = Flow::Closed;
                }
            }
        }
        self.peer = None;
        settle(self, session).await;
    }

    /// A hang-up is heard before anything that would go on without it.
    async fn next(&mut self) -> Happened {
        tokio::select! {
            biased;
            _ = self.around.quit.changed() => Happened::Quit,
            input = heard(&mut self.peer) => Happened::Input(input),
            Some(input) = self.answers.recv() => {
                self.asked -= 1;
                Happened::Input(input)
            }
            () = rings(&mut self.timer) => Happened::Input(Input::Timer),
            () = sleep_until(self.deadline) => Happened::Silence,
        }
    }

    async fn perform(&mut self, outputs: Vec<Output>) -> Flow {
        let now = clock::now();
        // Facts are recorded by the way: what a session waits for is the last that it asked.
        if let Some(patience) = outputs.iter().rev().find_map(|output| self.around.limits.patience(output, now)) {
            self.deadline = Instant::now() + patience;
        }
        for output in outputs {
            match output {
                Output::Send(command) => {
                    if let Some(peer) = &mut self.peer {
                        peer.send(&command, self.around.limits.reply).await;
                    }
                }
                Output::WaitUntil(at) => {
                    let wall_clock = Arc::clone(&self.around.wall_clock);
                    self.timer = Some(Box::pin(async move { wall_clock.wait_until(at).await }));
                }
                Output::Lookup(ticket) => {
                    let done = self.ask();
                    self.around
                        .desk
                        .order(ticket, move |found| done(Input::Order(found.map(|order| order.map(Box::new)))));
                }
                Output::Claim(attempt) => self.claim(attempt),
                Output::Record(attempt, evidence) => self.record(attempt, evidence),
                Output::Warn(why) => log::warn!("{why}"),
                Output::Close => return Flow::Closed,
            }
        }
        Flow::Open
    }

    fn claim(&mut self, attempt: AttemptId) {
        let done = self.ask();
        self.around.desk.claim(attempt, move |verdict| {
            match &verdict {
                Ok(Ok(start_at)) => log::info!("attempt {attempt}: admitted for {start_at}"),
                Ok(Err(why)) => log::info!("attempt {attempt}: refused: {why:?}"),
                Err(_) => {}
            }
            done(Input::Claimed(verdict));
        });
    }

    fn record(&mut self, attempt: AttemptId, evidence: Evidence) {
        log::info!("attempt {attempt}: {}", told(&evidence.fact));
        let done = self.ask();
        self.around.desk.append(attempt, evidence, move |kept| done(Input::Recorded(kept)));
    }

    /// Counts a question to the ledger; gives where its answer goes.
    fn ask(&mut self) -> impl FnOnce(Input) + Send + use<D> {
        self.asked += 1;
        let answer = self.answer.clone();
        // Nobody listens any more once the session was given up.
        move |input| drop(answer.send(input))
    }
}

/// Waits for what was asked after the connection is closed: nothing may be lost unheard (I8).
async fn settle<D: Desk>(mut connection: Connection<D>, mut session: Session) {
    let deadline = Instant::now() + connection.around.limits.ledger;
    while connection.asked > 0 {
        let Ok(Some(input)) = timeout_at(deadline, connection.answers.recv()).await else {
            return log::warn!("the ledger did not answer: {session:?}");
        };
        connection.asked -= 1;
        connection.perform(session.handle(clock::now(), input)).await;
    }
}

/// The next input from the peer; never, once it is gone.
async fn heard(peer: &mut Option<Peer>) -> Input {
    loop {
        let Some(open) = peer else { return pending().await };
        match open.next_event().await {
            Ok(Event::Reply(reply)) => return Input::Reply(reply),
            Ok(Event::Hangup) => return Input::Hangup,
            Ok(Event::Request(_)) => {}
            Err(lost) => {
                let level = if matches!(lost, Lost::Closed) { log::Level::Debug } else { log::Level::Warn };
                log::log!(level, "a session lost its connection: {lost}");
                *peer = None;
                return Input::Hangup;
            }
        }
    }
}

/// Returns when the timer does; never, when there is none.
async fn rings(timer: &mut Option<Pin<Box<dyn Future<Output = ()> + Send>>>) {
    match timer {
        Some(set) => set.await,
        None => pending().await,
    }
    *timer = None;
}

/// A fact for the log: what, but not which keys.
fn told(fact: &Fact) -> String {
    match fact {
        Fact::Refused { why } => format!("refused: {why:?}"),
        Fact::Answered => "answered".to_owned(),
        Fact::Step(step) => {
            format!("{} {} after {} ms, {} keys", step.action, step.result, step.ran_ms, step.digits.len())
        }
        Fact::HandedOver => "handed over".to_owned(),
        Fact::Reported(report) => format!("ended: {report:?}"),
        other => format!("{other:?}"),
    }
}
