//! One connection: inputs in, outputs carried out.

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use campanile::clock;
use campanile::domain::evidence::{Evidence, Fact};
use campanile::domain::ids::AttemptId;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::desk::Desk;
use super::limits::Limits;
use super::lobby::Place;
use super::mailbox::Mailbox;
use super::peer::{Lost, Peer};
use super::wall_clock::WallClock;
use crate::protocol::{Event, Request};
use crate::session::{House, Input, Output, Session};

/// What every connection works with.
#[derive(Clone)]
pub(super) struct Surroundings<D> {
    pub(super) desk: D,
    pub(super) limits: Limits,
    pub(super) wall_clock: Arc<WallClock>,
    /// One for each gate and answered leg that may be in progress.
    pub(super) slots: Arc<Semaphore>,
    /// How many had to wait for a slot.
    pub(super) waited: Arc<AtomicU64>,
    pub(super) closing: watch::Receiver<Closing>,
}

impl<D> Surroundings<D> {
    fn house(&self) -> House {
        let sessions_max = self.limits.sessions_max;
        House { sessions: sessions_max.saturating_sub(self.slots.available_permits()), sessions_max }
    }

    fn note_full(&self) {
        let waited = self.waited.fetch_add(1, Ordering::Relaxed) + 1;
        // Whoever fills the server must not fill the log as well.
        if waited.is_power_of_two() {
            log::warn!(
                "all {} sessions are in use, and {waited} call(s) have had to wait for one so far; one that waits for \
                 more than 5 s is not dialled and planned anew: raise agi_sessions_max, or give trunks and campaigns \
                 fewer channels",
                self.limits.sessions_max
            );
        }
    }
}

/// Who may no longer go on; each is more than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Closing {
    Open,
    /// The answered legs.
    Runs,
    All,
}

/// Speaks with one peer to the end, and outlives the connection until the ledger has answered.
pub(super) async fn converse<D: Desk>(stream: TcpStream, place: Place, around: Surroundings<D>) {
    let mut peer = Peer::new(stream);
    let Some(request) = greet(&mut peer, around.limits, around.closing.clone()).await else { return };
    match Session::open_in(around.house(), &request) {
        Ok((session, opening)) => Connection::new(peer, place, around).run(session, opening).await,
        Err(unwelcome) => log::warn!("a request was turned away: {unwelcome}"),
    }
}

