//! Reads actions as an operator types them.

use std::collections::BTreeMap;

use super::refusal::{range, shortened};
use super::{
    Action, ActionRefusal, ActionVerb, Amd, Beep, Listen, Menu, Recording, SayForm, Target, Text, WAIT_S_MAX, utterance,
};
use crate::domain::name::DialplanWord;

type Result<T> = std::result::Result<T, ActionRefusal>;

/// How long a menu waits for a key, unless it says otherwise.
const TIMEOUT: &str = "5";
/// How often a menu is played again, unless it says otherwise.
const REPEATS: &str = "2";
/// How long a sound is waited for, unless it says otherwise.
const LISTEN_S: &str = "10";
/// How long is recorded, unless it says otherwise.
const RECORD_S: &str = "60";
/// What ends a recording, unless it says otherwise.
const STOP: &str = "#";
/// How long an extension rings, unless it says otherwise.
const RING: &str = "30";

pub(super) fn parse(verb: &str, argument: &str) -> Result<Action> {
    let known = verb.to_ascii_uppercase().parse::<ActionVerb>();
    match known.map_err(|_| ActionRefusal::Unknown(shortened(verb)))? {
        ActionVerb::Wait => wait(argument),
        ActionVerb::Play => Ok(Action::Play { sound: argument.parse()? }),
        ActionVerb::Say => say(argument),
        ActionVerb::Menu => menu(argument).map(Action::Menu),
        ActionVerb::Amd => amd(argument).map(Action::Amd),
        ActionVerb::Listen => listen(argument).map(Action::Listen),
        ActionVerb::OptOut => opt_out(argument),
        ActionVerb::Set => set(argument),
        ActionVerb::Record => record(argument).map(Action::Record),
        ActionVerb::Hangup => nothing("HANGUP", argument).map(|()| Action::Hangup),
        ActionVerb::Ivr => ivr(argument).ok_or_else(|| ActionRefusal::Ivr(shortened(argument))),
        ActionVerb::Transfer => {
            let (context, extension) = extension("TRANSFER", argument)?;
            Ok(Action::Transfer { context, extension })
        }
        ActionVerb::Dial => dial(argument),
        ActionVerb::Queue => queue(argument),
        ActionVerb::Conference => Ok(Action::Conference { room: argument.parse()? }),
    }
}

fn wait(argument: &str) -> Result<Action> {
    match argument.parse() {
        Ok(seconds @ 1..=WAIT_S_MAX) => Ok(Action::Wait { seconds }),
        _ => Err(ActionRefusal::Seconds(shortened(argument))),
    }
}

/// A typed text is said at once in mind, so that what has no sound is refused here and not in the call.
fn say(argument: &str) -> Result<Action> {
    let (form, text) = argument.split_once(' ').ok_or_else(|| ActionRefusal::Say(shortened(argument)))?;
    let form: SayForm = form.to_ascii_lowercase().parse().map_err(ActionRefusal::SayForm)?;
    let text: Text = text.trim().parse()?;
    if let Text::Typed(typed) = &text {
        utterance(form, typed.as_str())?;
    }
    Ok(Action::Say { form, text })
}

fn set(argument: &str) -> Result<Action> {
    let (name, text) = argument.split_once(' ').ok_or_else(|| ActionRefusal::Set(shortened(argument)))?;
    Ok(Action::Set { name: name.parse()?, text: text.trim().parse()? })
}

fn opt_out(argument: &str) -> Result<Action> {
    let list = (!argument.is_empty()).then(|| argument.parse()).transpose()?;
    Ok(Action::OptOut { list })
}

fn nothing(verb: &'static str, argument: &str) -> Result<()> {
    if argument.is_empty() { Ok(()) } else { Err(ActionRefusal::Nothing { verb, text: shortened(argument) }) }
}

fn menu(argument: &str) -> Result<Menu> {
    let incomplete = || ActionRefusal::Menu(shortened(argument));
    let mut parts = Parts::read("MENU", "keys=, timeout=, repeats=, wrong= and else=", argument)?;
    let keys = choices(&parts.take("keys").ok_or_else(incomplete)?)?;
    let timeout = parts.take("timeout").unwrap_or_else(|| TIMEOUT.to_owned());
    let repeats = parts.take("repeats").unwrap_or_else(|| REPEATS.to_owned());
    let wrong = parts.take("wrong").map(|sound| sound.parse()).transpose()?;
    let otherwise = parts.target("else")?.unwrap_or(Target::Next);
    let sound = parts.word().ok_or_else(incomplete)?.parse()?;
    parts.end()?;
    Ok(Menu {
        sound,
        keys,
        timeout_s: range("MENU", "timeout", &timeout)?,
        repeats: range("MENU", "repeats", &repeats)?,
        wrong,
        otherwise,
    })
}

