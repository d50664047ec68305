//! `campanile campaign`.

mod add;
mod contact_options;
mod options;
mod outcome;
mod page;
mod readiness;
mod remove;
mod rounds;
mod set;
mod show;
mod start;
mod stop;
mod timing;
mod traffic_options;

use clap::Subcommand;

pub use options::{CallerId, CampaignOptions, Cap};
pub use readiness::missing;
pub use stop::{last_instant, no_start_after, wait_until};
pub use timing::pace_in_words;
pub use traffic_options::keep_to_its_lines;

use super::failure::Outcome;
use super::session::Session;

/// Campaigns: whose, when, how often, over which trunk.
#[derive(Debug, Subcommand)]
pub enum CampaignVerb {
    /// Add a campaign; it is stopped at first.
    Add(add::Add),
    /// Change a campaign's settings.
    Set(set::Set),
    /// List campaigns with status and run time; an admin sees those of all users.
    List(show::List),
    /// Show everything about a campaign.
    Show(show::Show),
    /// Start a campaign: dial at once when its window is open.
    Start(start::Start),
    /// Stop a campaign for a while; the same at the gate as stop.
    Pause(stop::Pause),
    /// Stop a campaign: no further call starts.
    Stop(stop::Stop),
    /// Remove a campaign with its numbers and its report.
    Remove(remove::Remove),
}

impl CampaignVerb {
    pub fn run(self, session: &mut Session) -> Outcome {
        match self {
            Self::Add(verb) => verb.run(session),
            Self::Set(verb) => verb.run(session),
            Self::List(verb) => verb.run(session),
            Self::Show(verb) => verb.run(session),
            Self::Start(verb) => verb.run(session),
            Self::Pause(verb) => verb.run(session),
            Self::Stop(verb) => verb.run(session),
            Self::Remove(verb) => verb.run(session),
        }
    }
}
