//! The fuzzers' seeds and findings (`tests/fuzz/seeds`), held to the same properties on any compiler.
//! Those of FastAGI are held in `agi/tests/it/seeds.rs`. How to fuzz: `docs/fuzzing.md`.

use std::path::Path;

#[path = "../fuzz/properties/archive.rs"]
mod archive;
#[path = "../fuzz/properties/call_file.rs"]
mod call_file;
#[path = "../fuzz/properties/hold.rs"]
mod hold;
#[path = "../fuzz/properties/holidays.rs"]
mod holidays;
#[path = "../fuzz/properties/numbers.rs"]
mod numbers;
#[path = "../fuzz/properties/settings.rs"]
mod settings;
#[path = "../fuzz/properties/template.rs"]
mod template;

fn hold(target: &str, check: fn(&[u8])) {
    hold::hold(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds").join(target), check);
}

#[test]
fn call_files_of_the_seeds_are_read_as_asterisk_reads_them_i7() {
    hold("call_file", |bytes| {
        call_file::check(bytes);
        assert!(call_file::as_the_oracle_tells_it(bytes).starts_with(b"tech="));
    });
}

#[test]
fn templates_of_the_seeds_make_our_files_or_none_i7() {
    hold("template", template::check);
}

#[test]
fn archives_of_the_seeds_tell_what_asterisk_wrote() {
    hold("archive", archive::check);
}

#[test]
fn numbers_of_the_seeds_are_canonical_or_refused_i7() {
    hold("numbers", numbers::check);
}

#[test]
fn settings_of_the_seeds_are_settings_or_problems() {
    hold("settings", settings::check);
}

#[test]
fn calendars_of_the_seeds_are_holidays_or_a_reason() {
    hold("holidays", holidays::check);
}

/// What no seed holds: inputs that are almost right.
mod almost_right {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::{archive, call_file, holidays, numbers, settings, template};

    const CALL_LINE: &str =
        "(Set|Channel|StartRetry|Status|Priority|RetryTime|archive|Account|x)?:?[ =/;#\\\\(0-9a\u{0}é\r-]{0,40}\n?";
    const TEMPLATE_LINE: &str =
        "((Set: _{0,3}[A-C]{1,2}(=[a-z.;# ]{0,5})?)|(Codecs: [a-z,& ]{0,9})|(RetryTime: [0-9]{1,6})|[#;]x)\n";
    const CELL: &str = "(\\+|00|tel:|='|\"|')?[0-9 ()/.*#-]{0,16}(x12|E\\+1|;ext=1|é|\u{202f})?\"?";
    const CONF_LINE: &str = "(calls_one_time|cron_interval|country|time_zone|spool_dir|sounds_dirs|state_dir|agi_listen|host|user|k)? ?=? ?([0-9]{0,6}|[a-zA-Z]{0,3}|/[a-z:/ ;#\u{a0}]{0,9}|UTC|\\[::1\\]:1|127.0.0.1:9)[;#\r\u{1b}]?\n";

    const EVENT_LINE: &str = "((DTSTART|DTEND|EXDATE)(;VALUE=DATE)?:20(26|30)(02|12)(2[0-9]|31)(T[0-2]30000Z?)?|DURATION:P[0-9]{1,3}[DW]|RRULE:FREQ=YEARLY(;(BYMONTH=[0-9]{1,2}|BYDAY=-?[1-5]?(MO|TH)|COUNT=[0-9]{1,3}|UNTIL=20[0-9]{6}))?|SUMMARY:[a-zé\\\\,\u{1b}\u{202e}]{0,9}|BEGIN:VEVENT|END:VEVENT| [a-z:]{0,3}|[a-z:;=]{0,5})\r?\n";

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn call_files_are_read_and_written_and_read_alike_i7(lines in vec(CALL_LINE, 0..20)) {
            call_file::check(lines.concat().as_bytes());
        }

        #[test]
        fn templates_make_our_files_or_none_i7(lines in vec(TEMPLATE_LINE, 0..6)) {
            template::check(lines.concat().as_bytes());
        }

        #[test]
        fn torn_archives_tell_no_more_than_whole_lines(deeds in vec(any::<u8>(), 0..30)) {
            archive::check(&deeds);
        }

        #[test]
        fn rows_and_refusals_are_all_rows_i7(options in "[\u{1}-\u{7f}]{2}[\u{1}-\u{8}]", rows in vec(vec(CELL, 1..4), 1..12)) {
            let lines: Vec<String> = rows.iter().map(|cells| cells.join(",")).collect();
            numbers::check(format!("\u{1}{options}{}", lines.join("\n")).as_bytes());
        }

        #[test]
        fn events_become_holidays_or_a_reason(lines in vec(EVENT_LINE, 0..8)) {
            holidays::check(lines.concat().as_bytes());
        }

        #[test]
        fn settings_that_hold_are_the_same_when_printed(lines in vec(CONF_LINE, 0..6)) {
            settings::check(lines.concat().as_bytes());
        }
    }
}
