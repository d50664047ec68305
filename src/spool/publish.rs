//! Publishing: a file enters `outgoing` whole, with its instant, under a new name.

use std::fs::{self, File, FileTimes, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use nix::unistd::{AccessFlags, eaccess};
use tempfile::{NamedTempFile, TempPath};

use super::{Spool, SpoolError, SpoolName};
use crate::domain::instant::UtcMs;

/// Beginnings of our names in `staging`.
const STAGED: &str = "publishing-";
/// Owner writes, because Asterisk must append and set times (asterisk.md 3); nobody else does. Our umask may take
/// the group's part away, and [`Spool::probe`] sees to it that it leaves the owner's.
const MODE: u32 = 0o640;
const OWNER: u32 = 0o600;
/// As long as a call file, or longer.
const PROBE_BYTES: usize = 1024;

impl Spool {
    /// Puts a call file into `outgoing`; Asterisk originates it at `start_at` or up to 1 s before, and
    /// the gate holds it until `start_at`.
    ///
    /// The bytes come from [`crate::callfile::render()`]. Crash points: before the rename nothing is in
    /// `outgoing`, and [`Spool::open`] clears `staging`; after it the file is there whole. There is no
    /// fsync: docs/decisions/0002-no-fsync-per-call-file.md.
    ///
    /// # Errors
    /// [`SpoolError::NameTaken`] when the name is in `outgoing` already; nothing is overwritten.
    pub fn publish(&self, name: SpoolName, bytes: &[u8], start_at: UtcMs) -> Result<(), SpoolError> {
        let mtime = mtime(start_at).ok_or(SpoolError::StartOutOfRange { name, start_at })?;
        let staged = self.stage(bytes, mtime)?;
        let path = self.dirs.outgoing.join(name.to_string());
        match renameat2(AT_FDCWD, &*staged, AT_FDCWD, &path, RenameFlags::RENAME_NOREPLACE) {
            Ok(()) => {}
            Err(Errno::EEXIST) => return Err(SpoolError::NameTaken { name }),
            Err(errno) => return Err(SpoolError::io("publish", &path, errno.into())),
        }
        // It left staging: there is nothing to clean up. `keep` touches no file.
        drop(staged.keep());
        Ok(())
    }

    /// Whether a file could be published now: writes one into `staging`, which nobody reads, and removes it.
    ///
    /// # Errors
    /// What a publication would meet; the same words for the same cause.
    pub fn probe(&self) -> Result<(), SpoolError> {
        let Self { dirs: super::SpoolDirs { outgoing, staging, .. } } = self;
        eaccess(outgoing, AccessFlags::W_OK | AccessFlags::X_OK)
            .map_err(|errno| SpoolError::io("write to", outgoing, errno.into()))?;
        let failed = |source| SpoolError::io("write to", staging, source);
        let mut probe = self.staged().map_err(failed)?;
        probe.write_all(&[b'\n'; PROBE_BYTES]).map_err(failed)?;
        owner_may_write(probe.as_file().metadata().map_err(failed)?.mode())
    }

    fn staged(&self) -> std::io::Result<NamedTempFile> {
        let mode = Permissions::from_mode(MODE);
        tempfile::Builder::new().prefix(STAGED).permissions(mode).tempfile_in(&self.dirs.staging)
    }

    /// Writes the file and closes it: a close after the rename would be an event in `outgoing`.
    fn stage(&self, bytes: &[u8], mtime: SystemTime) -> Result<TempPath, SpoolError> {
        let staging = &self.dirs.staging;
        let (mut file, path) =
            self.staged().map_err(|source| SpoolError::io("write to", staging, source))?.into_parts();
        write_with_time(&mut file, bytes, mtime).map_err(|source| SpoolError::io("write", &path, source))?;
        Ok(path)
    }
}

fn write_with_time(file: &mut File, bytes: &[u8], mtime: SystemTime) -> std::io::Result<()> {
    file.write_all(bytes)?;
    file.set_times(FileTimes::new().set_accessed(mtime).set_modified(mtime))
}

fn owner_may_write(mode: u32) -> Result<(), SpoolError> {
    if mode & OWNER == OWNER { Ok(()) } else { Err(SpoolError::Umask { mode: mode & 0o777 }) }
}

/// One second before the second of the start: Asterisk looks at whole seconds only and is up to 1 s
/// late, never early (asterisk.md 2.2, 2.3). Seconds must fit into its 31 bits (2038).
fn mtime(start_at: UtcMs) -> Option<SystemTime> {
    let seconds = u64::try_from(start_at.0.div_euclid(1000) - 1).ok()?;
    let fits = i32::try_from(seconds).is_ok();
    fits.then(|| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Removes what a crash left: files that never got into `outgoing`.
pub(super) fn clear_staging(staging: &Path) -> Result<(), SpoolError> {
    let failed = |source| SpoolError::io("clear", staging, source);
    for entry in fs::read_dir(staging).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().as_encoded_bytes().starts_with(STAGED.as_bytes()) {
            fs::remove_file(entry.path()).map_err(|source| SpoolError::io("remove", &entry.path(), source))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_umask_that_keeps_asterisk_from_writing_is_told() {
        assert!(owner_may_write(0o100_640).is_ok() && owner_may_write(0o100_600).is_ok());
        let told = owner_may_write(0o100_440).unwrap_err().to_string();
        assert!(told.contains("the mode 440") && told.contains("UMask=0022"), "{told}");
    }

    #[test]
    fn the_mtime_is_the_start_cut_to_seconds_less_one() {
        let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(mtime(UtcMs(1_772_352_000_000)), at(1_772_351_999));
        assert_eq!(mtime(UtcMs(1_772_352_000_999)), at(1_772_351_999));
        assert_eq!(mtime(UtcMs(999)), None);
        assert_eq!(mtime(UtcMs(i64::MIN)), None);
        assert_eq!(mtime(UtcMs(i64::from(i32::MAX) * 1000 + 1000)), at(2_147_483_647));
        assert_eq!(mtime(UtcMs(i64::from(i32::MAX) * 1000 + 2000)), None);
    }
}
