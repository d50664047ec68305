//! One connection: inputs in, outputs carried out.

use std::fmt::{self, Display};
use std::future::pending;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use campanile::clock;
use campanile::domain::attempt::OrderPart;
use campanile::domain::evidence::{Evidence, Fact};
use campanile::domain::ids::AttemptId;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

use super::complaints::Complaints;
use super::desk::Desk;
use super::limits::Limits;
use super::lobby::Place;
use super::mailbox::{GoodNews, Mailbox};
use super::peer::{Lost, Peer};
use super::wall_clock::WallClock;
use crate::protocol::{Event, Request};
use crate::session::{House, Input, Output, Session};

/// What all connections work with.
pub(super) struct Surroundings<D> {
    pub(super) desk: D,
    pub(super) limits: Limits,
    pub(super) wall_clock: Arc<WallClock>,
    /// One for each gate and answered leg that may be in progress.
    pub(super) slots: Arc<Semaphore>,
    /// One for each report that may wait for the ledger.
    pub(super) waiting_reports: Arc<Semaphore>,
    /// How many had to wait for a slot.
    pub(super) waited: Arc<AtomicU64>,
    pub(super) closing: watch::Receiver<Closing>,
    pub(super) complaints: Complaints,
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
pub(super) async fn converse<D: Desk>(stream: TcpStream, place: Place, around: Arc<Surroundings<D>>) {
    // Made once and only lent: whatever is moved has two places in this task, which is copied when it is started.
    let mut connection = Connection::new(Peer::new(stream), place, around);
    // One timer for the whole conversation: setting one anew for each wait would cost more than the wait.
    let mut timer = pin!(sleep_until(connection.deadline));
    let opened = match connection.greet(timer.as_mut()).await {
        Ok(request) => Session::open_in(connection.around.house(), &request)
            .map_err(|unwelcome| format!("a request was turned away: {unwelcome}")),
        Err(Some(why)) => Err(why),
        Err(None) => return,
    };
    match opened {
        Ok((mut session, opening)) => {
            connection.serves(&session);
            connection.run(&mut session, opening, timer).await;
        }
        Err(why) => connection.around.complaints.tell(why),
    }
}

struct Connection<D> {
    /// `None` once the connection is closed by either side.
    peer: Option<Peer>,
    /// In the lobby, until the ledger knows the ticket.
    place: Option<Place>,
    /// The order of somebody known who waits for a slot.
    order: Option<Input>,
    /// Of a gate or an answered leg; or of a report, among those that wait for the ledger.
    slot: Option<OwnedSemaphorePermit>,
    around: Arc<Surroundings<D>>,
    /// How much of its order the session needs.
    part: OrderPart,
    answers: Arc<Mailbox>,
    /// Questions to the ledger that are not answered yet.
    asked: usize,
    claiming: Option<AttemptId>,
    timer: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// By when something must have happened.
    deadline: Instant,
}

/// What happened next.
enum Happened {
    Input(Input),
    /// The connection ended.
    Lost(Lost),
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
    /// A newcomer, from whom an environment must come.
    fn new(peer: Peer, place: Place, around: Arc<Surroundings<D>>) -> Self {
        let deadline = Instant::now() + around.limits.environment;
        Self {
            peer: Some(peer),
            place: Some(place),
            order: None,
            slot: None,
            around,
            part: OrderPart::Whole,
            answers: Arc::default(),
            asked: 0,
            claiming: None,
            timer: None,
            deadline,
        }
    }

    /// Reads the environment; all of it must come before the timer ends, not each byte. Gives why there is
    /// none, unless it is our own doing.
    async fn greet(&mut self, timer: Pin<&mut Sleep>) -> Result<Request, Option<String>> {
        let Some(peer) = &mut self.peer else { return Err(None) };
        let mut closing = self.around.closing.clone();
        let greeting = tokio::select! {
            biased;
            greeting = peer.next_event() => greeting,
            () = reached(&mut closing, Closing::All) => return Err(None),
            () = timer => {
                return Err(Some(format!("a connection asked for nothing in {:?}", self.around.limits.environment)));
            }
        };
        match greeting {
            Ok(Event::Request(request)) => Ok(request),
            Ok(event) => Err(Some(format!("a connection began with {event:?}"))),
            Err(lost) => Err(Some(format!("a connection asked for nothing: {lost}"))),
        }
    }

    fn serves(&mut self, session: &Session) {
        self.part = part(session);
        self.answers = Arc::new(Mailbox::new(good_news(session)));
    }

