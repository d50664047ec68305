//! Our server with its orders in memory: the sessions alone, without the ledger's share.

use std::io;
use std::sync::Arc;

use campanile::clock;
use campanile::domain::action::{Action, Actions};
use campanile::domain::attempt::{Order, OrderPart};
use campanile::domain::evidence::Evidence;
use campanile::domain::gate::Refusal;
use campanile::domain::ids::{AttemptId, CampaignId, Ticket, TrunkId};
use campanile::domain::instant::UtcMs;
use campanile::domain::number::Number;
use campanile::domain::trunk::DialString;
use campanile::logging;
use campanile_agi::server::{Desk, Limits, Stop, raise_open_files, serve as serve_with};
use campanile_agi::session::LedgerDown;
use tokio::runtime::Builder;
use tokio::sync::watch;

/// Has the same order for every ticket and admits everybody; durable is nothing.
#[derive(Clone)]
struct Memory(Arc<Order>);

impl Desk for Memory {
    fn order(
        &self,
        ticket: Ticket,
        _: OrderPart,
        done: impl FnOnce(Result<Option<Order>, LedgerDown>) + Send + 'static,
    ) {
        done(Ok(Some(Order { ticket, planned_at: clock::now(), ..(*self.0).clone() })));
    }

    fn claim(&self, _: AttemptId, done: impl FnOnce(Result<Result<UtcMs, Refusal>, LedgerDown>) + Send + 'static) {
        done(Ok(Ok(clock::now())));
    }

    fn append(&self, _: AttemptId, _: Evidence, done: impl FnOnce(Result<(), LedgerDown>) + Send + 'static) {
        done(Ok(()));
    }
}

/// Serves for ever; says on standard output where. Logs as `log_config` says, as the program does.
pub fn serve(log_config: &str) -> io::Result<()> {
    logging::start(log_config.as_ref());
    logging::gather();
    let mut thread = Builder::new_current_thread();
    thread.global_queue_interval(1).on_thread_park(logging::let_go).enable_all().build()?.block_on(async {
        let files = raise_open_files()?;
        let listener = super::server::announce()?;
        let (_stop, stopping) = watch::channel(Stop::NotYet);
        serve_with(listener, Memory(Arc::new(order())), Limits::new(files, files), stopping).await
    })
}

fn order() -> Order {
    let refused = || -> ! { panic!("the bench's order is not valid") };
    Order {
        attempt: AttemptId(1),
        ticket: Ticket::new([0; 16]),
        campaign: CampaignId(1),
        contact: None,
        trunk: TrunkId(1),
        number: Number::from_canonical("+493012345").unwrap_or_else(|| refused()),
        planned_at: UtcMs(0),
        dial_string: DialString::from_ledger("PJSIP/+493012345@gw1").unwrap_or_else(|| refused()),
        wait_time_s: 30,
        caller_number: Some("+493012345".parse().unwrap_or_else(|_| refused())),
        caller_name: None,
        account: None,
        actions: actions(),
        variables: Default::default(),
        invite: Default::default(),
        draw: Default::default(),
    }
}

/// Four commands: a sound, a wait, and two variables.
pub fn actions() -> Actions {
    let typed = [("PLAY", "hello"), ("WAIT", "1"), ("IVR", "main,s,1")];
    let read = typed.map(|(verb, argument)| Action::parse(verb, argument).unwrap_or_else(|e| panic!("{verb}: {e}")));
    Actions::from(read.to_vec())
}
