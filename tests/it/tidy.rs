//! The house rules, read from the code. Each rule is a function over text, and each is shown to bite.

mod source;

use std::path::{Path, PathBuf};

use source::{Source, functions, used_paths};

/// Who must not use whom: code below the first path must not name any of the others. A name beginning
/// with `@` is a module of ours.
const MUST_NOT: &[(&str, &[&str])] = &[
    (
        "src/domain",
        &[
            "tokio",
            "log",
            "rusqlite",
            "std::fs",
            "std::net",
            "std::env",
            "std::thread",
            "std::process",
            "getrandom",
            "rand",
            "nix",
            "@settings",
            "@ledger",
            "@spool",
            "@daemon",
            "@web",
            "@cli",
            "@clock",
            "@logging",
        ],
    ),
    (
        "src/callfile",
        &[
            "tokio",
            "log",
            "rusqlite",
            "std::fs",
            "std::net",
            "std::env",
            "std::thread",
            "std::process",
            "getrandom",
            "rand",
            "nix",
            "@settings",
            "@ledger",
            "@spool",
            "@daemon",
            "@web",
            "@cli",
            "@clock",
            "@logging",
        ],
    ),
    ("src/ledger", &["tokio", "axum", "notify", "nix", "@spool", "@daemon", "@web", "@cli"]),
    ("src/spool", &["rusqlite", "@ledger", "@daemon", "@web", "@cli"]),
    ("src/settings", &["tokio", "@ledger", "@spool", "@daemon", "@web", "@cli"]),
    ("src/daemon", &["@web", "@cli"]),
    ("src/web", &["@spool"]),
    ("src/cli", &["@spool"]),
    ("agi/src/protocol", &["tokio", "log", "std::fs", "std::net", "@ledger"]),
    ("agi/src/session", &["tokio", "log", "std::fs", "std::net", "@ledger"]),
    ("agi/src", &["@daemon", "@web", "@spool", "@cli"]),
];

/// What only one place may name.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("src/ledger", &["rusqlite"]),
    ("src/clock.rs", &["Timestamp::now", "Zoned::now", "SystemTime::now", "Instant::now"]),
];

/// A bench measures durations, on which no rule hangs: it may have a stopwatch, and no date.
const STOPWATCH: &str = "benches";

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc", "manager"];

/// What may stand at the root: the seven names of the design, and what convention expects.
const ROOT: &[&str] = &[
    "Cargo.toml",
    "src",
    "agi",
    "etc",
    "spool-templates",
    "tests",
    "debian",
    "Cargo.lock",
    "clippy.toml",
    "rustfmt.toml",
    "rust-toolchain.toml",
    "build.rs",
    ".git",
    ".gitignore",
    ".gitattributes",
    ".editorconfig",
    ".cache",
    ".cargo",
    ".ci",
    "target",
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "LICENSE",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "Makefile",
    "docs",
    "benches",
    "examples",
    "proptest-regressions",
];

/// What sets the machine's clock.
const CLOCK_SETTERS: &[&str] = &[
    concat!("clock_", "settime"),
    concat!("clock_", "adjtime"),
    concat!("settime", "ofday"),
    concat!("timedate", "ctl"),
    concat!("hw", "clock"),
    concat!("date ", "-s"),
    concat!("date ", "--set"),
];

/// Hosts of package registries: a fresh machine brings its own.
const REGISTRIES: &[&str] = &[
    concat!("crates", ".io"),
    concat!("deb.debian", ".org"),
    concat!("snapshot.debian", ".org"),
    concat!("registry.npmjs", ".org"),
    concat!("pypi", ".org"),
    concat!("proxy.golang", ".org"),
];

const FILE_LINES: usize = 600;
const TEST_FILE_LINES: usize = 900;
const FUNCTION_LINES: usize = 70;
const MAIN_LINES: usize = 12;

type Breaches = Vec<String>;

fn is_below(path: &str, place: &str) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest == ".rs")
}