    async fn run(&mut self, session: &mut Session, opening: Vec<Output>, mut timer: Pin<&mut Sleep>) {
        let mut closing = self.around.closing.clone();
        let mut closed = pin!(reached(&mut closing, cut_at(session)));
        let mut flow = self.perform(opening);
        while flow == Flow::Open {
            flow = match self.next(closed.as_mut(), timer.as_mut()).await {
                Happened::Input(Input::Hangup) => self.hang_up(session),
                Happened::Input(order @ Input::Order(Ok(Some(_)))) => self.known(session, order),
                Happened::Input(input) => self.perform(session.handle(clock::now(), input)),
                Happened::Lost(lost) => {
                    self.lose(&lost);
                    self.hang_up(session)
                }
                Happened::Slot(slot) => {
                    self.slot = slot;
                    self.proceed(session)
                }
                last @ (Happened::Silence | Happened::Quit) => {
                    if matches!(last, Happened::Silence) {
                        self.warn(format_args!("a session fell silent: {session:?}"));
                    }
                    self.hang_up(session);
                    Flow::Closed
                }
            };
        }
        if flow == Flow::Closed {
            self.peer = None;
            self.slot = None;
            self.settle(session).await;
        }
    }

    /// A hang-up is heard before anything that would go on without it.
    async fn next(&mut self, closed: Pin<&mut impl Future<Output = ()>>, timer: Pin<&mut Sleep>) -> Happened {
        tokio::select! {
            biased;
            () = closed => Happened::Quit,
            heard = heard(&mut self.peer) => heard.map_or_else(Happened::Lost, Happened::Input),
            input = self.answers.take() => {
                self.note_answer(&input);
                Happened::Input(input)
            }
            slot = slot(&self.around.slots), if self.order.is_some() => Happened::Slot(slot),
            () = rings(&mut self.timer) => Happened::Input(Input::Timer),
            () = passed(timer, self.deadline), if self.order.is_none() => Happened::Silence,
        }
    }

    /// Says what an operator should know: of a known call always, of strangers now and then.
    fn warn(&self, line: impl Display) {
        match self.place {
            None => log::warn!("{line}"),
            Some(_) => self.around.complaints.tell(line),
        }
    }

    fn lose(&mut self, lost: &Lost) {
        self.peer = None;
        match lost {
            Lost::Closed => log::debug!("a session lost its connection: {lost}"),
            _ => self.warn(format_args!("a session lost its connection: {lost}")),
        }
    }

    /// The ledger knows the ticket: nobody takes this connection's place any more. A call goes on when
    /// there is a slot for it; a report needs none, because it ends at once and may not be lost.
    fn known(&mut self, session: &mut Session, order: Input) -> Flow {
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
        self.proceed(session)
    }

    /// Goes on with the order that waited.
    fn proceed(&mut self, session: &mut Session) -> Flow {
        match self.order.take() {
            Some(order) => self.perform(session.handle(clock::now(), order)),
            None => Flow::Open,
        }
    }

    /// Whoever is gone needs no slot for what is still to be recorded.
    fn hang_up(&mut self, session: &mut Session) -> Flow {
        let flow = self.perform(session.handle(clock::now(), Input::Hangup));
        if self.order.is_some() { self.proceed(session) } else { flow }
    }

    fn perform(&mut self, outputs: Vec<Output>) -> Flow {
        // Facts are recorded by the way: what a session waits for is the last that it asked.
        if let Some(patience) = outputs.iter().rev().find_map(|output| self.around.limits.patience(output)) {
            self.deadline = Instant::now() + patience;
        }
        for output in outputs {
            match output {
                Output::Send(command) => {
                    if let Some(peer) = &mut self.peer {
                        peer.send(&command);
                    }
                }
                Output::WaitUntil(at) => {
                    let wall_clock = Arc::clone(&self.around.wall_clock);
                    self.timer = Some(Box::pin(async move { wall_clock.wait_until(at).await }));
                }
                Output::Pause(pause) => {
                    if self.wait_among_reports() == Flow::Closed {
                        return Flow::Closed;
                    }
                    self.timer = Some(Box::pin(tokio::time::sleep(pause)));
                }
                Output::Lookup(ticket) => {
                    let done = self.ask();
                    self.around.desk.order(ticket, self.part, move |found| {
                        done(Input::Order(found.map(|order| order.map(Box::new))))
                    });
                }
                Output::Claim(attempt) => self.claim(attempt),
                Output::Record(attempt, evidence) => self.record(attempt, evidence),
                Output::Warn(why) => self.warn(why),
                Output::Close => return Flow::Closed,
            }
        }
        Flow::Open
    }

    /// A report waits for the ledger. It needs no slot of a call, but has a place among those that wait, or a ledger
    /// that is down for long would fill the memory with them.
    fn wait_among_reports(&mut self) -> Flow {
        if self.slot.is_none() {
            self.slot = Arc::clone(&self.around.waiting_reports).try_acquire_owned().ok();
        }
        if self.slot.is_some() {
            return Flow::Open;
        }
        let most = self.around.limits.reports_waiting_max;
        self.around.complaints.tell(format_args!("a report is lost: {most} wait for the ledger already"));
        Flow::Closed
    }

