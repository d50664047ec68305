//! A machine in a temporary folder: settings, spool, sounds, ledger, and the real binary.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use campanile::ledger::Ledger;
use serde_json::Value;

/// The folder and everything in it.
pub struct Machine {
    dir: tempfile::TempDir,
}

/// What a command said, and how it ended.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Machine {
    /// An empty one, with the sound `hello`.
    pub fn new() -> Self {
        let machine = Self { dir: tempfile::tempdir().unwrap() };
        for folder in ["state", "spool/outgoing", "spool/outgoing_done", "sounds/en", "run"] {
            std::fs::create_dir_all(machine.path(folder)).unwrap();
        }
        std::fs::write(machine.path("sounds/en/hello.wav"), "").unwrap();
        let root = machine.dir.path().display();
        let conf = format!(
            "state_dir = {root}/state\nspool_dir = {root}/spool\nsounds_dirs = {root}/sounds\n\
             asterisk_run_dir = {root}/run\nagi_listen = 127.0.0.1:1\ntime_zone = Europe/Berlin\ncountry = DE\n"
        );
        std::fs::write(machine.path("campanile.conf"), conf).unwrap();
        machine
    }

    /// One with the trunk `gw1` and the campaign `spring`, which lacks numbers and actions.
    pub fn with_campaign() -> Self {
        let machine = Self::new();
        machine.ok("trunk add gw1 --dial PJSIP/{number}@gw1 --channels 10");
        machine.ok("campaign add spring --trunk gw1");
        machine
    }

    /// One whose campaign `spring` runs, with two numbers.
    pub fn with_running_campaign() -> Self {
        let machine = Self::with_campaign();
        machine.import("+493012345601\n+493012345602\n");
        machine.ok("actions add spring PLAY hello");
        machine.ok("campaign start spring");
        machine
    }

    /// Something that answers pings as `campanile-agi` does, for the life of the test.
    pub fn opens_a_gate(&self) {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let conf = std::fs::read_to_string(self.path("campanile.conf")).unwrap();
        let listen = conf.lines().find(|line| line.starts_with("agi_listen")).unwrap();
        let ours = format!("agi_listen = {}", listener.local_addr().unwrap());
        std::fs::write(self.path("campanile.conf"), conf.replace(listen, &ours)).unwrap();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                // Whoever asked may be gone.
                let _told = stream.write_all(b"SET VARIABLE \"CAMPANILE_PONG\" \"0 sessions 0 of 9\"\n");
                let _heard = stream.read_to_end(&mut Vec::new());
            }
        });
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs `campanile` with words that are split at blanks.
    pub fn run(&self, line: &str) -> Said {
        self.run_words(&line.split(' ').collect::<Vec<_>>())
    }

    pub fn run_words(&self, words: &[&str]) -> Said {
        let output = self.command().args(words).stdin(Stdio::null()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_campanile"));
        command.arg("--config").arg(self.path("campanile.conf")).env_remove("CAMPANILE_AS");
        command
    }

    /// Runs what must succeed; its answer.
    #[track_caller]
    pub fn ok(&self, line: &str) -> String {
        let said = self.run(line);
        assert_eq!(said.code, 0, "{line}: {}{}", said.out, said.err);
        said.out
    }

    /// Runs what must succeed, with `--json`.
    #[track_caller]
    pub fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.ok(&format!("{line} --json"))).unwrap()
    }

    /// Runs what must fail with this code, saying this on stderr in our own voice.
    #[track_caller]
    pub fn fails(&self, line: &str, code: i32, words: &str) {
        let said = self.run(line);
        assert_eq!(said.code, code, "{line}: {}{}", said.out, said.err);
        assert!(said.err.starts_with("campanile: ") && said.err.contains(words), "{line}: {}", said.err);
        assert!(said.err.trim_end().lines().count() > 1, "{line} does not say what to do: {}", said.err);
    }

    /// Imports a text into `spring`.
    #[track_caller]
    pub fn import(&self, text: &str) -> Value {
        self.write("numbers.txt", text);
        self.json(&format!("numbers import spring {}", self.path("numbers.txt").display()))
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub fn ledger(&self) -> Ledger {
        Ledger::open(Path::new(&self.path("state/campanile.db"))).unwrap()
    }
}
