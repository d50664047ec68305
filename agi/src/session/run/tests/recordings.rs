//! RECORD: where the file lies, and how a recording ends.

use campanile::domain::action::Beep;

use super::super::super::world::lists;
use super::*;
use crate::protocol::Answer;

const FILE: &str = "/var/spool/asterisk/monitor/campanile-7-0-1772352000001.wav";

fn replied(result: &str, value: &str) -> Input {
    let answer = Answer { result: result.to_owned(), value: Some(value.to_owned()), endpos: None };
    Input::Reply(Reply::Answer(answer))
}

/// A call that records.
fn recording() -> Talk {
    let mut talk = call_lists(lists(&[("", &["RECORD seconds=5 silence=2 stop=any", "WAIT 1"])]));
    assert_eq!(sent(&mut talk), [Command::GetFullVariable { expression: "${ASTSPOOLDIR}" }]);
    talk.hear(1, replied("1", "/var/spool/asterisk"));
    let (file, stop) = (FILE.parse().unwrap(), "0123456789*#".to_owned());
    let command = Command::RecordFile { file, stop, timeout_ms: 5000, silence_s: Some(2), beep: Beep::Yes };
    assert_eq!(sent(&mut talk), [command]);
    talk
}

#[test]
fn a_recording_ends_by_time_silence_or_key_and_the_step_names_its_file() {
    for (result, how, keys) in [("0", "timeout", ""), ("35", "dtmf", " keys #")] {
        let mut talk = recording();
        talk.hear(4000, replied(result, how));
        assert_eq!(told(&talk.take()), [format!("0 first 0 RECORD Done{keys} in {FILE}")]);
    }
}

#[test]
fn what_was_recorded_until_the_callee_hung_up_is_named_too() {
    for input in [Input::Hangup, replied("-1", "hangup"), replied("-1", "waitfor")] {
        let mut talk = recording();
        talk.hear(4000, input);
        let outputs = talk.take();
        assert_eq!(told(&outputs), [format!("0 first 0 RECORD HungUp in {FILE}")]);
        assert_eq!(outputs.last(), Some(&Output::Close));
    }
}

#[test]
fn a_file_that_cannot_be_written_fails_the_step_and_says_which() {
    let mut talk = recording();
    talk.hear(2, replied("-1", "writefile"));
    let outputs = talk.take();
    assert!(matches!(&outputs[0], Output::Warn(why) if why.contains(FILE)), "{outputs:?}");
    assert_eq!(told(&outputs), ["0 first 0 RECORD Failed"]);
    let mut talk = recording();
    talk.hear(2, replied("-1", "randomerror"));
    assert_eq!(sent(&mut talk), [Command::Noop], "gone, or only the beep?");
}

#[test]
fn a_folder_that_is_no_plain_path_is_not_written_to_i7() {
    for folder in ["", "spool", "/a b", "/a\"b", "/../etc", "/a&b"] {
        let mut talk = call_lists(lists(&[("", &["RECORD"])]));
        talk.take();
        talk.hear(1, replied("1", folder));
        assert_eq!(told(&talk.take()), ["0 first 0 RECORD Failed"], "{folder}");
    }
}
