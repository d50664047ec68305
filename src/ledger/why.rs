//! What `campanile why` looks at.

use std::cmp::Reverse;

use rusqlite::Connection;

use super::bars::{Bars, Callee};
use super::contacts::Contact;
use super::snapshot::taken_slots;
use super::{
    LedgerError, Result, attempts, breakers, calendars, campaigns, contacts, lines, rest, rounds, trunks, views, zones,
};
use crate::domain::attempt::OVERDUE_MS;
use crate::domain::bar::FrequencyCap;
use crate::domain::campaign::{Campaign, CampaignState};
use crate::domain::gate::LATE_MS_MAX;
use crate::domain::ids::TrunkId;
use crate::domain::instant::UtcMs;
use crate::domain::line::{self, Line, LineState};
use crate::domain::number::Number;
use crate::domain::plan::pace::free_start_from;
use crate::domain::retry::dials_max;
use crate::domain::round::NextRound;
use crate::domain::why::{Channels, Daemon, Gate, NumberTurn, OtherFirst, TrunkWhy, WhyView};
use crate::domain::zoning::LegalRules;

/// What the settings say about a call.
#[derive(Debug, Clone)]
pub struct ServerLimits {
    /// The server's rate: calls a minute.
    pub calls_one_time: u32,
    /// The most calls at the same time, over all campaigns and trunks; `None` for no cap.
    pub channels_max: Option<u32>,
    /// The most files in the spool.
    pub spool_files_max: u32,
    /// The most calls to one number over all campaigns; `None` for no cap.
    pub frequency: Option<FrequencyCap>,
    /// The hours in which people may be called where they are.
    pub legal: LegalRules,
    /// Whether `campanile serve` runs.
    pub daemon: Daemon,
}

/// All that bears on the next call of a contact, except the gate: whoever asks it puts its answer in.
pub fn view(db: &Connection, contact: &Contact, limits: &ServerLimits, now: UtcMs) -> Result<WhyView> {
    view_of(db, (contact, &contact.number), limits, now)
}

/// As [`view`], of one of the contact's numbers.
pub fn view_of(
    db: &Connection,
    (contact, asked): (&Contact, &Number),
    limits: &ServerLimits,
    now: UtcMs,
) -> Result<WhyView> {
    let campaign = campaigns::get(db, contact.campaign)?
        .ok_or_else(|| LedgerError::absent("campaign", contact.campaign.to_string()))?;
    let (beat, calls_left) = campaigns::progress(db, &campaign, now.plus_ms(LATE_MS_MAX))?;
    let calendar_name = campaign.calendar_id.map(|id| calendars::get(db, id)).transpose()?.map(|c| c.name);
    let whereabouts = zones::whereabouts(db, &campaign.calendar.zone, contact.id, asked)?;
    let legal = limits.legal.hours(&campaign.legal_hours, &whereabouts.zones);
    let opens_at = campaign.calendar.within(legal.as_ref()).next_opening(now).unwrap_or(now);
    let classes = zones::open_at(db, &campaign, &limits.legal, opens_at)?;
    let busy_in = views::campaign_calling(db, asked)?;
    let lines = lines::of(db, contact.id)?;
    let retry = line::allowance(&campaign.retry, lines.len());
    let open = attempts::open_count(db)?;
    Ok(WhyView {
        number: asked.clone(),
        daemon: limits.daemon,
        gate: Gate::Answers,
        rests: rest::until(db, now)?,
        files_overdue: u32::try_from(attempts::overdue(db, now.plus_ms(-OVERDUE_MS))?.len()).unwrap_or(u32::MAX),
        campaign_channels: Channels { open: attempts::open_of(db, campaign.id)?, cap: campaign.channels },
        heed: campaign.heed(),
        trunks: campaign.trunks().into_iter().map(|id| trunk(db, id, now)).collect::<Result<_>>()?,
        server_channels: Channels { open, cap: limits.channels_max },
        nature: campaign.traffic.nature(),
        contact_state: contact.state,
        due_at: contact.due_at,
        expires_at: contact.expires_at,
        excluded: contact.excluded,
        failed: contact.failed,
        number_turn: number_turn(asked, contact, &lines),
        calls_used: contact.tally.charged,
        max_retries: retry.max_retries,
        result_until: contact.result_until,
        bar: Bars::read(db, limits.frequency, now)?.of(
            db,
            &campaign,
            Callee { number: asked, tally: contact.tally, numbers: lines.len() },
            now,
        )?,
        dials: contact.tally.dials,
        dials_max: dials_max(&retry, &campaign.outcome),
        busy_in: busy_in.map(|name| name.parse()).transpose()?,
        files_free: limits.spool_files_max.saturating_sub(open),
        other_first: other_first(db, &campaign, now)?,
        ahead: contacts::ahead_of(db, contact, &classes, now)?,
        calls_one_time: limits.calls_one_time,
        calls_left,
        next_round: next_round(db, &campaign, contact, now)?,
        calendar_name,
        next_by_pace: campaign.pacing.rhythm.earliest(beat),
        whereabouts,
        legal,
        campaign: campaign.name,
        campaign_state: campaign.state,
        calendar: campaign.calendar,
    })
}

fn trunk(db: &Connection, id: TrunkId, now: UtcMs) -> Result<TrunkWhy> {
    let trunk = trunks::get(db, id)?;
    let share = |rules| Ok::<_, LedgerError>((rules, breakers::share(db, id, rules, now)?));
    let free_start = |most| Ok::<_, LedgerError>((most, free_start_from(most, &taken_slots(db, Some(id), now)?, now)));
    Ok(TrunkWhy {
        name: trunk.name,
        line: trunk.line,
        channels: Channels { open: trunks::open_attempts(db, id)?, cap: trunk.channels },
        starts: trunk.starts_per_second.map(free_start).transpose()?,
        leave: breakers::leave(db, id, now)?,
        breaker: trunk.breaker.map(share).transpose()?,
    })
}

fn other_first(db: &Connection, campaign: &Campaign, now: UtcMs) -> Result<Option<OtherFirst>> {
    let trunks = campaign.trunks();
    let mut others = campaigns::running(db)?;
    others.retain(|other| other.pacing.priority > campaign.pacing.priority && other.calendar.contains(now));
    others.retain(|other| other.trunks().iter().any(|trunk| trunks.contains(trunk)));
    others.sort_by_key(|other| Reverse(other.pacing.priority));
    for other in others {
        if contacts::any_waiting(db, other.id)? {
            return Ok(Some(OtherFirst { campaign: other.name, priority: other.pacing.priority }));
        }
    }
    Ok(None)
}

/// The round in which a contact that was called is called again.
fn next_round(db: &Connection, campaign: &Campaign, contact: &Contact, now: UtcMs) -> Result<NextRound> {
    let goes_on = matches!(campaign.state, CampaignState::Running | CampaignState::Paused);
    let dials_left = campaign.outcome.max_dials.is_none_or(|max| contact.tally.dials < max);
    if goes_on && dials_left { rounds::next(db, campaign, now) } else { Ok(NextRound::Never) }
}

fn number_turn(asked: &Number, contact: &Contact, lines: &[Line]) -> NumberTurn {
    let of = |number: &Number| lines.iter().find(|line| line.number == *number);
    match (of(asked), of(&contact.number)) {
        (Some(line), _) if line.state != LineState::Callable => NumberTurn::Never(line.state),
        (Some(line), Some(next)) if line.place != next.place => NumberTurn::Later { next_place: next.place },
        (Some(_), Some(_)) if lines.len() > 1 => NumberTurn::Next,
        _ => NumberTurn::Only,
    }
}
