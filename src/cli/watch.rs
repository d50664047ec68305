//! `campanile watch`.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::actor::Actor;
use super::failure::{Outcome, Result};
use super::interrupt::{self, Listening};
use super::present::{Moment, json_line};
use super::session::{Form, Session};
use super::trouble::{Lookout, of_planning};
use crate::domain::calendar::Zone;
use crate::domain::campaign::{Campaign, CampaignState};
use crate::domain::disposition::Disposition;
use crate::domain::instant::UtcMs;
use crate::domain::name::Name;
use crate::exit::Exit;
use crate::ledger::Connection;
use crate::ledger::contacts::{self, Counts};
use crate::ledger::views::{self, Live};

/// Planned instants that are shown of each campaign.
const NEXT_STARTS: usize = 5;

/// Watch calls live: planned, ringing, talking, done by disposition, next starts.
#[derive(Debug, Args)]
#[command(after_help = "\
On a terminal the picture is drawn anew in its place; into a pipe goes one line for each campaign whenever \
something changed. What keeps every call from being made (campanile-agi does not answer, say) stands above. \
Without CAMPAIGN it shows the campaigns that run or have open calls. Ctrl-C leaves.

Examples:
  campanile watch
  campanile watch spring --until-done && campanile report spring

JSON, one object a line for each campaign and interval: {at, campaign, state, planned, ringing, talking, \
waiting, in_progress, reached, failed, excluded, dispositions: {answered: n, …}, next_starts: [instant, …], \
trouble: what keeps every call from being made, or null}. \
Ends with 0 when done or left; with --until-done and Ctrl-C with 130.")]
pub struct Watch {
    /// The campaign [default: all that run].
    campaign: Option<Name>,
    /// Seconds between two looks.
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=3600))]
    interval: u64,
    /// Leave when the campaign (or all) has stopped or completed and no call is open.
    #[arg(long)]
    until_done: bool,
}

/// A campaign at an instant.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Picture {
    campaign: String,
    state: CampaignState,
    planned: u64,
    ringing: u64,
    talking: u64,
    #[serde(flatten)]
    counts: Counts,
    dispositions: BTreeMap<Disposition, u64>,
    #[serde(serialize_with = "as_moments")]
    next_starts: Vec<UtcMs>,
    #[serde(skip)]
    zone: Zone,
}

#[derive(Serialize)]
struct Dated<'a> {
    at: Moment,
    trouble: Option<&'a str>,
    #[serde(flatten)]
    picture: &'a Picture,
}

fn as_moments<S: serde::Serializer>(starts: &[UtcMs], serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_seq(starts.iter().map(|at| Moment(*at)))
}

impl Picture {
    fn is_done(&self) -> bool {
        self.state != CampaignState::Running && self.planned + self.ringing + self.talking == 0
    }

    fn take(db: &Connection, campaign: &Campaign) -> Result<Self> {
        let Live { planned, ringing, talking, next_starts } = views::live(db, Some(campaign.id), NEXT_STARTS)?;
        Ok(Self {
            campaign: campaign.name.to_string(),
            state: campaign.state,
            planned,
            ringing,
            talking,
            counts: contacts::counts(db, campaign.id)?,
            dispositions: views::dispositions(db, Some(campaign.id))?,
            next_starts,
            zone: campaign.calendar.zone.clone(),
        })
    }
}

/// What one look saw.
struct View<'a> {
    pictures: Vec<Picture>,
    /// What keeps every call from being made.
    trouble: Option<&'a str>,
    now: UtcMs,
}

/// How pictures are shown.
enum Screen {
    /// Drawn in place; so many lines of the last picture stand above the cursor.
    Terminal { drawn: usize },
    /// A line for each change.
    Lines { last: Option<Vec<Picture>>, trouble: Option<String> },
    /// An object for each campaign and look.
    Json,
}

impl Watch {
    pub fn run(self, session: &mut Session) -> Outcome {
        let interrupts = interrupts()?;
        let lookout = Lookout::start(&session.settings);
        let mut screen = Screen::new(session.form);
        loop {
            let now = session.now();
            let (pictures, planning) = self.look(session, now)?;
            let done = pictures.iter().all(Picture::is_done);
            // While nothing is to be called, nothing is in its way.
            let calls = pictures.iter().any(|picture| picture.state == CampaignState::Running);
            let trouble = lookout.trouble().or(planning).filter(|_| calls);
            screen.show(&mut session.out, &View { pictures, trouble: trouble.as_deref(), now })?;
            session.out.flush()?;
            if self.until_done && done {
                return Ok(Exit::Ok);
            }
            match interrupts.recv_timeout(Duration::from_secs(self.interval)) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return self.left(session, &screen),
            }
        }
    }

    fn left(&self, session: &mut Session, screen: &Screen) -> Outcome {
        if let Screen::Terminal { .. } = screen {
            // The terminal has shown ^C where the prompt would go.
            writeln!(session.out)?;
            session.out.flush()?;
        }
        Ok(if self.until_done { Exit::Interrupted } else { Exit::Ok })
    }

    fn look(&self, session: &mut Session, now: UtcMs) -> Result<(Vec<Picture>, Option<String>)> {
        let actor = &session.actor;
        session.ledger.try_read(|db| {
            let pictures = match &self.campaign {
                Some(name) => vec![Picture::take(db, &actor.campaign(db, name)?)?],
                None => all_under_way(db, actor)?,
            };
            Ok((pictures, of_planning(db, now)?))
        })
    }
}