/// Whether `code` names `name` as a whole path: `log` is found in `log::info!`, not in `catalog::x`.
fn names(code: &str, name: &str) -> bool {
    let ours: [String; 3];
    let needles: &[String] = if let Some(module) = name.strip_prefix('@') {
        ours = ["crate", "super", "campanile"].map(|root| format!("{root}::{module}"));
        &ours
    } else if name.contains("::") {
        &[name.to_owned()]
    } else {
        &[format!("{name}::")]
    };
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let whole = |(at, needle): (usize, &str)| {
        let before = code[..at].chars().next_back();
        let after = code[at + needle.len()..].chars().next();
        let free = before.is_none_or(|c| !part(c) && (c != ':' || name.contains("::now") || name.starts_with('@')));
        free && (needle.ends_with(':') || after.is_none_or(|c| !part(c)))
    };
    needles.iter().any(|needle| code.match_indices(needle.as_str()).any(whole))
}

fn layers(source: &Source) -> Breaches {
    let used: String = used_paths(&source.product).iter().map(|path| format!("{path}::\n")).collect();
    // A timer's deadline is no date: tokio's own Instant is virtual in tests and may be asked in shells.
    let timers = used.contains("tokio::time::Instant::");
    let code = source.product.replace("tokio::time::Instant::now", "");
    let code = if timers { code.replace("Instant::now", "") } else { code };
    let named = |name: &&&str| names(&code, name) || names(&used, name);
    let mut breaches = Vec::new();
    for (place, forbidden) in MUST_NOT.iter().filter(|(place, _)| is_below(&source.path, place)) {
        breaches.extend(forbidden.iter().filter(named).map(|n| format!("{}: {place} must not use {n}", source.path)));
    }
    let stopwatch = |name: &&&str| **name == "Instant::now" && is_below(&source.path, STOPWATCH);
    let named = |name: &&&str| named(name) && !stopwatch(name);
    for (place, reserved) in ONLY_IN.iter().filter(|(place, _)| !is_below(&source.path, place)) {
        breaches.extend(reserved.iter().filter(named).map(|n| format!("{}: {n} belongs into {place}", source.path)));
    }
    breaches
}

fn lengths(source: &Source) -> Breaches {
    let mut breaches = Vec::new();
    let (lines, limit) = match source.product_lines() {
        0 => (source.code.lines().count(), TEST_FILE_LINES),
        lines if source.path.ends_with("src/main.rs") => (lines, MAIN_LINES),
        lines => (lines, FILE_LINES),
    };
    if lines > limit {
        breaches.push(format!("{}: {lines} lines; at most {limit}", source.path));
    }
    for f in functions(&source.code).iter().filter(|f| f.lines > FUNCTION_LINES) {
        breaches.push(format!("{}:{}: {} has {} lines", source.path, f.line, f.name, f.lines));
    }
    breaches
}

fn bool_parameters(source: &Source) -> Breaches {
    let is_bool = |parameter: &str| parameter.split_once(':').is_some_and(|(_, kind)| kind.trim() == "bool");
    functions(&source.code)
        .iter()
        .filter(|f| f.parameters.split(',').any(is_bool))
        .map(|f| format!("{}:{}: {} takes a bool; an enum says what it means", source.path, f.line, f.name))
        .collect()
}

fn empty_names(source: &Source) -> Breaches {
    let in_path = source.path.split('/').map(|part| part.trim_end_matches(".rs"));
    let declared = source
        .code
        .match_indices("mod ")
        .filter_map(|(at, _)| source.code[at + 4..].split(|c: char| !c.is_alphanumeric() && c != '_').next());
    let empty = in_path.chain(declared).filter(|name| EMPTY_NAMES.contains(name));
    empty.map(|name| format!("{}: {name} says nothing", source.path)).collect()
}

fn forbidden_words(source: &Source) -> Breaches {
    const ANYWHERE: &[&str] = &["#[ignore", "#[allow(", "#![allow(", "todo!", "unimplemented!", "dbg!"];
    const PRODUCT: &[&str] = &[".unwrap()", ".expect(", ".unwrap_err()", ".expect_err("];
    const TESTS: &[&str] = &["sleep("];
    let tests = ["tests/it", "tests/sim", "agi/tests"].iter().any(|place| is_below(&source.path, place));
    let in_tests = if tests { TESTS } else { &[] };
    let looks = [(&source.code, ANYWHERE), (&source.product, PRODUCT), (&source.code, in_tests)];
    let lines = looks.iter().flat_map(|(code, words)| {
        code.lines()
            .enumerate()
            .flat_map(move |(i, line)| words.iter().filter(|w| line.contains(**w)).map(move |w| (i, w)))
    });
    lines.map(|(i, word)| format!("{}:{}: {word}", source.path, i + 1)).collect()
}

