use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::domain::number::Number;

fn rules(country: &str, short_numbers: ShortNumbers) -> NumberRules {
    NumberRules { country: country.parse().ok(), short_numbers }
}

#[track_caller]
fn reads(country: &str, text: &str, expected: &str) {
    let read = Number::canonical(text, &rules(country, ShortNumbers::Refused));
    assert_eq!(read.as_ref().map(Number::as_str), Ok(expected), "{text:?}");
}

#[track_caller]
fn refuses(country: &str, text: &str, expected: NumberRefusal) {
    assert_eq!(Number::canonical(text, &rules(country, ShortNumbers::Refused)), Err(expected), "{text:?}");
}

#[test]
fn international_numbers_are_read_as_people_write_them() {
    for text in [
        "+493012345678",
        "+49 30 12345678",
        "+49 (30) 1234-5678",
        "+49 (0)30 12345678",
        "+49(0)30/1234.5678",
        "(+49) 30 12345678",
        "0049 30 12345678",
        "00493012345678",
        "tel:+49-30-12345678",
        "TEL: +49 30 12345678",
        "'+493012345678",
        "=\"+493012345678\"",
        "  +49\u{a0}30\u{202f}1234\u{2009}5678\u{feff}",
        "+49\u{2013}30\u{2011}1234\u{2014}5678",
        "\u{202a}+49 30 12345678\u{202c}",
        "＋４９ ３０ １２３４５６７８",
        "+٤٩ ٣٠ ١٢٣٤٥٦٧٨",
        "+49\t30\t12345678",
    ] {
        reads("", text, "+493012345678");
        reads("DE", text, "+493012345678");
        reads("US", text, "+493012345678");
    }
}

#[test]
fn national_numbers_follow_the_rules_of_their_country() {
    reads("DE", "030 12345678", "+493012345678");
    reads("DE", "'030/1234-5678", "+493012345678");
    reads("DE", "493012345678", "+493012345678");
    reads("GB", "01632 960123", "+441632960123");
    reads("GB", "(020) 7946 0123", "+442079460123");
    reads("US", "(201) 555-0123", "+12015550123");
    reads("US", "1 201 555 0123", "+12015550123");
    reads("US", "011 49 30 12345678", "+493012345678");
    reads("AU", "0011 49 30 12345678", "+493012345678");
    reads("IT", "06 6982 0123", "+390669820123");
    reads("", "+39 06 6982 0123", "+390669820123");
    reads("FR", "01 99 00 12 34", "+33199001234");
    reads("ES", "910 123 456", "+34910123456");
}

#[test]
fn a_trunk_zero_before_too_few_digits_is_no_part_of_a_number() {
    for text in ["0163296", "+440163296"] {
        refuses("GB", text, NumberRefusal::Impossible { code: 44, digits: 7 });
    }
}

#[test]
fn the_fictional_ranges_and_ranges_yet_to_come_are_numbers() {
    reads("", "+441632960000", "+441632960000");
    reads("", "+441632960999", "+441632960999");
    reads("GB", "+442079460000", "+442079460000");
    reads("GB", "02079460999", "+442079460999");
    // Possible, though nobody has it: a range that the metadata does not know.
    reads("", "+12222222222", "+12222222222");
    reads("", "+80012345678", "+80012345678");
}

#[test]
fn what_a_spreadsheet_spoilt_is_refused_by_name() {
    let damaged = NumberRefusal::Spreadsheet;
    for text in ["4.93E+11", "4,93E+11", "4.93012345678E11", "4E+11", "4.93e+11", "'4.93E+11"] {
        refuses("DE", text, damaged(SpreadsheetDamage::Scientific));
    }
    for text in ["493012345.0", "493012345,00", "493012345.00"] {
        refuses("DE", text, damaged(SpreadsheetDamage::Decimal));
    }
    refuses("DE", "-4930", damaged(SpreadsheetDamage::Negative));
    for text in ["########", "#REF!", "#NAME?", "#N/A"] {
        refuses("DE", text, damaged(SpreadsheetDamage::Placeholder));
    }
}

