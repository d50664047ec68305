//! What people do while it runs.

use std::collections::{BTreeMap, BTreeSet};

use campanile::domain::action::{Action, Actions};
use campanile::domain::attempt::AttemptState;
use campanile::domain::bar::{OPT_OUT_LIST, Pattern};
use campanile::domain::calendar::{Calendar, Holiday, Repeats, Schedule, Timetable, Window, Zone};
use campanile::domain::campaign::{Campaign, CampaignState, ContactRules, ContactState, Finish, Pacing, RetryRules};
use campanile::domain::cause::{CauseRule, CauseTable, Verb};
use campanile::domain::contact::{CallingOrder, NumberKind, Priority};
use campanile::domain::ids::{AttemptId, CalendarId, CampaignId, ContactId, LineCheckId, TrunkId, UserId};
use campanile::domain::instant::UtcMs;
use campanile::domain::number::Number;
use campanile::domain::outcome::OutcomeRules;
use campanile::domain::rhythm::{Batch, Rhythm};
use campanile::domain::round::{AfterPickup, RoundRules, WhenDone};
use campanile::domain::traffic::Traffic;
use campanile::domain::trunk::{ShortNumbers, TrunkLine};
use campanile::domain::user::Role;
use campanile::domain::zoning::LegalSwitch;
use campanile::ledger::contacts::Imported;
use campanile::ledger::details::Details;
use campanile::ledger::dnc::{self, Entry};
use campanile::ledger::newcomers::{self, Added, Holder, NewContact};
use campanile::ledger::{
    Db, actions, attempts, calendars, campaigns, causes, contacts, imports, line_checks, trunks, users,
};

use crate::world::{Happening, World};

/// The numbers that there are; campaigns share them.
const NUMBERS: i64 = 30;

/// What an import says of a contact that is there already; all that came later are of its run.
const KNOWN: Added = Added::Known(Holder::InRun);

/// What was acknowledged to the operators.
#[derive(Debug, Clone)]
pub struct Told {
    pub campaign: Campaign,
    pub imported: u64,
    /// Calls that the gate admitted since it was started.
    pub calls: u32,
}

#[derive(Debug, Default)]
pub struct Operators {
    pub told: BTreeMap<CampaignId, Told>,
    /// A command failed at its commit: after a recovery, its pages may show it as done.
    pub in_doubt: bool,
    /// Campaigns whose removal was asked for, with their attempts.
    pub maybe_removed: BTreeMap<CampaignId, Vec<AttemptId>>,
    /// Campaigns that were removed when they were done.
    pub left: BTreeSet<CampaignId>,
    /// Numbers on the do-not-call list, each with when its entry expires.
    pub do_not_call: BTreeMap<Number, Option<UtcMs>>,
    /// Channels and starts a second of each trunk.
    pub trunks: BTreeMap<TrunkId, (Option<u32>, Option<u32>)>,
    /// The trunk that made-up calls go over, and whether it is a test line now.
    pub lab: Option<(TrunkId, TrunkLine)>,
    /// The calendar that some campaigns work by.
    pub calendar: Option<(CalendarId, Timetable)>,
}

