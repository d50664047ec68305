//! What an import would do, without doing it: `--dry-run`.

use std::collections::HashSet;

use super::super::super::failure::Result;
use super::super::super::session::Session;
use super::Target;
use super::reader::Brought;
use super::writing::Written;
use crate::domain::number::Packed;
use crate::ledger::newcomers::{Added, Holder, NewContact};
use crate::ledger::{self, Connection, importing};

/// The numbers that the file has brought so far.
#[derive(Default)]
pub(super) struct Preview {
    seen: HashSet<Packed>,
}

impl Preview {
    /// What would become of these rows.
    pub fn of(&mut self, session: &mut Session, target: &Target, brought: &Brought) -> Result<Written> {
        let written = session.ledger.read(|db| match brought {
            Brought::Numbers(numbers) => self.numbers(db, target, numbers),
            Brought::Contacts(contacts) => self.contacts(db, target, contacts),
        })?;
        Ok(written)
    }

    fn numbers(&mut self, db: &Connection, target: &Target, numbers: &[Packed]) -> ledger::Result<Written> {
        let mut written = Written::default();
        for number in numbers {
            match self.take(db, target, *number)? {
                None => written.new += 1,
                Some(Holder::InRun) => written.in_run += 1,
                Some(Holder::InCampaign) => written.in_campaign += 1,
            }
        }
        Ok(written)
    }

    fn contacts(
        &mut self,
        db: &Connection,
        target: &Target,
        contacts: &[(u64, NewContact)],
    ) -> ledger::Result<Written> {
        let mut written = Written::default();
        for (line, contact) in contacts {
            let added = self.contact(db, target, contact)?;
            written.note(*line, contact, added);
        }
        Ok(written)
    }

    fn contact(&mut self, db: &Connection, target: &Target, contact: &NewContact) -> ledger::Result<Added> {
        let mut without = Vec::new();
        for (i, (number, _)) in contact.numbers.iter().enumerate() {
            match self.take(db, target, Packed::from(number))? {
                None => {}
                Some(holder) if i == 0 => return Ok(Added::Known(holder)),
                Some(holder) => without.push((i, holder)),
            }
        }
        Ok(Added::New { without })
    }

    /// Notes the number, unless another contact has it.
    fn take(&mut self, db: &Connection, target: &Target, number: Packed) -> ledger::Result<Option<Holder>> {
        if self.seen.contains(&number) {
            return Ok(Some(Holder::InRun));
        }
        if importing::is_known(db, target.campaign.id, number)? {
            return Ok(Some(Holder::InCampaign));
        }
        self.seen.insert(number);
        Ok(None)
    }
}
