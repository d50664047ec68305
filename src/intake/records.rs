//! Text to records: the `csv-core` state machine, driven so that memory stays bounded.

use std::io;

use csv_core::{ReadFieldResult, Reader, ReaderBuilder};

use super::charset::TextStream;
use super::{CELL_MAX, ROW_LINES_MAX, RowRefusal, Separator};

/// How records are cut into cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// One cell a line.
    List,
    /// Cells between separators, with double quotes (RFC 4180).
    Csv(Separator),
}

/// The most cells of a record that can be kept.
const CELLS_MAX: usize = 256;

/// Which cells of a record are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// The first 256.
    All,
    /// This one, counted from 0.
    Only(usize),
    /// These.
    These(Places),
}

/// Places of cells, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Places([u64; CELLS_MAX / 64]);

impl Places {
    /// Those of `places` that can be kept.
    pub(super) fn of(places: &[usize]) -> Self {
        let mut bits = [0; CELLS_MAX / 64];
        for place in places.iter().filter(|place| **place < CELLS_MAX) {
            bits[place / 64] |= 1 << (place % 64);
        }
        Self(bits)
    }

    fn has(self, place: usize) -> bool {
        place < CELLS_MAX && self.0[place / 64] >> (place % 64) & 1 == 1
    }

    /// How many of them stand before `place`.
    fn before(self, place: usize) -> usize {
        (0..place.min(CELLS_MAX)).filter(|p| self.has(*p)).count()
    }
}

impl Keep {
    fn wants(self, place: usize) -> bool {
        match self {
            Self::All => place < CELLS_MAX,
            Self::Only(wanted) => place == wanted,
            Self::These(places) => places.has(place),
        }
    }
}

/// A cell as far as it was kept.
#[derive(Debug, Default, Clone)]
pub(super) struct Cell {
    bytes: Vec<u8>,
    cut: bool,
}

impl Cell {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    fn into_text(self) -> Result<String, RowRefusal> {
        if self.cut {
            return Err(RowRefusal::TooLong);
        }
        if self.bytes.contains(&0) {
            return Err(RowRefusal::Nul);
        }
        let text = String::from_utf8(self.bytes).map_err(|_| RowRefusal::NotInCharset)?;
        if text.contains(char::REPLACEMENT_CHARACTER) { Err(RowRefusal::NotInCharset) } else { Ok(text) }
    }
}

/// A record with the cells that were asked for, each at its place (from the first that was kept).
#[derive(Debug)]
pub(super) struct Record {
    /// The line on which it begins.
    pub line: u64,
    /// The line on which it ends.
    last_line: u64,
    /// Its cells in all.
    pub columns: usize,
    /// The cells that were kept, in order.
    pub cells: Vec<Cell>,
    ending: Ending,
    blank: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Ending {
    Line,
    OpenQuote,
}

impl Record {
    /// The text of the one cell that was kept, which stands at `place`.
    pub(super) fn into_text(self, place: usize) -> Result<String, RowRefusal> {
        self.refuse_open_quote()?;
        let missing = RowRefusal::MissingColumn { columns: self.columns };
        let cell = self.cells.into_iter().next().filter(|_| place < self.columns).ok_or(missing)?;
        cell.into_text()
    }

    /// The texts of the cells at `places`, which are those that were kept; empty where the row is shorter.
    pub(super) fn into_texts(self, places: &[usize]) -> Result<Vec<Result<String, RowRefusal>>, RowRefusal> {
        self.refuse_open_quote()?;
        let kept = Places::of(places);
        let text = |place: &usize| {
            let cell = self.cells.get(kept.before(*place)).filter(|_| *place < self.columns);
            cell.map_or_else(|| Ok(String::new()), |cell| cell.clone().into_text())
        };
        Ok(places.iter().map(text).collect())
    }

    fn refuse_open_quote(&self) -> Result<(), RowRefusal> {
        let lines = self.last_line.saturating_sub(self.line);
        let open = lines > ROW_LINES_MAX || self.ending == Ending::OpenQuote;
        if open { Err(RowRefusal::OpenQuote { until_line: self.last_line }) } else { Ok(()) }
    }

    /// Why this is no header: rows went into it, because a quote in it was not closed in time. A real
    /// header may be broken over a few lines, but none of them has a number.
    pub(super) fn swallowed_rows(&self) -> Option<RowRefusal> {
        const HEADER_LINES_MAX: u64 = 10;
        let number = |line: &str| line.bytes().filter(u8::is_ascii_digit).count() >= 6;
        let numbers = || self.cells.iter().any(|cell| cell.text().lines().skip(1).any(number));
        let lines = self.last_line.saturating_sub(self.line);
        let swallowed = self.ending == Ending::OpenQuote || lines >= HEADER_LINES_MAX || numbers();
        swallowed.then_some(RowRefusal::OpenQuote { until_line: self.last_line })
    }

