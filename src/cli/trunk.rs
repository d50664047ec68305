//! `campanile trunk`.

mod breaker;
mod set;

use std::io::Write;
use std::path::Path;

use clap::{Args, Subcommand};
use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use serde::Serialize;

use super::failure::{Failure, Outcome, Result};
use super::present::{cap, in_use, or_dash, table};
use super::session::{Session, warn};
use crate::domain::breaker::BreakerRules;
use crate::domain::calendar::Zone;
use crate::domain::campaign::Campaign;
use crate::domain::ids::TrunkId;
use crate::domain::instant::UtcMs;
use crate::domain::name::{AccountCode, Name};
use crate::domain::number::Number;
use crate::domain::traffic::Misfit;
use crate::domain::trunk::{DialTemplate, ShortNumbers, Trunk, TrunkLine};
use crate::exit::Exit;
use crate::ledger::trunks::{self, NewTrunk};
use crate::ledger::{Connection, LedgerError};
use breaker::{BreakerOptions, BreakerRow};

/// A number that nobody has: 555-01xx is kept for examples.
const SAMPLE_NUMBER: &str = "+12025550123";

/// Trunks, the lines out.
#[derive(Debug, Subcommand)]
pub enum TrunkVerb {
    /// Add a trunk.
    Add(Add),
    /// Change a trunk's settings.
    Set(set::Set),
    /// List all trunks; anybody may.
    List(List),
    /// Show a trunk with what it would dial for a sample number.
    Show(Show),
    /// Remove a trunk that no campaign uses and no call was made over.
    Remove(Remove),
    /// Show what would be dialled for a number, without dialling it.
    Test(Test),
}

#[derive(Debug, Args)]
#[command(after_help = "\
The dial template is what Asterisk's Dial gets, with a place for the number: {number} is the number in its \
canonical form (+493012345), {digits} the same without its +. It is refused when it could add a leg (&), \
options (,) or code ($).

Examples:
  campanile trunk add gw1 --dial 'PJSIP/{number}@gw1' --channels 30 --starts-per-second 5
  campanile trunk add gw2 --dial 'PJSIP/{number}@gw2' --breaker-failures 30% --breaker-rest 120
  campanile trunk add pbx --dial 'Local/{digits}@from-internal' --short-numbers