impl World {
    pub fn set_up(&mut self) {
        let now = self.now();
        let owner = self.command(|db| users::add(db, &"ann".parse()?, Role::Admin, now)).unwrap();
        for (name, channels, starts_per_second) in
            [("wide", None, None), ("slow", Some(3), Some(1)), ("lab", None, None)]
        {
            let breaker = self.draw_breaker();
            let trunk = trunks::NewTrunk {
                name: name.parse().unwrap(),
                template: format!("PJSIP/{{number}}@{name}").parse().unwrap(),
                channels,
                starts_per_second,
                account: None,
                short_numbers: ShortNumbers::Refused,
                breaker,
                line: if name == "lab" { TrunkLine::Test } else { TrunkLine::Real },
            };
            let id = self.command(|db| trunks::add(db, &trunk, now)).unwrap();
            self.operators.lab = (name == "lab").then_some((id, trunk.line));
            self.operators.trunks.insert(id, (channels, starts_per_second));
        }
        self.add_calendar(owner);
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
        let (trunk, further_trunks) = self.draw_trunks();
        let mut campaign = Campaign {
            further_trunks,
            pacing: self.draw_pacing(),
            finish: *self.chance.one_of(&[Finish::WhenDone, Finish::WhenDone, Finish::Never, Finish::AfterCalls(4)]),
            retry: RetryRules {
                max_retries: self.chance.below(3) as u32,
                retry_time_s: *self.chance.one_of(&[60, 60, 300]),
                wait_time_s: *self.chance.one_of(&[10, 30]),
            },
            outcome: OutcomeRules {
                later_retry_times_s: self.chance.one_of(&[vec![], vec![120, 600]]).clone(),
                max_dials: *self.chance.one_of(&[None, Some(1), Some(2)]),
                min_talk_s: *self.chance.one_of(&[0, 0, 3]),
                wrap_up_s: *self.chance.one_of(&[None, None, None, Some(20)]),
            },
            channels: *self.chance.one_of(&[None, Some(1), Some(4)]),
            contacts: ContactRules {
                order: *self.chance.one_of(CallingOrder::ALL),
                next_number_after_s: *self.chance.one_of(&[0, 10, 120]),
            },
            legal_hours: self.draw_legal_hours(),
            rounds: self.draw_rounds(),
            line_check: self.draw_line_check(owner, name),
            ..Campaign::new(name.parse().unwrap(), owner, trunk, Zone::UTC)
        };
        self.draw_traffic(&mut campaign);
        self.draw_hours(&mut campaign);
        let list = answered(self.operators.told.len());
        let table = self.draw_causes();
        campaign.id = self.command(|db| {
            let id = campaigns::add(db, &campaign, now)?;
            table.0.iter().try_for_each(|(cause, rule)| causes::set(db, id, *cause, *rule))?;
            actions::replace(db, id, &list)?;
            Ok(id)
        })?;
        self.operators.told.insert(campaign.id, Told { campaign, imported: 0, calls: 0 });
        Some(())
    }

    /// Some campaigns check lines, where there are breakers that this is to be nothing to.
    fn draw_line_check(&mut self, owner: UserId, name: &str) -> Option<LineCheckId> {
        let now = self.now();
        if !self.has_breakers() || !self.chance.per_mille(250) {
            return None;
        }
        self.command(|db| line_checks::add(db, &name.parse()?, owner, now))
    }

    fn draw_legal_hours(&mut self) -> LegalSwitch {
        let own = self.lulls.own;
        self.chance
            .one_of(&[LegalSwitch::On, LegalSwitch::On, LegalSwitch::Off, LegalSwitch::Own(own.week().into())])
            .clone()
    }

    /// What is made up for the calls of a campaign that goes over the test line only.
    fn draw_traffic(&mut self, campaign: &mut Campaign) {
        campaign.traffic = Traffic::default();
        if self.operators.lab.is_some_and(|(trunk, _)| campaign.trunks() == [trunk]) {
            let duration = *self.chance.one_of(&["none", "2s", "1s-9s", "gauss:4s,2s,1s-8s"]);
            campaign.traffic = Traffic {
                duration: duration.parse().ok(),
                cancel: self.chance.one_of(&["0%", "50%", "100%"]).parse().unwrap(),
                ..Traffic::default()
            };
        }
    }

    /// Somebody takes the mark of a test line away, past the command that would refuse it, or puts it back.
    fn change_line(&mut self, line: TrunkLine) {
        let Some((trunk, _)) = self.operators.lab else { return };
        if self.command(|db| trunks::set_line(db, trunk, line)).is_some() {
            self.operators.lab = Some((trunk, line));
            self.say(|_| format!("operator: the lab's trunk is a {line} line"));
        }
    }

    fn draw_rounds(&mut self) -> RoundRules {
        RoundRules {
            repeat_s: *self.chance.one_of(&[None, None, Some(5), Some(120)]),
            rounds_max: *self.chance.one_of(&[None, Some(2), Some(3)]),
            after_pickup: *self.chance.one_of(&[AfterPickup::Keep, AfterPickup::Keep, AfterPickup::Delete]),
            when_done: *self.chance.one_of(&[WhenDone::Keep, WhenDone::Keep, WhenDone::Keep, WhenDone::Remove]),
        }
    }

