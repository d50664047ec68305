//! The self-test call: a contact, a plan, a file, the gate, an answer, a report, like any call.

use std::time::Duration;

use super::Finding;
use crate::domain::action::Action;
use crate::domain::calendar::{Calendar, Window, Zone};
use crate::domain::campaign::{Campaign, CampaignState, ContactRules, Finish, Pacing, RetryRules};
use crate::domain::disposition::Disposition;
use crate::domain::evidence::{Evidence, Fact};
use crate::domain::ids::{AttemptId, CampaignId};
use crate::domain::instant::UtcMs;
use crate::domain::number::Number;
use crate::domain::outcome::OutcomeRules;
use crate::domain::plan::LEAD_MS;
use crate::domain::plan::pace::slots;
use crate::domain::round::RoundRules;
use crate::domain::trunk::{ShortNumbers, TrunkLine};
use crate::domain::user::Role;
use crate::domain::zoning::LegalSwitch;
use crate::ledger::trunks::NewTrunk;
use crate::ledger::views::AttemptRow;
use crate::ledger::{Ledger, LedgerError, Result, campaigns, contacts, evidence, trunks, users, views};
use crate::settings::Settings;
use crate::wake::{Change, wake};

/// The name of the campaign and the trunk, both gone again after the call.
const NAME: &str = "campanile-selftest";
/// An extension of the dialplan's self-test context; it never leaves the PBX.
const NUMBER: &str = "0000";
/// How long after its slot the call is waited for.
const PATIENCE_MS: i64 = 20_000;
/// How long the end of a call that failed is waited for: the gate's silence is settled by then.
const TIDY_MS: i64 = 12_000;
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub(super) fn call(settings: &Settings) -> Vec<Finding> {
    let outcome = Ledger::open(&settings.ledger()).and_then(|mut ledger| {
        let campaign = ledger.write(|db| prepare(db))?;
        wake(&settings.serve_wake(), Change::Command);
        let seen = wait(&mut ledger, settings, campaign);
        ledger.write(|db| campaigns::set_state(db, campaign, CampaignState::Stopped))?;
        wake(&settings.serve_wake(), Change::Command);
        Ok((seen?, tidy_up(&mut ledger)?))
    });
    let (outcome, left) = match outcome {
        Ok((seen, left)) => (Ok(seen), left),
        Err(error) => (Err(error), None),
    };
    let mut found = judge(outcome);
    found.extend(left);
    found
}

/// Removes campaign and trunk of the test as soon as its call is over; the daemon withdraws a call that
/// nobody began at once. What cannot be removed yet is told.
fn tidy_up(ledger: &mut Ledger) -> Result<Option<Finding>> {
    let until = crate::clock::now().plus_ms(TIDY_MS);
    loop {
        match ledger.write(|db| clear(db)) {
            Err(LedgerError::InUse { .. }) if crate::clock::now() < until => std::thread::sleep(LOOK_EVERY),
            Err(LedgerError::InUse { .. }) => {
                return Ok(Some(Finding::warning(
                    "self-test",
                    format!("the campaign {NAME} is left, stopped: its call is not over yet"),
                    "nobody is called by it; the next self-test removes it",
                )));
            }
            done => return done.map(|()| None),
        }
    }
}

fn judge(outcome: Result<Seen>) -> Vec<Finding> {
    match outcome {
        Err(LedgerError::InUse { .. }) => vec![Finding::problem(
            "self-test",
            "the call of another self-test, or of one that was ended early, is not over yet",
            "wait half a minute, and run it again",
        )],
        Err(error) => vec![Finding::problem("self-test", error.to_string(), "see the ledger's line above")],
        Ok(None) => vec![Finding::problem(
            "self-test",
            "the call was not planned",
            "look into the log of `campanile serve`; `campanile why 0000` names the rule that holds it",
        )],
        Ok(Some((row, facts))) => hops(&row, &facts),
    }
}

fn prepare(db: &crate::ledger::Db) -> Result<CampaignId> {
    clear(db)?;
    let now = crate::clock::now();
    let name = NAME.parse()?;
    let corrupt = |problem: String| LedgerError::Abandoned(problem);
    let template = "Local/{number}@campanile-selftest".parse().map_err(|e| corrupt(format!("{e}")))?;
    let number = Number::from_canonical(NUMBER).ok_or_else(|| corrupt("the self-test number".to_owned()))?;
    let owner = match users::all(db)?.into_iter().find(|u| u.role == Role::Admin) {
        Some(admin) => admin.id,
        None => users::add(db, &"admin".parse()?, Role::Admin, now)?,
    };
    let short_numbers = ShortNumbers::Allowed;
    // Asterisk itself is at the other end.
    let line = TrunkLine::Test;
    let trunk = NewTrunk {
        name,
        template,
        channels: None,
        starts_per_second: None,
        account: None,
        short_numbers,
        breaker: None,
        line,
    };
    let trunk = trunks::add(db, &trunk, now)?;
    let campaign = Campaign {
        id: CampaignId(0),
        name: NAME.parse()?,
        owner,
        trunk,
        further_trunks: Vec::new(),
        state: CampaignState::Stopped,
        calendar: Calendar::daily(Window::ALWAYS, Zone::UTC),
        calendar_id: None,
        pacing: Pacing::default(),
        finish: Finish::default(),
        variables: Default::default(),
        traffic: Default::default(),
        retry: RetryRules { max_retries: 0, retry_time_s: 3600, wait_time_s: 15 },
        outcome: OutcomeRules::default(),
        channels: Some(1),
        caller_number: None,
        caller_name: None,
        actions: None,
        contacts: ContactRules::default(),
        legal_hours: LegalSwitch::Off,
        rounds: RoundRules::default(),
        line_check: None,
    };
    let campaign = campaigns::add(db, &campaign, now)?;
    crate::ledger::actions::replace(db, campaign, &vec![Action::Wait { seconds: 1 }].into())?;
    contacts::import(db, campaign, &number)?;
    campaigns::set_state(db, campaign, CampaignState::Running)?;
    Ok(campaign)
}

