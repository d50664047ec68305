//! A log file whose lines leave together where a thread asks for it (decision 0022).

use std::cell::Cell;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, TryLockError};

use log::{Level, Record};
use log4rs::append::Append;
use log4rs::config::{Deserialize, Deserializers};
use log4rs::encode::{Encode, EncoderConfig, Write};

use super::line::Line;

/// Lines that have gathered to so many bytes leave in any case.
const GATHERED_BYTES_MAX: usize = 16 * 1024;

thread_local! {
    static GATHERS: Cell<bool> = const { Cell::new(false) };
}

/// From here on the lines of this thread below a warning are kept until [`let_go`], which the thread has to call
/// whenever it is about to wait. A panic lets them go, too.
pub fn gather() {
    GATHERS.set(true);
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let_go();
        told(info);
    }));
}

/// Writes what has gathered; costs next to nothing when nothing has.
pub fn let_go() {
    log::logger().flush();
}

/// The appender.
#[derive(Debug)]
pub(super) struct GatheredFile {
    lines: Mutex<Lines>,
    encoder: Box<dyn Encode>,
}

#[derive(Debug)]
struct Lines {
    file: File,
    gathered: Vec<u8>,
    /// Why lines were lost when nobody could be told; the next line tells.
    lost: Option<io::Error>,
}

impl GatheredFile {
    fn open(path: &Path, append: Appending, encoder: Box<dyn Encode>) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let keep = append == Appending::Yes;
        let file = OpenOptions::new().write(true).append(keep).truncate(!keep).create(true).open(path)?;
        Ok(Self { lines: Mutex::new(Lines { file, gathered: Vec::new(), lost: None }), encoder })
    }
}

impl Append for GatheredFile {
    fn append(&self, record: &Record<'_>) -> anyhow::Result<()> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let before = lines.gathered.len();
        if let Err(error) = self.encoder.encode(&mut Bytes(&mut lines.gathered), record) {
            lines.gathered.truncate(before);
            return Err(error);
        }
        let may_wait = GATHERS.get() && record.level() > Level::Warn && lines.gathered.len() < GATHERED_BYTES_MAX;
        if !may_wait {
            lines.leave();
        }
        lines.lost.take().map_or(Ok(()), |error| Err(error.into()))
    }

    /// Whoever holds the lines just now lets them go itself, or is this very thread, in a panic.
    fn flush(&self) {
        match self.lines.try_lock() {
            Ok(mut lines) => lines.leave(),
            Err(TryLockError::Poisoned(lines)) => lines.into_inner().leave(),
            Err(TryLockError::WouldBlock) => {}
        }
    }
}

impl Lines {
    fn leave(&mut self) {
        if self.gathered.is_empty() {
            return;
        }
        if let Err(error) = self.file.write_all(&self.gathered) {
            self.lost = Some(error);
        }
        self.gathered.clear();
    }
}

/// The file is closed when the settings of the log are read again.
impl Drop for Lines {
    fn drop(&mut self) {
        self.leave();
    }
}

/// What an encoder writes to.
#[derive(Debug)]
struct Bytes<'a>(&'a mut Vec<u8>);

impl io::Write for Bytes<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for Bytes<'_> {}

/// The appender `kind: gathered_file` of a configuration file.
#[derive(Debug)]
pub(super) struct GatheredFileKind;

/// Whether what the file has stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Appending {
    Yes,
    No,
}

/// As those of the kind `file`.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileSettings {
    path: PathBuf,
    append: Option<bool>,
    encoder: Option<EncoderConfig>,
}

impl Deserialize for GatheredFileKind {
    type Trait = dyn Append;
    type Config = FileSettings;

    fn deserialize(&self, settings: FileSettings, kinds: &Deserializers) -> anyhow::Result<Box<dyn Append>> {
        let encoder: Box<dyn Encode> = match settings.encoder {
            Some(encoder) => kinds.deserialize(&encoder.kind, encoder.config)?,
            None => Box::new(Line::default()),
        };
        let append = if settings.append == Some(false) { Appending::No } else { Appending::Yes };
        Ok(Box::new(GatheredFile::open(&settings.path, append, encoder)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(folder: &Path) -> GatheredFile {
        GatheredFile::open(&folder.join("log/a.log"), Appending::Yes, Box::new(Line::default())).unwrap()
    }

    fn say(file: &GatheredFile, level: Level, n: usize) -> anyhow::Result<()> {
        file.append(&Record::builder().level(level).args(format_args!("line {n}.")).build())
    }

    fn written(folder: &Path) -> usize {
        fs::read_to_string(folder.join("log/a.log")).unwrap().lines().filter(|line| line.contains(" line ")).count()
    }

    #[test]
    fn each_line_leaves_at_once_unless_its_thread_gathers() {
        let folder = tempfile::tempdir().unwrap();
        let file = open(folder.path());
        say(&file, Level::Info, 1).unwrap();
        assert_eq!(written(folder.path()), 1);
        GATHERS.set(true);
        say(&file, Level::Info, 2).unwrap();
        say(&file, Level::Debug, 3).unwrap();
        assert_eq!(written(folder.path()), 1);
        file.flush();
        assert_eq!(written(folder.path()), 3);
        // A warning does not wait, nor what was said before it, nor anything when another thread speaks.
        say(&file, Level::Info, 4).unwrap();
        say(&file, Level::Warn, 5).unwrap();
        assert_eq!(written(folder.path()), 5);
        say(&file, Level::Info, 6).unwrap();
        std::thread::scope(|scope| scope.spawn(|| say(&file, Level::Info, 7).unwrap()).join().unwrap());
        assert_eq!(written(folder.path()), 7);
    }

    #[test]
    fn lines_leave_when_the_log_is_set_up_anew() {
        let folder = tempfile::tempdir().unwrap();
        let file = open(folder.path());
        GATHERS.set(true);
        say(&file, Level::Info, 1).unwrap();
        drop(file);
        assert_eq!(written(folder.path()), 1);
    }

    #[test]
    fn lines_do_not_gather_without_end() {
        let folder = tempfile::tempdir().unwrap();
        let file = open(folder.path());
        GATHERS.set(true);
        (0..1_000).for_each(|n| say(&file, Level::Info, n).unwrap());
        assert!(file.lines.lock().unwrap().gathered.len() < GATHERED_BYTES_MAX);
        assert!(written(folder.path()) > 500);
    }

    #[test]
    fn lines_that_are_lost_are_told_by_the_next_one_and_do_not_stay() {
        let full = GatheredFile::open(Path::new("/dev/full"), Appending::Yes, Box::new(Line::default())).unwrap();
        assert!(say(&full, Level::Info, 1).is_err());
        GATHERS.set(true);
        say(&full, Level::Info, 2).unwrap();
        full.flush();
        assert!(full.lines.lock().unwrap().gathered.is_empty());
        assert!(say(&full, Level::Info, 3).is_err());
    }
}
