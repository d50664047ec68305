//! What the action lists of running campaigns need of Asterisk: extensions, applications, queues. What is not there
//! ends each answered call that comes to it, and only a line of Asterisk's log would tell.

use super::Finding;
use super::asterisk::{ask, shows};
use crate::domain::action::Action;
use crate::ledger::{Db, Ledger, LedgerError, actions, campaigns};
use crate::settings::Settings;

/// Something that Asterisk must have.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Need {
    Extension { context: String, extension: String },
    Application(&'static str),
    Queue(String),
}

/// For whom: `QUEUE support of campaign spring`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Needed {
    by: String,
    what: Need,
}

/// Whether Asterisk has all that the lists of running campaigns lead to.
pub(super) fn needs(settings: &Settings) -> Vec<Finding> {
    let needed = Ledger::open_existing(&settings.ledger()).and_then(|mut ledger| ledger.read(|db| of_running(db)));
    // A ledger that cannot be read has its own finding.
    needed.unwrap_or_default().iter().map(|needed| look(settings, needed)).collect()
}

fn of_running(db: &Db) -> Result<Vec<Needed>, LedgerError> {
    let mut found: Vec<Needed> = Vec::new();
    for campaign in campaigns::running(db)? {
        let lists = actions::get(db, campaign.actions)?;
        for (action, what) in lists.all().flat_map(|(_, action)| of_action(action).map(move |what| (action, what))) {
            let needed = Needed { by: format!("{action} of campaign {}", campaign.name), what };
            if !found.contains(&needed) {
                found.push(needed);
            }
        }
    }
    Ok(found)
}

fn of_action(action: &Action) -> impl Iterator<Item = Need> {
    let extension = action
        .reaches()
        .map(|(context, extension)| Need::Extension { context: context.to_string(), extension: extension.to_string() });
    let queue = match action {
        Action::Queue { queue, .. } => Some(Need::Queue(queue.to_string())),
        _ => None,
    };
    let application = action.application().map(Need::Application);
    application.into_iter().chain(extension).chain(queue)
}

fn look(settings: &Settings, needed: &Needed) -> Finding {
    let question = needed.what.question();
    match ask(settings, &question) {
        Err(reason) => Finding::warning(
            "dialplan",
            format!("{}: {} could not be looked at: {reason}", needed.by, needed.what.name()),
            format!("look at it by hand: asterisk -rx '{question}'"),
        ),
        Ok(answer) => needed.judge(&answer),
    }
}

impl Needed {
    fn judge(&self, answer: &str) -> Finding {
        let Self { by, what } = self;
        let name = what.name();
        if what.is_there(answer) {
            return Finding::ok("dialplan", format!("{by}: {name} is there"));
        }
        let consequence = match what {
            Need::Application("AMD") => "so everybody is taken for a human",
            _ => "so each answered call that comes there ends",
        };
        Finding::problem("dialplan", format!("{by}: Asterisk has no {name}, {consequence}"), what.mend())
    }
}

impl Need {
    fn name(&self) -> String {
        match self {
            Self::Extension { context, extension } => format!("extension {extension} in context {context}"),
            Self::Application(application) => format!("application {application}"),
            Self::Queue(queue) => format!("queue {queue}"),
        }
    }

    fn question(&self) -> String {
        match self {
            Self::Extension { context, extension } => format!("dialplan show {extension}@{context}"),
            Self::Application(application) => format!("core show application {application}"),
            Self::Queue(queue) => format!("queue show {queue}"),
        }
    }

    fn is_there(&self, answer: &str) -> bool {
        match self {
            Self::Extension { context, .. } => shows(answer, context),
            Self::Application(application) => answer.contains(&format!("'{application}'")),
            Self::Queue(queue) => answer.contains(&format!("{queue} has ")),
        }
    }

    fn mend(&self) -> String {
        let lists = "or mend the list with `campanile actions`";
        match self {
            Self::Extension { .. } => format!("add it to the dialplan, {lists}"),
            Self::Application(application) => {
                format!("load its module: asterisk -rx 'module load app_{}.so', {lists}", application.to_lowercase())
            }
            Self::Queue(_) => format!("add it to queues.conf, {lists}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs_of(action: &str) -> Vec<Need> {
        let (verb, argument) = action.split_once(' ').unwrap_or((action, ""));
        of_action(&Action::parse(verb, argument).unwrap()).collect()
    }

    #[test]
    fn each_action_needs_what_it_leads_to() {
        let extension = |context: &str, extension: &str| {
            let (context, extension) = (context.to_owned(), extension.to_owned());
            Need::Extension { context, extension }
        };
        assert_eq!(needs_of("PLAY x"), []);
        assert_eq!(needs_of("AMD"), [Need::Application("AMD")]);
        assert_eq!(needs_of("IVR main,s,1"), [extension("main", "s")]);
        assert_eq!(needs_of("TRANSFER main,s"), [extension("main", "s")]);
        assert_eq!(needs_of("DIAL agents,100"), [Need::Application("Dial"), extension("agents", "100")]);
        assert_eq!(needs_of("QUEUE support"), [Need::Application("Queue"), Need::Queue("support".to_owned())]);
        assert_eq!(needs_of("CONFERENCE 8000"), [Need::Application("ConfBridge")]);
    }

    #[test]
    fn what_asterisk_16_and_22_answer_is_understood() {
        let judged = |what: Need, answer: &str| Needed { by: "X of campaign spring".to_owned(), what }.judge(answer);
        let is_fine = |what: &Need, answer: &str| {
            let name = what.name();
            assert_eq!(
                judged(what.clone(), answer),
                Finding::ok("dialplan", format!("X of campaign spring: {name} is there"))
            );
        };
        let amd = Need::Application("AMD");
        is_fine(&amd, "\n  -= Info about application 'AMD' =- \n\n[Synopsis]\n");
        is_fine(&amd, "\n  -= Info about Application 'AMD' =- \n\n[Synopsis]\n");
        let absent =
            judged(amd, "Your application(s) is (are) not registered\nCommand 'core show application AMD' failed.\n");
        assert!(absent.text.contains("everybody is taken for a human"), "{absent:?}");
        let queue = Need::Queue("support".to_owned());
        is_fine(&queue, "support has 0 calls (max unlimited) in 'ringall' strategy (0s holdtime, 0s talktime), W:0\n");
        assert!(judged(queue, "No such queue: support.\n").text.contains("Asterisk has no queue support"));
    }
}
