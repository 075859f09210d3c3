//! The charts: each figure by the number of items, and by the number of cores, a line for
//! each system.

use std::fs;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use tidal_bench_measure::{Result, at, decades, power};

use crate::data::DataSet;
use crate::figure::Figure;
use crate::report::Findings;
use crate::system::Kind;

/// What is drawn, a panel each.
const PANELS: [Figure; 12] = Figure::ALL;
const COLUMNS: usize = 3;
const PANEL: (u32, u32) = (460, 300);
const LEGEND_HEIGHT: u32 = 40;

const COLOURS: [RGBColor; Kind::ALL.len()] = [
    RGBColor(0x00, 0x5a, 0x9c),
    RGBColor(0xd6, 0x27, 0x28),
    RGBColor(0xff, 0x98, 0x96),
    RGBColor(0x33, 0x66, 0x33),
    RGBColor(0x8c, 0x56, 0x4b),
    RGBColor(0xe3, 0x9a, 0x00),
    RGBColor(0x94, 0x67, 0xbd),
];

/// What grows along the charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Along {
    Items,
    /// One core and two, of this data set.
    Cores(DataSet),
}

/// What was measured of a figure and a system: by the number of items or cores.
type Line = Vec<(f64, f64)>;

fn line(findings: &Findings, figure: Figure, system: Kind, along: Along) -> Line {
    let mut line: Line = findings
        .rows
        .iter()
        .filter(|row| row.system == system)
        .filter_map(|row| match (along, row.set, row.cores) {
            (Along::Items, DataSet::Generated(items), None) => Some((items as f64, row)),
            (Along::Cores(set), of, cores) if set == of => {
                Some((cores.unwrap_or(findings.cores) as f64, row))
            }
            _ => None,
        })
        .map(|(place, row)| (place, figure.of(row).median()))
        .filter(|(_, value)| value.is_finite())
        .collect();
    line.sort_by(|a, b| a.0.total_cmp(&b.0));
    line
}

/// Draws a chart into a file.
///
/// # Errors
///
/// The file cannot be written.
pub(crate) fn draw(path: &Path, findings: &Findings, along: Along) -> Result<()> {
    Ok(fs::write(path, svg(findings, along)?).map_err(|error| at(path, &error))?)
}

fn svg(findings: &Findings, along: Along) -> Result<String> {
    let rows = PANELS.len().div_ceil(COLUMNS);
    let size = (PANEL.0 * COLUMNS as u32, PANEL.1 * rows as u32 + LEGEND_HEIGHT);
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        area.fill(&WHITE)?;
        let (head, body) = area.split_vertically(LEGEND_HEIGHT);
        legend(&head)?;
        for (panel, figure) in body.split_evenly((rows, COLUMNS)).iter().zip(PANELS) {
            let lines = Kind::ALL.map(|system| line(findings, figure, system, along));
            draw_panel(panel, &figure.title(), &lines, along)?;
        }
        area.present()?;
    }
    Ok(text)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn legend(area: &Area<'_>) -> Result<()> {
    let style = ("sans-serif", 14);
    for (number, (system, colour)) in (0..).zip(Kind::ALL.into_iter().zip(COLOURS)) {
        let x = 24 + 190 * number;
        area.draw(&PathElement::new([(x, 20), (x + 24, 20)], colour.stroke_width(3)))?;
        area.draw(&Text::new(system.name(), (x + 32, 13), style))?;
    }
    Ok(())
}

fn draw_panel(area: &Area<'_>, title: &str, lines: &[Line], along: Along) -> Result<()> {
    let all = || lines.iter().flatten();
    let values = decades(all().map(|point| point.1));
    let places = match along {
        Along::Items => decades(all().map(|point| point.0)),
        Along::Cores(_) => 0.9..2.2,
    };
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 15))
        .margin(12)
        .y_label_area_size(58)
        .x_label_area_size(30)
        .build_cartesian_2d(places.log_scale(), values.log_scale())?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_label_formatter(&|place| power(*place))
        .y_label_formatter(&|value| power(*value))
        .x_desc(if along == Along::Items { "items" } else { "cores" })
        .label_style(("sans-serif", 12))
        .draw()?;
    // tidalDB last, above all others.
    for (line, colour) in lines.iter().zip(COLOURS).rev() {
        let style = colour.stroke_width(2);
        chart.draw_series(LineSeries::new(line.clone(), style).point_size(3))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_and_figure_is_in_the_chart() {
        let text = svg(&Findings::example(), Along::Items).unwrap();
        assert!(text.starts_with("<svg") && text.ends_with("</svg>\n"));
        for system in Kind::ALL {
            assert!(text.contains(system.name()), "{}", system.name());
        }
        for figure in PANELS {
            assert!(text.contains(&figure.title()), "{}", figure.title());
        }
    }

    #[test]
    fn lines_go_by_items_or_by_cores() {
        let findings = Findings::example();
        let items = line(&findings, Figure::Batches, Kind::Tidal, Along::Items);
        assert_eq!(items, [(1000.0, 2e6), (10_000.0, 1e6)]);
        let along = Along::Cores(DataSet::Generated(1000));
        let cores = line(&findings, Figure::Batches, Kind::Tidal, along);
        assert_eq!(cores, [(1.0, 5e5), (2.0, 2e6)]);
    }
}
