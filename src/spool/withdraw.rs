//! Withdrawing: taking back a file that Asterisk has not begun.

use std::fs;
use std::io;

use super::{Spool, SpoolError, SpoolName};
use crate::callfile::Begun;

/// What became of a withdrawal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withdrawn {
    /// It was there, not begun, and is gone: Asterisk forgets it when it is due (asterisk.md 2.2).
    Removed,
    /// Asterisk has begun it; it was left alone.
    Begun(Begun),
    /// It is not in `outgoing`: archived, or never there.
    Gone,
}

impl Spool {
    /// Removes a file before Asterisk begins it.
    ///
    /// The race: between Asterisk's reading of the file and its `StartRetry` mark (well under 1 ms) an
    /// unlink comes too late; the call runs, and the mark makes the path appear again (asterisk.md 2.2).
    /// We look for that, but it may appear after we looked. So `Removed` is no promise that nothing
    /// rings: the gate is. Close the attempt in the ledger first, then withdraw its file.
    pub fn withdraw(&self, name: SpoolName) -> Result<Withdrawn, SpoolError> {
        let path = self.dirs.outgoing.join(name.to_string());
        let begun = || {
            let read = super::scan::read(&path).map_err(|source| SpoolError::io("read", &path, source))?;
            Ok::<_, SpoolError>(read.map(|(file, _)| file.begun()))
        };
        match begun()? {
            None => return Ok(Withdrawn::Gone),
            Some(Some(begun)) => return Ok(Withdrawn::Begun(begun)),
            Some(None) => {}
        }
        match fs::remove_file(&path) {
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(Withdrawn::Gone),
            removed => removed.map_err(|source| SpoolError::io("withdraw", &path, source))?,
        }
        Ok(begun()?.flatten().map_or(Withdrawn::Removed, Withdrawn::Begun))
    }
}
