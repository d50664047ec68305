//! One lab: a real Asterisk and our two daemons in a folder of their own.

use std::fs;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use campanile::clock;
use campanile::domain::instant::UtcMs;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Daemon, command, script, source, try_script};

/// The Asterisks of the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    V16,
    V22,
}

impl Version {
    fn number(self) -> &'static str {
        match self {
            Self::V16 => "16",
            Self::V22 => "22",
        }
    }

    /// Builds its root unless it is there; once for all tests.
    fn prepare(self) {
        static PREPARED: [OnceLock<()>; 2] = [const { OnceLock::new() }; 2];
        PREPARED[self as usize].get_or_init(|| {
            script("prepare", &[self.number(), "sip"]);
        });
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Asterisk {}", self.number())
    }
}

/// Who may run at the same time: a measurement wants the machine for itself.
static TURNS: RwLock<()> = RwLock::new(());

enum Turn {
    Shared { _guard: RwLockReadGuard<'static, ()> },
    Alone { _guard: RwLockWriteGuard<'static, ()> },
}

/// What a lab is to have; [`Setup::start`] brings it up.
pub struct Setup {
    version: Version,
    calls_one_time: u32,
    channels_max: Option<u32>,
    sip_ports: Option<[u16; 2]>,
}

/// A program of a lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    Serve,
    Agi,
    Asterisk,
}

/// A running lab. It ends when it is dropped; after a failure its folder stays to be looked at.
pub struct Lab {
    pub version: Version,
    folder: TempDir,
    uid: u32,
    agi_port: u16,
    sip_ports: Option<[u16; 2]>,
    agi: Option<Daemon>,
    serve: Option<Daemon>,
    /// Given back when all the rest is gone.
    _turn: Turn,
}

impl Setup {
    /// An Asterisk with Local callees, dialled at 600 calls a minute.
    pub fn new(version: Version) -> Self {
        Self { version, calls_one_time: 600, channels_max: None, sip_ports: None }
    }

    /// At so many calls a minute.
    pub fn calls_one_time(self, calls_one_time: u32) -> Self {
        Self { calls_one_time, ..self }
    }

    /// With so many channels of the whole server.
    pub fn channels_max(self, channels: usize) -> Self {
        Self { channels_max: u32::try_from(channels).ok(), ..self }
    }

    /// With a SIP peer.
    pub fn with_sip(self) -> Self {
        Self { sip_ports: Some([(); 2].map(|()| free_udp_port())), ..self }
    }

    /// Starts Asterisk, and nothing of ours yet.
    pub fn start_asterisk(self) -> Lab {
        self.version.prepare();
        self.start_in(Turn::Shared { _guard: TURNS.read().unwrap_or_else(PoisonError::into_inner) })
    }

    fn start_in(self, turn: Turn) -> Lab {
        let folder = tempfile::Builder::new()
            .prefix("campanile-lab-")
            .permissions(fs::Permissions::from_mode(0o755))
            .tempdir()
            .unwrap();
        let agi_port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (version, sip_ports) = (self.version, self.sip_ports);
        let mut lab = Lab { version, folder, uid: 0, agi_port, sip_ports, agi: None, serve: None, _turn: turn };
        lab.write_files(&self);
        lab.start_asterisk();
        lab.uid = lab.read("uid").trim().parse().unwrap();
        if let Some([_, peer]) = self.sip_ports {
            script("sipp/peer", &["start", lab.path(), &peer.to_string()]);
        }
        lab
    }

    /// Starts everything.
    pub fn start(self) -> Lab {
        let mut lab = self.start_asterisk();
        lab.start_daemons();
        lab
    }

    /// Starts everything while no other lab runs.
    pub fn start_alone(self) -> Lab {
        self.version.prepare();
        let mut lab = self.start_in(Turn::Alone { _guard: TURNS.write().unwrap_or_else(PoisonError::into_inner) });
        lab.start_daemons();
        lab
    }
}

fn free_udp_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn exists(pid: Pid) -> bool {
    Path::new("/proc").join(pid.to_string()).exists()
}

/// How long a FastAGI server may take to let its calls end (decision 0012), and a little.
const DRAIN_S: u32 = 80;

/// Where `prepare` keeps its roots.
fn cache() -> PathBuf {
    let var = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    if let Some(cache) = var("CAMPANILE_LAB_CACHE") {
        return cache;
    }
    let root = geteuid().is_root().then(|| PathBuf::from("/var/cache"));
    let user = || var("XDG_CACHE_HOME").unwrap_or_else(|| var("HOME").unwrap().join(".cache"));
    root.unwrap_or_else(user).join("campanile-lab")
}

impl Lab {
    /// The lab's folder; Asterisk knows it by the same path.
    pub fn path(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    /// The same, for files of a test's own.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file of the lab, or nothing while it is not there.
    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.path().join(file)).unwrap_or_default()
    }