    fn claim(&mut self, attempt: AttemptId) {
        let done = self.ask();
        self.claiming = Some(attempt);
        self.around.desk.claim(attempt, move |verdict| done(Input::Claimed(verdict)));
    }

    /// An answer has come. What it says of a claim is logged here and not where the ledger says so: others wait there
    /// for their answers.
    fn note_answer(&mut self, answer: &Input) {
        self.asked -= 1;
        let (Some(attempt), Input::Claimed(Ok(verdict))) = (self.claiming, answer) else { return };
        match verdict {
            Ok(start_at) => log::info!("attempt {attempt}: admitted for {start_at}"),
            Err(why) => log::info!("attempt {attempt}: refused: {why:?}"),
        }
    }

    fn record(&mut self, attempt: AttemptId, evidence: Evidence) {
        // A step is a detail of the leg; the ledger has them all.
        let level = if matches!(evidence.fact, Fact::Step(_)) { log::Level::Debug } else { log::Level::Info };
        log::log!(level, "attempt {attempt}: {}", Told(&evidence.fact));
        // The one fact that a call waits for.
        let opts_out = matches!(evidence.fact, Fact::OptedOut { .. });
        let done = self.ask();
        let told = move |kept| done(if opts_out { Input::OptedOut(kept) } else { Input::Recorded(kept) });
        self.around.desk.append(attempt, evidence, told);
    }

    /// Waits for what was asked after the connection is closed: nothing may be lost unheard (I8).
    async fn settle(&mut self, session: &mut Session) {
        let deadline = Instant::now() + self.around.limits.ledger;
        self.asked -= self.answers.stop_counting();
        while self.asked > 0 {
            let Ok(input) = timeout_at(deadline, self.answers.take()).await else {
                return log::warn!("the ledger did not answer: {session:?}");
            };
            self.note_answer(&input);
            let flow = match input {
                order @ Input::Order(Ok(Some(_))) => self.known(session, order),
                input => self.perform(session.handle(clock::now(), input)),
            };
            if flow == Flow::TurnedOut {
                return;
            }
        }
        if matches!(session, Session::Report(_)) && self.timer.is_some() {
            self.warn(format_args!("the server ends, and a report that waited is lost: {session:?}"));
        }
    }

    /// Counts a question to the ledger; gives where its answer goes.
    fn ask(&mut self) -> impl FnOnce(Input) + Send + use<D> {
        self.asked += 1;
        let answers = Arc::clone(&self.answers);
        // Nobody reads it any more once the session was given up.
        move |input| answers.put(input)
    }
}

/// An answered leg goes on whatever is durable yet; only at its end it waits for all that it recorded.
fn good_news(session: &Session) -> GoodNews {
    match session {
        Session::Run(_) => GoodNews::Counted,
        Session::Gate(_) | Session::Report(_) | Session::Ping(_) => GoodNews::Told,
    }
}

/// Only an answered leg acts.
fn part(session: &Session) -> OrderPart {
    match session {
        Session::Run(_) => OrderPart::Whole,
        Session::Gate(_) | Session::Report(_) | Session::Ping(_) => OrderPart::Call,
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
async fn heard(peer: &mut Option<Peer>) -> Result<Input, Lost> {
    let Some(open) = peer else { return pending().await };
    loop {
        match open.next_event().await? {
            Event::Reply(reply) => return Ok(Input::Reply(reply)),
            Event::Hangup => return Ok(Input::Hangup),
            Event::Request(_) => {}
        }
    }
}

/// The next free slot; `None` never comes, for the slots are never closed.
async fn slot(slots: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    Arc::clone(slots).acquire_owned().await.ok()
}

/// Returns when `deadline` has passed. The timer is set anew only when it has rung, or would ring too late.
async fn passed(mut timer: Pin<&mut Sleep>, deadline: Instant) {
    if timer.deadline() > deadline {
        timer.as_mut().reset(deadline);
    }
    loop {
        timer.as_mut().await;
        if timer.deadline() >= deadline {
            return;
        }
        timer.as_mut().reset(deadline);
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
struct Told<'f>(&'f Fact);

impl Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Fact::Refused { why } => write!(f, "refused: {why:?}"),
            Fact::Answered => f.write_str("answered"),
            Fact::Step(step) => {
                let keys = step.digits.len();
                write!(f, "{} {} after {} ms, {keys} keys", step.action, step.result, step.ran_ms)
            }
            Fact::HandedOver => f.write_str("handed over"),
            Fact::OptedOut { .. } => f.write_str("the callee wants no further call"),
            Fact::Reported(report) => write!(f, "ended: {report:?}"),
            other => write!(f, "{other:?}"),
        }
    }
}
