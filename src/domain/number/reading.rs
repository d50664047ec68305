//! From the text of a cell to plain digits.

use super::{NumberRefusal, NumberRules, SpreadsheetDamage, country};
use crate::domain::trunk::ShortNumbers;

/// Longer texts are not read at all: no way of writing a number needs as much.
const CHARACTERS_MAX: usize = 80;

/// The most digits of a short number; longer ones are national numbers.
const SHORT_DIGITS_MAX: usize = 6;

/// The longest code with `*` or `#` (DESIGN 10).
const CODE_MAX: usize = 32;

/// What is left of a text without its decoration.
struct Written {
    /// Whether a `+` stood before the first digit.
    prefix: Prefix,
    digits: String,
}

#[derive(PartialEq, Eq)]
enum Prefix {
    Plus,
    Absent,
}

pub(super) fn read(text: &str, rules: &NumberRules) -> Result<String, NumberRefusal> {
    if text.len() > CHARACTERS_MAX && text.chars().count() > CHARACTERS_MAX {
        return Err(NumberRefusal::TooManyCharacters { max: CHARACTERS_MAX });
    }
    let bare = undecorated(text);
    refuse_damage(bare)?;
    if bare.contains(['*', '#']) {
        return short_code(bare, rules.short_numbers);
    }
    let Written { prefix, digits } = digits_of(bare)?;
    if prefix == Prefix::Plus {
        return country::international(&digits);
    }
    if rules.short_numbers == ShortNumbers::Allowed && (2..=SHORT_DIGITS_MAX).contains(&digits.len()) {
        return Ok(digits);
    }
    match (rules.country, digits.strip_prefix("00")) {
        (Some(country), _) => country::national(&digits, country),
        (None, Some(abroad)) => country::international(abroad),
        (None, None) => Err(NumberRefusal::NoCountry),
    }
}

/// Without what surrounds a number: blanks, a spreadsheet's `'…` or `="…"`, `tel:`.
fn undecorated(text: &str) -> &str {
    let text = text.trim_matches(is_blank);
    let text = text.strip_prefix("=\"").and_then(|t| t.strip_suffix('"')).unwrap_or(text);
    let text = text.strip_prefix('\'').unwrap_or(text);
    let scheme = text.get(..4).filter(|s| s.eq_ignore_ascii_case("tel:"));
    scheme.map_or(text, |s| &text[s.len()..]).trim_matches(is_blank)
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || is_invisible(c)
}

/// Marks that come along when a number is copied from a contact or a web page: zero width, direction, byte order.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// What people put between digits: blanks, dashes of every length, brackets, dots and slashes.
fn is_separator(c: char) -> bool {
    is_blank(c)
        || matches!(c, '-' | '.' | '/' | '(' | ')' | '[' | ']')
        || matches!(
            c,
            '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{b7}' | '\u{ff08}' | '\u{ff09}' | '\u{ff0d}' | '\u{ff0e}'
        )
}

/// A decimal digit in Latin, Arabic, Persian, Devanagari or full-width writing, as ASCII.
fn digit_of(c: char) -> Option<char> {
    let zero = match c {
        '0'..='9' => return Some(c),
        '\u{660}'..='\u{669}' => 0x660,
        '\u{6f0}'..='\u{6f9}' => 0x6f0,
        '\u{966}'..='\u{96f}' => 0x966,
        '\u{ff10}'..='\u{ff19}' => 0xff10,
        _ => return None,
    };
    char::from_digit(u32::from(c) - zero, 10)
}

fn refuse_damage(bare: &str) -> Result<(), NumberRefusal> {
    if bare.is_empty() {
        return Err(NumberRefusal::Empty);
    }
    match damage(bare) {
        Some(damage) => Err(NumberRefusal::Spreadsheet(damage)),
        None => Ok(()),
    }
}

