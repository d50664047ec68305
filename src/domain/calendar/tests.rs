use jiff::Timestamp;
use jiff::civil::{Date, DateTime, date};
use jiff::tz::TimeZone;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn calendar(start: &str, stop: &str, zone: &str) -> Calendar {
    Calendar::daily(Window::parse(start, stop).unwrap(), zone.parse().unwrap())
}

fn at(text: &str) -> UtcMs {
    text.parse::<Timestamp>().unwrap().into()
}

#[track_caller]
fn opens(calendar: &Calendar, from: &str, expected: &str) {
    assert_eq!(calendar.next_opening(at(from)), Some(at(expected)));
}

#[test]
fn a_window_is_local_time() {
    let berlin = calendar("09:00", "18:00", "Europe/Berlin");
    assert!(!berlin.contains(at("2026-01-15T07:59:59Z")));
    assert!(berlin.contains(at("2026-01-15T08:00:00Z")));
    assert!(!berlin.contains(at("2026-01-15T17:00:00Z")));
    opens(&berlin, "2026-01-15T17:00:00Z", "2026-01-16T08:00:00Z");
    opens(&berlin, "2026-07-15T17:00:00Z", "2026-07-16T07:00:00Z");
    assert_eq!(berlin.closes(at("2026-01-15T08:00:00Z")), Some(at("2026-01-15T17:00:00Z")));
}

#[test]
fn a_window_may_cross_midnight_or_last_all_day() {
    let night = calendar("22:00", "06:00", "UTC");
    assert!(night.contains(at("2026-01-15T23:00:00Z")) && night.contains(at("2026-01-15T05:59:59Z")));
    opens(&night, "2026-01-15T06:00:00Z", "2026-01-15T22:00:00Z");
    let always = calendar("00:00", "24:00", "Asia/Kolkata");
    assert_eq!(always.closes(at("2026-01-15T06:00:00Z")), None);
    assert_eq!(always.window.to_string(), "all day");
}

#[test]
fn skipped_and_repeated_hours_follow_the_clock_on_the_wall() {
    // Berlin skips 02:00-03:00 on 2026-03-29 (at 01:00Z) and repeats it on 2026-10-25.
    let early = calendar("02:30", "04:00", "Europe/Berlin");
    opens(&early, "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z");
    let gone = calendar("02:10", "02:50", "Europe/Berlin");
    opens(&gone, "2026-03-29T00:00:00Z", "2026-03-30T00:10:00Z");
    opens(&gone, "2026-10-25T00:00:00Z", "2026-10-25T00:10:00Z");
    opens(&gone, "2026-10-25T00:51:00Z", "2026-10-25T01:10:00Z");
}

#[test]
fn what_is_no_time_or_zone_is_refused() {
    for text in ["", "9", "25:00", "24:01", "09:60", "09:00:60", "9h", "09:00:00:00", "-1:00", "09:0a", "+9:00"] {
        assert!(Window::parse(text, "10:00").is_err(), "{text}");
    }
    for text in ["", "Europe/Atlantis", "CEST+2", "../etc/passwd"] {
        assert!(text.parse::<Zone>().is_err(), "{text}");
    }
    assert_eq!("Europe/Berlin".parse::<Zone>().unwrap().name(), "Europe/Berlin");
}

/// Zones of every kind: both hemispheres, half and quarter hours, shifts at midnight and of half an hour, days that
/// were skipped, Ramadan rules, DST that is winter time, and none at all.
const ZONES: [&str; 32] = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",
    "Europe/Lisbon",
    "Europe/Moscow",
    "Europe/Istanbul",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Africa/Lagos",
    "Africa/Johannesburg",
    "America/New_York",
    "America/Chicago",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/St_Johns",
    "America/Havana",
    "America/Santiago",
    "America/Asuncion",
    "America/Sao_Paulo",
    "America/Nuuk",
    "Asia/Beirut",
    "Asia/Tehran",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Tokyo",
    "Asia/Gaza",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Apia",
];

fn timetable(week: &str, zone: &str) -> Timetable {
    let week = week.parse().unwrap();
    Timetable { zone: zone.parse().unwrap(), week, first_day: None, last_day: None, holidays: Vec::new() }
}

fn by(timetable: Timetable) -> Calendar {
    Calendar { timetable: Some(Arc::new(timetable)), ..Calendar::daily(Window::ALWAYS, Zone::UTC) }
}

fn holiday(name: &str, first: Date, last: Date, repeats: Repeats) -> Holiday {
    Holiday { name: name.parse().unwrap(), first, last, repeats }
}

