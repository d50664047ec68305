//! Writes a call file: from types, refused and never repaired, and read back before it goes out (I7).

use std::fmt::{Display, Write};

use super::parse::{CallFile, parse};
use super::template::{RETRY_TIME_S_MAX, RETRY_TIME_S_MIN, SETS_MAX, Template};
use super::template_fault::TemplateFault;
use super::{ANSWERED, CHANNEL, TICKET_VARIABLE};
use crate::domain::gate::LATE_MS_MAX;
use crate::domain::ids::Ticket;

/// The longest wait. Asterisk multiplies by 1000 into an `int` (asterisk.md 1.3), which would allow
/// 596 hours; no phone rings longer than this.
pub const WAIT_TIME_S_MAX: u32 = 7_200;

/// The longest line we write; Asterisk drops lines above 1022 bytes in silence (asterisk.md 9, 1.1).
const LINE_BYTES_MAX: usize = 500;

/// From originate to the planned instant: the file's mtime is up to 2 s before it.
const HOLD_S: i64 = 2;
/// Asterisk's own delays, and the order of events when a call rings out (asterisk.md 6: 10 to 15 s).
const MARGIN_S: i64 = 15;
/// What [`file_wait_time_s`] adds.
const GATE_BUDGET_S: u32 = 30;

const _: () = assert!(GATE_BUDGET_S as i64 >= HOLD_S + LATE_MS_MAX / 1000 + MARGIN_S);

/// The `WaitTime` of a file whose call may ring for `ring_s` seconds.
///
/// WaitTime starts at originate and includes the gate's hold; were it shorter than hold and ringing,
/// the answered leg would die first and the true outcome would be lost (asterisk.md 6).
#[must_use]
pub fn file_wait_time_s(ring_s: u32) -> u32 {
    ring_s.saturating_add(GATE_BUDGET_S)
}

/// What differs from file to file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticketed {
    /// The call's random name.
    pub ticket: Ticket,
    /// `WaitTime`, in seconds: see [`file_wait_time_s`].
    pub wait_time_s: u32,
}

/// Why a file was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unrenderable {
    /// Zero or beyond [`WAIT_TIME_S_MAX`].
    #[error("render a call file: a wait of {0} s; it must be 1 to {WAIT_TIME_S_MAX} s")]
    WaitTime(u32),
    /// Below or above what the template rules allow.
    #[error("render a call file: a retry time of {0} s")]
    RetryTime(i32),
    /// A variable or codec list of the template that must not be written.
    #[error("render a call file")]
    Template(#[from] TemplateFault),
    /// A line above 500 bytes.
    #[error("render a call file: a line of {0} bytes; at most {LINE_BYTES_MAX} are safe")]
    LineTooLong(usize),
    /// What was written does not read back as it was meant: a bug, and no file.
    #[error("render a call file: it does not read back as meant")]
    RoundTrip,
}

/// The bytes of a call file: a fixed set of keys in a fixed order.
pub fn render(template: &Template, call: &Ticketed) -> Result<Vec<u8>, Unrenderable> {
    check(template, call)?;
    let bytes = text(template, call).into_bytes();
    let longest = bytes.split(|&b| b == b'\n').map(<[u8]>::len).max().unwrap_or(0);
    if longest > LINE_BYTES_MAX {
        return Err(Unrenderable::LineTooLong(longest));
    }
    // The pair assertion: stays on in release, because one wrong file is a call to the wrong person.
    let back = parse(&bytes);
    if !back.ignored.is_empty() || back.file != meant(template, call) || !back.file.is_valid() {
        return Err(Unrenderable::RoundTrip);
    }
    Ok(bytes)
}

fn check(template: &Template, call: &Ticketed) -> Result<(), Unrenderable> {
    if !(1..=WAIT_TIME_S_MAX).contains(&call.wait_time_s) {
        return Err(Unrenderable::WaitTime(call.wait_time_s));
    }
    if !(RETRY_TIME_S_MIN..=RETRY_TIME_S_MAX).contains(&template.retry_time_s) {
        return Err(Unrenderable::RetryTime(template.retry_time_s));
    }
    if template.sets.len() > SETS_MAX {
        return Err(TemplateFault::TooManySets.into());
    }
    template.codecs.as_deref().map_or(Ok(()), check_codecs)?;
    Ok(template.sets.iter().try_for_each(|(name, value)| check_set(name, value))?)
}

