use std::io::{self, Cursor, Read};

use proptest::prelude::*;

use super::*;
use crate::domain::number::{Number, NumberRefusal, NumberRules, SpreadsheetDamage};
use crate::domain::trunk::ShortNumbers;

fn fixture(name: &str) -> Intake {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/numbers").join(name);
    open(&path, &Options::default()).unwrap()
}

fn text(bytes: impl Into<Vec<u8>>, options: &Options) -> Result<Intake, IntakeError> {
    from_reader(Cursor::new(bytes.into()), options)
}

fn rows(intake: &mut Intake) -> Vec<(u64, String)> {
    intake.map(|row| row.map(|r| (r.line, r.text)).unwrap()).collect()
}

#[track_caller]
fn reads(intake: &mut Intake, described: &str, expected: &[(u64, &str)]) {
    assert_eq!(intake.describe().to_string(), described);
    let expected: Vec<(u64, String)> = expected.iter().map(|(line, text)| (*line, (*text).to_owned())).collect();
    assert_eq!(rows(intake), expected);
    if let Some(total) = intake.bytes_total() {
        assert_eq!(intake.bytes_read(), total);
    }
}

#[track_caller]
fn fails(bytes: impl Into<Vec<u8>>, options: &Options, said: &str) {
    let error = text(bytes, options).err().expect("an error").to_string();
    assert!(error.contains(said), "{error}");
}

fn refusals(intake: Intake) -> Vec<(u64, RowRefusal)> {
    let refused = |row: Result<Row, RowError>| match row {
        Err(RowError::Refused { line, why }) => Some((line, why)),
        _ => None,
    };
    intake.filter_map(refused).collect()
}

