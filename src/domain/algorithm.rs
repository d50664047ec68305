//! Call generation algorithms: all that a campaign says of its calls, under a name of its own, without whose it is,
//! whom it calls and over which line. Campaigns are made from it; what is changed in either later, the other keeps.

use serde::{Deserialize, Serialize};

use super::action::{Action, Actions, Listen, Menu, Target};
use super::calendar::Window;
use super::campaign::{Campaign, ContactRules, Finish, Pacing, RetryRules};
use super::cause::{Cause, CauseRule, CauseTable, Verb};
use super::contact::CallingOrder;
use super::name::{DialplanWord, Name, SoundName, TextRefusal};
use super::outcome::OutcomeRules;
use super::round::RoundRules;
use super::stored::worded_enum;

worded_enum! {
    /// An algorithm that there always is.
    pub enum BuiltIn {
        /// A message, with a key to be called no more and one to be connected.
        Telemarketing = "telemarketing",
        /// Short calls that measure a line: whether they are answered, how soon they ring, how soon they are heard.
        ProviderChecking = "provider-checking",
    }
}

/// The hours of each day in which calls may start, in seconds after midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// From.
    pub start_s: u32,
    /// Until; the same as `start_s` for all day.
    pub stop_s: u32,
}

/// An algorithm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Algorithm {
    /// When calls may start, on the clock of the campaign's zone.
    pub hours: Hours,
    /// How often an unsuccessful call is made again, and how long it rings.
    pub retry: RetryRules,
    /// What else follows after a call.
    pub outcome: OutcomeRules,
    /// What follows from which cause.
    pub causes: CauseTable,
    /// How slots are shared, and its own pace.
    pub pacing: Pacing,
    /// The most calls at once.
    pub channels: Option<u32>,
    /// How a campaign goes through its contacts.
    pub contacts: ContactRules,
    /// What it does when it is through them.
    pub rounds: RoundRules,
    /// When it is completed.
    pub finish: Finish,
    /// What happens on answer.
    pub actions: Actions,
    /// The sound for which a campaign may name another: also in those that are called like it with `-` and more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sound: Option<SoundName>,
}

impl Algorithm {
    /// That of a campaign, with its table of causes and its lists.
    #[must_use]
    pub fn of(campaign: &Campaign, causes: CauseTable, actions: Actions) -> Self {
        let window = campaign.calendar.window;
        Self {
            hours: Hours { start_s: window.start_s(), stop_s: window.stop_s() },
            retry: campaign.retry,
            outcome: campaign.outcome.clone(),
            causes,
            pacing: campaign.pacing,
            channels: campaign.channels,
            contacts: campaign.contacts,
            rounds: campaign.rounds,
            finish: campaign.finish,
            actions,
            sound: None,
        }
    }

    /// Writes it over a campaign's settings; causes and actions are kept beside these.
    pub fn apply(&self, campaign: &mut Campaign) {
        campaign.calendar.window = Window::new(self.hours.start_s, self.hours.stop_s);
        campaign.retry = self.retry;
        campaign.outcome.clone_from(&self.outcome);
        campaign.pacing = self.pacing;
        campaign.channels = self.channels;
        campaign.contacts = self.contacts;
        campaign.rounds = self.rounds;
        campaign.finish = self.finish;
    }

    /// The same with another sound in the place of its own.
    ///
    /// # Errors
    /// A name that would become too long.
    pub fn with_sound(&self, sound: &SoundName) -> Result<Self, TextRefusal> {
        let mut with = Self { sound: Some(sound.clone()), ..self.clone() };
        let Some(stem) = &self.sound else { return Ok(with) };
        let lists = [None].into_iter().chain(self.actions.named().map(|(name, _)| Some(name)));
        for list in lists {
            let mut actions = self.actions.list(list).to_vec();
            let mut names = actions.iter_mut().flat_map(Action::sounds_mut);
            names.try_for_each(|name| rename(name, stem, sound))?;
            with.actions.replace(list, actions);
        }
        Ok(with)
    }
}

fn rename(name: &mut SoundName, stem: &SoundName, sound: &SoundName) -> Result<(), TextRefusal> {
    let rest = name.as_str().strip_prefix(stem.as_str());
    if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with('-')) {
        *name = format!("{sound}{rest}").parse()?;
    }
    Ok(())
}

/// Whom the callee is connected with who asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect {
    /// Dialplan context.
    pub context: DialplanWord,
    /// Extension in that context.
    pub extension: DialplanWord,
}

impl BuiltIn {
    /// What it says. Only telemarketing connects callees.
    ///
    /// # Errors
    /// None that a test of all of them would not find.
    pub fn algorithm(self, connect: Option<Connect>) -> Result<Algorithm, TextRefusal> {
        match self {
            Self::Telemarketing => telemarketing(connect),
            Self::ProviderChecking => Ok(provider_checking()),
        }
    }
}

