//! A machine of our own: the real programs on real files, with a fake Asterisk beside them.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{LazyLock, mpsc};
use std::time::Duration;

use crate::fake_asterisk::FakeAsterisk;

/// How long anything is waited for that must come.
const PATIENCE_MS: i64 = 20_000;
/// The last lines of each log, after a failure.
const LINES_SHOWN: usize = 60;
/// Between two looks.
const LOOK_MS: u64 = 10;

/// Looks until there is something to see, or says what did not come.
#[track_caller]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = campanile::clock::now().plus_ms(PATIENCE_MS);
    // Nothing is ever sent: it is a clock that can be waited on.
    let (_held, never) = mpsc::channel::<()>();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(campanile::clock::now() < end, "waited {PATIENCE_MS} ms in vain: {what}");
        let _looked_again = never.recv_timeout(Duration::from_millis(LOOK_MS));
    }
}

/// `campanile-agi` belongs to another package, so cargo has to be asked for it.
static AGI: LazyLock<PathBuf> = LazyLock::new(|| {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--package", "campanile-agi", "--manifest-path", manifest])
        .status();
    assert!(built.unwrap().success(), "campanile-agi does not build");
    Path::new(env!("CARGO_BIN_EXE_campanile")).with_file_name("campanile-agi")
});

/// A daemon that is killed with its machine.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        let _gone = self.0.kill();
        let _code = self.0.wait();
    }
}

pub struct Machine {
    agi: Option<Daemon>,
    serve: Option<Daemon>,
    pub asterisk: FakeAsterisk,
    pub agi_port: u16,
    pub dir: tempfile::TempDir,
}

/// What the daemons said last, where a test failed.
impl Drop for Machine {
    fn drop(&mut self) {
        let last = |log: &str| {
            let text = std::fs::read_to_string(self.dir.path().join(log)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n")
        };
        if std::thread::panicking() {
            eprintln!("--- agi.log\n{}\n--- serve.log\n{}", last("agi.log"), last("serve.log"));
        }
    }
}

impl Machine {
    /// All daemons up, a user `ann`, a trunk `lab`.
    pub fn new() -> Self {
        let mut machine = Self::bare();
        machine.start_agi();
        machine.start_serve();
        machine
    }

    /// No daemon, and no Asterisk at work: only the files.
    pub fn stopped() -> Self {
        let mut machine = Self::bare();
        machine.asterisk.stop();
        machine
    }

    /// The same without daemons.
    pub fn bare() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        for folder in ["spool/outgoing", "spool/outgoing_done", "state", "run", "sounds/en"] {
            std::fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        std::fs::write(dir.path().join("run/asterisk.pid"), std::process::id().to_string()).unwrap();
        std::fs::write(dir.path().join("sounds/en/hello.gsm"), b"").unwrap();
        let d = dir.path().display();
        let templates = concat!(env!("CARGO_MANIFEST_DIR"), "/spool-templates");
        let conf = format!(
            "calls_one_time = 1200\ncron_interval = 1\ntime_zone = UTC\nspool_dir = {d}/spool\nstate_dir = {d}/state\n\
             template_dir = {templates}\nasterisk_run_dir = {d}/run\nsounds_dirs = {d}/sounds\n\
             agi_listen = 127.0.0.1:{port}\nlog_config = {d}/none.yaml\n"
        );
        std::fs::write(dir.path().join("campanile.conf"), conf).unwrap();
        let asterisk = FakeAsterisk::start(&dir.path().join("spool"), port);
        let machine = Self { agi: None, serve: None, asterisk, agi_port: port, dir };
        machine.ok(&["trunk", "add", "lab", "--dial", "Local/{number}@callees"]);
        machine
    }

    pub fn program(&self, path: &Path) -> Command {
        self.with_settings(Command::new(path))
    }

    /// Our settings, and nobody else's.
    pub fn with_settings(&self, mut command: Command) -> Command {
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CAMPANILE_")) {
            command.env_remove(name);
        }
        command.env("CAMPANILE_CONFIG", self.dir.path().join("campanile.conf")).stdin(Stdio::null());
        command
    }

    fn daemon(mut program: Command, args: &[&str], log: &Path) -> Daemon {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        Daemon(program.args(args).stdout(Stdio::null()).stderr(log).spawn().unwrap())
    }