JSON: as `trunk show`.")]
pub struct Add {
    /// The trunk's name: A-Z a-z 0-9 _ -
    name: Name,
    /// The dial template, such as 'PJSIP/{number}@gw1'.
    #[arg(long, value_name = "TEMPLATE")]
    dial: DialTemplate,
    /// The most calls over it at once, all campaigns together [default: no cap].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    channels: Option<u32>,
    /// The most calls that start in a second over it [default: no cap but the server's].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    starts_per_second: Option<u32>,
    /// The account code that billing finds in the call detail record.
    #[arg(long, value_name = "CODE")]
    account: Option<AccountCode>,
    /// Let extensions and short codes of the local PBX (201, *97) go to it as they are.
    #[arg(long)]
    short_numbers: bool,
    #[command(flatten)]
    breaker: BreakerOptions,
    /// Who answers at its other end: real for people, test where nobody but a test does.
    ///
    /// Only over a test line may campaigns cancel calls while they ring (--cancel-ratio) and make up how long they
    /// last (--duration).
    #[arg(long, value_name = "real|test", default_value = "real")]
    line: TrunkLine,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The breaker of a trunk opens when too many of its last calls failed by its fault, and keeps calls from it: see \
`campanile trunk add --help`.

JSON: [{trunk, dial, channels, starts_per_second, account, short_numbers, line, open_calls, \
breaker: {failures_percent, window_s, calls_min, rest_s, state, since, trial_at, calls, failures, \
failed_percent}}]; the breaker is null where there is none, its state is closed, open or half-open.")]
pub struct List {}

#[derive(Debug, Args)]
#[command(after_help = "\
JSON: as one of `trunk list`, with sample: {number, dials}.")]
pub struct Show {
    /// The trunk's name.
    name: Name,
}

#[derive(Debug, Args)]
#[command(after_help = "JSON: {trunk, removed}.")]
pub struct Remove {
    /// The trunk's name.
    name: Name,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Dials nobody: it checks the number, and says what Dial would get, whether Asterisk runs (by the pid file in \
the setting asterisk_run_dir) and how many of the trunk's channels are in use. A self-test call over the \
whole chain is what `campanile doctor` makes.

Example:
  campanile trunk test gw1 '+49 30 1234567'

JSON: {trunk, number, dials, asterisk_runs, open_calls, channels}.
Ends with 65 when the number is refused and with 69 when Asterisk does not run.")]
pub struct Test {
    /// The trunk's name.
    name: Name,
    /// A number as people write it.
    #[arg(allow_hyphen_values = true)]
    number: String,
}

#[derive(Serialize)]
struct TrunkRow {
    trunk: String,
    dial: String,
    channels: Option<u32>,
    starts_per_second: Option<u32>,
    account: Option<AccountCode>,
    short_numbers: ShortNumbers,
    line: TrunkLine,
    open_calls: u32,
    breaker: Option<BreakerRow>,
}

#[derive(Serialize)]
struct TrunkPage {
    #[serde(flatten)]
    row: TrunkRow,
    sample: Option<Sample>,
}

#[derive(Serialize)]
struct Sample {
    number: String,
    dials: String,
}

#[derive(Serialize)]
struct Tested {
    trunk: String,
    number: String,
    dials: String,
    asterisk_runs: bool,
    open_calls: u32,
    channels: Option<u32>,
}

fn row(db: &Connection, trunk: &Trunk, now: UtcMs) -> std::result::Result<TrunkRow, LedgerError> {
    Ok(TrunkRow {
        trunk: trunk.name.to_string(),
        dial: trunk.template.to_string(),
        channels: trunk.channels,
        starts_per_second: trunk.starts_per_second,
        account: trunk.account.clone(),
        short_numbers: trunk.short_numbers,
        line: trunk.line,
        open_calls: trunks::open_attempts(db, trunk.id)?,
        breaker: breaker::row(db, trunk.id, now)?,
    })
}

impl TrunkVerb {
    pub fn run(self, session: &mut Session) -> Outcome {
        if !matches!(self, Self::List(_)) {
            session.actor.must_be_admin("administer trunks")?;
        }
        match self {
            Self::Add(verb) => verb.run(session),
            Self::Set(verb) => verb.run(session),
            Self::List(_) => list(session),
            Self::Show(verb) => show(session, &verb.name),
            Self::Remove(verb) => verb.run(session),
            Self::Test(verb) => verb.run(session),
        }
    }
}

impl Add {
    fn run(self, session: &mut Session) -> Outcome {
        let now = session.now();
        let trunk = NewTrunk {
            name: self.name,
            template: self.dial,
            channels: self.channels,
            starts_per_second: self.starts_per_second,
            account: self.account,
            short_numbers: if self.short_numbers { ShortNumbers::Allowed } else { ShortNumbers::Refused },
            breaker: self.breaker.apply(Some(BreakerRules::default()))?,
            line: self.line,
        };
        session.ledger.write(|db| trunks::add(db, &trunk, now))?;
        show(session, &trunk.name)
    }
}

/// What a campaign makes up must not begin to reach people by a change of its trunk.
fn stays_a_test_line(campaign: &Campaign, trunk: &Trunk) -> Result<()> {
    campaign.traffic.fits([trunk]).map_err(|misfit| {
        let name = &campaign.name;
        let mend = format!("first: campanile campaign set {name} --cancel-ratio 0% --duration none");
        let problem = match &misfit {
            Misfit::RealLine { what, .. } => format!("with {what}, which is for test lines only"),
            Misfit::NoInvite { .. } => format!("and {misfit}"),
        };
        Failure::new(Exit::Failure, format!("campaign {name} goes over this trunk {problem}"), mend)
    })
}

fn list(session: &mut Session) -> Outcome {
    let (now, zone) = (session.now(), session.settings.time_zone.clone());
    let rows: Vec<TrunkRow> =
        session.ledger.read(|db| trunks::all(db)?.iter().map(|trunk| row(db, trunk, now)).collect())?;
    session.answer(&rows, |out| {
        let heading = ["trunk", "dial", "channels", "starts a second", "account", "short numbers", "line", "breaker"];
        table::write(out, &heading, &rows.iter().map(|row| cells(row, &zone)).collect::<Vec<_>>())
    })?;
    Ok(Exit::Ok)
}

fn cells(row: &TrunkRow, zone: &Zone) -> Vec<String> {
    vec![
        row.trunk.clone(),
        row.dial.clone(),
        in_use(row.open_calls, row.channels),
        cap(row.starts_per_second),
        or_dash(row.account.as_ref()),
        row.short_numbers.to_string(),
        row.line.to_string(),
        breaker::in_short(row.breaker.as_ref(), zone),
    ]
}

fn show(session: &mut Session, name: &Name) -> Outcome {
    let (now, zone) = (session.now(), session.settings.time_zone.clone());
    let page = session.ledger.try_read(|db| page(db, name, now))?;
    session.answer(&page, |out| tell(out, &page, &zone))?;
    Ok(Exit::Ok)
}

fn page(db: &Connection, name: &Name, now: UtcMs) -> Result<TrunkPage> {
    let trunk = named(db, name)?;
    let sample = Number::from_canonical(SAMPLE_NUMBER).map(|number| Sample {
        number: number.to_string(),
        dials: trunk.template.dial_string(&number).as_str().to_owned(),
    });
    Ok(TrunkPage { row: row(db, &trunk, now)?, sample })
}

fn tell(out: &mut dyn Write, page: &TrunkPage, zone: &Zone) -> Result<()> {
    let row = &page.row;
    writeln!(out, "trunk            {}", row.trunk)?;
    writeln!(out, "dial             {}", row.dial)?;
    writeln!(out, "channels         {}", in_use(row.open_calls, row.channels))?;
    writeln!(out, "starts a second  {}", cap(row.starts_per_second))?;
    writeln!(out, "account          {}", or_dash(row.account.as_ref()))?;
    writeln!(out, "short numbers    {}", row.short_numbers)?;
    writeln!(out, "line             {}", row.line)?;
    writeln!(out, "breaker          {}", breaker::in_full(row.breaker.as_ref(), zone))?;
    if let Some(sample) = &page.sample {
        writeln!(out, "for {} it dials {}", sample.number, sample.dials)?;
    }
    Ok(())
}

impl Remove {
    fn run(self, session: &mut Session) -> Outcome {
        session.ledger.try_write(|db| Ok::<_, Failure>(trunks::remove(db, &named(db, &self.name)?)?))?;
        let answer = serde_json::json!({"trunk": self.name.as_str(), "removed": true});
        session.answer(&answer, |out| Ok(writeln!(out, "removed trunk {}", self.name)?))?;
        Ok(Exit::Ok)
    }
}

impl Test {
    fn run(self, session: &mut Session) -> Outcome {
        let (trunk, open_calls) = session.ledger.try_read(|db| {
            let trunk = named(db, &self.name)?;
            let open = trunks::open_attempts(db, trunk.id)?;
            Ok::<_, Failure>((trunk, open))
        })?;
        let number = super::numbers::canonical(&self.number, trunk.short_numbers, &session.settings)?;
        let tested = Tested {
            trunk: trunk.name.to_string(),
            dials: trunk.template.dial_string(&number).as_str().to_owned(),
            number: number.to_string(),
            asterisk_runs: asterisk_runs(&session.settings.asterisk_run_dir),
            open_calls,
            channels: trunk.channels,
        };
        session.answer(&tested, |out| tell_tested(out, &tested))?;
        if tested.asterisk_runs {
            return Ok(Exit::Ok);
        }
        let pid_file = session.settings.asterisk_run_dir.join("asterisk.pid");
        warn(&format!("Asterisk does not run, by {}; start it, or set asterisk_run_dir", pid_file.display()));
        Ok(Exit::Unavailable)
    }
}

fn tell_tested(out: &mut dyn Write, tested: &Tested) -> Result<()> {
    writeln!(out, "number    {}", tested.number)?;
    writeln!(out, "dials     {}", tested.dials)?;
    writeln!(out, "channels  {}", in_use(tested.open_calls, tested.channels))?;
    writeln!(out, "Asterisk  {}", if tested.asterisk_runs { "runs" } else { "does not run" })?;
    writeln!(out, "Nobody was called; `campanile doctor` makes a self-test call.")?;
    Ok(())
}

/// Whether the process in Asterisk's pid file lives; one of another user does, too.
fn asterisk_runs(run_dir: &Path) -> bool {
    let text = std::fs::read_to_string(run_dir.join("asterisk.pid")).unwrap_or_default();
    let Some(pid) = text.trim().parse().ok().filter(|pid| *pid > 0) else { return false };
    matches!(kill(Pid::from_raw(pid), None), Ok(()) | Err(Errno::EPERM))
}

/// Whether numbers of a campaign may be short ones: all of its trunks must take them, since each may have the call.
pub fn short_numbers_of(db: &Connection, campaign: &Campaign) -> std::result::Result<ShortNumbers, LedgerError> {
    Ok(refusing_short_numbers(db, campaign)?.map_or(ShortNumbers::Allowed, |trunk| trunk.short_numbers))
}

/// The first of a campaign's trunks that takes no short numbers.
pub fn refusing_short_numbers(db: &Connection, campaign: &Campaign) -> std::result::Result<Option<Trunk>, LedgerError> {
    let trunks = campaign.trunks().into_iter().map(|id| trunks::get(db, id));
    let trunks = trunks.collect::<std::result::Result<Vec<_>, _>>()?;
    Ok(trunks.into_iter().find(|trunk| trunk.short_numbers == ShortNumbers::Refused))
}

/// The trunks of these names, in this order; each may be there once.
pub fn all_named(db: &Connection, names: &[Name]) -> Result<Vec<TrunkId>> {
    let twice = names.iter().enumerate().find(|(i, name)| names[..*i].contains(name));
    if let Some((_, name)) = twice {
        let what = format!("trunk {name} is twice in the list of trunks");
        return Err(Failure::new(Exit::Usage, what, "name each trunk once, the first choice first"));
    }
    names.iter().map(|name| Ok(named(db, name)?.id)).collect()
}

/// The trunk of this name.
pub fn named(db: &Connection, name: &Name) -> Result<Trunk> {
    let found = trunks::find(db, name.as_str())?;
    Ok(found.ok_or_else(|| LedgerError::Absent { what: "trunk", name: name.to_string() })?)
}