    /// Asterisk's `astspooldir`.
    pub fn spool(&self) -> PathBuf {
        self.folder.path().join("spool")
    }

    /// The files of ours that lie in `outgoing`.
    pub fn outgoing(&self) -> Vec<String> {
        self.entries("spool/outgoing")
    }

    /// The files of ours that lie in `outgoing_done`.
    pub fn archived(&self) -> Vec<String> {
        self.entries("spool/outgoing_done")
    }

    fn entries(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path().join(folder)).unwrap();
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// Settings, log, templates, sounds and programs; `tests/lab/asterisk` gives all of it to Asterisk's user.
    fn write_files(&self, setup: &Setup) {
        let (dir, source) = (self.folder.path(), source());
        for folder in ["bin", "state", "templates", "sounds"] {
            fs::create_dir(dir.join(folder)).unwrap();
        }
        // The programs of the same build: beside us, or beside `deps`, in which tests lie.
        let us = std::env::current_exe().unwrap();
        let folder = us.ancestors().skip(1).take(2).find(|folder| folder.join("campanile").is_file());
        let programs = folder.or(us.parent()).expect("a build has a folder");
        for program in ["campanile", "campanile-agi"] {
            let built = programs.join(program);
            assert!(built.is_file(), "{} is not built; type make build, or for benches make release", built.display());
            fs::copy(built, dir.join("bin").join(program)).unwrap();
        }
        fs::copy(source.join("spool-templates/default.call"), dir.join("templates/default.call")).unwrap();
        // Asterisk finds its sounds at the usual place inside its root; this is where we see the same files.
        let sounds = format!("asterisk-{}/usr/share/asterisk/sounds/en_US_f_Allison", self.version.number());
        std::os::unix::fs::symlink(cache().join(sounds), dir.join("sounds/en")).unwrap();
        let log = fs::read_to_string(source.join("etc/log4rs.yaml")).unwrap();
        let log = log.replace("/var/log/campanile/campanile.log", &format!("{}/campanile.log", self.path()));
        fs::write(dir.join("log4rs.yaml"), log).unwrap();
        fs::write(dir.join("campanile.conf"), self.settings(setup)).unwrap();
    }

    fn settings(&self, setup: &Setup) -> String {
        let (dir, port, calls_one_time) = (self.path(), self.agi_port, setup.calls_one_time);
        let channels_max = setup.channels_max.map_or_else(|| "none".to_owned(), |max| max.to_string());
        format!(
            "calls_one_time = {calls_one_time}\nchannels_max = {channels_max}\ncron_interval = 1\ntime_zone = UTC\nstate_dir = {dir}/state\n\
             spool_dir = {dir}/spool\nasterisk_run_dir = {dir}/run\nsounds_dirs = {dir}/sounds\n\
             template_dir = {dir}/templates\nlog_config = {dir}/log4rs.yaml\nagi_listen = 127.0.0.1:{port}\n"
        )
    }

    fn program(&self, name: &str) -> Command {
        let mut command = command(&self.folder.path().join("bin").join(name), self.uid);
        command.arg("--config").arg(self.folder.path().join("campanile.conf")).current_dir(self.folder.path());
        command
    }

    fn start_daemons(&mut self) {
        self.start_agi();
        self.start_serve();
    }

    /// Starts Asterisk, or starts it again.
    pub fn start_asterisk(&mut self) {
        let (agi, owner) = (self.agi_port.to_string(), std::process::id().to_string());
        let mut arguments = vec!["start", self.path(), self.version.number(), "--agi-port", &agi, "--owner", &owner];
        let ports = self.sip_ports.map(|ports| ports.map(|port| port.to_string()));
        if let Some([own, peer]) = &ports {
            arguments.extend(["--sip-port", own, "--peer-port", peer]);
        }
        script("asterisk", &arguments);
    }

