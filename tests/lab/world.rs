//! The words of the tests: trunks, campaigns, what the report and the callees say.

use campanile::domain::instant::UtcMs;
use serde_json::Value;

use crate::harness::Lab;

/// The trunk to callees that are Local channels; the number says what each does (tests/lab/etc/extensions.conf).
pub const CALLEES: &str = "Local/{number}@callees";
/// The trunk to the SIP peer; the last digits say how it answers (tests/lab/sipp/uas.xml).
pub const SIPP: &str = "PJSIP/{number}@sipp";

/// The number of a callee with a fate, such as `001`: answers and stays a second.
pub fn callee(fate: &str) -> String {
    format!("+441632960{fate}")
}

/// The number that the SIP peer answers with a code.
pub fn sip_callee(code: u16) -> String {
    format!("+442079460{code}")
}

/// A campaign on its way.
pub struct Campaign<'l> {
    lab: &'l Lab,
    name: &'l str,
}

impl Lab {
    /// Adds a trunk and a campaign over it, both of this name; the campaign has further options.
    #[track_caller]
    pub fn campaign<'l>(&'l self, name: &'l str, dial: &str, options: &[&str]) -> Campaign<'l> {
        self.campanile(&["trunk", "add", name, "--dial", dial, "--account", "acc1", "--breaker-failures", "none"]);
        self.campaign_over(name, name, options)
    }

    /// Adds a campaign over a trunk that is there.
    #[track_caller]
    pub fn campaign_over<'l>(&'l self, name: &'l str, trunk: &str, options: &[&str]) -> Campaign<'l> {
        let always = ["campaign", "add", name, "--trunk", trunk, "--caller-id", "Camp Anile <+442079460000>"];
        self.campanile(&[&always, options].concat());
        Campaign { lab: self, name }
    }

    /// Imports numbers into a campaign.
    #[track_caller]
    pub fn import(&self, campaign: &str, numbers: &[String]) {
        let file = format!("{}/{campaign}.txt", self.path());
        std::fs::write(&file, numbers.join("\n")).unwrap();
        let told = self.campanile(&["numbers", "import", campaign, &file]);
        assert_eq!(told["imported"], numbers.len(), "{told}");
    }

    /// What the report says, in the order of planning.
    #[track_caller]
    pub fn report(&self, campaign: &str) -> Vec<Attempt> {
        let rows = self.campanile(&["report", campaign]);
        rows.as_array().expect("the report is a list of attempts").iter().map(Attempt::of).collect()
    }

    /// Where a campaign stands: `running`, `completed` ...
    #[track_caller]
    pub fn state(&self, campaign: &str) -> String {
        text(&self.campanile(&["campaign", "show", campaign])["state"]).expect("a campaign has a state")
    }

    /// Waits until nothing is left to call.
    #[track_caller]
    pub fn until_completed(&mut self, campaign: &str, seconds: i64) {
        self.until("the campaign is completed", seconds, |lab| lab.state(campaign) == "completed");
    }

    /// The calls that reached a Local callee, in order.
    pub fn callees(&self) -> Vec<Callee> {
        self.read("callees.log").lines().map(Callee::of).collect()
    }

    /// The calls that a Local callee's side has seen end: ticket and instant.
    pub fn gone(&self) -> Vec<(String, UtcMs)> {
        let read = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            (words[2].to_owned(), UtcMs(words[0].parse().unwrap()))
        };
        self.read("gone.log").lines().map(read).collect()
    }
}

impl Campaign<'_> {
    /// Imports numbers.
    #[track_caller]
    pub fn numbers(self, numbers: &[String]) -> Self {
        self.lab.import(self.name, numbers);
        self
    }

    /// Adds actions, each as typed: `PLAY hello-world`.
    #[track_caller]
    pub fn actions(self, actions: &[&str]) -> Self {
        for action in actions {
            self.add_action(self.name, action);
        }
        self
    }

    #[track_caller]
    fn add_action(&self, to: &str, action: &str) {
        let (verb, argument) = action.split_once(' ').unwrap_or((action, ""));
        self.lab.campanile(&["actions", "add", to, verb, argument]);
    }

    /// Adds actions to a list of this name.
    #[track_caller]
    pub fn list(self, list: &str, actions: &[&str]) -> Self {
        for action in actions {
            self.add_action(&format!("{}:{list}", self.name), action);
        }
        self
    }

    /// Starts it.
    #[track_caller]
    pub fn start(self) {
        let told = self.lab.campanile(&["campaign", "start", self.name]);
        assert_eq!(told["started"], true, "{told}");
    }
}

