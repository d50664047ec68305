//! The line reader of `apply_outgoing` and the cutting rules of `parse_line`.

use std::borrow::Cow;

/// `LINE_BUFFER_SIZE` (pbx_spool.c:294): `fgets` takes one byte less than this.
const BUFFER: usize = 1024;

/// A line as Asterisk gets it, with its number counted from 1 as in Asterisk's own log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// A line to parse; without its newline, and cut at a NUL when the file ended in it.
    Whole(usize, &'a [u8]),
    /// Longer than the buffer, or with a NUL: dropped. After a NUL the next line is gone, too.
    Dropped(usize),
}

/// Splits a file into lines by the rules of asterisk.md 1.1.
pub(super) struct Lines<'a> {
    rest: &'a [u8],
    number: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn of(file: &'a [u8]) -> Self {
        Self { rest: file, number: 0 }
    }

    /// One `fgets`: what it read, and whether it met the end of the file.
    fn fgets(&mut self) -> Option<Read<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let window = &self.rest[..self.rest.len().min(BUFFER - 1)];
        let newline = window.iter().position(|&b| b == b'\n');
        let (read, rest) = self.rest.split_at(newline.map_or(window.len(), |at| at + 1));
        self.rest = rest;
        let nul = if read.contains(&0) { read.iter().position(|&b| b == 0) } else { None };
        let strlen = nul.unwrap_or(read.len());
        let at_eof = newline.is_none() && read.len() < BUFFER - 1;
        Some(Read { seen: &read[..strlen], at_eof })
    }
}

/// What C sees of one `fgets`: the bytes before the first NUL.
struct Read<'a> {
    seen: &'a [u8],
    at_eof: bool,
}

impl Read<'_> {
    fn ends_line(&self) -> bool {
        self.seen.last() == Some(&b'\n')
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let read = self.fgets()?;
        self.number += 1;
        if read.ends_line() || read.at_eof {
            return Some(Line::Whole(self.number, read.seen));
        }
        while let Some(more) = self.fgets() {
            if more.ends_line() {
                break;
            }
        }
        Some(Line::Dropped(self.number))
    }
}

/// Removes comments and the blanks at the end (asterisk.md 1.2, steps 1 to 3).
pub(super) fn cut(line: &[u8]) -> Cow<'_, [u8]> {
    let line = without_hash(line);
    if !line.contains(&b';') {
        return Cow::Borrowed(without_blanks_at_end(line));
    }
    let mut cut = without_semicolon(line);
    cut.truncate(without_blanks_at_end(&cut).len());
    Cow::Owned(cut)
}

fn without_blanks_at_end(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|&b| b >= 33).map_or(0, |at| at + 1);
    &line[..end]
}

/// `#` cuts at column 0 and after a blank or a tab; nothing escapes it (pbx_spool.c:183).
fn without_hash(line: &[u8]) -> &[u8] {
    if !line.contains(&b'#') {
        return line;
    }
    let cuts = |at: usize| line[at] == b'#' && (at == 0 || matches!(line[at - 1], b' ' | b'\t'));
    &line[..(0..line.len()).find(|&at| cuts(at)).unwrap_or(line.len())]
}

/// `;` cuts anywhere but after a backslash, which it swallows (pbx_spool.c:191).
fn without_semicolon(line: &[u8]) -> Vec<u8> {
    let mut kept: Vec<u8> = Vec::with_capacity(line.len());
    for &byte in line {
        if byte == b';' && kept.pop_if(|last| *last == b'\\').is_none() {
            break;
        }
        kept.push(byte);
    }
    kept
}

/// Splits at the first `:` (asterisk.md 1.2, steps 4 and 5): the key stays untrimmed, the value loses
/// its leading blanks.
pub(super) fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|&b| b == b':')?;
    Some((&line[..colon], skip_blanks(&line[colon + 1..])))
}

pub(super) fn skip_blanks(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|&b| b >= 33).unwrap_or(text.len());
    &text[start..]
}