    /// Kills programs at one stroke, in the midst of whatever they do, and waits until they are gone. Those that are
    /// left go on at once if they were frozen.
    pub fn kill(&mut self, victims: &[Program]) {
        for victim in victims {
            match victim {
                Program::Serve => self.serve.iter().for_each(|serve| serve.signal(Signal::SIGKILL)),
                Program::Agi => self.agi.iter().for_each(|agi| agi.signal(Signal::SIGKILL)),
                Program::Asterisk => kill(self.asterisk_pid(), Signal::SIGKILL).unwrap(),
            }
        }
        self.thaw();
        for victim in victims {
            match victim {
                Program::Serve => self.kill_serve(),
                Program::Agi => self.agi.take().expect("campanile-agi runs").end(Signal::SIGKILL),
                Program::Asterisk => self.until_asterisk_is_gone(),
            }
        }
    }

    /// Stops all programs where they are, so that what is seen is what holds; [`thaw`](Self::thaw) lets them go on.
    pub fn freeze(&self) {
        let programs = self.running();
        programs.iter().for_each(|pid| kill(*pid, Signal::SIGSTOP).unwrap());
        let stands = |pid: &Pid| {
            let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
            let stat = |task: fs::DirEntry| fs::read_to_string(task.path().join("stat")).unwrap_or_default();
            // A thread that waits for a disk stops when the disk has answered.
            tasks
                .flatten()
                .all(|task| stat(task).rsplit_once(") ").is_none_or(|(_, state)| !state.starts_with(['R', 'S'])))
        };
        let end = clock::now().plus_s(5);
        while !programs.iter().all(stands) {
            assert!(clock::now() < end, "{}: a program did not stop within 5 s", self.version);
        }
    }

    /// Lets those that are left go on.
    pub fn thaw(&self) {
        for pid in self.running() {
            let _gone_meanwhile = kill(pid, Signal::SIGCONT);
        }
    }

    fn running(&self) -> Vec<Pid> {
        let ours = [&self.agi, &self.serve].into_iter().flatten().map(Daemon::pid);
        let asterisk = self.asterisk_pid();
        ours.chain(exists(asterisk).then_some(asterisk)).collect()
    }

    /// Starts programs again.
    pub fn start(&mut self, programs: &[Program]) {
        for program in programs {
            match program {
                Program::Serve => self.start_serve(),
                Program::Agi => self.start_agi(),
                Program::Asterisk => self.start_asterisk(),
            }
        }
    }

    fn asterisk_pid(&self) -> Pid {
        Pid::from_raw(self.read("run/asterisk.pid").trim().parse().unwrap())
    }

    /// Says something to Asterisk's console.
    pub fn asterisk_cli(&self, command: &str) -> String {
        script("asterisk", &["rx", self.path(), command])
    }

    /// `core restart now`, and waits until Asterisk has booted again, with the same process number.
    pub fn restart_asterisk(&self) {
        let pid_file = self.folder.path().join("run/asterisk.pid");
        let written = || fs::metadata(&pid_file).and_then(|found| found.modified()).ok();
        let before = written();
        // The connection ends with the old Asterisk, so the command itself may call that a failure.
        let _ended = try_script("asterisk", &["rx", self.path(), "core restart now"]);
        let again = poll(20, || written().is_some_and(|now| Some(now) != before));
        assert!(again, "{} did not restart", self.version);
        let booted = || {
            let told = try_script("asterisk", &["rx", self.path(), "core waitfullybooted"]);
            String::from_utf8_lossy(&told.stdout).contains("fully booted")
        };
        assert!(poll(30, booted), "{} did not boot again", self.version);
    }

    /// Kills Asterisk in the midst of whatever it does.
    pub fn kill_asterisk(&mut self) {
        self.kill(&[Program::Asterisk]);
    }

    fn until_asterisk_is_gone(&self) {
        let pid = self.asterisk_pid();
        poll(10, || !exists(pid)).then_some(()).expect("Asterisk is gone after it was killed");
    }