#[test]
fn each_mistake_has_its_own_reason() {
    for text in ["", "   ", "'", "+", "--", "\u{a0}"] {
        refuses("DE", text, NumberRefusal::Empty);
    }
    for text in ["+493012345678 x12", "+49 30 12345678 ext. 12", "tel:+493012345678;ext=12", "030 12345678 Durchwahl 5"]
    {
        refuses("DE", text, NumberRefusal::Extension);
    }
    for text in ["1-800-FLOWERS", "unknown", "n/a", "+49 30 12345O78", "телефон"] {
        refuses("US", text, NumberRefusal::Letters);
    }
    for text in ["+493012345678 / +493012345679", "030 12345678; 030 12345679", "030 12345678, 0171 1234567", "++4930"]
    {
        refuses("DE", text, NumberRefusal::Several);
    }
    refuses("DE", "+49 30 1234\0", NumberRefusal::Character { character: '\0', place: 12 });
    refuses("DE", "030$12345678", NumberRefusal::Character { character: '$', place: 4 });
    refuses("DE", "*97", NumberRefusal::ShortCode);
    refuses("", "030 12345678", NumberRefusal::NoCountry);
    refuses("", "493012345678", NumberRefusal::NoCountry);
    refuses("", "+999 1234567", NumberRefusal::UnknownCountryCode);
    refuses("", "+0 301234567", NumberRefusal::UnknownCountryCode);
    refuses("", "+44 1632", NumberRefusal::TooShort { code: 44, digits: 4, least: 7 });
    refuses("US", "555 0123", NumberRefusal::TooShort { code: 1, digits: 7, least: 10 });
    refuses("", "+1 201 555 01234", NumberRefusal::TooLong { code: 1, digits: 11, most: 10 });
    refuses("DE", "0", NumberRefusal::NotNational { country: "DE".parse().unwrap() });
    refuses("DE", &"1".repeat(60), NumberRefusal::NotNational { country: "DE".parse().unwrap() });
    refuses("DE", &"1".repeat(5_000), NumberRefusal::TooManyCharacters { max: 80 });
}

#[test]
fn a_refusal_tells_the_mend_and_no_number() {
    let told = Number::canonical("+44 1632", &rules("", ShortNumbers::Refused)).unwrap_err().to_string();
    assert_eq!(told, "the number is too short: 4 digits after the country code +44, at least 7 are needed");
    let told = Number::canonical("4.93E+11", &rules("", ShortNumbers::Refused)).unwrap_err().to_string();
    assert!(told.contains("format the column as text"), "{told}");
}

#[test]
fn short_numbers_go_as_they_are_where_a_trunk_allows_them() {
    let allowed = rules("DE", ShortNumbers::Allowed);
    for short in ["20", "201", "123456", "*97", "**1#", "#31#", "*72030123"] {
        let read = Number::canonical(short, &allowed);
        assert_eq!(read.as_ref().map(Number::as_str), Ok(short));
    }
    // The rule for what could be both: short as written; national when it says so itself.
    assert_eq!(Number::canonical("030123", &allowed).unwrap().as_str(), "030123");
    assert_eq!(Number::canonical("+4930123", &allowed).unwrap().as_str(), "+4930123");
    assert_eq!(Number::canonical("0301234", &allowed).unwrap().as_str(), "+49301234");
    for text in ["+49*1", "* 97", "*97a", "**", "*"] {
        assert!(Number::canonical(text, &allowed).is_err(), "{text}");
    }
    let placeholder = Err(NumberRefusal::Spreadsheet(SpreadsheetDamage::Placeholder));
    assert_eq!(Number::canonical("#######", &allowed), placeholder);
}

#[test]
fn a_country_is_two_known_letters() {
    assert_eq!("de".parse::<crate::domain::number::Country>().unwrap().to_string(), "DE");
    for text in ["", "D", "GER", "XX", "ZZ", "001", "UK"] {
        assert!(text.parse::<crate::domain::number::Country>().is_err(), "{text}");
    }
}

fn any_rules() -> impl Strategy<Value = NumberRules> {
    let countries = vec!["", "DE", "US", "GB", "IT", "AU", "BR", "AR", "MX", "RU", "HU", "CI", "SM"];
    (select(countries), select(ShortNumbers::ALL)).prop_map(|(country, short)| rules(country, short))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn canonical_of_canonical_is_itself(text in "(\\+|00|0|tel:\\+)?[0-9]{1,4}[-0-9 ()/]{0,16}|[0-9*#]{1,8}", rules in any_rules()) {
        if let Ok(number) = Number::canonical(&text, &rules) {
            prop_assert_eq!(Number::canonical(number.as_str(), &rules), Ok(number.clone()));
            prop_assert_eq!(Number::from_canonical(number.as_str()), Some(number));
        }
    }

    #[test]
    fn no_text_panics_or_yields_what_asterisk_could_misread_i7(text in "\\PC{0,40}|[+0-9eE.,x#*'\" -]{0,20}", rules in any_rules()) {
        if let Ok(number) = Number::canonical(&text, &rules) {
            prop_assert!(Number::from_canonical(number.as_str()).is_some());
        }
    }
}
