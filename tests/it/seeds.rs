//! The fuzzers' seeds and findings (`tests/fuzz/seeds`), held to the same properties on any compiler.
//! Those of FastAGI are held in `agi/tests/it/seeds.rs`. How to fuzz: `docs/fuzzing.md`.

use std::path::PathBuf;

#[path = "../fuzz/properties/archive.rs"]
mod archive;
#[path = "../fuzz/properties/call_file.rs"]
mod call_file;
#[path = "../fuzz/properties/numbers.rs"]
mod numbers;
#[path = "../fuzz/properties/settings.rs"]
mod settings;
#[path = "../fuzz/properties/template.rs"]
mod template;

/// Every seed of a target; one that breaks a property is named.
fn hold(target: &str, check: fn(&[u8])) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds").join(target);
    let mut seeds = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let held = std::panic::catch_unwind(|| check(&bytes));
        assert!(held.is_ok(), "{} breaks a property: see above", path.display());
        seeds += 1;
    }
    assert!(seeds >= 5, "{}: {seeds} seeds", folder.display());
}

#[test]
fn call_files_of_the_seeds_are_read_as_asterisk_reads_them_i7() {
    hold("call_file", |bytes| {
        call_file::check(bytes);
        assert!(call_file::as_the_oracle_tells_it(bytes).starts_with(b"tech="));
    });
}

#[test]
fn templates_of_the_seeds_make_our_files_or_none_i7() {
    hold("template", template::check);
}

#[test]
fn archives_of_the_seeds_tell_what_asterisk_wrote() {
    hold("archive", archive::check);
}

#[test]
fn numbers_of_the_seeds_are_canonical_or_refused_i7() {
    hold("numbers", numbers::check);
}

#[test]
fn settings_of_the_seeds_are_settings_or_problems() {
    hold("settings", settings::check);
}
