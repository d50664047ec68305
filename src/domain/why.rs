//! Why is this number not being called? The rules behind `campanile why NUMBER` (I9).
//!
//! Every rule is judged, not only the first that fails: an operator who starts a campaign should not
//! learn only then that its window is closed.

use std::sync::Arc;

use serde::Serialize;

use super::bar::Bar;
use super::breaker::Heed;
use super::calendar::{Calendar, LegalHours};
use super::campaign::{CampaignState, ContactState};
use super::contact::Exclusion;
use super::instant::UtcMs;
use super::line::LineState;
use super::name::Name;
use super::number::Number;
use super::retry::FailReason;
use super::round::NextRound;
use super::stored::worded_enum;
use super::traffic::Nature;
use super::zoning::Whereabouts;

/// A contact in one campaign, and all that bears on its next call.
#[derive(Debug, Clone, PartialEq)]
pub struct WhyView {
    /// The campaign's name.
    pub campaign: Name,
    /// The number that was asked about.
    pub number: Number,
    /// Whether `campanile serve` runs.
    pub daemon: Daemon,
    /// Whether `campanile-agi`, which lets calls through, answers.
    pub gate: Gate,
    /// When planning goes on that rests, and why it does.
    pub rests: Option<(UtcMs, RestWhy)>,
    /// Due call files that Asterisk has not begun.
    pub files_overdue: u32,
    /// What was asked of the campaign.
    pub campaign_state: CampaignState,
    /// When the campaign may dial.
    pub calendar: Calendar,
    /// The name of the calendar that it works by.
    pub calendar_name: Option<Name>,
    /// Where the contact is, as far as time goes.
    pub whereabouts: Whereabouts,
    /// The hours in which it may be called there; `None` for at any time.
    pub legal: Option<Arc<LegalHours>>,
    /// Calls that the campaign has open, and its cap.
    pub campaign_channels: Channels,
    /// Calls that are open over all campaigns and trunks, and the server's cap.
    pub server_channels: Channels,
    /// The campaign's lines out, the first choice first.
    pub trunks: Vec<TrunkWhy>,
    /// What their breakers are to its calls.
    pub heed: Heed,
    /// Whether anything about the campaign's calls is made up.
    pub nature: Nature,
    /// Where the contact stands.
    pub contact_state: ContactState,
    /// Not before this instant; `None` for a number that was never called.
    pub due_at: Option<UtcMs>,
    /// No start at or after this instant.
    pub expires_at: Option<UtcMs>,
    /// Why the contact was excluded, if it was.
    pub excluded: Option<Exclusion>,
    /// Why the contact was given up, if it was and that is known.
    pub failed: Option<FailReason>,
    /// Of several numbers, how the one that was asked about stands to the one that is called next.
    pub number_turn: NumberTurn,
    /// Calls that were charged to the contact so far.
    pub calls_used: u32,
    /// Retries after the first call, as the campaign has it now, and one for each further number.
    pub max_retries: u32,
    /// Dials of the contact so far.
    pub dials: u32,
    /// The most there may be, above all other rules.
    pub dials_max: u32,
    /// When nobody may say any more that its last call was successful; `None` where that is not awaited.
    pub result_until: Option<UtcMs>,
    /// Why the number may not be called now, whichever campaign asks.
    pub bar: Option<Bar>,
    /// The campaign in which the number has an open call, maybe this one.
    pub busy_in: Option<Name>,
    /// How many more files may lie in the spool.
    pub files_free: u32,
    /// When its campaign calls the list once again, and with it a contact that was called.
    pub next_round: NextRound,
    /// The running campaign of the highest priority above this one's that is open now and has contacts that wait for one of
    /// its trunks; `None` where none is.
    pub other_first: Option<OtherFirst>,
    /// Callable contacts that stand before this one in its campaign.
    pub ahead: u64,
    /// The server's rate: calls a minute.
    pub calls_one_time: u32,
    /// How many more calls the campaign is to make; `None` for no such end.
    pub calls_left: Option<u32>,
    /// When the campaign's own pace allows its next call; `None` for at any time.
    pub next_by_pace: Option<UtcMs>,
}

