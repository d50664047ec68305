//! Plan, check the plan, make it durable, carry it out: intent → file → spooled.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use log::{debug, error, info};

use super::resting::{Leave, REST_MS};
use super::sharing::give_way;
use super::{Engine, EngineError};
use crate::daemon::port::{Entropy, PortError, Publication, SpoolPort};
use crate::domain::attempt::OVERDUE_MS;
use crate::domain::campaign::Campaign;
use crate::domain::evidence::{Evidence, Fact};
use crate::domain::ids::{AttemptId, CampaignId, Ticket, TrunkId};
use crate::domain::instant::UtcMs;
use crate::domain::plan::sharing::{Giving, Starved, starved};
use crate::domain::plan::{self, Plan, PlannedCall, Snapshot, pace};
use crate::domain::traffic::{DICE_BYTES, Draw, Nature};
use crate::domain::trunk::Trunk;
use crate::domain::why::RestWhy;
use crate::ledger::attempts::{Intent, OpenAttempt};
use crate::ledger::details::{self, Details};
use crate::ledger::snapshot::{PlanLimits, take};
use crate::ledger::{Db, LedgerError, Result as LedgerResult, attempts, bars, campaigns, evidence, trunks, zones};
use crate::spool::SpoolName;

/// The most calls of one plan, and so of one transaction: while it has the ledger, no claim at the gate is admitted,
/// and a claim has 100 ms. The next plan follows at once.
const CALLS_PER_PLAN: u32 = 250;

/// The most looks at the plan in one step, and when the next step looks again: a long list of which nobody may be
/// called any more must not keep the engine from all else.
const LOOKS_MAX: u32 = 16;
const LOOK_AGAIN_MS: i64 = 50;

/// The most contacts of which a plan finds out where they are: those that were imported before that was noted. While it
/// has the ledger, no claim at the gate is admitted.
const FOUND_OUT_MAX: u32 = 2_000;
/// When it goes on.
const FIND_OUT_AGAIN_MS: i64 = 1_000;

/// Whether there may be more to plan.
enum Looked {
    /// The plan was full.
    Further,
    /// Nothing more before `wake_at`, as far as time alone decides.
    Done { wake_at: Option<UtcMs> },
}

/// What came of one look at the plan.
enum Planned {
    /// These are durable; their files are to be published.
    /// What gives way to a higher priority is withdrawn afterwards.
    Intents {
        publications: Vec<Publication>,
        wake_at: Option<UtcMs>,
        starved: Vec<Starved>,
        give_way: Vec<OpenAttempt>,
        set_aside: u32,
    },
    /// Asterisk leaves due files lying: nothing further is planned.
    Stalled { overdue: usize },
    /// The second opinion refused the plan.
    Refused(String),
}

/// Whether all files of a plan came into the spool.
enum Published {
    All,
    NotAll,
}

impl<S: SpoolPort, E: Entropy> Engine<S, E> {
    /// Plans up to the end of the interval, and returns when time alone calls for another look.
    pub(super) fn plan(&mut self, now: UtcMs) -> Result<Option<UtcMs>, EngineError> {
        let leave = self.resting.leave(now);
        if let Leave::Nothing { until } = leave {
            return Ok(Some(until));
        }
        // Read in this very step.
        if self.sharing.nobody_runs() {
            self.note_stalled(0);
            return Ok(None);
        }
        if !self.spool_takes_files() {
            return Ok(Some(self.rest(RestWhy::Spool, now)));
        }
        for _look in 0..LOOKS_MAX {
            let leave = self.resting.leave(now);
            if let Leave::Nothing { until } = leave {
                return Ok(Some(until));
            }
            if let Looked::Done { wake_at } = self.plan_some(leave, now)? {
                return Ok(wake_at);
            }
        }
        Ok(Some(now.plus_ms(LOOK_AGAIN_MS)))
    }

    /// Plans at most [`CALLS_PER_PLAN`] calls, durably, and publishes their files.
    fn plan_some(&mut self, leave: Leave, now: UtcMs) -> Result<Looked, EngineError> {
        let (limits, giving) = (self.plan_limits(now), self.sharing.giving(now));
        let entropy = &mut self.entropy;
        let (resting, begun) = (&self.resting, &self.begun_unasked);
        let stalls = |attempt: &(AttemptId, UtcMs)| !(begun.contains(&attempt.0) && resting.rules_out(attempt.1, now));
        let planned = self.ledger.write(|db| {
            let overdue = attempts::overdue(db, now.plus_ms(-OVERDUE_MS))?.iter().filter(|a| stalls(a)).count();
            if overdue > 0 {
                Ok(Planned::Stalled { overdue })
            } else {
                plan_durably(db, &limits, (leave, giving), entropy)
            }
        })?;
        match planned {
            Planned::Refused(breach) => {
                error!("{}", EngineError::Plan(breach.clone()));
                Err(EngineError::Plan(breach))
            }
            Planned::Stalled { overdue } => {
                self.note_stalled(overdue);
                Ok(Looked::Done { wake_at: None })
            }
            Planned::Intents { publications, wake_at, starved, give_way, set_aside } => {
                self.note_stalled(0);
                let outcome = self.publish(&publications, now)?;
                if !give_way.is_empty() {
                    debug!("{} planned call(s) give way to campaigns of a higher priority", give_way.len());
                    self.sharing.note_given_way(now);
                    self.withdraw(give_way, now)?;
                    return Ok(Looked::Done { wake_at: Some(now) });
                }
                let trial = leave != Leave::All && !publications.is_empty();
                if publications.len() >= CALLS_PER_PLAN as usize || (set_aside > 0 && !trial) {
                    return Ok(Looked::Further);
                }
                let soon = self.after_trial(leave, &publications, outcome, now);
                let soon = soon.or(self.share_with_the_starved(&starved, now)?);
                Ok(Looked::Done { wake_at: soon.or(wake_at) })
            }
        }
    }

