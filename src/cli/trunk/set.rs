//! `campanile trunk set`.

use clap::Args;

use super::super::failure::{Failure, Outcome};
use super::super::session::Session;
use super::breaker::BreakerOptions;
use super::{named, show, stays_a_test_line};
use crate::cli::campaign::Cap;
use crate::domain::name::{AccountCode, Name};
use crate::domain::trunk::{DialTemplate, TrunkLine};
use crate::ledger::{campaigns, trunks};

#[derive(Debug, Args)]
#[command(after_help = "\
Only what is given changes. Channels, starts a second and the breaker hold at the gate at once, also for calls \
that are planned already; the dial template and the account code hold for calls that are planned from now on. A \
breaker with other settings begins closed. A trunk on which a campaign has a cancel ratio or made-up durations stays a \
test line until they are taken away; calls that were planned for a test line are not made over a real one.

Examples:
  campanile trunk set gw1 --channels 60 --starts-per-second none
  campanile trunk set gw1 --breaker-failures 30% --breaker-rest 120
  campanile trunk set gw1 --breaker-failures none
  campanile trunk set lab --line test

JSON: as `trunk show`.")]
pub struct Set {
    /// The trunk's name.
    name: Name,
    /// The dial template, such as 'PJSIP/{number}@gw1'.
    #[arg(long, value_name = "TEMPLATE")]
    dial: Option<DialTemplate>,
    /// The most calls over it at once, all campaigns together, or none for no cap.
    #[arg(long, value_name = "N|none")]
    channels: Option<Cap>,
    /// The most calls that start in a second over it, up to 1000, or none for no cap but the server's.
    #[arg(long, value_name = "N|none", value_parser = starts_per_second)]
    starts_per_second: Option<Cap>,
    /// The account code that billing finds in the call detail record, or none.
    #[arg(long, value_name = "CODE|none", value_parser = account)]
    account: Option<Account>,
    /// Who answers at its other end: real for people, test where nobody but a test does.
    #[arg(long, value_name = "real|test")]
    line: Option<TrunkLine>,
    #[command(flatten)]
    breaker: BreakerOptions,
}

/// An account code, or that there is none.
#[derive(Debug, Clone)]
struct Account(Option<AccountCode>);

fn starts_per_second(text: &str) -> Result<Cap, &'static str> {
    let cap = text.parse::<Cap>().ok().filter(|Cap(n)| n.is_none_or(|n| n <= 1_000));
    cap.ok_or("write a whole number from 1 to 1000, or none")
}

fn account(text: &str) -> Result<Account, <AccountCode as std::str::FromStr>::Err> {
    if text == "none" { Ok(Account(None)) } else { text.parse().map(|code| Account(Some(code))) }
}

impl Set {
    pub fn run(self, session: &mut Session) -> Outcome {
        session.ledger.try_write(|db| {
            let mut trunk = named(db, &self.name)?;
            if let Some(template) = &self.dial {
                trunk.template = template.clone();
            }
            if let Some(Cap(channels)) = self.channels {
                trunk.channels = channels;
            }
            if let Some(Cap(starts)) = self.starts_per_second {
                trunk.starts_per_second = starts;
            }
            if let Some(Account(account)) = &self.account {
                trunk.account.clone_from(account);
            }
            trunk.line = self.line.unwrap_or(trunk.line);
            trunk.breaker = self.breaker.apply(trunk.breaker)?;
            for campaign in campaigns::over(db, trunk.id)? {
                stays_a_test_line(&campaign, &trunk)?;
            }
            Ok::<_, Failure>(trunks::update(db, &trunk)?)
        })?;
        session.wake_daemon();
        show(session, &self.name)
    }
}
