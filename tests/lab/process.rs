//! The programs of a lab: started as Asterisk's user, stopped by process number, gone with the tests.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
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

    /// Sends it a signal and does not wait. It was not waited for, so the number is still its own.
    pub fn signal(&self, signal: Signal) {
        let _gone_already = kill(self.pid(), signal);
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().unwrap())
    }

    /// Ends it and waits until it is gone; one that ignores the signal for 10 s is killed.
    pub fn end(self, signal: Signal) {
        self.end_within(signal, 10);
    }

    /// The same, for one that may take its time.
    pub fn end_within(mut self, signal: Signal, seconds: u32) {
        self.signal(signal);
        for _ in 0..seconds * 20 {
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

/// The folder of the source: the benches, which use the lab too, are a package below it.
pub fn source() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().find(|folder| folder.join("tests/lab").is_dir()).expect("the lab is part of the source")
}

/// Runs a script of the lab and returns what it says; panics with its complaint if it fails.
#[track_caller]
pub fn script(name: &str, arguments: &[&str]) -> String {
    let output = try_script(name, arguments);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} {arguments:?}: {}\n{complaint}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a script of the lab, whatever its outcome.
pub fn try_script(name: &str, arguments: &[&str]) -> Output {
    let path = source().join("tests/lab").join(name);
    Command::new(path).args(arguments).stdin(Stdio::null()).output().unwrap()
}
