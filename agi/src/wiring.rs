//! Where settings, logs and the ledger are plugged in.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use campanile::domain::attempt::Order;
use campanile::domain::evidence::Evidence;
use campanile::domain::gate::Refusal;
use campanile::domain::ids::{AttemptId, Ticket};
use campanile::domain::instant::UtcMs;

use crate::server::{Desk, Limits};
use crate::session::LedgerDown;

/// Port 4573 is FastAGI's own (asterisk.md 7).
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 4573);
const SESSIONS_MAX: usize = 1000;

/// What the server runs on.
pub(crate) struct Wiring<D> {
    pub listen: SocketAddr,
    pub limits: Limits,
    pub desk: D,
}

/// Why there is nothing to run on.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct WiringError(String);

/// Reads the settings, starts the log and opens the ledger.
pub(crate) fn connect(config: Option<&Path>) -> Result<Wiring<impl Desk>, WiringError> {
    if let Some(config) = config.filter(|config| !config.is_file()) {
        return Err(WiringError(format!("no configuration file `{}`", config.display())));
    }
    Ok(Wiring { listen: LISTEN, limits: Limits::new(SESSIONS_MAX), desk: NoLedger })
}

/// Stands where the ledger will: every question fails, so that no call starts.
#[derive(Clone)]
struct NoLedger;

impl NoLedger {
    fn down() -> LedgerDown {
        LedgerDown("none is connected".to_owned())
    }
}

impl Desk for NoLedger {
    fn order(&self, _: Ticket, done: impl FnOnce(Result<Option<Order>, LedgerDown>) + Send + 'static) {
        done(Err(Self::down()));
    }

    fn claim(&self, _: AttemptId, done: impl FnOnce(Result<Result<UtcMs, Refusal>, LedgerDown>) + Send + 'static) {
        done(Err(Self::down()));
    }

    fn append(&self, _: AttemptId, _: Evidence, done: impl FnOnce(Result<(), LedgerDown>) + Send + 'static) {
        done(Err(Self::down()));
    }
}
