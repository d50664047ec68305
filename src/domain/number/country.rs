//! What the metadata of `rlibphonenumber` knows: countries, their codes, the lengths of their numbers.
//!
//! The library takes microseconds to parse, so it is asked once for the possible lengths of every
//! country code, and after that only for national numbers (docs/decisions/0001).

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use rlibphonenumber::{CountryCodeSource, NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, Region};

use super::NumberRefusal;

/// A country, by the two letters of ISO 3166, whose way of writing national numbers is known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Country(Region);

/// A text that names no country.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no country; write its two letters (ISO 3166), such as DE, GB or US")]
pub struct UnknownCountry(String);

impl FromStr for Country {
    type Err = UnknownCountry;

    fn from_str(text: &str) -> Result<Self, UnknownCountry> {
        let known = |region: &Region| PHONE_NUMBER_UTIL.get_supported_regions().any(|r| r == *region);
        let region = text.parse::<Region>().ok().filter(known);
        region.map(Self).ok_or_else(|| UnknownCountry(text.chars().take(40).collect()))
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.as_region_str())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Country({self})")
    }
}

/// For each country code, one bit for each possible length of a number without it.
static LENGTHS: LazyLock<Box<[u32; 1000]>> = LazyLock::new(|| {
    let mut lengths = Box::new([0; 1000]);
    for code in PHONE_NUMBER_UTIL.get_supported_calling_codes() {
        let Some(bits) = usize::try_from(code).ok().and_then(|i| lengths.get_mut(i)) else { continue };
        *bits = possible_lengths(code);
    }
    lengths
});

fn possible_lengths(country_code: i32) -> u32 {
    // ITU-T E.164 allows 15 digits in all; Germany uses up to 15 after its code (libphonenumber's metadata).
    let possible = |digits: &u32| {
        let national_number = 10_u64.pow(digits - 1);
        let number = PhoneNumber { country_code, national_number, ..PhoneNumber::default() };
        let told = PHONE_NUMBER_UTIL.is_possible_number_with_reason(&number);
        // A number that only works within its town needs no country code, and cannot have one.
        matches!(told, Ok(NumberLengthType::IsPossible))
    };
    (1..=17).filter(possible).fold(0, |bits, digits| bits | 1 << digits)
}

/// Checks the digits after a `+` and returns them in E.164 form, with the `+`.
///
/// Only where a zero follows the country code, as in `+49 (0)30`, is the library asked whether it
/// belongs to the number (Italy) or is a trunk prefix (Germany).
pub(super) fn international(digits: &str) -> Result<String, NumberRefusal> {
    let (code, national) = split(digits)?;
    if !national.starts_with('0') {
        check_length(code, national.len())?;
        return Ok(format!("+{digits}"));
    }
    let stripped =
        fixed_point(format!("+{digits}")).ok_or(NumberRefusal::Impossible { code, digits: national.len() })?;
    let (code, national) = split(&stripped[1..])?;
    // The library leaves a trunk zero there when the number without it would be too short. A zero that
    // belongs to the number (Italy) is in its tables.
    if national.starts_with('0') && !is_valid(&stripped) {
        return Err(NumberRefusal::Impossible { code, digits: national.len() });
    }
    check_length(code, national.len())?;
    Ok(stripped)
}

fn is_valid(e164: &str) -> bool {
    PHONE_NUMBER_UTIL.parse(e164, None).is_ok_and(|number| number.is_valid())
}

/// Reads a number by the rules of `country`: its trunk prefix, its international prefix.
pub(super) fn national(digits: &str, country: Country) -> Result<String, NumberRefusal> {
    let refused = NumberRefusal::NotNational { country };
    let read = PHONE_NUMBER_UTIL.parse_and_keep_raw_input(digits, Some(country.0));
    let prefix_known =
        read.as_ref().is_ok_and(|number| number.country_code_source() == CountryCodeSource::FromNumberWithIdd);
    if let Some(abroad) = digits.strip_prefix("00").filter(|_| !prefix_known) {
        // No country has numbers that begin with two zeros: 00 is how most of the world writes +.
        return international(abroad);
    }
    let e164 = read.map_err(|_| refused)?.format_as(PhoneNumberFormat::E164).into_owned();
    international(e164.strip_prefix('+').unwrap_or(&e164))
}

fn fixed_point(mut e164: String) -> Option<String> {
    for _ in 0..4 {
        let read = PHONE_NUMBER_UTIL.parse(&e164, None).ok()?.format_as(PhoneNumberFormat::E164).into_owned();
        if read == e164 {
            return Some(read);
        }
        e164 = read;
    }
    None
}

/// The country code with which international digits begin.
pub(super) fn code_of(digits: &str) -> Option<u16> {
    let plain = digits.bytes().take(3).all(|b| b.is_ascii_digit());
    plain.then(|| split(digits).ok()).flatten().map(|(code, _)| code)
}

/// No country code is the beginning of another (ITU-T E.164), so the first that fits is the one.
fn split(digits: &str) -> Result<(u16, &str), NumberRefusal> {
    let mut code: u16 = 0;
    for (i, digit) in digits.bytes().enumerate().take(3) {
        code = code * 10 + u16::from(digit - b'0');
        if code == 0 {
            break;
        }
        if LENGTHS[usize::from(code)] != 0 {
            return Ok((code, &digits[i + 1..]));
        }
    }
    Err(NumberRefusal::UnknownCountryCode)
}

fn check_length(code: u16, digits: usize) -> Result<(), NumberRefusal> {
    let bits = LENGTHS[usize::from(code)];
    let least = bits.trailing_zeros() as usize;
    let most = bits.checked_ilog2().map_or(0, |n| n as usize);
    if digits < least {
        return Err(NumberRefusal::TooShort { code, digits, least });
    }
    if digits > most {
        return Err(NumberRefusal::TooLong { code, digits, most });
    }
    if bits & (1 << digits) == 0 {
        return Err(NumberRefusal::Impossible { code, digits });
    }
    Ok(())
}