/// Reads the environment; all of it must come in time, not each byte.
async fn greet(peer: &mut Peer, limits: Limits, mut closing: watch::Receiver<Closing>) -> Option<Request> {
    let greeting = tokio::select! {
        greeting = timeout(limits.environment, peer.next_event()) => greeting,
        () = reached(&mut closing, Closing::All) => return None,
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
    /// In the lobby, until the ledger knows the ticket.
    place: Option<Place>,
    /// The order of somebody known who waits for a slot.
    order: Option<Input>,
    slot: Option<OwnedSemaphorePermit>,
    around: Surroundings<D>,
    answers: Arc<Mailbox>,
    /// Questions to the ledger that are not answered yet.
    asked: usize,
    timer: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// By when something must have happened.
    deadline: Instant,
}

/// What happened next.
enum Happened {
    Input(Input),
    /// A slot for the order that waits for one.
    Slot(Option<OwnedSemaphorePermit>),
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
    /// It made room for others before it was known, and does nothing more.
    TurnedOut,
}

impl<D: Desk> Connection<D> {
    fn new(peer: Peer, place: Place, around: Surroundings<D>) -> Self {
        let deadline = Instant::now() + around.limits.ledger;
        Self {
            peer: Some(peer),
            place: Some(place),
            order: None,
            slot: None,
            around,
            answers: Arc::default(),
            asked: 0,
            timer: None,
            deadline,
        }
    }

    async fn run(mut self, mut session: Session, opening: Vec<Output>) {
        let mut flow = self.perform(opening).await;
        while flow == Flow::Open {
            flow = match self.next(&session).await {
                Happened::Input(Input::Hangup) => self.hang_up(&mut session).await,
                Happened::Input(order @ Input::Order(Ok(Some(_)))) => self.known(&mut session, order).await,
                Happened::Input(input) => self.perform(session.handle(clock::now(), input)).await,
                Happened::Slot(slot) => {
                    self.slot = slot;
                    self.proceed(&mut session).await
                }
                last @ (Happened::Silence | Happened::Quit) => {
                    if matches!(last, Happened::Silence) {
                        log::warn!("a session fell silent: {session:?}");
                    }
                    self.hang_up(&mut session).await;
                    Flow::Closed
                }
            };
        }
        if flow == Flow::Closed {
            self.peer = None;
            self.slot = None;
            settle(self, session).await;
        }
    }

    /// A hang-up is heard before anything that would go on without it.
    async fn next(&mut self, session: &Session) -> Happened {
        tokio::select! {
            biased;
            () = reached(&mut self.around.closing, cut_at(session)) => Happened::Quit,
            input = heard(&mut self.peer) => Happened::Input(input),
            input = self.answers.take() => {
                self.asked -= 1;
                Happened::Input(input)
            }
            slot = Arc::clone(&self.around.slots).acquire_owned(), if self.order.is_some() => Happened::Slot(slot.ok()),
            () = rings(&mut self.timer) => Happened::Input(Input::Timer),
            () = sleep_until(self.deadline), if self.order.is_none() => Happened::Silence,
        }
    }

    /// The ledger knows the ticket: nobody takes this connection's place any more. A call goes on when
    /// there is a slot for it; a report needs none, because it ends at once and may not be lost.
    async fn known(&mut self, session: &mut Session, order: Input) -> Flow {
        if !self.place.take().is_some_and(Place::leave) {
            return Flow::TurnedOut;
        }
        self.order = Some(order);
        let needs_slot = self.peer.is_some() && matches!(session, Session::Gate(_) | Session::Run(_));
        if needs_slot {
            self.slot = Arc::clone(&self.around.slots).try_acquire_owned().ok();
        }
        if needs_slot && self.slot.is_none() {
            self.around.note_full();
            return Flow::Open;
        }
        self.proceed(session).await
    }

    /// Goes on with the order that waited.
    async fn proceed(&mut self, session: &mut Session) -> Flow {
        match self.order.take() {
            Some(order) => self.perform(session.handle(clock::now(), order)).await,
            None => Flow::Open,
        }
    }

    /// Whoever is gone needs no slot for what is still to be recorded.
    async fn hang_up(&mut self, session: &mut Session) -> Flow {
        let flow = self.perform(session.handle(clock::now(), Input::Hangup)).await;
        if self.order.is_some() { self.proceed(session).await } else { flow }
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
        let answers = Arc::clone(&self.answers);
        // Nobody reads it any more once the session was given up.
        move |input| answers.put(input)
    }
}

/// Waits for what was asked after the connection is closed: nothing may be lost unheard (I8).
async fn settle<D: Desk>(mut connection: Connection<D>, mut session: Session) {
    let deadline = Instant::now() + connection.around.limits.ledger;
    while connection.asked > 0 {
        let Ok(input) = timeout_at(deadline, connection.answers.take()).await else {
            return log::warn!("the ledger did not answer: {session:?}");
        };
        connection.asked -= 1;
        let flow = match input {
            order @ Input::Order(Ok(Some(_))) => connection.known(&mut session, order).await,
            input => connection.perform(session.handle(clock::now(), input)).await,
        };
        if flow == Flow::TurnedOut {
            return;
        }
    }
}

/// Answered legs may last; gates and reports end by themselves.
fn cut_at(session: &Session) -> Closing {
    match session {
        Session::Run(_) => Closing::Runs,
        Session::Gate(_) | Session::Report(_) | Session::Ping(_) => Closing::All,
    }
}

/// Returns when the server closes for at least `whom`.
async fn reached(closing: &mut watch::Receiver<Closing>, whom: Closing) {
    let _ = closing.wait_for(|closing| *closing >= whom).await;
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
