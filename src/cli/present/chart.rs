//! Charts as SVG: columns of what was answered within what was dialled.

use std::path::Path;

use plotters::prelude::*;

use super::super::failure::{Failure, Result};
use crate::exit::Exit;

/// A column of a chart.
pub struct Column {
    /// What stands below it.
    pub label: String,
    /// Its height.
    pub whole: u64,
    /// How much of it is filled.
    pub part: u64,
}

const WIDTH: u32 = 960;
const HEIGHT: u32 = 420;
const WHOLE: RGBColor = RGBColor(178, 190, 205);
const PART: RGBColor = RGBColor(37, 99, 160);
/// The most labels that can be read below each other's side.
const LABELS_MAX: usize = 32;

/// Draws columns; `legend` names the whole and the part.
pub fn columns(title: &str, legend: (&str, &str), columns: &[Column]) -> Result<String> {
    let mut svg = String::new();
    draw(&mut svg, title, legend, columns).map_err(|problem| {
        Failure::new(Exit::Software, format!("cannot draw the chart: {problem}"), "please report this")
    })?;
    Ok(svg)
}

/// Writes a chart to a file, and says so on stderr.
pub fn write(path: &Path, svg: &str) -> Result<()> {
    std::fs::write(path, svg).map_err(|error| {
        let what = format!("cannot write `{}`: {error}", path.display());
        Failure::new(Exit::IoErr, what, "name a file that this user may write")
    })?;
    eprintln!("campanile: the chart is in {}", path.display());
    Ok(())
}

type Drawn = std::result::Result<(), Box<dyn std::error::Error>>;

fn draw(svg: &mut String, title: &str, (whole, part): (&str, &str), columns: &[Column]) -> Drawn {
    let area = SVGBackend::with_string(svg, (WIDTH, HEIGHT)).into_drawing_area();
    area.fill(&WHITE)?;
    let top = columns.iter().map(|column| column.whole).max().unwrap_or(0).max(1);
    // Segments count their end in.
    let last = columns.len().saturating_sub(1);
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(56)
        .build_cartesian_2d((0..last).into_segmented(), 0..top + top / 10 + 1)?;
    let label = |place: &SegmentValue<usize>| match place {
        SegmentValue::CenterOf(at) => columns.get(*at).map(|column| column.label.clone()).unwrap_or_default(),
        _ => String::new(),
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels((last + 1).min(LABELS_MAX))
        .x_label_formatter(&label)
        .draw()?;
    for (name, color, height) in
        [(whole, WHOLE, (|column: &Column| column.whole) as fn(&Column) -> u64), (part, PART, |column| column.part)]
    {
        let bar = |(at, column): (usize, &Column)| {
            let corners = [(SegmentValue::Exact(at), 0), (SegmentValue::Exact(at + 1), height(column))];
            let mut bar = Rectangle::new(corners, color.filled());
            bar.set_margin(0, 0, 6, 6);
            bar
        };
        chart
            .draw_series(columns.iter().enumerate().map(bar))?
            .label(name)
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 12, y + 5)], color.filled()));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.2))
        .draw()?;
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_its_title_its_labels_and_a_rectangle_for_each_column() {
        let column = |label: &str, whole, part| Column { label: label.to_owned(), whole, part };
        let svg =
            columns("Calls <by> hour", ("dialled", "answered"), &[column("09", 4, 1), column("10", 2, 2)]).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        for text in ["Calls &lt;by&gt; hour", "dialled", "answered", "\n09\n", "\n10\n"] {
            assert!(svg.contains(text), "{text} is not in {svg}");
        }
        assert!(svg.matches("<rect").count() >= 1 + 2 * 2 + 2, "{svg}");
        assert!(columns("Nothing", ("dialled", "answered"), &[]).is_ok());
    }
}
