//! The checks that `campanile doctor` makes around the spool.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::sys::statfs::{
    BTRFS_SUPER_MAGIC, EXT4_SUPER_MAGIC, FsType, NFS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC, SMB_SUPER_MAGIC, TMPFS_MAGIC,
    XFS_SUPER_MAGIC, statfs,
};
use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, eaccess};
use notify::{Config, RecommendedWatcher, RecursiveMode, Watcher};

use super::SpoolDirs;

/// Below this, Asterisk may fail to write its mark, and then dials again (asterisk.md 3).
const FREE_BYTES_MIN: u64 = 100 << 20;
/// A day of archived files on a busy machine.
const FREE_INODES_MIN: u64 = 20_000;
/// Linux's default; 7000 starts in one batch fill it (asterisk.md 2.4).
const QUEUED_EVENTS_MIN: u64 = 16_384;
/// Asterisk has one watch, we have two; the rest is for everybody else of the same user.
const WATCHES_MIN: u64 = 128;

/// Local file systems, on which inotify sees everybody's changes. The last one is ZFS.
const EVENTFUL: [FsType; 6] =
    [EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, TMPFS_MAGIC, OVERLAYFS_SUPER_MAGIC, FsType(0x2fc1_2fc1)];

/// Whether inotify can be relied on there; what is not known is doubted.
pub(super) fn gives_events(path: &Path) -> bool {
    statfs(path).is_ok_and(|found| EVENTFUL.contains(&found.filesystem_type()))
}

/// Whether what a file is called to us, its inode, is what the kernel calls it: not so where layers lie on each other.
pub(super) fn has_own_inodes(path: &Path) -> bool {
    const PLAIN: [FsType; 3] = [EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, TMPFS_MAGIC];
    statfs(path).is_ok_and(|found| PLAIN.contains(&found.filesystem_type()))
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, with a risk.
    Warning,
    /// It does not work.
    Problem,
}

/// One result of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What was found.
    pub text: String,
    /// How to mend it; `None` when there is nothing to mend.
    pub mend: Option<String>,
}

impl Finding {
    fn ok(text: String) -> Self {
        Self { level: Level::Ok, text, mend: None }
    }

    fn warning(text: String, mend: String) -> Self {
        Self { level: Level::Warning, text, mend: Some(mend) }
    }

    fn problem(text: String, mend: String) -> Self {
        Self { level: Level::Problem, text, mend: Some(mend) }
    }
}

/// Checks the folders for a Campanile that runs as `uid`, and what inotify allows. Changes nothing.
#[must_use]
pub fn check_dirs(dirs: &SpoolDirs, uid: u32) -> Vec<Finding> {
    let Some(outgoing) = fs::metadata(&dirs.outgoing).ok().filter(Metadata::is_dir) else {
        let text = format!("`{}` is no folder", dirs.outgoing.display());
        return vec![Finding::problem(text, "start Asterisk once, or correct `spool_dir`".to_owned())];
    };
    let mut findings = vec![owner(&dirs.outgoing, &outgoing, uid), others(&dirs.outgoing, &outgoing)];
    for path in [&dirs.done, &dirs.staging] {
        match fs::metadata(path) {
            Ok(found) => findings.extend([owner(path, &found, uid), same_device(path, &found, &outgoing)]),
            Err(_) => findings.push(Finding::ok(format!("`{}` is not there yet; it is created", path.display()))),
        }
    }
    findings.push(local(&dirs.outgoing));
    findings.push(room(&dirs.outgoing));
    findings.push(watchable(&dirs.outgoing));
    findings.extend(inotify(Path::new("/proc/sys/fs/inotify")));
    findings
}

fn owner(path: &Path, found: &Metadata, uid: u32) -> Finding {
    let (shown, owner) = (path.display(), found.uid());
    if owner != uid {
        let text = format!("`{shown}` belongs to uid {owner}, Campanile runs as uid {uid}");
        return Finding::problem(text, "run Campanile as Asterisk's user; call files must belong to it".to_owned());
    }
    let needed = AccessFlags::R_OK | AccessFlags::W_OK | AccessFlags::X_OK;
    let is_us = uid == nix::unistd::geteuid().as_raw();
    match eaccess(path, needed) {
        Err(errno) if is_us => {
            let text = format!("`{shown}` cannot be written to: {}", errno.desc());
            Finding::problem(text, format!("chmod u+rwx '{shown}', or mount its file system writable"))
        }
        _ => Finding::ok(format!("`{shown}` belongs to uid {uid}")),
    }
}

fn others(path: &Path, found: &Metadata) -> Finding {
    let shown = path.display();
    if found.mode() & 0o002 == 0 {
        return Finding::ok(format!("`{shown}` is closed to other users"));
    }
    let text = format!("everybody may write to `{shown}`, and a call file can run any command as Asterisk");
    Finding::warning(text, format!("chmod o-w '{shown}'"))
}

fn same_device(path: &Path, found: &Metadata, outgoing: &Metadata) -> Finding {
    let shown = path.display();
    if found.dev() == outgoing.dev() {
        return Finding::ok(format!("`{shown}` is on the file system of `outgoing`"));
    }
    let text = format!("`{shown}` is on another file system than `outgoing`: files cannot be moved in one step");
    Finding::problem(text, "keep `outgoing`, `outgoing_done` and `campanile` on one file system".to_owned())
}