fn all_under_way(db: &Connection, actor: &Actor) -> Result<Vec<Picture>> {
    let pictures: Result<Vec<Picture>> =
        actor.campaigns(db)?.iter().map(|campaign| Picture::take(db, campaign)).collect();
    let mut pictures = pictures?;
    pictures.retain(|picture| !picture.is_done());
    Ok(pictures)
}

fn interrupts() -> Result<Receiver<()>> {
    let (told, interrupts) = channel();
    interrupt::listen(move || if told.send(()).is_ok() { Listening::Still } else { Listening::NoMore })?;
    Ok(interrupts)
}

impl Screen {
    fn new(form: Form) -> Self {
        match form {
            Form::Json => Self::Json,
            Form::Text if std::io::stdout().is_terminal() => Self::Terminal { drawn: 0 },
            Form::Text => Self::Lines { last: None, trouble: None },
        }
    }

    fn show(&mut self, out: &mut dyn Write, view: &View<'_>) -> Result<()> {
        let View { pictures, trouble, now } = view;
        let at = Moment(*now);
        match self {
            Self::Json => {
                pictures.iter().try_for_each(|picture| json_line(out, &Dated { at, trouble: *trouble, picture }))
            }
            Self::Lines { last, trouble: told_trouble } => {
                if told_trouble.as_deref() != *trouble {
                    writeln!(out, "{now} trouble: {}", trouble.unwrap_or("none any more"))?;
                    *told_trouble = trouble.map(str::to_owned);
                }
                let idle = |pictures: &[Picture]| pictures.is_empty();
                if idle(pictures) && !last.as_deref().is_some_and(idle) {
                    writeln!(out, "{now} no campaign runs")?;
                }
                let told = last.take().unwrap_or_default();
                let changed = pictures.iter().filter(|picture| !told.contains(picture));
                changed.into_iter().try_for_each(|picture| writeln!(out, "{now} {}", line(picture)))?;
                *last = Some(pictures.clone());
                Ok(())
            }
            Self::Terminal { drawn } => {
                // Up to the first line of the last picture, and clear from there.
                if *drawn > 0 {
                    write!(out, "\x1b[{drawn}A\x1b[J")?;
                }
                let text = frame(view);
                *drawn = text.lines().count();
                Ok(out.write_all(text.as_bytes())?)
            }
        }
    }
}

/// `spring running planned=4 ringing=2 …`, for logs.
fn line(picture: &Picture) -> String {
    let Picture { campaign, state, planned, ringing, talking, counts, .. } = picture;
    let done: String = picture.dispositions.iter().map(|(disposition, n)| format!(" {disposition}={n}")).collect();
    format!("{campaign} {state} planned={planned} ringing={ringing} talking={talking} waiting={}{done}", counts.waiting)
}

/// The width that every terminal has: a line that it wraps would not be cleared.
const WIDTH: usize = 79;

/// A text in lines of [`WIDTH`], indented.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < WIDTH - 2 => line.push_str(&format!(" {word}")),
            _ => lines.push(format!(" {word}")),
        }
    }
    lines.iter().filter(|line| !line.is_empty()).map(|line| format!(" {line}\n")).collect()
}

fn frame(View { pictures, trouble, now }: &View<'_>) -> String {
    let trouble = trouble.map(|trouble| wrapped(&format!("TROUBLE: {trouble}"))).unwrap_or_default();
    if pictures.is_empty() {
        return format!("{now}  no campaign runs\n{trouble}");
    }
    let each: Vec<String> = pictures.iter().map(block).collect();
    format!("{now}\n{trouble}{}", each.join(""))
}

fn block(picture: &Picture) -> String {
    let Picture { campaign, state, planned, ringing, talking, counts, zone, .. } = picture;
    let done: Vec<String> = picture.dispositions.iter().map(|(disposition, n)| format!("{disposition} {n}")).collect();
    let done = if done.is_empty() { "nothing yet".to_owned() } else { done.join(", ") };
    let starts: Vec<String> =
        picture.next_starts.iter().filter_map(|at| zone.local(*at).get(11..).map(str::to_owned)).collect();
    let starts = if starts.is_empty() { "none planned".to_owned() } else { starts.join(" ") };
    format!(
        "{campaign} ({state})\n  planned {planned:<5} ringing {ringing:<5} talking {talking:<5} waiting {}\n  done         {done}\n  next starts  {starts}\n",
        counts.waiting
    )
}
