//! From evidence to a closed attempt and to what follows for its contact.

use log::info;

use super::{Engine, EngineError};
use crate::daemon::port::{Entropy, SpoolPort};
use crate::domain::campaign::{Campaign, CampaignState, ContactState, RetryRules};
use crate::domain::contact::Exclusion;
use crate::domain::disposition::{Conclusion, Disposition, Planned, Verdict, conclude};
use crate::domain::evidence::Fact;
use crate::domain::ids::{AttemptId, TrunkId};
use crate::domain::instant::UtcMs;
use crate::domain::line::{self, LineRules, Onward};
use crate::domain::retry::{self, Consequence, ContactNext, Past, Rules};
use crate::domain::round::{AfterPickup, WhenDone};
use crate::ledger::attempts::{self, OpenAttempt};
use crate::ledger::breakers::{self, Turned};
use crate::ledger::contacts::Contact;
use crate::ledger::{Db, Result as LedgerResult, campaigns, causes, contacts, evidence, expiry, lines, rounds, settle};

/// The most contacts that are excluded in one transaction: while it has the ledger, no claim at the gate is admitted.
const EXCLUDED_MAX: u32 = 2_000;

/// What became of one attempt in a step.
enum Settled {
    Closed(Conclusion, Option<Turned>),
    Open {
        check_again_at: Option<UtcMs>,
        turned: Option<Turned>,
    },
    /// Closed before; evidence that came late is kept, and changes nothing.
    Known,
}

impl<S: SpoolPort, E: Entropy> Engine<S, E> {
    /// Looks at every attempt with new evidence, closes those that can be, all in one transaction.
    pub(super) fn settle(&mut self, now: UtcMs) -> Result<(), EngineError> {
        let mut ids = std::mem::take(&mut self.unsettled);
        ids.extend(self.check_again.iter().filter(|(_, at)| **at <= now).map(|(id, _)| *id));
        let seen = self.evidence_seen.unwrap_or_default();
        let (end, gate_heard_at) = self.ledger.read(|db| {
            ids.extend(evidence::attempts_since(db, seen)?);
            Ok((evidence::end(db)?, evidence::gate_heard_since(db, seen)?))
        })?;
        gate_heard_at.into_iter().for_each(|at| self.heard_the_gate(at));
        if !ids.is_empty() {
            let settled = self.ledger.write(|db| ids.iter().map(|id| Ok((*id, settle_one(db, *id, now)?))).collect());
            let settled: Vec<(AttemptId, Settled)> = settled.inspect_err(|_| self.unsettled = ids)?;
            for (id, outcome) in settled {
                self.remember(id, outcome, now);
            }
        }
        self.evidence_seen = Some(end);
        Ok(())
    }

    fn remember(&mut self, id: AttemptId, outcome: Settled, now: UtcMs) {
        self.check_again.remove(&id);
        match outcome {
            Settled::Open { check_again_at, turned } => {
                self.check_again.extend(check_again_at.map(|at| (id, at)));
                turned.into_iter().for_each(|turned| self.note_turned(&turned));
            }
            Settled::Known => self.discard_of(id),
            Settled::Closed(conclusion, turned) => {
                log_closed(id, &conclusion);
                turned.into_iter().for_each(|turned| self.note_turned(&turned));
                // A channel, a number and a contact are free again.
                self.plan_wanted = true;
                self.brake(&conclusion, now);
                self.discard_of(id);
            }
        }
    }

    /// Excludes contacts that have expired, of all campaigns; those that are in a call when the call has ended. Says when
    /// to look again, at the next expiry.
    pub(super) fn exclude_expired(&mut self, now: UtcMs) -> Result<Option<UtcMs>, EngineError> {
        let Some(next) = self.ledger.read(|db| expiry::next(db))? else { return Ok(None) };
        if next > now {
            return Ok(Some(next));
        }
        let (excluded, next) =
            self.ledger.write(|db| Ok((expiry::exclude(db, now, EXCLUDED_MAX)?, expiry::next(db)?)))?;
        info!("{excluded} contact(s) expired and are excluded");
        Ok(next)
    }

    /// Marks running campaigns that are done as completed.
    pub(super) fn complete_campaigns(&mut self, now: UtcMs) -> Result<(), EngineError> {
        if self.ledger.read(|db| campaigns::finished(db, now))?.is_empty() {
            return Ok(());
        }
        let completed = self.ledger.write(|db| {
            let finished = campaigns::finished(db, now)?;
            finished.iter().try_for_each(|campaign| complete(db, campaign, now))?;
            Ok(finished)
        })?;
        // The numbers of one that is removed go a part at a time.
        let removed = completed.iter().any(|campaign| campaign.rounds.when_done == WhenDone::Remove);
        self.round_at = if removed { Some(now) } else { self.round_at };
        for campaign in completed {
            info!("campaign {}: completed, no number is left to call or its end has come", campaign.name);
        }
        Ok(())
    }
}

/// Nothing of it is open.
fn complete(db: &Db, campaign: &Campaign, now: UtcMs) -> LedgerResult<()> {
    campaigns::set_state(db, campaign.id, CampaignState::Completed)?;
    if campaign.rounds.when_done == WhenDone::Remove {
        let name = rounds::remove_completed(db, campaign, now)?;
        info!("campaign {}: removed; its report stays as {name}", campaign.name);
    }
    Ok(())
}

