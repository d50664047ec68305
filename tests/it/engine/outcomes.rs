//! What happens after a call: causes, growing pauses, short calls, the absolute cap.

use campanile::domain::campaign::CampaignState::Completed;
use campanile::domain::campaign::ContactState;
use campanile::domain::cause::{CauseRule, Verb};
use campanile::domain::disposition::Disposition::{self, Busy, NoAnswer, NotDialled};
use campanile::domain::ids::CampaignId;
use campanile::ledger::{campaigns, causes, contacts};

use super::asterisk::{ANSWERS, BUSY, Callee, Fate, RINGS_OUT};
use super::world::World;

impl World {
    fn cause(&mut self, campaign: CampaignId, cause: &str, verb: Verb, delay_s: Option<u32>, limit: Option<u32>) {
        let rule = CauseRule { verb, delay_s, limit };
        self.command(|db| causes::set(db, campaign, cause.parse().unwrap(), rule));
    }

    /// Seconds between the calls to a number.
    fn pauses_s(&self, n: u32) -> Vec<i64> {
        self.dials_to(n).windows(2).map(|pair| pair[1].since_ms(pair[0]) / 1000).collect()
    }
}

fn retrying(max_retries: u32) -> impl FnOnce(&mut campanile::domain::campaign::Campaign) {
    move |c| (c.retry.max_retries, c.retry.retry_time_s) = (max_retries, 300)
}

#[test]
fn each_of_webitels_verbs_leads_its_contact_where_it_says() {
    let mut w = World::new();
    let fates = [BUSY, Fate::of(Callee::NoSuchNumber), Fate::of(Callee::Rejects), RINGS_OUT];
    (1..).zip(fates).for_each(|(n, fate)| w.fate(n, &[fate]));
    let spring = w.running_with("spring", 1..=4, retrying(1));
    w.cause(spring, "USER_BUSY", Verb::Minus, Some(60), Some(3));
    w.cause(spring, "sip:404", Verb::Error, None, None);
    w.cause(spring, "CALL_REJECTED", Verb::Ok, None, None);
    w.cause(spring, "NO_ANSWER", Verb::Retry, Some(30), None);
    w.pass_until_done(2);
    assert_eq!(w.pauses_s(1), [66, 66], "minus: after its own delay, and failed at its third busy");
    assert_eq!(w.dials_to(2).len(), 1, "error: at once");
    assert_eq!(w.dials_to(3).len(), 1, "ok: as good as reached");
    assert_eq!(w.pauses_s(4), [66], "retry: 30 s after the ringing of 30 s, and its retries are used up");
    let counts = w.counts(spring);
    assert_eq!((counts.reached, counts.failed, counts.total()), (1, 3, 4));
    let ends: Vec<Disposition> = w.ends(spring).into_iter().flatten().collect();
    assert_eq!(ends.iter().filter(|end| **end == Busy).count(), 3, "the disposition stays what it was: {ends:?}");
    assert_eq!(ends.iter().filter(|end| **end == NoAnswer).count(), 2);
}

#[test]
fn a_cause_that_is_not_charged_ends_at_the_absolute_cap() {
    let mut w = World::new();
    w.fate(1, &[BUSY]);
    w.fate(2, &[BUSY]);
    let spring = w.running_with("spring", 1..=1, retrying(1));
    let autumn = w.running_with("autumn", 2..=2, |c| {
        retrying(9)(c);
        c.outcome.max_dials = Some(2);
    });
    for campaign in [spring, autumn] {
        w.cause(campaign, "17", Verb::Minus, Some(1), None);
    }
    w.pass_until_done(2);
    assert_eq!((w.dials_to(1).len(), w.dials_to(2).len()), (5, 2));
    assert_eq!((w.counts(spring).failed, w.counts(autumn).failed), (1, 1));
}

#[test]
fn a_cap_that_was_lowered_after_the_plan_holds_at_the_gate() {
    let mut w = World::new();
    w.fate(1, &[BUSY]);
    let spring = w.running_with("spring", 1..=1, |c| (c.retry.max_retries, c.retry.retry_time_s) = (5, 30));
    w.pass_s(37);
    assert_eq!((w.dials_to(1).len(), w.names().len()), (1, 1), "its second call is planned");
    w.command(|db| {
        let mut campaign = campaigns::get(db, spring)?.unwrap();
        campaign.outcome.max_dials = Some(1);
        campaigns::update(db, &campaign)
    });
    w.pass_until_done(1);
    assert_eq!(w.dials_to(1).len(), 1);
    assert_eq!(w.ends(spring), [Some(Busy), Some(NotDialled)]);
    assert!(w.last_detail(spring).contains("used up: dial_cap"), "{}", w.last_detail(spring));
    assert_eq!((w.counts(spring).failed, w.state(spring)), (1, Completed));
}

