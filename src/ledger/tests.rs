//! The ledger's promises, each on a real SQLite file.

use std::ops::RangeInclusive;
use std::sync::mpsc::channel;

use super::attempts::{Intent, open_of, order, part_of_order, record_intents};
use super::claims::{ServerRate, claim};
use super::contacts::Imported;
use super::writer::{Haste, Writer};
use super::*;
use crate::domain::action::Action;
use crate::domain::attempt::{Order, OrderPart};
use crate::domain::breaker::{BreakerRules, LineLeave};
use crate::domain::calendar::{Calendar, Window, Zone};
use crate::domain::campaign::{Campaign, CampaignState, ContactRules, Finish, Pacing, RetryRules};
use crate::domain::disposition::{Conclusion, Disposition};
use crate::domain::gate::Refusal;
use crate::domain::ids::{AttemptId, CampaignId, ContactId, Ticket, TrunkId, UserId};
use crate::domain::instant::UtcMs;
use crate::domain::number::{Number, Packed};
use crate::domain::outcome::OutcomeRules;
use crate::domain::round::RoundRules;
use crate::domain::trunk::{ShortNumbers, TrunkLine};
use crate::domain::user::Role;
use crate::domain::variable::Variables;
use crate::domain::why::RestWhy;
use crate::domain::zoning::{LegalRules, LegalSwitch};

mod breaking;
mod of_contacts;

const NOON: UtcMs = UtcMs(1_772_366_400_000);
const FAST: ServerRate = ServerRate(60_000);

struct World {
    ledger: Ledger,
    path: std::path::PathBuf,
    trunk: TrunkId,
    owner: UserId,
    _dir: tempfile::TempDir,
}

fn number(digits: u32) -> Number {
    Number::from_canonical(&format!("+44163296{digits:04}")).unwrap()
}

impl World {
    fn new(trunk: trunks::NewTrunk) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("campanile.db");
        let mut ledger = Ledger::open(&path).unwrap();
        let (owner, trunk) = ledger
            .write(|db| Ok((users::add(db, &"ann".parse()?, Role::User, NOON)?, trunks::add(db, &trunk, NOON)?)))
            .unwrap();
        Self { ledger, path, trunk, owner, _dir: dir }
    }

    fn campaign(&mut self, name: &str) -> CampaignId {
        let campaign = Campaign {
            id: CampaignId(0),
            name: name.parse().unwrap(),
            owner: self.owner,
            trunk: self.trunk,
            further_trunks: Vec::new(),
            state: CampaignState::Stopped,
            calendar: Calendar::daily(Window::ALWAYS, Zone::UTC),
            calendar_id: None,
            pacing: Pacing::default(),
            finish: Finish::default(),
            variables: Default::default(),
            traffic: Default::default(),
            retry: RetryRules { max_retries: 1, retry_time_s: 60, wait_time_s: 30 },
            outcome: OutcomeRules::default(),
            channels: None,
            caller_number: None,
            caller_name: None,
            actions: None,
            contacts: ContactRules::default(),
            legal_hours: LegalSwitch::default(),
            rounds: RoundRules::default(),
            line_check: None,
        };
        self.ledger
            .write(|db| {
                let id = campaigns::add(db, &campaign, NOON)?;
                campaigns::set_state(db, id, CampaignState::Running)?;
                Ok(id)
            })
            .unwrap()
    }

    fn intent(&mut self, campaign: CampaignId, digits: u32) -> Result<AttemptId> {
        Ok(self.intents(campaign, digits..=digits)?[0])
    }

    fn intents(&mut self, campaign: CampaignId, digits: RangeInclusive<u32>) -> Result<Vec<AttemptId>> {
        let trunk = self.trunk;
        self.ledger.write(|db| {
            let intents = digits.map(|n| intent(db, campaign, trunk, n)).collect::<Result<Vec<_>>>()?;
            record_intents(db, &intents)
        })
    }

    fn claim(&mut self, attempt: AttemptId, rate: ServerRate, at: UtcMs) -> std::result::Result<UtcMs, Refusal> {
        self.ledger.write(|db| claim(db, attempt, rate, at)).unwrap()
    }

    fn close(&mut self, attempt: AttemptId) -> Result<()> {
        let conclusion = Conclusion::bare(Disposition::Busy, NOON);
        self.ledger.write(|db| settle::close(db, attempt, &conclusion, NOON))
    }
}

