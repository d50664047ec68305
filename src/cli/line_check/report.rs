//! `campanile line-check report`.

use std::collections::BTreeMap;

use clap::Args;
use serde::Serialize;

use super::super::failure::{Failure, Outcome, Result};
use super::super::present::{Moment, or_dash, table};
use super::super::session::Session;
use super::named;
use crate::domain::disposition::Disposition;
use crate::domain::ids::AttemptId;
use crate::domain::instant::UtcMs;
use crate::domain::line_check::{Limits, Measures, Percent, Prefixes, Probe, Span, Verdict};
use crate::domain::name::Name;
use crate::exit::Exit;
use crate::ledger::line_checks::{self, Measured};
use crate::ledger::trunks;

/// Calls that are read at once.
const PAGE: u32 = 500;

#[derive(Debug, Args)]
#[command(after_help = "\
ASR is the answer-seizure ratio: calls that were answered of those that were dialled. The post-dial delay (PDD) is the time \
from Dial to the first ringing or progress, else to the answer. The first audio is the time from the answer to the first \
sound; heard says in how many of the calls that were listened to there was one. PDD and first audio are means.

It ends with 0 when all was measured and keeps its limits, with 2 when a limit was missed, and with 3 when there is \
nothing to judge by, such as a trunk over which no call was made: what monitoring plugins call critical and unknown.

Examples:
  campanile line-check report carriers
  campanile line-check report carriers --since 2h --prefix 49,4930,1 --asr-min 80% --pdd-max 4s --audio-max 800ms

JSON: {line_check, since, verdict: ok | not_measured | missed, groups: [{trunk, prefix, dialled, answered, asr_percent, \
mean_post_dial_ms, max_post_dial_ms, listened, heard, heard_percent, mean_first_audio_ms, max_first_audio_ms, \
causes: {cause: n, …}, verdict, why: [text, …]}]}.")]
pub struct Report {
    /// The check's name.
    name: Name,
    /// Calls of the last so long.
    #[arg(long, value_name = "TIME", default_value = "24h")]
    since: Span,
    /// Put numbers together by these prefixes, with ',' between, the longest first [default: by country code].
    #[arg(long, value_name = "DIGITS,…", value_delimiter = ',', value_parser = prefix)]
    prefix: Vec<String>,
    /// The least answer-seizure ratio.
    #[arg(long, value_name = "PERCENT")]
    asr_min: Option<Percent>,
    /// The longest mean post-dial delay.
    #[arg(long, value_name = "TIME")]
    pdd_max: Option<Span>,
    /// The longest mean time from the answer to the first audio.
    #[arg(long, value_name = "TIME")]
    audio_max: Option<Span>,
    /// The least share of calls in which something was heard.
    #[arg(long, value_name = "PERCENT")]
    heard_min: Option<Percent>,
}

fn prefix(text: &str) -> std::result::Result<String, &'static str> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let good = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b == b'*' || b == b'#');
    good.then(|| digits.to_owned()).ok_or("write the digits with which numbers begin, such as 49,4930,1")
}

#[derive(Serialize)]
struct Document {
    line_check: String,
    since: Moment,
    verdict: Verdict,
    groups: Vec<Group>,
}

#[derive(Serialize)]
struct Group {
    trunk: String,
    prefix: String,
    dialled: u64,
    answered: u64,
    asr_percent: Option<f64>,
    mean_post_dial_ms: Option<i64>,
    max_post_dial_ms: Option<i64>,
    listened: u64,
    heard: u64,
    heard_percent: Option<f64>,
    mean_first_audio_ms: Option<i64>,
    max_first_audio_ms: Option<i64>,
    causes: BTreeMap<String, u64>,
    verdict: Verdict,
    why: Vec<String>,
}

impl Group {
    fn new(trunk: &str, prefix: &str, measures: &Measures, limits: &Limits) -> Self {
        let (verdict, why) = measures.judge(limits);
        let tenths = |percent: Option<f64>| percent.map(|p| (p * 10.0).round() / 10.0);
        let (post_dial, first_audio) = (measures.post_dial, measures.first_audio);
        Self {
            trunk: trunk.to_owned(),
            prefix: prefix.to_owned(),
            dialled: measures.dialled,
            answered: measures.answered,
            asr_percent: tenths(measures.asr_percent()),
            mean_post_dial_ms: post_dial.mean_ms(),
            max_post_dial_ms: post_dial.mean_ms().map(|_| post_dial.max_ms),
            listened: measures.listened,
            heard: first_audio.count,
            heard_percent: tenths(measures.heard_percent()),
            mean_first_audio_ms: first_audio.mean_ms(),
            max_first_audio_ms: first_audio.mean_ms().map(|_| first_audio.max_ms),
            causes: measures.causes.clone(),
            verdict,
            why,
        }
    }