#[test]
fn each_weekday_has_its_hours_and_a_holiday_has_none() {
    let mut office = timetable("Mon-Fri 09:00-12:00,13:00-18:00; Sat 10:00-14:00", "Europe/Berlin");
    office.holidays = vec![holiday("Labour Day", date(2020, 5, 1), date(2020, 5, 1), Repeats::Yearly)];
    let calendar = by(office);
    // Friday, the 1st of May 2026.
    opens(&calendar, "2026-04-30T10:00:00Z", "2026-04-30T11:00:00Z");
    opens(&calendar, "2026-04-30T16:00:00Z", "2026-05-02T08:00:00Z");
    opens(&calendar, "2026-05-02T12:00:00Z", "2026-05-04T07:00:00Z");
    assert_eq!(calendar.closes(at("2026-05-04T07:00:00Z")), Some(at("2026-05-04T10:00:00Z")));
}

#[test]
fn a_calendar_has_a_first_and_a_last_day() {
    let mut season = timetable("daily 09:00-18:00", "America/Santiago");
    (season.first_day, season.last_day) = (Some(date(2027, 3, 1)), Some(date(2027, 3, 2)));
    let calendar = by(season);
    opens(&calendar, "2024-01-01T00:00:00Z", "2027-03-01T12:00:00Z");
    opens(&calendar, "2027-03-01T21:00:00Z", "2027-03-02T12:00:00Z");
    assert_eq!(calendar.next_opening(at("2027-03-02T21:00:00Z")), None);
    assert_eq!(calendar.ends_at(), Some(at("2027-03-03T03:00:00Z")));
}

#[test]
fn the_campaigns_own_window_its_calendar_and_its_schedule_hold_all_at_once() {
    let window = Window::parse("10:00", "20:00").unwrap();
    let schedule = Schedule { starts_at: Some(at("2026-01-06T09:30:05Z")), ends_at: Some(at("2026-01-08T12:00:00Z")) };
    let timetable = Some(Arc::new(timetable("Mon-Fri 09:00-12:00", "UTC")));
    let calendar = Calendar { timetable, schedule, ..Calendar::daily(window, "Europe/Berlin".parse().unwrap()) };
    opens(&calendar, "2026-01-01T00:00:00Z", "2026-01-06T09:30:05Z");
    opens(&calendar, "2026-01-06T12:00:00Z", "2026-01-07T09:00:00Z");
    assert_eq!(calendar.next_opening(at("2026-01-08T12:00:00Z")), None);
    assert_eq!(calendar.ends_at(), Some(at("2026-01-08T12:00:00Z")));
}

#[test]
fn what_closes_too_soon_for_a_call_to_ring_is_closed() {
    let calendar = calendar("09:00", "18:00", "UTC").with_ring_time(55);
    assert_eq!(calendar.reserve_ms, 60_000);
    assert!(calendar.contains(at("2026-01-15T17:58:59.999Z")));
    assert!(!calendar.contains(at("2026-01-15T17:59:00Z")));
    assert_eq!(calendar.closes(at("2026-01-15T09:00:00Z")), Some(at("2026-01-15T17:59:00Z")));
    opens(&calendar, "2026-01-15T17:59:00Z", "2026-01-16T09:00:00Z");
    let short = self::calendar("09:00", "09:01", "UTC").with_ring_time(55);
    assert_eq!(short.next_opening(at("2026-01-15T00:00:00Z")), None, "it never opens for long enough");
}

#[test]
fn holidays_repeat_over_the_end_of_the_year_and_on_leap_days() {
    let turn = holiday("Turn", date(2024, 12, 30), date(2025, 1, 2), Repeats::Yearly);
    for (day, is) in [
        (date(2026, 12, 29), false),
        (date(2026, 12, 30), true),
        (date(2027, 1, 2), true),
        (date(2027, 1, 3), false),
        (date(2024, 1, 1), false),
    ] {
        assert_eq!(turn.contains(day), is, "{day}");
    }
    let leap = holiday("Leap", date(2024, 2, 29), date(2024, 2, 29), Repeats::Yearly);
    assert!(leap.contains(date(2028, 2, 29)) && !leap.contains(date(2027, 2, 28)) && !leap.contains(date(2027, 3, 1)));
}

/// What is open, by asking the clock on the wall, in words of its own.
struct Oracle<'a> {
    calendar: &'a Calendar,
    own: TimeZone,
    timetable: &'a Timetable,
    zone: TimeZone,
    /// Weekday from Monday, start and stop in seconds.
    hours: Vec<(i8, i64, i64)>,
}