fn local(path: &Path) -> Finding {
    let shown = path.display();
    match statfs(path).map(|found| found.filesystem_type()) {
        Ok(NFS_SUPER_MAGIC | SMB_SUPER_MAGIC) => {
            let text = format!("`{shown}` is on a network file system, where Asterisk sees no new files");
            Finding::problem(text, "keep the spool on a local disk".to_owned())
        }
        Ok(found) if EVENTFUL.contains(&found) => Finding::ok(format!("`{shown}` is on a local file system")),
        Ok(_) => Finding::warning(
            format!(
                "`{shown}` is on a file system that may give no events; `outgoing_done` is listed each second instead"
            ),
            "Asterisk needs the events too: keep the spool on a local disk, unless the self-test call succeeds"
                .to_owned(),
        ),
        Err(errno) => unseen(&format!("the file system of `{shown}`"), errno.desc()),
    }
}

fn room(path: &Path) -> Finding {
    let shown = path.display();
    let found = match statvfs(path) {
        Ok(found) => found,
        Err(errno) => return unseen(&format!("the free space of `{shown}`"), errno.desc()),
    };
    let free = found.blocks_available().saturating_mul(found.fragment_size());
    // Some file systems make inodes as they need them, and count none.
    let few_inodes = found.files() > 0 && found.files_available() < FREE_INODES_MIN;
    let (mib, inodes) = (free >> 20, found.files_available());
    if free >= FREE_BYTES_MIN && !few_inodes {
        return Finding::ok(format!("`{shown}` has {mib} MiB and {inodes} inodes left"));
    }
    let text =
        format!("`{shown}` has only {mib} MiB and {inodes} inodes left; on a full disk Asterisk dials files again");
    Finding::problem(text, "free some space, or archive less".to_owned())
}

/// Tries a watch: the limits count what all programs of this user have, and nobody can list that.
fn watchable(path: &Path) -> Finding {
    let tried = RecommendedWatcher::new(|_| {}, Config::default());
    match tried.and_then(|mut watcher| watcher.watch(path, RecursiveMode::NonRecursive)) {
        Ok(()) => Finding::ok(format!("`{}` can be watched", path.display())),
        Err(error) => Finding::warning(
            format!("`{}` cannot be watched ({error}); `outgoing_done` is listed each second instead", path.display()),
            "raise fs.inotify.max_user_instances and max_user_watches: Asterisk needs one of each".to_owned(),
        ),
    }
}

fn inotify(folder: &Path) -> Vec<Finding> {
    [("max_user_watches", WATCHES_MIN), ("max_queued_events", QUEUED_EVENTS_MIN), ("max_user_instances", 16)]
        .map(|(limit, min)| {
            let text = fs::read_to_string(folder.join(limit)).unwrap_or_default();
            match text.trim().parse::<u64>() {
                Ok(found) if found >= min => Finding::ok(format!("fs.inotify.{limit} is {found}")),
                Ok(found) => Finding::warning(
                    format!("fs.inotify.{limit} is {found}; below {min}, new files may go unseen"),
                    format!("sysctl -w fs.inotify.{limit}={min}, and the same in /etc/sysctl.d"),
                ),
                Err(_) => unseen(&format!("fs.inotify.{limit}"), "not readable"),
            }
        })
        .into()
}

fn unseen(what: &str, why: &str) -> Finding {
    Finding::warning(format!("{what} could not be looked at: {why}"), "look at it by hand".to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn told(findings: &[Finding], level: Level) -> Vec<&str> {
        findings.iter().filter(|f| f.level == level).map(|f| &*f.text).collect()
    }

    #[test]
    fn a_good_spool_has_no_problem_of_ownership() {
        let root = tempfile::tempdir().unwrap();
        let dirs = SpoolDirs::below(root.path());
        fs::create_dir(&dirs.outgoing).unwrap();
        let findings = check_dirs(&dirs, fs::metadata(root.path()).unwrap().uid());
        assert!(told(&findings, Level::Ok).iter().any(|text| text.contains("belongs to uid")));
        assert!(told(&findings, Level::Problem).iter().all(|text| !text.contains("belongs to")));
        assert!(findings.iter().all(|f| (f.level == Level::Ok) == f.mend.is_none()));
        assert!(!dirs.staging.exists(), "a check changes nothing");
    }

    #[test]
    fn a_foreign_owner_an_open_folder_and_a_missing_one_are_told() {
        let root = tempfile::tempdir().unwrap();
        let dirs = SpoolDirs::below(root.path());
        assert!(told(&check_dirs(&dirs, 0), Level::Problem)[0].contains("is no folder"));
        fs::create_dir(&dirs.outgoing).unwrap();
        fs::set_permissions(&dirs.outgoing, fs::Permissions::from_mode(0o777)).unwrap();
        let findings = check_dirs(&dirs, fs::metadata(root.path()).unwrap().uid() + 1);
        assert!(told(&findings, Level::Problem)[0].contains("Campanile runs as uid"));
        assert!(told(&findings, Level::Warning)[0].contains("everybody may write"));
    }

    #[test]
    fn low_inotify_limits_are_told_with_the_command() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("max_user_watches"), "8\n").unwrap();
        fs::write(folder.path().join("max_queued_events"), "16384\n").unwrap();
        let findings = inotify(folder.path());
        assert_eq!(
            findings[0].mend.as_deref().unwrap().split(',').next(),
            Some("sysctl -w fs.inotify.max_user_watches=128")
        );
        assert_eq!(findings[1].level, Level::Ok);
        assert_eq!(findings[2].level, Level::Warning);
    }
}