    /// Of a trial: when to look at what came of it; the spool's is over as soon as the file is there.
    fn after_trial(
        &mut self,
        leave: Leave,
        publications: &[Publication],
        outcome: Published,
        now: UtcMs,
    ) -> Option<UtcMs> {
        let (Leave::OneCall(why), Some(tried), Published::All) = (leave, publications.first(), outcome) else {
            return None;
        };
        match why {
            RestWhy::Spool => {
                self.end_rest();
                Some(now)
            }
            RestWhy::Gate => Some(self.rest_after_trial(why, tried.start_at, now)),
        }
    }

    /// Tries the spool with a file that nobody sees, before a plan that would be for nothing. Says once
    /// what is wrong with it, and once that it is well again.
    fn spool_takes_files(&mut self) -> bool {
        let problem = self.spool.probe().err().map(|problem| problem.0);
        if problem != self.spool_trouble {
            match &problem {
                Some(problem) => error!(
                    "no call is planned, because no call file could be published: {problem}. Make room or make it \
                     writable; it is tried again every {} s",
                    REST_MS / 1000
                ),
                None => info!("the spool takes files again, and planning goes on"),
            }
            self.spool_trouble = problem;
        }
        self.spool_trouble.is_none()
    }

    fn plan_limits(&self, now: UtcMs) -> PlanLimits {
        let horizon = pace::interval_end(now, self.limits.cron_interval);
        let ms = horizon.since_ms(now).max(0);
        let slots = u32::try_from(ms * i64::from(self.limits.calls_one_time) / 60_000 + 1).unwrap_or(u32::MAX);
        PlanLimits {
            now,
            horizon,
            calls_one_time: self.limits.calls_one_time,
            channels_max: self.limits.channels_max,
            spool_files_max: self.limits.spool_files_max,
            calls_max: CALLS_PER_PLAN,
            slots,
            frequency: self.limits.frequency,
            legal: self.limits.legal.clone(),
        }
    }

    /// Publishes each file, then marks them; a crash in between is mended by the next reconcile.
    fn publish(&mut self, publications: &[Publication], now: UtcMs) -> Result<Published, EngineError> {
        if publications.is_empty() {
            return Ok(Published::All);
        }
        let outcomes: Vec<_> = publications.iter().map(|p| (p.file.attempt(), self.spool.publish(p))).collect();
        self.ledger.write(|db| {
            for (attempt, outcome) in &outcomes {
                match outcome {
                    Ok(()) => attempts::mark_spooled(db, *attempt)?,
                    Err(problem) => {
                        let fact = Fact::NotPublished { error: problem.to_string() };
                        evidence::append(db, *attempt, &Evidence { at: now, fact })?;
                    }
                }
            }
            Ok(())
        })?;
        for publication in publications {
            debug!("attempt {}: planned for {}", publication.file.attempt(), publication.start_at);
        }
        info!("planned {} call(s), the first for {}", publications.len(), publications[0].start_at);
        let failed = outcomes.iter().filter_map(|(attempt, outcome)| Some((*attempt, outcome.as_ref().err()?)));
        Ok(self.rest_after(&failed.collect::<Vec<_>>(), now))
    }

    /// Has unpublished attempts closed at once, and rests planning: otherwise a full disk would use up
    /// the whole list, a plan at a time.
    fn rest_after(&mut self, failed: &[(AttemptId, &PortError)], now: UtcMs) -> Published {
        let Some((first, problem)) = failed.first() else { return Published::All };
        error!(
            "{} call file(s) were not published, the first that of attempt {first}: {problem}; planning rests for {} s",
            failed.len(),
            REST_MS / 1000
        );
        self.check_again.extend(failed.iter().map(|(attempt, _)| (*attempt, now)));
        self.rest(RestWhy::Spool, now);
        Published::NotAll
    }
}

