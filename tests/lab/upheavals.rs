//! What an operator does to a machine in mid-campaign, without anything dying: nobody is called twice, nobody is
//! forgotten, and where Asterisk needs a hand, it is said.

use std::collections::BTreeMap;
use std::fs;

use campanile::clock;

use crate::harness::{Lab, Setup, Version};
use crate::world::{CALLEES, callee};

on_both!(
    a_dialplan_reload_in_mid_campaign_disturbs_no_call_i1_i3,
    a_replaced_outgoing_is_told_and_costs_no_number_a_call_i1_i3,
    a_restart_of_the_fastagi_server_cuts_no_call_i1_i3,
);

/// Numbers of which each is called once, whatever happens: mostly busy, some answer for a second.
fn numbers(count: u32) -> Vec<String> {
    (0..count)
        .map(|i| if i % 5 == 0 { callee(&format!("7{:02}", 5 + i / 5)) } else { callee(&format!("1{i:02}")) })
        .collect()
}

/// Each number was called once, and the ledger says the same as the callees.
#[track_caller]
fn assert_each_was_called_once(lab: &Lab, campaign: &str, numbers: &[String]) {
    let mut calls: BTreeMap<String, u32> = BTreeMap::new();
    lab.callees().into_iter().for_each(|c| *calls.entry(c.number).or_default() += 1);
    assert_eq!(calls, numbers.iter().map(|n| (n.clone(), 1)).collect(), "{}: each was called once", lab.version);
    let report = lab.report(campaign);
    let wrong: Vec<_> = report
        .iter()
        .filter(|a| a.dialled_at.is_some())
        .filter(|a| a.disposition != if a.number.starts_with(&callee("7")) { "answered" } else { "busy" })
        .collect();
    assert!(wrong.is_empty(), "{}: {wrong:#?}", lab.version);
    let dialled = report.iter().filter(|a| a.dialled_at.is_some()).count();
    assert_eq!(dialled, numbers.len(), "{}: the ledger and the callees agree", lab.version);
    let shown = lab.campanile(&["campaign", "show", campaign]);
    let count = |state: &str| shown["numbers"][state].as_u64().unwrap();
    assert_eq!(count("reached") + count("failed"), numbers.len() as u64, "{shown}");
}

fn a_dialplan_reload_in_mid_campaign_disturbs_no_call_i1_i3(version: Version) {
    let mut lab = Setup::new(version).start();
    let numbers = numbers(80);
    lab.campaign("reload", CALLEES, &[]).numbers(&numbers).actions(&["WAIT 1"]).start();
    let mut reloads = 0;
    lab.until("the campaign is completed under reloads", 60, |lab| {
        lab.asterisk_cli("dialplan reload");
        reloads += 1;
        lab.state("reload") == "completed"
    });
    println!("{version}: {reloads} reloads of the dialplan");
    assert!(reloads >= 10, "{reloads}");
    assert_each_was_called_once(&lab, "reload", &numbers);
    let not_dialled: Vec<_> = lab
        .report("reload")
        .into_iter()
        .filter(|a| a.disposition == "not_dialled" && !a.detail.contains("began it"))
        .collect();
    assert!(not_dialled.is_empty(), "a reload is no fault: {not_dialled:#?}");
}

/// The folder goes, with the files that wait in it, and a new one comes; Asterisk goes on watching the old one.
fn replace_outgoing(lab: &Lab) -> Vec<String> {
    let outgoing = lab.spool().join("outgoing");
    let owner = fs::metadata(&outgoing).unwrap();
    fs::rename(&outgoing, lab.spool().join("outgoing.old")).unwrap();
    fs::create_dir(&outgoing).unwrap();
    use std::os::unix::fs::MetadataExt;
    std::os::unix::fs::chown(&outgoing, Some(owner.uid()), Some(owner.gid())).unwrap();
    let entries = fs::read_dir(lab.spool().join("outgoing.old")).unwrap();
    entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

fn a_replaced_outgoing_is_told_and_costs_no_number_a_call_i1_i3(version: Version) {
    let mut lab = Setup::new(version).calls_one_time(240).start();
    let numbers = numbers(80);
    lab.campaign("replaced", CALLEES, &[]).numbers(&numbers).actions(&["WAIT 1"]).start();
    lab.until("10 calls were made", 30, |lab| lab.callees().len() >= 10);
    let taken = replace_outgoing(&lab);
    assert!(taken.len() > 20, "files were waiting: {taken:?}");
    lab.until("the log says what to do", 20, |lab| {
        lab.read("campanile.log")
            .contains("Asterisk does not read this `outgoing`: it watches the folder that was there before")
    });
    let doctor = lab.try_campanile(&["doctor", "--no-call"]);
    let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(doctor.contains("that folder was replaced since Asterisk started"), "{doctor}");
    let made = lab.callees().len();
    assert!(made < numbers.len() - 20, "{made}");

    // Between two calls: one that Asterisk has just begun to dial as it ends is cut, and made again in five minutes.
    let from = clock::now();
    lab.until("a call was just made, or none is", 10, |lab| {
        lab.callees().len() > made || clock::now().since_ms(from) > 1_000
    });
    lab.restart_asterisk();
    lab.until_completed("replaced", 90);
    assert_each_was_called_once(&lab, "replaced", &numbers);

    // Somebody puts the old files back: Asterisk begins those that wait at once, and the gate refuses them. Those that
    // its forerunner had begun are swept, with the next look into the spool.
    let old = lab.spool().join("outgoing.old");
    let put_back = fs::read_dir(&old).unwrap().map(|e| e.unwrap());
    let back = |e: fs::DirEntry| fs::rename(e.path(), lab.spool().join("outgoing").join(e.file_name())).unwrap();
    let put_back = put_back.map(back).count();
    lab.reload_serve();
    lab.until("they are gone", 30, |lab| lab.outgoing().is_empty() && lab.archived().is_empty());
    println!("{version}: {} files went with the folder, {put_back} were put back", taken.len());
    assert_each_was_called_once(&lab, "replaced", &numbers);
}

fn a_restart_of_the_fastagi_server_cuts_no_call_i1_i3(version: Version) {
    // Every four seconds one: while a call goes on, and a gate holds the next, the old server serves them.
    let mut lab = Setup::new(version).calls_one_time(15).start();
    let numbers = numbers(14);
    lab.campaign("restart", CALLEES, &["--max-retries", "0"]).numbers(&numbers).actions(&["WAIT 1"]).start();
    for round in 1..=3 {
        lab.until("some calls were made", 30, |lab| lab.callees().len() >= round * 3);
        let took = lab.restart_agi();
        let made = lab.callees().len();
        println!(
            "{version}: the FastAGI server was told to end, and back after {} ms; {made} calls made",
            took.as_millis()
        );
    }
    assert!(lab.callees().len() < numbers.len(), "it was restarted in mid-campaign");
    lab.until_completed("restart", 120);
    assert_each_was_called_once(&lab, "restart", &numbers);
    let steps =
        lab.report("restart").iter().filter(|a| a.disposition == "answered").flat_map(|a| a.steps.clone()).count();
    assert_eq!(
        steps,
        numbers.iter().filter(|n| n.starts_with(&callee("7"))).count(),
        "each answered call ran its actions"
    );
}