impl<'a> Oracle<'a> {
    fn new(calendar: &'a Calendar) -> Self {
        let timetable = calendar.timetable.as_deref().unwrap();
        let zone = |zone: &Zone| TimeZone::get(zone.name()).unwrap();
        let seconds = |text: &str| text.split(':').fold(0, |s, part| s * 60 + part.parse::<i64>().unwrap()) * 60;
        let mut hours = Vec::new();
        for part in timetable.week.to_string().split("; ") {
            let (day, ranges) = part.split_once(' ').unwrap();
            let day =
                (0..).zip(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]).find(|(_, name)| *name == day).unwrap().0;
            hours.extend(ranges.split(',').map(|range| {
                let (start, stop) = range.split_once('-').unwrap();
                (day, seconds(start), seconds(stop))
            }));
        }
        Self { calendar, own: zone(&calendar.zone), timetable, zone: zone(&timetable.zone), hours }
    }

    fn is_open(&self, at: UtcMs) -> bool {
        let at = Timestamp::from_millisecond(at.0).unwrap();
        let seconds = |local: DateTime| {
            (i64::from(local.hour()) * 60 + i64::from(local.minute())) * 60 + i64::from(local.second())
        };
        let own = seconds(self.own.to_datetime(at));
        let (start, stop) = (i64::from(self.calendar.window.start_s()), i64::from(self.calendar.window.stop_s()));
        let by_window = if start < stop { (start..stop).contains(&own) } else { own >= start || own < stop };
        let local = self.zone.to_datetime(at);
        let weekday = local.weekday().to_monday_zero_offset();
        let by_hours =
            self.hours.iter().any(|(day, start, stop)| *day == weekday && (*start..*stop).contains(&seconds(local)));
        let works = self.timetable.holidays.iter().all(|h| local.date() < h.first || h.last < local.date());
        by_window && by_hours && works
    }
}

