//! A machine of its own for a bench: folders, settings, a trunk and a campaign, made by the command line.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};

use crate::{cost, shown};

/// The campaign of every such machine.
pub const CAMPAIGN: &str = "spring";

/// What a program took.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    /// By the clock on the wall.
    pub wall: Duration,
    /// Its user and system time.
    pub processor: Duration,
    /// The most memory that it held, in KiB.
    pub peak_kib: u64,
}

/// Settings and folders below a root of their own.
#[derive(Debug)]
pub struct Machine {
    root: PathBuf,
}

impl Machine {
    /// A new one; what was at `root` is gone.
    pub fn fresh(root: &Path) -> Self {
        let _absent = fs::remove_dir_all(root);
        for folder in ["state", "spool/outgoing", "spool/outgoing_done", "run"] {
            done(root, fs::create_dir_all(root.join(folder)));
        }
        let at = root.display();
        let conf = format!(
            "state_dir = {at}/state\nspool_dir = {at}/spool\nasterisk_run_dir = {at}/run\ntime_zone = UTC\ncountry = DE\n"
        );
        done(root, fs::write(root.join("campanile.conf"), conf));
        let machine = Self { root: root.to_owned() };
        measured(machine.campanile(&["trunk", "add", "gw1", "--dial", "PJSIP/{number}@gw1"]));
        measured(machine.campanile(&["campaign", "add", CAMPAIGN, "--trunk", "gw1"]));
        machine
    }

    /// With `numbers` waiting, imported in random order; one that was made before is taken as it is.
    pub fn with_waiting(numbers: u64) -> Self {
        let root = scratch().join(format!("waiting-{numbers}"));
        let machine = Self { root };
        if !machine.path("complete").exists() {
            let machine = Self::fresh(&machine.root);
            let file = machine.path("numbers.csv");
            write_numbers(&file, numbers);
            let took = measured(machine.campanile(&["numbers", "import", CAMPAIGN, &file.display().to_string()]));
            let (time, processor, mib) = (shown(took.wall), shown(took.processor), took.peak_kib / 1024);
            println!("\n{numbers} numbers were imported in {time}, {processor} of processor time, {mib} MiB at most");
            done(&file, fs::remove_file(&file).and_then(|()| fs::write(machine.path("complete"), "")));
        }
        machine
    }

    /// Something of it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        self.path("state/campanile.db")
    }

    /// `campanile` of the release build, on this machine.
    #[must_use]
    pub fn campanile(&self, arguments: &[&str]) -> Command {
        let mut command =
            Command::new(PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/release/campanile")));
        command.arg("--config").arg(self.path("campanile.conf")).args(arguments);
        command
    }
}

/// Where benches keep files: on the disk that the project is on, not on a memory disk.
#[must_use]
pub fn scratch() -> PathBuf {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/bench"));
    done(&folder, fs::create_dir_all(&folder));
    folder.canonicalize().unwrap_or(folder)
}

/// CSV with numbers that are all different, in an order that looks random.
pub fn write_numbers(file: &Path, count: u64) {
    let mut out = BufWriter::new(done(file, File::create(file)));
    done(file, out.write_all(b"name,phone\n"));
    let mut line = String::new();
    for n in 0..count {
        // A multiplication by an odd number that is no multiple of 5 only shuffles the residues of a power of ten.
        let number = n * 618_033_989 % 1_000_000_000;
        line.clear();
        let _ = writeln!(line, "Customer {n},+4930{number:09}");
        done(file, out.write_all(line.as_bytes()));
    }
    done(file, out.flush());
}

/// Runs a program that is to succeed, and says what it took.
pub fn measured(mut command: Command) -> Took {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let before = children_processor();
    let (cost, peak_kib) = cost(|| {
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}; type make release first"));
        watched(&mut child)
    });
    let peak_kib = peak_kib.unwrap_or_else(|ended| panic!("{command:?}: {ended}"));
    Took { wall: cost.wall, processor: children_processor().saturating_sub(before), peak_kib }
}

/// Waits for a program; its peak of memory in KiB as the kernel last told it.
fn watched(child: &mut Child) -> Result<u64, String> {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let told = fs::read_to_string(&status).unwrap_or_default();
        let line = told.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|l| l.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(peak);
        match child.try_wait() {
            Ok(None) => std::thread::sleep(Duration::from_millis(10)),
            Ok(Some(status)) if status.success() => return Ok(peak),
            ended => return Err(format!("it failed: {ended:?}")),
        }
    }
}

fn children_processor() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap_or_else(|e| panic!("getrusage: {e}"));
    let micros = |t: nix::sys::time::TimeVal| u64::try_from(t.tv_sec() * 1_000_000 + t.tv_usec()).unwrap_or_default();
    Duration::from_micros(micros(usage.user_time()) + micros(usage.system_time()))
}

/// What a bench cannot do without.
pub fn done<T, E: std::fmt::Display>(path: &Path, result: Result<T, E>) -> T {
    result.unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