/// The lines, each with its newline: Asterisk glues its status to a line without (asterisk.md 1.5).
fn text(template: &Template, call: &Ticketed) -> String {
    let mut text = format!(
        "Channel: {}/{}\nContext: {}\nExtension: {}\nPriority: {}\nMaxRetries: 0\nRetryTime: {}\nWaitTime: {}\nArchive: yes\n",
        CHANNEL.0, CHANNEL.1, ANSWERED.0, ANSWERED.1, ANSWERED.2, template.retry_time_s, call.wait_time_s
    );
    let mut line = |key: &str, value: &dyn Display, end: &dyn Display| {
        // A `String` takes whatever is written to it.
        let _never = writeln!(text, "{key}: {value}{end}");
    };
    if let Some(codecs) = &template.codecs {
        line("Codecs", codecs, &"");
    }
    line("Set", &format_args!("{TICKET_VARIABLE}="), &call.ticket);
    for (name, value) in &template.sets {
        line("Set", &format_args!("{name}="), value);
    }
    text
}

/// What Asterisk must make of the file.
fn meant(template: &Template, call: &Ticketed) -> CallFile {
    let ticket = (TICKET_VARIABLE.into(), call.ticket.to_string().as_str().into());
    let extra = template.sets.iter().map(|(name, value)| (name.as_str().into(), value.as_str().into()));
    CallFile {
        tech: CHANNEL.0.into(),
        dest: CHANNEL.1.into(),
        context: ANSWERED.0.into(),
        extension: ANSWERED.1.into(),
        priority: ANSWERED.2,
        max_retries: 0,
        retry_time_s: template.retry_time_s,
        wait_time_s: i32::try_from(call.wait_time_s).unwrap_or(i32::MAX),
        codecs: template.codecs.as_deref().unwrap_or_default().into(),
        set: std::iter::once(ticket).chain(extra).collect(),
        archive: true,
        ..CallFile::default()
    }
}

/// A fixed variable of a template: a plain name, no function (a `)` at the end would call one), none
/// of ours or Asterisk's, and a value without a special character (asterisk.md 1.4, 9).
pub(super) fn check_set(name: &str, value: &str) -> Result<(), TemplateFault> {
    let bare = name.strip_prefix("__").or_else(|| name.strip_prefix('_')).unwrap_or(name);
    let word = bare.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !word || bare.len() > 64 || !bare.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(TemplateFault::SetName(name.into()));
    }
    let upper = bare.to_ascii_uppercase();
    if ["CAMPANILE", "AST_", "AGI"].iter().any(|ours| upper.starts_with(ours)) {
        return Err(TemplateFault::SetReserved(name.into()));
    }
    let plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.:+-".contains(&b));
    if !plain || value.len() > 200 {
        return Err(TemplateFault::SetValue(name.into()));
    }
    Ok(())
}