fn choices(text: &str) -> Result<BTreeMap<super::MenuKeys, Target>> {
    let mut choices = BTreeMap::new();
    for choice in text.split(',') {
        let (keys, target) = choice.split_once(':').ok_or_else(|| ActionRefusal::Choice(shortened(choice)))?;
        if choices.insert(keys.parse()?, target.parse()?).is_some() {
            return Err(ActionRefusal::SameKeys(keys.to_owned()));
        }
    }
    Ok(choices)
}

/// Whoever is not sure is taken for a human; a machine is left alone.
fn amd(argument: &str) -> Result<Amd> {
    let mut parts = Parts::read("AMD", "human=, machine= and unsure=", argument)?;
    let human = parts.target("human")?.unwrap_or(Target::Next);
    let machine = parts.target("machine")?.unwrap_or(Target::Hangup);
    let unsure = parts.target("unsure")?.unwrap_or_else(|| human.clone());
    parts.end()?;
    Ok(Amd { human, machine, unsure })
}

fn listen(argument: &str) -> Result<Listen> {
    let mut parts = Parts::read("LISTEN", "timeout=", argument)?;
    let timeout = parts.take("timeout").unwrap_or_else(|| LISTEN_S.to_owned());
    parts.end()?;
    Ok(Listen { timeout_s: range("LISTEN", "timeout", &timeout)? })
}

fn record(argument: &str) -> Result<Recording> {
    let mut parts = Parts::read("RECORD", "seconds=, silence=, stop= and beep=", argument)?;
    let seconds = parts.take("seconds").unwrap_or_else(|| RECORD_S.to_owned());
    let silence_s = parts.take("silence").map(|text| range("RECORD", "silence", &text)).transpose()?;
    let stop = parts.take("stop").as_deref().unwrap_or(STOP).parse()?;
    let beep = parts.take("beep").map_or(Ok(Beep::Yes), |text| text.parse().map_err(ActionRefusal::Beep))?;
    parts.end()?;
    Ok(Recording { seconds: range("RECORD", "seconds", &seconds)?, silence_s, stop, beep })
}

fn ivr(argument: &str) -> Option<Action> {
    let mut parts = argument.split(',').map(str::trim);
    let (context, extension, priority) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let priority = priority.parse().ok().filter(|p| (1..=100_000).contains(p))?;
    Some(Action::Ivr { context: context.parse().ok()?, extension: extension.parse().ok()?, priority })
}

fn extension(verb: &'static str, text: &str) -> Result<(DialplanWord, DialplanWord)> {
    let (context, extension) =
        text.split_once(',').ok_or_else(|| ActionRefusal::Extension { verb, text: shortened(text) })?;
    Ok((context.trim().parse()?, extension.trim().parse()?))
}

fn dial(argument: &str) -> Result<Action> {
    let mut parts = Parts::read("DIAL", "ring=", argument)?;
    let ring = parts.take("ring").unwrap_or_else(|| RING.to_owned());
    let (context, extension) = extension("DIAL", &parts.word().unwrap_or_default())?;
    parts.end()?;
    Ok(Action::Dial { context, extension, ring_s: range("DIAL", "ring", &ring)? })
}

fn queue(argument: &str) -> Result<Action> {
    let mut parts = Parts::read("QUEUE", "wait=", argument)?;
    let wait_s = parts.take("wait").map(|text| range("QUEUE", "wait", &text)).transpose()?;
    let queue = parts.word().unwrap_or_default().parse()?;
    parts.end()?;
    Ok(Action::Queue { queue, wait_s })
}

/// The words behind a verb: at most one without `=`, and those with it by their keys.
struct Parts {
    verb: &'static str,
    known: &'static str,
    words: Vec<String>,
    keyed: BTreeMap<String, String>,
}

impl Parts {
    fn read(verb: &'static str, known: &'static str, argument: &str) -> Result<Self> {
        let mut parts = Self { verb, known, words: Vec::new(), keyed: BTreeMap::new() };
        for word in argument.split_whitespace() {
            let Some((key, value)) = word.split_once('=') else {
                parts.words.push(word.to_owned());
                continue;
            };
            if parts.keyed.insert(key.to_ascii_lowercase(), value.to_owned()).is_some() {
                return Err(ActionRefusal::Twice { verb, key: shortened(key) });
            }
        }
        Ok(parts)
    }

    fn take(&mut self, key: &str) -> Option<String> {
        self.keyed.remove(key)
    }

    fn word(&mut self) -> Option<String> {
        (!self.words.is_empty()).then(|| self.words.remove(0))
    }

    /// Where a part other than a menu's key leads.
    fn target(&mut self, key: &str) -> Result<Option<Target>> {
        match self.take(key).map(|text| text.parse()).transpose()? {
            Some(Target::Again) => Err(ActionRefusal::Again { verb: self.verb, way: key.to_owned() }),
            target => Ok(target),
        }
    }

    /// Nothing may be left.
    fn end(self) -> Result<()> {
        let left = self.words.into_iter().chain(self.keyed.into_keys().map(|key| format!("{key}=")));
        match left.into_iter().next() {
            None => Ok(()),
            Some(word) => Err(ActionRefusal::Part { verb: self.verb, word: shortened(&word), known: self.known }),
        }
    }
}
