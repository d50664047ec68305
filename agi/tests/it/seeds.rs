//! The fuzzers' seeds and findings of FastAGI, held to the same properties on any compiler.

use std::path::PathBuf;

#[path = "../../../tests/fuzz/properties/agi_codec.rs"]
mod agi_codec;
#[path = "../../../tests/fuzz/properties/agi_session.rs"]
mod agi_session;

/// Every seed of a target; one that breaks a property is named.
fn hold(target: &str, check: fn(&[u8])) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/seeds").join(target);
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
fn transcripts_of_the_seeds_read_alike_in_any_segments_i7() {
    hold("agi_codec", agi_codec::check);
}

#[test]
fn sessions_of_the_seeds_never_dial_unclaimed_i1() {
    hold("agi_session", agi_session::check);
}