/// Of a number that is imported for it.
fn intent(db: &Db, campaign: CampaignId, trunk: TrunkId, digits: u32) -> Result<Intent> {
    let number = number(digits);
    contacts::import(db, campaign, &number)?;
    let contact = contacts::find(db, campaign, &number)?.unwrap().id;
    let template: crate::domain::trunk::DialTemplate = "PJSIP/{number}@gw".parse().unwrap();
    Ok(Intent {
        ticket: ticket(campaign, digits),
        spool_salt: digits,
        campaign,
        contact,
        trunk,
        dial_string: template.dial_string(&number),
        number,
        planned_at: NOON,
        wait_time_s: 30,
        caller_number: None,
        caller_name: None,
        account: None,
        actions: campaigns::get(db, campaign)?.and_then(|campaign| campaign.actions),
        variables: Default::default(),
        invite: Default::default(),
        draw: Default::default(),
    })
}

fn ticket(campaign: CampaignId, digits: u32) -> Ticket {
    Ticket::new((i128::from(campaign.0) << 64 | i128::from(digits)).to_be_bytes())
}

fn trunk(channels: Option<u32>, starts_per_second: Option<u32>) -> trunks::NewTrunk {
    trunks::NewTrunk {
        name: "gw".parse().unwrap(),
        template: "PJSIP/{number}@gw".parse().unwrap(),
        channels,
        starts_per_second,
        account: None,
        short_numbers: ShortNumbers::Refused,
        breaker: None,
        line: TrunkLine::Real,
    }
}

mod bars;
mod of_zones;
mod traffic;

#[test]
fn an_attempt_is_claimed_once_whatever_comes_back_i1() {
    let mut w = World::new(trunk(None, None));
    let campaign = w.campaign("spring");
    let attempt = w.intent(campaign, 1).unwrap();
    assert_eq!(w.claim(attempt, FAST, NOON), Ok(NOON));
    assert_eq!(w.claim(attempt, FAST, NOON), Err(Refusal::AlreadyUsed));
    w.close(attempt).unwrap();
    assert_eq!(w.claim(attempt, FAST, NOON), Err(Refusal::AlreadyUsed));
}

#[test]
fn a_number_has_one_open_attempt_over_all_campaigns_i2() {
    let mut w = World::new(trunk(None, None));
    let (spring, autumn) = (w.campaign("spring"), w.campaign("autumn"));
    let first = w.intent(spring, 1).unwrap();
    assert!(matches!(w.intent(autumn, 1), Err(LedgerError::Sqlite(_))));
    assert_eq!(w.ledger.read(|db| open_of(db, autumn)).unwrap(), 0, "a refused intent leaves nothing behind");
    w.close(first).unwrap();
    w.intent(autumn, 1).unwrap();
}

#[test]
fn of_many_intents_each_has_its_own_attempt_and_one_that_is_refused_refuses_all_i2() {
    let mut w = World::new(trunk(None, None));
    let (spring, autumn) = (w.campaign("spring"), w.campaign("autumn"));
    let planned = w.intents(spring, 1..=60).unwrap();
    assert_eq!(planned.len(), 60);
    for (digits, attempt) in (1..=60).zip(&planned) {
        let order = w.ledger.read(|db| order(db, &ticket(spring, digits))).unwrap().unwrap();
        assert_eq!((order.attempt, order.number), (*attempt, number(digits)));
    }
    // Some of these are in a call; of the rows before them, in the same statement, nothing may stay.
    w.close(planned[29]).unwrap();
    for many in [30..=62, 30..=31, 60..=70] {
        let refused = w.intents(autumn, many).unwrap_err().to_string();
        assert!(refused.contains("UNIQUE constraint failed: attempts.number"), "{refused}");
    }
    let counted = w.ledger.read(|db| Ok((open_of(db, autumn)?, contacts::counts(db, autumn)?.total()))).unwrap();
    assert_eq!(counted, (0, 0), "a refused plan leaves nothing behind");
}

