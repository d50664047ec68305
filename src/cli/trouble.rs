//! What keeps every call from being made, whoever it is for: programs that do not run, a plan that rests.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::daemon::lock;
use crate::doctor;
use crate::domain::attempt::OVERDUE_MS;
use crate::domain::instant::UtcMs;
use crate::domain::why::{Gate, RestWhy};
use crate::ledger::{Connection, Result, attempts, rest};
use crate::settings::Settings;

/// How often the programs are asked.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// What is wrong and what mends it, in one line. A gate that is silent is waited for up to three seconds.
fn of_programs(settings: &Settings) -> Option<String> {
    if lock::running(&settings.serve_lock()).is_none() {
        return Some(
            "campanile serve does not run: nothing is planned. Start it: systemctl start campanile".to_owned(),
        );
    }
    match doctor::gate(settings) {
        Gate::Answers => None,
        Gate::Late { detail } => Some(detail),
        Gate::Fails { problem, mend } => Some(format!("{problem}. To mend it: {mend}")),
    }
}

/// The same, as far as the ledger shows it.
pub fn of_planning(db: &Connection, now: UtcMs) -> Result<Option<String>> {
    let overdue = attempts::overdue(db, now.plus_ms(-OVERDUE_MS))?.len();
    if overdue > 0 {
        return Ok(Some(format!(
            "Asterisk has left {overdue} due call file(s) lying, so nothing further is planned: `campanile doctor` says why"
        )));
    }
    Ok(rest::until(db, now)?.map(|(until, why)| {
        let because = match why {
            RestWhy::Spool => "a call file could not be published",
            RestWhy::Gate => "Asterisk ran a call without asking the gate",
        };
        format!("planning rests until {until}: {because}; `campanile doctor` says more")
    }))
}

/// Asks the programs again and again, on a thread of its own: a silent one must not stop the picture.
pub struct Lookout(Arc<Mutex<Option<String>>>);

impl Lookout {
    /// Asks once, and then goes on by itself until the program ends.
    pub fn start(settings: &Settings) -> Self {
        let latest = Arc::new(Mutex::new(of_programs(settings)));
        let (seen, settings) = (Arc::clone(&latest), settings.clone());
        // Without the thread what was seen first stays.
        let _ = std::thread::Builder::new().name("lookout".to_owned()).spawn(move || {
            loop {
                std::thread::sleep(ASK_EVERY);
                let trouble = of_programs(&settings);
                *seen.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
            }
        });
        Self(latest)
    }

    /// What it saw last.
    pub fn trouble(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