/// Whether the number that was asked about is the one of its contact that is called next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NumberTurn {
    /// It is, and the only one that the contact has.
    Only,
    /// It is, of several.
    Next,
    /// Another is, of this place.
    Later {
        /// The place of the one that is called next, from 1.
        next_place: u32,
    },
    /// It is not called any more.
    Never(LineState),
}

/// A campaign that calls before others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherFirst {
    /// Its name.
    pub campaign: Name,
    /// Its priority.
    pub priority: u32,
}

/// Open calls and the most that may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Channels {
    /// Calls that are open.
    pub open: u32,
    /// The cap; `None` for none.
    pub cap: Option<u32>,
}

worded_enum! {
    /// Whether the daemon runs that plans calls.
    pub enum Daemon {
        /// It does.
        Running = "running",
        /// It does not: nothing is planned.
        Stopped = "stopped",
    }
}

worded_enum! {
    /// Why planning rests.
    pub enum RestWhy {
        /// A call file could not be published.
        Spool = "spool",
        /// Asterisk ran a call file without asking the gate.
        Gate = "gate",
    }
}

/// Whether the gate lets calls through, as far as a question to it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// It answers at once.
    Answers,
    /// It answers, and takes its time.
    Late {
        /// What is wrong.
        detail: String,
    },
    /// It does not, or not in time: what is wrong, and what mends it.
    Fails {
        /// What is wrong.
        problem: String,
        /// What mends it.
        mend: String,
    },
}

worded_enum! {
    /// What a rule says.
    pub enum Verdict {
        /// It stands in nobody's way.
        Pass = "pass",
        /// It holds the number back.
        Fail = "fail",
    }
}

/// One rule, judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleVerdict {
    /// The rule's name, for machines: one word with `_`.
    pub rule: &'static str,
    /// What it says.
    pub verdict: Verdict,
    /// Why, in words.
    pub detail: String,
    /// When a failing rule passes by time alone; `None` when something else must happen.
    pub next_at: Option<UtcMs>,
}

/// Every rule in order, and what follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// All rules: what an operator decides first, what passes by itself last.
    pub rules: Vec<RuleVerdict>,
    /// The earliest instant at which the number can be called, now at the earliest. `None` while a
    /// rule fails that time alone does not mend: the hint says what must happen.
    pub callable_at: Option<UtcMs>,
    /// What to do, for the first rule that needs it.
    pub hint: Option<String>,
}

/// Judges every rule for this contact at `now`.
#[must_use]
pub fn explain(view: &WhyView, now: UtcMs) -> Explanation {
    let judged = [
        daemon_runs(view),
        gate_answers(view),
        campaign_runs(view),
        calls_to_make(view),
        contact_waits(view, now),
        not_expired(view, now),
        number_turn(view),
        calls_left(view),
        do_not_call(view),
        frequency_cap(view),
        number_free(view),
        campaign_channels(view),
        test_line(view),
        trunks::trunk_channels(view),
        trunks::trunk_starts(view, now),
        trunks::trunk_breaker(view, now),
        trunks::server_channels(view),
        spool(view),
        asterisk_takes_files(view),
        planning_goes_on(view),
        timing::due(view, now),
        timing::schedule(view, now),
        timing::calendar(view, now),
        timing::window(view, now),
        timing::legal_hours(view, now),
        timing::together(view, now),
        timing::pace(view, now),
        timing::priority(view, now),
        timing::turn(view, now),
    ];
    let hint = judged.iter().find_map(|judged| judged.hint.clone());
    let rules: Vec<RuleVerdict> = judged.into_iter().map(|judged| judged.rule).collect();
    let stuck = rules.iter().any(|rule| rule.verdict == Verdict::Fail && rule.next_at.is_none());
    let callable_at = if stuck { None } else { timing::turn_comes_at(view, now) };
    Explanation { rules, callable_at, hint }
}

/// A rule and what an operator can do about it.
struct Judged {
    rule: RuleVerdict,
    hint: Option<String>,
}

