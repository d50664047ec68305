//! Where Asterisk would find a sound: a missing one is found before the campaign starts, not in the call.

use std::path::{Path, PathBuf};

use super::failure::Failure;
use crate::domain::name::SoundName;
use crate::exit::Exit;
use crate::settings::Settings;

/// The endings of what Asterisk's format modules read (formats/format_*.c, their `exts`).
const ENDINGS: &[&str] = &[
    "wav", "WAV", "wav16", "wav49", "gsm", "ulaw", "ul", "mu", "ulw", "pcm", "alaw", "al", "alw", "au", "sln", "raw",
    "sln12", "sln16", "sln24", "sln32", "sln44", "sln48", "sln96", "sln192", "g722", "g729", "g723", "g723sf",
    "g726-40", "g726-32", "g726-24", "g726-16", "ilbc", "siren7", "siren14", "ogg", "opus", "spx", "mp3", "vox",
];

/// A sound that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What `STREAM FILE` gets: without an ending, because Asterisk adds its own.
    pub sound: SoundName,
    /// A file that it stands for.
    pub file: PathBuf,
}

/// Finds a sound as typed; a known ending is taken off, for `STREAM FILE` would look for `x.wav.wav`.
pub fn resolve(settings: &Settings, typed: &SoundName) -> Result<Found, Failure> {
    let stem = without_ending(typed.as_str()).and_then(|stem| stem.parse().ok());
    let candidates = std::iter::once(typed.clone()).chain(stem);
    let found = candidates.into_iter().find_map(|sound| find(settings, &sound).map(|file| Found { sound, file }));
    found.ok_or_else(|| missing(settings, typed))
}

/// The file that Asterisk would play for exactly this name.
pub fn find(settings: &Settings, sound: &SoundName) -> Option<PathBuf> {
    stems(settings, sound.as_str()).into_iter().find_map(|stem| with_ending(&stem))
}

/// Says where a sound was looked for.
pub fn missing(settings: &Settings, sound: &SoundName) -> Failure {
    Failure::new(Exit::DataErr, format!("there is no sound `{sound}`"), where_to_put(settings, sound))
}

/// What to do about a sound that is missing.
pub fn where_to_put(settings: &Settings, sound: &SoundName) -> String {
    let folders: Vec<String> = stems(settings, sound.as_str())
        .iter()
        .filter_map(|stem| stem.parent())
        .map(|d| d.display().to_string())
        .collect();
    let name = Path::new(sound.as_str()).file_name().unwrap_or_default().to_string_lossy();
    format!("put {name}.wav (8 kHz, mono, 16 bit) into one of: {}", folders.join(", "))
}

/// Asterisk's order: the language, the language without its variant, no language (main/file.c,
/// `fileexists_core`).
fn stems(settings: &Settings, sound: &str) -> Vec<PathBuf> {
    if Path::new(sound).is_absolute() {
        return vec![PathBuf::from(sound)];
    }
    let language = settings.sound_language.as_str();
    let mut languages = vec![language];
    languages.extend(language.split_once('_').map(|(general, _)| general));
    let of_dir = |dir: &PathBuf| {
        let spoken = languages.iter().map(|language| dir.join(language).join(sound));
        spoken.chain([dir.join(sound)]).collect::<Vec<_>>()
    };
    settings.sounds_dirs.iter().flat_map(of_dir).collect()
}

fn with_ending(stem: &Path) -> Option<PathBuf> {
    let files = ENDINGS.iter().map(|ending| PathBuf::from(format!("{}.{ending}", stem.display())));
    files.into_iter().find(|file| file.is_file())
}

fn without_ending(sound: &str) -> Option<&str> {
    let (stem, ending) = sound.rsplit_once('.')?;
    ENDINGS.contains(&ending).then_some(stem)
}