#[test]
fn an_attempt_closes_exactly_once_i3() {
    let mut w = World::new(trunk(None, None));
    let campaign = w.campaign("spring");
    let attempt = w.intent(campaign, 1).unwrap();
    w.close(attempt).unwrap();
    assert!(w.close(attempt).is_err());
}

#[test]
fn a_stop_that_was_acknowledged_wins_i4() {
    let mut w = World::new(trunk(None, None));
    let campaign = w.campaign("spring");
    let attempt = w.intent(campaign, 1).unwrap();
    for state in [CampaignState::Paused, CampaignState::Stopped, CampaignState::Completed] {
        w.ledger.write(|db| campaigns::set_state(db, campaign, state)).unwrap();
        assert_eq!(w.claim(attempt, FAST, NOON), Err(Refusal::NotRunning { state }));
    }
    w.ledger.write(|db| campaigns::set_state(db, campaign, CampaignState::Running)).unwrap();
    assert_eq!(w.claim(attempt, FAST, NOON), Ok(NOON));
}

#[test]
fn channels_hold_at_the_gate_i5() {
    let mut w = World::new(trunk(Some(2), None));
    let campaign = w.campaign("spring");
    let attempts: Vec<_> = (1..=3).map(|n| w.intent(campaign, n).unwrap()).collect();
    assert!(w.claim(attempts[0], FAST, NOON).is_ok());
    assert!(w.claim(attempts[1], FAST, NOON).is_ok());
    assert_eq!(w.claim(attempts[2], FAST, NOON), Err(Refusal::TrunkChannels));
    w.close(attempts[0]).unwrap();
    assert!(w.claim(attempts[2], FAST, NOON).is_ok());
}

#[test]
fn starts_keep_the_rate_even_when_all_are_due_at_once_i5() {
    let mut w = World::new(trunk(None, Some(2)));
    let campaign = w.campaign("spring");
    let attempts: Vec<_> = (1..=4).map(|n| w.intent(campaign, n).unwrap()).collect();
    let starts: Vec<_> = attempts.iter().map(|a| w.claim(*a, FAST, NOON).unwrap().since_ms(NOON)).collect();
    assert_eq!(starts, [0, 480, 980, 1480], "500 ms apart, but for the jitter that is let through");
}

#[test]
fn a_clock_that_was_set_back_does_not_stop_the_gate() {
    let mut w = World::new(trunk(None, Some(2)));
    let campaign = w.campaign("spring");
    let (first, second) = (w.intent(campaign, 1).unwrap(), w.intent(campaign, 2).unwrap());
    assert!(w.claim(first, FAST, NOON.plus_ms(4_000)).is_ok());
    w.ledger.write(|db| Ok(db.execute("UPDATE paces SET next_at = next_at + 3600000", []).map(|_| ())?)).unwrap();
    assert_eq!(w.claim(second, FAST, NOON), Ok(NOON));
}

#[test]
fn a_late_attempt_is_refused_and_not_dialled_late_i4() {
    let mut w = World::new(trunk(None, None));
    let campaign = w.campaign("spring");
    let attempt = w.intent(campaign, 1).unwrap();
    assert_eq!(w.claim(attempt, FAST, NOON.plus_ms(6_000)), Err(Refusal::Late { by_ms: 6_000 }));
}

