//! Whether Asterisk reads the folder that we write to.
//!
//! It watches the folder that was there when it started, whatever the path leads to today (asterisk.md 2.1):
//! after `outgoing` was replaced, or with another `astspooldir`, files of ours lie there unseen, and nothing tells.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::check::has_own_inodes;

/// Whether the Asterisk of this process id watches `folder`, by its inotify handles. `None` where that cannot be
/// told: a process of another user, one that watches nothing (it boots, or polls), a layered file system.
#[must_use]
pub fn asterisk_watches(pid: i64, folder: &Path) -> Option<bool> {
    if !has_own_inodes(folder) {
        return None;
    }
    watches(&Path::new("/proc").join(pid.to_string()).join("fdinfo"), folder)
}

fn watches(handles: &Path, folder: &Path) -> Option<bool> {
    let inode = fs::metadata(folder).ok()?.ino();
    let handles = fs::read_dir(handles).ok()?.flatten();
    let texts = handles.filter_map(|handle| fs::read_to_string(handle.path()).ok());
    let watched: Vec<u64> = texts.flat_map(|text| text.lines().filter_map(inode_of).collect::<Vec<_>>()).collect();
    (!watched.is_empty()).then(|| watched.contains(&inode))
}

/// Of a line such as `inotify wd:1 ino:9e7e sdev:800013 mask:88 ignored_mask:0 fhandle-bytes:8 …` (proc(5)).
fn inode_of(line: &str) -> Option<u64> {
    let inode = line.strip_prefix("inotify ")?.split(' ').find_map(|word| word.strip_prefix("ino:"))?;
    u64::from_str_radix(inode, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_was_replaced_is_not_the_one_that_is_watched() {
        let [handles, folders] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let outgoing = folders.path().join("outgoing");
        fs::create_dir(&outgoing).unwrap();
        let told = || watches(handles.path(), &outgoing);
        fs::write(handles.path().join("3"), "pos:\t0\nflags:\t02\n").unwrap();
        assert_eq!(told(), None, "nothing is watched");
        let inode = fs::metadata(&outgoing).unwrap().ino();
        let line = format!("pos:\t0\ninotify wd:1 ino:{inode:x} sdev:800013 mask:fce ignored_mask:0\n");
        fs::write(handles.path().join("4"), line).unwrap();
        assert_eq!(told(), Some(true));
        fs::rename(&outgoing, outgoing.with_extension("old")).unwrap();
        fs::create_dir(&outgoing).unwrap();
        assert_eq!(told(), Some(false));
        assert_eq!(watches(&handles.path().join("nowhere"), &outgoing), None);
    }

    #[test]
    fn what_the_system_tells_of_a_watch_is_understood() {
        // Whatever /tmp is, this one is a file system of its own.
        let dir = tempfile::tempdir_in("/dev/shm").unwrap();
        let mut watcher = notify::recommended_watcher(|_| {}).unwrap();
        notify::Watcher::watch(&mut watcher, dir.path(), notify::RecursiveMode::NonRecursive).unwrap();
        let other = tempfile::tempdir_in("/dev/shm").unwrap();
        let own = i64::from(std::process::id());
        assert_eq!(asterisk_watches(own, dir.path()), Some(true));
        assert_eq!(asterisk_watches(own, other.path()), Some(false));
    }
}
