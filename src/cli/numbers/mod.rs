//! `campanile numbers`.

mod delete;
mod import;
mod list;
mod person;
mod reactivate;
mod result;
mod show;
mod tally;
mod turn;
mod undo;

pub use import::{column, load, separator, unopened, unreadable};
pub use tally::RefusedRow;

use clap::Subcommand;

use super::failure::{Failure, Outcome, Result};
use super::session::Session;
use crate::domain::name::Name;
use crate::domain::number::{Number, NumberRules};
use crate::domain::trunk::ShortNumbers;
use crate::exit::Exit;
use crate::settings::Settings;

/// The numbers of a campaign.
#[derive(Debug, Subcommand)]
pub enum NumbersVerb {
    /// Import numbers from a text or CSV file.
    Import(import::Import),
    /// List numbers, each with where it stands.
    List(list::List),
    /// Show the contact that has a number, with all of its numbers and its last calls.
    Show(show::Show),
    /// List the imports of a campaign.
    Imports(undo::Imports),
    /// Take back an import while none of its numbers was dialled.
    Undo(undo::Undo),
    /// Call a number no more; its contact goes on with its other numbers.
    Stop(turn::Stop),
    /// Have one of a contact's numbers called next.
    Next(turn::Next),
    /// Call a number again that is done.
    Reactivate(reactivate::Reactivate),
    /// Say whether an answered call was successful, within the campaign's wrap-up time.
    Result(result::ResultOf),
    /// Delete all numbers of a campaign.
    DeleteAll(delete::DeleteAll),
}

impl NumbersVerb {
    pub fn run(self, session: &mut Session) -> Outcome {
        match self {
            Self::Import(verb) => verb.run(session),
            Self::List(verb) => verb.run(session),
            Self::Show(verb) => verb.run(session),
            Self::Imports(verb) => verb.run(session),
            Self::Undo(verb) => verb.run(session),
            Self::Stop(verb) => verb.run(session),
            Self::Next(verb) => verb.run(session),
            Self::Reactivate(verb) => verb.run(session),
            Self::Result(verb) => verb.run(session),
            Self::DeleteAll(verb) => verb.run(session),
        }
    }
}

/// How numbers are read for a trunk on this machine.
pub fn rules(short_numbers: ShortNumbers, settings: &Settings) -> Result<NumberRules> {
    let country = settings.country.as_ref().map(|country| country.as_str().parse()).transpose();
    let mend = "set country to one whose numbers are known, or to none";
    let country = country.map_err(|why| Failure::new(Exit::Config, format!("country: {why}"), mend))?;
    Ok(NumberRules { country, short_numbers })
}

/// That a campaign does not have a number.
pub fn no_number(campaign: &Name, number: &Number) -> Failure {
    let mend = format!("`campanile numbers list {campaign}` shows those that it has");
    Failure::new(Exit::NoInput, format!("campaign {campaign} has no number {number}"), mend)
}

/// One number as somebody types it on the command line.
pub fn canonical(text: &str, short_numbers: ShortNumbers, settings: &Settings) -> Result<Number> {
    Number::canonical(text, &rules(short_numbers, settings)?).map_err(|why| {
        let shown: String = text.chars().take(60).collect();
        Failure::new(
            Exit::DataErr,
            format!("{shown:?} is no number: {why}"),
            "write it with its country code, such as +49301234567",
        )
    })
}
