//! Reading typed values out of rows: a stored text that is not of its kind is an error, never a guess.

use std::fmt::Display;
use std::str::FromStr;

use rusqlite::Row;

use super::{LedgerError, Result};
use crate::domain::instant::UtcMs;
use crate::domain::number::Number;

/// A column parsed from its text.
pub(super) fn parsed<T>(row: &Row<'_>, column: &'static str) -> Result<T>
where
    T: FromStr,
    T::Err: Display,
{
    let text: String = row.get(column)?;
    text.parse().map_err(|problem| LedgerError::corrupt(column, problem))
}

/// A column that may be NULL, parsed from its text.
pub(super) fn parsed_or_null<T>(row: &Row<'_>, column: &'static str) -> Result<Option<T>>
where
    T: FromStr,
    T::Err: Display,
{
    let text: Option<String> = row.get(column)?;
    text.map(|t| t.parse().map_err(|problem| LedgerError::corrupt(column, problem))).transpose()
}

/// A telephone number.
pub(super) fn number(row: &Row<'_>, column: &'static str) -> Result<Number> {
    let text: String = row.get(column)?;
    Number::from_canonical(&text).ok_or_else(|| LedgerError::corrupt(column, "a text that is no number"))
}

/// An instant.
pub(super) fn instant(row: &Row<'_>, column: &'static str) -> Result<UtcMs> {
    Ok(UtcMs(row.get(column)?))
}

/// An instant that may be NULL.
pub(super) fn instant_or_null(row: &Row<'_>, column: &'static str) -> Result<Option<UtcMs>> {
    let ms: Option<i64> = row.get(column)?;
    Ok(ms.map(UtcMs))
}

/// Collects rows that are read by a fallible function of ours.
pub(super) fn collect<T>(mut rows: rusqlite::Rows<'_>, read: impl Fn(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// The one row of a query, or `None`.
pub(super) fn first<T>(mut rows: rusqlite::Rows<'_>, read: impl Fn(&Row<'_>) -> Result<T>) -> Result<Option<T>> {
    rows.next()?.map(read).transpose()
}