    /// Blank, or a comment in a list.
    fn is_skipped(&self, dialect: Dialect) -> bool {
        let comment = || self.cells.first().is_some_and(|cell| is_comment(&cell.bytes));
        self.blank || (dialect == Dialect::List && comment())
    }
}

/// A `#` at the start, unless the line could be a code such as `#31#` or what a spreadsheet shows for a
/// narrow column: those have nothing but digits, `*` and `#`, and more than the one `#`.
fn is_comment(line: &[u8]) -> bool {
    let Some(rest) = line.trim_ascii().strip_prefix(b"#") else { return false };
    let code = rest.iter().all(|b| b.is_ascii_digit() || matches!(b, b'*' | b'#'));
    !(code && rest.iter().any(|b| matches!(b, b'*' | b'#')))
}

/// The records of a text.
pub(super) struct Records {
    text: TextStream,
    dialect: Dialect,
    reader: Reader,
    piece: Vec<u8>,
    piece_at: usize,
    lines: LineCount,
    last_byte: u8,
}

/// Counts line ends in each of their three forms.
struct LineCount {
    line: u64,
    after_cr: bool,
}

impl LineCount {
    fn pass(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let ends = *byte == b'\r' || (*byte == b'\n' && !self.after_cr);
            self.line += u64::from(ends);
            self.after_cr = *byte == b'\r';
        }
    }
}

impl Records {
    pub(super) fn new(text: TextStream, dialect: Dialect) -> Self {
        let mut builder = ReaderBuilder::new();
        match dialect {
            // No byte of UTF-8 is 0xFF, so nothing separates cells.
            Dialect::List => builder.delimiter(0xff).quoting(false),
            Dialect::Csv(separator) => builder.delimiter(separator.byte()),
        };
        Self {
            text,
            dialect,
            reader: builder.build(),
            piece: Vec::new(),
            piece_at: 0,
            lines: LineCount { line: 1, after_cr: false },
            last_byte: 0,
        }
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.text.bytes_read()
    }

    /// The next record that is not to be skipped.
    pub(super) fn next_record(&mut self, keep: Keep) -> io::Result<Option<Record>> {
        while let Some(record) = self.read_record(keep)? {
            if !record.is_skipped(self.dialect) {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    fn read_record(&mut self, keep: Keep) -> io::Result<Option<Record>> {
        if !self.skip_line_ends()? {
            return Ok(None);
        }
        let line = self.lines.line;
        let mut record =
            Record { line, last_line: line, columns: 0, cells: Vec::new(), ending: Ending::Line, blank: true };
        let mut cell = Cell::default();
        let mut output = [0; CELL_MAX];
        loop {
            self.fill_if_empty()?;
            let input = &self.piece[self.piece_at..];
            let at_end = input.is_empty();
            let (result, read, written) = self.reader.read_field(input, &mut output);
            self.pass(read, &mut record);
            record.blank &= output[..written].trim_ascii().is_empty();
            if keep.wants(record.columns) {
                cell.append(&output[..written]);
            }
            if let ReadFieldResult::Field { .. } | ReadFieldResult::End = result {
                if keep.wants(record.columns) {
                    record.cells.push(std::mem::take(&mut cell));
                }
                record.columns += 1;
            }
            match result {
                ReadFieldResult::Field { record_end: true } | ReadFieldResult::End => {
                    let several_lines = record.last_line > record.line;
                    if at_end && several_lines && self.last_byte != b'"' {
                        record.ending = Ending::OpenQuote;
                    }
                    return Ok(Some(record));
                }
                ReadFieldResult::Field { record_end: false }
                | ReadFieldResult::InputEmpty
                | ReadFieldResult::OutputFull => {}
            }
        }
    }

    /// Moves on by `read` bytes. A line end that ends the record is not part of it.
    fn pass(&mut self, read: usize, record: &mut Record) {
        let bytes = &self.piece[self.piece_at..self.piece_at + read];
        if let Some((last, before)) = bytes.split_last() {
            self.lines.pass(before);
            record.last_line = self.lines.line;
            self.lines.pass(&[*last]);
            self.last_byte = *last;
        }
        self.piece_at += read;
    }

    /// Skips to the first byte of a record; says whether there is one.
    fn skip_line_ends(&mut self) -> io::Result<bool> {
        loop {
            self.fill_if_empty()?;
            let Some(byte) = self.piece.get(self.piece_at) else { return Ok(false) };
            if !matches!(byte, b'\r' | b'\n') {
                return Ok(true);
            }
            self.lines.pass(&[*byte]);
            self.piece_at += 1;
        }
    }

    fn fill_if_empty(&mut self) -> io::Result<()> {
        if self.piece_at == self.piece.len() {
            self.text.fill(&mut self.piece)?;
            self.piece_at = 0;
        }
        Ok(())
    }
}

impl Cell {
    fn append(&mut self, bytes: &[u8]) {
        let room = CELL_MAX - self.bytes.len();
        self.cut |= bytes.len() > room;
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}