#[test]
fn an_import_tells_new_from_duplicate() {
    let mut w = World::new(trunk(None, None));
    let campaign = w.campaign("spring");
    let imported = w
        .ledger
        .write(|db| Ok([contacts::import(db, campaign, &number(1))?, contacts::import(db, campaign, &number(1))?]));
    assert_eq!(imported.unwrap(), [Imported::New, Imported::Duplicate]);
}

#[test]
fn an_order_is_found_by_its_ticket_only() {
    let mut w = World::new(trunk(None, None));
    let campaign = w.campaign("spring");
    let attempt = w.intent(campaign, 1).unwrap();
    let found = |w: &mut World, given| w.ledger.read(|db| order(db, &given)).unwrap().map(|order| order.attempt);
    assert_eq!(found(&mut w, ticket(campaign, 1)), Some(attempt));
    assert_eq!(found(&mut w, ticket(campaign, 2)), None);
    w.close(attempt).unwrap();
    assert_eq!(found(&mut w, ticket(campaign, 1)), Some(attempt), "a report may come when it is closed");
}

#[test]
fn the_actions_are_read_only_where_they_are_wanted() {
    let mut w = World::new(trunk(None, None));
    let campaign = w.campaign("spring");
    let play = Action::parse("PLAY", "hello").unwrap();
    w.ledger.write(|db| actions::replace(db, campaign, &vec![play.clone()].into())).unwrap();
    w.intent(campaign, 1).unwrap();
    let shown = ticket(campaign, 1);
    let mut read = |part| w.ledger.read(|db| part_of_order(db, &shown, part)).unwrap().unwrap();
    let (whole, call) = (read(OrderPart::Whole), read(OrderPart::Call));
    assert_eq!(whole.actions.list(None), [play]);
    assert_eq!(Order { actions: whole.actions.clone(), ..call }, whole);
}

#[test]
fn group_commit_answers_each_and_one_failure_harms_nobody() {
    let w = World::new(trunk(None, None));
    let (commits, committed) = channel();
    let writer = Writer::start(&w.path, move || commits.send(()).unwrap()).unwrap();
    let (answers, answered) = channel();
    for n in 0..20_i64 {
        let answers = answers.clone();
        let work = move |db: &Db| {
            users::add(db, &format!("user-{n}").parse()?, Role::User, NOON)?;
            if n % 5 == 0 { Err(LedgerError::Abandoned("a test".to_owned())) } else { Ok(n) }
        };
        writer.submit(Haste::Patient, work, move |result: Result<i64>| answers.send(result.is_ok()).unwrap());
    }
    drop(answers);
    assert_eq!(answered.iter().filter(|ok| *ok).count(), 16);
    assert!(committed.try_iter().count() >= 1);
    let mut other = Ledger::open(&w.path).unwrap();
    assert_eq!(
        other.read(|db| Ok(users::all(db)?.len())).unwrap(),
        17,
        "sixteen and ann: a failed job leaves nothing behind"
    );
}

#[test]
fn a_rest_of_planning_is_known_until_it_ends_i9() {
    let mut w = World::new(trunk(None, None));
    assert_eq!(w.ledger.read(|db| rest::until(db, NOON)).unwrap(), None);
    w.ledger.write(|db| rest::set(db, RestWhy::Spool, NOON.plus_s(30))).unwrap();
    assert_eq!(w.ledger.read(|db| rest::until(db, NOON)).unwrap(), Some((NOON.plus_s(30), RestWhy::Spool)));
    assert_eq!(w.ledger.read(|db| rest::until(db, NOON.plus_s(30))).unwrap(), None);
    w.ledger.write(|db| rest::set(db, RestWhy::Gate, NOON.plus_s(40))).unwrap();
    assert_eq!(w.ledger.read(|db| rest::until(db, NOON)).unwrap(), Some((NOON.plus_s(40), RestWhy::Gate)));
    w.ledger.write(|db| rest::clear(db)).unwrap();
    assert_eq!(w.ledger.read(|db| rest::until(db, NOON)).unwrap(), None);
}

