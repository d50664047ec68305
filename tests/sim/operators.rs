//! What people do while it runs.

use std::collections::BTreeMap;

use campanile::domain::action::{Action, Actions};
use campanile::domain::calendar::{Calendar, Window, Zone};
use campanile::domain::campaign::{Campaign, CampaignState, ContactState, RetryRules};
use campanile::domain::ids::{AttemptId, CampaignId, ContactId, TrunkId, UserId};
use campanile::domain::number::Number;
use campanile::domain::trunk::ShortNumbers;
use campanile::domain::user::Role;
use campanile::ledger::contacts::Imported;
use campanile::ledger::{actions, attempts, campaigns, contacts, trunks, users};

use crate::world::{Happening, World};

/// The numbers that there are; campaigns share them.
const NUMBERS: i64 = 30;

/// What was acknowledged to the operators.
#[derive(Debug, Clone)]
pub struct Told {
    pub campaign: Campaign,
    pub imported: u64,
}

#[derive(Debug, Default)]
pub struct Operators {
    pub told: BTreeMap<CampaignId, Told>,
    /// A command failed at its commit: after a recovery, its pages may show it as done.
    pub in_doubt: bool,
    /// Campaigns whose removal was asked for, with their attempts.
    pub maybe_removed: BTreeMap<CampaignId, Vec<AttemptId>>,
    /// Channels and starts a second of each trunk.
    pub trunks: BTreeMap<TrunkId, (Option<u32>, Option<u32>)>,
}

impl World {
    pub fn set_up(&mut self) {
        let now = self.now();
        let owner = self.command(|db| users::add(db, &"ann".parse()?, Role::Admin, now)).unwrap();
        for (name, channels, starts_per_second) in [("wide", None, None), ("slow", Some(3), Some(1))] {
            let trunk = trunks::NewTrunk {
                name: name.parse().unwrap(),
                template: format!("PJSIP/{{number}}@{name}").parse().unwrap(),
                channels,
                starts_per_second,
                account: None,
                short_numbers: ShortNumbers::Refused,
            };
            let id = self.command(|db| trunks::add(db, &trunk, now)).unwrap();
            self.operators.trunks.insert(id, (channels, starts_per_second));
        }
        for name in ["spring", "summer", "autumn"] {
            self.add_campaign(name, owner).unwrap();
        }
        let ids: Vec<CampaignId> = self.operators.told.keys().copied().collect();
        for id in ids {
            let count = self.chance.between(1, 12);
            self.import(id, count);
            self.set_state(id, CampaignState::Running);
        }
    }

    /// A new campaign with an action list, in one transaction; `None` when the ledger refused.
    fn add_campaign(&mut self, name: &str, owner: UserId) -> Option<()> {
        let now = self.now();
        let trunks: Vec<TrunkId> = self.operators.trunks.keys().copied().collect();
        let mut campaign = Campaign {
            id: CampaignId(0),
            name: name.parse().unwrap(),
            owner,
            trunk: *self.chance.one_of(&trunks),
            state: CampaignState::Stopped,
            calendar: self.draw_calendar(),
            retry: RetryRules {
                max_retries: self.chance.below(3) as u32,
                retry_time_s: *self.chance.one_of(&[60, 60, 300]),
                wait_time_s: *self.chance.one_of(&[10, 30]),
            },
            channels: *self.chance.one_of(&[None, Some(1), Some(4)]),
            caller_number: None,
            caller_name: None,
            actions: None,
        };
        let list = answered(self.operators.told.len());
        campaign.id = self.command(|db| {
            let id = campaigns::add(db, &campaign, now)?;
            actions::replace(db, id, &list)?;
            Ok(id)
        })?;
        self.operators.told.insert(campaign.id, Told { campaign, imported: 0 });
        Some(())
    }

    /// Removes a campaign that has no open calls, and what is known of it; the next one comes after it.
    fn remove_campaign(&mut self, id: CampaignId) {
        let campaign = self.operators.told[&id].campaign.clone();
        if self.ledger.read(|db| attempts::open_of(db, id)).unwrap() > 0 {
            return;
        }
        let attempts = self.rows_of(id).into_iter().map(|row| row.id).collect();
        // Should its commit fail, a recovery may still find it done.
        self.operators.maybe_removed.insert(id, attempts);
        if self.command(|db| campaigns::remove(db, &campaign)).is_some() {
            self.forget_campaign(id);
        }
        let name = format!("campaign-{}", self.happenings);
        if self.add_campaign(&name, campaign.owner).is_some() {
            let newest = *self.operators.told.keys().last().unwrap();
            self.import(newest, 3);
            self.set_state(newest, CampaignState::Running);
        }
    }

    /// What was removed is not asked for any more.
    pub fn forget_campaign(&mut self, id: CampaignId) {
        self.operators.told.remove(&id);
        self.record.removed.extend(self.operators.maybe_removed.remove(&id).expect("somebody removed it"));
        self.say(|_| format!("operator: campaign {id} is removed"));
    }

    fn draw_calendar(&mut self) -> Calendar {
        let zone: Zone =
            self.chance.one_of(&["Europe/Berlin", "UTC", "America/New_York", "Asia/Kolkata"]).parse().unwrap();
        let local_s = (self.now().0 / 1000).rem_euclid(86_400) as u32;
        let window = match self.chance.below(5) {
            0 => Window::parse("01:30", "03:30").unwrap(),
            1 => Window::parse("22:00", "06:00").unwrap(),
            2 => Window::new(local_s, (local_s + 240) % 86_400),
            _ => Window::ALWAYS,
        };
        Calendar { window, zone }
    }

