//! Circuit breakers of trunks: what their calls came to lately, and whether one is open.
//!
//! What a call costs here does not grow with what goes over the trunk: the window is kept as a few sums.

use rusqlite::{Connection, Row, params};

use super::attempts::{self, OpenAttempt};
use super::rows::{collect, first, instant_or_null, parsed_or_null};
use super::{Result, campaigns, trunks};
use crate::domain::breaker::{Breaker, BreakerRules, BreakerState, Carriage, Heed, LineLeave, Share};
use crate::domain::disposition::Conclusion;
use crate::domain::ids::{AttemptId, TrunkId};
use crate::domain::instant::UtcMs;

/// A trunk's breaker as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whose.
    pub trunk: TrunkId,
    /// When it opens, and for how long.
    pub rules: BreakerRules,
    /// How it stands.
    pub breaker: Breaker,
}

impl Standing {
    /// Which calls may go over the trunk.
    #[must_use]
    pub fn leave(&self, now: UtcMs) -> LineLeave {
        self.breaker.leave(self.rules, now)
    }
}

const STANDING: &str =
    "SELECT t.id, t.breaker_failures_percent, t.breaker_window_s, t.breaker_calls_min, t.breaker_rest_s,
    b.state, b.since_at, b.trial FROM trunks t LEFT JOIN breakers b ON b.trunk = t.id";

/// The rules in a trunk's row; `None` without a breaker.
pub(super) fn read_rules(row: &Row<'_>) -> Result<Option<BreakerRules>> {
    let percent: Option<u32> = row.get("breaker_failures_percent")?;
    let Some(failures_percent) = percent else { return Ok(None) };
    Ok(Some(BreakerRules {
        failures_percent,
        window_s: row.get("breaker_window_s")?,
        calls_min: row.get("breaker_calls_min")?,
        rest_s: row.get("breaker_rest_s")?,
    }))
}

fn read(row: &Row<'_>) -> Result<Option<Standing>> {
    let Some(rules) = read_rules(row)? else { return Ok(None) };
    let (state, since) = (parsed_or_null::<BreakerState>(row, "state")?, instant_or_null(row, "since_at")?);
    let trial: Option<i64> = row.get("trial")?;
    let breaker = match state.zip(since) {
        None => Breaker::default(),
        Some((BreakerState::Closed, since)) => Breaker::Closed { since: Some(since) },
        Some((BreakerState::Open | BreakerState::HalfOpen, since)) => {
            Breaker::Open { since, trial: trial.map(AttemptId) }
        }
    };
    Ok(Some(Standing { trunk: TrunkId(row.get("id")?), rules, breaker }))
}

/// How the breaker of a trunk stands; `None` when it has none.
pub fn of(db: &Connection, trunk: TrunkId) -> Result<Option<Standing>> {
    let mut statement = db.prepare_cached(&format!("{STANDING} WHERE t.id = ?1"))?;
    Ok(first(statement.query([trunk.0])?, read)?.flatten())
}

/// Which of the calls that its breaker binds may go over a trunk.
pub fn leave(db: &Connection, trunk: TrunkId, now: UtcMs) -> Result<LineLeave> {
    Ok(of(db, trunk)?.map_or(LineLeave::All, |standing| standing.leave(now)))
}

/// As [`leave`], for one who plans: a trial that is planned already is as good as one under way.
pub fn leave_to_plan(db: &Connection, trunk: TrunkId, now: UtcMs) -> Result<LineLeave> {
    match leave(db, trunk, now)? {
        LineLeave::OneCall { .. } if !attempts::bound_over(db, trunk)?.is_empty() => Ok(LineLeave::Nothing),
        leave => Ok(leave),
    }
}

/// Those that are open.
fn open(db: &Connection) -> Result<Vec<Standing>> {
    let mut statement = db.prepare_cached(&format!("{STANDING} WHERE b.state = 'open'"))?;
    Ok(collect(statement.query([])?, read)?.into_iter().flatten().collect())
}

/// Attempts that the gate has not admitted and would not, over trunks whose breakers are open: all but the first that
/// may be a trial.
pub fn to_withdraw(db: &Connection, now: UtcMs) -> Result<Vec<OpenAttempt>> {
    let mut withdrawn = Vec::new();
    for standing in open(db)? {
        let mut planned = attempts::bound_over(db, standing.trunk)?;
        let leave = standing.leave(now);
        if let Some(trial) = planned.iter().position(|attempt| leave.admits(attempt.planned_at)) {
            planned.remove(trial);
        }
        withdrawn.extend(planned);
    }
    Ok(withdrawn)
}

/// The calls in the window of a trunk at `now`.
pub fn share(db: &Connection, trunk: TrunkId, rules: BreakerRules, now: UtcMs) -> Result<Share> {
    let sql = "SELECT coalesce(sum(calls), 0), coalesce(sum(failures), 0) FROM breaker_spans
        WHERE trunk = ?1 AND span_at >= ?2 AND span_at <= ?3";
    let window = params![trunk.0, rules.first_span(now).0, now.0];
    Ok(db.prepare_cached(sql)?.query_row(window, |row| Ok(Share { calls: row.get(0)?, failures: row.get(1)? }))?)
}