#[test]
fn a_list_skips_blank_lines_and_comments_but_no_codes() {
    reads(
        &mut fixture("list-crlf.txt"),
        "UTF-8, one number a line (no header)",
        &[(2, "+441632960001"), (4, "+44 1632 960002"), (5, "#31#"), (6, "+44 (0)20 7946 0003")],
    );
    let mut list = text("#1 first\n#\n#441632960001\n##\n*97\n", &Options::default()).unwrap();
    reads(&mut list, "UTF-8, one number a line (no header)", &[(4, "##"), (5, "*97")]);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_cell() {
    let expected = [(2, "+441632960001"), (3, "01632 960002")];
    reads(&mut fixture("utf8-bom.csv"), "UTF-8, separated by comma, column 2 (header \"Phone\")", &expected);
    let with_mark = "\u{feff}+441632960001\n";
    reads(
        &mut text(with_mark, &Options::default()).unwrap(),
        "UTF-8, one number a line (no header)",
        &[(1, "+441632960001")],
    );
}

#[test]
fn a_spreadsheet_export_in_utf_16_is_read_with_or_without_its_mark() {
    let expected = [(2, "+441632960001"), (3, "01632 960002")];
    reads(&mut fixture("utf16le-tabs.txt"), "UTF-16LE, separated by tab, column 2 (header \"Telefon\")", &expected);
    let big: Vec<u8> = "+441632960001\n+441632960002\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let expected = [(1, "+441632960001"), (2, "+441632960002")];
    reads(&mut text(big, &Options::default()).unwrap(), "UTF-16BE, one number a line (no header)", &expected);
}

#[test]
fn western_charsets_are_found_and_fax_is_no_telephone() {
    let expected = [(2, "020 7946 0001"), (3, "020 7946 0002")];
    reads(
        &mut fixture("latin1-semicolons.csv"),
        "windows-1252, separated by semicolon, column 3 (header \"Rufnummer\")",
        &expected,
    );
    let expected = [(2, "07700 900001"), (3, "07700 900002")];
    reads(
        &mut fixture("german-header.csv"),
        "UTF-8, separated by semicolon, column 3 (header \"Mobiltelefon\")",
        &expected,
    );
}

#[test]
fn quoted_separators_and_line_ends_belong_to_their_cell() {
    let expected = [(2, "+44 1632 960001"), (4, "'01632960002"), (5, "=\"+441632960003\"")];
    reads(&mut fixture("quoted.csv"), "UTF-8, separated by comma, column 3 (header \"phone\")", &expected);
    let one_column = text("\"+441632960001\"\n\"+441632960002\"\n", &Options::default());
    let expected = [(1, "+441632960001"), (2, "+441632960002")];
    reads(&mut one_column.unwrap(), "UTF-8, separated by comma, column 1 (no header)", &expected);
}

#[test]
fn without_a_header_the_cells_tell_and_dates_are_no_numbers() {
    let expected = [(1, "+441632960001"), (2, "+441632960002"), (3, "+441632960003")];
    reads(&mut fixture("no-header.csv"), "UTF-8, separated by comma, column 3 (no header)", &expected);
}

#[test]
fn what_a_spreadsheet_spoilt_arrives_as_it_is_and_is_refused_by_name() {
    let rules = NumberRules { country: "GB".parse().ok(), short_numbers: ShortNumbers::Refused };
    let read = |intake: &mut Intake| -> Vec<Result<Number, NumberRefusal>> {
        rows(intake).iter().map(|(_, text)| Number::canonical(text, &rules)).collect()
    };
    let damaged = |damage| Err(NumberRefusal::Spreadsheet(damage));
    let scientific = damaged(SpreadsheetDamage::Scientific);
    let expected = vec![
        scientific.clone(),
        damaged(SpreadsheetDamage::Decimal),
        damaged(SpreadsheetDamage::Placeholder),
        Ok(Number::from_canonical("+441632960004").unwrap()),
    ];
    assert_eq!(read(&mut fixture("spreadsheet-damage.csv")), expected);
    assert_eq!(read(&mut fixture("damage-list.txt")), vec![scientific; 3]);
}

#[test]
fn each_thing_can_be_given_instead() {
    let csv = "a,b\n+441632960001,+442079460001\n";
    let column = |column| Options { column, ..Options::default() };
    let expected = [(2, "+442079460001")];
    reads(
        &mut text(csv, &column(Column::Named(" B ".into()))).unwrap(),
        "UTF-8, separated by comma, column 2 (header \"b\")",
        &expected,
    );
    reads(
        &mut text(csv, &column(Column::Place(2))).unwrap(),
        "UTF-8, separated by comma, column 2 (header \"b\")",
        &expected,
    );
    let list = Options { format: Format::List, header: Header::Present, ..Options::default() };
    let expected = [(2, "+441632960001,+442079460001")];
    reads(&mut text(csv, &list).unwrap(), "UTF-8, one number a line (header \"a,b\")", &expected);
    let charset = Options { charset: Some("iso-8859-1".into()), ..Options::default() };
    assert_eq!(text("\u{e9}\n", &charset).unwrap().describe().charset, "windows-1252");
}

#[test]
fn what_cannot_be_told_is_asked_for() {
    let twins = "+441632960001,+442079460001\n+441632960002,+442079460002\n";
    fails(twins, &Options::default(), "columns 1 and 2 both look like telephone numbers");
    fails("Ann,red\nBob,blue\nCy,green\n", &Options::default(), "no column looks like telephone numbers");
    let named = Options { column: Column::Named("phon".into()), ..Options::default() };
    fails("name,phone\nAnn,1\n", &named, "no column is called `phon`; the columns are: name, phone");
    let place = |place| Options { column: Column::Place(place), ..Options::default() };
    fails("a,b\n1,2\n", &place(3), "there is no column 3; the file has 2");
    fails("a,b\n1,2\n", &place(0), "there is no column 0");
    let charset = Options { charset: Some("klingon".into()), ..Options::default() };
    fails("1\n", &charset, "`klingon` is no charset");
}

#[test]
fn a_file_that_is_no_list_names_its_mend() {
    for empty in ["", "\u{feff}", "\n\r\n  \n", "# nothing yet\n"] {
        fails(empty, &Options::default(), "the file is empty");
    }
    fails("name,phone\n", &Options::default(), "a header and no rows");
    fails("Telefon\n", &Options::default(), "a header and no rows");
    fails("PK\u{3}\u{4}\u{14}\0", &Options::default(), "save it as CSV");
    fails("%PDF-1.7\n", &Options::default(), "export the numbers as CSV");
    fails(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0".to_vec(), &Options::default(), "save it as CSV");
    fails(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0".to_vec(), &Options::default(), "a binary file");
    let folder = tempfile::tempdir().unwrap();
    let error = open(folder.path(), &Options::default()).err().unwrap();
    assert!(matches!(error, IntakeError::Directory { .. }));
    let error = open(&folder.path().join("none.csv"), &Options::default()).err().unwrap();
    assert!(matches!(error, IntakeError::Open { .. }));
}

#[test]
fn a_bad_row_is_refused_with_its_line_and_the_next_one_follows() {
    let bytes = b"+441632960001\n+44\x001632960002\n+44\xff1632960003\n+441632960004\n".to_vec();
    let utf_8 = Options { charset: Some("utf-8".into()), ..Options::default() };
    let read = || text(bytes.clone(), &utf_8).unwrap();
    assert_eq!(refusals(read()), [(2, RowRefusal::Nul), (3, RowRefusal::NotInCharset)]);
    assert_eq!(read().filter_map(Result::ok).map(|row| row.line).collect::<Vec<_>>(), [1, 4]);
    let csv = "name,phone\nAnn\nBob,+441632960002\n";
    assert_eq!(refusals(text(csv, &Options::default()).unwrap()), [(2, RowRefusal::MissingColumn { columns: 1 })]);
}

#[test]
fn a_line_without_end_is_a_refusal_and_no_memory() {
    let endless =
        Cursor::new("+441632960001\n").chain(io::repeat(b'1').take(10_000_000)).chain(Cursor::new("\n+441632960002\n"));
    let mut list = from_reader(endless, &Options::default()).unwrap();
    assert_eq!(list.next().unwrap().unwrap().line, 1);
    let refused = list.next().unwrap().unwrap_err();
    assert!(matches!(refused, RowError::Refused { line: 2, why: RowRefusal::TooLong }), "{refused}");
    assert_eq!(list.next().unwrap().unwrap(), Row { line: 3, text: "+441632960002".into() });
    assert!(list.next().is_none() && list.next().is_none());
}

#[test]
fn a_long_cell_beside_the_number_costs_nothing() {
    let long = "x".repeat(300_000);
    let csv = format!("phone;note\n+441632960001;a\n+441632960002;{long}\n+441632960003;b\n");
    let expected = [(2, "+441632960001"), (3, "+441632960002"), (4, "+441632960003")];
    reads(
        &mut text(csv, &Options::default()).unwrap(),
        "UTF-8, separated by semicolon, column 1 (header \"phone\")",
        &expected,
    );
}

#[test]
fn a_quote_that_nobody_closes_does_not_swallow_rows_in_silence() {
    let mut csv = "phone,note\n+441632960001,ok\n+441632960002,\"open\n".to_owned();
    csv.push_str(&"+441632960003,fine\n".repeat(3));
    let refused = refusals(text(csv.clone(), &Options::default()).unwrap());
    assert!(matches!(refused[..], [(3, RowRefusal::OpenQuote { .. })]), "{refused:?}");
    csv.push_str(&"+441632960003,fine\n".repeat(200));
    csv.push_str("+441632960004,closed\"\n+441632960005,ok\n");
    let intake = text(csv, &Options::default()).unwrap();
    let rows: Vec<_> = intake.collect();
    assert!(
        matches!(rows[1], Err(RowError::Refused { line: 3, why: RowRefusal::OpenQuote { until_line: 207 } })),
        "{rows:?}"
    );
    assert_eq!(rows[2].as_ref().unwrap().line, 208);
}

#[test]
fn a_header_with_an_open_quote_does_not_swallow_rows_in_silence() {
    let open = "\"phone\n+441632960001\n+441632960002\n\"x\"\n+441632960003\n";
    let mut intake = text(open, &Options::default()).unwrap();
    let refused = intake.next().unwrap().unwrap_err();
    assert!(
        matches!(refused, RowError::Refused { line: 1, why: RowRefusal::OpenQuote { until_line: 4 } }),
        "{refused:?}"
    );
    assert_eq!(intake.next().unwrap().unwrap(), Row { line: 5, text: "+441632960003".into() });
    let long = format!("phone,\"note\n{}\"\n+441632960003,ok\n", "+441632960001,fine\n".repeat(20));
    assert_eq!(refusals(text(long, &Options::default()).unwrap()), [(1, RowRefusal::OpenQuote { until_line: 22 })]);
    let broken = "\"phone\n(work)\",name\n+441632960003,Ann\n";
    let intake = text(broken, &Options::default()).unwrap();
    assert_eq!(intake.map(|row| row.unwrap().line).collect::<Vec<_>>(), [3]);
}

#[test]
fn lines_are_counted_alike_for_all_three_line_ends() {
    for end in ["\n", "\r\n", "\r"] {
        let csv = ["name,phone", "Ann,1001001", "", "\"B\nC\",1001002", "Di,1001003", ""].join(end);
        let lines: Vec<u64> = rows(&mut text(csv, &Options::default()).unwrap()).iter().map(|row| row.0).collect();
        assert_eq!(lines, [2, 4, 6], "{end:?}");
    }
}

#[test]
fn a_failing_disk_ends_the_rows() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("disk"))
        }
    }
    let rows = "+441632960001\n".repeat(SAMPLE_BYTES / 14 + 1);
    let mut intake = from_reader(Cursor::new(rows).chain(Failing), &Options::default()).unwrap();
    assert!(matches!(intake.find(Result::is_err), Some(Err(RowError::Unreadable(_)))));
    assert!(intake.next().is_none());
}