    /// One thing that somebody does; then the next one later.
    pub fn operate(&mut self) {
        if self.plagues.over {
            return;
        }
        let ids: Vec<CampaignId> = self.operators.told.keys().copied().collect();
        let id = *self.chance.one_of(&ids);
        match self.chance.below(12) {
            0 => self.set_state(id, CampaignState::Paused),
            1 => self.set_state(id, CampaignState::Stopped),
            2..=5 => self.set_state(id, CampaignState::Running),
            6 | 7 => {
                let count = self.chance.between(1, 6);
                self.import(id, count);
            }
            8 => drop(self.command(|db| contacts::redial_failed(db, id))),
            9 => self.reactivate_one(id),
            10 => self.change(id),
            _ if self.chance.per_mille(500) => self.remove_campaign(id),
            _ => self.delete_some(id),
        }
        let ms = self.chance.between(100, 40_000);
        self.after(ms, Happening::Operator);
    }

    pub fn set_state(&mut self, id: CampaignId, state: CampaignState) {
        if self.command(|db| campaigns::set_state(db, id, state)).is_none() {
            return;
        }
        self.told(id).campaign.state = state;
        self.say(|_| format!("operator: campaign {id} {state}"));
    }

    /// Somebody stops a campaign while its call is already at the gate.
    pub fn stop_at_the_last_moment(&mut self) {
        if !self.plagues.over && self.chance.per_mille(25) {
            let ids: Vec<CampaignId> = self.operators.told.keys().copied().collect();
            let id = *self.chance.one_of(&ids);
            self.set_state(id, CampaignState::Stopped);
        }
    }

    fn told(&mut self, id: CampaignId) -> &mut Told {
        self.operators.told.get_mut(&id).unwrap()
    }

    fn import(&mut self, id: CampaignId, count: i64) {
        for _ in 0..count {
            let number = format!("+4930123{:04}", self.chance.below(NUMBERS));
            let number = Number::from_canonical(&number).unwrap();
            let imported = self.command(|db| contacts::import(db, id, &number));
            self.told(id).imported += u64::from(imported == Some(Imported::New));
        }
        self.say(|_| format!("operator: imports {count} into {id}"));
    }

    fn reactivate_one(&mut self, id: CampaignId) {
        let state = *self.chance.one_of(&[ContactState::Reached, ContactState::Failed]);
        let page = self.ledger.read(|db| contacts::page(db, id, Some(state), ContactId(0), 1)).unwrap();
        if let Some(contact) = page.first() {
            self.command(|db| contacts::reactivate(db, contact));
            self.record.opted_out.remove(&contact.id);
            self.say(|_| format!("operator: reactivates contact {}", contact.id));
        }
    }

    fn change(&mut self, id: CampaignId) {
        let calendar = self.draw_calendar();
        let channels = *self.chance.one_of(&[None, Some(1), Some(4)]);
        let mut campaign = self.told(id).campaign.clone();
        (campaign.calendar, campaign.channels) = (calendar, channels);
        if self.command(|db| campaigns::update(db, &campaign)).is_none() {
            return;
        }
        self.told(id).campaign = campaign;
        self.say(|_| format!("operator: changes campaign {id}"));
    }

    fn delete_some(&mut self, id: CampaignId) {
        if self.chance.per_mille(600) {
            let Some(deleted) = self.command(|db| contacts::delete_all(db, id)) else { return };
            self.told(id).imported -= deleted.deleted;
            self.say(|_| format!("operator: deletes {} numbers of {id}", deleted.deleted));
        }
    }

    /// So that everything can come to an end.
    pub fn open_all(&mut self) {
        let ids: Vec<CampaignId> = self.operators.told.keys().copied().collect();
        for id in ids {
            let mut campaign = self.told(id).campaign.clone();
            campaign.calendar = Calendar { window: Window::ALWAYS, zone: Zone::UTC };
            self.command(|db| campaigns::update(db, &campaign));
            self.told(id).campaign = campaign;
            self.set_state(id, CampaignState::Running);
        }
    }
}

/// What the n-th campaign says: a message; or a menu for humans and a message for machines, both of whom may opt
/// out: a human may have been taken for a machine.
fn answered(n: usize) -> Actions {
    let read = |texts: &[(&str, &str)]| texts.iter().map(|(verb, text)| Action::parse(verb, text).unwrap()).collect();
    let simple: Vec<Action> = read(&[("PLAY", "hello-world"), ("WAIT", "2")]);
    if n % 3 != 1 {
        return simple.into();
    }
    let mut lists = Actions::default();
    lists.replace(None, read(&[("AMD", "machine=leave"), ("MENU", "menu keys=1:no-more repeats=1"), ("HANGUP", "")]));
    lists.replace(
        "leave".parse().ok().as_ref(),
        read(&[("MENU", "menu keys=1:no-more repeats=0"), ("PLAY", "message")]),
    );
    lists.replace("no-more".parse().ok().as_ref(), read(&[("OPT-OUT", ""), ("HANGUP", "")]));
    assert_eq!(lists.check(), Ok(()));
    lists
}
