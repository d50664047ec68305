//! Numbers files: any bytes as a file, in any portions, and each of their cells as a number.
//!
//! A first byte of `\x01` takes the next three for options and how the file comes in; the rest is the
//! file. In it, `\x02` stands for all before it a hundred times over.

use std::io::{self, Read};
use std::sync::LazyLock;

use campanile::domain::number::{Number, NumberRules};
use campanile::domain::trunk::ShortNumbers;
use campanile::intake::{CELL_MAX, Column, Format, Header, Options, Row, RowError, RowRefusal, Separator, from_reader};

/// Beyond the sample of 64 KiB, and no more than is quickly read.
const FILE_BYTES_MAX: usize = 200_000;

type Rows = Vec<Result<Row, (u64, RowRefusal)>>;

pub fn check(data: &[u8]) {
    let (options, portion, body) = parts(data);
    let file = repeated(body);
    let rows = read(&file, &options, usize::MAX);
    // Portions and columns beside the point change nothing.
    assert_eq!(read(&file, &options, portion), rows, "in portions of {portion}");
    if let Ok(rows) = &rows {
        in_order(rows);
        rows.iter().flatten().take(20).for_each(|row| number(&row.text));
        if options.charset.as_deref() == Some("utf-8") {
            beside_the_oracle(&file, &options, rows);
        }
    }
    body.split(|b| *b == b'\n').take(20).for_each(|line| number(&String::from_utf8_lossy(line)));
}

fn parts(data: &[u8]) -> (Options, usize, &[u8]) {
    let [1, choice, column, portion, body @ ..] = data else { return (Options::default(), 1_000, data) };
    let charset = [None, Some("utf-8"), Some("utf-16le"), Some("windows-1252"), Some("shift_jis"), Some("gb18030")];
    let formats = [Format::Guess, Format::List].into_iter().chain(Separator::ALL.map(Format::Csv)).collect::<Vec<_>>();
    let headers = [Header::Guess, Header::Present, Header::Absent];
    let choice = usize::from(*choice);
    let column = match column {
        0 => Column::Guess,
        b'n' => Column::Named("phone".to_owned()),
        place => Column::Place(usize::from(*place) % 9),
    };
    let options = Options {
        charset: charset[choice % 6].map(str::to_owned),
        format: formats[choice / 6 % 6],
        header: headers[choice / 36 % 3],
        column,
    };
    (options, usize::from(*portion) + 1, body)
}

fn repeated(body: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    for &byte in body {
        if byte == 2 && (1..FILE_BYTES_MAX / 101).contains(&file.len()) {
            file = file.repeat(101);
        } else if file.len() < FILE_BYTES_MAX {
            file.push(byte);
        }
    }
    file
}

/// A source that gives a few bytes at a time, as a pipe may.
struct Portions {
    file: io::Cursor<Vec<u8>>,
    size: usize,
}

impl Read for Portions {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = buffer.len().min(self.size);
        self.file.read(&mut buffer[..size])
    }
}

fn read(file: &[u8], options: &Options, size: usize) -> Result<Rows, String> {
    let source = Portions { file: io::Cursor::new(file.to_vec()), size };
    let mut intake = from_reader(source, options).map_err(|error| {
        let told = error.to_string();
        assert!(!told.is_empty() && told.len() < 20_000, "{} bytes of reason", told.len());
        told
    })?;
    let described = intake.describe().clone();
    assert!(described.column >= 1 && !described.to_string().is_empty());
    let rows: Rows = intake
        .by_ref()
        .map(|row| {
            row.map_err(|error| match error {
                RowError::Refused { line, why } => (line, why),
                RowError::Unreadable(error) => panic!("{error}"),
            })
        })
        .collect();
    assert!(intake.next().is_none(), "a row behind the end");
    assert_eq!(intake.bytes_read(), file.len() as u64, "all of it was read");
    Ok(rows)
}

fn in_order(rows: &Rows) {
    let line = |row: &Result<Row, (u64, RowRefusal)>| row.as_ref().map_or_else(|(line, _)| *line, |row| row.line);
    assert!(rows.iter().all(|row| line(row) >= 1));
    assert!(rows.is_sorted_by(|a, b| line(a) < line(b)), "two rows in one line");
    for row in rows.iter().flatten() {
        assert!(row.text.len() <= CELL_MAX && !row.text.contains(['\0', '\u{fffd}']), "{:?}", row.text);
        assert_eq!(format!("{row:?}"), format!("Row {{ line: {}, text: \"…\" }}", row.line));
    }
}

/// The same rows as a plain reading gives: lines of a list by hand, cells of CSV by the `csv` crate.
fn beside_the_oracle(file: &[u8], options: &Options, rows: &Rows) {
    let text = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    // The lines of the oracles end in line feeds only, and bytes are as they are.
    if options.header != Header::Absent || text.contains(&b'\r') || std::str::from_utf8(text).is_err() {
        return;
    }
    match (options.format, &options.column) {
        (Format::List, Column::Place(1)) => list(text, rows),
        (Format::Csv(separator), Column::Place(place)) => cells(text, separator, *place - 1, rows),
        _ => {}
    }
}

