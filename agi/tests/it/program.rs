//! The program itself, with an empty ledger.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use campanile::clock;
use tempfile::TempDir;

/// Ends with its value.
pub struct Program {
    pub address: SocketAddr,
    process: Child,
    log: Arc<Mutex<Vec<String>>>,
    _state: TempDir,
}

impl Program {
    /// With this many open files at most.
    pub fn start(files: u32) -> Self {
        let state = tempfile::tempdir().unwrap();
        let script = format!("ulimit -n {files} && exec {}", env!("CARGO_BIN_EXE_campanile-agi"));
        let mut process = Command::new("sh")
            .args(["-c", &script])
            .env_remove("CAMPANILE_CONFIG")
            .env("CAMPANILE_STATE_DIR", state.path())
            .env("CAMPANILE_AGI_LISTEN", "127.0.0.1:0")
            .env("CAMPANILE_LOG_CONFIG", state.path().join("none.yaml"))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map(Result::unwrap);
        let listening = lines.find(|line| line.contains("listening on")).expect("it did not begin");
        let address = listening.split("listening on ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        let log = Arc::new(Mutex::new(vec![]));
        let kept = Arc::clone(&log);
        std::thread::spawn(move || lines.for_each(|line| kept.lock().unwrap().push(line)));
        Self { address, process, log, _state: state }
    }

    /// What it has said since it listens.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Processor time so far, in hundredths of a second.
    pub fn processor_cs(&self) -> u64 {
        let stat = fs::read_to_string(self.proc("stat")).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }

    /// The highest number of its open files.
    pub fn files(&self) -> u32 {
        let names =
            fs::read_dir(self.proc("fd")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter_map(|name| name.parse().ok()).max().unwrap()
    }

    /// From now on it may open this many files.
    pub fn allow_files(&self, files: u32) {
        let pid = self.process.id().to_string();
        let limit = format!("--nofile={files}:");
        assert!(Command::new("prlimit").args(["--pid", &pid, &limit]).status().unwrap().success());
    }

    fn proc(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.process.id())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
fn lines_of_the_log_leave_though_nothing_else_happens_and_a_kill_costs_none_of_them() {
    let state = tempfile::tempdir().unwrap();
    let folder = state.path().to_str().unwrap();
    let log = include_str!("../../../etc/log4rs.yaml").replace("/var/log/campanile", folder);
    fs::write(state.path().join("log4rs.yaml"), log).unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_campanile-agi"))
        .env_remove("CAMPANILE_CONFIG")
        .env("CAMPANILE_STATE_DIR", folder)
        .env("CAMPANILE_AGI_LISTEN", "127.0.0.1:0")
        .env("CAMPANILE_LOG_CONFIG", state.path().join("log4rs.yaml"))
        .spawn()
        .unwrap();
    let told = || fs::read_to_string(state.path().join("campanile.log")).unwrap_or_default().contains("listening on");
    let patience = clock::now().plus_s(20);
    while !told() && clock::now() < patience {
        std::thread::yield_now();
    }
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(told());
}

#[test]
fn a_wrong_command_line_ends_with_64_in_our_own_voice() {
    let output = Command::new(env!("CARGO_BIN_EXE_campanile-agi")).arg("--hlp").output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(64), "{told}");
    assert!(told.starts_with("campanile-agi: unexpected argument"), "{told}");
}