    fn cells(&self) -> Vec<String> {
        let share = |percent: Option<f64>| or_dash(percent.map(|p| format!("{p:.1}%")));
        let seconds = |ms: Option<i64>| or_dash(ms.map(|ms| format!("{}.{:03}s", ms / 1000, ms % 1000)));
        let causes: Vec<String> = self.causes.iter().map(|(cause, n)| format!("{n} {cause}")).collect();
        let verdict = match self.why.as_slice() {
            [] => self.verdict.to_string(),
            why => why.join("; "),
        };
        vec![
            self.trunk.clone(),
            self.prefix.clone(),
            self.dialled.to_string(),
            self.answered.to_string(),
            share(self.asr_percent),
            seconds(self.mean_post_dial_ms),
            seconds(self.mean_first_audio_ms),
            share(self.heard_percent),
            or_dash(Some(causes.join(", ")).filter(|causes| !causes.is_empty())),
            verdict,
        ]
    }
}

/// By trunk, in the order of the check, and prefix.
type Groups = Vec<(String, BTreeMap<String, Measures>)>;

impl Report {
    pub fn run(self, session: &mut Session) -> Outcome {
        let since = session.now().plus_ms(-self.since.ms);
        let limits = self.limits();
        let mut groups = Vec::new();
        for (trunk, prefixes) in self.measure(session, since)? {
            groups.extend(prefixes.iter().map(|(prefix, measures)| Group::new(&trunk, prefix, measures, &limits)));
            if prefixes.is_empty() {
                groups.push(Group::new(&trunk, "-", &Measures::default(), &limits));
            }
        }
        let verdict = groups.iter().map(|group| group.verdict).max().unwrap_or(Verdict::NotMeasured);
        let document = Document { line_check: self.name.to_string(), since: Moment(since), verdict, groups };
        session.answer(&document, |out| {
            let heading =
                ["trunk", "prefix", "calls", "answered", "ASR", "PDD", "first audio", "heard", "causes", "verdict"];
            table::write(out, &heading, &document.groups.iter().map(Group::cells).collect::<Vec<_>>())
        })?;
        Ok(match verdict {
            Verdict::Ok => Exit::Ok,
            Verdict::NotMeasured => Exit::NotMeasured,
            Verdict::Missed => Exit::LimitMissed,
        })
    }

    fn limits(&self) -> Limits {
        Limits {
            asr_min: self.asr_min,
            post_dial_max_ms: self.pdd_max.map(|span| span.ms),
            first_audio_max_ms: self.audio_max.map(|span| span.ms),
            heard_min: self.heard_min,
        }
    }

    fn measure(&self, session: &mut Session, since: UtcMs) -> Result<Groups> {
        let actor = &session.actor;
        let campaigns = session.ledger.try_read(|db| {
            let (_, all) = named(db, actor, &self.name)?;
            let over = |campaign: crate::domain::campaign::Campaign| {
                Ok::<_, Failure>((campaign.id, trunks::get(db, campaign.trunk)?))
            };
            all.into_iter().map(over).collect::<Result<Vec<_>>>()
        })?;
        let prefixes = if self.prefix.is_empty() { Prefixes::Countries } else { Prefixes::Given(self.prefix.clone()) };
        let mut groups = Vec::new();
        for (campaign, trunk) in campaigns {
            let mut of_trunk = BTreeMap::new();
            let mut before = AttemptId(i64::MAX);
            loop {
                let page = session.ledger.read(|db| line_checks::measured_before(db, campaign, before, PAGE))?;
                let recent = page.iter().take_while(|call| call.attempt.planned_at >= since);
                recent.for_each(|call| count(call, &prefixes, &mut of_trunk));
                match page.last() {
                    Some(last) if last.attempt.planned_at >= since => before = last.attempt.id,
                    _ => break,
                }
            }
            groups.push((trunk.name.to_string(), of_trunk));
        }
        Ok(groups)
    }
}

/// Only what was dialled says something of a line.
fn count(call: &Measured, prefixes: &Prefixes, groups: &mut BTreeMap<String, Measures>) {
    let attempt = &call.attempt;
    let Some(disposition) = attempt.disposition.filter(|d| *d != Disposition::NotDialled) else { return };
    let answered_after_ms =
        attempt.answered_at.zip(attempt.dialled_at).map(|(at, dialled)| at.since_ms(dialled).max(0));
    let probe = Probe {
        disposition,
        cause: attempt.cause,
        sip_code: attempt.sip_code,
        post_dial_ms: call.signalled_after_ms.or(answered_after_ms),
        heard: call.heard,
    };
    groups.entry(prefixes.of(&attempt.number)).or_default().add(&probe);
}
