//! Looking into `outgoing_done` each second, where a watch would see nothing.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::scan::names;
use super::watch::{Note, RescanWhy, SpoolEvent};
use super::{SpoolError, SpoolName};

/// Between two looks. A look is one listing: no file is opened, and a name is told once.
const PAUSE: Duration = Duration::from_secs(1);

/// The names that were told already.
#[derive(Debug)]
pub(super) struct Poll {
    done: PathBuf,
    known: BTreeSet<SpoolName>,
    lost: bool,
}

impl Poll {
    /// What lies there now is for the scan that follows.
    pub(super) fn new(done: PathBuf) -> Self {
        let known = names(&done).unwrap_or_default().into_iter().collect();
        Self { done, known, lost: false }
    }

    /// Looks until the watch ends.
    pub(super) fn run(mut self, inbox: &Receiver<Note>, mut on_event: impl FnMut(SpoolEvent)) {
        loop {
            match inbox.recv_timeout(PAUSE) {
                Ok(Note::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                // Of a watch that did not come about.
                Ok(Note::Event(_) | Note::Lost(..)) => {}
                Err(RecvTimeoutError::Timeout) => self.look(names(&self.done)).into_iter().for_each(&mut on_event),
            }
        }
    }

    /// What is new since the last look.
    fn look(&mut self, found: Result<Vec<SpoolName>, SpoolError>) -> Vec<SpoolEvent> {
        match found {
            Err(error) => {
                if !std::mem::replace(&mut self.lost, true) {
                    log::error!("{error}; trying again each second");
                }
                Vec::new()
            }
            Ok(_) if std::mem::take(&mut self.lost) => vec![SpoolEvent::Rescan(RescanWhy::FolderReplaced)],
            Ok(found) => {
                let found: BTreeSet<SpoolName> = found.into_iter().collect();
                let new = found.difference(&self.known).map(|name| SpoolEvent::Archived { name: *name }).collect();
                self.known = found;
                new
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::AttemptId;

    #[test]
    fn a_new_name_is_told_once_and_a_folder_that_came_back_asks_for_a_scan() {
        let dir = tempfile::tempdir().unwrap();
        let name = |id| SpoolName::new(AttemptId(id), 7);
        let put = |id| std::fs::write(dir.path().join(name(id).to_string()), "").unwrap();
        put(1);
        let mut poll = Poll::new(dir.path().to_owned());
        let look = |poll: &mut Poll| poll.look(names(dir.path()));
        assert_eq!(look(&mut poll), [], "the scan at the start sees what was there");
        put(2);
        assert_eq!(look(&mut poll), [SpoolEvent::Archived { name: name(2) }]);
        assert_eq!(look(&mut poll), []);
        let nowhere = names(&dir.path().join("nowhere"));
        assert_eq!(poll.look(nowhere), []);
        assert_eq!(look(&mut poll), [SpoolEvent::Rescan(RescanWhy::FolderReplaced)]);
    }
}