/// `sscanf("%30ld")`: leading white space, a sign, digits; the rest is not looked at. Saturates as
/// `strtol` does.
pub(super) fn leading_number(text: &[u8]) -> Option<i64> {
    let start = text.iter().position(|b| !b.is_ascii_whitespace() && *b != 0x0b)?;
    let field = &text[start..text.len().min(start + 30)];
    let (negative, digits) = match field.split_first()? {
        (b'-', digits) => (true, digits),
        (b'+', digits) => (false, digits),
        _ => (false, field),
    };
    let end = digits.iter().position(|b| !b.is_ascii_digit()).unwrap_or(digits.len());
    if end == 0 {
        return None;
    }
    let add = |sum: i64, digit: &u8| {
        let digit = i64::from(digit - b'0');
        sum.saturating_mul(10).saturating_add(if negative { -digit } else { digit })
    };
    Some(digits[..end].iter().fold(0, add))
}

/// `sscanf("%30d")` into an `int`: glibc converts as a `long` and keeps the low half.
pub(super) fn leading_int(text: &[u8]) -> Option<i32> {
    leading_number(text).map(|long| long as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(file: &[u8]) -> Vec<Line<'_>> {
        Lines::of(file).collect()
    }

    #[test]
    fn a_line_of_1022_bytes_fits_and_one_of_1023_is_dropped_whole() {
        let fits = [&[b'a'; 1022][..], b"\nnext\n"].concat();
        assert_eq!(lines(&fits), [Line::Whole(1, &fits[..1023]), Line::Whole(2, b"next\n")]);
        for length in [1023, 1024, 3000] {
            let long = [&vec![b'a'; length][..], b"\nnext\n"].concat();
            assert_eq!(lines(&long), [Line::Dropped(1), Line::Whole(2, b"next\n")], "{length}");
        }
    }

    #[test]
    fn the_last_line_needs_no_newline_unless_it_fills_the_buffer() {
        assert_eq!(lines(b"a\nb"), [Line::Whole(1, b"a\n"), Line::Whole(2, b"b")]);
        assert_eq!(lines(&[b'a'; 1022]), [Line::Whole(1, &[b'a'; 1022])]);
        assert_eq!(lines(&[b'a'; 1023]), [Line::Dropped(1)]);
        assert_eq!(lines(b""), []);
    }

    #[test]
    fn a_nul_takes_its_line_and_the_next_one() {
        assert_eq!(lines(b"a\0b\nlost\nnext\n"), [Line::Dropped(1), Line::Whole(2, b"next\n")]);
        assert_eq!(lines(b"\0\nlost\nnext\n"), [Line::Dropped(1), Line::Whole(2, b"next\n")]);
        assert_eq!(lines(b"a\0b\nc\0d\nlost\nnext"), [Line::Dropped(1), Line::Whole(2, b"next")]);
        assert_eq!(lines(b"a\0b"), [Line::Whole(1, b"a")]);
    }

    #[test]
    fn comments_are_cut_as_asterisk_cuts_them() {
        for (line, left) in [
            ("Key: v#c", "Key: v#c"),
            ("Key: v # c", "Key: v"),
            ("Key: v\t#c", "Key: v"),
            ("# c", ""),
            ("a##b", "a##b"),
            ("a #b#c", "a"),
            ("Key: v;c", "Key: v"),
            (r"Key: a\;b;c", "Key: a;b"),
            (r"Key: a\\;b", r"Key: a\;b"),
            (r"Key: a\b", r"Key: a\b"),
            ("; #", ""),
            ("Key: v \t\r\n", "Key: v"),
            ("Key: \u{e9} \x01", "Key: \u{e9}"),
        ] {
            assert_eq!(*cut(line.as_bytes()), *left.as_bytes(), "{line:?}");
        }
    }

    #[test]
    fn numbers_are_read_as_sscanf_reads_them() {
        for (text, long) in [
            ("12", Some(12)),
            (" \t\x0b-7x", Some(-7)),
            ("+5", Some(5)),
            ("0x10", Some(0)),
            ("", None),
            ("s", None),
            ("-", None),
            ("- 1", None),
            ("99999999999999999999", Some(i64::MAX)),
            ("-99999999999999999999", Some(i64::MIN)),
            ("0000000000000000000000000000012", Some(1)),
        ] {
            assert_eq!(leading_number(text.as_bytes()), long, "{text:?}");
        }
        assert_eq!(leading_int(b"4294967297"), Some(1));
        assert_eq!(leading_int(b"99999999999999999999"), Some(-1));
    }
}
