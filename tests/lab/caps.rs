//! Channels hold at twice the load that they allow.

use std::collections::BTreeMap;

use campanile::domain::instant::UtcMs;

use crate::harness::{Lab, Setup, Version};
use crate::world::{CALLEES, callee};

on_both!(channels_hold_at_twice_the_load_i5, the_servers_channels_hold_at_twice_the_load_over_two_trunks_i5);

/// Of each campaign, and of the trunk that both share.
const CAMPAIGN: usize = 4;
const TRUNK: usize = 6;
/// Of the server, where neither campaigns nor trunks have a cap.
const SERVER: usize = 6;
/// Six starts a second, each ringing for two: twelve calls would be up at once.
const CALLS_ONE_TIME: u32 = 360;
const RING_S: &str = "2";

fn channels_hold_at_twice_the_load_i5(version: Version) {
    let mut lab = Setup::new(version).calls_one_time(CALLS_ONE_TIME).start();
    lab.campanile(&["trunk", "add", "shared", "--dial", CALLEES, "--channels", &TRUNK.to_string()]);
    let channels = CAMPAIGN.to_string();
    let options = ["--wait-time", RING_S, "--max-retries", "0", "--channels", &channels];
    let halves = [("left", 0..30), ("right", 30..60)]
        .map(|(name, range)| (name, range.map(|i| callee(&format!("2{i:02}"))).collect::<Vec<_>>()));
    for (name, numbers) in &halves {
        lab.campaign_over(name, "shared", &options).numbers(numbers).actions(&["WAIT 1"]).start();
    }
    for (name, _) in &halves {
        lab.until_completed(name, 90);
    }

    let calls = calls(&lab);
    let of = |numbers: &[String]| numbers.iter().map(|n| calls[n]).collect::<Vec<_>>();
    let most = halves.each_ref().map(|(_, numbers)| most_at_once(&of(numbers)));
    let all = most_at_once(&calls.values().copied().collect::<Vec<_>>());
    println!("{version}: at most {all} calls at once over the trunk of {TRUNK}, {most:?} of campaigns of {CAMPAIGN}");
    assert_eq!(calls.len(), 60, "each was called");
    assert_eq!(lab.callees().len(), 60, "once");
    assert_eq!(all, TRUNK, "the trunk's channels were all used, and never more");
    assert!(most.iter().all(|most| *most <= CAMPAIGN), "{most:?}");
    assert!(most.contains(&CAMPAIGN), "a campaign's channels were all used: {most:?}");
}

fn the_servers_channels_hold_at_twice_the_load_over_two_trunks_i5(version: Version) {
    let mut lab = Setup::new(version).calls_one_time(CALLS_ONE_TIME).channels_max(SERVER).start();
    let options = ["--wait-time", RING_S, "--max-retries", "0"];
    for (name, range) in [("left", 0..20), ("right", 20..40)] {
        lab.campanile(&["trunk", "add", name, "--dial", CALLEES]);
        let numbers: Vec<String> = range.map(|i| callee(&format!("2{i:02}"))).collect();
        lab.campaign_over(name, name, &options).numbers(&numbers).actions(&["WAIT 1"]).start();
    }
    for name in ["left", "right"] {
        lab.until_completed(name, 90);
    }

    let calls = calls(&lab);
    let most = most_at_once(&calls.values().copied().collect::<Vec<_>>());
    println!("{version}: at most {most} calls at once over both trunks of a server of {SERVER}");
    assert_eq!((calls.len(), lab.callees().len()), (40, 40), "each was called once");
    assert_eq!(most, SERVER, "the server's channels were all used, and never more");
}

/// When each number's call began and ended, by the callees' side.
fn calls(lab: &Lab) -> BTreeMap<String, (UtcMs, UtcMs)> {
    let gone: BTreeMap<String, UtcMs> = lab.gone().into_iter().collect();
    lab.callees().into_iter().map(|c| (c.number, (c.at, gone[&c.ticket]))).collect()
}

fn most_at_once(calls: &[(UtcMs, UtcMs)]) -> usize {
    let up = |at: UtcMs| calls.iter().filter(|(from, to)| *from <= at && at < *to).count();
    calls.iter().map(|(from, _)| up(*from)).max().unwrap_or_default()
}