fn root_entries<'a>(entries: impl Iterator<Item = &'a str>) -> Breaches {
    entries.filter(|e| !ROOT.contains(e)).map(|e| format!("{e} does not belong at the root")).collect()
}

fn registry_hosts(path: &str, text: &str) -> Breaches {
    if path == "Cargo.lock" || path.ends_with("/Cargo.lock") {
        return Vec::new(); // cargo's own
    }
    REGISTRIES.iter().filter(|host| text.contains(**host)).map(|host| format!("{path}: names {host}")).collect()
}

/// Clocks are set in the simulator and in the engine's world, never the machine's: others use it, too.
fn clock_setters(path: &str, text: &str) -> Breaches {
    CLOCK_SETTERS.iter().filter(|word| text.contains(**word)).map(|word| format!("{path}: {word}")).collect()
}

/// The targets of links to files, as written; code blocks and other sites are left out.
fn links(markdown: &str) -> Vec<String> {
    let mut fenced = false;
    let mut targets = Vec::new();
    for line in markdown.lines() {
        fenced ^= line.trim_start().starts_with("```");
        if fenced {
            continue;
        }
        let ends = line.match_indices("](").filter_map(|(at, _)| line[at + 2..].split([')', ' ', '#']).next());
        targets.extend(
            ends.filter(|t| !t.is_empty() && !t.contains("://") && !t.starts_with("mailto:")).map(str::to_owned),
        );
    }
    targets
}

/// The tests that a page names as holding an invariant (`…_i3`) and that no source has.
fn missing_tests(markdown: &str, code: &[Source]) -> Breaches {
    let quoted = markdown.split('`').skip(1).step_by(2);
    let named = quoted.filter(|word| {
        let invariant =
            word.rsplit_once("_i").is_some_and(|(_, n)| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit()));
        invariant && !word.contains(' ')
    });
    let exists = |word: &str| code.iter().any(|source| source.code.contains(&format!("fn {word}(")));
    named.filter(|word| !exists(word)).map(|word| format!("no test is named {word}")).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn dead_links(path: &str, markdown: &str) -> Breaches {
    let folder = root().join(path).parent().map(Path::to_owned).unwrap_or_default();
    let dead = links(markdown).into_iter().filter(|target| !folder.join(target).exists());
    dead.map(|target| format!("{path}: no {target}")).collect()
}

/// Every text file of the repository with its path from the root, but nothing that is built or fetched.
fn files() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if ["target", ".git", ".cache", "proptest-regressions"].contains(&name.as_str()) || path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                found.push((path.strip_prefix(root()).unwrap().to_string_lossy().into_owned(), text));
            }
        }
    }
    found.sort();
    found
}

fn rust() -> Vec<Source> {
    let rust = files().into_iter().filter(|(path, _)| path.ends_with(".rs"));
    let sources: Vec<Source> = rust.map(|(path, text)| Source::new(&path, &text)).collect();
    let tests: Vec<String> = sources.iter().flat_map(Source::test_files).collect();
    let is_test = |source: &Source| tests.iter().any(|module| is_below(&source.path, module));
    sources.into_iter().map(|s| if is_test(&s) { s.into_test() } else { s }).collect()
}