    fn draw_causes(&mut self) -> CauseTable {
        let mut table = CauseTable::default();
        for cause in ["NO_ANSWER", "sip:486", "sip:404", "34"] {
            if self.chance.per_mille(300) {
                let rule = CauseRule {
                    verb: *self.chance.one_of(Verb::ALL),
                    delay_s: *self.chance.one_of(&[None, Some(1)]),
                    limit: *self.chance.one_of(&[None, Some(2)]),
                };
                table.0.insert(cause.parse().unwrap(), rule);
            }
        }
        table
    }

    /// Somebody does not want to be called any more, or not for a while, or changes their mind.
    fn change_do_not_call(&mut self, number: Number) {
        let name = OPT_OUT_LIST.parse().unwrap();
        let list = self.ledger.read(|db| dnc::find(db, &name)).unwrap().expect("there always is this list").id;
        let pattern = Pattern::Number(number.clone());
        if self.chance.per_mille(300) {
            if self.command(|db| dnc::remove(db, list, &pattern)).is_some() {
                self.operators.do_not_call.remove(&number);
                self.say(|_| "operator: takes a number off the do-not-call list".to_owned());
            }
            return;
        }
        let for_s = *self.chance.one_of(&[None, Some(5), Some(300)]);
        let (added_at, expires_at) = (self.now(), for_s.map(|s| self.now().plus_s(s)));
        let entry = Entry { pattern, source: "said so".to_owned(), added_at, expires_at };
        if self.command(|db| dnc::add(db, list, &entry)).is_some() {
            let told = self.operators.do_not_call.entry(number).or_insert(expires_at);
            *told = told.zip(expires_at).map(|(a, b)| a.max(b));
            self.say(|_| format!("operator: a number is not to be called, until {expires_at:?}"));
        }
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
        self.add_another(campaign.owner);
    }

    /// A campaign that was to be removed when it is done has left: its report is all that there is of it.
    pub fn note_who_left(&mut self) {
        let may: Vec<CampaignId> = self.operators.told.keys().copied().collect();
        for id in may {
            let told = &self.operators.told[&id].campaign;
            let may_leave = told.rounds.when_done == WhenDone::Remove;
            let there = self.ledger.read(|db| campaigns::get(db, id)).unwrap();
            if !may_leave || there.is_none_or(|there| there.name == self.operators.told[&id].campaign.name) {
                continue;
            }
            let attempts: Vec<_> = self.rows_of(id);
            let open = attempts.iter().filter(|row| row.state != AttemptState::Closed).count();
            assert_eq!(open, 0, "campaign {id} was removed with open calls");
            self.operators.maybe_removed.insert(id, attempts.into_iter().map(|row| row.id).collect());
            self.operators.left.insert(id);
            self.forget_campaign(id);
        }
    }

    fn add_another(&mut self, owner: UserId) {
        let name = format!("campaign-{}", self.happenings);
        if self.add_campaign(&name, owner).is_some() {
            let newest = *self.operators.told.keys().last().unwrap();
            self.import(newest, 3);
            self.set_state(newest, CampaignState::Running);
        }
    }

    /// What was removed is not asked for any more.
    pub fn forget_campaign(&mut self, id: CampaignId) {
        self.operators.told.remove(&id);
        self.record.forget(id);
        self.record.removed.extend(self.operators.maybe_removed.remove(&id).expect("somebody removed it"));
        self.say(|_| format!("operator: campaign {id} is removed"));
    }