/// One transaction from the look at the ledger to the durable intents: nothing can change in between.
fn plan_durably(
    db: &Db,
    limits: &PlanLimits,
    (leave, giving): (Leave, Giving),
    entropy: &mut impl Entropy,
) -> LedgerResult<Planned> {
    let running = campaigns::running(db)?;
    let found_out = zones::find_out(db, &running, &limits.legal, FOUND_OUT_MAX)?;
    let snapshot = take(db, &running, limits)?;
    let mut plan = plan::plan(&snapshot);
    if let Some(breach) = plan::check::check(&snapshot, &plan).first() {
        return Ok(Planned::Refused(format!("{breach:?}")));
    }
    let give_way = match (leave, giving) {
        (Leave::All, Giving::Now) => give_way(db, &snapshot, &mut plan)?,
        _ => Vec::new(),
    };
    if let Leave::OneCall(_) = leave {
        plan.calls.truncate(1);
    }
    let publications = record(db, (&running, &plan), entropy)?;
    let starved = if leave == Leave::All { starved(&snapshot, &plan) } else { Vec::new() };
    log_reasons(&snapshot, &plan);
    // Whoever may not be called makes room, and another look follows.
    let set_aside = bars::set_aside(db, &plan)?;
    let soon = (found_out >= FOUND_OUT_MAX).then(|| limits.now.plus_ms(FIND_OUT_AGAIN_MS));
    let wake_at = [plan.wake_at, soon].into_iter().flatten().min();
    Ok(Planned::Intents { publications, wake_at, starved, give_way, set_aside })
}

/// Random bytes: its ticket, and the salt of its file name.
const BYTES_OF_A_CALL: usize = 16 + 4;

fn record(
    db: &Db,
    (running, plan): (&[Campaign], &Plan),
    entropy: &mut impl Entropy,
) -> LedgerResult<Vec<Publication>> {
    let campaigns: BTreeMap<CampaignId, &Campaign> = running.iter().map(|campaign| (campaign.id, campaign)).collect();
    let mut trunks: BTreeMap<TrunkId, Trunk> = BTreeMap::new();
    let mut intents = Vec::with_capacity(plan.calls.len());
    let mut random = vec![0; plan.calls.len() * BYTES_OF_A_CALL];
    entropy.fill(&mut random).map_err(|error| LedgerError::Abandoned(error.to_string()))?;
    for (call, random) in plan.calls.iter().zip(random.as_chunks().0) {
        let campaign = campaigns[&call.campaign];
        let trunk = match trunks.entry(call.trunk) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(trunks::get(db, call.trunk)?),
        };
        let contact = details::of(db, call.contact)?;
        let draw = draw(campaign, &contact, entropy)?;
        intents.push(freeze(call, (campaign, trunk), (contact, draw), *random));
    }
    let attempts = attempts::record_intents(db, &intents)?;
    let served: BTreeMap<CampaignId, UtcMs> = plan.calls.iter().map(|call| (call.campaign, call.start_at)).collect();
    served.into_iter().try_for_each(|(campaign, last)| campaigns::set_served(db, campaign, last))?;
    let publication = |(attempt, intent): (AttemptId, &Intent)| Publication {
        file: SpoolName::new(attempt, intent.spool_salt),
        ticket: intent.ticket,
        wait_time_s: intent.wait_time_s,
        start_at: intent.planned_at,
    };
    Ok(attempts.into_iter().zip(&intents).map(publication).collect())
}

/// What is made up for a call: once and for all, since it is frozen with it. Others roll no dice.
fn draw(campaign: &Campaign, contact: &Details, entropy: &mut impl Entropy) -> LedgerResult<Draw> {
    if campaign.traffic.nature() == Nature::Genuine {
        return Ok(Draw::default());
    }
    let mut dice = [0; DICE_BYTES];
    entropy.fill(&mut dice).map_err(|error| LedgerError::Abandoned(error.to_string()))?;
    Ok(campaign.traffic.draw(contact.duration_ms, campaign.retry.wait_time_s, dice))
}

/// The call with everything that it will need, as it is now.
fn freeze(
    call: &PlannedCall,
    (campaign, trunk): (&Campaign, &Trunk),
    (contact, draw): (Details, Draw),
    random: [u8; BYTES_OF_A_CALL],
) -> Intent {
    let [ticket @ .., s0, s1, s2, s3] = random;
    // A caller id of its own takes the place of the campaign's as a whole.
    let own_caller = contact.caller_number.is_some();
    let (caller_number, caller_name) = if own_caller {
        (contact.caller_number, contact.caller_name)
    } else {
        (campaign.caller_number.clone(), campaign.caller_name.clone())
    };
    Intent {
        ticket: Ticket::new(ticket),
        spool_salt: u32::from_le_bytes([s0, s1, s2, s3]),
        campaign: call.campaign,
        contact: call.contact,
        trunk: call.trunk,
        number: call.number.clone(),
        planned_at: call.start_at,
        dial_string: trunk.template.dial_string(&call.number),
        wait_time_s: campaign.retry.wait_time_s,
        caller_number,
        caller_name,
        account: trunk.account.clone(),
        actions: campaign.actions,
        variables: contact.variables.before(&campaign.variables),
        invite: campaign.traffic.invite.clone(),
        draw,
    }
}

fn log_reasons(snapshot: &Snapshot, plan: &Plan) {
    let considered: usize = snapshot.campaigns.iter().map(|c| c.candidates.len()).sum();
    debug!("planned {} of {considered} considered, {} wait", plan.calls.len(), plan.waiting.len());
}
