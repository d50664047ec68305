//! The simulator's deliberate mistakes (`tests/sim/mistakes`) can still be made: a patch that the code has
//! left behind would stop `make mistakes`, which takes too long to run at each change.

use std::path::Path;

type Breaches = Vec<String>;

/// One place that a patch changes.
struct Hunk<'a> {
    file: &'a str,
    /// Its first line, which says how many lines there are before and after.
    head: &'a str,
    /// What must stand in the file: what stays and what goes.
    old: Vec<&'a str>,
}

/// The number of lines before (`-12,7`) or after (`+12,9`) the change; one where none is said.
fn size(head: &str, sign: char) -> usize {
    let range = head.split(' ').find_map(|word| word.strip_prefix(sign));
    let count = range.map_or("0", |range| range.split_once(',').map_or("1", |(_, count)| count));
    count.parse().unwrap_or(0)
}

/// Reads as many lines as the head says: only so can a line that goes look like the head of a file.
fn hunk<'a>(file: &'a str, head: &'a str, lines: &mut impl Iterator<Item = &'a str>) -> Result<Hunk<'a>, String> {
    let (before, after) = (size(head, '-'), size(head, '+'));
    let (mut old, mut new) = (Vec::new(), 0);
    while old.len() < before || new < after {
        match lines.next().map(|line| line.split_at_checked(1).unwrap_or((" ", ""))) {
            Some((" ", text)) => {
                old.push(text);
                new += 1;
            }
            Some(("-", text)) => old.push(text),
            Some(("+", _)) => new += 1,
            _ => return Err(format!("{file}: {head}: its lines end too early")),
        }
    }
    if (old.len(), new) == (before, after) && before > 0 {
        Ok(Hunk { file, head, old })
    } else {
        Err(format!("{file}: {head}: has {} lines before and {new} after", old.len()))
    }
}

fn hunks(patch: &str) -> Result<Vec<Hunk<'_>>, String> {
    let (mut file, mut found) = ("", Vec::new());
    let mut lines = patch.lines();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("--- a/") {
            file = name;
        } else if line.starts_with("@@ ") {
            found.push(hunk(file, line, &mut lines)?);
        }
    }
    if found.is_empty() { Err("changes nothing".to_owned()) } else { Ok(found) }
}

/// The hunks whose old text does not stand in its file, each below the one before.
fn stale(patch: &str, read: impl Fn(&str) -> String) -> Breaches {
    let hunks = match hunks(patch) {
        Ok(hunks) => hunks,
        Err(breach) => return vec![breach],
    };
    let (mut breaches, mut below) = (Breaches::new(), ("", 0));
    for Hunk { file, head, old } in hunks {
        let text = read(file);
        let lines: Vec<&str> = text.lines().collect();
        let from = if below.0 == file { below.1 } else { 0 };
        match lines[from..].windows(old.len()).position(|window| window == old) {
            Some(at) => below = (file, from + at + old.len()),
            None => breaches.push(format!("{file}: {head}: its old text is gone")),
        }
    }
    breaches
}

/// A file that is gone has no text.
fn of_the_tree(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap_or_default()
}

#[test]
fn each_mistake_can_still_be_made() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sim/mistakes");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let patches: Vec<_> = paths.filter(|path| path.extension().is_some_and(|end| end == "patch")).collect();
    assert!(!patches.is_empty(), "the walk found no mistakes");
    let breaches = patches.iter().flat_map(|path| {
        let found = stale(&std::fs::read_to_string(path).unwrap(), of_the_tree);
        found.into_iter().map(|breach| format!("{}: {breach}", path.file_name().unwrap().display()))
    });
    let breaches: Breaches = breaches.collect();
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

mod it_bites {
    use super::*;

    const CODE: &str = "fn a() {\n    b();\n\n    -- c\n}\nfn d() {\n    e();\n}\n";

    fn stale_in_x(hunks: &str) -> Breaches {
        let patch = format!("It errs.\n\n--- a/x.rs\n+++ b/x.rs\n{hunks}");
        stale(&patch, |file| if file == "x.rs" { CODE.to_owned() } else { String::new() })
    }

    #[test]
    fn a_patch_that_fits_is_left_alone_wherever_it_stands() {
        for fits in [
            "@@ -1,3 +1,3 @@\n fn a() {\n-    b();\n+    z();\n \n",
            "@@ -91,3 +91,2 @@ impl X\n fn a() {\n-    b();\n\n",
            "@@ -7 +7 @@\n-    e();\n+    z();\n",
            "@@ -4,2 +4,1 @@\n-    -- c\n }\n@@ -6,2 +5,2 @@\n fn d() {\n-    e();\n+    z();\n",
        ] {
            assert_eq!(stale_in_x(fits), Breaches::new(), "{fits}");
        }
    }

    #[test]
    fn a_stale_patch_is_found() {
        for misfit in [
            "@@ -1,2 +1,1 @@\n fn a() {\n-    was_b();\n",          // what goes is gone
            "@@ -1,2 +1,1 @@\n fn was_a() {\n-    b();\n",          // what stays is gone
            "@@ -1,2 +1,1 @@\n fn a() {\n-    e();\n",              // not in one piece
            "@@ -1,2 +1,1 @@\n fn a() {\n-b();\n",                  // indented otherwise
            "@@ -7 +6,0 @@\n-    e();\n@@ -2 +1,0 @@\n-    b();\n", // in another order
            "@@ -1,3 +1,2 @@\n fn a() {\n-    b();\n",              // too short
            "@@ -1,1 +1,2 @@\n fn a() {\n-    b();\n+    z();\n",   // too long
            "--- a/gone.rs\n+++ b/gone.rs\n@@ -7 +6,0 @@\n-    e();\n",
            "",
        ] {
            assert_eq!(stale_in_x(misfit).len(), 1, "{misfit}");
        }
    }
}