    fn add_calendar(&mut self, owner: UserId) {
        let now = self.now();
        // It is closed for four minutes, some way into the run.
        let closes_s = (now.0 / 1000).rem_euclid(86_400) / 60 * 60 + self.chance.between(2, 30) * 60;
        let clock = |s: i64| format!("{:02}:{:02}", s / 3600 % 24, s / 60 % 60);
        let hours = if closes_s + 240 < 86_400 {
            format!("daily 00:00-{},{}-24:00", clock(closes_s), clock(closes_s + 240))
        } else {
            "daily 00:10-23:50".to_owned()
        };
        let timetable = Timetable {
            zone: "Europe/Lisbon".parse().unwrap(),
            week: hours.parse().unwrap(),
            first_day: None,
            last_day: None,
            holidays: Vec::new(),
        };
        let id = self.command(|db| calendars::add(db, &"office".parse()?, owner, &timetable, now)).unwrap();
        self.operators.calendar = Some((id, timetable));
    }

    /// Somebody declares today a holiday, or takes it back.
    fn change_calendar(&mut self) {
        let (id, mut timetable) = self.operators.calendar.clone().unwrap();
        let today = timetable.zone.date(self.now());
        if timetable.holidays.pop().is_none() && self.chance.per_mille(400) {
            let name = "Strike".parse().unwrap();
            timetable.holidays.push(Holiday { name, first: today, last: today, repeats: Repeats::Once });
        }
        if self.command(|db| calendars::update(db, id, &timetable)).is_none() {
            return;
        }
        self.operators.calendar = Some((id, timetable.clone()));
        let works_by_it = self.operators.told.values_mut().filter(|told| told.campaign.calendar_id == Some(id));
        works_by_it.for_each(|told| told.campaign.calendar.timetable = Some(timetable.clone().into()));
        self.say(|_| format!("operator: the calendar has {} holidays", timetable.holidays.len()));
    }

    fn draw_pacing(&mut self) -> Pacing {
        let batch = Some(Batch { calls: 2, pause_s: 20 });
        let rhythm = *self.chance.one_of(&[
            Rhythm::default(),
            Rhythm::default(),
            Rhythm { delay_ms: 2_500, batch: None },
            Rhythm { delay_ms: 0, batch },
        ]);
        Pacing { priority: self.chance.below(3) as u32, rhythm }
    }

    /// Hours for a campaign, with the time that its calls may ring.
    fn draw_hours(&mut self, campaign: &mut Campaign) {
        let zone: Zone =
            self.chance.one_of(&["Europe/Berlin", "UTC", "America/New_York", "Asia/Kolkata"]).parse().unwrap();
        let local_s = (self.now().0 / 1000).rem_euclid(86_400) as u32;
        let window = match self.chance.below(5) {
            0 => Window::parse("01:30", "03:30").unwrap(),
            1 => Window::parse("22:00", "06:00").unwrap(),
            2 => Window::new(local_s, (local_s + 240) % 86_400),
            _ => Window::ALWAYS,
        };
        campaign.calendar = Calendar::daily(window, zone).with_ring_time(campaign.retry.wait_time_s);
        let (id, timetable) = self.operators.calendar.clone().unwrap();
        let by_it = self.chance.per_mille(300);
        campaign.calendar_id = by_it.then_some(id);
        campaign.calendar.timetable = by_it.then(|| timetable.into());
        let now = self.now();
        campaign.calendar.schedule = match self.chance.below(8) {
            0 => Schedule { starts_at: Some(now.plus_s(90)), ends_at: None },
            1 => Schedule { starts_at: None, ends_at: Some(now.plus_s(self.chance.between(60, 1_800))) },
            _ => Schedule::default(),
        };
    }

    /// One thing that somebody does; then the next one later.
    pub fn operate(&mut self) {
        if self.plagues.over {
            return;
        }
        self.note_who_left();
        let ids: Vec<CampaignId> = self.operators.told.keys().copied().collect();
        if ids.is_empty() {
            self.add_another(UserId(1));
            return self.after(1_000, Happening::Operator);
        }
        let id = *self.chance.one_of(&ids);
        match self.chance.below(17) {
            0 => self.set_state(id, CampaignState::Paused),
            1 => self.set_state(id, CampaignState::Stopped),
            2..=5 => self.set_state(id, CampaignState::Running),
            6 | 7 => {
                let count = self.chance.between(1, 6);
                self.import(id, count);
            }
            8 => {
                self.command(|db| contacts::redial_failed(db, id));
                self.record.calls.retain(|_, calls| calls.campaign != id);
            }
            9 => self.reactivate_one(id),
            10 if self.chance.per_mille(500) => self.undo_import(id),
            10 => self.change(id),
            11 => self.change_calendar(),
            15 | 16 => self.change_line(TrunkLine::Test),
            12 | 13 => {
                let number = self.draw_number();
                self.change_do_not_call(number);
            }
            _ if self.chance.per_mille(500) => self.remove_campaign(id),
            _ => self.delete_some(id),
        }
        let ms = self.chance.between(100, 40_000);
        self.after(ms, Happening::Operator);
    }

