//! I7 through the real command line: what could mean something to Asterisk is refused, with a reason
//! and an exit code, and never repaired.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use campanile::ledger::{Ledger, campaigns, trunks, users};

use crate::machine::Machine;

/// What separates, comments, expands or ends something in a call file, a dial string, an expression or
/// an AGI command (asterisk.md 1 and 9).
const PIECES: &[&str] = &[
    "\n",
    "\r\n",
    "\r",
    "\t",
    ";",
    "#",
    " #",
    "&",
    ",",
    "@",
    "/",
    "|",
    "\"",
    "'",
    "\\",
    "(",
    ")",
    "<",
    ">",
    "=",
    "^",
    "%",
    "${",
    "${SHELL(id)}",
    "$[",
    "{",
    "}",
    "`",
    "\u{7f}",
    "\u{a0}",
    "é",
    "\u{202e}",
    "\u{0}",
    "\nApplication: System\nData: id",
];

/// Foreign texts around harmless ones; `fits` are the pieces that this place allows.
fn foreign(fits: &[&str]) -> Vec<OsString> {
    let mut texts: Vec<OsString> = PIECES
        .iter()
        // The kernel ends an argument at a NUL; those come by file.
        .filter(|piece| !fits.contains(piece) && !piece.contains('\0'))
        .map(|piece| format!("a{piece}b").into())
        .collect();
    texts.push("a".repeat(2_000).into());
    texts.push(OsString::from_vec(b"a\xff\xfeb".to_vec()));
    texts.extend((!fits.contains(&"")).then(OsString::new));
    texts
}

/// Each foreign text in place of `{}` is refused: an exit code of sysexits.h, a reason, nothing changed.
#[track_caller]
fn refused(m: &Machine, args: &[&str], fits: &[&str]) {
    let ledger = || {
        let mut ledger = Ledger::open_existing(&m.dir.path().join("state/campanile.db")).unwrap();
        ledger.read(|db| Ok((trunks::all(db)?, campaigns::all(db)?, users::all(db)?))).unwrap()
    };
    let before = ledger();
    for text in foreign(fits) {
        let filled: Vec<OsString> = args.iter().map(|arg| fill(arg, &text)).collect();
        let output = m.campanile(&filled);
        let (code, told) = (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned());
        assert!(matches!(code, Some(1 | 64..=78)), "{args:?} with {}: exit {code:?}, {told}", brief(&text));
        assert!(told.starts_with("campanile: ") && told.len() > 20, "{args:?} with {}: {told}", brief(&text));
        assert!(!told.contains("panicked"), "{args:?} with {}: {told}", brief(&text));
        assert!(told.len() < text.len() + 1_000, "a reason of {} bytes", told.len());
        assert_eq!(ledger(), before, "{args:?} with {}", brief(&text));
    }
}

fn brief(text: &OsString) -> String {
    format!("{text:?}").chars().take(60).collect()
}

fn fill(arg: &str, text: &OsString) -> OsString {
    let Some((before, behind)) = arg.split_once("{}") else { return arg.into() };
    let mut filled = OsString::from(before);
    filled.push(text);
    filled.push(behind);
    filled
}

#[test]
fn names_take_no_foreign_text_i7() {
    let m = Machine::bare();
    refused(&m, &["user", "add", "{}"], &[]);
    refused(&m, &["campaign", "add", "{}", "--trunk", "lab"], &[]);
    refused(&m, &["trunk", "add", "{}", "--dial", "PJSIP/{number}@gw"], &[]);
    refused(&m, &["campaign", "add", "spring", "--trunk", "{}"], &[]);
}

#[test]
fn dial_templates_and_account_codes_take_no_foreign_text_i7() {
    let m = Machine::bare();
    refused(&m, &["trunk", "add", "gw", "--dial", "PJSIP/x{}"], &["@", "/", ""]);
    refused(&m, &["trunk", "add", "gw", "--dial", "PJSIP/{number}@gw", "--account", "{}"], &[]);
}

#[test]
fn caller_ids_take_no_foreign_text_i7() {
    let m = Machine::bare();
    refused(&m, &["campaign", "add", "spring", "--trunk", "lab", "--caller-id", "+44{}"], &[""]);
    refused(&m, &["campaign", "add", "spring", "--trunk", "lab", "--caller-id", "x{} <+442079460000>"], &[""]);
}

