//! An import that dies in the midst of its work.

use std::io::Write;
use std::process::Stdio;

use campanile::daemon::lock::ServeLock;
use campanile::domain::ids::{CampaignId, ContactId};
use campanile::ledger::{Ledger, contacts};

use crate::cli::machine::Machine;
use crate::machine::until;

const NUMBERS: usize = 30_500;

/// Whether calls are made meanwhile: then an import works in many small parts.
#[derive(Clone, Copy)]
enum Dialling {
    Yes,
    No,
}

/// Different numbers, in an order that looks random.
fn numbers() -> Vec<String> {
    (0..NUMBERS).map(|n| format!("+49301{:06}", n * 618_033 % 1_000_000)).collect()
}

fn imported(ledger: &mut Ledger) -> usize {
    let counts = ledger.read(|db| contacts::counts(db, CampaignId(1))).unwrap();
    usize::try_from(counts.total()).unwrap()
}

/// Feeds an import from a pipe until so many numbers are there, and kills it while it reads on.
fn kill_in_mid_import(machine: &Machine, numbers: &[String], after: usize) {
    let mut import = machine.command();
    import.args(["numbers", "import", "spring", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut import = import.spawn().unwrap();
    let mut pipe = import.stdin.take().unwrap();
    let text = numbers.join("\n");
    std::thread::scope(|scope| {
        // It never sees the end of its file, and the killed one's pipe breaks.
        let feeding = scope.spawn(move || (pipe.write_all(text.as_bytes()).is_ok(), pipe));
        let mut ledger = machine.ledger();
        until("a part of the numbers is there", || (imported(&mut ledger) >= after).then_some(()));
        import.kill().unwrap();
        import.wait().unwrap();
        drop(feeding.join().unwrap());
    });
}

#[track_caller]
fn nothing_is_half(dialling: Dialling, after: usize) {
    let machine = Machine::with_campaign();
    let _lock = matches!(dialling, Dialling::Yes).then(|| ServeLock::take(&machine.path("state/serve.lock")).unwrap());
    let numbers = numbers();
    kill_in_mid_import(&machine, &numbers, after);
    let mut ledger = machine.ledger();
    assert_eq!(ledger.first_damage().unwrap(), None);
    let there = imported(&mut ledger);
    assert!((after..NUMBERS).contains(&there), "{there} of {NUMBERS} were there when it was killed");
    let in_order = |ledger: &mut Ledger, count: usize| {
        let limit = u32::try_from(NUMBERS + 1).unwrap();
        let page = ledger.read(|db| contacts::page(db, CampaignId(1), None, ContactId(0), limit)).unwrap();
        let found: Vec<String> = page.into_iter().map(|contact| contact.number.to_string()).collect();
        assert!(found == numbers[..count], "the first {count} of the file, in its order");
    };
    in_order(&mut ledger, there);
    let told = machine.import(&numbers.join("\n"));
    let again = ["imported", "duplicates_in_campaign", "duplicates_in_file"].map(|key| told[key].as_u64().unwrap());
    assert_eq!(again, [(NUMBERS - there) as u64, there as u64, 0], "{told}");
    in_order(&mut ledger, NUMBERS);
}

#[test]
fn an_import_that_is_killed_leaves_whole_parts_and_the_same_file_adds_the_rest_i3() {
    nothing_is_half(Dialling::No, 1);
    nothing_is_half(Dialling::No, 5_000);
}

#[test]
fn an_import_that_is_killed_while_calls_are_made_leaves_whole_parts_i3() {
    nothing_is_half(Dialling::Yes, 1);
    nothing_is_half(Dialling::Yes, 15_000);
}
