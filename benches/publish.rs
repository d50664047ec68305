//! Publishing 10,000 call files beside the least that could do it: create, write, set the time, rename.
//!
//! On a memory disk and on the disk of the project, in fresh folders each time: ext4 is slower for minutes where
//! many files were deleted. The floor knows its bytes beforehand; ours are rendered, and read back, for each file.

use std::fs::{self, File, FileTimes};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use campanile::callfile::{DEFAULT_TEMPLATE, Template, Ticketed, file_wait_time_s, render};
use campanile::domain::ids::{AttemptId, Ticket};
use campanile::domain::instant::UtcMs;
use campanile::spool::{Spool, SpoolDirs, SpoolName};
use campanile_bench::machine::{done, scratch};
use campanile_bench::{Cost, Goal, Rounds, cost, shown, table};
use nix::sys::statfs::{EXT4_SUPER_MAGIC, TMPFS_MAGIC, statfs};

const FILES: i64 = 10_000;
const ROUNDS: usize = 7;
/// The first of all files is due then.
const FROM: UtcMs = UtcMs(1_800_000_000_000);

fn fresh(root: &Path) -> SpoolDirs {
    let dirs = SpoolDirs::below(root);
    for folder in [&dirs.outgoing, &dirs.done, &dirs.staging] {
        done(folder, fs::create_dir_all(folder));
    }
    dirs
}

fn ours(root: &Path, template: &Template) -> Cost {
    let spool = done(root, Spool::open(fresh(root)).map_err(|e| format!("{e:?}")));
    cost(|| {
        for n in 0..FILES {
            let ticket = Ticket::new(u128::to_le_bytes(n.unsigned_abs().into()));
            let call = Ticketed { ticket, wait_time_s: file_wait_time_s(30) };
            let bytes = done(root, render(template, &call));
            let salt = u32::try_from(n).unwrap_or_default().wrapping_mul(2_654_435_761);
            done(root, spool.publish(SpoolName::new(AttemptId(n), salt), &bytes, FROM.plus_ms(n * 60)));
        }
    })
    .0
}

fn floor(root: &Path, bytes: &[u8]) -> Cost {
    let dirs = fresh(root);
    cost(|| {
        for n in 0..FILES {
            let name = format!("campanile-{n}-{:08x}.call", n.wrapping_mul(2_654_435_761) & 0xffff_ffff);
            let staged = dirs.staging.join(&name);
            done(&staged, bare(&staged, bytes, FROM.plus_ms(n * 60)));
            done(&staged, fs::rename(&staged, dirs.outgoing.join(name)));
        }
    })
    .0
}

fn bare(staged: &Path, bytes: &[u8], due: UtcMs) -> std::io::Result<()> {
    let mut file = File::create(staged)?;
    file.write_all(bytes)?;
    let seconds = u64::try_from(due.0 / 1_000).unwrap_or_default();
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    file.set_times(FileTimes::new().set_accessed(at).set_modified(at))
}

/// The folders to measure in, with the name of their file system.
fn disks() -> Vec<(String, PathBuf)> {
    let mut disks = Vec::new();
    for folder in [PathBuf::from("/dev/shm"), scratch()] {
        let kind = statfs(&folder).map(|found| found.filesystem_type());
        match kind {
            Ok(TMPFS_MAGIC) => disks.push(("tmpfs".to_owned(), folder)),
            Ok(EXT4_SUPER_MAGIC) => disks.push(("ext4".to_owned(), folder)),
            Ok(other) => disks.push((format!("{other:?}"), folder)),
            Err(error) => println!("skipped {}: {error}", folder.display()),
        }
    }
    for wanted in ["tmpfs", "ext4"] {
        if !disks.iter().any(|(name, _)| name == wanted) {
            println!("skipped {wanted}: neither /dev/shm nor {} is one", scratch().display());
        }
    }
    disks
}

pub fn run() {
    let template = done(Path::new("the template"), Template::parse(DEFAULT_TEMPLATE.as_bytes()));
    let call = Ticketed { ticket: Ticket::new([7; 16]), wait_time_s: file_wait_time_s(30) };
    let bytes = done(Path::new("a call file"), render(&template, &call));
    let mut rows = Vec::new();
    for (kind, folder) in disks() {
        let root = done(&folder, tempfile::Builder::new().prefix("publish-").tempdir_in(&folder));
        let (mut rounds, mut processor) = (Rounds::default(), Rounds::default());
        for round in 0..ROUNDS {
            let [a, b] = ["ours", "floor"].map(|who| root.path().join(format!("{who}-{round}")));
            // Who comes first has the emptier journal.
            let (ours, floor) = if round % 2 == 0 {
                let ours = ours(&a, &template);
                (ours, floor(&b, &bytes))
            } else {
                let floor = floor(&b, &bytes);
                (ours(&a, &template), floor)
            };
            rounds.note(ours.wall, floor.wall);
            processor.note(ours.processor, floor.processor);
        }
        let each = |d: Duration| shown(d / u32::try_from(FILES).unwrap_or(1));
        let times = [kind, each(rounds.floor()), each(rounds.ours())];
        let ratios = Goal::AtMost(1.3).cells(rounds.ratio()).into_iter().chain([format!("{:.2}", processor.ratio())]);
        rows.push(times.into_iter().chain(ratios).collect());
    }
    let head =
        ["file system", "bare loop, a file", "Campanile, a file", "ratio", "goal", "", "ratio of processor time"];
    table(&format!("Publishing {FILES} call files"), &head, &rows);
}