#[test]
fn a_newer_schema_is_refused() {
    let w = World::new(trunk(None, None));
    let raw = rusqlite::Connection::open(&w.path).unwrap();
    raw.pragma_update(None, "user_version", 999).unwrap();
    assert!(matches!(Ledger::open(&w.path), Err(LedgerError::NewerSchema { found: 999, .. })));
}

#[test]
fn deleting_all_numbers_keeps_those_in_a_call_and_the_report() {
    let mut w = World::new(trunk(None, None));
    let campaign = w.campaign("spring");
    let done = w.intent(campaign, 1).unwrap();
    w.close(done).unwrap();
    let contact: ContactId = w.ledger.read(|db| Ok(contacts::find(db, campaign, &number(1))?.unwrap().id)).unwrap();
    w.ledger
        .write(|db| {
            contacts::settle(
                db,
                contact,
                crate::domain::campaign::ContactState::Failed,
                None,
                Default::default(),
                Disposition::Busy,
            )
        })
        .unwrap();
    w.intent(campaign, 2).unwrap();
    let deleted = w.ledger.write(|db| contacts::delete_all(db, campaign)).unwrap();
    assert_eq!((deleted.deleted, deleted.kept_in_progress), (1, 1));
    let rows = w.ledger.read(|db| views::attempts_page(db, campaign, AttemptId(0), 10)).unwrap();
    assert_eq!(rows.len(), 2);
}

#[test]
fn many_numbers_at_once_keep_the_order_of_the_file_and_each_counts_once() {
    let mut w = World::new(trunk(None, None));
    let (campaign, other) = (w.campaign("spring"), w.campaign("autumn"));
    let packed = |n: u32| Packed::from(&number(n));
    let first: Vec<Packed> = (0..200).map(|n| packed(n * 37 % 1_000)).collect();
    let mut add = |campaign, numbers: &[Packed], before| {
        w.ledger.write(|db| importing::add_all(db, campaign, numbers, before)).unwrap()
    };
    let added = |new, in_run, in_campaign| importing::Added { new, in_run, in_campaign };
    assert_eq!(add(campaign, &first, ContactId(0)), added(200, 0, 0));
    assert_eq!(add(other, &first[..70], ContactId(0)), added(70, 0, 0), "each campaign has its own");
    // A later run: two of the file before, one new number twice, and another one.
    let second = [packed(7_002), first[3], packed(7_001), packed(7_002), first[0]];
    assert_eq!(add(campaign, &second, ContactId(270)), added(2, 1, 2));
    assert_eq!(add(campaign, &second, ContactId(270)), added(0, 3, 2));
    let listed = w.ledger.read(|db| contacts::page(db, campaign, None, ContactId(0), 1_000)).unwrap();
    let listed: Vec<Packed> = listed.iter().map(|c| Packed::from(&c.number)).collect();
    let expected: Vec<Packed> = first.iter().copied().chain([packed(7_002), packed(7_001)]).collect();
    assert!(listed == expected, "calling follows the file");
    let held = |w: &mut World| {
        let sql = "SELECT count(*) FROM contact_numbers";
        w.ledger.read(|db| Ok(db.query_row(sql, [], |row| row.get::<_, u64>(0))?)).unwrap()
    };
    assert_eq!(held(&mut w), 272);
    w.ledger.write(|db| contacts::delete_all(db, campaign)).unwrap();
    assert_eq!(held(&mut w), 70, "a number goes with its contact");
    let gone = w.ledger.write(|db| importing::add_all(db, CampaignId(99), &first, ContactId(0)));
    assert!(matches!(gone, Err(LedgerError::Absent { .. })), "{gone:?}");
}