fn list(text: &[u8], rows: &Rows) {
    let is_code =
        |line: &[u8]| line.iter().all(|b| b"0123456789*#".contains(b)) && line[1..].iter().any(|b| b"*#".contains(b));
    let counts = |line: &[u8]| {
        let bare = line.trim_ascii();
        !bare.is_empty() && (bare[0] != b'#' || is_code(bare))
    };
    let lines: Vec<(u64, &[u8])> = (1..).zip(text.split(|b| *b == b'\n')).filter(|(_, line)| counts(line)).collect();
    assert_eq!(rows.len(), lines.len(), "rows of {:?}", text.escape_ascii().to_string());
    for (row, (number, line)) in rows.iter().zip(lines) {
        match row {
            Ok(row) => assert_eq!((row.line, row.text.as_bytes()), (number, line)),
            Err((line_no, why)) => {
                let expected = if line.len() > CELL_MAX {
                    RowRefusal::TooLong
                } else if line.contains(&0) {
                    RowRefusal::Nul
                } else {
                    RowRefusal::NotInCharset
                };
                assert_eq!((*line_no, why), (number, &expected));
            }
        }
    }
}

fn cells(text: &[u8], separator: Separator, place: usize, rows: &Rows) {
    let byte = match separator {
        Separator::Comma => b',',
        Separator::Semicolon => b';',
        Separator::Tab => b'\t',
        Separator::Bar => b'|',
    };
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(byte).from_reader(text);
    let records = reader.byte_records().map(|record| record.expect("bytes in memory"));
    let counted: Vec<csv::ByteRecord> =
        records.filter(|record| record.iter().any(|cell| !cell.trim_ascii().is_empty())).collect();
    assert_eq!(rows.len(), counted.len(), "rows of {:?}", text.escape_ascii().to_string());
    for (row, record) in rows.iter().zip(&counted) {
        match row {
            Ok(row) => {
                assert_eq!(Some(row.text.as_bytes()), record.get(place));
                let before = text.split(|b| *b == b'\n').take(usize::try_from(row.line).unwrap() - 1);
                let begins: usize = before.map(|line| line.len() + 1).sum();
                let at = usize::try_from(record.position().expect("from a reader").byte()).unwrap();
                // The reader counts the empty lines before a record as part of it.
                let blank = text[at.min(begins)..begins].iter().all(|b| *b == b'\n');
                assert!(at <= begins && blank, "line {} begins at {begins}, the record at {at}", row.line);
            }
            Err((_, RowRefusal::MissingColumn { columns })) => assert_eq!(*columns, record.len()),
            Err((_, RowRefusal::TooLong)) => assert!(record.get(place).unwrap().len() > CELL_MAX),
            Err((_, RowRefusal::Nul)) => assert!(record.get(place).unwrap().contains(&0)),
            Err((_, RowRefusal::NotInCharset)) => {
                assert!(record.get(place).unwrap().windows(3).any(|w| w == b"\xef\xbf\xbd"))
            }
            Err((line, RowRefusal::OpenQuote { until_line })) => assert!(until_line > line),
        }
    }
}

/// Every way in which a list may be read.
static RULES: LazyLock<Vec<NumberRules>> = LazyLock::new(|| {
    let countries = [None, Some("DE"), Some("GB"), Some("US"), Some("IT"), Some("LT"), Some("AR"), Some("MX")];
    let both = [ShortNumbers::Refused, ShortNumbers::Allowed];
    let rules = |country: Option<&str>| {
        let country = country.map(|letters| letters.parse().unwrap());
        both.map(|short_numbers| NumberRules { country, short_numbers })
    };
    countries.into_iter().flat_map(rules).collect()
});

/// A text is refused with a reason that does not repeat it, or it is a number that stays itself.
fn number(text: &str) {
    for rules in RULES.iter() {
        match Number::canonical(text, rules) {
            Ok(number) => canonical(&number, rules),
            Err(why) => {
                let told = why.to_string();
                let longest = told.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
                assert!(longest.is_none_or(|digits| digits <= 4), "{told}");
            }
        }
    }
}

fn canonical(number: &Number, rules: &NumberRules) {
    let text = number.as_str();
    let digits = text.strip_prefix('+').unwrap_or(text);
    assert!((2..=32).contains(&digits.len()) && digits.bytes().all(|b| b"0123456789*#".contains(&b)), "{text}");
    assert!(!text.starts_with('+') || digits.bytes().all(|b| b.is_ascii_digit()), "{text}");
    assert!(!text.starts_with("+0") && (!text.starts_with('+') || digits.len() <= 17), "{text}");
    assert_eq!(Number::canonical(text, rules).as_ref(), Ok(number), "{text} does not stay itself");
    assert_eq!(Number::from_canonical(text).as_ref(), Some(number));
    if text.starts_with('+') {
        let strict = NumberRules { country: None, short_numbers: ShortNumbers::Refused };
        assert_eq!(Number::canonical(text, &strict).as_ref(), Ok(number), "{text} needs a country");
    } else {
        assert_eq!(rules.short_numbers, ShortNumbers::Allowed, "{text}");
    }
    let shown = format!("{number:?} {}", number.masked());
    assert!(digits.len() < 4 || !shown.contains(digits), "{shown}");
}
