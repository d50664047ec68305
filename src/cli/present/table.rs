//! Aligned columns, as wide as their widest cell.

use std::io::Write;

use super::super::failure::Result;

/// Writes a heading and rows; every row has as many cells as the heading.
pub fn write(out: &mut dyn Write, heading: &[&str], rows: &[Vec<String>]) -> Result<()> {
    let heading: Vec<String> = heading.iter().map(|title| title.to_uppercase()).collect();
    let widths = widths(&heading, rows);
    for row in std::iter::once(&heading).chain(rows) {
        writeln!(out, "{}", line(row, &widths))?;
    }
    Ok(())
}

fn widths(heading: &[String], rows: &[Vec<String>]) -> Vec<usize> {
    let widest = |i: usize| {
        let cells = std::iter::once(heading).chain(rows.iter().map(Vec::as_slice)).filter_map(|row| row.get(i));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    (0..heading.len()).map(widest).collect()
}

fn line(row: &[String], widths: &[usize]) -> String {
    let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut out = Vec::new();
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        write(&mut out, &["name", "state"], &[row(["a", "running"]), row(["spring", "-"])]).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "NAME    STATE\na       running\nspring  -\n");
    }
}
