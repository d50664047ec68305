//! `campanile doctor`.

use std::io::{self, Write};

use clap::Args;

use super::failure::{Failure, Outcome};
use super::present;
use super::session::Form;
use super::{Global, actor::Actor};
use crate::doctor::{self, Finding, Level, TestCall};
use crate::exit::Exit;
use crate::ledger::Ledger;
use crate::settings::Settings;

/// Check that everything is in place for calls, up to a self-test call; say what mends what is not.
#[derive(Debug, Args)]
#[command(after_help = "\
Looks at the settings, the folders and their owner, the daemons, Asterisk and its dialplan, and the way to
the gate; then a self-test call goes the way of every call, to an extension of our own dialplan that
answers. No trunk is used and nobody's phone rings. Run it as Asterisk's user.

Examples:
  sudo -u asterisk campanile doctor
  campanile doctor --no-call --json

JSON: [{level: ok | warning | problem, area, text, mend}].
Ends with 1 when there is a problem.")]
pub struct Doctor {
    /// Leave the self-test call out.
    #[arg(long)]
    no_call: bool,
}

impl Doctor {
    pub fn run(self, global: &Global) -> Outcome {
        let settings = Settings::load(global.config.as_deref())?.settings;
        // A user's wish is refused only where the ledger can say that they are one: without a ledger
        // the doctor is needed most.
        if let (Some(name), Ok(mut ledger)) = (&global.acting, Ledger::open_existing(&settings.ledger())) {
            Actor::admit(&mut ledger, Some(name), crate::clock::now())?.must_be_admin("run the doctor")?;
        }
        let call = if self.no_call { TestCall::Skip } else { TestCall::Make };
        let mut out = io::stdout();
        let mut told = Ok(());
        let findings = doctor::examine(&settings, call, |finding| {
            if told.is_ok() && global.form() == Form::Text {
                told = tell(&mut out, finding);
            }
        });
        told?;
        if global.form() == Form::Json {
            present::json_document(&mut out, &findings)?;
        }
        match findings.iter().filter(|finding| finding.level == Level::Problem).count() {
            0 => Ok(Exit::Ok),
            n => Err(Failure::new(
                Exit::Failure,
                format!("calls will fail: {}", present::counted(n as u64, "problem")),
                "mend what is marked problem above, and run it again",
            )),
        }
    }
}

fn tell(out: &mut dyn Write, finding: &Finding) -> io::Result<()> {
    let level = match finding.level {
        Level::Ok => "ok",
        Level::Warning => "warning",
        Level::Problem => "PROBLEM",
    };
    writeln!(out, "{level:<8} {:<10} {}", finding.area, finding.text)?;
    match &finding.mend {
        Some(mend) => mend.lines().try_for_each(|line| writeln!(out, "{:<19} {line}", "")),
        None => Ok(()),
    }
}
