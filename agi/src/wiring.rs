//! Where settings, logs and the ledger are plugged in.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use campanile::domain::attempt::{Order, OrderPart};
use campanile::domain::evidence::Evidence;
use campanile::domain::gate::Refusal;
use campanile::domain::ids::{AttemptId, Ticket};
use campanile::domain::instant::UtcMs;
use campanile::ledger::LedgerError;
use campanile::ledger::calls::CallDesk;
use campanile::ledger::claims::{ServerRate, ServerRules};
use campanile::settings::{Problems, Settings};
use campanile::wake::{Change, wake};

use crate::server::Desk;
use crate::session::LedgerDown;

/// What the server runs on.
pub(crate) struct Wiring<D> {
    pub listen: SocketAddr,
    /// The most gates and answered legs at once.
    pub sessions_max: usize,
    pub desk: D,
    pub reload: Reload,
    wake_socket: PathBuf,
}

impl<D> Wiring<D> {
    /// Tells the daemon that calls can be made: planning may have rested while nobody listened here.
    pub(crate) fn tell_the_daemon(&self) {
        wake(&self.wake_socket, Change::Gate);
    }
}

/// Why there is nothing to run on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WiringError {
    #[error("the settings cannot be used:\n{0}")]
    Settings(Problems),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Reads the settings, starts the log and opens the ledger.
pub(crate) fn connect(config: Option<&Path>) -> Result<Wiring<impl Desk>, WiringError> {
    let loaded = Settings::load(config).map_err(WiringError::Settings)?;
    let settings = loaded.settings;
    campanile::logging::start(&settings.log_config);
    loaded.warnings.iter().for_each(|warning| log::warn!("{warning}"));
    let socket = settings.serve_wake();
    let wake_socket = socket.clone();
    let desk = CallDesk::open(&settings.ledger(), rules(&settings), move || wake(&socket, Change::Evidence))?;
    let sessions_max = usize::try_from(settings.agi_sessions_max).unwrap_or(usize::MAX);
    let reload = Reload { config: config.map(Path::to_owned), desk: desk.clone(), settings: settings.clone() };
    Ok(Wiring { listen: settings.agi_listen, sessions_max, desk: LedgerDesk(desk), reload, wake_socket })
}

/// What holds for calls of all campaigns together.
fn rules(settings: &Settings) -> ServerRules {
    ServerRules {
        rate: ServerRate(settings.calls_one_time),
        channels_max: settings.channels_max,
        frequency: settings.frequency_cap(),
        legal: settings.legal_hours.clone(),
    }
}

/// What the server uses, and cannot change while calls go on.
const NEEDS_RESTART: [&str; 4] = ["state_dir", "agi_listen", "agi_sessions_max", "log_config"];

/// The settings that hold, and where they are read again.
pub(crate) struct Reload {
    config: Option<PathBuf>,
    desk: CallDesk,
    settings: Settings,
}

impl Reload {
    /// Reads the settings again and applies the rate, the caps on calls at the same time and on calls to one number,
    /// and the legal hours; if anything is wrong with them, the old ones hold.
    pub(crate) fn apply(&mut self) {
        let loaded = match Settings::load(self.config.as_deref()) {
            Ok(loaded) => loaded,
            Err(problems) => return log::error!("SIGHUP: the settings stay as they were: {problems}"),
        };
        loaded.warnings.iter().for_each(|warning| log::warn!("{warning}"));
        for change in self.settings.differences(&loaded.settings) {
            match change.key {
                "calls_one_time"
                | "channels_max"
                | "attempts_per_number_max"
                | "attempts_per_number_hours"
                | "legal_hours" => log::info!("SIGHUP: applied {change}"),
                key if NEEDS_RESTART.contains(&key) => {
                    log::warn!(
                        "SIGHUP: {change} needs a restart of `campanile-agi`, which lets calls in progress finish"
                    );
                }
                // Not of the server.
                _ => {}
            }
        }
        log::info!("SIGHUP: the settings were read again");
        self.settings.calls_one_time = loaded.settings.calls_one_time;
        self.settings.channels_max = loaded.settings.channels_max;
        self.settings.attempts_per_number_max = loaded.settings.attempts_per_number_max;
        self.settings.attempts_per_number_hours = loaded.settings.attempts_per_number_hours;
        self.settings.legal_hours = loaded.settings.legal_hours.clone();
        self.desk.use_rules(rules(&loaded.settings));
    }
}

/// The ledger, as the sessions see it.
#[derive(Clone)]
struct LedgerDesk(CallDesk);

/// The sessions need to know that the ledger failed, and the log why.
fn down(error: LedgerError) -> LedgerDown {
    LedgerDown(format!("{error}; {}", error.mend()))
}

impl Desk for LedgerDesk {
    fn order(
        &self,
        ticket: Ticket,
        part: OrderPart,
        done: impl FnOnce(Result<Option<Order>, LedgerDown>) + Send + 'static,
    ) {
        self.0.order(ticket, part, |answer| done(answer.map_err(down)));
    }

    fn claim(
        &self,
        attempt: AttemptId,
        done: impl FnOnce(Result<Result<UtcMs, Refusal>, LedgerDown>) + Send + 'static,
    ) {
        self.0.claim(attempt, |answer| done(answer.map_err(down)));
    }

    fn append(&self, attempt: AttemptId, fact: Evidence, done: impl FnOnce(Result<(), LedgerDown>) + Send + 'static) {
        self.0.append(attempt, fact, |answer| done(answer.map_err(down)));
    }
}
