//! The fuzzers' seeds and findings of FastAGI, held to the same properties on any compiler.

use std::path::Path;

#[path = "../../../tests/fuzz/properties/agi_codec.rs"]
mod agi_codec;
#[path = "../../../tests/fuzz/properties/agi_session.rs"]
mod agi_session;
#[path = "../../../tests/fuzz/properties/hold.rs"]
mod hold;

fn hold(target: &str, check: fn(&[u8])) {
    hold::hold(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/seeds").join(target), check);
}

#[test]
fn transcripts_of_the_seeds_read_alike_in_any_segments_i7() {
    hold("agi_codec", agi_codec::check);
}

#[test]
fn sessions_of_the_seeds_never_dial_unclaimed_i1() {
    hold("agi_session", agi_session::check);
}
