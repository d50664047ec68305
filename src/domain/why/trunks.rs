//! The rules of the lines out: of several, one that takes the call is enough.

use super::{Channels, Judged, WhyView, channels, pass, stuck, timing, until};
use crate::domain::breaker::{BreakerRules, Heed, LineLeave, Share};
use crate::domain::instant::UtcMs;
use crate::domain::name::Name;
use crate::domain::trunk::TrunkLine;

/// A line out, and what bears on the next call over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrunkWhy {
    /// Its name.
    pub name: Name,
    /// Who answers at its other end.
    pub line: TrunkLine,
    /// Calls that it has open, over all campaigns, and its cap.
    pub channels: Channels,
    /// The most calls that it begins in a second, and the first instant at which it may begin another beside those that
    /// are planned; `None` without a limit.
    pub starts: Option<(u32, UtcMs)>,
    /// What its breaker lets through of the calls that it binds.
    pub leave: LineLeave,
    /// Its breaker, and the calls in the window; `None` without a breaker.
    pub breaker: Option<(BreakerRules, Share)>,
}

pub(super) fn trunk_channels(view: &WhyView) -> Judged {
    const RULE: &str = "trunk_channels";
    let whose = |trunk: &TrunkWhy| format!("trunk {}", trunk.name);
    // What is kept from a call by its breaker has a rule of its own.
    let used = view.trunks.iter().filter(|trunk| view.heed.leave(trunk.leave) == LineLeave::All);
    let of_each: Vec<Judged> = used.map(|trunk| channels(RULE, &whose(trunk), trunk.channels)).collect();
    let details: Vec<&str> = of_each.iter().map(|judged| judged.rule.detail.as_str()).collect();
    let detail = details.join("; ");
    match of_each.iter().map(|judged| judged.hint.as_ref()).min() {
        None => pass(RULE, "no trunk is used until a trial call was carried"),
        Some(None) => pass(RULE, detail),
        Some(Some(_)) => {
            let hints = of_each.iter().filter_map(|judged| judged.hint.as_deref());
            stuck(RULE, detail.clone(), hints.collect::<Vec<_>>().join("; or "))
        }
    }
}

/// All lines out together: whose channels these are is said in the settings.
pub(super) fn server_channels(view: &WhyView) -> Judged {
    const RULE: &str = "server_channels";
    let Channels { open, cap } = view.server_channels;
    match cap {
        None => pass(RULE, format!("the server has {open} open calls and no cap")),
        Some(cap) if open < cap => pass(RULE, format!("the server uses {open} of {cap} channels")),
        Some(cap) => {
            let detail = format!("the server uses {open} of {cap} channels, over all campaigns and trunks");
            stuck(RULE, detail, "wait for a call to end, or raise channels_max")
        }
    }
}

pub(super) fn trunk_starts(view: &WhyView, now: UtcMs) -> Judged {
    const RULE: &str = "trunk_starts";
    let in_words = |trunk: &TrunkWhy| match trunk.starts {
        None => format!("trunk {} has no limit of starts", trunk.name),
        Some((most, _)) => format!("trunk {} starts at most {most} a second", trunk.name),
    };
    let detail = view.trunks.iter().map(in_words).collect::<Vec<_>>().join("; ");
    match free_start(view).filter(|at| *at > now) {
        None => pass(RULE, detail),
        Some(at) => until(RULE, format!("{detail}: its next free start is at {}", timing::local(view, at)), Some(at)),
    }
}

/// The first instant at which one of the trunks may begin a call; `None` where one begins calls at any rate.
pub(super) fn free_start(view: &WhyView) -> Option<UtcMs> {
    let of_each: Option<Vec<UtcMs>> = view.trunks.iter().map(|trunk| trunk.starts.map(|(_, at)| at)).collect();
    of_each?.into_iter().min()
}

/// The most calls a minute that the server and the trunks together begin.
pub(super) fn calls_a_minute(view: &WhyView) -> u32 {
    let of_trunks = view.trunks.iter().map(|trunk| trunk.starts.map_or(u32::MAX, |(most, _)| most.saturating_mul(60)));
    view.calls_one_time.min(of_trunks.fold(0, u32::saturating_add)).max(1)
}

pub(super) fn trunk_breaker(view: &WhyView, now: UtcMs) -> Judged {
    const RULE: &str = "trunk_breaker";
    let details: Vec<String> = view.trunks.iter().map(|trunk| in_words(view, trunk, now)).collect();
    let detail = details.join("; ");
    if view.heed == Heed::Exempt {
        return pass(RULE, format!("breakers do not bind a check of lines: {detail}"));
    }
    if view.trunks.iter().any(|trunk| trunk.leave.admits(now)) {
        return pass(RULE, detail);
    }
    match trial_at(view) {
        Some(at) => until(RULE, detail, Some(at)),
        None => stuck(RULE, detail, "wait for the trial call to end"),
    }
}

/// The earliest trial, where no trunk takes calls without one.
pub(super) fn trial_at(view: &WhyView) -> Option<UtcMs> {
    let used = view.trunks.iter().any(|trunk| view.heed.leave(trunk.leave) == LineLeave::All);
    let trials = view.trunks.iter().filter_map(|trunk| trunk.leave.trial_at());
    trials.min().filter(|_| !used)
}

fn in_words(view: &WhyView, trunk: &TrunkWhy, now: UtcMs) -> String {
    let name = &trunk.name;
    let Some((rules, share)) = trunk.breaker else { return format!("trunk {name} has no breaker") };
    match trunk.leave {
        LineLeave::All => {
            let Share { calls, failures } = share;
            let within = rules.window_s;
            format!("the breaker of trunk {name} is closed, {failures} of {calls} calls failed in the last {within} s")
        }
        LineLeave::OneCall { from } if from > now => {
            format!("the breaker of trunk {name} is open until {}, when one call is tried", timing::local(view, from))
        }
        LineLeave::OneCall { .. } => format!("the breaker of trunk {name} is open, and one call may be tried"),
        LineLeave::Nothing => format!("the breaker of trunk {name} is open, and another call is tried"),
    }
}
