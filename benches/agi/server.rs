//! A server in a process of its own, and what it uses.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use campanile_agi::server::{listen, raise_open_files};
use tokio::net::TcpListener;

use super::processors::{Place, Processors};

/// A running server; ends with its value.
pub struct Server {
    pub name: &'static str,
    pub address: SocketAddr,
    process: Child,
}

/// Processor time so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spent {
    /// Of all threads.
    pub all: Duration,
    /// Of the ledger's two threads.
    pub ledger: Duration,
}

/// Memory in use, in KiB.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    pub rss: u64,
    pub pss: u64,
}

impl Server {
    /// This program in another role.
    pub fn role(processors: &Processors, place: Place, name: &'static str, arguments: &[&str]) -> Self {
        let this = std::env::current_exe().unwrap_or_else(|e| panic!("this program: {e}"));
        let mut command = Command::new(this);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = processors.start(&mut command, place).unwrap_or_else(|e| panic!("{name}: {e}"));
        let told = process.stdout.take().and_then(|out| BufReader::new(out).lines().next()?.ok()).unwrap_or_default();
        let address = told.parse().unwrap_or_else(|e| panic!("{name} says {told:?}: {e}"));
        Self { name, address, process }
    }

    /// The program `campanile-agi` on the ledger in `folder`.
    pub fn program(processors: &Processors, folder: &Path) -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/campanile-agi");
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
        let address = free.unwrap_or_else(|e| panic!("no free port: {e}"));
        let mut command = Command::new(&program);
        command.env("CAMPANILE_CONFIG", folder.join("campanile.conf"));
        command.env("CAMPANILE_AGI_LISTEN", address.to_string()).stdin(Stdio::null());
        let process = processors
            .start(&mut command, Place::Anywhere)
            .unwrap_or_else(|e| panic!("{}: {e}; type make release first", program.display()));
        while std::net::TcpStream::connect(address).is_err() {
            std::thread::sleep(Duration::from_millis(5));
        }
        Self { name: "campanile-agi", address, process }
    }

    pub fn spent(&self) -> Spent {
        let tasks = format!("/proc/{}/task", self.process.id());
        let folder = fs::read_dir(&tasks).unwrap_or_else(|e| panic!("{tasks}: {e}"));
        folder.filter_map(Result::ok).fold(Spent::default(), |sum, task| {
            let read = |name: &str| fs::read_to_string(task.path().join(name)).unwrap_or_default();
            let ran = read("schedstat").split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or_default();
            let ran = Duration::from_nanos(ran);
            let ledger = if read("comm").starts_with("ledger") { ran } else { Duration::ZERO };
            Spent { all: sum.all + ran, ledger: sum.ledger + ledger }
        })
    }

    pub fn memory(&self) -> Memory {
        let path = format!("/proc/{}/smaps_rollup", self.process.id());
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        let read = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key));
            line.and_then(|l| l.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
        };
        Memory { rss: read("Rss:"), pss: read("Pss:") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A listening socket with the queue of ours, whose address goes to standard output.
pub fn announce() -> io::Result<TcpListener> {
    let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).map_err(io::Error::other)?;
    let mut out = io::stdout();
    writeln!(out, "{}", listener.local_addr()?)?;
    out.flush()?;
    Ok(listener)
}

/// Nobody is held up by a limit that may be raised.
pub fn open_files() -> io::Result<()> {
    raise_open_files().map(|_| ()).map_err(io::Error::from)
}
