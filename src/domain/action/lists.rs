//! The lists of a campaign: the one that begins, and those that its menus lead to.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Action, ActionRefusal, Target};
use crate::domain::name::Name;

/// The most actions in one list.
pub const ACTIONS_MAX: usize = 100;
/// The most actions in all lists of a campaign.
pub const TOTAL_MAX: usize = 500;
/// The most lists that lead one into the other.
pub const DEPTH_MAX: usize = 10;
/// The most steps of a call.
pub const STEPS_MAX: usize = 1_000;

/// What happens when a call is answered. An empty list is the same as none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Actions {
    first: Vec<Action>,
    named: BTreeMap<Name, Vec<Action>>,
}

/// As the ledger has it. Before there were named lists it was a bare list, and still is without them.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Stored {
    List(Vec<Action>),
    Lists { actions: Vec<Action>, lists: BTreeMap<Name, Vec<Action>> },
}

impl From<Stored> for Actions {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::List(first) => first.into(),
            Stored::Lists { actions, lists } => Self { first: actions, named: lists },
        }
    }
}

impl From<Actions> for Stored {
    fn from(actions: Actions) -> Self {
        match actions {
            Actions { first, named } if named.is_empty() => Self::List(first),
            Actions { first, named } => Self::Lists { actions: first, lists: named },
        }
    }
}

impl From<Vec<Action>> for Actions {
    fn from(first: Vec<Action>) -> Self {
        Self { first, named: BTreeMap::new() }
    }
}

/// The place of an action: its list, and its number there from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The list; `None` for the one that begins.
    pub list: Option<Name>,
    /// From 1.
    pub number: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.list {
            None => write!(f, "place {}", self.number),
            Some(list) => write!(f, "place {} of {list}", self.number),
        }
    }
}

impl Actions {
    /// A list; `None` names the one that begins. Empty where there is none.
    #[must_use]
    pub fn list(&self, name: Option<&Name>) -> &[Action] {
        match name {
            None => &self.first,
            Some(name) => self.named.get(name).map_or(&[], Vec::as_slice),
        }
    }

    /// Puts another list in the place of one; an empty one takes it away.
    pub fn replace(&mut self, name: Option<&Name>, actions: Vec<Action>) {
        match name {
            None => self.first = actions,
            Some(name) if actions.is_empty() => drop(self.named.remove(name)),
            Some(name) => drop(self.named.insert(name.clone(), actions)),
        }
    }

    /// The named lists.
    pub fn named(&self) -> impl Iterator<Item = (&Name, &[Action])> {
        self.named.iter().map(|(name, list)| (name, list.as_slice()))
    }

    /// Every action with its place: first the list that begins, then the others.
    pub fn all(&self) -> impl Iterator<Item = (Place, &Action)> {
        let lists =
            std::iter::once((None, self.first.as_slice())).chain(self.named().map(|(name, list)| (Some(name), list)));
        lists.flat_map(|(list, actions)| {
            let place = move |i| Place { list: list.cloned(), number: i + 1 };
            actions.iter().enumerate().map(move |(i, action)| (place(i), action))
        })
    }

    /// Whether an answered call would be silent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// The lists that nothing leads to.
    #[must_use]
    pub fn unreached(&self) -> Vec<&Name> {
        let led_to = |name: &Name| {
            let mut ways = self.all().flat_map(|(_, action)| action.ways());
            ways.any(|(_, target)| *target == Target::List(name.clone()))
        };
        self.named.keys().filter(|name| !led_to(name)).collect()
    }

    /// Checks that every call through these lists ends and every place can be reached: their lengths, that nothing
    /// follows an action that hands the call away, that each list led to is there, and that none leads back.
    pub fn check(&self) -> Result<(), ActionRefusal> {
        if std::iter::once(&self.first).chain(self.named.values()).any(|list| list.len() > ACTIONS_MAX) {
            return Err(ActionRefusal::TooMany);
        }
        if self.all().count() > TOTAL_MAX {
            return Err(ActionRefusal::TooManyInAll);
        }
        if let Some(name) = self.named.keys().find(|name| !matches!(name.as_str().parse(), Ok(Target::List(_)))) {
            return Err(name.as_str().parse().map_or(ActionRefusal::TooMany, ActionRefusal::Reserved));
        }
        self.all().try_for_each(|(place, action)| self.check_place(place, action))?;
        Walk { actions: self, way: Vec::new(), known: BTreeMap::new() }.check()
    }

    fn check_place(&self, place: Place, action: &Action) -> Result<(), ActionRefusal> {
        if action.is_last() && place.number < self.list(place.list.as_ref()).len() {
            let why = match action {
                Action::Hangup => "it ends the call",
                _ => "it hands the call away",
            };
            return Err(ActionRefusal::Follows { verb: action.verb(), place, why });
        }
        let missing = action.ways().into_iter().find_map(|(_, target)| match target {
            Target::List(name) if !self.named.contains_key(name) => Some(name.clone()),
            _ => None,
        });
        missing.map_or(Ok(()), |list| Err(ActionRefusal::NoList { place, list }))
    }
}

/// How far a call may come from the beginning of a list.
#[derive(Debug, Clone, Copy, Default)]
struct Extent {
    /// The most steps.
    steps: usize,
    /// The most lists that lead one into the other.
    depth: usize,
}

/// A walk through all lists, each once.
struct Walk<'a> {
    actions: &'a Actions,
    /// The lists that led here.
    way: Vec<&'a Name>,
    known: BTreeMap<&'a Name, Extent>,
}

impl<'a> Walk<'a> {
    fn check(mut self) -> Result<(), ActionRefusal> {
        let actions = self.actions;
        let first = self.of(&actions.first)?;
        let named = actions.named.keys().map(|name| self.enter(name)).collect::<Result<Vec<_>, _>>()?;
        for extent in named.into_iter().chain([first]) {
            if extent.depth > DEPTH_MAX {
                return Err(ActionRefusal::TooDeep);
            }
            if extent.steps > STEPS_MAX {
                return Err(ActionRefusal::TooLong);
            }
        }
        Ok(())
    }

    fn enter(&mut self, name: &'a Name) -> Result<Extent, ActionRefusal> {
        if let Some(extent) = self.known.get(name) {
            return Ok(*extent);
        }
        if let Some(begin) = self.way.iter().position(|before| *before == name) {
            let circle = self.way[begin..].iter().chain([&name]).map(|name| name.as_str());
            return Err(ActionRefusal::Circle(circle.collect::<Vec<_>>().join(" → ")));
        }
        self.way.push(name);
        let inside = self.of(self.actions.list(Some(name)))?;
        self.way.pop();
        let extent = Extent { depth: inside.depth + 1, ..inside };
        self.known.insert(name, extent);
        Ok(extent)
    }

    fn of(&mut self, list: &'a [Action]) -> Result<Extent, ActionRefusal> {
        let mut whole = Extent::default();
        for action in list {
            let mut branch = Extent::default();
            for (_, target) in action.ways() {
                if let Target::List(name) = target {
                    let extent = self.enter(name)?;
                    branch.steps = branch.steps.max(extent.steps);
                    branch.depth = branch.depth.max(extent.depth);
                }
            }
            whole.steps = whole.steps.saturating_add(1).saturating_add(branch.steps);
            whole.depth = whole.depth.max(branch.depth);
        }
        Ok(whole)
    }
}
