//! `campanile numbers undo` and `imports`.

use clap::Args;
use serde::Serialize;

use super::super::failure::{Failure, Outcome, Result};
use super::super::present::{Moment, counted, moment, or_dash, table};
use super::super::session::Session;
use crate::domain::ids::{CampaignId, ImportId};
use crate::domain::name::Name;
use crate::exit::Exit;
use crate::ledger::Connection;
use crate::ledger::imports::{self, Dialled, Import};

#[derive(Debug, Args)]
#[command(after_help = "\
Takes back what an import brought, while none of its numbers was dialled: its contacts are gone as if they had never \
been there. Numbers that it found there already stay. `campanile numbers imports` has the imports.

Examples:
  campanile numbers undo spring
  campanile numbers undo spring 7

JSON: {campaign, import, file, deleted}.")]
pub struct Undo {
    /// The campaign.
    campaign: Name,
    /// Which import, as it was told [default: the last one that was not taken back].
    import: Option<i64>,
}

impl Undo {
    pub fn run(self, session: &mut Session) -> Outcome {
        let now = session.now();
        let actor = &session.actor;
        let (campaign, import) = session.ledger.try_read(|db| {
            let campaign = actor.campaign(db, &self.campaign)?;
            let import = self.find(db, campaign.id)?;
            self.refuse_dialled(imports::dialled(db, campaign.id, import.id)?, import.id)?;
            Ok::<_, Failure>((campaign.id, import))
        })?;
        let deleted = delete_all(session, campaign, import.id)?;
        session.ledger.write(|db| imports::end_undo(db, import.id, now))?;
        session.wake_daemon();
        let answer = serde_json::json!({
            "campaign": self.campaign.as_str(), "import": import.id, "file": import.file, "deleted": deleted,
        });
        session.answer(&answer, |out| {
            let gone = counted(deleted, "contact");
            Ok(writeln!(out, "took back import {} ({}): {gone} of {} deleted", import.id, import.file, self.campaign)?)
        })?;
        Ok(Exit::Ok)
    }

    fn find(&self, db: &Connection, campaign: CampaignId) -> Result<Import> {
        let found = match self.import {
            Some(id) => imports::find(db, campaign, ImportId(id))?,
            None => imports::all(db, campaign)?.into_iter().find(|import| import.undone_at.is_none()),
        };
        let mend = format!("`campanile numbers imports {}` shows those that there are", self.campaign);
        match (found, self.import) {
            (Some(Import { undone_at: Some(_), id, .. }), _) => {
                Err(Failure::new(Exit::Failure, format!("import {id} was taken back already"), mend))
            }
            (Some(import), _) => Ok(import),
            (None, Some(id)) => {
                Err(Failure::new(Exit::NoInput, format!("campaign {} has no import {id}", self.campaign), mend))
            }
            (None, None) => {
                Err(Failure::new(Exit::NoInput, format!("campaign {} has no import to take back", self.campaign), mend))
            }
        }
    }

    fn refuse_dialled(&self, dialled: Option<Dialled>, import: ImportId) -> Result<()> {
        let (number, what, mend) = match dialled {
            None => return Ok(()),
            Some(Dialled::Called(number)) => (number, "was dialled", "nothing was changed".to_owned()),
            Some(Dialled::InCall(number)) => {
                let stop =
                    format!("campanile campaign stop {}, and try again when its calls have ended", self.campaign);
                (number, "is in a call, or about to be", stop)
            }
        };
        let what = format!("import {import} cannot be taken back: its number {number} {what}");
        Err(Failure::new(Exit::Failure, what, mend))
    }
}

/// In parts: a number that is called in between stays, and so does what a part of it has done.
fn delete_all(session: &mut Session, campaign: CampaignId, import: ImportId) -> Result<u64> {
    let mut deleted = 0;
    loop {
        let rows = session.rows_at_once()?;
        let part = session.ledger.write(|db| imports::undo_some(db, campaign, import, rows))?;
        deleted += u64::from(part);
        if part < rows {
            return Ok(deleted);
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Newest first; `campanile numbers undo` takes one back.

JSON: [{import, file, began_at, imported, undone_at}].")]
pub struct Imports {
    /// The campaign.
    campaign: Name,
}

#[derive(Serialize)]
struct ImportRow {
    import: ImportId,
    file: String,
    began_at: Moment,
    imported: u64,
    undone_at: Option<Moment>,
}

impl Imports {
    pub fn run(self, session: &mut Session) -> Outcome {
        let actor = &session.actor;
        let (zone, all) = session.ledger.try_read(|db| {
            let campaign = actor.campaign(db, &self.campaign)?;
            let all = imports::all(db, campaign.id)?;
            Ok::<_, Failure>((campaign.calendar.zone, all))
        })?;
        let row = |import: Import| ImportRow {
            import: import.id,
            file: import.file,
            began_at: Moment(import.began_at),
            imported: import.imported,
            undone_at: moment(import.undone_at),
        };
        let rows: Vec<ImportRow> = all.into_iter().map(row).collect();
        session.answer(&rows, |out| {
            let cells = |row: &ImportRow| {
                let undone = or_dash(row.undone_at.map(|at| zone.local(at.0)));
                let began = zone.local(row.began_at.0);
                vec![row.import.to_string(), began, row.imported.to_string(), undone, row.file.clone()]
            };
            table::write(
                out,
                &["import", "began", "imported", "taken back", "file"],
                &rows.iter().map(cells).collect::<Vec<_>>(),
            )
        })?;
        Ok(Exit::Ok)
    }
}