/// One file of sample data for each migration, loaded right after it: the next must cope with it.
const SAMPLES: &[&str] = &[
    include_str!("../../tests/fixtures/migrations/0001_first_light.sql"),
    include_str!("../../tests/fixtures/migrations/0002_contact_numbers.sql"),
    include_str!("../../tests/fixtures/migrations/0003_open_and_closed_attempts.sql"),
    include_str!("../../tests/fixtures/migrations/0004_calendars_and_pacing.sql"),
    include_str!("../../tests/fixtures/migrations/0005_outcomes.sql"),
    include_str!("../../tests/fixtures/migrations/0006_contacts.sql"),
    include_str!("../../tests/fixtures/migrations/0007_trunk_lists_and_breakers.sql"),
    include_str!("../../tests/fixtures/migrations/0008_zones.sql"),
    include_str!("../../tests/fixtures/migrations/0009_traffic.sql"),
    include_str!("../../tests/fixtures/migrations/0010_generators.sql"),
];

/// A ledger as the program with so many migrations left it, in the midst of its work.
fn older(path: &std::path::Path, version: usize) -> rusqlite::Connection {
    let mut raw = rusqlite::Connection::open(path).unwrap();
    for (done, sample) in SAMPLES.iter().enumerate().take(version) {
        schema::upgrade_with(&mut raw, &schema::MIGRATIONS[..=done]).unwrap();
        raw.execute_batch(sample).unwrap();
    }
    raw
}

#[test]
fn every_migration_is_tried_over_the_data_of_the_one_before() {
    assert_eq!(SAMPLES.len(), schema::MIGRATIONS.len(), "a migration comes with sample data");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("campanile.db");
    drop(older(&path, SAMPLES.len()));
    let mut ledger = Ledger::open(&path).unwrap();
    ledger
        .read(|db| {
            let campaign = campaigns::find(db, "spring")?.unwrap();
            assert_eq!(contacts::counts(db, campaign.id)?.total(), 10);
            for contact in contacts::page(db, campaign.id, None, ContactId(0), 10)? {
                assert_eq!(contacts::find(db, campaign.id, &contact.number)?, Some(contact));
            }
            assert_eq!(actions::get(db, campaign.actions)?.list(None).len(), 3);
            assert_eq!(contacts::page(db, campaign.id, None, ContactId(0), 10)?.len(), 10);
            let attempts: Vec<_> =
                views::attempts_page(db, campaign.id, AttemptId(0), 10)?.iter().map(|a| a.id.0).collect();
            assert_eq!(attempts, [1, 2, 3, 4, 5]);
            assert_eq!(evidence::of(db, AttemptId(2))?.len(), 3);
            assert_eq!(campaign.legal_hours.to_string(), "Mon-Fri 09:00-20:00");
            assert_eq!(trunks::all(db)?.len() + users::all(db)?.len(), 5);
            assert_eq!(campaign.trunks(), [TrunkId(1), TrunkId(2)]);
            let of_old = breakers::of(db, TrunkId(1))?.unwrap();
            assert_eq!((of_old.rules, of_old.leave(NOON)), (BreakerRules::default(), LineLeave::All));
            let of_new = breakers::of(db, TrunkId(2))?.unwrap();
            assert_eq!((of_new.rules.rest_s, of_new.leave(NOON)), (120, LineLeave::Nothing));
            traffic::is_kept(db)?;
            assert_eq!((campaign.outcome.later_retry_times_s, campaign.outcome.max_dials), (vec![900, 3600], Some(12)));
            assert_eq!((causes::table(db, campaign.id)?.0.len(), campaign.outcome.wrap_up_s), (3, Some(900)));
            let told = contacts::get(db, ContactId(8))?.unwrap();
            assert_eq!((told.result_until.is_some(), told.comment.as_deref()), (true, Some("calls back")));
            assert_eq!(causes::came(db, ContactId(8), "17".parse().unwrap())?, 1);
            let lists: Vec<String> = dnc::all(db)?.iter().map(|list| list.name.to_string()).collect();
            assert_eq!(lists, ["anns", "of-spring", "opt-out"]);
            assert_eq!(dnc::entries_for(db, &number(9), NOON)?.len(), 1);
            Ok(())
        })
        .unwrap();
}

