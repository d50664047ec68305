//! Numbers files as a stream of rows, whatever program wrote them.
//!
//! [`open`] looks at the first 64 KiB to find the charset, the separator, the header and the column
//! with the numbers; each can be given instead. Then rows come one at a time. Memory is bounded
//! whatever the file holds: of each row only the number's cell is kept, and no more than [`CELL_MAX`]
//! bytes of it. What is wrong with the file as a whole is an [`IntakeError`] with its mend; what is
//! wrong with a row refuses that row, with its line, and the next one follows.
//!
//! A first line `sep=;`, by which spreadsheets name the separator to each other, is no row. In a plain list
//! (one number a line), blank lines are skipped, and so are comments: lines that begin
//! with `#`, unless they could be a code such as `#31#`. In CSV, rows whose cells are all blank are skipped.

mod charset;
mod error;
pub mod holidays;
mod records;
mod sniff;

pub use error::{IntakeError, RowError, RowRefusal};
pub use sniff::names_a_number;

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use charset::TextStream;
use records::{Keep, Places, Record, Records};

/// How much of a file is looked at before the first row is read.
const SAMPLE_BYTES: usize = 64 * 1024;

/// The most bytes of a number's cell that are kept; a longer one refuses its row.
pub const CELL_MAX: usize = 1024;

/// The most lines that quoted cells may spread one row over. More means a quote that nobody closed,
/// which would swallow the rows after it.
pub const ROW_LINES_MAX: u64 = 100;

/// A character between cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// TAB
    Tab,
    /// `|`
    Bar,
}

impl Separator {
    /// All of them, in the order in which they are tried.
    pub const ALL: [Self; 4] = [Self::Semicolon, Self::Tab, Self::Bar, Self::Comma];

    fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Bar => b'|',
        }
    }
}

impl fmt::Display for Separator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Comma => "comma",
            Self::Semicolon => "semicolon",
            Self::Tab => "tab",
            Self::Bar => "bar",
        })
    }
}

/// What lies in the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// Found out from the first rows.
    #[default]
    Guess,
    /// One number a line.
    List,
    /// Cells between separators.
    Csv(Separator),
}

/// Whether the first row names the columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Header {
    /// Found out from the first rows.
    #[default]
    Guess,
    /// It does.
    Present,
    /// It is a row like any other.
    Absent,
}

/// Where the number stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Column {
    /// Found out from the header, else from what the cells look like.
    #[default]
    Guess,
    /// Under this header.
    Named(String),
    /// In this column, counted from 1.
    Place(usize),
}

/// What is known of a file beforehand. The default finds everything out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// A charset by its name in the WHATWG Encoding Standard, such as `windows-1252`; `None` finds it out.
    pub charset: Option<String>,
    /// List or CSV.
    pub format: Format,
    /// Header or not.
    pub header: Header,
    /// Which column.
    pub column: Column,
}

/// What was found out about a file, for the import's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The charset, by its standard name.
    pub charset: &'static str,
    /// `None` for a plain list.
    pub separator: Option<Separator>,
    /// The header of the number's column, where the file has headers.
    pub header: Option<String>,
    /// The number's column, counted from 1.
    pub column: usize,
    /// All headers, where the file has any; each cut to 40 characters.
    pub headers: Vec<String>,
    /// The cells of the first row below the header; each cut to 40 characters.
    pub example: Vec<String>,
}

/// `UTF-8, semicolon, column 2 (Telefon)`; the result of an import shows it.
impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.separator {
            None => write!(f, "{}, one number a line", self.charset)?,
            Some(separator) => write!(f, "{}, separated by {separator}, column {}", self.charset, self.column)?,
        }
        match &self.header {
            Some(header) => write!(f, " (header {header:?})"),
            None => f.write_str(" (no header)"),
        }
    }
}

/// A row: the text in the number's place, as written.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// The line on which the row begins, counted from 1.
    pub line: u64,
    /// The cell, with its blanks.
    pub text: String,
}

/// A row names a person.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("line", &self.line).field("text", &"…").finish()
    }
}

