//! What a file's first rows tell about its layout.

use std::io;

use super::charset::TextStream;
use super::records::{Dialect, Keep, Records};
use super::{Column, Format, Header, IntakeError, Options, Separator};

/// How many rows are looked at.
const ROWS: usize = 100;

/// What was found out.
#[derive(Debug)]
pub(super) struct Layout {
    pub dialect: Dialect,
    pub separator: Option<Separator>,
    /// The header of the number's column, where there are headers.
    pub header: Option<String>,
    /// The number's column, counted from 0.
    pub column: usize,
    /// All headers, where there are any.
    pub headers: Vec<String>,
    /// The cells of the first row that is no header.
    pub example: Vec<String>,
    /// Whether a line `sep=;` stands before all rows, as a spreadsheet understands it.
    pub declared: bool,
}

type Cells = Vec<String>;

pub(super) fn layout(text: &str, options: &Options) -> Result<Layout, IntakeError> {
    let (declared, text) = declared(text).map_or((None, text), |(separator, below)| (Some(separator), below));
    let dialect = match options.format {
        Format::Guess => declared.map_or_else(|| guess_dialect(text), Dialect::Csv),
        Format::List => Dialect::List,
        Format::Csv(separator) => Dialect::Csv(separator),
    };
    let rows = rows(text, dialect);
    let Some((first, below)) = rows.split_first() else { return Err(IntakeError::Empty) };
    let has_header = match (options.header, &options.column) {
        (Header::Present, _) | (Header::Guess, Column::Named(_)) => Header::Present,
        (Header::Absent, _) => Header::Absent,
        (Header::Guess, _) => guess_header(first, below),
    };
    let named = has_header == Header::Present;
    let column = match &options.column {
        Column::Place(place) => at_place(*place, &rows)?,
        Column::Named(name) => by_name(name, first)?,
        Column::Guess => guess_column(first, if named { below } else { &rows }, has_header)?,
    };
    if named && below.is_empty() {
        return Err(IntakeError::HeaderOnly);
    }
    let separator = match dialect {
        Dialect::List => None,
        Dialect::Csv(separator) => Some(separator),
    };
    let header = named.then(|| first.get(column).map_or_else(String::new, |name| name.trim().to_owned()));
    let short = |cell: &String| cell.trim().chars().take(40).collect();
    let headers = if named { first.iter().map(short).collect() } else { Vec::new() };
    let example = if named { below.first() } else { Some(first) };
    let example = example.map(|row| row.iter().map(short).collect()).unwrap_or_default();
    Ok(Layout { dialect, separator, header, column, headers, example, declared: declared.is_some() })
}

/// The separator that the first line names, and the text below it.
fn declared(text: &str) -> Option<(Separator, &str)> {
    let (first, below) = text.split_once('\n')?;
    let named = first.trim_end_matches('\r').trim_matches('"').strip_prefix("sep=")?;
    let separator = Separator::ALL.into_iter().find(|s| named.as_bytes() == [s.byte()])?;
    Some((separator, below))
}

/// The first rows. Reading from memory does not fail; if it did, the rows so far would do.
fn rows(text: &str, dialect: Dialect) -> Vec<Cells> {
    let stream = TextStream::new(text.as_bytes().to_vec(), io::empty(), encoding_rs::UTF_8);
    let mut records = Records::new(stream, dialect);
    let mut rows = Vec::new();
    while rows.len() < ROWS {
        let Ok(Some(record)) = records.next_record(Keep::All) else { break };
        rows.push(record.cells.iter().map(|cell| cell.text()).collect());
    }
    rows
}

/// The separator that cuts most rows into equally many cells; a list where none does.
fn guess_dialect(text: &str) -> Dialect {
    let best = Separator::ALL.iter().map(|s| (consistency(text, *s), *s)).max_by_key(|(score, _)| *score);
    match best {
        Some((score, separator)) if score > (50, 0) => Dialect::Csv(separator),
        // One column, but quoted as only CSV does.
        _ if text.lines().any(|line| line.starts_with('"')) => Dialect::Csv(Separator::Comma),
        _ => Dialect::List,
    }
}

/// Per cent of the rows that have as many cells as most have, and how many; nothing for one cell.
fn consistency(text: &str, separator: Separator) -> (usize, usize) {
    let rows = rows(text, Dialect::Csv(separator));
    // The last row of a sample may be cut off.
    let whole = if rows.len() > 2 { &rows[..rows.len() - 1] } else { &rows[..] };
    if separator == Separator::Comma && whole.iter().all(is_decimal_comma) {
        return (0, 0);
    }
    let mut counts: Vec<usize> = whole.iter().map(Vec::len).collect();
    counts.sort_unstable();
    let usual = counts.chunk_by(|a, b| a == b).max_by_key(|run| (run.len(), run[0]));
    match usual {
        Some(run) if run[0] > 1 => (run.len() * 100 / whole.len(), run[0]),
        _ => (0, 0),
    }
}

/// `4,93E+11` in a list: the comma belongs to the damaged number. A lone word above it is its header.
fn is_decimal_comma(row: &Cells) -> bool {
    let [whole, rest] = &row[..] else { return row.len() == 1 };
    let scientific = rest.contains(['E', 'e']) || (rest.len() <= 2 && rest.bytes().all(|b| b == b'0'));
    let digits = |c: char| c.is_ascii_digit() || matches!(c, 'E' | 'e' | '+');
    scientific && whole.chars().chain(rest.chars()).all(digits)
}