fn assert_kept(rule: fn(&Source) -> Breaches) {
    let sources = rust();
    assert!(sources.iter().any(|s| s.path == "src/lib.rs"), "the walk found no code");
    let breaches: Breaches = sources.iter().flat_map(rule).collect();
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

#[test]
fn nobody_uses_what_the_layers_forbid() {
    assert_kept(layers);
}

#[test]
fn files_and_functions_are_short() {
    assert_kept(lengths);
}

#[test]
fn no_function_takes_a_bool() {
    assert_kept(bool_parameters);
}

#[test]
fn names_say_something() {
    assert_kept(empty_names);
}

#[test]
fn no_word_is_used_that_hides_a_fault() {
    assert_kept(forbidden_words);
}

#[test]
fn the_root_holds_what_the_design_names() {
    let names: Vec<String> =
        std::fs::read_dir(root()).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(root_entries(names.iter().map(String::as_str)), Breaches::new());
}

#[test]
fn no_registry_is_named() {
    let breaches: Breaches = files().iter().flat_map(|(path, text)| registry_hosts(path, text)).collect();
    assert_eq!(breaches, Breaches::new());
}

#[test]
fn nothing_sets_the_machines_clock() {
    let breaches: Breaches = files().iter().flat_map(|(path, text)| clock_setters(path, text)).collect();
    assert_eq!(breaches, Breaches::new());
}

#[test]
fn links_lead_to_files() {
    let pages = files().into_iter().filter(|(path, _)| path.ends_with(".md"));
    let breaches: Breaches = pages.flat_map(|(path, text)| dead_links(&path, &text)).collect();
    assert_eq!(breaches, Breaches::new());
}

#[test]
fn the_tests_that_the_architecture_names_exist() {
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    assert!(page.contains("_i9`"), "it names tests for all nine invariants");
    assert_eq!(missing_tests(&page, &rust()), Breaches::new());
}

mod each_rule_bites {
    use super::*;

    fn breaches(rule: fn(&Source) -> Breaches, path: &str, text: &str) -> usize {
        rule(&Source::new(path, text)).len()
    }

    #[test]
    fn layers_bite_on_every_way_to_name_a_module() {
        for (path, text) in [
            ("src/domain/x.rs", "use std::{fmt, fs};"),
            ("src/domain/x.rs", "use std::fs;"),
            ("src/domain/x.rs", "fn a() { log::info!(\"\") }"),
            ("src/domain/plan/x.rs", "use super::super::ledger::Ledger;"),
            ("src/domain/x.rs", "use tokio;\nuse std::fmt;"),
            ("src/domain/x.rs", "pub(crate) use tokio::sync;"),
            ("src/domain/x.rs", "fn a() { jiff::Timestamp::now() }"),
            ("src/daemon/x.rs", "fn a() { std::time::Instant::now() }"),
            ("benches/src/x.rs", "fn a() { std::time::SystemTime::now() }"),
            ("src/daemon/x.rs", "use std::time::Instant;\nfn a() { Instant::now() }"),
            ("src/cli/x.rs", "use rusqlite::Connection;"),
            ("src/cli/x.rs", "use crate::{domain, spool::Spool};"),
            ("src/spool.rs", "use crate::ledger;"),
            ("src/ledger/x.rs", "async fn a() { tokio::spawn(x) }"),
            ("agi/src/session/x.rs", "use campanile::ledger::Facade;"),
            ("agi/src/protocol.rs", "use std::net::IpAddr;"),
            ("agi/src/server.rs", "use campanile::spool;"),
        ] {
            assert_eq!(breaches(layers, path, text), 1, "{path}: {text}");
        }
    }

    #[test]
    fn layers_leave_others_alone() {
        for (path, text) in [
            ("src/domain/x.rs", "use std::fmt; // tokio::spawn\nfn a() { catalog::b(\"log::info\"); std::fsx() }"),
            ("src/domain/x.rs", "#[cfg(test)]\nmod tests { use std::fs; }"),
            ("src/domain/x.rs", "fn log() {}"),
            ("src/domainx/x.rs", "use std::fs;"),
            ("src/clock.rs", "fn now() { jiff::Timestamp::now() }"),
            ("src/ledger/x.rs", "use rusqlite::Connection;"),
            ("src/daemon/x.rs", "fn a() { tokio::time::Instant::now() }"),
            ("src/daemon/x.rs", "use tokio::time::{Instant, timeout_at};\nfn a() { Instant::now() }"),
            ("agi/src/server.rs", "use campanile::ledger; use tokio::net;"),
            ("tests/it/x.rs", "use rusqlite::Connection;"),
            ("benches/src/x.rs", "fn a() { std::time::Instant::now() }"),
        ] {
            assert_eq!(breaches(layers, path, text), 0, "{path}: {text}");
        }
    }

    #[test]
    fn lengths_bite() {
        let lines = |n: usize| "x!();\n".repeat(n);
        assert_eq!(breaches(lengths, "src/x.rs", &lines(601)), 1);
        assert_eq!(breaches(lengths, "src/x.rs", &lines(600)), 0);
        assert_eq!(breaches(lengths, "agi/src/main.rs", &lines(13)), 1);
        assert_eq!(breaches(lengths, "tests/it/x.rs", &lines(901)), 1);
        assert_eq!(breaches(lengths, "src/x.rs", &format!("#[cfg(test)]\nmod tests {{\n{}}}\n", lines(700))), 0);
        assert_eq!(breaches(lengths, "src/x.rs", &format!("fn a() {{\n{}}}\n", lines(69))), 1);
        assert_eq!(breaches(lengths, "src/x.rs", &format!("fn a() {{\n{}}}\n", lines(68))), 0);
    }

    #[test]
    fn bools_are_found_in_parameters_only() {
        assert_eq!(breaches(bool_parameters, "src/x.rs", "fn a(x: u8, is_new: bool) {}"), 1);
        assert_eq!(breaches(bool_parameters, "src/x.rs", "fn a<T>(\n  mut is_new: bool,\n) {}"), 1);
        let fine = "struct A { b: bool }\nfn a(f: impl Fn(u8) -> bool) -> bool { let x: bool = |y: bool| y; x }";
        assert_eq!(breaches(bool_parameters, "src/x.rs", fine), 0);
    }

    #[test]
    fn empty_names_are_found_in_paths_and_declarations() {
        assert_eq!(breaches(empty_names, "src/utils.rs", ""), 1);
        assert_eq!(breaches(empty_names, "src/common/x.rs", ""), 1);
        assert_eq!(breaches(empty_names, "tests/it/x.rs", "mod helpers { }"), 1);
        assert_eq!(breaches(empty_names, "src/commons.rs", "mod miscellany;"), 0);
    }

    #[test]
    fn words_are_found_in_code_only() {
        for (path, text) in [
            ("src/x.rs", "fn a() { b.unwrap() }"),
            ("agi/src/x.rs", "fn a() { b.expect(\"x\") }"),
            ("tests/it/x.rs", "#[ignore = \"slow\"]"),
            ("src/x.rs", "#![allow(dead_code)]"),
            ("src/x.rs", "fn a() { todo!() }"),
            ("tests/sim/x.rs", "thread::sleep(x)"),
        ] {
            assert_eq!(breaches(forbidden_words, path, text), 1, "{path}: {text}");
        }
        let fine = "#[expect(x, reason = \"todo!\")]\nfn a() { b.unwrap_or(1) } // .unwrap()\n#[cfg(test)]\nmod tests { fn c() { d.unwrap() } }";
        assert_eq!(breaches(forbidden_words, "src/x.rs", fine), 0);
        assert_eq!(breaches(forbidden_words, "src/x.rs", "fn a() { tokio::time::sleep(x) }"), 0);
    }

    #[test]
    fn strangers_at_the_root_registries_and_dead_links_are_found() {
        assert_eq!(root_entries(["src", "notes.txt"].into_iter()).len(), 1);
        assert_eq!(clock_setters("tests/lab/x", concat!("date ", "-s 12:00")).len(), 1);
        assert_eq!(clock_setters("src/x.rs", "timerfd_settime(fd)").len(), 0);
        assert_eq!(registry_hosts("README.md", concat!("see https://crates", ".io/x")).len(), 1);
        assert_eq!(registry_hosts("Cargo.lock", concat!("crates", ".io")).len(), 0);
        let page = "[a](Cargo.toml#x) [b](none.md \"t\") [c](https://x.y/z) [d](#here)\n```\n[e](gone.md)\n```\n";
        assert_eq!(links(page), ["Cargo.toml", "none.md"]);
        assert_eq!(dead_links("README.md", page), ["README.md: no none.md"]);
    }

    #[test]
    fn a_test_that_a_page_invents_is_found() {
        let code = [Source::new("src/x.rs", "#[test]\nfn it_holds_i3() {}\n")];
        assert_eq!(missing_tests("`it_holds_i3` and `gone_i3`, `multi_i`, `a b_i1`", &code).len(), 1);
    }
}
