//! Evidence in every order, late, lost, or contradicted by the spool.

use campanile::daemon::event::Event;
use campanile::daemon::port::Place;
use campanile::domain::disposition::Disposition::{self, Answered, Busy, Indeterminate, NoAnswer, NotDialled};
use campanile::domain::evidence::{ArchiveStatus, DialStatus, Fact, Report};
use campanile::domain::ids::CampaignId;
use campanile::ledger::claims::{ServerRate, claim};
use campanile::spool::SpoolName;

use super::asterisk::{ANSWERS, BUSY, Comes, Fate, Gate, RINGS_OUT};
use super::world::{LIMITS, Watch, World};

/// What may be seen of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    Answered,
    Handed,
    Report,
    Archive,
    Status,
}

const ALL: [Sight; 5] = [Sight::Answered, Sight::Handed, Sight::Report, Sight::Archive, Sight::Status];

fn orders(sights: &[Sight]) -> Vec<Vec<Sight>> {
    let Some((first, rest)) = sights.split_first() else { return vec![Vec::new()] };
    let with_first = |order: Vec<Sight>| {
        (0..=order.len()).map(move |at| {
            let mut order = order.clone();
            order.insert(at, *first);
            order
        })
    };
    orders(rest).into_iter().flat_map(with_first).collect()
}

/// A world with one admitted call, of which nothing else happens by itself.
fn one_call() -> (World, CampaignId, SpoolName) {
    let mut w = World::new();
    let spring = w.running("spring", 1..=1);
    w.pass_ms(100);
    w.asterisk_dies();
    let file = w.the_file();
    w.spool.0.borrow_mut().files.get_mut(&file).unwrap().place = Place::Begun;
    w.pass_ms(5_895);
    let now = w.now;
    w.command(|db| claim(db, file.attempt(), ServerRate(LIMITS.calls_one_time), now)).unwrap();
    (w, spring, file)
}

fn show(w: &mut World, file: SpoolName, sight: Sight) {
    let status = ArchiveStatus::Completed;
    match sight {
        Sight::Answered => w.append(file.attempt(), Fact::Answered),
        Sight::Handed => w.append(file.attempt(), Fact::HandedOver),
        Sight::Report => {
            let dialled_at = Some(super::NOON.plus_ms(6_000));
            let dial_status = Some(DialStatus::Answer);
            w.append(file.attempt(), Fact::Reported(Report { dialled_at, dial_status, ..Report::default() }));
        }
        Sight::Archive => w.happen(super::asterisk::Happening::Archived(file, 1, status, Comes::Never)),
        Sight::Status => {
            // The file may be closed and gone, or not archived yet: then the line is there when it comes.
            if let Some(found) = w.spool.0.borrow_mut().files.get_mut(&file) {
                found.status = Some(status);
            }
            w.hear(Event::Archived(file));
        }
    }
}

#[test]
fn every_order_of_evidence_gives_the_same_disposition_i3() {
    let orders = orders(&ALL);
    assert_eq!(orders.len(), 120);
    // The file cannot have its status before it is archived.
    let possible = |order: &&Vec<Sight>| {
        let at = |sight| order.iter().position(|s| *s == sight);
        at(Sight::Archive) < at(Sight::Status)
    };
    for order in orders.iter().filter(possible) {
        let (mut w, spring, file) = one_call();
        for sight in order {
            show(&mut w, file, *sight);
            w.pass_ms(20);
        }
        w.pass_s(30);
        assert_eq!(w.ends(spring), [Some(Answered)], "{order:?}");
        assert_eq!((w.counts(spring).reached, w.names().len()), (1, 0), "{order:?}");
        assert_eq!(w.facts(file.attempt()).len(), 5, "each is kept once: {order:?}");
    }
}

#[test]
fn all_evidence_at_once_is_one_closing() {
    let (mut w, spring, file) = one_call();
    ALL.iter().for_each(|sight| show(&mut w, file, *sight));
    w.pass_s(30);
    assert_eq!((w.ends(spring), w.names().len()), (vec![Some(Answered)], 0));
}

#[track_caller]
fn ends(fate: Fate, disposition: Disposition) {
    for watch in [Watch::Hears, Watch::Deaf] {
        let mut w = World::new();
        w.watch = watch;
        w.fate(1, &[fate]);
        let spring = w.running("spring", 1..=1);
        w.pass_s(700);
        assert_eq!(w.ends(spring), [Some(disposition)], "{watch:?}");
        assert_eq!((w.names().len(), w.dialled.len()), (0, 1), "{watch:?}");
        assert!(w.failures.is_empty(), "{:?}", w.failures);
    }
}