/// A row of `campanile report --json`.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub number: String,
    pub planned_at: UtcMs,
    pub dialled_at: Option<UtcMs>,
    pub answered_at: Option<UtcMs>,
    pub ended_at: Option<UtcMs>,
    /// Empty while it is open.
    pub disposition: String,
    pub detail: String,
    pub cause: Option<u64>,
    pub sip_code: Option<u64>,
    pub ring_ms: Option<i64>,
    pub talk_ms: Option<i64>,
    /// What was made up for it.
    pub planned_talk_ms: Option<i64>,
    pub planned_cancel_s: Option<i64>,
    pub steps: Vec<Step>,
}

/// A step of the action list that ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub action: String,
    pub result: String,
    pub digits: String,
    pub ran_ms: i64,
    /// What it found out, in JSON; null for most.
    pub finding: Value,
}

impl Attempt {
    fn of(row: &Value) -> Self {
        let at = |name: &str| text(&row[name]).map(|t| instant(&t));
        Self {
            number: text(&row["number"]).expect("a row has a number"),
            planned_at: at("planned_at").expect("a row has its slot"),
            dialled_at: at("dialled_at"),
            answered_at: at("answered_at"),
            ended_at: at("ended_at"),
            disposition: text(&row["disposition"]).unwrap_or_default(),
            detail: text(&row["detail"]).unwrap_or_default(),
            cause: row["cause"].as_u64(),
            sip_code: row["sip_code"].as_u64(),
            ring_ms: row["ring_ms"].as_i64(),
            talk_ms: row["talk_ms"].as_i64(),
            planned_talk_ms: row["planned_talk_ms"].as_i64(),
            planned_cancel_s: row["planned_cancel_s"].as_i64(),
            steps: row["steps"].as_array().expect("a row has steps").iter().map(Step::of).collect(),
        }
    }

    /// The three that say how it went.
    pub fn outcome(&self) -> (&str, Option<u64>, Option<u64>) {
        (&self.disposition, self.cause, self.sip_code)
    }
}

impl Step {
    fn of(step: &Value) -> Self {
        let word = |name: &str| text(&step[name]).unwrap_or_else(|| panic!("a step has {name}: {step}"));
        let ran_ms = step["ran_ms"].as_i64().expect("a step ran for a while");
        Self {
            action: word("action"),
            result: word("result"),
            digits: word("digits"),
            ran_ms,
            finding: step["finding"].clone(),
        }
    }
}

/// A line of `callees.log`: `1795255495747 +441632960005 "+442079460000" "Camp Anile" "acc1" 0123…`.
#[derive(Debug, Clone)]
pub struct Callee {
    pub at: UtcMs,
    pub number: String,
    pub caller: String,
    pub account: String,
    /// Which attempt it was; no real trunk tells.
    pub ticket: String,
}

impl Callee {
    fn of(line: &str) -> Self {
        let (at, rest) = line.split_once(' ').unwrap();
        let (number, rest) = rest.split_once(' ').unwrap();
        let (rest, ticket) = rest.rsplit_once(' ').unwrap();
        let (caller, account) = rest.rsplit_once(' ').unwrap();
        let own = str::to_owned;
        let at = UtcMs(at.parse().unwrap());
        Self { at, number: own(number), caller: own(caller), account: own(account), ticket: own(ticket) }
    }
}

/// An instant as the command line writes it.
#[track_caller]
pub fn instant(text: &str) -> UtcMs {
    text.parse::<jiff::Timestamp>().unwrap_or_else(|e| panic!("{text}: {e}")).into()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
