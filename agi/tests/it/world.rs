//! A running server and its orders.

use std::net::SocketAddr;
use std::time::Duration;

use campanile::clock;
use campanile::domain::action::Action;
use campanile::domain::attempt::Order;
use campanile::domain::evidence::Fact;
use campanile::domain::ids::{AttemptId, CampaignId, Ticket, TrunkId};
use campanile::domain::number::Number;
use campanile::domain::trunk::DialString;
use campanile_agi::server::{Limits, Stop, listen, serve};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::asterisk::Asterisk;
use super::desk::MemoryDesk;

pub struct World {
    pub address: SocketAddr,
    pub desk: MemoryDesk,
    pub stop: watch::Sender<Stop>,
    pub server: JoinHandle<std::io::Result<()>>,
}

pub fn usual() -> Limits {
    Limits::new(500, 2_000)
}

/// Short enough for a test to wait for it.
pub const SOON: Duration = Duration::from_millis(30);

impl World {
    pub fn start(limits: Limits) -> Self {
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let desk = MemoryDesk::default();
        let (stop, stopping) = watch::channel(Stop::NotYet);
        let server = tokio::spawn(serve(listener, desk.clone(), limits, stopping));
        Self { address, desk, stop, server }
    }

    /// An order that is due in `ms`.
    pub fn order(&self, id: i64, ms: i64, actions: &[(&str, &str)]) -> Order {
        let mut bits = [0; 16];
        bits[..8].copy_from_slice(&id.to_be_bytes());
        let order = Order {
            attempt: AttemptId(id),
            ticket: Ticket::new(bits),
            campaign: CampaignId(1),
            contact: None,
            trunk: TrunkId(1),
            number: Number::from_canonical("+493012345").unwrap(),
            planned_at: clock::now().plus_ms(ms),
            dial_string: DialString::from_ledger("PJSIP/+493012345@gw1").unwrap(),
            wait_time_s: 30,
            caller_number: None,
            caller_name: Some("Campanile".parse().unwrap()),
            account: None,
            actions: actions
                .iter()
                .map(|(verb, argument)| Action::parse(verb, argument).unwrap())
                .collect::<Vec<_>>()
                .into(),
            variables: Default::default(),
            invite: Default::default(),
            draw: Default::default(),
        };
        self.desk.expect(&order);
        order
    }

    pub async fn call(&self, script: &str, order: &Order) -> Asterisk {
        Asterisk::call(self.address, script, &[&order.ticket.to_string()]).await
    }

    pub fn facts(&self, order: &Order) -> Vec<Fact> {
        self.desk.facts(order.attempt)
    }
}