/// Stops a self-test call whose doctor leaves early: the daemon withdraws it, or it ends by itself. What is
/// left in the ledger the next self-test removes.
pub fn abandon(settings: &Settings) -> Result<()> {
    let mut ledger = Ledger::open_existing(&settings.ledger())?;
    ledger.write(|db| stop(db))?;
    wake(&settings.serve_wake(), Change::Command);
    Ok(())
}

fn stop(db: &crate::ledger::Db) -> Result<()> {
    match campaigns::find(db, NAME)? {
        Some(campaign) if campaign.state == CampaignState::Running => {
            campaigns::set_state(db, campaign.id, CampaignState::Stopped)
        }
        _ => Ok(()),
    }
}

/// Removes what an earlier self-test left.
fn clear(db: &crate::ledger::Db) -> Result<()> {
    if let Some(campaign) = campaigns::find(db, NAME)? {
        campaigns::remove(db, &campaign)?;
    }
    match trunks::find(db, NAME)? {
        None => Ok(()),
        Some(trunk) => trunks::remove(db, &trunk),
    }
}

type Seen = Option<(AttemptRow, Vec<Evidence>)>;

/// Waits until the attempt is closed and its file archived, or patience ends.
fn wait(ledger: &mut Ledger, settings: &Settings, campaign: CampaignId) -> Result<Seen> {
    let asked_at = crate::clock::now();
    let slot = slots(settings.calls_one_time, asked_at.plus_ms(LEAD_MS), asked_at.plus_s(3600)).next();
    // The next slots may be taken by other campaigns: one interval at the most is planned ahead.
    let interval_ms = i64::from(settings.cron_interval) * 60_000;
    let until = slot.unwrap_or(asked_at).plus_ms(PATIENCE_MS);
    let latest = asked_at.plus_ms(interval_ms + PATIENCE_MS);
    loop {
        let seen = look(ledger, campaign)?;
        let done = seen.as_ref().is_some_and(|(row, facts)| row.disposition.is_some() && archived(facts));
        let planned_until = seen.as_ref().map_or(until, |(row, _)| row.planned_at.plus_ms(PATIENCE_MS));
        if done || crate::clock::now() > planned_until.min(latest) {
            return Ok(seen);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn look(ledger: &mut Ledger, campaign: CampaignId) -> Result<Seen> {
    ledger.read(|db| {
        let Some(row) = views::attempts_page(db, campaign, AttemptId(0), 1)?.pop() else { return Ok(None) };
        let facts = evidence::of(db, row.id)?;
        Ok(Some((row, facts)))
    })
}

fn archived(facts: &[Evidence]) -> bool {
    facts.iter().any(|e| matches!(e.fact, Fact::Archived { .. }))
}

/// One finding for each hop of the call, up to the first that is missing.
fn hops(row: &AttemptRow, facts: &[Evidence]) -> Vec<Finding> {
    let saw = |is: fn(&Fact) -> bool| facts.iter().find(|e| is(&e.fact)).map(|e| e.at);
    let off = |at: UtcMs| at.since_ms(row.planned_at);
    let mut found = vec![Finding::ok("self-test", format!("planned for {}, file published", row.planned_at))];
    let hops: [(&str, Option<UtcMs>, &str); 4] = [
        (
            "the gate admitted it",
            saw(|f| matches!(f, Fact::Admitted { .. })),
            "Asterisk did not ask the gate: is extensions_campanile.conf included, and its address that of campanile-agi?",
        ),
        (
            "it was answered and the action list ran",
            saw(|f| matches!(f, Fact::Step(_))),
            "the answered leg did not reach campanile-agi: look at Asterisk's log around this instant",
        ),
        (
            "its end was reported",
            saw(|f| matches!(f, Fact::Reported(_))),
            "the hangup handler campanile-report did not run: is the whole extensions_campanile.conf included?",
        ),
        (
            "its file was archived",
            saw(|f| matches!(f, Fact::Archived { .. })),
            "the file did not come to outgoing_done: is it owned by Asterisk's user, on the file system of outgoing?",
        ),
    ];
    for (hop, at, mend) in hops {
        match at {
            Some(at) => found.push(Finding::ok("self-test", format!("{hop}, {} ms from the planned instant", off(at)))),
            None => {
                found.push(Finding::problem("self-test", format!("not seen: {hop}"), mend));
                return found;
            }
        }
    }
    if row.disposition != Some(Disposition::Answered) {
        let told = row.disposition.map_or("no disposition".to_owned(), |d| d.to_string());
        let detail = row.detail.clone().unwrap_or_default();
        found.push(Finding::problem("self-test", format!("it ended as {told} {detail}"), "look at Asterisk's log"));
    } else if let Some(dialled_at) = row.dialled_at {
        found.push(Finding::ok(
            "self-test",
            format!("Dial was entered {} ms from the planned instant", off(dialled_at)),
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_self_test_that_is_left_early_calls_nobody_and_the_next_one_begins_anew() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(&dir.path().join("campanile.db")).unwrap();
        ledger.write(|db| stop(db)).unwrap();
        let first = ledger.write(|db| prepare(db)).unwrap();
        ledger.write(|db| stop(db)).unwrap();
        let state = ledger.read(|db| Ok(campaigns::get(db, first)?.map(|campaign| campaign.state))).unwrap();
        assert_eq!(state, Some(CampaignState::Stopped));
        assert_ne!(ledger.write(|db| prepare(db)).unwrap(), CampaignId(0));
    }
}