#[test]
fn a_contact_whose_calls_are_used_up_is_failed_without_another_call_file() {
    let mut w = World::new();
    w.fate(1, &[BUSY]);
    let spring = w.running_with("spring", 1..=1, retrying(5));
    w.pass_s(60);
    w.command(|db| {
        let mut campaign = campaigns::get(db, spring)?.unwrap();
        campaign.retry.max_retries = 0;
        campaigns::update(db, &campaign)
    });
    w.pass_until_done(1);
    assert_eq!((w.ends(spring), w.counts(spring).failed, w.state(spring)), (vec![Some(Busy)], 1, Completed));
}

#[test]
fn pauses_grow_as_they_are_listed() {
    let mut w = World::new();
    w.fate(1, &[BUSY]);
    w.running_with("spring", 1..=1, |c| {
        retrying(4)(c);
        c.outcome.later_retry_times_s = vec![900, 3600];
    });
    w.pass_until_done(6);
    assert_eq!(w.pauses_s(1), [306, 906, 3606, 3606], "the last repeats");
}

#[test]
fn a_call_that_was_too_short_is_made_again_and_one_of_unknown_length_is_not() {
    use super::asterisk::Comes;
    let mut w = World::new();
    let short = Fate::of(Callee::Answers { after_ms: 1_000, talks_ms: 4_000 });
    w.fate(1, &[short, ANSWERS]);
    w.fate(2, &[Fate { report: Comes::Never, ..short }]);
    let spring = w.running_with("spring", 1..=2, |c| {
        retrying(1)(c);
        c.outcome.min_talk_s = 5;
    });
    w.pass_until_done(2);
    assert_eq!((w.dials_to(1).len(), w.dials_to(2).len()), (2, 1));
    assert_eq!((w.counts(spring).reached, w.counts(spring).failed), (2, 0));
}

#[test]
fn a_contact_that_is_called_anew_has_all_its_causes_anew() {
    let mut w = World::new();
    w.fate(1, &[BUSY]);
    let spring = w.running_with("spring", 1..=1, retrying(9));
    w.cause(spring, "USER_BUSY", Verb::Retry, Some(1), Some(2));
    w.pass_until_done(1);
    assert_eq!(w.dials_to(1).len(), 2);
    w.command(|db| contacts::redial_failed(db, spring));
    w.set(spring, campanile::domain::campaign::CampaignState::Running);
    w.pass_until_done(1);
    assert_eq!(w.dials_to(1).len(), 4);
}

#[test]
fn an_answered_call_counts_only_with_a_result_within_the_wrap_up_time() {
    let mut w = World::new();
    let spring = w.running_with("spring", 1..=2, |c| {
        retrying(1)(c);
        c.outcome.wrap_up_s = Some(900);
    });
    w.pass_s(60);
    let counts = w.counts(spring);
    assert_eq!((counts.waiting, counts.reached), (2, 0), "both were answered, and nobody has said a word");
    let contact = w.ledger.read(|db| contacts::find(db, spring, &super::world::number(1))).unwrap().unwrap();
    let until = contact.result_until.unwrap();
    assert_eq!(contact.due_at, Some(until), "not called while somebody may say that it was successful");
    w.command(|db| {
        contacts::set_standing(db, contact.id, ContactState::Reached, None, contact.tally)?;
        contacts::note_result(db, contact.id, Some("ordered two"))
    });
    w.pass_until_done(3);
    assert_eq!((w.dials_to(1).len(), w.dials_to(2).len()), (1, 2), "without a word it is tried again");
    assert!(w.pauses_s(2)[0] >= 900, "{:?}", w.pauses_s(2));
    let (end, last) = (w.now, w.dials_to(2)[1]);
    assert!(end.since_ms(last) >= 900_000, "a result might have come till then");
    assert_eq!((w.counts(spring).reached, w.counts(spring).failed), (1, 1));
}