    /// `campanile-agi` behind a way that takes this long for each connection.
    pub fn start_slow_agi(&mut self, delay: Duration) {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut program = self.program(&AGI);
        program.env("CAMPANILE_AGI_LISTEN", format!("127.0.0.1:{port}"));
        self.agi = Some(Self::daemon(program, &[], &self.dir.path().join("agi.log")));
        until("campanile-agi listens", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        crate::detour::open(self.agi_port, port, delay);
    }

    pub fn start_agi(&mut self) {
        self.agi = Some(Self::daemon(self.program(&AGI), &[], &self.dir.path().join("agi.log")));
        until("campanile-agi listens", || std::net::TcpStream::connect(("127.0.0.1", self.agi_port)).ok());
    }

    pub fn kill_agi(&mut self) {
        self.agi = None;
    }

    /// Without waiting for what it logs.
    pub fn spawn_serve(&mut self) {
        self.spawn_serve_as(Self::program);
    }

    /// By a command of one's own that ends with the program's.
    pub fn spawn_serve_as(&mut self, program: impl FnOnce(&Self, &Path) -> Command) {
        let program = program(self, Path::new(env!("CARGO_BIN_EXE_campanile")));
        self.serve = Some(Self::daemon(program, &["serve"], &self.dir.path().join("serve.log")));
    }

    /// How `campanile serve` ended; waits for it.
    pub fn serve_ended(&mut self) -> Option<i32> {
        let serve = &mut self.serve.as_mut().unwrap().0;
        until("campanile serve ends", || serve.try_wait().unwrap()).code()
    }

    pub fn start_serve(&mut self) {
        // A dead one leaves its socket behind.
        let socket = self.dir.path().join("state/serve.wake");
        let _absent = std::fs::remove_file(&socket);
        self.spawn_serve();
        let log = self.dir.path().join("serve.log");
        let runs = |text: String| text.contains("campanile serve runs").then_some(());
        until("campanile serve runs", || std::fs::read_to_string(&log).ok().and_then(runs));
    }

    /// `kill -9`, and its log starts anew.
    pub fn kill_serve(&mut self) {
        self.serve = None;
        std::fs::write(self.dir.path().join("serve.log"), b"").unwrap();
    }

    /// SIGHUP to both daemons.
    pub fn reload(&self) {
        for daemon in [&self.serve, &self.agi].into_iter().flatten() {
            let pid = nix::unistd::Pid::from_raw(i32::try_from(daemon.0.id()).unwrap());
            nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGHUP).unwrap();
        }
    }

    /// Exchanges a text in the settings.
    pub fn reset(&self, old: &str, new: &str) {
        let file = self.dir.path().join("campanile.conf");
        let conf = std::fs::read_to_string(&file).unwrap();
        assert!(conf.contains(old), "{conf}");
        std::fs::write(&file, conf.replace(old, new)).unwrap();
    }

    /// `campanile-agi` that is not expected to stay.
    pub fn agi_fails(&self) -> Output {
        self.program(&AGI).output().unwrap()
    }

    /// Waits until a log of ours says it.
    #[track_caller]
    pub fn logged(&self, log: &str, words: &str) {
        let file = self.dir.path().join(log);
        let says = || std::fs::read_to_string(&file).ok().filter(|text| text.contains(words)).map(drop);
        until(&format!("{log} says `{words}`"), says);
    }

    pub fn campanile<S: AsRef<std::ffi::OsStr>>(&self, args: &[S]) -> Output {
        self.program(Path::new(env!("CARGO_BIN_EXE_campanile"))).args(args).output().unwrap()
    }

    /// The first line of a command's output that is wanted; the command ends with it.
    pub fn first_line_of(&self, args: &[&str], wanted: impl Fn(&str) -> bool) -> String {
        let mut command = self.program(Path::new(env!("CARGO_BIN_EXE_campanile")));
        let mut child = Daemon(command.args(args).stdout(Stdio::piped()).spawn().unwrap());
        let lines = BufReader::new(child.0.stdout.take().unwrap()).lines().map_while(Result::ok);
        lines.into_iter().find(|line| wanted(line)).unwrap_or_default()
    }

    #[track_caller]
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.campanile(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A campaign of these magic numbers (the last three digits), not started.
    #[track_caller]
    pub fn campaign(&self, name: &str, options: &[&str], fates: &[&str]) {
        self.ok(&[&["campaign", "add", name, "--trunk", "lab"], options].concat());
        let list = self.dir.path().join(format!("{name}.txt"));
        let lines: String = fates.iter().map(|fate| format!("+441632960{fate}\n")).collect();
        std::fs::write(&list, lines).unwrap();
        self.ok(&["numbers", "import", name, list.to_str().unwrap()]);
        self.ok(&["actions", "add", name, "PLAY", "hello"]);
    }

    /// A sound that is there.
    pub fn sound(&self, name: &str) {
        let file = self.dir.path().join(format!("sounds/en/{name}.gsm"));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, b"").unwrap();
    }

    #[track_caller]
    pub fn start(&self, name: &str) {
        self.ok(&["campaign", "start", name]);
    }

    pub fn state(&self, name: &str) -> serde_json::Value {
        serde_json::from_str(&self.ok(&["campaign", "show", name, "--json"])).unwrap()
    }

    pub fn report(&self, name: &str) -> Vec<serde_json::Value> {
        serde_json::from_str(&self.ok(&["report", name, "--json"])).unwrap()
    }

    #[track_caller]
    pub fn completed(&self, name: &str) {
        until(&format!("{name} is completed"), || self.state(name).to_string().contains("\"completed\"").then_some(()));
    }

    /// `waiting`, `in_progress`, `reached`, `failed`, `total`.
    pub fn count(&self, name: &str, of: &str) -> u64 {
        self.state(name)["numbers"][of].as_u64().unwrap()
    }

    pub fn files(&self) -> usize {
        let count = |folder: &str| std::fs::read_dir(self.dir.path().join("spool").join(folder)).unwrap().count();
        count("outgoing") + count("outgoing_done")
    }
}
