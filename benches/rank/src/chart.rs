//! The chart: a line for each question, from ten thousand items to ten million. Both axes
//! are logarithmic.

use std::fs;
use std::path::Path;

use plotters::prelude::*;
use tidal_bench_measure::{Result, at, decades, power};

use crate::growth::{Point, QUESTIONS};

const SIZE: (u32, u32) = (1000, 460);

/// Colours that can be told apart by who sees red and green alike.
const COLOURS: [RGBColor; 4] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0x99, 0x99, 0x99),
];

pub(crate) fn draw(path: &Path, points: &[Point]) -> Result<()> {
    Ok(fs::write(path, svg(points)?).map_err(|error| at(path, &error))?)
}

/// A name, and a time in microseconds for each number of items.
type Line = (&'static str, Vec<(f64, f64)>);

fn lines(points: &[Point]) -> Vec<Line> {
    let line = |name, micros: &dyn Fn(&Point) -> f64| {
        (name, points.iter().map(|point| (point.items as f64, micros(point))).collect())
    };
    let mut lines: Vec<Line> = QUESTIONS
        .iter()
        .enumerate()
        .map(|(number, question)| {
            line(question.title(), &|point| point.micros.get(number).copied().unwrap_or(f64::NAN))
        })
        .collect();
    lines.push(line("three signals, every item read", &|point| point.everyone));
    lines
}

fn svg(points: &[Point]) -> Result<String> {
    let lines = lines(points);
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let of =
            |number: fn(&(f64, f64)) -> f64| lines.iter().flat_map(|(_, line)| line).map(number);
        let (items, micros) = (decades(of(|point| point.0)), decades(of(|point| point.1)));
        let mut chart = ChartBuilder::on(&area)
            .caption("microseconds for the first 100, by the number of items", ("sans-serif", 18))
            .margin(16)
            .y_label_area_size(64)
            .x_label_area_size(36)
            .build_cartesian_2d(items.log_scale(), micros.log_scale())?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_label_formatter(&|items| power(*items))
            .y_label_formatter(&|micros| power(*micros))
            .label_style(("sans-serif", 13))
            .draw()?;
        for ((name, line), colour) in lines.into_iter().zip(COLOURS) {
            let style = colour.stroke_width(2);
            chart
                .draw_series(LineSeries::new(line, style).point_size(4))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.9))
            .border_style(BLACK.mix(0.3))
            .label_font(("sans-serif", 13))
            .draw()?;
        area.present()?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chart_names_each_question() {
        let point = |items, micros| Point { items, micros, ..Point::default() };
        let points = [point(10_000, [5.0, 60.0, 70.0]), point(100_000, [6.0, 80.0, 90.0])];
        let text = svg(&points).unwrap();
        assert!(text.starts_with("<svg") && text.ends_with("</svg>\n"));
        for (name, _) in lines(&points) {
            assert!(text.contains(name), "{name}");
        }
        for label in ["10 k", "100 k", "100"] {
            assert!(text.contains(label), "{label}");
        }
    }
}