/// A row: the texts in the places that were asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct Cells {
    /// The line on which the row begins, counted from 1.
    pub line: u64,
    /// Each cell with its blanks, empty where the row is shorter; or why it gives no text.
    pub texts: Vec<Result<String, RowRefusal>>,
}

/// A row names a person.
impl fmt::Debug for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cells").field("line", &self.line).field("texts", &self.texts.len()).finish()
    }
}

/// A file being read, row by row.
pub struct Intake {
    records: Records,
    description: Description,
    bytes_total: Option<u64>,
    progress: Progress,
}

#[derive(PartialEq, Eq)]
enum Progress {
    BeforeHeader,
    Rows,
    Ended,
}

/// Opens a numbers file.
pub fn open(path: &Path, options: &Options) -> Result<Intake, IntakeError> {
    let failed = |source| IntakeError::Open { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(IntakeError::Directory { path: path.to_owned() });
    }
    let mut intake = from_reader(file, options)?;
    intake.bytes_total = metadata.is_file().then_some(metadata.len());
    Ok(intake)
}

/// Reads numbers from any source, such as standard input.
pub fn from_reader(source: impl Read + Send + 'static, options: &Options) -> Result<Intake, IntakeError> {
    let (sample, rest) = charset::sample(source, SAMPLE_BYTES).map_err(IntakeError::Read)?;
    charset::refuse_foreign(&sample)?;
    let encoding = charset::find(&sample, options.charset.as_deref())?;
    let layout = sniff::layout(&charset::decode(&sample, encoding), options)?;
    let mut records = Records::new(TextStream::new(sample, rest, encoding), layout.dialect);
    if layout.declared {
        records.next_record(Keep::Only(0)).map_err(IntakeError::Read)?;
    }
    let description = Description {
        charset: encoding.name(),
        separator: layout.separator,
        header: layout.header,
        column: layout.column + 1,
        headers: layout.headers,
        example: layout.example,
    };
    let progress = if description.header.is_some() { Progress::BeforeHeader } else { Progress::Rows };
    Ok(Intake { records, description, bytes_total: None, progress })
}

impl Intake {
    /// What was found out about the file.
    #[must_use]
    pub fn describe(&self) -> &Description {
        &self.description
    }

    /// Bytes of the file that were read so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.records.bytes_read()
    }

    /// Whether no row is left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.progress == Progress::Ended
    }

    /// Bytes of the file; `None` where nobody knows, as for a pipe.
    #[must_use]
    pub fn bytes_total(&self) -> Option<u64> {
        self.bytes_total
    }

    /// As the iterator, of several columns, counted from 0. No more than the first 256 have texts.
    pub fn next_cells(&mut self, places: &[usize]) -> Option<Result<Cells, RowError>> {
        let record = match self.next_record(Keep::These(Places::of(places)))? {
            Ok(record) => record,
            Err(error) => return Some(Err(error)),
        };
        let line = record.line;
        let cells = record.into_texts(places).map(|texts| Cells { line, texts });
        Some(cells.map_err(|why| RowError::Refused { line, why }))
    }

    /// The next record below the header.
    fn next_record(&mut self, keep: Keep) -> Option<Result<Record, RowError>> {
        while self.progress != Progress::Ended {
            let record = match self.records.next_record(keep) {
                Ok(Some(record)) => record,
                Ok(None) => break,
                Err(error) => {
                    self.progress = Progress::Ended;
                    return Some(Err(RowError::Unreadable(error)));
                }
            };
            if self.progress == Progress::Rows {
                return Some(Ok(record));
            }
            self.progress = Progress::Rows;
            if let Some(why) = record.swallowed_rows() {
                return Some(Err(RowError::Refused { line: record.line, why }));
            }
        }
        self.progress = Progress::Ended;
        None
    }
}

impl Iterator for Intake {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let place = self.description.column - 1;
        let record = match self.next_record(Keep::Only(place))? {
            Ok(record) => record,
            Err(error) => return Some(Err(error)),
        };
        let line = record.line;
        let row = record.into_text(place).map(|text| Row { line, text });
        Some(row.map_err(|why| RowError::Refused { line, why }))
    }
}

#[cfg(test)]
mod tests;