#[test]
fn attempts_of_an_older_ledger_keep_what_they_had_and_their_numbers_are_not_given_out_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("campanile.db");
    let raw = older(&path, 2);
    raw.execute_batch("UPDATE sqlite_sequence SET seq = 40 WHERE name = 'attempts'").unwrap();
    drop(raw);
    let mut ledger = Ledger::open(&path).unwrap();
    ledger
        .write(|db| {
            let open: Vec<_> = attempts::open(db)?.into_iter().map(|a| (a.id.0, a.contact.unwrap().0)).collect();
            assert_eq!(open, [(1, 3)]);
            for (attempt, ticket) in [(1, "000102030405060708090a0b0c0d0e0f"), (2, "100102030405060708090a0b0c0d0e0f")]
            {
                let order = order(db, &ticket.parse().unwrap())?.unwrap();
                assert_eq!((order.attempt.0, order.actions.list(None).len()), (attempt, 3), "an open and a closed one");
            }
            let reached = contacts::get(db, ContactId(4))?.unwrap();
            let history = views::attempts_of(db, &reached, 10)?;
            assert_eq!(history.iter().map(|a| (a.id.0, a.talk_ms)).collect::<Vec<_>>(), [(2, Some(6399))]);
            let next =
                "INSERT INTO attempts (ticket, spool_salt, campaign, trunk, number, state, planned_at, dial_string,
                wait_time_s) SELECT 'x', spool_salt, campaign, trunk, '+441632960009', 'intent', 0, dial_string, 30
                FROM attempts WHERE id = 1";
            db.execute(next, [])?;
            assert_eq!(db.last_insert_rowid(), 41);
            let refused = db.execute("UPDATE evidence SET attempt = 99", []);
            assert!(refused.is_err(), "what refers to attempts still does, and is checked again");
            Ok(())
        })
        .unwrap();
}

#[test]
fn an_attempt_outlives_its_contact_and_keeps_its_campaign() {
    let mut w = World::new(trunk(None, None));
    let campaign = w.campaign("spring");
    let (open, closed) = (w.intent(campaign, 1).unwrap(), w.intent(campaign, 2).unwrap());
    w.close(closed).unwrap();
    let removed = w.ledger.write(|db| Ok(db.execute("DELETE FROM campaigns", [])?));
    assert!(removed.is_err_and(|e| e.to_string().contains("the campaign has attempts")));
    w.ledger
        .write(|db| {
            let ours = contacts::find(db, campaign, &number(2))?.unwrap();
            assert_eq!(views::attempts_of(db, &ours, 10)?.len(), 1);
            db.execute("DELETE FROM contacts", [])?;
            assert_eq!(attempts::open_one(db, open)?.unwrap().contact, None);
            assert_eq!(views::attempts_of(db, &ours, 10)?, []);
            assert_eq!(views::attempts_page(db, campaign, AttemptId(0), 10)?.len(), 2);
            assert_eq!(views::attempts_page(db, campaign, open, 10)?[0].id, closed);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_new_ledger_is_closed_to_other_users_and_belongs_to_the_owner_of_its_folder() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let dir = tempfile::tempdir().unwrap();
    // Only root can tell the difference; for anybody else both are their own.
    let _ = std::os::unix::fs::chown(dir.path(), Some(65_534), Some(65_534));
    let path = dir.path().join("campanile.db");
    Ledger::open(&path).unwrap();
    let (folder, file) = (std::fs::metadata(dir.path()).unwrap(), std::fs::metadata(&path).unwrap());
    assert_eq!((file.uid(), file.gid()), (folder.uid(), folder.gid()));
    assert_eq!(file.permissions().mode() & 0o007, 0);
}