/// Notes that the gate admitted an attempt over a trunk that lets one through only.
pub(super) fn begin_trial(db: &Connection, trunk: TrunkId, attempt: AttemptId) -> Result<()> {
    let sql = "UPDATE breakers SET trial = ?2 WHERE trunk = ?1 AND state = 'open'";
    db.prepare_cached(sql)?.execute([trunk.0, attempt.0])?;
    Ok(())
}

/// A breaker that opened or closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turned {
    /// Whose, by name.
    pub trunk: String,
    /// How it stands now.
    pub breaker: Breaker,
    /// When it opens, and for how long.
    pub rules: BreakerRules,
    /// What opened it; nothing after a trial.
    pub share: Share,
}

/// Counts a concluded attempt, in the transaction that closes it. Says whether a breaker opened or closed.
pub fn count(db: &Connection, attempt: &OpenAttempt, call: &Conclusion, now: UtcMs) -> Result<Option<Turned>> {
    let Some(standing) = of(db, attempt.trunk)? else { return Ok(None) };
    let carriage = Carriage::of(call.disposition);
    if matches!(standing.breaker, Breaker::Open { trial, .. } if trial == Some(attempt.id)) {
        return end_trial(db, standing, carriage, now);
    }
    if campaigns::heed(db, attempt.campaign)? == Heed::Exempt {
        return Ok(None);
    }
    let dialled_at = call.dialled_at.unwrap_or(call.ended_at);
    if carriage == Carriage::Unknown || !standing.breaker.counts(dialled_at, now) {
        return Ok(None);
    }
    add(db, standing, carriage, call.ended_at.min(now), now)?;
    let share = share(db, standing.trunk, standing.rules, now)?;
    turn(db, standing, standing.breaker.after_count(standing.rules, share, now), share)
}

/// A trial was answered: that is enough to know, however long it lasts.
pub fn answered(db: &Connection, attempt: &OpenAttempt, now: UtcMs) -> Result<Option<Turned>> {
    match of(db, attempt.trunk)? {
        Some(standing @ Standing { breaker: Breaker::Open { trial: Some(trial), .. }, .. }) if trial == attempt.id => {
            end_trial(db, standing, Carriage::Carried, now)
        }
        _ => Ok(None),
    }
}

fn end_trial(db: &Connection, standing: Standing, carriage: Carriage, now: UtcMs) -> Result<Option<Turned>> {
    turn(db, standing, standing.breaker.after_trial(carriage, now), Share::default())
}

fn add(
    db: &Connection,
    Standing { trunk, rules, .. }: Standing,
    carriage: Carriage,
    at: UtcMs,
    now: UtcMs,
) -> Result<()> {
    // What is later than now was counted before the clock was set back.
    let sql = "DELETE FROM breaker_spans WHERE trunk = ?1 AND (span_at < ?2 OR span_at > ?3)";
    db.prepare_cached(sql)?.execute([trunk.0, rules.first_span(now).0, now.0])?;
    let sql = "INSERT INTO breaker_spans (trunk, span_at, calls, failures) VALUES (?1, ?2, 1, ?3)
        ON CONFLICT (trunk, span_at) DO UPDATE SET calls = calls + 1, failures = failures + excluded.failures";
    let failures = i64::from(carriage == Carriage::Failed);
    db.prepare_cached(sql)?.execute([trunk.0, rules.span_of(at).0, failures])?;
    Ok(())
}

/// Keeps how a breaker stands now, if that is new. Either way it turns, its window begins anew.
fn turn(db: &Connection, was: Standing, breaker: Breaker, share: Share) -> Result<Option<Turned>> {
    if breaker == was.breaker {
        return Ok(None);
    }
    let (state, since, trial) = match breaker {
        Breaker::Closed { since } => (BreakerState::Closed, since.unwrap_or(UtcMs(0)), None),
        Breaker::Open { since, trial } => (BreakerState::Open, since, trial),
    };
    let sql = "INSERT INTO breakers (trunk, state, since_at, trial) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (trunk)
        DO UPDATE SET state = excluded.state, since_at = excluded.since_at, trial = excluded.trial";
    db.prepare_cached(sql)?.execute(params![was.trunk.0, state.as_str(), since.0, trial.map(|id| id.0)])?;
    db.prepare_cached("DELETE FROM breaker_spans WHERE trunk = ?1")?.execute([was.trunk.0])?;
    let trunk = trunks::get(db, was.trunk)?.name.to_string();
    Ok(Some(Turned { trunk, breaker, rules: was.rules, share }))
}

/// Begins anew: nothing is known of what went over the trunk.
pub fn forget(db: &Connection, trunk: TrunkId) -> Result<()> {
    db.prepare_cached("DELETE FROM breakers WHERE trunk = ?1")?.execute([trunk.0])?;
    db.prepare_cached("DELETE FROM breaker_spans WHERE trunk = ?1")?.execute([trunk.0])?;
    Ok(())
}
