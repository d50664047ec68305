//! A number in 16 bytes, for lists of millions.

use super::Number;

/// What a canonical number is written with, in the order of the bytes. No symbol is 0.
const SYMBOLS: &[u8; 13] = b"#*+0123456789";
const BITS: usize = 4;
/// The most characters of a canonical number.
pub(super) const CHARACTERS_MAX: usize = 32;

/// A canonical number, four bits a character. Packed numbers have the order of their texts, byte by byte,
/// which is also the order of a ledger's index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Packed(u128);

impl From<&Number> for Packed {
    fn from(number: &Number) -> Self {
        let symbol = |b: u8| SYMBOLS.iter().position(|s| *s == b).map_or(0, |at| at as u128 + 1);
        let places = (0..CHARACTERS_MAX).rev().map(|place| place * BITS);
        Self(number.as_str().bytes().zip(places).fold(0, |packed, (b, place)| packed | (symbol(b) << place)))
    }
}

impl Packed {
    /// Writes the number's canonical text in place of what `text` holds.
    pub fn write_to(self, text: &mut String) {
        text.clear();
        let symbols = (0..CHARACTERS_MAX).rev().map(|place| (self.0 >> (place * BITS)) as usize & 0xf);
        text.extend(symbols.map_while(|s| SYMBOLS.get(s.checked_sub(1)?)).map(|b| char::from(*b)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_number_is_read_back_and_keeps_its_place_in_the_order() {
        let longest = "1".repeat(CHARACTERS_MAX);
        let texts = ["#31#", "*21", "+15551234", "+493012345601", "+49301234561", "10", "101", longest.as_str(), "99"];
        let packed: Vec<Packed> = texts.iter().map(|t| Packed::from(&Number::from_canonical(t).unwrap())).collect();
        let read = |p: &Packed| {
            let mut text = "old".to_owned();
            p.write_to(&mut text);
            text
        };
        assert_eq!(packed.iter().map(read).collect::<Vec<_>>(), texts);
        assert!(texts.is_sorted() && packed.is_sorted());
        assert_eq!(Number::from_canonical(&format!("+{longest}")), None, "would not fit");
    }
}