/// Who calls comes first, and then a menu with a key to be called no more, which ends the call at once (47 CFR
/// 64.1200(b)). It rings for longer than the 15 s that the FCC and Ofcom ask for. Nobody is called twice a day.
fn telemarketing(connect: Option<Connect>) -> Result<Algorithm, TextRefusal> {
    let list = |name: &str| name.parse::<Name>();
    let mut keys = std::collections::BTreeMap::from([("9".parse()?, Target::List(list("opt-out")?))]);
    let mut actions = Actions::default();
    if let Some(Connect { context, extension }) = connect {
        keys.insert("1".parse()?, Target::List(list("connect")?));
        actions.replace(Some(&list("connect")?), vec![Action::Dial { context, extension, ring_s: 30 }]);
    }
    let menu =
        Menu { sound: "message-menu".parse()?, keys, timeout_s: 5, repeats: 1, wrong: None, otherwise: Target::Next };
    let identity = Action::Play { sound: "message".parse()? };
    actions.replace(None, vec![identity, Action::Menu(menu), Action::Play { sound: "message-bye".parse()? }]);
    actions.replace(Some(&list("opt-out")?), vec![Action::OptOut { list: None }, Action::Hangup]);
    Ok(Algorithm {
        hours: Hours { start_s: 9 * 3600, stop_s: 20 * 3600 },
        retry: RetryRules { max_retries: 1, retry_time_s: 86_400, wait_time_s: 25 },
        outcome: OutcomeRules { max_dials: Some(3), ..OutcomeRules::default() },
        contacts: ContactRules { order: CallingOrder::Random, ..ContactRules::default() },
        actions,
        sound: Some("message".parse()?),
        ..plain()
    })
}

/// What Asterisk says when it is the trunk that failed: a call that measured this has done its work.
const TRUNK_FAILURES: [u16; 17] = [3, 20, 27, 34, 38, 41, 42, 44, 58, 63, 65, 66, 79, 88, 102, 111, 127];

/// One call of a line at a time, so that what is measured is the line and not its load; each number once a round,
/// whatever comes of it.
fn provider_checking() -> Algorithm {
    let once = CauseRule { verb: Verb::Error, delay_s: None, limit: None };
    Algorithm {
        causes: CauseTable(TRUNK_FAILURES.map(|cause| (Cause::Q850(cause), once)).into()),
        retry: RetryRules { max_retries: 0, retry_time_s: 300, wait_time_s: 45 },
        channels: Some(1),
        actions: vec![Action::Listen(Listen { timeout_s: 10 }), Action::Hangup].into(),
        ..plain()
    }
}

/// As a new campaign has it.
fn plain() -> Algorithm {
    Algorithm {
        hours: Hours { start_s: 0, stop_s: 0 },
        retry: RetryRules { max_retries: 0, retry_time_s: 300, wait_time_s: 30 },
        outcome: OutcomeRules::default(),
        causes: CauseTable::default(),
        pacing: Pacing::default(),
        channels: None,
        contacts: ContactRules::default(),
        rounds: RoundRules::default(),
        finish: Finish::default(),
        actions: Actions::default(),
        sound: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connect() -> Option<Connect> {
        Some(Connect { context: "default".parse().unwrap(), extension: "200".parse().unwrap() })
    }

    fn sounds(algorithm: &Algorithm) -> Vec<String> {
        algorithm.actions.all().flat_map(|(_, action)| action.sounds()).map(|sound| sound.to_string()).collect()
    }

    #[test]
    fn what_is_built_in_can_be_run_and_reads_back_as_it_is_stored() {
        for built_in in BuiltIn::ALL {
            for connect in [None, connect()] {
                let algorithm = built_in.algorithm(connect).unwrap();
                algorithm.actions.check().unwrap();
                assert_eq!(algorithm.actions.unreached(), Vec::<&Name>::new());
                let text = serde_json::to_string(&algorithm).unwrap();
                assert_eq!(serde_json::from_str::<Algorithm>(&text).unwrap(), algorithm);
            }
        }
    }

    #[test]
    fn telemarketing_rings_long_enough_and_always_offers_to_opt_out() {
        for connect in [None, connect()] {
            let algorithm = BuiltIn::Telemarketing.algorithm(connect.clone()).unwrap();
            assert!(algorithm.retry.wait_time_s >= 15 && algorithm.retry.max_retries <= 1);
            let menu = algorithm.actions.list(None).iter().find_map(|action| match action {
                Action::Menu(menu) => Some(menu),
                _ => None,
            });
            assert_eq!(menu.unwrap().keys.len(), 1 + usize::from(connect.is_some()));
            let opt_out = algorithm.actions.list(Some(&"opt-out".parse().unwrap())).to_vec();
            assert_eq!(opt_out, [Action::OptOut { list: None }, Action::Hangup]);
        }
    }

    #[test]
    fn sounds_that_are_called_like_its_own_are_renamed_with_it() {
        let algorithm = BuiltIn::Telemarketing.algorithm(None).unwrap();
        assert_eq!(sounds(&algorithm), ["message", "message-menu", "message-bye"]);
        let renamed = algorithm.with_sound(&"offer".parse().unwrap()).unwrap();
        assert_eq!(sounds(&renamed), ["offer", "offer-menu", "offer-bye"]);
        assert_eq!(sounds(&renamed.with_sound(&"x".parse().unwrap()).unwrap()), ["x", "x-menu", "x-bye"]);
        let other = Algorithm { sound: Some("mess".parse().unwrap()), ..algorithm };
        assert_eq!(
            sounds(&other.with_sound(&"x".parse().unwrap()).unwrap()),
            ["message", "message-menu", "message-bye"]
        );
    }
}
