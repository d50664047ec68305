//! Who may not be called though they wait: do-not-call lists, calls that were too many, calls that are used up.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::dnc::{self, Caller, Stock};
use super::rows::collect;
use super::{Result, contacts, lines};
use crate::domain::bar::{Bar, FrequencyCap};
use crate::domain::campaign::{Campaign, ContactState};
use crate::domain::ids::{CampaignId, ContactId};
use crate::domain::instant::UtcMs;
use crate::domain::line;
use crate::domain::number::Number;
use crate::domain::plan::{Candidate, Plan, Why};
use crate::domain::retry::{ContactTally, used_up};

/// The most candidates of a campaign that a plan looks at, where those that may not be called crowd out the others.
const LOOKED_AT_MAX: u32 = 1_000;

/// The barred candidates of a plan.
pub type Barred = BTreeMap<(CampaignId, ContactId), Bar>;

/// Whom a call would go to.
#[derive(Debug, Clone, Copy)]
pub struct Callee<'a> {
    /// The number.
    pub number: &'a Number,
    /// What the contact's calls have cost so far.
    pub tally: ContactTally,
    /// How many numbers the contact has: each brings a call.
    pub numbers: usize,
}

impl<'a> Callee<'a> {
    /// A contact as it stands, with the number that is to be called.
    pub fn of(db: &Connection, contact: ContactId, number: &'a Number) -> Result<Self> {
        Ok(Self { number, tally: contacts::tally(db, contact)?, numbers: lines::count(db, contact)? })
    }
}

/// What bars calls at an instant: read once for a plan or a claim.
#[derive(Debug, Clone, Copy)]
pub struct Bars {
    now: UtcMs,
    stock: Stock,
    frequency: Option<FrequencyCap>,
}

impl Bars {
    /// As it is at `now`.
    pub fn read(db: &Connection, frequency: Option<FrequencyCap>, now: UtcMs) -> Result<Self> {
        Ok(Self { now, stock: Stock::read(db)?, frequency })
    }

    /// What bars a contact of this campaign from a call to this number at `at`, as far as is known now.
    pub fn of(self, db: &Connection, campaign: &Campaign, callee: Callee, at: UtcMs) -> Result<Option<Bar>> {
        let Callee { number, tally, numbers } = callee;
        if let Some(listed) = dnc::listed(db, self.stock, Caller::of(campaign), number, at)? {
            return Ok(Some(Bar::DoNotCall(listed)));
        }
        let retry = line::allowance(&campaign.retry, numbers);
        if let Some(why) = used_up(tally, &retry, &campaign.outcome) {
            return Ok(Some(Bar::CallsUsedUp(why)));
        }
        let Some(cap) = self.frequency else { return Ok(None) };
        let full = cap.full_until(&last_dials(db, number, cap, at)?, self.now, at);
        Ok(full.map(|until| Bar::FrequencyCap { until }))
    }

    /// The candidates of a campaign that `wanted` gives, `room` of them callable if there are so many within
    /// [`LOOKED_AT_MAX`]; those that are barred are among them, and noted.
    pub fn screen(
        self,
        db: &Connection,
        campaign: &Campaign,
        room: u32,
        barred: &mut Barred,
        wanted: impl Fn(u32) -> Result<Vec<Candidate>>,
    ) -> Result<Vec<Candidate>> {
        let mut limit = room;
        loop {
            let candidates = wanted(limit)?;
            let mut found = self.barred(db, campaign, &candidates)?;
            let seen = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
            if found.is_empty() || seen < limit || limit >= LOOKED_AT_MAX {
                barred.append(&mut found);
                return Ok(candidates);
            }
            limit = limit.saturating_mul(4).min(LOOKED_AT_MAX);
        }
    }

    /// A fresh number, where there are neither lists nor a cap, costs no look.
    fn barred(self, db: &Connection, campaign: &Campaign, candidates: &[Candidate]) -> Result<Barred> {
        let numbers_matter = !self.stock.is_empty() || self.frequency.is_some();
        let mut found = Barred::new();
        for candidate in candidates.iter().filter(|candidate| numbers_matter || candidate.due_at.is_some()) {
            // A bar that is lifted by the time that the candidate is due bars no call.
            let number = &candidate.number;
            let (callee, at) = match candidate.due_at {
                None => (Callee { number, tally: ContactTally::default(), numbers: 1 }, self.now),
                Some(due_at) => (Callee::of(db, candidate.contact, number)?, due_at.max(self.now)),
            };
            if let Some(bar) = self.of(db, campaign, callee, at)? {
                found.insert((campaign.id, candidate.contact), bar);
            }
        }
        Ok(found)
    }
}

pub(super) const LAST_DIALS: &str = "SELECT at FROM (
        SELECT id, dialled_at AS at FROM attempts
        WHERE number = ?1 AND closed_at IS NOT NULL AND dialled_at > ?2
        UNION ALL
        SELECT id, start_at AS at FROM attempts WHERE number = ?1 AND closed_at IS NULL AND state = 'claimed'
    ) ORDER BY id DESC LIMIT ?3";

/// The instants of the last calls to a number that count by `cap`, newest first, over all campaigns: as many as it
/// takes to be full. An open call that the gate has admitted counts, too.
fn last_dials(db: &Connection, number: &Number, cap: FrequencyCap, at: UtcMs) -> Result<Vec<UtcMs>> {
    let values = params![number.as_str(), cap.since(at).0, cap.attempts_max];
    collect(db.prepare_cached(LAST_DIALS)?.query(values)?, |row| Ok(UtcMs(row.get(0)?)))
}

/// Takes the contacts out of the way that a plan found barred: for good, or until they may be called. Says how many.
pub fn set_aside(db: &Connection, plan: &Plan) -> Result<u32> {
    let mut aside = 0;
    for waiting in &plan.waiting {
        match waiting.why {
            Why::DoNotCall { until: None } => lines::exclude_listed(db, waiting.contact)?,
            Why::CallsUsedUp(why) => {
                contacts::note_failed(db, waiting.contact, why)?;
                contacts::end_waiting(db, waiting.contact, ContactState::Failed)?;
            }
            Why::DoNotCall { until: Some(until) } | Why::FrequencyCap { until } => {
                contacts::put_off(db, waiting.contact, until)?;
            }
            _ => continue,
        }
        aside += 1;
    }
    Ok(aside)
}