#[test]
fn actions_take_no_foreign_text_i7() {
    let m = Machine::bare();
    m.campaign("spring", &[], &["000"]);
    let before = m.ok(&["actions", "list", "spring", "--json"]);
    refused(&m, &["actions", "add", "spring", "PLAY", "x{}"], &[""]);
    // `#` and `*` are keys: a dialplan may name its extensions by them.
    refused(&m, &["actions", "add", "spring", "IVR", "{},s,1"], &["#"]);
    refused(&m, &["actions", "add", "spring", "IVR", "menu,{},1"], &["#"]);
    refused(&m, &["actions", "add", "spring", "IVR", "menu,s,{}"], &[]);
    refused(&m, &["actions", "add", "spring", "WAIT", "1{}"], &[""]);
    refused(&m, &["actions", "add", "spring", "{}", "1"], &[]);
    refused(&m, &["actions", "add", "spring", "MENU", "x{} keys=1:next"], &[""]);
    refused(&m, &["actions", "add", "spring", "MENU", "hello keys=1:x{}"], &[""]);
    refused(&m, &["actions", "add", "spring", "TRANSFER", "menu,{}"], &["#"]);
    refused(&m, &["actions", "add", "spring", "DIAL", "{},100"], &["#"]);
    refused(&m, &["actions", "add", "spring", "QUEUE", "{}"], &["#"]);
    refused(&m, &["actions", "add", "spring", "CONFERENCE", "{}"], &["#"]);
    refused(&m, &["actions", "add", "spring", "OPT-OUT", "x{}"], &[""]);
    // A blank ends the name.
    refused(&m, &["actions", "add", "spring", "SET", "x{} y"], &["", " #"]);
    refused(&m, &["actions", "add", "spring", "SAY", "digits", "1{}"], &[""]);
    assert_eq!(m.ok(&["actions", "list", "spring", "--json"]), before);
}

#[test]
fn windows_and_zones_take_no_foreign_text_i7() {
    let m = Machine::bare();
    refused(&m, &["campaign", "add", "spring", "--trunk", "lab", "--start", "08:0{}", "--stop", "20:00"], &[""]);
    refused(&m, &["campaign", "add", "spring", "--trunk", "lab", "--time-zone", "UTC{}"], &[""]);
}

#[test]
fn a_number_to_ask_about_takes_no_foreign_text_i7() {
    let m = Machine::bare();
    refused(&m, &["why", "+441632960001{}"], &[""]);
}

#[test]
fn an_import_lets_nothing_but_numbers_in_i7() {
    let m = Machine::bare();
    m.campaign("spring", &[], &["000"]);
    let list = m.dir.path().join("foreign.txt");
    let mut lines: Vec<Vec<u8>> = PIECES.iter().map(|p| format!("+4416329{p}60001").into_bytes()).collect();
    lines.extend(PIECES.iter().map(|p| format!("+441632960002{p}x@other/n").into_bytes()));
    lines.extend([b"+44163296\xff0003".to_vec(), b"4".repeat(2_000), b"+".to_vec()]);
    for line in &lines {
        std::fs::write(&list, [line.as_slice(), b"\n"].concat()).unwrap();
        let output = m.campanile(&["numbers", "import", "spring", list.to_str().unwrap()]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!told.contains("panicked") && output.status.code().is_some(), "{line:?}: {told}");
    }
    let numbers: serde_json::Value = serde_json::from_str(&m.ok(&["numbers", "list", "spring", "--json"])).unwrap();
    let listed = numbers.to_string();
    let plain = |n: &str| {
        n.strip_prefix('+').is_some_and(|d| (2..=32).contains(&d.len()) && d.bytes().all(|b| b.is_ascii_digit()))
    };
    let found: Vec<&str> = listed.split("\"number\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(found.contains(&"+441632960000"), "{listed}");
    assert!(found.iter().all(|n| plain(n)), "{found:?}");
}

#[test]
fn settings_take_no_foreign_text_i7() {
    let m = Machine::bare();
    let conf = m.dir.path().join("foreign.conf");
    for key in ["time_zone", "country", "sound_language", "agi_listen", "calls_one_time", "spool_dir"] {
        // These two begin a comment there.
        let texts = foreign(&[";", " #"]).into_iter().map(OsStringExt::into_vec).chain([b"a\0b".to_vec()]);
        for text in texts {
            std::fs::write(&conf, [key.as_bytes(), b" = ", &text, b"\n"].concat()).unwrap();
            let output = m.campanile(&["check-config", "--config", conf.to_str().unwrap()]);
            assert_eq!(output.status.code(), Some(78), "{key} = {text:?}");
            let told = [output.stdout, output.stderr].concat();
            assert!(
                String::from_utf8_lossy(&told).contains(key),
                "{key} = {text:?}: {}",
                String::from_utf8_lossy(&told)
            );
        }
    }
}