pub(super) fn check_codecs(codecs: &str) -> Result<(), TemplateFault> {
    let names = codecs.split(',').all(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric()));
    if names && codecs.len() <= 79 { Ok(()) } else { Err(TemplateFault::Codecs(codecs.into())) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::DEFAULT_TEMPLATE;
    use super::*;

    fn ticket() -> Ticket {
        Ticket::new([0xa5; 16])
    }

    fn plain() -> Template {
        Template::parse(DEFAULT_TEMPLATE.as_bytes()).unwrap()
    }

    #[test]
    fn a_file_carries_a_ticket_and_nothing_about_a_person() {
        let bytes = render(&plain(), &Ticketed { ticket: ticket(), wait_time_s: file_wait_time_s(30) }).unwrap();
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "Channel: Local/dial@campanile-dial/n\nContext: campanile-answered\nExtension: s\nPriority: 1\n\
             MaxRetries: 0\nRetryTime: 86400\nWaitTime: 60\nArchive: yes\n\
             Set: __CAMPANILE_TICKET=a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\n"
        );
    }

    #[test]
    fn extra_variables_and_codecs_of_the_template_are_written() {
        let text = format!("{DEFAULT_TEMPLATE}\nCodecs: alaw\nSet: SITE=north\nSetvar: _EMPTY=\n");
        let template = Template::parse(text.as_bytes()).unwrap();
        let file = parse(&render(&template, &Ticketed { ticket: ticket(), wait_time_s: 45 }).unwrap()).file;
        assert_eq!(file.codecs, "alaw");
        assert_eq!(file.variable("SITE"), Some(&"north".into()));
        assert_eq!(file.variable("_EMPTY"), Some(&"".into()));
        assert_eq!(file.variable(TICKET_VARIABLE), Some(&ticket().to_string().as_str().into()));
    }

    #[test]
    fn waits_that_asterisk_would_misread_are_refused() {
        for wait_time_s in [0, WAIT_TIME_S_MAX + 1, u32::MAX] {
            let refused = render(&plain(), &Ticketed { ticket: ticket(), wait_time_s });
            assert_eq!(refused, Err(Unrenderable::WaitTime(wait_time_s)));
        }
    }

    #[test]
    fn hostile_values_are_refused_even_past_the_template_i7() {
        let call = Ticketed { ticket: ticket(), wait_time_s: 45 };
        for (name, value) in [
            ("A", "b\nApplication: System"),
            ("A", "b;c"),
            ("A", "b #c"),
            ("A", "b\tc"),
            ("A", "b\0"),
            ("A", "b "),
            ("A", "${SHELL(x)}"),
            ("A", "b\r"),
            ("SHELL(x)", "1"),
            ("A\nData", "1"),
            ("", "1"),
            ("___A", "1"),
            ("__CAMPANILE_TICKET", "1"),
            ("campanile_go", "1"),
        ] {
            let template = Template { sets: vec![(name.to_owned(), value.to_owned())], ..plain() };
            assert!(matches!(render(&template, &call), Err(Unrenderable::Template(_))), "{name:?}={value:?}");
        }
        let template = Template { codecs: Some("alaw\nApplication: System".to_owned()), ..plain() };
        assert!(render(&template, &call).is_err());
        let template = Template { retry_time_s: 1, ..plain() };
        assert_eq!(render(&template, &call), Err(Unrenderable::RetryTime(1)));
    }

    proptest! {
        #[test]
        fn what_is_rendered_is_read_as_meant_i7(
            bits in any::<[u8; 16]>(),
            wait_time_s in 0..10_000_u32,
            retry_time_s in 3_000..3_000_000,
            sets in proptest::collection::vec(("_{0,2}[A-Z][A-Za-z0-9_]{0,70}", "[A-Za-z0-9_.:+-]{0,210}"), 0..22),
            hostile in proptest::option::of((".{0,20}", "[a;#=:\\\\\n\r\t\u{0} )(${}-]{0,20}")),
        ) {
            let template = Template { retry_time_s, codecs: None, sets: sets.into_iter().chain(hostile).collect() };
            let call = Ticketed { ticket: Ticket::new(bits), wait_time_s };
            if let Ok(bytes) = render(&template, &call) {
                let back = parse(&bytes);
                prop_assert_eq!(back.ignored, vec![]);
                prop_assert!(back.file.application.is_empty());
                prop_assert!(back.file.dest == "dial@campanile-dial/n");
                prop_assert_eq!(i64::from(back.file.wait_time_s), i64::from(wait_time_s));
                prop_assert_eq!(back.file.retry_time_s, retry_time_s);
                prop_assert_eq!(back.file.set.len(), template.sets.len() + 1);
                let ticket = back.file.set[0].1.to_str().and_then(|t| t.parse().ok());
                prop_assert_eq!(ticket, Some(call.ticket));
                prop_assert_eq!(back.file.begun(), None);
            }
        }

        #[test]
        fn good_values_are_never_refused(
            bits in any::<[u8; 16]>(),
            ring_s in 1..7_000_u32,
            sets in proptest::collection::hash_map("_{0,2}[B-Z][A-Za-z0-9_]{0,63}", "[A-Za-z0-9_.:+-]{0,200}", 0..=20),
        ) {
            let sets = sets.into_iter().filter(|(name, _)| !name.to_uppercase().contains("CAMPANILE")).collect();
            let template = Template { sets, ..plain() };
            let call = Ticketed { ticket: Ticket::new(bits), wait_time_s: file_wait_time_s(ring_s) };
            prop_assert!(render(&template, &call).is_ok());
        }
    }
}
