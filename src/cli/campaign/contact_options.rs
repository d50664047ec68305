//! How a campaign goes through its contacts, as it is typed.

use clap::Args;

use crate::domain::campaign::Campaign;
use crate::domain::contact::CallingOrder;

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
}

impl ContactOptions {
    /// Writes what was given over a campaign's settings.
    pub fn apply(&self, campaign: &mut Campaign) {
        campaign.contacts.order = self.order.unwrap_or(campaign.contacts.order);
        campaign.contacts.next_number_after_s = self.next_number_after.unwrap_or(campaign.contacts.next_number_after_s);
    }
}
