//! How a campaign goes through its contacts, as it is typed.

use std::str::FromStr;

use clap::Args;

use crate::domain::campaign::Campaign;
use crate::domain::contact::CallingOrder;
use crate::domain::name::TextRefusal;
use crate::domain::variable::{VariableName, VariableValue};

/// The options that `add` and `set` share.
#[derive(Debug, Args)]
pub struct ContactOptions {
    /// The order of contacts of one priority: sequential, as they were imported, or random [of a new campaign: sequential].
    #[arg(long, value_name = "sequential|random")]
    order: Option<CallingOrder>,
    /// Seconds from an unsuccessful call to the contact's next number, if it has several [of a new campaign: 10].
    ///
    /// After the last of its numbers the first one follows, with the retry time. Each further number brings one call of
    /// its own; the retries are the contact's, over all of its numbers.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(0..=86_400))]
    next_number_after: Option<u32>,
    /// A variable of all contacts that do not have it themselves, such as language=de; NAME= takes it away.
    ///
    /// In the channel it is CAMPANILE_VAR_NAME, and {NAME} in actions.
    #[arg(long = "var", value_name = "NAME=TEXT")]
    variables: Vec<Assignment>,
}

/// A variable as typed.
#[derive(Debug, Clone)]
pub struct Assignment(VariableName, Option<VariableValue>);

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("write NAME=TEXT, such as language=de")?;
        let name = name.parse().map_err(|why: TextRefusal| why.to_string())?;
        let value = match value {
            "" => None,
            value => Some(value.parse().map_err(|why: TextRefusal| why.to_string())?),
        };
        Ok(Self(name, value))
    }
}

impl ContactOptions {
    /// Writes what was given over a campaign's settings.
    pub fn apply(&self, campaign: &mut Campaign) {
        for Assignment(name, value) in &self.variables {
            match value {
                Some(value) => campaign.variables.set(name.clone(), value.clone()),
                None => campaign.variables.unset(name),
            }
        }
        campaign.contacts.order = self.order.unwrap_or(campaign.contacts.order);
        campaign.contacts.next_number_after_s = self.next_number_after.unwrap_or(campaign.contacts.next_number_after_s);
    }
}