/// Weeks whose parts name one day each, so that they are read back without a rule.
fn any_week() -> impl Strategy<Value = String> {
    let hours = vec((0_u32..24, select(vec![0_u32, 15, 30])), 2..5).prop_map(|mut edges| {
        edges.sort_unstable();
        edges.dedup();
        let texts: Vec<String> = edges.iter().map(|(h, m)| format!("{h:02}:{m:02}")).collect();
        texts.chunks_exact(2).map(|pair| format!("{}-{}", pair[0], pair[1])).collect::<Vec<_>>().join(",")
    });
    vec((select(vec!["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]), hours), 1..5).prop_map(|days| {
        let mut seen = std::collections::BTreeMap::new();
        for (day, hours) in days.into_iter().filter(|(_, hours)| !hours.is_empty()) {
            seen.insert(day, hours);
        }
        // No two neighbours alike, which would be shown as one part.
        seen.iter()
            .enumerate()
            .map(|(i, (day, hours))| format!("{day} {hours},23:45-23:{:02}", 46 + i))
            .collect::<Vec<_>>()
            .join("; ")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn openings_and_closings_are_those_that_the_clock_on_the_wall_shows_in_each_zone_i4(
        (zone, own_zone) in (select(&ZONES[..]), select(&ZONES[..])),
        week in any_week().prop_filter("hours", |week| !week.is_empty()),
        window in (0_u32..24, 0_u32..24),
        // The 30th of December 2011 was none in Apia.
        day in prop_oneof![0_i64..366, 5_105_i64..5_120].prop_map(|day| 1_767_225_600_000 - day * 86_400_000),
        minute in 0_i64..1440,
        // More often than not the days are those about one of the zone's next shifts.
        shift in proptest::option::weighted(0.7, (0_usize..4, 0_i64..3)),
        holiday_in in 0_i64..5,
        ring in select(vec![0_i64, 60_000, 1_800_000]),
    ) {
        let later = TimeZone::get(zone).unwrap();
        let shift = shift.and_then(|(nth, days)| {
            let shift = later.following(Timestamp::from_millisecond(day).unwrap()).nth(nth)?;
            Some(shift.timestamp().as_millisecond() - days * 86_400_000)
        });
        let day = shift.unwrap_or(day);
        let from = UtcMs(day - day.rem_euclid(86_400_000) + minute * 60_000);
        let mut timetable = timetable(&week, zone);
        let off = timetable.zone.date(from).checked_add(jiff::Span::new().days(holiday_in)).unwrap();
        timetable.holidays = vec![holiday("off", off, off, Repeats::Once)];
        let window = Window::new(window.0 * 3600, window.1 * 3600);
        let calendar = Calendar { reserve_ms: ring, timetable: Some(Arc::new(timetable)), ..Calendar::daily(window, own_zone.parse().unwrap()) };
        // Minute by minute for four days; hours and shifts of the clock lie on whole minutes.
        let oracle = Oracle::new(&calendar);
        let minutes: Vec<bool> = (0..4 * 1440).map(|m| oracle.is_open(from.plus_ms(m * 60_000))).collect();
        let open = |m: usize| minutes[m..].iter().take(usize::try_from(ring / 60_000).unwrap() + 1).all(|open| *open);
        let last = minutes.len() - 32;
        let opens_at = (0..last).find(|m| open(*m)).map(|m| from.plus_ms(m as i64 * 60_000));
        let told = calendar.next_opening(from).filter(|at| at.since_ms(from) < last as i64 * 60_000);
        prop_assert_eq!(told, opens_at);
        prop_assert_eq!(calendar.contains(from), open(0));
        if open(0) {
            let closes_at = (0..last).find(|m| !open(*m)).map(|m| from.plus_ms(m as i64 * 60_000));
            let told = calendar.closes(from).filter(|at| at.since_ms(from) < last as i64 * 60_000);
            prop_assert_eq!(told, closes_at);
            for until in [1, 60, last as i64].map(|minutes| from.plus_ms(minutes * 60_000)) {
                let told = calendar.closes_before(from, until);
                prop_assert_eq!(told, closes_at.filter(|at| *at < until));
            }
        }
    }
}

fn legal(zones: &[&str], week: &str) -> Arc<LegalHours> {
    let clocks = zones.iter().map(|zone| (zone.parse().unwrap(), week.parse().unwrap()));
    Arc::new(LegalHours::of(clocks.collect()).unwrap())
}

#[test]
fn legal_hours_hold_beside_the_campaigns_own_and_in_all_zones_at_once() {
    let berlin = calendar("09:00", "18:00", "Europe/Berlin").with_ring_time(55);
    let own = berlin.within(Some(&legal(&["America/New_York", "America/Chicago"], "daily 08:00-21:00")));
    opens(&own, "2026-01-15T08:00:00Z", "2026-01-15T14:00:00Z");
    assert_eq!(own.closes(at("2026-01-15T14:00:00Z")), Some(at("2026-01-15T16:59:00Z")), "the campaign's");
    let early = berlin.within(Some(&legal(&["Asia/Tokyo"], "Mon-Fri 08:00-18:30; Sat 08:00-12:00")));
    opens(&early, "2026-01-15T09:29:00Z", "2026-01-16T08:00:00Z");
    assert_eq!(early.closes(at("2026-01-16T08:00:00Z")), Some(at("2026-01-16T09:29:00Z")), "less what a call needs");
    let never = berlin.within(Some(&legal(&["Asia/Tokyo"], "daily 08:00-16:00")));
    assert_eq!(never.next_opening(at("2026-01-15T00:00:00Z")), None);
}

proptest! {
    /// Minute by minute through the days around a change of the clock, in any two zones.
    #[test]
    fn legal_hours_are_open_exactly_when_the_clock_of_each_zone_says_so_i4(
        zones in vec(select(ZONES.to_vec()), 1..3),
        (open_h, hours) in (0_u32..23, 1_u32..13),
        from in select(vec!["2026-03-07T20:00:00Z", "2026-03-28T20:00:00Z", "2026-10-24T20:00:00Z", "2026-10-31T20:00:00Z"]),
    ) {
        let close_h = (open_h + hours).min(24);
        let own = Calendar::daily(Window::ALWAYS, Zone::UTC)
            .within(Some(&legal(&zones, &format!("daily {open_h:02}:00-{close_h:02}:00"))));
        let shows = |zone: &str, at: UtcMs| {
            let shown = Timestamp::from_millisecond(at.0).unwrap().to_zoned(TimeZone::get(zone).unwrap());
            (open_h..close_h).contains(&u32::try_from(shown.hour()).unwrap())
        };
        let begin = at(from);
        let all_open = |at: UtcMs| zones.iter().all(|zone| shows(zone, at));
        let minutes: Vec<UtcMs> = (0..30 * 60).map(|minute| begin.plus_s(minute * 60)).collect();
        for at in &minutes {
            prop_assert_eq!(own.is_open(*at), all_open(*at), "{} in {:?}", at, zones);
        }
        let first = minutes.iter().find(|at| all_open(**at)).copied();
        if let Some(first) = first {
            prop_assert_eq!(own.next_opening(begin), Some(first));
        }
    }
}