fn settle_one(db: &Db, id: AttemptId, now: UtcMs) -> LedgerResult<Settled> {
    let Some(attempt) = attempts::open_one(db, id)? else { return Ok(Settled::Known) };
    let facts = evidence::of(db, id)?;
    match conclude(Planned { at: attempt.planned_at, draw: attempt.draw }, &facts, now) {
        Verdict::Open { check_again_at, .. } => {
            let is_answered = facts.iter().any(|evidence| matches!(evidence.fact, Fact::Answered));
            let turned = if is_answered { breakers::answered(db, &attempt, now)? } else { None };
            Ok(Settled::Open { check_again_at, turned })
        }
        Verdict::Closed(conclusion) => {
            settle::close(db, id, &conclusion, now)?;
            settle_contact(db, &attempt, &conclusion)?;
            let turned = breakers::count(db, &attempt, &conclusion, now)?;
            Ok(Settled::Closed(conclusion, turned))
        }
    }
}

fn settle_contact(db: &Db, attempt: &OpenAttempt, conclusion: &Conclusion) -> LedgerResult<()> {
    let Some(id) = attempt.contact else { return Ok(()) };
    let (Some(contact), Some(campaign)) = (contacts::get(db, id)?, campaigns::get(db, attempt.campaign)?) else {
        return Ok(());
    };
    let mut lines = lines::of(db, id)?;
    let retry = line::allowance(&campaign.retry, lines.len());
    let then = what_follows(db, conclusion, (&contact, attempt.trunk), (&campaign, &retry))?;
    if !campaign.further_trunks.is_empty() && conclusion.not_dialled.is_none() {
        let failed = Some(attempt.trunk).filter(|_| conclusion.disposition == Disposition::TrunkFailure);
        contacts::note_failed_trunk(db, id, failed)?;
    }
    let next_number_after_s = campaign.contacts.next_number_after_s;
    let rules =
        LineRules { retry: &retry, outcome: &campaign.outcome, next_number_after_s, calendar: &campaign.calendar };
    let Onward { consequence: then, moved_to } = line::after(conclusion, &contact.number, &mut lines, then, &rules);
    let (state, due_at) = match then.next {
        ContactNext::Reached => (ContactState::Reached, None),
        ContactNext::Failed(_) if line::are_stopped(&lines) => {
            lines::note_excluded(db, id, Exclusion::NumbersStopped)?;
            (ContactState::Excluded, None)
        }
        ContactNext::Failed(why) => {
            contacts::note_failed(db, id, why)?;
            (ContactState::Failed, None)
        }
        ContactNext::Excluded => {
            lines::note_excluded(db, id, Exclusion::DoNotCall)?;
            (ContactState::Excluded, None)
        }
        // A call that was planned ahead and not made leaves the number its time: a retry is not called early.
        ContactNext::Again { due_at } if conclusion.not_dialled.is_some() => {
            (ContactState::Waiting, contact.due_at.max(Some(due_at)))
        }
        ContactNext::Again { due_at } => (ContactState::Waiting, Some(due_at)),
    };
    if state == ContactState::Reached && campaign.rounds.after_pickup == AfterPickup::Delete {
        return rounds::delete_picked_up(db, campaign.id, id);
    }
    let result_until = retry::result_until(conclusion, &campaign.outcome);
    if result_until != contact.result_until {
        contacts::await_result(db, id, result_until)?;
    }
    contacts::settle(db, id, state, due_at, then.tally, conclusion.disposition)?;
    lines::settle(db, id, &lines, moved_to)
}

/// What follows for a contact by its campaign's rules, with the cause counted that decided.
fn what_follows(
    db: &Db,
    conclusion: &Conclusion,
    (contact, trunk): (&Contact, TrunkId),
    (campaign, retry): (&Campaign, &RetryRules),
) -> LedgerResult<Consequence> {
    let table = causes::table(db, campaign.id)?;
    let cause = table.rule_for(conclusion).map(|(cause, _)| cause);
    let of_this_cause = cause.map(|cause| causes::came(db, contact.id, cause)).transpose()?.unwrap_or_default();
    if let Some(cause) = cause {
        causes::count(db, contact.id, cause)?;
    }
    let rules = Rules { retry, outcome: &campaign.outcome, causes: &table };
    let past = Past { tally: contact.tally, of_this_cause, next_trunk: campaign.next_trunk(trunk) };
    Ok(retry::after(conclusion, past, rules, &campaign.calendar))
}

fn log_closed(id: AttemptId, conclusion: &Conclusion) {
    let detail = conclusion.detail.as_deref().unwrap_or_default();
    let (cause, sip) = (conclusion.cause.unwrap_or_default(), conclusion.sip_code.unwrap_or_default());
    match conclusion.disposition {
        Disposition::NotDialled => info!("attempt {id}: closed, not dialled: {detail}"),
        disposition => info!("attempt {id}: closed, {disposition}, cause {cause}, sip {sip} {detail}"),
    }
}
