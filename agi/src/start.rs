//! The program around the server: arguments, signals, exit codes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use campanile::exit::Exit;
use campanile::logging;
use clap::Parser;
use clap::error::ErrorKind;
use listenfd::ListenFd;
use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::server::{self, Limits, ListenError, Stop};
use crate::wiring::{self, Reload, WiringError};

/// Campanile's FastAGI server: decides whether a call may start, runs the answered call, and takes its
/// report. Asterisk calls it from the dialplan; it needs no commands.
#[derive(Debug, Parser)]
#[command(name = "campanile-agi", version)]
struct Arguments {
    /// The configuration file.
    #[arg(long, value_name = "FILE", env = "CAMPANILE_CONFIG")]
    config: Option<PathBuf>,
}

/// Why the server did not run.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Wiring(#[from] WiringError),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error("start the runtime: {0}")]
    Runtime(std::io::Error),
}

impl StartError {
    fn exit(&self) -> Exit {
        match self {
            Self::Wiring(WiringError::Settings(problems)) => problems.exit(),
            Self::Wiring(WiringError::Ledger(error)) => error.exit(),
            Self::Listen(ListenError::NotLoopback(_)) => Exit::Config,
            Self::Listen(ListenError::Taken(_)) => Exit::TempFail,
            Self::Listen(ListenError::Io { .. }) | Self::Runtime(_) => Exit::Unavailable,
        }
    }

    /// What to do about it, where the message does not say so itself.
    fn mend(&self) -> Option<String> {
        match self {
            Self::Wiring(WiringError::Ledger(error)) => Some(error.mend()),
            _ => None,
        }
    }
}

/// The program `campanile-agi`.
#[must_use]
pub fn agi_main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return told_by_clap(&error).into(),
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("campanile-agi: {}", chain(&error));
            error.mend().iter().for_each(|mend| eprintln!("  {mend}"));
            error.exit().into()
        }
    }
}

/// Help goes to stdout; a wrong command line goes to stderr in our own voice, with the exit code of `sysexits.h`.
fn told_by_clap(error: &clap::Error) -> Exit {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A closed pipe is no fault.
            let _ = error.print();
            Exit::Ok
        }
        _ => {
            let text = error.to_string();
            eprint!("campanile-agi: {}", text.strip_prefix("error: ").unwrap_or(&text));
            Exit::Usage
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), StartError> {
    // It reads and clears the environment: before there is a second thread.
    let sockets = ListenFd::from_env();
    let wiring = wiring::connect(arguments.config.as_deref())?;
    let limits = limits(wiring.sessions_max);
    // One thread: handing sessions from one to another costs more than they do (decision 0016).
    // The ledger's answers come first: no flood of connections may keep them waiting.
    // Lines of the log leave together, when nothing else is to be done (decision 0022).
    logging::gather();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .global_queue_interval(1)
        .on_thread_park(logging::let_go)
        .enable_all()
        .build()
        .map_err(StartError::Runtime)?;
    let served = runtime.block_on(async {
        let listener = open(sockets, wiring.listen)?;
        wiring.tell_the_daemon();
        let (stop, stopping) = watch::channel(Stop::NotYet);
        let signals = Signals::new().map_err(StartError::Runtime)?;
        tokio::spawn(signals.pass_on(stop));
        tokio::spawn(reload_on(signal(SignalKind::hangup()).map_err(StartError::Runtime)?, wiring.reload));
        log::info!("listening on {}", listener.local_addr().unwrap_or(wiring.listen));
        tell_systemd(NotifyState::Ready);
        server::serve(listener, wiring.desk, limits, stopping).await.map_err(StartError::Runtime)
    });
    logging::let_go();
    served
}

/// The socket that systemd keeps for us, or else one of our own.
fn open(sockets: ListenFd, address: SocketAddr) -> Result<TcpListener, ListenError> {
    match server::inherit(sockets, address) {
        Ok(Some(listener)) => {
            log::info!("using the socket that was handed over");
            return Ok(listener);
        }
        Ok(None) => {}
        Err(error) => log::warn!("the socket that was handed over cannot be used: {error}"),
    }
    server::listen(address)
}

/// As configured, where the limit of open files allows it.
fn limits(sessions_max: usize) -> Limits {
    /// What every process may open when nobody says otherwise.
    const FILES: usize = 1024;
    let files = server::raise_open_files().unwrap_or_else(|error| {
        log::warn!("how many files may be opened is unknown: {error}");
        FILES
    });
    let limits = Limits::new(sessions_max, files);
    log::info!("{files} files: {} connections, {} sessions", limits.connections_max, limits.sessions_max);
    if limits.sessions_max < sessions_max {
        log::warn!(
            "agi_sessions_max = {sessions_max} does not fit into {files} open files; raise LimitNOFILE of the unit"
        );
    }
    limits
}

/// SIGHUP, such as from a service file's reload, ends no call in progress.
async fn reload_on(mut hangups: Signal, mut reload: Reload) {
    while hangups.recv().await.is_some() {
        reload.apply();
    }
}

/// The signals that end a daemon.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// SIGTERM lets calls in progress finish; SIGINT, or a second SIGTERM, does not.
    async fn pass_on(mut self, stop: watch::Sender<Stop>) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {
                tell_systemd(NotifyState::Stopping);
                stop.send_replace(Stop::Finish);
                tokio::select! {
                    _ = self.interrupt.recv() => {}
                    _ = self.terminate.recv() => {}
                }
            }
        }
        stop.send_replace(Stop::Quit);
    }
}

/// Says it to systemd; without systemd nobody listens, and that is well.
fn tell_systemd(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        log::debug!("systemd was not told: {error}");
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Some errors name their cause themselves.
        let told = cause.to_string();
        if !text.contains(&told) {
            text.push_str(&format!(": {told}"));
        }
        source = cause.source();
    }
    text
}