    /// Processor time of a program since it started.
    pub fn processor_time(&self, program: Program) -> Duration {
        let pid = match program {
            Program::Serve => self.serve.as_ref().expect("campanile serve runs").pid(),
            Program::Agi => self.agi.as_ref().expect("campanile-agi runs").pid(),
            Program::Asterisk => self.asterisk_pid(),
        };
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        // The fields behind the name, which may hold anything: the 14th and 15th of all are user and system time.
        let (_, fields) = stat.rsplit_once(')').unwrap();
        let ticks: u64 = fields.split_whitespace().skip(11).take(2).map(|n| n.parse::<u64>().unwrap()).sum();
        let per_second = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK).unwrap().unwrap();
        Duration::from_secs(ticks) / u32::try_from(per_second).unwrap()
    }

    /// Starts the FastAGI server and waits until it listens.
    pub fn start_agi(&mut self) {
        let log = self.folder.path().join("agi.stderr");
        self.agi = Some(Daemon::start("campanile-agi", self.program("campanile-agi"), &log));
        let address = ("127.0.0.1", self.agi_port);
        self.until("campanile-agi listens", 20, |_| TcpStream::connect(address).is_ok());
    }

    /// Restarts the FastAGI server as `systemctl restart` does: SIGTERM, wait for its end, start. Says how long it took.
    pub fn restart_agi(&mut self) -> Duration {
        let began_at = clock::now();
        self.agi.take().expect("campanile-agi runs").end_within(Signal::SIGTERM, DRAIN_S);
        self.start_agi();
        Duration::from_millis(clock::now().since_ms(began_at).unsigned_abs())
    }

    /// Starts the daemon.
    pub fn start_serve(&mut self) {
        let mut command = self.program("campanile");
        command.arg("serve");
        self.serve = Some(Daemon::start("campanile serve", command, &self.folder.path().join("serve.stderr")));
    }

    /// Has the daemon read its settings again, and look at everything.
    pub fn reload_serve(&self) {
        self.serve.as_ref().expect("campanile serve runs").signal(Signal::SIGHUP);
    }

    /// Kills the daemon, as a crash would.
    pub fn kill_serve(&mut self) {
        self.serve.take().expect("campanile serve runs").end(Signal::SIGKILL);
    }

    /// Runs a command of `campanile`, whatever its outcome.
    pub fn try_campanile(&self, arguments: &[&str]) -> Output {
        self.program("campanile").args(arguments).output().unwrap()
    }

    /// Runs a command of `campanile` that is to succeed, and reads its answer in JSON.
    #[track_caller]
    pub fn campanile(&self, arguments: &[&str]) -> Value {
        let output = self.try_campanile(&[arguments, &["--json"]].concat());
        let (answer, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "campanile {arguments:?}: {}\n{complaint}", output.status);
        serde_json::from_str(&answer).unwrap_or_else(|e| panic!("campanile {arguments:?} --json: {e}\n{answer}"))
    }

    /// Waits until `condition` holds; panics after `seconds`, or as soon as a daemon of ours ended.
    #[track_caller]
    pub fn until(&mut self, what: &str, seconds: i64, mut condition: impl FnMut(&Self) -> bool) {
        let holds = poll(seconds, || {
            self.agi.iter_mut().chain(&mut self.serve).for_each(Daemon::assert_runs);
            condition(self)
        });
        assert!(holds, "{}: within {seconds} s it did not happen that {what}", self.version);
    }

    fn print_logs(&self) {
        for file in ["serve.stderr", "agi.stderr", "campanile.log", "log/messages", "log/console", "callees.log"] {
            let text = self.read(file);
            let lines: Vec<&str> = text.lines().collect();
            eprintln!("---- {file}\n{}", lines[lines.len().saturating_sub(25)..].join("\n"));
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.serve.take().into_iter().for_each(|serve| serve.end(Signal::SIGTERM));
        self.agi.take().into_iter().for_each(|agi| agi.end(Signal::SIGINT));
        script("sipp/peer", &["stop", self.path()]);
        script("asterisk", &["stop", self.path()]);
        if std::thread::panicking() {
            self.print_logs();
            self.folder.disable_cleanup(true);
            eprintln!("lab: {} stays at {}", self.version, self.path());
        }
    }
}

/// Asks until the answer is yes, for at most `seconds`; says whether it came.
fn poll(seconds: i64, mut condition: impl FnMut() -> bool) -> bool {
    let end: UtcMs = clock::now().plus_s(seconds);
    loop {
        if condition() {
            return true;
        }
        if clock::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
