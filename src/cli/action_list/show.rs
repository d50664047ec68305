//! Shows action lists as a tree, and in JSON.

use std::collections::BTreeSet;
use std::io::Write;

use serde_json::{Value, json};

use super::super::failure::Result;
use super::Address;
use crate::domain::action::{Action, Actions, Target};
use crate::domain::name::Name;

/// All lists, flat; the tree is in their targets.
pub fn json(address: &Address, lists: &Actions) -> Value {
    let rows = |list: &[Action]| list.iter().enumerate().map(|(i, action)| row(i + 1, action)).collect::<Vec<_>>();
    let named: serde_json::Map<_, _> =
        lists.named().map(|(name, list)| (name.to_string(), rows(list).into())).collect();
    json!({
        "campaign": address.campaign.as_str(),
        "actions": rows(lists.list(address.list.as_ref())),
        "lists": named,
        "unreached": lists.unreached(),
    })
}

/// An action with its parts, its place and its text.
fn row(place: usize, action: &Action) -> Value {
    let mut row = json!({"place": place, "action": action.to_string()});
    if let (Some(row), Ok(Value::Object(parts))) = (row.as_object_mut(), serde_json::to_value(action)) {
        row.extend(parts);
    }
    row
}

/// The lists as a tree. A list that several actions lead to is written out where it comes first.
pub fn text(out: &mut dyn Write, address: &Address, lists: &Actions) -> Result<()> {
    let Address { campaign, list } = address;
    if lists.list(list.as_ref()).is_empty() {
        writeln!(out, "campaign {campaign} has no actions; to add one: campanile actions add {campaign} PLAY SOUND")?;
    }
    write_tree(out, list.as_ref(), lists)
}

/// All lists as a tree.
pub fn tree(out: &mut dyn Write, lists: &Actions) -> Result<()> {
    write_tree(out, None, lists)
}

fn write_tree(out: &mut dyn Write, list: Option<&Name>, lists: &Actions) -> Result<()> {
    let mut tree = Tree { lists, shown: BTreeSet::new() };
    tree.list(out, list, 0)?;
    let unreached = if list.is_none() { lists.unreached() } else { Vec::new() };
    for name in unreached {
        writeln!(out, "\n{name}   (nothing leads here yet)")?;
        tree.list(out, Some(name), 0)?;
    }
    Ok(())
}

struct Tree<'a> {
    lists: &'a Actions,
    shown: BTreeSet<&'a Name>,
}

impl<'a> Tree<'a> {
    fn list(&mut self, out: &mut dyn Write, name: Option<&'a Name>, depth: usize) -> Result<()> {
        let lists = self.lists;
        for (i, action) in lists.list(name).iter().enumerate() {
            writeln!(out, "{:indent$}{:>3}. {action}", "", i + 1, indent = depth * INDENT)?;
            for (way, target) in action.ways() {
                if let Target::List(next) = target {
                    self.branch(out, &way, next, depth + 1)?;
                }
            }
        }
        Ok(())
    }

    fn branch(&mut self, out: &mut dyn Write, way: &str, name: &'a Name, depth: usize) -> Result<()> {
        let first = self.shown.insert(name);
        let above = if first { "" } else { "   (above)" };
        writeln!(out, "{:indent$}{way} → {name}{above}", "", indent = depth * INDENT)?;
        if first { self.list(out, Some(name), depth) } else { Ok(()) }
    }
}

/// How far a list stands to the right of the action that leads there.
const INDENT: usize = 5;