#[test]
fn the_archive_may_come_before_the_report() {
    ends(Fate { report: Comes::AfterMs(4_000), ..ANSWERS }, Answered);
    ends(Fate { report: Comes::AfterMs(4_000), ..BUSY }, Busy);
}

#[test]
fn the_archive_may_come_long_after_the_report() {
    ends(Fate { archive: Comes::AfterMs(60_000), ..BUSY }, Busy);
}

#[test]
fn without_a_report_the_archive_decides_after_the_grace() {
    ends(Fate { report: Comes::Never, ..ANSWERS }, Answered);
    ends(Fate { report: Comes::Never, ..BUSY }, Indeterminate);
}

#[test]
fn a_status_may_be_late_or_never_come() {
    ends(Fate { status: Comes::AfterMs(1_500), ..RINGS_OUT }, NoAnswer);
    ends(Fate { status: Comes::AfterMs(1_500), report: Comes::Never, ..ANSWERS }, Answered);
    ends(Fate { status: Comes::Never, ..BUSY }, Busy);
    ends(Fate { status: Comes::Never, report: Comes::Never, ..BUSY }, Indeterminate);
    ends(Fate { status: Comes::Never, report: Comes::Never, ..ANSWERS }, Answered);
}

#[test]
fn a_file_that_vanishes_at_the_end_leaves_the_report_to_decide() {
    ends(Fate { archive: Comes::Never, ..BUSY }, Busy);
    ends(Fate { archive: Comes::Never, ..ANSWERS }, Answered);
    ends(Fate { archive: Comes::Never, report: Comes::Never, ..BUSY }, Indeterminate);
    ends(Fate { archive: Comes::Never, report: Comes::Never, ..ANSWERS }, Answered);
}

#[test]
fn a_file_that_vanished_before_its_claim_was_not_dialled_and_is_called_later() {
    let mut w = World::new();
    let spring = w.running("spring", 1..=1);
    w.pass_ms(1_000);
    w.spool.0.borrow_mut().files.clear();
    w.pass_s(40);
    assert_eq!((w.ends(spring), w.dialled.len()), (vec![Some(NotDialled)], 0));
    assert!(w.last_detail(spring).contains("vanished"), "{}", w.last_detail(spring));
    w.pass_until_done(1);
    assert_eq!((w.dialled.len(), w.counts(spring).reached), (1, 1));
}

#[test]
fn after_an_overflow_everything_is_found() {
    let mut w = World::new();
    w.watch = Watch::Deaf;
    (1..=9).for_each(|n| w.fate(n, &[Fate { report: Comes::Never, ..ANSWERS }]));
    let spring = w.running("spring", 1..=9);
    w.pass_ms(2_000);
    w.asterisk.gate = Gate::Answers;
    w.pass_ms(5_000);
    w.watch = Watch::Hears;
    w.hear(Event::Rescan);
    w.pass_until_done(1);
    assert_eq!((w.counts(spring).reached, w.names().len()), (9, 0));
}

#[test]
fn an_event_that_comes_twice_or_of_a_foreign_file_does_nothing() {
    let mut w = World::new();
    let spring = w.running("spring", 1..=2);
    w.pass_ms(7_000);
    let file = w.names()[0];
    let foreign = SpoolName::new(file.attempt(), file.salt() ^ 1);
    let unknown = SpoolName::new(campanile::domain::ids::AttemptId(77), 1);
    for _ in 0..3 {
        [file, foreign, unknown].into_iter().for_each(|name| w.hear(Event::Archived(name)));
        w.hear(Event::Rescan);
        w.pass_ms(10);
    }
    w.pass_until_done(1);
    assert_eq!((w.ends(spring), w.failures.len()), (vec![Some(Answered); 2], 0));
}

#[test]
fn files_of_another_ledger_are_left_alone() {
    let mut w = World::new();
    let foreign = SpoolName::new(campanile::domain::ids::AttemptId(1), 0xdead_beef);
    let ticket = campanile::domain::ids::Ticket::new([7; 16]);
    let place = Place::Archived;
    let start_at = super::NOON;
    let status = Some(ArchiveStatus::Completed);
    let file = super::folder::File { ticket, start_at, place, status, archived_at: Some(start_at) };
    w.spool.0.borrow_mut().files.insert(foreign, file);
    w.hear(Event::Archived(foreign));
    let spring = w.running("spring", 1..=1);
    w.pass_until_done(1);
    assert_eq!((w.names(), w.counts(spring).reached), (vec![foreign], 1));
}
