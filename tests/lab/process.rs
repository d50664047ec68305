//! The programs of a lab: started as Asterisk's user, stopped by process number, gone with the tests.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};

/// A command that runs as `uid`, with nothing of our environment but the path. Only root can become
/// another user; anybody else's lab belongs to themselves.
pub fn command(program: &Path, uid: u32) -> Command {
    let mut command = if geteuid().is_root() {
        let mut setpriv = Command::new("setpriv");
        let id = uid.to_string();
        setpriv.args(["--reuid", &id, "--regid", &id, "--clear-groups", "--pdeathsig", "KILL", "--"]).arg(program);
        setpriv
    } else {
        let mut setpriv = Command::new("setpriv");
        setpriv.args(["--pdeathsig", "KILL", "--"]).arg(program);
        setpriv
    };
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).stdin(Stdio::null());
    command
}

/// A daemon of ours. It ends with the thread that started it, even if that is killed.
pub struct Daemon {
    name: &'static str,
    child: Child,
}

impl Daemon {
    /// Starts it; what it says on stderr goes to `log`.
    pub fn start(name: &'static str, mut command: Command, log: &Path) -> Self {
        let log = File::options().create(true).append(true).open(log).unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(log);
        Self { name, child: command.spawn().unwrap() }
    }

    /// Panics if it ended by itself.
    #[track_caller]
    pub fn assert_runs(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            panic!("{} ended by itself: {status}", self.name);
        }
    }

    /// Ends it and waits until it is gone; one that ignores the signal for 10 s is killed.
    pub fn end(mut self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap());
        // Not yet waited for, so the number is still its own.
        let _gone_already = kill(pid, signal);
        for _ in 0..200 {
            if self.child.try_wait().unwrap().is_some() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        eprintln!("lab: {} did not heed {signal} and is killed", self.name);
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Runs a script of the lab and returns what it says; panics with its complaint if it fails.
#[track_caller]
pub fn script(name: &str, arguments: &[&str]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab").join(name);
    let output = Command::new(path).args(arguments).stdin(Stdio::null()).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} {arguments:?}: {}\n{complaint}", output.status);
    String::from_utf8(output.stdout).unwrap()
}
