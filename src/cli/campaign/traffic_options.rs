//! Calls as traffic: how they are typed, and how they are shown.

use std::io::Write;
use std::str::FromStr;

use clap::Args;
use serde::Serialize;

use super::super::failure::{Failure, Result};
use crate::domain::campaign::Campaign;
use crate::domain::traffic::{CancelRatio, Codecs, DurationRefusal, DurationRule, Header, Misfit, TypedHeader};
use crate::domain::trunk::Trunk;
use crate::exit::Exit;
use crate::ledger::{Connection, Result as LedgerResult, trunks};

/// The options that `add` and `set` share about what INVITEs carry and what is made up.
#[derive(Debug, Args)]
pub struct TrafficOptions {
    /// A header that each INVITE gets, such as 'P-Campaign-Name: spring'; 'NAME:' takes it away. May be given often.
    ///
    /// Headers of the call itself (From, Contact, Content-Type, …) are Asterisk's. The trunk must be PJSIP or SIP.
    #[arg(long = "header", value_name = "NAME: TEXT")]
    headers: Vec<TypedHeader>,
    /// The codecs that each INVITE offers, such as alaw,ulaw,opus, or none for what the trunk offers [of a new campaign: none].
    #[arg(long, value_name = "CODECS|none")]
    codecs: Option<Codecs>,
    /// How long calls last after their answer, on test lines only; none for as long as their actions [of a new campaign: none].
    ///
    /// 30s for all, 20s-60s for each between these, or gauss:MEAN,DEVIATION,MIN-MAX, such as gauss:30s,10s,20s-60s. A
    /// duration that a number has itself (numbers import --map duration=COLUMN) goes before 30s and 20s-60s. Longer
    /// actions are cut off, and behind shorter ones there is silence.
    #[arg(long, value_name = "TIME|none")]
    duration: Option<Lasting>,
    /// That share of calls is cancelled at a random second while it rings, on test lines only [of a new campaign: 0%].
    #[arg(long, value_name = "PERCENT%")]
    cancel_ratio: Option<CancelRatio>,
}

/// A duration as typed.
#[derive(Debug, Clone, Copy)]
pub struct Lasting(Option<DurationRule>);

impl FromStr for Lasting {
    type Err = DurationRefusal;

    fn from_str(text: &str) -> std::result::Result<Self, DurationRefusal> {
        if text == "none" { Ok(Self(None)) } else { text.parse().map(|rule| Self(Some(rule))) }
    }
}

impl TrafficOptions {
    /// Writes what was given over a campaign's settings.
    pub fn apply(&self, campaign: &mut Campaign) -> Result<()> {
        let traffic = &mut campaign.traffic;
        for header in &self.headers {
            let mend = format!("first take one away: campanile campaign set {} --header NAME:", campaign.name);
            let refused = |why: crate::domain::traffic::HeaderRefusal| Failure::new(Exit::Usage, why.to_string(), mend);
            traffic.invite.headers.set(header).map_err(refused)?;
        }
        if let Some(codecs) = &self.codecs {
            traffic.invite.codecs.clone_from(codecs);
        }
        if let Some(Lasting(rule)) = self.duration {
            traffic.duration = rule;
        }
        traffic.cancel = self.cancel_ratio.unwrap_or(traffic.cancel);
        Ok(())
    }
}

/// Refuses traffic that the campaign's trunks may not take.
pub fn keep_to_its_lines(db: &Connection, campaign: &Campaign) -> Result<()> {
    let lines = campaign.trunks().into_iter().map(|id| trunks::get(db, id));
    let Err(misfit) = campaign.traffic.fits(&lines.collect::<LedgerResult<Vec<Trunk>>>()?) else { return Ok(()) };
    let name = &campaign.name;
    let mend = match &misfit {
        Misfit::RealLine { trunk, .. } => format!(
            "leave --cancel-ratio and --duration away (or: --cancel-ratio 0% --duration none); if nobody but a test \
             answers there: campanile trunk set {trunk} --line test"
        ),
        Misfit::NoInvite { .. } => format!(
            "choose a trunk of PJSIP, or leave --header and --codecs away; what campaign {name} has is taken away by \
             --codecs none and --header NAME:"
        ),
    };
    Err(Failure::new(Exit::Failure, misfit.to_string(), mend))
}

/// Calls as traffic, as they are shown.
#[derive(Serialize)]
pub struct Traffic {
    pub headers: Vec<Header>,
    pub codecs: Option<String>,
    pub duration: Option<String>,
    pub cancel_percent: u8,
}

impl Traffic {
    /// That of a campaign.
    pub fn of(campaign: &Campaign) -> Self {
        let traffic = &campaign.traffic;
        let codecs = &traffic.invite.codecs;
        Self {
            headers: traffic.invite.headers.iter().cloned().collect(),
            codecs: (!codecs.is_empty()).then(|| codecs.to_string()),
            duration: traffic.duration.map(|rule| rule.to_string()),
            cancel_percent: traffic.cancel.percent(),
        }
    }

    /// Tells people; nothing of a campaign that has none of it.
    pub fn tell(&self, out: &mut dyn Write) -> Result<()> {
        for (i, header) in self.headers.iter().enumerate() {
            writeln!(out, "{:<11} {header}", if i == 0 { "headers" } else { "" })?;
        }
        if let Some(codecs) = &self.codecs {
            writeln!(out, "codecs      {codecs}")?;
        }
        if let Some(duration) = &self.duration {
            writeln!(out, "duration    {duration} after the answer, made up")?;
        }
        if self.cancel_percent > 0 {
            writeln!(out, "cancels     {}% of its calls while they ring", self.cancel_percent)?;
        }
        Ok(())
    }
}