fn pass(rule: &'static str, detail: impl Into<String>) -> Judged {
    let verdict = Verdict::Pass;
    Judged { rule: RuleVerdict { rule, verdict, detail: detail.into(), next_at: None }, hint: None }
}

/// A rule that fails until something happens; `hint` says what.
fn stuck(rule: &'static str, detail: impl Into<String>, hint: impl Into<String>) -> Judged {
    Judged { hint: Some(hint.into()), ..until(rule, detail, None) }
}

fn until(rule: &'static str, detail: impl Into<String>, next_at: Option<UtcMs>) -> Judged {
    Judged { rule: RuleVerdict { rule, verdict: Verdict::Fail, detail: detail.into(), next_at }, hint: None }
}

fn daemon_runs(view: &WhyView) -> Judged {
    const RULE: &str = "daemon_running";
    match view.daemon {
        Daemon::Running => pass(RULE, "campanile serve runs"),
        Daemon::Stopped => stuck(RULE, "campanile serve does not run: nothing is planned", "systemctl start campanile"),
    }
}

fn gate_answers(view: &WhyView) -> Judged {
    const RULE: &str = "gate_answers";
    match &view.gate {
        Gate::Answers => pass(RULE, "campanile-agi answers"),
        Gate::Late { detail } => pass(RULE, detail),
        Gate::Fails { problem, mend } => stuck(RULE, problem, mend),
    }
}

fn planning_goes_on(view: &WhyView) -> Judged {
    const RULE: &str = "planning_goes_on";
    let Some((at, why)) = view.rests else { return pass(RULE, "planning does not rest") };
    let because = match why {
        RestWhy::Spool => "a call file could not be published: the log of campanile serve and campanile doctor say why",
        RestWhy::Gate => "Asterisk ran a call without asking the gate: campanile doctor finds out why",
    };
    until(RULE, format!("planning rests until {}; {because}", timing::local(view, at)), Some(at))
}

fn asterisk_takes_files(view: &WhyView) -> Judged {
    const RULE: &str = "asterisk_takes_files";
    match view.files_overdue {
        0 => pass(RULE, "no due call file is left lying"),
        n => stuck(
            RULE,
            format!("Asterisk has left {n} due call files lying, so nothing further is planned"),
            "start Asterisk, or let campanile doctor find out why it does not read the spool",
        ),
    }
}

fn campaign_runs(view: &WhyView) -> Judged {
    const RULE: &str = "campaign_running";
    let detail = format!("campaign {} is {}", view.campaign, view.campaign_state);
    let start = format!("campanile campaign start {}", view.campaign);
    match view.campaign_state {
        CampaignState::Running => pass(RULE, detail),
        // A number that is done needs more than a start: its own rule says what.
        CampaignState::Completed if view.contact_state != ContactState::Waiting => until(RULE, detail, None),
        CampaignState::Stopped | CampaignState::Paused | CampaignState::Completed => stuck(RULE, detail, start),
    }
}

fn calls_to_make(view: &WhyView) -> Judged {
    const RULE: &str = "calls_to_make";
    match view.calls_left {
        None => pass(RULE, "the campaign makes as many calls as it can"),
        Some(0) => stuck(
            RULE,
            "the campaign has made or planned all the calls that it is to make",
            format!("campanile campaign set {0} --finish all, or start it again when it is completed", view.campaign),
        ),
        Some(left) => pass(RULE, format!("the campaign is to make {left} more calls")),
    }
}

fn contact_waits(view: &WhyView, now: UtcMs) -> Judged {
    const RULE: &str = "contact_waiting";
    let awaited = view.result_until.filter(|until| *until > now);
    match (view.contact_state, awaited) {
        (ContactState::Waiting, Some(at)) => pass(
            RULE,
            format!("was answered, and somebody may say until {} that this was successful", timing::local(view, at)),
        ),
        (state, _) => contact_stands(view, state),
    }
}