fn damage(bare: &str) -> Option<SpreadsheetDamage> {
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if let Some(rest) = bare.strip_prefix(['-', '\u{2212}']) {
        return rest.bytes().all(|b| b.is_ascii_digit() || b == b'.').then_some(SpreadsheetDamage::Negative);
    }
    if bare.bytes().all(|b| b == b'#') || (bare.starts_with('#') && bare.bytes().any(|b| b.is_ascii_alphabetic())) {
        return Some(SpreadsheetDamage::Placeholder);
    }
    if let Some((mantissa, exponent)) = bare.split_once(['e', 'E']) {
        let whole = mantissa.split(['.', ',']).all(all_digits);
        let signed = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        return (whole && all_digits(signed)).then_some(SpreadsheetDamage::Scientific);
    }
    let (whole, decimals) = bare.split_once(['.', ','])?;
    let zeros = (1..=2).contains(&decimals.len()) && decimals.bytes().all(|b| b == b'0');
    (all_digits(whole) && zeros).then_some(SpreadsheetDamage::Decimal)
}

fn short_code(bare: &str, short_numbers: ShortNumbers) -> Result<String, NumberRefusal> {
    if short_numbers == ShortNumbers::Refused {
        return Err(NumberRefusal::ShortCode);
    }
    let foreign = |c: &char| !c.is_ascii_digit() && !matches!(c, '*' | '#');
    if let Some((i, character)) = bare.chars().enumerate().find(|(_, c)| foreign(c)) {
        return Err(NumberRefusal::Character { character, place: i + 1 });
    }
    if bare.len() > CODE_MAX {
        return Err(NumberRefusal::TooManyCharacters { max: CODE_MAX });
    }
    let dialable = bare.len() >= 2 && bare.bytes().any(|b| b.is_ascii_digit());
    if dialable { Ok(bare.to_owned()) } else { Err(NumberRefusal::ShortCode) }
}

fn digits_of(bare: &str) -> Result<Written, NumberRefusal> {
    let mut written = Written { prefix: Prefix::Absent, digits: String::with_capacity(16) };
    for (i, (at, c)) in bare.char_indices().enumerate() {
        if let Some(digit) = digit_of(c) {
            written.digits.push(digit);
        } else if matches!(c, '+' | '\u{ff0b}') {
            if !written.digits.is_empty() || written.prefix == Prefix::Plus {
                return Err(NumberRefusal::Several);
            }
            written.prefix = Prefix::Plus;
        } else if !is_separator(c) {
            return Err(foreign(bare, at, c, i + 1));
        }
    }
    if written.digits.is_empty() { Err(NumberRefusal::Empty) } else { Ok(written) }
}

fn foreign(bare: &str, at: usize, character: char, place: usize) -> NumberRefusal {
    let after_digits = bare[..at].chars().any(|c| digit_of(c).is_some());
    if after_digits && is_extension(&bare[at..]) {
        return NumberRefusal::Extension;
    }
    let several = matches!(character, ';' | ',' | '|' | '&')
        && bare[at..].chars().filter_map(digit_of).count() > SHORT_DIGITS_MAX;
    match character {
        _ if several && after_digits => NumberRefusal::Several,
        c if c.is_alphabetic() => NumberRefusal::Letters,
        _ => NumberRefusal::Character { character, place },
    }
}

/// `x12`, `ext. 12`, `;ext=12` (RFC 3966 5.3), `Durchwahl 12`.
fn is_extension(rest: &str) -> bool {
    let rest = rest.trim_start_matches([';', ',', ' ']).to_lowercase();
    let marks = ["x", "ext", "extn", "extension", "durchwahl", "dw", "app", "poste", "int"];
    let word: String = rest.chars().take_while(|c| c.is_alphabetic()).collect();
    let after = rest[word.len()..].trim_start_matches(['.', ':', '=', ' ', '-']);
    marks.contains(&word.as_str()) && !after.is_empty() && after.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests;