proptest! {
    #[test]
    fn any_bytes_end_in_rows_or_reasons(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(intake) = text(bytes, &Options::default()) {
            let lines: Vec<u64> = intake.map(|row| match row {
                Ok(row) => row.line,
                Err(RowError::Refused { line, .. }) => line,
                Err(RowError::Unreadable(error)) => panic!("{error}"),
            }).collect();
            prop_assert!(lines.is_sorted());
        }
    }

    #[test]
    fn quoted_cells_come_back_as_written(cells in proptest::collection::vec("[ -~äß\u{20ac}]{0,20}x", 1..20)) {
        let quoted = |cell: &String| format!("\"{}\";\"a;b\"\r\n", cell.replace('"', "\"\""));
        let csv: String = cells.iter().map(quoted).collect();
        let options = Options {
            charset: Some("utf-8".into()),
            format: Format::Csv(Separator::Semicolon),
            header: Header::Absent,
            column: Column::Place(1),
        };
        let read: Vec<String> = rows(&mut text(csv, &options).unwrap()).into_iter().map(|row| row.1).collect();
        prop_assert_eq!(read, cells);
    }
}

#[test]
fn a_line_that_names_the_separator_is_understood_and_is_no_row() {
    let semicolon = "UTF-8, separated by semicolon, column 1 (header \"phone\")";
    let (list, free) = ("sep=;\r\nphone;name\r\n+493012345601;Anna\r\n", Options::default());
    reads(&mut text(list, &free).unwrap(), semicolon, &[(3, "+493012345601")]);
    let quoted = "\u{feff}\"sep=|\"\nname|phone\nAnna|+493012345601\n";
    let bar = "UTF-8, separated by bar, column 2 (header \"phone\")";
    reads(&mut text(quoted, &free).unwrap(), bar, &[(3, "+493012345601")]);
    // A list whose lines hold nothing else that would tell.
    let one = "sep=,\n+493012345601,x;y\n+493012345602,x;y\n";
    let comma = "UTF-8, separated by comma, column 1 (no header)";
    reads(&mut text(one, &free).unwrap(), comma, &[(2, "+493012345601"), (3, "+493012345602")]);
}