    pub fn set_state(&mut self, id: CampaignId, state: CampaignState) {
        let now = self.now();
        let there = self.ledger.read(|db| campaigns::get(db, id)).unwrap().unwrap();
        let start = |db: &Db| match state {
            CampaignState::Running if there.state == CampaignState::Running => Ok(()),
            CampaignState::Running => campaigns::start(db, &there, now),
            state => campaigns::set_state(db, id, state),
        };
        if self.command(start).is_none() {
            return;
        }
        if state == CampaignState::Running && !matches!(there.state, CampaignState::Running | CampaignState::Paused) {
            self.told(id).calls = 0;
        }
        self.told(id).campaign.state = state;
        self.say(|_| format!("operator: campaign {id} {state}"));
    }

    /// Somebody stops a campaign, takes a test line away, or wants to be called no more, while a call is already at the
    /// gate.
    pub fn stop_at_the_last_moment(&mut self) {
        if !self.plagues.over && self.chance.per_mille(40) {
            self.change_line(TrunkLine::Real);
        }
        if !self.plagues.over && self.chance.per_mille(25) {
            self.note_who_left();
            let ids: Vec<CampaignId> = self.operators.told.keys().copied().collect();
            if ids.is_empty() {
                return;
            }
            let id = *self.chance.one_of(&ids);
            match self.chance.per_mille(500) {
                true => self.set_state(id, CampaignState::Stopped),
                false => {
                    let open = self.rows().into_iter().filter(|row| row.state != AttemptState::Closed);
                    let planned: Vec<Number> = open.map(|row| row.number).collect();
                    if !planned.is_empty() {
                        let number = self.chance.one_of(&planned).clone();
                        self.change_do_not_call(number);
                    }
                }
            }
        }
    }

    fn told(&mut self, id: CampaignId) -> &mut Told {
        self.operators.told.get_mut(&id).unwrap()
    }

    fn import(&mut self, id: CampaignId, count: i64) {
        // Their ids may have been those of contacts that were deleted.
        let last = self.ledger.read(|db| contacts::last_id(db)).unwrap();
        self.record.calls.retain(|contact, _| *contact <= last);
        self.record.opted_out.retain(|contact| *contact <= last);
        self.record.pardoned.retain(|contact, _| *contact <= last);
        for _ in 0..count {
            let newcomer = self.draw_contact();
            let brought = self.command(|db| match &newcomer {
                // A plain number comes as a plain list does.
                plain if plain.numbers.len() == 1 && plain.expires_at.is_none() && plain.details.zone.is_none() => {
                    Ok(contacts::import(db, id, &plain.numbers[0].0)? == Imported::New)
                }
                rich => Ok(newcomers::add_all(db, id, std::slice::from_ref(rich), ContactId(0))? != [KNOWN]),
            });
            self.told(id).imported += u64::from(brought == Some(true));
        }
        self.say(|_| format!("operator: imports {count} into {id}"));
    }

    fn draw_number(&mut self) -> Number {
        let n = self.chance.below(NUMBERS);
        let number = match n % 5 {
            3 => format!("+1208555{n:04}"),
            4 => format!("+9771412{n:04}"),
            _ => format!("+4930123{n:04}"),
        };
        Number::from_canonical(&number).unwrap()
    }

