//! Calls that are planned, and the desk that claims them.

use std::path::Path;
use std::sync::mpsc::channel;
use std::time::Duration;

use campanile::clock;
use campanile::domain::campaign::CampaignState;
use campanile::domain::ids::{AttemptId, ContactId, Ticket};
use campanile::domain::instant::UtcMs;
use campanile::domain::number::{Number, Packed};
use campanile::ledger::attempts::Intent;
use campanile::ledger::calls::CallDesk;
use campanile::ledger::claims::ServerRate;
use campanile::ledger::{Db, Ledger, Result, attempts, campaigns, contacts, importing, trunks};

use crate::machine::{CAMPAIGN, done};
use crate::wall_clock;

/// No claim waits for its turn.
pub const RATE: ServerRate = ServerRate(u32::MAX);

/// How far ahead the calls are planned: the gate refuses late ones, and holding is not what is measured.
const AHEAD_MS: i64 = 600_000;

/// Plans `count` calls, in the ledger of a fresh machine.
#[must_use]
pub fn planned(ledger: &Path, count: usize) -> Vec<AttemptId> {
    let mut connection = done(ledger, Ledger::open(ledger));
    done(ledger, connection.write(|db| plan(db, count, clock::now().plus_ms(AHEAD_MS))))
}

fn plan(db: &Db, count: usize, at: UtcMs) -> Result<Vec<AttemptId>> {
    let Some(campaign) = campaigns::find(db, CAMPAIGN)? else { return Ok(Vec::new()) };
    let trunk = trunks::get(db, campaign.trunk)?;
    campaigns::set_state(db, campaign.id, CampaignState::Running)?;
    let numbers: Vec<Number> = (0..count).filter_map(|n| Number::from_canonical(&format!("+4989{n:08}"))).collect();
    let packed: Vec<Packed> = numbers.iter().map(Packed::from).collect();
    let before = contacts::last_id(db)?;
    importing::add_all(db, campaign.id, &packed, before)?;
    let intent = |(contact, number): (i64, Number)| Intent {
        ticket: Ticket::new(i128::to_le_bytes(contact.into())),
        spool_salt: 0,
        campaign: campaign.id,
        contact: ContactId(contact),
        trunk: campaign.trunk,
        planned_at: at,
        dial_string: trunk.template.dial_string(&number),
        number,
        wait_time_s: 30,
        caller_number: None,
        caller_name: None,
        account: None,
        actions: None,
        variables: Default::default(),
        invite: Default::default(),
        draw: Default::default(),
    };
    let intents: Vec<Intent> = (before.0 + 1..).zip(numbers).map(intent).collect();
    let planned = attempts::record_intents(db, &intents)?;
    planned.iter().try_for_each(|attempt| attempts::mark_spooled(db, *attempt))?;
    Ok(planned)
}

/// The desk that the FastAGI server uses.
#[must_use]
pub fn open(ledger: &Path) -> CallDesk {
    done(ledger, CallDesk::open(ledger, RATE, || {}))
}

/// Claims an attempt, and says how long that took until it was durable.
///
/// # Panics
/// When the gate refuses.
#[must_use]
pub fn claimed(desk: &CallDesk, attempt: AttemptId) -> Duration {
    let begun = wall_clock();
    let (answer, answers) = channel();
    desk.claim(attempt, move |verdict| {
        let _waits_below = answer.send(verdict);
    });
    let verdict = answers.recv();
    assert!(matches!(verdict, Ok(Ok(Ok(_)))), "a claim was refused: {verdict:?}");
    begun.elapsed()
}