fn contact_stands(view: &WhyView, state: ContactState) -> Judged {
    const RULE: &str = "contact_waiting";
    match state {
        ContactState::Waiting => pass(RULE, "waits for its call"),
        ContactState::InProgress => stuck(RULE, "has an open call", "wait for the open call to end"),
        ContactState::Reached | ContactState::Failed if view.next_round != NextRound::Never => next_round(view),
        ContactState::Reached => stuck(
            RULE,
            "was reached: this is final",
            format!("campanile numbers reactivate {} {}", view.campaign, view.number),
        ),
        ContactState::Failed => stuck(
            RULE,
            format!("was given up: {}; this is final", given_up(view.failed)),
            format!("campanile numbers reactivate {0} {1}, or campanile redial-failed {0}", view.campaign, view.number),
        ),
        ContactState::Excluded => {
            let why = view.excluded.map_or_else(String::new, |why| format!(" ({why})"));
            let hint = match view.excluded {
                Some(Exclusion::MemberExpired) => "import it again into another campaign".to_owned(),
                Some(Exclusion::NumbersStopped) => format!("campanile numbers next {} {}", view.campaign, view.number),
                Some(Exclusion::DoNotCall) | None => {
                    format!("campanile numbers reactivate {} {}, once it may be called", view.campaign, view.number)
                }
            };
            stuck(RULE, format!("is excluded{why}: this is final"), hint)
        }
    }
}

fn given_up(why: Option<FailReason>) -> &'static str {
    match why {
        Some(FailReason::RetriesUsedUp) => "its calls are used up",
        Some(FailReason::InvalidNumber) => "its number does not exist",
        Some(FailReason::DialCap) => "it was dialled as often as it may be",
        Some(FailReason::CauseError) => "by the campaign's causes that of its last call is final",
        Some(FailReason::CauseLimit) => "the cause of its last call came as often as the campaign's causes let it",
        None => "its calls are used up, its number is invalid, or a cause was final",
    }
}

/// It was called, and the whole list is called once again.
fn next_round(view: &WhyView) -> Judged {
    const RULE: &str = "contact_waiting";
    match view.next_round {
        NextRound::At(at) => {
            until(RULE, format!("was called, and again in the next round at {}", timing::local(view, at)), Some(at))
        }
        NextRound::AfterThis { repeat_s } => {
            let detail = format!("was called, and again in the next round, {repeat_s} s after the end of this one");
            stuck(RULE, detail, "wait: the others of its campaign are called first")
        }
        NextRound::Never => stuck(RULE, "was called", "import it into another campaign"),
    }
}

/// An expiry that has come, or that comes before the number can be called.
fn not_expired(view: &WhyView, now: UtcMs) -> Judged {
    const RULE: &str = "not_expired";
    let Some(expires_at) = view.expires_at else { return pass(RULE, "does not expire") };
    let shown = timing::local(view, expires_at);
    if expires_at <= now {
        return stuck(RULE, format!("expired at {shown}"), "import it into another campaign, with a later expiry");
    }
    match timing::turn_comes_at(view, now).filter(|at| *at >= expires_at) {
        None => pass(RULE, format!("expires at {shown}")),
        Some(at) => {
            let detail = format!("expires at {shown}, before its turn comes at {}", timing::local(view, at));
            stuck(RULE, detail, format!("give campaign {} a longer window, or the contact a priority", view.campaign))
        }
    }
}

fn number_turn(view: &WhyView) -> Judged {
    const RULE: &str = "number_turn";
    match &view.number_turn {
        NumberTurn::Only => pass(RULE, "is its contact's only number"),
        NumberTurn::Next => pass(RULE, "is the next of its contact's numbers"),
        NumberTurn::Later { next_place } => {
            let detail = format!("another number of its contact is called first, number {next_place}");
            stuck(RULE, detail, "wait: it is called when those before it were not reached")
        }
        NumberTurn::Never(state) => {
            let hint =
                format!("campanile numbers show {} {} has the contact's other numbers", view.campaign, view.number);
            stuck(RULE, format!("is not called any more: {state}"), hint)
        }
    }
}

