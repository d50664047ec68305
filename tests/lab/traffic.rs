//! mod_dialer's calls as traffic: what an INVITE carries, made-up durations, and cancelled calls.

use crate::harness::{Lab, Setup, Version};
use crate::world::{CALLEES, SIPP, callee, sip_callee};

on_both!(
    mod_dialer_header_and_codec_list_reach_the_invite,
    mod_dialer_durations_are_those_that_were_drawn,
    mod_dialer_cancel_ratio_cancels_all_or_none,
);

/// A trunk that nobody but a test answers, and a campaign over it; both of this name.
fn load<'l>(lab: &'l Lab, name: &'l str, dial: &str, options: &[&str]) -> crate::world::Campaign<'l> {
    lab.campanile(&["trunk", "add", name, "--dial", dial, "--line", "test"]);
    lab.campaign_over(name, name, options)
}

/// A line of the SIP peer's log behind the number's; the last three of its parts.
fn invited(lab: &Lab, number: &str) -> Vec<String> {
    let seen = lab.read("log/sipp.log");
    let line = seen.lines().find(|line| line.starts_with(number)).unwrap_or_else(|| panic!("{number}: {seen}"));
    line.split('|').skip(3).map(|part| part.trim().to_owned()).collect()
}

/// Over a real trunk, which may have them; and a campaign without them is not touched.
fn mod_dialer_header_and_codec_list_reach_the_invite(version: Version) {
    let mut lab = Setup::new(version).with_sip().start();
    let headers = ["--header", "P-Campaign-Name: Spring sale = 50% off!", "--header", "X-Tag:a:b/c"];
    let options = [&headers[..], &["--codecs", "ulaw,alaw", "--wait-time", "5"]].concat();
    let (with, without) = (sip_callee(200), sip_callee(603));
    lab.campaign("sale", SIPP, &options).numbers(std::slice::from_ref(&with)).actions(&["WAIT 1"]).start();
    lab.campaign_over("plain", "sale", &["--max-retries", "0"])
        .numbers(std::slice::from_ref(&without))
        .actions(&["WAIT 1"])
        .start();
    lab.until_completed("sale", 60);
    lab.until_completed("plain", 60);

    assert_eq!(lab.report("sale")[0].disposition, "answered");
    assert_eq!(invited(&lab, &with), ["Spring sale = 50% off!", "a:b/c", "RTP/AVP 0 8 101"], "{version}");
    assert_eq!(invited(&lab, &without), ["", "", "RTP/AVP 8 0 101"], "{version}: as the trunk has it");
}

/// Uniform with a message that is shorter, Gaussian without any; a callee who would stay longer.
fn mod_dialer_durations_are_those_that_were_drawn(version: Version) {
    let mut lab = Setup::new(version).start();
    let numbers = |from: usize| (from..from + 8).map(|n| callee(&format!("0{n}"))).collect::<Vec<_>>();
    load(&lab, "uniform", CALLEES, &["--duration", "1500ms-4s"]).numbers(&numbers(60)).actions(&["WAIT 1"]).start();
    load(&lab, "gauss", CALLEES, &["--duration", "gauss:2s,1s,1s-3s"]).numbers(&numbers(70)).start();
    lab.until_completed("uniform", 60);
    lab.until_completed("gauss", 60);

    for (campaign, within) in [("uniform", 1_500..=4_000), ("gauss", 1_000..=3_000)] {
        let calls = lab.report(campaign);
        let pairs: Vec<(i64, i64)> = calls.iter().map(|c| (c.planned_talk_ms.unwrap(), c.talk_ms.unwrap())).collect();
        println!("{version}, {campaign}: planned and talked ms {pairs:?}");
        assert_eq!(calls.len(), 8);
        assert!(calls.iter().all(|call| call.disposition == "answered"), "{calls:#?}");
        assert!(pairs.iter().all(|(planned, _)| within.contains(planned)), "{pairs:?}");
        assert!(pairs.iter().all(|(planned, talked)| (talked - planned).abs() <= 250), "{pairs:?}");
        let distinct: std::collections::BTreeSet<_> = pairs.iter().map(|(planned, _)| planned).collect();
        assert!(distinct.len() >= 3, "{pairs:?}");
    }
    let cut: Vec<String> = lab.report("uniform").iter().map(|call| call.steps[0].result.clone()).collect();
    assert_eq!(cut, ["done"; 8], "the message was over before");
}

fn mod_dialer_cancel_ratio_cancels_all_or_none(version: Version) {
    let mut lab = Setup::new(version).with_sip().start();
    let rings = |digit: u32| (0..4).map(|n| format!("+44207{digit}46{n}180")).collect::<Vec<_>>();
    let options = |ratio| ["--cancel-ratio", ratio, "--wait-time", "5", "--max-retries", "0", "--channels", "4"];
    load(&lab, "all", SIPP, &options("100%")).numbers(&rings(9)).actions(&["WAIT 1"]).start();
    load(&lab, "none", SIPP, &options("0%")).numbers(&rings(8)).actions(&["WAIT 1"]).start();
    load(&lab, "local", CALLEES, &options("100%")).numbers(&[callee("200")]).actions(&["WAIT 1"]).start();
    for campaign in ["all", "none", "local"] {
        lab.until_completed(campaign, 60);
    }

    for call in lab.report("all").iter().chain(&lab.report("local")) {
        let (rang_ms, drawn_s) = (call.ring_ms.unwrap(), call.planned_cancel_s.unwrap());
        println!("{version}: cancelled after {rang_ms} ms, drawn {drawn_s} s, SIP {:?}", call.sip_code);
        assert_eq!((call.disposition.as_str(), call.cause), ("cancelled", None), "{call:#?}");
        assert!((1..5).contains(&drawn_s) && (rang_ms - drawn_s * 1000).abs() < 600, "{call:#?}");
    }
    let none = lab.report("none");
    assert!(none.iter().all(|c| c.disposition == "no_answer" && c.planned_cancel_s.is_none()), "{none:#?}");
    assert_eq!((lab.report("all").len(), none.len(), lab.report("local").len()), (4, 4, 1), "each once");
    let counted = |campaign| lab.campanile(&["campaign", "show", campaign])["numbers"]["reached"].clone();
    assert_eq!((counted("all"), counted("none")), (4.into(), 0.into()), "cancelled as was wanted, or failed");

    lab.campanile(&["trunk", "add", "people", "--dial", SIPP]);
    let refused = lab.try_campanile(&["campaign", "set", "all", "--trunk", "people"]);
    let says = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && says.contains("trunk people is a real one"), "{says}");
}
