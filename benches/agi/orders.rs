//! A real ledger with attempts that are about to be dialled.

use std::fmt::{Debug, Display};
use std::fs;
use std::path::{Path, PathBuf};

use campanile::clock;
use campanile::domain::action::Actions;
use campanile::domain::calendar::Zone;
use campanile::domain::campaign::{Campaign, CampaignState, RetryRules};
use campanile::domain::ids::{ActionListId, CampaignId, ContactId, Ticket, TrunkId, UserId};
use campanile::domain::instant::UtcMs;
use campanile::domain::number::Number;
use campanile::domain::trunk::{DialTemplate, ShortNumbers, TrunkLine};
use campanile::domain::user::Role;
use campanile::ledger::attempts::{Intent, record_intents};
use campanile::ledger::trunks::NewTrunk;
use campanile::ledger::{Ledger, LedgerError, actions, campaigns, contacts, trunks, users};

/// Without the daemon no call is ever closed, so the calls are spread over many campaigns and trunks: the
/// gate counts those in progress.
const CAMPAIGNS: u32 = 100;

/// The ledger, and the settings beside it.
pub struct Orders {
    pub folder: PathBuf,
    ledger: Ledger,
    campaigns: Vec<(CampaignId, TrunkId, Option<ActionListId>)>,
    prepared: u32,
}

impl Orders {
    /// A fresh one in `folder`.
    pub fn new(folder: PathBuf, answered: &Actions) -> Self {
        write_settings(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let mut ledger = fine(Ledger::open(&folder.join("state/campanile.db")));
        let now = clock::now();
        let campaigns = ledger.write(|db| {
            let owner = users::add(db, &read("bench"), Role::User, now)?;
            let add = |n| {
                let trunk = trunks::add(db, &trunk(n), now)?;
                let id = campaigns::add(db, &campaign(n, owner, trunk), now)?;
                actions::replace(db, id, answered)?;
                campaigns::set_state(db, id, CampaignState::Running)?;
                Ok((id, trunk, campaigns::get(db, id)?.and_then(|c| c.actions)))
            };
            (0..CAMPAIGNS).map(add).collect::<Result<_, LedgerError>>()
        });
        Self { folder, ledger, campaigns: fine(campaigns), prepared: 0 }
    }

    /// Tickets of `count` more attempts, planned for `first_at` and `every_ms` after it each.
    pub fn prepare(&mut self, count: u32, first_at: UtcMs, every_ms: u32) -> Vec<Ticket> {
        let (from, campaigns) = (self.prepared, &self.campaigns);
        self.prepared += count;
        let prepared = self.ledger.write(|db| {
            let one = |n: u32| {
                let (campaign, trunk, actions) = campaigns[n as usize % campaigns.len()];
                let number = fine(Number::from_canonical(&format!("+4930{n:08}")).ok_or("no number"));
                contacts::import(db, campaign, &number)?;
                let contact = contacts::last_id(db)?;
                let planned_at = first_at.plus_ms(i64::from((n - from) * every_ms));
                Ok(Intent { campaign, contact, trunk, actions, ..intent(n, number, planned_at) })
            };
            let intents = (from..from + count).map(one).collect::<Result<Vec<_>, LedgerError>>()?;
            record_intents(db, &intents)?;
            Ok(intents.iter().map(|intent| intent.ticket).collect())
        });
        fine(prepared)
    }
}

fn write_settings(folder: &Path) -> std::io::Result<()> {
    for name in ["state", "spool/outgoing", "spool/outgoing_done", "run"] {
        fs::create_dir_all(folder.join(name))?;
    }
    let at = folder.display();
    let log = include_str!("../../etc/log4rs.yaml").replace("/var/log/campanile", &at.to_string());
    fs::write(folder.join("quiet.yaml"), log.replace("level: info", "level: warn"))?;
    fs::write(folder.join("log4rs.yaml"), log)?;
    let conf = format!(
        "state_dir = {at}/state\nspool_dir = {at}/spool\nasterisk_run_dir = {at}/run\nlog_config = {at}/log4rs.yaml\n\
         calls_one_time = 60000\nagi_sessions_max = 100000\n"
    );
    fs::write(folder.join("campanile.conf"), conf)
}

fn trunk(n: u32) -> NewTrunk {
    let template: DialTemplate = read("PJSIP/{number}@gw1");
    let short_numbers = ShortNumbers::Refused;
    let name = read(&format!("gw{n}"));
    let line = TrunkLine::Real;
    NewTrunk {
        name,
        template,
        channels: None,
        starts_per_second: None,
        account: None,
        short_numbers,
        breaker: None,
        line,
    }
}

fn campaign(n: u32, owner: UserId, trunk: TrunkId) -> Campaign {
    Campaign {
        retry: RetryRules { max_retries: 1, retry_time_s: 60, wait_time_s: 30 },
        ..Campaign::new(read(&format!("campaign{n}")), owner, trunk, Zone::UTC)
    }
}

fn intent(n: u32, number: Number, planned_at: UtcMs) -> Intent {
    let mut bits = [0x5a; 16];
    bits[..4].copy_from_slice(&n.to_be_bytes());
    Intent {
        ticket: Ticket::new(bits),
        spool_salt: n,
        campaign: CampaignId(0),
        contact: ContactId(0),
        trunk: TrunkId(0),
        dial_string: read::<DialTemplate>("PJSIP/{number}@gw1").dial_string(&number),
        number,
        planned_at,
        wait_time_s: 30,
        caller_number: Some(read("+493012345")),
        caller_name: None,
        account: None,
        actions: None,
        variables: Default::default(),
        invite: Default::default(),
        draw: Default::default(),
    }
}

fn read<T: std::str::FromStr<Err: Display>>(text: &str) -> T {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn fine<T, E: Debug>(made: Result<T, E>) -> T {
    made.unwrap_or_else(|e| panic!("the bench's ledger: {e:?}"))
}
