//! The log: can it be written, and is there room?

use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, eaccess};

use super::Finding;
use crate::settings::Settings;

const AREA: &str = "log";
/// An hour of a busy machine.
const FREE_MIB_MIN: u64 = 50;
const SETTING_MEND: &str = "install etc/log4rs.yaml there, or correct the setting log_config";

pub(super) fn writable(settings: &Settings) -> Vec<Finding> {
    let config = settings.log_config.display();
    let files = match std::fs::read_to_string(&settings.log_config) {
        Ok(yaml) => paths(&yaml),
        Err(error) => {
            let text = format!("`{config}` cannot be read ({error}): both daemons log to stderr");
            return vec![Finding::warning(AREA, text, SETTING_MEND)];
        }
    };
    if files.is_empty() {
        return vec![Finding::ok(AREA, format!("`{config}` names no file"))];
    }
    files.iter().map(|file| judge(file)).collect()
}

/// The files that a log4rs configuration names, as far as they need no expansion.
fn paths(yaml: &str) -> Vec<PathBuf> {
    let values = yaml.lines().filter_map(|line| line.trim().strip_prefix("path:"));
    let plain = values.map(|value| value.trim().trim_matches(['"', '\'']));
    plain.filter(|value| value.starts_with('/') && !value.contains('$')).map(PathBuf::from).collect()
}

fn judge(file: &Path) -> Finding {
    let shown = file.display();
    let folder = file.parent().unwrap_or(file);
    let (target, needed) =
        if file.exists() { (file, AccessFlags::W_OK) } else { (folder, AccessFlags::W_OK | AccessFlags::X_OK) };
    if let Err(errno) = eaccess(target, needed) {
        let text = format!("`{shown}` cannot be written by this user ({}): the daemons log to stderr", errno.desc());
        return Finding::warning(AREA, text, format!("make {} writable for Asterisk's user", folder.display()));
    }
    // A folder that is made with the first line is on the file system of one that is there.
    let there = folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(folder);
    match statvfs(there) {
        Ok(found) => {
            let mib = found.blocks_available().saturating_mul(found.fragment_size()) >> 20;
            if mib >= FREE_MIB_MIN {
                return Finding::ok(AREA, format!("`{shown}` can be written, {mib} MiB left"));
            }
            let text = format!("`{shown}` has only {mib} MiB left; on a full disk calls go on and their log is lost");
            Finding::warning(AREA, text, "free some space there, or have logrotate keep less")
        }
        Err(errno) => Finding::warning(
            AREA,
            format!("the room for `{shown}` is not known: {}", errno.desc()),
            "look at it by hand",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[test]
    fn the_files_of_a_configuration_are_found() {
        let yaml =
            "appenders:\n  a:\n    path: /var/log/a.log\n  b:\n    path: \"/b.log\"\n  c:\n    path: $ENV{X}/c\n";
        assert_eq!(paths(yaml), [PathBuf::from("/var/log/a.log"), PathBuf::from("/b.log")]);
        assert_eq!(paths(include_str!("../../etc/log4rs.yaml")), [PathBuf::from("/var/log/campanile/campanile.log")]);
    }

    #[test]
    fn a_file_that_cannot_be_written_is_told() {
        let dir = tempfile::tempdir().unwrap();
        assert_ne!(judge(&dir.path().join("a.log")).level, Level::Problem);
        assert!(judge(Path::new("/proc/nowhere/a.log")).text.contains("cannot be written"));
    }
}