    fn draw_contact(&mut self) -> NewContact {
        let count = *self.chance.one_of(&[1, 1, 2, 3]);
        let mut numbers: Vec<(Number, Option<NumberKind>)> = Vec::new();
        for _ in 0..count {
            let number = self.draw_number();
            if numbers.iter().all(|(other, _)| *other != number) {
                numbers.push((number, None));
            }
        }
        let expires_in_s = self.chance.between(5, 600);
        let expires_at = self.chance.per_mille(250).then(|| self.now().plus_s(expires_in_s));
        let priority = Priority::new(*self.chance.one_of(&[0, 0, 5, -5])).unwrap();
        let mut details = Details::default();
        if self.chance.per_mille(200) {
            details.zone = "Asia/Kolkata".parse().ok();
        }
        if self.chance.per_mille(200) {
            details.variables.set("debt".parse().unwrap(), "20000".parse().unwrap());
        }
        NewContact { numbers, priority, expires_at, details }
    }

    fn reactivate_one(&mut self, id: CampaignId) {
        let state = *self.chance.one_of(&[ContactState::Reached, ContactState::Failed, ContactState::Excluded]);
        let page = self.ledger.read(|db| contacts::page(db, id, Some(state), ContactId(0), 1)).unwrap();
        if let Some(contact) = page.first() {
            let now = self.now();
            self.command(|db| contacts::reactivate(db, contact, now));
            self.record.opted_out.remove(&contact.id);
            let last = self.rows_of(id).last().map_or(AttemptId(0), |row| row.id);
            self.record.pardoned.insert(contact.id, last);
            self.record.calls.remove(&contact.id);
            self.say(|_| format!("operator: reactivates contact {}", contact.id));
        }
    }

    fn change(&mut self, id: CampaignId) {
        let mut campaign = self.told(id).campaign.clone();
        campaign.channels = *self.chance.one_of(&[None, Some(1), Some(4)]);
        campaign.pacing.priority = self.chance.below(3) as u32;
        (campaign.trunk, campaign.further_trunks) = self.draw_trunks();
        self.draw_traffic(&mut campaign);
        campaign.legal_hours = self.draw_legal_hours();
        self.draw_hours(&mut campaign);
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

    /// Imports something under an import's name and takes it back, unless it was dialled meanwhile.
    fn undo_import(&mut self, id: CampaignId) {
        let now = self.now();
        let newcomer = self.draw_contact();
        let last = self.ledger.read(|db| contacts::last_id(db)).unwrap();
        self.record.calls.retain(|contact, _| *contact <= last);
        self.record.opted_out.retain(|contact| *contact <= last);
        self.record.pardoned.retain(|contact, _| *contact <= last);
        let begun = self.command(|db| {
            let (import, before) = (imports::begin(db, id, "list.csv", now)?, contacts::last_id(db)?);
            let new = newcomers::add_all(db, id, std::slice::from_ref(&newcomer), ContactId(0))? != [KNOWN];
            imports::note(db, import, before, u64::from(new))?;
            Ok((import, new))
        });
        let Some((import, new)) = begun else { return };
        self.told(id).imported += u64::from(new);
        if self.chance.per_mille(500) {
            let undone = self.command(|db| match imports::dialled(db, id, import)? {
                None => {
                    imports::end_undo(db, import, now)?;
                    imports::undo_some(db, id, import, 10)
                }
                Some(_) => Ok(0),
            });
            self.told(id).imported -= u64::from(undone.unwrap_or_default());
        }
        self.say(|_| format!("operator: import {import} of {id}, maybe undone"));
    }

    /// So that everything can come to an end.
    pub fn open_all(&mut self) {
        self.change_line(TrunkLine::Test);
        self.note_who_left();
        let ids: Vec<CampaignId> = self.operators.told.keys().copied().collect();
        for id in ids {
            let mut campaign = self.told(id).campaign.clone();
            let ring_s = campaign.retry.wait_time_s;
            campaign.calendar = Calendar::daily(Window::ALWAYS, Zone::UTC).with_ring_time(ring_s);
            (campaign.calendar_id, campaign.finish) = (None, Finish::WhenDone);
            campaign.legal_hours = LegalSwitch::Off;
            // One that leaves while it is told what it lacks would be another one.
            campaign.rounds = RoundRules { after_pickup: campaign.rounds.after_pickup, ..RoundRules::default() };
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
