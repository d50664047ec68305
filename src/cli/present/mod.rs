//! How answers look: JSON with stable names, aligned columns for people.

pub mod chart;
pub mod table;

use std::io::Write;

use serde::{Serialize, Serializer};

use super::failure::Result;
use crate::domain::instant::UtcMs;

/// An instant in JSON: RFC 3339 in UTC with milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Moment(pub UtcMs);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// An instant that may be absent: `null` then.
pub fn moment(at: Option<UtcMs>) -> Option<Moment> {
    at.map(Moment)
}

/// One document, indented, with a line end.
pub fn json_document<T: Serialize>(out: &mut dyn Write, document: &T) -> Result<()> {
    serde_json::to_writer_pretty(&mut *out, document)?;
    Ok(writeln!(out)?)
}

/// One document on one line.
pub fn json_line<T: Serialize>(out: &mut dyn Write, document: &T) -> Result<()> {
    serde_json::to_writer(&mut *out, document)?;
    Ok(writeln!(out)?)
}

/// A JSON array that is written row by row, so that a long answer needs no memory.
#[derive(Default)]
pub struct JsonArray {
    rows: u64,
}

impl JsonArray {
    /// Writes the next row.
    pub fn row<T: Serialize>(&mut self, out: &mut dyn Write, row: &T) -> Result<()> {
        out.write_all(if self.rows == 0 { b"[\n" } else { b",\n" })?;
        self.rows += 1;
        Ok(serde_json::to_writer(out, row)?)
    }

    /// Closes the array.
    pub fn end(self, out: &mut dyn Write) -> Result<()> {
        Ok(out.write_all(if self.rows == 0 { b"[]\n" } else { b"\n]\n" })?)
    }
}

/// A cap for people: its number, or that there is none.
pub fn cap(cap: Option<u32>) -> String {
    cap.map_or_else(|| "no cap".to_owned(), |n| n.to_string())
}

/// Channels for people: `3 in use of 10`, `3 in use, no cap`.
pub fn in_use(open: u32, cap: Option<u32>) -> String {
    cap.map_or_else(|| format!("{open} in use, no cap"), |cap| format!("{open} in use of {cap}"))
}

/// What may be absent, for people: `-` then.
pub fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |v| v.to_string())
}

/// `1 call`, `2 calls`.
pub fn counted(n: u64, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}
