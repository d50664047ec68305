//! A ledger in memory.

use std::sync::{Arc, Mutex};

use campanile::clock;
use campanile::domain::attempt::{Order, OrderPart};
use campanile::domain::evidence::{Evidence, Fact};
use campanile::domain::gate::Refusal;
use campanile::domain::ids::{AttemptId, Ticket};
use campanile::domain::instant::UtcMs;
use campanile_agi::server::Desk;
use campanile_agi::session::LedgerDown;

/// Admits each of its orders once; what was recorded can be looked at.
#[derive(Clone, Default)]
pub struct MemoryDesk(Arc<Mutex<Memory>>);

#[derive(Default)]
struct Memory {
    orders: Vec<Order>,
    claimed: Vec<AttemptId>,
    facts: Vec<(AttemptId, Fact)>,
    refuses: Option<Refusal>,
    down: bool,
    /// So many facts are not taken.
    full_for: usize,
    /// Never answers.
    stuck: bool,
}

impl MemoryDesk {
    pub fn expect(&self, order: &Order) {
        self.0.lock().unwrap().orders.push(order.clone());
    }

    pub fn refuse(&self, why: Refusal) {
        self.0.lock().unwrap().refuses = Some(why);
    }

    pub fn break_down(&self) {
        self.0.lock().unwrap().down = true;
    }

    /// The disk is full for so many facts.
    pub fn fill_up(&self, facts: usize) {
        self.0.lock().unwrap().full_for = facts;
    }

    /// How many more facts it will not take.
    pub fn full_for(&self) -> usize {
        self.0.lock().unwrap().full_for
    }

    pub fn get_stuck(&self) {
        self.0.lock().unwrap().stuck = true;
    }

    pub fn claimed(&self) -> Vec<AttemptId> {
        self.0.lock().unwrap().claimed.clone()
    }

    pub fn facts(&self, attempt: AttemptId) -> Vec<Fact> {
        let memory = self.0.lock().unwrap();
        memory.facts.iter().filter(|(of, _)| *of == attempt).map(|(_, fact)| fact.clone()).collect()
    }

    fn answer<T>(
        &self,
        done: impl FnOnce(Result<T, LedgerDown>) + Send + 'static,
        look: impl FnOnce(&mut Memory) -> T,
    ) {
        let answer = {
            let mut memory = self.0.lock().unwrap();
            if memory.stuck {
                return;
            }
            if memory.down { Err(LedgerDown("broken for the test".to_owned())) } else { Ok(look(&mut memory)) }
        };
        done(answer);
    }
}

impl Memory {
    fn claim(&mut self, attempt: AttemptId) -> Result<UtcMs, Refusal> {
        if let Some(why) = &self.refuses {
            return Err(why.clone());
        }
        if self.claimed.contains(&attempt) {
            return Err(Refusal::AlreadyUsed);
        }
        self.claimed.push(attempt);
        let planned_at = self.orders.iter().find(|order| order.attempt == attempt).map(|order| order.planned_at);
        planned_at.map(|at| at.max(clock::now())).ok_or(Refusal::Removed)
    }
}

impl Desk for MemoryDesk {
    fn order(
        &self,
        ticket: Ticket,
        _part: OrderPart,
        done: impl FnOnce(Result<Option<Order>, LedgerDown>) + Send + 'static,
    ) {
        self.answer(done, |memory| memory.orders.iter().find(|order| order.ticket == ticket).cloned());
    }

    fn claim(
        &self,
        attempt: AttemptId,
        done: impl FnOnce(Result<Result<UtcMs, Refusal>, LedgerDown>) + Send + 'static,
    ) {
        self.answer(done, |memory| memory.claim(attempt));
    }

    fn append(
        &self,
        attempt: AttemptId,
        evidence: Evidence,
        done: impl FnOnce(Result<(), LedgerDown>) + Send + 'static,
    ) {
        let full = self.0.lock().unwrap().full_for.checked_sub(1);
        if let Some(left) = full {
            self.0.lock().unwrap().full_for = left;
            return done(Err(LedgerDown("the disk is full for the test".to_owned())));
        }
        self.answer(done, |memory| memory.facts.push((attempt, evidence.fact)));
    }
}
