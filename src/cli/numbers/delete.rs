//! `campanile numbers delete-all`.

use clap::Args;

use super::super::failure::{Failure, Outcome};
use super::super::present::counted;
use super::super::session::Session;
use crate::domain::name::Name;
use crate::exit::Exit;
use crate::ledger::contacts;

#[derive(Debug, Args)]
#[command(after_help = "\
Numbers that are in a call stay; the report keeps all calls. Without --yes it only tells what would go.

JSON: {campaign, deleted, kept_in_progress}.")]
pub struct DeleteAll {
    /// The campaign.
    campaign: Name,
    /// Really delete them.
    #[arg(long)]
    yes: bool,
}

impl DeleteAll {
    pub fn run(self, session: &mut Session) -> Outcome {
        let actor = &session.actor;
        let deleted = session.ledger.try_write(|db| {
            let campaign = actor.campaign(db, &self.campaign)?;
            if self.yes {
                return Ok(contacts::delete_all(db, campaign.id)?);
            }
            let counts = contacts::counts(db, campaign.id)?;
            let go = counted(counts.total() - counts.in_progress, "number");
            let mend = format!("campanile numbers delete-all {} --yes", self.campaign);
            Err(Failure::new(Exit::Failure, format!("nothing was deleted: {go} would go"), mend))
        })?;
        session.wake_daemon();
        let answer = serde_json::json!({
            "campaign": self.campaign.as_str(), "deleted": deleted.deleted, "kept_in_progress": deleted.kept_in_progress,
        });
        session.answer(&answer, |out| {
            writeln!(out, "deleted {} of {}", counted(deleted.deleted, "number"), self.campaign)?;
            if deleted.kept_in_progress > 0 {
                writeln!(out, "kept {} in a call; delete again when it has ended", deleted.kept_in_progress)?;
            }
            Ok(())
        })?;
        Ok(Exit::Ok)
    }
}
