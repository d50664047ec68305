//! What can be wrong with a file, and with a row of it.

use std::io;
use std::path::PathBuf;

use super::{CELL_MAX, ROW_LINES_MAX};

/// Why a file cannot be read as a list of numbers.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// It cannot be opened.
    #[error("open `{path}`")]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is a folder.
    #[error("`{path}` is a folder; name the file with the numbers in it")]
    Directory {
        /// Which.
        path: PathBuf,
    },
    /// Reading failed.
    #[error("read the numbers")]
    Read(#[source] io::Error),
    /// It holds nothing.
    #[error("the file is empty; was it exported completely?")]
    Empty,
    /// It holds a header and nothing else.
    #[error("the file has a header and no rows; was it exported completely?")]
    HeaderOnly,
    /// It is no text.
    #[error("this is {what}, not a text file; {mend}")]
    NotText {
        /// What it is.
        what: &'static str,
        /// What to do.
        mend: &'static str,
    },
    /// No charset has that name.
    #[error("`{name}` is no charset; write a name such as utf-8, utf-16le or windows-1252")]
    UnknownCharset {
        /// The name, cut to 40 characters.
        name: String,
    },
    /// No column has that header.
    #[error("no column is called `{name}`; the columns are: {}", columns.join(", "))]
    NoSuchColumn {
        /// What was asked for.
        name: String,
        /// What there is.
        columns: Vec<String>,
    },
    /// Columns are counted from 1.
    #[error("there is no column {place}; the file has {columns}, counted from 1")]
    NoSuchPlace {
        /// What was asked for.
        place: usize,
        /// How many there are.
        columns: usize,
    },
    /// Nothing looks like a number.
    #[error("no column looks like telephone numbers; name the column, by its header or its place from 1")]
    NoNumberColumn,
    /// More than one column could be the numbers, and the wrong one would call strangers.
    #[error(
        "columns {first} and {second} both look like telephone numbers; name the right one, by its header or its place from 1"
    )]
    AmbiguousColumn {
        /// One, counted from 1.
        first: usize,
        /// The other.
        second: usize,
    },
}

/// Why a row gives no text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowRefusal {
    /// The cell is longer than any number.
    #[error("the cell has more than {CELL_MAX} bytes; is the column right, and does the file have line ends?")]
    TooLong,
    /// The cell has bytes that its charset does not.
    #[error("the cell has bytes that are no text in the file's charset; name the charset, or save the file as UTF-8")]
    NotInCharset,
    /// The cell has a NUL byte.
    #[error("the cell has a NUL byte; save the file as text again")]
    Nul,
    /// The row ends before the number's column.
    #[error("the row has only {columns} columns; does a cell hold the separator without quotes?")]
    MissingColumn {
        /// How many it has.
        columns: usize,
    },
    /// A quote that was never closed, or much too late.
    #[error(
        "a quote opened here runs on to line {until_line} (more than {ROW_LINES_MAX} lines, over the numbers below a header, or to the end of the file); close it"
    )]
    OpenQuote {
        /// Where the row ends.
        until_line: u64,
    },
}

/// A row that was refused, or the end of all reading.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// This row gives no text; the next one may.
    #[error("line {line}: {why}")]
    Refused {
        /// The line on which it begins, counted from 1.
        line: u64,
        /// Why.
        why: RowRefusal,
    },
    /// Reading failed; no row follows.
    #[error("read the numbers")]
    Unreadable(#[source] io::Error),
}