/// A header is a row of words over something else: it names a number column, or it holds no digits
/// where the rows below do.
fn guess_header(first: &Cells, below: &[Cells]) -> Header {
    let digits = |cell: &String| cell.chars().any(|c| c.is_numeric());
    let names = first.iter().any(|cell| rank(cell).is_some());
    let words = first.len() > 1 && below.iter().any(|row| row.iter().any(digits));
    let plain = !first.iter().any(|cell| looks_like_number(cell));
    if plain && (names || (words && !first.iter().any(digits))) { Header::Present } else { Header::Absent }
}

fn at_place(place: usize, rows: &[Cells]) -> Result<usize, IntakeError> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let fits = (1..=columns).contains(&place);
    if fits { Ok(place - 1) } else { Err(IntakeError::NoSuchPlace { place, columns }) }
}

fn by_name(name: &str, header: &Cells) -> Result<usize, IntakeError> {
    let wanted = name.trim().to_lowercase();
    let found = header.iter().position(|cell| cell.trim().to_lowercase() == wanted);
    found.ok_or_else(|| {
        let short = |cell: &String| cell.trim().chars().take(40).collect();
        IntakeError::NoSuchColumn { name: name.to_owned(), columns: header.iter().map(short).collect() }
    })
}

fn guess_column(header: &Cells, rows: &[Cells], has_header: Header) -> Result<usize, IntakeError> {
    if has_header == Header::Present {
        let ranked = header.iter().enumerate().filter_map(|(i, cell)| rank(cell).map(|r| (r, i)));
        if let Some((_, column)) = ranked.min() {
            return Ok(column);
        }
    }
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0).max(header.len());
    if columns == 1 {
        return Ok(0);
    }
    let alike = |column: usize| rows.iter().filter(|row| row.get(column).is_some_and(|c| looks_like_number(c))).count();
    let mut likely = (0..columns).filter(|column| alike(*column) * 2 > rows.len());
    match (likely.next(), likely.next()) {
        (Some(column), None) => Ok(column),
        (Some(first), Some(second)) => Err(IntakeError::AmbiguousColumn { first: first + 1, second: second + 1 }),
        (None, _) => Err(IntakeError::NoNumberColumn),
    }
}

/// Headers of columns with numbers, by their letters.
const EXACT: [&str; 27] = [
    "phonenumber",
    "telephonenumber",
    "telefonnummer",
    "rufnummer",
    "phone",
    "telephone",
    "telefon",
    "tel",
    "téléphone",
    "teléfono",
    "telefono",
    "telefone",
    "телефон",
    "msisdn",
    "mobile",
    "mobil",
    "mobilephone",
    "mobilenumber",
    "handy",
    "handynummer",
    "cell",
    "cellphone",
    "móvil",
    "celular",
    "number",
    "nummer",
    "numero",
];

/// How surely a header names the numbers, 0 the most; by its letters alone.
fn rank(header: &str) -> Option<usize> {
    const PARTS: [&str; 7] = ["phone", "telefon", "rufnummer", "mobil", "handy", "msisdn", "cellular"];
    let letters: String = header.to_lowercase().chars().filter(|c| c.is_alphabetic()).collect();
    if letters.contains("fax") || letters.chars().count() > 40 {
        return None;
    }
    let exact = EXACT.iter().position(|word| *word == letters);
    exact.or_else(|| PARTS.iter().position(|part| letters.contains(part)).map(|i| EXACT.len() + i))
}

/// Whether a header by itself says that numbers stand below it, and nothing else does.
#[must_use]
pub fn names_a_number(header: &str) -> bool {
    rank(header).is_some_and(|rank| rank < EXACT.len())
}

/// At least six digits and nothing else but what is written between them; also what a spreadsheet
/// makes of them, so that a damaged column is found and its rows are refused by name.
fn looks_like_number(cell: &str) -> bool {
    let cell = cell.trim().trim_start_matches(['\'', '=']).trim_matches('"');
    let cell = cell.strip_prefix("tel:").unwrap_or(cell);
    let digits = cell.chars().filter(|c| c.is_numeric()).count();
    let written = |c: char| {
        c.is_numeric() || c.is_whitespace() || matches!(c, '+' | '-' | '.' | '/' | '(' | ')' | '\u{2010}'..='\u{2015}')
    };
    let scientific = cell.split_once(['E', 'e']).is_some_and(|(a, b)| {
        let part = |text: &str| text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '+'));
        part(a) && part(b) && !b.is_empty() && digits >= 3
    });
    scientific || ((6..=18).contains(&digits) && cell.chars().all(written) && !is_date(cell))
}

/// `2026-03-01`, `01.03.2026`, `3/1/2026`, with or without a time.
fn is_date(cell: &str) -> bool {
    let date = cell.split_whitespace().next().unwrap_or_default();
    let parts: Vec<&str> = date.split(['-', '.', '/']).collect();
    let [a, b, c] = parts[..] else { return false };
    let small = |part: &str| (1..=2).contains(&part.len());
    small(b) && ((a.len() == 4 && small(c)) || (small(a) && matches!(c.len(), 2 | 4)))
}
