//! Which list: a campaign's first, or one that it has by name.

use std::fmt;
use std::str::FromStr;

use super::super::failure::Failure;
use crate::domain::action::Actions;
use crate::domain::name::{Name, TextRefusal};
use crate::exit::Exit;

/// `CAMPAIGN` or `CAMPAIGN:LIST`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub campaign: Name,
    /// `None` for the list that begins.
    pub list: Option<Name>,
}

impl Address {
    /// The list is not there; says which are.
    pub fn no_list(&self, lists: &Actions) -> Failure {
        let names: Vec<&str> = lists.named().map(|(name, _)| name.as_str()).collect();
        let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let what = format!("campaign {} has no list `{}`; it has: {there}", self.campaign, self.list_name());
        Failure::new(Exit::NoInput, what, format!("to make it: campanile actions add {self} PLAY SOUND"))
    }

    fn list_name(&self) -> &str {
        self.list.as_ref().map_or("", Name::as_str)
    }
}

impl FromStr for Address {
    type Err = TextRefusal;

    fn from_str(text: &str) -> Result<Self, TextRefusal> {
        let (campaign, list) = text.split_once(':').map_or((text, None), |(campaign, list)| (campaign, Some(list)));
        Ok(Self { campaign: campaign.parse()?, list: list.map(str::parse).transpose()? })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.campaign)?;
        self.list.as_ref().map_or(Ok(()), |list| write!(f, ":{list}"))
    }
}