fn calls_left(view: &WhyView) -> Judged {
    const RULE: &str = "calls_left";
    let allowed = u64::from(view.max_retries) + 1;
    let detail = format!("{} of {allowed} calls used", view.calls_used);
    if view.dials >= view.dials_max {
        let detail = format!("{detail}, and {} dials, of which {} are the most", view.dials, view.dials_max);
        return stuck(RULE, detail, format!("give campaign {} more dials (--max-dials)", view.campaign));
    }
    let anew = view.contact_state == ContactState::Failed && view.next_round != NextRound::Never;
    if anew {
        return pass(RULE, format!("{detail}; they begin anew in the next round"));
    }
    if u64::from(view.calls_used) < allowed {
        return pass(RULE, detail);
    }
    stuck(RULE, detail, format!("give campaign {} more retries", view.campaign))
}

fn do_not_call(view: &WhyView) -> Judged {
    const RULE: &str = "do_not_call";
    let Some(Bar::DoNotCall(listed)) = &view.bar else { return pass(RULE, "is on no do-not-call list") };
    let on = format!("is on the do-not-call list {} ({})", listed.list, listed.source);
    match listed.until {
        Some(at) => until(RULE, format!("{on} until {}", timing::local(view, at)), Some(at)),
        None => {
            let WhyView { campaign, number, .. } = view;
            let remove = format!("if it may be called: campanile dnc remove {} {number}", listed.list);
            stuck(RULE, on, format!("{remove}, then campanile numbers reactivate {campaign} {number}"))
        }
    }
}

fn frequency_cap(view: &WhyView) -> Judged {
    const RULE: &str = "frequency_cap";
    let Some(Bar::FrequencyCap { until: at }) = view.bar else {
        return pass(RULE, "was not called more often than the server lets it");
    };
    let detail = "was called as often as attempts_per_number_max lets it, over all campaigns";
    until(RULE, format!("{detail}, until {}", timing::local(view, at)), Some(at))
}

fn number_free(view: &WhyView) -> Judged {
    const RULE: &str = "number_free";
    match &view.busy_in {
        None => pass(RULE, "the number has no open call"),
        Some(campaign) => {
            let detail = format!("the number has an open call in campaign {campaign}");
            stuck(RULE, detail, "wait for the open call to end")
        }
    }
}

fn campaign_channels(view: &WhyView) -> Judged {
    let whose = format!("campaign {}", view.campaign);
    channels("campaign_channels", &whose, view.campaign_channels)
}

fn test_line(view: &WhyView) -> Judged {
    const RULE: &str = "test_line";
    if view.nature == Nature::Genuine {
        return pass(RULE, "nothing about its call is made up");
    }
    match view.trunks.iter().find(|trunk| !view.nature.may_go_over(trunk.line)) {
        None => {
            let names: Vec<&str> = view.trunks.iter().map(|trunk| trunk.name.as_str()).collect();
            pass(RULE, format!("it goes over test lines only: {}", names.join(", ")))
        }
        Some(TrunkWhy { name, .. }) => stuck(
            RULE,
            format!("the campaign makes up cancels or durations, and trunk {name} is no test line"),
            format!("campanile campaign set {} --cancel-ratio 0% --duration none", view.campaign),
        ),
    }
}

fn channels(rule: &'static str, whose: &str, channels: Channels) -> Judged {
    let open = channels.open;
    match channels.cap {
        None => pass(rule, format!("{whose} has {open} open calls and no cap")),
        Some(0) => stuck(rule, format!("{whose} has no channel"), format!("give {whose} channels")),
        Some(cap) if open < cap => pass(rule, format!("{whose} uses {open} of {cap} channels")),
        Some(cap) => {
            let hint = format!("wait for a call of {whose} to end, or give it more channels");
            stuck(rule, format!("{whose} uses {open} of {cap} channels"), hint)
        }
    }
}

fn spool(view: &WhyView) -> Judged {
    const RULE: &str = "spool_room";
    match view.files_free {
        0 => stuck(RULE, "as many files lie in the spool as may", "wait for a call to end, or raise spool_files_max"),
        free => pass(RULE, format!("the spool has room for {free} files")),
    }
}

#[cfg(test)]
mod tests;
mod timing;
mod trunks;

pub use trunks::TrunkWhy;
