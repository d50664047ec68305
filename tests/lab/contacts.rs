//! A contact's numbers, caller id and variables, on the line.

use crate::harness::{Setup, Version};
use crate::world::{CALLEES, callee};

on_both!(a_contacts_second_number_is_called_and_its_variables_reach_the_menu);

fn a_contacts_second_number_is_called_and_its_variables_reach_the_menu(version: Version) {
    let mut lab = Setup::new(version).start();
    lab.campaign("people", CALLEES, &["--next-number-after", "1"]).actions(&["IVR ivr,110,1"]);
    // The first number is busy, the second answers and stays.
    let (busy, answers) = (callee("100"), callee("009"));
    let list = format!("name;phone;phone2;callerid;debt\nJürgen;{busy};{answers};+442079460999;20 000 @ 3.5%\n");
    let file = format!("{}/people.csv", lab.path());
    std::fs::write(&file, list).unwrap();
    let map = "auto,number=phone,number2=phone2:work,var:debt=debt";
    let told = lab.campanile(&["numbers", "import", "people", &file, "--map", map]);
    assert_eq!((&told["imported"], &told["refused"]), (&1.into(), &0.into()), "{told}");
    lab.campanile(&["campaign", "start", "people"]);
    lab.until_completed("people", 60);

    let called: Vec<_> = lab.callees().into_iter().map(|callee| (callee.number, callee.caller)).collect();
    let caller = "\"+442079460999\" \"\"".to_owned();
    assert_eq!(called, [(busy, caller.clone()), (answers, caller)]);
    let ends: Vec<String> = lab.report("people").into_iter().map(|attempt| attempt.disposition).collect();
    assert_eq!(ends, ["busy", "answered"]);
    let menu = lab.read("ivr.log");
    assert!(menu.trim_end().ends_with("\"20 000 @ 3.5%\""), "{menu}");
}
