//! Holds every seed of a target to its property, on any compiler.

use std::path::Path;

/// Every seed below `seeds`; one that breaks the property is named.
pub fn hold(seeds: &Path, check: fn(&[u8])) {
    let mut held = 0;
    for entry in std::fs::read_dir(seeds).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let kept = std::panic::catch_unwind(|| check(&bytes));
        assert!(kept.is_ok(), "{} breaks a property: see above", path.display());
        held += 1;
    }
    assert!(held >= 5, "{}: {held} seeds", seeds.display());
}