#[test]
fn several_columns_of_a_row_come_in_the_order_asked_for_and_a_short_row_has_blanks() {
    let csv =
        "name;phone;note;prio\nAnn;+441632960001;\"a;b\";5\n;;;\nBob;+441632960002\n\0;+441632960003;x;\u{fffd}\n";
    let mut intake = text(csv, &Options::default()).unwrap();
    assert_eq!(intake.describe().headers, ["name", "phone", "note", "prio"]);
    assert_eq!(intake.describe().example, ["Ann", "+441632960001", "a;b", "5"]);
    let mut read = || intake.next_cells(&[3, 1, 1, 2]).map(|cells| cells.unwrap());
    let ok = |texts: [&str; 4]| texts.map(|text| Ok(text.to_owned())).to_vec();
    let first = read().unwrap();
    assert_eq!((first.line, first.texts), (2, ok(["5", "+441632960001", "+441632960001", "a;b"])));
    let short = read().unwrap();
    assert_eq!((short.line, short.texts), (4, ok(["", "+441632960002", "+441632960002", ""])), "blank rows are none");
    let last = read().unwrap();
    assert_eq!(last.texts[0], Err(RowRefusal::NotInCharset), "the NUL stands in a column that nobody asked for");
    assert!(read().is_none());
}

#[test]
fn an_open_quote_refuses_its_row_also_of_several_columns() {
    let csv = "name,phone\n\"Ann,+441632960001\nBob,+441632960002\n";
    let mut intake = text(csv, &Options { header: Header::Present, ..Options::default() }).unwrap();
    let refused = intake.next_cells(&[0, 1]).unwrap().unwrap_err();
    assert!(matches!(refused, RowError::Refused { line: 2, why: RowRefusal::OpenQuote { .. } }), "{refused}");
}
